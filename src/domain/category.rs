//! Codes of the national classifications: instrument categories (six digits in three pairs) and subjects (GB/T 13745, three
//! digits). Which codes exist is data with a version; their form and what lies within what is decided here.

/// A code of the instrument classification: three pairs of digits, zero pairs at the end for the wider classes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct CategoryCode([u8; 6]);

/// A first-level discipline of GB/T 13745: three digits.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct SubjectCode([u8; 3]);

/// The text has not the form of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the code has {digits} digits and does not begin with a group of zeros")]
pub struct NotACode {
    pub digits: usize,
}

impl CategoryCode {
    /// The next wider class: 010101 → 010100 → 010000 → none.
    pub const fn parent(self) -> Option<CategoryCode> {
        match self.0 {
            [_, _, b'0', b'0', b'0', b'0'] => None,
            [a, b, _, _, b'0', b'0'] => Some(CategoryCode([a, b, b'0', b'0', b'0', b'0'])),
            [a, b, c, d, _, _] => Some(CategoryCode([a, b, c, d, b'0', b'0'])),
        }
    }

    /// The digits that this class and all within it begin with: 010100 → `0101`.
    pub fn prefix(self) -> String {
        self.to_string().trim_end_matches("00").to_owned()
    }

    /// Whether this is `wider` or lies within it.
    pub fn is_within(self, wider: CategoryCode) -> bool {
        std::iter::successors(Some(self), |code| code.parent()).any(|code| code == wider)
    }
}

/// Exactly N ASCII digits of which the first `group` are not all zero.
fn read<const N: usize>(text: &str, group: usize) -> Result<[u8; N], NotACode> {
    let wrong = NotACode { digits: N };
    let code: [u8; N] = text.as_bytes().try_into().map_err(|_| wrong)?;
    let is_open = code.iter().take(group).any(|digit| *digit != b'0');
    if is_open && code.iter().all(u8::is_ascii_digit) {
        Ok(code)
    } else {
        Err(wrong)
    }
}

macro_rules! written_as_digits {
    ($name:ident, $group:literal) => {
        impl $name {
            /// The digits.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotACode;
            fn from_str(text: &str) -> Result<Self, NotACode> {
                read(text, $group).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotACode;
            fn try_from(text: String) -> Result<Self, NotACode> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.to_string()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

written_as_digits!(CategoryCode, 2);
written_as_digits!(SubjectCode, 1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_digits() {
        for good in ["010000", "010101", "999999", "990000"] {
            assert_eq!(good.parse::<CategoryCode>().unwrap().to_string(), good);
        }
        for bad in ["", "1", "10101", "0101011", "01010x", "000101", "+10101"] {
            assert!(bad.parse::<CategoryCode>().is_err(), "{bad:?}");
        }
        assert_eq!("110".parse::<SubjectCode>().unwrap().to_string(), "110");
        for bad in ["", "11", "1100", "1a0", "000"] {
            assert!(bad.parse::<SubjectCode>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_class_lies_within_the_pairs_it_begins_with() {
        let code = |text: &str| text.parse::<CategoryCode>().unwrap();
        for (narrow, wide, within) in [
            ("010101", "010101", true),
            ("010101", "010100", true),
            ("010101", "010000", true),
            ("010101", "010102", false),
            ("010101", "010200", false),
            ("010100", "010101", false),
            ("100100", "100000", true),
            ("100000", "010000", false),
        ] {
            assert_eq!(
                code(narrow).is_within(code(wide)),
                within,
                "{narrow} {wide}"
            );
            let prefix = code(wide).prefix();
            assert_eq!(narrow.starts_with(&prefix), within, "{narrow} {prefix}");
        }
        assert_eq!(code("010000").parent(), None);
    }

    #[test]
    fn every_seeded_code_has_the_form_and_lies_within_its_parent() {
        let seeded = include_str!("../../seeds/instrument_categories.csv");
        for line in seeded.lines().skip(1) {
            let (code, parent) = line.split_once(',').unwrap();
            let parent = parent.split(',').next().unwrap();
            let code: CategoryCode = code.parse().unwrap();
            assert_eq!(
                code.parent()
                    .map(|wide| wide.to_string())
                    .unwrap_or_default(),
                parent
            );
        }
    }
}
