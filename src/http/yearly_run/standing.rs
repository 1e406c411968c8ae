//! Awards beside what became of them: what was adjusted, paid, and is still due; of one award each payment and adjustment.

use serde::Serialize;
use utoipa::ToSchema;

use super::award::{AwardShape, shapes};
use crate::domain::AwardId;
use crate::domain::access::Action;
use crate::domain::award::Standing;
use crate::error::AppError;
use crate::http::answer::Answer;
use crate::http::award_payment::{HistoryShape, StandingShape};
use crate::http::context::RequestContext;
use crate::operations::award;
use crate::operations::yearly_run::awards;

/// An award, with what became of it.
#[derive(Serialize, ToSchema)]
pub struct StandingAwardShape {
    #[serde(flatten)]
    award: AwardShape,
    #[serde(flatten)]
    standing: StandingShape,
}

/// The same, with each payment, adjustment and hold, which the province, the auditors and the unit read; null for others.
#[derive(Serialize, ToSchema)]
pub struct OneAwardShape {
    #[serde(flatten)]
    award: StandingAwardShape,
    #[serde(flatten)]
    history: HistoryShape,
}

impl StandingAwardShape {
    pub fn new(award: AwardShape, standing: Option<&Standing>) -> Result<Self, AppError> {
        let standing = standing.copied().map(StandingShape::from);
        Ok(Self {
            award,
            standing: standing.ok_or_else(|| AppError::internal("an award without its money"))?,
        })
    }
}

pub async fn get_one(context: RequestContext) -> Answer {
    let (actor, run, id) = (context.reader(), context.id("id")?, context.id("award_id")?);
    let report = awards::report(&context.app, &actor, Action::AwardGet, run).await?;
    let standings = award::standings(&context.app, &actor, run).await?;
    let found = shapes(&report)?
        .into_iter()
        .find(|(award, _): &(AwardId, AwardShape)| *award == id);
    let (_, shape) = found.ok_or(AppError::NotFound)?;
    let history = award::history(&context.app, &actor, (run, id)).await?;
    context.ok(OneAwardShape {
        award: StandingAwardShape::new(shape, standings.get(&id))?,
        history: history.into(),
    })
}
