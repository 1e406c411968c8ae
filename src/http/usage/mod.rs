//! `/usage-records`: hours typed, imported, confirmed, disputed, corrected and voided.

mod shape;
mod table;

use std::cmp::Reverse;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::feed::{Asked, Start};
use super::params::Params;
use super::reason::{EmptyBody, ReasonBody};
use super::route::{BASE, Route, get, post};
use crate::domain::Fen;
use crate::domain::access::Action;
use crate::domain::usage::{Evidence, UsageState};
use crate::error::AppError;
use crate::operations::run::Reply;
use crate::operations::usage::{self, UsageView};
use crate::store::usage::{Filter, Listed};
use shape::{CorrectBody, RecordBody, UsageShape};

const FILTERS: &[&str] = &[
    "instrument_id",
    "organization_id",
    "host_organization_id",
    "state",
    "booking_id",
    "client_reference",
    "unpriced",
    "year",
    "evidence",
    "original_value_from_fen",
    "from",
    "until",
    "updated_since",
    "limit",
    "cursor",
];

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        get(
            "/usage-records",
            Action::UsageRecordList,
            "Usage records, newest first, or with updated_since in the order of change",
            list,
        )
        .parameters(FILTERS)
        .words::<UsageState>("state")
        .words::<Evidence>("evidence")
        .answers::<Page<UsageShape>>(200),
        post(
            "/usage-records",
            Action::UsageRecordCreate,
            "Type in a service",
            create,
        )
        .takes::<RecordBody>()
        .answers::<UsageShape>(201),
        get(
            "/usage-records/{id}",
            Action::UsageRecordGet,
            "One record",
            get_one,
        )
        .answers::<UsageShape>(200),
        get(
            "/usage-records/{id}/versions",
            Action::UsageRecordVersionList,
            "Every version, newest first; to a using unit those that name it",
            versions,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<UsageShape>>(200),
    ];
    routes.extend(actions());
    routes.extend(table::routes());
    routes
}

fn actions() -> [Route; 5] {
    [
        post(
            "/usage-records/{id}/attest",
            Action::UsageRecordAttest,
            "The desk saw a use that its operator started or finished himself",
            attest,
        )
        .takes::<EmptyBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/confirm",
            Action::UsageRecordConfirm,
            "The using unit agrees",
            confirm,
        )
        .takes::<EmptyBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/dispute",
            Action::UsageRecordDispute,
            "The using unit does not agree, and says why",
            dispute,
        )
        .takes::<ReasonBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/void",
            Action::UsageRecordVoid,
            "The host takes the record back, and says why",
            void,
        )
        .takes::<ReasonBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/correct",
            Action::UsageRecordCorrect,
            "The host corrects the record: a new version, to be confirmed again",
            correct,
        )
        .takes::<CorrectBody>()
        .needs_body()
        .answers::<UsageShape>(200),
    ]
}

/// What the query asks for.
fn filter(params: &Params, start: &Start, limit: i64) -> Result<Filter, AppError> {
    Ok(Filter {
        instruments: params.all("instrument_id")?,
        organizations: params.all("organization_id")?,
        hosts: params.all("host_organization_id")?,
        states: params.all("state")?,
        bookings: params.all("booking_id")?,
        client_references: params.all("client_reference")?,
        is_unpriced: params.one("unpriced")?,
        years: params.all("year")?,
        evidence: params.all("evidence")?,
        original_value_from: params.one("original_value_from_fen")?.map(Fen::new),
        from: params.one("from")?,
        until: params.one("until")?,
        changed_after: start.changed_after(),
        below: start.below(),
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let asked = Asked::of(&context, filter).await;
    let found = usage::list(&context.app, &context.reader(), asked.filter).await?;
    let place = |row: &Listed| (row.record.updated_at, row.record.id.number());
    let (start, limit) = (asked.start, asked.limit);
    context.ok(start.found(found, limit, place, UsageShape::from)?)
}

async fn get_one(context: RequestContext) -> Answer {
    let view = usage::get(&context.app, &context.reader(), context.id("id")?).await?;
    context.ok_versioned(view.record.version, UsageShape::from(view))
}

async fn versions(context: RequestContext) -> Answer {
    let reader = context.reader();
    let versions = usage::list_versions(&context.app, &reader, context.id("id")?).await?;
    let newest_first = |view: &UsageView| Reverse(view.record.version);
    let params = context.params()?;
    context.ok(Page::of(versions, &params, newest_first, UsageShape::from)?)
}

fn created(view: &UsageView) -> Result<Reply, AppError> {
    let reply = shown(view)?.at(format!("{BASE}/usage-records/{}", view.record.id));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

fn shown(view: &UsageView) -> Result<Reply, AppError> {
    let reply = reply(200, &UsageShape::from(view.clone()))?;
    Ok(reply.of_version(view.record.version))
}

async fn create(context: RequestContext) -> Answer {
    let new = context.body::<RecordBody>().and_then(RecordBody::into_new);
    let done = usage::record(&context.run(created)?, new).await?;
    context.answer(done, created)
}

async fn attest(context: RequestContext) -> Answer {
    let body = context.body_or_default().map(|EmptyBody {}| ());
    let done = usage::attest(&context.run(shown)?, context.id("id")?, body).await?;
    context.answer(done, shown)
}

async fn confirm(context: RequestContext) -> Answer {
    let body = context.body_or_default().map(|EmptyBody {}| ());
    let done = usage::confirm(&context.run(shown)?, context.id("id")?, body).await?;
    context.answer(done, shown)
}

async fn dispute(context: RequestContext) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: ReasonBody| body.reason);
    let done = usage::dispute(&context.run(shown)?, context.id("id")?, reason).await?;
    context.answer(done, shown)
}

async fn void(context: RequestContext) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: ReasonBody| body.reason);
    let done = usage::void(&context.run(shown)?, context.id("id")?, reason).await?;
    context.answer(done, shown)
}

async fn correct(context: RequestContext) -> Answer {
    let correction = context.body::<CorrectBody>().map(Into::into);
    let done = usage::correct(&context.run(shown)?, context.id("id")?, correction).await?;
    context.answer(done, shown)
}
