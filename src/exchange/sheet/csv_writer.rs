//! CSV for spreadsheet programs: UTF-8 with a byte order mark, and texts that could run as formulas defused.

use super::cell::Cell;
use super::column::{Column, Kind};
use super::{WriteError, apostrophe};
use crate::domain::Fen;

pub(super) fn write<'a>(
    columns: &[Column],
    rows: impl IntoIterator<Item = Vec<Cell<'a>>>,
) -> Result<Vec<u8>, WriteError> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    writer.write_record(columns.iter().map(|column| column.title_zh))?;
    for row in rows {
        for (column, cell) in columns.iter().zip(&row) {
            write_cell(&mut writer, column, cell)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer
        .into_inner()
        .map_err(|error| WriteError::Csv(error.into_error().into()))
}

fn write_cell(
    writer: &mut csv::Writer<Vec<u8>>,
    column: &Column,
    cell: &Cell<'_>,
) -> Result<(), csv::Error> {
    match (cell, column.kind) {
        (Cell::Text(text), _) => writer.write_field(apostrophe::guard(text).as_bytes()),
        (Cell::Integer(fen), Kind::Yuan) => writer.write_field(Fen::new(*fen).to_string()),
        _ => writer.write_field(cell.to_string()),
    }
}
