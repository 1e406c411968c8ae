//! What the two sides say about a record: the using unit confirms or disputes it, the host voids it.

use serde_json::json;

use super::{is_own_use, news, take, year_of};
use crate::app::App;
use crate::domain::UsageRecordId;
use crate::domain::access::Action;
use crate::domain::usage::{UsageDeed, check_reason};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::perform;
use crate::operations::{charge, yearly_run};
use crate::store::usage::{Columns, UsageRecord};
use crate::store::{self, Conn};

/// One word of one side.
#[derive(Debug, Clone)]
struct Decision {
    action: UsageDeed,
    right: Action,
    event: Action,
    reason: Option<String>,
}

/// The using unit agrees.
pub async fn confirm(
    app: &App,
    actor: &Actor,
    id: UsageRecordId,
    version: Option<i64>,
) -> Result<UsageRecord, AppError> {
    let decision = Decision {
        action: UsageDeed::Confirm,
        right: Action::UsageRecordConfirm,
        event: Action::UsageRecordConfirm,
        reason: None,
    };
    decide(app, actor, id, version, decision).await
}

/// The using unit does not agree, and says why.
pub async fn dispute(
    app: &App,
    actor: &Actor,
    id: UsageRecordId,
    version: Option<i64>,
    reason: Option<String>,
) -> Result<UsageRecord, AppError> {
    let decision = Decision {
        action: UsageDeed::Dispute,
        right: Action::UsageRecordDispute,
        event: Action::UsageRecordDispute,
        reason,
    };
    decide(app, actor, id, version, decision).await
}

/// The host takes the record back, and says why; its open charge goes with it. 409 `already_invoiced` when the money has
/// moved on.
pub async fn void(
    app: &App,
    actor: &Actor,
    id: UsageRecordId,
    version: Option<i64>,
    reason: Option<String>,
) -> Result<UsageRecord, AppError> {
    let decision = Decision {
        action: UsageDeed::Void,
        right: Action::UsageRecordVoid,
        event: Action::UsageRecordVoid,
        reason,
    };
    decide(app, actor, id, version, decision).await
}

async fn decide(
    app: &App,
    actor: &Actor,
    id: UsageRecordId,
    version: Option<i64>,
    decision: Decision,
) -> Result<UsageRecord, AppError> {
    let own = actor.clone();
    perform(app, actor, move |tx| run(tx, &own, id, version, &decision)).await
}

fn run(
    tx: &mut Conn,
    actor: &Actor,
    id: UsageRecordId,
    version: Option<i64>,
    decision: &Decision,
) -> Result<UsageRecord, AppError> {
    let (record, ties) = take(tx, actor, id, decision.right, version)?;
    let reason = decision.reason.as_deref();
    check_reason(reason, decision.action != UsageDeed::Confirm)?;
    let state = record.state.after(decision.action, is_own_use(&ties))?;
    yearly_run::refuse_locked(tx, &[year_of(record.ended_at)])?;
    let event = news::event(actor, decision.event, id, &ties, (None, reason))?
        .before(json!({ "version": record.version, "state": record.state }))?
        .after(json!({ "version": record.version + 1, "state": state }))?;
    let event = store::event::append(tx, &event)?;
    if decision.action == UsageDeed::Void {
        charge::void_for(tx, actor, record.id, event)?;
    }
    let next = Columns {
        state,
        reason: decision.reason.clone(),
        event_id: event,
        updated_at: actor.now,
        ..record.columns()
    };
    Ok(store::usage::update(tx, &record, next)?)
}
