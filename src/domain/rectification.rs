//! Rectifications: what a unit has to mend by a day, as who supervises it says. The unit reports what it did, who supervises it
//! accepts that; until then the unit may report again.

use super::state::{self, InvalidState, Move};

crate::vocabulary! {
    /// Why something is to be mended.
    RectificationCause {
        /// The unit failed the yearly evaluation.
        EvaluationFailed = "evaluation_failed",
        Registration = "registration",
        Sharing = "sharing",
        Finding = "finding",
        Other = "other",
    }
}

crate::vocabulary! {
    /// How far a rectification is.
    RectificationState {
        Open = "open",
        Reported = "reported",
        Accepted = "accepted",
    }
}

crate::vocabulary! {
    /// What moves it on.
    RectificationAction {
        Report = "report",
        Accept = "accept",
    }
}

use RectificationAction as A;
use RectificationState as S;

/// A unit has at least so many working days.
pub const DUE_WORKING_DAYS_MIN: u32 = 5;

const MOVES: &[Move<S, A>] = &[
    (S::Open, A::Report, S::Reported),
    (S::Reported, A::Report, S::Reported),
    (S::Reported, A::Accept, S::Accepted),
];

impl RectificationState {
    /// The state after `action`.
    pub fn after(self, action: RectificationAction) -> Result<Self, InvalidState> {
        state::after(MOVES, self, action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_was_reported_and_stays() {
        assert_eq!(S::Open.after(A::Report), Ok(S::Reported));
        assert_eq!(S::Reported.after(A::Report), Ok(S::Reported));
        assert_eq!(S::Reported.after(A::Accept), Ok(S::Accepted));
        assert!(S::Open.after(A::Accept).is_err());
        for action in A::ALL {
            assert!(S::Accepted.after(*action).is_err(), "{action}");
        }
    }
}
