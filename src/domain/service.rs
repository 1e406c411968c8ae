//! What a booking and a usage record both say about the service: how it is done and what for.

crate::vocabulary! {
    /// How an instrument is used: by the customer, by the customer under guidance, or by the host for the customer.
    ServiceMode {
        SelfOperated = "self_operated",
        Guided = "guided",
        Entrusted = "entrusted",
    }
}

crate::vocabulary! {
    /// What an instrument is used for (the national platform's service directions).
    Purpose {
        Research = "research",
        Development = "development",
        Teaching = "teaching",
        Other = "other",
    }
}
