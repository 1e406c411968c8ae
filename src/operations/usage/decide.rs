//! What the two sides say about a usage record: the using unit confirms or disputes it, the host voids it.

use serde_json::json;

use super::context::{UsageContext, UsageView};
use super::{day_of, is_own_use, news};
use crate::domain::Reason;
use crate::domain::UsageRecordId;
use crate::domain::access::Action;
use crate::domain::usage::UsageAction;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::{charge, yearly_run};
use crate::store::usage::Columns;
use crate::store::{self, Conn};

/// The using unit agrees.
pub async fn confirm(
    run: &Run<UsageView>,
    id: UsageRecordId,
    body: Result<(), AppError>,
) -> Outcome<UsageView> {
    decide(run, id, body.map(|()| None), UsageAction::Confirm).await
}

/// The using unit does not agree, and says why.
pub async fn dispute(
    run: &Run<UsageView>,
    id: UsageRecordId,
    reason: Result<Option<String>, AppError>,
) -> Outcome<UsageView> {
    decide(run, id, reason, UsageAction::Dispute).await
}

/// The host takes the record back, and says why; its open charge goes with it. 409 `already_invoiced` when the money has
/// moved on.
pub async fn void(
    run: &Run<UsageView>,
    id: UsageRecordId,
    reason: Result<Option<String>, AppError>,
) -> Outcome<UsageView> {
    decide(run, id, reason, UsageAction::Void).await
}

async fn decide(
    run: &Run<UsageView>,
    id: UsageRecordId,
    reason: Result<Option<String>, AppError>,
    decision: UsageAction,
) -> Outcome<UsageView> {
    let action = run.action;
    run.on(
        id,
        reason,
        move |tx, actor, context: UsageContext, reason| {
            state(tx, actor, &context, (action, decision), reason.as_deref())
        },
    )
    .await
}

/// Brings the record to the state that the decision leads to.
fn state(
    tx: &mut Conn,
    actor: &Actor,
    context: &UsageContext,
    (action, decision): (Action, UsageAction),
    reason: Option<&str>,
) -> Result<UsageView, AppError> {
    let UsageContext { record, ties } = context;
    let reason = Reason::read(reason, decision != UsageAction::Confirm)?;
    let texts = news::Texts {
        reason: reason.as_ref().map(Reason::as_str),
        ..news::Texts::default()
    };
    let state = record.state.after(decision, is_own_use(ties))?;
    yearly_run::refuse_locked(tx, &[day_of(record.ended_at)])?;
    let event = news::event(actor, action, record.id, ties, texts)?
        .before(json!({ "version": record.version, "state": record.state }))?
        .after(json!({ "version": record.version + 1, "state": state }))?;
    let event = store::event::append(tx, &event)?;
    if decision == UsageAction::Void {
        charge::void_for(tx, actor, record.id, event)?;
    }
    let next = Columns {
        state,
        reason: reason.map(String::from),
        event_id: event,
        updated_at: actor.now,
        ..record.columns()
    };
    Ok(context.view(store::usage::update(tx, record, next)?))
}
