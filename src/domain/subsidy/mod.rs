//! The post-subsidy: from grades, frozen inputs, a policy and a budget to awards. Exact until the step that rounds; every
//! step of every amount is kept. Σ awards + unspent = budget, or there is no allocation.

mod income;
mod steps;

pub use income::{InstrumentBase, LeftOut, reason_against};
pub use steps::{StepExplanation, StepName, StepRow};

use super::evaluation::Inputs;
use super::policy::{Award, Grade, Policy};
use super::{Fen, OrganizationId, TooLarge, ratio};
use num_rational::BigRational;
use num_traits::{One, Zero};
use std::collections::BTreeMap;
use steps::Course;

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    pub budget: Fen,
    /// What every unit was multiplied by; 1 when the budget suffices.
    pub factor: BigRational,
    /// Σ over units before the pool, in fen.
    pub sum_before_pool: BigRational,
    pub awarded: Fen,
    pub unspent: Fen,
    /// Every evaluated unit, in the order of organization ids.
    pub units: Vec<UnitAward>,
    /// Every step of every amount, in the order in which they happened.
    pub steps: Vec<StepRow>,
}

impl Allocation {
    /// The factor as reduced `p/q`, `1/1` when the budget suffices.
    pub fn factor_printed(&self) -> String {
        match self.factor.is_one() {
            true => "1/1".to_owned(),
            false => ratio::exact(&self.factor),
        }
    }
}

/// What a unit gets.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitAward {
    pub organization_id: OrganizationId,
    pub grade: Grade,
    /// Exact, in fen.
    pub before_pool: BigRational,
    pub award: Fen,
    /// Its counted instruments in the order of `asset_no`.
    pub instruments: Vec<InstrumentBase>,
}

/// Why nothing can be allocated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    #[error("the budget is negative")]
    NegativeBudget,
    #[error("unit {0} has counted instruments but no grade")]
    NotGraded(OrganizationId),
    #[error("an amount leaves 64 bits")]
    TooLarge,
    #[error("the award of unit {0} has a fraction of a fen or leaves 64 bits")]
    BrokenFen(OrganizationId),
    #[error("awards and the unspent rest do not sum to the budget")]
    DoesNotAddUp,
}

impl From<TooLarge> for AllocationError {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// Shares out `budget` among the evaluated units of `inputs`. `grades` come from [`super::evaluation::Evaluation::grades`]
/// or from a stored evaluation; grades of units that have no counted instrument in the inputs are not looked at.
pub fn allocate(
    budget: Fen,
    grades: &BTreeMap<OrganizationId, Grade>,
    inputs: &Inputs,
    policy: &Policy,
) -> Result<Allocation, AllocationError> {
    share_out(budget, grades, inputs, &policy.award)
}

fn share_out(
    budget: Fen,
    grades: &BTreeMap<OrganizationId, Grade>,
    inputs: &Inputs,
    award: &Award,
) -> Result<Allocation, AllocationError> {
    if budget < Fen::ZERO {
        return Err(AllocationError::NegativeBudget);
    }
    let mut units = Vec::new();
    let mut course = Course::new(budget);
    for unit in inputs.evaluated() {
        let organization_id = unit.organization_id;
        let grade = grades.get(&organization_id);
        let grade = *grade.ok_or(AllocationError::NotGraded(organization_id))?;
        let instruments = income::of_unit(unit, inputs, award)?;
        course.begin(organization_id, grade, &instruments);
        units.push(UnitAward {
            organization_id,
            grade,
            before_pool: BigRational::zero(),
            award: Fen::ZERO,
            instruments,
        });
    }
    for step in &award.steps {
        course.take(step);
    }
    course.finish(units)
}

/// Puts the results of the steps into the units and proves that they add up.
fn settle(
    budget: Fen,
    mut units: Vec<UnitAward>,
    ends: &BTreeMap<OrganizationId, (BigRational, BigRational)>,
) -> Result<(Vec<UnitAward>, Fen, Fen), AllocationError> {
    for unit in &mut units {
        if let Some((before_pool, award)) = ends.get(&unit.organization_id) {
            unit.before_pool = before_pool.clone();
            let award = ratio::to_i64(award).map(Fen::new);
            unit.award = award.ok_or(AllocationError::BrokenFen(unit.organization_id))?;
        }
    }
    let awarded = Fen::sum(units.iter().map(|unit| unit.award))?;
    let unspent = budget.checked_sub(awarded)?;
    let adds_up = unspent >= Fen::ZERO && awarded.checked_add(unspent) == Ok(budget);
    if adds_up && units.iter().all(|unit| unit.award >= Fen::ZERO) {
        Ok((units, awarded, unspent))
    } else {
        Err(AllocationError::DoesNotAddUp)
    }
}

#[cfg(test)]
mod tests;
