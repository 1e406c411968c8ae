//! `/usage-records/{id}/review`: how satisfied the using unit was.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::context::RequestContext;
use super::route::{Route, get, post};
use crate::domain::access::Action;
use crate::domain::review::Satisfaction;
use crate::domain::{Instant, OrganizationId, ReviewId, UsageRecordId};
use crate::error::AppError;
use crate::operations::{review, usage};
use crate::store;
use crate::store::review::Review;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/usage-records/{id}/review",
            Action::ReviewGet,
            "The review of a service",
            get_one,
        )
        .answers::<ReviewShape>(200),
        post(
            "/usage-records/{id}/review",
            Action::ReviewCreate,
            "Review an external service, once",
            create,
        )
        .takes::<ReviewBody>()
        .answers::<ReviewShape>(201)
        .ignores_version(),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReviewBody {
    satisfaction: Satisfaction,
    comment: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct ReviewShape {
    id: ReviewId,
    usage_record_id: UsageRecordId,
    organization_id: OrganizationId,
    satisfaction: Satisfaction,
    comment: Option<String>,
    created_at: Instant,
}

impl From<Review> for ReviewShape {
    fn from(review: Review) -> Self {
        Self {
            id: review.id,
            usage_record_id: review.usage_record_id,
            organization_id: review.organization_id,
            satisfaction: review.satisfaction,
            comment: review.comment,
            created_at: review.created_at,
        }
    }
}

async fn get_one(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::UsageRecordGet).await?;
    let review = context
        .app
        .store
        .read(move |conn| store::review::find_of_usage(conn, id).map_err(AppError::from))
        .await?;
    context.ok(ReviewShape::from(review.ok_or(AppError::NotFound)?))
}

async fn create(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::ReviewCreate).await?;
    let body: ReviewBody = context.json()?;
    let act = context.actor()?;
    let review = review::create(&context.app, &act, id, body.satisfaction, body.comment).await?;
    context.created(
        format!("/api/v1/usage-records/{id}/review"),
        ReviewShape::from(review),
    )
}

async fn admitted(context: &RequestContext, action: Action) -> Result<UsageRecordId, AppError> {
    let caller = context.caller()?;
    let id: UsageRecordId = context.id("id")?;
    usage::admit(&context.app, caller, id, action).await?;
    Ok(id)
}
