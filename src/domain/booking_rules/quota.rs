//! Quotas: how many bookings, or how many minutes of them, a person or a unit may have in a day, week, month or year, or ahead
//! of now, on an instrument or at its whole host. What a quota says stands here; what counts toward it is told in `tally`.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::booking::BookingMode;
use crate::domain::money::Minutes;
use crate::domain::time::{Instant, Slot};

crate::vocabulary! {
    /// Whose bookings count together.
    QuotaPer {
        /// The operator who is named, else who booked.
        Person = "person",
        Organization = "organization",
    }
}

crate::vocabulary! {
    /// The time in which bookings count together, by the local calendar; weeks begin on Monday.
    QuotaPeriod {
        Day = "day",
        Week = "week",
        Month = "month",
        Year = "year",
        /// All that have not begun.
        Ahead = "ahead",
    }
}

crate::vocabulary! {
    /// Where bookings count together.
    QuotaOver {
        Instrument = "instrument",
        /// Every instrument of the same host.
        Host = "host",
    }
}

/// A limit of bookings, of their minutes, or of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    pub per: QuotaPer,
    pub period: QuotaPeriod,
    #[serde(default = "of_instrument")]
    pub over: QuotaOver,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bookings: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_minutes: Option<Minutes>,
    /// Only bookings in these modes count and are limited; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modes: Option<Vec<BookingMode>>,
}

const fn of_instrument() -> QuotaOver {
    QuotaOver::Instrument
}

impl Quota {
    /// Whether bookings in this mode count and are limited.
    pub fn covers(&self, mode: BookingMode) -> bool {
        self.modes
            .as_ref()
            .is_none_or(|modes| modes.contains(&mode))
    }

    /// Whether it limits the same bookings as another.
    pub fn is_like(&self, other: &Quota) -> bool {
        let sorted = |quota: &Quota| {
            let mut modes = quota.modes.clone();
            if let Some(modes) = &mut modes {
                modes.sort_unstable();
            }
            modes
        };
        (self.per, self.period, self.over) == (other.per, other.period, other.over)
            && sorted(self) == sorted(other)
    }
}

impl QuotaPeriod {
    /// The first day of the period in which a day lies.
    fn first_day(self, day: NaiveDate) -> NaiveDate {
        let first = match self {
            Self::Day | Self::Ahead => Some(day),
            Self::Week => {
                let since_monday = u64::from(day.weekday().num_days_from_monday());
                day.checked_sub_days(Days::new(since_monday))
            }
            Self::Month => day.with_day(1),
            Self::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1),
        };
        first.unwrap_or(day)
    }

    /// The period that begins on this day.
    fn beginning_on(self, first: NaiveDate) -> Option<Slot> {
        let next = match self {
            Self::Day | Self::Ahead => first.succ_opt(),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
            Self::Year => first.checked_add_months(Months::new(12)),
        };
        Slot::new(Instant::at_midnight(first), Instant::at_midnight(next?)).ok()
    }

    /// The periods of the calendar in which a slot has a moment; none where the calendar does not count.
    pub fn touched_by(self, slot: &Slot) -> impl Iterator<Item = Slot> + use<> {
        let until = slot.ends_at();
        let first = (self != Self::Ahead).then(|| self.first_day(slot.starts_at().local_date()));
        let first = first.and_then(|day| self.beginning_on(day));
        let next = move |period: &Slot| self.beginning_on(period.ends_at().local_date());
        std::iter::successors(first, next).take_while(move |period| period.starts_at() < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(period: QuotaPeriod, from: &str, until: &str) -> Vec<String> {
        let at = |text: &str| -> Instant { format!("{text}:00+08:00").parse().unwrap() };
        let slot = Slot::new(at(from), at(until)).unwrap();
        let days = |period: Slot| {
            let (from, until) = (period.starts_at(), period.ends_at());
            format!("{}/{}", from.local_date(), until.local_date())
        };
        period.touched_by(&slot).map(days).collect()
    }

    #[test]
    fn a_slot_touches_the_periods_in_which_it_has_a_minute() {
        use QuotaPeriod::{Ahead, Day, Month, Week, Year};
        for (period, from, until, expected) in [
            (
                Day,
                "2026-03-02T23:00",
                "2026-03-03T00:00",
                "2026-03-02/2026-03-03",
            ),
            (
                Day,
                "2026-03-02T23:00",
                "2026-03-03T00:01",
                "2026-03-02/2026-03-03 2026-03-03/2026-03-04",
            ),
            (
                Week,
                "2026-03-02T00:00",
                "2026-03-08T24:00",
                "2026-03-02/2026-03-09",
            ),
            (
                Week,
                "2026-03-01T23:59",
                "2026-03-02T00:00",
                "2026-02-23/2026-03-02",
            ),
            (
                Month,
                "2026-07-30T10:00",
                "2026-08-03T10:00",
                "2026-07-01/2026-08-01 2026-08-01/2026-09-01",
            ),
            (
                Year,
                "2026-12-31T22:00",
                "2027-01-01T00:00",
                "2026-01-01/2027-01-01",
            ),
            (
                Year,
                "2026-12-31T22:00",
                "2027-01-01T06:00",
                "2026-01-01/2027-01-01 2027-01-01/2028-01-01",
            ),
            (Ahead, "2026-03-02T10:00", "2026-03-02T12:00", ""),
        ] {
            let until = until.replace("08T24:00", "09T00:00");
            let found = touched(period, from, &until).join(" ");
            assert_eq!(found, expected, "{period} {from} {until}");
        }
    }

    #[test]
    fn quotas_are_alike_when_they_limit_the_same_bookings() {
        let read = |json: &str| serde_json::from_str::<Quota>(json).unwrap();
        let one = read(r#"{"per":"person","period":"day","max_bookings":1}"#);
        assert_eq!(one.over, QuotaOver::Instrument);
        let other = read(r#"{"per":"person","period":"day","over":"instrument","max_minutes":60}"#);
        assert!(one.is_like(&other));
        let guided = read(r#"{"per":"person","period":"day","max_bookings":1,"modes":["guided"]}"#);
        assert!(!one.is_like(&guided) && guided.covers(BookingMode::Guided));
        assert!(!guided.covers(BookingMode::Entrusted) && one.covers(BookingMode::Entrusted));
        assert!(serde_json::from_str::<Quota>(r#"{"per":"person"}"#).is_err());
    }
}
