//! What a query asks for: words that must all be met, each in one of several ways.

use super::synonyms::{Part, Synonyms, parts};
use super::text::{self, Token};

/// How a way of meeting a word came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// As it was typed.
    Typed,
    /// The runs of a typed word, each for itself.
    Pieces,
    Synonym,
}

/// One way to meet a word: all of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    pub parts: Vec<Part>,
    pub origin: Origin,
    /// Characters without marks and blanks.
    pub length: usize,
    /// Not to be looked for in models and asset numbers.
    pub is_short: bool,
}

impl Way {
    fn new(tokens: &[Token], origin: Origin) -> Self {
        Self {
            parts: match origin {
                Origin::Pieces => tokens.iter().map(piece).collect(),
                Origin::Typed | Origin::Synonym => parts(tokens),
            },
            origin,
            length: text::compact(tokens).chars().count(),
            is_short: false,
        }
    }
}

fn piece(token: &Token) -> Part {
    Part::Word(token.text.clone())
}

/// A word that must be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub ways: Vec<Way>,
    /// Takes prefixes and misspelled models too.
    pub is_open: bool,
}

/// Every word of a query, and the synonyms that were taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Query {
    pub words: Vec<Word>,
    pub expanded: Vec<String>,
}

impl Query {
    pub(super) fn parse(text: &str, synonyms: &Synonyms) -> Self {
        let tokens = text::tokens(text);
        let mut query = Self::default();
        let mut rest = tokens.as_slice();
        let mut is_behind_phrase = false;
        while !rest.is_empty() {
            let taken = match synonyms.longest(rest) {
                Some((count, _)) => query.phrase(rest, count, synonyms),
                None => query.plain(rest, synonyms, is_behind_phrase),
            };
            is_behind_phrase = synonyms.longest(rest).is_some();
            rest = rest.get(taken.max(1)..).unwrap_or_default();
        }
        query
    }

    /// A phrase with its synonyms.
    fn phrase(&mut self, rest: &[Token], count: usize, synonyms: &Synonyms) -> usize {
        let (Some(typed), Some((_, phrases))) = (rest.get(..count), synonyms.longest(rest)) else {
            return count;
        };
        let compact = text::compact(typed);
        let mut ways = vec![Way::new(typed, Origin::Typed)];
        for phrase in phrases.iter().filter(|phrase| phrase.compact != compact) {
            ways.push(Way {
                parts: phrase.parts.clone(),
                origin: Origin::Synonym,
                length: phrase.compact.chars().count(),
                is_short: phrase.is_short,
            });
            let spelling = phrase.spelling.to_string();
            if !self.expanded.contains(&spelling) {
                self.expanded.push(spelling);
            }
        }
        self.words.push(Word {
            ways,
            is_open: false,
        });
        count
    }

    /// A run of Chinese characters, or a word of letters and digits, up to the next phrase that is known. One character left
    /// over beside a phrase says little more (扫描电镜仪).
    fn plain(&mut self, rest: &[Token], synonyms: &Synonyms, is_behind_phrase: bool) -> usize {
        let Some(first) = rest.first() else { return 0 };
        let goes_on = |(place, token): &(usize, &Token)| {
            let is_same = token.is_chinese() == first.is_chinese();
            let known = || {
                let here = rest.get(*place..).unwrap_or_default();
                first.is_chinese() && synonyms.longest(here).is_some()
            };
            *place == 0 || (is_same && token.is_attached() && !known())
        };
        let count = rest.iter().enumerate().take_while(goes_on).count();
        let typed = rest.get(..count).unwrap_or_default();
        let next = rest.get(count);
        let is_before_phrase = next.is_some_and(|next| next.is_attached() && next.is_chinese());
        let is_left_over = first.is_chinese()
            && count == 1
            && ((is_behind_phrase && first.is_attached()) || is_before_phrase);
        if !is_left_over {
            let mut ways = vec![Way::new(typed, Origin::Typed)];
            let is_told = |token: &Token| token.text.len() > 1;
            if count > 1 && !first.is_chinese() && typed.iter().all(is_told) {
                ways.push(Way::new(typed, Origin::Pieces));
            }
            self.words.push(Word {
                ways,
                is_open: !first.is_chinese(),
            });
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<String> {
        let group = ["扫描电镜", "SEM", "scanning electron microscope"];
        let synonyms = Synonyms::new([group.map(str::to_owned).to_vec()]).unwrap();
        let query = Query::parse(text, &synonyms);
        let shown = |part: &Part| match part {
            Part::Chinese(run) => run.iter().collect::<String>(),
            Part::Word(word) => word.clone(),
        };
        let way = |way: &Way| way.parts.iter().map(shown).collect::<Vec<_>>().join("+");
        let word = |word: &Word| word.ways.iter().map(way).collect::<Vec<_>>().join("|");
        query.words.iter().map(word).collect()
    }

    #[test]
    fn a_query_is_words_with_their_synonyms() {
        let sem = "扫描电镜|sem|scanning+electron+microscope";
        assert_eq!(parsed("扫描电镜"), [sem]);
        assert_eq!(parsed("保定扫描电镜仪"), ["保定", sem]);
        let typed = "sem|扫描电镜|scanning+electron+microscope";
        assert_eq!(parsed("SEM 保定"), [typed, "保定"]);
        assert_eq!(parsed("JSM-7900F"), ["jsm7900f"]);
        assert_eq!(parsed("LCMS-8060"), ["lcms8060|lcms+8060"]);
        assert_eq!(parsed("GB/T 16594"), ["gbt", "16594"]);
        assert_eq!(parsed("成分分析"), ["成分分析"]);
        assert_eq!(parsed("X射线"), ["x", "射线"]);
        assert!(parsed(" -% ").is_empty());
    }

    #[test]
    fn the_synonyms_that_were_taken_are_told_as_the_data_spells_them() {
        let group = ["扫描电镜", "SEM"].map(str::to_owned).to_vec();
        let synonyms = Synonyms::new([group]).unwrap();
        assert_eq!(Query::parse("ｓｅｍ SEM", &synonyms).expanded, ["扫描电镜"]);
    }
}
