//! The steps of the award, in the order of the pack, over all amounts at once: amounts of instruments up to the sum, of
//! units after it. Each leaves a row that says what it did.

use super::income::InstrumentBase;
use super::{Allocation, AllocationError, UnitAward, settle};
use crate::domain::policy::{Grade, Step};
use crate::domain::{Fen, InstrumentId, OrganizationId, ratio};
use num_rational::BigRational;
use num_traits::{One, Zero};
use std::collections::BTreeMap;

crate::vocabulary! {
    /// What a row tells: `base` is the start, the others are the pack's words.
    StepName {
        Base = "base",
        Rate = "rate",
        Cap = "cap",
        Sum = "sum",
        DropBelow = "drop_below",
        Pool = "pool",
        Round = "round",
    }
}

/// One step of one amount.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRow {
    /// 0 for the base, then the position in the pack's list.
    pub step: usize,
    pub name: StepName,
    pub organization_id: OrganizationId,
    /// `None` from the sum on.
    pub instrument_id: Option<InstrumentId>,
    /// What the step worked with, by name; numbers exact as `p/q`.
    pub operands: Vec<(&'static str, String)>,
    /// In fen, exact; print with `ratio::exact` and `ratio::decimal`.
    pub before: BigRational,
    pub after: BigRational,
}

/// A step for storage and output: exact values as `p/q`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StepExplanation {
    pub step: usize,
    pub name: StepName,
    pub organization_id: OrganizationId,
    /// `null` from the sum on.
    pub instrument_id: Option<InstrumentId>,
    pub operands: BTreeMap<String, String>,
    pub before_fen: String,
    pub after_fen: String,
    /// With 4 decimals, rounded half up.
    pub after_printed: String,
}

impl StepRow {
    pub fn explain(&self) -> StepExplanation {
        let operands = self.operands.iter();
        StepExplanation {
            step: self.step,
            name: self.name,
            organization_id: self.organization_id,
            instrument_id: self.instrument_id,
            operands: operands
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            before_fen: ratio::exact(&self.before),
            after_fen: ratio::exact(&self.after),
            after_printed: ratio::decimal(&self.after, 4),
        }
    }
}

struct Amount {
    organization_id: OrganizationId,
    instrument_id: Option<InstrumentId>,
    grade: Grade,
    value: BigRational,
}

/// The amounts on their way from base to award.
pub(super) struct Course {
    budget: Fen,
    amounts: Vec<Amount>,
    rows: Vec<StepRow>,
    taken: usize,
    factor: BigRational,
    /// By unit, once the pool was reached.
    before_pool: BTreeMap<OrganizationId, BigRational>,
}

impl Course {
    pub fn new(budget: Fen) -> Self {
        Self {
            budget,
            amounts: Vec::new(),
            rows: Vec::new(),
            taken: 0,
            factor: BigRational::one(),
            before_pool: BTreeMap::new(),
        }
    }

    /// Enters a unit's instruments with their bases; the first rows say what was left out.
    pub fn begin(&mut self, unit: OrganizationId, grade: Grade, instruments: &[InstrumentBase]) {
        for instrument in instruments {
            let value = ratio::whole(instrument.base.number());
            let left_out = instrument.left_out.iter();
            let operands: Vec<_> = left_out
                .map(|(reason, fen)| (reason.as_str(), fen.number().to_string()))
                .collect();
            let rest = instrument.left_out.values();
            let before = rest.fold(value.clone(), |sum, fen| sum + ratio::whole(fen.number()));
            self.rows.push(StepRow {
                step: 0,
                name: StepName::Base,
                organization_id: unit,
                instrument_id: Some(instrument.instrument_id),
                operands,
                before,
                after: value.clone(),
            });
            self.amounts.push(Amount {
                organization_id: unit,
                instrument_id: Some(instrument.instrument_id),
                grade,
                value,
            });
        }
    }

    /// Takes the next step with every amount.
    pub fn take(&mut self, step: &Step) {
        self.taken += 1;
        match step {
            Step::Rate { rate, times_grade } => self.rate(rate, times_grade),
            Step::Cap { max_fen } => {
                let max = ratio::whole(max_fen.number());
                let operands = vec![("max_fen", max_fen.number().to_string())];
                self.each(StepName::Cap, |amount| {
                    (amount.value.clone().min(max.clone()), operands.clone())
                });
            }
            Step::SumByOrganization => self.sum(),
            Step::DropBelow { min_fen } => {
                let min = ratio::whole(min_fen.number());
                let operands = vec![("min_fen", min_fen.number().to_string())];
                self.each(StepName::DropBelow, |amount| {
                    let kept = amount.value >= min;
                    let value = if kept {
                        amount.value.clone()
                    } else {
                        BigRational::zero()
                    };
                    (value, operands.clone())
                });
            }
            Step::PoolProRata => self.pool(),
            Step::RoundDown { unit_fen } => {
                let unit = ratio::whole(unit_fen.number());
                let operands = vec![("unit_fen", unit_fen.number().to_string())];
                self.each(StepName::Round, |amount| {
                    (ratio::floor_to(&amount.value, &unit), operands.clone())
                });
            }
        }
    }

    fn rate(&mut self, rate: &BigRational, times_grade: &BTreeMap<Grade, BigRational>) {
        self.each(StepName::Rate, |amount| {
            let mut operands = vec![("rate", ratio::exact(rate))];
            let mut value = &amount.value * rate;
            if let Some(coefficient) = times_grade.get(&amount.grade) {
                operands.push(("grade", amount.grade.to_string()));
                operands.push(("coefficient", ratio::exact(coefficient)));
                value *= coefficient;
            }
            (value, operands)
        });
    }

    fn sum(&mut self) {
        let mut units: BTreeMap<OrganizationId, (i64, Amount)> = BTreeMap::new();
        for amount in std::mem::take(&mut self.amounts) {
            let (parts, unit) = units.entry(amount.organization_id).or_insert_with(|| {
                let empty = Amount {
                    instrument_id: None,
                    value: BigRational::zero(),
                    ..amount
                };
                (0, empty)
            });
            *parts += 1;
            unit.value += amount.value;
        }
        for (organization_id, (parts, amount)) in units {
            self.rows.push(StepRow {
                step: self.taken,
                name: StepName::Sum,
                organization_id,
                instrument_id: None,
                operands: vec![("instruments", parts.to_string())],
                before: amount.value.clone(),
                after: amount.value.clone(),
            });
            self.amounts.push(amount);
        }
    }

    fn pool(&mut self) {
        for amount in &self.amounts {
            let entry = (amount.organization_id, amount.value.clone());
            self.before_pool.extend([entry]);
        }
        let sum = self.sum_before_pool();
        let budget = ratio::whole(self.budget.number());
        if sum > budget {
            self.factor = &budget / &sum;
        }
        let factor = self.factor.clone();
        let operands = vec![
            ("budget_fen", ratio::exact(&budget)),
            ("sum_before_pool_fen", ratio::exact(&sum)),
            ("factor", ratio::exact(&factor)),
        ];
        self.each(StepName::Pool, |amount| {
            (&amount.value * &factor, operands.clone())
        });
    }

    fn sum_before_pool(&self) -> BigRational {
        let values = self.before_pool.values();
        values.fold(BigRational::zero(), |sum, value| sum + value)
    }

    fn each(
        &mut self,
        name: StepName,
        change: impl Fn(&Amount) -> (BigRational, Vec<(&'static str, String)>),
    ) {
        for amount in &mut self.amounts {
            let (after, operands) = change(amount);
            let before = std::mem::replace(&mut amount.value, after.clone());
            self.rows.push(StepRow {
                step: self.taken,
                name,
                organization_id: amount.organization_id,
                instrument_id: amount.instrument_id,
                operands,
                before,
                after,
            });
        }
    }

    /// The allocation, if it adds up.
    pub fn finish(self, units: Vec<UnitAward>) -> Result<Allocation, AllocationError> {
        let sum_before_pool = self.sum_before_pool();
        let mut before_pool = self.before_pool;
        let ends = self.amounts.into_iter().map(|amount| {
            let before = before_pool.remove(&amount.organization_id);
            let before = before.unwrap_or_else(BigRational::zero);
            (amount.organization_id, (before, amount.value))
        });
        let ends = ends.collect();
        let (units, awarded, unspent) = settle(self.budget, units, &ends)?;
        Ok(Allocation {
            budget: self.budget,
            factor: self.factor,
            sum_before_pool,
            awarded,
            unspent,
            units,
            steps: self.rows,
        })
    }
}
