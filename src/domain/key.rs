//! Keys: texts by which people and their systems know a thing, as asset numbers, numbers of invoices, references of another
//! system and logins. One thing is typed in many ways, from other keyboards and with other blanks, so a key is kept as it was
//! typed and compared by its folded form.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use unicase::UniCase;

use super::fault::Faults;
use super::{Code, Fault};

const NFC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// A text without blanks around it, in Unicode's composed form (NFC). Two keys are equal when they were typed alike;
/// [`TypedKey::folded`] says whether they mean the same. A new one must pass [`TypedKey::check`]; what was stored before there was one
/// is read as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct TypedKey(String);

impl TypedKey {
    pub fn new(text: &str) -> Self {
        Self(NFC.normalize(text.trim()).into_owned())
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two keys have in common that mean the same: compatibility form (NFKC), single blanks, no case.
    pub fn folded(&self) -> String {
        let mut folded = fold(&self.0);
        // Folding may make new letters to compose, and the other way round; it ends after a few rounds.
        for _ in 0..4 {
            let again = fold(&folded);
            if again == folded {
                break;
            }
            folded = again;
        }
        folded
    }

    /// Whether both mean the same thing.
    pub fn means(&self, other: &TypedKey) -> bool {
        self.folded() == other.folded()
    }

    /// What keeps the text from being a key: nothing in it, too long, or a character that nobody sees.
    pub fn check(&self, field: &str, most: usize) -> Result<(), Fault> {
        let length = self.0.chars().count();
        let unseen = self.0.chars().find(|letter| is_unseen(*letter));
        let code_point = |letter: char| format!("U+{:04X}", u32::from(letter));
        match unseen {
            _ if self.folded().is_empty() && unseen.is_none() => Err(Fault::required(field)),
            _ if length > most => Err(Fault::field(field, Code::text_too_long)
                .limit(most)
                .actual(length)),
            Some(letter) if letter.is_control() => {
                Err(Fault::field(field, Code::control_character).actual(code_point(letter)))
            }
            Some(letter) => {
                Err(Fault::field(field, Code::invisible_character).actual(code_point(letter)))
            }
            None => Ok(()),
        }
    }
}

fn fold(text: &str) -> String {
    let compatible = NFKC.normalize(text);
    let caseless = match compatible.is_ascii() {
        true => compatible.to_ascii_lowercase(),
        false => UniCase::unicode(compatible.as_ref()).to_folded_case(),
    };
    let words: Vec<&str> = caseless.split_whitespace().collect();
    NFKC.normalize(&words.join(" ")).into_owned()
}

/// Control characters, and those that Unicode lets a program show as nothing (Default_Ignorable_Code_Point), end lines with,
/// or keeps for its own use. Blanks are seen.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(u32::from(letter),
            0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164
            | 0xE000..=0xF8FF | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0xFFFE..=0xFFFF
            | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF | 0xF0000..=0x10FFFF)
}

impl Faults {
    /// A key of at most `most` characters.
    pub fn key(&mut self, field: &str, key: &TypedKey, most: usize) {
        self.extend(key.check(field, most).err());
    }
}

impl std::ops::Deref for TypedKey {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for TypedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for TypedKey {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::new(text))
    }
}

impl From<&str> for TypedKey {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for TypedKey {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<TypedKey> for String {
    fn from(key: TypedKey) -> String {
        key.0
    }
}

impl From<TypedKey> for Cow<'_, str> {
    fn from(key: TypedKey) -> Self {
        Cow::Owned(key.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_means_the_same_is_the_same_key() {
        for (one, other) in [
            ("SEM-001", "sem-001"),
            (" SEM-001\t", "SEM-001"),
            ("SEM 001", "SEM \u{3000}  001"),
            ("SEM 001", "SEM\u{A0}001"),
            ("ＳＥＭ－００１", "SEM-001"),
            ("№１", "No1"),
            ("e\u{301}", "É"),
            ("STRASSE", "straße"),
            ("ﬁle", "FILE"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("K", "\u{212A}"),
        ] {
            let (one, other) = (TypedKey::new(one), TypedKey::new(other));
            assert_eq!(one.folded(), other.folded());
            assert!(one.means(&other));
        }
        for (one, other) in [("001", "1"), ("A 1", "A1"), ("A-1", "A1"), ("甲", "申")] {
            assert!(
                !TypedKey::new(one).means(&TypedKey::new(other)),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_key_is_answered_as_it_was_typed() {
        assert_eq!(TypedKey::new("  Sem  ００1 ").as_str(), "Sem  ００1");
        assert_eq!(TypedKey::new("e\u{301}").as_str(), "é");
        assert_eq!(
            serde_json::to_string(&TypedKey::new(" a ")).unwrap(),
            "\"a\""
        );
        assert_eq!(
            serde_json::from_str::<TypedKey>("\" a\\u0000\"").unwrap().0,
            "a\0"
        );
    }

    #[test]
    fn what_nobody_sees_is_no_part_of_a_key() {
        let code = |text: &str| {
            TypedKey::new(text)
                .check("key", 8)
                .err()
                .map(|fault| fault.code)
        };
        for text in [
            "A\u{200B}1",
            "\u{FEFF}A1",
            "A\u{AD}1",
            "A\u{202E}1",
            "A\u{FE0F}",
            "\u{3164}",
            "A\u{2028}1",
        ] {
            assert_eq!(code(text), Some(Code::invisible_character), "{text:?}");
        }
        for text in ["A\n1", "A\t1", "A\u{0}1", "A\u{7F}1", "A\u{85}1"] {
            assert_eq!(code(text), Some(Code::control_character), "{text:?}");
        }
        for text in ["", " ", "\u{3000}"] {
            assert_eq!(code(text), Some(Code::required), "{text:?}");
        }
        assert_eq!(code("123456789"), Some(Code::text_too_long));
        for text in ["A 1", "电镜-1", "Ⅳ/甲", "😀", "O'Neil"] {
            assert_eq!(code(text), None, "{text:?}");
        }
        let told = TypedKey::new("A\u{200B}").check("key", 8).unwrap_err();
        assert_eq!(told.actual, Some("U+200B".into()));
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in "\\PC{0,12}") {
            let folded = TypedKey::new(&text).folded();
            prop_assert_eq!(TypedKey::new(&folded).folded(), folded);
        }

        #[test]
        fn typed_again_a_key_is_the_same(text in any::<String>()) {
            let key = TypedKey::new(&text);
            prop_assert_eq!(&TypedKey::new(key.as_str()), &key);
            let spaced = format!(" {} ", key.as_str());
            prop_assert_eq!(TypedKey::new(&spaced), key);
        }
    }
}
