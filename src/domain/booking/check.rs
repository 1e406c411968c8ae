//! Whether a slot keeps the rules of its instrument: every broken rule at once. Opening hours and closures are asked of the
//! whole booked slot; set-up and clean-up may lie outside. Other bookings are the channels' matter, and the database's.

use chrono::NaiveDate;

use super::{BookingMode, BookingRefusal};
use crate::domain::booking_rules::{BookingRules, LONGEST, Tally};
use crate::domain::calendar::Calendar;
use crate::domain::closure::Closure;
use crate::domain::money::Minutes;
use crate::domain::spans::{Spans, overlap};
use crate::domain::time::{Instant, Slot};

/// At which step the rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Request,
    /// Approval asks everything again but the lead time: waiting for it is not the user's fault.
    Approval,
    /// A move that keeps the start: how far ahead it lies was asked when it was booked.
    SameStart,
}

/// What is to be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    pub slot: Slot,
    pub mode: BookingMode,
    pub now: Instant,
    pub stage: Stage,
}

/// What the instrument itself says to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstrumentFacts {
    /// It is listed: neither suspended nor retired nor still a draft.
    pub is_bookable: bool,
    /// The using unit is its host, or it is shared externally.
    pub is_shared_with_caller: bool,
}

impl BookingRules {
    /// The rules that a booking would break; none: it may be booked if a channel is free.
    pub fn check(
        &self,
        question: &Question,
        calendar: &Calendar,
        closures: &[Closure],
        (instrument, tally): (InstrumentFacts, &Tally<'_>),
    ) -> Vec<BookingRefusal> {
        let mut refusals = self.check_offer(question.mode, instrument);
        refusals.extend(self.check_distance(question));
        refusals.extend(self.check_slot(&question.slot, (calendar, closures)));
        refusals.extend(tally.refusals(&question.slot));
        refusals
    }

    /// What is asked of the slot itself, whenever it is booked.
    pub(super) fn check_slot(
        &self,
        slot: &Slot,
        (calendar, closures): (&Calendar, &[Closure]),
    ) -> Vec<BookingRefusal> {
        let mut refusals = self.check_length(slot);
        let hits = closures.iter().filter(|closure| closure.hits(slot));
        refusals.extend(hits.map(closed));
        refusals.extend(self.check_hours(slot, calendar));
        refusals
    }

    /// What refuses every slot alike.
    pub fn check_offer(
        &self,
        mode: BookingMode,
        instrument: InstrumentFacts,
    ) -> Vec<BookingRefusal> {
        let mut refusals = Vec::new();
        if !instrument.is_bookable {
            refusals.push(BookingRefusal::InstrumentNotBookable);
        }
        if !instrument.is_shared_with_caller {
            refusals.push(BookingRefusal::NotExternallyShared);
        }
        if !self.modes.contains(&mode) {
            let offered = self.modes.clone();
            refusals.push(BookingRefusal::ModeNotOffered {
                offered,
                actual: mode,
            });
        }
        refusals
    }

    /// Distances are measured from now to the start, also the horizon.
    fn check_distance(&self, question: &Question) -> Vec<BookingRefusal> {
        let (now, actual) = (question.now, question.slot.starts_at());
        let (earliest_at, latest_at) = (self.earliest_start(now), self.latest_start(now));
        let mut refusals = Vec::new();
        if actual < now {
            refusals.push(BookingRefusal::InThePast { now, actual });
        }
        let asks_lead = question.stage == Stage::Request && self.lead_minutes > Minutes::ZERO;
        if asks_lead && actual < earliest_at {
            refusals.push(BookingRefusal::TooSoon {
                earliest_at,
                actual,
            });
        }
        if actual > latest_at {
            refusals.push(BookingRefusal::TooFarAhead { latest_at, actual });
        }
        refusals
    }

    fn check_length(&self, slot: &Slot) -> Vec<BookingRefusal> {
        let mut refusals = Vec::new();
        let mut ends = [slot.starts_at(), slot.ends_at()].into_iter();
        if let Some(actual) = ends.find(|end| !self.is_aligned(*end)) {
            let slot_minutes = self.slot_minutes;
            refusals.push(BookingRefusal::NotAligned {
                slot_minutes,
                actual,
            });
        }
        let shortest_end = slot.starts_at().plus(self.min_minutes);
        let longest_end = slot.starts_at().plus(self.max_minutes);
        let actual = slot.minutes();
        if slot.ends_at() < shortest_end {
            refusals.push(BookingRefusal::TooShort {
                limit: self.min_minutes,
                actual,
            });
        }
        if slot.ends_at() > longest_end {
            refusals.push(BookingRefusal::TooLong {
                limit: self.max_minutes,
                actual,
            });
        }
        refusals
    }

    /// A missing stretch on a day closed for its festival is the holiday's fault, any other the hours'. Looks at the first
    /// [`LONGEST`] of the slot; more is too long in any case.
    fn check_hours(&self, slot: &Slot, calendar: &Calendar) -> Vec<BookingRefusal> {
        let looked_at = Slot::new(slot.starts_at(), slot.starts_at().plus(LONGEST));
        let looked_at = looked_at
            .ok()
            .and_then(|most| overlap(slot, &most))
            .unwrap_or(*slot);
        let missing = Spans::from(looked_at).minus(&self.open_spans(calendar, &looked_at));
        let days: Vec<(NaiveDate, Slot)> = missing.iter().flat_map(by_day).collect();
        let is_holiday = |day: &&(NaiveDate, Slot)| self.is_closed_holiday(calendar, day.0);
        let holiday = days
            .iter()
            .find(is_holiday)
            .map(|(on, _)| BookingRefusal::PublicHoliday {
                on: *on,
                festival: calendar.holiday_on(*on).unwrap_or_default().to_owned(),
            });
        let outside = days
            .iter()
            .find(|day| !is_holiday(day))
            .map(|(on, missing)| {
                let open = whole_day(*on).map(|day| self.open_spans(calendar, &day).into_vec());
                BookingRefusal::OutsideOpeningHours {
                    missing: *missing,
                    open: open.unwrap_or_default(),
                }
            });
        holiday.into_iter().chain(outside).collect()
    }
}

fn closed(closure: &Closure) -> BookingRefusal {
    BookingRefusal::ClosedForMaintenance {
        starts_at: closure.time.starts_at(),
        ends_at: closure.time.ends_at(),
        kind: closure.kind,
        public_reason: closure.public_reason.clone(),
    }
}

/// The local days a span touches, each with its part of the span.
fn by_day(span: &Slot) -> impl Iterator<Item = (NaiveDate, Slot)> + use<> {
    let span = *span;
    let part = move |date| Some((date, overlap(&span, &whole_day(date)?)?));
    span.local_dates().filter_map(part)
}

fn whole_day(date: NaiveDate) -> Option<Slot> {
    Slot::new(
        Instant::at_midnight(date),
        Instant::at_midnight(date.succ_opt()?),
    )
    .ok()
}

#[cfg(test)]
mod tests;
