//! `/expert-points`: the experts' points of a year, and which are still missing.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::OrganizationId;
use crate::domain::run::PointSource;
use crate::error::{AppError, Code, Fault};
use crate::http::answer::{Answer, Page};
use crate::http::context::RequestContext;
use crate::operations::yearly_run::expert::{self, PointRow};

/// A unit's points for an indicator, as a decimal text (of several evaluators the mean, exact as `p/q` in `points_exact`); `given` and
/// `missing` count the evaluators who gave points and who did not.
#[derive(Serialize, ToSchema)]
pub struct PointShape {
    year: i32,
    organization_id: OrganizationId,
    indicator: String,
    points: Option<String>,
    points_exact: Option<String>,
    given: i64,
    missing: i64,
    source: Option<PointSource>,
}

impl From<PointRow> for PointShape {
    fn from(row: PointRow) -> Self {
        Self {
            year: row.year,
            organization_id: row.organization_id,
            indicator: row.indicator,
            points: row.points,
            points_exact: row.points_exact,
            given: row.given,
            missing: row.missing,
            source: row.source,
        }
    }
}

/// What the list is asked by.
pub const PARAMETERS: &[&str] = &[
    "year",
    "policy",
    "organization_id",
    "missing",
    "limit",
    "cursor",
];

pub async fn list(context: RequestContext) -> Answer {
    let asked = context.params().and_then(|params| {
        let years: Vec<i32> = params.all("year")?;
        match years.is_empty() {
            true => Err(AppError::Malformed(vec![Fault::field(
                "year",
                Code::missing_field,
            )])),
            false => Ok((years, params.one("policy")?)),
        }
    });
    let mut rows = expert::list(&context.app, &context.reader(), asked).await?;
    let params = context.params()?;
    let units: Vec<OrganizationId> = params.all("organization_id")?;
    let is_missing: Option<bool> = params.one("missing")?;
    rows.retain(|row| {
        let is_asked = is_missing.is_none_or(|missing| missing == row.is_missing);
        is_asked && (units.is_empty() || units.contains(&row.organization_id))
    });
    let key = |row: &PointRow| (row.year, row.organization_id, row.indicator.clone());
    context.ok(Page::of(rows, &params, key, PointShape::from)?)
}
