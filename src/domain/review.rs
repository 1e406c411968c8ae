//! Reviews: one answer of five levels per completed external service. How many points an answer earns stands in the policy pack.

use super::fault::Faults;
use super::usage::UsageState;
use crate::domain::{Code, Fault};

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

/// The longest free text beside the answer.
const COMMENT_CHARACTERS_MAX: usize = 500;

/// Whether the service can be reviewed at all (it was external and its record stands), and the text beside the answer.
/// That it is reviewed once is the database's to guard.
pub fn check(
    is_external: bool,
    state: UsageState,
    comment: Option<&str>,
) -> Result<(), Vec<Fault>> {
    let mut faults = Faults::new();
    if !is_external || state == UsageState::Voided {
        faults.push(Fault::field("usage_record_id", Code::not_reviewable).actual(state));
    }
    faults.optional_text("comment", comment, COMMENT_CHARACTERS_MAX);
    faults.into_result()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_services_whose_record_stands_are_reviewed() {
        for (is_external, state, fits) in [
            (true, UsageState::Recorded, true),
            (true, UsageState::Confirmed, true),
            (true, UsageState::Disputed, true),
            (true, UsageState::Voided, false),
            (false, UsageState::Confirmed, false),
        ] {
            assert_eq!(check(is_external, state, None).is_ok(), fits, "{state}");
        }
        let long = "好".repeat(COMMENT_CHARACTERS_MAX + 1);
        assert!(check(true, UsageState::Confirmed, Some(&long)).is_err());
    }
}
