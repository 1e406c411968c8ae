//! `/organizations/{id}/reported-numbers`: numbers that a unit reports for a year, of itself and of its instruments, for packs that
//! ask `reported.NAME`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::context::RequestContext;
use super::route::{Route, get, post};
use crate::domain::InstrumentId;
use crate::domain::access::Action;
use crate::domain::reported::ReportedNumber;
use crate::error::AppError;
use crate::operations::reported_number::{self, Report, ReportedYear};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/organizations/{id}/reported-numbers",
            Action::ReportedNumberList,
            "What a unit reported for a year, of itself and of its instruments",
            list,
        )
        .parameters(&["year"])
        .requires(&["year"])
        .answers::<ReportedNumbersShape>(200),
        post(
            "/organizations/{id}/reported-numbers",
            Action::ReportedNumberEnter,
            "Report numbers of a year; what is not named stays, what nobody reported counts as 0",
            report,
        )
        .takes::<ReportedNumbersBody>()
        .answers::<ReportedNumbersShape>(200)
        .ignores_version(),
    ]
}

/// A number to report, as packs name it, of the unit or of one of its instruments.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReportedNumberBody {
    /// Null or left out: of the unit itself.
    instrument_id: Option<InstrumentId>,
    /// Small letters, digits and `_`.
    name: String,
    value: i64,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReportedNumbersBody {
    year: i32,
    items: Vec<ReportedNumberBody>,
}

/// A number that was reported.
#[derive(Serialize, ToSchema)]
struct ReportedNumberShape {
    /// Null: of the unit itself.
    instrument_id: Option<InstrumentId>,
    name: String,
    value: i64,
}

/// The unit's own numbers first, then by instrument, by name.
#[derive(Serialize, ToSchema)]
struct ReportedNumbersShape {
    year: i32,
    items: Vec<ReportedNumberShape>,
}

impl From<ReportedNumberBody> for ReportedNumber {
    fn from(item: ReportedNumberBody) -> Self {
        Self {
            instrument_id: item.instrument_id,
            name: item.name,
            value: item.value,
        }
    }
}

impl From<ReportedNumber> for ReportedNumberShape {
    fn from(number: ReportedNumber) -> Self {
        Self {
            instrument_id: number.instrument_id,
            name: number.name,
            value: number.value,
        }
    }
}

impl From<ReportedYear> for ReportedNumbersShape {
    fn from(known: ReportedYear) -> Self {
        Self {
            year: known.year,
            items: known.items.into_iter().map(Into::into).collect(),
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let (reader, id) = (context.reader(), context.id("id")?);
    let year = context.params().and_then(|params| params.required("year"));
    let known = reported_number::list(&context.app, &reader, id, year).await?;
    context.ok(ReportedNumbersShape::from(known))
}

async fn report(context: RequestContext) -> Answer {
    let sent = context.body::<ReportedNumbersBody>().map(|body| Report {
        year: body.year,
        items: body.items.into_iter().map(Into::into).collect(),
    });
    let (run, id) = (context.run(shown)?, context.id("id")?);
    let done = reported_number::report(&run, id, sent).await?;
    context.answer(done, shown)
}

fn shown(known: &ReportedYear) -> Result<Reply, AppError> {
    reply(200, &ReportedNumbersShape::from(known.clone()))
}
