//! How an award came about: the chain of steps with their operands, the scores behind the grade, and for each metric the
//! records it was counted from, as they were at the freeze.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::domain::charge::PaymentSource;
use crate::domain::evaluation::{Cell, CellKey, Inputs, Relations, ScoreExplanation, Unit};
use crate::domain::policy::{Measure, Policy, RecordFilter};
use crate::domain::usage::UsageState;
use crate::domain::{
    AwardId, Fen, InstrumentId, Minutes, OrganizationId, SubsidyRunId, UsageRecordId, Uscc,
};
use crate::error::{AppError, Code, Fault, closest};
use crate::operations::{evaluation as evaluations, policy};
use crate::store::subsidy::{Award, Step};
use crate::store::usage::UsageRecord;
use crate::store::yearly_input::{self, Scope};
use crate::store::{self, Conn};

use super::{evaluation_of, refuse_unfinished};

/// A record behind a metric, at the version that was frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordShare {
    pub usage_record_id: UsageRecordId,
    pub version: i64,
    pub instrument_id: InstrumentId,
    pub organization_id: OrganizationId,
    pub key: CellKey,
    pub effective_minutes: Minutes,
    /// Paid in the year by the payer; the voucher's part is not in it.
    pub payer_fen: Fen,
}

/// The records behind one metric, in order of ids; `next` is the id to go on after.
#[derive(Debug, Clone)]
pub struct MetricRecords {
    pub metric: String,
    pub records: Vec<RecordShare>,
    pub next: Option<UsageRecordId>,
}

/// An award with everything that led to it.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub award: Award,
    pub total: String,
    pub place: i64,
    pub scores: Vec<ScoreExplanation>,
    pub steps: Vec<Step>,
    pub metrics: Vec<MetricRecords>,
}

/// Which records to list: of one metric, or the first of each.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    pub metric: Option<String>,
    pub after: Option<UsageRecordId>,
    pub limit: usize,
}

/// Explains an award of a run.
pub async fn explain(
    app: &App,
    run: SubsidyRunId,
    award: AwardId,
    choice: Choice,
) -> Result<Explanation, AppError> {
    app.store
        .read_snapshot(move |conn| {
            let award = store::subsidy::get_award(conn, run, award)?;
            explanation(conn, run, award, &choice)
        })
        .await
}

/// Explains the award of the unit with this code.
pub async fn explain_unit(
    app: &App,
    run: SubsidyRunId,
    uscc: Uscc,
    choice: Choice,
) -> Result<Explanation, AppError> {
    app.store
        .read_snapshot(move |conn| {
            let unit = store::organization::find_by_uscc(conn, &uscc)?;
            let unit = unit.ok_or(AppError::NotFound)?.id;
            let awards = store::subsidy::list_awards(conn, run)?;
            let mut awards = awards.into_iter();
            let award = awards.find(|award| award.organization_id == unit);
            explanation(conn, run, award.ok_or(AppError::NotFound)?, &choice)
        })
        .await
}

fn explanation(
    conn: &mut Conn,
    run: SubsidyRunId,
    award: Award,
    choice: &Choice,
) -> Result<Explanation, AppError> {
    let run = store::subsidy::get(conn, run)?;
    refuse_unfinished(&run)?;
    let row = evaluation_of(conn, &run)?;
    let (_, inputs) = evaluations::open(conn, &row)?;
    let pack = policy::open(&store::policy::get(conn, run.policy_id)?)?;
    let unit_id = award.organization_id;
    let mut units = store::evaluation::list_units(conn, row.id)?.into_iter();
    let graded = units.find(|unit| unit.organization_id == unit_id);
    let graded = graded.ok_or_else(|| AppError::internal("an award without an evaluation"))?;
    let scope = evaluations::scope_of(&row)?;
    let records = Records {
        relations: Relations::new(yearly_input::list_related(conn, &scope)?),
        scope,
        host: unit_id,
    };
    let mut metrics = Vec::new();
    for (metric, filter, is_income) in chosen(&pack, choice)? {
        let keys = keys(&inputs, unit_id, filter);
        metrics.push(records.of(conn, metric, &keys, is_income, choice)?);
    }
    Ok(Explanation {
        steps: store::subsidy::list_steps(conn, award.id)?,
        total: graded.total,
        place: graded.place,
        scores: graded.scores.into_inner(),
        award,
        metrics,
    })
}

/// The metrics that count records, or the one asked for: name, records, and whether it counts income.
fn chosen<'a>(
    pack: &'a Policy,
    choice: &Choice,
) -> Result<Vec<(&'a str, &'a RecordFilter, bool)>, AppError> {
    let counted = |measure: &'a Measure| match measure {
        Measure::EffectiveMinutes(filter)
        | Measure::UsingUnits(filter)
        | Measure::UsedInstruments(filter) => Some((filter, false)),
        Measure::PayerIncome(filter) => Some((filter, true)),
        Measure::RatedMinutes(_)
        | Measure::Instruments(_)
        | Measure::Count(_)
        | Measure::Answers(_) => None,
    };
    let all: Vec<_> = pack
        .metrics
        .iter()
        .filter_map(|(name, measure)| {
            let (filter, is_income) = counted(measure)?;
            Some((name.as_str(), filter, is_income))
        })
        .collect();
    let Some(wanted) = &choice.metric else {
        return Ok(all);
    };
    let names = all.iter().map(|(name, ..)| *name);
    let suggestion = closest(wanted, names);
    let found: Vec<_> = all
        .into_iter()
        .filter(|(name, ..)| name == wanted)
        .collect();
    if found.is_empty() {
        let fault = Fault::field("metric", Code::invalid_value).actual(wanted.as_str());
        return Err(AppError::Malformed(vec![fault.did_you_mean(suggestion)]));
    }
    Ok(found)
}

/// The classes of the unit's counted instruments that a metric takes.
fn keys(
    inputs: &Inputs,
    unit: OrganizationId,
    filter: &RecordFilter,
) -> BTreeSet<(InstrumentId, CellKey)> {
    let units = inputs.units().filter(|known| known.organization_id == unit);
    let instruments = units.flat_map(Unit::counted);
    instruments
        .flat_map(|instrument| {
            let cells = instrument.cells.iter();
            cells
                .filter(|cell: &&Cell| filter.takes(instrument, cell))
                .map(|cell| (instrument.id, cell.key))
        })
        .collect()
}

struct Records {
    scope: Scope,
    relations: Relations,
    host: OrganizationId,
}

impl Records {
    fn of(
        &self,
        conn: &mut Conn,
        metric: &str,
        keys: &BTreeSet<(InstrumentId, CellKey)>,
        is_income: bool,
        choice: &Choice,
    ) -> Result<MetricRecords, AppError> {
        let step = i64::try_from(choice.limit.max(500) + 1).map_err(AppError::internal)?;
        let mut found = MetricRecords {
            metric: metric.to_owned(),
            records: Vec::new(),
            next: None,
        };
        let mut after = choice.after;
        loop {
            let rows = yearly_input::list_records(conn, &self.scope, self.host, after, step)?;
            let Some(last) = rows.last().map(|record| record.id) else {
                return Ok(found);
            };
            let shares = self.shares(conn, &rows, keys, is_income)?;
            for share in shares {
                if found.records.len() == choice.limit {
                    found.next = found.records.last().map(|share| share.usage_record_id);
                    return Ok(found);
                }
                found.records.push(share);
            }
            after = Some(last);
        }
    }

    /// What confirmed records give to a metric whose classes these are; those that give nothing are left out.
    fn shares(
        &self,
        conn: &mut Conn,
        records: &[UsageRecord],
        keys: &BTreeSet<(InstrumentId, CellKey)>,
        is_income: bool,
    ) -> Result<Vec<RecordShare>, AppError> {
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let paid = yearly_input::list_income_of(conn, &self.scope, &ids)?;
        let by_payer = paid.iter().filter(|row| row.source == PaymentSource::Payer);
        let by_payer: BTreeMap<_, _> = by_payer
            .map(|row| (row.usage_record_id, row.amount_fen))
            .collect();
        let shares = records
            .iter()
            .filter(|record| record.state == UsageState::Confirmed)
            .map(|record| {
                let paid = by_payer.get(&record.id).copied();
                self.share(record, paid.unwrap_or(Fen::ZERO))
            })
            .filter(|share| keys.contains(&(share.instrument_id, share.key)))
            .filter(|share| match is_income {
                true => share.payer_fen > Fen::ZERO,
                false => share.effective_minutes > Minutes::ZERO,
            });
        Ok(shares.collect())
    }

    fn share(&self, record: &UsageRecord, payer_fen: Fen) -> RecordShare {
        let user = record.organization_id;
        let period = &self.scope.period;
        let in_year = period.starts_at() <= record.ended_at && record.ended_at < period.ends_at();
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
            key: CellKey {
                using_unit_id: user,
                relation: self.relations.at(self.host, user, record.ended_at),
                evidence: record.evidence,
                statutory: record.statutory,
            },
            effective_minutes: Minutes::new(if in_year { minutes } else { 0 }),
            payer_fen,
        }
    }
}
