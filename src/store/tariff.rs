//! Tariffs: dated prices of an instrument, stored half-open: the column `valid_until` is the first day on which one no longer holds. The database refuses two of one class and mode at one time (`TariffOverlap`).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::tariff;
use super::{Conn, Result, terms};
use crate::domain::tariff::{CustomerClass, Period, Tariff};
use crate::domain::{Fen, Instant, InstrumentId, TariffId};

/// Violates `TariffOverlap`.
pub fn insert(
    conn: &mut Conn,
    instrument: InstrumentId,
    new: &Tariff,
    now: Instant,
) -> Result<TariffId> {
    let id = insert_unseen(conn, instrument, new, now)?;
    terms::refresh(conn, instrument, now)?;
    Ok(id)
}

/// As [`insert`]; bookings do not see the price before [`refresh`].
pub fn insert_unseen(
    conn: &mut Conn,
    instrument: InstrumentId,
    new: &Tariff,
    now: Instant,
) -> Result<TariffId> {
    let inserted = diesel::insert_into(tariff::table)
        .values((
            tariff::instrument_id.eq(instrument),
            tariff::customer_class.eq(new.customer_class),
            tariff::mode.eq(new.mode),
            tariff::valid_from.eq(new.period.valid_from),
            tariff::valid_until.eq(new.period.ends_before()),
            tariff::price_fen_per_hour.eq(new.price_fen_per_hour),
            tariff::created_at.eq(now),
        ))
        .returning(tariff::id)
        .get_result(conn)?;
    Ok(inserted)
}

/// Lets the bookings of these instruments see their prices.
pub fn refresh(conn: &mut Conn, instruments: &BTreeSet<InstrumentId>, now: Instant) -> Result<()> {
    for instrument in instruments {
        terms::refresh(conn, *instrument, now)?;
    }
    Ok(())
}

type Row = (
    TariffId,
    Option<crate::domain::tariff::CustomerClass>,
    Option<crate::domain::booking::BookingMode>,
    chrono::NaiveDate,
    Option<chrono::NaiveDate>,
    Fen,
);

/// The price of an instrument with this id.
pub fn find(conn: &mut Conn, instrument: InstrumentId, id: TariffId) -> Result<Option<Tariff>> {
    let all = list(conn, instrument)?;
    Ok(all
        .into_iter()
        .find(|(one, _)| *one == id)
        .map(|(_, tariff)| tariff))
}

/// Gives an open-ended price a last day. False when it has one.
pub fn update_end(
    conn: &mut Conn,
    id: TariffId,
    last: chrono::NaiveDate,
    now: Instant,
) -> Result<bool> {
    let open = tariff::table.find(id).filter(tariff::valid_until.is_null());
    let changed: Option<InstrumentId> = diesel::update(open)
        .set((
            tariff::valid_until.eq(last.succ_opt()),
            tariff::ended_at.eq(now),
        ))
        .returning(tariff::instrument_id)
        .get_result(conn)
        .optional()?;
    if let Some(instrument) = changed {
        terms::refresh(conn, instrument, now)?;
    }
    Ok(changed.is_some())
}

/// Every price an instrument ever had, by its first day.
pub fn list(conn: &mut Conn, instrument: InstrumentId) -> Result<Vec<(TariffId, Tariff)>> {
    let rows: Vec<Row> = tariff::table
        .filter(tariff::instrument_id.eq(instrument))
        .select((
            tariff::id,
            tariff::customer_class,
            tariff::mode,
            tariff::valid_from,
            tariff::valid_until,
            tariff::price_fen_per_hour,
        ))
        .order((tariff::valid_from, tariff::id))
        .load(conn)?;
    Ok(rows.into_iter().map(tariff_of).collect())
}

fn tariff_of(row: Row) -> (TariffId, Tariff) {
    let (id, customer_class, mode, valid_from, ends_before, price_fen_per_hour) = row;
    let tariff = Tariff {
        customer_class,
        mode,
        period: Period::half_open(valid_from, ends_before),
        price_fen_per_hour,
    };
    (id, tariff)
}

/// The lowest price in force on a day for everybody or for enterprises, of every instrument that has one.
pub fn list_lowest(conn: &mut Conn, on: NaiveDate) -> Result<BTreeMap<InstrumentId, Fen>> {
    let ends_later = tariff::valid_until
        .is_null()
        .or(tariff::valid_until.assume_not_null().gt(on));
    let for_others = tariff::customer_class.is_null().or(tariff::customer_class
        .assume_not_null()
        .eq(CustomerClass::Enterprise));
    let rows: Vec<(InstrumentId, Fen)> = tariff::table
        .filter(tariff::valid_from.le(on))
        .filter(ends_later)
        .filter(for_others)
        .select((tariff::instrument_id, tariff::price_fen_per_hour))
        .load(conn)?;
    let mut lowest: BTreeMap<InstrumentId, Fen> = BTreeMap::new();
    for (instrument, price) in rows {
        let known = lowest.entry(instrument).or_insert(price);
        *known = (*known).min(price);
    }
    Ok(lowest)
}

/// As [`list`], of several instruments; those without any price are not among them.
pub fn list_of_all(
    conn: &mut Conn,
    instruments: &[InstrumentId],
) -> Result<BTreeMap<InstrumentId, Vec<(TariffId, Tariff)>>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for some in instruments.chunks(1_000) {
        let rows: Vec<(InstrumentId, Row)> = tariff::table
            .filter(tariff::instrument_id.eq_any(some))
            .select((
                tariff::instrument_id,
                (
                    tariff::id,
                    tariff::customer_class,
                    tariff::mode,
                    tariff::valid_from,
                    tariff::valid_until,
                    tariff::price_fen_per_hour,
                ),
            ))
            .order((tariff::valid_from, tariff::id))
            .load(conn)?;
        for (instrument, row) in rows {
            found.entry(instrument).or_default().push(tariff_of(row));
        }
    }
    Ok(found)
}
