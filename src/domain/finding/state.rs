//! What becomes of a finding: the province shows it to its unit, which explains it; then the province decides that nothing is wrong
//! or that it stands, and may look at it again.

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
    /// What is done with a finding: the unit explains, the province does the rest.
    FindingDecision {
        Assign = "assign",
        Explain = "explain",
        Clear = "clear",
        Uphold = "uphold",
        Reopen = "reopen",
    }
}

crate::vocabulary! {
    /// What follows from a finding that stands.
    FindingEffect {
        Nothing = "none",
        /// Its records count nowhere.
        ExcludeRecords = "exclude_records",
        /// The evidence of its records is manual, whatever it was.
        EvidenceManual = "evidence_manual",
        /// The unit has at most a grade that is named.
        CapGrade = "cap_grade",
        /// The unit's award is computed, and paid only when the hold is lifted.
        HoldAward = "hold_award",
    }
}

crate::vocabulary! {
    /// How far a scan is.
    ScanState {
        Running = "running",
        Done = "done",
        Failed = "failed",
    }
}

/// So many working days a unit has to explain, where nothing else is said.
pub const EXPLAINED_WITHIN_WORKING_DAYS: i64 = 10;

impl FindingEffect {
    /// It is on records.
    pub const fn is_on_records(self) -> bool {
        matches!(self, Self::ExcludeRecords | Self::EvidenceManual)
    }
}

use FindingDecision as A;
use FindingState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Open, A::Assign, S::Open),
    (S::Open, A::Explain, S::Explained),
    (S::Open, A::Clear, S::Cleared),
    (S::Open, A::Uphold, S::Upheld),
    (S::Explained, A::Assign, S::Explained),
    (S::Explained, A::Explain, S::Explained),
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
