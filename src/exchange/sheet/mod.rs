//! Tables in CSV and XLSX: declared columns, typed cells, and every fault with its row and column.
//! What the rows mean is left to the callers.

mod apostrophe;
mod cell;
mod column;
mod csv_reader;
mod csv_width;
mod csv_writer;
mod encoding;
mod fault;
mod header;
mod mistaken;
mod row;
mod stream;
mod table;
mod value;
mod xlsx_container;
mod xlsx_reader;
mod xlsx_writer;

pub(in crate::exchange) use apostrophe::guard;
pub use cell::Cell;
pub use column::{Column, Kind, Need, Word};
pub use encoding::Encoding;
pub use row::{Numbered, Row};
pub use stream::Stream;
pub use table::{OnReading, Reading, Table};
pub use xlsx_writer::{Codes, template};

/// A table of an import has at most so many rows below its header.
pub const MAX_ROWS: usize = 50_000;

/// A table has at most so many columns.
pub const MAX_COLUMNS: usize = 64;

/// A file has at most so many bytes as it arrives.
pub const MAX_FILE_BYTES: usize = 64 << 20;

/// The parts of an XLSX together, and the texts of its cells together, have at most so many bytes unpacked.
pub const MAX_UNPACKED_BYTES: usize = 128 << 20;

/// A cell holds at most so many characters: Excel's own limit.
pub const MAX_CELL_CHARS: usize = 32_767;

crate::vocabulary! {
    /// The two spreadsheet formats of imports and exports.
    Format {
        Csv = "csv",
        Xlsx = "xlsx",
    }
}

impl Format {
    /// The media type of an answer in this format.
    pub const fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// Rows that cannot be written: a text beyond [`MAX_CELL_CHARS`], or more rows than the format holds.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the XLSX cannot be written")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    #[error("the CSV cannot be written")]
    Csv(#[from] ::csv::Error),
}

/// Writes a header of Chinese titles and the rows, each with one cell per column.
pub fn write<'a>(
    columns: &[Column],
    format: Format,
    rows: impl IntoIterator<Item = Vec<Cell<'a>>>,
) -> Result<Vec<u8>, WriteError> {
    match format {
        Format::Csv => csv_writer::write(columns, rows),
        Format::Xlsx => xlsx_writer::write(columns, rows),
    }
}
