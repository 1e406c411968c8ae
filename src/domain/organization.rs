//! Organizations: what kinds there are.

crate::vocabulary! {
    /// What an organization is; units of one kind are ranked among each other.
    OrganizationKind {
        University = "university",
        Institute = "institute",
        Hospital = "hospital",
        Enterprise = "enterprise",
        Agency = "agency",
        Other = "other",
    }
}
