//! `/instruments/{id}/availability`.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::booking::SlotShape;
use super::context::RequestContext;
use super::problem::{self, ProblemEntry};
use super::route::{Route, get};
use crate::domain::access::Action;
use crate::domain::booking::BookingMode;
use crate::domain::closure::ClosureKind;
use crate::domain::{Instant, Slot};
use crate::error::text::Language;
use crate::error::{AppError, Code};
use crate::operations::availability::{self, Asked, Availability};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/instruments/{id}/availability",
            Action::AvailabilityGet,
            "When an instrument is free, busy and closed; at most 92 days",
            find,
        )
        .parameters(&["from", "until", "mode"])
        .words::<BookingMode>("mode")
        .requires(&["from", "until"])
        .answers::<AvailabilityShape>(200),
    ]
}

/// The times of an instrument. `free` are times in which every slot that keeps the grid and the lengths can be booked, but that
/// what is left of a quota may be too little for a long one; `busy` says when every channel is taken, never by whom.
#[derive(Serialize, ToSchema)]
struct AvailabilityShape {
    free: Vec<SlotShape>,
    busy: Vec<SlotShape>,
    closed: Vec<ClosedSpanShape>,
    /// What stands in your way whatever the time within the one asked about, such as `not_externally_shared` and
    /// `quota_exceeded`; empty without sign-in.
    restrictions: Vec<ProblemEntry>,
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

impl AvailabilityShape {
    fn new(found: Availability, language: Language) -> Self {
        let closed = found.closed.into_iter();
        let told = found.restrictions.iter();
        Self {
            restrictions: told.map(|fault| problem::entry(fault, language)).collect(),
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

fn asked(context: &RequestContext) -> Result<Asked, AppError> {
    let params = context.params()?;
    let (from, until) = (params.required("from")?, params.required("until")?);
    let mode = params.one("mode")?;
    let window = Slot::new(from, until);
    let window = window.map_err(|_| AppError::refused("until", Code::not_after_start))?;
    Ok(Asked { window, mode })
}

async fn find(context: RequestContext) -> Answer {
    let (actor, id) = (context.reader(), context.id("id")?);
    let found = availability::get(&context.app, &actor, id, asked(&context)).await?;
    context.ok(AvailabilityShape::new(found, context.language))
}
