//! Organizations: their closed word lists.

crate::vocabulary! {
    /// What an organization is.
    OrganizationKind {
        University = "university",
        Institute = "institute",
        Hospital = "hospital",
        Enterprise = "enterprise",
        Agency = "agency",
        Other = "other",
    }
}
