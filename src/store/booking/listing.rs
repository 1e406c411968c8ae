//! Lists of bookings without pages: what is due by time, and what lies in a time.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::Booking;
use super::blocking::is_open;
use crate::domain::booking::BookingState;
use crate::domain::{BookingId, Instant, InstrumentId, OrganizationId, Slot, UsageRecordId};
use crate::store::schema::{booking, usage_record};
use crate::store::{Conn, Result};

/// The open bookings of an instrument that are not over at `now`, by their start.
pub fn list_standing(
    conn: &mut Conn,
    instrument: InstrumentId,
    now: Instant,
) -> Result<Vec<Booking>> {
    Ok(booking::table
        .filter(booking::instrument_id.eq(instrument))
        .filter(is_open())
        .filter(booking::ends_at.gt(now))
        .select(Booking::as_select())
        .order((booking::starts_at, booking::id))
        .load(conn)?)
}

/// Requests that are to be decided in `term`, up to its end, of which their hosts were not reminded.
pub fn list_unreminded(conn: &mut Conn, term: &Slot, limit: i64) -> Result<Vec<BookingId>> {
    Ok(booking::table
        .filter(is_requested())
        .filter(booking::approval_due_at.gt(term.starts_at()))
        .filter(booking::approval_due_at.le(term.ends_at()))
        .filter(is_unreminded())
        .select(booking::id)
        .order((booking::approval_due_at, booking::id))
        .limit(limit)
        .load(conn)?)
}

/// Keeps that the host is reminded of a request's term; false when it was decided, moved or told of meanwhile. It is no new
/// version: nobody sees it but the host in the notice.
pub fn claim_reminder(conn: &mut Conn, id: BookingId, term: &Slot) -> Result<bool> {
    let waiting = booking::table
        .find(id)
        .filter(is_requested())
        .filter(booking::approval_due_at.gt(term.starts_at()))
        .filter(booking::approval_due_at.le(term.ends_at()))
        .filter(is_unreminded());
    let told = diesel::update(waiting)
        .set(booking::reminded_of.eq(booking::approval_due_at))
        .execute(conn)?;
    Ok(told == 1)
}

/// Spelt like the partial index.
fn is_requested() -> diesel::expression::SqlLiteral<Bool> {
    diesel::dsl::sql("booking.state = 'requested'")
}

/// Not reminded of the term that it has now.
fn is_unreminded() -> diesel::expression::SqlLiteral<Bool> {
    diesel::dsl::sql(
        "(booking.reminded_of IS NULL OR booking.reminded_of <> booking.approval_due_at)",
    )
}

/// The instruments of a host where an open booking is not over at `now`.
pub fn list_standing_of_host(
    conn: &mut Conn,
    host: OrganizationId,
    now: Instant,
) -> Result<Vec<InstrumentId>> {
    Ok(booking::table
        .filter(booking::host_organization_id.eq(host))
        .filter(is_open())
        .filter(booking::ends_at.gt(now))
        .select(booking::instrument_id)
        .distinct()
        .order(booking::instrument_id)
        .load(conn)?)
}

/// Requests and holds that nobody decided in time.
pub fn list_overdue(conn: &mut Conn, now: Instant, limit: i64) -> Result<Vec<BookingId>> {
    let due = booking::approval_due_at.le(now).assume_not_null();
    Ok(booking::table
        .filter(is_open())
        .filter(booking::state.eq_any([BookingState::Held, BookingState::Requested]))
        .filter(booking::starts_at.le(now).or(due))
        .select(booking::id)
        .order(booking::starts_at)
        .limit(limit)
        .load(conn)?)
}

/// Bookings in progress that should have ended at `ended_by` or before.
pub fn list_unfinished(conn: &mut Conn, ended_by: Instant, limit: i64) -> Result<Vec<BookingId>> {
    list_ended(conn, BookingState::InProgress, ended_by, limit)
}

/// Confirmed bookings that ended at `ended_by` or before and that nobody started.
pub fn list_unstarted(conn: &mut Conn, ended_by: Instant, limit: i64) -> Result<Vec<BookingId>> {
    list_ended(conn, BookingState::Confirmed, ended_by, limit)
}

fn list_ended(
    conn: &mut Conn,
    state: BookingState,
    ended_by: Instant,
    limit: i64,
) -> Result<Vec<BookingId>> {
    Ok(booking::table
        .filter(is_open())
        .filter(booking::state.eq(state).and(booking::ends_at.le(ended_by)))
        .select(booking::id)
        .order(booking::ends_at)
        .limit(limit)
        .load(conn)?)
}

/// The usage records of bookings.
pub fn list_usage_record_ids(
    conn: &mut Conn,
    bookings: &[BookingId],
) -> Result<Vec<(BookingId, UsageRecordId)>> {
    let rows: Vec<(Option<BookingId>, UsageRecordId)> = usage_record::table
        .filter(usage_record::booking_id.eq_any(bookings))
        .select((usage_record::booking_id, usage_record::id))
        .order(usage_record::id)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(booking, record)| Some((booking?, record)))
        .collect())
}

/// The instruments on which bookings stand that have a moment between these, in the order of their ids.
pub fn list_standing_instruments(
    conn: &mut Conn,
    from: Instant,
    until: Instant,
) -> Result<Vec<InstrumentId>> {
    Ok(booking::table
        .filter(is_open())
        .filter(booking::starts_at.lt(until))
        .filter(booking::ends_at.gt(from))
        .select(booking::instrument_id)
        .distinct()
        .order(booking::instrument_id)
        .load(conn)?)
}
