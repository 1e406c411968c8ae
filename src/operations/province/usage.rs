//! Services with charge, invoice, payments and review, in batches, so that millions of rows pass through little memory.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};

use super::{Import, ProvinceUsage, Row, Writing, differing};
use crate::domain::certification::SmeDays;
use crate::domain::charge::{InvoiceNo, PaymentSource, check_day};
use crate::domain::tariff::{Quote, customer_class};
use crate::domain::usage::{GivenMinutes, UsageMinutes, check_interval};
use crate::domain::{Fen, Minutes, OrganizationId};
use crate::error::{AppError, Code};
use crate::operations::yearly_run;
use crate::store::province::{self, NewCharge, NewService, StoredService};
use crate::store::usage::Columns;
use crate::store::{self, Conn, Constraint, StoreError};

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
                None => new.push(self.service(tx, writing, (*row, given), &sme_days)?),
            }
        }
        writing.inserted += u64::try_from(new.len()).unwrap_or(u64::MAX);
        province::insert_services(tx, new).map_err(|error| match error {
            StoreError::Violated(Constraint::UsageOverlap) => {
                AppError::conflict(Code::usage_overlaps).with("file", writing.file.as_str())
            }
            StoreError::Violated(Constraint::InvoiceNo) => {
                AppError::conflict(Code::invoice_no_used).with("file", writing.file.as_str())
            }
            other => other.into(),
        })
    }

    fn service(
        &mut self,
        tx: &mut Conn,
        writing: &mut Writing,
        (row, given): (u32, &ProvinceUsage),
        sme_days: &BTreeMap<OrganizationId, SmeDays>,
    ) -> Result<NewService, AppError> {
        self.refuse_locked(tx, given.slot.ends_at().local_date())?;
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
        let minutes = check_service(writing, row, given)?;
        let charge = charge(writing, row, given, price)?;
        if let Some(paid_on) = given.paid_on {
            self.refuse_locked(tx, paid_on)?;
        }
        Ok(NewService {
            record: Columns {
                record_no: Some(given.record_no.clone()),
                instrument_id: instrument,
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
            self.instruments.get(&key).copied()
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

/// The minutes of a service that keeps the rules of every other entrance.
fn check_service(
    writing: &Writing,
    row: u32,
    given: &ProvinceUsage,
) -> Result<UsageMinutes, AppError> {
    let minutes = GivenMinutes {
        prepare: Some(given.prepare_minutes),
        run: Some(given.run_minutes),
        post: Some(given.post_minutes),
    };
    let now = writing.actor.now;
    let mut faults = check_interval(&given.slot, now);
    // Days of payment may lie ahead: the file also tells what was promised.
    let invoiced_on = given.invoiced_on;
    let invoiced_on = invoiced_on.map(|day| check_day("invoiced_on", day, now.local_date()));
    faults.extend(invoiced_on.and_then(Result::err));
    match UsageMinutes::within(&given.slot, minutes) {
        Ok(minutes) if faults.is_empty() => return Ok(minutes),
        Ok(_) => {}
        Err(more) => faults.extend(more),
    }
    Err(writing.faulty(row, faults))
}

fn charge(
    writing: &Writing,
    row: u32,
    given: &ProvinceUsage,
    price: Quote,
) -> Result<Option<NewCharge>, AppError> {
    if given.fee_fen == Fen::ZERO {
        return Ok(None);
    }
    let invoice = match (&given.invoice_no, given.invoiced_on) {
        (Some(invoice_no), Some(issued_on)) => {
            let number = InvoiceNo::parse(invoice_no);
            let number = number.map_err(|fault| writing.faulty(row, vec![fault]))?;
            Some((number.as_str().to_owned(), issued_on))
        }
        (Some(invoice_no), None) => {
            return Err(writing.refused(row, "invoiced_on", Code::required, invoice_no));
        }
        (None, _) => None,
    };
    let payments = payments(given).ok_or_else(|| {
        let voucher = given.voucher_fen.to_string();
        writing.refused(row, "voucher_fen", Code::out_of_range, &voucher)
    })?;
    Ok(Some(NewCharge {
        price,
        invoice,
        payments,
    }))
}

/// What the payer and the voucher paid; `None` when the voucher's part is more than the fee.
fn payments(given: &ProvinceUsage) -> Option<Vec<(NaiveDate, PaymentSource, Fen)>> {
    let payer = given.fee_fen.checked_sub(given.voucher_fen).ok()?;
    if payer < Fen::ZERO || given.voucher_fen < Fen::ZERO {
        return None;
    }
    let paid = [
        (PaymentSource::Payer, payer),
        (PaymentSource::Voucher, given.voucher_fen),
    ];
    let paid_on = given.paid_on.filter(|_| given.fee_fen > Fen::ZERO);
    let lines = paid_on.into_iter().flat_map(|on| {
        paid.into_iter()
            .filter(|(_, amount)| *amount > Fen::ZERO)
            .map(move |(source, amount)| (on, source, amount))
    });
    Some(lines.collect())
}
