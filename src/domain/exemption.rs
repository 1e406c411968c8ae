//! How far an instrument is shared, and the exemption that allows not to share it.

use super::state::{self, InvalidState, Move};

crate::vocabulary! {
    /// Whom an instrument is open to: everybody, its own unit, nobody. `none` needs an approved exemption.
    ShareMode {
        External = "external",
        Internal = "internal",
        None = "none",
    }
}

crate::vocabulary! {
    /// How far a request for exemption from sharing is.
    ExemptionState {
        Requested = "requested",
        Approved = "approved",
        Refused = "refused",
    }
}

crate::vocabulary! {
    /// What the province does with a request, and the host with a refusal.
    ExemptionAction {
        Approve = "approve",
        Refuse = "refuse",
        /// The host asks again, with another reason.
        Request = "request",
    }
}

use ExemptionAction as A;
use ExemptionState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Requested, A::Approve, S::Approved),
    (S::Requested, A::Refuse, S::Refused),
    (S::Refused, A::Request, S::Requested),
];

impl ExemptionState {
    /// The state after `action`.
    pub fn after(self, action: ExemptionAction) -> Result<Self, InvalidState> {
        state::after(MOVES, self, action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemption_is_decided_once() {
        assert_eq!(S::Requested.after(A::Approve), Ok(S::Approved));
        assert_eq!(S::Requested.after(A::Refuse), Ok(S::Refused));
        assert_eq!(S::Refused.after(A::Request), Ok(S::Requested));
        for (state, action) in [
            (S::Approved, A::Refuse),
            (S::Approved, A::Request),
            (S::Refused, A::Approve),
        ] {
            assert!(state.after(action).is_err(), "{state} {action}");
        }
    }
}
