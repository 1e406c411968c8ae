//! `/stats/{year}`: open figures, without signing in.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::context::RequestContext;
use super::route::{Route, get};
use crate::domain::access::Action;
use crate::operations::stats;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/stats/{year}",
            Action::StatsGet,
            "Open figures of a year",
            get_one,
        )
        .ignores_caller()
        .answers::<StatsShape>(200),
    ]
}

/// Sums over the instruments that count in the year. External: neither the host's own nor its related parties' use.
#[derive(Serialize, ToSchema)]
struct StatsShape {
    year: i32,
    hosts: i64,
    instruments: i64,
    externally_shared_instruments: i64,
    external_units: i64,
    records: i64,
    samples: i64,
    effective_minutes: i64,
    external_minutes: i64,
}

async fn get_one(context: RequestContext) -> Answer {
    let year = context.id("year")?;
    context.params()?;
    let stats = stats::of_year(&context.app, &context.reader(), year).await?;
    context.ok(StatsShape {
        year,
        hosts: stats.hosts,
        instruments: stats.instruments,
        externally_shared_instruments: stats.externally_shared_instruments,
        external_units: stats.external_units,
        records: stats.records,
        samples: stats.samples,
        effective_minutes: stats.effective_minutes,
        external_minutes: stats.external_minutes,
    })
}
