//! When an instrument can be had: its free spans, and the next free slots of a length under all rules. Pure arithmetic over
//! merged intervals; who has the busy ones is not known here.

use super::booking_rules::{BookingRules, Tally};
use super::calendar::Calendar;
use super::channel::full_spans;
use super::closure::Closure;
use super::money::Minutes;
use super::spans::Spans;
use super::time::{Instant, Slot};

/// Starts are looked for in stretches of this length, so that an early answer costs little.
const STRETCH: Minutes = Minutes::new(14 * 1440);

/// All that decides whether an instrument is free.
#[derive(Debug, Clone, Copy)]
pub struct Timetable<'a> {
    pub rules: &'a BookingRules,
    /// What who asks has already, as quotas and gaps count it; empty for nobody in particular.
    pub tally: &'a Tally<'a>,
    pub calendar: &'a Calendar,
    pub closures: &'a [Closure],
    /// The blocked intervals of all blocking bookings, set-up and clean-up included, on whichever channel. A booking that is being
    /// rescheduled is left out: it does not stand in its own way.
    pub blocked: &'a [Slot],
    pub channels: i64,
    pub now: Instant,
}

impl Timetable<'_> {
    /// The times within `window` in which every slot of the grid that is long enough, and not too long, can be booked: open,
    /// not closed, with a channel for the slot, its set-up and its clean-up. They begin with the lead time and end with the
    /// shortest booking that starts at the end of the horizon. Where a quota leaves room for the shortest booking they are
    /// free, though it may refuse a longer one.
    pub fn free_spans(&self, window: &Slot) -> Spans {
        let Some(bookable) = self.bookable(window) else {
            return Spans::default();
        };
        let full = self.tally.closed(&bookable, self.rules.min_minutes);
        let free = self.free(&bookable, &self.refused_by_bookings());
        let free = free.minus(&full);
        Spans::union(free.iter().filter_map(|span| self.on_grid(span)))
    }

    /// The part of `window` in which something could be booked, as far as the distance from now decides.
    pub fn bookable(&self, window: &Slot) -> Option<Slot> {
        let rules = self.rules;
        let mut earliest = rules.earliest_start(self.now);
        if self.channels > 1 {
            // A set-up that would have begun may be refused below the peak: what has begun moves to no other channel.
            earliest = earliest.max(self.now.plus(rules.setup_minutes));
        }
        let latest = rules.aligned_until(rules.latest_start(self.now));
        let (from, until) = (
            earliest.max(window.starts_at()),
            latest.plus(rules.min_minutes).min(window.ends_at()),
        );
        Slot::new(from, until).ok()
    }

    /// What of a span lies between two moments of the grid, if the shortest booking finds room there.
    fn on_grid(&self, span: &Slot) -> Option<Slot> {
        let from = self.rules.aligned_from(span.starts_at());
        let slot = Slot::new(from, self.rules.aligned_until(span.ends_at())).ok()?;
        (slot.minutes() >= self.rules.min_minutes).then_some(slot)
    }

    /// The times within `window` in which every channel is taken.
    pub fn busy_spans(&self, window: &Slot) -> Spans {
        Spans::union(full_spans(self.channels, self.blocked)).within(window)
    }

    /// The next `count` slots of `length` that start at `after` or later and keep every rule of time: grid, lead time,
    /// horizon, opening hours, closures and other bookings. They may overlap each other: each is an answer of its own.
    pub fn next_free(&self, length: Minutes, after: Instant, count: usize) -> Vec<Slot> {
        let mut found = Vec::new();
        if !self.rules.offers_length(length) {
            return found;
        }
        let refused = self.refused_by_bookings();
        let latest = self.rules.latest_start(self.now);
        let mut from = after.max(self.now).max(self.rules.earliest_start(self.now));
        while found.len() < count && from <= latest {
            let until = from.plus(STRETCH);
            if let Ok(stretch) = Slot::new(from, until.plus(length)) {
                let full = self.tally.closed(&stretch, Minutes::new(1));
                let free = self.free(&stretch, &refused).minus(&full);
                let starts = free.iter().flat_map(|span| self.slots_in(span, length));
                let starts = starts.filter(|slot| self.tally.refusals(slot).is_empty());
                let in_time = starts
                    .take_while(|slot| slot.starts_at() < until && slot.starts_at() <= latest);
                found.extend(in_time.take(count - found.len()));
            }
            from = until;
        }
        found
    }

    /// The slots of the grid with this length that lie in `span`.
    fn slots_in(&self, span: &Slot, length: Minutes) -> impl Iterator<Item = Slot> + use<'_> {
        let span = *span;
        let first = self.rules.aligned_from(span.starts_at());
        let next = |start: &Instant| Some(self.rules.aligned_from(start.plus_seconds(1)));
        std::iter::successors(Some(first), next)
            .filter_map(move |start| Slot::new(start, start.plus(length)).ok())
            .take_while(move |slot| slot.ends_at() <= span.ends_at())
    }

    fn free(&self, window: &Slot, refused: &Spans) -> Spans {
        let Ok(window) = Slot::new(window.starts_at().max(self.now), window.ends_at()) else {
            return Spans::default();
        };
        let closed = self
            .closures
            .iter()
            .filter_map(|closure| closure.time.within(&window));
        let open = self.rules.open_spans(self.calendar, &window);
        open.minus(&Spans::union(closed)).minus(refused)
    }

    /// The times that no booking may touch because its set-up or clean-up would reach a moment when every channel is taken.
    fn refused_by_bookings(&self) -> Spans {
        let (before, after) = (self.rules.cleanup_minutes, self.rules.setup_minutes);
        let full = full_spans(self.channels, self.blocked);
        Spans::union(full.iter().map(|span| span.widened(before, after)))
    }
}

#[cfg(test)]
mod tests;
