//! The unified social credit code (GB 32100-2015): 18 characters, the last a check character. Officially issued codes that
//! fail the check exist, so a [`Uscc`] has the form only, and answers whether the check passes; who confirms it decides.

/// The characters in order of their value: digits and letters without I, O, S, V, Z (GB 32100-2015).
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// 3^(i−1) mod 31 for the first seventeen characters (GB 32100-2015).
const WEIGHTS: [usize; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];

/// A code of the right form, in upper case.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Uscc(String);

/// The text has not the form of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a unified social credit code has 18 characters, digits and letters without I, O, S, V and Z"
)]
pub struct NotAUscc;

impl Uscc {
    /// Reads a code as people type it: blanks around it are dropped, lower case becomes upper case.
    pub fn parse(text: &str) -> Result<Self, NotAUscc> {
        let code = text.trim().to_ascii_uppercase();
        if code.len() == 18 && code.chars().all(|c| ALPHABET.contains(c)) {
            Ok(Self(code))
        } else {
            Err(NotAUscc)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the last character is the one the others ask for.
    pub fn check_passes(&self) -> bool {
        self.0.chars().last() == self.check_character()
    }

    /// The check character of the first seventeen.
    pub fn check_character(&self) -> Option<char> {
        let sum: usize = self
            .0
            .chars()
            .zip(WEIGHTS)
            .filter_map(|(c, weight)| Some(ALPHABET.find(c)? * weight))
            .sum();
        ALPHABET.chars().nth((31 - sum % 31) % 31)
    }

    /// Whether the establishment office (first character 1) of Hebei or of the state issued the code.
    pub fn is_provincial_unit(&self) -> bool {
        self.0.starts_with('1') && matches!(self.0.get(2..8), Some("130000" | "100000"))
    }
}

impl std::str::FromStr for Uscc {
    type Err = NotAUscc;
    fn from_str(text: &str) -> Result<Self, NotAUscc> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Uscc {
    type Error = NotAUscc;
    fn try_from(text: String) -> Result<Self, NotAUscc> {
        Self::parse(&text)
    }
}

impl From<Uscc> for String {
    fn from(code: Uscc) -> String {
        code.0
    }
}

impl std::fmt::Display for Uscc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_form_is_eighteen_characters_of_the_alphabet() {
        for (text, code) in [
            ("91350100M000100Y43", "91350100M000100Y43"),
            (" 91350100m000100y43\n", "91350100M000100Y43"),
        ] {
            assert_eq!(Uscc::parse(text).map(String::from).as_deref(), Ok(code));
        }
        for bad in [
            "",
            "91350100M000100Y4",
            "91350100M000100Y433",
            "91350100M000100Y4Z",
            "91350100I000100Y43",
            "91350100O000100Y43",
            "91350100S000100Y43",
            "91350100V000100Y43",
            "91350100 000100Y43",
            "９1350100M000100Y43",
        ] {
            assert_eq!(Uscc::parse(bad), Err(NotAUscc), "{bad:?}");
        }
    }

    #[test]
    fn the_check_character_follows_the_standard() {
        for (code, passes) in [
            ("91350100M000100Y43", true),
            ("91350100M000100Y44", false),
            ("12130302BYC46N1249", true),
            ("12130302RG6CL0EFEE", true),
            // Issued with a wrong check character, as people report.
            ("91350211M0000XUF46", false),
        ] {
            assert_eq!(Uscc::parse(code).unwrap().check_passes(), passes, "{code}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_never_passes(prefix in "[0-9A-HJ-NPQRTUWXY]{17}", at in 0usize..18, other in "[0-9A-HJ-NPQRTUWXY]") {
            let seed = Uscc::parse(&format!("{prefix}0")).unwrap();
            let right = Uscc::parse(&format!("{prefix}{}", seed.check_character().unwrap())).unwrap();
            prop_assert!(right.check_passes());
            let mut wrong = right.as_str().to_owned();
            wrong.replace_range(at..=at, &other);
            let wrong = Uscc::parse(&wrong).unwrap();
            prop_assert_eq!(wrong.check_passes(), wrong == right);
        }
    }
}
