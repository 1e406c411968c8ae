//! `/instruments/{id}/sharing-exemption`: asking not to share an instrument, and the province's answer.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::asked::Asked;
use super::routes::{BASE, Route, post};
use crate::domain::access::Deed;
use crate::domain::sharing::{ExemptionDeed, ExemptionState};
use crate::domain::{Instant, InstrumentId};
use crate::operations::{exemption, instrument};
use crate::store::exemption::Exemption;

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        post("/instruments/{id}/sharing-exemption", "exemption_request", "Ask not to share an instrument, with a reason", request)
            .deed(Deed::ExemptionRequest).takes::<ExemptionBody>().answers::<ExemptionShape>(201).ignores_version(),
        post("/instruments/{id}/sharing-exemption/approve", "exemption_approve", "Approve the exemption", approve)
            .deed(Deed::ExemptionDecide).takes::<ExemptionDecisionBody>().answers::<ExemptionShape>(200),
        post("/instruments/{id}/sharing-exemption/refuse", "exemption_refuse", "Refuse the exemption, with a reason", refuse)
            .deed(Deed::ExemptionDecide).takes::<ExemptionDecisionBody>().answers::<ExemptionShape>(200),
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

async fn request(asked: Asked) -> Answer {
    let caller = asked.caller()?.clone();
    let id: InstrumentId = asked.id("id")?;
    instrument::check_right(&asked.app, &caller, id, Deed::ExemptionRequest).await?;
    asked.params()?;
    let body: ExemptionBody = asked.json()?;
    let row = exemption::request(&asked.app, &asked.act()?, id, body.reason).await?;
    asked.created(
        format!("{BASE}/instruments/{id}"),
        ExemptionShape::from(row),
    )
}

async fn approve(asked: Asked) -> Answer {
    decide(asked, ExemptionDeed::Approve).await
}

async fn refuse(asked: Asked) -> Answer {
    decide(asked, ExemptionDeed::Refuse).await
}

async fn decide(asked: Asked, deed: ExemptionDeed) -> Answer {
    let caller = asked.caller()?.clone();
    let id: InstrumentId = asked.id("id")?;
    instrument::check_right(&asked.app, &caller, id, Deed::ExemptionDecide).await?;
    asked.params()?;
    let body: ExemptionDecisionBody = asked.json_or_default()?;
    let place = (id, asked.version()?);
    let row = exemption::decide(&asked.app, &asked.act()?, place, deed, body.reason).await?;
    asked.ok(ExemptionShape::from(row))
}
