//! The apostrophe that keeps a spreadsheet program from running a text of a CSV as a formula and from taking it for a number
//! that it writes in its own way, and its exact removal.

use std::borrow::Cow;

const TRIGGERS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether a program could take the text, less its leading apostrophes, for a formula.
fn could_run(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(TRIGGERS)
}

/// Digits of a number that spreadsheet programs keep.
pub(super) const NUMBER_DIGITS: usize = 15;

/// Whether the text is what a program leaves of a long number when it saves CSV: `1.21303E+17`, or zeros after the fifteenth
/// digit.
pub(super) fn looks_rounded(text: &str) -> bool {
    is_scientific(text) || {
        let rest = text.get(NUMBER_DIGITS..).unwrap_or_default();
        is_digits(text) && !rest.is_empty() && rest.bytes().all(|digit| digit == b'0')
    }
}

fn is_scientific(text: &str) -> bool {
    text.split_once("E+").is_some_and(|(digits, exponent)| {
        let parts = digits.split_once('.');
        parts.is_some_and(|(whole, rest)| whole.len() == 1 && is_digits(whole) && is_digits(rest))
            && exponent.len() == 2
            && is_digits(exponent)
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the text, less its leading apostrophes, needs one.
fn needs_guard(text: &str) -> bool {
    could_run(text) || looks_rounded(text.trim_start_matches('\'').trim())
}

/// Whether an apostrophe before the text is no part of it: it stands before what needs one, and a person may write it before
/// digits, to keep their zeros.
fn is_kept_by_one(text: &str) -> bool {
    needs_guard(text) || is_digits(text.trim_start_matches('\'').trim())
}

/// Whether a text of a CSV was written with an apostrophe, and so stands there as it was meant.
pub(super) fn is_guarded(text: &str) -> bool {
    text.strip_prefix('\'').is_some_and(is_kept_by_one)
}

/// The text as a CSV carries it.
pub(in crate::exchange) fn guard(text: &str) -> Cow<'_, str> {
    if needs_guard(text) || is_guarded(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The inverse of [`guard`].
pub(super) fn unguard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_kept_by_one(rest) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_run_gets_one_apostrophe() {
        for (text, guarded) in [
            ("=1+1", "'=1+1"),
            ("+86 311", "'+86 311"),
            ("-", "'-"),
            ("@SUM", "'@SUM"),
            ("\tx", "'\tx"),
            ("'=1", "''=1"),
            ("'tis", "'tis"),
            ("1=1", "1=1"),
            ("1.21303E+17", "'1.21303E+17"),
            ("'1.21303E+17", "''1.21303E+17"),
            ("121303000000000000", "'121303000000000000"),
            ("121303000000000001", "121303000000000001"),
            ("000123", "000123"),
            ("'000123", "''000123"),
            ("", ""),
        ] {
            assert_eq!(guard(text), guarded);
            assert_eq!(unguard(guarded), text);
        }
    }

    proptest! {
        #[test]
        fn unguard_undoes_guard(text in "'{0,3} ?([=+@\t\r\n＝-]{0,2}.{0,9}|[0-9]{15}0{0,3}|0{0,2}[0-9]{1,3}|1\\.2E\\+17)") {
            let guarded = guard(&text);
            prop_assert!(!guarded.starts_with(TRIGGERS));
            prop_assert_eq!(unguard(&guarded), &text);
            prop_assert!(guarded == text || is_guarded(&guarded));
        }
    }
}
