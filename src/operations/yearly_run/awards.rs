//! Results of a run as rows and back, and the run with everything a printed form needs. Nothing is computed again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::grades::{self, Names, exact};
use super::{evaluation_of, refuse_without_results};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::evaluation::Evaluation;
use crate::domain::policy::{self, Grade, Policy};
use crate::domain::subsidy::{Allocation, InstrumentBase, StepName, StepRow, UnitAward};
use crate::domain::{AwardId, Fen, InstrumentId, OrganizationId, SubsidyRunId, ratio};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject;
use crate::store::yearly_run::subsidy::{self, Award, Base, NewAward, Step, SubsidyRun, Totals};
use crate::store::{self, Conn, Json};

/// An award as it is stored and hashed.
#[derive(Debug, Serialize)]
struct AwardFacts {
    organization_id: OrganizationId,
    grade: Grade,
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

/// The awards of an allocation.
fn computed(allocation: &Allocation) -> Vec<AwardFacts> {
    let mut steps: BTreeMap<OrganizationId, Vec<StepFacts>> = BTreeMap::new();
    for step in &allocation.steps {
        let of_unit = steps.entry(step.organization_id).or_default();
        of_unit.push(step.into());
    }
    let units = allocation.units.iter().map(|unit| {
        let bases = unit.instruments.iter().map(|base| Base {
            instrument_id: base.instrument_id,
            asset_no: base.asset_no.clone(),
            base_fen: base.base,
            left_out_fen: base.left_out.clone(),
        });
        AwardFacts {
            organization_id: unit.organization_id,
            // A stored run is of a pack that grades.
            grade: unit.grade.unwrap_or(Grade::Fail),
            before_pool_fen: ratio::exact(&unit.before_pool),
            award_fen: unit.award,
            instruments: bases.collect(),
            steps: steps.remove(&unit.organization_id).unwrap_or_default(),
        }
    });
    units.collect()
}

/// The awards of a run as they stand in the database.
fn kept(conn: &mut Conn, run: SubsidyRunId) -> Result<Vec<AwardFacts>, AppError> {
    let mut steps: BTreeMap<AwardId, Vec<StepFacts>> = BTreeMap::new();
    for step in subsidy::list_steps_of_run(conn, run)? {
        steps.entry(step.award_id).or_default().push(step.into());
    }
    let awards = subsidy::list_awards(conn, run)?.into_iter();
    let awards = awards.map(|award| AwardFacts {
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
pub(super) fn write(
    tx: &mut Conn,
    id: SubsidyRunId,
    allocation: &Allocation,
) -> Result<Totals, AppError> {
    let result_digest = digest(allocation)?;
    let names = grades::names(tx)?;
    for award in computed(allocation) {
        let name = names.get(&award.organization_id);
        let new = NewAward {
            subsidy_run_id: id,
            organization_id: award.organization_id,
            grade: award.grade,
            before_pool_fen: award.before_pool_fen,
            award_fen: award.award_fen,
            instruments: Json::of(award.instruments)?,
            name: name.cloned().unwrap_or_default(),
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
    Ok(Totals {
        factor: allocation.factor_printed(),
        sum_before_pool_fen: ratio::exact(&allocation.sum_before_pool),
        awarded_fen: allocation.awarded,
        unspent_fen: allocation.unspent,
        result_digest,
    })
}

/// SHA-256 of the totals and of the awards with their bases and every step: one JSON text a line.
pub(super) fn digest(allocation: &Allocation) -> Result<String, AppError> {
    let totals = (
        allocation.budget,
        allocation.factor_printed(),
        ratio::exact(&allocation.sum_before_pool),
        allocation.awarded,
        allocation.unspent,
    );
    hash(&totals, &computed(allocation))
}

/// The same of what stands in the database now.
pub(super) fn kept_digest(conn: &mut Conn, run: &SubsidyRun) -> Result<String, AppError> {
    let totals = (
        run.budget_fen,
        run.factor.clone().unwrap_or_default(),
        run.sum_before_pool_fen.clone().unwrap_or_default(),
        run.awarded_fen.unwrap_or(Fen::ZERO),
        run.unspent_fen.unwrap_or(Fen::ZERO),
    );
    hash(&totals, &kept(conn, run.id)?)
}

fn hash(
    totals: &(Fen, String, String, Fen, Fen),
    awards: &[AwardFacts],
) -> Result<String, AppError> {
    let mut lines = vec![serde_json::to_string(totals)?];
    for award in awards {
        lines.push(serde_json::to_string(award)?);
    }
    Ok(policy::digest(&lines.join("\n")))
}

/// A run with its results, as stored, and the names of its units.
#[derive(Debug, Clone)]
pub struct Report {
    pub run: SubsidyRun,
    pub policy: Policy,
    pub evaluation: Evaluation,
    /// Without its steps.
    pub allocation: Allocation,
    /// As they were when the budget was shared out.
    pub names: Names,
    /// The rows of the awards, in the order of the allocation.
    pub awards: Vec<Award>,
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

fn read(conn: &mut Conn, run: SubsidyRun) -> Result<Report, AppError> {
    refuse_without_results(run.lifecycle.state)?;
    let evaluation = evaluation_of(conn, &run)?;
    let policy = store::policy::get(conn, run.lifecycle.policy_id)?;
    let awards = subsidy::list_awards(conn, run.id)?;
    let names = awards.iter();
    let names = names.map(|award| (award.organization_id, award.name.clone()));
    let names = names.collect();
    let units = awards.iter().map(award).collect::<Result<_, _>>()?;
    let zero = Fen::ZERO;
    let allocation = Allocation {
        budget: run.budget_fen,
        factor: exact(run.factor.as_deref().unwrap_or("1"))?,
        sum_before_pool: exact(run.sum_before_pool_fen.as_deref().unwrap_or("0"))?,
        awarded: run.awarded_fen.unwrap_or(zero),
        unspent: run.unspent_fen.unwrap_or(zero),
        units,
        steps: Vec::new(),
    };
    Ok(Report {
        policy: crate::operations::policy::open(&policy)?,
        evaluation: grades::read(conn, evaluation.id)?,
        allocation,
        names,
        awards,
        run,
    })
}

fn award(stored: &Award) -> Result<UnitAward, AppError> {
    let instruments = stored.instruments.iter().map(|base| InstrumentBase {
        instrument_id: base.instrument_id,
        asset_no: base.asset_no.clone(),
        base: base.base_fen,
        left_out: base.left_out_fen.clone(),
    });
    Ok(UnitAward {
        organization_id: stored.organization_id,
        grade: Some(stored.grade),
        before_pool: exact(&stored.before_pool_fen)?,
        award: stored.award_fen,
        instruments: instruments.collect(),
    })
}
