//! `/holidays/{year}`: the public holidays and make-up working days of a year.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::context::RequestContext;
use super::impact::{self, ImpactShape};
use super::route::{Route, get, put};
use crate::domain::access::Action;
use crate::domain::calendar::{CalendarDay, DayKind};
use crate::domain::time::read_date;
use crate::error::AppError;
use crate::operations::holiday::{self, HolidayYear, Replaced};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/holidays/{year}",
            Action::HolidayGet,
            "The public holidays and make-up working days of a year; without any, only its weekends are known",
            find,
        )
        .answers::<HolidaysShape>(200),
        put(
            "/holidays/{year}",
            Action::HolidayUpdate,
            "Replace the list of a year; new releases leave it alone from then on",
            replace,
        )
        .parameters(impact::PARAMETERS)
        .takes::<HolidaysBody>()
        .answers::<ReplacedHolidaysShape>(200)
        .needs_version(),
    ]
}

#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HolidayShape {
    #[serde(deserialize_with = "read_date")]
    on: NaiveDate,
    kind: DayKind,
    /// For which the day is free, or worked on another day.
    festival: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HolidaysBody {
    /// All of them: what is not named is a day like any other.
    items: Vec<HolidayShape>,
}

#[derive(Serialize, ToSchema)]
struct HolidaysShape {
    year: i32,
    items: Vec<HolidayShape>,
    version: i64,
}

/// The list after a replacement, and the bookings it hits.
#[derive(Serialize, ToSchema)]
struct ReplacedHolidaysShape {
    #[serde(flatten)]
    list: HolidaysShape,
    #[serde(flatten)]
    impact: ImpactShape,
}

impl From<HolidayShape> for CalendarDay {
    fn from(shape: HolidayShape) -> Self {
        Self {
            on: shape.on,
            kind: shape.kind,
            festival: shape.festival,
        }
    }
}

impl From<HolidayYear> for HolidaysShape {
    fn from(known: HolidayYear) -> Self {
        let shape = |day: CalendarDay| HolidayShape {
            on: day.on,
            kind: day.kind,
            festival: day.festival,
        };
        Self {
            year: known.year.number(),
            items: known.days.into_iter().map(shape).collect(),
            version: known.version,
        }
    }
}

async fn find(context: RequestContext) -> Answer {
    let year = context.id("year")?;
    let known = holiday::get(&context.app, &context.reader(), year).await?;
    context.ok_versioned(known.version, HolidaysShape::from(known))
}

async fn replace(context: RequestContext) -> Answer {
    let year = context.id("year")?;
    let days = context.body::<HolidaysBody>();
    let days = days.map(|body| body.items.into_iter().map(Into::into).collect());
    let (asked, days) = impact::treatment(&context, days);
    let run = context.run(shown)?.dry(asked.is_dry);
    let done = holiday::update(&run, year, days, asked).await?;
    context.answer(done, if asked.is_dry { foretold } else { shown })
}

fn shown(replaced: &Replaced) -> Result<Reply, AppError> {
    Ok(foretold(replaced)?.of_version(replaced.list.version))
}

fn foretold(replaced: &Replaced) -> Result<Reply, AppError> {
    let shape = ReplacedHolidaysShape {
        list: replaced.list.clone().into(),
        impact: replaced.impact.clone().into(),
    };
    reply(200, &shape)
}
