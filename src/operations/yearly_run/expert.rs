//! Experts' points: taken over from what units reported when the inputs are frozen, changed by the province while the
//! evaluation is a draft. Every change grades again.

use super::freeze::{EXPERT_PREFIX, ExpertPoints};
use super::grades::open;
use super::phase::write;
use super::{not_ready, refuse_used, subject_of};
use crate::domain::access::Action;
use crate::domain::evaluation::{self as rules, Inputs};
use crate::domain::policy::{Policy, Score, Value};
use crate::domain::run::RunState;
use crate::domain::{EvaluationId, OrganizationId, ratio};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::store::Conn;
use crate::store::event;
use crate::store::yearly_input::{self, Scope};
use crate::store::yearly_run::Run as Row;
use crate::store::yearly_run::evaluation::{self, Evaluation, ExpertScore};

/// One expert's points for a unit, as a decimal.
#[derive(Debug, Clone)]
pub struct GivenScore {
    pub organization_id: OrganizationId,
    pub indicator: String,
    pub points: String,
}

/// Copies the reported points of the year into the evaluation.
pub(super) fn adopt_reported(
    tx: &mut Conn,
    id: EvaluationId,
    scope: &Scope,
    policy: &Policy,
) -> Result<(), AppError> {
    for (unit, metric, points) in yearly_input::list_reported(tx, scope)? {
        let Some(indicator) = metric.strip_prefix(EXPERT_PREFIX) else {
            continue;
        };
        if expert_score(policy, indicator).is_some() {
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
    Ok(())
}

fn expert_score<'a>(policy: &'a Policy, indicator: &str) -> Option<&'a Score> {
    let mut scores = policy.scores.iter();
    scores.find(|score| score.id == indicator && score.value == Value::Expert)
}

/// The points an evaluation has.
pub(crate) fn points(conn: &mut Conn, id: EvaluationId) -> Result<ExpertPoints, AppError> {
    let mut experts = ExpertPoints::new();
    for score in evaluation::list_expert_scores(conn, id)? {
        let points = ratio::parse(&score.points).map_err(AppError::internal)?;
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
    if are_given(&points(tx, id)?, given) {
        // They stand there already: nothing happened.
        return Ok(Row::Evaluation(row.clone()));
    }
    evaluation::claim_draft(tx, row, by.now)?;
    for score in given {
        evaluation::update_expert_score(tx, &stored(id, score, by))?;
    }
    let inputs = inputs.with_experts(points(tx, id)?);
    evaluation::delete_inputs(tx, id)?;
    evaluation::delete_units(tx, id)?;
    let graded = rules::grade(&inputs, &policy);
    write(tx, id, &inputs, &graded)?;
    let after: Vec<_> = given
        .iter()
        .map(|score| (score.organization_id, &score.indicator, &score.points))
        .collect();
    let event = by.event(Action::EvaluationScore, subject_of(id.into()));
    event::append(tx, &event.after(after)?)?;
    Ok(Row::Evaluation(evaluation::get(tx, id)?))
}

/// Whether the evaluation has all these points already, however they are written.
fn are_given(present: &ExpertPoints, given: &[GivenScore]) -> bool {
    given.iter().all(|score| {
        let unit = present.get(&score.organization_id);
        let points = unit.and_then(|points| points.get(&score.indicator));
        points.is_some() && ratio::parse(&score.points).ok().as_ref() == points
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
