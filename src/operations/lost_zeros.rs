//! What a spreadsheet program does to texts that look like numbers: the zeros before them are gone when the table comes back.
//! A text that is no other than a known one without its zeros is refused, with the known one beside it.

use std::collections::HashMap;

use crate::domain::TypedKey;
use crate::error::{Code, Fault};

/// Whether this is what a program leaves of a known text.
fn is_rest(told: &str, known: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    known.starts_with('0')
        && is_digits(known)
        && is_digits(told)
        && told != known
        && told == rest(known)
}

fn rest(known: &str) -> &str {
    let rest = known.trim_start_matches('0');
    match rest.is_empty() {
        true => "0",
        false => rest,
    }
}

/// The fault of a field that says what a program left of its known value.
pub fn fault(field: &str, told: &str, known: &str) -> Option<Fault> {
    let known = known.trim();
    is_rest(told, known).then(|| {
        Fault::field(field, Code::digits_lost)
            .actual(told)
            .did_you_mean(Some(known.to_owned()))
    })
}

/// Known keys that begin with zeros, by what a program leaves of them.
#[derive(Debug, Default)]
pub struct Padded(HashMap<String, TypedKey>);

impl Padded {
    pub fn of(keys: Vec<TypedKey>) -> Self {
        let by_rest = keys
            .into_iter()
            .map(|key| (rest(&key.folded()).to_owned(), key));
        Self(by_rest.collect())
    }

    /// The fault of a key that is not known, where one with zeros before it is.
    pub fn fault(&self, field: &str, told: &TypedKey) -> Option<Fault> {
        let known = self.0.get(&told.folded())?;
        fault(field, told, known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rest_of_digits_is_one() {
        for (told, known, is_lost) in [
            ("123", "000123", true),
            ("0", "000", true),
            ("123", "123", false),
            ("0123", "000123", false),
            ("23", "000123", false),
            ("A1", "0A1", false),
            ("", "000", false),
        ] {
            assert_eq!(
                fault("asset_no", told, known).is_some(),
                is_lost,
                "{told} {known}"
            );
        }
        let padded = Padded::of(vec!["000123".into(), "00".into(), "0x1".into()]);
        let told = |text: &str| padded.fault("asset_no", &text.into());
        assert_eq!(told("123").unwrap().did_you_mean.as_deref(), Some("000123"));
        assert_eq!(told("１２３").map(|fault| fault.code), None);
        assert_eq!(told("0").unwrap().did_you_mean.as_deref(), Some("00"));
        assert_eq!(told("x1"), None);
    }
}
