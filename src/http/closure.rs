//! `/instruments/{id}/closures` and `/closures/{id}`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, no_content, reply};
use super::context::RequestContext;
use super::feed::{self, Withdrawn};
use super::json::{Members, Patch};
use super::merge_patch::MergePatch;
use super::route::{BASE, Route, delete, get, patch, post};
use crate::domain::access::Action;
use crate::domain::booking::BookingState;
use crate::domain::closure::ClosureKind;
use crate::domain::{BookingId, ClosureId, Instant, InstrumentId, OrganizationId};
use crate::error::{AppError, Fault};
use crate::operations::closure::{self, Closed, ClosureContext, Draft, ReadChange};
use crate::operations::run::Reply;
use crate::store::booking::Booking;
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
        .parameters(&["dry_run"])
        .takes::<ClosureBody>()
        .answers::<ClosedShape>(201)
        .ignores_version(),
        patch(
            "/closures/{id}",
            Action::ClosureUpdate,
            "Change a closure",
            update,
        )
        .parameters(&["dry_run"])
        .takes::<ClosureChange>()
        .answers::<ClosedShape>(200)
        .needs_version(),
        delete(
            "/closures/{id}",
            Action::ClosureDelete,
            "Take a closure back",
            remove,
        )
        .answers_status(204),
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

/// A closure and the bookings it hits. A dry run has no closure's fields.
#[derive(Serialize, ToSchema)]
struct ClosedShape {
    #[serde(flatten)]
    closure: Option<ClosureShape>,
    bookings: Vec<HitShape>,
}

/// A booking that a closure hits.
#[derive(Serialize, ToSchema)]
struct HitShape {
    id: BookingId,
    booking_no: String,
    organization_id: OrganizationId,
    state: BookingState,
    starts_at: Instant,
    ends_at: Instant,
}

impl From<Closed> for ClosedShape {
    fn from(closed: Closed) -> Self {
        let hit = |booking: Booking| HitShape {
            id: booking.id,
            booking_no: booking.booking_no,
            organization_id: booking.organization_id,
            state: booking.state,
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
        };
        Self {
            closure: closed.closure.map(Into::into),
            bookings: closed.bookings.into_iter().map(hit).collect(),
        }
    }
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

/// Whether nothing is to happen; what is wrong with saying so is told in the body's place.
fn dry_run<T>(context: &RequestContext, body: Result<T, AppError>) -> (bool, Result<T, AppError>) {
    let asked = context.params().and_then(|params| params.one("dry_run"));
    match asked {
        Ok(asked) => (asked.unwrap_or(false), body),
        Err(fault) => (false, Err(fault)),
    }
}

fn created(closed: &Closed) -> Result<Reply, AppError> {
    let made = closed.closure.as_ref().map(|made| made.id);
    let id = made.ok_or_else(|| AppError::internal("no closure was made"))?;
    let reply = shown(closed)?.at(format!("{BASE}/closures/{id}"));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

fn shown(closed: &Closed) -> Result<Reply, AppError> {
    let version = closed.closure.as_ref().map(|now| now.version);
    let shown = reply(200, &ClosedShape::from(closed.clone()))?;
    Ok(Reply { version, ..shown })
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
    let (is_dry, draft) = dry_run(&context, context.body::<ClosureBody>().map(Draft::from));
    if is_dry {
        let foreseen = closure::foresee(&context.app, &context.reader(), id, draft).await?;
        return context.ok(ClosedShape::from(foreseen));
    }
    let done = closure::create(&context.run(created)?, id, draft).await?;
    context.answer(done, created)
}

async fn update(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let (is_dry, sent) = dry_run(&context, context.patch());
    if is_dry {
        let (actor, version) = (context.reader(), context.version().unwrap_or_default());
        let change: (_, ReadChange<MergePatch>) = (sent, changed);
        let foreseen = closure::foresee_change(&context.app, &actor, id, version, change).await?;
        return context.ok(ClosedShape::from(foreseen));
    }
    let done = closure::update(&context.run(shown)?, id, sent, changed).await?;
    context.answer(done, shown)
}

async fn remove(context: RequestContext) -> Answer {
    let (run, id) = (context.run(no_content)?, context.id("id")?);
    let done = closure::delete(&run, id, context.no_body()).await?;
    context.answer(done, no_content)
}
