//! Cells of usage and income, and the answers of customers. Pairs whose relation changed are read moment by moment.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Freeze;
use super::detail::Details;
use crate::domain::charge::PaymentSource;
use crate::domain::evaluation::{RecordEffect, Relation, UsageGroup, UsageGroupKey, UsageTotals};
use crate::domain::review::Satisfaction;
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{Fen, Instant, InstrumentId, Minutes, OrganizationId, Slot};
use crate::error::AppError;
use crate::store::Conn;
use crate::store::usage::UsageRecord;
use crate::store::yearly_input::{self, Pair, RecordClass};

/// Answers of external customers by unit.
pub(super) type Answers = BTreeMap<OrganizationId, BTreeMap<Satisfaction, i64>>;

/// What was served in the year, or paid in it.
#[derive(Default)]
pub(super) struct Services {
    pub cells: Vec<(InstrumentId, UsageGroup)>,
    pub answers: Answers,
}

impl Services {
    pub(super) fn add(&mut self, class: &RecordClass, relation: Relation, service: UsageTotals) {
        let key = UsageGroupKey {
            using_unit_id: class.organization_id,
            relation,
            evidence: class.evidence,
            statutory: class.statutory,
            detail: None,
        };
        self.cells
            .push((class.instrument_id, UsageGroup { key, service }));
    }

    pub(super) fn answer(&mut self, host: OrganizationId, level: Satisfaction, count: i64) {
        *self
            .answers
            .entry(host)
            .or_default()
            .entry(level)
            .or_default() += count;
    }
}

pub(super) type Hosts = BTreeMap<InstrumentId, OrganizationId>;

impl Freeze<'_> {
    /// As fine as a pack asks.
    pub(super) fn services(
        &self,
        conn: &mut Conn,
        hosts: &Hosts,
        details: Details<'_>,
    ) -> Result<Services, AppError> {
        match details.are_asked() {
            true => self.service_in_detail(conn, hosts, details),
            false => self.service(conn, hosts),
        }
    }

    fn service(&self, conn: &mut Conn, hosts: &Hosts) -> Result<Services, AppError> {
        let mut services = Services::default();
        let year = self.scope.period;
        let changing = self.relations.changing(&year);
        for pairs in passes(&changing) {
            self.add_usage(conn, hosts, &year, pairs, &mut services)?;
            self.add_answers(conn, hosts, &year, pairs, &mut services)?;
        }
        // Income of the year may belong to a record of any other.
        let ever = self.ever()?;
        let changing = self.relations.changing(&ever);
        for pairs in passes(&changing) {
            self.add_income(conn, hosts, &ever, pairs, &mut services)?;
        }
        let replaced = self.replaced(conn)?;
        self.add_each(conn, hosts, replaced, &mut services)?;
        let manual = self.of_manual_evidence(conn)?;
        self.add_each(conn, hosts, manual, &mut services)?;
        Ok(services)
    }

    /// From the first day a record can have to the later of the freeze and the year's end.
    pub(super) fn ever(&self) -> Result<Slot, AppError> {
        let first = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap_or(self.scope.first_on);
        let until = self
            .scope
            .period
            .ends_at()
            .max(self.scope.frozen_at.plus_seconds(1));
        Slot::new(Instant::at_midnight(first), until).map_err(AppError::internal)
    }

    /// What a class's using unit was to the host; `None` when this pass leaves it to another.
    fn relation(
        &self,
        hosts: &Hosts,
        class: &RecordClass,
        period: &Slot,
    ) -> Result<Option<Relation>, AppError> {
        let host = host_of(hosts, class.instrument_id)?;
        Ok(match class.ended_at {
            Some(ended_at) => Some(self.relations.at(host, class.organization_id, ended_at)),
            None => self
                .relations
                .throughout(host, class.organization_id, period),
        })
    }

    fn add_usage(
        &self,
        conn: &mut Conn,
        hosts: &Hosts,
        period: &Slot,
        pairs: Option<&[Pair]>,
        services: &mut Services,
    ) -> Result<(), AppError> {
        for group in yearly_input::list_usage(conn, self.scope, pairs, &self.apart)? {
            let service = UsageTotals {
                effective_minutes: group.effective_minutes,
                prepare_minutes: group.prepare_minutes,
                post_minutes: group.post_minutes,
                records: group.records,
                samples: group.samples,
                ..UsageTotals::default()
            };
            if let Some(relation) = self.relation(hosts, &group.class, period)? {
                services.add(&group.class, relation, service);
            }
        }
        Ok(())
    }

    fn add_income(
        &self,
        conn: &mut Conn,
        hosts: &Hosts,
        period: &Slot,
        pairs: Option<&[Pair]>,
        services: &mut Services,
    ) -> Result<(), AppError> {
        for group in yearly_input::list_income(conn, self.scope, pairs, &self.apart)? {
            let instrument = group.class.instrument_id;
            let amount = group.amount().ok_or_else(|| too_much(instrument))?;
            let service = income(group.source, amount);
            if let Some(relation) = self.relation(hosts, &group.class, period)? {
                services.add(&group.class, relation, service);
            }
        }
        Ok(())
    }

    pub(super) fn add_answers(
        &self,
        conn: &mut Conn,
        hosts: &Hosts,
        period: &Slot,
        pairs: Option<&[Pair]>,
        services: &mut Services,
    ) -> Result<(), AppError> {
        for group in yearly_input::list_answers(conn, self.scope, pairs, &self.apart)? {
            let host = host_of(hosts, group.instrument_id)?;
            let user = group.organization_id;
            let relation = match group.ended_at {
                Some(ended_at) => Some(self.relations.at(host, user, ended_at)),
                None => self.relations.throughout(host, user, period),
            };
            if relation == Some(Relation::External) {
                services.answer(host, group.satisfaction, group.answers);
            }
        }
        Ok(())
    }

    /// The versions that stood at the freeze and were replaced since, but of records on which a finding has an effect.
    pub(super) fn replaced(&self, conn: &mut Conn) -> Result<Vec<UsageRecord>, AppError> {
        let mut replaced = yearly_input::list_replaced(conn, self.scope)?;
        replaced.retain(|record| !self.effects.records.contains_key(&record.id));
        Ok(replaced)
    }

    /// The records whose evidence an upheld finding makes manual, as they stood at the freeze.
    pub(super) fn of_manual_evidence(&self, conn: &mut Conn) -> Result<Vec<UsageRecord>, AppError> {
        let effects = self.effects.records.iter();
        let manual = effects.filter(|(_, effect)| **effect == RecordEffect::Manual);
        let mut records = Vec::new();
        for (id, _) in manual {
            let record = yearly_input::get_record(conn, self.scope, *id)?;
            records.push(UsageRecord {
                evidence: Evidence::Manual,
                ..record
            });
        }
        Ok(records)
    }

    /// Confirmed records one by one.
    fn add_each(
        &self,
        conn: &mut Conn,
        hosts: &Hosts,
        records: Vec<UsageRecord>,
        services: &mut Services,
    ) -> Result<(), AppError> {
        let confirmed = |record: &UsageRecord| record.state == UsageState::Confirmed;
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let mut paid: BTreeMap<_, Vec<_>> = BTreeMap::new();
        // No list of ids becomes longer than the databases read.
        for some in ids.chunks(1_000) {
            for row in yearly_input::list_income_of(conn, self.scope, some)? {
                let of_record = paid.entry(row.usage_record_id).or_default();
                of_record.push((row.source, row.amount_fen));
            }
        }
        for record in records.into_iter().filter(confirmed) {
            let host = host_of(hosts, record.instrument_id)?;
            let user = record.organization_id;
            let relation = self.relations.at(host, user, record.ended_at);
            let class = RecordClass {
                instrument_id: record.instrument_id,
                organization_id: user,
                evidence: record.evidence,
                statutory: record.statutory,
                ended_at: Some(record.ended_at),
            };
            if self.scope.has_end(record.ended_at) {
                services.add(&class, relation, usage(&record)?);
                let answer = yearly_input::find_answer(conn, self.scope, record.id)?;
                if let Some(level) = answer.filter(|_| relation == Relation::External) {
                    services.answer(host, level, 1);
                }
            }
            let earned = paid.remove(&record.id).unwrap_or_default().into_iter();
            for (source, amount) in earned.filter(|_| self.scope.may_earn(record.ended_at)) {
                services.add(&class, relation, income(source, amount));
            }
        }
        Ok(())
    }
}

/// One pass over everybody, and where relations changed one more over all of those pairs.
pub(super) fn passes(changing: &[Pair]) -> impl Iterator<Item = Option<&[Pair]>> {
    let again = Some(changing).filter(|pairs| !pairs.is_empty());
    std::iter::once(None).chain(again.map(Some))
}

pub(super) fn host_of(hosts: &Hosts, instrument: InstrumentId) -> Result<OrganizationId, AppError> {
    let host = hosts.get(&instrument).copied();
    host.ok_or_else(|| AppError::internal(format!("instrument {instrument} has no version")))
}

pub(super) fn usage(record: &UsageRecord) -> Result<UsageTotals, AppError> {
    let minutes = record
        .prepare_minutes
        .checked_add(record.run_minutes)
        .and_then(|sum| sum.checked_add(record.post_minutes));
    Ok(UsageTotals {
        effective_minutes: minutes.map_err(AppError::internal)?,
        prepare_minutes: record.prepare_minutes,
        post_minutes: record.post_minutes,
        records: 1,
        samples: record.samples,
        ..UsageTotals::default()
    })
}

/// Why a run fails that no number holds the income of.
fn too_much(instrument: InstrumentId) -> AppError {
    AppError::internal(format!(
        "what one unit paid in the year for instrument {instrument} is more than 64 bits of fen; correct its charges"
    ))
}

pub(super) fn income(source: PaymentSource, amount: Fen) -> UsageTotals {
    let mut service = UsageTotals {
        effective_minutes: Minutes::ZERO,
        ..UsageTotals::default()
    };
    match source {
        PaymentSource::Payer => service.payer_fen = amount,
        PaymentSource::Voucher => service.voucher_fen = amount,
    }
    service
}
