//! Times of day in whole minutes, written `HH:MM`, from 00:00 to 24:00.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::domain::time::Instant;

/// A time on the wall: minutes after local midnight; 24:00 is the midnight that ends the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(u16);

/// Not a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time of day is written HH:MM, from 00:00 to 24:00")]
pub struct NotAClockTime;

impl ClockTime {
    /// Nine in the morning, the default opening.
    pub const MORNING: ClockTime = ClockTime(9 * 60);
    /// Six in the evening, the default closing.
    pub const EVENING: ClockTime = ClockTime(18 * 60);
    /// The midnight that ends a day.
    pub const MIDNIGHT: ClockTime = ClockTime(1440);

    /// Minutes after the midnight that begins the day, 0 to 1440.
    pub fn minutes(self) -> i64 {
        i64::from(self.0)
    }

    /// Hours 0 to 23 and minutes 0 to 59, or 24:00.
    pub const fn new(hour: u16, minute: u16) -> Result<Self, NotAClockTime> {
        match (hour, minute) {
            (0..=23, 0..=59) | (24, 0) => Ok(Self(hour * 60 + minute)),
            _ => Err(NotAClockTime),
        }
    }
}

impl std::str::FromStr for ClockTime {
    type Err = NotAClockTime;

    fn from_str(text: &str) -> Result<Self, NotAClockTime> {
        let (hour, minute) = text.split_once(':').ok_or(NotAClockTime)?;
        let number = |digits: &str| match digits.len() {
            2 if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| NotAClockTime)
            }
            _ => Err(NotAClockTime),
        };
        Self::new(number(hour)?, number(minute)?)
    }
}

impl std::fmt::Display for ClockTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for ClockTime {
    type Error = NotAClockTime;
    fn try_from(text: String) -> Result<Self, NotAClockTime> {
        text.parse()
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> String {
        time.to_string()
    }
}

/// The moment `minutes` after the local midnight that begins `date`.
pub(super) fn at_minute(date: NaiveDate, minutes: i64) -> Instant {
    let midnight = date.and_time(NaiveTime::MIN);
    let delta = TimeDelta::try_minutes(minutes).unwrap_or_default();
    Instant::at_local(midnight.checked_add_signed(delta).unwrap_or(midnight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_digits_each_up_to_2400_are_a_time() {
        for good in ["00:00", "09:05", "23:59", "24:00"] {
            assert_eq!(
                good.parse::<ClockTime>().map(String::from).as_deref(),
                Ok(good)
            );
        }
        for bad in [
            "", "9:00", "09:0", "24:01", "25:00", "12:60", "+9:00", "09:00:00", "0900", "０9:00",
        ] {
            assert_eq!(bad.parse::<ClockTime>(), Err(NotAClockTime), "{bad:?}");
        }
    }
}
