//! Evaluations: begun at once, frozen in a moment, graded from what was frozen, then looked at, published and final.

pub mod expert;
pub mod freeze;
pub mod stored;

use crate::app::App;
use crate::clock::Clock;
use crate::domain::access::{Action, Role};
use crate::domain::evaluation::{self, Evaluation, Inputs};
use crate::domain::policy::Policy;
use crate::domain::run::{RunDeed, RunState};
use crate::domain::{EvaluationId, Instant, Minutes, OrganizationId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::same_version;
use crate::operations::{exclusive, policy};
use crate::store::evaluation::{Digests, NewEvaluation};
use crate::store::event::{self, Subject};
use crate::store::{self, Conn, Constraint, StoreError};
use chrono::Datelike;

/// The first year of which there can be records.
const YEAR_MIN: i32 = 1990;

/// 422 `out_of_range` unless the year has begun.
pub fn check_year(year: i32, now: Instant) -> Result<(), AppError> {
    let last = now.local_date().year();
    if (YEAR_MIN..=last).contains(&year) {
        return Ok(());
    }
    let fault = Fault::field("year", Code::out_of_range).limit(format!("{YEAR_MIN}–{last}"));
    Err(AppError::Refused(vec![fault.actual(year)]))
}

/// Begins an evaluation; [`carry_out`] does the work. `policy` is a code or `code@version`.
pub async fn begin(
    app: &App,
    actor: &Actor,
    year: i32,
    policy: String,
) -> Result<EvaluationId, AppError> {
    check_year(year, actor.now)?;
    let by = actor.clone();
    crate::operations::run::perform(app, actor, move |tx| {
        let pack = policy::get_named(tx, &policy)?;
        let new = NewEvaluation {
            year: i64::from(year),
            policy_id: pack.id,
            policy_digest: pack.digest,
            created_by: by.user_id(),
            now: by.now,
        };
        insert(tx, &by, &new)
    })
    .await
}

/// Writes a running evaluation, with its event.
pub(crate) fn insert(
    tx: &mut Conn,
    actor: &Actor,
    new: &NewEvaluation,
) -> Result<EvaluationId, AppError> {
    let id = store::evaluation::insert(tx, new)?;
    let after = serde_json::json!({ "year": new.year, "policy_id": new.policy_id });
    let event = actor.event(Action::EvaluationRun, Subject::new("evaluation", id));
    event::append(tx, &event.after(after)?)?;
    Ok(id)
}

/// Freezes the records and grades them. A failure is kept with the evaluation and answered.
pub async fn carry_out(app: &App, actor: &Actor, id: EvaluationId) -> Result<(), AppError> {
    let frozen = exclusive::wait(|| {
        let clock = app.clock.clone();
        app.store.write(move |tx| freeze_records(tx, id, &clock))
    })
    .await;
    match frozen {
        Ok(()) => grade_frozen(app, actor, id).await,
        Err(error) => fail(app, actor, id, error).await,
    }
}

/// Keeps with a running evaluation why it failed; answers the failure.
async fn fail(app: &App, actor: &Actor, id: EvaluationId, error: AppError) -> Result<(), AppError> {
    let (by, failure, now) = (actor.clone(), error.to_string(), app.clock.now());
    app.store
        .write(move |tx| record_failure(tx, &by, id, &failure, now))
        .await?;
    Err(error)
}

/// False when the evaluation no longer runs.
fn record_failure(
    tx: &mut Conn,
    by: &Actor,
    id: EvaluationId,
    failure: &str,
    now: Instant,
) -> Result<bool, AppError> {
    if !store::evaluation::update_to_failed(tx, id, failure, now)? {
        return Ok(false);
    }
    let event = by.event(Action::EvaluationFail, Subject::new("evaluation", id));
    let state = serde_json::json!({ "state": RunState::Failed });
    event::append(tx, &event.after(state)?)?;
    Ok(true)
}

/// How long a run may be silent before it counts as abandoned: none takes nearly as long between two steps.
pub(crate) const SILENT_MAX: Minutes = Minutes::new(60);

/// What an abandoned run is told to have failed of.
pub(crate) const ABANDONED: &str = "the process that worked on it ended";

/// Ends evaluations that nobody works on any more; answers how many.
pub async fn fail_silent(app: &App, now: Instant) -> Result<usize, AppError> {
    let since = now.plus(Minutes::new(-SILENT_MAX.number()));
    let silent = app
        .store
        .read(move |conn| store::evaluation::list_silent(conn, since))
        .await?;
    let mut failed = 0;
    for id in silent {
        let by = Actor::system(now);
        let action = move |tx: &mut Conn| record_failure(tx, &by, id, ABANDONED, now);
        failed += usize::from(app.store.write(action).await?);
    }
    Ok(failed)
}

/// [`begin`] and [`carry_out`] in one go.
pub async fn run(
    app: &App,
    actor: &Actor,
    year: i32,
    policy: String,
) -> Result<EvaluationId, AppError> {
    let id = begin(app, actor, year, policy).await?;
    carry_out(app, actor, id).await?;
    Ok(id)
}

/// Inside a transaction: names the state of the records that a running evaluation grades. `Busy` while somebody writes some.
///
/// The time is taken under the lock. What later actions stamp lies after it ([`store::evaluation::after_freezes`]), and their
/// events have higher ids, so what was frozen is the same whenever it is read.
pub(crate) fn freeze_records(
    tx: &mut Conn,
    id: EvaluationId,
    clock: &Clock,
) -> Result<(), AppError> {
    exclusive::take_alone(tx)?;
    let row = store::evaluation::get(tx, id)?;
    let now = clock.now();
    // What was written since the freeze before may be stamped a second ahead of the clock: this freeze sees it.
    let frozen_at = store::evaluation::after_freezes(tx, now)?;
    let newest = event::newest(tx)?;
    if !store::evaluation::update_to_frozen(tx, id, (frozen_at, newest), now)? {
        return Err(stopped(row.state));
    }
    let policy = policy::open(&store::policy::get(tx, row.policy_id)?)?;
    let year = i32::try_from(row.year).map_err(AppError::internal)?;
    expert::adopt_reported(tx, id, &freeze::scope(year, frozen_at, newest)?, &policy)
}

/// Somebody discarded the evaluation while it ran.
fn stopped(state: RunState) -> AppError {
    AppError::conflict(Code::invalid_state).with("state", state.as_str())
}

/// Grades what was frozen. Nobody waits for it: the records are read as they were, while others write on. A failure is kept
/// with the evaluation and answered.
pub(crate) async fn grade_frozen(
    app: &App,
    actor: &Actor,
    id: EvaluationId,
) -> Result<(), AppError> {
    let calendar = app.calendar();
    let graded = app.store.read_snapshot(move |conn| {
        let row = store::evaluation::get(conn, id)?;
        let policy = policy::open(&store::policy::get(conn, row.policy_id)?)?;
        let (scope, experts) = (scope_of(&row)?, expert::points(conn, id)?);
        let inputs = freeze::read(conn, &scope, &policy, &calendar, experts, None)?;
        let graded = evaluation::grade(&inputs, &policy);
        Ok((inputs, graded))
    });
    let done = match graded.await {
        Ok((inputs, graded)) => {
            let (by, now) = (actor.clone(), app.clock.now());
            let action = move |tx: &mut Conn| keep(tx, id, (&inputs, &graded), &by, now);
            app.store.write_alone(action).await
        }
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(()),
        Err(error) => fail(app, actor, id, error).await,
    }
}

/// The year of an evaluation whose records were frozen, as they were then.
pub(crate) fn scope_of(
    row: &store::evaluation::Evaluation,
) -> Result<store::yearly_input::Scope, AppError> {
    let year = i32::try_from(row.year).map_err(AppError::internal)?;
    let frozen_at = row.frozen_at;
    let frozen_at = frozen_at.ok_or_else(|| AppError::internal("nothing was frozen"))?;
    freeze::scope(year, frozen_at, row.frozen_event_id)
}

/// Stores the results of a running evaluation, which becomes a draft.
fn keep(
    tx: &mut Conn,
    id: EvaluationId,
    (inputs, graded): (&Inputs, &Evaluation),
    actor: &Actor,
    now: Instant,
) -> Result<(), AppError> {
    let row = store::evaluation::get(tx, id)?;
    let digests = write(tx, id, inputs, graded)?;
    if !store::evaluation::update_to_draft(tx, id, &digests, now)? {
        return Err(stopped(row.state));
    }
    let after = serde_json::json!({
        "frozen_event_id": row.frozen_event_id,
        "input_digest": digests.input,
        "result_digest": digests.result,
    });
    let event = actor.event(Action::EvaluationComplete, Subject::new("evaluation", id));
    event::append(tx, &event.after(after)?)?;
    Ok(())
}

/// Stores inputs and graded units; answers the digests of both.
fn write(
    tx: &mut Conn,
    id: EvaluationId,
    inputs: &Inputs,
    graded: &Evaluation,
) -> Result<Digests, AppError> {
    store::evaluation::insert_inputs(tx, id, inputs.lines())?;
    let units = stored::rows(id, graded, &stored::names(tx)?)?;
    store::evaluation::insert_units(tx, &units)?;
    Ok(Digests {
        input: inputs.digest(),
        result: stored::digest(&units)?,
    })
}

/// The policy and the inputs of an evaluation that has results.
pub(crate) fn open(
    conn: &mut Conn,
    row: &store::evaluation::Evaluation,
) -> Result<(Policy, Inputs), AppError> {
    if !row.state.has_results() {
        return Err(AppError::conflict(Code::run_not_ready).with("state", row.state.as_str()));
    }
    let policy = policy::open(&store::policy::get(conn, row.policy_id)?)?;
    let lines = store::evaluation::list_inputs(conn, row.id)?;
    let inputs = Inputs::from_lines(lines).map_err(AppError::internal)?;
    Ok((policy, inputs))
}

/// Publishes, finalizes or discards. 409 `invalid_state`; 409 `final_exists` when the year has a final one; 409
/// `relation_in_use` when a subsidy run stands on what would be discarded.
pub async fn decide(
    app: &App,
    actor: &Actor,
    id: EvaluationId,
    action: RunDeed,
    version: Option<i64>,
) -> Result<(), AppError> {
    let by = actor.clone();
    crate::operations::run::perform(app, actor, move |tx| {
        let row = store::evaluation::get(tx, id)?;
        same_version(version, row.version)?;
        let state = row.state.after(action)?;
        move_to(tx, &row, state, &by)?;
        if action == RunDeed::Discard {
            refuse_used(tx, id)?;
        }
        let event = by.event(action_name(action), Subject::new("evaluation", id));
        let event = event
            .before(serde_json::json!({ "state": row.state }))?
            .after(serde_json::json!({ "state": state }))?;
        let event = event::append(tx, &event)?;
        if state.is_published() {
            let units = store::evaluation::list_units(tx, id)?;
            let hosts: Vec<_> = units.iter().map(|unit| unit.organization_id).collect();
            let subject = Subject::new("evaluation", id);
            append_for_hosts(tx, &by, action_name(action), subject, &hosts)?;
            let told = host_admins(tx, hosts.into_iter())?;
            event::announce(tx, event, &told, by.now)?;
        }
        Ok(())
    })
    .await
}

fn move_to(
    tx: &mut Conn,
    row: &store::evaluation::Evaluation,
    state: RunState,
    actor: &Actor,
) -> Result<(), AppError> {
    let moved = store::evaluation::update_state(tx, row, state, actor.user_id(), actor.now);
    moved.map_err(|error| match error {
        StoreError::Violated(Constraint::EvaluationFinalUnique) => {
            AppError::conflict(Code::final_exists).with("year", row.year)
        }
        StoreError::Violated(Constraint::EvaluationFinal) => {
            AppError::conflict(Code::invalid_state).with("state", RunState::Final.as_str())
        }
        other => other.into(),
    })
}

/// The action once more for each host, as its own event.
pub(crate) fn append_for_hosts(
    tx: &mut Conn,
    actor: &Actor,
    action: Action,
    subject: Subject,
    hosts: &[OrganizationId],
) -> Result<(), AppError> {
    for host in hosts {
        event::append(tx, &actor.event(action, subject).of(*host, None))?;
    }
    Ok(())
}

/// 409 `relation_in_use` while a subsidy run stands on the evaluation.
fn refuse_used(tx: &mut Conn, id: EvaluationId) -> Result<(), AppError> {
    match store::subsidy::find_standing_on(tx, id)? {
        Some(run) => {
            Err(AppError::conflict(Code::relation_in_use).with("subsidy_run_id", run.number()))
        }
        None => Ok(()),
    }
}

const fn action_name(action: RunDeed) -> Action {
    match action {
        RunDeed::Publish => Action::EvaluationPublish,
        RunDeed::Finalize => Action::EvaluationFinalize,
        RunDeed::Discard => Action::EvaluationDiscard,
    }
}

/// Those who are told what concerns these hosts.
pub(crate) fn host_admins(
    tx: &mut Conn,
    hosts: impl Iterator<Item = OrganizationId>,
) -> Result<Vec<UserId>, AppError> {
    let mut admins = Vec::new();
    for host in hosts {
        admins.extend(store::user::list_with_roles(tx, host, &[Role::HostAdmin])?);
    }
    Ok(admins)
}
