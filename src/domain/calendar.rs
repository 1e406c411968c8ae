//! Working days and public holidays, as data: which days are holidays, which weekend days are worked instead, and the
//! deadlines counted in working days. Years without data know weekends only. Opening hours are decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate};

use super::code::Code;
use super::fault::{Fault, Faults};
use super::time::Instant;

crate::vocabulary! {
    /// What the yearly notice of the State Council makes of a day.
    DayKind {
        Holiday = "holiday",
        /// A weekend day worked in exchange for a holiday (调休).
        Workday = "workday",
    }
}

/// One row of the holiday list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDay {
    pub on: NaiveDate,
    pub kind: DayKind,
    pub festival: String,
}

/// The longest name of a festival, in letters.
const FESTIVAL_CHARS: usize = 40;

/// A year of the calendar that can have a list: four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Year(i32);

impl Year {
    pub const fn number(self) -> i32 {
        self.0
    }

    pub fn first(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.0, 1, 1).unwrap_or(NaiveDate::MIN)
    }

    pub fn last(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.0, 12, 31).unwrap_or(NaiveDate::MAX)
    }

    /// Its first moment in the platform's zone, and the first one after it.
    pub fn span(self) -> (Instant, Instant) {
        let next = self.last().succ_opt().unwrap_or(NaiveDate::MAX);
        (
            Instant::at_midnight(self.first()),
            Instant::at_midnight(next),
        )
    }

    /// Every rule of the list of this year: its own days, each once, each with the festival it is for.
    pub fn check(self, days: &[CalendarDay]) -> Result<(), Vec<Fault>> {
        let mut faults = Faults::new();
        let mut known = BTreeSet::new();
        for (number, day) in days.iter().enumerate() {
            let field = |name: &str| format!("items[{number}].{name}");
            faults.date(&field("on"), Some(day.on), self.first(), self.last());
            if !known.insert(day.on) {
                let fault = Fault::field(field("on"), Code::duplicate);
                faults.push(fault.actual(day.on));
            }
            faults.text(&field("festival"), &day.festival, FESTIVAL_CHARS);
        }
        faults.into_result()
    }
}

/// Not a year that can have a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a year from 2000 to 2199")]
pub struct NotAYear;

impl std::str::FromStr for Year {
    type Err = NotAYear;

    fn from_str(text: &str) -> Result<Self, NotAYear> {
        let is_plain = text.len() == 4 && text.bytes().all(|digit| digit.is_ascii_digit());
        let year = text.parse().ok().filter(|_| is_plain).ok_or(NotAYear)?;
        (2_000..=2_199)
            .contains(&year)
            .then_some(Self(year))
            .ok_or(NotAYear)
    }
}

/// The holidays and make-up working days of the years for which there is data.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    days: BTreeMap<NaiveDate, (DayKind, String)>,
}

impl Calendar {
    /// A day listed twice keeps its last row.
    pub fn new(rows: impl IntoIterator<Item = CalendarDay>) -> Self {
        let days = rows
            .into_iter()
            .map(|row| (row.on, (row.kind, row.festival)));
        Self {
            days: days.collect(),
        }
    }

    /// Days whose festivals nobody asks for.
    pub fn of_days(days: &BTreeMap<NaiveDate, DayKind>) -> Self {
        let days = days.iter().map(|(on, kind)| (*on, (*kind, String::new())));
        Self {
            days: days.collect(),
        }
    }

    /// What the list says of each day from `first` to `last`, in their order.
    pub fn days_within(&self, first: NaiveDate, last: NaiveDate) -> BTreeMap<NaiveDate, DayKind> {
        let days = self.days.range(first..=last);
        days.map(|(on, (kind, _))| (*on, *kind)).collect()
    }

    /// What the list says of a year, in the order of its days.
    pub fn days_of(&self, year: Year) -> Vec<CalendarDay> {
        let days = self.days.range(year.first()..=year.last());
        days.map(|(on, (kind, festival))| CalendarDay {
            on: *on,
            kind: *kind,
            festival: festival.clone(),
        })
        .collect()
    }

    /// The years from `first` to `last` of which the list says nothing: they know weekends only.
    pub fn unknown_years(&self, first: NaiveDate, last: NaiveDate) -> Vec<i32> {
        let is_unknown = |year: &i32| {
            let days = Year(*year);
            self.days.range(days.first()..=days.last()).next().is_none()
        };
        (first.year()..=last.year()).filter(is_unknown).collect()
    }

    /// The festival for which `date` is a public holiday.
    pub fn holiday_on(&self, date: NaiveDate) -> Option<&str> {
        match self.days.get(&date) {
            Some((DayKind::Holiday, festival)) => Some(festival),
            _ => None,
        }
    }

    pub fn is_working_day(&self, date: NaiveDate) -> bool {
        match self.days.get(&date) {
            Some((kind, _)) => *kind == DayKind::Workday,
            None => weekday(date) <= 5,
        }
    }

    /// The weekday (1 Monday to 7 Sunday) whose hours `date` has: a make-up working day on a weekend has Monday's.
    pub fn weekday_hours_of(&self, date: NaiveDate) -> u8 {
        match weekday(date) {
            6 | 7 if self.is_working_day(date) => 1,
            own => own,
        }
    }

    /// The `count`-th working day after `date`; the first working day after it is day 1, and day 0 is `date` itself.
    pub fn add_working_days(&self, date: NaiveDate, count: u32) -> NaiveDate {
        match usize::try_from(count).ok().and_then(|n| n.checked_sub(1)) {
            None => date,
            Some(before) => date
                .iter_days()
                .skip(1)
                .filter(|day| self.is_working_day(*day))
                .nth(before)
                .unwrap_or(NaiveDate::MAX),
        }
    }

    /// The midnight that ends the `count`-th working day after the local day of `received_at`: a deadline of `count`
    /// working days is kept by whatever happens before it.
    pub fn end_of_working_day(&self, received_at: Instant, count: u32) -> Instant {
        let last = self.add_working_days(received_at.local_date(), count);
        Instant::at_midnight(last.checked_add_days(Days::new(1)).unwrap_or(last))
    }
}

/// 1 Monday to 7 Sunday.
pub(crate) fn weekday(date: NaiveDate) -> u8 {
    u8::try_from(date.weekday().number_from_monday()).unwrap_or(7)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The real holidays, from the seed file.
    pub(crate) fn china() -> Calendar {
        let rows = include_str!("../../seeds/public_holidays.csv")
            .lines()
            .skip(1);
        Calendar::new(rows.map(|row| {
            let mut cells = row.splitn(3, ',');
            CalendarDay {
                on: cells.next().unwrap().parse().unwrap(),
                kind: cells.next().unwrap().parse().unwrap(),
                festival: cells.next().unwrap().to_owned(),
            }
        }))
    }

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_year_without_data_is_told_from_one_without_a_listed_day_at_hand() {
        let unknown = |first: &str, last: &str| {
            china().unknown_years(first.parse().unwrap(), last.parse().unwrap())
        };
        assert_eq!(unknown("2025-03-03", "2025-03-03"), [0; 0]);
        assert_eq!(unknown("2026-12-31", "2028-01-01"), [2027, 2028]);
        for (text, fits) in [
            ("2026", true),
            ("1999", false),
            ("2200", false),
            ("02026", false),
            ("+202", false),
        ] {
            assert_eq!(text.parse::<Year>().is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn a_list_has_the_days_of_its_year_each_once() {
        let day = |on: &str, festival: &str| CalendarDay {
            on: on.parse().unwrap(),
            kind: DayKind::Holiday,
            festival: festival.to_owned(),
        };
        let faults = |days: &[CalendarDay]| -> Vec<(String, &str)> {
            let found = "2027".parse::<Year>().unwrap().check(days);
            let found = found.err().unwrap_or_default().into_iter();
            found
                .map(|fault| (fault.name().to_owned(), fault.code.as_str()))
                .collect()
        };
        assert_eq!(faults(&[]), []);
        assert_eq!(
            faults(&[day("2027-01-01", "元旦"), day("2027-12-31", "元旦")]),
            []
        );
        let wrong = [
            day("2026-12-31", "元旦"),
            day("2027-01-01", " "),
            day("2027-01-01", "元旦"),
        ];
        let expected = [
            ("items[0].on", "out_of_range"),
            ("items[1].festival", "required"),
            ("items[2].on", "duplicate"),
        ];
        assert_eq!(
            faults(&wrong),
            expected.map(|(name, code)| (name.to_owned(), code))
        );
    }

    #[test]
    fn holidays_and_make_up_days_beat_weekends() {
        for (date, working, hours) in [
            ("2025-09-28", true, 1),  // Sunday, worked before National Day
            ("2025-09-30", true, 2),  // an ordinary Tuesday
            ("2025-10-01", false, 3), // National Day, a Wednesday
            ("2025-10-04", false, 6), // a holiday on a Saturday
            ("2025-10-11", true, 1),  // Saturday, worked after it
            ("2025-10-12", false, 7), // an ordinary Sunday
            ("2031-10-01", true, 3),  // no data: weekends only
            ("2031-10-04", false, 6),
        ] {
            assert_eq!(china().is_working_day(on(date)), working, "{date}");
            assert_eq!(china().weekday_hours_of(on(date)), hours, "{date}");
        }
        assert_eq!(china().holiday_on(on("2025-05-01")), Some("Labour Day"));
        assert_eq!(china().holiday_on(on("2025-09-28")), None);
    }

    #[test]
    fn the_day_after_is_day_one() {
        for (from, count, to) in [
            ("2026-03-02", 0, "2026-03-02"),
            ("2026-03-02", 1, "2026-03-03"),
            ("2026-03-06", 1, "2026-03-09"),
            ("2026-03-07", 1, "2026-03-09"),
            ("2026-03-04", 3, "2026-03-09"),
            ("2025-09-30", 3, "2025-10-11"), // holidays 1–8 Oct; 9, 10 and the worked Saturday 11
        ] {
            assert_eq!(
                china().add_working_days(on(from), count),
                on(to),
                "{from} + {count}"
            );
        }
    }

    #[test]
    fn a_deadline_is_the_local_end_of_its_day() {
        let received_at = "2026-03-05T23:59:59+08:00".parse().unwrap();
        let due_at = china().end_of_working_day(received_at, 3);
        assert_eq!(due_at.to_string(), "2026-03-11T00:00:00+08:00");
        let one_second_later = received_at.plus_seconds(1);
        assert_eq!(
            china().end_of_working_day(one_second_later, 3).to_string(),
            "2026-03-12T00:00:00+08:00"
        );
    }
}
