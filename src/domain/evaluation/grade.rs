//! Totals, places and grades of all that are evaluated: thresholds on the exact total, vetoes, a quota for the best grade, ties,
//! and results from outside where the pack adopts them.

use super::inputs::{Host, Inputs, Instrument};
use super::judge::{Judge, Subject};
use super::score::{ScoreResult, score_instrument, score_units};
use crate::domain::policy::{
    Customers, Grade, Grades, Level, Measure, Policy, RecordFilter, Tally, Tie, group_of,
};
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
    /// In the order of the pack; none where instruments are evaluated.
    pub scores: Vec<ScoreResult>,
    /// Exact; [`GradedHost::total_printed`] rounds.
    pub total: BigRational,
    /// From 1, ties broken.
    pub place: usize,
    /// `None`: the pack gives none to it.
    pub grade: Option<Grade>,
    /// Its counted instruments in the order of `asset_no`.
    pub instruments: Vec<InstrumentFigures>,
}

/// What an instrument contributed.
#[derive(Debug, Clone, PartialEq)]
pub struct InstrumentFigures {
    pub instrument_id: InstrumentId,
    pub asset_no: String,
    pub effective_minutes: Minutes,
    pub external_minutes: Minutes,
    /// `None` when the pack has no metric `rated_minutes`.
    pub rated_minutes: Option<Minutes>,
    /// Where instruments are evaluated.
    pub graded: Option<GradedInstrument>,
}

/// An evaluated instrument.
#[derive(Debug, Clone, PartialEq)]
pub struct GradedInstrument {
    pub scores: Vec<ScoreResult>,
    pub total: BigRational,
    pub place: usize,
    pub grade: Option<Grade>,
}

/// The grades of units and of instruments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GradesGiven {
    pub units: BTreeMap<OrganizationId, Grade>,
    pub instruments: BTreeMap<InstrumentId, Grade>,
}

impl GradesGiven {
    /// Of an instrument where it has its own, else of its unit.
    pub fn of(&self, unit: OrganizationId, instrument: Option<InstrumentId>) -> Option<Grade> {
        let of_instrument = instrument.and_then(|id| self.instruments.get(&id));
        of_instrument.or_else(|| self.units.get(&unit)).copied()
    }
}

impl Evaluation {
    /// The grades, as `subsidy::allocate` needs them.
    pub fn grades(&self) -> GradesGiven {
        let mut given = GradesGiven::default();
        for unit in &self.units {
            if let Some(grade) = unit.grade {
                given.units.insert(unit.organization_id, grade);
            }
            for figures in &unit.instruments {
                let graded = figures.graded.as_ref();
                if let Some(grade) = graded.and_then(|graded| graded.grade) {
                    given.instruments.insert(figures.instrument_id, grade);
                }
            }
        }
        given
    }
}

impl GradedHost {
    /// The total with 2 decimals, rounded half up.
    pub fn total_printed(&self) -> String {
        ratio::decimal(&self.total, 2)
    }
}

/// One of those that are placed.
#[derive(Debug, Clone)]
struct Standing {
    scores: Vec<ScoreResult>,
    total: BigRational,
    uscc: String,
    id: (OrganizationId, Option<InstrumentId>),
    place: usize,
    grade: Option<Grade>,
    /// The best grade it may have.
    at_best: Grade,
    /// A grade from outside, at best what an upheld finding leaves.
    adopted: Option<Grade>,
}

impl Standing {
    fn new(host: &Host, instrument: Option<InstrumentId>, scores: Vec<ScoreResult>) -> Self {
        let points = scores.iter().map(|score| &score.points);
        Self {
            total: points.fold(BigRational::zero(), |sum, points| sum + points),
            scores,
            uscc: host.uscc.clone(),
            id: (host.organization_id, instrument),
            place: 0,
            grade: None,
            at_best: Grade::Excellent,
            adopted: host.adopted,
        }
    }

    fn group_points(&self, group: &str) -> BigRational {
        let scores = self.scores.iter();
        let scores = scores.filter(|score| group_of(&score.id) == group);
        scores.fold(BigRational::zero(), |sum, score| sum + &score.points)
    }
}

/// Scores and grades every unit with at least one counted instrument that the pack does not exempt; none where the pack scores
/// nothing.
pub fn grade(inputs: &Inputs, policy: &Policy) -> Evaluation {
    let judge = Judge::new(inputs, policy);
    if policy.scores.is_empty() {
        return Evaluation { units: Vec::new() };
    }
    let hosts: Vec<&Host> = judge.evaluated().collect();
    match policy.evaluation.per {
        Level::Instrument => by_instrument(&judge, &hosts),
        Level::Organization | Level::Service => by_unit(&judge, &hosts),
    }
}

fn by_unit(judge: &Judge, hosts: &[&Host]) -> Evaluation {
    let policy = judge.policy;
    let mut scores: Vec<Vec<ScoreResult>> = hosts.iter().map(|_| Vec::new()).collect();
    for score in &policy.scores {
        let results = score_units(score, judge, hosts);
        for (of_unit, result) in scores.iter_mut().zip(results) {
            of_unit.push(result);
        }
    }
    let standings = hosts.iter().zip(scores).map(|(host, scores)| {
        let mut standing = Standing::new(host, None, scores);
        standing.at_best = at_best(judge, host);
        let capped = capped(judge, host);
        standing.adopted = host.adopted.map(|adopted| adopted.max(capped));
        standing
    });
    let mut standings: Vec<Standing> = standings.collect();
    place(&mut standings, policy.grades.as_ref());
    let units = hosts
        .iter()
        .zip(standings)
        .map(|(host, standing)| GradedHost {
            organization_id: host.organization_id,
            uscc: standing.uscc,
            scores: standing.scores,
            total: standing.total,
            place: standing.place,
            grade: standing.grade,
            instruments: judge
                .counted(host)
                .map(|instrument| figures(judge, host, instrument, None))
                .collect(),
        });
    Evaluation {
        units: units.collect(),
    }
}

fn by_instrument(judge: &Judge, hosts: &[&Host]) -> Evaluation {
    let policy = judge.policy;
    let mut standings = Vec::new();
    for host in hosts {
        let at_best = at_best(judge, host);
        for instrument in judge.counted(host) {
            let scores = policy.scores.iter();
            let scores = scores.map(|score| score_instrument(score, judge, host, instrument));
            let mut standing = Standing::new(host, Some(instrument.id), scores.collect());
            standing.at_best = at_best;
            standing.adopted = None;
            standings.push(standing);
        }
    }
    place(&mut standings, policy.grades.as_ref());
    let mut graded: BTreeMap<InstrumentId, GradedInstrument> = BTreeMap::new();
    for standing in standings {
        if let (_, Some(id)) = standing.id {
            let instrument = GradedInstrument {
                scores: standing.scores,
                total: standing.total,
                place: standing.place,
                grade: standing.grade,
            };
            graded.insert(id, instrument);
        }
    }
    let units = hosts.iter().map(|host| GradedHost {
        organization_id: host.organization_id,
        uscc: host.uscc.clone(),
        scores: Vec::new(),
        total: BigRational::zero(),
        place: 0,
        grade: None,
        instruments: judge
            .counted(host)
            .map(|instrument| figures(judge, host, instrument, graded.remove(&instrument.id)))
            .collect(),
    });
    Evaluation {
        units: units.collect(),
    }
}

/// The best grade that upheld findings leave a unit.
pub(super) fn capped(judge: &Judge, host: &Host) -> Grade {
    let grades = &judge.inputs.effects().grades;
    let capped = grades.get(&host.organization_id).copied();
    capped.unwrap_or(Grade::Excellent)
}

/// The best grade that the vetoes and upheld findings leave a unit.
pub(super) fn at_best(judge: &Judge, host: &Host) -> Grade {
    let subject = Subject {
        host: Some(host),
        ..Subject::default()
    };
    let grades = judge.policy.grades.iter();
    let vetoes = grades.flat_map(|grades| &grades.vetoes);
    vetoes
        .filter(|veto| judge.holds(&veto.when, &subject))
        .map(|veto| veto.at_most)
        .fold(capped(judge, host), Grade::max)
}

fn figures(
    judge: &Judge,
    host: &Host,
    instrument: &Instrument,
    graded: Option<GradedInstrument>,
) -> InstrumentFigures {
    // Cells of an instrument were added in 64 bits when the inputs were put together class by class; their sum over classes
    // can only leave 64 bits for rows that no clock can produce.
    let minutes = |measure: &Measure| {
        let value = judge.measure_instrument(host, instrument, measure);
        Minutes::new(value.to_integer().to_i64().unwrap_or(i64::MAX))
    };
    let named = |name: &str| {
        judge
            .policy
            .metrics
            .get(name)
            .map(|metric| minutes(&metric.measure))
    };
    let plain = |customers| {
        minutes(&Measure::Records(
            Tally::EffectiveMinutes,
            RecordFilter::of(customers),
        ))
    };
    InstrumentFigures {
        instrument_id: instrument.id,
        asset_no: instrument.asset_no.clone(),
        effective_minutes: named("effective_minutes").unwrap_or_else(|| plain(Customers::All)),
        external_minutes: named("external_minutes").unwrap_or_else(|| plain(Customers::External)),
        rated_minutes: named("rated_minutes"),
        graded,
    }
}

/// Gives each its place and grade: by thresholds, at best what vetoes leave, the excellent beyond the quota good; and where
/// the pack adopts results from outside, those, which take no place of the quota.
fn place(standings: &mut [Standing], grades: Option<&Grades>) {
    let count = standings.len();
    let mut order: Vec<(Rank, &mut Standing)> = standings
        .iter_mut()
        .map(|standing| (Rank::of(standing, grades), standing))
        .collect();
    order.sort_by(|(left, _), (right, _)| left.compare(right));
    let mut excellent = 0;
    for (before, (_, standing)) in order.iter_mut().enumerate() {
        standing.place = before + 1;
        let Some(grades) = grades else {
            continue;
        };
        if let Some(adopted) = standing.adopted.filter(|_| grades.adopt) {
            standing.grade = Some(adopted);
            continue;
        }
        let by_total = grades.by_threshold(&standing.total);
        let mut grade = by_total.max(standing.at_best);
        if grade == Grade::Excellent {
            if excellent >= quota(grades, count) {
                grade = Grade::Good;
            } else {
                excellent += 1;
            }
        }
        standing.grade = Some(grade);
    }
}

/// How many may be excellent.
pub(super) fn quota(grades: &Grades, count: usize) -> usize {
    let Some(quota) = &grades.quota else {
        return count;
    };
    let most = (&quota.share * ratio::whole(count)).floor();
    let most = most.max(ratio::whole(quota.at_least));
    most.to_integer().to_usize().unwrap_or(usize::MAX)
}

/// What decides the order: more is first, then the next value, at last the smaller id.
struct Rank {
    total: BigRational,
    ties: Vec<TieValue>,
    id: (OrganizationId, Option<InstrumentId>),
}

enum TieValue {
    Points(BigRational),
    Uscc(String),
}

impl Rank {
    fn of(standing: &Standing, grades: Option<&Grades>) -> Self {
        let value = |tie: &Tie| match tie {
            Tie::Group(group) => TieValue::Points(standing.group_points(group)),
            Tie::Uscc => TieValue::Uscc(standing.uscc.clone()),
        };
        let ties = grades.iter().flat_map(|grades| &grades.ties);
        Self {
            total: standing.total.clone(),
            ties: ties.map(value).collect(),
            id: standing.id,
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
    use crate::domain::organization::OrganizationKind;
    use crate::domain::policy::{Quota, ShapeWord};

    fn grades() -> Grades {
        Grades {
            excellent: ratio::whole(90),
            good: ratio::whole(75),
            pass: ratio::whole(60),
            quota: Some(Quota {
                share: ratio::parse("0.15").unwrap(),
                at_least: 1,
            }),
            vetoes: Vec::new(),
            adopt: false,
            ties: vec![
                Tie::Group("C".to_owned()),
                Tie::Group("B".to_owned()),
                Tie::Uscc,
            ],
        }
    }

    /// A unit with points in A, B and C, in hundredths.
    fn unit(id: i64, uscc: &str, points: [i64; 3]) -> Standing {
        let score = |(id, hundredths): (&str, i64)| ScoreResult {
            id: id.to_owned(),
            numerator: BigRational::zero(),
            denominator: BigRational::zero(),
            full_at: ratio::whole(1),
            max: ratio::whole(100),
            shape: ShapeWord::Linear,
            empty: true,
            points: ratio::whole(hundredths) / ratio::whole(100),
        };
        let scores: Vec<ScoreResult> = ["A1", "B1", "C1"]
            .into_iter()
            .zip(points)
            .map(score)
            .collect();
        let kind = OrganizationKind::University;
        let host = Host::new(organization(id), uscc.to_owned(), kind);
        Standing::new(&host, None, scores)
    }

    fn placed(mut units: Vec<Standing>) -> Vec<(usize, Grade)> {
        place(&mut units, Some(&grades()));
        let of = |unit: &Standing| (unit.place, unit.grade.unwrap());
        units.iter().map(of).collect()
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
