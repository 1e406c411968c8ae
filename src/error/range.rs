//! What a limit of a range says: its first end, its last, or both. Limits are written as `1..9`, `1–9`, `1 … 9`, `1..`, `..9`, or as
//! the one end that a value has passed; days and moments are ends too.

use std::cmp::Ordering;

use crate::domain::fault::FaultValue;

/// The ends of a range, as they are written.
#[derive(Debug, PartialEq, Eq)]
pub enum Range {
    Both(String, String),
    First(String),
    Last(String),
    /// The end that a value has just reached is no longer within.
    Before(String),
    /// No end that a value has passed: the limit says it in its own words.
    Whole,
}

impl Range {
    /// That of a limit; one end alone is the one that the actual value has passed.
    pub fn of(limit: &FaultValue, actual: Option<&FaultValue>) -> Self {
        let text = written(limit);
        for sign in ["..", "–", "…"] {
            if let Some((first, last)) = text.split_once(sign) {
                return match (first.trim().to_owned(), last.trim().to_owned()) {
                    (first, last) if last.is_empty() => Self::First(first),
                    (first, last) if first.is_empty() => Self::Last(last),
                    (first, last) => Self::Both(first, last),
                };
            }
        }
        match actual.and_then(|actual| compare(actual, limit)) {
            Some(Ordering::Less) => Self::First(text),
            Some(Ordering::Greater) => Self::Last(text),
            Some(Ordering::Equal) => Self::Before(text),
            None => Self::Whole,
        }
    }

    pub fn ends(&self) -> Option<(&str, &str)> {
        match self {
            Self::Both(first, last) => Some((first, last)),
            Self::First(first) => Some((first, "")),
            Self::Last(last) | Self::Before(last) => Some(("", last)),
            Self::Whole => None,
        }
    }

    /// Which words it is told in.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Both(..) => "both",
            Self::First(first) if is_day(first) => "first_day",
            Self::First(_) => "first",
            Self::Last(last) if is_day(last) => "last_day",
            Self::Last(_) => "last",
            Self::Before(_) => "before",
            Self::Whole => "one",
        }
    }
}

fn written(value: &FaultValue) -> String {
    match serde_json::Value::from(value.clone()) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Numbers by their size, days and moments of one form by their text.
fn compare(actual: &FaultValue, limit: &FaultValue) -> Option<Ordering> {
    if let (FaultValue::Number(actual), FaultValue::Number(limit)) = (actual, limit) {
        return Some(actual.cmp(limit));
    }
    let (actual, limit) = (written(actual), written(limit));
    if is_day(&actual) && is_day(&limit) {
        return Some(actual.cmp(&limit));
    }
    let number = |text: &str| text.parse::<f64>().ok();
    number(&actual)?.partial_cmp(&number(&limit)?)
}

/// A day, or a moment on one.
fn is_day(text: &str) -> bool {
    let day = text.get(..10);
    day.is_some_and(|day| day.parse::<chrono::NaiveDate>().is_ok())
}
