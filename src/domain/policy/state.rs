//! Whether a pack rules: a draft is only looked at, one in force rules from its first day on, one withdrawn never again.

use crate::domain::state::{self, InvalidState, Move};

crate::vocabulary! {
    /// Where a pack is on its way.
    PolicyState {
        Draft = "draft",
        InForce = "in_force",
        Withdrawn = "withdrawn",
    }
}

crate::vocabulary! {
    /// What the province decides of a pack.
    PolicyDecision {
        PutInForce = "in_force",
        Withdraw = "withdraw",
    }
}

use PolicyDecision as A;
use PolicyState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Draft, A::PutInForce, S::InForce),
    (S::InForce, A::Withdraw, S::Withdrawn),
];

impl PolicyState {
    /// The state after `decision`.
    pub fn after(self, decision: PolicyDecision) -> Result<Self, InvalidState> {
        state::after(MOVES, self, decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_comes_into_force_once_and_leaves_for_good() {
        insta::assert_snapshot!(state::printed(MOVES).join("\n"), @r"
        draft --in_force--> in_force
        in_force --withdraw--> withdrawn
        ");
    }
}
