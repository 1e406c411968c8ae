//! Who blocks the time of an instrument. The database's guard knows the four open states; a completed booking is in nobody's
//! guard and is told here besides: its use, and the clean-up that still runs.

use diesel::prelude::*;

use super::slot_of;
use crate::domain::booking::BookingState;
use crate::domain::booking_rules::LONGEST;
use crate::domain::{BookingId, Instant, InstrumentId, Minutes, Slot};
use crate::store::prepared::on_each;
use crate::store::schema::booking;
use crate::store::{Conn, Result};

/// An interval that somebody blocks.
#[derive(Debug, Clone, Copy)]
pub struct Blocking {
    pub id: BookingId,
    pub channel: i64,
    pub state: BookingState,
    pub slot: Slot,
    pub blocked: Slot,
    pub approval_due_at: Option<Instant>,
}

type Row = (
    BookingId,
    i64,
    BookingState,
    (Instant, Instant),
    (Instant, Instant),
    Option<Instant>,
);

/// The states of the guard, spelt as in the partial indexes: a bound parameter would hide them from SQLite's planner.
pub(super) fn is_open() -> diesel::expression::SqlLiteral<diesel::sql_types::Bool> {
    diesel::dsl::sql("booking.state IN ('held', 'requested', 'confirmed', 'in_progress')")
}

/// The most that set-up or clean-up may take.
const WIDENED_MOST: Minutes = Minutes::new(1440);

/// The intervals of all channels that overlap `window`, by their start.
///
/// A booking is never longer than [`LONGEST`] and begins at most a day after what it blocks, so the index on
/// `starts_at` bounds the search on both sides.
pub fn list_blocking(
    conn: &mut Conn,
    instrument: InstrumentId,
    window: &Slot,
) -> Result<Vec<Blocking>> {
    let reach = window.widened(
        Minutes::new(LONGEST.number() + WIDENED_MOST.number()),
        WIDENED_MOST,
    );
    // Bound, not spelt: the statement stays prepared, and the index on the instrument's starts serves it.
    let claims = booking::state
        .eq(BookingState::Held)
        .or(booking::state.eq(BookingState::Requested))
        .or(booking::state.eq(BookingState::Confirmed))
        .or(booking::state.eq(BookingState::InProgress))
        .or(booking::state.eq(BookingState::Completed));
    let blocking_rows = booking::table
        .filter(booking::instrument_id.eq(instrument))
        .filter(booking::starts_at.between(reach.starts_at(), reach.ends_at()))
        .filter(booking::blocked_from.lt(window.ends_at()))
        .filter(booking::blocked_until.gt(window.starts_at()))
        .filter(claims)
        .select((
            booking::id,
            booking::channel,
            booking::state,
            (booking::starts_at, booking::ends_at),
            (booking::blocked_from, booking::blocked_until),
            booking::approval_due_at,
        ))
        .order((booking::blocked_from, booking::id));
    let rows: Vec<Row> = on_each!(conn, |own| blocking_rows.load(own))?;
    rows.into_iter().map(blocking).collect()
}

fn blocking((id, channel, state, slot, blocked, approval_due_at): Row) -> Result<Blocking> {
    Ok(Blocking {
        id,
        channel,
        state,
        slot: slot_of(slot.0, slot.1)?,
        blocked: slot_of(blocked.0, blocked.1)?,
        approval_due_at,
    })
}
