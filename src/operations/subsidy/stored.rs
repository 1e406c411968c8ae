//! Results of a run as rows and back, and the run with everything a printed form needs. Nothing is computed again.

use std::collections::BTreeMap;

use num_rational::BigRational;
use num_traits::One;

use super::{evaluation_of, refuse_unfinished};
use crate::app::App;
use crate::domain::evaluation::Evaluation;
use crate::domain::policy::{self, Policy};
use crate::domain::subsidy::{Allocation, InstrumentBase, StepRow, UnitAward};
use crate::domain::{AwardId, Fen, OrganizationId, SubsidyRunId, ratio};
use crate::error::AppError;
use crate::operations::evaluation::stored::{self, exact};
use crate::store::subsidy::{Award, Base, NewAward, Run, Step, Totals};
use crate::store::{self, Conn, Json};

/// Stores awards and steps; answers the totals with the digest of everything.
pub(super) fn write(
    tx: &mut Conn,
    id: SubsidyRunId,
    allocation: &Allocation,
) -> Result<Totals, AppError> {
    let mut steps: BTreeMap<OrganizationId, Vec<&StepRow>> = BTreeMap::new();
    for step in &allocation.steps {
        steps.entry(step.organization_id).or_default().push(step);
    }
    for unit in &allocation.units {
        let bases = unit.instruments.iter().map(|base| Base {
            instrument_id: base.instrument_id,
            asset_no: base.asset_no.clone(),
            base_fen: base.base,
            left_out_fen: base.left_out.clone(),
        });
        let new = NewAward {
            subsidy_run_id: id,
            organization_id: unit.organization_id,
            grade: unit.grade,
            before_pool_fen: ratio::exact(&unit.before_pool),
            award_fen: unit.award,
            instruments: Json::of(bases.collect())?,
        };
        let award = store::subsidy::insert_award(tx, &new)?;
        let of_unit = steps.remove(&unit.organization_id).unwrap_or_default();
        store::subsidy::insert_steps(tx, &step_rows(award, &of_unit)?)?;
    }
    Ok(Totals {
        factor: print_factor(&allocation.factor),
        sum_before_pool_fen: ratio::exact(&allocation.sum_before_pool),
        awarded_fen: allocation.awarded,
        unspent_fen: allocation.unspent,
        result_digest: digest(allocation)?,
    })
}

/// `1/1` when the budget suffices.
fn print_factor(factor: &BigRational) -> String {
    if factor.is_one() {
        "1/1".to_owned()
    } else {
        ratio::exact(factor)
    }
}

fn step_rows(award: AwardId, steps: &[&StepRow]) -> Result<Vec<Step>, AppError> {
    let rows = steps.iter().zip(1..).map(|(step, position)| {
        let operands = step.operands.iter();
        let operands = operands.map(|(name, value)| ((*name).to_owned(), value.clone()));
        Ok(Step {
            award_id: award,
            position,
            instrument_id: step.instrument_id,
            step: step.name,
            operands: Json::of(operands.collect())?,
            before_fen: ratio::exact(&step.before),
            after_fen: ratio::exact(&step.after),
        })
    });
    rows.collect()
}

/// SHA-256 of the totals, the awards with their bases, and every step: one JSON text a line.
pub(super) fn digest(allocation: &Allocation) -> Result<String, AppError> {
    let mut lines = vec![serde_json::to_string(&(
        allocation.budget,
        ratio::exact(&allocation.factor),
        ratio::exact(&allocation.sum_before_pool),
        allocation.awarded,
        allocation.unspent,
    ))?];
    for unit in &allocation.units {
        lines.push(serde_json::to_string(&(
            unit.organization_id,
            unit.grade,
            ratio::exact(&unit.before_pool),
            unit.award,
        ))?);
        for base in &unit.instruments {
            let line = (
                base.instrument_id,
                &base.asset_no,
                base.base,
                &base.left_out,
            );
            lines.push(serde_json::to_string(&line)?);
        }
    }
    for step in &allocation.steps {
        lines.push(serde_json::to_string(&step.explain())?);
    }
    Ok(policy::digest(&lines.join("\n")))
}

/// A run with its results, as stored, and the names of its units.
#[derive(Debug, Clone)]
pub struct Report {
    pub run: Run,
    pub policy: Policy,
    pub evaluation: Evaluation,
    /// Without its steps.
    pub allocation: Allocation,
    pub names: BTreeMap<OrganizationId, String>,
}

/// Reads a run's results; 409 `run_not_ready` before it has any.
pub async fn report(app: &App, id: SubsidyRunId) -> Result<Report, AppError> {
    app.store.read(move |conn| read(conn, id)).await
}

pub(super) fn read(conn: &mut Conn, id: SubsidyRunId) -> Result<Report, AppError> {
    let run = store::subsidy::get(conn, id)?;
    refuse_unfinished(&run)?;
    let evaluation = evaluation_of(conn, &run)?;
    let policy = store::policy::get(conn, run.policy_id)?;
    let units = store::subsidy::list_awards(conn, id)?;
    let units = units.into_iter().map(award).collect::<Result<_, _>>()?;
    let members = store::yearly_input::list_members(conn)?;
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
        evaluation: stored::read(conn, evaluation.id)?,
        allocation,
        names: members
            .into_iter()
            .map(|member| (member.id, member.name))
            .collect(),
        run,
    })
}

fn award(stored: Award) -> Result<UnitAward, AppError> {
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
