//! `/usage-records/{id}/review`: how satisfied the using unit was.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::context::RequestContext;
use super::route::{BASE, Route, get, post};
use crate::domain::access::Action;
use crate::domain::review::Satisfaction;
use crate::domain::{Instant, OrganizationId, ReviewId, UsageRecordId};
use crate::error::AppError;
use crate::operations::review::{self, Judgment};
use crate::operations::run::Reply;
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

impl From<ReviewBody> for Judgment {
    fn from(body: ReviewBody) -> Self {
        Self {
            satisfaction: body.satisfaction,
            comment: body.comment,
        }
    }
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
    let review = review::get(&context.app, &context.reader(), context.id("id")?).await?;
    context.ok(ReviewShape::from(review))
}

fn created(review: &Review) -> Result<Reply, AppError> {
    let id = review.usage_record_id;
    let reply = reply(201, &ReviewShape::from(review.clone()))?;
    Ok(reply.at(format!("{BASE}/usage-records/{id}/review")))
}

async fn create(context: RequestContext) -> Answer {
    let judgment = context.body::<ReviewBody>().map(Into::into);
    let done = review::create(&context.run(created)?, context.id("id")?, judgment).await?;
    context.answer(done, created)
}
