//! The way of an entry: submitted and retired by its host; approved, returned, suspended and resumed by the administration
//! that supervises the host.

use super::check::{Rules, exemption_of};
use super::write::{self, Next};
use super::{Entry, InstrumentContext, entry};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::instrument::InstrumentAction;
use crate::domain::{Instant, InstrumentId, Reason};
use crate::error::{AppError, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::store::Conn;
use crate::store::instrument::{Instrument, Standing};

/// The action that a move is.
pub const fn right_to(action: InstrumentAction) -> Action {
    match action {
        InstrumentAction::Submit => Action::InstrumentSubmit,
        InstrumentAction::Approve => Action::InstrumentApprove,
        InstrumentAction::Return => Action::InstrumentReturn,
        InstrumentAction::Suspend => Action::InstrumentSuspend,
        InstrumentAction::Resume => Action::InstrumentResume,
        InstrumentAction::Retire => Action::InstrumentRetire,
    }
}

/// Moves an entry to the state that follows, with the reason where one is needed.
pub async fn decide(
    run: &Run<Entry>,
    id: InstrumentId,
    action: InstrumentAction,
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
    (action, reason): (InstrumentAction, Option<&str>),
) -> Result<Entry, AppError> {
    let present = context.instrument;
    let is_due = matches!(action, InstrumentAction::Return | InstrumentAction::Suspend);
    let reason = Reason::read(reason, is_due);
    let mut faults: Vec<Fault> = reason.as_ref().err().cloned().into_iter().collect();
    let state = present.standing.state.after(action);
    if action == InstrumentAction::Submit && state.is_ok() {
        let rules = Rules::read(tx, &app.config, actor.now.local_date())?;
        let exemption = exemption_of(tx, &present)?;
        faults.extend(rules.check_submission(&present.facts, exemption));
    }
    AppError::refuse_all(faults)?;
    let reason = reason?;
    let reason = reason.as_ref().map(Reason::as_str);
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

/// The moments of the standing after a move, its state apart. An entry counts as submitted and listed from the first time:
/// whether it was registered in time does not depend on later returns.
fn standing_after(
    present: &Instrument,
    action: InstrumentAction,
    reason: Option<&str>,
    now: Instant,
) -> Standing {
    let mut standing = Standing {
        state_reason: reason.map(str::to_owned),
        ..present.standing.clone()
    };
    match action {
        InstrumentAction::Submit => standing.submitted_at = standing.submitted_at.or(Some(now)),
        InstrumentAction::Approve => standing.listed_at = standing.listed_at.or(Some(now)),
        InstrumentAction::Return => {}
        InstrumentAction::Suspend => standing.suspended_at = Some(now),
        InstrumentAction::Resume => standing.suspended_at = None,
        InstrumentAction::Retire => standing.retired_on = Some(now.local_date()),
    }
    standing
}
