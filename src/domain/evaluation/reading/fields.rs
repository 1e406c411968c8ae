//! The fields of a canonical line: asked for by key, or by place in the oldest format, and none may be left over.

use std::collections::{BTreeSet, VecDeque};
use std::str::FromStr;

use num_rational::BigRational;

use super::super::lines::Format;
use crate::domain::ratio;

/// What a line has not yet been asked for.
pub(super) struct Fields<'a> {
    pub words: VecDeque<&'a str>,
    pub format: Format,
}

impl<'a> Fields<'a> {
    /// The value of a key; without keys, the next one.
    pub fn word(&mut self, key: &str) -> Option<&'a str> {
        match self.format {
            Format::Positional => self.words.pop_front(),
            Format::Keyed | Format::Facts => {
                let value = |word: &&'a str| word.strip_prefix(key)?.strip_prefix('=');
                let at = self.words.iter().position(|word| value(word).is_some())?;
                value(&self.words.remove(at)?)
            }
        }
    }

    pub fn parsed<T: FromStr>(&mut self, key: &str) -> Option<T> {
        self.word(key)?.parse().ok()
    }

    /// `Some(None)`: there is no such key.
    pub fn optional<T: FromStr>(&mut self, key: &str) -> Option<Option<T>> {
        match self.word(key) {
            Some(word) => word.parse().ok().map(Some),
            None => Some(None),
        }
    }

    /// Words parted by commas; none without the key.
    pub fn words(&mut self, key: &str) -> BTreeSet<String> {
        let words = self.word(key).map(|words| words.split(','));
        words.into_iter().flatten().map(str::to_owned).collect()
    }

    pub fn exact(&mut self, key: &str) -> Option<BigRational> {
        ratio::parse_exact(self.word(key)?).ok()
    }

    pub fn flag(&mut self, key: &str) -> Option<bool> {
        match self.word(key)? {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    pub fn unescaped(&mut self, key: &str) -> Option<String> {
        unescape(self.word(key)?)
    }

    /// `Some(None)`: there is no such key.
    pub fn optional_text(&mut self, key: &str) -> Option<Option<String>> {
        match self.word(key) {
            Some(word) => unescape(word).map(Some),
            None => Some(None),
        }
    }

    /// Nothing is left that nobody asked for: it would be missing from the digest.
    pub fn end(&self) -> Option<()> {
        self.words.is_empty().then_some(())
    }
}

fn unescape(word: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            c => c,
        });
    }
    Some(text)
}
