//! `/rectifications`: what a host has to mend by a day, what it reported, and whether that was accepted.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::feed::{Asked, Start};
use super::json::{Members, Patch};
use super::merge_patch::MergePatch;
use super::params::Params;
use super::route::{BASE, Route, get, patch, post};
use crate::domain::access::Action;
use crate::domain::rectification::{RectificationCause, RectificationState};
use crate::domain::{Fault, Instant, OrganizationId, RectificationId, UserId};
use crate::error::AppError;
use crate::operations::rectification::{self, Filter, Order, Rectification, RectificationView};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/rectifications",
            Action::RectificationList,
            "What hosts have to mend, newest first, or with updated_since in the order of change",
            list,
        )
        .parameters(&[
            "organization_id",
            "cause",
            "state",
            "updated_since",
            "limit",
            "cursor",
        ])
        .words::<RectificationState>("state")
        .words::<RectificationCause>("cause")
        .answers::<Page<RectificationShape>>(200),
        post(
            "/rectifications",
            Action::RectificationCreate,
            "Tell a host what to mend, at least five working days ahead",
            create,
        )
        .takes::<RectificationBody>()
        .answers::<RectificationShape>(201)
        .ignores_version(),
        get(
            "/rectifications/{id}",
            Action::RectificationGet,
            "One rectification",
            get_one,
        )
        .answers::<RectificationShape>(200),
        patch(
            "/rectifications/{id}",
            Action::RectificationUpdate,
            "Move its last day",
            update,
        )
        .takes::<RectificationChange>()
        .answers::<RectificationShape>(200)
        .needs_version(),
        post(
            "/rectifications/{id}/report",
            Action::RectificationReport,
            "Report what was mended; again as often as needed until it is accepted",
            advance,
        )
        .takes::<RectificationTextBody>()
        .answers::<RectificationShape>(200),
        post(
            "/rectifications/{id}/accept",
            Action::RectificationAccept,
            "Accept what was reported",
            advance,
        )
        .takes::<RectificationTextBody>()
        .answers::<RectificationShape>(200),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RectificationBody {
    /// A host that the caller supervises.
    organization_id: OrganizationId,
    cause: RectificationCause,
    text: String,
    /// The last day.
    due_on: NaiveDate,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RectificationChange {
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    due_on: Patch<NaiveDate>,
}

/// What was mended, or why that is enough.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RectificationTextBody {
    text: String,
}

/// What a host has to mend. `is_overdue`: its last day is past and nothing was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct RectificationShape {
    id: RectificationId,
    organization_id: OrganizationId,
    cause: RectificationCause,
    text: String,
    due_on: NaiveDate,
    state: RectificationState,
    is_overdue: bool,
    report: Option<String>,
    reported_by: Option<UserId>,
    reported_at: Option<Instant>,
    acceptance: Option<String>,
    accepted_by: Option<UserId>,
    accepted_at: Option<Instant>,
    created_by: UserId,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl RectificationShape {
    fn of(row: Rectification, today: NaiveDate) -> Self {
        Self {
            is_overdue: row.is_overdue(today),
            id: row.id,
            organization_id: row.organization_id,
            cause: row.cause,
            text: row.text,
            due_on: row.due_on,
            state: row.state,
            report: row.report,
            reported_by: row.reported_by,
            reported_at: row.reported_at,
            acceptance: row.acceptance,
            accepted_by: row.accepted_by,
            accepted_at: row.accepted_at,
            created_by: row.created_by,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn seen(view: &RectificationView) -> RectificationShape {
    RectificationShape::of(view.row.clone(), view.today)
}

fn shown(view: &RectificationView) -> Result<Reply, AppError> {
    Ok(reply(200, &seen(view))?.of_version(view.row.version))
}

fn created(view: &RectificationView) -> Result<Reply, AppError> {
    let reply = shown(view)?.at(format!("{BASE}/rectifications/{}", view.row.id));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

async fn create(context: RequestContext) -> Answer {
    let order = context.body().map(|body: RectificationBody| Order {
        organization_id: body.organization_id,
        cause: body.cause,
        text: body.text,
        due_on: body.due_on,
    });
    let done = rectification::create(&context.run(created)?, order).await?;
    context.answer(done, created)
}

async fn update(context: RequestContext) -> Answer {
    let (run, id) = (context.run(shown)?, context.id("id")?);
    let done = rectification::update(&run, id, context.patch(), moved).await?;
    context.answer(done, shown)
}

fn moved(
    present: &RectificationView,
    patch: &MergePatch,
) -> Result<(NaiveDate, Vec<Fault>), AppError> {
    let shape = seen(present);
    let read = Members::read::<RectificationChange>;
    let (change, mut faults) = patch.onto(&shape, &["due_on"], read)?;
    let due_on = change
        .due_on
        .over("due_on", present.row.due_on, &mut faults);
    Ok((due_on, faults))
}

async fn advance(context: RequestContext) -> Answer {
    let said = context.body().map(|body: RectificationTextBody| body.text);
    let (run, id) = (context.run(shown)?, context.id("id")?);
    context.answer(rectification::advance(&run, id, said).await?, shown)
}

fn filter(params: &Params, start: &Start, limit: i64) -> Result<Filter, AppError> {
    Ok(Filter {
        organizations: params.all("organization_id")?,
        causes: params.all("cause")?,
        states: params.all("state")?,
        changed_after: start.changed_after(),
        below: start.below(),
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let asked = Asked::of(&context, filter).await;
    let found = rectification::list(&context.app, &context.reader(), asked.filter).await?;
    let today = context.now.local_date();
    let place = |row: &Rectification| (row.updated_at, row.id.number());
    let shape = |row| RectificationShape::of(row, today);
    context.ok(asked.start.page(found, asked.limit, place, shape)?)
}

async fn get_one(context: RequestContext) -> Answer {
    let view = rectification::get(&context.app, &context.reader(), context.id("id")?).await?;
    context.ok_versioned(view.row.version, seen(&view))
}
