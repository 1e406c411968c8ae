//! What runs, awards and their explanations look like. Names are those of the printed run.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::policy::Grade;
use crate::domain::run::RunState;
use crate::domain::{
    AwardId, EvaluationId, Fen, Instant, InstrumentId, Minutes, OrganizationId, PolicyId,
    SubsidyRunId, UsageRecordId, UserId,
};
use crate::error::AppError;
use crate::exchange::subsidy_json::{PrintedHost, PrintedInstrument};
use crate::http::evaluation::ScoreShape;
use crate::http::feed::Withdrawn;
use crate::operations::subsidy::explain::{Explanation, MetricRecords, RecordShare};
use crate::store::subsidy::{Award, Base, Run, Step};

/// A run. `factor` and `sum_before_pool_fen` are exact, as `p/q`.
#[derive(Serialize, ToSchema)]
pub struct RunShape {
    id: SubsidyRunId,
    year: i64,
    policy_id: PolicyId,
    policy_digest: String,
    evaluation_id: Option<EvaluationId>,
    budget_fen: Fen,
    status: RunState,
    /// Percent.
    progress: i64,
    failure: Option<String>,
    factor: Option<String>,
    sum_before_pool_fen: Option<String>,
    awarded_fen: Option<Fen>,
    unspent_fen: Option<Fen>,
    result_digest: Option<String>,
    created_by: Option<UserId>,
    published_by: Option<UserId>,
    finalized_by: Option<UserId>,
    published_at: Option<Instant>,
    finalized_at: Option<Instant>,
    created_at: Instant,
    updated_at: Instant,
}

impl From<Run> for RunShape {
    fn from(run: Run) -> Self {
        Self {
            id: run.id,
            year: run.year,
            policy_id: run.policy_id,
            policy_digest: run.policy_digest,
            evaluation_id: run.evaluation_id,
            budget_fen: run.budget_fen,
            status: run.state,
            progress: run.progress,
            failure: run.failure,
            factor: run.factor,
            sum_before_pool_fen: run.sum_before_pool_fen,
            awarded_fen: run.awarded_fen,
            unspent_fen: run.unspent_fen,
            result_digest: run.result_digest,
            created_by: run.created_by,
            published_by: run.published_by,
            finalized_by: run.finalized_by,
            published_at: run.published_at,
            finalized_at: run.finalized_at,
            created_at: run.created_at,
            updated_at: run.updated_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum ListedRun {
    Run(Box<RunShape>),
    Withdrawn(Withdrawn),
}

/// A unit's award with its scores; `before_pool_fen` and scores have 4 decimals, the total 2.
#[derive(Serialize, ToSchema)]
pub struct AwardShape {
    id: AwardId,
    organization_id: OrganizationId,
    uscc: String,
    name: String,
    scores: BTreeMap<String, String>,
    total: String,
    grade: Grade,
    before_pool_fen: String,
    award_fen: Fen,
    instruments: Vec<AwardedInstrumentShape>,
}

#[derive(Serialize, ToSchema)]
struct AwardedInstrumentShape {
    instrument_id: InstrumentId,
    asset_no: String,
    effective_minutes: i64,
    external_minutes: i64,
    base_fen: Fen,
    /// Income that is not in the base, by reason.
    left_out_fen: BTreeMap<String, Fen>,
}

impl AwardShape {
    /// The stored award and its printed unit, which are of one organization.
    pub fn new(award: &Award, unit: PrintedHost) -> Self {
        let instruments = award.instruments.iter().zip(unit.instruments);
        Self {
            id: award.id,
            organization_id: award.organization_id,
            uscc: unit.uscc,
            name: unit.name,
            scores: unit.scores,
            total: unit.total,
            grade: award.grade,
            before_pool_fen: unit.before_pool_fen,
            award_fen: award.award_fen,
            instruments: instruments
                .map(|(base, printed)| AwardedInstrumentShape::new(base, printed))
                .collect(),
        }
    }
}

impl AwardedInstrumentShape {
    fn new(base: &Base, printed: PrintedInstrument) -> Self {
        let left_out = base.left_out_fen.iter();
        Self {
            instrument_id: base.instrument_id,
            asset_no: printed.asset_no,
            effective_minutes: printed.effective_minutes,
            external_minutes: printed.external_minutes,
            base_fen: base.base_fen,
            left_out_fen: left_out
                .map(|(reason, fen)| (reason.to_string(), *fen))
                .collect(),
        }
    }
}

/// How an award came about: scores and grade, the steps in their order, and the records behind each metric.
#[derive(Serialize, ToSchema)]
pub struct ExplanationShape {
    award_id: AwardId,
    subsidy_run_id: SubsidyRunId,
    organization_id: OrganizationId,
    grade: Grade,
    /// 2 decimals; `total_exact` is `p/q`.
    total: String,
    total_exact: String,
    place: i64,
    /// 4 decimals; `before_pool_fen_exact` is `p/q`.
    before_pool_fen: String,
    before_pool_fen_exact: String,
    award_fen: Fen,
    scores: Vec<ScoreShape>,
    steps: Vec<StepShape>,
    metrics: Vec<MetricShape>,
}

/// One step; amounts are exact, as `p/q`.
#[derive(Serialize, ToSchema)]
struct StepShape {
    position: i64,
    step: String,
    /// Null from the sum on.
    instrument_id: Option<InstrumentId>,
    operands: BTreeMap<String, String>,
    before_fen: String,
    after_fen: String,
}

impl From<Step> for StepShape {
    fn from(step: Step) -> Self {
        Self {
            position: step.position,
            step: step.step.to_string(),
            instrument_id: step.instrument_id,
            operands: step.operands.into_inner(),
            before_fen: step.before_fen,
            after_fen: step.after_fen,
        }
    }
}

/// What a metric was counted from: records (ask with `metric` and `cursor` for the next ones), instruments, or, where only
/// a number was frozen, a note that says of what.
#[derive(Serialize, ToSchema)]
struct MetricShape {
    metric: String,
    value: i64,
    records: Vec<RecordShape>,
    next_cursor: Option<String>,
    instruments: Vec<CountedInstrumentShape>,
    note: Option<&'static str>,
}

/// An instrument with what it gives to a metric.
#[derive(Serialize, ToSchema)]
struct CountedInstrumentShape {
    instrument_id: InstrumentId,
    asset_no: String,
    value: i64,
}

/// A record at the version that was frozen. Of income: `left_out` says why what the payer paid is not in the base, and what
/// was paid by a voucher never is; the other payers' amounts sum to the base.
#[derive(Serialize, ToSchema)]
struct RecordShape {
    usage_record_id: UsageRecordId,
    version: i64,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    relation: String,
    evidence: String,
    statutory: bool,
    effective_minutes: Minutes,
    payer_fen: Fen,
    voucher_fen: Fen,
    left_out: Option<String>,
    satisfaction: Option<String>,
}

impl From<RecordShare> for RecordShape {
    fn from(share: RecordShare) -> Self {
        Self {
            usage_record_id: share.usage_record_id,
            version: share.version,
            instrument_id: share.instrument_id,
            organization_id: share.organization_id,
            relation: share.key.relation.to_string(),
            evidence: share.key.evidence.to_string(),
            statutory: share.key.statutory,
            effective_minutes: share.effective_minutes,
            payer_fen: share.payer_fen,
            voucher_fen: share.voucher_fen,
            left_out: share.left_out.map(|reason| reason.to_string()),
            satisfaction: share.satisfaction.map(|level| level.to_string()),
        }
    }
}

type CursorOf = fn(UsageRecordId) -> Result<String, AppError>;

impl ExplanationShape {
    pub fn new(explained: Explanation, cursor: CursorOf) -> Result<Self, AppError> {
        let award = explained.award;
        let metrics = explained.metrics.into_iter();
        Ok(Self {
            award_id: award.id,
            subsidy_run_id: award.subsidy_run_id,
            organization_id: award.organization_id,
            grade: award.grade,
            total: explained.total,
            total_exact: explained.total_exact,
            place: explained.place,
            before_pool_fen: explained.before_pool_fen,
            before_pool_fen_exact: award.before_pool_fen,
            award_fen: award.award_fen,
            scores: explained.scores.iter().map(ScoreShape::from).collect(),
            steps: explained.steps.into_iter().map(StepShape::from).collect(),
            metrics: metrics
                .map(|records| MetricShape::new(records, cursor))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl MetricShape {
    fn new(found: MetricRecords, cursor: CursorOf) -> Result<Self, AppError> {
        let instruments = found.instruments.into_iter();
        let instruments = instruments.map(|share| CountedInstrumentShape {
            instrument_id: share.instrument_id,
            asset_no: share.asset_no,
            value: share.value,
        });
        Ok(Self {
            metric: found.metric,
            value: found.value,
            records: found.records.into_iter().map(RecordShape::from).collect(),
            next_cursor: found.next.map(cursor).transpose()?,
            instruments: instruments.collect(),
            note: found.note,
        })
    }
}
