//! The grid of starts and ends: multiples of `slot_minutes` counted from each local midnight.

use chrono::Timelike;

use super::BookingRules;
use super::clock_time::at_minute;
use crate::domain::money::Minutes;
use crate::domain::time::Instant;

impl BookingRules {
    /// Whether a booking may start or end at this moment.
    pub fn is_aligned(&self, at: Instant) -> bool {
        self.aligned_from(at) == at
    }

    /// The first moment of the grid at or after `at`.
    pub fn aligned_from(&self, at: Instant) -> Instant {
        self.nearby(at, |seconds, step| (seconds + step - 1).div_euclid(step))
    }

    /// The last moment of the grid at or before `at`.
    pub fn aligned_until(&self, at: Instant) -> Instant {
        self.nearby(at, i64::div_euclid)
    }

    /// The moment of the grid after so many of its steps from the midnight before `at`, counted from seconds and the step.
    fn nearby(&self, at: Instant, count: fn(i64, i64) -> i64) -> Instant {
        let local = at.local();
        let step = self.slot_minutes.number().max(1) * 60;
        let seconds = i64::from(local.time().num_seconds_from_midnight());
        at_minute(local.date(), count(seconds, step) * step / 60)
    }

    /// Whether a booking may have this length: on the grid, and within the shortest and the longest.
    pub fn offers_length(&self, length: Minutes) -> bool {
        (self.min_minutes..=self.max_minutes).contains(&length)
            && length.number() % self.slot_minutes.number().max(1) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::office_hours;
    use super::*;

    #[test]
    fn the_grid_counts_from_local_midnight() {
        for (slot_minutes, at, next) in [
            (30, "2026-03-02T09:00:00+08:00", "2026-03-02T09:00:00+08:00"),
            (30, "2026-03-02T09:00:01+08:00", "2026-03-02T09:30:00+08:00"),
            (30, "2026-03-02T23:59:00+08:00", "2026-03-03T00:00:00+08:00"),
            (15, "2026-03-02T01:05:00Z", "2026-03-02T09:15:00+08:00"),
            (
                720,
                "2026-03-02T00:00:00+08:00",
                "2026-03-02T00:00:00+08:00",
            ),
            (
                720,
                "2026-03-02T08:00:00+08:00",
                "2026-03-02T12:00:00+08:00",
            ),
            (1440, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00+08:00"),
        ] {
            let mut rules = office_hours();
            rules.slot_minutes = Minutes::new(slot_minutes);
            let at: Instant = at.parse().unwrap();
            assert_eq!(rules.aligned_from(at).to_string(), next, "{at}");
            assert_eq!(rules.is_aligned(at), at.to_string() == next);
            let before = rules.aligned_until(at);
            let step = Minutes::new(if at.to_string() == next {
                0
            } else {
                slot_minutes
            });
            assert_eq!(before.plus(step).to_string(), next, "{at}");
        }
    }
}
