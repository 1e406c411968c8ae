//! One score of one unit: two operands, a full mark, points. Points = min(1, numerator ÷ denominator ÷ full_at) × max.

use super::inputs::{Host, Inputs};
use super::measure::{of_instrument, of_unit};
use crate::domain::organization::OrganizationKind;
use crate::domain::policy::{Measure, SatisfactionPoints, Score, Value};
use crate::domain::ratio;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::BTreeMap;

/// A score with everything it was made of, exact.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreResult {
    pub id: String,
    /// What was counted: a sum, the sum of capped ratios, the points of all answers, units below, an expert's points.
    pub numerator: BigRational,
    /// What it was divided by: a sum, the number of instruments, of answers, of peers; 1 for an expert.
    pub denominator: BigRational,
    pub full_at: BigRational,
    pub max: BigRational,
    /// There was nothing (or too little) to divide by: the points are those the pack gives for that.
    pub empty: bool,
    pub points: BigRational,
}

/// A score for storage and output: exact values as `p/q`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScoreExplanation {
    pub id: String,
    pub numerator: String,
    pub denominator: String,
    /// `null` when there was nothing to divide by.
    pub ratio: Option<String>,
    pub full_at: String,
    pub max: String,
    pub empty: bool,
    pub points: String,
    /// Points with 4 decimals, rounded half up.
    pub points_printed: String,
}

impl ScoreResult {
    pub fn explain(&self) -> ScoreExplanation {
        let divided = !self.denominator.is_zero();
        ScoreExplanation {
            id: self.id.clone(),
            numerator: ratio::exact(&self.numerator),
            denominator: ratio::exact(&self.denominator),
            ratio: divided.then(|| ratio::exact(&(&self.numerator / &self.denominator))),
            full_at: ratio::exact(&self.full_at),
            max: ratio::exact(&self.max),
            empty: self.empty,
            points: ratio::exact(&self.points),
            points_printed: self.printed(),
        }
    }

    /// Points with 4 decimals, rounded half up.
    pub fn printed(&self) -> String {
        ratio::decimal(&self.points, 4)
    }
}

/// One score of every evaluated unit, in their order.
pub(super) fn score_all(score: &Score, inputs: &Inputs, units: &[&Host]) -> Vec<ScoreResult> {
    let operands: Vec<Operands> = match &score.value {
        Value::RankWithinKind(measure) => rank(measure, inputs, units),
        value => units
            .iter()
            .map(|unit| operands(score, value, inputs, unit))
            .collect(),
    };
    let results = operands.into_iter().map(|operands| operands.result(score));
    results.collect()
}

struct Operands {
    numerator: BigRational,
    denominator: BigRational,
    empty: bool,
}

impl Operands {
    fn new(numerator: BigRational, denominator: BigRational) -> Self {
        let empty = denominator.is_zero();
        Self {
            numerator,
            denominator,
            empty,
        }
    }

    fn result(self, score: &Score) -> ScoreResult {
        let points = if self.empty {
            score.points_when_empty.clone()
        } else {
            let share = &self.numerator / &self.denominator / &score.full_at;
            share.min(ratio::whole(1)) * &score.max
        };
        ScoreResult {
            id: score.id.clone(),
            numerator: self.numerator,
            denominator: self.denominator,
            full_at: score.full_at.clone(),
            max: score.max.clone(),
            empty: self.empty,
            points,
        }
    }
}

fn operands(score: &Score, value: &Value, inputs: &Inputs, unit: &Host) -> Operands {
    let sum = |measure| ratio::whole(of_unit(inputs, unit, measure));
    match value {
        Value::RatioOfSums { of, to } => Operands::new(sum(of), sum(to)),
        Value::MeanOfRatios {
            of,
            to,
            each_at_most,
        } => mean_of_ratios(inputs, unit, of, to, each_at_most),
        Value::MeanAnswer { points, at_least } => mean_answer(unit, points, *at_least),
        Value::RankWithinKind(measure) => Operands::new(sum(measure), BigRational::zero()),
        Value::Expert => expert(score, unit),
    }
}

/// Σ min(cap, of ÷ to) and the number of instruments, those without a divisor left out. Ratios of one denominator are
/// added first: few denominators occur, so few fractions are.
fn mean_of_ratios(
    inputs: &Inputs,
    unit: &Host,
    of: &Measure,
    to: &Measure,
    cap: &BigRational,
) -> Operands {
    let mut numerators: BTreeMap<i128, BigInt> = BTreeMap::new();
    let mut instruments = 0_i64;
    let mut capped = 0_i64;
    for instrument in unit.counted() {
        let divisor = of_instrument(inputs, instrument, to);
        if divisor == 0 {
            continue;
        }
        instruments += 1;
        let dividend = of_instrument(inputs, instrument, of);
        if ratio::whole(dividend) >= cap * ratio::whole(divisor) {
            capped += 1;
        } else {
            *numerators.entry(divisor).or_default() += dividend;
        }
    }
    let below = numerators
        .into_iter()
        .map(|(divisor, dividend)| (dividend, BigInt::from(divisor)));
    let sum = ratio::sum(below) + cap * ratio::whole(capped);
    Operands::new(sum, ratio::whole(instruments))
}

fn mean_answer(unit: &Host, points: &SatisfactionPoints, at_least: i64) -> Operands {
    let mut earned = BigRational::zero();
    let mut answers = 0_i128;
    for (level, count) in &unit.answers {
        earned += points.of(*level) * ratio::whole(*count);
        answers += i128::from(*count);
    }
    Operands {
        numerator: earned,
        denominator: ratio::whole(answers),
        empty: answers < i128::from(at_least),
    }
}

/// No expert's points: nothing to divide by.
fn expert(score: &Score, unit: &Host) -> Operands {
    match unit.expert_scores.get(&score.id) {
        Some(points) => Operands::new(points.clone(), ratio::whole(1)),
        None => Operands::new(BigRational::zero(), BigRational::zero()),
    }
}

fn rank(measure: &Measure, inputs: &Inputs, units: &[&Host]) -> Vec<Operands> {
    let values: Vec<i128> = units
        .iter()
        .map(|unit| of_unit(inputs, unit, measure))
        .collect();
    let mut by_kind: BTreeMap<OrganizationKind, Vec<i128>> = BTreeMap::new();
    for (unit, value) in units.iter().zip(&values) {
        by_kind.entry(unit.kind).or_default().push(*value);
    }
    by_kind.values_mut().for_each(|peers| peers.sort_unstable());
    let ranked = units.iter().zip(&values).filter_map(|(unit, value)| {
        let peers = by_kind.get(&unit.kind)?;
        let below = peers.partition_point(|peer| peer < value);
        Some(Operands::new(
            ratio::whole(below),
            ratio::whole(peers.len()) - ratio::whole(1),
        ))
    });
    ranked.collect()
}

#[cfg(test)]
mod tests;
