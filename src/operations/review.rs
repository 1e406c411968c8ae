//! Reviews: the using unit says once how satisfied it was with an external service.

use crate::app::App;
use crate::domain::UsageRecordId;
use crate::domain::access::{self, Action};
use crate::domain::review::{self, Satisfaction};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{perform, personal};
use crate::store::event::Subject;
use crate::store::review::{NewReview, Review};
use crate::store::{self, Conn, Constraint, Lock, StoreError};

/// Reviews a service. 422 `not_reviewable` for own use and voided records, 409 `already_reviewed`.
pub async fn create(
    app: &App,
    actor: &Actor,
    id: UsageRecordId,
    satisfaction: Satisfaction,
    comment: Option<String>,
) -> Result<Review, AppError> {
    let own = actor.clone();
    perform(app, actor, move |tx| {
        run(tx, &own, id, satisfaction, comment.as_deref())
    })
    .await
}

fn run(
    tx: &mut Conn,
    actor: &Actor,
    id: UsageRecordId,
    satisfaction: Satisfaction,
    comment: Option<&str>,
) -> Result<Review, AppError> {
    Lock::RecordsShared.take(tx)?;
    let record = store::usage::get(tx, id)?;
    let ties = store::usage::get_ties(tx, &record, actor.caller()?.user_id)?;
    access::may_on_usage(actor.caller()?, Action::ReviewCreate, &ties)?;
    let host = ties.instrument.host_organization_id;
    review::check(host != record.organization_id, record.state, comment)?;
    let mut event = actor
        .event(Action::ReviewCreate, Subject::new("usage_record", id))
        .of(host, Some(record.organization_id))
        .after(serde_json::json!({ "satisfaction": satisfaction }))?;
    if let Some(comment) = comment {
        event = event.personal(personal(comment)?);
    }
    let event = store::event::append(tx, &event)?;
    let new = NewReview {
        usage_record_id: id,
        organization_id: record.organization_id,
        satisfaction,
        comment: comment.map(str::to_owned),
    };
    let review = store::review::insert(tx, new, event, actor.now).map_err(|error| match error {
        StoreError::Violated(Constraint::ReviewUsageRecord) => {
            AppError::conflict(Code::already_reviewed)
        }
        other => other.into(),
    })?;
    Ok(review)
}
