//! Instants and slots. An [`Instant`] is a whole second in UTC, written with the platform's offset; a [`Slot`] is a half-open,
//! never empty interval. Two instants never stand side by side in a signature: they travel as a slot.

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::money::Minutes;

/// The zone in which days, opening hours and years are counted.
pub const ZONE: Tz = chrono_tz::Asia::Shanghai;

/// Reads a date from JSON: `YYYY-MM-DD` and nothing else, in the years an [`Instant`] can lie in. For
/// `#[serde(deserialize_with)]`; chrono alone takes `2026-3-1` and `+12345-01-01` too.
pub fn read_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_date(&text).ok_or_else(|| D::Error::custom(NOT_A_DATE))
}

/// As [`read_date`], of a date that may be null; give it `#[serde(default)]` too where it may be absent.
pub fn read_optional_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<NaiveDate>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let date = text.map(|text| parse_date(&text).ok_or_else(|| D::Error::custom(NOT_A_DATE)));
    date.transpose()
}

const NOT_A_DATE: &str = "a date is written like 2026-03-01, in the years 1900 to 2199";

fn parse_date(text: &str) -> Option<NaiveDate> {
    let date: NaiveDate = text.parse().ok()?;
    let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    (is_plain && (1900..=2199).contains(&date.year())).then_some(date)
}

/// A moment: whole seconds, stored in UTC, years 1900 to 2199.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Instant(NaiveDateTime);

/// Why a text or number is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnInstant {
    #[error("an instant is written like 2026-03-01T09:00:00+08:00, with its offset")]
    Unparsable,
    #[error("an instant has whole seconds")]
    Fraction,
    #[error("an instant lies in the years 1900 to 2199")]
    OutOfRange,
}

impl Instant {
    /// The second that contains `moment`.
    pub fn from_utc(moment: DateTime<Utc>) -> Self {
        Self(
            moment
                .naive_utc()
                .with_nanosecond(0)
                .unwrap_or(moment.naive_utc()),
        )
    }

    /// The moment as UTC without a zone: the form the databases hold.
    pub const fn naive_utc(self) -> NaiveDateTime {
        self.0
    }

    /// The inverse of [`Instant::naive_utc`]; drops fractions of a second.
    pub fn from_naive_utc(moment: NaiveDateTime) -> Self {
        Self::from_utc(moment.and_utc())
    }

    /// Midnight that begins `date` in [`ZONE`].
    pub fn at_midnight(date: NaiveDate) -> Self {
        Self::at_local(date.and_time(chrono::NaiveTime::MIN))
    }

    /// A wall-clock time in [`ZONE`]; in a gap (none since 1991) the first moment after it.
    pub fn at_local(wall: NaiveDateTime) -> Self {
        match ZONE.from_local_datetime(&wall).earliest() {
            Some(moment) => Self(moment.naive_utc()),
            None => Self(wall - TimeDelta::hours(8)),
        }
    }

    /// The wall clock in [`ZONE`].
    pub fn local(self) -> NaiveDateTime {
        ZONE.from_utc_datetime(&self.0).naive_local()
    }

    /// The date on the wall in [`ZONE`].
    pub fn local_date(self) -> NaiveDate {
        self.local().date()
    }

    /// This moment moved by `minutes` (negative: earlier); saturates at the ends of the calendar.
    pub fn plus(self, minutes: Minutes) -> Self {
        let end = if minutes.number() < 0 {
            NaiveDateTime::MIN
        } else {
            NaiveDateTime::MAX
        };
        let moved = TimeDelta::try_minutes(minutes.number())
            .and_then(|delta| self.0.checked_add_signed(delta));
        Self(moved.unwrap_or(end))
    }

    /// This moment moved by `seconds`.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let moved =
            TimeDelta::try_seconds(seconds).and_then(|delta| self.0.checked_add_signed(delta));
        Self(moved.unwrap_or(self.0))
    }

    /// Seconds since 1970 in UTC, as tokens carry them.
    pub fn unix_seconds(self) -> i64 {
        self.0.and_utc().timestamp()
    }

    /// Whole minutes from `earlier` to this moment, rounded down.
    pub fn minutes_since(self, earlier: Instant) -> Minutes {
        Minutes::new((self.0 - earlier.0).num_seconds().div_euclid(60))
    }
}

impl AsRef<NaiveDateTime> for Instant {
    fn as_ref(&self) -> &NaiveDateTime {
        &self.0
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            &ZONE
                .from_utc_datetime(&self.0)
                .to_rfc3339_opts(SecondsFormat::Secs, false),
        )
    }
}

impl std::str::FromStr for Instant {
    type Err = NotAnInstant;

    fn from_str(text: &str) -> Result<Self, NotAnInstant> {
        let moment = DateTime::parse_from_rfc3339(text)
            .map_err(|_| NotAnInstant::Unparsable)?
            .naive_utc();
        if moment.nanosecond() != 0 {
            return Err(NotAnInstant::Fraction);
        }
        if !(1900..=2199).contains(&moment.year()) {
            return Err(NotAnInstant::OutOfRange);
        }
        Ok(Self(moment))
    }
}

impl TryFrom<String> for Instant {
    type Error = NotAnInstant;
    fn try_from(text: String) -> Result<Self, NotAnInstant> {
        text.parse()
    }
}

impl From<Instant> for String {
    fn from(instant: Instant) -> String {
        instant.to_string()
    }
}

/// A half-open interval `[starts_at, ends_at)`, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    starts_at: Instant,
    ends_at: Instant,
}

/// An interval that does not end after it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the end must be after the start")]
pub struct EmptySlot;

impl Slot {
    pub fn new(starts_at: Instant, ends_at: Instant) -> Result<Self, EmptySlot> {
        if starts_at < ends_at {
            Ok(Self { starts_at, ends_at })
        } else {
            Err(EmptySlot)
        }
    }

    pub const fn starts_at(&self) -> Instant {
        self.starts_at
    }

    pub const fn ends_at(&self) -> Instant {
        self.ends_at
    }

    pub fn minutes(&self) -> Minutes {
        self.ends_at.minutes_since(self.starts_at)
    }

    /// Touching is no overlap: 10–11 and 11–12 do not overlap.
    pub fn overlaps(&self, other: &Slot) -> bool {
        self.starts_at < other.ends_at && other.starts_at < self.ends_at
    }

    pub fn contains(&self, other: &Slot) -> bool {
        self.starts_at <= other.starts_at && other.ends_at <= self.ends_at
    }

    /// The slot with `before` minutes more at its start and `after` minutes more at its end.
    pub fn widened(&self, before: Minutes, after: Minutes) -> Slot {
        Slot {
            starts_at: self.starts_at.plus(Minutes::new(-before.number())),
            ends_at: self.ends_at.plus(after),
        }
    }

    /// The local dates the slot touches; a slot that ends at midnight does not touch the next day.
    pub fn local_dates(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.ends_at.plus_seconds(-1).local_date();
        self.starts_at
            .local_date()
            .iter_days()
            .take_while(move |date| *date <= last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn an_instant_needs_an_offset_whole_seconds_and_a_sane_year() {
        assert_eq!(
            "2026-03-01T09:00:00".parse::<Instant>(),
            Err(NotAnInstant::Unparsable)
        );
        assert_eq!(
            "2026-03-01T09:00:00.5Z".parse::<Instant>(),
            Err(NotAnInstant::Fraction)
        );
        assert_eq!(
            "0001-01-01T00:00:00Z".parse::<Instant>(),
            Err(NotAnInstant::OutOfRange)
        );
        assert_eq!(
            "2026-03-01T01:00:00Z"
                .parse::<Instant>()
                .unwrap()
                .to_string(),
            "2026-03-01T09:00:00+08:00"
        );
    }

    #[test]
    fn touching_slots_do_not_overlap() {
        let slot = |a: &str, b: &str| {
            Slot::new(
                at(&format!("2026-03-01T{a}:00+08:00")),
                at(&format!("2026-03-01T{b}:00+08:00")),
            )
            .unwrap()
        };
        assert!(!slot("10:00", "11:00").overlaps(&slot("11:00", "12:00")));
        assert!(slot("10:00", "11:01").overlaps(&slot("11:00", "12:00")));
        assert!(Slot::new(at("2026-03-01T10:00:00Z"), at("2026-03-01T10:00:00Z")).is_err());
    }

    #[test]
    fn a_date_has_one_spelling() {
        #[derive(Deserialize)]
        struct Dates {
            #[serde(deserialize_with = "read_date")]
            on: NaiveDate,
            #[serde(default, deserialize_with = "read_optional_date")]
            until: Option<NaiveDate>,
        }
        let read = |on: &str| {
            let text = format!(r#"{{"on": "{on}", "until": null}}"#);
            let dates = serde_json::from_str::<Dates>(&text);
            dates.map(|dates| (dates.on.to_string(), dates.until)).ok()
        };
        assert_eq!(read("2026-03-01"), Some(("2026-03-01".to_owned(), None)));
        for absurd in [
            "2026-3-1",
            "+12345-01-01",
            "-0001-01-01",
            "1899-12-31",
            "2200-01-01",
            "2026-02-30",
            "2026-03-01 ",
            "",
        ] {
            assert_eq!(read(absurd), None, "{absurd}");
        }
        assert!(
            serde_json::from_str::<Dates>(r#"{"on": "2026-03-01", "until": "2026-3-1"}"#).is_err()
        );
    }

    #[test]
    fn a_slot_that_ends_at_midnight_does_not_touch_the_next_day() {
        let slot = Slot::new(
            at("2026-03-01T22:00:00+08:00"),
            at("2026-03-02T00:00:00+08:00"),
        )
        .unwrap();
        assert_eq!(slot.local_dates().count(), 1);
        assert_eq!(
            slot.widened(Minutes::ZERO, Minutes::new(1))
                .local_dates()
                .count(),
            2
        );
    }
}
