//! The states of an evaluation and of a subsidy run: computed, looked at, published, final. What is final never changes again.

use super::state::{self, InvalidState, Move};

crate::vocabulary! {
    /// Where an evaluation or a subsidy run is on its way.
    RunState {
        Running = "running",
        Draft = "draft",
        Published = "published",
        Final = "final",
        Discarded = "discarded",
        Failed = "failed",
    }
}

crate::vocabulary! {
    /// What the province does with a run.
    RunDeed {
        Publish = "publish",
        Finalize = "finalize",
        Discard = "discard",
    }
}

use RunDeed as D;
use RunState as S;

/// A run whose process died stays `running`; it can be discarded too.
const MOVES: &[Move<S, D>] = &[
    (S::Running, D::Discard, S::Discarded),
    (S::Draft, D::Publish, S::Published),
    (S::Draft, D::Discard, S::Discarded),
    (S::Published, D::Finalize, S::Final),
    (S::Published, D::Discard, S::Discarded),
];

impl RunState {
    /// The state after `action`.
    pub fn after(self, action: RunDeed) -> Result<Self, InvalidState> {
        state::after(MOVES, self, action)
    }

    /// The hosts and everybody else may see it.
    pub const fn is_published(self) -> bool {
        matches!(self, Self::Published | Self::Final)
    }

    /// It has results: the computation ended well and nobody threw it away.
    pub const fn has_results(self) -> bool {
        matches!(self, Self::Draft | Self::Published | Self::Final)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_published_before_it_is_final_and_then_stands() {
        insta::assert_snapshot!(state::printed(MOVES).join("\n"), @r"
        running --discard--> discarded
        draft --publish--> published
        draft --discard--> discarded
        published --finalize--> final
        published --discard--> discarded
        ");
        assert!(S::Draft.after(D::Finalize).is_err());
        for action in RunDeed::ALL {
            for state in [S::Final, S::Discarded, S::Failed] {
                assert!(state.after(*action).is_err(), "{state} {action}");
            }
        }
    }
}
