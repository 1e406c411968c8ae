//! What the province decides of a finding: that nothing is wrong, that it stands, or that it is looked at again.

use crate::domain::state::{self, InvalidState, Move};

crate::vocabulary! {
    /// What was said about a finding.
    FindingState {
        Open = "open",
        Explained = "explained",
        Cleared = "cleared",
        Upheld = "upheld",
    }
}

crate::vocabulary! {
    /// What the province decides of a finding.
    FindingDecision {
        Clear = "clear",
        Uphold = "uphold",
        Reopen = "reopen",
    }
}

crate::vocabulary! {
    /// What follows from a finding that stands.
    FindingEffect {
        Nothing = "none",
        /// The unit's award is computed, and paid only when the hold is lifted.
        HoldAward = "hold_award",
    }
}

use FindingDecision as A;
use FindingState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Open, A::Clear, S::Cleared),
    (S::Open, A::Uphold, S::Upheld),
    (S::Explained, A::Clear, S::Cleared),
    (S::Explained, A::Uphold, S::Upheld),
    (S::Cleared, A::Reopen, S::Open),
    (S::Upheld, A::Reopen, S::Open),
];

impl FindingState {
    /// The state after `decision`.
    pub fn after(self, decision: FindingDecision) -> Result<Self, InvalidState> {
        state::after(MOVES, self, decision)
    }
}
