//! The state machine: which action leads from which state to which. Time and persons are left to others.

use super::BookingState;
use crate::domain::time::Instant;

crate::vocabulary! {
    /// What can be done to a booking that exists.
    BookingAction {
        /// Of a hold: what follows is a request, or confirmed at once.
        Submit = "submit",
        Approve = "approve",
        Reject = "reject",
        Cancel = "cancel",
        Reschedule = "reschedule",
        Start = "start",
        Finish = "finish",
        NoShow = "no_show",
        /// By time: a hold or request nobody decided.
        Expire = "expire",
        /// By time: still in progress long after its end.
        Close = "close",
        /// By time: neither started nor declared a no-show.
        Lapse = "lapse",
    }
}

/// The state, or the moment, forbids the action; `allowed` are the actions that are left to people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action} is not possible in state {state}")]
pub struct InvalidState {
    pub action: BookingAction,
    pub state: BookingState,
    pub allowed: Vec<BookingAction>,
    /// The state would allow it, but not now.
    pub when: Option<When>,
}

/// When an action is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At this moment or later.
    From(Instant),
    /// Before this moment.
    Before(Instant),
}

impl BookingAction {
    /// Whether people do it; the rest happens by time.
    pub const fn is_by_hand(self) -> bool {
        !matches!(self, Self::Expire | Self::Close | Self::Lapse)
    }
}

impl BookingState {
    /// The state after `action`. A rescheduled booking keeps its state here; the approval that it may need again is decided by
    /// [`Timing::after_reschedule`](super::Timing::after_reschedule).
    pub fn after(self, action: BookingAction) -> Result<BookingState, InvalidState> {
        self.next(action).ok_or_else(|| InvalidState {
            action,
            state: self,
            allowed: self.allowed().collect(),
            when: None,
        })
    }

    /// The actions of people that this state allows.
    pub fn allowed(self) -> impl Iterator<Item = BookingAction> {
        let possible =
            move |action: &BookingAction| action.is_by_hand() && self.next(*action).is_some();
        BookingAction::ALL.iter().copied().filter(possible)
    }

    fn next(self, action: BookingAction) -> Option<BookingState> {
        use BookingAction as A;
        use BookingState as S;
        match (self, action) {
            (S::Held, A::Submit) => Some(S::Requested),
            (S::Requested, A::Approve) => Some(S::Confirmed),
            (S::Requested, A::Reject) => Some(S::Rejected),
            (S::Held | S::Requested | S::Confirmed, A::Cancel) => Some(S::Cancelled),
            (S::Requested | S::Confirmed, A::Reschedule) => Some(self),
            (S::Held | S::Requested, A::Expire) => Some(S::Expired),
            (S::Confirmed, A::Start) => Some(S::InProgress),
            (S::Confirmed, A::NoShow) => Some(S::NoShow),
            (S::Confirmed, A::Lapse) => Some(S::Unresolved),
            // Nobody started it, but it was used: the times are typed.
            (S::Confirmed, A::Finish) => Some(S::Completed),
            (S::InProgress, A::Finish | A::Close) => Some(S::Completed),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_of_state_and_action() {
        let table = [
            ("held", "submit→requested cancel→cancelled expire→expired"),
            (
                "requested",
                "approve→confirmed reject→rejected cancel→cancelled reschedule→requested expire→expired",
            ),
            (
                "confirmed",
                "cancel→cancelled reschedule→confirmed start→in_progress finish→completed no_show→no_show lapse→unresolved",
            ),
            ("in_progress", "finish→completed close→completed"),
            ("completed", ""),
            ("rejected", ""),
            ("cancelled", ""),
            ("expired", ""),
            ("no_show", ""),
            ("unresolved", ""),
        ];
        assert_eq!(table.len(), BookingState::ALL.len());
        for (state, expected) in table {
            let state: BookingState = state.parse().unwrap();
            let arrow =
                |action: &BookingAction| Some(format!("{action}→{}", state.after(*action).ok()?));
            let arrows: Vec<String> = BookingAction::ALL.iter().filter_map(arrow).collect();
            assert_eq!(arrows.join(" "), expected, "{state}");
            let ends = expected.is_empty();
            assert_eq!(
                state.blocks(),
                !ends,
                "{state}: exactly the unfinished ones block"
            );
        }
    }

    #[test]
    fn a_refusal_names_what_people_may_do_instead() {
        let refusal = BookingState::Confirmed
            .after(BookingAction::Approve)
            .unwrap_err();
        let allowed = [
            BookingAction::Cancel,
            BookingAction::Reschedule,
            BookingAction::Start,
            BookingAction::Finish,
            BookingAction::NoShow,
        ];
        assert_eq!(refusal.allowed, allowed);
        assert_eq!(
            BookingState::Completed
                .after(BookingAction::Cancel)
                .unwrap_err()
                .allowed,
            []
        );
    }
}
