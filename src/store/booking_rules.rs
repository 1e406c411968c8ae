//! The booking rules of an instrument, one versioned row from the start, and the terms: all that an instrument itself says
//! about its bookings, in one query.

use diesel::prelude::*;

use super::schema::{booking_rules, instrument, instrument_manager, organization};
use super::{Conn, Json, Result, StoreError};
use crate::domain::access::InstrumentTies;
use crate::domain::instrument::InstrumentState;
use crate::domain::opening::BookingRules;
use crate::domain::organization::OrganizationState;
use crate::domain::sharing::ShareMode;
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

/// Inserts version 1; `rules` is the rules' JSON.
pub fn insert(conn: &mut Conn, instrument: InstrumentId, rules: &str, now: Instant) -> Result<()> {
    diesel::insert_into(booking_rules::table)
        .values((
            booking_rules::instrument_id.eq(instrument),
            booking_rules::rules.eq(rules),
            booking_rules::version.eq(1_i64),
            booking_rules::updated_at.eq(now),
        ))
        .execute(conn)?;
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
        Ok(())
    } else {
        Err(StoreError::Contended)
    }
}

/// The terms of one instrument.
pub fn get_terms(conn: &mut Conn, id: InstrumentId) -> Result<Terms> {
    let mut found = list_terms(conn, &[id])?;
    found.pop().ok_or(StoreError::NotFound)
}

/// The terms of several instruments, in no order.
pub fn list_terms(conn: &mut Conn, ids: &[InstrumentId]) -> Result<Vec<Terms>> {
    Ok(instrument::table
        .inner_join(organization::table)
        .inner_join(booking_rules::table.on(booking_rules::instrument_id.eq(instrument::id)))
        .filter(instrument::id.eq_any(ids))
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
        .load(conn)?)
}

/// The instruments a person manages.
pub fn list_managed(conn: &mut Conn, user: UserId) -> Result<Vec<InstrumentId>> {
    Ok(instrument_manager::table
        .filter(instrument_manager::user_id.eq(user))
        .select(instrument_manager::instrument_id)
        .load(conn)?)
}
