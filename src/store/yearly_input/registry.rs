//! Organizations with their relations, instruments with their versions, exemptions and prices, and figures reported for
//! the year.

use diesel::prelude::*;

use super::{PAGE_ROWS, Scope};
use crate::domain::exemption::ExemptionState;
use crate::domain::organization::OrganizationKind;
use crate::domain::tariff::CustomerClass;
use crate::domain::{Instant, InstrumentId, OrganizationId, RegionCode, Slot, Uscc};
use crate::store::instrument::{Instrument, VersionDocument};
use crate::store::schema::{
    instrument_version, organization, related_party, reported_metric, reported_metric_version,
    sharing_exemption, tariff,
};
use crate::store::{Conn, Json, Result};

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
    let mut last = Some((0, 0));
    while let Some(after) = last {
        let page = list_versions(conn, scope, after)?;
        last = page.last().map(|row| (row.0, row.1));
        for (_, _, valid_from, whole) in page {
            take(InstrumentVersion {
                valid_from,
                whole: whole.into_inner().into(),
            });
        }
    }
    Ok(())
}

/// Instrument, version, since when, and the whole of it.
type VersionRow = (i64, i64, Instant, Json<VersionDocument>);

/// The next versions after an instrument and version. The first condition is for the index, which knows no pairs.
fn list_versions(
    conn: &mut Conn,
    scope: &Scope,
    (instrument, version): (i64, i64),
) -> Result<Vec<VersionRow>> {
    let id = instrument_version::instrument_id;
    Ok(instrument_version::table
        .filter(id.ge(instrument))
        .filter(
            id.gt(instrument)
                .or(instrument_version::version.gt(version)),
        )
        .filter(instrument_version::event_id.le(scope.event_number()))
        .select((
            id,
            instrument_version::version,
            instrument_version::valid_from,
            instrument_version::content,
        ))
        .order((id, instrument_version::version))
        .limit(PAGE_ROWS)
        .load(conn)?)
}

/// The instruments exempted from sharing by a decision up to the freeze, and when it was decided.
pub fn list_exemptions(conn: &mut Conn, scope: &Scope) -> Result<Vec<(InstrumentId, Instant)>> {
    Ok(sharing_exemption::table
        .filter(
            sharing_exemption::state
                .eq(ExemptionState::Approved)
                .and(sharing_exemption::decided_at.le(scope.frozen_at)),
        )
        .select((
            sharing_exemption::instrument_id,
            sharing_exemption::decided_at.assume_not_null(),
        ))
        .load(conn)?)
}

/// The prices for others than the instrument's own unit that hold on the last day of the year, and when each was made.
pub fn list_priced(conn: &mut Conn, scope: &Scope) -> Result<Vec<(InstrumentId, Instant)>> {
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
        .select((tariff::instrument_id, tariff::created_at))
        .load(conn)?)
}

/// The figures units reported for the year, as they were at the freeze: unit, metric, value.
pub fn list_reported(
    conn: &mut Conn,
    scope: &Scope,
) -> Result<Vec<(OrganizationId, String, String)>> {
    let (year, newest) = (i64::from(scope.year), scope.event_number());
    let mut figures: Vec<(OrganizationId, String, String)> = reported_metric::table
        .filter(
            reported_metric::year
                .eq(year)
                .and(reported_metric::event_id.le(newest)),
        )
        .select((
            reported_metric::organization_id,
            reported_metric::metric,
            reported_metric::value,
        ))
        .load(conn)?;
    let replaced: Vec<(OrganizationId, String, String)> = reported_metric_version::table
        .filter(
            reported_metric_version::year
                .eq(year)
                .and(reported_metric_version::event_id.le(newest))
                .and(reported_metric_version::replaced_by_event_id.gt(newest)),
        )
        .select((
            reported_metric_version::organization_id,
            reported_metric_version::metric,
            reported_metric_version::value,
        ))
        .load(conn)?;
    figures.extend(replaced);
    figures.sort_unstable();
    Ok(figures)
}
