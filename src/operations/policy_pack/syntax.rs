//! What is no TOML at all, in words for people: the line where the mistake is, not where the reader stumbles over it.

use super::{PolicyMistake, Sentence};

/// What the reader of TOML says begins with one of these; what is wrong then, and what to do.
const REASONS: [(&str, &str, &str); 10] = [
    (
        "duplicate key",
        "同一个键或表写了两次：请删去一个，或改名",
        "duplicate key: the same key or table is there twice; remove one of them or rename it",
    ),
    (
        "missing opening quote",
        "文字的引号没有成对：文字两边须有英文双引号",
        "missing opening quote: a text stands between two straight quotes",
    ),
    (
        "string values must be quoted",
        "文字须放在英文双引号之中",
        "a text must be quoted: it stands between two straight quotes",
    ),
    (
        "invalid basic string",
        "文字的引号没有成对：文字两边须有英文双引号",
        "a text is not closed: it stands between two straight quotes",
    ),
    (
        "missing comma",
        "各项之间缺少英文逗号，或括号没有成对",
        "missing comma between entries, or a bracket that is not closed",
    ),
    (
        "key with no value",
        "键之后缺少等号和值",
        "a key without \"=\" and a value",
    ),
    (
        "missing assignment",
        "键之后缺少等号和值",
        "a key without \"=\" and a value",
    ),
    (
        "unclosed",
        "括号没有成对：请在此行补上右括号",
        "a bracket is not closed: add the closing one on this line",
    ),
    (
        "extra",
        "此处多了一个逗号或等号，或缺少值",
        "an extra comma or \"=\" stands here, or a value is missing",
    ),
    (
        "missing value",
        "等号之后缺少值",
        "a value is missing after \"=\"",
    ),
];

/// Signs that a Chinese keyboard types for those of TOML.
const CHINESE_SIGNS: [char; 9] = ['“', '”', '，', '＝', '【', '】', '｛', '｝', '：'];

/// One mistake for each line; where a bracket stays open, that one alone, for the reader stumbles over every line after it.
pub(super) fn mistakes(text: &str, places: Vec<(usize, &str)>) -> Vec<PolicyMistake> {
    let first = places.iter().map(|(line, _)| *line).min();
    if let (Some(first), Some(line)) = (first, unclosed(text))
        && line < first
    {
        let reason = (
            "此行的括号没有成对：请补上右括号",
            "a bracket of this line is not closed: add the closing one",
        );
        return vec![mistake(line, reason.into())];
    }
    let mut told: Vec<PolicyMistake> = Vec::new();
    for (line, message) in places {
        if !told.iter().any(|other| other.line == line) {
            told.push(mistake(line, reason(line_of(text, line), message)));
        }
    }
    told
}

fn mistake(line: usize, reason: Sentence) -> PolicyMistake {
    PolicyMistake {
        line,
        key: String::new(),
        reason,
    }
}

fn line_of(text: &str, number: usize) -> &str {
    text.lines()
        .nth(number.saturating_sub(1))
        .unwrap_or_default()
}

fn reason(line: &str, message: &str) -> Sentence {
    let signs = line
        .char_indices()
        .filter(|(_, letter)| CHINESE_SIGNS.contains(letter));
    let mut outside = signs.filter(|(at, _)| is_outside(line, *at));
    if let Some((_, sign)) = outside.next() {
        return (
            format!("{sign} 是中文标点：引号、逗号、等号和括号须用英文半角"),
            format!("{sign} is a Chinese sign: quotes, commas, \"=\" and brackets are typed in half width"),
        )
            .into();
    }
    let known = REASONS
        .iter()
        .find(|(start, ..)| message.starts_with(start));
    match known {
        Some((_, zh, en)) => (*zh, *en).into(),
        None => (
            "此处不是有效的写法：请检查此行的引号、括号、逗号和等号".to_owned(),
            format!("this is no TOML ({message}): check the quotes, brackets, commas and \"=\" of this line"),
        )
            .into(),
    }
}

/// Whether a place in a line is in no quoted text.
fn is_outside(line: &str, at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default();
    before.matches('"').count().is_multiple_of(2)
}

/// The line of a bracket that is still open where another closes, something new begins, or at the end. Where a quote is missing
/// nothing can be said of brackets.
fn unclosed(text: &str) -> Option<usize> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut is_done = false;
    for (at, line) in text.lines().enumerate() {
        if let Some((last, _)) = open.last()
            && is_done
            && begins_something(line)
        {
            return Some(*last);
        }
        let line = code(line);
        if !line.matches('"').count().is_multiple_of(2) {
            return None;
        }
        for (place, letter) in line.char_indices() {
            match letter {
                '[' if is_outside(line, place) => open.push((at + 1, ']')),
                '{' if is_outside(line, place) => open.push((at + 1, '}')),
                ']' | '}' if is_outside(line, place) => match open.pop() {
                    Some((last, closing)) if closing != letter => return Some(last),
                    _ => {}
                },
                _ => {}
            }
        }
        // A list over several lines has its next entry after an opening bracket or a comma.
        let end = line.trim_end();
        if !end.is_empty() {
            is_done = !end.ends_with(['[', '{', ','])
                || begins_something(line) && !end.ends_with(['[', '{']);
        }
    }
    open.last().map(|(last, _)| *last)
}

/// A line that begins a member or a table.
fn begins_something(line: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    let key = line.trim_start_matches(is_word);
    let is_member = key.len() < line.len() && key.trim_start().starts_with('=');
    let table = line.trim_start_matches('[');
    let is_table =
        table.len() < line.len() && table.starts_with(|letter: char| letter.is_ascii_lowercase());
    is_member || is_table
}

/// What a line holds before its comment.
fn code(line: &str) -> &str {
    let hash = line
        .match_indices('#')
        .find(|(at, _)| is_outside(line, *at));
    hash.map_or(line, |(at, _)| line.get(..at).unwrap_or_default())
}
