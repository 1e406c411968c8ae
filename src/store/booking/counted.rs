//! What somebody has booked already at a host, as quotas and gaps count it.

use diesel::prelude::*;

use super::blocking::is_open;
use super::{Details, slot_of};
use crate::domain::booking::{BookingMode, BookingState};
use crate::domain::booking_rules::LONGEST;
use crate::domain::{
    BookingId, Instant, InstrumentId, Minutes, Operator, OrganizationId, Slot, UserId,
};
use crate::store::schema::booking;
use crate::store::{Conn, Json, Result};

/// Whose bookings are counted.
#[derive(Debug, Clone, Copy)]
pub enum Whose {
    /// Of a person of the platform, in whichever unit.
    Person(UserId),
    /// Of persons that are nobody of the platform.
    GuestsOf(OrganizationId),
    Unit(OrganizationId),
}

/// Where and when they are counted.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    pub host: OrganizationId,
    /// None: on every instrument of the host.
    pub instrument: Option<InstrumentId>,
    /// Those with a moment in it.
    pub window: Slot,
}

/// A booking of somebody.
#[derive(Debug, Clone)]
pub struct Counted {
    pub id: BookingId,
    pub instrument_id: InstrumentId,
    pub organization_id: OrganizationId,
    pub slot: Slot,
    pub ended_at: Option<Instant>,
    pub mode: BookingMode,
    pub state: BookingState,
    pub approval_due_at: Option<Instant>,
    /// Only of guests.
    pub operator: Option<Operator>,
}

type Row = (
    BookingId,
    InstrumentId,
    OrganizationId,
    (Instant, Instant),
    Option<Instant>,
    BookingMode,
    BookingState,
    Option<Instant>,
);

/// The bookings that may count, in the order in which they were made.
pub fn list_counted(conn: &mut Conn, whose: Whose, scope: &Scope) -> Result<Vec<Counted>> {
    use booking::dsl;
    let states = [
        BookingState::Held,
        BookingState::Requested,
        BookingState::Confirmed,
        BookingState::InProgress,
        BookingState::Completed,
        BookingState::NoShow,
    ];
    let first = scope.window.starts_at();
    let earliest = first.plus(Minutes::new(-LONGEST.number()));
    let mut query = booking::table
        .filter(dsl::host_organization_id.eq(scope.host))
        .filter(dsl::starts_at.between(earliest, scope.window.ends_at()))
        .filter(dsl::ends_at.gt(first))
        .filter(dsl::state.eq_any(states))
        .order(dsl::id)
        .into_boxed();
    if let Some(instrument) = scope.instrument {
        query = query.filter(dsl::instrument_id.eq(instrument));
    }
    query = match whose {
        Whose::Person(person) => query.filter(dsl::person_id.eq(person)),
        Whose::GuestsOf(unit) => query
            .filter(dsl::person_id.is_null())
            .filter(dsl::organization_id.eq(unit)),
        Whose::Unit(unit) => query.filter(dsl::organization_id.eq(unit)),
    };
    let row = (
        dsl::id,
        dsl::instrument_id,
        dsl::organization_id,
        (dsl::starts_at, dsl::ends_at),
        dsl::ended_at,
        dsl::mode,
        dsl::state,
        dsl::approval_due_at,
    );
    if let Whose::GuestsOf(_) = whose {
        let rows: Vec<(Row, Json<Details>)> = query.select((row, dsl::details)).load(conn)?;
        let read = |(row, details): (Row, Json<Details>)| {
            let operator = details.into_inner().operator;
            counted(row).map(|counted| Counted {
                operator,
                ..counted
            })
        };
        return rows.into_iter().map(read).collect();
    }
    let rows: Vec<Row> = query.select(row).load(conn)?;
    rows.into_iter().map(counted).collect()
}

/// How many slots a unit holds on an instrument, of those that are held beyond `now`.
pub fn count_holds(
    conn: &mut Conn,
    (instrument, unit): (InstrumentId, OrganizationId),
    now: Instant,
) -> Result<i64> {
    use booking::dsl;
    Ok(booking::table
        .filter(dsl::instrument_id.eq(instrument))
        .filter(dsl::organization_id.eq(unit))
        .filter(is_open())
        .filter(dsl::state.eq(BookingState::Held))
        .filter(dsl::held_until.gt(now))
        .count()
        .get_result(conn)?)
}

fn counted(row: Row) -> Result<Counted> {
    let (id, instrument_id, organization_id, slot, ended_at, mode, state, approval_due_at) = row;
    Ok(Counted {
        id,
        instrument_id,
        organization_id,
        slot: slot_of(slot.0, slot.1)?,
        ended_at,
        mode,
        state,
        approval_due_at,
        operator: None,
    })
}
