//! `/instruments/{id}/closures` and `/closures/{id}`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::feed::{Changes, Withdrawn};
use super::json::Patch;
use super::route::{BASE, Route, delete, get, patch, post};
use crate::domain::access::Action;
use crate::domain::booking::BookingState;
use crate::domain::closure::{ClosedTime, Closure as Rule, ClosureKind};
use crate::domain::{BookingId, ClosureId, Instant, InstrumentId, OrganizationId};
use crate::error::{AppError, Code};
use crate::operations::closure::After;
use crate::operations::{booking_rules, closure};
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

impl From<closure::Closed> for ClosedShape {
    fn from(closed: closure::Closed) -> Self {
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

fn rule(
    starts_at: Instant,
    ends_at: Option<Instant>,
    kind: ClosureKind,
    public_reason: Option<String>,
) -> Result<Rule, AppError> {
    let time = ClosedTime::new(starts_at, ends_at);
    let time = time.map_err(|_| AppError::refused("ends_at", Code::not_after_start))?;
    Ok(Rule {
        time,
        kind,
        public_reason,
    })
}

fn is_dry_run(context: &RequestContext) -> Result<bool, AppError> {
    Ok(context.params()?.one("dry_run")?.unwrap_or(false))
}

async fn list(context: RequestContext) -> Answer {
    let id: InstrumentId = context.id("id")?;
    booking_rules::look(&context.app, context.visitor(), id).await?;
    let params = context.params()?;
    let (limit, changes) = (
        params.limit()?,
        Changes::asked_for(&context, &params).await?,
    );
    let after = match &changes {
        Some(changes) => After::Change(changes.place()),
        None => After::Start(params.cursor()?),
    };
    let rows = closure::list(&context.app, context.visitor(), id, after, limit + 1).await?;
    let start = |row: &Closure| (row.starts_at, row.id);
    let change = |row: &Closure| (row.updated_at, row.id.number());
    context.ok(match changes {
        Some(changes) => changes.page(rows, limit, change, ListedClosure::from)?,
        None => Page::cut(rows, limit, start, ListedClosure::from)?,
    })
}

async fn create(context: RequestContext) -> Answer {
    let caller = context.caller()?;
    let id: InstrumentId = context.id("id")?;
    booking_rules::admit(&context.app, caller, id, Action::ClosureCreate).await?;
    let dry_run = is_dry_run(&context)?;
    let body: ClosureBody = context.json()?;
    let rule = rule(body.starts_at, body.ends_at, body.kind, body.public_reason)?;
    if dry_run {
        let place = (id, Action::ClosureCreate);
        let foreseen = closure::foresee(&context.app, caller, place, rule).await?;
        return context.ok(ClosedShape::from(foreseen));
    }
    let closed = closure::create(&context.app, &context.actor()?, id, rule).await?;
    let made = closed.closure.as_ref().map(|made| (made.id, made.version));
    let (id, version) = made.ok_or_else(|| AppError::internal("no closure was made"))?;
    let location = format!("{BASE}/closures/{id}");
    context.created_versioned(location, version, ClosedShape::from(closed))
}

async fn update(context: RequestContext) -> Answer {
    let caller = context.caller()?;
    let id: ClosureId = context.id("id")?;
    let present = closure::admit(&context.app, caller, id, Action::ClosureUpdate).await?;
    let dry_run = is_dry_run(&context)?;
    let shape = ClosureShape::from(present.clone());
    let (change, version): (ClosureChange, _) =
        context.change(&shape, present.version, WRITABLE)?;
    let mut faults = Vec::new();
    let starts_at = change
        .starts_at
        .over("starts_at", present.starts_at, &mut faults);
    let kind = change.kind.over("kind", present.kind, &mut faults);
    AppError::refuse_all(faults)?;
    let rule = rule(
        starts_at,
        change.ends_at.onto(present.ends_at),
        kind,
        change.public_reason.onto(present.public_reason),
    )?;
    if dry_run {
        let place = (present.instrument_id, Action::ClosureUpdate);
        let foreseen = closure::foresee(&context.app, caller, place, rule).await?;
        return context.ok(ClosedShape::from(foreseen));
    }
    let closed = closure::update(&context.app, &context.actor()?, id, version, rule).await?;
    let version = closed.closure.as_ref().map(|now| now.version);
    let version = version.ok_or_else(|| AppError::internal("no closure was changed"))?;
    context.ok_versioned(version, ClosedShape::from(closed))
}

async fn remove(context: RequestContext) -> Answer {
    let caller = context.caller()?;
    let id: ClosureId = context.id("id")?;
    closure::admit(&context.app, caller, id, Action::ClosureDelete).await?;
    closure::delete(&context.app, &context.actor()?, id, context.version()?).await?;
    context.no_content()
}
