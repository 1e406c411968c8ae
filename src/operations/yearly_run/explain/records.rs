//! The records behind a metric, as they were at the freeze, with what each gave to it.

use std::collections::BTreeMap;

use super::{Choice, RecordShare};
use crate::domain::charge::PaymentSource;
use crate::domain::evaluation::{Judge, RecordEffect, Relation, Relations, UsageGroupKey};
use crate::domain::policy::{Award, Measure, RecordFilter, Tally};
use crate::domain::review::Satisfaction;
use crate::domain::subsidy::{LeftOut, reason_against};
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId, UsageRecordId};
use crate::error::AppError;
use crate::store::Conn;
use crate::store::usage::UsageRecord;
use crate::store::yearly_input::{self, Scope};

/// Which records a metric counts.
pub(super) enum Counted<'a> {
    Minutes(&'a RecordFilter),
    /// Records of the year, whether they have minutes or none.
    Records(&'a RecordFilter),
    Income(&'a RecordFilter),
    Answers,
}

impl<'a> Counted<'a> {
    /// `None`: the metric counts no records.
    pub(super) fn of(measure: &'a Measure) -> Option<Self> {
        match measure {
            Measure::Records(tally, filter) => Some(match tally {
                Tally::EffectiveMinutes
                | Tally::PrepareMinutes
                | Tally::RunMinutes
                | Tally::PostMinutes
                | Tally::Instruments => Self::Minutes(filter),
                Tally::Records | Tally::Samples | Tally::UsingUnits => Self::Records(filter),
                Tally::PayerIncome | Tally::VoucherIncome | Tally::Income => Self::Income(filter),
            }),
            Measure::Answers(_) => Some(Self::Answers),
            Measure::RatedMinutes(_)
            | Measure::DaysInService
            | Measure::OriginalValue
            | Measure::Instruments(_)
            | Measure::Count(_)
            | Measure::Reported(_)
            | Measure::Sum(_) => None,
        }
    }

    const fn filter(&self) -> Option<&'a RecordFilter> {
        match self {
            Self::Minutes(filter) | Self::Records(filter) | Self::Income(filter) => Some(filter),
            Self::Answers => None,
        }
    }
}

/// A class of records of one instrument.
type Class = (InstrumentId, UsageGroupKey);

/// The records of a unit's instruments.
pub(super) struct Records<'a> {
    pub scope: Scope,
    pub relations: Relations,
    pub host: OrganizationId,
    pub judge: Judge<'a>,
    /// Says why income is not in the base.
    pub award: Option<&'a Award>,
}

/// A page of records, and the id to go on after.
pub(super) type Page = (Vec<RecordShare>, Option<UsageRecordId>);

impl Records<'_> {
    pub(super) fn of(
        &self,
        conn: &mut Conn,
        counted: &Counted<'_>,
        choice: &Choice,
    ) -> Result<Page, AppError> {
        let step = i64::try_from(choice.limit.max(500) + 1).map_err(AppError::internal)?;
        let classes = self.classes(counted);
        let mut found: Vec<RecordShare> = Vec::new();
        let mut after = choice.after;
        loop {
            let rows = yearly_input::list_records(conn, &self.scope, self.host, after, step)?;
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

    /// The classes of the unit's counted instruments that a metric takes, each with the reason against its income.
    fn classes(&self, counted: &Counted<'_>) -> BTreeMap<Class, Option<LeftOut>> {
        let mut classes = BTreeMap::new();
        let Some(filter) = counted.filter() else {
            return classes;
        };
        let mut units = self.judge.inputs.units();
        let Some(host) = units.find(|unit| unit.organization_id == self.host) else {
            return classes;
        };
        for instrument in self.judge.counted(host) {
            for cell in &instrument.cells {
                let service = self.judge.service(host, instrument, cell);
                if self.judge.takes(filter, &service) {
                    let award = self.award;
                    let reason =
                        award.and_then(|award| reason_against(&self.judge, award, &service));
                    classes.insert((instrument.id, cell.key.clone()), reason);
                }
            }
        }
        classes
    }

    /// What confirmed records give to a metric; those that give nothing are left out.
    fn shares(
        &self,
        conn: &mut Conn,
        records: &[UsageRecord],
        counted: &Counted<'_>,
        classes: &BTreeMap<Class, Option<LeftOut>>,
    ) -> Result<Vec<RecordShare>, AppError> {
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let mut paid: BTreeMap<(UsageRecordId, PaymentSource), Fen> = BTreeMap::new();
        for row in yearly_input::list_income_of(conn, &self.scope, &ids)? {
            paid.insert((row.usage_record_id, row.source), row.amount_fen);
        }
        let answers = match counted {
            Counted::Answers => yearly_input::list_answers_of(conn, &self.scope, &ids)?,
            _ => BTreeMap::new(),
        };
        let confirmed = records.iter().filter(|record| {
            let is_excluded = self.effect(record) == Some(RecordEffect::Excluded);
            record.state == UsageState::Confirmed && !is_excluded
        });
        let shares = confirmed.filter_map(|record| {
            let paid = |source| paid.get(&(record.id, source)).copied().unwrap_or(Fen::ZERO);
            let mut share = self.share(record, answers.get(&record.id).copied());
            share.payer_fen = paid(PaymentSource::Payer);
            share.voucher_fen = paid(PaymentSource::Voucher);
            let class = classes.get(&(share.instrument_id, share.key.clone()));
            if let Counted::Income(_) = counted {
                share.left_out = class.copied().flatten();
            }
            let counts = match counted {
                Counted::Minutes(_) => class.is_some() && share.effective_minutes > Minutes::ZERO,
                Counted::Records(_) => class.is_some() && share.ended_in_year,
                Counted::Income(_) => {
                    class.is_some()
                        && (share.payer_fen > Fen::ZERO || share.voucher_fen > Fen::ZERO)
                }
                Counted::Answers => {
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

    fn share(&self, record: &UsageRecord, satisfaction: Option<Satisfaction>) -> RecordShare {
        let user = record.organization_id;
        let ended_in_year = self.scope.has_end(record.ended_at);
        let minutes = [
            record.prepare_minutes,
            record.run_minutes,
            record.post_minutes,
        ];
        let minutes: i64 = minutes.iter().map(|part| part.number()).sum();
        RecordShare {
            usage_record_id: record.id,
            version: record.version,
            instrument_id: record.instrument_id,
            organization_id: user,
            key: UsageGroupKey {
                using_unit_id: user,
                relation: self.relations.at(self.host, user, record.ended_at),
                evidence: match self.effect(record) {
                    Some(RecordEffect::Manual) => Evidence::Manual,
                    _ => record.evidence,
                },
                statutory: record.statutory,
                detail: None,
            },
            ended_in_year,
            effective_minutes: Minutes::new(if ended_in_year { minutes } else { 0 }),
            payer_fen: Fen::ZERO,
            voucher_fen: Fen::ZERO,
            left_out: None,
            satisfaction,
        }
    }
}
