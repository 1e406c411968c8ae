//! `/evaluations` and `/subsidy-runs`: a year's grades and its awards, begun, watched, published, final. Before publication the
//! province and the auditors see them.

mod award;
mod comparison;
mod explanation;
mod export;
mod left_out;
mod point;
mod score;
mod shape;
mod standing;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use self::award::ExplanationShape;
use self::comparison::ComparisonShape;
use self::explanation::UnitExplanationShape;
use self::point::PointShape;
use self::score::{ExpertBody, UnitShape};
use self::shape::{EvaluationShape, Listed, ListedEvaluation, ListedRun, RunShape, Shape};
use self::standing::{OneAwardShape, StandingAwardShape};
use super::answer::{Answer, Page, no_content, reply};
use super::context::RequestContext;
use super::feed::Changes;
use super::reason::{EmptyBody, ReasonBody};
use super::route::{BASE, Route, delete, get, post, put};
use crate::domain::access::Action;
use crate::domain::run::{RunId, RunKind};
use crate::domain::{EvaluationId, Fen, SubsidyRunId};
use crate::error::AppError;
use crate::exchange::comparison as comparison_table;
use crate::exchange::document::PageFormat;
use crate::operations::run::Reply;
use crate::operations::yearly_run::{self, Asked, Budget, Request, Statement, expert};
use crate::store::yearly_run::{PageStart, Run};

pub fn routes() -> Vec<Route> {
    let mut routes = evaluations();
    routes.extend(evaluation_decisions());
    routes.extend(subsidy_runs());
    routes.extend(subsidy_decisions());
    routes.extend(export::routes());
    routes
}

fn evaluations() -> Vec<Route> {
    vec![
        post(
            "/evaluations",
            Action::EvaluationRun,
            "Freezes and grades a year",
            begin_evaluation,
        )
        .takes::<EvaluationBody>()
        .heavy()
        .answers::<EvaluationShape>(202),
        get(
            "/evaluations",
            Action::EvaluationList,
            "Evaluations, oldest first",
            |context| list(context, RunKind::Evaluation),
        )
        .parameters(&["year", "updated_since", "limit", "cursor"])
        .answers::<Page<ListedEvaluation>>(200),
        get(
            "/evaluations/{id}",
            Action::EvaluationGet,
            "An evaluation",
            |context| get_one(context, RunKind::Evaluation),
        )
        .answers::<EvaluationShape>(200),
        get(
            "/evaluations/{id}/scores",
            Action::EvaluationScoreList,
            "Every unit's scores, explained",
            score::list,
        )
        .parameters(&["organization_id", "limit", "cursor"])
        .answers::<Page<UnitShape>>(200),
        get(
            "/evaluations/{id}/explanations/{organization_id}",
            Action::EvaluationExplain,
            "How the grade of a unit came about, and the money of its year",
            explanation::of_grade,
        )
        .parameters(&["metric", "left_out", "limit", "cursor", "format"])
        .words::<PageFormat>("format")
        .proves(&[409])
        .answers::<UnitExplanationShape>(200),
        put(
            "/evaluations/{id}/expert-scores",
            Action::EvaluationScore,
            "Enters experts' points",
            score::enter,
        )
        .takes::<ExpertBody>()
        .needs_version()
        .answers::<EvaluationShape>(200),
        get(
            "/expert-points",
            Action::ExpertPointList,
            "Experts' points of a year, by unit and indicator",
            point::list,
        )
        .parameters(point::PARAMETERS)
        .requires(&["year"])
        .answers::<Page<PointShape>>(200),
    ]
}

fn evaluation_decisions() -> Vec<Route> {
    vec![
        post(
            "/evaluations/{id}/publish",
            Action::EvaluationPublish,
            "Shows it to everybody and opens its public notice",
            |context| publish(context, RunKind::Evaluation),
        )
        .takes::<PublishBody>()
        .answers::<EvaluationShape>(200),
        post(
            "/evaluations/{id}/finalize",
            Action::EvaluationFinalize,
            "Makes it final",
            |context| finalize(context, RunKind::Evaluation),
        )
        .takes::<EmptyBody>()
        .answers::<EvaluationShape>(200),
        post(
            "/evaluations/{id}/discard",
            Action::EvaluationDiscard,
            "Throws it away",
            |context| discard(context, RunKind::Evaluation),
        )
        .takes::<ReasonBody>()
        .answers::<EvaluationShape>(200),
        get(
            "/evaluations/{id}/comparison",
            Action::EvaluationCompare,
            "What it says otherwise than another",
            |context| comparison::get(context, RunKind::Evaluation),
        )
        .parameters(&["with", "format"])
        .requires(&["with"])
        .words::<comparison_table::Format>("format")
        .heavy()
        .proves(&[409])
        .answers::<ComparisonShape>(200),
        post(
            "/evaluations/{id}/regrade",
            Action::EvaluationRegrade,
            "Takes the points of the year into a draft, without a new freeze",
            regrade,
        )
        .takes::<EmptyBody>()
        .heavy()
        .answers::<EvaluationShape>(200),
        delete(
            "/evaluations/{id}",
            Action::EvaluationDelete,
            "Removes a what-if",
            |context| remove(context, RunKind::Evaluation),
        )
        .answers_status(204),
    ]
}

fn subsidy_runs() -> Vec<Route> {
    vec![
        post(
            "/subsidy-runs",
            Action::SubsidyRun,
            "Shares out a year's budget",
            begin_subsidy_run,
        )
        .takes::<SubsidyRunBody>()
        .heavy()
        .answers::<RunShape>(202),
        get(
            "/subsidy-runs",
            Action::SubsidyList,
            "Runs, oldest first",
            |context| list(context, RunKind::SubsidyRun),
        )
        .parameters(&["year", "updated_since", "limit", "cursor"])
        .answers::<Page<ListedRun>>(200),
        get(
            "/subsidy-runs/{id}",
            Action::SubsidyGet,
            "A run",
            |context| get_one(context, RunKind::SubsidyRun),
        )
        .answers::<RunShape>(200),
        get(
            "/subsidy-runs/{id}/awards",
            Action::SubsidyAwardList,
            "Every unit's award",
            award::list,
        )
        .parameters(&["limit", "cursor"])
        .proves(&[409])
        .answers::<Page<StandingAwardShape>>(200),
        get(
            "/subsidy-runs/{id}/awards/{award_id}",
            Action::AwardGet,
            "One award, with what became of it after its run was final",
            standing::get_one,
        )
        .proves(&[409])
        .answers::<OneAwardShape>(200),
        get(
            "/subsidy-runs/{id}/awards/{award_id}/explanation",
            Action::SubsidyExplain,
            "The steps of an award and the records behind each metric",
            award::explanation,
        )
        .parameters(&["metric", "left_out", "limit", "cursor", "format"])
        .words::<PageFormat>("format")
        .proves(&[409])
        .answers::<ExplanationShape>(200),
    ]
}

fn subsidy_decisions() -> Vec<Route> {
    vec![
        post(
            "/subsidy-runs/{id}/publish",
            Action::SubsidyPublish,
            "Shows it to everybody and opens its public notice",
            |context| publish(context, RunKind::SubsidyRun),
        )
        .takes::<PublishBody>()
        .answers::<RunShape>(200),
        post(
            "/subsidy-runs/{id}/finalize",
            Action::SubsidyFinalize,
            "Makes it final, its evaluation too",
            |context| finalize(context, RunKind::SubsidyRun),
        )
        .takes::<EmptyBody>()
        .answers::<RunShape>(200),
        post(
            "/subsidy-runs/{id}/discard",
            Action::SubsidyDiscard,
            "Throws it away",
            |context| discard(context, RunKind::SubsidyRun),
        )
        .takes::<ReasonBody>()
        .answers::<RunShape>(200),
        get(
            "/subsidy-runs/{id}/comparison",
            Action::SubsidyCompare,
            "What it says otherwise than another",
            |context| comparison::get(context, RunKind::SubsidyRun),
        )
        .parameters(&["with", "format"])
        .requires(&["with"])
        .words::<comparison_table::Format>("format")
        .heavy()
        .proves(&[409])
        .answers::<ComparisonShape>(200),
        delete(
            "/subsidy-runs/{id}",
            Action::SubsidyDelete,
            "Removes a what-if",
            |context| remove(context, RunKind::SubsidyRun),
        )
        .answers_status(204),
    ]
}

/// `policy` is a code, which means its version in force whose `valid` covers the year, or `code@version`. `parameters` are decimals
/// for what the pack leaves open. A `scenario` may leave their bounds, takes the newest frozen facts of the year, and is never
/// published; a run on a draft pack is one without asking. `replaces_id` is the evaluation that this one is made to replace.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EvaluationBody {
    year: i32,
    policy: String,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(default)]
    scenario: bool,
    name: Option<String>,
    replaces_id: Option<EvaluationId>,
}

/// As the body of an evaluation, with money: `budgets` names every pool of the pack, or `budget_fen` is the only one's. `claim`
/// (`MM-DD`) is a window of the pack, named exactly where it has some. Without `evaluation_id` the run uses the final evaluation of
/// that year and code, whatever its version, or begins a draft evaluation of its own; a pack that evaluates nobody needs none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SubsidyRunBody {
    year: i32,
    policy: String,
    budget_fen: Option<Fen>,
    #[serde(default)]
    budgets: BTreeMap<String, Fen>,
    claim: Option<String>,
    evaluation_id: Option<EvaluationId>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(default)]
    scenario: bool,
    name: Option<String>,
    replaces_id: Option<SubsidyRunId>,
}

/// `notice_until_on` is the last day of the public notice: at least, and by default, the fifth working day after today.
/// `remark` is printed with it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PublishBody {
    notice_until_on: Option<NaiveDate>,
    remark: Option<String>,
}

async fn begin_evaluation(context: RequestContext) -> Answer {
    let request = context.body().map(|body: EvaluationBody| Request {
        asked: Asked {
            year: body.year,
            policy: body.policy,
            parameters: body.parameters,
            scenario: body.scenario,
            name: body.name,
            replaces_id: body.replaces_id.map(EvaluationId::number),
        },
        budget: None,
    });
    let done = yearly_run::start(&context.run(begun)?, request).await?;
    context.answer(done, begun)
}

async fn begin_subsidy_run(context: RequestContext) -> Answer {
    let request = context.body().map(|body: SubsidyRunBody| Request {
        asked: Asked {
            year: body.year,
            policy: body.policy,
            parameters: body.parameters,
            scenario: body.scenario,
            name: body.name,
            replaces_id: body.replaces_id.map(SubsidyRunId::number),
        },
        budget: Some(Budget {
            fen: body.budget_fen,
            by_pool: body.budgets,
            claim: body.claim,
            evaluation_id: body.evaluation_id,
        }),
    });
    let done = yearly_run::start(&context.run(begun)?, request).await?;
    context.answer(done, begun)
}

async fn regrade(context: RequestContext) -> Answer {
    let body = context.body_or_default().map(|EmptyBody {}| ());
    let done = expert::regrade(&context.run(shown)?, context.id("id")?, body).await?;
    context.answer(done, shown)
}

/// Removes a what-if.
async fn remove(context: RequestContext, kind: RunKind) -> Answer {
    let id = id(&context, kind)?;
    let body = context.no_body();
    let done = yearly_run::delete(&context.run(no_content)?, id, body).await?;
    context.answer(done, no_content)
}

/// Where the work on it can be watched.
fn begun(run: &Run) -> Result<Reply, AppError> {
    let number = run.id().number();
    let at = match run.id().kind() {
        RunKind::Evaluation => format!("{BASE}/evaluations/{number}"),
        RunKind::SubsidyRun => format!("{BASE}/subsidy-runs/{number}"),
    };
    let version = run.lifecycle().version;
    let begun = reply(202, &Shape::from(run.clone()))?.of_version(version);
    Ok(begun.at(at))
}

fn shown(run: &Run) -> Result<Reply, AppError> {
    let version = run.lifecycle().version;
    Ok(reply(200, &Shape::from(run.clone()))?.of_version(version))
}

/// The run in the path.
fn id(context: &RequestContext, kind: RunKind) -> Result<RunId, AppError> {
    Ok(match kind {
        RunKind::Evaluation => context.id::<EvaluationId>("id")?.into(),
        RunKind::SubsidyRun => context.id::<SubsidyRunId>("id")?.into(),
    })
}

/// The page that is asked for, and the reading in the order of change that it belongs to.
async fn page(
    context: &RequestContext,
) -> Result<(yearly_run::Page, Option<Changes>, i64), AppError> {
    let params = context.params()?;
    let (limit, changes) = (params.limit()?, Changes::asked_for(context, &params).await?);
    let place = match changes.as_ref().map(Changes::place) {
        Some((moment, id)) => PageStart::Changed(moment, id),
        None => PageStart::After(params.cursor()?.unwrap_or(0)),
    };
    let page = yearly_run::Page {
        years: params.all("year")?,
        place,
        limit: limit + 1,
    };
    Ok((page, changes, limit))
}

async fn list(context: RequestContext, kind: RunKind) -> Answer {
    let (page, changes, limit) = match page(&context).await {
        Ok((page, changes, limit)) => (Ok(page), changes, limit),
        Err(fault) => (Err(fault), None, 0),
    };
    let runs = yearly_run::list(&context.app, &context.reader(), kind, page).await?;
    let number = |listed: &yearly_run::Listed| listed.run.id().number();
    let change = |listed: &yearly_run::Listed| (listed.run.lifecycle().updated_at, number(listed));
    context.ok(match changes {
        Some(changes) => changes.page(runs, limit, change, Listed::from)?,
        None => Page::cut(runs, limit, number, Listed::from)?,
    })
}

async fn get_one(context: RequestContext, kind: RunKind) -> Answer {
    let id = id(&context, kind)?;
    let run = yearly_run::get(&context.app, &context.reader(), id).await?;
    context.ok_versioned(run.lifecycle().version, Shape::from(run))
}

async fn publish(context: RequestContext, kind: RunKind) -> Answer {
    let body = context
        .body_or_default()
        .map(|body: PublishBody| Statement {
            notice_until_on: body.notice_until_on,
            remark: body.remark,
            reason: None,
        });
    decide(context, kind, body).await
}

async fn finalize(context: RequestContext, kind: RunKind) -> Answer {
    let body = context
        .body_or_default()
        .map(|EmptyBody {}| Statement::default());
    decide(context, kind, body).await
}

async fn discard(context: RequestContext, kind: RunKind) -> Answer {
    let body = context.body_or_default().map(|body: ReasonBody| Statement {
        reason: body.reason,
        ..Statement::default()
    });
    decide(context, kind, body).await
}

async fn decide(
    context: RequestContext,
    kind: RunKind,
    statement: Result<Statement, AppError>,
) -> Answer {
    let done = yearly_run::decide(&context.run(shown)?, id(&context, kind)?, statement).await?;
    context.answer(done, shown)
}
