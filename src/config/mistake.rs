//! What is wrong with a setting, and where it was given.

/// One mistake. `named` is the variable, or the key with its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    #[error("{named} is not a setting{}", did_you_mean.as_ref().map(|word| format!("; did you mean {word}?")).unwrap_or_default())]
    Unknown {
        named: String,
        did_you_mean: Option<String>,
    },
    #[error("{named} is not in UTF-8")]
    NoText { named: String },
    #[error("{named} must be {expected}, not {actual}")]
    Wrong {
        named: String,
        expected: String,
        actual: String,
    },
    /// For a value that must not be repeated.
    #[error("{named}: {why}")]
    Refused { named: String, why: String },
}

pub(super) fn listed(mistakes: &[Mistake]) -> String {
    let each = mistakes.iter().map(ToString::to_string);
    each.collect::<Vec<_>>().join("; ")
}
