//! Names that say nothing, files without a head, calls that give up, and words of unfinished work.

use super::source::Source;

const EMPTY_NAMES: &[&str] = &[
    "utils", "helpers", "common", "misc", "manager", "base", "types",
];

/// Calls and macros that end the process where an error should be told.
const GIVING_UP: &[&str] = &["unwrap", "unwrap_err", "expect", "expect_err"];
const GIVING_UP_MACROS: &[&str] = &["todo", "unimplemented"];

/// Whole words, in any case.
const LEFT_FOR_LATER: &[&str] = &["todo", "fixme", "xxx", "hack", "placeholder", "dummy"];

pub fn empty_name(source: &Source) -> Vec<String> {
    let says_nothing = |part: &str| EMPTY_NAMES.contains(&part.strip_suffix(".rs").unwrap_or(part));
    match source.path.split('/').find(|part| says_nothing(part)) {
        Some(part) => vec![source.complaint(1, &format!("{part} says nothing"))],
        None => Vec::new(),
    }
}

pub fn missing_head(source: &Source) -> Vec<String> {
    match source.text.starts_with("//! ") {
        true => Vec::new(),
        false => vec![source.complaint(1, "begin with `//!`: what the file decides")],
    }
}

pub fn giving_up(source: &Source) -> Vec<String> {
    let tokens = source.production_tokens();
    let around = tokens.windows(3).filter(|three| {
        let (before, word, after) = (&three[0].text, three[1].text.as_str(), &three[2].text);
        let is_call = before == "." || before == "::";
        (is_call && GIVING_UP.contains(&word)) || (after == "!" && GIVING_UP_MACROS.contains(&word))
    });
    around
        .map(|three| source.complaint(three[1].line, &format!("{} gives up", three[1].text)))
        .collect()
}

pub fn left_for_later(source: &Source) -> Vec<String> {
    let is_later = |line: &str| {
        let lower = line.to_lowercase();
        let mut words = lower.split(|letter: char| !letter.is_alphanumeric());
        words.any(|word| LEFT_FOR_LATER.contains(&word))
    };
    let lines = source.text.lines().zip(1..);
    lines
        .filter(|(line, _)| is_later(line))
        .map(|(line, number)| source.complaint(number, &format!("unfinished: {}", line.trim())))
        .collect()
}

#[test]
fn refuses_empty_names_and_missing_heads() {
    for path in ["store/utils.rs", "http/common/mod.rs", "types.rs"] {
        assert_eq!(empty_name(&Source::parse(path, "")).len(), 1, "{path}");
    }
    assert!(empty_name(&Source::parse("store/base_rate.rs", "")).is_empty());
    for text in [
        "use std::fmt;",
        "/// Not of the file.\nstruct S;",
        "",
        "//!\nstruct S;",
    ] {
        assert_eq!(
            missing_head(&Source::parse("a.rs", text)).len(),
            1,
            "{text}"
        );
    }
    assert!(missing_head(&Source::parse("a.rs", "//! Decides.")).is_empty());
}

#[test]
fn refuses_giving_up_outside_tests() {
    for text in [
        "fn f() { a.unwrap(); }",
        "fn f() { a.expect(\"b\"); }",
        "fn f() { a.map(Option::unwrap); }",
        "fn f() { println!(\"{}\", a.unwrap()); }",
        "fn f() { todo!() }",
        "fn f() { std::unimplemented!() }",
        "#[cfg(not(test))] fn f() { a.unwrap(); }",
    ] {
        assert_eq!(giving_up(&Source::parse("a.rs", text)).len(), 1, "{text}");
    }
    for text in [
        "fn f() { a.unwrap_or_default(); }",
        "#[expect(dead_code)] fn unwrap() {}",
        "#[cfg(test)] mod tests { fn f() { a.unwrap(); } }",
        "struct S; #[cfg(test)] impl S { fn f() { a.unwrap(); } }",
    ] {
        // A test and what surrounds it may stand on one line here, so break it.
        let text = text.replace("; #", ";\n#");
        assert!(
            giving_up(&Source::parse("a.rs", &text)).is_empty(),
            "{text}"
        );
    }
}

#[test]
fn refuses_unfinished_work() {
    for text in [
        "// TODO: later",
        "// FIXME",
        "/// A Placeholder.\nstruct S;",
        "const DUMMY: u8 = 1;",
    ] {
        assert_eq!(
            left_for_later(&Source::parse("a.rs", text)).len(),
            1,
            "{text}"
        );
    }
    assert!(
        left_for_later(&Source::parse(
            "a.rs",
            "/// Fills the placeholders of a text about a mastodon.\nstruct S;"
        ))
        .is_empty()
    );
}
