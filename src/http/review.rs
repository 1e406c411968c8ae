//! `/usage-records/{id}/review`: how satisfied the using unit was.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::asked::Asked;
use super::routes::{Route, get, post};
use crate::domain::access::Deed;
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
            "review_get",
            "The review of a service",
            get_one,
        )
        .deed(Deed::UsageRead)
        .answers::<ReviewShape>(200),
        post(
            "/usage-records/{id}/review",
            "review_create",
            "Review an external service, once",
            create,
        )
        .deed(Deed::ReviewCreate)
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

async fn get_one(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::UsageRead).await?;
    let review = asked
        .app
        .store
        .read(move |conn| store::review::find_of_usage(conn, id).map_err(AppError::from))
        .await?;
    asked.ok(ReviewShape::from(review.ok_or(AppError::NotFound)?))
}

async fn create(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::ReviewCreate).await?;
    let body: ReviewBody = asked.json()?;
    let act = asked.act()?;
    let review = review::create(&asked.app, &act, id, body.satisfaction, body.comment).await?;
    asked.created(
        format!("/api/v1/usage-records/{id}/review"),
        ReviewShape::from(review),
    )
}

async fn admitted(asked: &Asked, deed: Deed) -> Result<UsageRecordId, AppError> {
    let caller = asked.caller()?;
    let id: UsageRecordId = asked.id("id")?;
    usage::admit(&asked.app, caller, id, deed).await?;
    Ok(id)
}
