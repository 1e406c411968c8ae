//! Jobs: long work that was promised to somebody. A process leases one and works while it renews the lease; work whose lease
//! lapsed is taken up by whoever comes first.

use super::FindingScanId;
use super::id::NotAnId;
use super::run::{RunId, RunKind};

crate::vocabulary! {
    /// What is worked on.
    JobKind {
        Evaluation = "evaluation",
        SubsidyRun = "subsidy_run",
        FindingScan = "finding_scan",
    }
}

/// What one job works on; each kind counts its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobSubject {
    Run(RunId),
    FindingScan(FindingScanId),
}

impl JobKind {
    /// What of this kind has this number.
    pub fn subject(self, number: i64) -> Result<JobSubject, NotAnId> {
        Ok(match self {
            Self::Evaluation => JobSubject::Run(RunKind::Evaluation.id(number)?),
            Self::SubsidyRun => JobSubject::Run(RunKind::SubsidyRun.id(number)?),
            Self::FindingScan => JobSubject::FindingScan(number.try_into()?),
        })
    }
}

impl JobSubject {
    pub const fn kind(self) -> JobKind {
        match self {
            Self::Run(RunId::Evaluation(_)) => JobKind::Evaluation,
            Self::Run(RunId::SubsidyRun(_)) => JobKind::SubsidyRun,
            Self::FindingScan(_) => JobKind::FindingScan,
        }
    }

    pub const fn number(self) -> i64 {
        match self {
            Self::Run(run) => run.number(),
            Self::FindingScan(scan) => scan.number(),
        }
    }
}

impl From<RunId> for JobSubject {
    fn from(run: RunId) -> Self {
        Self::Run(run)
    }
}

impl From<FindingScanId> for JobSubject {
    fn from(scan: FindingScanId) -> Self {
        Self::FindingScan(scan)
    }
}

crate::vocabulary! {
    /// Whether a job is still to be worked on.
    JobState {
        Open = "open",
        Done = "done",
        Failed = "failed",
        /// What it works for was thrown away meanwhile.
        Cancelled = "cancelled",
    }
}

/// How long nobody else takes up a job that its process does not speak of.
pub const LEASE_SECONDS: i64 = 30;

/// So often a phase is begun: work that ends its process again and again fails instead of going on for ever.
pub const ATTEMPTS_MAX: i64 = 5;
