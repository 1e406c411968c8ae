//! Why somebody did something, in their own words: one limit for every action that takes a reason.

use serde::Serialize;

use super::fault::Faults;
use super::{Code, Fault};

/// The most characters of a reason.
const CHARACTERS_MAX: usize = 2_000;

/// A reason that says something, without control characters but line breaks and tabs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reason(String);

impl Reason {
    /// The reason that was sent; a blank one is none. Refuses none where one is due.
    pub fn read(sent: Option<&str>, is_due: bool) -> Result<Option<Self>, Fault> {
        match Self::of("reason", sent)? {
            None if is_due => Err(Fault::field("reason", Code::reason_required)),
            reason => Ok(reason),
        }
    }

    /// The reason that stands in `field`; a blank one is none.
    pub fn of(field: &str, sent: Option<&str>) -> Result<Option<Self>, Fault> {
        let said = sent.filter(|text| !text.trim().is_empty());
        let mut faults = Faults::new();
        faults.optional_text(field, said, CHARACTERS_MAX);
        match faults.into_vec().pop() {
            Some(fault) => Err(fault),
            None => Ok(said.map(|text| Self(text.to_owned()))),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> String {
        reason.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_where_one_is_due() {
        let longest = "因".repeat(CHARACTERS_MAX);
        let longer = format!("{longest}为");
        for (sent, is_due, code) in [
            (None, false, None),
            (Some(" \n"), false, None),
            (None, true, Some(Code::reason_required)),
            (Some(" "), true, Some(Code::reason_required)),
            (Some("机时有误"), true, None),
            (Some(longest.as_str()), true, None),
            (Some(longer.as_str()), false, Some(Code::text_too_long)),
            (Some("机\u{0}时"), false, Some(Code::control_character)),
        ] {
            let read = Reason::read(sent, is_due);
            assert_eq!(read.err().map(|fault| fault.code), code, "{sent:?}");
        }
        let read = Reason::read(Some("机时有误"), false);
        assert_eq!(read, Ok(Some(Reason("机时有误".to_owned()))));
        assert_eq!(Reason::read(Some(" "), false), Ok(None));
    }
}
