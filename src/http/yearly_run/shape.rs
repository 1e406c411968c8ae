//! What evaluations and subsidy runs look like.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::run::{RunPhase, RunState};
use crate::domain::{EvaluationId, Fen, Instant, PolicyId, PublicNoticeId, SubsidyRunId, UserId};
use crate::http::feed::Withdrawn;
use crate::operations::yearly_run;
use crate::store::yearly_run::subsidy::Pool;
use crate::store::yearly_run::{Evaluation, Lifecycle, Run, SubsidyRun};

/// What a run of either kind shows; digests are SHA-256.
#[derive(Serialize, ToSchema)]
struct LifecycleShape {
    year: i64,
    policy_id: PolicyId,
    policy_digest: String,
    status: RunState,
    /// Percent.
    progress: i64,
    /// What a running run is computing.
    phase: Option<RunPhase>,
    failure: Option<String>,
    result_digest: Option<String>,
    created_by: Option<UserId>,
    published_by: Option<UserId>,
    finalized_by: Option<UserId>,
    published_at: Option<Instant>,
    finalized_at: Option<Instant>,
    /// The last day of the public notice.
    notice_until_on: Option<NaiveDate>,
    /// Printed with the notice.
    remark: Option<String>,
    /// Why what was published was thrown away.
    discard_reason: Option<String>,
    /// What its publication printed.
    public_notice_id: Option<PublicNoticeId>,
    /// What the run was given for the parameters of the pack, with the defaults of the rest, as decimals.
    parameters: BTreeMap<String, String>,
    /// A what-if: never published, and deleted when it is done with.
    scenario: bool,
    name: Option<String>,
    /// The run of the same kind that it was made to replace.
    replaces_id: Option<i64>,
    /// Points, adopted grades or findings of the year changed since.
    is_stale: bool,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<Lifecycle> for LifecycleShape {
    fn from(lifecycle: Lifecycle) -> Self {
        let is_running = lifecycle.state == RunState::Running;
        let terms = lifecycle.terms.into_inner();
        Self {
            year: lifecycle.year,
            policy_id: lifecycle.policy_id,
            policy_digest: lifecycle.policy_digest,
            status: lifecycle.state,
            progress: lifecycle.progress,
            phase: RunPhase::at(lifecycle.progress).filter(|_| is_running),
            failure: lifecycle.failure,
            result_digest: lifecycle.result_digest,
            created_by: lifecycle.created_by,
            published_by: lifecycle.published_by,
            finalized_by: lifecycle.finalized_by,
            published_at: lifecycle.published_at,
            finalized_at: lifecycle.finalized_at,
            notice_until_on: lifecycle.notice_until_on,
            remark: lifecycle.notice_remark,
            discard_reason: lifecycle.discard_reason,
            public_notice_id: lifecycle.public_notice_id,
            parameters: terms.parameters,
            scenario: lifecycle.is_scenario,
            name: terms.name,
            replaces_id: terms.replaces_id,
            is_stale: lifecycle.is_stale,
            version: lifecycle.version,
            created_at: lifecycle.created_at,
            updated_at: lifecycle.updated_at,
        }
    }
}

/// An evaluation.
#[derive(Serialize, ToSchema)]
pub struct EvaluationShape {
    id: EvaluationId,
    #[serde(flatten)]
    lifecycle: LifecycleShape,
    frozen_at: Option<Instant>,
    input_digest: Option<String>,
}

impl From<Evaluation> for EvaluationShape {
    fn from(row: Evaluation) -> Self {
        Self {
            id: row.id,
            lifecycle: row.lifecycle.into(),
            frozen_at: row.frozen_at,
            input_digest: row.input_digest,
        }
    }
}

/// Only for the API document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "says what is in a page of evaluations")]
#[serde(untagged)]
pub enum ListedEvaluation {
    Evaluation(Box<EvaluationShape>),
    Withdrawn(Withdrawn),
}

/// A subsidy run. `factor` and `sum_before_pool_fen` are exact, as `p/q`; the single amounts are the sums over its pools, and
/// `factor` is null where there are several.
#[derive(Serialize, ToSchema)]
pub struct RunShape {
    id: SubsidyRunId,
    #[serde(flatten)]
    lifecycle: LifecycleShape,
    evaluation_id: Option<EvaluationId>,
    budget_fen: Fen,
    factor: Option<String>,
    sum_before_pool_fen: Option<String>,
    awarded_fen: Option<Fen>,
    unspent_fen: Option<Fen>,
    /// `MM-DD`: the window of the pack that it pays; null where the pack has none.
    claim: Option<String>,
    /// In the order of their names.
    pools: Vec<PoolShape>,
}

/// A budget, and what became of it once the run has results. `factor` is null where first come is first served.
#[derive(Serialize, ToSchema)]
struct PoolShape {
    /// Null: the pack's only pool has no name.
    pool: Option<String>,
    budget_fen: Fen,
    sum_before_pool_fen: Option<String>,
    factor: Option<String>,
    awarded_fen: Option<Fen>,
    unspent_fen: Option<Fen>,
}

impl From<Pool> for PoolShape {
    fn from(pool: Pool) -> Self {
        Self {
            pool: pool.pool,
            budget_fen: pool.budget_fen,
            sum_before_pool_fen: pool.sum_before_pool_fen,
            factor: pool.factor,
            awarded_fen: pool.awarded_fen,
            unspent_fen: pool.unspent_fen,
        }
    }
}

impl From<SubsidyRun> for RunShape {
    fn from(run: SubsidyRun) -> Self {
        let pools = run.pools().into_iter().map(PoolShape::from);
        Self {
            pools: pools.collect(),
            claim: run.claim,
            id: run.id,
            lifecycle: run.lifecycle.into(),
            evaluation_id: run.evaluation_id,
            budget_fen: run.budget_fen,
            factor: run.factor,
            sum_before_pool_fen: run.sum_before_pool_fen,
            awarded_fen: run.awarded_fen,
            unspent_fen: run.unspent_fen,
        }
    }
}

/// Only for the API document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "says what is in a page of runs")]
#[serde(untagged)]
pub enum ListedRun {
    Run(Box<RunShape>),
    Withdrawn(Withdrawn),
}

#[derive(Serialize)]
#[serde(untagged)]
pub enum Shape {
    Evaluation(Box<EvaluationShape>),
    SubsidyRun(Box<RunShape>),
}

impl From<Run> for Shape {
    fn from(run: Run) -> Self {
        match run {
            Run::Evaluation(row) => Shape::Evaluation(Box::new(row.into())),
            Run::SubsidyRun(row) => Shape::SubsidyRun(Box::new(row.into())),
        }
    }
}

/// A run in a list.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Listed {
    Run(Shape),
    Withdrawn(Withdrawn),
}

impl From<yearly_run::Listed> for Listed {
    fn from(listed: yearly_run::Listed) -> Self {
        let (id, changed) = (listed.run.id(), listed.run.lifecycle().updated_at);
        match listed.is_withdrawn {
            true => Listed::Withdrawn(Withdrawn::new(id.number(), changed)),
            false => Listed::Run(listed.run.into()),
        }
    }
}
