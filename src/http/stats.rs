//! `/stats/{year}`: open figures, without signing in, for all and by group.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::context::RequestContext;
use super::route::{Route, get};
use crate::domain::access::Action;
use crate::domain::stats::StatsBy;
use crate::domain::{EvaluationId, Fen, Instant};
use crate::error::AppError;
use crate::exchange::sheet::Format;
use crate::exchange::stats::{self as sheet, FigureFormat};
use crate::operations::stats::{self, Awarded, AwardedMoney, Figures, Group, OpenFigures};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/stats/{year}",
            Action::StatsGet,
            "Open figures of a year, of all and with `by` of each group",
            get_one,
        )
        .parameters(&["by", "format"])
        .words::<StatsBy>("by")
        .words::<FigureFormat>("format")
        .ignores_caller()
        .answers::<StatsShape>(200),
    ]
}

/// Sums over the instruments that count in the year. External: neither the host's own nor its related parties' use.
#[derive(Serialize, ToSchema)]
struct StatsShape {
    year: i32,
    /// From the final evaluation on the figures stay as they are.
    is_final: bool,
    /// Null as long as no evaluation is final.
    evaluation_id: Option<EvaluationId>,
    /// When the records were read, or frozen.
    as_of: Instant,
    /// The pack by which instruments count: `code@version`.
    policy: String,
    #[serde(flatten)]
    figures: OpenFiguresShape,
    /// With `by`: the groups, by their keys.
    items: Vec<StatsGroupShape>,
}

/// One group: a city by its region code, a unit by its id, a kind of unit, or a class of instruments by its code. Requests, grades
/// and awards are units' and null for a class.
#[derive(Serialize, ToSchema)]
struct StatsGroupShape {
    key: String,
    name: String,
    #[serde(flatten)]
    figures: OpenFiguresShape,
}

/// What rests on fewer than three using units is null and named in `suppressed`, and so is what would follow from the sum and the
/// other groups.
#[derive(Serialize, ToSchema)]
struct OpenFiguresShape {
    hosts: i64,
    instruments: i64,
    externally_shared_instruments: i64,
    original_value_fen: Option<Fen>,
    external_units: Option<i64>,
    sme_units: Option<i64>,
    records: Option<i64>,
    samples: Option<i64>,
    effective_minutes: Option<i64>,
    external_minutes: Option<i64>,
    /// External ÷ effective minutes, of the sums; 4 decimals.
    share_rate_of_sums: Option<String>,
    /// The mean of that rate over the instruments that were used; 4 decimals.
    share_rate_mean: Option<String>,
    /// What external units paid.
    income_fen: Option<Fen>,
    /// Of external requests; 4 decimals.
    answered_in_time_rate: Option<String>,
    answer_hours_median: Option<String>,
    /// How many units have each grade; null before the final evaluation.
    grades: Option<BTreeMap<String, i64>>,
    /// Of the final subsidy run; null before it.
    award_fen: Option<Fen>,
    /// What was adjusted of it since, and what was paid; null before it.
    adjusted_fen: Option<Fen>,
    paid_fen: Option<Fen>,
    suppressed: Vec<String>,
}

impl OpenFiguresShape {
    fn of(figures: Figures, awarded: Option<AwardedMoney>) -> Self {
        Self {
            hosts: figures.hosts,
            instruments: figures.instruments,
            externally_shared_instruments: figures.externally_shared_instruments,
            original_value_fen: figures.original_value_fen,
            external_units: figures.external_units,
            sme_units: figures.sme_units,
            records: figures.records,
            samples: figures.samples,
            effective_minutes: figures.effective_minutes,
            external_minutes: figures.external_minutes,
            share_rate_of_sums: figures.share_rate_of_sums,
            share_rate_mean: figures.share_rate_mean,
            income_fen: figures.income_fen,
            answered_in_time_rate: figures.answered_in_time_rate,
            answer_hours_median: figures.answer_hours_median,
            grades: figures.grades,
            award_fen: awarded.map(|money| money.award),
            adjusted_fen: awarded.map(|money| money.adjusted),
            paid_fen: awarded.map(|money| money.paid),
            suppressed: figures.suppressed,
        }
    }
}

/// The groups that were asked for, with what their units were awarded.
fn groups(open: &OpenFigures, by: Option<StatsBy>) -> Vec<(Group, Option<AwardedMoney>)> {
    let Some(by) = by else {
        return Vec::new();
    };
    let Awarded { groups: awards, .. } = &open.awarded;
    let found = open.figures.groups.get(by.as_str()).into_iter().flatten();
    let award = |group: &Group| awards.get(&(by, group.key.clone())).copied();
    found.map(|group| (group.clone(), award(group))).collect()
}

async fn get_one(context: RequestContext) -> Answer {
    let year = context.id("year")?;
    let params = context.params()?;
    let (by, format) = (params.one("by")?, params.one("format")?);
    let open = stats::of_year(&context.app, &context.reader(), year).await?;
    let groups = groups(&open, by);
    match format.unwrap_or(FigureFormat::Json) {
        FigureFormat::Csv => {
            let total = Group {
                key: String::new(),
                name: "合计".to_owned(),
                figures: open.figures.total.clone(),
            };
            let mut rows = vec![(total, open.awarded.total)];
            rows.extend(groups);
            let bytes = sheet::write(&rows).map_err(AppError::internal)?;
            let name = format!("stats-{year}.csv");
            context.download(Format::Csv.media_type(), &name, bytes)
        }
        FigureFormat::Json => {
            let items = groups.into_iter();
            let items = items.map(|(group, award)| StatsGroupShape {
                key: group.key,
                name: group.name,
                figures: OpenFiguresShape::of(group.figures, award),
            });
            context.ok(StatsShape {
                year,
                is_final: open.is_final,
                evaluation_id: open.evaluation_id,
                as_of: open.figures.as_of,
                policy: open.figures.policy.clone(),
                figures: OpenFiguresShape::of(open.figures.total.clone(), open.awarded.total),
                items: items.collect(),
            })
        }
    }
}
