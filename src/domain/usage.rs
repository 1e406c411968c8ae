//! Usage records: their closed word lists.

crate::vocabulary! {
    /// How the hours of a record are proven.
    Evidence {
        Automatic = "automatic",
        Confirmed = "confirmed",
        Manual = "manual",
    }
}

crate::vocabulary! {
    /// Where a record stands.
    UsageState {
        Recorded = "recorded",
        Confirmed = "confirmed",
        Disputed = "disputed",
        Voided = "voided",
    }
}
