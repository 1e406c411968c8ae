//! The judged rows of a usage import: records, prices and events in finished form, and how they come in.

use super::basis::Basis;
use super::rows::{self, Checked};
use super::{ImportRow, Imported};
use crate::domain::tariff::Quote;
use crate::domain::{ChargeId, UsageRecordId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::charge;
use crate::operations::table_import::{Plan, ROWS_A_COMMIT};
use crate::operations::tariff;
use crate::store::event::NewEvent;
use crate::store::price::StoredPrice;
use crate::store::staged::{
    self, Batch, EventIds, StagedCharge, StagedImportId, StagedInstrument, StagedRecord,
};
use crate::store::{self, Conn, Lock, StoreError};

pub(super) struct ImportPlan {
    actor: Actor,
    basis: Basis,
    /// Each with what it costs, if it has a price.
    rows: Vec<(Checked, Option<Quote>)>,
}

/// The ids of the records and of their charges, in the order of the rows.
pub(super) struct Ids {
    records: Vec<UsageRecordId>,
    charges: Vec<ChargeId>,
}

impl ImportPlan {
    pub(super) fn judge(
        conn: &mut Conn,
        actor: &Actor,
        rows: &[ImportRow],
    ) -> Result<Self, AppError> {
        let checked = rows::check(conn, actor, rows)?;
        let (basis, units) = Basis::of(conn, actor, &checked)?;
        let host = actor.caller()?.organization_id;
        let mut priced = Vec::with_capacity(checked.len());
        for row in checked {
            let unit = units.get(&row.ties.organization_id);
            let unit = unit.ok_or(StoreError::NotFound)?;
            let tariffs = basis.tariffs_of(row.instrument);
            let (mode, on) = (row.facts.mode, row.facts.slot.starts_at().local_date());
            let unit = (unit, basis.sme_days_of(unit.id));
            let priced_as = tariff::priced_as(host, unit, mode, on, row.minutes.effective());
            let price = tariff::price_of_time(tariffs, priced_as)?;
            priced.push((row, price));
        }
        Ok(Self {
            actor: actor.clone(),
            basis,
            rows: priced,
        })
    }

    /// Adds a record, its charge and their events; answers the position of the last event.
    fn add(
        &self,
        batch: &mut Batch,
        (import, position): (StagedImportId, i64),
        (row, price): &(Checked, Option<Quote>),
        id: UsageRecordId,
        charge_ids: &mut impl Iterator<Item = ChargeId>,
    ) -> Result<i64, AppError> {
        let (entry, position) = (row.entry(), position + 1);
        batch.events.push((position, entry.event(&self.actor, id)?));
        let columns = entry.columns(&self.actor, StagedInstrument::event_to_come()?)?;
        let record = StagedRecord::of(import, position, id, columns);
        batch.records.push(record);
        let Some(price) = price else {
            return Ok(position);
        };
        let charge = StagedCharge {
            import_id: import,
            position,
            charge_id: charge_ids.next().ok_or(StoreError::NotFound)?,
            usage_record_id: id,
            host_organization_id: row.ties.instrument.host_organization_id,
            payer_organization_id: row.ties.organization_id,
            amount_fen: price.total_fen,
            lines: StoredPrice::of(price.clone())?,
        };
        let whose = (charge.host_organization_id, charge.payer_organization_id);
        let told = (id, charge.amount_fen);
        let event = charge::opening(&self.actor, charge.charge_id, whose, told)?;
        batch.events.push((position + 1, event));
        batch.charges.push(charge);
        Ok(position + 1)
    }

    /// That units of others used instruments at no price, told once for all of the table: of the first record, how many there
    /// are. None where every record has a price or needs none.
    fn lacking_price(&self, ids: &Ids) -> Result<Option<NewEvent>, AppError> {
        let rows = self.rows.iter().zip(&ids.records);
        let mut lacking = rows.filter(|((row, price), _)| {
            let host = row.ties.instrument.host_organization_id;
            price.is_none() && row.ties.organization_id != host
        });
        let Some(((row, _), id)) = lacking.next() else {
            return Ok(None);
        };
        let records = 1 + lacking.count();
        charge::lack_of_price(&self.actor, *id, row.instrument_and_day(), records)
            .map(|event| Some(event.of(row.ties.instrument.host_organization_id, None)))
    }
}

impl Plan for ImportPlan {
    type Answer = Imported;
    type Ids = Ids;

    fn reserve(&self, tx: &mut Conn) -> Result<Ids, AppError> {
        let charged = self.rows.iter().filter(|(_, price)| price.is_some());
        Ok(Ids {
            charges: store::bulk::reserve_for_good(tx, "charge", charged.count())?,
            records: store::bulk::reserve_for_good(tx, "usage_record", self.rows.len())?,
        })
    }

    fn finish(&self, import: StagedImportId, ids: &Ids) -> Result<(Vec<Batch>, usize), AppError> {
        let mut charge_ids = ids.charges.iter().copied();
        let (mut batches, mut last) = (Vec::new(), 0);
        let rows: Vec<_> = self.rows.iter().zip(&ids.records).collect();
        for rows in rows.chunks(ROWS_A_COMMIT) {
            let mut batch = Batch::default();
            for (row, id) in rows {
                last = self.add(&mut batch, (import, last), row, **id, &mut charge_ids)?;
            }
            batches.push(batch);
        }
        let mut events = self.rows.len() + ids.charges.len();
        if let (Some(event), Some(batch)) = (self.lacking_price(ids)?, batches.last_mut()) {
            batch.events.push((last + 1, event));
            events += 1;
        }
        Ok((batches, events))
    }

    fn stands(&self, tx: &mut Conn) -> Result<bool, AppError> {
        for instrument in self.basis.instruments() {
            Lock::Instrument(instrument).take(tx)?;
        }
        Lock::RecordsShared.take(tx)?;
        Ok(self.basis.again(tx, &self.actor)? == self.basis)
    }

    fn move_in(
        &self,
        tx: &mut Conn,
        import: StagedImportId,
        _: &Ids,
        events: &EventIds,
    ) -> Result<(), StoreError> {
        staged::insert_records(tx, import, events)
    }

    fn answer(&self) -> Imported {
        Imported {
            rows: self.rows.len(),
            is_dry_run: false,
        }
    }
}
