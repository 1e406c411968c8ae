//! XLSX: a bold, frozen header of Chinese titles; texts always as strings, never as formulas. Templates explain their columns
//! on a second sheet.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::WriteError;
use super::cell::Cell;
use super::column::{Column, Kind};
use crate::domain::Fen;
use crate::domain::id::MAX_SAFE_INTEGER;

/// Columns of a template that take text keep leading zeros and long numbers.
const TEXT: &str = "@";
const DATE: &str = "yyyy-mm-dd";
const MOMENT: &str = "yyyy-mm-dd hh:mm:ss";

pub(super) fn write<'a>(
    columns: &[Column],
    rows: impl IntoIterator<Item = Vec<Cell<'a>>>,
) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    write_header(sheet, columns)?;
    let date = Format::new().set_num_format(DATE);
    let moment = Format::new().set_num_format(MOMENT);
    for (row, cells) in (1..).zip(rows) {
        for (at, (column, cell)) in (0..).zip(columns.iter().zip(cells)) {
            match (cell, column.kind) {
                (Cell::Empty | Cell::Refused, _) => continue,
                (Cell::Date(day), _) => sheet.write_with_format(row, at, &day, &date)?,
                (Cell::Wall(wall), _) => sheet.write_with_format(row, at, &wall, &moment)?,
                (Cell::Truth(truth), _) => sheet.write_boolean(row, at, truth)?,
                (Cell::Integer(fen), Kind::Yuan) => {
                    sheet.write_string(row, at, Fen::new(fen).to_string())?
                }
                (Cell::Integer(number), _) if number.abs() <= MAX_SAFE_INTEGER => {
                    sheet.write(row, at, number)?
                }
                (text, _) => sheet.write_string(row, at, text.to_string())?,
            };
        }
    }
    Ok(book.save_to_buffer()?)
}

fn write_header(sheet: &mut Worksheet, columns: &[Column]) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    sheet.set_freeze_panes(1, 0)?;
    for (at, column) in (0..).zip(columns) {
        sheet.write_string_with_format(0, at, column.title_zh, &bold)?;
        sheet.set_column_width(at, width(column))?;
    }
    Ok(())
}

/// In characters of the standard font.
fn width(column: &Column) -> f64 {
    match column.kind {
        Kind::Text => 24.0,
        Kind::Instant => 20.0,
        _ => 14.0,
    }
}

/// An empty table to fill in, as XLSX, with a sheet 说明 that explains every column.
pub fn template(columns: &[Column]) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    write_header(sheet, columns)?;
    for (at, column) in (0..).zip(columns) {
        let number_format = match column.kind {
            Kind::Text | Kind::Word(_) => TEXT,
            Kind::Date => DATE,
            Kind::Instant => MOMENT,
            _ => continue,
        };
        sheet.set_column_format(at, &Format::new().set_num_format(number_format))?;
    }
    explain(book.add_worksheet().set_name("说明")?, columns)?;
    Ok(book.save_to_buffer()?)
}

fn explain(sheet: &mut Worksheet, columns: &[Column]) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    sheet.set_freeze_panes(1, 0)?;
    for (at, title) in (0..).zip(["列名", "字段名", "必填", "填写要求"]) {
        sheet.write_string_with_format(0, at, title, &bold)?;
        sheet.set_column_width(at, if at == 3 { 60 } else { 20 })?;
    }
    for (row, column) in (1..).zip(columns) {
        sheet.write_string(row, 0, column.title_zh)?;
        sheet.write_string(row, 1, column.name)?;
        sheet.write_string(row, 2, if column.required { "是" } else { "否" })?;
        sheet.write_string(row, 3, requirement(column.kind))?;
    }
    Ok(())
}

fn requirement(kind: Kind) -> String {
    match kind {
        Kind::Text => "文本".to_owned(),
        Kind::Integer => "整数".to_owned(),
        Kind::Fen => "金额，整数，单位：分（1元=100分）".to_owned(),
        Kind::Yuan => "金额，单位：元，最多两位小数".to_owned(),
        Kind::Date => "日期，如 2026-03-01".to_owned(),
        Kind::Instant => "时间，如 2026-03-01 09:00:00，北京时间".to_owned(),
        Kind::Truth => "是 或 否".to_owned(),
        Kind::Decimal => "小数".to_owned(),
        Kind::Word(words) => format!("下列之一：{}", words.join("、")),
    }
}
