//! The booking rules of an instrument, one versioned row from the start, the defaults of a unit for its instruments, and who
//! manages an instrument.

use diesel::prelude::*;

use super::bulk::insert_all;
use super::schema::{booking_rules, instrument, instrument_manager, organization_booking_rules};
use super::{Conn, Json, Result, StoreError, terms};
use crate::domain::booking_rules::{BookingRules, RuleField, RulesInForce};
use crate::domain::{Instant, InstrumentId, OrganizationId, UserId};

#[derive(Insertable)]
#[diesel(table_name = booking_rules, treat_none_as_default_value = false)]
struct First<'a> {
    instrument_id: InstrumentId,
    rules: &'a str,
    own: &'a str,
    version: i64,
    updated_at: Instant,
}

/// Inserts version 1 for each instrument.
pub fn insert(
    conn: &mut Conn,
    instruments: &[InstrumentId],
    first: &RulesInForce,
    now: Instant,
) -> Result<()> {
    let rules = serde_json::to_string(&first.rules)?;
    let own = serde_json::to_string(&first.own)?;
    let row = |id: &InstrumentId| First {
        instrument_id: *id,
        rules: &rules,
        own: &own,
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
    next: &RulesInForce,
    now: Instant,
) -> Result<()> {
    let unchanged = booking_rules::table.filter(
        booking_rules::instrument_id
            .eq(instrument)
            .and(booking_rules::version.eq(present)),
    );
    let updated = diesel::update(unchanged)
        .set((
            booking_rules::rules.eq(serde_json::to_string(&next.rules)?),
            booking_rules::own.eq(serde_json::to_string(&next.own)?),
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

type Row = (Json<BookingRules>, Json<Vec<RuleField>>, i64);

fn in_force((rules, own, version): Row) -> (RulesInForce, i64) {
    let in_force = RulesInForce {
        rules: rules.into_inner(),
        own: own.into_inner(),
    };
    (in_force, version)
}

/// The rules of an instrument, with their version.
pub fn get(conn: &mut Conn, instrument: InstrumentId) -> Result<(RulesInForce, i64)> {
    let row: Row = booking_rules::table
        .find(instrument)
        .select((
            booking_rules::rules,
            booking_rules::own,
            booking_rules::version,
        ))
        .get_result(conn)?;
    Ok(in_force(row))
}

/// The rules of all instruments of a host, by their ids.
pub fn list_of_host(
    conn: &mut Conn,
    host: OrganizationId,
) -> Result<Vec<(InstrumentId, RulesInForce)>> {
    let rows: Vec<(InstrumentId, Row)> = booking_rules::table
        .inner_join(instrument::table.on(instrument::id.eq(booking_rules::instrument_id)))
        .filter(instrument::organization_id.eq(host))
        .select((
            booking_rules::instrument_id,
            (
                booking_rules::rules,
                booking_rules::own,
                booking_rules::version,
            ),
        ))
        .order(booking_rules::instrument_id)
        .load(conn)?;
    let read = |(id, row)| (id, in_force(row).0);
    Ok(rows.into_iter().map(read).collect())
}

/// The version of the defaults of a unit that has said none.
const UNSAID: i64 = 1;

/// The defaults of a unit, over those of the service, with their version.
pub fn get_of_unit(conn: &mut Conn, unit: OrganizationId) -> Result<(RulesInForce, i64)> {
    let row: Option<Row> = organization_booking_rules::table
        .find(unit)
        .select((
            organization_booking_rules::rules,
            organization_booking_rules::own,
            organization_booking_rules::version,
        ))
        .get_result(conn)
        .optional()?;
    let service = BookingRules::default();
    Ok(match row.map(in_force) {
        Some((said, version)) => (said.rebased(&service), version),
        None => (RulesInForce::inheriting(&service), UNSAID),
    })
}

/// Writes the version after `present`; `Contended` when that is no longer the present one.
pub fn update_of_unit(
    conn: &mut Conn,
    unit: OrganizationId,
    present: i64,
    next: &RulesInForce,
    now: Instant,
) -> Result<()> {
    let rules = serde_json::to_string(&next.rules)?;
    let own = serde_json::to_string(&next.own)?;
    let unchanged = organization_booking_rules::table.filter(
        organization_booking_rules::organization_id
            .eq(unit)
            .and(organization_booking_rules::version.eq(present)),
    );
    let updated = diesel::update(unchanged)
        .set((
            organization_booking_rules::rules.eq(&rules),
            organization_booking_rules::own.eq(&own),
            organization_booking_rules::version.eq(present + 1),
            organization_booking_rules::updated_at.eq(now),
        ))
        .execute(conn)?;
    match updated {
        1 => Ok(()),
        _ if present != UNSAID => Err(StoreError::Contended),
        _ => {
            diesel::insert_into(organization_booking_rules::table)
                .values((
                    organization_booking_rules::organization_id.eq(unit),
                    organization_booking_rules::rules.eq(&rules),
                    organization_booking_rules::own.eq(&own),
                    organization_booking_rules::version.eq(present + 1),
                    organization_booking_rules::updated_at.eq(now),
                ))
                .execute(conn)?;
            Ok(())
        }
    }
}

/// The instruments a person manages.
pub fn list_managed(conn: &mut Conn, user: UserId) -> Result<Vec<InstrumentId>> {
    Ok(instrument_manager::table
        .filter(instrument_manager::user_id.eq(user))
        .select(instrument_manager::instrument_id)
        .load(conn)?)
}
