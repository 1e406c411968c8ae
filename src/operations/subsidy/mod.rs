//! Subsidy runs: begun at once, carried out in transactions of their own, then looked at, published and final. Awards come
//! from a stored evaluation and its frozen inputs.

pub mod explain;
pub mod stored;
pub mod verify;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::evaluation::Inputs;
use crate::domain::run::RunState;
use crate::domain::{EvaluationId, Instant, MAX_SAFE_INTEGER, Minutes, SubsidyRunId, subsidy};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::same_version;
use crate::operations::{evaluation, exclusive, policy};
use crate::store::evaluation::NewEvaluation;
use crate::store::event::{self, Subject};
use crate::store::run::{Filter, PageStart};
use crate::store::subsidy::{NewRun, Run};
use crate::store::{self, Conn, Constraint, StoreError};

// What the command line needs to name a run's budget and what becomes of it.
pub use crate::domain::Fen;
pub use crate::domain::run::RunDeed;

/// 409 `period_locked` when one of the years has a final run: its usage and money stand.
pub fn refuse_locked(conn: &mut Conn, years: &[i32]) -> Result<(), AppError> {
    let years: Vec<i64> = years.iter().copied().map(i64::from).collect();
    match store::subsidy::list_final_years(conn, &years)?.first() {
        Some(year) => Err(AppError::conflict(Code::period_locked).with("year", *year)),
        None => Ok(()),
    }
}

/// The newest run of a year that has results and was not thrown away.
pub async fn find_of_year(app: &App, year: i32) -> Result<Option<SubsidyRunId>, AppError> {
    app.store
        .read(move |conn| {
            let all = Filter {
                years: vec![i64::from(year)],
                only_published: false,
                place: PageStart::After(0),
                limit: i64::MAX,
            };
            let runs = store::subsidy::list(conn, &all)?;
            let standing = |run: &Run| run.state.has_results() && run.state != RunState::Discarded;
            Ok(runs.into_iter().rev().find(standing).map(|run| run.id))
        })
        .await
}

/// A run to begin. `policy` is a code or `code@version`.
#[derive(Debug, Clone)]
pub struct Request {
    pub year: i32,
    pub policy: String,
    pub budget_fen: Fen,
    pub evaluation_id: Option<EvaluationId>,
}

/// Begins a run; [`carry_out`] does the work.
pub async fn begin(app: &App, actor: &Actor, request: Request) -> Result<SubsidyRunId, AppError> {
    evaluation::check_year(request.year, actor.now)?;
    let budget = request.budget_fen.number();
    if !(0..=MAX_SAFE_INTEGER).contains(&budget) {
        let fault = Fault::field("budget_fen", Code::out_of_range).limit("0..9007199254740991");
        return Err(AppError::Refused(vec![fault.actual(budget)]));
    }
    let by = actor.clone();
    crate::operations::run::perform(app, actor, move |tx| {
        let pack = policy::get_named(tx, &request.policy)?;
        if let Some(id) = request.evaluation_id {
            check_evaluation(tx, id, request.year)?;
        }
        let new = NewRun {
            year: i64::from(request.year),
            policy_id: pack.id,
            policy_digest: pack.digest,
            evaluation_id: request.evaluation_id,
            budget_fen: request.budget_fen,
            created_by: by.user_id(),
            now: by.now,
        };
        let id = store::subsidy::insert(tx, &new)?;
        let after = serde_json::json!({
            "year": request.year,
            "policy_id": pack.id,
            "budget_fen": request.budget_fen,
            "evaluation_id": request.evaluation_id,
        });
        let event = by.event(Action::SubsidyRun, Subject::new("subsidy_run", id));
        event::append(tx, &event.after(after)?)?;
        Ok(id)
    })
    .await
}

/// An evaluation of this year, with results. It keeps them while the run that is about to stand on it is written.
fn check_evaluation(tx: &mut Conn, id: EvaluationId, year: i32) -> Result<(), AppError> {
    let unknown = || {
        let fault = Fault::field("evaluation_id", Code::unknown_reference);
        AppError::Refused(vec![fault.actual(id.number())])
    };
    let row = store::evaluation::get_locked(tx, id).map_err(|error| match error {
        StoreError::NotFound => unknown(),
        other => other.into(),
    })?;
    if row.year != i64::from(year) {
        return Err(unknown());
    }
    refuse_without_results(row.state)
}

/// 409 `run_not_ready` when the evaluation has no results, or was thrown away.
fn refuse_without_results(evaluation: RunState) -> Result<(), AppError> {
    match evaluation.has_results() {
        true => Ok(()),
        false => Err(not_ready(evaluation)),
    }
}

/// Grades where needed, shares out the budget and stores every step. A failure is kept with the run and answered.
pub async fn carry_out(app: &App, actor: &Actor, id: SubsidyRunId) -> Result<(), AppError> {
    let done = match stand_on_evaluation(app, actor, id).await {
        Ok(()) => share_out(app, actor, id).await,
        Err(error) => Err(error),
    };
    let Err(error) = done else {
        return Ok(());
    };
    let (by, failure, now) = (actor.clone(), error.to_string(), app.clock.now());
    app.store
        .write(move |tx| record_failure(tx, &by, id, &failure, now))
        .await?;
    Err(error)
}

/// False when the run no longer runs.
fn record_failure(
    tx: &mut Conn,
    by: &Actor,
    id: SubsidyRunId,
    failure: &str,
    now: Instant,
) -> Result<bool, AppError> {
    if !store::subsidy::update_to_failed(tx, id, failure, now)? {
        return Ok(false);
    }
    let event = by.event(Action::SubsidyFail, Subject::new("subsidy_run", id));
    let state = serde_json::json!({ "state": RunState::Failed });
    event::append(tx, &event.after(state)?)?;
    Ok(true)
}

/// Ends runs that nobody works on any more; answers how many.
pub async fn fail_silent(app: &App, now: Instant) -> Result<usize, AppError> {
    let since = now.plus(Minutes::new(-evaluation::SILENT_MAX.number()));
    let silent = app
        .store
        .read(move |conn| store::subsidy::list_silent(conn, since))
        .await?;
    let mut failed = 0;
    for id in silent {
        let by = Actor::system(now);
        let action = move |tx: &mut Conn| record_failure(tx, &by, id, evaluation::ABANDONED, now);
        failed += usize::from(app.store.write(action).await?);
    }
    Ok(failed)
}

/// [`begin`] and [`carry_out`] in one go.
pub async fn run(app: &App, actor: &Actor, request: Request) -> Result<SubsidyRunId, AppError> {
    let id = begin(app, actor, request).await?;
    carry_out(app, actor, id).await?;
    Ok(id)
}

/// The evaluation asked for, else the final one of year and policy, else one of the run's own, frozen here and now.
async fn stand_on_evaluation(app: &App, actor: &Actor, id: SubsidyRunId) -> Result<(), AppError> {
    let own = exclusive::wait(|| {
        let (by, clock) = (actor.clone(), app.clock.clone());
        app.store.write(move |tx| {
            let run = store::subsidy::get(tx, id)?;
            let final_one = store::evaluation::find_final(tx, run.year)?;
            let final_one = final_one.filter(|row| row.policy_id == run.policy_id);
            let chosen = run.evaluation_id.or(final_one.map(|row| row.id));
            let now = clock.now();
            let (evaluation, percent) = match chosen {
                Some(evaluation) => {
                    // It may have been thrown away since the run was begun.
                    let row = store::evaluation::get_locked(tx, evaluation)?;
                    refuse_without_results(row.state)?;
                    (evaluation, 50)
                }
                None => {
                    let new = NewEvaluation {
                        year: run.year,
                        policy_id: run.policy_id,
                        policy_digest: run.policy_digest,
                        created_by: run.created_by,
                        now,
                    };
                    let own = evaluation::insert(tx, &by, &new)?;
                    evaluation::freeze_records(tx, own, &clock)?;
                    (own, 10)
                }
            };
            match store::subsidy::update_progress(tx, id, evaluation, percent, now)? {
                true => Ok(chosen.is_none().then_some(evaluation)),
                false => Err(stopped(tx, id)?),
            }
        })
    })
    .await?;
    match own {
        Some(own) => evaluation::grade_frozen(app, actor, own).await,
        None => Ok(()),
    }
}

async fn share_out(app: &App, actor: &Actor, id: SubsidyRunId) -> Result<(), AppError> {
    let (by, now) = (actor.clone(), app.clock.now());
    app.store
        .write_alone(move |tx| {
            let run = store::subsidy::get(tx, id)?;
            let (pack, inputs, graded) = basis(tx, &run)?;
            let allocation = subsidy::allocate(run.budget_fen, &graded.grades(), &inputs, &pack)
                .map_err(AppError::internal)?;
            let totals = stored::write(tx, id, &allocation)?;
            if !store::subsidy::update_to_draft(tx, id, &totals, now)? {
                return Err(stopped(tx, id)?);
            }
            let after = serde_json::json!({
                "evaluation_id": run.evaluation_id,
                "factor": totals.factor,
                "awarded_fen": totals.awarded_fen,
                "unspent_fen": totals.unspent_fen,
                "result_digest": totals.result_digest,
            });
            let event = by.event(Action::SubsidyComplete, Subject::new("subsidy_run", id));
            event::append(tx, &event.after(after)?)?;
            Ok(())
        })
        .await
}

/// What a run stands on: its policy, the inputs of its evaluation, and the grades there.
fn basis(
    conn: &mut Conn,
    run: &Run,
) -> Result<
    (
        crate::domain::policy::Policy,
        Inputs,
        crate::domain::evaluation::Evaluation,
    ),
    AppError,
> {
    let pack = policy::open(&store::policy::get(conn, run.policy_id)?)?;
    let row = evaluation_of(conn, run)?;
    let (_, inputs) = evaluation::open(conn, &row)?;
    Ok((pack, inputs, evaluation::stored::read(conn, row.id)?))
}

/// The evaluation a run stands on; 409 `run_not_ready` before it has one.
pub(crate) fn evaluation_of(
    conn: &mut Conn,
    run: &Run,
) -> Result<store::evaluation::Evaluation, AppError> {
    match run.evaluation_id {
        Some(id) => Ok(store::evaluation::get(conn, id)?),
        None => Err(not_ready(run.state)),
    }
}

/// 409 `run_not_ready` unless the run has results.
pub fn refuse_unfinished(run: &Run) -> Result<(), AppError> {
    match run.state.has_results() {
        true => Ok(()),
        false => Err(not_ready(run.state)),
    }
}

fn not_ready(state: RunState) -> AppError {
    AppError::conflict(Code::run_not_ready).with("state", state.as_str())
}

/// Somebody discarded the run while it ran.
fn stopped(tx: &mut Conn, id: SubsidyRunId) -> Result<AppError, AppError> {
    let run = store::subsidy::get(tx, id)?;
    Ok(AppError::conflict(Code::invalid_state).with("state", run.state.as_str()))
}

/// Publishes, finalizes or discards. 409 `invalid_state`; 409 `final_exists` when the year has a final run.
pub async fn decide(
    app: &App,
    actor: &Actor,
    id: SubsidyRunId,
    action: RunDeed,
    version: Option<i64>,
) -> Result<(), AppError> {
    exclusive::wait(|| {
        let by = actor.clone();
        crate::operations::run::perform(app, actor, move |tx| {
            move_run(tx, &by, id, action, version)
        })
    })
    .await
}

fn move_run(
    tx: &mut Conn,
    by: &Actor,
    id: SubsidyRunId,
    action: RunDeed,
    version: Option<i64>,
) -> Result<(), AppError> {
    if action == RunDeed::Finalize {
        // Usage of the year is locked from here on: nobody may be writing some.
        exclusive::take_alone(tx)?;
    }
    let run = store::subsidy::get(tx, id)?;
    same_version(version, run.version)?;
    let state = run.state.after(action)?;
    if let Some(evaluation) = run.evaluation_id.filter(|_| state.is_published()) {
        let row = store::evaluation::get_locked(tx, evaluation)?;
        refuse_without_results(row.state)?;
    }
    move_to(tx, &run, state, by)?;
    let subject = Subject::new("subsidy_run", id);
    let event = by
        .event(action_name(action), subject)
        .before(serde_json::json!({ "state": run.state }))?
        .after(serde_json::json!({ "state": state }))?;
    let event = event::append(tx, &event)?;
    if state.is_published() {
        let awards = store::subsidy::list_awards(tx, id)?;
        let hosts: Vec<_> = awards.iter().map(|award| award.organization_id).collect();
        evaluation::append_for_hosts(tx, by, action_name(action), subject, &hosts)?;
        let told = evaluation::host_admins(tx, hosts.into_iter())?;
        event::announce(tx, event, &told, by.now)?;
    }
    Ok(())
}

fn move_to(tx: &mut Conn, run: &Run, state: RunState, actor: &Actor) -> Result<(), AppError> {
    let now: Instant = actor.now;
    store::subsidy::update_state(tx, run, state, actor.user_id(), now).map_err(
        |error| match error {
            StoreError::Violated(Constraint::SubsidyRunFinalUnique) => {
                AppError::conflict(Code::final_exists).with("year", run.year)
            }
            StoreError::Violated(Constraint::SubsidyRunFinal) => {
                AppError::conflict(Code::invalid_state).with("state", RunState::Final.as_str())
            }
            other => other.into(),
        },
    )
}

const fn action_name(action: RunDeed) -> Action {
    match action {
        RunDeed::Publish => Action::SubsidyPublish,
        RunDeed::Finalize => Action::SubsidyFinalize,
        RunDeed::Discard => Action::SubsidyDiscard,
    }
}
