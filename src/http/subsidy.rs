//! `/subsidy-runs`: awards of a year, every step of them, and the records behind. Before publication the province and the
//! auditors see them.

mod shape;

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::evaluation::{run_place, sees_drafts};
use super::feed::{Changes, Withdrawn};
use super::params::{Params, cursor_text};
use super::reason::EmptyBody;
use super::route::{Route, get, post};
use crate::domain::access::{Action, may_explain_award, may_on_run};
use crate::domain::run::RunDeed;
use crate::domain::{AwardId, EvaluationId, Fen, SubsidyRunId};
use crate::error::AppError;
use crate::exchange::{awards, sheet, subsidy_json};
use crate::operations::subsidy;
use crate::operations::subsidy::explain::{self, Choice};
use crate::operations::subsidy::stored::{self, Report};
use crate::store;
use crate::store::run::Filter;
use crate::store::subsidy::{Award, Run};
use shape::{AwardShape, ExplanationShape, ListedRun, RunShape};

pub fn routes() -> Vec<Route> {
    let mut routes = reading_and_running();
    routes.extend(decisions());
    routes
}

fn reading_and_running() -> Vec<Route> {
    vec![
        post(
            "/subsidy-runs",
            Action::SubsidyRun,
            "Shares out a year's budget",
            run,
        )
        .takes::<SubsidyRunBody>()
        .answers::<RunShape>(202),
        get(
            "/subsidy-runs",
            Action::SubsidyList,
            "Runs, oldest first",
            list,
        )
        .parameters(&["year", "updated_since", "limit", "cursor"])
        .answers::<Page<ListedRun>>(200),
        get("/subsidy-runs/{id}", Action::SubsidyGet, "A run", get_one).answers::<RunShape>(200),
        get(
            "/subsidy-runs/{id}/awards",
            Action::SubsidyAwardList,
            "Every unit's award",
            list_awards,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<AwardShape>>(200),
        get(
            "/subsidy-runs/{id}/awards/{award_id}/explanation",
            Action::SubsidyExplain,
            "The steps of an award and the records behind each metric",
            explanation,
        )
        .parameters(&["metric", "limit", "cursor"])
        .answers::<ExplanationShape>(200),
        get(
            "/subsidy-runs/{id}/export",
            Action::SubsidyExport,
            "The awards as a table",
            export,
        )
        .parameters(&["format"])
        .answers_status(200),
    ]
}

/// What becomes of a run.
fn decisions() -> Vec<Route> {
    vec![
        post(
            "/subsidy-runs/{id}/publish",
            Action::SubsidyPublish,
            "Shows it to everybody",
            publish,
        )
        .takes::<EmptyBody>()
        .answers::<RunShape>(200),
        post(
            "/subsidy-runs/{id}/finalize",
            Action::SubsidyFinalize,
            "Makes it final",
            finalize,
        )
        .takes::<EmptyBody>()
        .answers::<RunShape>(200),
        post(
            "/subsidy-runs/{id}/discard",
            Action::SubsidyDiscard,
            "Throws it away",
            discard,
        )
        .takes::<EmptyBody>()
        .answers::<RunShape>(200),
    ]
}

/// `policy` is a code (its newest version) or `code@version`. Without `evaluation_id` the run uses the final evaluation of
/// year and policy, or grades the frozen inputs itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SubsidyRunBody {
    year: i32,
    policy: String,
    budget_fen: Fen,
    evaluation_id: Option<EvaluationId>,
}

async fn run(context: RequestContext) -> Answer {
    context.may(Action::SubsidyRun)?;
    let body: SubsidyRunBody = context.json()?;
    let request = subsidy::Request {
        year: body.year,
        policy: body.policy,
        budget_fen: body.budget_fen,
        evaluation_id: body.evaluation_id,
    };
    let actor = context.actor()?;
    let id = subsidy::begin(&context.app, &actor, request).await?;
    if !context.replayed() {
        let app = context.app.clone();
        context.app.work.start(move || async move {
            if let Err(error) = subsidy::carry_out(&app, &actor, id).await {
                tracing::error!(%id, %error, "the subsidy run failed");
            }
        })?;
    }
    let run = read(&context, id).await?;
    context.accepted(format!("/api/v1/subsidy-runs/{id}"), RunShape::from(run))
}

async fn read(context: &RequestContext, id: SubsidyRunId) -> Result<Run, AppError> {
    let get = move |conn: &mut store::Conn| store::subsidy::get(conn, id).map_err(AppError::from);
    context.app.store.read(get).await
}

/// The run in the path, when the caller may do this with it: 404, then 403.
async fn admit(context: &RequestContext, action: Action) -> Result<Run, AppError> {
    let caller = context.caller()?;
    let run = read(context, context.id("id")?).await?;
    may_on_run(caller, action, run.state.is_published())?;
    Ok(run)
}

async fn list(context: RequestContext) -> Answer {
    let only_published = !sees_drafts(context.may(Action::SubsidyGet)?);
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
    let find = move |conn: &mut store::Conn| store::subsidy::list(conn, &filter);
    let rows = context.app.store.read(find).await.map_err(AppError::from)?;
    let shape = |row: Run| match only_published && !row.state.is_published() {
        true => ListedRun::Withdrawn(Withdrawn::new(row.id, row.updated_at)),
        false => ListedRun::Run(Box::new(RunShape::from(row))),
    };
    let change = |row: &Run| (row.updated_at, row.id.number());
    context.ok(match changes {
        Some(changes) => changes.page(rows, limit, change, shape)?,
        None => Page::cut(rows, limit, |row| row.id, shape)?,
    })
}

async fn get_one(context: RequestContext) -> Answer {
    let run = admit(&context, Action::SubsidyGet).await?;
    context.ok_versioned(run.version, RunShape::from(run))
}

fn print(report: &Report) -> Result<subsidy_json::PrintedRun, AppError> {
    subsidy_json::print(
        i32::try_from(report.run.year).map_err(AppError::internal)?,
        &report.policy,
        &report.evaluation,
        &report.allocation,
        &report.names,
    )
    .map_err(AppError::internal)
}

async fn list_awards(context: RequestContext) -> Answer {
    let run = admit(&context, Action::SubsidyGet).await?;
    let params = context.params()?;
    let report = stored::report(&context.app, run.id).await?;
    let awards = context
        .app
        .store
        .read(move |conn| store::subsidy::list_awards(conn, run.id).map_err(AppError::from))
        .await?;
    let printed = print(&report)?;
    let rows = awards.into_iter().zip(printed.units).collect();
    let by_unit = |(award, _): &(Award, _)| award.organization_id;
    let shape = |(award, unit): (Award, _)| AwardShape::new(&award, unit);
    context.ok(Page::of(rows, &params, by_unit, shape)?)
}

async fn explanation(context: RequestContext) -> Answer {
    let caller = context.caller()?.clone();
    let run = read(&context, context.id("id")?).await?;
    may_on_run(&caller, Action::SubsidyGet, run.state.is_published())?;
    let award_id: AwardId = context.id("award_id")?;
    let award = context
        .app
        .store
        .read(move |conn| store::subsidy::get_award(conn, run.id, award_id).map_err(AppError::from))
        .await?;
    may_explain_award(&caller, run.state.is_published(), award.organization_id)?;
    let choice = choice(&context.params()?)?;
    let explained = explain::explain(&context.app, run.id, award_id, choice).await?;
    context.ok(ExplanationShape::new(explained, |after| {
        cursor_text(&after)
    })?)
}

fn choice(params: &Params) -> Result<Choice, AppError> {
    Ok(Choice {
        metric: params.one("metric")?,
        after: params.cursor()?,
        limit: usize::try_from(params.limit()?).map_err(AppError::internal)?,
    })
}

async fn export(context: RequestContext) -> Answer {
    let run = admit(&context, Action::SubsidyExport).await?;
    let format: Option<sheet::Format> = context.params()?.one("format")?;
    let format = format.unwrap_or(sheet::Format::Csv);
    let report = stored::report(&context.app, run.id).await?;
    let bytes = awards::write(&print(&report)?, format).map_err(AppError::internal)?;
    let name = format!("subsidy-run-{}.{format}", run.id);
    context.download(format.media_type(), &name, bytes)
}

async fn publish(context: RequestContext) -> Answer {
    decide(context, Action::SubsidyPublish, RunDeed::Publish).await
}

async fn finalize(context: RequestContext) -> Answer {
    decide(context, Action::SubsidyFinalize, RunDeed::Finalize).await
}

async fn discard(context: RequestContext) -> Answer {
    decide(context, Action::SubsidyDiscard, RunDeed::Discard).await
}

async fn decide(context: RequestContext, action: Action, run_action: RunDeed) -> Answer {
    let run = admit(&context, action).await?;
    let EmptyBody {} = context.json_or_default()?;
    let (actor, version) = (context.actor()?, context.version()?);
    subsidy::decide(&context.app, &actor, run.id, run_action, version).await?;
    let run = read(&context, run.id).await?;
    context.ok_versioned(run.version, RunShape::from(run))
}
