//! Bookings: their closed word lists.

crate::vocabulary! {
    /// Who works the instrument.
    BookingMode {
        SelfOperated = "self_operated",
        Guided = "guided",
        Entrusted = "entrusted",
    }
}

crate::vocabulary! {
    /// What the work is for.
    BookingPurpose {
        Research = "research",
        Development = "development",
        Teaching = "teaching",
        Other = "other",
    }
}
