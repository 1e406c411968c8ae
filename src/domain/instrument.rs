//! Research instruments: their closed word lists.

crate::vocabulary! {
    /// Decides the rated hours of a year.
    PurposeType {
        General = "general",
        Special = "special",
    }
}

crate::vocabulary! {
    /// Who may book.
    ShareMode {
        External = "external",
        Internal = "internal",
        None = "none",
    }
}
