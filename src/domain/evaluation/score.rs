//! One score: two operands, a shape, points. Points = shape(numerator ÷ denominator), at most `max`.

use super::inputs::{Host, Instrument};
use super::judge::Judge;
use crate::domain::organization::OrganizationKind;
use crate::domain::policy::{
    Measure, Part, Peers, SatisfactionPoints, Score, Shape, ShapeWord, Value,
};
use crate::domain::ratio;
use num_rational::BigRational;
use num_traits::{One, Zero};
use std::collections::BTreeMap;

/// A score with everything it was made of, exact.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreResult {
    pub id: String,
    /// What was counted: a sum, the sum of capped ratios, the points of all answers or parts, units below, an expert's points.
    pub numerator: BigRational,
    /// What it was divided by: a sum, the number of instruments, of answers, of peers; 1 where nothing is divided.
    pub denominator: BigRational,
    /// The value from which more earns nothing more; 1 where the shape has none.
    pub full_at: BigRational,
    pub max: BigRational,
    pub shape: ShapeWord,
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
    /// Left out where it is linear.
    #[serde(default = "linear", skip_serializing_if = "is_linear")]
    pub shape: ShapeWord,
    pub empty: bool,
    pub points: String,
    /// Points with 4 decimals, rounded half up.
    pub points_printed: String,
}

const fn linear() -> ShapeWord {
    ShapeWord::Linear
}

fn is_linear(shape: &ShapeWord) -> bool {
    *shape == ShapeWord::Linear
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
            shape: self.shape,
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
pub(super) fn score_units(score: &Score, judge: &Judge, units: &[&Host]) -> Vec<ScoreResult> {
    let operands: Vec<Operands> = match &score.value {
        Value::Rank { of, within } => rank(judge, of, *within, units),
        value => units
            .iter()
            .map(|unit| of_unit(judge, score, value, unit))
            .collect(),
    };
    let results = operands.into_iter().map(|operands| operands.result(score));
    results.collect()
}

/// One score of one instrument, where instruments are evaluated.
pub(super) fn score_instrument(
    score: &Score,
    judge: &Judge,
    host: &Host,
    instrument: &Instrument,
) -> ScoreResult {
    of_instrument(judge, score, &score.value, host, instrument).result(score)
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

    /// Nothing is divided.
    fn amount(value: BigRational) -> Self {
        Self::new(value, BigRational::one())
    }

    fn points(&self, shape: &Shape) -> BigRational {
        match self.empty {
            true => BigRational::zero(),
            false => shape.points(&(&self.numerator / &self.denominator)),
        }
    }

    fn result(self, score: &Score) -> ScoreResult {
        let points = match self.empty {
            true => score.points_when_empty.clone(),
            false => self.points(&score.shape).min(score.max.clone()),
        };
        let full_at = score.shape.full_at().cloned();
        ScoreResult {
            id: score.id.clone(),
            numerator: self.numerator,
            denominator: self.denominator,
            full_at: full_at.unwrap_or_else(BigRational::one),
            max: score.max.clone(),
            shape: score.shape.word(),
            empty: self.empty,
            points,
        }
    }
}

fn of_unit(judge: &Judge, score: &Score, value: &Value, unit: &Host) -> Operands {
    let sum = |measure| judge.measure_unit(unit, measure);
    match value {
        Value::Amount(measure) => Operands::amount(sum(measure)),
        Value::RatioOfSums { of, to } => Operands::new(sum(of), sum(to)),
        Value::MeanOfRatios {
            of,
            to,
            each_at_most,
        } => mean_of_ratios(judge, unit, of, to, each_at_most.as_ref()),
        Value::MeanAnswer { points, at_least } => mean_answer(unit, points, *at_least),
        Value::Points(parts) => total_of(parts, |part| of_unit(judge, score, &part.value, unit)),
        Value::Expert => expert(score, unit),
        // Of all units at once: `rank`.
        Value::Rank { of, .. } => Operands::new(sum(of), BigRational::zero()),
    }
}

fn of_instrument(
    judge: &Judge,
    score: &Score,
    value: &Value,
    host: &Host,
    instrument: &Instrument,
) -> Operands {
    let of = |measure| judge.measure_instrument(host, instrument, measure);
    match value {
        Value::Amount(measure) => Operands::amount(of(measure)),
        Value::RatioOfSums { of: over, to } => Operands::new(of(over), of(to)),
        Value::MeanOfRatios {
            of: over,
            to,
            each_at_most,
        } => {
            let operands = Operands::new(of(over), of(to));
            match each_at_most {
                Some(cap) if !operands.empty => {
                    let ratio = &operands.numerator / &operands.denominator;
                    Operands::amount(ratio.min(cap.clone()))
                }
                _ => operands,
            }
        }
        Value::Points(parts) => total_of(parts, |part| {
            of_instrument(judge, score, &part.value, host, instrument)
        }),
        Value::Expert => expert(score, host),
        // No checked pack scores an instrument so.
        Value::MeanAnswer { .. } | Value::Rank { .. } => {
            Operands::new(BigRational::zero(), BigRational::zero())
        }
    }
}

/// Points of parts, each at most what it may bring.
fn total_of(parts: &[Part], operands: impl Fn(&Part) -> Operands) -> Operands {
    let points = parts.iter().map(|part| {
        let points = operands(part).points(&part.shape);
        match &part.at_most {
            Some(most) => points.min(most.clone()),
            None => points,
        }
    });
    Operands::amount(points.fold(BigRational::zero(), |sum, points| sum + points))
}

/// Σ min(cap, of ÷ to) and the number of instruments, those without a divisor left out. Ratios of one denominator are
/// added first: few denominators occur, so few fractions are.
fn mean_of_ratios(
    judge: &Judge,
    unit: &Host,
    of: &Measure,
    to: &Measure,
    cap: Option<&BigRational>,
) -> Operands {
    let mut dividends: BTreeMap<BigRational, BigRational> = BTreeMap::new();
    let mut instruments = 0_i64;
    let mut capped = 0_i64;
    for instrument in judge.counted(unit) {
        let divisor = judge.measure_instrument(unit, instrument, to);
        if divisor.is_zero() {
            continue;
        }
        instruments += 1;
        let dividend = judge.measure_instrument(unit, instrument, of);
        match cap {
            Some(cap) if dividend >= cap * &divisor => capped += 1,
            _ => *dividends.entry(divisor).or_insert_with(BigRational::zero) += dividend,
        }
    }
    let below = dividends.into_iter().map(|(divisor, dividend)| {
        let ratio = dividend / divisor;
        (ratio.numer().clone(), ratio.denom().clone())
    });
    let sum = ratio::sum(below);
    let at_cap = cap.map_or_else(BigRational::zero, |cap| cap * ratio::whole(capped));
    Operands::new(sum + at_cap, ratio::whole(instruments))
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
        empty: answers < i128::from(at_least.max(1)),
    }
}

/// No expert's points: nothing to divide by.
fn expert(score: &Score, unit: &Host) -> Operands {
    match unit.expert_scores.get(&score.id) {
        Some(points) => Operands::amount(points.clone()),
        None => Operands::new(BigRational::zero(), BigRational::zero()),
    }
}

fn rank(judge: &Judge, of: &Measure, within: Peers, units: &[&Host]) -> Vec<Operands> {
    let values: Vec<BigRational> = units
        .iter()
        .map(|unit| judge.measure_unit(unit, of))
        .collect();
    let class = |unit: &Host| match within {
        Peers::Kind => Some(unit.kind),
        Peers::All => None,
    };
    let mut peers: BTreeMap<Option<OrganizationKind>, Vec<&BigRational>> = BTreeMap::new();
    for (unit, value) in units.iter().zip(&values) {
        peers.entry(class(unit)).or_default().push(value);
    }
    peers.values_mut().for_each(|peers| peers.sort_unstable());
    let ranked = units.iter().zip(&values).filter_map(|(unit, value)| {
        let peers = peers.get(&class(unit))?;
        let below = peers.partition_point(|peer| *peer < value);
        Some(Operands::new(
            ratio::whole(below),
            ratio::whole(peers.len()) - ratio::whole(1),
        ))
    });
    ranked.collect()
}

#[cfg(test)]
mod tests;
