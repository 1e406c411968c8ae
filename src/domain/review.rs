//! Reviews of completed services: their closed word list.

crate::vocabulary! {
    /// The five levels.
    Satisfaction {
        VerySatisfied = "very_satisfied",
        Satisfied = "satisfied",
        Neutral = "neutral",
        Dissatisfied = "dissatisfied",
        VeryDissatisfied = "very_dissatisfied",
    }
}
