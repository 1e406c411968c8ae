//! Services of instruments: their price lists. One that is taken off stays as withdrawn, so that lists of changes tell of it.

use diesel::prelude::*;

use super::schema::instrument_service;
use super::{Conn, Result, terms};
use crate::domain::service::ServiceFacts;
use crate::domain::{Fen, Instant, InstrumentId, ServiceId};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable)]
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
    pub withdrawn_at: Option<Instant>,
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
    let inserted = diesel::insert_into(instrument_service::table)
        .values((
            instrument_service::instrument_id.eq(instrument),
            instrument_service::created_at.eq(now),
            Columns::of(facts, 1, now),
        ))
        .get_result(conn)?;
    terms::refresh(conn, instrument, now)?;
    Ok(inserted)
}

/// Writes the version after `present`.
pub fn update(
    conn: &mut Conn,
    present: &Service,
    facts: &ServiceFacts,
    now: Instant,
) -> Result<Service> {
    let changed = diesel::update(instrument_service::table.find(present.id))
        .set(Columns::of(facts, present.version + 1, now))
        .get_result(conn)?;
    terms::refresh(conn, present.instrument_id, now)?;
    Ok(changed)
}

/// Takes a service off the list.
pub fn withdraw(conn: &mut Conn, id: ServiceId, now: Instant) -> Result<()> {
    let instrument = diesel::update(instrument_service::table.find(id))
        .set((
            instrument_service::withdrawn_at.eq(now),
            instrument_service::version.eq(instrument_service::version + 1),
            instrument_service::updated_at.eq(now),
        ))
        .returning(instrument_service::instrument_id)
        .get_result(conn)?;
    terms::refresh(conn, instrument, now)
}

/// A service on the list of this instrument.
pub fn get(conn: &mut Conn, instrument: InstrumentId, id: ServiceId) -> Result<Service> {
    Ok(instrument_service::table
        .find(id)
        .filter(instrument_service::instrument_id.eq(instrument))
        .filter(instrument_service::withdrawn_at.is_null())
        .select(Service::as_select())
        .get_result(conn)?)
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
                .and(instrument_service::id.gt(after))
                .and(instrument_service::withdrawn_at.is_null()),
        )
        .select(Service::as_select())
        .order(instrument_service::id)
        .limit(limit)
        .load(conn)?)
}

/// Those of these services that stand on the list of an instrument.
pub fn list_some(
    conn: &mut Conn,
    instrument: InstrumentId,
    ids: &[ServiceId],
) -> Result<Vec<Service>> {
    Ok(instrument_service::table
        .filter(
            instrument_service::instrument_id
                .eq(instrument)
                .and(instrument_service::id.eq_any(ids))
                .and(instrument_service::withdrawn_at.is_null()),
        )
        .select(Service::as_select())
        .load(conn)?)
}

/// Services of an instrument changed after a place, withdrawn ones too, in the order of (`updated_at`, `id`).
pub fn list_changed(
    conn: &mut Conn,
    instrument: InstrumentId,
    (moment, id): (Instant, i64),
    limit: i64,
) -> Result<Vec<Service>> {
    let same = instrument_service::updated_at
        .eq(moment)
        .and(instrument_service::id.gt(id));
    Ok(instrument_service::table
        .filter(instrument_service::instrument_id.eq(instrument))
        .filter(instrument_service::updated_at.gt(moment).or(same))
        .select(Service::as_select())
        .order((instrument_service::updated_at, instrument_service::id))
        .limit(limit)
        .load(conn)?)
}
