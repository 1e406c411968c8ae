//! Results of a run as rows and back, and the run with everything a printed form needs. Nothing is computed again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::grades::{self, Names, exact};
use super::{basis, refuse_without_results};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::evaluation::Evaluation;
use crate::domain::policy::{self, Grade, Policy, Recipient};
use crate::domain::subsidy::{
    AwardResult, InstrumentBase, Payout, PoolResult, StepName, StepRow, UnitAward, factor_printed,
};
use crate::domain::{AwardId, Fen, InstrumentId, OrganizationId, SubsidyRunId, ratio};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject;
use crate::store::yearly_run::subsidy::{
    self, Award, Base, NewAward, Pool, Step, SubsidyRun, Totals,
};
use crate::store::{self, Conn, Json};

/// An award as it is stored and hashed.
#[derive(Debug, Serialize)]
struct AwardFacts {
    award_code: String,
    recipient: Recipient,
    pool: Option<String>,
    organization_id: OrganizationId,
    grade: Option<Grade>,
    before_pool_fen: String,
    award_fen: Fen,
    instruments: Vec<Base>,
    steps: Vec<StepFacts>,
}

/// A step of an award; the position is that in the list.
#[derive(Debug, Serialize)]
struct StepFacts {
    instrument_id: Option<InstrumentId>,
    step: StepName,
    operands: BTreeMap<String, String>,
    before_fen: String,
    after_fen: String,
}

impl From<&StepRow> for StepFacts {
    fn from(step: &StepRow) -> Self {
        let operands = step.operands.iter();
        let operands = operands.map(|(name, value)| ((*name).to_owned(), value.clone()));
        Self {
            instrument_id: step.instrument_id,
            step: step.name,
            operands: operands.collect(),
            before_fen: ratio::exact(&step.before),
            after_fen: ratio::exact(&step.after),
        }
    }
}

impl From<Step> for StepFacts {
    fn from(step: Step) -> Self {
        Self {
            instrument_id: step.instrument_id,
            step: step.step,
            operands: step.operands.into_inner(),
            before_fen: step.before_fen,
            after_fen: step.after_fen,
        }
    }
}

/// The same as it was hashed before a run could have several awards.
#[derive(Debug, Serialize)]
struct OnlyAwardFacts<'a> {
    organization_id: OrganizationId,
    grade: Option<Grade>,
    before_pool_fen: &'a str,
    award_fen: Fen,
    instruments: &'a [Base],
    steps: &'a [StepFacts],
}

/// The awards of a payout.
fn computed(payout: &Payout) -> Vec<AwardFacts> {
    let awards = payout.awards.iter();
    awards.flat_map(computed_of).collect()
}

fn computed_of(award: &AwardResult) -> Vec<AwardFacts> {
    let mut steps: BTreeMap<OrganizationId, Vec<StepFacts>> = BTreeMap::new();
    for step in &award.steps {
        let of_unit = steps.entry(step.organization_id).or_default();
        of_unit.push(step.into());
    }
    let units = award.units.iter().map(|unit| {
        let bases = unit.instruments.iter().map(|base| Base {
            instrument_id: base.instrument_id,
            asset_no: base.asset_no.clone(),
            base_fen: base.base,
            left_out_fen: base.left_out.clone(),
        });
        AwardFacts {
            award_code: award.code.clone(),
            recipient: award.recipient,
            pool: award.pool.clone(),
            organization_id: unit.organization_id,
            grade: unit.grade,
            before_pool_fen: ratio::exact(&unit.before_pool),
            award_fen: unit.award,
            instruments: bases.collect(),
            steps: steps.remove(&unit.organization_id).unwrap_or_default(),
        }
    });
    units.collect()
}

/// The pools of a payout.
pub(super) fn pools(payout: &Payout) -> Vec<Pool> {
    let pools = payout.pools.iter().map(|pool| Pool {
        pool: pool.pool.clone(),
        budget_fen: pool.budget,
        sum_before_pool_fen: Some(ratio::exact(&pool.sum_before_pool)),
        factor: pool.factor.as_ref().map(factor_printed),
        awarded_fen: Some(pool.awarded),
        unspent_fen: Some(pool.unspent),
    });
    pools.collect()
}

/// The awards of a run as they stand in the database.
fn kept(conn: &mut Conn, run: SubsidyRunId) -> Result<Vec<AwardFacts>, AppError> {
    let mut steps: BTreeMap<AwardId, Vec<StepFacts>> = BTreeMap::new();
    for step in subsidy::list_steps_of_run(conn, run)? {
        steps.entry(step.award_id).or_default().push(step.into());
    }
    let awards = subsidy::list_awards(conn, run)?.into_iter();
    let awards = awards.map(|award| AwardFacts {
        award_code: award.award_code,
        recipient: award.recipient,
        pool: award.pool,
        organization_id: award.organization_id,
        grade: award.grade,
        before_pool_fen: award.before_pool_fen,
        award_fen: award.award_fen,
        instruments: award.instruments.into_inner(),
        steps: steps.remove(&award.id).unwrap_or_default(),
    });
    Ok(awards.collect())
}

/// Stores awards and steps; answers the totals with the digest of everything.
pub(super) fn write(tx: &mut Conn, run: &SubsidyRun, payout: &Payout) -> Result<Totals, AppError> {
    let result_digest = digest(run, payout)?;
    let names = grades::names(tx)?;
    for award in computed(payout) {
        let name = names.get(&award.organization_id);
        let new = NewAward {
            subsidy_run_id: run.id,
            organization_id: award.organization_id,
            grade: award.grade,
            before_pool_fen: award.before_pool_fen,
            award_fen: award.award_fen,
            instruments: Json::of(award.instruments)?,
            name: name.cloned().unwrap_or_default(),
            award_code: award.award_code,
            recipient: award.recipient,
            pool: award.pool,
        };
        let award_id = subsidy::insert_award(tx, &new)?;
        let steps = award.steps.into_iter().zip(1..).map(|(step, position)| {
            Ok(Step {
                award_id,
                position,
                instrument_id: step.instrument_id,
                step: step.step,
                operands: Json::of(step.operands)?,
                before_fen: step.before_fen,
                after_fen: step.after_fen,
            })
        });
        let steps: Vec<Step> = steps.collect::<Result<_, AppError>>()?;
        subsidy::insert_steps(tx, &steps)?;
    }
    let sum = payout.sum().map_err(AppError::internal)?;
    Ok(Totals {
        factor: match payout.pools.as_slice() {
            [only] => only.factor.as_ref().map(factor_printed),
            _ => None,
        },
        sum_before_pool_fen: ratio::exact(&sum.sum_before_pool),
        awarded_fen: sum.awarded,
        unspent_fen: sum.unspent,
        pools: pools(payout),
        result_digest,
    })
}

/// SHA-256 of the pools and of the awards with their bases and every step: one JSON text a line.
pub(super) fn digest(run: &SubsidyRun, payout: &Payout) -> Result<String, AppError> {
    Ok(hash(&computed_lines(run.pools.is_empty(), payout)?))
}

/// What comes out, as it is hashed.
pub(super) fn computed_lines(
    is_of_one_award: bool,
    payout: &Payout,
) -> Result<Vec<String>, AppError> {
    lines(is_of_one_award, &pools(payout), &computed(payout))
}

/// The same of what stands in the database now.
pub(super) fn kept_digest(conn: &mut Conn, run: &SubsidyRun) -> Result<String, AppError> {
    Ok(hash(&kept_lines(conn, run)?))
}

/// What stands in the database now, as it is hashed.
pub(super) fn kept_lines(conn: &mut Conn, run: &SubsidyRun) -> Result<Vec<String>, AppError> {
    lines(run.pools.is_empty(), &run.pools(), &kept(conn, run.id)?)
}

fn hash(lines: &[String]) -> String {
    policy::digest(&lines.join("\n"))
}

/// A line a pool and a line an award. A run that was stored before there were several awards is written as it was then.
fn lines(
    is_of_one_award: bool,
    pools: &[Pool],
    awards: &[AwardFacts],
) -> Result<Vec<String>, AppError> {
    let mut lines = Vec::new();
    for pool in pools {
        lines.push(match is_of_one_award {
            true => serde_json::to_string(&(
                pool.budget_fen,
                pool.factor.as_deref().unwrap_or_default(),
                pool.sum_before_pool_fen.as_deref().unwrap_or_default(),
                pool.awarded_fen.unwrap_or(Fen::ZERO),
                pool.unspent_fen.unwrap_or(Fen::ZERO),
            ))?,
            false => serde_json::to_string(pool)?,
        });
    }
    for award in awards {
        lines.push(match is_of_one_award {
            true => serde_json::to_string(&OnlyAwardFacts {
                organization_id: award.organization_id,
                grade: award.grade,
                before_pool_fen: &award.before_pool_fen,
                award_fen: award.award_fen,
                instruments: &award.instruments,
                steps: &award.steps,
            })?,
            false => serde_json::to_string(award)?,
        });
    }
    Ok(lines)
}

/// A run with its results, as stored, and who its units are.
#[derive(Debug, Clone)]
pub struct Report {
    pub run: SubsidyRun,
    pub policy: Policy,
    pub evaluation: Evaluation,
    /// Without its steps.
    pub payout: Payout,
    /// Of hosts and recipients as they were when the budget was shared out.
    pub names: Names,
    pub uscc: Names,
    /// The rows of the awards: in the order of the pack, each by organization.
    pub awards: Vec<Award>,
}

impl Report {
    /// What the pack left open, as decimals.
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.run.lifecycle.terms.parameters
    }
}

/// Reads a run's results, for who may do `action` with them; 409 `run_not_ready` before it has any.
pub async fn report(
    app: &App,
    actor: &Actor,
    action: Action,
    id: SubsidyRunId,
) -> Result<Report, AppError> {
    let by = actor.clone();
    app.store
        .read(move |conn| {
            let run = subject::load(conn, &by, action, id)?;
            read(conn, run)
        })
        .await
}

pub(super) fn read(conn: &mut Conn, run: SubsidyRun) -> Result<Report, AppError> {
    refuse_without_results(run.lifecycle.state)?;
    let policy = basis::policy_of(conn, &run.lifecycle)?;
    let mut awards = subsidy::list_awards(conn, run.id)?;
    let (mut names, mut uscc) = (Names::new(), Names::new());
    for member in store::yearly_input::list_members(conn)? {
        uscc.insert(member.id, member.uscc.to_string());
    }
    if let Some(id) = run.evaluation_id {
        for unit in store::yearly_run::evaluation::list_units(conn, id)? {
            names.insert(unit.organization_id, unit.name);
            uscc.insert(unit.organization_id, unit.uscc);
        }
    }
    let mut results = Vec::new();
    for rule in &policy.awards {
        let is_of =
            |award: &&mut Award| award.award_code == rule.code || award.award_code.is_empty();
        let mut units = Vec::new();
        for award in awards.iter_mut().filter(is_of) {
            award.award_code.clone_from(&rule.code);
            names.insert(award.organization_id, award.name.clone());
            units.push(unit_award(award)?);
        }
        results.push(AwardResult {
            code: rule.code.clone(),
            recipient: rule.recipient,
            pool: rule.pool().map(str::to_owned),
            units,
            steps: Vec::new(),
        });
    }
    let pools = run.pools().into_iter().map(pool_result);
    Ok(Report {
        payout: Payout {
            pools: pools.collect::<Result<_, _>>()?,
            awards: results,
        },
        evaluation: basis::graded(conn, &run)?,
        policy,
        names,
        uscc,
        awards,
        run,
    })
}

fn pool_result(stored: Pool) -> Result<PoolResult, AppError> {
    let zero = Fen::ZERO;
    Ok(PoolResult {
        pool: stored.pool,
        budget: stored.budget_fen,
        sum_before_pool: exact(stored.sum_before_pool_fen.as_deref().unwrap_or("0"))?,
        factor: stored.factor.as_deref().map(exact).transpose()?,
        awarded: stored.awarded_fen.unwrap_or(zero),
        unspent: stored.unspent_fen.unwrap_or(zero),
    })
}

fn unit_award(stored: &Award) -> Result<UnitAward, AppError> {
    let instruments = stored.instruments.iter().map(|base| InstrumentBase {
        instrument_id: base.instrument_id,
        asset_no: base.asset_no.clone(),
        base: base.base_fen,
        left_out: base.left_out_fen.clone(),
    });
    Ok(UnitAward {
        organization_id: stored.organization_id,
        grade: stored.grade,
        before_pool: exact(&stored.before_pool_fen)?,
        award: stored.award_fen,
        instruments: instruments.collect(),
    })
}
