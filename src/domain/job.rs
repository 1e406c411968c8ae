//! Jobs: long work that was promised to somebody. A process leases one and works while it renews the lease; work whose lease
//! lapsed is taken up by whoever comes first.

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
