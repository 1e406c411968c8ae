//! What time does to bookings: it expires requests that nobody decided, closes uses that nobody finished, and marks bookings that
//! nobody started. Each is found in a list and decided again under its instrument's lock: whoever comes second finds nothing to
//! do, so several nodes may run it.

use std::future::Future;

use super::context::{BookingContext, lock};
use super::trail;
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::booking::{self, BookingAction, BookingState, CLOSED_AFTER, Side};
use crate::domain::usage::{Evidence, GivenMinutes, ServiceContext, UsageMinutes};
use crate::domain::{BookingId, Instant, Minutes, Slot};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::work;
use crate::operations::usage::finished::{Finished, find_or_insert};
use crate::store::booking::Booking;
use crate::store::{self, Conn};

/// How many bookings one step looks at; the next step goes on.
pub(super) const STEP: i64 = 500;

/// The booking under its lock and the state it passes into; none when its time has not come or somebody was faster.
pub(super) fn due(
    tx: &mut Conn,
    id: BookingId,
    action: BookingAction,
    now: Instant,
) -> Result<Option<(BookingContext, BookingState)>, AppError> {
    let locked = lock(tx, id, None)?;
    let booking = store::booking::get(tx, id)?;
    let case = BookingContext::of(tx, booking, false, now)?.still_on(locked)?;
    let next = case.timing()?.permit(action, Side::Host, now);
    Ok(next.ok().map(|next| (case, next)))
}

/// Passes each booking, though one of them fails; answers how many were changed, and the first failure.
pub(super) async fn each<F, T>(ids: Vec<BookingId>, pass: F) -> Result<usize, AppError>
where
    F: Fn(BookingId) -> T,
    T: Future<Output = Result<bool, AppError>>,
{
    let (mut changed, mut failure) = (0, None);
    for id in ids {
        match pass(id).await {
            Ok(true) => changed += 1,
            Ok(false) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        None => Ok(changed),
        Some(error) => Err(error),
    }
}

/// The ids a list query finds.
pub(super) async fn find(
    app: &App,
    query: impl FnOnce(&mut Conn) -> store::Result<Vec<BookingId>> + Send + 'static,
) -> Result<Vec<BookingId>, AppError> {
    app.store.read(query).await.map_err(AppError::from)
}

/// Expires what is overdue; answers how many.
pub async fn expire_overdue(app: &App, now: Instant) -> Result<usize, AppError> {
    let ids = find(app, move |conn| {
        store::booking::list_overdue(conn, now, STEP)
    });
    each(ids.await?, |id| {
        work(app, move |tx| {
            let Some((case, _)) = due(tx, id, BookingAction::Expire, now)? else {
                return Ok(false);
            };
            expire(tx, &case.booking, now)?;
            Ok(true)
        })
    })
    .await
}

/// Expires one that is overdue, under the lock of its instrument.
pub(super) fn expire(tx: &mut Conn, booking: &Booking, now: Instant) -> Result<(), AppError> {
    let mut next = booking.changes();
    next.state = booking.state.after(BookingAction::Expire)?;
    next.problem = None;
    let after = store::booking::update(tx, booking, next, now)?;
    let by = &Actor::system(now);
    let event = match booking.state {
        BookingState::Held => Action::BookingRelease,
        _ => Action::BookingExpire,
    };
    trail::record(tx, by, event, Some(booking), &after)?;
    Ok(())
}

/// Tells hosts of the requests whose last working day has begun: they expire at its end. Answers how many.
pub async fn remind_undecided(app: &App, now: Instant) -> Result<usize, AppError> {
    // Terms end with a working day, so what is due within a day of the calendar is due today.
    let tomorrow = now.local_date().succ_opt().map(Instant::at_midnight);
    let Some(today) = tomorrow.and_then(|end| Slot::new(now, end).ok()) else {
        return Ok(0);
    };
    let ids = find(app, move |conn| {
        store::booking::list_unreminded(conn, &today, STEP)
    });
    each(ids.await?, |id| {
        work(app, move |tx| {
            if !store::booking::claim_reminder(tx, id, &today)? {
                return Ok(false);
            }
            let booking = store::booking::get(tx, id)?;
            let by = &Actor::system(now);
            trail::record(tx, by, Action::BookingRemind, Some(&booking), &booking)?;
            Ok(true)
        })
    })
    .await
}

/// Nobody finished it.
const NOT_FINISHED: &str = "not_finished";
/// Nobody finished it, and no record could be made: its time already has one, or its year is final.
const NOT_FINISHED_NOT_RECORDED: &str = "not_finished_not_recorded";

/// Closes them; answers how many.
pub async fn close_forgotten(app: &App, now: Instant) -> Result<usize, AppError> {
    let ended_by = now.plus(Minutes::new(-CLOSED_AFTER.number()));
    let ids = find(app, move |conn| {
        store::booking::list_unfinished(conn, ended_by, STEP)
    });
    each(ids.await?, |id| close_one(app, id, now)).await
}

/// With a usage record; without one where its time has one already or nothing in its year can change.
async fn close_one(app: &App, id: BookingId, now: Instant) -> Result<bool, AppError> {
    match close(app, id, now, NOT_FINISHED).await {
        Err(AppError::Conflict(conflict))
            if matches!(conflict.code, Code::usage_overlaps | Code::period_locked) =>
        {
            close(app, id, now, NOT_FINISHED_NOT_RECORDED).await
        }
        outcome => outcome,
    }
}

async fn close(
    app: &App,
    id: BookingId,
    now: Instant,
    problem: &'static str,
) -> Result<bool, AppError> {
    let action = move |tx: &mut Conn| {
        match due(tx, id, BookingAction::Close, now)? {
            Some((case, state)) => end(tx, &case, state, problem, now)?,
            None => return Ok(false),
        }
        Ok(true)
    };
    work(app, action).await
}

fn end(
    tx: &mut Conn,
    case: &BookingContext,
    state: BookingState,
    problem: &'static str,
    now: Instant,
) -> Result<(), AppError> {
    let present = &case.booking;
    let slot = present.slot()?;
    let started_at = present.started_at.unwrap_or(present.starts_at);
    let interval = booking::ending_when_closed(started_at, &slot);
    let mut next = present.changes();
    next.state = state;
    next.ended_at = Some(interval.ends_at());
    next.problem = Some(problem.to_owned());
    let after = store::booking::update(tx, present, next, now)?;
    let (by, before) = (&Actor::system(now), Some(present));
    trail::record(tx, by, Action::BookingClose, before, &after)?;
    if problem == NOT_FINISHED {
        let finished = Finished {
            interval,
            minutes: UsageMinutes::within(&interval, GivenMinutes::default())?,
            samples: after.details.samples.unwrap_or(0),
            statutory: false,
            context: ServiceContext::default(),
            evidence: Evidence::Manual,
        };
        find_or_insert(tx, by, &after, &finished)?;
    }
    Ok(())
}

/// Marks them; answers how many.
pub async fn lapse_unresolved(app: &App, now: Instant) -> Result<usize, AppError> {
    let ids = find(app, move |conn| {
        store::booking::list_unstarted(conn, now, STEP)
    });
    each(ids.await?, |id| {
        work(app, move |tx| {
            let due = due(tx, id, BookingAction::Lapse, now)?;
            let Some((case, state)) = due else {
                return Ok(false);
            };
            let mut next = case.booking.changes();
            next.state = state;
            next.problem = None;
            let after = store::booking::update(tx, &case.booking, next, now)?;
            let (by, before) = (&Actor::system(now), Some(&case.booking));
            trail::record(tx, by, Action::BookingLapse, before, &after)?;
            Ok(true)
        })
    })
    .await
}
