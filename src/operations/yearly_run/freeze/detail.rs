//! Cells of usage and income for packs that ask more of a service than its class: purpose, mode, what the using unit was certified
//! as on the day, or each record for itself. Records are read one by one, so nothing is asked of pairs whose relation changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Freeze;
use super::service::{Hosts, Services, host_of, income, passes, usage};
use crate::domain::certification::Certification;
use crate::domain::evaluation::{
    RecordEffect, RecordFacts, Relation, ServiceDetail, UsageGroup, UsageGroupKey, UsageTotals,
};
use crate::domain::policy::Grain;
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{Fen, OrganizationId, UsageRecordId};
use crate::error::AppError;
use crate::store::usage::UsageRecord;
use crate::store::yearly_input::{self, RecordIncome};
use crate::store::{self, Conn};

/// What was ever certified of units, each read once.
type Certified = BTreeMap<OrganizationId, Vec<Certification>>;

/// What is read of records besides themselves.
struct Reading<'a> {
    hosts: &'a Hosts,
    grain: Grain,
    certified: Certified,
    services: Services,
}

impl Freeze<'_> {
    pub(super) fn service_in_detail(
        &self,
        conn: &mut Conn,
        hosts: &Hosts,
        grain: Grain,
    ) -> Result<Services, AppError> {
        let mut reading = Reading {
            hosts,
            grain,
            certified: Certified::new(),
            services: Services::default(),
        };
        yearly_input::each_record(conn, self.scope, |conn, records| {
            self.take(conn, records, &mut reading)
        })?;
        let replaced = yearly_input::list_replaced(conn, self.scope)?;
        let mut rest = replaced.into_iter().peekable();
        while rest.peek().is_some() {
            let some: Vec<UsageRecord> = rest.by_ref().take(1_000).collect();
            self.take(conn, some, &mut reading)?;
        }
        self.take_answers(conn, &mut reading)?;
        let mut services = reading.services;
        let changing = self.relations.changing(&self.scope.period);
        for pairs in passes(&changing) {
            self.add_answers(conn, hosts, &self.scope.period, pairs, &mut services)?;
        }
        Ok(services)
    }

    fn take(
        &self,
        conn: &mut Conn,
        records: Vec<UsageRecord>,
        reading: &mut Reading<'_>,
    ) -> Result<(), AppError> {
        let ids: Vec<UsageRecordId> = records.iter().map(|record| record.id).collect();
        let mut paid: BTreeMap<UsageRecordId, Vec<RecordIncome>> = BTreeMap::new();
        for row in yearly_input::list_income_of(conn, self.scope, &ids)? {
            paid.entry(row.usage_record_id).or_default().push(row);
        }
        reading.certify(conn, &records)?;
        for record in records {
            if record.state != UsageState::Confirmed {
                continue;
            }
            let evidence = match self.effects.records.get(&record.id) {
                Some(RecordEffect::Excluded) => continue,
                Some(RecordEffect::Manual) => Evidence::Manual,
                None => record.evidence,
            };
            let paid = paid.remove(&record.id).unwrap_or_default();
            let mut service = UsageTotals::default();
            if self.scope.has_end(record.ended_at) {
                service = usage(&record)?;
            }
            for row in &paid {
                let part = income(row.source, row.amount_fen);
                service.payer_fen = sum(service.payer_fen, part.payer_fen)?;
                service.voucher_fen = sum(service.voucher_fen, part.voucher_fen)?;
            }
            if service == UsageTotals::default() {
                continue;
            }
            let host = host_of(reading.hosts, record.instrument_id)?;
            let user = record.organization_id;
            let key = UsageGroupKey {
                using_unit_id: user,
                relation: self.relations.at(host, user, record.ended_at),
                evidence,
                statutory: record.statutory,
                detail: Some(Arc::new(reading.detail(&record, &paid))),
            };
            let cell = (record.instrument_id, UsageGroup { key, service });
            reading.services.cells.push(cell);
        }
        Ok(())
    }

    /// Answers in records that are not read with all others: replaced since the freeze, or of evidence that a finding makes manual.
    fn take_answers(&self, conn: &mut Conn, reading: &mut Reading<'_>) -> Result<(), AppError> {
        let replaced = self.replaced(conn)?.into_iter();
        for record in replaced.chain(self.of_manual_evidence(conn)?) {
            let host = host_of(reading.hosts, record.instrument_id)?;
            let user = record.organization_id;
            let is_external = self.relations.at(host, user, record.ended_at) == Relation::External;
            if record.state != UsageState::Confirmed
                || !self.scope.has_end(record.ended_at)
                || !is_external
            {
                continue;
            }
            if let Some(level) = yearly_input::find_answer(conn, self.scope, record.id)? {
                reading.services.answer(host, level, 1);
            }
        }
        Ok(())
    }
}

impl Reading<'_> {
    /// Reads what the using units of these records were ever certified as.
    fn certify(&mut self, conn: &mut Conn, records: &[UsageRecord]) -> Result<(), AppError> {
        let users = records.iter().map(|record| record.organization_id);
        let mut unread: Vec<OrganizationId> = users
            .filter(|id| !self.certified.contains_key(id))
            .collect();
        unread.sort_unstable();
        unread.dedup();
        let mut found: Certified = store::certification::list_of(conn, &unread)?
            .into_iter()
            .collect();
        for id in unread {
            let own = found.remove(&id).unwrap_or_default();
            self.certified.insert(id, own);
        }
        Ok(())
    }

    fn detail(&self, record: &UsageRecord, paid: &[RecordIncome]) -> ServiceDetail {
        // A record belongs to the day of its last moment: what ends at midnight to the day before.
        let ended_on = record.ended_at.plus_seconds(-1).local_date();
        let own = self.certified.get(&record.organization_id);
        let held = own.into_iter().flatten().filter(|one| {
            one.valid_from_on.is_none_or(|from| from <= ended_on)
                && one.valid_until_on.is_none_or(|until| ended_on <= until)
        });
        let number = || format!("{:020}", record.id.number());
        let facts = self.grain.record.then(|| RecordFacts {
            paid_on: paid.iter().map(|row| row.paid_on).min(),
            ended_on,
            record_no: record.record_no.clone().unwrap_or_else(number),
        });
        let is_asked = self.grain.detail;
        ServiceDetail {
            purpose: is_asked.then_some(record.purpose),
            mode: is_asked.then_some(record.mode),
            certifications: held.map(|one| one.certification.to_string()).collect(),
            record: facts,
            ..ServiceDetail::default()
        }
    }
}

fn sum(one: Fen, other: Fen) -> Result<Fen, AppError> {
    one.checked_add(other).map_err(AppError::internal)
}
