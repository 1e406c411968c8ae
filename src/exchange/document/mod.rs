//! A document for people, as blocks: headings, paragraphs, facts and tables. A workbook and a PDF are made of the same blocks.

mod font;
mod layout;
mod pdf;
mod workbook;

pub use font::{Font, FontError};
pub use pdf::write as write_pdf;
pub use workbook::write as write_workbook;

/// A whole document. Its title stands above everything; its number at the foot of every page.
#[derive(Debug, Clone)]
pub struct Document {
    pub title: String,
    pub number: String,
    pub blocks: Vec<Block>,
}

#[derive(Debug, Clone)]
pub enum Block {
    Heading(String),
    Paragraph(String),
    /// What something is called, and what it is.
    Facts(Vec<(String, String)>),
    Table(Table),
}

/// A table; in a workbook a sheet of its own.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// The last row sums the others.
    pub has_total: bool,
    /// Only in the workbook: a printed page has no room for it.
    pub is_detail: bool,
}

/// A column; its width in Chinese characters.
#[derive(Debug, Clone)]
pub struct Column {
    pub caption: String,
    pub width: f32,
}

impl Column {
    pub fn new(caption: impl Into<String>, width: f32) -> Self {
        Self {
            caption: caption.into(),
            width,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    /// Decimal text.
    Number(String),
    /// Fen, shown in yuan. A sum may be beyond 64 bits.
    Yuan(i128),
    Empty,
}

impl Cell {
    /// As it is printed: yuan with two decimals and commas between the thousands.
    pub fn printed(&self) -> String {
        match self {
            Cell::Text(text) | Cell::Number(text) => text.clone(),
            Cell::Yuan(fen) => yuan(*fen),
            Cell::Empty => String::new(),
        }
    }

    pub const fn is_number(&self) -> bool {
        matches!(self, Cell::Number(_) | Cell::Yuan(_))
    }
}

/// Fen in yuan: `1,234.50`.
pub fn yuan(fen: i128) -> String {
    let (whole, rest) = (fen.unsigned_abs() / 100, fen.unsigned_abs() % 100);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{grouped}.{rest:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_have_two_decimals_and_their_sign() {
        for (fen, printed) in [
            (0, "0.00"),
            (-5, "-0.05"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (-123_456_789_01, "-123,456,789.01"),
        ] {
            assert_eq!(yuan(fen), printed);
        }
    }
}
