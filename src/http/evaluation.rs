//! `/evaluations`: scores and grades of a year. Before publication the province and the auditors see them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::asked::Asked;
use super::feed::{Changes, Withdrawn};
use super::params::Params;
use super::reason::EmptyBody;
use super::routes::{Route, get, post, put};
use crate::domain::access::{Caller, Deed, Role, may_on_run};
use crate::domain::evaluation::ScoreExplanation;
use crate::domain::policy::Grade;
use crate::domain::run::{RunDeed, RunState};
use crate::domain::{
    EvaluationId, Instant, InstrumentId, Minutes, OrganizationId, PolicyId, UserId, ratio,
};
use crate::error::AppError;
use crate::operations::evaluation::{self, expert, stored};
use crate::store;
use crate::store::evaluation::{Evaluation, Unit};
use crate::store::run::{Filter, Place};

pub fn routes() -> Vec<Route> {
    let mut routes = runs();
    routes.extend(decisions());
    routes
}

fn runs() -> Vec<Route> {
    vec![
        post(
            "/evaluations",
            "evaluation_run",
            "Freezes and grades a year",
            run,
        )
        .deed(Deed::EvaluationRun)
        .takes::<EvaluationBody>()
        .answers::<EvaluationShape>(202),
        get(
            "/evaluations",
            "evaluation_list",
            "Evaluations, oldest first",
            list,
        )
        .deed(Deed::EvaluationRead)
        .parameters(&["year", "updated_since", "limit", "cursor"])
        .answers::<EvaluationPage>(200),
        get(
            "/evaluations/{id}",
            "evaluation_get",
            "An evaluation",
            get_one,
        )
        .deed(Deed::EvaluationRead)
        .answers::<EvaluationShape>(200),
        get(
            "/evaluations/{id}/scores",
            "evaluation_score_list",
            "Every unit's scores, explained",
            scores,
        )
        .deed(Deed::EvaluationRead)
        .parameters(&["limit", "cursor"])
        .answers::<UnitPage>(200),
        put(
            "/evaluations/{id}/expert-scores",
            "evaluation_score",
            "Enters experts' points",
            score,
        )
        .deed(Deed::EvaluationScore)
        .takes::<ExpertBody>()
        .needs_version()
        .answers::<EvaluationShape>(200),
    ]
}

fn decisions() -> Vec<Route> {
    vec![
        post(
            "/evaluations/{id}/publish",
            "evaluation_publish",
            "Shows it to everybody",
            publish,
        )
        .deed(Deed::EvaluationPublish)
        .takes::<EmptyBody>()
        .answers::<EvaluationShape>(200),
        post(
            "/evaluations/{id}/finalize",
            "evaluation_finalize",
            "Makes it final",
            finalize,
        )
        .deed(Deed::EvaluationFinalize)
        .takes::<EmptyBody>()
        .answers::<EvaluationShape>(200),
        post(
            "/evaluations/{id}/discard",
            "evaluation_discard",
            "Throws it away",
            discard,
        )
        .deed(Deed::EvaluationDiscard)
        .takes::<EmptyBody>()
        .answers::<EvaluationShape>(200),
    ]
}

/// `policy` is a code (its newest version) or `code@version`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EvaluationBody {
    year: i32,
    policy: String,
}

/// Experts' points, as decimal texts.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExpertBody {
    scores: Vec<ExpertEntry>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExpertEntry {
    organization_id: OrganizationId,
    indicator: String,
    points: String,
}

/// An evaluation; digests are SHA-256.
#[derive(Serialize, ToSchema)]
struct EvaluationShape {
    id: EvaluationId,
    year: i64,
    policy_id: PolicyId,
    policy_digest: String,
    status: RunState,
    /// Percent.
    progress: i64,
    failure: Option<String>,
    frozen_at: Option<Instant>,
    input_digest: Option<String>,
    result_digest: Option<String>,
    created_by: Option<UserId>,
    published_by: Option<UserId>,
    finalized_by: Option<UserId>,
    published_at: Option<Instant>,
    finalized_at: Option<Instant>,
    created_at: Instant,
    updated_at: Instant,
}

impl From<Evaluation> for EvaluationShape {
    fn from(row: Evaluation) -> Self {
        Self {
            id: row.id,
            year: row.year,
            policy_id: row.policy_id,
            policy_digest: row.policy_digest,
            status: row.state,
            progress: row.progress,
            failure: row.failure,
            frozen_at: row.frozen_at,
            input_digest: row.input_digest,
            result_digest: row.result_digest,
            created_by: row.created_by,
            published_by: row.published_by,
            finalized_by: row.finalized_by,
            published_at: row.published_at,
            finalized_at: row.finalized_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Only for the API document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "says what a page of evaluations looks like")]
struct EvaluationPage {
    items: Vec<ListedEvaluation>,
    next_cursor: Option<String>,
    as_of: Option<Instant>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum ListedEvaluation {
    Evaluation(Box<EvaluationShape>),
    Withdrawn(Withdrawn),
}

/// One score with everything it was made of; exact values as `p/q`, `points` with 4 decimals.
#[derive(Serialize, ToSchema)]
pub(super) struct ScoreShape {
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
}

/// A graded unit: `total` with 2 decimals, `total_exact` as `p/q`, `place` from 1 with ties broken.
#[derive(Serialize, ToSchema)]
struct UnitShape {
    organization_id: OrganizationId,
    uscc: String,
    name: String,
    total: String,
    total_exact: String,
    grade: Grade,
    place: i64,
    scores: Vec<ScoreShape>,
    instruments: Vec<FiguresShape>,
}

/// Only for the API document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "says what the scores look like")]
struct UnitPage {
    items: Vec<UnitShape>,
    next_cursor: Option<String>,
}

/// Where a list of runs begins.
pub(super) fn run_place(changes: Option<&Changes>, params: &Params) -> Result<Place, AppError> {
    Ok(match changes.map(Changes::place) {
        Some((moment, id)) => Place::Changed(moment, id),
        None => Place::After(params.cursor()?.unwrap_or(0)),
    })
}

/// The province and the auditors see what is not published.
pub(super) fn sees_drafts(caller: &Caller) -> bool {
    caller.has(Role::PlatformAdmin) || caller.has(Role::Auditor)
}

async fn run(asked: Asked) -> Answer {
    asked.may(Deed::EvaluationRun)?;
    let body: EvaluationBody = asked.json()?;
    let actor = asked.act()?.into();
    let id = evaluation::begin(&asked.app, &actor, body.year, body.policy).await?;
    if !asked.replayed() {
        let app = asked.app.clone();
        asked.app.work.start(move || async move {
            if let Err(error) = evaluation::carry_out(&app, &actor, id).await {
                tracing::error!(%id, %error, "the evaluation failed");
            }
        })?;
    }
    let row = read(&asked, id).await?;
    asked.accepted(
        format!("/api/v1/evaluations/{id}"),
        EvaluationShape::from(row),
    )
}

async fn read(asked: &Asked, id: EvaluationId) -> Result<Evaluation, AppError> {
    let get =
        move |conn: &mut store::Conn| store::evaluation::get(conn, id).map_err(AppError::from);
    asked.app.store.read(get).await
}

/// The evaluation in the path, when the caller may do this with it: 404, then 403.
async fn admit(asked: &Asked, deed: Deed) -> Result<Evaluation, AppError> {
    let caller = asked.caller()?;
    let row = read(asked, asked.id("id")?).await?;
    may_on_run(caller, deed, row.state.is_published())?;
    Ok(row)
}

async fn list(asked: Asked) -> Answer {
    let only_published = !sees_drafts(asked.may(Deed::EvaluationRead)?);
    let params = asked.params()?;
    let (limit, changes) = (params.limit()?, Changes::asked_for(&asked, &params).await?);
    let filter = Filter {
        years: params.all("year")?,
        only_published,
        place: run_place(changes.as_ref(), &params)?,
        limit: limit + 1,
    };
    let find = move |conn: &mut store::Conn| store::evaluation::list(conn, &filter);
    let rows = asked.app.store.read(find).await.map_err(AppError::from)?;
    let shape = |row: Evaluation| match only_published && !row.state.is_published() {
        true => ListedEvaluation::Withdrawn(Withdrawn::new(row.id, row.updated_at)),
        false => ListedEvaluation::Evaluation(Box::new(EvaluationShape::from(row))),
    };
    let change = |row: &Evaluation| (row.updated_at, row.id.number());
    asked.ok(match changes {
        Some(changes) => changes.page(rows, limit, change, shape)?,
        None => Page::cut(rows, limit, |row| row.id, shape)?,
    })
}

async fn get_one(asked: Asked) -> Answer {
    let row = admit(&asked, Deed::EvaluationRead).await?;
    asked.ok_versioned(row.version, EvaluationShape::from(row))
}

async fn scores(asked: Asked) -> Answer {
    let row = admit(&asked, Deed::EvaluationRead).await?;
    let params = asked.params()?;
    let list = move |conn: &mut store::Conn| store::evaluation::list_units(conn, row.id);
    let units = asked.app.store.read(list).await.map_err(AppError::from)?;
    let page = Page::of(units, &params, |unit| unit.organization_id, shape)?;
    asked.ok(page.all()?)
}

fn shape(unit: Unit) -> Result<UnitShape, AppError> {
    let figures = unit.instruments.iter().map(|figures| FiguresShape {
        instrument_id: figures.instrument_id,
        asset_no: figures.asset_no.clone(),
        effective_minutes: figures.effective_minutes,
        external_minutes: figures.external_minutes,
        rated_minutes: figures.rated_minutes,
    });
    Ok(UnitShape {
        organization_id: unit.organization_id,
        uscc: unit.uscc,
        name: unit.name,
        total: ratio::decimal(&stored::exact(&unit.total)?, 2),
        grade: unit.grade,
        place: unit.place,
        scores: unit.scores.iter().map(ScoreShape::from).collect(),
        instruments: figures.collect(),
        total_exact: unit.total,
    })
}

async fn score(asked: Asked) -> Answer {
    let row = admit(&asked, Deed::EvaluationScore).await?;
    let body: ExpertBody = asked.json()?;
    let version = asked.required_version()?;
    let given = body.scores.into_iter().map(|entry| expert::GivenScore {
        organization_id: entry.organization_id,
        indicator: entry.indicator,
        points: entry.points,
    });
    let actor = asked.act()?.into();
    expert::score(&asked.app, &actor, row.id, version, given.collect()).await?;
    let row = read(&asked, row.id).await?;
    asked.ok_versioned(row.version, EvaluationShape::from(row))
}

async fn publish(asked: Asked) -> Answer {
    decide(asked, Deed::EvaluationPublish, RunDeed::Publish).await
}

async fn finalize(asked: Asked) -> Answer {
    decide(asked, Deed::EvaluationFinalize, RunDeed::Finalize).await
}

async fn discard(asked: Asked) -> Answer {
    decide(asked, Deed::EvaluationDiscard, RunDeed::Discard).await
}

async fn decide(asked: Asked, deed: Deed, run_deed: RunDeed) -> Answer {
    let row = admit(&asked, deed).await?;
    let EmptyBody {} = asked.json_or_default()?;
    let (actor, version) = (asked.act()?.into(), asked.version()?);
    evaluation::decide(&asked.app, &actor, row.id, run_deed, version).await?;
    let row = read(&asked, row.id).await?;
    asked.ok_versioned(row.version, EvaluationShape::from(row))
}
