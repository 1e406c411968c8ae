//! What a change of an instrument means for the bookings that stand there. Rules judge a booking when it is made or moved,
//! never backwards: one that breaks a rule only since the change stands all the same, with a problem, unless its host gives it
//! up. How far ahead a booking was made is its maker's matter and is not asked again.

use super::{BookingMode, BookingRefusal, InstrumentFacts};
use crate::domain::Code;
use crate::domain::booking_rules::{BookingRules, Tally};
use crate::domain::calendar::Calendar;
use crate::domain::closure::Closure;
use crate::domain::time::Slot;

crate::vocabulary! {
    /// What becomes of the bookings that a change hits.
    Affected {
        /// They stand, and their people are told.
        Keep = "keep",
        /// Those not begun are cancelled.
        Cancel = "cancel",
    }
}

/// A booking that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub slot: Slot,
    pub mode: BookingMode,
    pub channel: i64,
}

/// What an instrument says about the bookings that stand there.
#[derive(Debug, Clone, Copy)]
pub struct Grounds<'a> {
    pub rules: &'a BookingRules,
    pub calendar: &'a Calendar,
    pub closures: &'a [Closure],
    pub channels: i64,
    /// The bookings of the same person and unit that were made before.
    pub tally: &'a Tally<'a>,
}

impl Grounds<'_> {
    /// The rules that a booking breaks as they are now, each once, what refuses every slot alike first.
    pub fn broken_by(&self, booking: &Standing, instrument: InstrumentFacts) -> Vec<Code> {
        let offer = self.rules.check_offer(booking.mode, instrument);
        let mut codes: Vec<Code> = offer.iter().map(BookingRefusal::code).collect();
        if booking.channel > self.channels {
            codes.push(Code::channel_withdrawn);
        }
        let slot = (self.calendar, self.closures);
        let of_slot = self.rules.check_slot(&booking.slot, slot).into_iter();
        for refusal in of_slot.chain(self.tally.refusals(&booking.slot)) {
            if !codes.contains(&refusal.code()) {
                codes.push(refusal.code());
            }
        }
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::tests::china;
    use crate::domain::closure::{ClosedTime, ClosureKind};
    use crate::domain::money::Minutes;
    use crate::domain::spans::tests::minutes;

    const OFFERED: InstrumentFacts = InstrumentFacts {
        is_bookable: true,
        is_shared_with_caller: true,
    };

    /// Monday 10:00–12:00 on the second channel.
    fn standing() -> Standing {
        Standing {
            slot: minutes(600, 720),
            mode: BookingMode::Guided,
            channel: 2,
        }
    }

    fn broken(rules: &BookingRules, closures: &[Closure], channels: i64) -> Vec<Code> {
        let calendar = china();
        let grounds = Grounds {
            rules,
            calendar: &calendar,
            closures,
            channels,
            tally: &Tally::default(),
        };
        grounds.broken_by(&standing(), OFFERED)
    }

    #[test]
    fn a_standing_booking_breaks_what_it_would_break_if_it_were_made_on_these_grounds() {
        let rules = BookingRules::default();
        assert_eq!(broken(&rules, &[], 2), []);
        assert_eq!(broken(&rules, &[], 1), [Code::channel_withdrawn]);
        let at = minutes(700, 800);
        let closed = Closure {
            time: ClosedTime::new(at.starts_at(), Some(at.ends_at())).unwrap(),
            kind: ClosureKind::Fault,
            public_reason: None,
        };
        let both = [closed.clone(), closed];
        assert_eq!(broken(&rules, &both, 2), [Code::closed_for_maintenance]);
        let short = BookingRules {
            max_minutes: Minutes::new(60),
            modes: vec![BookingMode::Entrusted],
            ..rules
        };
        let expected = [Code::mode_not_offered, Code::too_long];
        assert_eq!(broken(&short, &[], 2), expected);
    }

    #[test]
    fn how_far_ahead_it_was_made_is_not_asked_again() {
        let rules = BookingRules {
            lead_minutes: Minutes::new(100_000),
            horizon_days: 1,
            ..BookingRules::default()
        };
        assert_eq!(broken(&rules, &[], 2), []);
    }
}
