//! Scores of an evaluation, explained, and the points that experts enter.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shown;
use crate::domain::evaluation::ScoreExplanation;
use crate::domain::policy::Grade;
use crate::domain::{EvaluationId, InstrumentId, Minutes, OrganizationId, ratio};
use crate::error::AppError;
use crate::http::answer::{Answer, Page};
use crate::http::context::RequestContext;
use crate::operations::yearly_run::{expert, grades};
use crate::store::yearly_run::evaluation::{Figures, Host};

/// Experts' points, as decimal texts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpertBody {
    scores: Vec<ExpertEntry>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExpertEntry {
    organization_id: OrganizationId,
    indicator: String,
    points: String,
}

/// One score with everything it was made of; exact values as `p/q`, `points` with 4 decimals.
#[derive(Serialize, ToSchema)]
pub struct ScoreShape {
    id: String,
    numerator: String,
    denominator: String,
    ratio: Option<String>,
    full_at: String,
    max: String,
    empty: bool,
    points_exact: String,
    points: String,
}

impl From<&ScoreExplanation> for ScoreShape {
    fn from(score: &ScoreExplanation) -> Self {
        Self {
            id: score.id.clone(),
            numerator: score.numerator.clone(),
            denominator: score.denominator.clone(),
            ratio: score.ratio.clone(),
            full_at: score.full_at.clone(),
            max: score.max.clone(),
            empty: score.empty,
            points_exact: score.points.clone(),
            points: score.points_printed.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct FiguresShape {
    instrument_id: InstrumentId,
    asset_no: String,
    effective_minutes: Minutes,
    external_minutes: Minutes,
    rated_minutes: Option<Minutes>,
    /// Where instruments are evaluated: its total with 2 decimals, its place and grade.
    total: Option<String>,
    place: Option<i64>,
    grade: Option<Grade>,
    scores: Option<Vec<ScoreShape>>,
}

/// A graded unit: `total` with 2 decimals, `total_exact` as `p/q`, `place` from 1 with ties broken.
#[derive(Serialize, ToSchema)]
pub struct UnitShape {
    organization_id: OrganizationId,
    uscc: String,
    name: String,
    total: String,
    total_exact: String,
    /// Null where the pack gives it none.
    grade: Option<Grade>,
    place: i64,
    scores: Vec<ScoreShape>,
    instruments: Vec<FiguresShape>,
}

pub async fn list(context: RequestContext) -> Answer {
    let id: EvaluationId = context.id("id")?;
    let mut hosts = grades::list(&context.app, &context.reader(), id).await?;
    let params = context.params()?;
    let asked: Vec<OrganizationId> = params.all("organization_id")?;
    hosts.retain(|host| asked.is_empty() || asked.contains(&host.organization_id));
    let page = Page::of(hosts, &params, |host| host.organization_id, shape)?;
    context.ok(page.all()?)
}

fn shape(unit: Host) -> Result<UnitShape, AppError> {
    let figures = unit.instruments.iter().map(figures);
    Ok(UnitShape {
        organization_id: unit.organization_id,
        uscc: unit.uscc,
        name: unit.name,
        total: ratio::decimal(&grades::exact(&unit.total)?, 2),
        grade: unit.grade,
        place: unit.place,
        scores: unit.scores.iter().map(ScoreShape::from).collect(),
        instruments: figures.collect::<Result<_, _>>()?,
        total_exact: unit.total,
    })
}

fn figures(figures: &Figures) -> Result<FiguresShape, AppError> {
    let graded = figures.graded.as_ref();
    let total = graded.map(|graded| grades::exact(&graded.total));
    Ok(FiguresShape {
        instrument_id: figures.instrument_id,
        asset_no: figures.asset_no.clone(),
        effective_minutes: figures.effective_minutes,
        external_minutes: figures.external_minutes,
        rated_minutes: figures.rated_minutes,
        total: total.transpose()?.map(|total| ratio::decimal(&total, 2)),
        place: graded.map(|graded| graded.place),
        grade: graded.and_then(|graded| graded.grade),
        scores: graded.map(|graded| graded.scores.iter().map(ScoreShape::from).collect()),
    })
}

pub async fn enter(context: RequestContext) -> Answer {
    let given = context.body().map(|body: ExpertBody| {
        let given = body.scores.into_iter().map(|entry| expert::GivenScore {
            organization_id: entry.organization_id,
            indicator: entry.indicator,
            points: entry.points,
        });
        given.collect()
    });
    let done = expert::score(&context.run(shown)?, context.id("id")?, given).await?;
    context.answer(done, shown)
}
