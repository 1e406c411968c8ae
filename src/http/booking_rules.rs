//! `/instruments/{id}/booking-rules`, and what a unit's instruments inherit: `/organizations/{id}/booking-rules`. The JSON is the
//! domain's own struct; its version is in the ETag.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::bulk::{self, BulkShape, Items};
use super::context::RequestContext;
use super::impact::{self, ImpactShape};
use super::route::{Route, get, put};
use crate::domain::access::Action;
use crate::domain::booking::BookingMode;
use crate::domain::booking_rules::{
    Approval, Holidays, QuotaOver, QuotaPer, QuotaPeriod, RuleField, SaidRules, ShownRules,
};
use crate::domain::{Code, InstrumentId, Minutes};
use crate::error::AppError;
use crate::operations::booking_rules::{self, Replaced};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    const PATH: &str = "/instruments/{id}/booking-rules";
    const OF_UNIT: &str = "/organizations/{id}/booking-rules";
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
            "Replace the booking rules; a field left out is inherited",
            replace,
        )
        .parameters(impact::PARAMETERS)
        .takes::<BookingRulesShape>()
        .answers::<ReplacedRulesShape>(200)
        .has_etag(true)
        .needs_version(),
        put(
            "/instruments/booking-rules",
            Action::BookingRulesUpdateAll,
            "Replace the booking rules of several instruments, each as if they were replaced alone",
            replace_all,
        )
        .parameters(impact::PARAMETERS)
        .takes::<Items<RulesItem>>()
        .answers::<BulkShape>(200)
        .ignores_version(),
        get(
            OF_UNIT,
            Action::OrganizationBookingRulesGet,
            "What the instruments of a unit inherit",
            find_of_unit,
        )
        .answers::<BookingRulesShape>(200)
        .has_etag(true),
        put(
            OF_UNIT,
            Action::OrganizationBookingRulesUpdate,
            "Replace what the instruments of a unit inherit; a field left out is the service's",
            replace_of_unit,
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
    #[schema(required = false)]
    approval: Approval,
    #[schema(required = false, value_type = i64, minimum = 0)]
    approval_due_working_days: u32,
    #[schema(required = false)]
    weekly_hours: Vec<WeeklyHoursShape>,
    #[schema(required = false)]
    holidays: Holidays,
    #[schema(required = false)]
    special_days: Vec<SpecialDaysShape>,
    #[schema(required = false)]
    slot_minutes: Minutes,
    #[schema(required = false)]
    min_minutes: Minutes,
    #[schema(required = false)]
    max_minutes: Minutes,
    #[schema(required = false)]
    lead_minutes: Minutes,
    #[schema(required = false, value_type = i64, minimum = 0)]
    horizon_days: u32,
    #[schema(required = false)]
    setup_minutes: Minutes,
    #[schema(required = false)]
    cleanup_minutes: Minutes,
    #[schema(required = false)]
    cancel_before_minutes: Minutes,
    #[schema(required = false)]
    no_show_after_minutes: Minutes,
    #[schema(required = false)]
    modes: Vec<BookingMode>,
    /// Between two bookings of one person.
    #[schema(required = false)]
    gap_minutes: Minutes,
    /// With less left a user keeps the start and may only extend.
    #[schema(required = false)]
    change_before_minutes: Minutes,
    /// At most 20.
    #[schema(required = false)]
    quotas: Vec<QuotaShape>,
    /// How long a slot can be held before it is asked for, at most 60; 0: no holds.
    #[schema(required = false)]
    hold_minutes: Minutes,
    /// What is different for a class of customers, by its name (`own`, `public_research`, `enterprise`, `sme`); `sme` falls
    /// back to `enterprise`, every class to the rest.
    #[schema(required = false)]
    class_rules: BTreeMap<String, ClassRulesShape>,
    /// The fields that are the unit's, or the service's. Sent back with what they say, they stay so.
    #[schema(required = false)]
    inherited: Vec<RuleField>,
}

/// At most so many bookings, or minutes of them, of a person or a unit in a period; at least one of the two limits.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "says what a quota looks like")]
struct QuotaShape {
    per: QuotaPer,
    /// By the local calendar, weeks from Monday; `ahead`: all that have not begun.
    period: QuotaPeriod,
    #[schema(required = false)]
    over: QuotaOver,
    #[schema(required = false, value_type = Option<i64>, minimum = 0)]
    max_bookings: Option<u32>,
    #[schema(required = false)]
    max_minutes: Option<Minutes>,
    /// Only bookings in these modes count and are limited; null: all.
    #[schema(required = false)]
    modes: Option<Vec<BookingMode>>,
}

/// What is different for one class; null: as for all.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "says what rules of a class look like")]
struct ClassRulesShape {
    #[schema(required = false)]
    approval: Option<Approval>,
    #[schema(required = false)]
    lead_minutes: Option<Minutes>,
    #[schema(required = false, value_type = Option<i64>, minimum = 0)]
    horizon_days: Option<u32>,
    #[schema(required = false)]
    max_minutes: Option<Minutes>,
    #[schema(required = false)]
    quotas: Option<Vec<QuotaShape>>,
}

/// Only for the API document: the rules of one of several instruments, at the version that was read.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "says what an item looks like")]
struct RulesItem {
    id: InstrumentId,
    version: i64,
    #[serde(flatten)]
    rules: BookingRulesShape,
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
    rules: &'a ShownRules,
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
    let rules = ShownRules::from(replaced.in_force.clone());
    let shape = ReplacedRules {
        rules: &rules,
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
    context.ok_versioned(version, ShownRules::from(rules))
}

async fn find_of_unit(context: RequestContext) -> Answer {
    let (reader, id) = (context.reader(), context.id("id")?);
    let (rules, version) = booking_rules::get_of_unit(&context.app, &reader, id).await?;
    context.ok_versioned(version, ShownRules::from(rules))
}

async fn replace_of_unit(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let (asked, said) = impact::treatment(&context, context.body());
    let run = context.run(shown)?.dry(asked.is_dry);
    let done = booking_rules::update_of_unit(&run, id, said, asked).await?;
    context.answer(done, if asked.is_dry { foretold } else { shown })
}

async fn replace(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let (asked, rules) = impact::treatment(&context, context.body());
    let run = context.run(shown)?.dry(asked.is_dry);
    let done = booking_rules::update(&run, id, rules, asked).await?;
    context.answer(done, if asked.is_dry { foretold } else { shown })
}

async fn replace_all(context: RequestContext) -> Answer {
    let items = bulk::versioned_items(&context, |said: SaidRules| said);
    let (asked, items) = impact::treatment(&context, items);
    let run = context.run(bulk::done)?.dry(asked.is_dry);
    let done = booking_rules::update_all(&run, items, asked).await?;
    context.answer(done, bulk::done)
}
