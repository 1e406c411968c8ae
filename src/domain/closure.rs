//! Closures: times in which an instrument takes no bookings, whatever its opening hours. A closure is never refused because
//! of bookings; it says which ones it hits, and telling their users is left to the operation.

use serde::{Deserialize, Serialize};

use super::spans::overlap;
use super::time::{EmptySlot, Instant, Slot};

crate::vocabulary! {
    /// Why an instrument is closed.
    ClosureKind {
        Fault = "fault",
        Maintenance = "maintenance",
        Calibration = "calibration",
        Holiday = "holiday",
        Event = "event",
        Other = "other",
    }
}

/// From a moment to another, or until further notice; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedTime {
    starts_at: Instant,
    ends_at: Option<Instant>,
}

impl ClosedTime {
    pub fn new(starts_at: Instant, ends_at: Option<Instant>) -> Result<Self, EmptySlot> {
        match ends_at {
            Some(end) if end <= starts_at => Err(EmptySlot),
            _ => Ok(Self { starts_at, ends_at }),
        }
    }

    pub const fn starts_at(&self) -> Instant {
        self.starts_at
    }

    /// None: until further notice.
    pub const fn ends_at(&self) -> Option<Instant> {
        self.ends_at
    }

    /// Whether it is closed at this moment.
    pub fn holds_at(&self, at: Instant) -> bool {
        self.starts_at <= at && self.ends_at.is_none_or(|end| at < end)
    }

    /// The part of the closed time that lies in `window`.
    pub fn within(&self, window: &Slot) -> Option<Slot> {
        let ends_at = self.ends_at.unwrap_or(window.ends_at());
        let closed = Slot::new(self.starts_at, ends_at).ok()?;
        overlap(&closed, window)
    }
}

/// A closure as the rules of booking see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    pub time: ClosedTime,
    pub kind: ClosureKind,
    pub public_reason: Option<String>,
}

impl Closure {
    /// Whether a booking of `slot` is hit: any common moment of the *booked* slot counts, by a second at either edge.
    /// Set-up and clean-up may lie in a closure, just as they may lie outside opening hours.
    pub fn hits(&self, slot: &Slot) -> bool {
        self.time.within(slot).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::spans::tests::minutes;

    fn closed(from: i64, until: Option<i64>) -> Closure {
        let starts_at = minutes(from, from + 1).starts_at();
        let ends_at = until.map(|until| minutes(0, until).ends_at());
        Closure {
            time: ClosedTime::new(starts_at, ends_at).unwrap(),
            kind: ClosureKind::Fault,
            public_reason: None,
        }
    }

    #[test]
    fn a_minute_at_either_edge_is_a_hit_and_touching_is_not() {
        for (from, until, hit) in [
            (540, 601, true),
            (540, 600, false),
            (719, 780, true),
            (720, 780, false),
            (630, 640, true),
            (540, 780, true),
        ] {
            assert_eq!(
                closed(600, Some(720)).hits(&minutes(from, until)),
                hit,
                "{from}–{until}"
            );
        }
    }

    #[test]
    fn until_further_notice_has_no_end() {
        assert!(closed(600, None).hits(&minutes(500_000, 500_060)));
        assert!(closed(600, None).hits(&minutes(590, 601)));
        assert!(!closed(600, None).hits(&minutes(540, 600)));
    }

    #[test]
    fn a_closure_holds_from_its_start_to_before_its_end() {
        let at = |minute| minutes(minute, minute + 1).starts_at();
        for (until, moments) in [
            (
                Some(720),
                [(599, false), (600, true), (719, true), (720, false)],
            ),
            (
                None,
                [(599, false), (600, true), (720, true), (500_000, true)],
            ),
        ] {
            for (minute, holds) in moments {
                assert_eq!(
                    closed(600, until).time.holds_at(at(minute)),
                    holds,
                    "{minute}"
                );
            }
        }
    }

    #[test]
    fn a_closure_ends_after_it_starts() {
        let at = minutes(0, 1).starts_at();
        assert_eq!(ClosedTime::new(at, Some(at)), Err(EmptySlot));
        assert!(ClosedTime::new(at, Some(at.plus_seconds(1))).is_ok());
    }
}
