//! Totals, places and grades of all evaluated units: thresholds on the exact total, a quota for the best grade, ties.

use super::inputs::{Host, Inputs, Instrument};
use super::measure::of_instrument;
use super::score::{ScoreResult, score_all};
use crate::domain::policy::{Grade, Grades, Policy, Tie, group_of};
use crate::domain::ratio;
use crate::domain::{InstrumentId, Minutes, OrganizationId};
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The evaluation of a year: the units in the order of organization ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    pub units: Vec<GradedHost>,
}

/// An evaluated unit.
#[derive(Debug, Clone, PartialEq)]
pub struct GradedHost {
    pub organization_id: OrganizationId,
    pub uscc: String,
    /// In the order of the pack.
    pub scores: Vec<ScoreResult>,
    /// Exact; [`GradedHost::total_printed`] rounds.
    pub total: BigRational,
    /// From 1, ties broken.
    pub place: usize,
    pub grade: Grade,
    /// Its counted instruments in the order of `asset_no`.
    pub instruments: Vec<InstrumentFigures>,
}

/// What an instrument contributed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentFigures {
    pub instrument_id: InstrumentId,
    pub asset_no: String,
    pub effective_minutes: Minutes,
    pub external_minutes: Minutes,
    /// `None` when the pack has no metric `rated_minutes`.
    pub rated_minutes: Option<Minutes>,
}

impl Evaluation {
    /// The grades, as `subsidy::allocate` needs them.
    pub fn grades(&self) -> BTreeMap<OrganizationId, Grade> {
        let units = self.units.iter();
        units
            .map(|unit| (unit.organization_id, unit.grade))
            .collect()
    }
}

impl GradedHost {
    /// The total with 2 decimals, rounded half up.
    pub fn total_printed(&self) -> String {
        ratio::decimal(&self.total, 2)
    }

    fn group_points(&self, group: &str) -> BigRational {
        let scores = self.scores.iter();
        let scores = scores.filter(|score| group_of(&score.id) == group);
        scores.fold(BigRational::zero(), |sum, score| sum + &score.points)
    }
}

/// Scores and grades every unit with at least one counted instrument.
pub fn grade(inputs: &Inputs, policy: &Policy) -> Evaluation {
    let evaluated: Vec<&Host> = inputs.evaluated().collect();
    let mut scores: Vec<Vec<ScoreResult>> = evaluated.iter().map(|_| Vec::new()).collect();
    for score in &policy.scores {
        let results = score_all(score, inputs, &evaluated);
        for (of_unit, result) in scores.iter_mut().zip(results) {
            of_unit.push(result);
        }
    }
    let units = evaluated.iter().zip(scores).map(|(unit, scores)| {
        let total = scores
            .iter()
            .fold(BigRational::zero(), |sum, s| sum + &s.points);
        GradedHost {
            organization_id: unit.organization_id,
            uscc: unit.uscc.clone(),
            scores,
            place: 0,
            grade: policy.grades.by_threshold(&total),
            total,
            instruments: unit.counted().map(|i| figures(inputs, policy, i)).collect(),
        }
    });
    let mut units: Vec<GradedHost> = units.collect();
    place(&mut units, &policy.grades);
    Evaluation { units }
}

fn figures(inputs: &Inputs, policy: &Policy, instrument: &Instrument) -> InstrumentFigures {
    let minutes = |name: &str| {
        let value = of_instrument(inputs, instrument, policy.metrics.get(name)?);
        // Cells of an instrument were added in 64 bits when the inputs were put together class by class; their sum over
        // classes can only leave 64 bits for rows that no clock can produce.
        Some(Minutes::new(i64::try_from(value).unwrap_or(i64::MAX)))
    };
    InstrumentFigures {
        instrument_id: instrument.id,
        asset_no: instrument.asset_no.clone(),
        effective_minutes: minutes("effective_minutes").unwrap_or(Minutes::ZERO),
        external_minutes: minutes("external_minutes").unwrap_or(Minutes::ZERO),
        rated_minutes: minutes("rated_minutes"),
    }
}

/// Gives every unit its place and turns the excellent beyond the quota into good.
fn place(units: &mut [GradedHost], grades: &Grades) {
    let quota = (&grades.best_share * ratio::whole(units.len())).floor();
    let quota = quota.max(ratio::whole(grades.best_at_least));
    let quota = quota.to_integer().to_usize().unwrap_or(usize::MAX);
    let mut order: Vec<(Rank, &mut GradedHost)> = units
        .iter_mut()
        .map(|unit| (Rank::of(unit, grades), unit))
        .collect();
    order.sort_by(|(left, _), (right, _)| left.compare(right));
    for (before, (_, unit)) in order.iter_mut().enumerate() {
        unit.place = before + 1;
        if unit.grade == Grade::Excellent && before >= quota {
            unit.grade = Grade::Good;
        }
    }
}

/// What decides the order of units: more is first, then the next value, at last the smaller id.
struct Rank {
    total: BigRational,
    ties: Vec<TieValue>,
    id: OrganizationId,
}

enum TieValue {
    Points(BigRational),
    Uscc(String),
}

impl Rank {
    fn of(unit: &GradedHost, grades: &Grades) -> Self {
        let value = |tie: &Tie| match tie {
            Tie::Group(group) => TieValue::Points(unit.group_points(group)),
            Tie::Uscc => TieValue::Uscc(unit.uscc.clone()),
        };
        Self {
            total: unit.total.clone(),
            ties: grades.ties.iter().map(value).collect(),
            id: unit.organization_id,
        }
    }

    fn compare(&self, other: &Rank) -> Ordering {
        let mut order = other.total.cmp(&self.total);
        for (mine, theirs) in self.ties.iter().zip(&other.ties) {
            order = order.then_with(|| match (mine, theirs) {
                (TieValue::Points(mine), TieValue::Points(theirs)) => theirs.cmp(mine),
                (TieValue::Uscc(mine), TieValue::Uscc(theirs)) => mine.cmp(theirs),
                _ => Ordering::Equal,
            });
        }
        order.then(self.id.cmp(&other.id))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::organization;
    use super::*;

    fn grades() -> Grades {
        Grades {
            excellent: ratio::whole(90),
            good: ratio::whole(75),
            pass: ratio::whole(60),
            best_share: ratio::parse("0.15").unwrap(),
            best_at_least: 1,
            ties: vec![
                Tie::Group("C".to_owned()),
                Tie::Group("B".to_owned()),
                Tie::Uscc,
            ],
        }
    }

    /// A unit with points in A, B and C, in hundredths.
    fn unit(id: i64, uscc: &str, points: [i64; 3]) -> GradedHost {
        let score = |(id, hundredths): (&str, i64)| ScoreResult {
            id: id.to_owned(),
            numerator: BigRational::zero(),
            denominator: BigRational::zero(),
            full_at: ratio::whole(1),
            max: ratio::whole(100),
            empty: true,
            points: ratio::whole(hundredths) / ratio::whole(100),
        };
        let scores: Vec<ScoreResult> = ["A1", "B1", "C1"]
            .into_iter()
            .zip(points)
            .map(score)
            .collect();
        let total = scores
            .iter()
            .fold(BigRational::zero(), |sum, s| sum + &s.points);
        GradedHost {
            organization_id: organization(id),
            uscc: uscc.to_owned(),
            scores,
            grade: grades().by_threshold(&total),
            total,
            place: 0,
            instruments: Vec::new(),
        }
    }

    fn placed(mut units: Vec<GradedHost>) -> Vec<(usize, Grade)> {
        place(&mut units, &grades());
        units.iter().map(|unit| (unit.place, unit.grade)).collect()
    }

    #[test]
    fn thresholds_include_their_number_and_are_exact() {
        for (hundredths, grade) in [
            (9_000, Grade::Excellent),
            (8_999, Grade::Good),
            (7_500, Grade::Good),
            (7_499, Grade::Pass),
            (6_000, Grade::Pass),
            (5_999, Grade::Fail),
        ] {
            assert_eq!(placed(vec![unit(1, "U", [hundredths, 0, 0])]), [(1, grade)]);
        }
        // Printed 90.00, but below 90.
        let almost = ratio::whole(90) - ratio::whole(1) / ratio::whole(1_000);
        assert_eq!(ratio::decimal(&almost, 2), "90.00");
        assert_eq!(grades().by_threshold(&almost), Grade::Good);
    }

    #[test]
    fn the_excellent_beyond_the_quota_become_good() {
        for (count, excellent) in [(1, 1), (6, 1), (13, 1), (14, 2), (20, 3)] {
            let units = (1..=count).map(|id| unit(id, "U", [9_000 + id, 0, 0]));
            let placed = placed(units.collect());
            let best = placed
                .iter()
                .filter(|(_, grade)| *grade == Grade::Excellent);
            assert_eq!(best.count(), excellent, "{count} units");
            assert!(placed.iter().all(|(_, grade)| *grade <= Grade::Good));
            assert_eq!(placed.last(), Some(&(1, Grade::Excellent)));
        }
    }

    #[test]
    fn ties_are_broken_by_c_then_b_then_uscc() {
        for (left, right) in [
            (
                unit(2, "Z", [3_000, 3_000, 3_500]),
                unit(1, "A", [3_500, 3_000, 3_000]),
            ),
            (
                unit(2, "Z", [3_000, 3_500, 3_000]),
                unit(1, "A", [3_500, 3_000, 3_000]),
            ),
            (
                unit(2, "A", [3_500, 3_000, 3_000]),
                unit(1, "Z", [3_500, 3_000, 3_000]),
            ),
        ] {
            let expected = [(2, Grade::Good), (1, Grade::Excellent)];
            assert_eq!(placed(vec![right.clone(), left.clone()]), expected);
        }
    }
}
