//! Cells of usage and income for packs that ask more of a service than its class: purpose, mode, project, what the using unit was certified
//! as on the day, or each record for itself. Records are read one by one, so nothing is asked of pairs whose relation changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;

use super::Freeze;
use super::service::{Hosts, Services, host_of, income, passes, usage};
use crate::domain::evaluation::{
    Certified, CertifiedDays, Inputs, RecordEffect, RecordFacts, Relation, ServiceDetail,
    UsageGroup, UsageGroupKey, UsageTotals,
};
use crate::domain::policy::Grain;
use crate::domain::usage::{Evidence, ServiceContext, UsageState};
use crate::domain::{Fen, OrganizationId, UsageRecordId};
use crate::error::AppError;
use crate::store::usage::UsageRecord;
use crate::store::yearly_input::{self, RecordIncome};
use crate::store::{self, Conn};

/// Gives services their finer facts, as a pack asks them.
pub struct Details<'a> {
    grain: Grain,
    /// As it was frozen; `None`: it is read.
    frozen: Option<&'a Certified>,
    /// What was ever certified of units, each read once.
    read: Certified,
}

/// What is read of records besides themselves.
struct Reading<'a> {
    hosts: &'a Hosts,
    details: Details<'a>,
    services: Services,
}

impl Freeze<'_> {
    pub(super) fn service_in_detail(
        &self,
        conn: &mut Conn,
        hosts: &Hosts,
        details: Details<'_>,
    ) -> Result<Services, AppError> {
        let mut reading = Reading {
            hosts,
            details,
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
        reading.details.certify(conn, &records)?;
        for record in records {
            if record.state != UsageState::Confirmed {
                continue;
            }
            let evidence = match self.effects.records.get(&record.id) {
                Some(RecordEffect::Excluded) => continue,
                Some(RecordEffect::Manual) => Evidence::Manual,
                None => record.evidence,
            };
            let mut paid = paid.remove(&record.id).unwrap_or_default();
            paid.retain(|_| self.scope.may_earn(record.ended_at));
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
                detail: reading.details.of(&record, &paid),
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

impl<'a> Details<'a> {
    pub const fn new(grain: Grain, frozen: Option<&'a Certified>) -> Self {
        Self {
            grain,
            frozen,
            read: Certified::new(),
        }
    }

    /// Whether there are any.
    pub fn are_asked(&self) -> bool {
        !self.grain.is_by_class()
    }

    /// Reads what the using units of these records were ever certified as, where it was not frozen.
    pub fn certify(&mut self, conn: &mut Conn, records: &[UsageRecord]) -> Result<(), AppError> {
        if self.frozen.is_some() {
            return Ok(());
        }
        let users = records.iter().map(|record| record.organization_id);
        let mut unread: Vec<OrganizationId> =
            users.filter(|id| !self.read.contains_key(id)).collect();
        unread.sort_unstable();
        unread.dedup();
        let mut found = certified_of(conn, &unread)?;
        for id in unread {
            let own = found.remove(&id).unwrap_or_default();
            self.read.insert(id, own);
        }
        Ok(())
    }

    /// The finer facts of a record with what was paid for it in the year; none where they are not asked.
    pub fn of(&self, record: &UsageRecord, paid: &[RecordIncome]) -> Option<Arc<ServiceDetail>> {
        let detail = || Arc::new(self.detail(record, paid));
        self.are_asked().then(detail)
    }

    fn detail(&self, record: &UsageRecord, paid: &[RecordIncome]) -> ServiceDetail {
        // A record belongs to the day of its last moment: what ends at midnight to the day before.
        let ended_on = record.ended_at.plus_seconds(-1).local_date();
        let certified = self.frozen.unwrap_or(&self.read);
        let own = certified.get(&record.organization_id);
        let held = own
            .into_iter()
            .flatten()
            .filter(|one| one.holds_on(ended_on));
        let number = || format!("{:020}", record.id.number());
        let facts = self.grain.record.then(|| RecordFacts {
            paid_on: paid.iter().filter_map(|row| row.paid_on).min(),
            ended_on,
            record_no: record.record_no.clone().unwrap_or_else(number),
        });
        let is_asked = self.grain.detail;
        let context = match is_asked {
            true => record.context(),
            false => ServiceContext::default(),
        };
        ServiceDetail {
            purpose: is_asked.then_some(record.purpose),
            mode: is_asked.then_some(record.mode),
            service_class: context.service_class,
            project: context.project,
            project_level: context.project_level,
            certifications: held.map(|one| one.certification.to_string()).collect(),
            record: facts,
        }
    }
}

/// What these organizations were ever certified as; who never was stands not among them.
pub(super) fn certified_of(
    conn: &mut Conn,
    organizations: &[OrganizationId],
) -> Result<Certified, AppError> {
    let all = store::certification::list_of(conn, organizations)?.into_iter();
    Ok(all
        .map(|(id, own)| (id, own.into_iter().map(CertifiedDays::from).collect()))
        .collect())
}

/// The days of a certification, both included; an absent one is open.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct HeldDays {
    pub from_on: Option<NaiveDate>,
    pub until_on: Option<NaiveDate>,
}

/// A certification that a using unit holds on other days than was frozen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ChangedCertification {
    pub organization_id: OrganizationId,
    pub certification: String,
    pub frozen: Vec<HeldDays>,
    pub present: Vec<HeldDays>,
}

/// The certifications of using units that are not those that were frozen.
pub fn changed_certifications(
    conn: &mut Conn,
    inputs: Option<&Inputs>,
) -> Result<Vec<ChangedCertification>, AppError> {
    let Some((inputs, frozen)) = inputs.and_then(|inputs| Some((inputs, inputs.certified()?)))
    else {
        return Ok(Vec::new());
    };
    let users = inputs.using_units().map(|user| user.organization_id);
    let users: Vec<OrganizationId> = users.collect();
    let present = certified_of(conn, &users)?;
    let (nothing, mut changed) = (BTreeSet::new(), Vec::new());
    for id in users {
        let [then, now] = [frozen, &present].map(|all| all.get(&id).unwrap_or(&nothing));
        let names: BTreeSet<&str> = then
            .symmetric_difference(now)
            .map(|one| one.certification.as_str())
            .collect();
        changed.extend(names.into_iter().map(|name| ChangedCertification {
            organization_id: id,
            certification: name.to_owned(),
            frozen: days_of(then, name),
            present: days_of(now, name),
        }));
    }
    Ok(changed)
}

fn days_of(held: &BTreeSet<CertifiedDays>, name: &str) -> Vec<HeldDays> {
    let of_name = held.iter().filter(|one| one.certification == name);
    let days = of_name.map(|one| HeldDays {
        from_on: one.from_on,
        until_on: one.until_on,
    });
    days.collect()
}

fn sum(one: Fen, other: Fen) -> Result<Fen, AppError> {
    one.checked_add(other).map_err(AppError::internal)
}
