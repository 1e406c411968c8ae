//! The records behind a metric, as they were at the freeze, with what each gave to it.

use std::collections::BTreeMap;

use super::{Choice, RecordShare};
use crate::domain::charge::PaymentSource;
use crate::domain::evaluation::{
    GradesGiven, Judge, RecordEffect, Relation, Relations, UsageGroupKey,
};
use crate::domain::policy::{Award, Measure, RecordFilter, Tally};
use crate::domain::review::Satisfaction;
use crate::domain::subsidy::{LeftOut, reason_against, subject_of};
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId, UsageRecordId};
use crate::error::AppError;
use crate::operations::yearly_run::freeze::Details;
use crate::store::Conn;
use crate::store::usage::UsageRecord;
use crate::store::yearly_input::{self, RecordIncome, Scope, Side};

/// What of a record a metric asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Minutes,
    /// Records of the year, whether they have minutes or none.
    Records,
    Income,
    /// A weighted sum of several of these: any of them.
    Any,
    Answers,
}

/// Which records a metric counts: those that one of the filters takes.
pub(super) struct Counted<'a> {
    asked: Asked,
    filters: Vec<&'a RecordFilter>,
}

impl<'a> Counted<'a> {
    /// `None`: the metric counts no records.
    pub(super) fn of(measure: &'a Measure) -> Option<Self> {
        let (asked, filters) = match measure {
            Measure::Records(tally, filter) => {
                let asked = match tally {
                    Tally::EffectiveMinutes
                    | Tally::PrepareMinutes
                    | Tally::RunMinutes
                    | Tally::PostMinutes
                    | Tally::Instruments => Asked::Minutes,
                    Tally::Records | Tally::Samples | Tally::UsingUnits => Asked::Records,
                    Tally::PayerIncome | Tally::VoucherIncome | Tally::Income => Asked::Income,
                };
                (asked, vec![filter])
            }
            Measure::Answers(_) => (Asked::Answers, Vec::new()),
            Measure::Sum(parts) => {
                let parts: Option<Vec<Self>> =
                    parts.iter().map(|(_, part)| Self::of(part)).collect();
                let parts = parts?;
                let first = parts.first()?.asked;
                let is_one_kind = parts.iter().all(|part| part.asked == first);
                let filters = parts.into_iter().flat_map(|part| part.filters);
                (
                    if is_one_kind { first } else { Asked::Any },
                    filters.collect(),
                )
            }
            Measure::RatedMinutes(_)
            | Measure::DaysInService
            | Measure::OriginalValue
            | Measure::Instruments(_)
            | Measure::Count(_)
            | Measure::Reported(_) => return None,
        };
        Some(Self { asked, filters })
    }
}

/// A class of records of one instrument.
type Class = (InstrumentId, UsageGroupKey);

/// What records and charges are looked at with, and by what award their money is judged.
pub(super) struct Terms<'a> {
    pub scope: Scope,
    pub relations: Relations,
    pub grades: &'a GradesGiven,
    /// `None`: the policy pays nothing.
    pub award: Option<&'a Award>,
}

/// The records of a host's instruments, or of a using unit.
pub(super) struct Records<'a> {
    pub side: Side,
    terms: &'a Terms<'a>,
    pub judge: Judge<'a>,
    details: Details<'a>,
    hosts: BTreeMap<InstrumentId, OrganizationId>,
}

/// A page of records, and the id to go on after.
pub(super) type Page = (Vec<RecordShare>, Option<UsageRecordId>);

impl<'a> Records<'a> {
    pub(super) fn new(
        terms: &'a Terms<'a>,
        side: Side,
        judge: Judge<'a>,
        details: Details<'a>,
    ) -> Self {
        let units = judge.inputs.units();
        let hosts = units.flat_map(|host| {
            let instruments = host.instruments.iter();
            instruments.map(|one| (one.id, host.organization_id))
        });
        Self {
            side,
            terms,
            hosts: hosts.collect(),
            judge,
            details,
        }
    }

    pub(super) fn of(
        &mut self,
        conn: &mut Conn,
        counted: &Counted<'_>,
        choice: &Choice,
    ) -> Result<Page, AppError> {
        let step = i64::try_from(choice.limit.max(500) + 1).map_err(AppError::internal)?;
        let (scope, side) = (&self.terms.scope, self.side);
        let classes = self.classes(counted);
        let mut found: Vec<RecordShare> = Vec::new();
        let mut after = choice.after;
        loop {
            let rows = yearly_input::list_records(conn, scope, side, after, step)?;
            let Some(last) = rows.last().map(|record| record.id) else {
                return Ok((found, None));
            };
            for share in self.shares(conn, &rows, counted, &classes)? {
                if found.len() == choice.limit {
                    let next = found.last().map(|share| share.usage_record_id);
                    return Ok((found, next));
                }
                found.push(share);
            }
            after = Some(last);
        }
    }

    /// The classes of counted instruments that a metric takes, each with the reason against its income.
    fn classes(&self, counted: &Counted<'_>) -> BTreeMap<Class, Option<LeftOut>> {
        let mut classes = BTreeMap::new();
        let (side, grades) = (self.side, self.terms.grades);
        let hosts = self.judge.hosts().filter(|host| match side {
            Side::Host(id) => host.organization_id == id,
            Side::User(_) => true,
        });
        for host in hosts {
            for instrument in self.judge.counted(host) {
                for cell in &instrument.cells {
                    let is_own = match side {
                        Side::Host(_) => true,
                        Side::User(id) => cell.key.using_unit_id == id,
                    };
                    let service = self.judge.service(host, instrument, cell);
                    let mut filters = counted.filters.iter();
                    if !is_own || !filters.any(|filter| self.judge.takes(filter, &service)) {
                        continue;
                    }
                    let reason = self.terms.award.and_then(|award| {
                        let cell = Some(cell);
                        let paid = subject_of(&self.judge, grades, award, host, instrument, cell);
                        reason_against(&self.judge, award, &paid)
                    });
                    classes.insert((instrument.id, cell.key.clone()), reason);
                }
            }
        }
        classes
    }

    /// What confirmed records give to a metric; those that give nothing are left out.
    fn shares(
        &mut self,
        conn: &mut Conn,
        records: &[UsageRecord],
        counted: &Counted<'_>,
        classes: &BTreeMap<Class, Option<LeftOut>>,
    ) -> Result<Vec<RecordShare>, AppError> {
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let mut paid: BTreeMap<UsageRecordId, Vec<RecordIncome>> = BTreeMap::new();
        for row in yearly_input::list_income_of(conn, &self.terms.scope, &ids)? {
            paid.entry(row.usage_record_id).or_default().push(row);
        }
        let answers = match counted.asked {
            Asked::Answers => yearly_input::list_answers_of(conn, &self.terms.scope, &ids)?,
            _ => BTreeMap::new(),
        };
        if self.details.are_asked() {
            self.details.certify(conn, records)?;
        }
        let confirmed = records.iter().filter(|record| {
            let is_excluded = self.effect(record) == Some(RecordEffect::Excluded);
            let is_own = match self.side {
                Side::Host(_) => true,
                Side::User(id) => record.organization_id == id,
            };
            record.state == UsageState::Confirmed && !is_excluded && is_own
        });
        let shares = confirmed.filter_map(|record| {
            let paid = paid.get(&record.id);
            let paid = paid.filter(|_| self.terms.scope.may_earn(record.ended_at));
            let paid = paid.map_or(&[][..], Vec::as_slice);
            let share = self.share(record, answers.get(&record.id).copied(), paid);
            let mut share = share?;
            let class = classes.get(&(share.instrument_id, share.key.clone()));
            let is_paid = share.payer_fen > Fen::ZERO || share.voucher_fen > Fen::ZERO;
            if matches!(counted.asked, Asked::Income | Asked::Any) {
                share.left_out = class.copied().flatten();
            }
            let counts = match counted.asked {
                Asked::Minutes => class.is_some() && share.effective_minutes > Minutes::ZERO,
                Asked::Records => class.is_some() && share.ended_in_year,
                Asked::Income => class.is_some() && is_paid,
                Asked::Any => class.is_some() && (share.ended_in_year || is_paid),
                Asked::Answers => {
                    let external = share.key.relation == Relation::External;
                    external && share.ended_in_year && share.satisfaction.is_some()
                }
            };
            counts.then_some(share)
        });
        Ok(shares.collect())
    }

    /// What an upheld finding did to a record at the freeze.
    fn effect(&self, record: &UsageRecord) -> Option<RecordEffect> {
        let effects = &self.judge.inputs.effects().records;
        effects.get(&record.id).copied()
    }

    /// `None`: of an instrument that was not frozen.
    fn share(
        &self,
        record: &UsageRecord,
        satisfaction: Option<Satisfaction>,
        paid: &[RecordIncome],
    ) -> Option<RecordShare> {
        let user = record.organization_id;
        let host = *self.hosts.get(&record.instrument_id)?;
        let by = |source: PaymentSource| {
            let rows = paid.iter().filter(|row| row.source == source);
            rows.fold(Fen::ZERO, |sum, row| {
                Fen::new(sum.number().saturating_add(row.amount_fen.number()))
            })
        };
        let ended_in_year = self.terms.scope.has_end(record.ended_at);
        let minutes = [
            record.prepare_minutes,
            record.run_minutes,
            record.post_minutes,
        ];
        let minutes: i64 = minutes.iter().map(|part| part.number()).sum();
        Some(RecordShare {
            usage_record_id: record.id,
            version: record.version,
            instrument_id: record.instrument_id,
            organization_id: user,
            key: UsageGroupKey {
                using_unit_id: user,
                relation: self.terms.relations.at(host, user, record.ended_at),
                evidence: match self.effect(record) {
                    Some(RecordEffect::Manual) => Evidence::Manual,
                    _ => record.evidence,
                },
                statutory: record.statutory,
                detail: self.details.of(record, paid),
            },
            ended_in_year,
            effective_minutes: Minutes::new(if ended_in_year { minutes } else { 0 }),
            payer_fen: by(PaymentSource::Payer),
            voucher_fen: by(PaymentSource::Voucher),
            left_out: None,
            satisfaction,
        })
    }
}
