//! One sentence in the two languages of the service: what the rules say to people without a code of its own.

/// The same sentence twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sentence {
    pub zh: String,
    pub en: String,
}

impl Sentence {
    /// A word or number that is the same in both languages.
    pub fn same(text: impl Into<String>) -> Self {
        let en = text.into();
        Self { zh: en.clone(), en }
    }
}

impl<Z: Into<String>, E: Into<String>> From<(Z, E)> for Sentence {
    fn from((zh, en): (Z, E)) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

impl std::fmt::Display for Sentence {
    /// In English; whoever knows the language of the reader takes the field.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en)
    }
}
