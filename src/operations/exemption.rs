//! Exemptions from sharing: the host asks with a reason, the province decides once.

use serde_json::json;

use crate::app::App;
use crate::domain::InstrumentId;
use crate::domain::access::Action;
use crate::domain::exemption::ExemptionDeed;
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::instrument::{admit, faults_of_reason};
use crate::operations::run::{perform, personal, same_version};
use crate::store::event::Subject;
use crate::store::exemption::Exemption;
use crate::store::{self, Constraint, Lock, StoreError};

/// Asks for an exemption. 409 `exemption_exists` while one is asked for or approved.
pub async fn request(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    reason: String,
) -> Result<Exemption, AppError> {
    let act_of_action = actor.clone();
    perform(app, actor, move |tx| {
        Lock::Instrument(id).take(tx)?;
        let caller = act_of_action.caller()?;
        let instrument = admit(tx, caller, id, Action::ExemptionRequest)?;
        AppError::refuse_all(faults_of_reason(&reason))?;
        let now = act_of_action.now;
        let requested = store::exemption::insert(tx, id, &reason, caller.user_id, now);
        let requested = requested.map_err(|error| match error {
            StoreError::Violated(Constraint::ExemptionOpen) => {
                AppError::conflict(Code::exemption_exists)
            }
            other => other.into(),
        })?;
        let event = act_of_action
            .event(Action::ExemptionRequest, Subject::new("instrument", id))
            .of(instrument.organization_id, None)
            .after(json!({ "state": requested.state }))?
            .personal(personal(json!({ "reason": reason }))?);
        store::event::append(tx, &event)?;
        Ok(requested)
    })
    .await
}

/// Approves or refuses the open request; refusing needs a reason. The version sent is the instrument's.
pub async fn decide(
    app: &App,
    actor: &Actor,
    (id, version): (InstrumentId, Option<i64>),
    action: ExemptionDeed,
    reason: Option<String>,
) -> Result<Exemption, AppError> {
    let act_of_action = actor.clone();
    perform(app, actor, move |tx| {
        Lock::Instrument(id).take(tx)?;
        let caller = act_of_action.caller()?;
        let instrument = admit(tx, caller, id, Action::ExemptionApprove)?;
        Lock::RecordsShared.take(tx)?;
        same_version(version, instrument.version)?;
        let open = store::exemption::find(tx, id)?.ok_or(AppError::NotFound)?;
        if action == ExemptionDeed::Refuse || reason.is_some() {
            AppError::refuse_all(faults_of_reason(reason.as_deref().unwrap_or_default()))?;
        }
        let (state, now) = (open.state.after(action)?, act_of_action.now);
        let (reason, by) = (reason.as_deref(), caller.user_id);
        let decided_at = store::yearly_run::after_freezes(tx, now)?;
        let decided =
            store::exemption::update_decision(tx, open.id, state, reason, by, decided_at)?;
        let name = match action {
            ExemptionDeed::Approve => Action::ExemptionApprove,
            _ => Action::ExemptionRefuse,
        };
        let event = act_of_action
            .event(name, Subject::new("instrument", id))
            .of(instrument.organization_id, None)
            .before(json!({ "state": open.state }))?
            .after(json!({ "state": state }))?
            .personal(personal(json!({ "reason": reason }))?);
        store::event::append(tx, &event)?;
        Ok(decided)
    })
    .await
}
