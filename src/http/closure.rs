//! `/instruments/{id}/closures`, `/organizations/{id}/closures` and `/closures/{id}`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, no_content, reply};
use super::context::RequestContext;
use super::feed::{self, Withdrawn};
use super::impact::{self, ImpactShape};
use super::json::{Members, Patch};
use super::merge_patch::MergePatch;
use super::route::{BASE, Route, delete, get, patch, post};
use crate::domain::access::Action;
use crate::domain::closure::ClosureKind;
use crate::domain::{ClosureId, Instant, InstrumentId};
use crate::error::{AppError, Fault};
use crate::operations::booking::Impact;
use crate::operations::closure::{self, AllClosed, Closed, ClosureContext, Draft, Drafts};
use crate::operations::run::Reply;
use crate::store::closure::Closure;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/instruments/{id}/closures",
            Action::ClosureList,
            "Times in which an instrument takes no bookings",
            list,
        )
        .parameters(&["updated_since", "limit", "cursor"])
        .answers::<Page<ListedClosure>>(200),
        post(
            "/instruments/{id}/closures",
            Action::ClosureCreate,
            "Close an instrument; lists the bookings it hits and tells their users",
            create,
        )
        .parameters(impact::PARAMETERS)
        .takes::<ClosureBody>()
        .answers::<ClosedShape>(201)
        .has_etag(true)
        .foretells::<ImpactShape>()
        .ignores_version(),
        post(
            "/organizations/{id}/closures",
            Action::OrganizationClosureCreate,
            "Close all instruments of a host, or those it names; one closure each",
            create_all,
        )
        .makes_several()
        .parameters(impact::PARAMETERS)
        .takes::<ClosuresBody>()
        .answers::<AllClosedShape>(201)
        .foretells::<ImpactShape>()
        .ignores_version(),
        patch(
            "/closures/{id}",
            Action::ClosureUpdate,
            "Change a closure",
            update,
        )
        .parameters(impact::PARAMETERS)
        .takes::<ClosureChange>()
        .answers::<ClosedShape>(200)
        .has_etag(true)
        .needs_version(),
        delete(
            "/closures/{id}",
            Action::ClosureDelete,
            "Take a closure back",
            remove,
        )
        .parameters(impact::PARAMETERS)
        .answers_status(204)
        .foretells::<ImpactShape>(),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClosureBody {
    starts_at: Instant,
    /// Null or absent: until further notice.
    ends_at: Option<Instant>,
    kind: ClosureKind,
    public_reason: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClosuresBody {
    starts_at: Instant,
    /// Null or absent: until further notice.
    ends_at: Option<Instant>,
    kind: ClosureKind,
    public_reason: Option<String>,
    /// Of this host; absent: all that are not retired, at most 500.
    instrument_ids: Option<Vec<InstrumentId>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClosureChange {
    #[serde(default)]
    #[schema(value_type = Option<Instant>)]
    starts_at: Patch<Instant>,
    #[serde(default)]
    #[schema(value_type = Option<Instant>)]
    ends_at: Patch<Instant>,
    #[serde(default)]
    #[schema(value_type = Option<ClosureKind>)]
    kind: Patch<ClosureKind>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    public_reason: Patch<String>,
}

const WRITABLE: &[&str] = &["starts_at", "ends_at", "kind", "public_reason"];

#[derive(Serialize, ToSchema)]
struct ClosureShape {
    id: ClosureId,
    instrument_id: InstrumentId,
    starts_at: Instant,
    ends_at: Option<Instant>,
    kind: ClosureKind,
    public_reason: Option<String>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<Closure> for ClosureShape {
    fn from(closure: Closure) -> Self {
        Self {
            id: closure.id,
            instrument_id: closure.instrument_id,
            starts_at: closure.starts_at,
            ends_at: closure.ends_at,
            kind: closure.kind,
            public_reason: closure.public_reason,
            version: closure.version,
            created_at: closure.created_at,
            updated_at: closure.updated_at,
        }
    }
}

/// A closure and the bookings it hits.
#[derive(Serialize, ToSchema)]
struct ClosedShape {
    #[serde(flatten)]
    closure: ClosureShape,
    #[serde(flatten)]
    impact: ImpactShape,
}

impl From<Closed> for ClosedShape {
    fn from(closed: Closed) -> Self {
        Self {
            closure: closed.closure.into(),
            impact: closed.impact.into(),
        }
    }
}

/// The closures of several instruments, and the bookings they hit.
#[derive(Serialize, ToSchema)]
struct AllClosedShape {
    items: Vec<ClosureShape>,
    #[serde(flatten)]
    impact: ImpactShape,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum ListedClosure {
    Closure(ClosureShape),
    Withdrawn(Withdrawn),
}

impl From<Closure> for ListedClosure {
    fn from(closure: Closure) -> Self {
        match closure.withdrawn_at {
            Some(at) => Self::Withdrawn(Withdrawn::new(closure.id, at)),
            None => Self::Closure(closure.into()),
        }
    }
}

impl From<ClosureBody> for Draft {
    fn from(body: ClosureBody) -> Self {
        Self {
            starts_at: body.starts_at,
            ends_at: body.ends_at,
            kind: body.kind,
            public_reason: body.public_reason,
        }
    }
}

impl From<ClosuresBody> for Drafts {
    fn from(body: ClosuresBody) -> Self {
        Self {
            draft: Draft {
                starts_at: body.starts_at,
                ends_at: body.ends_at,
                kind: body.kind,
                public_reason: body.public_reason,
            },
            instruments: body.instrument_ids,
        }
    }
}

/// The closure after a change.
fn changed(context: &ClosureContext, sent: &MergePatch) -> Result<(Draft, Vec<Fault>), AppError> {
    let present = context.closure.clone();
    let shape = ClosureShape::from(present.clone());
    let (change, mut faults) = sent.onto(&shape, WRITABLE, Members::read::<ClosureChange>)?;
    let starts_at = change.starts_at;
    let draft = Draft {
        starts_at: starts_at.over("starts_at", present.starts_at, &mut faults),
        ends_at: change.ends_at.onto(present.ends_at),
        kind: change.kind.over("kind", present.kind, &mut faults),
        public_reason: change.public_reason.onto(present.public_reason),
    };
    Ok((draft, faults))
}

fn created(closed: &Closed) -> Result<Reply, AppError> {
    let id = closed.closure.id;
    let reply = shown(closed)?.at(format!("{BASE}/closures/{id}"));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

fn shown(closed: &Closed) -> Result<Reply, AppError> {
    let shown = reply(200, &ClosedShape::from(closed.clone()))?;
    Ok(shown.of_version(closed.closure.version))
}

fn created_all(closed: &AllClosed) -> Result<Reply, AppError> {
    let closed = closed.clone();
    let shape = AllClosedShape {
        items: closed
            .closures
            .into_iter()
            .map(ClosureShape::from)
            .collect(),
        impact: closed.impact.into(),
    };
    reply(201, &shape)
}

fn foretold_all(closed: &AllClosed) -> Result<Reply, AppError> {
    reply(200, &ImpactShape::from(closed.impact.clone()))
}

/// Of a closure that is not made: what it would hit.
fn foretold(closed: &Closed) -> Result<Reply, AppError> {
    reply(200, &ImpactShape::from(closed.impact.clone()))
}

fn foretold_change(closed: &Closed) -> Result<Reply, AppError> {
    reply(200, &ClosedShape::from(closed.clone()))
}

fn foretold_end(impact: &Impact) -> Result<Reply, AppError> {
    reply(200, &ImpactShape::from(impact.clone()))
}

async fn list(context: RequestContext) -> Answer {
    let (actor, id) = (context.reader(), context.id("id")?);
    let listing = feed::listing(&context).await;
    let (listing, rows) = closure::list(&context.app, &actor, id, listing).await?;
    let key = |row: &Closure| (row.starts_at, row.id);
    let place = |row: &Closure| (row.updated_at, row.id.number());
    context.ok(feed::page(listing, rows, key, place, ListedClosure::from)?)
}

async fn create(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let (asked, draft) =
        impact::treatment(&context, context.body::<ClosureBody>().map(Draft::from));
    let run = context.run(created)?.dry(asked.is_dry);
    let done = closure::create(&run, id, draft, asked).await?;
    context.answer(done, if asked.is_dry { foretold } else { created })
}

async fn create_all(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let drafts = context.body::<ClosuresBody>().map(Drafts::from);
    let (asked, drafts) = impact::treatment(&context, drafts);
    let run = context.run(created_all)?.dry(asked.is_dry);
    let done = closure::create_all(&run, id, drafts, asked).await?;
    let render = if asked.is_dry {
        foretold_all
    } else {
        created_all
    };
    context.answer(done, render)
}

async fn update(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let (asked, sent) = impact::treatment(&context, context.patch());
    let run = context.run(shown)?.dry(asked.is_dry);
    let done = closure::update(&run, id, sent, changed, asked).await?;
    context.answer(done, if asked.is_dry { foretold_change } else { shown })
}

async fn remove(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let (asked, body) = impact::treatment(&context, context.no_body());
    let run = context.run(no_content)?.dry(asked.is_dry);
    let done = closure::delete(&run, id, body, asked).await?;
    context.answer(
        done,
        if asked.is_dry {
            foretold_end
        } else {
            no_content
        },
    )
}
