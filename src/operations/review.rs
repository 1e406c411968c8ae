//! Reviews: the using unit says once how satisfied it was with an external service.

use serde_json::json;

use crate::app::App;
use crate::domain::UsageRecordId;
use crate::domain::access::Action;
use crate::domain::review::{self, Satisfaction};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, personal};
use crate::operations::subject;
use crate::operations::usage::UsageContext;
use crate::store::event::Subject;
use crate::store::review::{NewReview, Review};
use crate::store::{self, Conn, Constraint, StoreError};

/// How satisfied the using unit was, and what it says besides.
#[derive(Debug, Clone)]
pub struct Judgment {
    pub satisfaction: Satisfaction,
    pub comment: Option<String>,
}

/// The review of a service; 404 when there is none, or the record is not the caller's to see.
pub async fn get(app: &App, actor: &Actor, id: UsageRecordId) -> Result<Review, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            subject::load::<UsageContext>(conn, &actor, Action::ReviewGet, id)?;
            store::review::find_of_usage(conn, id)?.ok_or(AppError::NotFound)
        })
        .await
}

/// Reviews a service. 422 `not_reviewable` for own use and voided records, 409 `already_reviewed`.
pub async fn create(
    run: &Run<Review>,
    id: UsageRecordId,
    judgment: Result<Judgment, AppError>,
) -> Outcome<Review> {
    run.on(id, judgment, enter).await
}

fn enter(
    tx: &mut Conn,
    actor: &Actor,
    context: UsageContext,
    judgment: &Judgment,
) -> Result<Review, AppError> {
    let (record, host) = (&context.record, context.host());
    let (satisfaction, comment) = (judgment.satisfaction, judgment.comment.as_deref());
    review::check(host != record.organization_id, record.state, comment)?;
    let mut event = actor
        .event(
            Action::ReviewCreate,
            Subject::new("usage_record", record.id),
        )
        .of(host, Some(record.organization_id))
        .after(json!({ "satisfaction": satisfaction }))?;
    if let Some(comment) = comment {
        event = event.personal(personal(comment)?);
    }
    let event = store::event::append(tx, &event)?;
    let new = NewReview {
        usage_record_id: record.id,
        organization_id: record.organization_id,
        satisfaction,
        comment: comment.map(str::to_owned),
    };
    store::review::insert(tx, new, event, actor.now).map_err(|error| match error {
        StoreError::Violated(Constraint::ReviewUsageRecord) => {
            AppError::conflict(Code::already_reviewed)
        }
        other => other.into(),
    })
}
