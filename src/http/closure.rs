//! `/instruments/{id}/closures` and `/closures/{id}`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::asked::Asked;
use super::feed::{Changes, Withdrawn};
use super::json::Patch;
use super::routes::{BASE, Route, delete, get, patch, post};
use crate::domain::access::Deed;
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
            "closure_list",
            "Times in which an instrument takes no bookings",
            list,
        )
        .parameters(&["updated_since", "limit", "cursor"])
        .answers::<ClosurePage>(200),
        post(
            "/instruments/{id}/closures",
            "closure_create",
            "Close an instrument; lists the bookings it hits and tells their users",
            create,
        )
        .deed(Deed::ClosureCreate)
        .parameters(&["dry_run"])
        .takes::<ClosureBody>()
        .answers::<ClosedShape>(201)
        .ignores_version(),
        patch(
            "/closures/{id}",
            "closure_update",
            "Change a closure",
            update,
        )
        .deed(Deed::ClosureUpdate)
        .parameters(&["dry_run"])
        .takes::<ClosureChange>()
        .answers::<ClosedShape>(200)
        .needs_version(),
        delete(
            "/closures/{id}",
            "closure_delete",
            "Take a closure back",
            remove,
        )
        .deed(Deed::ClosureDelete)
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

/// Only for the API document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "says what a page of closures looks like")]
struct ClosurePage {
    items: Vec<ListedClosure>,
    next_cursor: Option<String>,
    as_of: Option<Instant>,
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

fn is_dry_run(asked: &Asked) -> Result<bool, AppError> {
    Ok(asked.params()?.one("dry_run")?.unwrap_or(false))
}

async fn list(asked: Asked) -> Answer {
    let id: InstrumentId = asked.id("id")?;
    booking_rules::look(&asked.app, asked.visitor(), id).await?;
    let params = asked.params()?;
    let (limit, changes) = (params.limit()?, Changes::asked_for(&asked, &params).await?);
    let after = match &changes {
        Some(changes) => After::Change(changes.place()),
        None => After::Start(params.cursor()?),
    };
    let rows = closure::list(&asked.app, asked.visitor(), id, after, limit + 1).await?;
    let start = |row: &Closure| (row.starts_at, row.id);
    let change = |row: &Closure| (row.updated_at, row.id.number());
    asked.ok(match changes {
        Some(changes) => changes.page(rows, limit, change, ListedClosure::from)?,
        None => Page::cut(rows, limit, start, ListedClosure::from)?,
    })
}

async fn create(asked: Asked) -> Answer {
    let caller = asked.caller()?;
    let id: InstrumentId = asked.id("id")?;
    booking_rules::admit(&asked.app, caller, id, Deed::ClosureCreate).await?;
    let dry_run = is_dry_run(&asked)?;
    let body: ClosureBody = asked.json()?;
    let rule = rule(body.starts_at, body.ends_at, body.kind, body.public_reason)?;
    if dry_run {
        let place = (id, Deed::ClosureCreate);
        let foreseen = closure::foresee(&asked.app, caller, place, rule).await?;
        return asked.ok(ClosedShape::from(foreseen));
    }
    let closed = closure::create(&asked.app, &asked.act()?, id, rule).await?;
    let made = closed.closure.as_ref().map(|made| (made.id, made.version));
    let (id, version) = made.ok_or_else(|| AppError::internal("no closure was made"))?;
    let location = format!("{BASE}/closures/{id}");
    asked.created_versioned(location, version, ClosedShape::from(closed))
}

async fn update(asked: Asked) -> Answer {
    let caller = asked.caller()?;
    let id: ClosureId = asked.id("id")?;
    let present = closure::admit(&asked.app, caller, id, Deed::ClosureUpdate).await?;
    let dry_run = is_dry_run(&asked)?;
    let shape = ClosureShape::from(present.clone());
    let (change, version): (ClosureChange, _) = asked.change(&shape, present.version, WRITABLE)?;
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
        let place = (present.instrument_id, Deed::ClosureUpdate);
        let foreseen = closure::foresee(&asked.app, caller, place, rule).await?;
        return asked.ok(ClosedShape::from(foreseen));
    }
    let closed = closure::update(&asked.app, &asked.act()?, id, version, rule).await?;
    let version = closed.closure.as_ref().map(|now| now.version);
    let version = version.ok_or_else(|| AppError::internal("no closure was changed"))?;
    asked.ok_versioned(version, ClosedShape::from(closed))
}

async fn remove(asked: Asked) -> Answer {
    let caller = asked.caller()?;
    let id: ClosureId = asked.id("id")?;
    closure::admit(&asked.app, caller, id, Deed::ClosureDelete).await?;
    closure::delete(&asked.app, &asked.act()?, id, asked.version()?).await?;
    asked.no_content()
}
