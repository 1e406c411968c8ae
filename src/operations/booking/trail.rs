//! The events of actions on bookings: what changed. Free text stands apart, where it can be
//! erased.

use serde::Serialize;

use crate::domain::Operator;
use crate::domain::access::Action;
use crate::domain::booking::BookingState;
use crate::domain::{EventId, Fen, Instant, InstrumentId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::personal;
use crate::store::booking::Booking;
use crate::store::event::Subject;
use crate::store::{self, Conn};

/// What an event says of a booking.
#[derive(Serialize)]
struct Facts<'a> {
    instrument_id: InstrumentId,
    channel: i64,
    state: BookingState,
    starts_at: Instant,
    ends_at: Instant,
    /// The price that was told, in fen.
    quote_fen: Option<Fen>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_until: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(booking: &'a Booking) -> Self {
        Self {
            instrument_id: booking.instrument_id,
            channel: booking.channel,
            state: booking.state,
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            quote_fen: booking.details.quote.as_ref().map(|price| price.total_fen),
            held_until: booking.held_until,
            started_at: booking.started_at,
            ended_at: booking.ended_at,
            cancelled_by: booking.cancelled_by.as_deref(),
            reason_code: booking.reason_code.as_deref(),
            problem: booking.problem.as_deref(),
        }
    }
}

/// The texts people wrote.
#[derive(Serialize, PartialEq)]
struct Texts<'a> {
    description: Option<&'a str>,
    operator: Option<&'a Operator>,
    reason: Option<&'a str>,
}

impl<'a> Texts<'a> {
    fn of(booking: &'a Booking) -> Self {
        Self {
            description: booking.details.description.as_deref(),
            operator: booking.details.operator.as_ref(),
            reason: booking.details.reason.as_deref(),
        }
    }
}

const NO_TEXTS: Texts<'static> = Texts {
    description: None,
    operator: None,
    reason: None,
};

/// Appends the event of an action.
pub(super) fn record(
    tx: &mut Conn,
    by: &Actor,
    action: Action,
    before: Option<&Booking>,
    after: &Booking,
) -> Result<EventId, AppError> {
    let event = by.event(action, Subject::new("booking", after.id));
    let mut event = event
        .of(after.host_organization_id, Some(after.organization_id))
        .after(Facts::of(after))?;
    if let Some(before) = before {
        event = event.before(Facts::of(before))?;
    }
    let texts = Texts::of(after);
    if texts != before.map_or(NO_TEXTS, Texts::of) {
        event = event.personal(personal(texts)?);
    }
    Ok(store::event::append(tx, &event)?)
}
