//! The apostrophe that keeps a spreadsheet program from running a text of a CSV as a formula, and its exact removal.

use std::borrow::Cow;

const TRIGGERS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether a program could take the text, less its leading apostrophes, for a formula.
fn could_run(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(TRIGGERS)
}

/// The text as a CSV carries it.
pub(super) fn guard(text: &str) -> Cow<'_, str> {
    if could_run(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The inverse of [`guard`].
pub(super) fn unguard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if could_run(rest) => rest,
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
            ("", ""),
        ] {
            assert_eq!(guard(text), guarded);
            assert_eq!(unguard(guarded), text);
        }
    }

    proptest! {
        #[test]
        fn unguard_undoes_guard(text in "'{0,3}[=+@\t\r\n＝-]{0,2}.{0,9}") {
            let guarded = guard(&text);
            prop_assert!(!guarded.starts_with(TRIGGERS));
            prop_assert_eq!(unguard(&guarded), &text);
        }
    }
}
