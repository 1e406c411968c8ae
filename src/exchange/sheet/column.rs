//! The declaration of a column: one list says how a table is read, written and explained.

use crate::domain::TypedKey;

/// A word of a closed list: as the contract has it, and as people say it, the usual word first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    pub word: &'static str,
    pub zh: &'static [&'static str],
}

impl Word {
    pub const fn new(word: &'static str, zh: &'static [&'static str]) -> Self {
        Self { word, zh }
    }

    /// Every way to say it.
    pub(super) fn spellings(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.word).chain(self.zh.iter().copied())
    }

    /// The usual Chinese word, else the contract's.
    pub(super) fn shown(&self) -> &'static str {
        self.zh.first().copied().unwrap_or(self.word)
    }
}

/// How the cells of a column are written and explained. Readers choose the getter themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    /// Money as whole fen.
    Fen,
    /// Money as yuan with at most two decimals.
    Yuan,
    Date,
    Instant,
    Truth,
    Decimal,
    /// One of these words.
    Word(&'static [Word]),
}

impl Kind {
    /// The contract's word for what a cell says; the text itself where the column has no list, or not this word.
    pub(super) fn word_of<'a>(&self, text: &'a str) -> &'a str {
        let Kind::Word(words) = self else {
            return text;
        };
        if let Some(word) = words.iter().find(|word| word.word == text) {
            return word.word;
        }
        let said = TypedKey::new(text);
        let is_said = |word: &&Word| {
            word.spellings()
                .any(|spelling| said.means(&spelling.into()))
        };
        words.iter().find(is_said).map_or(text, |word| word.word)
    }
}

/// What a row must say in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The column must be there and none of its cells empty.
    Always,
    /// A row that is new to the registry must say it.
    New,
    /// Needed later, before what the row makes can be submitted.
    Later,
    Never,
}

/// One column: found by its contract name or its Chinese title, whichever the file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub title_zh: &'static str,
    pub kind: Kind,
    pub need: Need,
    /// The column that says the same in another unit; a table has one of the two.
    pub twin: Option<&'static str>,
    /// A file that has none of it says nothing, as if every cell were blank.
    pub may_be_absent: bool,
}

impl Column {
    pub const fn new(name: &'static str, title_zh: &'static str, kind: Kind) -> Self {
        Self {
            name,
            title_zh,
            kind,
            need: Need::Never,
            twin: None,
            may_be_absent: false,
        }
    }

    /// Of a file in which the column need not be.
    pub const fn or_absent(self) -> Self {
        Self {
            may_be_absent: true,
            ..self
        }
    }

    /// A column without a Chinese title: of a file that programs write.
    pub const fn plain(name: &'static str, kind: Kind) -> Self {
        Self::new(name, name, kind)
    }

    pub const fn required(self) -> Self {
        self.needed(Need::Always)
    }

    pub const fn needed(self, need: Need) -> Self {
        Self { need, ..self }
    }

    pub const fn instead_of(self, twin: &'static str) -> Self {
        Self {
            twin: Some(twin),
            ..self
        }
    }

    pub fn is_required(&self) -> bool {
        self.need == Need::Always
    }

    /// The titles by which a file may call the column.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let zh = (self.title_zh != self.name).then_some(self.title_zh);
        std::iter::once(self.name).chain(zh)
    }

    /// Whether a folded header cell means this column.
    pub(super) fn is_called(&self, folded: &str) -> bool {
        self.names().any(|name| folded_title(name) == folded)
    }

    /// Money columns say in which unit.
    pub(super) fn is_money(&self) -> bool {
        matches!(self.kind, Kind::Fen | Kind::Yuan)
    }
}

/// What titles have in common that mean the same: width, case, blanks and the mark of a required column do not count.
pub(super) fn folded_title(title: &str) -> String {
    let folded: String = TypedKey::new(title)
        .folded()
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let unmarked = folded.trim_matches('*');
    unmarked
        .trim_end_matches("(必填)")
        .trim_end_matches('*')
        .to_owned()
}

/// The unit of money that a folded title names.
pub(super) fn unit_of(folded: &str) -> Option<&'static str> {
    let has = |part: &str| folded.contains(part);
    match folded {
        _ if has("万元") => Some("万元"),
        _ if has("(元") || has("yuan") || folded.ends_with('元') => Some("元"),
        _ if has("(分") || has("fen") || folded.ends_with('分') => Some("分"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_mean_the_same_however_they_are_written() {
        let column = Column::new("original_value_yuan", "原值（元）", Kind::Yuan);
        for title in [
            "original_value_yuan",
            "Original_Value_Yuan",
            "原值（元）",
            "原值(元)",
            "原值 ( 元 ) *",
            "原值（元）＊",
            "原值（元）（必填）",
            "*原值（元）",
        ] {
            assert!(column.is_called(&folded_title(title)), "{title}");
        }
        for title in ["原值（分）", "原值（万元）", "原值", "original_value_fen"] {
            assert!(!column.is_called(&folded_title(title)), "{title}");
        }
    }

    #[test]
    fn titles_name_their_unit() {
        for (title, unit) in [
            ("原值（万元）", Some("万元")),
            ("原值(元)", Some("元")),
            ("price_yuan_per_hour", Some("元")),
            ("价格（分/小时）", Some("分")),
            ("学科领域（用；分隔）", None),
            ("原值（分）", Some("分")),
            ("original_value_fen", Some("分")),
            ("原值", None),
            ("分类编码", None),
        ] {
            assert_eq!(unit_of(&folded_title(title)), unit, "{title}");
        }
    }

    #[test]
    fn words_are_taken_in_both_languages() {
        const WORDS: &[Word] = &[
            Word::new("general", &["通用"]),
            Word::new("special", &["专用", "专用型"]),
        ];
        let kind = Kind::Word(WORDS);
        for (said, word) in [
            ("通用", "general"),
            (" 通用 ", "general"),
            ("General", "general"),
            ("专用型", "special"),
            ("专业", "专业"),
        ] {
            assert_eq!(kind.word_of(said), word);
        }
        assert_eq!(Kind::Text.word_of("通用"), "通用");
    }
}
