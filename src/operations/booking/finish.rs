//! Finishing the use of a booking: the actual interval counts, an early end frees the rest, and one usage record is made.

use super::case::{BookingView, Case};
use super::draft::SAMPLES_MAX;
use super::trail::{self, Told};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::booking::{self, BookingAction};
use crate::domain::calendar::Calendar;
use crate::domain::fault::{Faults, FieldFault};
use crate::domain::usage::{Evidence, GivenMinutes, UsageMinutes};
use crate::domain::{BookingId, Instant, Slot};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{perform, same_version};
use crate::operations::usage::finished::{Finished, insert_finished};
use crate::store::{self, Conn};

/// How a use ended; what is absent is taken from the clock and the booking.
#[derive(Debug, Clone, Default)]
pub struct Finish {
    pub ended_at: Option<Instant>,
    pub minutes: GivenMinutes,
    pub samples: Option<i64>,
    pub statutory: Option<bool>,
    pub version: Option<i64>,
}

/// 422 for an end in the future or minutes beyond the interval, 409 `usage_overlaps`.
pub async fn finish(
    app: &App,
    actor: &Actor,
    id: BookingId,
    how: Finish,
) -> Result<BookingView, AppError> {
    let (calendar, performer) = (app.calendar(), actor.clone());
    perform(app, actor, move |tx| {
        complete(tx, &calendar, &performer, id, &how)
    })
    .await
}

fn complete(
    tx: &mut Conn,
    calendar: &Calendar,
    actor: &Actor,
    id: BookingId,
    how: &Finish,
) -> Result<BookingView, AppError> {
    let mut case = Case::lock(tx, actor.caller()?, id, Action::BookingFinish)?;
    same_version(how.version, case.booking.version)?;
    let permitted = case.permit(actor.caller()?, BookingAction::Finish, calendar, actor.now);
    let started_at = case.booking.started_at.unwrap_or(case.booking.starts_at);
    let mut faults = Faults::new();
    if let Some(samples) = how.samples {
        faults.range("samples", samples, 0, SAMPLES_MAX);
    }
    let actual = actual(started_at, how, actor.now, permitted.is_ok(), &mut faults);
    if actual.is_none() {
        faults.extend(how.minutes.out_of_range());
    }
    let counted = actual.and_then(|interval| {
        let minutes = UsageMinutes::within(&interval, how.minutes);
        let minutes = minutes.map_err(|found| faults.extend(found)).ok()?;
        Some((interval, minutes))
    });
    faults.into_result()?;
    let (_, state) = permitted?;
    let (interval, minutes) = counted.ok_or_else(|| AppError::internal("no actual interval"))?;
    let blocked = case.booking.blocked()?;
    let rest = booking::blocked_after_finish(&blocked, &interval, case.terms.rules.cleanup_minutes);
    let mut next = case.booking.changes();
    next.state = state;
    next.ended_at = Some(interval.ends_at());
    next.blocked_until = rest.ends_at();
    let after = store::booking::update(tx, &case.booking, next, actor.now)?;
    let by = actor;
    trail::record(
        tx,
        by,
        Action::BookingFinish,
        Some(&case.booking),
        &after,
        Told::Unit,
    )?;
    let finished = Finished {
        interval,
        minutes,
        samples: how.samples.or(after.samples).unwrap_or(0),
        statutory: how.statutory.unwrap_or(false),
        evidence: Evidence::Confirmed,
    };
    let record = insert_finished(tx, by, &after, &finished)?;
    case.booking = after;
    case.usage_record_ids.push(record.id);
    case.seen(actor.caller()?, calendar, actor.now)
}

/// The interval of the use. A booking that was never started has none to judge: its state is refused instead.
fn actual(
    started_at: Instant,
    how: &Finish,
    now: Instant,
    is_running: bool,
    faults: &mut Faults,
) -> Option<Slot> {
    match booking::ended_at(started_at, how.ended_at, now) {
        Ok(interval) => Some(interval),
        Err(refusal) if is_running => {
            let fault = FieldFault::new("ended_at", refusal.code());
            faults.push(fault.actual(how.ended_at.unwrap_or(now)));
            None
        }
        Err(_) => None,
    }
}
