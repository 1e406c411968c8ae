//! The untyped tree of a pack with the line of every key, and the reading of its values: each mistake is noted with line,
//! key path and reason, and reading goes on.

use super::Source;
use crate::domain::ratio;
use crate::domain::vocabulary::UnknownWord;
use num_rational::BigRational;
use std::cell::RefCell;
use std::ops::RangeInclusive;

/// One thing that is wrong in a pack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error, serde::Serialize)]
#[error("line {line}: {key}: {reason}")]
pub struct PolicyMistake {
    /// Line in the text, from 1.
    pub line: usize,
    /// Key path such as `scores[2].full_at`; empty for the text as a whole.
    pub key: String,
    pub reason: String,
}

/// A value of a pack with the line on which it (or its key) stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    pub line: usize,
    pub value: RawValue,
}

/// What TOML can say, as far as packs use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawValue {
    Text(String),
    Integer(i64),
    List(Vec<Raw>),
    Table(Vec<(String, Raw)>),
    /// A type no pack uses (float, boolean, date), by its TOML name.
    Other(&'static str),
}

impl RawValue {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Integer(_) => "integer",
            Self::List(_) => "array",
            Self::Table(_) => "table",
            Self::Other(name) => name,
        }
    }
}

/// Everything found while a pack is read: mistakes, and the sources named on the way.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub mistakes: RefCell<Vec<PolicyMistake>>,
    pub sources: RefCell<Vec<(String, Source)>>,
}

/// A value together with its place.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub key: String,
    raw: &'a Raw,
    findings: &'a Findings,
}

impl<'a> Node<'a> {
    pub fn root(raw: &'a Raw, findings: &'a Findings) -> Self {
        Self {
            key: String::new(),
            raw,
            findings,
        }
    }

    /// Notes a mistake at this place; `None`, so that a reader can end with it.
    pub fn refuse<T>(&self, reason: impl Into<String>) -> Option<T> {
        self.findings.mistakes.borrow_mut().push(PolicyMistake {
            line: self.raw.line,
            key: self.key.clone(),
            reason: reason.into(),
        });
        None
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        let found = self.raw.value.type_name();
        self.refuse(format!("{what} is expected here, not {found}"))
    }

    pub fn text(&self) -> Option<&'a str> {
        match &self.raw.value {
            RawValue::Text(text) if text.trim().is_empty() => self.refuse("is empty"),
            RawValue::Text(text) => Some(text),
            _ => self.expected("a string"),
        }
    }

    pub fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        match &self.raw.value {
            RawValue::Integer(number) if range.contains(number) => Some(*number),
            RawValue::Integer(number) => self.refuse(format!(
                "{number} is not between {} and {}",
                range.start(),
                range.end()
            )),
            _ => self.expected("an integer"),
        }
    }

    /// A decimal number, written as a string, not below zero.
    pub fn decimal(&self) -> Option<BigRational> {
        match &self.raw.value {
            RawValue::Text(text) => match ratio::parse(text) {
                Ok(value) => Some(value),
                Err(error) => self.refuse(format!("{text:?}: {error}")),
            },
            _ => self.expected("a decimal number as a string"),
        }
    }

    pub fn positive_decimal(&self) -> Option<BigRational> {
        let value = self.decimal()?;
        if value > ratio::whole(0) {
            Some(value)
        } else {
            self.refuse("must be above zero")
        }
    }

    /// A word of a closed list; another word is refused by name.
    pub fn word<T: std::str::FromStr<Err = UnknownWord>>(&self) -> Option<T> {
        match self.text()?.parse() {
            Ok(word) => Some(word),
            Err(error) => self.refuse(error.to_string()),
        }
    }

    /// The one word that is known here.
    pub fn only(&self, known: &str) -> Option<()> {
        match self.text()? {
            word if word == known => Some(()),
            word => self.refuse(format!("{word:?} is not known here, only {known:?}")),
        }
    }

    pub fn list(&self) -> Option<Vec<Node<'a>>> {
        match &self.raw.value {
            RawValue::List(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, raw)| Node {
                        key: format!("{}[{at}]", self.key),
                        raw,
                        findings: self.findings,
                    })
                    .collect(),
            ),
            _ => self.expected("an array"),
        }
    }

    pub fn table(&self) -> Option<Table<'a>> {
        match &self.raw.value {
            RawValue::Table(entries) => Some(Table {
                node: self.clone(),
                entries,
                known: RefCell::new(Vec::new()),
            }),
            _ => self.expected("a table"),
        }
    }
}

/// A table being read; [`Table::finish`] refuses the keys that nobody asked for.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub node: Node<'a>,
    entries: &'a [(String, Raw)],
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    pub fn optional(&self, name: &'static str) -> Option<Node<'a>> {
        self.known.borrow_mut().push(name);
        self.entries()
            .find_map(|(key, node)| (key == name).then_some(node))
    }

    pub fn required(&self, name: &'static str) -> Option<Node<'a>> {
        match self.optional(name) {
            Some(node) => Some(node),
            None => self.node.refuse(format!("{name:?} is missing")),
        }
    }

    /// Every key with its value, for tables whose keys are names.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a, '_> {
        self.entries.iter().map(|(name, raw)| {
            let key = match self.node.key.as_str() {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            let node = Node {
                key,
                raw,
                findings: self.node.findings,
            };
            (name.as_str(), node)
        })
    }

    /// Takes note of `source` and refuses every key that was not asked for, by name.
    pub fn finish(&self) {
        if let Some(source) = self.optional("source").and_then(|node| node.word()) {
            let place = (self.node.key.clone(), source);
            self.node.findings.sources.borrow_mut().push(place);
        }
        let known = self.known.borrow();
        for (name, node) in self.entries() {
            if !known.contains(&name) {
                node.refuse::<()>(format!(
                    "unknown key {name:?}; known here: {}",
                    known.join(", ")
                ));
            }
        }
    }
}
