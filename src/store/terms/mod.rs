//! Terms: all that an instrument says about its bookings, as one stored document beside it, with what else a booking must know
//! before it is judged. Whatever terms are made from is changed by store functions that make them anew in the same transaction.
//!
//! They are made when they are first asked for. Who makes them first keeps the rows of the instrument and its host from
//! changing until it commits; whoever makes them anew holds their row before it reads what they are made from. So the last to
//! commit has seen everything, also where two did not hold the same lock.

mod made;
mod stored;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};

use super::memo::{MEMO, UNKNOWN, version_of};
use super::prepared::{on_each, statement};
use super::schema::{instrument, instrument_terms, organization};
use super::{Conn, Result, calendar};
use crate::domain::access::InstrumentTies;
use crate::domain::booking_rules::BookingRules;
use crate::domain::calendar::Calendar;
use crate::domain::certification::SmeDays;
use crate::domain::closure::Closure;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::InstrumentState;
use crate::domain::organization::{OrganizationKind, OrganizationState};
use crate::domain::service::ServiceFacts;
use crate::domain::tariff::Tariff;
use crate::domain::{Instant, InstrumentId, OrganizationId, RegionCode, ServiceId, TariffId};

/// What an instrument says about its bookings: dated facts, never verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    pub instrument_id: InstrumentId,
    pub host_organization_id: OrganizationId,
    pub host_state: OrganizationState,
    pub supervising_region: RegionCode,
    pub state: InstrumentState,
    pub share_mode: Option<ShareMode>,
    pub channels: i64,
    pub rules: BookingRules,
    /// The version of the rules.
    pub version: i64,
    /// Those that were not over when the terms were made, by their start.
    pub closures: Vec<Closure>,
    /// Those that were not over when the terms were made, by their first day.
    pub tariffs: Vec<(TariffId, Tariff)>,
    /// The price list.
    pub services: Vec<(ServiceId, ServiceFacts)>,
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

/// What a booking is judged by, as one reading found it.
#[derive(Debug, Clone)]
pub struct Basis {
    pub terms: Arc<Terms>,
    pub calendar: Arc<Calendar>,
    /// When the records were last frozen for a yearly run.
    pub newest_freeze: Option<Instant>,
    /// The kind of the using unit, and when it is a small or medium enterprise: what its price depends on.
    pub unit_kind: OrganizationKind,
    pub unit_sme_days: SmeDays,
}

impl Basis {
    /// When something that freezes read by its time comes to be: now, or the second after the newest freeze. Who writes by
    /// it holds `Lock::RecordsShared` since before the reading.
    pub fn after_freezes(&self, now: Instant) -> Instant {
        self.newest_freeze
            .map_or(now, |at| now.max(at.plus_seconds(1)))
    }
}

statement! {
    /// One row, whatever is missing; a document that is known by its version does not travel.
    Reading { known_terms: i64, known_calendar: i64, unit: OrganizationId, instrument: InstrumentId }
    answers (Nullable<BigInt>, Nullable<Text>, BigInt, Nullable<Text>, Nullable<Timestamp>, Text, Nullable<Text>);
    "SELECT t.version, CASE WHEN t.version = " (known_terms: BigInt)
    " THEN NULL ELSE t.content END, c.version, CASE WHEN c.version = " (known_calendar: BigInt)
    " THEN NULL ELSE c.content END, (SELECT max(frozen_at) FROM evaluation), o.kind, \
     (SELECT string_agg(coalesce(CAST(valid_from_on AS TEXT), '') || '/' || coalesce(CAST(valid_until_on AS TEXT), ''), ',') \
     FROM certification WHERE organization_id = o.id AND code IN ('sme', 'tech_sme')) \
     FROM calendar c JOIN organization o ON o.id = " (unit: BigInt)
    " LEFT JOIN instrument_terms t ON t.instrument_id = " (instrument: BigInt)
}

type Read = (
    Option<i64>,
    Option<String>,
    i64,
    Option<String>,
    Option<Instant>,
    OrganizationKind,
    Option<String>,
);

/// What a booking of an instrument by a unit is judged by. Terms that are not stored are made, and not kept.
pub fn find(conn: &mut Conn, (instrument, unit): (InstrumentId, OrganizationId)) -> Result<Basis> {
    basis(conn, (instrument, unit), |conn| {
        made::make(conn, instrument, None)
    })
}

/// As [`find`], in an action that holds `Lock::Instrument`: terms that are not stored are made and kept.
pub fn find_or_insert(
    conn: &mut Conn,
    (instrument, unit): (InstrumentId, OrganizationId),
    now: Instant,
) -> Result<Basis> {
    basis(conn, (instrument, unit), |conn| {
        insert(conn, instrument, now)
    })
}

fn basis(
    conn: &mut Conn,
    (instrument, unit): (InstrumentId, OrganizationId),
    make: impl FnOnce(&mut Conn) -> Result<Terms>,
) -> Result<Basis> {
    let known = MEMO.terms(instrument);
    let reading = Reading {
        known_terms: known.as_ref().map_or(UNKNOWN, |(version, _)| *version),
        known_calendar: MEMO.calendar_version(),
        unit,
        instrument,
    };
    let (version, content, calendar_version, calendar_content, newest_freeze, kind, sme_days): Read =
        on_each!(conn, |own| reading.get_result(own))?;
    let same = known.filter(|(known, _)| Some(*known) == version);
    let terms = match (same, version, content) {
        (Some((_, terms)), ..) => terms,
        (None, Some(version), Some(content)) => match stored::read(instrument, &content) {
            Some(terms) => remembered(version, terms),
            None => Arc::new(make(conn)?),
        },
        _ => Arc::new(make(conn)?),
    };
    let known = match calendar_content {
        None => MEMO.calendar(calendar_version),
        Some(content) => Some(calendar::read(conn, calendar_version, &content)?),
    };
    let calendar = match known {
        Some(calendar) => calendar,
        // Another thread has read a newer one since we asked.
        None => calendar::get(conn)?,
    };
    Ok(Basis {
        terms,
        calendar,
        newest_freeze,
        unit_kind: kind,
        unit_sme_days: read_sme_days(sme_days.as_deref())?,
    })
}

/// `from/until` of each span, by commas; an open end is empty.
fn read_sme_days(text: Option<&str>) -> Result<SmeDays> {
    let day = |text: &str| -> Result<Option<NaiveDate>> {
        match text {
            "" => Ok(None),
            day => day.parse().map(Some).map_err(|error| {
                diesel::result::Error::DeserializationError(Box::new(error)).into()
            }),
        }
    };
    let spans = text
        .unwrap_or_default()
        .split(',')
        .filter(|span| !span.is_empty());
    let spans = spans.map(|span| {
        let (from, until) = span.split_once('/').unwrap_or((span, ""));
        Ok((day(from)?, day(until)?))
    });
    Ok(SmeDays(spans.collect::<Result<_>>()?))
}

fn remembered(version: i64, terms: Terms) -> Arc<Terms> {
    let terms = Arc::new(terms);
    MEMO.keep_terms(version, &terms);
    terms
}

/// The terms of an instrument, apart from any booking. What is not stored is made, and not kept.
pub fn get(conn: &mut Conn, id: InstrumentId) -> Result<Arc<Terms>> {
    let own = instrument_terms::table.find(id);
    let version = own.select(instrument_terms::version);
    let version: Option<i64> = on_each!(conn, |own| version.get_result(own)).optional()?;
    let known = MEMO.terms(id).filter(|(known, _)| Some(*known) == version);
    if let Some((_, terms)) = known {
        return Ok(terms);
    }
    let found: Option<(i64, String)> = own
        .select((instrument_terms::version, instrument_terms::content))
        .get_result(conn)
        .optional()?;
    let read = found.and_then(|(version, content)| Some((version, stored::read(id, &content)?)));
    Ok(match read {
        Some((version, terms)) => remembered(version, terms),
        None => Arc::new(made::make(conn, id, None)?),
    })
}

/// The terms of several instruments, in no order. What is not stored is made, and not kept.
pub fn list(conn: &mut Conn, ids: &[InstrumentId]) -> Result<Vec<Arc<Terms>>> {
    let versions: Vec<(InstrumentId, i64)> = instrument_terms::table
        .filter(instrument_terms::instrument_id.eq_any(ids))
        .select((instrument_terms::instrument_id, instrument_terms::version))
        .load(conn)?;
    let versions: HashMap<InstrumentId, i64> = versions.into_iter().collect();
    let (mut found, mut unread) = (Vec::with_capacity(ids.len()), Vec::new());
    for id in ids {
        match MEMO.terms(*id) {
            Some((version, terms)) if versions.get(id) == Some(&version) => found.push(terms),
            _ => unread.push(*id),
        }
    }
    if unread.is_empty() {
        return Ok(found);
    }
    let documents: Vec<(InstrumentId, i64, String)> = instrument_terms::table
        .filter(instrument_terms::instrument_id.eq_any(&unread))
        .load(conn)?;
    for (id, version, content) in documents {
        if let Some(terms) = stored::read(id, &content) {
            unread.retain(|other| *other != id);
            found.push(remembered(version, terms));
        }
    }
    for id in unread {
        found.push(Arc::new(made::make(conn, id, None)?));
    }
    Ok(found)
}

/// Makes and keeps the terms of an instrument that has none, or none that this program can read.
fn insert(conn: &mut Conn, id: InstrumentId, now: Instant) -> Result<Terms> {
    if let Conn::Postgres(own) = conn {
        let source = instrument::table
            .inner_join(organization::table)
            .filter(instrument::id.eq(id))
            .select(instrument::id);
        source.for_share().get_result::<InstrumentId>(own)?;
    }
    let terms = made::make(conn, id, Some(now))?;
    let content = stored::write(&terms)?;
    if !update(conn, id, &content)? {
        diesel::insert_into(instrument_terms::table)
            .values((
                instrument_terms::instrument_id.eq(id),
                instrument_terms::version.eq(version_of(&content)),
                instrument_terms::content.eq(&content),
            ))
            .execute(conn)?;
    }
    Ok(terms)
}

fn update(conn: &mut Conn, id: InstrumentId, content: &str) -> Result<bool> {
    let updated = diesel::update(instrument_terms::table.find(id))
        .set((
            instrument_terms::version.eq(version_of(content)),
            instrument_terms::content.eq(content),
        ))
        .execute(conn)?;
    Ok(updated == 1)
}

/// Makes the terms of an instrument anew where they are stored, after something was changed that they are made from.
pub(in crate::store) fn refresh(conn: &mut Conn, id: InstrumentId, now: Instant) -> Result<()> {
    let own = instrument_terms::table
        .find(id)
        .select(instrument_terms::version);
    let stored: Option<i64> = match conn {
        Conn::Postgres(postgres) => own.for_update().get_result(postgres).optional()?,
        Conn::Sqlite(sqlite) => own.get_result(sqlite).optional()?,
    };
    if stored.is_some() {
        let content = stored::write(&made::make(conn, id, Some(now))?)?;
        update(conn, id, &content)?;
    }
    Ok(())
}

/// Hosts with more instruments than this are not made wait until all terms are made anew.
const REFRESHED_MAX: usize = 200;

/// As [`refresh`], for every instrument of a host, in the order of their ids.
pub(in crate::store) fn refresh_host(
    conn: &mut Conn,
    host: OrganizationId,
    now: Instant,
) -> Result<()> {
    let of_host = instrument::table
        .filter(instrument::organization_id.eq(host))
        .select(instrument::id);
    let stored: Vec<InstrumentId> = instrument_terms::table
        .filter(instrument_terms::instrument_id.eq_any(of_host))
        .select(instrument_terms::instrument_id)
        .order(instrument_terms::instrument_id)
        .load(conn)?;
    if stored.len() > REFRESHED_MAX {
        return forget(conn, &stored);
    }
    for id in stored {
        refresh(conn, id, now)?;
    }
    Ok(())
}

/// Forgets the terms of many instruments that were changed at once; the first booking of each makes them anew.
pub fn forget(conn: &mut Conn, ids: &[InstrumentId]) -> Result<()> {
    for some in ids.chunks(1_000) {
        diesel::delete(
            instrument_terms::table.filter(instrument_terms::instrument_id.eq_any(some)),
        )
        .execute(conn)?;
    }
    Ok(())
}
