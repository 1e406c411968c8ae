//! Texts cut into what a search compares: Chinese characters, runs of other letters and runs of digits, in one width and one
//! case. Two Chinese characters side by side are a word; letters and digits are words alone and joined, so that marks and
//! blanks within a model or a standard do not matter.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// Runs that are joined to one word at most: `GB/T 36800.2-2018` has five.
const JOINED_MAX: usize = 6;

/// The longest joined word, in bytes.
const WORD_MAX: usize = 40;

/// The second character of a word of one Chinese character.
const ALONE: char = '\0';

/// What stands before a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Nothing.
    None,
    /// A mark that may stand within a model: `-`, `/`, `.`.
    Mark,
    Blank,
    /// A mark between sentences or parts of them.
    Break,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Chinese,
    Letters,
    Digits,
}

/// A Chinese character, or a run of other letters or of digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub text: String,
    pub kind: Kind,
    pub gap: Gap,
}

impl Token {
    pub fn is_chinese(&self) -> bool {
        self.kind == Kind::Chinese
    }

    /// Stands in one word with the token before it, but for marks.
    pub fn is_attached(&self) -> bool {
        self.gap <= Gap::Mark
    }
}

/// Two Chinese characters side by side, or one and nothing.
pub(super) type Pair = [char; 2];

fn is_chinese(letter: char) -> bool {
    matches!(u32::from(letter), 0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3134F)
}

fn gap_of(letter: char) -> Gap {
    match letter {
        ',' | ';' | ':' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | '\'' | '!' | '?' | '|'
        | '\n' | '\r' | '。' | '、' | '《' | '》' | '“' | '”' | '‘' | '’' | '【' | '】' => {
            Gap::Break
        }
        letter if letter.is_whitespace() => Gap::Blank,
        _ => Gap::Mark,
    }
}

/// One width (NFKC) and one case.
fn folded(text: &str) -> Cow<'_, str> {
    let plain = |letter: char| letter.is_ascii() || is_chinese(letter);
    match text.chars().all(plain) {
        true => Cow::Borrowed(text),
        false => NFKC.normalize(text),
    }
}

/// The tokens of a text, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut all: Vec<Token> = Vec::new();
    let mut gap = Gap::None;
    for letter in folded(text).chars() {
        let kind = match letter {
            _ if is_chinese(letter) => Kind::Chinese,
            _ if letter.is_numeric() => Kind::Digits,
            _ if letter.is_alphabetic() => Kind::Letters,
            _ => {
                gap = gap.max(gap_of(letter));
                continue;
            }
        };
        match all.last_mut() {
            Some(last) if gap == Gap::None && kind == last.kind && kind != Kind::Chinese => {
                last.text.extend(letter.to_lowercase());
            }
            _ => all.push(Token {
                text: letter.to_lowercase().collect(),
                kind,
                gap,
            }),
        }
        gap = Gap::None;
    }
    all
}

/// The text without marks and blanks.
pub(super) fn compact(tokens: &[Token]) -> String {
    tokens.iter().map(|token| token.text.as_str()).collect()
}

/// The words of a text that Chinese characters make: each character, and each with the next one.
pub(super) fn pairs(tokens: &[Token], mut each: impl FnMut(Pair)) {
    let mut last: Option<char> = None;
    for token in tokens {
        let this = token.text.chars().next().filter(|_| token.is_chinese());
        if let Some(this) = this {
            each([this, ALONE]);
            if let Some(last) = last.filter(|_| token.is_attached()) {
                each([last, this]);
            }
        }
        last = this;
    }
}

/// The pairs of a run of Chinese characters; of a single one itself.
pub(super) fn pairs_of(run: &[char]) -> Vec<Pair> {
    match run {
        [one] => vec![[*one, ALONE]],
        _ => run
            .windows(2)
            .filter_map(|pair| <Pair>::try_from(pair).ok())
            .collect(),
    }
}

/// The words of a text that letters and digits make: each run, and joined with those behind it. Over a blank a word goes on
/// once, or twice where it has digits, as a standard has.
pub(super) fn words(tokens: &[Token], mut each: impl FnMut(&str)) {
    for start in 0..tokens.len() {
        let mut word = String::new();
        let (mut blanks, mut has_digits) = (0, false);
        let rest = tokens.iter().skip(start).take(JOINED_MAX);
        for (place, token) in rest.enumerate() {
            if token.is_chinese() || (place > 0 && token.gap == Gap::Break) {
                break;
            }
            has_digits |= token.kind == Kind::Digits;
            blanks += usize::from(place > 0 && token.gap == Gap::Blank);
            word.push_str(&token.text);
            if blanks > 1 + usize::from(has_digits) || word.len() > WORD_MAX {
                break;
            }
            each(&word);
        }
    }
}

/// Whether two words differ by one sign at most: another one, one more or less, or two neighbours exchanged.
pub(super) fn is_near(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > 1 {
        return false;
    }
    let same = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (one, other) = (one.get(same..), other.get(same..));
    let (Some(one), Some(other)) = (one, other) else {
        return false;
    };
    match (one, other) {
        ([], _) | (_, []) => true,
        ([a, b, rest @ ..], [c, d, others @ ..]) if a == d && b == c && rest == others => true,
        ([_, rest @ ..], [_, others @ ..]) => rest == others || rest == other || one == others,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_of(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        words(&tokens(text), |word| all.push(word.to_owned()));
        all
    }

    fn pairs_in(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        pairs(&tokens(text), |[one, other]| {
            if other != ALONE {
                all.push(format!("{one}{other}"));
            }
        });
        all
    }

    #[test]
    fn width_case_and_marks_do_not_matter() {
        for text in [
            "JSM-7900F",
            "jsm 7900f",
            "ＪＳＭ－７９００Ｆ",
            "JSM7900F",
            "Jsm_7900.F",
        ] {
            assert!(words_of(text).contains(&"jsm7900f".to_owned()), "{text}");
            assert!(words_of(text).contains(&"7900".to_owned()), "{text}");
        }
        for text in [
            "GB/T 16594-2008",
            "GB/T16594-2008",
            "GBT 16594-2008",
            "gb／t　16594—2008",
        ] {
            let words = words_of(text);
            for word in ["gbt", "gbt16594", "gbt165942008", "16594"] {
                let is_there = words.contains(&word.to_owned());
                assert!(is_there, "{text} {word} {words:?}");
            }
        }
    }

    #[test]
    fn two_chinese_characters_are_a_word_whatever_mark_is_between() {
        assert_eq!(pairs_in("扫描电镜"), ["扫描", "描电", "电镜"]);
        assert_eq!(pairs_in("X射线、衍射"), ["射线", "衍射"]);
        assert_eq!(pairs_in("色谱-质谱 联用"), ["色谱", "谱质", "质谱", "联用"]);
        assert_eq!(pairs_of(&['镜']), [['镜', ALONE]]);
        assert_eq!(compact(&tokens("X-射线 衍射")), "x射线衍射");
    }

    #[test]
    fn words_end_at_breaks_and_chinese() {
        let words = words_of("Thermo Fisher, Inc");
        assert!(words.contains(&"thermofisher".to_owned()));
        assert!(!words.contains(&"fisherinc".to_owned()));
        assert_eq!(words_of("钨SEM灯3"), ["sem", "3"]);
    }

    #[test]
    fn near_is_one_sign_off() {
        for (one, other, near) in [
            ("7900f", "7900f", true),
            ("7900f", "7800f", true),
            ("7900f", "7900", true),
            ("7900f", "77900f", true),
            ("7900f", "9700f", true),
            ("7900f", "7900fg", true),
            ("7900f", "7990f", true),
            ("7900f", "7009f", false),
            ("7900f", "7800g", false),
            ("7900f", "79", false),
        ] {
            assert_eq!(is_near(one, other), near, "{one} {other}");
            assert_eq!(is_near(other, one), near, "{other} {one}");
        }
    }
}
