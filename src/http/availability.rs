//! `/instruments/{id}/availability`.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::booking::SlotShape;
use super::context::RequestContext;
use super::route::{Route, get};
use crate::domain::access::Action;
use crate::domain::closure::ClosureKind;
use crate::domain::{Instant, Slot};
use crate::error::{AppError, Code};
use crate::operations::availability::{self, Availability};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/instruments/{id}/availability",
            Action::AvailabilityGet,
            "When an instrument is free, busy and closed; at most 92 days",
            find,
        )
        .parameters(&["from", "until"])
        .requires(&["from", "until"])
        .answers::<AvailabilityShape>(200),
    ]
}

/// The times of an instrument. `free` are times in which every slot that keeps the grid and the lengths can be booked; `busy`
/// says when every channel is taken, never by whom.
#[derive(Serialize, ToSchema)]
struct AvailabilityShape {
    free: Vec<SlotShape>,
    busy: Vec<SlotShape>,
    closed: Vec<ClosedSpanShape>,
}

/// A closure within the time asked about.
#[derive(Serialize, ToSchema)]
struct ClosedSpanShape {
    starts_at: Instant,
    /// Null: until further notice.
    ends_at: Option<Instant>,
    kind: ClosureKind,
    public_reason: Option<String>,
}

impl From<Availability> for AvailabilityShape {
    fn from(found: Availability) -> Self {
        let closed = found.closed.into_iter();
        Self {
            free: found.free.into_iter().map(Into::into).collect(),
            busy: found.busy.into_iter().map(Into::into).collect(),
            closed: closed
                .map(|(span, closure)| ClosedSpanShape {
                    starts_at: span.starts_at(),
                    ends_at: closure.time.ends_at().map(|_| span.ends_at()),
                    kind: closure.kind,
                    public_reason: closure.public_reason,
                })
                .collect(),
        }
    }
}

/// The time asked about.
fn window(context: &RequestContext) -> Result<Slot, AppError> {
    let params = context.params()?;
    let (from, until) = (params.required("from")?, params.required("until")?);
    Slot::new(from, until).map_err(|_| AppError::refused("until", Code::not_after_start))
}

async fn find(context: RequestContext) -> Answer {
    let (actor, id) = (context.reader(), context.id("id")?);
    let found = availability::get(&context.app, &actor, id, window(&context)).await?;
    context.ok(AvailabilityShape::from(found))
}
