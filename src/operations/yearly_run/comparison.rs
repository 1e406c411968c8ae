//! What two runs of a kind say differently, whatever their years, packs and facts: by unit the grade, the place, the money, and
//! where the difference arises.

use std::collections::{BTreeMap, BTreeSet};

use num_rational::BigRational;
use serde::Serialize;

use super::grades::exact;
use super::{basis, compare_of, refuse_without_results};
use crate::app::App;
use crate::domain::policy::Grade;
use crate::domain::run::RunId;
use crate::domain::{Fen, OrganizationId, ratio};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject;
use crate::store::Conn;
use crate::store::yearly_run::{Run as Row, evaluation, subsidy};

/// What a run says of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// 2 decimals; none of a unit that has no total.
    pub total: Option<String>,
    pub grade: Option<Grade>,
    pub place: Option<i64>,
    /// Of all awards together; none in evaluations.
    pub award_fen: Option<Fen>,
}

/// Something that is not the same, as it stands on both sides: an indicator (points), or the first step of an award whose result
/// differs (fen, 4 decimals).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    pub id: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A unit on both sides; one side is none where the run does not know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitChange {
    pub organization_id: OrganizationId,
    pub name: String,
    pub before: Option<Side>,
    pub after: Option<Side>,
    pub change_fen: Fen,
    pub causes: Vec<Cause>,
}

/// Units of one direction, and what they gain or lose together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Group {
    pub units: i64,
    pub sum_fen: Fen,
}

/// What all awards come to; none in evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub before_awarded_fen: Option<Fen>,
    pub after_awarded_fen: Option<Fen>,
}

/// The difference of two runs. Of evaluations, who gains has more points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub before_id: i64,
    pub after_id: i64,
    pub totals: Totals,
    pub gain: Group,
    pub same: Group,
    pub lose: Group,
    /// Who gains most comes first.
    pub units: Vec<UnitChange>,
}

/// Compares a run with another, for who may compare runs of the kind.
pub async fn compare(
    app: &App,
    actor: &Actor,
    before: RunId,
    after: Result<RunId, AppError>,
) -> Result<Comparison, AppError> {
    let by = actor.clone();
    let action = compare_of(before.kind());
    app.store
        .read_snapshot(move |conn| {
            let before: Row = subject::load(conn, &by, action, before)?;
            let after: Row = subject::load(conn, &by, action, after?)?;
            of(conn, &before, &after)
        })
        .await
}

/// What a run knows of a unit.
#[derive(Default)]
struct Seen {
    name: String,
    total: Option<BigRational>,
    grade: Option<Grade>,
    place: Option<i64>,
    award: Option<Fen>,
    points: BTreeMap<String, String>,
    /// Sums over the amounts of a step, in the order in which the steps happened.
    steps: Vec<(String, BigRational)>,
}

impl Seen {
    fn side(&self) -> Side {
        Side {
            total: self.total.as_ref().map(|total| ratio::decimal(total, 2)),
            grade: self.grade,
            place: self.place,
            award_fen: self.award,
        }
    }
}

type Units = BTreeMap<OrganizationId, Seen>;

fn of(conn: &mut Conn, before: &Row, after: &Row) -> Result<Comparison, AppError> {
    let (mut left, mut right) = (seen(conn, before)?, seen(conn, after)?);
    let ids: BTreeSet<OrganizationId> = left.keys().chain(right.keys()).copied().collect();
    let mut comparison = Comparison {
        before_id: before.id().number(),
        after_id: after.id().number(),
        totals: Totals {
            before_awarded_fen: awarded(before),
            after_awarded_fen: awarded(after),
        },
        gain: Group::default(),
        same: Group::default(),
        lose: Group::default(),
        units: Vec::new(),
    };
    let mut ranked = Vec::new();
    for id in ids {
        let (left, right) = (left.remove(&id), right.remove(&id));
        let money = |seen: &Option<Seen>| {
            let award = seen.as_ref().and_then(|seen| seen.award);
            award.unwrap_or(Fen::ZERO)
        };
        let change_fen = money(&right)
            .checked_sub(money(&left))
            .map_err(AppError::internal)?;
        let points = |seen: &Option<Seen>| {
            let total = seen.as_ref().and_then(|seen| seen.total.clone());
            total.unwrap_or_else(|| ratio::whole(0))
        };
        let by_points = points(&right) - points(&left);
        let direction = match before {
            Row::SubsidyRun(_) => ratio::whole(change_fen.number()),
            Row::Evaluation(_) => by_points,
        };
        let zero = ratio::whole(0);
        let group = match direction.cmp(&zero) {
            std::cmp::Ordering::Greater => &mut comparison.gain,
            std::cmp::Ordering::Equal => &mut comparison.same,
            std::cmp::Ordering::Less => &mut comparison.lose,
        };
        group.units += 1;
        let sum = group.sum_fen.checked_add(change_fen);
        group.sum_fen = sum.map_err(AppError::internal)?;
        let name = right.as_ref().or(left.as_ref());
        let unit = UnitChange {
            organization_id: id,
            name: name.map(|seen| seen.name.clone()).unwrap_or_default(),
            causes: causes(left.as_ref(), right.as_ref()),
            before: left.as_ref().map(Seen::side),
            after: right.as_ref().map(Seen::side),
            change_fen,
        };
        ranked.push((direction, unit));
    }
    ranked.sort_by(|(one, left), (other, right)| {
        let by_id = left.organization_id.cmp(&right.organization_id);
        other.cmp(one).then(by_id)
    });
    comparison.units = ranked.into_iter().map(|(_, unit)| unit).collect();
    Ok(comparison)
}

const fn awarded(run: &Row) -> Option<Fen> {
    match run {
        Row::Evaluation(_) => None,
        Row::SubsidyRun(run) => run.awarded_fen,
    }
}

/// Indicators whose points differ, then of each award the first step that comes to another sum.
fn causes(before: Option<&Seen>, after: Option<&Seen>) -> Vec<Cause> {
    let (Some(before), Some(after)) = (before, after) else {
        return Vec::new();
    };
    let ids: BTreeSet<&String> = before.points.keys().chain(after.points.keys()).collect();
    let mut causes: Vec<Cause> = ids
        .into_iter()
        .filter(|id| before.points.get(*id) != after.points.get(*id))
        .map(|id| Cause {
            id: id.clone(),
            before: before.points.get(id).cloned(),
            after: after.points.get(id).cloned(),
        })
        .collect();
    let mut told: BTreeSet<String> = BTreeSet::new();
    let of = |seen: &Seen, id: &str| {
        let step = seen.steps.iter().find(|(known, _)| known == id);
        step.map(|(_, sum)| sum.clone())
    };
    for (id, _) in after.steps.iter().chain(&before.steps) {
        let award = id.split('/').next().unwrap_or_default().to_owned();
        let (left, right) = (of(before, id), of(after, id));
        if left == right || !told.insert(award) {
            continue;
        }
        let printed = |sum: Option<BigRational>| sum.map(|sum| ratio::decimal(&sum, 4));
        causes.push(Cause {
            id: id.clone(),
            before: printed(left),
            after: printed(right),
        });
    }
    causes
}

fn seen(conn: &mut Conn, run: &Row) -> Result<Units, AppError> {
    refuse_without_results(run.lifecycle().state)?;
    let evaluation = match run {
        Row::Evaluation(row) => Some(row.id),
        Row::SubsidyRun(row) => row.evaluation_id,
    };
    let mut units = Units::new();
    if let Some(id) = evaluation {
        for host in evaluation::list_units(conn, id)? {
            let seen = units.entry(host.organization_id).or_default();
            seen.total = Some(exact(&host.total)?);
            (seen.grade, seen.place) = (host.grade, Some(host.place));
            for score in host.scores.iter() {
                let points = score.points_printed.clone();
                seen.points.insert(score.id.clone(), points);
            }
            seen.name = host.name;
        }
    }
    if let Row::SubsidyRun(run) = run {
        let only = basis::policy_of(conn, &run.lifecycle)?;
        let only = only.awards.first().map(|award| award.code.clone());
        add_money(conn, run, only.unwrap_or_default(), &mut units)?;
    }
    Ok(units)
}

/// Adds the awards and their steps. Runs of before there were several awards do not name `only`.
fn add_money(
    conn: &mut Conn,
    run: &subsidy::SubsidyRun,
    only: String,
    units: &mut Units,
) -> Result<(), AppError> {
    for award in subsidy::list_awards(conn, run.id)? {
        let seen = units.entry(award.organization_id).or_default();
        let sum = seen.award.unwrap_or(Fen::ZERO);
        let sum = sum.checked_add(award.award_fen);
        seen.award = Some(sum.map_err(AppError::internal)?);
        seen.name.clone_from(&award.name);
        let code = match award.award_code.is_empty() {
            true => &only,
            false => &award.award_code,
        };
        for step in subsidy::list_steps(conn, award.id)? {
            let level = match step.instrument_id {
                Some(_) => "instrument",
                None => "unit",
            };
            let id = format!("{code}/{level}/{}", step.step);
            let after = exact(&step.after_fen)?;
            match seen.steps.iter_mut().find(|(known, _)| *known == id) {
                Some((_, sum)) => *sum = &*sum + after,
                None => seen.steps.push((id, after)),
            }
        }
    }
    Ok(())
}
