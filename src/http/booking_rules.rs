//! `/instruments/{id}/booking-rules`. The JSON is the domain's own struct; its version is in the ETag.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::context::RequestContext;
use super::impact::{self, ImpactShape};
use super::route::{Route, get, put};
use crate::domain::access::Action;
use crate::domain::booking::BookingMode;
use crate::domain::booking_rules::{Approval, BookingRules, Holidays};
use crate::domain::{Code, Minutes};
use crate::error::AppError;
use crate::operations::booking_rules::{self, Replaced};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    const PATH: &str = "/instruments/{id}/booking-rules";
    vec![
        get(
            PATH,
            Action::BookingRulesGet,
            "How an instrument is opened",
            find,
        )
        .answers::<BookingRulesShape>(200)
        .has_etag(true),
        put(
            PATH,
            Action::BookingRulesUpdate,
            "Replace the booking rules; a field left out has its default",
            replace,
        )
        .parameters(impact::PARAMETERS)
        .takes::<BookingRulesShape>()
        .answers::<ReplacedRulesShape>(200)
        .has_etag(true)
        .needs_version(),
    ]
}

/// Only for the API document: the fields of the domain's rules.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "says what booking rules look like")]
struct BookingRulesShape {
    approval: Approval,
    approval_due_working_days: u32,
    weekly_hours: Vec<WeeklyHoursShape>,
    holidays: Holidays,
    special_days: Vec<SpecialDaysShape>,
    slot_minutes: Minutes,
    min_minutes: Minutes,
    max_minutes: Minutes,
    lead_minutes: Minutes,
    horizon_days: u32,
    setup_minutes: Minutes,
    cleanup_minutes: Minutes,
    cancel_before_minutes: Minutes,
    no_show_after_minutes: Minutes,
    modes: Vec<BookingMode>,
}

/// Only for the API document: the rules after a replacement, and the bookings it hits.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "says what a replacement answers")]
struct ReplacedRulesShape {
    #[serde(flatten)]
    rules: BookingRulesShape,
    #[serde(flatten)]
    impact: ImpactShape,
    /// What may close later what these rules open.
    warnings: Vec<WarningShape>,
}

/// `holidays_unknown`: nobody has entered the holidays of a year (`actual`) that bookings reach.
#[derive(Serialize, ToSchema)]
struct WarningShape {
    code: &'static str,
    actual: i32,
}

/// What a replacement answers.
#[derive(Serialize)]
struct ReplacedRules<'a> {
    #[serde(flatten)]
    rules: &'a BookingRules,
    #[serde(flatten)]
    impact: ImpactShape,
    warnings: Vec<WarningShape>,
}

/// Times are written `09:00`; `24:00` ends a day, and `until` at or before `from` lies on the next day.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "says what weekly hours look like")]
struct WeeklyHoursShape {
    /// 1 Monday to 7 Sunday.
    weekdays: Vec<u8>,
    from: String,
    until: String,
}

#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "says what special days look like")]
struct SpecialDaysShape {
    from_on: chrono::NaiveDate,
    until_on: chrono::NaiveDate,
    spans: Vec<DaySpanShape>,
}

#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "says what a span of a day looks like")]
struct DaySpanShape {
    from: String,
    until: String,
}

fn shown(replaced: &Replaced) -> Result<Reply, AppError> {
    Ok(foretold(replaced)?.of_version(replaced.version))
}

fn foretold(replaced: &Replaced) -> Result<Reply, AppError> {
    let shape = ReplacedRules {
        rules: &replaced.rules,
        impact: replaced.impact.clone().into(),
        warnings: replaced.unknown_years.iter().map(warning).collect(),
    };
    reply(200, &shape)
}

fn warning(year: &i32) -> WarningShape {
    WarningShape {
        code: Code::holidays_unknown.as_str(),
        actual: *year,
    }
}

async fn find(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let (rules, version) = booking_rules::get(&context.app, &context.reader(), id).await?;
    context.ok_versioned(version, rules)
}

async fn replace(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let (asked, rules) = impact::treatment(&context, context.body());
    let run = context.run(shown)?.dry(asked.is_dry);
    let done = booking_rules::update(&run, id, rules, asked).await?;
    context.answer(done, if asked.is_dry { foretold } else { shown })
}
