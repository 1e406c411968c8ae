//! The way of an entry: submitted and retired by its host; approved, returned, suspended and resumed by the administration
//! that supervises the host.

use super::check::{RulesOnce, exemption_of};
use super::write::{self, Next};
use super::{Changed, InstrumentContext, entry};
use crate::domain::access::Action;
use crate::domain::instrument::InstrumentAction;
use crate::domain::{Instant, InstrumentId, Reason, Slot};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::booking::{Before, Change, Treatment};
use crate::operations::bulk::{Bulk, Verdicts, themselves};
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

/// Moves an entry to the state that follows, with the reason where one is needed. To retire one over bookings it must be said
/// what becomes of them: 409 `bookings_affected`.
pub async fn decide(
    run: &Run<Changed>,
    id: InstrumentId,
    action: InstrumentAction,
    reason: Result<Option<String>, AppError>,
    treatment: Treatment,
) -> Outcome<Changed> {
    let rules = RulesOnce::default();
    run.on(id, reason, move |tx, actor, context, reason| {
        let said = (action, reason.as_deref());
        move_on(tx, &rules, (actor, context), said, treatment)
    })
    .await
}

/// Submits or approves several entries, each as [`decide`] does.
pub async fn decide_all(
    run: &Run<Verdicts>,
    action: InstrumentAction,
    bulk: Result<Bulk<InstrumentId, ()>, AppError>,
) -> Outcome<Verdicts> {
    let (rules, single) = (RulesOnce::default(), right_to(action));
    run.each(bulk, single, themselves, move |tx, actor, context, ()| {
        let treatment = Treatment::default();
        move_on(tx, &rules, (actor, context), (action, None), treatment)
    })
    .await
}

fn move_on(
    tx: &mut Conn,
    rules: &RulesOnce,
    (actor, context): (&Actor, InstrumentContext),
    (action, reason): (InstrumentAction, Option<&str>),
    treatment: Treatment,
) -> Result<Changed, AppError> {
    let present = context.instrument;
    let is_due = takes_out_of_service(action);
    let reason = Reason::read(reason, is_due);
    let mut faults: Vec<Fault> = reason.as_ref().err().cloned().into_iter().collect();
    let state = present.standing.state.after(action);
    if action == InstrumentAction::Submit && state.is_ok() {
        let rules = rules.read(tx, actor.now.local_date())?;
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
    let before = Before::of(tx, present.id)?;
    let moved = write::update(tx, actor, &present, &next)?;
    let says = |_: &Slot| takes_out_of_service(action).then_some(Code::instrument_not_bookable);
    let change = Change {
        says: &says,
        must_be_said: match action {
            InstrumentAction::Retire => |_| true,
            _ => |_| false,
        },
        reason,
    };
    let impact = before.settle(tx, actor, treatment, &change)?;
    Ok(Changed {
        entry: entry(tx, moved)?,
        impact,
    })
}

/// Nobody can use the instrument any more, for a while or for good: whoever relies on it reads why.
const fn takes_out_of_service(action: InstrumentAction) -> bool {
    matches!(
        action,
        InstrumentAction::Return | InstrumentAction::Suspend | InstrumentAction::Retire
    )
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
