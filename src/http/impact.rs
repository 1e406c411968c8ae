//! How a change that may hit bookings is asked for and answered: `dry_run` and `affected` in the query, `bookings` in the
//! answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::context::RequestContext;
use crate::domain::booking::{Affected, BookingState};
use crate::domain::{BookingId, Instant, InstrumentId, OrganizationId};
use crate::error::AppError;
use crate::operations::booking::{Hit, Impact, Treatment};

/// The query parameters of such a change.
pub const PARAMETERS: &[&str] = &["affected", "dry_run"];

/// How the change is asked for; what is wrong with saying so is told in the body's place.
pub fn treatment<T>(
    context: &RequestContext,
    body: Result<T, AppError>,
) -> (Treatment, Result<T, AppError>) {
    let asked = context.params().and_then(|params| {
        Ok(Treatment {
            affected: params.one::<Affected>("affected")?,
            is_dry: params.one("dry_run")?.unwrap_or(false),
        })
    });
    match asked {
        Ok(asked) => (asked, body),
        Err(fault) => (Treatment::default(), Err(fault)),
    }
}

/// The bookings that a change hits.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImpactShape {
    /// By their start, at most 200.
    bookings: Vec<HitShape>,
    /// How many there are.
    bookings_count: usize,
}

/// A booking that a change hits, as it is after the change.
#[derive(Debug, Serialize, ToSchema)]
struct HitShape {
    id: BookingId,
    booking_no: String,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    state: BookingState,
    starts_at: Instant,
    ends_at: Instant,
    /// The rules that it breaks by this change; the first of them is its `problem`.
    codes: Vec<&'static str>,
}

impl From<Impact> for ImpactShape {
    fn from(impact: Impact) -> Self {
        Self {
            bookings: impact.bookings.into_iter().map(HitShape::from).collect(),
            bookings_count: impact.count,
        }
    }
}

impl From<Hit> for HitShape {
    fn from(hit: Hit) -> Self {
        Self {
            id: hit.id,
            booking_no: hit.booking_no,
            instrument_id: hit.instrument_id,
            organization_id: hit.organization_id,
            state: hit.state,
            starts_at: hit.starts_at,
            ends_at: hit.ends_at,
            codes: hit.codes,
        }
    }
}
