//! Exemptions from sharing: the host asks with a reason, the province decides once.

use serde_json::json;

use crate::domain::InstrumentId;
use crate::domain::Reason;
use crate::domain::exemption::ExemptionAction;
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::instrument::InstrumentContext;
use crate::operations::run::{Outcome, Run, personal};
use crate::store::event::Subject;
use crate::store::exemption::Exemption;
use crate::store::{self, Conn, Constraint, Lock, StoreError};

/// Asks for an exemption. 409 `exemption_exists` while one is asked for or approved.
pub async fn request(
    run: &Run<Exemption>,
    id: InstrumentId,
    reason: Result<String, AppError>,
) -> Outcome<Exemption> {
    let action = run.action;
    let ask = move |tx: &mut Conn, actor: &Actor, context: InstrumentContext, reason: &String| {
        Reason::read(Some(reason), true)?;
        let by = actor.caller()?.user_id;
        let requested = store::exemption::insert(tx, id, reason, by, actor.now);
        let requested = requested.map_err(|error| match error {
            StoreError::Violated(Constraint::ExemptionOpen) => {
                AppError::conflict(Code::exemption_exists)
            }
            other => other.into(),
        })?;
        let event = actor
            .event(action, Subject::new("instrument", id))
            .of(context.instrument.organization_id, None)
            .after(json!({ "state": requested.state }))?
            .personal(personal(json!({ "reason": reason }))?);
        store::event::append(tx, &event)?;
        Ok(requested)
    };
    run.on(id, reason, ask).await
}

/// Approves the open request. The version sent is the instrument's.
pub async fn approve(
    run: &Run<Exemption>,
    id: InstrumentId,
    reason: Result<Option<String>, AppError>,
) -> Outcome<Exemption> {
    decide(run, id, ExemptionAction::Approve, reason).await
}

/// Refuses the open request, with a reason. The version sent is the instrument's.
pub async fn refuse(
    run: &Run<Exemption>,
    id: InstrumentId,
    reason: Result<Option<String>, AppError>,
) -> Outcome<Exemption> {
    decide(run, id, ExemptionAction::Refuse, reason).await
}

async fn decide(
    run: &Run<Exemption>,
    id: InstrumentId,
    decision: ExemptionAction,
    reason: Result<Option<String>, AppError>,
) -> Outcome<Exemption> {
    let action = run.action;
    run.on(
        id,
        reason,
        move |tx, actor, context: InstrumentContext, reason| {
            Lock::RecordsShared.take(tx)?;
            let open = store::exemption::find(tx, id)?.ok_or(AppError::NotFound)?;
            let is_due = decision == ExemptionAction::Refuse;
            let reason = Reason::read(reason.as_deref(), is_due)?;
            let reason = reason.as_ref().map(Reason::as_str);
            let state = open.state.after(decision)?;
            let by = actor.caller()?.user_id;
            let decided_at = store::yearly_run::after_freezes(tx, actor.now)?;
            let decided =
                store::exemption::update_decision(tx, open.id, state, reason, by, decided_at)?;
            let event = actor
                .event(action, Subject::new("instrument", id))
                .of(context.instrument.organization_id, None)
                .before(json!({ "state": open.state }))?
                .after(json!({ "state": state }))?
                .personal(personal(json!({ "reason": reason }))?);
            store::event::append(tx, &event)?;
            Ok(decided)
        },
    )
    .await
}
