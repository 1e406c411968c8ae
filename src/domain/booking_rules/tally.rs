//! What counts toward quotas and gaps: the bookings that a person and a unit have already. A booking counts once in each period in
//! which it has a minute, its minutes are split at the boundary, and what nobody needs any more does not count.

use std::collections::BTreeMap;

use super::BookingRules;
use super::quota::{Quota, QuotaOver, QuotaPer, QuotaPeriod};
use crate::domain::booking::{BookingMode, BookingRefusal, BookingState};
use crate::domain::money::Minutes;
use crate::domain::spans::{Spans, overlap};
use crate::domain::time::{Instant, Slot};

/// A booking that its person or its unit has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    pub slot: Slot,
    /// When its use ended, if it did.
    pub ended_at: Option<Instant>,
    pub mode: BookingMode,
    pub state: BookingState,
    /// On the instrument that is asked about.
    pub is_here: bool,
    /// Of the person who asks; else only of the unit.
    pub is_of_person: bool,
    pub is_of_unit: bool,
}

impl Made {
    fn counts_toward(&self, quota: &Quota, now: Instant) -> bool {
        let is_theirs = match quota.per {
            QuotaPer::Person => self.is_of_person,
            QuotaPer::Organization => self.is_of_unit,
        };
        let is_there = self.is_here || quota.over == QuotaOver::Host;
        is_theirs && is_there && quota.covers(self.mode) && self.is_counted(quota.period, now)
    }

    fn is_counted(&self, period: QuotaPeriod, now: Instant) -> bool {
        use BookingState as S;
        match (period, self.state) {
            (_, S::Rejected | S::Cancelled | S::Expired | S::Unresolved) => false,
            (QuotaPeriod::Ahead, S::Held | S::Requested | S::Confirmed) => {
                self.slot.starts_at() > now
            }
            (QuotaPeriod::Ahead, _) => false,
            _ => true,
        }
    }

    /// The time from which another booking of the same person keeps its distance.
    fn occupied(&self) -> Option<Slot> {
        use BookingState as S;
        let (from, until) = (self.slot.starts_at(), self.slot.ends_at());
        match self.state {
            S::Held | S::Requested | S::Confirmed | S::InProgress => Some(self.slot),
            S::Completed => Slot::new(from, self.ended_at.map_or(until, |at| at.min(until))).ok(),
            S::Rejected | S::Cancelled | S::Expired | S::Unresolved | S::NoShow => None,
        }
    }
}

/// Bookings and minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    bookings: i64,
    minutes: i64,
}

impl Sum {
    fn and(self, minutes: Minutes) -> Sum {
        Sum {
            bookings: self.bookings + 1,
            minutes: self.minutes + minutes.number(),
        }
    }

    /// The limit that is exceeded, and by what; that of bookings first.
    fn beyond(self, quota: &Quota) -> Option<(i64, i64)> {
        let bookings = quota
            .max_bookings
            .map(|most| (i64::from(most), self.bookings));
        let minutes = quota.max_minutes.map(|most| (most.number(), self.minutes));
        let mut limits = bookings.into_iter().chain(minutes);
        limits.find(|(limit, actual)| actual > limit)
    }
}

/// What was counted toward one quota.
#[derive(Debug)]
struct Counted<'a> {
    quota: &'a Quota,
    /// By the beginning of each period.
    periods: BTreeMap<Instant, Sum>,
    ahead: Sum,
}

impl<'a> Counted<'a> {
    fn of(quota: &'a Quota, made: &[Made], now: Instant) -> Self {
        let mut counted = Self {
            quota,
            periods: BTreeMap::new(),
            ahead: Sum::default(),
        };
        for booking in made.iter().filter(|made| made.counts_toward(quota, now)) {
            if quota.period == QuotaPeriod::Ahead {
                counted.ahead = counted.ahead.and(booking.slot.minutes());
            }
            for period in quota.period.touched_by(&booking.slot) {
                let sum = counted.periods.entry(period.starts_at()).or_default();
                *sum = sum.and(shared(&booking.slot, &period));
            }
        }
        counted
    }

    fn in_period(&self, period: &Slot) -> Sum {
        self.periods
            .get(&period.starts_at())
            .copied()
            .unwrap_or_default()
    }

    fn refusal(
        &self,
        (limit, actual): (i64, i64),
        period: Option<Slot>,
        now: Instant,
    ) -> BookingRefusal {
        BookingRefusal::QuotaExceeded {
            limit,
            actual,
            period_from: period.map_or(now, |period| period.starts_at()),
            period_until: period.map(|period| period.ends_at()),
        }
    }

    /// The first period in which a booking of this slot would exceed the quota.
    fn refuses(&self, slot: &Slot, now: Instant) -> Option<BookingRefusal> {
        if self.quota.period == QuotaPeriod::Ahead {
            let beyond = self.ahead.and(slot.minutes()).beyond(self.quota)?;
            let is_ahead = slot.starts_at() > now;
            return is_ahead.then(|| self.refusal(beyond, None, now));
        }
        self.quota.period.touched_by(slot).find_map(|period| {
            let sum = self.in_period(&period).and(shared(slot, &period));
            let beyond = sum.beyond(self.quota)?;
            Some(self.refusal(beyond, Some(period), now))
        })
    }

    /// The periods in `window` that have no room for a booking of this length, with the refusal of each.
    fn full(&self, window: &Slot, length: Minutes, now: Instant) -> Vec<(Slot, BookingRefusal)> {
        if self.quota.period == QuotaPeriod::Ahead {
            let beyond = self.ahead.and(length).beyond(self.quota);
            let ahead = Slot::new(window.starts_at().max(now), window.ends_at());
            let full = beyond.zip(ahead.ok());
            let full = full.map(|(beyond, ahead)| (ahead, self.refusal(beyond, None, now)));
            return full.into_iter().collect();
        }
        let periods = self.quota.period.touched_by(window);
        let full = periods.filter_map(|period| {
            let beyond = self.in_period(&period).and(length).beyond(self.quota)?;
            Some((period, self.refusal(beyond, Some(period), now)))
        });
        full.collect()
    }
}

/// The minutes of a slot within a period.
fn shared(slot: &Slot, period: &Slot) -> Minutes {
    overlap(slot, period).map_or(Minutes::ZERO, |part| part.minutes())
}

/// All that counts toward the quotas and gaps of an instrument for who asks.
#[derive(Debug, Default)]
pub struct Tally<'a> {
    counted: Vec<Counted<'a>>,
    gap: Minutes,
    /// The person's times on the instrument, by their start.
    own: Vec<Slot>,
    now: Option<Instant>,
}

impl BookingRules {
    /// The quotas that limit bookings in this mode; without one, those that limit every mode that is offered.
    pub fn quotas_on(&self, mode: Option<BookingMode>) -> impl Iterator<Item = &Quota> {
        self.quotas.iter().filter(move |quota| match mode {
            Some(mode) => quota.covers(mode),
            None => self.modes.iter().all(|mode| quota.covers(*mode)),
        })
    }

    /// Whether who asks makes a difference.
    pub fn looks_at_bookings(&self, mode: Option<BookingMode>) -> bool {
        self.gap_minutes > Minutes::ZERO || self.quotas_on(mode).next().is_some()
    }

    /// Whether the person who asks makes a difference, not only the unit.
    pub fn looks_at_person(&self, mode: Option<BookingMode>) -> bool {
        let is_of_person = |quota: &Quota| quota.per == QuotaPer::Person;
        self.gap_minutes > Minutes::ZERO || self.quotas_on(mode).any(is_of_person)
    }

    /// What those bookings count toward the quotas and gaps here.
    pub fn tally(&self, mode: Option<BookingMode>, made: &[Made], now: Instant) -> Tally<'_> {
        let own = made.iter().filter(|made| made.is_of_person && made.is_here);
        let mut own: Vec<Slot> = own.filter_map(Made::occupied).collect();
        own.sort_unstable();
        Tally {
            counted: self
                .quotas_on(mode)
                .map(|quota| Counted::of(quota, made, now))
                .collect(),
            gap: self.gap_minutes,
            own: if self.gap_minutes > Minutes::ZERO {
                own
            } else {
                Vec::new()
            },
            now: Some(now),
        }
    }
}

impl Tally<'_> {
    /// What a booking of this slot would break: each quota once, and the gap to the nearest booking of the person.
    pub fn refusals(&self, slot: &Slot) -> Vec<BookingRefusal> {
        let Some(now) = self.now else {
            return Vec::new();
        };
        let mut refusals: Vec<_> = self
            .counted
            .iter()
            .filter_map(|counted| counted.refuses(slot, now))
            .collect();
        let distances = self.own.iter().map(|own| distance(own, slot));
        let nearest = distances
            .min()
            .filter(|nearest| *nearest < self.gap.number() * 60);
        refusals.extend(nearest.map(|nearest| BookingRefusal::GapTooShort {
            limit: self.gap,
            actual: Minutes::new(nearest.div_euclid(60)),
        }));
        refusals
    }

    /// The times within `window` that no booking of this length may touch. A period in which less is left than the length is
    /// among them whole, though a booking might reach a little into it.
    pub fn closed(&self, window: &Slot, length: Minutes) -> Spans {
        let Some(now) = self.now else {
            return Spans::default();
        };
        let full = self
            .counted
            .iter()
            .flat_map(|counted| counted.full(window, length, now))
            .map(|(period, _)| period);
        let near = self.own.iter().map(|own| own.widened(self.gap, self.gap));
        Spans::union(full.chain(near)).within(window)
    }

    /// The quotas that leave no room for a booking of this length anywhere in `window`, each in its first period there.
    pub fn exhausted(&self, window: &Slot, length: Minutes) -> Vec<BookingRefusal> {
        let Some(now) = self.now else {
            return Vec::new();
        };
        let exhausted = self.counted.iter().filter_map(|counted| {
            let full = counted.full(window, length, now);
            let periods = Spans::union(full.iter().map(|(period, _)| *period));
            let is_all = Spans::from(*window).minus(&periods).is_empty();
            let first = full.into_iter().next().filter(|_| is_all);
            first.map(|(_, refusal)| refusal)
        });
        exhausted.collect()
    }
}

/// The seconds between two slots; none when they overlap or touch.
fn distance(one: &Slot, other: &Slot) -> i64 {
    let after = other.starts_at().unix_seconds() - one.ends_at().unix_seconds();
    let before = one.starts_at().unix_seconds() - other.ends_at().unix_seconds();
    after.max(before).max(0)
}

#[cfg(test)]
mod tests;
