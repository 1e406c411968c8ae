//! `/objections`: what somebody objects to a public notice, and what becomes of it. The host concerned reads it without a name.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::feed::{Asked, Start};
use super::params::Params;
use super::reason::EmptyBody;
use super::route::{BASE, Route, get, post};
use crate::domain::access::{Action, ObjectionReach};
use crate::domain::objection::ObjectionState;
use crate::domain::{Instant, ObjectionId, OrganizationId, PublicNoticeId, UserId};
use crate::error::AppError;
use crate::operations::objection::{self, Statement};
use crate::operations::run::Reply;
use crate::store::objection::{Filter, Objection};

pub fn routes() -> Vec<Route> {
    vec![
        post(
            "/public-notices/{id}/objections",
            Action::ObjectionCreate,
            "Objects to a notice while it is open",
            create,
        )
        .takes::<ObjectionBody>()
        .answers::<ObjectionShape>(201)
        .ignores_version(),
        get(
            "/objections",
            Action::ObjectionList,
            "Objections, newest first",
            list,
        )
        .parameters(&[
            "public_notice_id",
            "organization_id",
            "state",
            "updated_since",
            "limit",
            "cursor",
        ])
        .words::<ObjectionState>("state")
        .answers::<Page<ObjectionShape>>(200),
        get(
            "/objections/{id}",
            Action::ObjectionGet,
            "One objection",
            get_one,
        )
        .answers::<ObjectionShape>(200),
        post(
            "/objections/{id}/uphold",
            Action::ObjectionUphold,
            "Upholds it; no figure moves: the cause is mended and a new draft made",
            decide,
        )
        .takes::<ObjectionDecisionBody>()
        .answers::<ObjectionShape>(200),
        post(
            "/objections/{id}/dismiss",
            Action::ObjectionDismiss,
            "Dismisses it",
            decide,
        )
        .takes::<ObjectionDecisionBody>()
        .answers::<ObjectionShape>(200),
        post(
            "/objections/{id}/withdraw",
            Action::ObjectionWithdraw,
            "Takes the own objection back",
            withdraw,
        )
        .takes::<EmptyBody>()
        .answers::<ObjectionShape>(200),
    ]
}

/// `organization_id` is the unit it is about, one of the notice.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ObjectionBody {
    text: String,
    organization_id: Option<OrganizationId>,
}

/// Why; it stands in the notice.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ObjectionDecisionBody {
    text: String,
}

/// An objection. `created_by` is null for the host concerned.
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectionShape {
    id: ObjectionId,
    public_notice_id: PublicNoticeId,
    /// About whom.
    organization_id: Option<OrganizationId>,
    text: String,
    state: ObjectionState,
    /// When it is to be decided at the latest.
    due_on: NaiveDate,
    created_by: Option<UserId>,
    decision: Option<String>,
    decided_at: Option<Instant>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<Objection> for ObjectionShape {
    fn from(row: Objection) -> Self {
        Self {
            id: row.id,
            public_notice_id: row.public_notice_id,
            organization_id: row.organization_id,
            text: row.text,
            state: row.state,
            due_on: row.due_on,
            created_by: Some(row.created_by),
            decision: row.decision,
            decided_at: row.decided_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// As it is shown to who reads it.
fn read_by(context: &RequestContext, row: Objection) -> Result<ObjectionShape, AppError> {
    let reach = ObjectionReach::of(context.caller()?);
    let created_by = Some(row.created_by).filter(|objector| reach.names_objector(*objector));
    Ok(ObjectionShape {
        created_by,
        ..ObjectionShape::from(row)
    })
}

fn shown(row: &Objection) -> Result<Reply, AppError> {
    Ok(reply(200, &ObjectionShape::from(row.clone()))?.of_version(row.version))
}

fn created(row: &Objection) -> Result<Reply, AppError> {
    let reply = shown(row)?.at(format!("{BASE}/objections/{}", row.id));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

async fn create(context: RequestContext) -> Answer {
    let said = context.body().map(|body: ObjectionBody| Statement {
        text: body.text,
        organization_id: body.organization_id,
    });
    let done = objection::create(&context.run(created)?, context.id("id")?, said).await?;
    context.answer(done, created)
}

async fn decide(context: RequestContext) -> Answer {
    let text = context
        .body()
        .map(|body: ObjectionDecisionBody| Some(body.text));
    let done = objection::end(&context.run(shown)?, context.id("id")?, text).await?;
    context.answer(done, shown)
}

async fn withdraw(context: RequestContext) -> Answer {
    let nothing = context.body_or_default().map(|EmptyBody {}| None);
    let done = objection::end(&context.run(shown)?, context.id("id")?, nothing).await?;
    context.answer(done, shown)
}

fn filter(params: &Params, start: &Start, limit: i64) -> Result<Filter, AppError> {
    Ok(Filter {
        notices: params.all("public_notice_id")?,
        organizations: params.all("organization_id")?,
        states: params.all("state")?,
        changed_after: start.changed_after(),
        below: start.below(),
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let asked = Asked::of(&context, filter).await;
    let found = objection::list(&context.app, &context.reader(), asked.filter).await?;
    let place = |row: &Objection| (row.updated_at, row.id.number());
    let shape = |row| read_by(&context, row);
    context.ok(asked.start.page(found, asked.limit, place, shape)?.all()?)
}

async fn get_one(context: RequestContext) -> Answer {
    let row = objection::get(&context.app, &context.reader(), context.id("id")?).await?;
    context.ok_versioned(row.version, read_by(&context, row)?)
}
