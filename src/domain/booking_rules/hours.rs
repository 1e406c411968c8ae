//! When an instrument is open: each local day is ruled by its special days, else by its holiday, else by the weekly hours.
//! A stretch belongs to the day on which it begins; past midnight it goes on only where the next day lets it.

use chrono::{Days, NaiveDate};

use super::clock_time::at_minute;
use super::{BookingRules, DaySpan, Holidays, SpecialDays, WeeklyHours};
use crate::domain::calendar::{Calendar, weekday};
use crate::domain::spans::Spans;
use crate::domain::time::Slot;

/// What decides the hours of a day.
#[derive(Clone, Copy)]
enum Ruling<'a> {
    Special(&'a SpecialDays),
    ClosedHoliday,
    /// The weekly hours of this day of the week.
    Weekly(u8),
}

impl Ruling<'_> {
    /// Whether hours that began the day before go on after midnight. A closed holiday and special days cut the weekly
    /// hours of the evening before (every touched day counts); special days go on into all but other special days.
    fn lets_in(self, evening: Ruling<'_>) -> bool {
        match (evening, self) {
            (_, Ruling::Weekly(_)) => true,
            (Ruling::Special(before), Ruling::Special(own)) => before.from_on == own.from_on,
            (Ruling::Special(_), Ruling::ClosedHoliday) => true,
            (Ruling::Weekly(_) | Ruling::ClosedHoliday, _) => false,
        }
    }
}

impl BookingRules {
    /// The open times within `window`, joined across midnight (22:00–24:00 and 00:00–06:00 are one span).
    pub fn open_spans(&self, calendar: &Calendar, window: &Slot) -> Spans {
        let mut open = Vec::new();
        let first = window.starts_at().local_date();
        let mut date = first.checked_sub_days(Days::new(1)).unwrap_or(first);
        let mut ruling = self.ruling(calendar, date);
        let last = window.ends_at().plus_seconds(-1).local_date();
        while date <= last {
            let Some(tomorrow) = date.succ_opt() else {
                break;
            };
            let next = self.ruling(calendar, tomorrow);
            let past_midnight = next.lets_in(ruling);
            self.open_on(date, ruling, past_midnight, &mut open);
            (date, ruling) = (tomorrow, next);
        }
        Spans::union(open).within(window)
    }

    /// Whether these rules keep the instrument closed on `date` because it is a public holiday.
    pub fn is_closed_holiday(&self, calendar: &Calendar, date: NaiveDate) -> bool {
        matches!(self.ruling(calendar, date), Ruling::ClosedHoliday)
    }

    fn ruling(&self, calendar: &Calendar, date: NaiveDate) -> Ruling<'_> {
        let covers = |days: &&SpecialDays| (days.from_on..=days.until_on).contains(&date);
        if let Some(special) = self.special_days.iter().find(covers) {
            return Ruling::Special(special);
        }
        if calendar.holiday_on(date).is_none() {
            return Ruling::Weekly(calendar.weekday_hours_of(date));
        }
        match (self.holidays, weekday(date)) {
            (Holidays::Closed, _) => Ruling::ClosedHoliday,
            (Holidays::AsWeekend, 1..=5) => Ruling::Weekly(7),
            (_, own) => Ruling::Weekly(own),
        }
    }

    fn open_on(
        &self,
        date: NaiveDate,
        ruling: Ruling<'_>,
        past_midnight: bool,
        open: &mut Vec<Slot>,
    ) {
        let mut add = |span: DaySpan| {
            let (from, until) = (span.from.minutes(), span.until.minutes());
            let until = if until <= from { until + 1440 } else { until };
            let until = if past_midnight {
                until
            } else {
                until.min(1440)
            };
            open.extend(Slot::new(at_minute(date, from), at_minute(date, until)));
        };
        match ruling {
            Ruling::ClosedHoliday => {}
            Ruling::Special(days) => days.spans.iter().copied().for_each(add),
            Ruling::Weekly(day) => {
                let today = |hours: &&WeeklyHours| hours.weekdays.contains(&day);
                let spans = self.weekly_hours.iter().filter(today);
                spans.for_each(|hours| {
                    add(DaySpan {
                        from: hours.from,
                        until: hours.until,
                    })
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{office_hours, weekly};
    use super::*;
    use crate::domain::calendar::tests::china;
    use crate::domain::time::Instant;

    /// The open spans of local days, written `MM-DD HH:MM–HH:MM` with the end's date only where it differs.
    fn open(rules: &BookingRules, from_on: &str, until_on: &str) -> Vec<String> {
        let midnight = |on: &str| Instant::at_midnight(on.parse().unwrap());
        let window = Slot::new(midnight(from_on), midnight(until_on)).unwrap();
        let spans = rules.open_spans(&china(), &window).into_vec();
        spans.iter().map(written).collect()
    }

    fn written(span: &Slot) -> String {
        let (from, until) = (span.starts_at().local(), span.ends_at().local());
        let end = if from.date() == until.date() {
            "%H:%M"
        } else {
            "%m-%d %H:%M"
        };
        format!("{}–{}", from.format("%m-%d %H:%M"), until.format(end))
    }

    fn with_hours(hours: &[&str]) -> BookingRules {
        let mut rules = office_hours();
        rules.weekly_hours = hours.iter().map(|text| weekly(text)).collect();
        rules
    }

    fn special(from_on: &str, until_on: &str, spans: &[(&str, &str)]) -> SpecialDays {
        let span = |(from, until): &(&str, &str)| DaySpan {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        };
        SpecialDays {
            from_on: from_on.parse().unwrap(),
            until_on: until_on.parse().unwrap(),
            spans: spans.iter().map(span).collect(),
        }
    }

    #[test]
    fn weekly_hours_return_and_join_across_midnight() {
        let week = open(&office_hours(), "2026-03-02", "2026-03-09");
        assert_eq!(week.len(), 5);
        assert_eq!(week[0], "03-02 09:00–18:00");
        let joined = with_hours(&["1-7 22:00-24:00", "1-7 00:00-06:00"]);
        assert_eq!(
            open(&joined, "2026-03-03", "2026-03-04"),
            ["03-03 00:00–06:00", "03-03 22:00–03-04 00:00"]
        );
        let over = with_hours(&["5 22:00-06:00"]);
        assert_eq!(
            open(&over, "2026-03-02", "2026-03-09"),
            ["03-06 22:00–03-07 06:00"]
        );
        assert_eq!(
            open(&over, "2026-03-07", "2026-03-08"),
            ["03-07 00:00–06:00"]
        );
        let always = with_hours(&["1-7 00:00-24:00"]);
        assert_eq!(open(&always, "2026-03-02", "2026-03-30").len(), 1);
        let until_midnight = with_hours(&["1 20:00-00:00"]);
        assert_eq!(
            open(&until_midnight, "2026-03-02", "2026-03-09"),
            ["03-02 20:00–03-03 00:00"]
        );
    }

    #[test]
    fn several_stretches_a_day_leave_the_gaps_closed() {
        let rules = with_hours(&["2 01:00-03:00", "2 07:00-09:00"]);
        let monday = Instant::at_midnight("2026-03-02".parse().unwrap());
        let week = Slot::new(monday, monday.plus(crate::domain::Minutes::new(7 * 1440))).unwrap();
        let closed = Spans::from(week).minus(&rules.open_spans(&china(), &week));
        let closed: Vec<String> = closed.iter().map(written).collect();
        assert_eq!(
            closed,
            [
                "03-02 00:00–03-03 01:00",
                "03-03 03:00–07:00",
                "03-03 09:00–03-09 00:00"
            ]
        );
    }

    #[test]
    fn holidays_close_open_or_count_as_weekend() {
        let mut rules = with_hours(&["1-5 09:00-18:00", "7 10:00-12:00"]);
        // Thursday 1 May to Monday 5 May 2025 are holidays; Sunday 27 April is worked.
        assert_eq!(
            open(&rules, "2025-04-27", "2025-04-28"),
            ["04-27 09:00–18:00"]
        );
        assert!(open(&rules, "2025-05-01", "2025-05-06").is_empty());
        rules.holidays = Holidays::Open;
        assert_eq!(
            open(&rules, "2025-05-02", "2025-05-05"),
            ["05-02 09:00–18:00", "05-04 10:00–12:00"]
        );
        rules.holidays = Holidays::AsWeekend;
        assert_eq!(
            open(&rules, "2025-05-02", "2025-05-05"),
            ["05-02 10:00–12:00", "05-04 10:00–12:00"]
        );
    }

    #[test]
    fn special_days_beat_holidays_and_weekly_hours() {
        let mut rules = office_hours();
        rules.special_days = vec![
            special("2025-05-01", "2025-05-01", &[("14:00", "16:00")]),
            special("2025-05-07", "2025-05-08", &[]),
        ];
        assert_eq!(
            open(&rules, "2025-05-01", "2025-05-10"),
            [
                "05-01 14:00–16:00",
                "05-06 09:00–18:00",
                "05-09 09:00–18:00"
            ]
        );
    }

    #[test]
    fn a_night_goes_on_only_where_the_next_day_lets_it() {
        let mut rules = with_hours(&["1-7 22:00-06:00"]);
        // Wednesday 30 April runs into the closed 1 May; Monday 5 May, closed, begins no night.
        assert_eq!(
            open(&rules, "2025-04-30", "2025-05-02"),
            ["04-30 00:00–06:00", "04-30 22:00–05-01 00:00"]
        );
        rules.special_days = vec![
            special("2025-05-01", "2025-05-02", &[("22:00", "06:00")]),
            special("2025-05-07", "2025-05-07", &[]),
        ];
        assert_eq!(
            open(&rules, "2025-05-01", "2025-05-04"),
            ["05-01 22:00–05-02 06:00", "05-02 22:00–05-03 06:00"]
        );
        assert_eq!(
            open(&rules, "2025-05-06", "2025-05-08"),
            ["05-06 22:00–05-07 00:00"]
        );
    }
}
