//! Experts' points belong to a year, a unit and an indicator of the pack: those the province entered, else the mean of those its
//! evaluators gave, else those imported. Every evaluation takes them when its inputs are frozen; what is entered while it is a
//! draft grades it again and stays for the next.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use num_rational::BigRational;

use super::by_experts::{self, ByExperts};
use super::freeze::{self, EXPERT_PREFIX, ExpertPoints};
use super::grades::open;
use super::phase::{Frozen, write};
use super::{check_year, not_ready, refuse_used, subject_of};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::evaluation::{self as rules, Inputs};
use crate::domain::policy::{Policy, Score, Value};
use crate::domain::ratio::NotADecimal;
use crate::domain::run::{PointSource, RunState};
use crate::domain::{EvaluationId, OrganizationId, ratio};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::finding::effect;
use crate::operations::policy as packs;
use crate::operations::run::{Outcome, Run, may};
use crate::store::yearly_input::{self, Scope};
use crate::store::yearly_run::evaluation::{self, Evaluation, ExpertScore};
use crate::store::yearly_run::expert::{self, ExpertPoint};
use crate::store::yearly_run::{self, Run as Row};
use crate::store::{Conn, event};

use super::basis::{policy_of, scope_of};

/// One expert's points for a unit, as a decimal.
#[derive(Debug, Clone)]
pub struct GivenScore {
    pub organization_id: OrganizationId,
    pub indicator: String,
    pub points: String,
}

/// Copies the points of the year into the evaluation, as far as its pack asks for them; of evaluators those that count on the day.
pub(super) fn adopt(
    tx: &mut Conn,
    id: EvaluationId,
    (scope, day): (&Scope, NaiveDate),
    policy: &Policy,
) -> Result<(), AppError> {
    for (unit, metric, points) in yearly_input::list_reported(tx, scope)? {
        let Some(indicator) = metric.strip_prefix(EXPERT_PREFIX) else {
            continue;
        };
        if fits(policy, indicator, &points) {
            let score = ExpertScore {
                evaluation_id: id,
                organization_id: unit,
                indicator: indicator.to_owned(),
                points,
                entered_by: None,
                entered_at: scope.frozen_at,
            };
            evaluation::update_expert_score(tx, &score)?;
        }
    }
    let year = i64::from(scope.year);
    for (unit, indicator, mean) in by_experts::list_means(tx, year, day)? {
        let points = ratio::plain(&mean);
        if fits(policy, &indicator, &points) {
            let score = ExpertScore {
                evaluation_id: id,
                organization_id: unit,
                indicator,
                points,
                entered_by: None,
                entered_at: scope.frozen_at,
            };
            evaluation::update_expert_score(tx, &score)?;
        }
    }
    for point in expert::list(tx, year)? {
        if fits(policy, &point.indicator, &point.points) {
            let score = ExpertScore {
                evaluation_id: id,
                organization_id: point.organization_id,
                indicator: point.indicator,
                points: point.points,
                entered_by: point.entered_by,
                entered_at: point.entered_at,
            };
            evaluation::update_expert_score(tx, &score)?;
        }
    }
    Ok(())
}

/// The pack asks for the indicator, and gives as many points for it.
fn fits(policy: &Policy, indicator: &str, points: &str) -> bool {
    let score = expert_score(policy, indicator);
    let points = value(points).ok();
    score
        .zip(points)
        .is_some_and(|(score, points)| points <= score.max)
}

/// Points as a decimal text, or, of a mean that never ends, as `p/q`.
fn value(points: &str) -> Result<BigRational, NotADecimal> {
    ratio::parse(points).or_else(|_| ratio::parse_exact(points))
}

/// 409 `expert_points_missing` with the units and indicators for which nobody gave points, or somebody is still to give them.
pub(super) fn refuse_missing(
    conn: &mut Conn,
    row: &Evaluation,
    today: NaiveDate,
) -> Result<(), AppError> {
    let policy = policy_of(conn, &row.lifecycle)?;
    let given = points(conn, row.id)?;
    let open = by_experts::list_open(conn, row.lifecycle.year, today)?;
    let mut missing = Vec::new();
    let mut units = Vec::new();
    for unit in evaluation::list_units(conn, row.id)? {
        let id = unit.organization_id;
        let has = |indicator: &str| {
            given
                .get(&id)
                .is_some_and(|own| own.contains_key(indicator))
        };
        let before = missing.len();
        for (indicator, _) in packs::indicators(&policy) {
            if !has(&indicator) || open.contains(&(id, indicator.clone())) {
                missing.push(serde_json::json!({ "organization_id": id, "indicator": indicator }));
            }
        }
        if missing.len() > before {
            units.push(id.number());
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(AppError::conflict(Code::expert_points_missing)
        .with("organization_ids", units)
        .with("missing", missing))
}

/// The points of a unit for an indicator in a year, or that there are none yet.
#[derive(Debug, Clone)]
pub struct PointRow {
    pub year: i32,
    pub organization_id: OrganizationId,
    pub indicator: String,
    /// As a decimal text; of a mean that never ends, with 4 decimals.
    pub points: Option<String>,
    /// As `p/q`.
    pub points_exact: Option<String>,
    pub source: Option<PointSource>,
    /// How many evaluators gave points, or one where they come from elsewhere.
    pub given: i64,
    /// How many evaluators were asked and gave none, or one where nobody was asked and there are none.
    pub missing: i64,
    /// There are none, or an evaluator may still give some that would count.
    pub is_missing: bool,
}

/// The points of years for every unit that has instruments, by the indicators of a pack; of none named: of the one that
/// registrations follow.
pub async fn list(
    app: &App,
    actor: &Actor,
    asked: Result<(Vec<i32>, Option<String>), AppError>,
) -> Result<Vec<PointRow>, AppError> {
    may(actor, Action::ExpertPointList)?;
    let ((years, named), now) = (asked?, app.clock.now());
    for year in &years {
        check_year(*year, now)?;
    }
    let read = move |conn: &mut Conn| {
        let today = now.local_date();
        let policy = match &named {
            Some(name) => packs::open(&packs::get_named(conn, name, today)?)?,
            None => packs::active(conn, today)?,
        };
        let mut rows = Vec::new();
        for year in years {
            rows.extend(of_year(conn, (year, today), &policy)?);
        }
        Ok(rows)
    };
    app.store.read_snapshot(read).await
}

fn of_year(
    conn: &mut Conn,
    (year, today): (i32, NaiveDate),
    policy: &Policy,
) -> Result<Vec<PointRow>, AppError> {
    let mut known = BTreeMap::new();
    for (unit, metric, points) in expert::list_imported(conn, i64::from(year))? {
        if let Some(indicator) = metric.strip_prefix(EXPERT_PREFIX) {
            let key = (unit, indicator.to_owned());
            known.insert(key, (points, PointSource::Import));
        }
    }
    let mut by = by_experts::of_year(conn, i64::from(year), today)?;
    for (place, given) in &by {
        if let Some(mean) = given.mean() {
            known.insert(place.clone(), (ratio::plain(&mean), PointSource::Experts));
        }
    }
    for point in expert::list(conn, i64::from(year))? {
        let key = (point.organization_id, point.indicator);
        known.insert(key, (point.points, PointSource::Province));
    }
    let mut units: BTreeSet<OrganizationId> = expert::list_hosts(conn)?.into_iter().collect();
    units.extend(known.keys().chain(by.keys()).map(|(unit, _)| *unit));
    let mut rows = Vec::new();
    for unit in units {
        for (indicator, _) in packs::indicators(policy) {
            let place = (unit, indicator);
            let (found, by) = (known.remove(&place), by.remove(&place));
            rows.push(point_row(year, place, found, by)?);
        }
    }
    Ok(rows)
}

fn point_row(
    year: i32,
    (organization_id, indicator): by_experts::Place,
    found: Option<(String, PointSource)>,
    by: Option<ByExperts>,
) -> Result<PointRow, AppError> {
    let (points, source) = found.unzip();
    let exact = points.as_deref().map(value).transpose();
    let exact = exact.map_err(AppError::internal)?;
    let stands = i64::from(points.is_some());
    let is_open = by.as_ref().is_some_and(|by| by.is_open);
    let (given, missing) = by.map_or((stands, 1 - stands), |by| (by.given(), by.missing));
    Ok(PointRow {
        year,
        organization_id,
        indicator,
        is_missing: points.is_none() || (is_open && source != Some(PointSource::Province)),
        points: points.map(|text| match ratio::parse(&text) {
            Ok(_) => text,
            Err(_) => exact
                .as_ref()
                .map(|mean| ratio::decimal(mean, 4))
                .unwrap_or(text),
        }),
        points_exact: exact.as_ref().map(ratio::exact),
        source,
        given,
        missing,
    })
}

fn expert_score<'a>(policy: &'a Policy, indicator: &str) -> Option<&'a Score> {
    let mut scores = policy.scores.iter();
    scores.find(|score| score.id == indicator && score.value == Value::Expert)
}

/// The points an evaluation has.
pub(crate) fn points(conn: &mut Conn, id: EvaluationId) -> Result<ExpertPoints, AppError> {
    let mut experts = ExpertPoints::new();
    for score in evaluation::list_expert_scores(conn, id)? {
        let points = value(&score.points).map_err(AppError::internal)?;
        experts
            .entry(score.organization_id)
            .or_default()
            .insert(score.indicator, points);
    }
    Ok(experts)
}

/// Enters points and grades again. Only in a draft on which no subsidy run stands.
pub async fn score(
    run: &Run<Row>,
    id: EvaluationId,
    given: Result<Vec<GivenScore>, AppError>,
) -> Outcome<Row> {
    run.on(id, given, |tx, by, row, given| enter(tx, by, &row, given))
        .await
}

fn enter(
    tx: &mut Conn,
    by: &Actor,
    row: &Evaluation,
    given: &[GivenScore],
) -> Result<Row, AppError> {
    let (id, state) = (row.id, row.lifecycle.state);
    // Without results there are no inputs to judge the points by.
    if state == RunState::Running {
        return Err(not_ready(state));
    }
    if !state.has_results() {
        return Err(not_a_draft(state));
    }
    let (policy, inputs) = open(tx, row)?;
    AppError::refuse_all(faults(given, &policy, &inputs))?;
    if state != RunState::Draft {
        return Err(not_a_draft(state));
    }
    refuse_used(tx, id)?;
    let of_year = expert::list(tx, row.lifecycle.year)?;
    if are_given(&points(tx, id)?, &of_year, given) {
        // They stand there already: nothing happened.
        return Ok(Row::Evaluation(row.clone()));
    }
    yearly_run::update_to_stale(tx, row.lifecycle.year, by.now)?;
    evaluation::claim_draft(tx, row, by.now)?;
    if !row.lifecycle.is_stale {
        evaluation::update_to_fresh(tx, id)?;
    }
    for score in given {
        evaluation::update_expert_score(tx, &stored(id, score, by))?;
        expert::update(tx, &of_the_year(row.lifecycle.year, score, by))?;
    }
    grade_again(tx, id, (inputs, &policy))?;
    let after: Vec<_> = given
        .iter()
        .map(|score| (score.organization_id, &score.indicator, &score.points))
        .collect();
    let event = by.event(Action::EvaluationScore, subject_of(id.into()));
    event::append(tx, &event.after(after)?)?;
    Ok(Row::Evaluation(evaluation::get(tx, id)?))
}

/// Grades the facts of a draft with the points that it has now.
fn grade_again(
    tx: &mut Conn,
    id: EvaluationId,
    (inputs, policy): (Inputs, &Policy),
) -> Result<(), AppError> {
    let best = effect::of_year(tx, i64::from(inputs.year()))?.grades;
    let inputs = inputs.with_experts(points(tx, id)?).with_best_grades(best);
    evaluation::delete_inputs(tx, id)?;
    evaluation::delete_units(tx, id)?;
    let graded = rules::grade(&inputs, policy);
    write(tx, id, &Frozen::of(&inputs), &graded)
}

/// Takes the points of the year as they are now into a draft, and grades it again, without a new freeze. 409 `run_not_ready`,
/// `invalid_state`; `relation_in_use` when a subsidy run stands on it.
pub async fn regrade(run: &Run<Row>, id: EvaluationId, body: Result<(), AppError>) -> Outcome<Row> {
    run.on(id, body, move |tx, by, row: Evaluation, ()| {
        let state = row.lifecycle.state;
        match state {
            RunState::Running => return Err(not_ready(state)),
            RunState::Draft => {}
            _ => return Err(not_a_draft(state)),
        }
        refuse_used(tx, id)?;
        let (policy, inputs) = open(tx, &row)?;
        evaluation::claim_draft(tx, &row, by.now)?;
        evaluation::delete_expert_scores(tx, id)?;
        let scope = scope_of(tx, &row)?;
        adopt(tx, id, (&scope, by.now.local_date()), &policy)?;
        let inputs = inputs.with_adopted(freeze::adopted(tx, &scope, None)?);
        grade_again(tx, id, (inputs, &policy))?;
        evaluation::update_to_fresh(tx, id)?;
        let event = by.event(Action::EvaluationRegrade, subject_of(id.into()));
        event::append(tx, &event)?;
        Ok(Row::Evaluation(evaluation::get(tx, id)?))
    })
    .await
}

/// Whether the evaluation has all these points already, however they are written, and the year has them as the province's.
fn are_given(present: &ExpertPoints, of_year: &[ExpertPoint], given: &[GivenScore]) -> bool {
    given.iter().all(|score| {
        let unit = present.get(&score.organization_id);
        let points = unit.and_then(|points| points.get(&score.indicator));
        let said = ratio::parse(&score.points).ok();
        let stands = |point: &ExpertPoint| {
            (point.organization_id, &point.indicator) == (score.organization_id, &score.indicator)
                && ratio::parse(&point.points).ok() == said
        };
        points.is_some() && said.as_ref() == points && of_year.iter().any(stands)
    })
}

fn not_a_draft(state: RunState) -> AppError {
    AppError::conflict(Code::invalid_state)
        .with("state", state.as_str())
        .with("allowed", Vec::<&str>::new())
}

fn stored(id: EvaluationId, given: &GivenScore, actor: &Actor) -> ExpertScore {
    ExpertScore {
        evaluation_id: id,
        organization_id: given.organization_id,
        indicator: given.indicator.clone(),
        points: given.points.clone(),
        entered_by: actor.user_id(),
        entered_at: actor.now,
    }
}

fn of_the_year(year: i64, given: &GivenScore, actor: &Actor) -> ExpertPoint {
    ExpertPoint {
        year,
        organization_id: given.organization_id,
        indicator: given.indicator.clone(),
        points: given.points.clone(),
        entered_by: actor.user_id(),
        entered_at: actor.now,
    }
}

fn faults(given: &[GivenScore], policy: &Policy, inputs: &Inputs) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (at, score) in given.iter().enumerate() {
        let field = |name: &str| format!("scores[{at}].{name}");
        let id = score.organization_id;
        if !inputs.units().any(|unit| unit.organization_id == id) {
            let fault = Fault::field(field("organization_id"), Code::unknown_reference);
            faults.push(fault.actual(id.number()));
        }
        let Some(indicator) = expert_score(policy, &score.indicator) else {
            let fault = Fault::field(field("indicator"), Code::unknown_reference);
            faults.push(fault.actual(score.indicator.as_str()));
            continue;
        };
        let points = ratio::parse(&score.points);
        let fits = points.is_ok_and(|points| points <= indicator.max);
        if !fits {
            let fault = Fault::field(field("points"), Code::out_of_range);
            let limit = format!("0–{}", ratio::exact(&indicator.max));
            faults.push(fault.limit(limit).actual(score.points.as_str()));
        }
    }
    faults
}
