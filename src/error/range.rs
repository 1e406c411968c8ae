//! What a limit of a range says: its first end, its last, or both. Limits are written as `1..9`, `1–9`, `1 … 9`, `1..`, `..9`, or as
//! the one end that a value has passed; days and moments are ends too.

use std::cmp::Ordering;

use crate::domain::fault::FaultValue;

/// The ends of a range, as they are written; empty where there is none.
#[derive(Debug, PartialEq, Eq)]
pub struct Range {
    first: String,
    last: String,
    /// Neither end: a value that the range is.
    is_one: bool,
}

impl Range {
    /// That of a limit; one end alone is the one that the actual value has passed.
    pub fn of(limit: FaultValue, actual: Option<&FaultValue>) -> Self {
        let text = written(&limit);
        for sign in ["..", "–", "…"] {
            if let Some((first, last)) = text.split_once(sign) {
                return Self {
                    first: first.trim().to_owned(),
                    last: last.trim().to_owned(),
                    is_one: false,
                };
            }
        }
        let order = actual.and_then(|actual| compare(actual, &limit));
        let (first, last) = match order {
            Some(Ordering::Greater) => (String::new(), text),
            Some(Ordering::Less | Ordering::Equal) | None => (text, String::new()),
        };
        Self {
            first,
            last,
            is_one: !matches!(order, Some(Ordering::Less | Ordering::Greater)),
        }
    }

    pub fn ends(&self) -> (&str, &str) {
        (&self.first, &self.last)
    }

    /// Which words it is told in.
    pub fn words(&self) -> &'static str {
        match (self.first.as_str(), self.last.as_str()) {
            _ if self.is_one => "one",
            ("", last) if is_day(last) => "last_day",
            ("", _) => "last",
            (first, "") if is_day(first) => "first_day",
            (_, "") => "first",
            _ => "both",
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
