//! Instruments: their purpose types.

crate::vocabulary! {
    /// General or special purpose: decides the rated hours of a year.
    PurposeType {
        General = "general",
        Special = "special",
    }
}
