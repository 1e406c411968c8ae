//! `/subsidy-runs`: awards of a year, every step of them, and the records behind. Before publication the province and the
//! auditors see them.

mod shape;

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::asked::Asked;
use super::evaluation::{run_place, sees_drafts};
use super::feed::{Changes, Withdrawn};
use super::params::{Params, cursor_text};
use super::reason::EmptyBody;
use super::routes::{Route, get, post};
use crate::domain::access::{Deed, may_explain_award, may_on_run};
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
use shape::{AwardPage, AwardShape, ExplanationShape, ListedRun, RunPage, RunShape};

pub fn routes() -> Vec<Route> {
    let mut routes = reading_and_running();
    routes.extend(decisions());
    routes
}

fn reading_and_running() -> Vec<Route> {
    vec![
        post(
            "/subsidy-runs",
            "subsidy_run",
            "Shares out a year's budget",
            run,
        )
        .deed(Deed::SubsidyRun)
        .takes::<SubsidyRunBody>()
        .answers::<RunShape>(202),
        get("/subsidy-runs", "subsidy_list", "Runs, oldest first", list)
            .deed(Deed::SubsidyRead)
            .parameters(&["year", "updated_since", "limit", "cursor"])
            .answers::<RunPage>(200),
        get("/subsidy-runs/{id}", "subsidy_get", "A run", get_one)
            .deed(Deed::SubsidyRead)
            .answers::<RunShape>(200),
        get(
            "/subsidy-runs/{id}/awards",
            "subsidy_award_list",
            "Every unit's award",
            list_awards,
        )
        .deed(Deed::SubsidyRead)
        .parameters(&["limit", "cursor"])
        .answers::<AwardPage>(200),
        get(
            "/subsidy-runs/{id}/awards/{award_id}/explanation",
            "subsidy_explain",
            "The steps of an award and the records behind each metric",
            explanation,
        )
        .deed(Deed::SubsidyExplain)
        .parameters(&["metric", "limit", "cursor"])
        .answers::<ExplanationShape>(200),
        get(
            "/subsidy-runs/{id}/export",
            "subsidy_export",
            "The awards as a table",
            export,
        )
        .deed(Deed::SubsidyExport)
        .parameters(&["format"])
        .answers_status(200),
    ]
}

/// What becomes of a run.
fn decisions() -> Vec<Route> {
    vec![
        post(
            "/subsidy-runs/{id}/publish",
            "subsidy_publish",
            "Shows it to everybody",
            publish,
        )
        .deed(Deed::SubsidyPublish)
        .takes::<EmptyBody>()
        .answers::<RunShape>(200),
        post(
            "/subsidy-runs/{id}/finalize",
            "subsidy_finalize",
            "Makes it final",
            finalize,
        )
        .deed(Deed::SubsidyFinalize)
        .takes::<EmptyBody>()
        .answers::<RunShape>(200),
        post(
            "/subsidy-runs/{id}/discard",
            "subsidy_discard",
            "Throws it away",
            discard,
        )
        .deed(Deed::SubsidyDiscard)
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

async fn run(asked: Asked) -> Answer {
    asked.may(Deed::SubsidyRun)?;
    let body: SubsidyRunBody = asked.json()?;
    let request = subsidy::Request {
        year: body.year,
        policy: body.policy,
        budget_fen: body.budget_fen,
        evaluation_id: body.evaluation_id,
    };
    let actor = asked.act()?.into();
    let id = subsidy::begin(&asked.app, &actor, request).await?;
    if !asked.replayed() {
        let app = asked.app.clone();
        asked.app.work.start(move || async move {
            if let Err(error) = subsidy::carry_out(&app, &actor, id).await {
                tracing::error!(%id, %error, "the subsidy run failed");
            }
        })?;
    }
    let run = read(&asked, id).await?;
    asked.accepted(format!("/api/v1/subsidy-runs/{id}"), RunShape::from(run))
}

async fn read(asked: &Asked, id: SubsidyRunId) -> Result<Run, AppError> {
    let get = move |conn: &mut store::Conn| store::subsidy::get(conn, id).map_err(AppError::from);
    asked.app.store.read(get).await
}

/// The run in the path, when the caller may do this with it: 404, then 403.
async fn admit(asked: &Asked, deed: Deed) -> Result<Run, AppError> {
    let caller = asked.caller()?;
    let run = read(asked, asked.id("id")?).await?;
    may_on_run(caller, deed, run.state.is_published())?;
    Ok(run)
}

async fn list(asked: Asked) -> Answer {
    let only_published = !sees_drafts(asked.may(Deed::SubsidyRead)?);
    let params = asked.params()?;
    let (limit, changes) = (params.limit()?, Changes::asked_for(&asked, &params).await?);
    let filter = Filter {
        years: params.all("year")?,
        only_published,
        place: run_place(changes.as_ref(), &params)?,
        limit: limit + 1,
    };
    let find = move |conn: &mut store::Conn| store::subsidy::list(conn, &filter);
    let rows = asked.app.store.read(find).await.map_err(AppError::from)?;
    let shape = |row: Run| match only_published && !row.state.is_published() {
        true => ListedRun::Withdrawn(Withdrawn::new(row.id, row.updated_at)),
        false => ListedRun::Run(Box::new(RunShape::from(row))),
    };
    let change = |row: &Run| (row.updated_at, row.id.number());
    asked.ok(match changes {
        Some(changes) => changes.page(rows, limit, change, shape)?,
        None => Page::cut(rows, limit, |row| row.id, shape)?,
    })
}

async fn get_one(asked: Asked) -> Answer {
    let run = admit(&asked, Deed::SubsidyRead).await?;
    asked.ok_versioned(run.version, RunShape::from(run))
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

async fn list_awards(asked: Asked) -> Answer {
    let run = admit(&asked, Deed::SubsidyRead).await?;
    let params = asked.params()?;
    let report = stored::report(&asked.app, run.id).await?;
    let awards = asked
        .app
        .store
        .read(move |conn| store::subsidy::list_awards(conn, run.id).map_err(AppError::from))
        .await?;
    let printed = print(&report)?;
    let rows = awards.into_iter().zip(printed.units).collect();
    let by_unit = |(award, _): &(Award, _)| award.organization_id;
    let shape = |(award, unit): (Award, _)| AwardShape::new(&award, unit);
    asked.ok(Page::of(rows, &params, by_unit, shape)?)
}

async fn explanation(asked: Asked) -> Answer {
    let caller = asked.caller()?.clone();
    let run = read(&asked, asked.id("id")?).await?;
    may_on_run(&caller, Deed::SubsidyRead, run.state.is_published())?;
    let award_id: AwardId = asked.id("award_id")?;
    let award = asked
        .app
        .store
        .read(move |conn| store::subsidy::get_award(conn, run.id, award_id).map_err(AppError::from))
        .await?;
    may_explain_award(&caller, run.state.is_published(), award.organization_id)?;
    let choice = choice(&asked.params()?)?;
    let explained = explain::explain(&asked.app, run.id, award_id, choice).await?;
    asked.ok(ExplanationShape::new(explained, |after| {
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

async fn export(asked: Asked) -> Answer {
    let run = admit(&asked, Deed::SubsidyExport).await?;
    let format: Option<sheet::Format> = asked.params()?.one("format")?;
    let format = format.unwrap_or(sheet::Format::Csv);
    let report = stored::report(&asked.app, run.id).await?;
    let bytes = awards::write(&print(&report)?, format).map_err(AppError::internal)?;
    let name = format!("subsidy-run-{}.{format}", run.id);
    asked.download(format.media_type(), &name, bytes)
}

async fn publish(asked: Asked) -> Answer {
    decide(asked, Deed::SubsidyPublish, RunDeed::Publish).await
}

async fn finalize(asked: Asked) -> Answer {
    decide(asked, Deed::SubsidyFinalize, RunDeed::Finalize).await
}

async fn discard(asked: Asked) -> Answer {
    decide(asked, Deed::SubsidyDiscard, RunDeed::Discard).await
}

async fn decide(asked: Asked, deed: Deed, run_deed: RunDeed) -> Answer {
    let run = admit(&asked, deed).await?;
    let EmptyBody {} = asked.json_or_default()?;
    let (actor, version) = (asked.act()?.into(), asked.version()?);
    subsidy::decide(&asked.app, &actor, run.id, run_deed, version).await?;
    let run = read(&asked, run.id).await?;
    asked.ok_versioned(run.version, RunShape::from(run))
}
