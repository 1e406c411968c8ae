//! The points that the province enters: of a year, a unit and an indicator, whatever evaluation is made of them.

use diesel::prelude::*;

use crate::domain::instrument::InstrumentState;
use crate::domain::{Instant, OrganizationId, UserId};
use crate::store::schema::{expert_point, instrument, reported_metric};
use crate::store::{Conn, Result};

/// The points of a unit for an indicator, as a decimal text.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = expert_point, treat_none_as_default_value = false)]
pub struct ExpertPoint {
    pub year: i64,
    pub organization_id: OrganizationId,
    pub indicator: String,
    pub points: String,
    pub entered_by: Option<UserId>,
    pub entered_at: Instant,
}

/// Writes points, in place of earlier ones of the year, unit and indicator.
pub fn update(conn: &mut Conn, point: &ExpertPoint) -> Result<()> {
    let key = (point.year, point.organization_id, point.indicator.as_str());
    diesel::delete(expert_point::table.find(key)).execute(conn)?;
    diesel::insert_into(expert_point::table)
        .values(point)
        .execute(conn)?;
    Ok(())
}

/// The points of a year, by unit and indicator.
pub fn list(conn: &mut Conn, year: i64) -> Result<Vec<ExpertPoint>> {
    Ok(expert_point::table
        .filter(expert_point::year.eq(year))
        .select(ExpertPoint::as_select())
        .order((expert_point::organization_id, expert_point::indicator))
        .load(conn)?)
}

/// What was imported for a year, as it stands now.
pub fn list_imported(conn: &mut Conn, year: i64) -> Result<Vec<(OrganizationId, String, String)>> {
    Ok(reported_metric::table
        .filter(reported_metric::year.eq(year))
        .select((
            reported_metric::organization_id,
            reported_metric::metric,
            reported_metric::value,
        ))
        .order((reported_metric::organization_id, reported_metric::metric))
        .load(conn)?)
}

/// The units that have or had an instrument in the catalogue.
pub fn list_hosts(conn: &mut Conn) -> Result<Vec<OrganizationId>> {
    let known = [
        InstrumentState::Listed,
        InstrumentState::Suspended,
        InstrumentState::Retired,
    ];
    Ok(instrument::table
        .filter(instrument::state.eq_any(known))
        .select(instrument::organization_id)
        .distinct()
        .order(instrument::organization_id)
        .load(conn)?)
}
