//! Groups of phrases that mean the same instrument, method or function: Chinese names, English ones and abbreviations. Which
//! there are is data; where a query names one is decided here.

use std::collections::HashMap;
use std::sync::Arc;

use super::text::{self, Kind, Token};

/// The most tokens of a phrase.
const TOKENS_MAX: usize = 24;

/// Abbreviations of so many letters or fewer are no synonyms where they stand in a model or an asset number.
const SHORT_MAX: usize = 3;

/// One phrase of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    /// As the data spells it.
    pub spelling: Arc<str>,
    pub parts: Vec<Part>,
    /// Without marks and blanks.
    pub compact: String,
    /// An abbreviation that other words begin with.
    pub is_short: bool,
}

/// What of a phrase must stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Chinese characters side by side.
    Chinese(Vec<char>),
    /// Letters and digits, whatever marks are between.
    Word(String),
}

/// Why a group cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAGroup {
    #[error("a group of synonyms names two phrases or more, not {0:?}")]
    Single(Vec<String>),
    #[error("{0:?} is no phrase of 1 to {TOKENS_MAX} characters or words")]
    Phrase(String),
}

/// Every group, by its phrases.
#[derive(Debug, Default)]
pub struct Synonyms {
    groups: Vec<Vec<Phrase>>,
    by_phrase: HashMap<String, Vec<usize>>,
}

impl Synonyms {
    /// Groups, and those that are added to them: a phrase of several groups means all of them.
    pub fn new(groups: impl IntoIterator<Item = Vec<String>>) -> Result<Self, NotAGroup> {
        let mut all = Self::default();
        for group in groups {
            all.add(group)?;
        }
        Ok(all)
    }

    fn add(&mut self, group: Vec<String>) -> Result<(), NotAGroup> {
        if group.len() < 2 {
            return Err(NotAGroup::Single(group));
        }
        let number = self.groups.len();
        let mut phrases: Vec<Phrase> = Vec::with_capacity(group.len());
        for spelling in group {
            let tokens = text::tokens(&spelling);
            if tokens.is_empty() || tokens.len() > TOKENS_MAX {
                return Err(NotAGroup::Phrase(spelling));
            }
            let phrase = Phrase::new(&spelling, &tokens);
            if phrases.iter().all(|known| known.compact != phrase.compact) {
                let groups = self.by_phrase.entry(phrase.compact.clone()).or_default();
                groups.push(number);
                phrases.push(phrase);
            }
        }
        self.groups.push(phrases);
        Ok(())
    }

    /// How many groups there are.
    pub fn count(&self) -> usize {
        self.groups.len()
    }

    /// The longest phrase that the tokens begin with: how many of them it takes, and the phrases that mean it.
    pub(super) fn longest(&self, tokens: &[Token]) -> Option<(usize, Vec<&Phrase>)> {
        let most = tokens
            .iter()
            .take(TOKENS_MAX)
            .enumerate()
            .take_while(|(place, token)| *place == 0 || token.gap < text::Gap::Break)
            .count();
        (1..=most).rev().find_map(|count| {
            let (phrase, rest) = tokens.split_at_checked(count)?;
            let groups = self.by_phrase.get(&text::compact(phrase))?;
            // `MS-2000` is a model, whatever MS is else.
            let goes_on = rest.first().is_some_and(|next| {
                let is_latin = phrase.last().is_some_and(|last| !last.is_chinese());
                let is_sign = next.kind == Kind::Digits || next.text.len() == 1;
                is_latin && !next.is_chinese() && next.is_attached() && is_sign
            });
            let all = groups.iter().filter_map(|group| self.groups.get(*group));
            (!goes_on).then(|| (count, all.flatten().collect()))
        })
    }
}

impl Phrase {
    fn new(spelling: &str, tokens: &[Token]) -> Self {
        let compact = text::compact(tokens);
        let is_latin = tokens.iter().all(|token| token.kind == Kind::Letters);
        Self {
            spelling: spelling.trim().into(),
            parts: parts(tokens),
            is_short: is_latin && compact.len() <= SHORT_MAX,
            compact,
        }
    }
}

/// The parts of a phrase: Chinese characters side by side, and each word of others.
pub(super) fn parts(tokens: &[Token]) -> Vec<Part> {
    let mut all: Vec<Part> = Vec::new();
    let mut last_kind = None;
    for (place, token) in tokens.iter().enumerate() {
        let goes_on = place > 0 && token.is_attached();
        let letter = token.text.chars().next().filter(|_| token.is_chinese());
        match (all.last_mut(), letter) {
            (Some(Part::Chinese(run)), Some(letter)) if token.is_attached() => {
                run.push(letter);
            }
            (Some(Part::Word(word)), None) if goes_on && last_kind != Some(Kind::Chinese) => {
                word.push_str(&token.text);
            }
            (_, Some(letter)) => all.push(Part::Chinese(vec![letter])),
            (_, None) => all.push(Part::Word(token.text.clone())),
        }
        last_kind = Some(token.kind);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Synonyms {
        let groups = [
            &[
                "扫描电镜",
                "扫描电子显微镜",
                "SEM",
                "scanning electron microscope",
            ][..],
            &["质谱", "MS"],
            &["液质", "LC-MS"],
            &["X射线衍射", "XRD"],
        ];
        let groups = groups.map(|group| group.iter().map(|word| (*word).to_owned()).collect());
        Synonyms::new(groups).unwrap()
    }

    #[test]
    fn the_longest_phrase_is_found_in_every_spelling() {
        let all = groups();
        for (text, count, first) in [
            ("sem 保定", 1, "扫描电镜"),
            ("扫描电子显微镜", 7, "扫描电镜"),
            ("Scanning-Electron Microscope", 3, "扫描电镜"),
            ("lcms", 1, "液质"),
            ("LC MS", 2, "液质"),
            ("lc/ms", 2, "液质"),
            ("X-射线衍射仪", 5, "X射线衍射"),
        ] {
            let tokens = text::tokens(text);
            let (found, phrases) = all.longest(&tokens).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found, &*phrases[0].spelling), (count, first), "{text}");
        }
        for none in ["semi", "MS-2000", "ms5", "电镜", "SEM-3"] {
            assert!(all.longest(&text::tokens(none)).is_none(), "{none}");
        }
    }

    #[test]
    fn a_group_has_two_phrases_that_say_something() {
        let group = |words: &[&str]| vec![words.iter().map(|word| (*word).to_owned()).collect()];
        assert!(Synonyms::new(group(&["a", "b"])).is_ok());
        assert!(matches!(
            Synonyms::new(group(&["a"])),
            Err(NotAGroup::Single(_))
        ));
        assert!(matches!(
            Synonyms::new(group(&["a", "--"])),
            Err(NotAGroup::Phrase(_))
        ));
    }

    #[test]
    fn the_parts_of_a_phrase_stand_together() {
        let of = |text: &str| parts(&text::tokens(text));
        let run = |text: &str| Part::Chinese(text.chars().collect());
        let word = |text: &str| Part::Word(text.to_owned());
        assert_eq!(of("X射线-衍射"), [word("x"), run("射线衍射")]);
        assert_eq!(of("ICP-MS"), [word("icpms")]);
        assert_eq!(
            of("mass spectrometer"),
            [word("mass"), word("spectrometer")]
        );
    }
}
