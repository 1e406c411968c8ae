//! A document for people, as blocks: headings, paragraphs, facts and tables. A workbook and a PDF are made of the same blocks.

mod csv;
mod font;
mod layout;
mod pdf;
mod workbook;

use crate::app::App;
use crate::domain::Instant;
use crate::error::text::Language;
use crate::error::{AppError, Code};
use crate::exchange::sheet;
use font::{Font, FontError};

crate::vocabulary! {
    /// The formats in which a yearly run is exported.
    Format {
        Csv = "csv",
        Xlsx = "xlsx",
        Pdf = "pdf",
    }
}

crate::vocabulary! {
    /// As what something is answered that can be printed.
    PageFormat {
        Json = "json",
        Pdf = "pdf",
    }
}

impl Format {
    pub const fn media_type(self) -> &'static str {
        match self {
            Format::Csv => sheet::Format::Csv.media_type(),
            Format::Xlsx => sheet::Format::Xlsx.media_type(),
            Format::Pdf => "application/pdf",
        }
    }
}

/// The document as a file: its first table alone as CSV. The same document gives the same bytes; a workbook says that it was made
/// at `dated`. 409 `pdf_font_missing` without a Chinese font.
pub fn write(
    app: &App,
    document: &Document,
    format: Format,
    dated: Instant,
) -> Result<Vec<u8>, AppError> {
    match format {
        Format::Csv => csv::write(document).map_err(AppError::internal),
        Format::Xlsx => workbook::write(document, dated.naive_utc()).map_err(AppError::internal),
        Format::Pdf => {
            let font = Font::new(app.read_pdf_font()?);
            let written = font.and_then(|font| pdf::write(document, &font));
            written.map_err(unprintable)
        }
    }
}

fn unprintable(error: FontError) -> AppError {
    match error {
        FontError::Subset(error) => AppError::internal(error),
        FontError::Unreadable(_) | FontError::NotChinese => {
            tracing::warn!(%error, "the font of PDFs is none for Chinese");
            AppError::conflict(Code::pdf_font_missing)
        }
    }
}

/// A whole document. Its title stands above everything; its number at the foot of every page.
#[derive(Debug, Clone)]
pub struct Document {
    pub title: String,
    pub number: String,
    /// Of what is printed around the blocks.
    pub language: Language,
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

    /// As programs read it.
    fn plain(&self) -> String {
        match self {
            Cell::Yuan(fen) => yuan(*fen).replace(',', ""),
            other => other.printed(),
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Cell::Number(_) | Cell::Yuan(_))
    }
}

/// Fen in yuan: `1,234.50`.
fn yuan(fen: i128) -> String {
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
            (-12_345_678_901, "-123,456,789.01"),
        ] {
            assert_eq!(yuan(fen), printed);
        }
    }
}
