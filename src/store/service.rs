//! Services of instruments: their price lists.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::instrument_service;
use super::{Conn, Result};
use crate::domain::service::ServiceFacts;
use crate::domain::{Fen, Instant, InstrumentId, ServiceId};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = instrument_service)]
pub struct Service {
    pub id: ServiceId,
    pub instrument_id: InstrumentId,
    pub test_item: String,
    pub test_condition: Option<String>,
    pub method_standard: Option<String>,
    pub unit: String,
    pub price_fen: Fen,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl Service {
    pub fn facts(&self) -> ServiceFacts {
        ServiceFacts {
            test_item: self.test_item.clone(),
            test_condition: self.test_condition.clone(),
            method_standard: self.method_standard.clone(),
            unit: self.unit.clone(),
            price_fen: self.price_fen,
        }
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = instrument_service, treat_none_as_null = true)]
struct Columns<'a> {
    test_item: &'a str,
    test_condition: Option<&'a str>,
    method_standard: Option<&'a str>,
    unit: &'a str,
    price_fen: Fen,
    version: i64,
    updated_at: Instant,
}

impl<'a> Columns<'a> {
    fn of(facts: &'a ServiceFacts, version: i64, now: Instant) -> Self {
        Self {
            test_item: &facts.test_item,
            test_condition: facts.test_condition.as_deref(),
            method_standard: facts.method_standard.as_deref(),
            unit: &facts.unit,
            price_fen: facts.price_fen,
            version,
            updated_at: now,
        }
    }
}

pub fn insert(
    conn: &mut Conn,
    instrument: InstrumentId,
    facts: &ServiceFacts,
    now: Instant,
) -> Result<Service> {
    Ok(diesel::insert_into(instrument_service::table)
        .values((
            instrument_service::instrument_id.eq(instrument),
            instrument_service::created_at.eq(now),
            Columns::of(facts, 1, now),
        ))
        .get_result(conn)?)
}

/// Writes the version after `present`.
pub fn update(
    conn: &mut Conn,
    present: &Service,
    facts: &ServiceFacts,
    now: Instant,
) -> Result<Service> {
    Ok(diesel::update(instrument_service::table.find(present.id))
        .set(Columns::of(facts, present.version + 1, now))
        .get_result(conn)?)
}

pub fn delete(conn: &mut Conn, id: ServiceId) -> Result<()> {
    diesel::delete(instrument_service::table.find(id)).execute(conn)?;
    Ok(())
}

/// A service of this instrument.
pub fn get(conn: &mut Conn, instrument: InstrumentId, id: ServiceId) -> Result<Service> {
    Ok(instrument_service::table
        .find(id)
        .filter(instrument_service::instrument_id.eq(instrument))
        .select(Service::as_select())
        .first(conn)?)
}

/// The services of an instrument after `after`, oldest first.
pub fn list(
    conn: &mut Conn,
    instrument: InstrumentId,
    after: Option<ServiceId>,
    limit: i64,
) -> Result<Vec<Service>> {
    let after = after.map_or(0, ServiceId::number);
    Ok(instrument_service::table
        .filter(
            instrument_service::instrument_id
                .eq(instrument)
                .and(instrument_service::id.gt(after)),
        )
        .select(Service::as_select())
        .order(instrument_service::id)
        .limit(limit)
        .load(conn)?)
}
