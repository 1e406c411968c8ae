//! The phases of a yearly run: freeze the records, grade them, share out the budget, read what was stored again. What is
//! computed is computed beside the writer; each phase ends in one commit that moves the job on.

use crate::app::App;
use crate::clock::Clock;
use crate::domain::access::Action;
use crate::domain::calendar::Calendar;
use crate::domain::evaluation::{self, Format, Inputs, StoredText};
use crate::domain::policy::Policy;
use crate::domain::run::{RunId, RunKind, RunPhase, RunState};
use crate::domain::{EvaluationId, EventId, Instant, SubsidyRunId, subsidy};
use crate::error::AppError;
use crate::operations::run::{work, work_alone};
use crate::operations::{exclusive, finding, job};
use crate::store::event::{self, NewEvent};
use crate::store::job::{Job, Outcome};
use crate::store::yearly_input::Scope;
use crate::store::yearly_run::evaluation::Digests;
use crate::store::yearly_run::facts::Freeze;
use crate::store::yearly_run::{
    self as rows, Evaluation, Lifecycle, NewRun, Run, SubsidyRun, Terms,
};
use crate::store::{self, Conn};

use super::basis::{
    self, Basis, budgets_of, needs_own_facts, paid_before, policy_of, scope_of, scope_of_run,
};
use super::{
    Actions, awards, evaluation_of, expert, freeze, grades, refuse_without_results, subject_of,
};

/// Runs the phase that a claimed job is in.
pub(crate) async fn run(app: &App, job: &Job) -> Result<(), AppError> {
    match (job.phase, job.run()?) {
        (RunPhase::Freeze, run) => {
            exclusive::wait(|| {
                let (job, clock) = (job.clone(), app.clock.clone());
                work(app, move |tx| match run {
                    RunId::Evaluation(id) => freeze_evaluation(tx, &job, id, &clock),
                    RunId::SubsidyRun(id) => choose_evaluation(tx, &job, id, &clock),
                })
            })
            .await
        }
        (RunPhase::Grade, _) => grade(app, job).await,
        (RunPhase::ShareOut, RunId::SubsidyRun(id)) => share_out(app, job, id).await,
        (RunPhase::ShareOut, RunId::Evaluation(_)) => {
            Err(AppError::internal("an evaluation shares nothing out"))
        }
        (RunPhase::Store, run) => {
            let (job, now) = (job.clone(), app.clock.now());
            let action = move |tx: &mut Conn| {
                if !store::job::update(tx, &job, Outcome::Done, now)? {
                    return Err(job::lost());
                }
                complete(tx, &job, run, now)
            };
            work_alone(app, action).await
        }
    }
}

/// Ends a phase: job and run are at the next one. An error rolls the phase back when somebody else has the job, or the run was
/// thrown away.
fn advance(tx: &mut Conn, job: &Job, next: RunPhase, now: Instant) -> Result<(), AppError> {
    let is_held = store::job::update(tx, job, Outcome::Next(next), now)?;
    match is_held && rows::update_progress(tx, job.run()?, next.percent(), now)? {
        true => Ok(()),
        false => Err(job::lost()),
    }
}

/// An event of the work, in the name of who asked for it.
fn event(job: &Job, action: Action, run: RunId, now: Instant) -> NewEvent {
    let mut event = NewEvent::new(now, action, subject_of(run));
    event.actor_user_id = job.actor_user_id;
    event.actor_organization_id = job.actor_organization_id;
    event.request_id.clone_from(&job.request_id);
    event
}

/// Names the state of the records that an evaluation grades. `Busy` while somebody writes some.
fn freeze_evaluation(
    tx: &mut Conn,
    job: &Job,
    id: EvaluationId,
    clock: &Clock,
) -> Result<(), AppError> {
    let row = rows::evaluation::get(tx, id)?;
    if row.frozen_at.is_none() {
        freeze_records(tx, &row, clock)?;
    }
    advance(tx, job, RunPhase::Grade, clock.now())
}

/// The evaluation asked for, else the final one of year and code whatever its version, else a draft that the run begins, frozen here
/// and now. A pack that evaluates nobody freezes facts of its own, and so does a run that asks other facts than its evaluation has.
fn choose_evaluation(
    tx: &mut Conn,
    job: &Job,
    id: SubsidyRunId,
    clock: &Clock,
) -> Result<(), AppError> {
    let run = rows::subsidy::get(tx, id)?;
    let policy = policy_of(tx, &run.lifecycle)?;
    let chosen = match run.evaluation_id {
        Some(evaluation) => Some(evaluation),
        None => final_of(tx, &run.lifecycle)?,
    };
    if chosen.is_none() && policy.scores.is_empty() {
        if rows::facts::find(tx, id)?.is_none() {
            let (frozen_at, newest) = freeze_moment(tx, &run.lifecycle, clock)?;
            insert_freeze(tx, id, (frozen_at, newest))?;
        }
        return advance(tx, job, RunPhase::ShareOut, clock.now());
    }
    let (evaluation, next) = match chosen {
        Some(evaluation) => {
            // It may have been thrown away since the run was begun.
            let row = rows::evaluation::get_locked(tx, evaluation)?;
            let is_graded = row.lifecycle.state != RunState::Running;
            match is_graded {
                true => refuse_without_results(row.lifecycle.state)?,
                false if row.frozen_at.is_none() => freeze_records(tx, &row, clock)?,
                false => {}
            }
            let next = if is_graded {
                RunPhase::ShareOut
            } else {
                RunPhase::Grade
            };
            (evaluation, next)
        }
        None => (own_evaluation(tx, job, &run, clock)?, RunPhase::Grade),
    };
    rows::subsidy::update_evaluation(tx, id, evaluation)?;
    let row = rows::evaluation::get(tx, evaluation)?;
    let graded_by = policy_of(tx, &row.lifecycle)?;
    let is_own = needs_own_facts(&policy, &run, (&graded_by, &row))?;
    if is_own && rows::facts::find(tx, id)?.is_none() {
        let frozen_at = row.frozen_at;
        let frozen_at = frozen_at.ok_or_else(|| AppError::internal("nothing was frozen"))?;
        insert_freeze(tx, id, (frozen_at, row.frozen_event_id))?;
    }
    advance(tx, job, next, clock.now())
}

fn insert_freeze(
    tx: &mut Conn,
    id: SubsidyRunId,
    (frozen_at, frozen_event_id): (Instant, Option<EventId>),
) -> Result<(), AppError> {
    let freeze = Freeze {
        subsidy_run_id: id,
        frozen_at,
        frozen_event_id,
        input_digest: None,
    };
    Ok(rows::facts::insert(tx, &freeze)?)
}

fn final_of(tx: &mut Conn, run: &Lifecycle) -> Result<Option<EvaluationId>, AppError> {
    let kind = RunKind::Evaluation;
    let known = rows::find_final(tx, kind, (run.year, &run.policy_code), None)?;
    Ok(known.and_then(|id| match id {
        RunId::Evaluation(id) => Some(id),
        RunId::SubsidyRun(_) => None,
    }))
}

/// An evaluation that a subsidy run begins, frozen; a what-if where the run is one.
fn own_evaluation(
    tx: &mut Conn,
    job: &Job,
    run: &SubsidyRun,
    clock: &Clock,
) -> Result<EvaluationId, AppError> {
    let lifecycle = run.lifecycle.clone();
    let new = NewRun {
        year: lifecycle.year,
        policy_id: lifecycle.policy_id,
        policy_code: lifecycle.policy_code,
        policy_digest: lifecycle.policy_digest,
        created_by: lifecycle.created_by,
        terms: Terms {
            parameters: lifecycle.terms.into_inner().parameters,
            ..Terms::default()
        },
        is_scenario: lifecycle.is_scenario,
        now: clock.now(),
    };
    let id = rows::evaluation::insert(tx, &new)?;
    let after = serde_json::json!({ "year": new.year, "policy_id": new.policy_id });
    let action = Actions::of(RunId::from(id).kind()).run;
    event::append(tx, &event(job, action, id.into(), new.now).after(after)?)?;
    let row = rows::evaluation::get(tx, id)?;
    freeze_records(tx, &row, clock)?;
    Ok(id)
}

/// The moment that a run's facts are of. The time is taken under the lock: what later actions stamp lies after it
/// ([`rows::after_freezes`]), and their events have higher ids, so what was frozen is the same whenever it is read. A what-if takes
/// that of the year's newest facts, where there are any.
fn freeze_moment(
    tx: &mut Conn,
    run: &Lifecycle,
    clock: &Clock,
) -> Result<(Instant, Option<EventId>), AppError> {
    if run.is_scenario
        && let Some(newest) = rows::evaluation::find_newest_frozen(tx, run.year)?
        && let Some(frozen_at) = newest.frozen_at
    {
        return Ok((frozen_at, newest.frozen_event_id));
    }
    exclusive::take_alone(tx)?;
    // What was written since the freeze before may be stamped a second ahead of the clock: this freeze sees it.
    let frozen_at = rows::after_freezes(tx, clock.now())?;
    Ok((frozen_at, event::newest(tx)?))
}

fn freeze_records(tx: &mut Conn, row: &Evaluation, clock: &Clock) -> Result<(), AppError> {
    let moment = freeze_moment(tx, &row.lifecycle, clock)?;
    if !rows::evaluation::update_to_frozen(tx, row.id, moment, clock.now())? {
        return Err(job::lost());
    }
    let row = rows::evaluation::get(tx, row.id)?;
    let policy = policy_of(tx, &row.lifecycle)?;
    let scope = scope_of(tx, &row)?;
    expert::adopt(tx, row.id, (&scope, scope.frozen_at.local_date()), &policy)
}

/// The evaluation that a run grades: itself, or its own.
fn graded_by(conn: &mut Conn, run: RunId) -> Result<Evaluation, AppError> {
    match run {
        RunId::Evaluation(id) => Ok(rows::evaluation::get(conn, id)?),
        RunId::SubsidyRun(id) => {
            let run = rows::subsidy::get(conn, id)?;
            evaluation_of(conn, &run)
        }
    }
}

/// Grades what was frozen, and looks beside it for what is wrong in the year. Nobody waits for it: the records are read as they were,
/// while others write on.
async fn grade(app: &App, job: &Job) -> Result<(), AppError> {
    let (calendar, run, keeper) = (app.calendar().await?, job.run()?, app.clone());
    let graded = app.store.read_snapshot(move |conn| {
        let row = graded_by(conn, run)?;
        let policy = policy_of(conn, &row.lifecycle)?;
        let (scope, experts) = (scope_of(conn, &row)?, expert::points(conn, row.id)?);
        let (inputs, frozen) = match known_inputs(conn, &row, &policy, &scope)? {
            Some((known, newest)) => {
                let best = finding::effect::of_year(conn, row.lifecycle.year)?.grades;
                if known.has(&experts, &best) {
                    (known, Frozen::taken(&newest)?)
                } else {
                    let inputs = known.with_experts(experts).with_best_grades(best);
                    let frozen = Frozen::of(&inputs);
                    (inputs, frozen)
                }
            }
            None => {
                let inputs = freeze::read(conn, &scope, &policy, &calendar, experts, None)?;
                let frozen = Frozen::of(&inputs);
                (inputs, frozen)
            }
        };
        store::release_pages(conn)?;
        let graded = evaluation::grade(&inputs, &policy);
        if matches!(run, RunId::SubsidyRun(_)) {
            basis::keep(&keeper, frozen.digest(), inputs);
        }
        Ok::<_, AppError>((row.id, frozen, graded))
    });
    let looked = app.store.read_snapshot(move |conn| {
        let row = graded_by(conn, run)?;
        if row.lifecycle.is_scenario {
            return Ok(None);
        }
        let scope = scope_of(conn, &row)?;
        let found = finding::look(conn, &scope)?;
        store::release_pages(conn)?;
        Ok::<_, AppError>(Some((scope.year, found)))
    });
    let ((id, frozen, graded), found) = tokio::try_join!(graded, looked)?;
    let (job, now) = (job.clone(), app.clock.now());
    let action = move |tx: &mut Conn| {
        let next = match run {
            RunId::Evaluation(_) => RunPhase::Store,
            RunId::SubsidyRun(_) => RunPhase::ShareOut,
        };
        advance(tx, &job, next, now)?;
        if let Some((year, found)) = &found {
            finding::record(tx, &job, *year, found, now)?;
        }
        write(tx, id, &frozen, &graded)?;
        match run {
            RunId::Evaluation(_) => Ok(()),
            RunId::SubsidyRun(_) => complete(tx, &job, id.into(), now),
        }
    };
    work_alone(app, action).await
}

/// The facts that a what-if takes as they are stored, and whose they are: those of the evaluation whose freeze it took, where they are
/// of the same days and fine enough. Then nothing is read again.
fn known_inputs(
    conn: &mut Conn,
    row: &Evaluation,
    policy: &Policy,
    scope: &Scope,
) -> Result<Option<(Inputs, Evaluation)>, AppError> {
    if !row.lifecycle.is_scenario {
        return Ok(None);
    }
    let Some(newest) = rows::evaluation::find_newest_frozen(conn, row.lifecycle.year)? else {
        return Ok(None);
    };
    if newest.frozen_at != row.frozen_at || newest.frozen_event_id != row.frozen_event_id {
        return Ok(None);
    }
    let theirs = policy_of(conn, &newest.lifecycle)?.grain();
    if !theirs.suffices(policy.grain()) {
        return Ok(None);
    }
    let lines = rows::evaluation::list_inputs(conn, newest.id)?;
    let inputs = Inputs::from_lines(lines).map_err(AppError::internal)?;
    let is_known = inputs.format() == Format::Facts && *inputs.span() == scope.span();
    Ok(is_known.then_some((inputs, newest)))
}

/// Inputs as they are stored: their text, or the evaluation whose text it is, with its digest.
pub(super) enum Frozen {
    Own(StoredText),
    Taken(EvaluationId, String),
}

impl Frozen {
    pub(super) fn of(inputs: &Inputs) -> Self {
        Self::Own(inputs.text())
    }

    fn taken(known: &Evaluation) -> Result<Self, AppError> {
        let digest = known.input_digest.clone();
        let digest = digest.ok_or_else(|| AppError::internal("facts without a digest"))?;
        Ok(Self::Taken(known.id, digest))
    }

    fn digest(&self) -> &str {
        match self {
            Self::Own(text) => &text.digest,
            Self::Taken(_, digest) => digest,
        }
    }
}

/// Stores inputs and graded units, and the digests of both.
pub(super) fn write(
    tx: &mut Conn,
    id: EvaluationId,
    frozen: &Frozen,
    graded: &evaluation::Evaluation,
) -> Result<(), AppError> {
    match frozen {
        Frozen::Own(text) => rows::evaluation::insert_inputs(tx, id, &text.blocks)?,
        Frozen::Taken(known, _) => rows::evaluation::update_facts(tx, id, *known)?,
    }
    let units = grades::rows(id, graded, &grades::names(tx)?)?;
    rows::evaluation::insert_units(tx, &units)?;
    let digests = Digests {
        input: frozen.digest().to_owned(),
        result: grades::digest(&units)?,
    };
    Ok(rows::evaluation::update_digests(tx, id, &digests)?)
}

/// Shares out the budgets by all awards of the pack.
async fn share_out(app: &App, job: &Job, id: SubsidyRunId) -> Result<(), AppError> {
    let (calendar, keeper) = (app.calendar().await?, app.clone());
    let (own, payout) = app
        .store
        .read_snapshot(move |conn| {
            let run = rows::subsidy::get(conn, id)?;
            let policy = policy_of(conn, &run.lifecycle)?;
            let own = match rows::facts::find(conn, id)? {
                Some(_) => Some(own_facts(conn, &run, &policy, &calendar)?),
                None => None,
            };
            let budgets = budgets_of(&policy, &run);
            let payout = match &own {
                Some(inputs) => {
                    let graded = basis::graded(conn, &run)?;
                    subsidy::pay(&budgets, &graded.grades(), inputs, &policy)
                }
                None => {
                    let Basis { inputs, graded, .. } = Basis::graded(conn, &keeper, &run)?;
                    subsidy::pay(&budgets, &graded.grades(), &inputs, &policy)
                }
            };
            let own = own.map(|inputs| inputs.text());
            Ok((own, payout.map_err(AppError::internal)?))
        })
        .await?;
    let (job, now) = (job.clone(), app.clock.now());
    let action = move |tx: &mut Conn| {
        advance(tx, &job, RunPhase::Store, now)?;
        if let Some(text) = &own {
            rows::facts::insert_inputs(tx, id, text)?;
        }
        let run = rows::subsidy::get(tx, id)?;
        let totals = awards::write(tx, &run, &payout)?;
        Ok(rows::subsidy::update_totals(tx, id, &totals)?)
    };
    work_alone(app, action).await
}

/// The facts of a run that freezes its own.
pub(super) fn own_facts(
    conn: &mut Conn,
    run: &SubsidyRun,
    policy: &Policy,
    calendar: &Calendar,
) -> Result<Inputs, AppError> {
    let scope = scope_of_run(conn, run)?;
    let nobody = freeze::ExpertPoints::new();
    let inputs = freeze::read(conn, &scope, policy, calendar, nobody, None)?;
    let paid_before = match policy.asks_awarded_before() {
        true => paid_before(conn, run)?,
        false => Default::default(),
    };
    Ok(inputs.with_awarded(paid_before))
}

/// Reads what was stored again; when its digests are those of what was computed, the run becomes a draft.
fn complete(tx: &mut Conn, job: &Job, run: RunId, now: Instant) -> Result<(), AppError> {
    let (agrees, after) = match rows::get(tx, run)? {
        Run::Evaluation(row) => {
            let input_digest = grades::kept_inputs_digest(tx, row.id)?;
            let units = rows::evaluation::list_units(tx, row.id)?;
            let result_digest = Some(grades::digest(&units)?);
            let after = serde_json::json!({
                "frozen_event_id": row.frozen_event_id,
                "input_digest": input_digest,
                "result_digest": result_digest,
            });
            let computed = (row.input_digest, row.lifecycle.result_digest);
            ((input_digest, result_digest) == computed, after)
        }
        Run::SubsidyRun(row) => {
            let result_digest = Some(awards::kept_digest(tx, &row)?);
            let after = serde_json::json!({
                "evaluation_id": row.evaluation_id,
                "pools": row.pools(),
                "awarded_fen": row.awarded_fen,
                "unspent_fen": row.unspent_fen,
                "result_digest": result_digest,
            });
            (result_digest == row.lifecycle.result_digest, after)
        }
    };
    if !agrees {
        return Err(AppError::internal(
            "what was stored is not what was computed",
        ));
    }
    if !rows::update_to_draft(tx, run, now)? {
        return Err(job::lost());
    }
    let event = event(job, Actions::of(run.kind()).complete, run, now);
    event::append(tx, &event.after(after)?)?;
    Ok(())
}

/// Ends a claimed job and its run without a result, and an evaluation of the run's own with them. Nothing happens when the job
/// is somebody else's.
pub(crate) fn fail(tx: &mut Conn, job: &Job, failure: &str, now: Instant) -> Result<(), AppError> {
    if !store::job::update(tx, job, Outcome::Failed(failure), now)? {
        return Ok(());
    }
    let run = job.run()?;
    let own = match rows::get(tx, run)? {
        Run::SubsidyRun(row) => row.evaluation_id.map(RunId::from),
        Run::Evaluation(_) => None,
    };
    for failed in [Some(run), own].into_iter().flatten() {
        if rows::update_to_failed(tx, failed, failure, now)? {
            let event = event(job, Actions::of(failed.kind()).fail, failed, now);
            let state = serde_json::json!({ "state": RunState::Failed });
            event::append(tx, &event.after(state)?)?;
        }
    }
    Ok(())
}
