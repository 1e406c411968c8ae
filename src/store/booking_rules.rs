//! The booking rules of an instrument, one versioned row from the start, and who manages it.

use diesel::prelude::*;

use super::bulk::insert_all;
use super::schema::{booking_rules, instrument_manager};
use super::{Conn, Result, StoreError, terms};
use crate::domain::booking_rules::BookingRules;
use crate::domain::{Instant, InstrumentId, UserId};

#[derive(Insertable)]
#[diesel(table_name = booking_rules, treat_none_as_default_value = false)]
struct First<'a> {
    instrument_id: InstrumentId,
    rules: &'a str,
    version: i64,
    updated_at: Instant,
}

/// Inserts version 1 for each instrument.
pub fn insert(
    conn: &mut Conn,
    instruments: &[InstrumentId],
    rules: &BookingRules,
    now: Instant,
) -> Result<()> {
    let rules = serde_json::to_string(rules)?;
    let row = |id: &InstrumentId| First {
        instrument_id: *id,
        rules: &rules,
        version: 1,
        updated_at: now,
    };
    let rows: Vec<First<'_>> = instruments.iter().map(row).collect();
    insert_all!(conn, booking_rules::table, &rows);
    Ok(())
}

/// Writes the version after `present`; `Contended` when that is no longer the present one.
pub fn update(
    conn: &mut Conn,
    instrument: InstrumentId,
    present: i64,
    rules: &BookingRules,
    now: Instant,
) -> Result<()> {
    let unchanged = booking_rules::table.filter(
        booking_rules::instrument_id
            .eq(instrument)
            .and(booking_rules::version.eq(present)),
    );
    let updated = diesel::update(unchanged)
        .set((
            booking_rules::rules.eq(serde_json::to_string(rules)?),
            booking_rules::version.eq(present + 1),
            booking_rules::updated_at.eq(now),
        ))
        .execute(conn)?;
    if updated == 1 {
        terms::refresh(conn, instrument, now)
    } else {
        Err(StoreError::Contended)
    }
}

/// The instruments a person manages.
pub fn list_managed(conn: &mut Conn, user: UserId) -> Result<Vec<InstrumentId>> {
    Ok(instrument_manager::table
        .filter(instrument_manager::user_id.eq(user))
        .select(instrument_manager::instrument_id)
        .load(conn)?)
}
