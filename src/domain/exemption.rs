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
    ExemptionDeed {
        Approve = "approve",
        Refuse = "refuse",
        /// The host asks again, with another reason.
        Request = "request",
    }
}

use ExemptionDeed as D;
use ExemptionState as S;

const MOVES: &[Move<S, D>] = &[
    (S::Requested, D::Approve, S::Approved),
    (S::Requested, D::Refuse, S::Refused),
    (S::Refused, D::Request, S::Requested),
];

impl ExemptionState {
    /// The state after `action`.
    pub fn after(self, action: ExemptionDeed) -> Result<Self, InvalidState> {
        state::after(MOVES, self, action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemption_is_decided_once() {
        assert_eq!(S::Requested.after(D::Approve), Ok(S::Approved));
        assert_eq!(S::Requested.after(D::Refuse), Ok(S::Refused));
        assert_eq!(S::Refused.after(D::Request), Ok(S::Requested));
        for (state, action) in [
            (S::Approved, D::Refuse),
            (S::Approved, D::Request),
            (S::Refused, D::Approve),
        ] {
            assert!(state.after(action).is_err(), "{state} {action}");
        }
    }
}
