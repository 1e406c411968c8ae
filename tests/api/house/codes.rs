//! Codes are typed where they arise: nothing but the page about a code reads one from a text.

use super::source::Source;

/// The one file that may: it answers what a code means.
const READER: &str = "http/docs.rs";

/// Complains about each `Code::find` outside the page about codes and the tests.
pub fn read_from_text(source: &Source) -> Vec<String> {
    if source.path == READER {
        return Vec::new();
    }
    let tokens = source.production_tokens();
    tokens
        .windows(3)
        .filter(|three| {
            ["Code", "::", "find"]
                .iter()
                .zip(*three)
                .all(|(word, token)| token.text == *word)
        })
        .map(|three| source.complaint(three[0].line, "a code is typed where it arises"))
        .collect()
}

#[test]
fn refuses_a_code_that_is_read_from_a_text() {
    let text = "fn f() { Code::find(word).unwrap_or(Code::invalid_value); }";
    for (path, complaints) in [("operations/run.rs", 1), ("http/docs.rs", 0)] {
        let source = Source::parse(path, text);
        assert_eq!(read_from_text(&source).len(), complaints, "{path}");
    }
    let test = format!("#[cfg(test)] mod tests {{ {text} }}");
    assert!(read_from_text(&Source::parse("error/text.rs", &test)).is_empty());
}
