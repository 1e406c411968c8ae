//! Organizations with their relations, instruments with their versions, exemptions and prices, and figures reported for
//! the year.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;

use super::Scope;
use crate::domain::organization::OrganizationKind;
use crate::domain::sharing::ExemptionState;
use crate::domain::tariff::CustomerClass;
use crate::domain::{Instant, InstrumentId, OrganizationId, RegionCode, Slot, Uscc};
use crate::store::instrument::Instrument;
use crate::store::schema::{
    instrument_version, organization, related_party, reported_metric, sharing_exemption, tariff,
};
use crate::store::{Conn, Json, Result, StoreError};

/// An organization, as far as a yearly run knows it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = organization)]
pub struct Member {
    pub id: OrganizationId,
    pub name: String,
    pub uscc: Uscc,
    pub kind: OrganizationKind,
    pub region_code: RegionCode,
    pub updated_at: Instant,
}

/// Every organization, by id.
pub fn list_members(conn: &mut Conn) -> Result<Vec<Member>> {
    Ok(organization::table
        .select(Member::as_select())
        .order(organization::id)
        .load(conn)?)
}

type RelatedRow = (OrganizationId, OrganizationId, Instant, Option<Instant>);

/// The relations verified by the freeze, each with its time; one without an end lasts.
pub fn list_related(
    conn: &mut Conn,
    scope: &Scope,
) -> Result<Vec<(OrganizationId, OrganizationId, Slot)>> {
    let rows: Vec<RelatedRow> = related_party::table
        .filter(related_party::verified_at.le(scope.frozen_at))
        .select((
            related_party::organization_id,
            related_party::related_organization_id,
            related_party::since,
            related_party::until,
        ))
        .load(conn)?;
    let lasting = Instant::from_naive_utc(chrono::NaiveDateTime::MAX);
    let slots = rows.into_iter().filter_map(|(one, other, since, until)| {
        let slot = Slot::new(since, until.unwrap_or(lasting)).ok()?;
        Some((one, other, slot))
    });
    Ok(slots.collect())
}

/// One version of an instrument, whole, and when it came.
#[derive(Debug)]
pub struct InstrumentVersion {
    pub valid_from: Instant,
    pub whole: Instrument,
}

/// Gives each version up to the freeze to `take`, by instrument, oldest first; never all at once in memory.
pub fn each_version(
    conn: &mut Conn,
    scope: &Scope,
    mut take: impl FnMut(InstrumentVersion),
) -> Result<()> {
    let rows = instrument_version::table
        .filter(instrument_version::event_id.le(scope.event_number()))
        .select((instrument_version::valid_from, instrument_version::content))
        .order((
            instrument_version::instrument_id,
            instrument_version::version,
        ))
        .load_iter::<(Instant, Json<Instrument>), DefaultLoadingMode>(conn)?;
    for row in rows {
        let (valid_from, whole) = row.map_err(StoreError::from)?;
        take(InstrumentVersion {
            valid_from,
            whole: whole.into_inner(),
        });
    }
    Ok(())
}

/// The instruments exempted from sharing by a decision up to the freeze, and when it was decided.
pub fn list_exemptions(
    conn: &mut Conn,
    scope: &Scope,
) -> Result<Vec<(InstrumentId, Option<Instant>)>> {
    Ok(sharing_exemption::table
        .filter(
            sharing_exemption::state
                .eq(ExemptionState::Approved)
                .and(sharing_exemption::decided_at.le(scope.frozen_at)),
        )
        .select((
            sharing_exemption::instrument_id,
            sharing_exemption::decided_at,
        ))
        .load(conn)?)
}

/// The instruments that have a price for others than their own unit on the last day of the year.
pub fn list_priced(conn: &mut Conn, scope: &Scope) -> Result<Vec<InstrumentId>> {
    let for_others = tariff::customer_class
        .is_null()
        .or(tariff::customer_class.ne(CustomerClass::Own));
    let in_force = tariff::valid_until
        .is_null()
        .or(tariff::valid_until.gt(scope.last_on))
        .or(tariff::ended_at.gt(scope.frozen_at));
    Ok(tariff::table
        .filter(tariff::valid_from.le(scope.last_on))
        .filter(tariff::created_at.le(scope.frozen_at))
        .filter(for_others)
        .filter(in_force)
        .select(tariff::instrument_id)
        .distinct()
        .load(conn)?)
}

/// The figures units reported for the year: unit, metric, value.
pub fn list_reported(
    conn: &mut Conn,
    scope: &Scope,
) -> Result<Vec<(OrganizationId, String, String)>> {
    Ok(reported_metric::table
        .filter(
            reported_metric::year
                .eq(i64::from(scope.year))
                .and(reported_metric::event_id.le(scope.event_number())),
        )
        .select((
            reported_metric::organization_id,
            reported_metric::metric,
            reported_metric::value,
        ))
        .order((reported_metric::organization_id, reported_metric::metric))
        .load(conn)?)
}
