//! How a booking in progress ends: the moment that counts, and what stays blocked after it.

use crate::domain::Code;
use crate::domain::money::Minutes;
use crate::domain::spans::overlap;
use crate::domain::time::{Instant, Slot};

/// A booking still in progress this long after its end is closed with the scheduled end.
pub const CLOSED_AFTER: Minutes = Minutes::new(12 * 60);

/// Why a moment cannot be the end of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEnding {
    #[error("the end is not in the future")]
    InTheFuture { now: Instant },
    #[error("the end is after the start")]
    NotAfterStart { started_at: Instant },
}

impl NotAnEnding {
    pub const fn code(&self) -> Code {
        match self {
            Self::InTheFuture { .. } => Code::in_the_future,
            Self::NotAfterStart { .. } => Code::not_after_start,
        }
    }
}

/// The actual interval of a use: until the end that was given, else until now.
pub fn ended_at(
    started_at: Instant,
    given: Option<Instant>,
    now: Instant,
) -> Result<Slot, NotAnEnding> {
    let end = given.unwrap_or(now);
    if end > now {
        return Err(NotAnEnding::InTheFuture { now });
    }
    Slot::new(started_at, end).map_err(|_| NotAnEnding::NotAfterStart { started_at })
}

/// The actual interval of a use that nobody ended: until the scheduled end, which a start always precedes.
pub fn ending_when_closed(started_at: Instant, slot: &Slot) -> Slot {
    Slot::new(started_at, slot.ends_at()).unwrap_or(*slot)
}

/// When a booking still in progress is closed.
pub(super) fn closes_at(slot: &Slot) -> Instant {
    slot.ends_at().plus(CLOSED_AFTER)
}

/// What stays blocked when the use ends at the end of `actual`: clean-up is still needed after an early end, the rest is
/// freed; an overrun never takes the next booking's time.
pub fn blocked_after_finish(blocked: &Slot, actual: &Slot, cleanup: Minutes) -> Slot {
    let needed = Slot::new(blocked.starts_at(), actual.ends_at().plus(cleanup));
    needed
        .ok()
        .and_then(|needed| overlap(blocked, &needed))
        .unwrap_or(*blocked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::spans::tests::minutes;

    #[test]
    fn an_end_is_after_the_start_and_not_in_the_future() {
        let so_far = minutes(600, 700);
        let (started_at, now) = (so_far.starts_at(), so_far.ends_at());
        let end = |seconds| ended_at(started_at, Some(now.plus_seconds(seconds)), now);
        assert_eq!(ended_at(started_at, None, now), Ok(so_far));
        assert_eq!(end(0), Ok(so_far));
        assert_eq!(end(1), Err(NotAnEnding::InTheFuture { now }));
        assert_eq!(end(-6_000), Err(NotAnEnding::NotAfterStart { started_at }));
        assert_eq!(
            end(-5_999).map(|slot| slot.ends_at()),
            Ok(started_at.plus_seconds(1))
        );
    }

    #[test]
    fn an_early_end_frees_the_rest_and_an_overrun_takes_nothing() {
        let blocked = minutes(570, 750); // 10:00–12:00 with half an hour before and after
        for (ended, blocked_until) in [
            (660, 690), // early: clean-up follows at once
            (719, 749),
            (720, 750), // as booked
            (730, 750), // overrun into the clean-up
            (900, 750), // overrun past everything
            (580, 610), // ended in the set-up
        ] {
            let rest = blocked_after_finish(&blocked, &minutes(575, ended), Minutes::new(30));
            assert_eq!(rest, minutes(570, blocked_until), "ended {ended}");
        }
    }

    #[test]
    fn a_forgotten_booking_ends_as_scheduled() {
        let slot = minutes(600, 720);
        assert_eq!(
            ending_when_closed(minutes(590, 591).starts_at(), &slot),
            minutes(590, 720)
        );
        assert_eq!(closes_at(&slot), minutes(0, 1440).ends_at());
    }
}
