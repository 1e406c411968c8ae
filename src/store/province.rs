//! What a province's import writes and looks up: categories, relations, exemptions and reported figures here, services in
//! bulk in `service` and `stored`.

mod service;
mod stored;

pub use service::{
    NewCharge, NewService, insert_charge, insert_money, insert_services, update_voucher,
};
pub use stored::{StoredService, find_invoiced, list_services};

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::schema::{
    category, related_party, reported_metric, reported_metric_version, sharing_exemption,
};
use super::{Conn, Result};
use crate::domain::exemption::ExemptionState;
use crate::domain::{EventId, Instant, InstrumentId, OrganizationId};

pub fn list_category_codes(conn: &mut Conn) -> Result<BTreeSet<String>> {
    let codes: Vec<String> = category::table.select(category::code).load(conn)?;
    Ok(codes.into_iter().collect())
}

/// Whether a verified relation without an end stands between two organizations, in either direction.
pub fn are_related(conn: &mut Conn, one: OrganizationId, other: OrganizationId) -> Result<bool> {
    let pair = |left: OrganizationId, right: OrganizationId| {
        related_party::organization_id
            .eq(left)
            .and(related_party::related_organization_id.eq(right))
    };
    let rows = related_party::table
        .filter(related_party::verified_at.is_not_null())
        .filter(related_party::until.is_null())
        .filter(pair(one, other).or(pair(other, one)));
    Ok(diesel::select(diesel::dsl::exists(rows)).get_result(conn)?)
}

/// To whom an organization was said to be related from this moment on.
pub fn list_related_since(
    conn: &mut Conn,
    id: OrganizationId,
    since: Instant,
) -> Result<Vec<OrganizationId>> {
    Ok(related_party::table
        .filter(related_party::organization_id.eq(id))
        .filter(related_party::since.eq(since))
        .select(related_party::related_organization_id)
        .order(related_party::related_organization_id)
        .load(conn)?)
}

/// A verified relation that lasts.
pub fn insert_related(
    conn: &mut Conn,
    (one, other): (OrganizationId, OrganizationId),
    since: Instant,
    verified_at: Instant,
    now: Instant,
) -> Result<()> {
    diesel::insert_into(related_party::table)
        .values((
            related_party::organization_id.eq(one),
            related_party::related_organization_id.eq(other),
            related_party::since.eq(since),
            related_party::verified_at.eq(verified_at),
            related_party::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn is_exempted(conn: &mut Conn, instrument: InstrumentId) -> Result<bool> {
    let rows = sharing_exemption::table
        .filter(sharing_exemption::instrument_id.eq(instrument))
        .filter(sharing_exemption::state.eq(ExemptionState::Approved));
    Ok(diesel::select(diesel::dsl::exists(rows)).get_result(conn)?)
}

/// An exemption that was approved when the instrument was listed.
pub fn insert_exemption(conn: &mut Conn, instrument: InstrumentId, at: Instant) -> Result<()> {
    diesel::insert_into(sharing_exemption::table)
        .values((
            sharing_exemption::instrument_id.eq(instrument),
            sharing_exemption::reason.eq(""),
            sharing_exemption::state.eq(ExemptionState::Approved),
            sharing_exemption::requested_at.eq(at),
            sharing_exemption::decided_at.eq(at),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn find_reported(
    conn: &mut Conn,
    unit: OrganizationId,
    year: i64,
    metric: &str,
) -> Result<Option<String>> {
    Ok(reported_metric::table
        .find((unit, year, metric))
        .select(reported_metric::value)
        .get_result(conn)
        .optional()?)
}

/// The figures of a unit's year, by what they are called.
pub fn list_reported_of(
    conn: &mut Conn,
    unit: OrganizationId,
    year: i64,
) -> Result<Vec<(String, String)>> {
    Ok(reported_metric::table
        .filter(
            reported_metric::organization_id
                .eq(unit)
                .and(reported_metric::year.eq(year)),
        )
        .filter(reported_metric::metric.like("reported:%"))
        .select((reported_metric::metric, reported_metric::value))
        .order(reported_metric::metric)
        .load(conn)?)
}

/// Gives a reported figure another value, by this event, and keeps the one before.
pub fn update_reported(
    conn: &mut Conn,
    figure: (OrganizationId, i64, &str),
    value: &str,
    event: EventId,
) -> Result<()> {
    let (before, since): (String, EventId) = reported_metric::table
        .find(figure)
        .select((reported_metric::value, reported_metric::event_id))
        .get_result(conn)?;
    diesel::insert_into(reported_metric_version::table)
        .values((
            reported_metric_version::organization_id.eq(figure.0),
            reported_metric_version::year.eq(figure.1),
            reported_metric_version::metric.eq(figure.2),
            reported_metric_version::value.eq(before),
            reported_metric_version::event_id.eq(since),
            reported_metric_version::replaced_by_event_id.eq(event),
        ))
        .execute(conn)?;
    diesel::update(reported_metric::table.find(figure))
        .set((
            reported_metric::value.eq(value),
            reported_metric::event_id.eq(event),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn insert_reported(
    conn: &mut Conn,
    unit: OrganizationId,
    year: i64,
    metric: &str,
    value: &str,
    event: EventId,
) -> Result<()> {
    diesel::insert_into(reported_metric::table)
        .values((
            reported_metric::organization_id.eq(unit),
            reported_metric::year.eq(year),
            reported_metric::metric.eq(metric),
            reported_metric::value.eq(value),
            reported_metric::event_id.eq(event),
        ))
        .execute(conn)?;
    Ok(())
}
