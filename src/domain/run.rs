//! Yearly runs of both kinds, evaluations and subsidy runs: their states (computed, looked at, published, final), and the
//! phases in which they are computed. What is final never changes again.

use super::id::NotAnId;
use super::state::{self, InvalidState, Move};
use super::{EvaluationId, SubsidyRunId};

crate::vocabulary! {
    /// What a yearly run computes: grades, or awards.
    RunKind {
        Evaluation = "evaluation",
        SubsidyRun = "subsidy_run",
    }
}

impl RunKind {
    /// As an English sentence begins with it.
    pub const fn title(self) -> &'static str {
        match self {
            RunKind::Evaluation => "Evaluation",
            RunKind::SubsidyRun => "Run",
        }
    }

    /// The run of this number.
    pub fn id(self, number: i64) -> Result<RunId, NotAnId> {
        Ok(match self {
            RunKind::Evaluation => RunId::Evaluation(number.try_into()?),
            RunKind::SubsidyRun => RunId::SubsidyRun(number.try_into()?),
        })
    }
}

/// A yearly run; each kind counts its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunId {
    Evaluation(EvaluationId),
    SubsidyRun(SubsidyRunId),
}

impl RunId {
    pub const fn kind(self) -> RunKind {
        match self {
            RunId::Evaluation(_) => RunKind::Evaluation,
            RunId::SubsidyRun(_) => RunKind::SubsidyRun,
        }
    }

    pub const fn number(self) -> i64 {
        match self {
            RunId::Evaluation(id) => id.number(),
            RunId::SubsidyRun(id) => id.number(),
        }
    }
}

impl From<EvaluationId> for RunId {
    fn from(id: EvaluationId) -> Self {
        RunId::Evaluation(id)
    }
}

impl From<SubsidyRunId> for RunId {
    fn from(id: SubsidyRunId) -> Self {
        RunId::SubsidyRun(id)
    }
}

crate::vocabulary! {
    /// Where a yearly run is on its way.
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
    /// Whose experts' points count: what the province entered stands before what its evaluators gave, that before what was imported.
    PointSource {
        Experts = "experts",
        Province = "province",
        Import = "import",
    }
}

crate::vocabulary! {
    /// What the province decides of a run.
    RunDecision {
        Publish = "publish",
        Finalize = "finalize",
        Discard = "discard",
    }
}

crate::vocabulary! {
    /// The parts of the computation, in their order. Each is one commit: what is behind it is never done again.
    RunPhase {
        /// Names the state of the records that is graded.
        Freeze = "freeze",
        /// Grades what was frozen.
        Grade = "grade",
        /// Shares the budget out by the grades.
        ShareOut = "share_out",
        /// Reads what was stored again; the run becomes a draft.
        Store = "store",
    }
}

impl RunPhase {
    /// How much of a run is done when the phase begins.
    pub const fn percent(self) -> i64 {
        match self {
            RunPhase::Freeze => 0,
            RunPhase::Grade => 10,
            RunPhase::ShareOut => 50,
            RunPhase::Store => 90,
        }
    }

    /// The phase that a running run is in.
    pub fn at(percent: i64) -> Option<Self> {
        let mut begun = Self::ALL.iter().rev();
        begun.find(|phase| phase.percent() <= percent).copied()
    }
}

use RunDecision as A;
use RunState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Running, A::Discard, S::Discarded),
    (S::Draft, A::Publish, S::Published),
    (S::Draft, A::Discard, S::Discarded),
    (S::Published, A::Finalize, S::Final),
    (S::Published, A::Discard, S::Discarded),
];

impl RunState {
    /// The state after `decision`.
    pub fn after(self, decision: RunDecision) -> Result<Self, InvalidState> {
        state::after(MOVES, self, decision)
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
        assert!(S::Draft.after(A::Finalize).is_err());
        for decision in RunDecision::ALL {
            for state in [S::Final, S::Discarded, S::Failed] {
                assert!(state.after(*decision).is_err(), "{state} {decision}");
            }
        }
    }

    #[test]
    fn a_percentage_tells_the_phase() {
        for phase in RunPhase::ALL {
            assert_eq!(RunPhase::at(phase.percent()), Some(*phase));
        }
        assert_eq!(RunPhase::at(60), Some(RunPhase::ShareOut));
        assert_eq!(RunPhase::at(-1), None);
    }
}
