//! What an index of instruments is made from: the texts of each with the names of its unit, class and place, its services and
//! the modes it offers; and which instruments an event of the trail may have changed.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use serde::Deserialize;

use super::instrument::Instrument;
use super::schema::{booking_rules, instrument, instrument_service, organization};
use super::{Conn, Json, Result, reference};
use crate::domain::booking::BookingMode;
use crate::domain::instrument::{InstrumentFacts, Point};
use crate::domain::search::{Document, Field, Named};
use crate::domain::{CategoryCode, InstrumentId, OrganizationId, RegionCode, ServiceId};

/// So many instruments are read with one question.
const BATCH: usize = 500;

/// The names of classes and regions.
#[derive(Debug, Default)]
pub struct NamesOfCodes {
    categories: BTreeMap<String, String>,
    regions: BTreeMap<String, String>,
}

impl NamesOfCodes {
    pub fn read(conn: &mut Conn) -> Result<Self> {
        let categories = reference::list_categories(conn)?.into_iter();
        let regions = reference::list_regions(conn)?.into_iter();
        Ok(Self {
            categories: categories.map(|class| (class.code, class.name)).collect(),
            regions: regions.map(|region| (region.code, region.name)).collect(),
        })
    }

    fn category(&self, code: CategoryCode) -> Option<&String> {
        self.categories.get(code.as_str())
    }

    fn region(&self, code: RegionCode) -> Option<&String> {
        self.regions.get(code.as_str())
    }

    /// The names of the wider classes.
    fn classes(&self, code: CategoryCode) -> Vec<String> {
        let wider = std::iter::successors(code.parent(), |code| code.parent());
        wider
            .filter_map(|code| self.category(code).cloned())
            .collect()
    }

    /// The names of the region and of those around it.
    fn place(&self, code: RegionCode) -> Vec<String> {
        let mut codes = vec![code, code.city(), code.province()];
        codes.dedup();
        let names = codes
            .into_iter()
            .filter_map(|code| self.region(code).cloned());
        names.collect()
    }
}

/// The modes that rules offer, of which nothing else is read.
#[derive(Debug, Deserialize)]
struct Offered {
    modes: Vec<BookingMode>,
}

/// Of a service what it can be found by.
#[derive(Queryable)]
struct Found {
    instrument_id: InstrumentId,
    test_item: String,
    test_condition: Option<String>,
    method_standard: Option<String>,
}

/// The documents of those of the instruments that are there.
pub fn list_documents(
    conn: &mut Conn,
    names: &NamesOfCodes,
    ids: &[InstrumentId],
) -> Result<Vec<Document>> {
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(BATCH) {
        let rows: Vec<(Instrument, String)> = instrument::table
            .inner_join(organization::table)
            .filter(instrument::id.eq_any(some))
            .select((Instrument::as_select(), organization::name))
            .load(conn)?;
        let mut services = services_of(conn, some)?;
        let mut modes = modes_of(conn, some)?;
        all.extend(rows.into_iter().map(|(row, host)| {
            let services = services.remove(&row.id).unwrap_or_default();
            let modes = modes.remove(&row.id).unwrap_or_default();
            document(names, (row, host), services, modes)
        }));
    }
    Ok(all)
}

fn services_of(conn: &mut Conn, ids: &[InstrumentId]) -> Result<HashMap<InstrumentId, Vec<Found>>> {
    let rows: Vec<Found> = instrument_service::table
        .filter(instrument_service::instrument_id.eq_any(ids))
        .filter(instrument_service::withdrawn_at.is_null())
        .select((
            instrument_service::instrument_id,
            instrument_service::test_item,
            instrument_service::test_condition,
            instrument_service::method_standard,
        ))
        .order(instrument_service::id)
        .load(conn)?;
    let mut services: HashMap<InstrumentId, Vec<Found>> = HashMap::new();
    for row in rows {
        services.entry(row.instrument_id).or_default().push(row);
    }
    Ok(services)
}

fn modes_of(
    conn: &mut Conn,
    ids: &[InstrumentId],
) -> Result<HashMap<InstrumentId, Vec<BookingMode>>> {
    let rows: Vec<(InstrumentId, Json<Offered>)> = booking_rules::table
        .filter(booking_rules::instrument_id.eq_any(ids))
        .select((booking_rules::instrument_id, booking_rules::rules))
        .load(conn)?;
    let modes = rows
        .into_iter()
        .map(|(id, rules)| (id, rules.into_inner().modes));
    Ok(modes.collect())
}

fn document(
    names: &NamesOfCodes,
    (row, host): (Instrument, String),
    services: Vec<Found>,
    modes: Vec<BookingMode>,
) -> Document {
    let facts = row.facts;
    let (category, region) = (facts.category_code, facts.region_code);
    let region = region.unwrap_or(RegionCode::HEBEI);
    let about = &facts.description;
    let point = about.latitude.zip(about.longitude);
    let point = point.map(|(latitude, longitude)| Point {
        latitude,
        longitude,
    });
    let share_mode = facts.share_mode;
    let mut texts = own_texts(facts);
    texts.push((Field::Unit, host.clone()));
    texts.extend(
        names
            .category(category)
            .map(|name| (Field::Category, name.clone())),
    );
    texts.extend(
        names
            .classes(category)
            .into_iter()
            .map(|name| (Field::Class, name)),
    );
    texts.extend(
        names
            .place(region)
            .into_iter()
            .map(|name| (Field::Place, name)),
    );
    let mut methods = Vec::new();
    for service in services {
        texts.push((Field::Service, service.test_item));
        texts.extend(service.test_condition.map(|text| (Field::Service, text)));
        if let Some(standard) = service.method_standard {
            texts.push((Field::Standard, standard.clone()));
            if !methods.contains(&standard) {
                methods.push(standard);
            }
        }
    }
    let known = |name: Option<&String>, code: &str| name.map_or(code, String::as_str).to_owned();
    Document {
        id: row.id,
        organization: Named {
            value: row.organization_id,
            name: host,
        },
        category: Named {
            value: category,
            name: known(names.category(category), category.as_str()),
        },
        region: Named {
            value: region,
            name: known(names.region(region), region.as_str()),
        },
        share_mode,
        modes,
        methods,
        point,
        texts,
    }
}

/// What the host says of it.
fn own_texts(facts: InstrumentFacts) -> Vec<(Field, String)> {
    let about = facts.description;
    let mut texts = vec![
        (Field::Name, facts.name),
        (Field::AssetNo, facts.asset_no.to_string()),
    ];
    for (field, text) in [
        (Field::Model, facts.model),
        (Field::NameEn, about.name_en),
        (Field::Maker, facts.manufacturer),
        (Field::Place, facts.location),
        (Field::Functions, about.functions),
        (Field::Functions, about.technical),
        (Field::Functions, about.service_content),
    ] {
        texts.extend(text.map(|text| (field, text)));
    }
    texts
}

/// Every instrument there is, in the order of ids.
pub fn list_all_ids(conn: &mut Conn) -> Result<Vec<InstrumentId>> {
    let ids = instrument::table.select(instrument::id);
    Ok(ids.order(instrument::id).load(conn)?)
}

/// The instruments whose present version an event made.
pub fn list_of_event(conn: &mut Conn, event: i64) -> Result<Vec<InstrumentId>> {
    let made = instrument::table.filter(
        diesel::dsl::sql::<diesel::sql_types::Bool>("instrument.event_id = ")
            .bind::<diesel::sql_types::BigInt, _>(event),
    );
    Ok(made.select(instrument::id).load(conn)?)
}

/// The instrument of a service.
pub fn find_of_service(conn: &mut Conn, service: ServiceId) -> Result<Option<InstrumentId>> {
    let row = instrument_service::table.find(service);
    let found = row.select(instrument_service::instrument_id);
    Ok(found.get_result(conn).optional()?)
}

/// The instruments of a unit.
pub fn list_of_unit(conn: &mut Conn, unit: OrganizationId) -> Result<Vec<InstrumentId>> {
    let own = instrument::table.filter(instrument::organization_id.eq(unit));
    Ok(own.select(instrument::id).load(conn)?)
}
