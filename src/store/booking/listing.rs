//! Lists of bookings: what a caller may see, what is due by time, and what lies in a time.

use diesel::prelude::*;

use super::Booking;
use super::blocking::is_open;
use crate::domain::access::Reach;
use crate::domain::booking::BookingState;
use crate::domain::{BookingId, Instant, InstrumentId, OrganizationId, UsageRecordId};
use crate::store::schema::{booking, instrument_manager, usage_record};
use crate::store::{Conn, Result};

/// Which bookings to list. Absent and empty mean all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub instruments: Vec<InstrumentId>,
    pub organizations: Vec<OrganizationId>,
    pub states: Vec<BookingState>,
    /// Overlapping the time from here …
    pub from: Option<Instant>,
    /// … to here.
    pub until: Option<Instant>,
    /// On instruments this person manages.
    pub assigned_to: Option<crate::domain::UserId>,
    pub client_references: Vec<String>,
    /// In the order of (`updated_at`, `id`), after this place; else the newest come first, below `before`.
    pub changed_after: Option<(Instant, i64)>,
    pub before: Option<i64>,
    pub limit: i64,
}

/// The bookings that `reach` admits and `filter` asks for.
pub fn list(conn: &mut Conn, reach: &Reach, filter: &Filter) -> Result<Vec<Booking>> {
    let mut query = booking::table
        .select(Booking::as_select())
        .limit(filter.limit)
        .into_boxed();
    if !reach.everything {
        let managed = instrument_manager::table
            .filter(
                instrument_manager::user_id
                    .nullable()
                    .eq(reach.managed.map(|(_, user)| user)),
            )
            .select(instrument_manager::instrument_id);
        let unit = reach.unit.or(reach.own.map(|(unit, _)| unit));
        let by_manager = booking::host_organization_id
            .nullable()
            .eq(reach.managed.map(|(host, _)| host))
            .and(booking::instrument_id.eq_any(managed));
        query = query.filter(
            (booking::host_organization_id.nullable().eq(reach.host))
                .or(booking::organization_id.nullable().eq(unit))
                .or(by_manager.assume_not_null()),
        );
    }
    if !filter.instruments.is_empty() {
        query = query.filter(booking::instrument_id.eq_any(&filter.instruments));
    }
    if !filter.organizations.is_empty() {
        query = query.filter(booking::organization_id.eq_any(&filter.organizations));
    }
    if !filter.states.is_empty() {
        query = query.filter(booking::state.eq_any(&filter.states));
    }
    if let Some(from) = filter.from {
        query = query.filter(booking::ends_at.gt(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(booking::starts_at.lt(until));
    }
    if let Some(manager) = filter.assigned_to {
        let managed = instrument_manager::table
            .filter(instrument_manager::user_id.eq(manager))
            .select(instrument_manager::instrument_id);
        query = query.filter(booking::instrument_id.eq_any(managed));
    }
    if !filter.client_references.is_empty() {
        query = query.filter(booking::client_reference.eq_any(&filter.client_references));
    }
    if let Some((moment, id)) = filter.changed_after {
        let same = booking::updated_at.eq(moment).and(booking::id.gt(id));
        return Ok(query
            .filter(booking::updated_at.gt(moment).or(same))
            .order((booking::updated_at, booking::id))
            .load(conn)?);
    }
    if let Some(before) = filter.before {
        query = query.filter(booking::id.lt(before));
    }
    Ok(query.order(booking::id.desc()).load(conn)?)
}

/// The open bookings of an instrument that a closure from `from` to `until` hits, by their start.
pub fn list_of_instrument(
    conn: &mut Conn,
    instrument: InstrumentId,
    from: Instant,
    until: Option<Instant>,
) -> Result<Vec<Booking>> {
    let mut query = booking::table
        .filter(booking::instrument_id.eq(instrument))
        .filter(is_open())
        .filter(booking::ends_at.gt(from))
        .select(Booking::as_select())
        .order((booking::starts_at, booking::id))
        .into_boxed();
    if let Some(until) = until {
        query = query.filter(booking::starts_at.lt(until));
    }
    Ok(query.load(conn)?)
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
