//! XLSX: a bold, frozen header of Chinese titles; texts always as strings, never as formulas. Templates mark the columns that a
//! new row needs, offer the words of lists, explain their columns on a second sheet and list the codes they take on a third.

use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, Format, Workbook, Worksheet, XlsxError,
};

use super::cell::Cell;
use super::column::{Column, Kind, Need, Word};
use super::{MAX_ROWS, WriteError};
use crate::domain::Fen;
use crate::domain::id::MAX_SAFE_INTEGER;

/// Columns that take text keep leading zeros and long numbers.
const TEXT: &str = "@";
const DATE: &str = "yyyy-mm-dd";
const MOMENT: &str = "yyyy-mm-dd hh:mm:ss";

pub(super) fn write<'a>(
    columns: &[Column],
    rows: impl IntoIterator<Item = Vec<Cell<'a>>>,
) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    write_header(sheet, columns, false)?;
    set_formats(sheet, columns)?;
    let text_format = Format::new().set_num_format(TEXT);
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
                (Cell::Integer(number), _)
                    if number.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs() =>
                {
                    sheet.write(row, at, number)?
                }
                (text, Kind::Text | Kind::Word(_)) => {
                    sheet.write_string_with_format(row, at, text.to_string(), &text_format)?
                }
                (text, _) => sheet.write_string(row, at, text.to_string())?,
            };
        }
    }
    Ok(book.save_to_buffer()?)
}

/// `is_marked`: with a star at what a new row needs, which an import passes over.
fn write_header(
    sheet: &mut Worksheet,
    columns: &[Column],
    is_marked: bool,
) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let needed = Format::new().set_bold().set_font_color(Color::Red);
    sheet.set_freeze_panes(1, 0)?;
    for (at, column) in (0..).zip(columns) {
        let is_needed = is_marked && matches!(column.need, Need::Always | Need::New);
        let (mark, format) = if is_needed {
            ("*", &needed)
        } else {
            ("", &bold)
        };
        sheet.write_string_with_format(0, at, format!("{}{mark}", column.title_zh), format)?;
        sheet.set_column_width(at, width(column))?;
    }
    Ok(())
}

fn set_formats(sheet: &mut Worksheet, columns: &[Column]) -> Result<(), XlsxError> {
    for (at, column) in (0..).zip(columns) {
        let number_format = match column.kind {
            Kind::Text | Kind::Word(_) => TEXT,
            Kind::Date => DATE,
            Kind::Instant => MOMENT,
            _ => continue,
        };
        sheet.set_column_format(at, &Format::new().set_num_format(number_format))?;
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

/// The codes that a column takes, each with its name.
#[derive(Debug, Clone)]
pub struct Codes {
    pub title_zh: &'static str,
    pub rows: Vec<(String, String)>,
}

/// An empty table to fill in, as XLSX, with a sheet that explains every column, and the notes, and one of the codes.
pub fn template(
    columns: &[Column],
    codes: Vec<Codes>,
    notes: &[&str],
) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    write_header(sheet, columns, true)?;
    set_formats(sheet, columns)?;
    offer_words(sheet, columns)?;
    explain(book.add_worksheet().set_name("说明")?, columns, notes)?;
    list_codes(book.add_worksheet().set_name("代码")?, columns, &codes)?;
    Ok(book.save_to_buffer()?)
}

/// Drop-downs of the Chinese words. The contract's words may be entered all the same.
fn offer_words(sheet: &mut Worksheet, columns: &[Column]) -> Result<(), XlsxError> {
    let last_row = u32::try_from(MAX_ROWS).unwrap_or(u32::MAX);
    for (at, column) in (0..).zip(columns) {
        let shown: Vec<&str> = match column.kind {
            Kind::Word(words) => words.iter().map(Word::shown).collect(),
            Kind::Truth => vec!["是", "否"],
            _ => continue,
        };
        let words = DataValidation::new()
            .allow_list_strings(&shown)?
            .set_error_style(DataValidationErrorStyle::Warning)
            .set_error_message("请从列表中选择")?;
        sheet.add_data_validation(1, at, last_row, at, &words)?;
    }
    Ok(())
}

fn titles(sheet: &mut Worksheet, titles: &[(&str, f64)]) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    sheet.set_freeze_panes(1, 0)?;
    for (at, (title, width)) in (0..).zip(titles) {
        sheet.write_string_with_format(0, at, *title, &bold)?;
        sheet.set_column_width(at, *width)?;
    }
    Ok(())
}

fn explain(sheet: &mut Worksheet, columns: &[Column], notes: &[&str]) -> Result<(), XlsxError> {
    let widths = [
        ("列名", 20.0),
        ("字段名", 20.0),
        ("必填", 20.0),
        ("填写要求", 60.0),
    ];
    titles(sheet, &widths)?;
    let mut row = 1;
    for column in columns {
        sheet.write_string(row, 0, column.title_zh)?;
        sheet.write_string(row, 1, column.name)?;
        sheet.write_string(row, 2, need(column.need))?;
        sheet.write_string(row, 3, requirement(column.kind))?;
        row += 1;
    }
    for note in notes {
        row += 1;
        sheet.write_string(row, 0, *note)?;
    }
    Ok(())
}

fn need(need: Need) -> &'static str {
    match need {
        Need::Always => "是",
        Need::New => "新增时必填",
        Need::Later => "提交前必填",
        Need::Never => "否",
    }
}

/// Row by row: the column, the code or word it takes, and its name.
fn list_codes(sheet: &mut Worksheet, columns: &[Column], codes: &[Codes]) -> Result<(), XlsxError> {
    titles(sheet, &[("列名", 20.0), ("代码", 20.0), ("名称", 60.0)])?;
    let words = columns.iter().filter_map(|column| match column.kind {
        Kind::Word(words) => {
            let of = |word: &Word| (word.word.to_owned(), word.zh.join("、"));
            let (title_zh, rows) = (column.title_zh, words.iter().map(of).collect());
            Some(Codes { title_zh, rows })
        }
        _ => None,
    });
    let words: Vec<Codes> = words.collect();
    let mut row = 1;
    for Codes { title_zh, rows } in words.iter().chain(codes) {
        for (code, name) in rows {
            sheet.write_string(row, 0, *title_zh)?;
            sheet.write_string(row, 1, code)?;
            sheet.write_string(row, 2, name)?;
            row += 1;
        }
    }
    sheet.autofilter(0, 0, row.saturating_sub(1), 2)?;
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
        Kind::Word(words) => {
            let shown: Vec<&str> = words.iter().map(Word::shown).collect();
            format!("下列之一：{}", shown.join("、"))
        }
    }
}
