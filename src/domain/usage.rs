//! Usage records: how an hour is proved.

crate::vocabulary! {
    /// How a usage record is proved: by a device, by both sides on the platform, or only by hand.
    Evidence {
        Automatic = "automatic",
        Confirmed = "confirmed",
        Manual = "manual",
    }
}
