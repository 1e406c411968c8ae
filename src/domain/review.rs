//! Reviews: the five levels of satisfaction.

crate::vocabulary! {
    /// A customer's answer, best first.
    Satisfaction {
        VerySatisfied = "very_satisfied",
        Satisfied = "satisfied",
        Neutral = "neutral",
        Dissatisfied = "dissatisfied",
        VeryDissatisfied = "very_dissatisfied",
    }
}
