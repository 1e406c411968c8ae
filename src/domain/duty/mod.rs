//! Open-sharing duty: what is due for an asset of a unit, until when, and whether it was done. It follows from the asset
//! ledger, the registry and the policy with `[registration]`; nobody types it.

mod compliance;
mod due;
#[cfg(test)]
mod tests;

pub use compliance::{Compliance, Counted, DutyYear};
pub use due::{Asset, Due, Entry, Period, Rules, Use};

use super::calendar::Calendar;
use chrono::NaiveDate;

crate::vocabulary! {
    /// What is to be done: to register an asset, to open it to others, and to use it within the year.
    DutyKind {
        Register = "register",
        Share = "share",
        Use = "use",
    }
}

crate::vocabulary! {
    /// How far a duty is.
    DutyState {
        Open = "open",
        Met = "met",
        /// Done after its last day.
        Late = "late",
        Missed = "missed",
        Exempt = "exempt",
    }
}

crate::vocabulary! {
    /// What is seen in the use of an instrument.
    DutyDetail {
        /// No effective minute in twelve months.
        Idle = "idle",
        /// Below half the rated minutes.
        Underused = "underused",
    }
}

/// How far the reminders of a duty are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reminder {
    None,
    /// Ten working days before its last day.
    Early,
    /// Three working days before.
    Near,
    /// The day after.
    Past,
}

impl Reminder {
    /// As it is stored.
    pub const fn number(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Early => 1,
            Self::Near => 2,
            Self::Past => 3,
        }
    }

    /// Which reminder has come by `today` for what is not done.
    pub fn due(due_on: NaiveDate, calendar: &Calendar, today: NaiveDate) -> Self {
        let within = |days| calendar.add_working_days(today, days) >= due_on;
        match () {
            () if today > due_on => Self::Past,
            () if within(3) => Self::Near,
            () if within(10) => Self::Early,
            () => Self::None,
        }
    }
}
