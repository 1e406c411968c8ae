//! How terms are made from the tables: the instrument and its host, the booking rules, and the closures, prices and services
//! that are not over.

use diesel::prelude::*;

use super::Terms;
use crate::domain::booking_rules::BookingRules;
use crate::domain::closure::Closure as Rule;
use crate::domain::service::ServiceFacts;
use crate::domain::{Instant, InstrumentId, ServiceId};
use crate::store::schema::{booking_rules, closure, instrument, instrument_service, organization};
use crate::store::{Conn, Json, Result, closure::Closure, service::Service, tariff};

/// The terms of an instrument as the tables say at this moment, without what was over at `now`, or with all there ever was.
pub(super) fn make(conn: &mut Conn, id: InstrumentId, now: Option<Instant>) -> Result<Terms> {
    let (host, state, share_mode, channels, rules, version) = instrument::table
        .inner_join(organization::table)
        .inner_join(booking_rules::table.on(booking_rules::instrument_id.eq(instrument::id)))
        .filter(instrument::id.eq(id))
        .select((
            (
                organization::id,
                organization::state,
                organization::supervising_region_code,
            ),
            instrument::state,
            instrument::share_mode,
            instrument::channels,
            booking_rules::rules,
            booking_rules::version,
        ))
        .get_result(conn)?;
    let (host_organization_id, host_state, supervising_region) = host;
    let rules: Json<BookingRules> = rules;
    let mut tariffs = tariff::list(conn, id)?;
    if let Some(today) = now.map(|now| now.local_date()) {
        let lasts = |last: chrono::NaiveDate| last >= today;
        tariffs.retain(|(_, tariff)| tariff.period.valid_until.is_none_or(lasts));
    }
    Ok(Terms {
        instrument_id: id,
        host_organization_id,
        host_state,
        supervising_region,
        state,
        share_mode,
        channels,
        rules: rules.into_inner(),
        version,
        closures: closures(conn, id, now)?,
        tariffs,
        services: services(conn, id)?,
    })
}

fn closures(conn: &mut Conn, id: InstrumentId, now: Option<Instant>) -> Result<Vec<Rule>> {
    let rows: Vec<Closure> = closure::table
        .filter(closure::instrument_id.eq(id))
        .filter(closure::withdrawn_at.is_null())
        .select(Closure::as_select())
        .order((closure::starts_at, closure::id))
        .load(conn)?;
    let lasts = |rule: &Rule| match (rule.time.ends_at(), now) {
        (Some(end), Some(now)) => end > now,
        _ => true,
    };
    Ok(rows
        .iter()
        .filter_map(Closure::rule)
        .filter(lasts)
        .collect())
}

fn services(conn: &mut Conn, id: InstrumentId) -> Result<Vec<(ServiceId, ServiceFacts)>> {
    let rows: Vec<Service> = instrument_service::table
        .filter(instrument_service::instrument_id.eq(id))
        .filter(instrument_service::withdrawn_at.is_null())
        .select(Service::as_select())
        .order(instrument_service::id)
        .load(conn)?;
    Ok(rows
        .iter()
        .map(|service| (service.id, service.facts()))
        .collect())
}
