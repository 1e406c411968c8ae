//! Winning a slot inside an action: what is overdue there expires, others move to another channel, and the database judges.

use super::expire;
use super::trail::{self, Told};
use super::weigh::{self, Wish};
use crate::domain::access::Action;
use crate::domain::channel::{Assignment, Full};
use crate::domain::{BookingId, Instant, Slot};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::store::booking::Blocking;
use crate::store::booking_rules::Terms;
use crate::store::{self, Conn, Constraint, StoreError};

/// The channel for a wish. Requests that waited too long expire first: those in its way, and when others have to move, all
/// they could meet.
pub(super) fn seek(
    tx: &mut Conn,
    terms: &Terms,
    wish: &Wish,
) -> Result<Result<Assignment, Full>, AppError> {
    let blocked = terms.rules.blocked(&wish.slot);
    let near = expire_within(tx, terms, wish, &blocked)?;
    let found = weigh::find_channel(tx, terms, wish, &near)?;
    let has_moves = |assignment: &Assignment| !assignment.moves.is_empty();
    if found.as_ref().is_ok_and(has_moves)
        && let Some(upcoming) = weigh::upcoming(terms, wish)
    {
        expire_within(tx, terms, wish, &upcoming)?;
    }
    Ok(found)
}

/// Expires what is overdue within `window`; answers what stays in the way there.
fn expire_within(
    tx: &mut Conn,
    terms: &Terms,
    wish: &Wish,
    window: &Slot,
) -> Result<Vec<Blocking>, AppError> {
    let mut taken = store::booking::list_blocking(tx, terms.instrument_id, window)?;
    taken.retain(|taken| Some(taken.id) != wish.without);
    let is_overdue = |taken: &&Blocking| weigh::is_overdue(taken, wish.now);
    for overdue in taken.iter().filter(is_overdue) {
        let booking = store::booking::get(tx, overdue.id)?;
        expire::expire(tx, &booking, wish.now)?;
    }
    taken.retain(|taken| !weigh::is_overdue(taken, wish.now));
    Ok(taken)
}

/// Moves others to the channels the assignment gives them. Their users learn that, not for whom.
pub(super) fn make_room(
    tx: &mut Conn,
    without: Option<BookingId>,
    moves: &[(BookingId, i64)],
    now: Instant,
) -> Result<(), AppError> {
    if moves.is_empty() {
        return Ok(());
    }
    let mut movers = Vec::with_capacity(moves.len());
    for (id, channel) in moves {
        movers.push((store::booking::get(tx, *id)?, *channel));
    }
    for id in moves.iter().map(|(id, _)| *id).chain(without) {
        store::booking::update_channel_away(tx, id)?;
    }
    for (before, channel) in movers {
        let mut next = before.changes();
        next.channel = channel;
        let moved = store::booking::update(tx, &before, next, now).map_err(lost)?;
        let by = &Actor::system(now);
        trail::record(
            tx,
            by,
            Action::BookingMove,
            Some(&before),
            &moved,
            Told::Nobody,
        )?;
    }
    Ok(())
}

/// What the database's judgement means.
pub(super) fn lost(error: StoreError) -> AppError {
    match error {
        StoreError::Violated(Constraint::BookingOverlap) => AppError::conflict(Code::slot_taken),
        StoreError::Violated(Constraint::BookingClientReference) => {
            AppError::conflict(Code::client_reference_used)
        }
        // Two numbers of one day were the same: the action may draw another.
        StoreError::Violated(Constraint::BookingNo) => AppError::Contended,
        other => other.into(),
    }
}
