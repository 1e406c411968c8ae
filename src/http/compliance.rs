//! `/compliance/{year}`: whether hosts did their duty, for everybody once the year's evaluation is published.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::context::RequestContext;
use super::route::{Route, get};
use crate::domain::access::Action;
use crate::domain::{OrganizationId, ratio};
use crate::error::AppError;
use crate::exchange::{compliance as sheet, sheet::Format, stats::FigureFormat};
use crate::operations::duty::{self, ComplianceRow};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/compliance/{year}",
            Action::ComplianceGet,
            "Whether hosts did their duty in a year: for everybody once its evaluation is published, before that for who supervises them, and for a host its own row",
            get_one,
        )
        .parameters(&["format"])
        .words::<FigureFormat>("format")
        .answers::<ComplianceShape>(200),
    ]
}

/// `items` are the hosts that the caller sees.
#[derive(Serialize, ToSchema)]
struct ComplianceShape {
    year: i32,
    /// The year's evaluation is published, so that everybody sees every host.
    is_public: bool,
    /// The pack that judges: `code@version`.
    policy: Option<String>,
    items: Vec<ComplianceRowShape>,
}

/// `due` = `on_time` + `late` + `missing`: what was to be registered in the year, and what was still missing when it began.
#[derive(Serialize, ToSchema)]
struct ComplianceRowShape {
    organization_id: OrganizationId,
    due: i64,
    on_time: i64,
    late: i64,
    missing: i64,
    should_be_open: i64,
    externally_shared: i64,
    /// Of what should be open, 4 decimals; null where nothing should be.
    externally_shared_rate: Option<String>,
    /// Without an effective minute in twelve months.
    idle: i64,
    open_rectifications: i64,
    /// By `[duty]` of the pack; null where it has none.
    complies: Option<bool>,
}

impl From<ComplianceRow> for ComplianceRowShape {
    fn from(row: ComplianceRow) -> Self {
        let counts = row.counts;
        let rate = counts.shared_rate();
        Self {
            organization_id: row.organization_id,
            due: counts.due,
            on_time: counts.on_time,
            late: counts.late,
            missing: counts.missing,
            should_be_open: counts.should_be_open,
            externally_shared: counts.externally_shared,
            externally_shared_rate: rate.map(|rate| ratio::decimal(&rate, 4)),
            idle: counts.idle,
            open_rectifications: row.open_rectifications,
            complies: row.complies,
        }
    }
}

async fn get_one(context: RequestContext) -> Answer {
    let year = context.id("year")?;
    let format = context.params()?.one("format")?;
    let table = duty::of_year(&context.app, &context.reader(), year).await?;
    match format.unwrap_or(FigureFormat::Json) {
        FigureFormat::Csv => {
            let bytes = sheet::write(&table.rows).map_err(AppError::internal)?;
            let name = format!("compliance-{year}.csv");
            context.download(Format::Csv.media_type(), &name, bytes)
        }
        FigureFormat::Json => context.ok(ComplianceShape {
            year: table.year,
            is_public: table.is_public,
            policy: table.policy,
            items: table.rows.into_iter().map(Into::into).collect(),
        }),
    }
}
