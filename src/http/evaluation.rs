//! `/evaluations`: scores and grades of a year. Before publication the province and the auditors see them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::feed::{Changes, Withdrawn};
use super::params::Params;
use super::reason::EmptyBody;
use super::route::{Route, get, post, put};
use crate::domain::access::{Action, Caller, Role, may_on_run};
use crate::domain::evaluation::ScoreExplanation;
use crate::domain::policy::Grade;
use crate::domain::run::{RunDeed, RunState};
use crate::domain::{
    EvaluationId, Instant, InstrumentId, Minutes, OrganizationId, PolicyId, UserId, ratio,
};
use crate::error::AppError;
use crate::operations::evaluation::{self, expert, stored};
use crate::store;
use crate::store::evaluation::{Evaluation, Host};
use crate::store::run::{Filter, PageStart};

pub fn routes() -> Vec<Route> {
    let mut routes = runs();
    routes.extend(decisions());
    routes
}

fn runs() -> Vec<Route> {
    vec![
        post(
            "/evaluations",
            Action::EvaluationRun,
            "Freezes and grades a year",
            run,
        )
        .takes::<EvaluationBody>()
        .answers::<EvaluationShape>(202),
        get(
            "/evaluations",
            Action::EvaluationList,
            "Evaluations, oldest first",
            list,
        )
        .parameters(&["year", "updated_since", "limit", "cursor"])
        .answers::<Page<ListedEvaluation>>(200),
        get(
            "/evaluations/{id}",
            Action::EvaluationGet,
            "An evaluation",
            get_one,
        )
        .answers::<EvaluationShape>(200),
        get(
            "/evaluations/{id}/scores",
            Action::EvaluationScoreList,
            "Every unit's scores, explained",
            scores,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<UnitShape>>(200),
        put(
            "/evaluations/{id}/expert-scores",
            Action::EvaluationScore,
            "Enters experts' points",
            score,
        )
        .takes::<ExpertBody>()
        .needs_version()
        .answers::<EvaluationShape>(200),
    ]
}

fn decisions() -> Vec<Route> {
    vec![
        post(
            "/evaluations/{id}/publish",
            Action::EvaluationPublish,
            "Shows it to everybody",
            publish,
        )
        .takes::<EmptyBody>()
        .answers::<EvaluationShape>(200),
        post(
            "/evaluations/{id}/finalize",
            Action::EvaluationFinalize,
            "Makes it final",
            finalize,
        )
        .takes::<EmptyBody>()
        .answers::<EvaluationShape>(200),
        post(
            "/evaluations/{id}/discard",
            Action::EvaluationDiscard,
            "Throws it away",
            discard,
        )
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

/// Where a list of runs begins.
pub(super) fn run_place(changes: Option<&Changes>, params: &Params) -> Result<PageStart, AppError> {
    Ok(match changes.map(Changes::place) {
        Some((moment, id)) => PageStart::Changed(moment, id),
        None => PageStart::After(params.cursor()?.unwrap_or(0)),
    })
}

/// The province and the auditors see what is not published.
pub(super) fn sees_drafts(caller: &Caller) -> bool {
    caller.has(Role::PlatformAdmin) || caller.has(Role::Auditor)
}

async fn run(context: RequestContext) -> Answer {
    context.may(Action::EvaluationRun)?;
    let body: EvaluationBody = context.json()?;
    let actor = context.actor()?;
    let id = evaluation::begin(&context.app, &actor, body.year, body.policy).await?;
    if !context.replayed() {
        let app = context.app.clone();
        context.app.work.start(move || async move {
            if let Err(error) = evaluation::carry_out(&app, &actor, id).await {
                tracing::error!(%id, %error, "the evaluation failed");
            }
        })?;
    }
    let row = read(&context, id).await?;
    context.accepted(
        format!("/api/v1/evaluations/{id}"),
        EvaluationShape::from(row),
    )
}

async fn read(context: &RequestContext, id: EvaluationId) -> Result<Evaluation, AppError> {
    let get =
        move |conn: &mut store::Conn| store::evaluation::get(conn, id).map_err(AppError::from);
    context.app.store.read(get).await
}

/// The evaluation in the path, when the caller may do this with it: 404, then 403.
async fn admit(context: &RequestContext, action: Action) -> Result<Evaluation, AppError> {
    let caller = context.caller()?;
    let row = read(context, context.id("id")?).await?;
    may_on_run(caller, action, row.state.is_published())?;
    Ok(row)
}

async fn list(context: RequestContext) -> Answer {
    let only_published = !sees_drafts(context.may(Action::EvaluationGet)?);
    let params = context.params()?;
    let (limit, changes) = (
        params.limit()?,
        Changes::asked_for(&context, &params).await?,
    );
    let filter = Filter {
        years: params.all("year")?,
        only_published,
        place: run_place(changes.as_ref(), &params)?,
        limit: limit + 1,
    };
    let find = move |conn: &mut store::Conn| store::evaluation::list(conn, &filter);
    let rows = context.app.store.read(find).await.map_err(AppError::from)?;
    let shape = |row: Evaluation| match only_published && !row.state.is_published() {
        true => ListedEvaluation::Withdrawn(Withdrawn::new(row.id, row.updated_at)),
        false => ListedEvaluation::Evaluation(Box::new(EvaluationShape::from(row))),
    };
    let change = |row: &Evaluation| (row.updated_at, row.id.number());
    context.ok(match changes {
        Some(changes) => changes.page(rows, limit, change, shape)?,
        None => Page::cut(rows, limit, |row| row.id, shape)?,
    })
}

async fn get_one(context: RequestContext) -> Answer {
    let row = admit(&context, Action::EvaluationGet).await?;
    context.ok_versioned(row.version, EvaluationShape::from(row))
}

async fn scores(context: RequestContext) -> Answer {
    let row = admit(&context, Action::EvaluationGet).await?;
    let params = context.params()?;
    let list = move |conn: &mut store::Conn| store::evaluation::list_units(conn, row.id);
    let units = context.app.store.read(list).await.map_err(AppError::from)?;
    let page = Page::of(units, &params, |unit| unit.organization_id, shape)?;
    context.ok(page.all()?)
}

fn shape(unit: Host) -> Result<UnitShape, AppError> {
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

async fn score(context: RequestContext) -> Answer {
    let row = admit(&context, Action::EvaluationScore).await?;
    let body: ExpertBody = context.json()?;
    let version = context.required_version()?;
    let given = body.scores.into_iter().map(|entry| expert::GivenScore {
        organization_id: entry.organization_id,
        indicator: entry.indicator,
        points: entry.points,
    });
    let actor = context.actor()?;
    expert::score(&context.app, &actor, row.id, version, given.collect()).await?;
    let row = read(&context, row.id).await?;
    context.ok_versioned(row.version, EvaluationShape::from(row))
}

async fn publish(context: RequestContext) -> Answer {
    decide(context, Action::EvaluationPublish, RunDeed::Publish).await
}

async fn finalize(context: RequestContext) -> Answer {
    decide(context, Action::EvaluationFinalize, RunDeed::Finalize).await
}

async fn discard(context: RequestContext) -> Answer {
    decide(context, Action::EvaluationDiscard, RunDeed::Discard).await
}

async fn decide(context: RequestContext, action: Action, run_action: RunDeed) -> Answer {
    let row = admit(&context, action).await?;
    let EmptyBody {} = context.json_or_default()?;
    let (actor, version) = (context.actor()?, context.version()?);
    evaluation::decide(&context.app, &actor, row.id, run_action, version).await?;
    let row = read(&context, row.id).await?;
    context.ok_versioned(row.version, EvaluationShape::from(row))
}
