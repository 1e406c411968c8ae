//! What the province decides of a run: shown to everybody with a public notice, thrown away, or final. Finality is one step: no
//! run is final but on a final evaluation, so a run takes its published evaluation along, and both become final or neither.

mod kept;

use std::sync::Arc;

use chrono::{Days, NaiveDate};

use super::basis::{days_of_evaluation, days_of_run, policy_of, scope_of, scope_of_run};
use super::{Actions, action_of, expert, refuse_scenario, refuse_used, subject_of};
use crate::domain::calendar::Calendar;
use crate::domain::policy::Deadline;
use crate::domain::run::{RunDecision, RunId, RunState};
use crate::domain::{EvaluationId, Instant, OrganizationId, Reason, UserId};
use crate::error::{AppError, Code, Conflict, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::{exclusive, finding, public_notice};
use crate::store::event;
use crate::store::yearly_run::{self as rows, Evaluation, Run as Row, Said};
use crate::store::{self, Conn, Constraint, StoreError};

/// How long a public notice lasts at most, in days.
const NOTICE_DAYS_MAX: u64 = 366;

/// What is said with a decision; which of it may be said, the decision tells.
#[derive(Debug, Clone, Default)]
pub struct Statement {
    /// The last day of the notice that begins; none: the earliest day allowed.
    pub notice_until_on: Option<NaiveDate>,
    /// Printed with the notice.
    pub remark: Option<String>,
    /// Why it is thrown away; due once it was published.
    pub reason: Option<String>,
}

/// Publishes, finalizes or discards, as the action says.
///
/// 403 `second_person_required` when who finalizes began or published it; 409 `invalid_state`, `already_published`, `year_not_over`,
/// `evaluation_not_published`, `notice_running`, `objections_open`, `findings_open`; `final_exists` when the year has a final one of the code; `relation_in_use` when a
/// subsidy run stands on what would be discarded.
pub async fn decide(
    run: &Run<Row>,
    id: RunId,
    statement: Result<Statement, AppError>,
) -> Outcome<Row> {
    let statement = match statement {
        Ok(statement) => statement,
        Err(fault) => return run.refuse::<Row>(id, fault).await,
    };
    let decisions = [
        RunDecision::Publish,
        RunDecision::Finalize,
        RunDecision::Discard,
    ];
    let mut decisions = decisions.into_iter();
    let decision = decisions.find(|decision| action_of(id.kind(), *decision) == run.action);
    let decision = decision.ok_or_else(|| AppError::internal("an action that decides nothing"))?;
    let calendar = run.app.calendar().await?;
    let kept = match decision {
        RunDecision::Publish => kept::read(run, id).await?,
        RunDecision::Finalize | RunDecision::Discard => None,
    };
    let kept = Arc::new(kept);
    exclusive::wait(|| {
        let (calendar, kept) = (Arc::clone(&calendar), Arc::clone(&kept));
        let part = move |tx: &mut Conn, by: &Actor, present: Row, statement: &Statement| {
            let moved = move_run(tx, by, &present, decision, (statement, &calendar))?;
            if decision == RunDecision::Publish {
                kept::write(tx, &present, kept.as_ref().as_ref())?;
            }
            Ok(moved)
        };
        run.on(id, Ok(statement.clone()), part)
    })
    .await
}

fn move_run(
    tx: &mut Conn,
    by: &Actor,
    run: &Row,
    decision: RunDecision,
    (statement, calendar): (&Statement, &Calendar),
) -> Result<Row, AppError> {
    if decision != RunDecision::Discard {
        // Usage of the year is locked from what is final on: nobody may be writing some. What is published while another becomes
        // final waits for it, and finds it.
        exclusive::take_alone(tx)?;
    }
    let basis = basis_of(tx, run)?;
    if decision == RunDecision::Finalize {
        let both = [Some(run), basis.as_ref().filter(|basis| !is_final(basis))];
        refuse_first_person(by, both.into_iter().flatten())?;
    }
    let present = run.lifecycle().state;
    if decision == RunDecision::Publish && present.is_published() {
        let refusal = AppError::conflict(Code::already_published);
        return Err(refusal.with("state", present.as_str()));
    }
    present.after(decision)?;
    let lasts = policy_of(tx, run.lifecycle())?.notice.lasts;
    let said = said(run, decision, statement, (by.now, calendar, lasts))?;
    match decision {
        RunDecision::Publish => publish(tx, by, (run, basis.as_ref()), &said)?,
        RunDecision::Finalize => finalize(tx, by, (run, basis))?,
        RunDecision::Discard => discard(tx, by, (run, basis), &said)?,
    }
    Ok(rows::get(tx, run.id())?)
}

fn is_final(run: &Row) -> bool {
    run.lifecycle().state == RunState::Final
}

/// The evaluation that a subsidy run stands on, as nobody else changes it until the end.
fn basis_of(tx: &mut Conn, run: &Row) -> Result<Option<Row>, AppError> {
    let locked = run
        .evaluation_id()
        .map(|id| rows::evaluation::get_locked(tx, id));
    Ok(locked.transpose()?.map(Row::Evaluation))
}

/// Who began or published any of them does not make it final.
fn refuse_first_person<'a>(
    by: &Actor,
    runs: impl Iterator<Item = &'a Row>,
) -> Result<(), AppError> {
    let first_persons = |run: &Row| {
        let lifecycle = run.lifecycle();
        [lifecycle.created_by, lifecycle.published_by]
    };
    let mut persons = runs.flat_map(first_persons).flatten();
    match by.user_id() {
        Some(user) if persons.any(|person: UserId| person == user) => {
            Err(AppError::Denied(Code::second_person_required))
        }
        _ => Ok(()),
    }
}

/// What is kept of a statement, each part read as its decision needs it.
fn said(
    run: &Row,
    decision: RunDecision,
    statement: &Statement,
    when: (Instant, &Calendar, Deadline),
) -> Result<Said, AppError> {
    let nothing = Said::default();
    Ok(match decision {
        RunDecision::Finalize => nothing,
        RunDecision::Discard => {
            let is_due = run.lifecycle().state.is_published();
            let reason = Reason::read(statement.reason.as_deref(), is_due)?;
            Said {
                discard_reason: reason.map(String::from),
                ..nothing
            }
        }
        RunDecision::Publish => {
            let until_on = notice_until_on(statement.notice_until_on, when)?;
            let remark = Reason::of("remark", statement.remark.as_deref())?;
            Said {
                notice_until_on: Some(until_on),
                notice_remark: remark.map(String::from),
                ..nothing
            }
        }
    })
}

/// The last day of a notice that begins now: the one asked for, when the notice lasts long enough, else the earliest.
fn notice_until_on(
    asked_for: Option<NaiveDate>,
    (now, calendar, lasts): (Instant, &Calendar, Deadline),
) -> Result<NaiveDate, AppError> {
    let today = now.local_date();
    let earliest = lasts.last_day(today, calendar);
    let latest = today.checked_add_days(Days::new(NOTICE_DAYS_MAX));
    let Some(day) = asked_for else {
        return Ok(earliest);
    };
    let told = |code, limit: String| {
        let fault = Fault::field("notice_until_on", code);
        AppError::from(fault.limit(limit).actual(day.to_string()))
    };
    if day < earliest {
        return Err(told(Code::notice_too_short, earliest.to_string()));
    }
    match latest {
        Some(latest) if day > latest => {
            Err(told(Code::out_of_range, format!("{earliest}–{latest}")))
        }
        _ => Ok(day),
    }
}

/// Shows a run to everybody. One beside a final one of its year and code is refused, and a subsidy run before its evaluation.
fn publish(
    tx: &mut Conn,
    by: &Actor,
    (run, basis): (&Row, Option<&Row>),
    said: &Said,
) -> Result<(), AppError> {
    refuse_other_final(tx, run)?;
    refuse_pack_not_in_force(tx, run, by.now)?;
    refuse_scenario(run)?;
    refuse_unended_year(tx, basis.unwrap_or(run))?;
    if let Some(Row::Evaluation(evaluation)) = basis {
        refuse_unpublished(evaluation)?;
    }
    if let Row::Evaluation(evaluation) = run {
        expert::refuse_missing(tx, evaluation, by.now.local_date())?;
    }
    settle(tx, by, run, RunState::Published, said)
}

/// 409 `scenario_not_publishable` where the pack is not in force: what it comes to is only looked at.
fn refuse_pack_not_in_force(tx: &mut Conn, run: &Row, now: Instant) -> Result<(), AppError> {
    let pack = store::policy::get(tx, run.lifecycle().policy_id)?;
    match pack.is_in_force(now.local_date()) {
        true => Ok(()),
        false => Err(AppError::conflict(Code::scenario_not_publishable)
            .with("policy_id", pack.id.number())
            .with("policy_state", pack.state.as_str())),
    }
}

/// 409 `evaluation_not_published` where a run shall be shown or final and what it stands on is not shown.
fn refuse_unpublished(evaluation: &Evaluation) -> Result<(), AppError> {
    let state = evaluation.lifecycle.state;
    match state.is_published() {
        true => Ok(()),
        false => Err(AppError::conflict(Code::evaluation_not_published)
            .with("evaluation_id", evaluation.id.number())
            .with("state", state.as_str())),
    }
}

/// Makes a run final, a published evaluation that it stands on with it: both, or neither with the refusals of both.
fn finalize(tx: &mut Conn, by: &Actor, (run, basis): (&Row, Option<Row>)) -> Result<(), AppError> {
    if let Some(Row::Evaluation(evaluation)) = &basis {
        refuse_unpublished(evaluation)?;
    }
    let basis = basis.filter(|basis| !is_final(basis));
    let halves: Vec<&Row> = basis.iter().chain(std::iter::once(run)).collect();
    let mut refusals = Vec::new();
    for half in &halves {
        let mut refused = |outcome: Result<(), AppError>| match outcome {
            Ok(()) => Ok(()),
            Err(AppError::Conflict(conflict)) => {
                refusals.push((half.id(), *conflict));
                Ok(())
            }
            Err(other) => Err(other),
        };
        refused(refuse_other_final(tx, half))?;
        refused(refuse_unended_year(tx, half))?;
        refused(refuse_running_notice(half, by.now))?;
    }
    let of_year = finding::refuse_undecided(tx, run.lifecycle().year);
    let of_notices = public_notice::refuse_open_objections(tx, &halves);
    for outcome in [of_year, of_notices] {
        match outcome {
            Err(AppError::Conflict(conflict)) => refusals.push((run.id(), *conflict)),
            outcome => outcome?,
        }
    }
    refuse_all(refusals, run.id())?;
    for half in halves {
        settle(tx, by, half, RunState::Final, &Said::default())?;
    }
    Ok(())
}

/// One conflict of all: called by the first, which names the evaluation where it is that of the run; members of the first stand.
fn refuse_all(refusals: Vec<(RunId, Conflict)>, asked: RunId) -> Result<(), AppError> {
    let fault = |(id, conflict): &(RunId, Conflict)| match *id == asked {
        true => Fault::request(conflict.code),
        false => Fault::field("evaluation_id", conflict.code).actual(id.number()),
    };
    let faults: Vec<Fault> = refusals.iter().map(fault).collect();
    let mut members = serde_json::Map::new();
    for (_, conflict) in refusals {
        for (member, value) in conflict.members {
            // Both may be done from the later moment on.
            let is_later = |known: &serde_json::Value| known.as_str() < value.as_str();
            if members.get(&member).is_none_or(is_later) {
                members.insert(member, value);
            }
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let all = members.into_iter();
    Err(
        all.fold(AppError::conflicts(faults), |error, (member, value)| {
            error.with(&member, value)
        }),
    )
}

/// 409 `year_not_over`: what was done between the freeze and the year's end would be locked out for ever.
fn refuse_unended_year(tx: &mut Conn, run: &Row) -> Result<(), AppError> {
    let scope = match run {
        Row::Evaluation(evaluation) if evaluation.frozen_at.is_none() => return Ok(()),
        Row::Evaluation(evaluation) => scope_of(tx, evaluation)?,
        Row::SubsidyRun(run) => scope_of_run(tx, run)?,
    };
    let ends_at = scope.period.ends_at();
    match scope.frozen_at < ends_at {
        true => Err(AppError::conflict(Code::year_not_over)
            .with("possible_from", serde_json::to_value(ends_at)?)),
        false => Ok(()),
    }
}

/// 409 `final_exists` beside another final one of the kind, year and code, and of the claim window.
fn refuse_other_final(tx: &mut Conn, run: &Row) -> Result<(), AppError> {
    let (id, lifecycle) = (run.id(), run.lifecycle());
    let (year, code) = (lifecycle.year, lifecycle.policy_code.as_str());
    let claim = match run {
        Row::Evaluation(_) => None,
        Row::SubsidyRun(run) => run.claim.as_deref(),
    };
    match rows::find_final(tx, id.kind(), (year, code), claim)? {
        Some(other) if other != id => Err(AppError::conflict(Code::final_exists)
            .with("year", year)
            .with("existing_id", other.number())),
        _ => Ok(()),
    }
}

/// 409 `notice_running` until the last day of the notice is over.
fn refuse_running_notice(run: &Row, now: Instant) -> Result<(), AppError> {
    let until_on = run.lifecycle().notice_until_on;
    match until_on.and_then(|day| day.succ_opt()) {
        Some(day_after) if now.local_date() < day_after => {
            let possible_from = serde_json::to_value(Instant::at_midnight(day_after))?;
            Err(AppError::conflict(Code::notice_running).with("possible_from", possible_from))
        }
        _ => Ok(()),
    }
}

/// Throws a run away. An evaluation of its own that is not yet graded goes with it; one that a run stands on stays.
fn discard(
    tx: &mut Conn,
    by: &Actor,
    (run, basis): (&Row, Option<Row>),
    said: &Said,
) -> Result<(), AppError> {
    if run.lifecycle().state == RunState::Running {
        store::job::cancel(tx, run.id(), by.now)?;
    }
    let is_running = |basis: &Row| basis.lifecycle().state == RunState::Running;
    if let Some(own) = basis.filter(is_running) {
        settle(tx, by, &own, RunState::Discarded, &Said::default())?;
    }
    settle(tx, by, run, RunState::Discarded, said)?;
    match run.id() {
        RunId::Evaluation(id) => refuse_used(tx, id),
        RunId::SubsidyRun(_) => Ok(()),
    }
}

/// Usage and money of the days that a final run counted stand from now on.
fn lock_days(tx: &mut Conn, run: &Row) -> Result<(), AppError> {
    let policy = policy_of(tx, run.lifecycle())?;
    let days = match run {
        Row::Evaluation(evaluation) => days_of_evaluation(&policy, evaluation)?,
        Row::SubsidyRun(run) => days_of_run(&policy, run)?,
    };
    Ok(rows::span::insert(
        tx,
        run.id(),
        run.lifecycle().year,
        (&days.span, policy.year.income_by),
    )?)
}

/// Moves a run to a state, with what is said of it, and tells it: to every host where it is shown.
fn settle(
    tx: &mut Conn,
    by: &Actor,
    run: &Row,
    state: RunState,
    said: &Said,
) -> Result<(), AppError> {
    let id = run.id();
    let action = match state {
        RunState::Published => Actions::of(id.kind()).publish,
        RunState::Final => Actions::of(id.kind()).finalize,
        _ => Actions::of(id.kind()).discard,
    };
    let notice = match (state, said.notice_until_on) {
        (RunState::Published, Some(until_on)) => {
            let printed = (until_on, said.notice_remark.clone());
            Some(public_notice::open(tx, run, printed, by.now)?)
        }
        _ => None,
    };
    let said = &Said {
        public_notice_id: notice,
        ..said.clone()
    };
    rows::update_said(tx, id, said).map_err(of_final)?;
    public_notice::close(tx, id, state, by.now)?;
    move_to(tx, run, state, by)?;
    if state == RunState::Final {
        lock_days(tx, run)?;
    }
    let mut after = serde_json::json!({ "state": state });
    if let (Some(day), Some(after)) = (said.notice_until_on, after.as_object_mut()) {
        after.insert("notice_until_on".to_owned(), serde_json::json!(day));
    }
    if let (Some(reason), Some(after)) = (&said.discard_reason, after.as_object_mut()) {
        after.insert("reason".to_owned(), serde_json::json!(reason));
    }
    let event = by
        .event(action, subject_of(id))
        .before(serde_json::json!({ "state": run.lifecycle().state }))?
        .after(after)?;
    event::append(tx, &event)?;
    if state.is_published() {
        for host in hosts(tx, id)? {
            let told = by.event(action, subject_of(id)).of(host, None);
            event::append(tx, &told)?;
        }
    }
    Ok(())
}

fn move_to(tx: &mut Conn, run: &Row, state: RunState, by: &Actor) -> Result<(), AppError> {
    let moved = rows::update_state(tx, run, state, by.user_id(), by.now);
    moved.map_err(|error| match error {
        StoreError::Violated(
            Constraint::EvaluationFinalUnique | Constraint::SubsidyRunFinalUnique,
        ) => AppError::conflict(Code::final_exists).with("year", run.lifecycle().year),
        other => of_final(other),
    })
}

/// A change of what is final already.
fn of_final(error: StoreError) -> AppError {
    match error {
        StoreError::Violated(Constraint::EvaluationFinal | Constraint::SubsidyRunFinal) => {
            AppError::conflict(Code::invalid_state).with("state", RunState::Final.as_str())
        }
        other => other.into(),
    }
}

/// The hosts that a run grades or gives to.
fn hosts(tx: &mut Conn, id: RunId) -> Result<Vec<OrganizationId>, AppError> {
    Ok(match id {
        RunId::Evaluation(id) => graded(tx, id)?,
        RunId::SubsidyRun(id) => {
            let awards = rows::subsidy::list_awards(tx, id)?.into_iter();
            awards.map(|award| award.organization_id).collect()
        }
    })
}

fn graded(tx: &mut Conn, id: EvaluationId) -> Result<Vec<OrganizationId>, AppError> {
    let hosts = rows::evaluation::list_units(tx, id)?.into_iter();
    Ok(hosts.map(|host| host.organization_id).collect())
}
