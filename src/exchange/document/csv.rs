//! The first table of a document as CSV, for programs: UTF-8 with a byte order mark, amounts in yuan without commas, no row of sums.

use super::{Block, Cell, Document};
use crate::exchange::sheet::{WriteError, guard};

pub fn write(document: &Document) -> Result<Vec<u8>, WriteError> {
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    let mut tables = document.blocks.iter().filter_map(|block| match block {
        Block::Table(table) => Some(table),
        _ => None,
    });
    if let Some(table) = tables.next() {
        writer.write_record(table.columns.iter().map(|column| &column.caption))?;
        let sums = usize::from(table.has_total);
        let rows = table.rows.len().saturating_sub(sums);
        for row in table.rows.iter().take(rows) {
            writer.write_record(row.iter().map(field))?;
        }
    }
    writer
        .into_inner()
        .map_err(|error| WriteError::Csv(error.into_error().into()))
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => guard(text).into_owned(),
        other => other.plain(),
    }
}
