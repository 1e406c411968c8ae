//! The one error of every room above the store. Each variant is one kind of answer; each entry has a stable code. How an
//! error looks over HTTP is `http/problem.rs`'s business; what its codes say to people is in `config/locales/`.

mod range;
mod status;
pub mod text;

pub use crate::domain::code::Code;
pub use crate::domain::fault::{Fault, Location};

use serde_json::{Map, Value};

use crate::domain::fault::FaultValue;
use crate::store::{ActionError, StoreError};

/// Another row or the present state decides: 409, with members that name what is in the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    pub code: Code,
    /// Where each of several things is in the way; empty for one.
    pub faults: Vec<Fault>,
    pub members: Map<String, Value>,
}

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("not signed in: {0}")]
    Unauthenticated(Code),
    #[error("not allowed: {0}")]
    Denied(Code),
    #[error("not found")]
    NotFound,
    #[error("malformed: {}", codes(.0))]
    Malformed(Vec<Fault>),
    #[error("precondition: {0}")]
    Precondition(Code),
    #[error("refused: {}", codes(.0))]
    Refused(Vec<Fault>),
    #[error("conflict: {}", .0.code)]
    Conflict(Box<Conflict>),
    #[error("too large or of the wrong type: {0:?}")]
    Unacceptable(Box<Fault>),
    #[error("too many: {code}, again in {retry_after_seconds} s")]
    TooMany {
        code: Code,
        retry_after_seconds: u32,
    },
    #[error("not available now: {0}")]
    Unavailable(String),
    /// A deadlock or serialization failure; the store runs the action again.
    #[error("another transaction was in the way")]
    Contended,
    /// Somebody writes usage or money; an action that needs them alone waits outside its transaction and tries again.
    #[error("usage is being written")]
    Busy,
    #[error(transparent)]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

fn codes(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(|fault| fault.code.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

impl AppError {
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        AppError::Internal(cause.into())
    }

    pub fn unavailable(why: impl Into<String>) -> Self {
        AppError::Unavailable(why.into())
    }

    pub fn conflict(code: Code) -> Self {
        AppError::Conflict(Box::new(Conflict {
            code,
            faults: Vec::new(),
            members: Map::new(),
        }))
    }

    /// A conflict in several places, called by the first of them.
    pub fn conflicts(faults: Vec<Fault>) -> Self {
        let code = faults
            .first()
            .map_or(Code::invalid_state, |fault| fault.code);
        AppError::Conflict(Box::new(Conflict {
            code,
            faults,
            members: Map::new(),
        }))
    }

    /// Adds a member to a conflict's answer; other errors stay as they are.
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        if let AppError::Conflict(conflict) = &mut self {
            conflict.members.insert(member.to_owned(), value.into());
        }
        self
    }

    /// One broken rule of a field.
    pub fn refused(field: impl Into<String>, code: Code) -> Self {
        AppError::Refused(vec![Fault::field(field, code)])
    }

    /// `Ok` when nothing is wrong, else everything at once.
    pub fn refuse_all(faults: Vec<Fault>) -> Result<(), AppError> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(AppError::Refused(faults))
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => AppError::NotFound,
            StoreError::Contended => AppError::Contended,
            StoreError::KeyHeld => AppError::conflict(Code::request_in_progress),
            StoreError::Unavailable(why) => AppError::Unavailable(why),
            other => AppError::Internal(Box::new(other)),
        }
    }
}

impl From<Fault> for AppError {
    fn from(fault: Fault) -> Self {
        AppError::Refused(vec![fault])
    }
}

impl From<Vec<Fault>> for AppError {
    fn from(faults: Vec<Fault>) -> Self {
        AppError::Refused(faults)
    }
}

impl From<FaultValue> for Value {
    fn from(value: FaultValue) -> Self {
        match value {
            FaultValue::Number(number) => number.into(),
            FaultValue::Text(text) => text.into(),
            FaultValue::Said(sentence) => sentence.en.into(),
            FaultValue::List(values) => values.into_iter().map(Value::from).collect(),
            FaultValue::Record(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .collect(),
            ),
        }
    }
}

impl ActionError for AppError {
    fn is_contended(&self) -> bool {
        matches!(self, AppError::Contended)
    }
}

impl From<serde_json::Error> for AppError {
    fn from(error: serde_json::Error) -> Self {
        AppError::Internal(Box::new(error))
    }
}

/// The longest word that is taken for a misspelt one, in bytes: the comparison takes its length times that of the other.
const MISSPELT_MAX: usize = 64;

/// The known word nearest to a misspelt one, if one is near.
pub fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    if word.len() > MISSPELT_MAX {
        return None;
    }
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_long_one_is_not_compared() {
        let near = |word: &str| closest(word, ["region", "state"].into_iter());
        assert_eq!(near("regoin").as_deref(), Some("region"));
        assert_eq!(near("nothing"), None);
        // However near the known one is.
        let long = "a".repeat(MISSPELT_MAX + 1);
        assert_eq!(closest(&long, [long.as_str()].into_iter()), None);
    }
}
