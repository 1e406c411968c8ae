//! Services with charge, invoice, payments and review, in batches, so that millions of rows pass through little memory.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};

use super::check::{charge, check_service, payments};
use super::{Import, ProvinceUsage, Row, Writing, clash, differing};
use crate::domain::certification::SmeDays;
use crate::domain::charge::InvoiceNo;
use crate::domain::tariff::{Quote, customer_class};
use crate::domain::{Fen, Minutes, OrganizationId};
use crate::error::AppError;
use crate::operations::yearly_run;
use crate::store::province::{self, NewService, StoredService};
use crate::store::usage::Columns;
use crate::store::{self, Conn};

/// Rows that are looked up and written at once.
const BATCH_ROWS: usize = 2_000;

impl Import<'_> {
    pub(super) fn usage(&mut self, tx: &mut Conn, writing: &mut Writing) -> Result<(), AppError> {
        let mut batch = Vec::with_capacity(BATCH_ROWS);
        for row in self.source.usage()? {
            batch.push(row?);
            if batch.len() == BATCH_ROWS {
                self.add_batch(tx, writing, &batch)?;
                batch.clear();
            }
        }
        self.add_batch(tx, writing, &batch)
    }

    fn add_batch(
        &mut self,
        tx: &mut Conn,
        writing: &mut Writing,
        batch: &[Row<ProvinceUsage>],
    ) -> Result<(), AppError> {
        let numbers: Vec<String> = batch.iter().map(|(_, row)| row.record_no.clone()).collect();
        let stored = province::list_services(tx, &numbers)?;
        let users = batch
            .iter()
            .filter_map(|(_, row)| self.organizations.get(&row.user_uscc));
        let users: BTreeSet<OrganizationId> = users.map(|user| user.id).collect();
        let users: Vec<_> = users.into_iter().collect();
        let sme_days = store::certification::list_sme_days(tx, &users)?;
        let mut seen = BTreeSet::new();
        let mut new = Vec::new();
        for (row, given) in batch {
            if !seen.insert(&given.record_no) {
                return Err(writing.differs(*row, &given.record_no, &["record_no"]));
            }
            match stored.get(&given.record_no) {
                Some(stored) => self.compare(writing, *row, given, stored)?,
                None => new.push((*row, self.service(tx, writing, (*row, given), &sme_days)?)),
            }
        }
        writing.inserted += u64::try_from(new.len()).unwrap_or(u64::MAX);
        let (rows, services): (Vec<u32>, Vec<NewService>) = new.into_iter().unzip();
        match province::insert_services(tx, &services) {
            Ok(()) => Ok(()),
            Err(error) => Err(clash::named(tx, writing, &rows, &services, error)?),
        }
    }

    fn service(
        &mut self,
        tx: &mut Conn,
        writing: &mut Writing,
        (row, given): (u32, &ProvinceUsage),
        sme_days: &BTreeMap<OrganizationId, SmeDays>,
    ) -> Result<NewService, AppError> {
        let ended_on = given.slot.ends_at().local_date();
        writing.at(row, &["ended_at"], self.refuse_locked(tx, ended_on))?;
        let host = self.host(writing, row, &given.host_uscc)?;
        let user = self.organization(writing, row, "user_uscc", &given.user_uscc)?;
        let key = (host.id, given.asset_no.folded());
        let instrument = self.instruments.get(&key).copied();
        let instrument =
            instrument.ok_or_else(|| writing.unknown(row, "asset_no", &given.asset_no))?;
        let priced_on = given.slot.starts_at().local_date();
        let days = sme_days.get(&user.id);
        let is_sme = days.is_some_and(|days| days.holds_on(priced_on));
        let price = Quote {
            customer_class: customer_class(host.id, user.id, user.kind, is_sme),
            priced_on,
            lines: Vec::new(),
            total_fen: given.fee_fen,
        };
        let minutes = check_service(writing, row, given, instrument.accepted_on)?;
        let charge = charge(writing, row, given, price)?;
        if let Some(paid_on) = given.paid_on {
            writing.at(row, &["paid_on"], self.refuse_locked(tx, paid_on))?;
        }
        Ok(NewService {
            record: Columns {
                record_no: Some(given.record_no.clone()),
                instrument_id: instrument.id,
                organization_id: user.id,
                booking_id: None,
                channel: 1,
                started_at: given.slot.starts_at(),
                ended_at: given.slot.ends_at(),
                prepare_minutes: minutes.prepare(),
                run_minutes: minutes.run(),
                post_minutes: minutes.post(),
                samples: i64::from(given.samples),
                mode: given.mode,
                purpose: given.purpose,
                statutory: given.statutory,
                operator: None,
                reference: None.into(),
                state: given.state,
                reason: None,
                evidence: given.evidence,
                entered_at: None,
                entered_by: None,
                event_id: writing.event(tx)?,
                updated_at: writing.actor.now,
            },
            host: host.id,
            charge,
            satisfaction: given.satisfaction,
        })
    }

    /// New usage and money never enter a year with a final run; each year is asked about once.
    fn refuse_locked(&mut self, tx: &mut Conn, on: NaiveDate) -> Result<(), AppError> {
        if !self.known_before.contains(&on.year()) {
            yearly_run::refuse_locked(tx, &[on.year()])?;
            self.known_before.push(on.year());
        }
        Ok(())
    }

    fn compare(
        &self,
        writing: &Writing,
        row: u32,
        given: &ProvinceUsage,
        stored: &StoredService,
    ) -> Result<(), AppError> {
        let record = &stored.record;
        let id = |uscc: &str| self.organizations.get(uscc).map(|known| known.id);
        let instrument = |host: OrganizationId| {
            let key = (host, given.asset_no.folded());
            self.instruments.get(&key).map(|listed| listed.id)
        };
        let minutes: [Minutes; 3] = [given.prepare_minutes, given.run_minutes, given.post_minutes];
        let stored_minutes = [
            record.prepare_minutes,
            record.run_minutes,
            record.post_minutes,
        ];
        let number = given.invoice_no.as_deref();
        let number = number.and_then(|text| InvoiceNo::parse(text).ok());
        let number = number.map(|number| number.as_str().to_owned());
        let invoice = number.zip(given.invoiced_on);
        let columns = differing(&[
            (
                "asset_no",
                id(&given.host_uscc).and_then(instrument) == Some(record.instrument_id),
            ),
            (
                "user_uscc",
                id(&given.user_uscc) == Some(record.organization_id),
            ),
            ("mode", record.mode == given.mode),
            ("purpose", record.purpose == given.purpose),
            ("started_at", record.started_at == given.slot.starts_at()),
            ("ended_at", record.ended_at == given.slot.ends_at()),
            ("minutes", minutes == stored_minutes),
            ("samples", record.samples == i64::from(given.samples)),
            ("statutory", record.statutory == given.statutory),
            ("evidence", record.evidence == given.evidence),
            ("status", record.state == given.state),
            ("fee_fen", stored.amount_fen == given.fee_fen),
            (
                "invoice_no",
                given.fee_fen == Fen::ZERO || stored.invoice == invoice,
            ),
            (
                "paid_on",
                stored.payments == payments(given).unwrap_or_default(),
            ),
            ("satisfaction", stored.satisfaction == given.satisfaction),
        ]);
        match columns.is_empty() {
            true => Ok(()),
            false => Err(writing.differs(row, &given.record_no, &columns)),
        }
    }
}
