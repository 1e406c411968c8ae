//! Bookings still in progress twelve hours after their end: closed with the scheduled end and shown as a problem. Nobody saw
//! the end, so their usage record rests on manual evidence until the host corrects or confirms it.

use super::case::Case;
use super::passing;
use super::trail::{self, Told};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::booking::{self, BookingAction, BookingState, CLOSED_AFTER};
use crate::domain::usage::{Evidence, GivenMinutes, UsageMinutes};
use crate::domain::{BookingId, Instant, Minutes};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::usage::finished::{Finished, insert_finished};
use crate::store::{self, Conn};

/// Nobody finished it.
const NOT_FINISHED: &str = "not_finished";
/// Nobody finished it, and no record could be made: its time already has one, or its year is final.
const NOT_FINISHED_NOT_RECORDED: &str = "not_finished_not_recorded";

/// Closes them; answers how many.
pub async fn close_forgotten(app: &App, now: Instant) -> Result<usize, AppError> {
    let ended_by = now.plus(Minutes::new(-CLOSED_AFTER.number()));
    let ids = passing::find(app, move |conn| {
        store::booking::list_unfinished(conn, ended_by, passing::STEP)
    });
    passing::each(ids.await?, |id| close_one(app, id, now)).await
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
    let calendar = app.calendar();
    let action = move |tx: &mut Conn| {
        match passing::due(tx, &calendar, id, BookingAction::Close, now)? {
            Some((case, state)) => end(tx, &case, state, problem, now)?,
            None => return Ok(false),
        }
        Ok(true)
    };
    app.store.write(action).await
}

fn end(
    tx: &mut Conn,
    case: &Case,
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
    trail::record(
        tx,
        by,
        Action::BookingClose,
        before,
        &after,
        Told::Everybody,
    )?;
    if problem == NOT_FINISHED {
        let finished = Finished {
            interval,
            minutes: UsageMinutes::within(&interval, GivenMinutes::default())?,
            samples: after.samples.unwrap_or(0),
            statutory: false,
            evidence: Evidence::Manual,
        };
        insert_finished(tx, by, &after, &finished)?;
    }
    Ok(())
}
