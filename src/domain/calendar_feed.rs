//! What calendar programs are shown: bookings and closures as events, for thirty days after they are over. A booking is one event,
//! whose number grows with each of its versions.

use super::booking::BookingState;
use super::closure::ClosureKind;
use super::{BookingId, ClosureId, Instant, Minutes, Slot};

/// How long what is over, or was called off, stays.
pub const KEPT: Minutes = Minutes::new(30 * 24 * 60);

crate::vocabulary! {
    /// Whose bookings a token shows: the person's own, the unit's, or those of the instruments whose desk the person is at.
    FeedKind {
        Own = "own",
        Unit = "unit",
        Desk = "desk",
    }
}

/// Whether an event takes place (RFC 5545, 3.8.1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventStatus {
    Tentative,
    Confirmed,
    Cancelled,
}

impl EventStatus {
    pub const fn of(state: BookingState) -> Self {
        use BookingState as S;
        match state {
            S::Held | S::Requested => Self::Tentative,
            S::Confirmed | S::InProgress | S::Completed | S::Unresolved => Self::Confirmed,
            S::Rejected | S::Cancelled | S::Expired | S::NoShow => Self::Cancelled,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tentative => "TENTATIVE",
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// What an event is about; of a public one nobody learns who.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    Busy(BookingId),
    Closed {
        id: ClosureId,
        kind: ClosureKind,
        reason: Option<String>,
    },
    Booking {
        id: BookingId,
        booking_no: String,
        instrument: String,
        location: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub about: About,
    pub slot: Slot,
    pub status: EventStatus,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// A calendar: its name, and its events in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// An instrument's or a token's.
    pub name: String,
    pub events: Vec<Event>,
}

impl About {
    /// The same as long as the booking or closure is there, whatever becomes of it.
    pub fn uid(&self) -> String {
        match self {
            Self::Busy(id) | Self::Booking { id, .. } => format!("booking-{id}"),
            Self::Closed { id, .. } => format!("closure-{id}"),
        }
    }
}

/// Whether an event is still shown: what takes place until thirty days after its end, what was called off until thirty days after
/// that.
pub fn is_shown(event: &Event, now: Instant) -> bool {
    let until = match event.status {
        EventStatus::Cancelled => event.updated_at,
        EventStatus::Tentative | EventStatus::Confirmed => event.slot.ends_at(),
    };
    now <= until.plus(KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_or_called_off_stays_thirty_days() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let slot = Slot::new(at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z")).unwrap();
        let event = |status, updated_at: &str| Event {
            about: About::Busy(1.try_into().unwrap()),
            slot,
            status,
            version: 1,
            created_at: at("2026-02-01T00:00:00Z"),
            updated_at: at(updated_at),
        };
        let (called_off, standing) = (EventStatus::Cancelled, EventStatus::Confirmed);
        for (status, updated_at, now, shown) in [
            (
                standing,
                "2026-02-01T00:00:00Z",
                "2026-04-01T00:00:00Z",
                true,
            ),
            (
                standing,
                "2026-02-01T00:00:00Z",
                "2026-04-01T00:00:01Z",
                false,
            ),
            (
                called_off,
                "2026-02-01T00:00:00Z",
                "2026-03-03T00:00:00Z",
                true,
            ),
            (
                called_off,
                "2026-02-01T00:00:00Z",
                "2026-03-03T00:00:01Z",
                false,
            ),
        ] {
            assert_eq!(
                is_shown(&event(status, updated_at), at(now)),
                shown,
                "{now}"
            );
        }
    }
}
