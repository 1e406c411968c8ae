//! The booking rules of an instrument, one versioned row from the start, and the terms: all that an instrument itself says
//! about its bookings, in one query.

use diesel::prelude::*;

use super::bulk::insert_all;
use super::schema::{booking_rules, instrument, instrument_manager, organization};
use super::{Conn, Json, Result, StoreError, terms};
use crate::domain::access::InstrumentTies;
use crate::domain::booking_rules::BookingRules;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::InstrumentState;
use crate::domain::organization::OrganizationState;
use crate::domain::{Instant, InstrumentId, OrganizationId, RegionCode, UserId};

/// What an instrument says about its bookings.
#[derive(Debug, Clone, Queryable)]
pub struct Terms {
    pub instrument_id: InstrumentId,
    pub host_organization_id: OrganizationId,
    pub host_state: OrganizationState,
    pub supervising_region: RegionCode,
    pub state: InstrumentState,
    pub share_mode: Option<ShareMode>,
    pub channels: i64,
    pub rules: Json<BookingRules>,
    /// The version of the rules.
    pub version: i64,
}

impl Terms {
    /// It is listed, and its host may act.
    pub fn is_bookable(&self) -> bool {
        self.state.is_public() && self.host_state == OrganizationState::Verified
    }

    /// Who is tied to the instrument, for somebody who manages it or not.
    pub fn ties(&self, managed_by_caller: bool) -> InstrumentTies {
        InstrumentTies {
            host_organization_id: self.host_organization_id,
            supervising_region: self.supervising_region,
            managed_by_caller,
            is_public: self.state.is_public(),
        }
    }
}

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

/// All terms, to be filtered. By one id the statement stays prepared, by a list of them it cannot.
macro_rules! terms {
    () => {
        instrument::table
            .inner_join(organization::table)
            .inner_join(booking_rules::table.on(booking_rules::instrument_id.eq(instrument::id)))
            .select((
                instrument::id,
                instrument::organization_id,
                organization::state,
                organization::supervising_region_code,
                instrument::state,
                instrument::share_mode,
                instrument::channels,
                booking_rules::rules,
                booking_rules::version,
            ))
    };
}

/// The terms of one instrument.
pub fn get_terms(conn: &mut Conn, id: InstrumentId) -> Result<Terms> {
    Ok(terms!().filter(instrument::id.eq(id)).get_result(conn)?)
}

/// The terms of several instruments, in no order.
pub fn list_terms(conn: &mut Conn, ids: &[InstrumentId]) -> Result<Vec<Terms>> {
    Ok(terms!().filter(instrument::id.eq_any(ids)).load(conn)?)
}

/// The instruments a person manages.
pub fn list_managed(conn: &mut Conn, user: UserId) -> Result<Vec<InstrumentId>> {
    Ok(instrument_manager::table
        .filter(instrument_manager::user_id.eq(user))
        .select(instrument_manager::instrument_id)
        .load(conn)?)
}
