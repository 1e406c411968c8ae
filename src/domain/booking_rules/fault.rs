//! Whether booking rules make sense: every fault at once, each with its field, code, limit and actual value.

use super::{BookingRules, ClockTime, DaySpan, SpecialDays};
use crate::domain::money::Minutes;
use crate::domain::{Code, Fault};

/// No booking is longer than 31 days.
pub const LONGEST: Minutes = Minutes::new(31 * 1440);

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
        ] {
            faults.range(field, (0, most), minutes.number());
        }
    }

    fn mode_faults(&self, faults: &mut Found) {
        if self.modes.is_empty() {
            faults.add("modes", Code::missing);
        }
        let repeated = |(at, mode)| self.modes.iter().take(at).any(|earlier| earlier == mode);
        if self.modes.iter().enumerate().any(repeated) {
            faults.add("modes", Code::duplicate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::WeeklyHours;
    use super::super::tests::weekly;
    use super::*;
    use crate::domain::booking::BookingMode;

    fn faults(change: impl FnOnce(&mut BookingRules)) -> Vec<String> {
        let mut rules = BookingRules::default();
        change(&mut rules);
        let faults = rules.validate().err().unwrap_or_default();
        let told = |fault: &Fault| format!("{}: {}", fault.name(), fault.code);
        faults.iter().map(told).collect()
    }

    fn special(from_on: &str, until_on: &str) -> SpecialDays {
        SpecialDays {
            from_on: from_on.parse().unwrap(),
            until_on: until_on.parse().unwrap(),
            spans: Vec::new(),
        }
    }

    #[test]
    fn numbers_stay_in_their_bounds() {
        type Change = fn(&mut BookingRules, i64);
        let table: [(&str, i64, i64, Change); 7] = [
            ("approval_due_working_days", 1, 30, |r, n| {
                r.approval_due_working_days = n.try_into().unwrap()
            }),
            ("horizon_days", 1, 730, |r, n| {
                r.horizon_days = n.try_into().unwrap()
            }),
            ("lead_minutes", 0, 129_600, |r, n| {
                r.lead_minutes = Minutes::new(n)
            }),
            ("setup_minutes", 0, 1440, |r, n| {
                r.setup_minutes = Minutes::new(n)
            }),
            ("cleanup_minutes", 0, 1440, |r, n| {
                r.cleanup_minutes = Minutes::new(n)
            }),
            ("cancel_before_minutes", 0, 43_200, |r, n| {
                r.cancel_before_minutes = Minutes::new(n)
            }),
            ("no_show_after_minutes", 0, 1440, |r, n| {
                r.no_show_after_minutes = Minutes::new(n)
            }),
        ];
        for (field, least, most, change) in table {
            let expected = format!("{field}: out_of_range");
            assert!(faults(|r| change(r, least)).is_empty(), "{field} {least}");
            assert!(
                !faults(|r| change(r, most)).contains(&expected),
                "{field} {most}"
            );
            assert!(
                faults(|r| change(r, most + 1)).contains(&expected),
                "{field}"
            );
            if least == 0 {
                assert_eq!(faults(|r| change(r, -1)), [expected]);
            }
        }
    }

    #[test]
    fn the_limit_named_is_the_one_that_is_broken() {
        let rules = BookingRules {
            horizon_days: 731,
            ..BookingRules::default()
        };
        let fault = rules.validate().unwrap_err().remove(0);
        assert_eq!(
            (fault.limit, fault.actual),
            (Some(730.into()), Some(731.into()))
        );
    }

    #[test]
    fn lengths_fit_each_other_and_the_grid() {
        let lengths = |slot, min, max| {
            faults(|rules| {
                rules.slot_minutes = Minutes::new(slot);
                rules.min_minutes = Minutes::new(min);
                rules.max_minutes = Minutes::new(max);
            })
        };
        assert!(lengths(15, 15, 15).is_empty());
        assert!(lengths(1440, 1440, 44_640).is_empty());
        assert_eq!(lengths(30, 90, 30), ["min_minutes: min_above_max"]);
        assert_eq!(
            lengths(30, 45, 100),
            [
                "min_minutes: not_multiple_of_slot",
                "max_minutes: not_multiple_of_slot"
            ]
        );
        assert_eq!(lengths(7, 7, 14), ["slot_minutes: not_divisor_of_day"]);
        assert_eq!(
            lengths(0, 0, 0),
            [
                "slot_minutes: out_of_range",
                "min_minutes: out_of_range",
                "max_minutes: out_of_range"
            ]
        );
        assert_eq!(lengths(30, 30, 44_670), ["max_minutes: out_of_range"]);
    }

    #[test]
    fn hours_and_days_are_never_empty_reversed_or_double() {
        let hours = |hours: WeeklyHours| faults(|rules| rules.weekly_hours = vec![hours]);
        assert!(hours(weekly("1-7 22:00-06:00")).is_empty());
        assert!(hours(weekly("1-7 00:00-24:00")).is_empty());
        assert_eq!(
            hours(weekly("1 09:00-09:00")),
            ["weekly_hours[0].from: empty_span"]
        );
        assert_eq!(
            hours(weekly("1 24:00-09:00")),
            ["weekly_hours[0].from: empty_span"]
        );
        assert_eq!(
            hours(weekly("0-1 09:00-10:00")),
            ["weekly_hours[0].weekdays: out_of_range"]
        );
        assert_eq!(
            hours(weekly("7-8 09:00-10:00")),
            ["weekly_hours[0].weekdays: out_of_range"]
        );
        assert_eq!(
            hours(WeeklyHours {
                weekdays: vec![],
                ..weekly("1 09:00-10:00")
            }),
            ["weekly_hours[0].weekdays: missing"]
        );
        let days = |days: Vec<SpecialDays>| faults(|rules| rules.special_days = days);
        assert_eq!(
            days(vec![special("2026-03-02", "2026-03-01")]),
            ["special_days[0].until_on: reversed"]
        );
        assert_eq!(
            days(vec![special("2026-03-02", "2027-03-03")]),
            ["special_days[0].until_on: out_of_range"]
        );
        assert_eq!(
            days(vec![
                special("2026-03-02", "2026-03-05"),
                special("2026-03-05", "2026-03-06")
            ]),
            ["special_days[1]: overlapping"]
        );
        assert!(days(vec![special("2026-03-02", "2026-03-02")]).is_empty());
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let told = faults(|rules| {
            rules.modes = vec![];
            rules.horizon_days = 0;
            rules.min_minutes = Minutes::new(600);
            rules.weekly_hours = vec![weekly("1 09:00-09:00")];
        });
        assert_eq!(
            told,
            [
                "weekly_hours[0].from: empty_span",
                "min_minutes: min_above_max",
                "horizon_days: out_of_range",
                "lead_minutes: lead_beyond_horizon",
                "modes: missing",
            ]
        );
        assert_eq!(
            faults(|r| r.modes = vec![BookingMode::Guided; 2]),
            ["modes: duplicate"]
        );
    }
}
