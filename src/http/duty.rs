//! `/duties`: what is due for the assets of a unit, until when, and whether it was done.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::feed::{Asked, Start};
use super::params::Params;
use super::route::{Route, get};
use crate::domain::access::Action;
use crate::domain::duty::{DutyDetail, DutyKind, DutyState};
use crate::domain::{DutyId, Instant, InstrumentId, OrganizationId};
use crate::error::AppError;
use crate::operations::duty::{self, Duty, Filter};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/duties",
            Action::DutyList,
            "What is due for assets, made from registry and asset ledger; newest first, or with updated_since in the order of change",
            list,
        )
        .parameters(&[
            "organization_id",
            "kind",
            "state",
            "detail",
            "due_before",
            "updated_since",
            "limit",
            "cursor",
        ])
        .words::<DutyState>("state")
        .words::<DutyDetail>("detail")
        .answers::<Page<DutyShape>>(200),
    ]
}

/// One duty. To register and to share is due with the registration's deadline, to use with the end of the year.
#[derive(Serialize, ToSchema)]
struct DutyShape {
    id: DutyId,
    kind: DutyKind,
    organization_id: OrganizationId,
    asset_no: String,
    /// What the asset is called.
    asset_name: String,
    /// Null: the registry has no such asset.
    instrument_id: Option<InstrumentId>,
    /// In which it is to be used; null for what is due once.
    year: Option<i64>,
    /// The last day.
    due_on: NaiveDate,
    met_on: Option<NaiveDate>,
    state: DutyState,
    /// `idle`: no effective minute in twelve months; `underused`: below half the rated minutes.
    detail: Option<DutyDetail>,
    created_at: Instant,
    updated_at: Instant,
}

impl From<Duty> for DutyShape {
    fn from(duty: Duty) -> Self {
        let facts = duty.facts;
        Self {
            id: duty.id,
            kind: facts.kind,
            organization_id: duty.organization_id,
            asset_no: facts.asset_no.into(),
            asset_name: facts.name,
            instrument_id: facts.instrument_id,
            year: Some(facts.year).filter(|year| *year > 0),
            due_on: facts.due_on,
            met_on: facts.met_on,
            state: facts.state,
            detail: facts.detail,
            created_at: duty.created_at,
            updated_at: duty.updated_at,
        }
    }
}

fn filter(params: &Params, start: &Start, limit: i64) -> Result<Filter, AppError> {
    Ok(Filter {
        organizations: params.all("organization_id")?,
        kinds: params.all("kind")?,
        states: params.all("state")?,
        details: params.all("detail")?,
        due_before: params.one("due_before")?,
        changed_after: start.changed_after(),
        below: start.below(),
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let asked = Asked::of(&context, filter).await;
    let found = duty::list(&context.app, &context.reader(), asked.filter).await?;
    let place = |row: &Duty| (row.updated_at, row.id.number());
    context.ok(asked
        .start
        .page(found, asked.limit, place, DutyShape::from)?)
}
