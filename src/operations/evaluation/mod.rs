//! Evaluations: begun at once, frozen and graded in a transaction of their own, then looked at, published and final.

pub mod expert;
pub mod freeze;
pub mod stored;

use crate::app::App;
use crate::clock::Clock;
use crate::domain::access::Role;
use crate::domain::evaluation::{self, Evaluation, Inputs};
use crate::domain::policy::Policy;
use crate::domain::run::{RunDeed, RunState};
use crate::domain::{EvaluationId, Instant, OrganizationId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::deed::{Actor, same_version};
use crate::operations::{policy, quiet};
use crate::store::evaluation::{Frozen, NewEvaluation};
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
    check_year(year, actor.now())?;
    let by = actor.clone();
    actor
        .perform(app, move |tx| {
            let pack = policy::get_named(tx, &policy)?;
            let new = NewEvaluation {
                year: i64::from(year),
                policy_id: pack.id,
                policy_digest: pack.digest,
                created_by: by.user_id(),
                now: by.now(),
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
    let event = actor.event("evaluation_run", Subject::new("evaluation", id));
    event::append(tx, &event.after(after)?)?;
    Ok(id)
}

/// Freezes the inputs and grades them. A failure is kept with the evaluation and answered.
pub async fn carry_out(app: &App, actor: &Actor, id: EvaluationId) -> Result<(), AppError> {
    let done = quiet::wait(|| {
        let (calendar, by, clock) = (app.calendar(), actor.clone(), app.clock.clone());
        let deed = move |tx: &mut Conn| freeze_and_grade(tx, &calendar, id, &by, &clock);
        app.store.write_alone(deed)
    })
    .await;
    let Err(error) = done else {
        return Ok(());
    };
    let (by, failure, now) = (actor.clone(), error.to_string(), app.clock.now());
    app.store
        .write(move |tx| {
            if store::evaluation::update_to_failed(tx, id, &failure, now)? {
                let event = by.event("evaluation_fail", Subject::new("evaluation", id));
                let state = serde_json::json!({ "state": RunState::Failed });
                event::append(tx, &event.after(state)?)?;
            }
            Ok(())
        })
        .await?;
    Err(error)
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

/// Inside a transaction: freezes, grades and stores a running evaluation, which becomes a draft. `Busy` while somebody
/// writes usage.
///
/// The time of the freeze is taken under the lock. What later deeds stamp lies after it
/// ([`store::evaluation::after_freezes`]), so `<= frozen_at` names the same rows now and whenever the freeze is verified.
pub(crate) fn freeze_and_grade(
    tx: &mut Conn,
    calendar: &crate::domain::calendar::Calendar,
    id: EvaluationId,
    actor: &Actor,
    clock: &Clock,
) -> Result<(), AppError> {
    quiet::take_alone(tx)?;
    let now = clock.now();
    let row = store::evaluation::get(tx, id)?;
    let policy = policy::open(&store::policy::get(tx, row.policy_id)?)?;
    let year = i32::try_from(row.year).map_err(AppError::internal)?;
    let frozen_event_id = event::newest(tx)?;
    let scope = freeze::scope(year, now, frozen_event_id, false)?;
    let experts = expert::adopt_reported(tx, id, &scope, &policy)?;
    let inputs = freeze::read(tx, &scope, &policy, calendar, experts, None)?;
    let graded = evaluation::grade(&inputs, &policy);
    let (input_digest, result_digest) = write(tx, id, &inputs, &graded)?;
    let frozen = Frozen {
        frozen_at: now,
        frozen_event_id,
        input_digest,
        result_digest,
    };
    if !store::evaluation::update_to_draft(tx, id, &frozen, now)? {
        return Err(AppError::conflict(Code::invalid_state).with("state", row.state.as_str()));
    }
    let after = serde_json::json!({
        "frozen_event_id": frozen.frozen_event_id,
        "input_digest": frozen.input_digest,
        "result_digest": frozen.result_digest,
    });
    let event = actor.event("evaluation_complete", Subject::new("evaluation", id));
    event::append(tx, &event.after(after)?)?;
    Ok(())
}

/// Stores inputs and graded units; answers the digests of both.
fn write(
    tx: &mut Conn,
    id: EvaluationId,
    inputs: &Inputs,
    graded: &Evaluation,
) -> Result<(String, String), AppError> {
    store::evaluation::insert_inputs(tx, id, inputs.lines())?;
    let units = stored::rows(id, graded)?;
    let result_digest = stored::digest(&units)?;
    store::evaluation::insert_units(tx, &units)?;
    Ok((inputs.digest(), result_digest))
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
    deed: RunDeed,
    version: Option<i64>,
) -> Result<(), AppError> {
    let by = actor.clone();
    actor
        .perform(app, move |tx| {
            let row = store::evaluation::get(tx, id)?;
            same_version(version, row.version)?;
            let state = row.state.after(deed)?;
            move_to(tx, &row, state, &by)?;
            if deed == RunDeed::Discard {
                refuse_used(tx, id)?;
            }
            let event = by.event(deed_name(deed), Subject::new("evaluation", id));
            let event = event
                .before(serde_json::json!({ "state": row.state }))?
                .after(serde_json::json!({ "state": state }))?;
            let event = event::append(tx, &event)?;
            if state.is_published() {
                let units = store::evaluation::list_units(tx, id)?;
                let hosts: Vec<_> = units.iter().map(|unit| unit.organization_id).collect();
                let subject = Subject::new("evaluation", id);
                append_for_hosts(tx, &by, deed_name(deed), subject, &hosts)?;
                let told = host_admins(tx, hosts.into_iter())?;
                event::announce(tx, event, &told, by.now())?;
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
    let moved = store::evaluation::update_state(tx, row, state, actor.user_id(), actor.now());
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

/// The deed once more for each host, as its own event.
pub(crate) fn append_for_hosts(
    tx: &mut Conn,
    actor: &Actor,
    deed: &'static str,
    subject: Subject,
    hosts: &[OrganizationId],
) -> Result<(), AppError> {
    for host in hosts {
        event::append(tx, &actor.event(deed, subject).of(*host, None))?;
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

const fn deed_name(deed: RunDeed) -> &'static str {
    match deed {
        RunDeed::Publish => "evaluation_publish",
        RunDeed::Finalize => "evaluation_finalize",
        RunDeed::Discard => "evaluation_discard",
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
