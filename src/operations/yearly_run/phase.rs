//! The phases of a yearly run: freeze the records, grade them, share out the budget, read what was stored again. What is
//! computed is computed beside the writer; each phase ends in one commit that moves the job on.

use crate::app::App;
use crate::clock::Clock;
use crate::domain::access::Action;
use crate::domain::evaluation::{self, Inputs};
use crate::domain::policy::{self as policy_rules, Policy};
use crate::domain::run::{RunId, RunKind, RunPhase, RunState};
use crate::domain::{EvaluationId, Instant, SubsidyRunId, subsidy};
use crate::error::AppError;
use crate::operations::run::{work, work_alone};
use crate::operations::{exclusive, finding, job, policy};
use crate::store::event::{self, NewEvent};
use crate::store::job::{Job, Outcome};
use crate::store::yearly_input::Scope;
use crate::store::yearly_run::evaluation::Digests;
use crate::store::yearly_run::{self as rows, Evaluation, Lifecycle, NewRun, Run, SubsidyRun};
use crate::store::{self, Conn};

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

/// The evaluation asked for, else the final one of year and code whatever its version, else an ordinary draft that the run
/// begins, frozen here and now.
fn choose_evaluation(
    tx: &mut Conn,
    job: &Job,
    id: SubsidyRunId,
    clock: &Clock,
) -> Result<(), AppError> {
    let run = rows::subsidy::get(tx, id)?;
    let chosen = match run.evaluation_id {
        Some(evaluation) => Some(evaluation),
        None => final_of(tx, &run.lifecycle)?,
    };
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
    advance(tx, job, next, clock.now())
}

fn final_of(tx: &mut Conn, run: &Lifecycle) -> Result<Option<EvaluationId>, AppError> {
    let kind = RunKind::Evaluation;
    let known = rows::find_final(tx, kind, run.year, &run.policy_code)?;
    Ok(known.and_then(|id| match id {
        RunId::Evaluation(id) => Some(id),
        RunId::SubsidyRun(_) => None,
    }))
}

/// An evaluation that a subsidy run begins, frozen.
fn own_evaluation(
    tx: &mut Conn,
    job: &Job,
    run: &SubsidyRun,
    clock: &Clock,
) -> Result<EvaluationId, AppError> {
    let new = NewRun {
        year: run.lifecycle.year,
        policy_id: run.lifecycle.policy_id,
        policy_code: run.lifecycle.policy_code.clone(),
        policy_digest: run.lifecycle.policy_digest.clone(),
        created_by: run.lifecycle.created_by,
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

/// The time is taken under the lock. What later actions stamp lies after it ([`rows::after_freezes`]), and their events have
/// higher ids, so what was frozen is the same whenever it is read.
fn freeze_records(tx: &mut Conn, row: &Evaluation, clock: &Clock) -> Result<(), AppError> {
    exclusive::take_alone(tx)?;
    let now = clock.now();
    // What was written since the freeze before may be stamped a second ahead of the clock: this freeze sees it.
    let frozen_at = rows::after_freezes(tx, now)?;
    let newest = event::newest(tx)?;
    if !rows::evaluation::update_to_frozen(tx, row.id, (frozen_at, newest), now)? {
        return Err(job::lost());
    }
    let policy = policy::open(&store::policy::get(tx, row.lifecycle.policy_id)?)?;
    let year = i32::try_from(row.lifecycle.year).map_err(AppError::internal)?;
    let scope = freeze::scope(year, frozen_at, newest)?;
    expert::adopt(tx, row.id, &scope, &policy)
}

/// The year of an evaluation whose records were frozen, as they were then.
pub(super) fn scope_of(row: &Evaluation) -> Result<Scope, AppError> {
    let year = i32::try_from(row.lifecycle.year).map_err(AppError::internal)?;
    let frozen_at = row.frozen_at;
    let frozen_at = frozen_at.ok_or_else(|| AppError::internal("nothing was frozen"))?;
    freeze::scope(year, frozen_at, row.frozen_event_id)
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

/// Grades what was frozen. Nobody waits for it: the records are read as they were, while others write on.
async fn grade(app: &App, job: &Job) -> Result<(), AppError> {
    let (calendar, run) = (app.calendar().await?, job.run()?);
    let (id, inputs, graded, year, found) = app
        .store
        .read_snapshot(move |conn| {
            let row = graded_by(conn, run)?;
            let policy = policy::open(&store::policy::get(conn, row.lifecycle.policy_id)?)?;
            let (scope, experts) = (scope_of(&row)?, expert::points(conn, row.id)?);
            let inputs = freeze::read(conn, &scope, &policy, &calendar, experts, None)?;
            let graded = evaluation::grade(&inputs, &policy);
            let found = finding::look(conn, &scope)?;
            Ok((row.id, inputs, graded, scope.year, found))
        })
        .await?;
    let (job, now) = (job.clone(), app.clock.now());
    let action = move |tx: &mut Conn| match run {
        RunId::Evaluation(_) => {
            advance(tx, &job, RunPhase::Store, now)?;
            finding::record(tx, &job, year, &found, now)?;
            write(tx, id, &inputs, &graded)
        }
        RunId::SubsidyRun(_) => {
            advance(tx, &job, RunPhase::ShareOut, now)?;
            finding::record(tx, &job, year, &found, now)?;
            write(tx, id, &inputs, &graded)?;
            complete(tx, &job, id.into(), now)
        }
    };
    work_alone(app, action).await
}

/// Stores inputs and graded units, and the digests of both.
pub(super) fn write(
    tx: &mut Conn,
    id: EvaluationId,
    inputs: &Inputs,
    graded: &evaluation::Evaluation,
) -> Result<(), AppError> {
    rows::evaluation::insert_inputs(tx, id, inputs.lines())?;
    let units = grades::rows(id, graded, &grades::names(tx)?)?;
    rows::evaluation::insert_units(tx, &units)?;
    let digests = Digests {
        input: inputs.digest(),
        result: grades::digest(&units)?,
    };
    Ok(rows::evaluation::update_digests(tx, id, &digests)?)
}

/// What a subsidy run is computed from: its policy, the inputs of its evaluation, and the grades there.
type Basis = (Policy, Inputs, evaluation::Evaluation);

fn basis(conn: &mut Conn, run: &SubsidyRun) -> Result<Basis, AppError> {
    let pack = policy::open(&store::policy::get(conn, run.lifecycle.policy_id)?)?;
    let row = evaluation_of(conn, run)?;
    let (_, inputs) = grades::open(conn, &row)?;
    Ok((pack, inputs, grades::read(conn, row.id)?))
}

async fn share_out(app: &App, job: &Job, id: SubsidyRunId) -> Result<(), AppError> {
    let allocation = app
        .store
        .read_snapshot(move |conn| {
            let run = rows::subsidy::get(conn, id)?;
            let (pack, inputs, graded) = basis(conn, &run)?;
            subsidy::allocate(run.budget_fen, &graded.grades(), &inputs, &pack)
                .map_err(AppError::internal)
        })
        .await?;
    let (job, now) = (job.clone(), app.clock.now());
    let action = move |tx: &mut Conn| {
        advance(tx, &job, RunPhase::Store, now)?;
        let totals = awards::write(tx, id, &allocation)?;
        Ok(rows::subsidy::update_totals(tx, id, &totals)?)
    };
    work_alone(app, action).await
}

/// Reads what was stored again; when its digests are those of what was computed, the run becomes a draft.
fn complete(tx: &mut Conn, job: &Job, run: RunId, now: Instant) -> Result<(), AppError> {
    let (agrees, after) = match rows::get(tx, run)? {
        Run::Evaluation(row) => {
            let inputs = rows::evaluation::list_inputs(tx, row.id)?.join("\n");
            let input_digest = Some(policy_rules::digest(&inputs));
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
                "factor": row.factor,
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
