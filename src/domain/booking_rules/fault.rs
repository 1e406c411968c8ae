//! Whether booking rules make sense: every fault at once, each with its field, code, limit and actual value.

use super::quota::Quota;
use super::{BookingRules, ClockTime, DaySpan, OfClass, SpecialDays};
use crate::domain::fault::Location;
use crate::domain::money::Minutes;
use crate::domain::tariff::CustomerClass;
use crate::domain::{Code, Fault};

/// No booking is longer than 31 days.
pub const LONGEST: Minutes = Minutes::new(31 * 1440);

/// An instrument has at most so many quotas.
const QUOTAS_MAX: i64 = 20;

/// The faults found so far. What breaks several rules of one field is told of each.
#[derive(Default)]
struct Found(Vec<Fault>);

impl Found {
    fn add(&mut self, field: impl Into<String>, code: Code) {
        self.0.push(Fault::field(field, code));
    }

    fn add_limit(&mut self, field: impl Into<String>, code: Code, limit: i64, actual: i64) {
        self.0
            .push(Fault::field(field, code).limit(limit).actual(actual));
    }

    /// The limit named is the one that is broken.
    fn range(&mut self, field: impl Into<String>, bounds: (i64, i64), actual: i64) {
        let nearest = actual.clamp(bounds.0, bounds.1);
        if nearest != actual {
            self.add_limit(field, Code::out_of_range, nearest, actual);
        }
    }

    fn count(&mut self, field: impl Into<String>, limit: i64, actual: usize) {
        let actual = i64::try_from(actual).unwrap_or(i64::MAX);
        if actual > limit {
            self.add_limit(field, Code::too_many, limit, actual);
        }
    }

    /// Some words, each once.
    fn words<T: PartialEq>(&mut self, field: &str, words: &[T]) {
        if words.is_empty() {
            self.add(field, Code::missing);
        }
        let repeated = |(at, word)| words.iter().take(at).any(|earlier| earlier == word);
        if words.iter().enumerate().any(repeated) {
            self.add(field, Code::duplicate);
        }
    }

    /// Quotas that limit something, leave room for the shortest booking, and do not say two things of the same bookings.
    fn quotas(&mut self, field: &str, quotas: &[Quota], shortest: Minutes) {
        self.count(field, QUOTAS_MAX, quotas.len());
        for (at, quota) in quotas.iter().enumerate() {
            let path = format!("{field}[{at}]");
            if quota.max_bookings.is_none() && quota.max_minutes.is_none() {
                self.add(format!("{path}.max_bookings"), Code::missing);
            }
            if let Some(bookings) = quota.max_bookings {
                self.range(
                    format!("{path}.max_bookings"),
                    (1, 100_000),
                    i64::from(bookings),
                );
            }
            if let Some(minutes) = quota.max_minutes.map(Minutes::number) {
                let field = format!("{path}.max_minutes");
                self.range(&field, (1, 1_000_000), minutes);
                if (1..shortest.number()).contains(&minutes) {
                    self.add_limit(field, Code::min_above_max, minutes, shortest.number());
                }
            }
            if let Some(modes) = &quota.modes {
                self.words(&format!("{path}.modes"), modes);
            }
            if quotas.iter().take(at).any(|earlier| earlier.is_like(quota)) {
                self.add(path, Code::duplicate);
            }
        }
    }

    /// `from` must not equal `until`, nor begin at 24:00.
    fn span(&mut self, path: &str, span: DaySpan) {
        if span.from == span.until || span.from == ClockTime::MIDNIGHT {
            self.add(format!("{path}.from"), Code::empty_span);
        }
    }
}

impl BookingRules {
    /// Everything that is wrong with these rules, in the order of the fields.
    pub fn validate(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Found::default();
        faults.range(
            "approval_due_working_days",
            (1, 30),
            i64::from(self.approval_due_working_days),
        );
        self.weekly_faults(&mut faults);
        self.special_faults(&mut faults);
        self.length_faults(&mut faults);
        self.distance_faults(&mut faults);
        self.mode_faults(&mut faults);
        faults.quotas("quotas", &self.quotas, self.min_minutes);
        for (class, said) in &self.class_rules {
            self.class_faults(*class, said, &mut faults);
        }
        if faults.0.is_empty() {
            Ok(())
        } else {
            Err(faults.0)
        }
    }

    fn weekly_faults(&self, faults: &mut Found) {
        faults.count("weekly_hours", 100, self.weekly_hours.len());
        for (at, hours) in self.weekly_hours.iter().enumerate() {
            let path = format!("weekly_hours[{at}]");
            let field = format!("{path}.weekdays");
            if hours.weekdays.is_empty() {
                faults.add(&field, Code::missing);
            }
            faults.count(&field, 7, hours.weekdays.len());
            for day in &hours.weekdays {
                faults.range(&field, (1, 7), i64::from(*day));
            }
            faults.span(
                &path,
                DaySpan {
                    from: hours.from,
                    until: hours.until,
                },
            );
        }
    }

    fn special_faults(&self, faults: &mut Found) {
        faults.count("special_days", 400, self.special_days.len());
        for (at, days) in self.special_days.iter().enumerate() {
            let path = format!("special_days[{at}]");
            let length = (days.until_on - days.from_on).num_days() + 1;
            if length < 1 {
                faults.add(format!("{path}.until_on"), Code::reversed);
            } else {
                faults.range(format!("{path}.until_on"), (1, 366), length);
            }
            let shares_a_day = |earlier: &SpecialDays| {
                earlier.from_on <= days.until_on && days.from_on <= earlier.until_on
            };
            if self.special_days.iter().take(at).any(shares_a_day) {
                faults.add(&path, Code::overlapping);
            }
            faults.count(format!("{path}.spans"), 24, days.spans.len());
            for (nth, span) in days.spans.iter().enumerate() {
                faults.span(&format!("{path}.spans[{nth}]"), *span);
            }
        }
    }

    fn length_faults(&self, faults: &mut Found) {
        let [slot, min, max] =
            [self.slot_minutes, self.min_minutes, self.max_minutes].map(Minutes::number);
        faults.range("slot_minutes", (1, 1440), slot);
        let grid = slot.clamp(1, 1440);
        if 1440 % grid != 0 {
            faults.add_limit("slot_minutes", Code::not_divisor_of_day, 1440, slot);
        }
        for (field, length) in [("min_minutes", min), ("max_minutes", max)] {
            faults.range(field, (1, LONGEST.number()), length);
            if length % grid != 0 {
                faults.add_limit(field, Code::not_multiple_of_slot, grid, length);
            }
        }
        if min > max {
            faults.add_limit("min_minutes", Code::min_above_max, max, min);
        }
    }

    fn distance_faults(&self, faults: &mut Found) {
        let horizon = i64::from(self.horizon_days);
        let lead = self.lead_minutes.number();
        faults.range("lead_minutes", (0, 90 * 1440), lead);
        faults.range("horizon_days", (1, 730), horizon);
        if lead > horizon * 1440 {
            faults.add_limit(
                "lead_minutes",
                Code::lead_beyond_horizon,
                horizon * 1440,
                lead,
            );
        }
        for (field, minutes, most) in [
            ("setup_minutes", self.setup_minutes, 1440),
            ("cleanup_minutes", self.cleanup_minutes, 1440),
            (
                "cancel_before_minutes",
                self.cancel_before_minutes,
                30 * 1440,
            ),
            ("no_show_after_minutes", self.no_show_after_minutes, 1440),
            ("gap_minutes", self.gap_minutes, 30 * 1440),
            ("hold_minutes", self.hold_minutes, 60),
            (
                "change_before_minutes",
                self.change_before_minutes,
                30 * 1440,
            ),
        ] {
            faults.range(field, (0, most), minutes.number());
        }
    }

    fn mode_faults(&self, faults: &mut Found) {
        faults.words("modes", &self.modes);
    }

    /// What is wrong with the rules of a class, as they are with the rest of the rules.
    fn class_faults(&self, class: CustomerClass, said: &OfClass, faults: &mut Found) {
        let path = |field: &str| format!("class_rules.{class}.{field}");
        let rules = self.of_class(class);
        let mut found = Found::default();
        if said.lead_minutes.is_some() || said.horizon_days.is_some() {
            rules.distance_faults(&mut found);
        }
        if said.max_minutes.is_some() {
            rules.length_faults(&mut found);
        }
        let own = |fault: &Fault| match fault.name() {
            "lead_minutes" => {
                fault.code == Code::lead_beyond_horizon || said.lead_minutes.is_some()
            }
            "horizon_days" => said.horizon_days.is_some(),
            "max_minutes" => true,
            "min_minutes" => fault.code == Code::min_above_max,
            _ => false,
        };
        for mut fault in found.0.into_iter().filter(own) {
            // Where the class says the longest, that is what contradicts the shortest of all.
            let field = match fault.name() {
                "min_minutes" => "max_minutes",
                "lead_minutes" if said.lead_minutes.is_none() => "horizon_days",
                name => name,
            };
            fault.place = Location::Field(path(field));
            faults.0.push(fault);
        }
        if let Some(quotas) = &said.quotas {
            faults.quotas(&path("quotas"), quotas, self.min_minutes);
        }
    }
}

#[cfg(test)]
mod tests;
