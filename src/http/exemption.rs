//! `/instruments/{id}/sharing-exemption`: asking not to share an instrument, and the province's answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::context::RequestContext;
use super::route::{BASE, Route, post};
use crate::domain::access::Action;
use crate::domain::exemption::ExemptionState;
use crate::domain::{Instant, InstrumentId};
use crate::error::AppError;
use crate::operations::exemption;
use crate::operations::run::Reply;
use crate::store::exemption::Exemption;

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        post("/instruments/{id}/sharing-exemption", Action::ExemptionRequest, "Ask not to share an instrument, with a reason", request).takes::<ExemptionBody>().answers::<ExemptionShape>(201).ignores_version(),
        post("/instruments/{id}/sharing-exemption/approve", Action::ExemptionApprove, "Approve the exemption", approve).takes::<ExemptionDecisionBody>().answers::<ExemptionShape>(200),
        post("/instruments/{id}/sharing-exemption/refuse", Action::ExemptionRefuse, "Refuse the exemption, with a reason", refuse).takes::<ExemptionDecisionBody>().answers::<ExemptionShape>(200),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExemptionBody {
    reason: String,
}

#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
struct ExemptionDecisionBody {
    /// Required to refuse.
    reason: Option<String>,
}

/// A request not to share an instrument, with what was decided.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExemptionShape {
    instrument_id: InstrumentId,
    reason: String,
    state: ExemptionState,
    requested_at: Instant,
    decided_at: Option<Instant>,
    decision_reason: Option<String>,
}

impl From<Exemption> for ExemptionShape {
    fn from(row: Exemption) -> Self {
        Self {
            instrument_id: row.instrument_id,
            reason: row.reason,
            state: row.state,
            requested_at: row.requested_at,
            decided_at: row.decided_at,
            decision_reason: row.decision_reason,
        }
    }
}

fn created(row: &Exemption) -> Result<Reply, AppError> {
    let reply = reply(201, &ExemptionShape::from(row.clone()))?;
    Ok(reply.at(format!("{BASE}/instruments/{}", row.instrument_id)))
}

fn shown(row: &Exemption) -> Result<Reply, AppError> {
    reply(200, &ExemptionShape::from(row.clone()))
}

async fn request(context: RequestContext) -> Answer {
    let reason = context.body::<ExemptionBody>().map(|body| body.reason);
    let done = exemption::request(&context.run(created)?, context.id("id")?, reason).await?;
    context.answer(done, created)
}

async fn approve(context: RequestContext) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: ExemptionDecisionBody| body.reason);
    let done = exemption::approve(&context.run(shown)?, context.id("id")?, reason).await?;
    context.answer(done, shown)
}

async fn refuse(context: RequestContext) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: ExemptionDecisionBody| body.reason);
    let done = exemption::refuse(&context.run(shown)?, context.id("id")?, reason).await?;
    context.answer(done, shown)
}
