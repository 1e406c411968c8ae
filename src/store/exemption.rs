//! Requests for exemption from sharing, with what the province decided. The database refuses a second one that is open or
//! approved (`ExemptionOpen`).

use std::collections::HashMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::{instrument, sharing_exemption};
use super::{Conn, Result};
use crate::domain::exemption::ExemptionState;
use crate::domain::{Instant, InstrumentId, OrganizationId, UserId};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = sharing_exemption)]
pub struct Exemption {
    pub id: i64,
    pub instrument_id: InstrumentId,
    pub reason: String,
    pub state: ExemptionState,
    pub requested_by: Option<UserId>,
    pub requested_at: Instant,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<Instant>,
    pub decision_reason: Option<String>,
}

/// Inserts a request. Violates `ExemptionOpen`.
pub fn insert(
    conn: &mut Conn,
    instrument: InstrumentId,
    reason: &str,
    by: UserId,
    now: Instant,
) -> Result<Exemption> {
    Ok(diesel::insert_into(sharing_exemption::table)
        .values((
            sharing_exemption::instrument_id.eq(instrument),
            sharing_exemption::reason.eq(reason),
            sharing_exemption::state.eq(ExemptionState::Requested),
            sharing_exemption::requested_by.eq(by),
            sharing_exemption::requested_at.eq(now),
        ))
        .get_result(conn)?)
}

/// Notes what was decided, by whom and why.
pub fn update_decision(
    conn: &mut Conn,
    id: i64,
    state: ExemptionState,
    reason: Option<&str>,
    by: UserId,
    now: Instant,
) -> Result<Exemption> {
    Ok(diesel::update(sharing_exemption::table.find(id))
        .set((
            sharing_exemption::state.eq(state),
            sharing_exemption::decided_by.eq(by),
            sharing_exemption::decided_at.eq(now),
            sharing_exemption::decision_reason.eq(reason),
        ))
        .get_result(conn)?)
}

/// How far the newest request for each instrument of a host is.
pub fn list_newest(
    conn: &mut Conn,
    host: OrganizationId,
) -> Result<HashMap<InstrumentId, ExemptionState>> {
    let states = sharing_exemption::table
        .inner_join(instrument::table.on(instrument::id.eq(sharing_exemption::instrument_id)))
        .filter(instrument::organization_id.eq(host))
        .select((sharing_exemption::instrument_id, sharing_exemption::state))
        .order(sharing_exemption::id)
        .load::<(InstrumentId, ExemptionState)>(conn)?;
    // A later one takes the place of an earlier one.
    Ok(states.into_iter().collect())
}

/// The newest request for an instrument.
pub fn find(conn: &mut Conn, instrument: InstrumentId) -> Result<Option<Exemption>> {
    Ok(sharing_exemption::table
        .filter(sharing_exemption::instrument_id.eq(instrument))
        .select(Exemption::as_select())
        .order(sharing_exemption::id.desc())
        .first(conn)
        .optional()?)
}
