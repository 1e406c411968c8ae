//! Finishing the use of a booking: the actual interval counts, an early end frees the rest, and one usage record is made.

use super::context::{BookingContext, BookingView};
use super::draft::SAMPLES_MAX;
use super::trail;
use crate::domain::access::Action;
use crate::domain::booking::{self, BookingAction};
use crate::domain::fault::Faults;
use crate::domain::usage::{Evidence, GivenMinutes, UsageMinutes};
use crate::domain::{BookingId, Instant, Slot};
use crate::error::{AppError, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::usage::finished::{Finished, insert_finished};
use crate::store::{self, Conn};

/// How a use ended; what is absent is taken from the clock and the booking.
#[derive(Debug, Clone, Default)]
pub struct Finish {
    pub ended_at: Option<Instant>,
    pub minutes: GivenMinutes,
    pub samples: Option<i64>,
    pub statutory: Option<bool>,
}

/// 422 for an end in the future or minutes beyond the interval, 409 `usage_overlaps`.
pub async fn finish(
    run: &Run<BookingView>,
    id: BookingId,
    how: Result<Finish, AppError>,
) -> Outcome<BookingView> {
    run.on(id, how, move |tx, actor, context, how| {
        complete(tx, actor, context, how)
    })
    .await
}

fn complete(
    tx: &mut Conn,
    actor: &Actor,
    mut context: BookingContext,
    how: &Finish,
) -> Result<BookingView, AppError> {
    let caller = actor.caller()?;
    let permitted = context.permit(caller, BookingAction::Finish, actor.now);
    let started_at = context
        .booking
        .started_at
        .unwrap_or(context.booking.starts_at);
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
    let blocked = context.booking.blocked()?;
    let rest =
        booking::blocked_after_finish(&blocked, &interval, context.terms.rules.cleanup_minutes);
    let mut next = context.booking.changes();
    next.state = state;
    next.ended_at = Some(interval.ends_at());
    next.blocked_until = rest.ends_at();
    let after = store::booking::update(tx, &context.booking, next, actor.now)?;
    trail::record(
        tx,
        actor,
        Action::BookingFinish,
        Some(&context.booking),
        &after,
    )?;
    let finished = Finished {
        interval,
        minutes,
        samples: how.samples.or(after.details.samples).unwrap_or(0),
        statutory: how.statutory.unwrap_or(false),
        evidence: Evidence::Confirmed,
    };
    let record = insert_finished(tx, actor, &after, &finished)?;
    context.booking = after;
    context.usage_record_ids.push(record.id);
    context.view(caller, actor.now)
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
            let fault = Fault::field("ended_at", refusal.code());
            faults.push(fault.actual(how.ended_at.unwrap_or(now)));
            None
        }
        Err(_) => None,
    }
}
