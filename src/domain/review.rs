//! Reviews: one answer of five levels per completed external service. How many points an answer earns stands in the policy pack.

crate::vocabulary! {
    /// The five levels of the national platform's service record, best first.
    Satisfaction {
        VerySatisfied = "very_satisfied",
        Satisfied = "satisfied",
        Neutral = "neutral",
        Dissatisfied = "dissatisfied",
        VeryDissatisfied = "very_dissatisfied",
    }
}
