//! Booking rules: how an instrument is opened for booking. The struct is the JSON shape of the contract and is stored as
//! that JSON. Here: its fields and defaults; whether they make sense is decided in `fault`, when it is open in `hours`, whose
//! word each field is in `inherited`, what differs for a class of customers in `class`, and how much one may have in `quota`
//! and `tally`.

mod class;
mod clock_time;
mod fault;
mod grid;
mod hours;
mod inherited;
mod quota;
mod tally;

pub use class::{ClassRules, OfClass};
pub use clock_time::{ClockTime, NotAClockTime};
pub use fault::LONGEST;
pub use inherited::{RuleField, RulesInForce, SaidRules, ShownRules};
pub use quota::{Quota, QuotaOver, QuotaPer, QuotaPeriod};
pub use tally::{Made, Tally};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::booking::BookingMode;
use super::calendar::Calendar;
use super::money::Minutes;
use super::time::{Instant, Slot, read_date};

crate::vocabulary! {
    /// Whether a request is confirmed at once or waits for the host.
    Approval { Automatic = "automatic", Manual = "manual" }
}

crate::vocabulary! {
    /// What a public holiday does to the weekly hours. A make-up working day has Monday's hours in any case.
    Holidays {
        Closed = "closed",
        /// The hours of the day of the week, as if it were no holiday.
        Open = "open",
        /// Saturday and Sunday keep their hours, every other holiday has Sunday's.
        AsWeekend = "as_weekend",
    }
}

/// A stretch of a day; `until` at or before `from` lies on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaySpan {
    pub from: ClockTime,
    pub until: ClockTime,
}

/// Hours that return every week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklyHours {
    /// 1 Monday to 7 Sunday: the days on which the stretch begins.
    pub weekdays: Vec<u8>,
    pub from: ClockTime,
    pub until: ClockTime,
}

/// Days, both ends included, that have hours of their own; no spans: closed. They beat weekly hours and holidays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialDays {
    #[serde(deserialize_with = "read_date")]
    pub from_on: NaiveDate,
    #[serde(deserialize_with = "read_date")]
    pub until_on: NaiveDate,
    pub spans: Vec<DaySpan>,
}

/// The booking rules of an instrument. A field left out of the JSON has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BookingRules {
    pub approval: Approval,
    /// A request not decided by the end of this working day after its receipt expires.
    pub approval_due_working_days: u32,
    pub weekly_hours: Vec<WeeklyHours>,
    pub holidays: Holidays,
    pub special_days: Vec<SpecialDays>,
    /// Starts and ends lie on multiples of this, counted from local midnight.
    pub slot_minutes: Minutes,
    pub min_minutes: Minutes,
    pub max_minutes: Minutes,
    /// The start is at least this far ahead when the booking is made.
    pub lead_minutes: Minutes,
    /// The start is at most this far ahead, in days of 24 hours.
    pub horizon_days: u32,
    /// Blocked before the start; may lie outside opening hours.
    pub setup_minutes: Minutes,
    /// Blocked after the end; may lie outside opening hours.
    pub cleanup_minutes: Minutes,
    /// A cancellation with less time than this to the start is late.
    pub cancel_before_minutes: Minutes,
    /// A no-show may be declared when this much of the booking has passed without a start.
    pub no_show_after_minutes: Minutes,
    pub modes: Vec<BookingMode>,
    /// Between two bookings of one person here; 0: none.
    pub gap_minutes: Minutes,
    /// With less time than this to the start its user keeps the start and may only extend.
    pub change_before_minutes: Minutes,
    pub quotas: Vec<Quota>,
    /// How long a slot can be held before it is asked for; 0: not at all.
    pub hold_minutes: Minutes,
    /// What is different for a class of customers.
    pub class_rules: ClassRules,
}

impl Default for BookingRules {
    /// The default policy for Hebei, section 8.5 (grid 30 min, lead one day, cancel 24 h before, no-show after 30 min,
    /// three working days to decide); weekly hours, lengths and horizon are our own proposal.
    fn default() -> Self {
        Self {
            approval: Approval::Manual,
            approval_due_working_days: 3,
            weekly_hours: vec![WeeklyHours {
                weekdays: vec![1, 2, 3, 4, 5],
                from: ClockTime::MORNING,
                until: ClockTime::EVENING,
            }],
            holidays: Holidays::Closed,
            special_days: Vec::new(),
            slot_minutes: Minutes::new(30),
            min_minutes: Minutes::new(30),
            max_minutes: Minutes::new(480),
            lead_minutes: Minutes::new(1440),
            horizon_days: 90,
            setup_minutes: Minutes::ZERO,
            cleanup_minutes: Minutes::ZERO,
            cancel_before_minutes: Minutes::new(1440),
            no_show_after_minutes: Minutes::new(30),
            modes: BookingMode::ALL.to_vec(),
            gap_minutes: Minutes::ZERO,
            change_before_minutes: Minutes::ZERO,
            quotas: Vec::new(),
            hold_minutes: Minutes::new(15),
            class_rules: ClassRules::new(),
        }
    }
}

impl BookingRules {
    /// What a booking of `slot` blocks on its channel: set-up, the slot and clean-up.
    pub fn blocked(&self, slot: &Slot) -> Slot {
        slot.widened(self.setup_minutes, self.cleanup_minutes)
    }

    /// When a request received now expires if nobody decides, unless its start comes first.
    pub fn approval_due_at(&self, calendar: &Calendar, received_at: Instant) -> Instant {
        calendar.end_of_working_day(received_at, self.approval_due_working_days)
    }

    /// The earliest start that keeps the lead time.
    pub fn earliest_start(&self, now: Instant) -> Instant {
        now.plus(self.lead_minutes)
    }

    /// Until when a slot that is held now stays so: not beyond its start.
    pub fn held_until(&self, slot: &Slot, now: Instant) -> Instant {
        now.plus(self.hold_minutes).min(slot.starts_at())
    }

    /// The latest start within the horizon.
    pub fn latest_start(&self, now: Instant) -> Instant {
        now.plus(Minutes::new(i64::from(self.horizon_days) * 1440))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::spans::tests::minutes;

    /// Open 09:00–18:00 from Monday to Friday, grid 30 minutes, without lead time.
    pub(crate) fn office_hours() -> BookingRules {
        BookingRules {
            lead_minutes: Minutes::ZERO,
            ..BookingRules::default()
        }
    }

    /// Weekly hours written `1-5 09:00-18:00`.
    pub(crate) fn weekly(text: &str) -> WeeklyHours {
        let (days, hours) = text.split_once(' ').unwrap();
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let (from, until) = hours.split_once('-').unwrap();
        WeeklyHours {
            weekdays: (first.parse().unwrap()..=last.parse().unwrap()).collect(),
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
        }
    }

    #[test]
    fn the_default_rules_make_sense_and_survive_json() {
        let rules = BookingRules::default();
        assert_eq!(rules.validate(), Ok(()));
        let json = serde_json::to_string(&rules).unwrap();
        assert_eq!(serde_json::from_str::<BookingRules>(&json).unwrap(), rules);
        assert!(json.contains(r#""weekdays":[1,2,3,4,5],"from":"09:00","until":"18:00""#));
    }

    #[test]
    fn unknown_words_and_fields_are_refused_and_left_out_ones_have_defaults() {
        let read = |json: &str| serde_json::from_str::<BookingRules>(json);
        assert_eq!(read("{}").unwrap(), BookingRules::default());
        for bad in [
            r#"{"quota": 1}"#,
            r#"{"approval": "maybe"}"#,
            r#"{"weekly_hours": [{"weekdays": [1], "from": "9", "until": "10:00"}]}"#,
            r#"{"special_days": [{"from_on": "2026-02-30", "until_on": "2026-03-01", "spans": []}]}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn set_up_and_clean_up_are_blocked_with_the_slot() {
        let mut rules = office_hours();
        assert!(
            !rules
                .blocked(&minutes(600, 660))
                .overlaps(&minutes(660, 720))
        );
        (rules.setup_minutes, rules.cleanup_minutes) = (Minutes::new(10), Minutes::new(15));
        assert_eq!(rules.blocked(&minutes(600, 660)), minutes(590, 675));
        let follows = |from| {
            rules
                .blocked(&minutes(from, from + 60))
                .overlaps(&minutes(590, 675))
        };
        assert!(follows(684) && !follows(685));
    }

    #[test]
    fn a_request_is_due_three_working_days_after_receipt() {
        let friday = "2026-03-06T10:00:00+08:00".parse().unwrap();
        let due_at = office_hours().approval_due_at(&Calendar::default(), friday);
        assert_eq!(due_at.to_string(), "2026-03-12T00:00:00+08:00");
    }
}
