//! Objections to a public notice: open until the province upholds or dismisses them or the objector withdraws. None moves a figure.

use super::state::{self, InvalidState, Move};

crate::vocabulary! {
    /// How far an objection is.
    ObjectionState {
        Open = "open",
        Upheld = "upheld",
        Dismissed = "dismissed",
        Withdrawn = "withdrawn",
    }
}

crate::vocabulary! {
    /// What ends an objection.
    ObjectionAction {
        Uphold = "uphold",
        Dismiss = "dismiss",
        Withdraw = "withdraw",
    }
}

use ObjectionAction as A;
use ObjectionState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Open, A::Uphold, S::Upheld),
    (S::Open, A::Dismiss, S::Dismissed),
    (S::Open, A::Withdraw, S::Withdrawn),
];

impl ObjectionState {
    /// The state after `action`.
    pub fn after(self, action: ObjectionAction) -> Result<Self, InvalidState> {
        state::after(MOVES, self, action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objection_ends_once() {
        for action in A::ALL {
            assert!(S::Open.after(*action).is_ok(), "{action}");
            for ended in [S::Upheld, S::Dismissed, S::Withdrawn] {
                assert!(ended.after(*action).is_err(), "{ended} {action}");
            }
        }
    }
}
