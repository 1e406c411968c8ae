//! `/instruments/{id}/sharing-exemption`: asking not to share an instrument, and the province's answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::context::RequestContext;
use super::route::{BASE, Route, post};
use crate::domain::access::Action;
use crate::domain::exemption::{ExemptionDeed, ExemptionState};
use crate::domain::{Instant, InstrumentId};
use crate::operations::{exemption, instrument};
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

async fn request(context: RequestContext) -> Answer {
    let caller = context.caller()?.clone();
    let id: InstrumentId = context.id("id")?;
    instrument::check_right(&context.app, &caller, id, Action::ExemptionRequest).await?;
    context.params()?;
    let body: ExemptionBody = context.json()?;
    let row = exemption::request(&context.app, &context.actor()?, id, body.reason).await?;
    context.created(
        format!("{BASE}/instruments/{id}"),
        ExemptionShape::from(row),
    )
}

async fn approve(context: RequestContext) -> Answer {
    decide(context, ExemptionDeed::Approve).await
}

async fn refuse(context: RequestContext) -> Answer {
    decide(context, ExemptionDeed::Refuse).await
}

async fn decide(context: RequestContext, action: ExemptionDeed) -> Answer {
    let caller = context.caller()?.clone();
    let id: InstrumentId = context.id("id")?;
    instrument::check_right(&context.app, &caller, id, Action::ExemptionApprove).await?;
    context.params()?;
    let body: ExemptionDecisionBody = context.json_or_default()?;
    let place = (id, context.version()?);
    let row =
        exemption::decide(&context.app, &context.actor()?, place, action, body.reason).await?;
    context.ok(ExemptionShape::from(row))
}
