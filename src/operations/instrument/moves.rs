//! The way of an entry: submitted and retired by its host; approved, returned, suspended and resumed by the administration
//! that supervises the host.

use super::check::{Rules, exemption_of};
use super::write::{self, Next};
use super::{Entry, InstrumentContext, entry};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::instrument::InstrumentDeed as Move;
use crate::domain::{Instant, InstrumentId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::store::Conn;
use crate::store::instrument::{Instrument, Standing};

/// The longest reason, in characters.
const REASON_CHARACTERS_MAX: usize = 500;

/// The action that a move is.
pub const fn right_to(action: Move) -> Action {
    match action {
        Move::Submit => Action::InstrumentSubmit,
        Move::Approve => Action::InstrumentApprove,
        Move::Return => Action::InstrumentReturn,
        Move::Suspend => Action::InstrumentSuspend,
        Move::Resume => Action::InstrumentResume,
        Move::Retire => Action::InstrumentRetire,
    }
}

/// Moves an entry to the state that follows, with the reason where one is needed.
pub async fn decide(
    run: &Run<Entry>,
    id: InstrumentId,
    action: Move,
    reason: Result<Option<String>, AppError>,
) -> Outcome<Entry> {
    let app = run.app.clone();
    run.on(id, reason, move |tx, actor, context, reason| {
        move_on(tx, &app, actor, context, (action, reason.as_deref()))
    })
    .await
}

fn move_on(
    tx: &mut Conn,
    app: &App,
    actor: &Actor,
    context: InstrumentContext,
    (action, reason): (Move, Option<&str>),
) -> Result<Entry, AppError> {
    let present = context.instrument;
    let mut faults = check_reason(action, reason);
    let state = present.standing.state.after(action);
    if action == Move::Submit && state.is_ok() {
        let rules = Rules::read(tx, &app.config, actor.now.local_date())?;
        let exemption = exemption_of(tx, &present)?;
        faults.extend(rules.check_submission(&present.facts, exemption));
    }
    AppError::refuse_all(faults)?;
    let standing = Standing {
        state: state?,
        ..standing_after(&present, action, reason, actor.now)
    };
    let next = Next {
        action: right_to(action),
        facts: &present.facts,
        standing: &standing,
        reason,
        managers: None,
    };
    let moved = write::update(tx, actor, &present, &next)?;
    entry(tx, moved)
}

/// Returning and suspending need a reason; any reason has an end.
fn check_reason(action: Move, reason: Option<&str>) -> Vec<Fault> {
    let is_needed = matches!(action, Move::Return | Move::Suspend);
    match reason {
        None if !is_needed => Vec::new(),
        reason => faults_of_reason(reason.unwrap_or_default()),
    }
}

/// A reason says something, in a reasonable length.
pub(in crate::operations) fn faults_of_reason(reason: &str) -> Vec<Fault> {
    let length = reason.chars().count();
    if reason.trim().is_empty() {
        vec![Fault::field("reason", Code::reason_required)]
    } else if length > REASON_CHARACTERS_MAX {
        let fault = Fault::field("reason", Code::text_too_long);
        vec![fault.limit(REASON_CHARACTERS_MAX).actual(length)]
    } else if reason.chars().any(|c| c.is_control() && c != '\n') {
        vec![Fault::field("reason", Code::control_character)]
    } else {
        Vec::new()
    }
}

/// The moments of the standing after a move, its state apart. An entry counts as submitted and listed from the first time:
/// whether it was registered in time does not depend on later returns.
fn standing_after(
    present: &Instrument,
    action: Move,
    reason: Option<&str>,
    now: Instant,
) -> Standing {
    let mut standing = Standing {
        state_reason: reason.map(str::to_owned),
        ..present.standing.clone()
    };
    match action {
        Move::Submit => standing.submitted_at = standing.submitted_at.or(Some(now)),
        Move::Approve => standing.listed_at = standing.listed_at.or(Some(now)),
        Move::Return => {}
        Move::Suspend => standing.suspended_at = Some(now),
        Move::Resume => standing.suspended_at = None,
        Move::Retire => standing.retired_on = Some(now.local_date()),
    }
    standing
}
