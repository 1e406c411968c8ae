//! `/expert-assignments`: whom the province asked for points, and the points. An evaluator sees the own assignments alone.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::feed::{Asked as Feed, Start};
use super::params::Params;
use super::reason::EmptyBody;
use super::route::{BASE, Route, get, post, put};
use crate::domain::access::Action;
use crate::domain::expert::AssignmentState;
use crate::domain::time::read_date;
use crate::domain::{ExpertAssignmentId, Instant, OrganizationId, UserId};
use crate::error::AppError;
use crate::operations::expert_assignment::{self, Asked, AssignedUnit, Filter, GivenPoints, Whole};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/expert-assignments",
            Action::ExpertAssignmentList,
            "Experts' assignments, newest first; an evaluator's own",
            list,
        )
        .parameters(&[
            "year",
            "indicator",
            "evaluator_user_id",
            "state",
            "updated_since",
            "limit",
            "cursor",
        ])
        .words::<AssignmentState>("state")
        .answers::<Page<AssignmentShape>>(200),
        post(
            "/expert-assignments",
            Action::ExpertAssignmentCreate,
            "Asks an evaluator for points of an indicator",
            create,
        )
        .takes::<AssignmentBody>()
        .answers::<AssignmentShape>(201),
        get(
            "/expert-assignments/{id}",
            Action::ExpertAssignmentGet,
            "One assignment",
            get_one,
        )
        .answers::<AssignmentShape>(200),
        put(
            "/expert-assignments/{id}/points",
            Action::ExpertAssignmentScore,
            "Says the points of an assignment, as often as wished until it is submitted or its last day is over",
            score,
        )
        .takes::<AssignmentPointsBody>()
        .answers::<AssignmentShape>(200)
        .needs_version(),
        post(
            "/expert-assignments/{id}/submit",
            Action::ExpertAssignmentSubmit,
            "Submits the points for good; they count from now on",
            end,
        )
        .takes::<EmptyBody>()
        .answers::<AssignmentShape>(200),
        post(
            "/expert-assignments/{id}/withdraw",
            Action::ExpertAssignmentWithdraw,
            "Withdraws an assignment; its points count no longer",
            end,
        )
        .takes::<EmptyBody>()
        .answers::<AssignmentShape>(200),
    ]
}

/// `indicator` is one of `policy`'s (`code` or `code@version`; none: the pack that registrations follow). Points can be given to
/// the end of `due_on`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AssignmentBody {
    year: i32,
    policy: Option<String>,
    indicator: String,
    evaluator_user_id: UserId,
    /// Hosts, at most 500.
    organization_ids: Vec<OrganizationId>,
    #[serde(deserialize_with = "read_date")]
    due_on: NaiveDate,
}

/// All points of the assignment: a unit that is not named has none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AssignmentPointsBody {
    items: Vec<AssignmentPointsEntry>,
}

/// `points` as a decimal text, from 0 to the `max` of the assignment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AssignmentPointsEntry {
    organization_id: OrganizationId,
    points: String,
    text: Option<String>,
}

/// A unit of an assignment; `points` are null until they are given.
#[derive(Debug, Serialize, ToSchema)]
struct AssignedUnitShape {
    organization_id: OrganizationId,
    points: Option<String>,
    text: Option<String>,
}

/// An assignment. `closed`: its last day is over, the points that were given count.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignmentShape {
    id: ExpertAssignmentId,
    year: i64,
    indicator: String,
    /// The most points, as a decimal text.
    max: String,
    evaluator_user_id: UserId,
    due_on: NaiveDate,
    state: AssignmentState,
    items: Vec<AssignedUnitShape>,
    created_by: Option<UserId>,
    submitted_at: Option<Instant>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<AssignedUnit> for AssignedUnitShape {
    fn from(unit: AssignedUnit) -> Self {
        Self {
            organization_id: unit.organization_id,
            points: unit.points,
            text: unit.text,
        }
    }
}

impl From<Whole> for AssignmentShape {
    fn from(whole: Whole) -> Self {
        let row = whole.row;
        Self {
            id: row.id,
            year: row.year,
            indicator: row.indicator,
            max: row.max,
            evaluator_user_id: row.evaluator_user_id,
            due_on: row.due_on,
            state: whole.state,
            items: whole.units.into_iter().map(Into::into).collect(),
            created_by: row.created_by,
            submitted_at: row.submitted_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn shown(whole: &Whole) -> Result<Reply, AppError> {
    let shape = AssignmentShape::from(whole.clone());
    Ok(reply(200, &shape)?.of_version(whole.row.version))
}

fn created(whole: &Whole) -> Result<Reply, AppError> {
    let reply = shown(whole)?.at(format!("{BASE}/expert-assignments/{}", whole.row.id));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

async fn create(context: RequestContext) -> Answer {
    let asked = context.body().map(|body: AssignmentBody| Asked {
        year: body.year,
        policy: body.policy,
        indicator: body.indicator,
        evaluator_user_id: body.evaluator_user_id,
        organization_ids: body.organization_ids,
        due_on: body.due_on,
    });
    let done = expert_assignment::create(&context.run(created)?, asked).await?;
    context.answer(done, created)
}

async fn score(context: RequestContext) -> Answer {
    let given = context.body().map(|body: AssignmentPointsBody| {
        let given = body.items.into_iter().map(|entry| GivenPoints {
            organization_id: entry.organization_id,
            points: entry.points,
            text: entry.text,
        });
        given.collect()
    });
    let done = expert_assignment::score(&context.run(shown)?, context.id("id")?, given).await?;
    context.answer(done, shown)
}

async fn end(context: RequestContext) -> Answer {
    let nothing = context.body_or_default().map(|EmptyBody {}| ());
    let done = expert_assignment::end(&context.run(shown)?, context.id("id")?, nothing).await?;
    context.answer(done, shown)
}

fn filter(params: &Params, start: &Start, limit: i64) -> Result<Filter, AppError> {
    Ok(Filter {
        years: params.all("year")?,
        indicators: params.all("indicator")?,
        evaluators: params.all("evaluator_user_id")?,
        states: params.all("state")?,
        changed_after: start.changed_after(),
        below: start.below(),
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let asked = Feed::of(&context, filter).await;
    let found = expert_assignment::list(&context.app, &context.reader(), asked.filter).await?;
    let place = |whole: &Whole| (whole.row.updated_at, whole.row.id.number());
    let shape = AssignmentShape::from;
    context.ok(asked.start.page(found, asked.limit, place, shape)?)
}

async fn get_one(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let whole = expert_assignment::get(&context.app, &context.reader(), id).await?;
    context.ok_versioned(whole.row.version, AssignmentShape::from(whole))
}
