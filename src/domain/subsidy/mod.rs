//! The post-subsidy: from grades, frozen inputs, a policy and budgets to awards. Exact until the step that rounds; every
//! step of every amount is kept. In every pool Σ awards + unspent = budget, or there is no allocation.

mod amounts;
mod income;
mod left_out;
mod step_sentence;
mod steps;

pub use amounts::{projects_taken, subject_of};
pub use income::{InstrumentBase, LeftOut, reason_against};
pub use left_out::{ChargeMoney, ChargeVerdict, LeftOutMoney, LeftOutReason, YearMoney};
pub use step_sentence::{step_sentence, yuan};
pub use steps::{StepExplanation, StepName, StepRow};

use super::evaluation::{GradesGiven, Inputs, Judge};
use super::policy::{Award, Grade, Policy, Pooling, Recipient, pool_order};
use super::{Fen, OrganizationId, TooLarge, ratio};
use num_rational::BigRational;
use num_traits::{One, Zero};
use std::collections::BTreeMap;
use steps::Course;

/// Budgets by the names of pools; that of a pack without `[pools]` has none.
pub type Budgets = BTreeMap<Option<String>, Fen>;

/// The outcome of a run: what every pool and every award paid.
#[derive(Debug, Clone, PartialEq)]
pub struct Payout {
    /// In the order of names.
    pub pools: Vec<PoolResult>,
    /// In the order of the pack.
    pub awards: Vec<AwardResult>,
}

/// What became of a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolResult {
    pub pool: Option<String>,
    pub budget: Fen,
    /// Σ over all its awards before the pool, in fen.
    pub sum_before_pool: BigRational,
    /// What every amount was multiplied by; 1 when the budget suffices. `None`: first come, first served.
    pub factor: Option<BigRational>,
    pub awarded: Fen,
    pub unspent: Fen,
}

/// What one award of the pack paid.
#[derive(Debug, Clone, PartialEq)]
pub struct AwardResult {
    pub code: String,
    pub recipient: Recipient,
    pub pool: Option<String>,
    /// In the order of organization ids: every unit with a counted instrument, or every using unit with a service in the base.
    pub units: Vec<UnitAward>,
    /// Every step of every amount, in the order in which they happened.
    pub steps: Vec<StepRow>,
}

/// What all pools come to together.
#[derive(Debug, Clone, PartialEq)]
pub struct PayoutSum {
    pub budget: Fen,
    /// Σ over all pools before they were applied, in fen.
    pub sum_before_pool: BigRational,
    pub awarded: Fen,
    pub unspent: Fen,
}

impl Payout {
    /// The sums over all pools.
    pub fn sum(&self) -> Result<PayoutSum, TooLarge> {
        let pools = self.pools.iter();
        let before = pools.fold(BigRational::zero(), |sum, pool| sum + &pool.sum_before_pool);
        Ok(PayoutSum {
            budget: Fen::sum(self.pools.iter().map(|pool| pool.budget))?,
            sum_before_pool: before,
            awarded: Fen::sum(self.pools.iter().map(|pool| pool.awarded))?,
            unspent: Fen::sum(self.pools.iter().map(|pool| pool.unspent))?,
        })
    }
}

/// A factor as reduced `p/q`, `1/1` when the budget suffices.
pub fn factor_printed(factor: &BigRational) -> String {
    match factor.is_one() {
        true => "1/1".to_owned(),
        false => ratio::exact(factor),
    }
}

/// What a unit gets.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitAward {
    pub organization_id: OrganizationId,
    /// `None`: it has none.
    pub grade: Option<Grade>,
    /// Exact, in fen.
    pub before_pool: BigRational,
    pub award: Fen,
    /// Its counted instruments, or those it used, in the order of `asset_no`.
    pub instruments: Vec<InstrumentBase>,
}

/// Why nothing can be allocated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    #[error("the budget is negative")]
    NegativeBudget,
    #[error("pool {0:?} has no budget")]
    NoBudget(String),
    #[error("there is no pool {0:?}")]
    UnknownPool(String),
    #[error("unit {0} has counted instruments but no grade")]
    NotGraded(OrganizationId),
    #[error("an amount leaves 64 bits")]
    TooLarge,
    #[error("the award of unit {0} has a fraction of a fen or leaves 64 bits")]
    BrokenFen(OrganizationId),
    #[error(
        "pool {pool:?} has a budget of {budget} fen, and its awards sum to {sum} fen: it has no factor that would cut them"
    )]
    OverBudget {
        pool: String,
        budget: String,
        sum: String,
    },
    #[error("awards and the unspent rest do not sum to the budget")]
    DoesNotAddUp,
    #[error("the pack pays nothing")]
    NoAwards,
}

impl From<TooLarge> for AllocationError {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// Shares out `budgets` by all awards of a policy. `grades` come from [`super::evaluation::Evaluation::grades`] or from a stored
/// evaluation; grades of units that have no counted instrument in the inputs are not looked at.
pub fn pay(
    budgets: &Budgets,
    grades: &GradesGiven,
    inputs: &Inputs,
    policy: &Policy,
) -> Result<Payout, AllocationError> {
    check_budgets(budgets, policy)?;
    let judge = Judge::new(inputs, policy);
    let order = pool_order(&policy.awards).ok_or(AllocationError::DoesNotAddUp)?;
    let mut paid: BTreeMap<String, AwardResult> = BTreeMap::new();
    let mut pools = Vec::new();
    for pool in order {
        let budget = budgets.get(&pool).copied();
        let budget = budget.ok_or_else(|| AllocationError::NoBudget(said(&pool)))?;
        let awards = policy.awards.iter();
        let awards: Vec<&Award> = awards
            .filter(|award| award.pool() == pool.as_deref())
            .collect();
        let (result, results) = pay_pool(&judge, grades, pool, budget, &awards, &paid)?;
        pools.push(result);
        paid.extend(results.into_iter().map(|award| (award.code.clone(), award)));
    }
    // A pool that no award is paid from keeps its budget.
    for (pool, budget) in budgets {
        if !pools.iter().any(|known| known.pool == *pool) {
            pools.push(PoolResult {
                pool: pool.clone(),
                budget: *budget,
                sum_before_pool: BigRational::zero(),
                factor: Some(BigRational::one()),
                awarded: Fen::ZERO,
                unspent: *budget,
            });
        }
    }
    pools.sort_by(|one, other| one.pool.cmp(&other.pool));
    let awards = policy.awards.iter();
    Ok(Payout {
        pools,
        awards: awards
            .filter_map(|award| paid.remove(&award.code))
            .collect(),
    })
}

/// Every pool of the pack and no other, none negative.
fn check_budgets(budgets: &Budgets, policy: &Policy) -> Result<(), AllocationError> {
    if policy.awards.is_empty() {
        return Err(AllocationError::NoAwards);
    }
    for (pool, budget) in budgets {
        let is_known = match pool {
            Some(name) => policy.pools.contains(name),
            None => policy.pools.is_empty(),
        };
        if !is_known {
            return Err(AllocationError::UnknownPool(said(pool)));
        }
        if *budget < Fen::ZERO {
            return Err(AllocationError::NegativeBudget);
        }
    }
    Ok(())
}

fn said(pool: &Option<String>) -> String {
    pool.clone().unwrap_or_default()
}

/// All awards of one pool: each up to the pool, the factor of all, each to its end.
fn pay_pool(
    judge: &Judge,
    grades: &GradesGiven,
    pool: Option<String>,
    budget: Fen,
    awards: &[&Award],
    paid: &BTreeMap<String, AwardResult>,
) -> Result<(PoolResult, Vec<AwardResult>), AllocationError> {
    let mut courses = Vec::new();
    for award in awards {
        let mut course = Course::begin(judge, grades, award, paid)?;
        course.take_until_pool();
        courses.push(course);
    }
    let sum = courses
        .iter()
        .fold(BigRational::zero(), |sum, course| sum + course.sum());
    let exact_budget = ratio::whole(budget.number());
    let how = courses.first().and_then(Course::pooling);
    let factor = match how.unwrap_or(Pooling::ProRata) {
        Pooling::FirstCome => {
            steps::serve_first_come(&mut courses, exact_budget);
            None
        }
        Pooling::None if sum > exact_budget => {
            return Err(AllocationError::OverBudget {
                pool: said(&pool),
                budget: budget.number().to_string(),
                sum: ratio::plain(&sum),
            });
        }
        Pooling::ProRata if sum > exact_budget => Some(&exact_budget / &sum),
        Pooling::None | Pooling::ProRata => Some(BigRational::one()),
    };
    let mut results = Vec::new();
    for mut course in courses {
        if let Some(factor) = &factor {
            course.multiply(budget, &sum, factor);
        }
        course.take_rest();
        results.push(course.finish()?);
    }
    let units = results.iter().flat_map(|award| &award.units);
    let awarded = Fen::sum(units.map(|unit| unit.award))?;
    let unspent = budget.checked_sub(awarded)?;
    let all = results.iter().flat_map(|award| &award.units);
    let adds_up = unspent >= Fen::ZERO && awarded.checked_add(unspent) == Ok(budget);
    if !adds_up || all.into_iter().any(|unit| unit.award < Fen::ZERO) {
        return Err(AllocationError::DoesNotAddUp);
    }
    let result = PoolResult {
        pool,
        budget,
        sum_before_pool: sum,
        factor,
        awarded,
        unspent,
    };
    Ok((result, results))
}

#[cfg(test)]
mod tests;
