//! Services with charge, invoice, payments and review, in batches, so that millions of rows pass through little memory.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::change::Differences;
use super::check::{charge, check_service, payments};
use super::correct::correct;
use super::{Import, ProvinceUsage, Row, Writing, clash};
use crate::domain::certification::SmeDays;
use crate::domain::charge::{InvoiceNo, PaymentSource};
use crate::domain::policy::IncomeBy;
use crate::domain::tariff::{Quote, customer_class};
use crate::domain::usage::{ContextChange, ServiceContext};
use crate::domain::{Fen, OrganizationId};
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
        let mut new = Vec::new();
        for (row, given) in batch {
            writing.once(*row, "record_no", &given.record_no)?;
            let Some(stored) = stored.get(&given.record_no) else {
                let context = given.context.onto(ServiceContext::default());
                let service = self.service(tx, writing, (*row, given, context), &sme_days)?;
                new.push((*row, service));
                continue;
            };
            let differences = self.differences(tx, given, stored)?;
            if !differences.is_empty() {
                let context = given.context.onto(stored.record.context());
                let service = self.service(tx, writing, (*row, given, context), &sme_days)?;
                for (by, on) in touched(stored) {
                    writing.at(*row, &[], self.refuse_locked(tx, by, on))?;
                }
                correct(tx, writing, (*row, &service), stored, &differences)?;
                writing.changed(*row, &given.record_no, differences);
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
        (row, given, context): (u32, &ProvinceUsage, ServiceContext),
        sme_days: &BTreeMap<OrganizationId, SmeDays>,
    ) -> Result<NewService, AppError> {
        let ended_on = given.slot.ends_at().local_date();
        writing.at(row, &["ended_at"], self.refuse_locked(tx, None, ended_on))?;
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
        let by_date = [
            ("paid_on", IncomeBy::PaidOn, given.paid_on),
            ("invoiced_on", IncomeBy::InvoicedOn, given.invoiced_on),
        ];
        for (column, by, on) in by_date {
            if let Some(on) = on {
                writing.at(row, &[column], self.refuse_locked(tx, Some(by), on))?;
            }
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
                service_class: context.service_class,
                project: context.project,
                project_level: context.project_level,
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

    /// New usage (`None`) and money by a date never enter days that a final run counted; each day is asked about once.
    fn refuse_locked(
        &mut self,
        tx: &mut Conn,
        by: Option<IncomeBy>,
        on: NaiveDate,
    ) -> Result<(), AppError> {
        if !self.known_before.contains(&(by, on)) {
            match by {
                Some(by) => yearly_run::refuse_locked_money(tx, &[(by, on)])?,
                None => yearly_run::refuse_locked(tx, &[on])?,
            }
            self.known_before.insert((by, on));
        }
        Ok(())
    }

    /// What a row says otherwise than its stored service.
    fn differences(
        &self,
        tx: &mut Conn,
        given: &ProvinceUsage,
        stored: &StoredService,
    ) -> Result<Differences, AppError> {
        let record = &stored.record;
        let mut found = Differences::default();
        let host = self.organizations.get(&given.host_uscc);
        let key = host.map(|host| (host.id, given.asset_no.folded()));
        let instrument = key.and_then(|key| self.instruments.get(&key));
        if instrument.map(|listed| listed.id) != Some(record.instrument_id) {
            let stored = store::instrument::get(tx, record.instrument_id)?;
            let before = stored.facts.asset_no.as_str().into();
            found.push("asset_no", before, given.asset_no.as_str().into());
        }
        let user = self.organizations.get(&given.user_uscc);
        if user.map(|user| user.id) != Some(record.organization_id) {
            let stored = store::organization::get(tx, record.organization_id)?;
            let before = stored.uscc.as_str().into();
            found.push("user_uscc", before, given.user_uscc.as_str().into());
        }
        found.see("mode", &record.mode, &given.mode);
        found.see("purpose", &record.purpose, &given.purpose);
        found.see("started_at", &record.started_at, &given.slot.starts_at());
        found.see("ended_at", &record.ended_at, &given.slot.ends_at());
        for (column, before, after) in [
            (
                "prepare_minutes",
                record.prepare_minutes,
                given.prepare_minutes,
            ),
            ("run_minutes", record.run_minutes, given.run_minutes),
            ("post_minutes", record.post_minutes, given.post_minutes),
        ] {
            found.see(column, &before, &after);
        }
        found.see("samples", &record.samples, &i64::from(given.samples));
        found.see("statutory", &record.statutory, &given.statutory);
        see_context(&mut found, record.context(), &given.context);
        found.see("evidence", &record.evidence, &given.evidence);
        found.see("status", &record.state, &given.state);
        see_money(&mut found, given, stored);
        found.see("satisfaction", &stored.satisfaction, &given.satisfaction);
        Ok(found)
    }
}

fn see_context(found: &mut Differences, before: ServiceContext, change: &ContextChange) {
    let after = change.onto(before.clone());
    found.see("service_class", &before.service_class, &after.service_class);
    found.see("project", &before.project, &after.project);
    found.see("project_level", &before.project_level, &after.project_level);
}

fn see_money(found: &mut Differences, given: &ProvinceUsage, stored: &StoredService) {
    found.see("fee_fen", &stored.amount_fen, &given.fee_fen);
    if given.fee_fen != Fen::ZERO {
        let number = given.invoice_no.as_deref();
        let number = number.and_then(|text| InvoiceNo::parse(text).ok());
        let number = number.map(|number| number.as_str().to_owned());
        let (before_no, before_on) = stored.invoice.clone().unzip();
        let given_on = given.invoiced_on.filter(|_| number.is_some());
        found.see("invoice_no", &before_no, &number);
        found.see("invoiced_on", &before_on, &given_on);
    }
    let paid = payments(given).unwrap_or_default();
    if stored.payments == paid {
        // Of what nobody has paid, the file alone tells the voucher's part.
        if paid.is_empty() && given.fee_fen != Fen::ZERO {
            found.see("voucher_fen", &stored.voucher_fen, &given.voucher_fen);
        }
        return;
    }
    let first = |lines: &[(NaiveDate, PaymentSource, Fen)]| lines.first().map(|line| line.0);
    let vouchers = |lines: &[(NaiveDate, PaymentSource, Fen)]| -> Vec<Fen> {
        let paid = lines.iter();
        let paid = paid.filter(|(_, source, _)| *source == PaymentSource::Voucher);
        paid.map(|(.., amount)| *amount).collect()
    };
    found.see("voucher_fen", &vouchers(&stored.payments), &vouchers(&paid));
    found.see("paid_on", &first(&stored.payments), &first(&paid));
    if !found.has(&["voucher_fen", "paid_on", "fee_fen"]) {
        let told = |lines| serde_json::to_value(lines).unwrap_or_default();
        found.push("paid_on", told(&stored.payments), told(&paid));
    }
}

/// The days on which a stored service and its money count.
fn touched(stored: &StoredService) -> Vec<(Option<IncomeBy>, NaiveDate)> {
    let payments = stored.payments.iter();
    let paid = payments.map(|(day, ..)| (Some(IncomeBy::PaidOn), *day));
    let invoice = stored.invoice.iter();
    let invoiced = invoice.map(|(_, day)| (Some(IncomeBy::InvoicedOn), *day));
    let served_on = stored.record.ended_at.local_date();
    let served = std::iter::once((None, served_on));
    served.chain(paid).chain(invoiced).collect()
}
