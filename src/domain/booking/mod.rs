//! Bookings: their words and states. What an action does to a state is decided in `action`, when it may be done in `standing`,
//! how an end is counted in `ending`, whether a slot keeps the rules in `check`, whose it is in `person`, and what a change of the rules means for those
//! that stand in `impact`. Who may do it is left to `access`.

mod action;
mod check;
mod ending;
mod impact;
mod person;
mod refusal;
mod timing;

use super::{Operator, UserId};

pub use action::{BookingAction, InvalidState, When};
pub use check::{InstrumentFacts, Question, Stage};
pub use ending::{CLOSED_AFTER, NotAnEnding, blocked_after_finish, ended_at, ending_when_closed};
pub use impact::{Affected, Grounds, Standing};
pub use person::Person;
pub use refusal::BookingRefusal;
pub use timing::{
    LAPSES_AFTER_WORKING_DAYS, Side, Timing, change_locked, expires_at, lapses_at, late_from,
};

crate::vocabulary! {
    /// Where a booking stands.
    BookingState {
        Held = "held",
        Requested = "requested",
        Confirmed = "confirmed",
        InProgress = "in_progress",
        Completed = "completed",
        Rejected = "rejected",
        Cancelled = "cancelled",
        Expired = "expired",
        NoShow = "no_show",
        /// Neither started nor declared a no-show in time; counts against nobody.
        Unresolved = "unresolved",
    }
}

crate::vocabulary! {
    /// Who runs the instrument (占用共享, 技术共享, 委托共享).
    BookingMode {
        SelfOperated = "self_operated",
        Guided = "guided",
        Entrusted = "entrusted",
    }
}

crate::vocabulary! {
    /// What the time is used for.
    BookingPurpose {
        Research = "research",
        Development = "development",
        Teaching = "teaching",
        Other = "other",
    }
}

crate::vocabulary! {
    /// Why a host rejects a request.
    RejectReason {
        Busy = "busy",
        NotSuitable = "not_suitable",
        Safety = "safety",
        Maintenance = "maintenance",
        Staff = "staff",
        Other = "other",
    }
}

/// The person of the platform who runs the instrument without its host: of a self-operated booking whoever is named, else who
/// booked it. A guest is nobody of the platform.
pub fn operator_of(
    mode: BookingMode,
    named: Option<&Operator>,
    booked_by: UserId,
) -> Option<UserId> {
    match (mode, named) {
        (BookingMode::SelfOperated, None) => Some(booked_by),
        (BookingMode::SelfOperated, Some(named)) => named.user_id,
        (BookingMode::Guided | BookingMode::Entrusted, _) => None,
    }
}

impl BookingState {
    /// Whether nobody else may have the blocked interval. The same four states stand in the databases' guard.
    pub const fn blocks(self) -> bool {
        matches!(
            self,
            Self::Held | Self::Requested | Self::Confirmed | Self::InProgress
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_self_operated_booking_has_an_operator_of_its_own() {
        let (booker, colleague) = (UserId::try_from(1).unwrap(), UserId::try_from(2).unwrap());
        let named = Operator {
            user_id: Some(colleague),
            ..Operator::default()
        };
        let guest = Operator {
            name: Some("王五".to_owned()),
            ..Operator::default()
        };
        for mode in BookingMode::ALL {
            let operator = |named: Option<&Operator>| operator_of(*mode, named, booker);
            let own = *mode == BookingMode::SelfOperated;
            assert_eq!(operator(None), own.then_some(booker), "{mode}");
            assert_eq!(operator(Some(&named)), own.then_some(colleague), "{mode}");
            assert_eq!(operator(Some(&guest)), None, "{mode}");
        }
    }
}
