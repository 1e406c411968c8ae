//! The declaration of a column: one list says how a table is read, written and explained.

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
    Word(&'static [&'static str]),
}

/// One column: found by its contract name or its Chinese title, whichever the file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub title_zh: &'static str,
    pub kind: Kind,
    /// The column must be there and none of its cells empty.
    pub required: bool,
}

impl Column {
    pub const fn new(name: &'static str, title_zh: &'static str, kind: Kind) -> Self {
        Self {
            name,
            title_zh,
            kind,
            required: false,
        }
    }

    /// A column without a Chinese title: of a file that programs write.
    pub const fn plain(name: &'static str, kind: Kind) -> Self {
        Self::new(name, name, kind)
    }

    pub const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// The titles by which a file may call the column.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let zh = (self.title_zh != self.name).then_some(self.title_zh);
        std::iter::once(self.name).chain(zh)
    }

    /// Whether a header cell means this column.
    pub(super) fn is_called(&self, title: &str) -> bool {
        self.names().any(|name| name == title)
    }
}
