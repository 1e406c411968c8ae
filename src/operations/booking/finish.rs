//! Finishing the use of a booking: the actual interval counts, an early end frees the rest, and one usage record is made.

use super::context::{BookingContext, BookingView};
use super::draft::SAMPLES_MAX;
use super::trail;
use crate::domain::access::Action;
use crate::domain::booking::{self, BookingAction, BookingState};
use crate::domain::fault::Faults;
use crate::domain::usage::{Evidence, GivenMinutes, ServiceContext, UsageMinutes, UsageState};
use crate::domain::{BookingId, Instant, Slot, UsageRecordId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::usage::clash::{self, Claim};
use crate::operations::usage::finished::{Finished, find_or_insert};
use crate::store::booking::{Booking, Changes};
use crate::store::usage::{Target, UsageRecord};
use crate::store::{self, Conn};

/// How a use ended; what is absent is taken from the clock and the booking.
#[derive(Debug, Clone, Default)]
pub struct Finish {
    /// For a use that nobody started on the platform, and for no other.
    pub started_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    pub minutes: GivenMinutes,
    pub samples: Option<i64>,
    pub statutory: Option<bool>,
    pub context: ServiceContext,
    /// The record that tells of the use already, instead of a new one.
    pub usage_record_id: Option<UsageRecordId>,
}

/// It ended without a record of its own: one that names no booking or another one was said to tell of the use.
const TOLD_BY_OTHER: &str = "not_recorded";

/// A record that names the booking is its record. 422 for an end in the future or minutes beyond the interval, 409
/// `usage_overlaps` with `existing_id` of a record of something else: finished with it, the instrument is free again.
pub async fn finish(
    run: &Run<BookingView>,
    id: BookingId,
    how: Result<Finish, AppError>,
) -> Outcome<BookingView> {
    let how = match how {
        Ok(how) => how,
        Err(fault) => return run.refuse::<BookingContext>(id, fault).await,
    };
    let (typed, ended_at, now) = (how.started_at, how.ended_at, run.actor.now);
    let claimed = move |conn: &mut Conn| {
        let present = store::booking::get(conn, id)?;
        let started_at = present.started_at.or(typed).unwrap_or(present.starts_at);
        let interval = booking::ended_at(started_at, ended_at, now);
        Ok(Claim {
            target: Target {
                instrument_id: present.instrument_id,
                channel: present.channel,
                slot: interval.map_err(AppError::internal)?,
                except: None,
            },
            unit: present.organization_id,
            client_reference: None,
        })
    };
    clash::settle(&run.app, &run.actor, claimed, || {
        run.on(id, Ok(how.clone()), complete)
    })
    .await
}

/// The record that the caller says tells of the use already: one of this instrument in the time of the use.
fn find_told(
    tx: &mut Conn,
    booking: &Booking,
    interval: &Slot,
    id: UsageRecordId,
) -> Result<UsageRecord, AppError> {
    let found = match store::usage::get(tx, id) {
        Err(store::StoreError::NotFound) => None,
        found => Some(found?),
    };
    let tells = |record: &UsageRecord| {
        record.instrument_id == booking.instrument_id
            && record.state != UsageState::Voided
            && (record.booking_id == Some(booking.id)
                || record.started_at < interval.ends_at() && interval.starts_at() < record.ended_at)
    };
    let unknown = Fault::field("usage_record_id", Code::unknown_reference).actual(id.number());
    found
        .filter(tells)
        .ok_or_else(|| AppError::Refused(vec![unknown]))
}

fn complete(
    tx: &mut Conn,
    actor: &Actor,
    mut context: BookingContext,
    how: &Finish,
) -> Result<BookingView, AppError> {
    let caller = actor.caller()?;
    let permitted = context.permit(caller, BookingAction::Finish, actor.now);
    let mut faults = Faults::new();
    let typed = how.started_at;
    let started_at = match permitted.is_ok() {
        true => started_at(&context.booking, typed, actor.now, &mut faults),
        false => context.booking.started_at.or(typed),
    };
    let started_at = started_at.unwrap_or(context.booking.starts_at);
    if let Some(samples) = how.samples {
        faults.range("samples", samples, 0, SAMPLES_MAX);
    }
    how.context.check(&mut faults);
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
    if context.booking.started_at.is_none() && context.waits_for_channel {
        return Err(AppError::conflict(Code::channel_in_use));
    }
    let (interval, minutes) = counted.ok_or_else(|| AppError::internal("no actual interval"))?;
    let told = how.usage_record_id;
    let told = told.map(|id| find_told(tx, &context.booking, &interval, id));
    let told = told.transpose()?;
    let is_other = |record: &UsageRecord| record.booking_id != Some(context.booking.id);
    let problem = told.as_ref().filter(|record| is_other(record));
    let problem = problem.map(|_| TOLD_BY_OTHER.to_owned());
    let mut next = ended(&context, state, &interval)?;
    next.details.finished_by = Some(caller.user_id);
    next.problem.clone_from(&problem);
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
        context: how.context.clone(),
        evidence: evidence(&context.booking, caller.user_id),
    };
    let record = match told {
        Some(told) => told.id,
        None => find_or_insert(tx, actor, &after, &finished)?,
    };
    if !context.usage_record_ids.contains(&record) && problem.is_none() {
        context.usage_record_ids.push(record);
    }
    context.booking = after;
    context.view(caller, actor.now)
}

/// What the end of the use makes of the booking.
fn ended(
    context: &BookingContext,
    state: BookingState,
    interval: &Slot,
) -> Result<Changes, AppError> {
    let blocked = context.booking.blocked()?;
    let cleanup = context.terms.rules.cleanup_minutes;
    let mut next = context.booking.changes();
    next.state = state;
    next.started_at = Some(interval.starts_at());
    next.ended_at = Some(interval.ends_at());
    next.blocked_until = booking::blocked_after_finish(&blocked, interval, cleanup).ends_at();
    Ok(next)
}

/// When the use began: as the platform saw it, or as it is typed where nobody started it, within the time in which it could
/// have been started.
fn started_at(
    booking: &Booking,
    typed: Option<Instant>,
    now: Instant,
    faults: &mut Faults,
) -> Option<Instant> {
    let (from, until) = (booking.blocked_from, booking.ends_at);
    let (code, limit) = match (booking.started_at, typed) {
        (Some(at), Some(typed)) if typed != at => (Code::read_only, at),
        (None, None) => {
            faults.push(Fault::required("started_at"));
            return None;
        }
        (None, Some(typed)) if typed > now => (Code::in_the_future, now),
        (None, Some(typed)) if typed < from => (Code::out_of_range, from),
        (None, Some(typed)) if typed >= until => (Code::out_of_range, until),
        (at, typed) => return at.or(typed),
    };
    let fault = Fault::field("started_at", code).limit(limit);
    faults.push(match typed {
        Some(typed) => fault.actual(typed),
        None => fault,
    });
    None
}

/// What the record stands on. What nobody but the operator saw, or what was typed, is typed.
fn evidence(before: &Booking, finished_by: UserId) -> Evidence {
    let is_by_operator = |user: Option<UserId>| user.is_some() && user == before.operator();
    let is_typed = before.started_at.is_none()
        || is_by_operator(before.details.started_by)
        || is_by_operator(Some(finished_by));
    match is_typed {
        true => Evidence::Manual,
        false => Evidence::Confirmed,
    }
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
