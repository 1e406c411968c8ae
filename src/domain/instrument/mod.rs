//! Instruments: the words of the registry and the states of an entry. Fields stand in `facts`, their rules in `rules`, how far places are
//! from each other in `distance`.

mod distance;
mod facts;
mod place;
mod rules;

pub use distance::{NotAPoint, NotARadius, Point, Radius};
pub use facts::{Customs, InstrumentDescription, InstrumentFacts};
pub use place::{Latitude, Longitude, NotADegree};
pub use rules::CHANNELS_MAX;

use super::state::{self, InvalidState, Move};

crate::vocabulary! {
    /// Decides the rated hours of a year.
    PurposeType {
        General = "general",
        Special = "special",
    }
}

crate::vocabulary! {
    /// How the host came by the instrument (the national platform's sources).
    InstrumentSource {
        Purchased = "purchased",
        Developed = "developed",
        Donated = "donated",
        Other = "other",
    }
}

crate::vocabulary! {
    /// Who paid for the instrument (the national platform's funds): the state, a local government, the unit itself.
    FundingSource {
        Central = "central",
        Local = "local",
        Own = "own",
        Other = "other",
    }
}

crate::vocabulary! {
    /// Where an entry of the registry is on its way.
    InstrumentState {
        Draft = "draft",
        Submitted = "submitted",
        Returned = "returned",
        Listed = "listed",
        Suspended = "suspended",
        Retired = "retired",
    }
}

crate::vocabulary! {
    /// What changes the state of an entry.
    InstrumentAction {
        Submit = "submit",
        Approve = "approve",
        Return = "return",
        Suspend = "suspend",
        Resume = "resume",
        Retire = "retire",
    }
}

use InstrumentAction as A;
use InstrumentState as S;

/// A listed entry can be returned too: only so do its locked fields change.
const MOVES: &[Move<S, A>] = &[
    (S::Draft, A::Submit, S::Submitted),
    (S::Submitted, A::Approve, S::Listed),
    (S::Submitted, A::Return, S::Returned),
    (S::Returned, A::Submit, S::Submitted),
    (S::Listed, A::Return, S::Returned),
    (S::Listed, A::Suspend, S::Suspended),
    (S::Listed, A::Retire, S::Retired),
    (S::Suspended, A::Resume, S::Listed),
    (S::Suspended, A::Retire, S::Retired),
];

impl InstrumentState {
    /// The state after `action`.
    pub fn after(self, action: InstrumentAction) -> Result<Self, InvalidState> {
        state::after(MOVES, self, action)
    }

    /// The public sees it: listed.
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Listed)
    }

    /// The entry was approved once and nobody returned it: its locked fields stand.
    pub const fn is_locked(self) -> bool {
        matches!(self, Self::Listed | Self::Suspended | Self::Retired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_an_entry_follows_the_contract() {
        insta::assert_snapshot!(state::printed(MOVES).join("\n"), @r"
        draft --submit--> submitted
        submitted --approve--> listed
        submitted --return--> returned
        returned --submit--> submitted
        listed --return--> returned
        listed --suspend--> suspended
        listed --retire--> retired
        suspended --resume--> listed
        suspended --retire--> retired
        ");
        assert_eq!(
            S::Retired.after(A::Resume),
            Err(InvalidState {
                state: "retired",
                allowed: vec![]
            })
        );
    }
}
