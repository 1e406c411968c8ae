//! A document as a workbook: a first sheet with what is said, then a sheet for each table, headings frozen, ready to print.
//! Texts are always strings, never formulas.

use rust_xlsxwriter::{
    DocProperties, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Block, Cell, Document, Table};
use crate::exchange::sheet::WriteError;

/// The largest amount whose fen a spreadsheet program still keeps apart.
const EXACT_MAX: u128 = 1 << 53;

/// `dated` is the moment the file says it was made at, so that the same document gives the same bytes.
pub fn write(document: &Document, dated: chrono::NaiveDateTime) -> Result<Vec<u8>, WriteError> {
    let mut book = Workbook::new();
    let made = DocProperties::new()
        .set_title(&document.title)
        .set_creation_datetime(&dated.and_utc());
    book.set_properties(&made);
    write_first(book.add_worksheet().set_name("概要")?, document)?;
    for block in &document.blocks {
        if let Block::Table(table) = block {
            write_table(book.add_worksheet().set_name(&table.name)?, table, document)?;
        }
    }
    Ok(book.save_to_buffer()?)
}

fn write_first(sheet: &mut Worksheet, document: &Document) -> Result<(), XlsxError> {
    let (bold, wrapped) = (Format::new().set_bold(), Format::new().set_text_wrap());
    let title = Format::new().set_bold().set_font_size(16);
    sheet.set_column_width(0, 22)?.set_column_width(1, 90)?;
    sheet.write_string_with_format(0, 0, &document.title, &title)?;
    let mut row = 2;
    for block in &document.blocks {
        match block {
            Block::Heading(text) => {
                sheet.write_string_with_format(row, 0, text, &bold)?;
                row += 1;
            }
            Block::Paragraph(text) => {
                sheet.write_string_with_format(row, 1, text, &wrapped)?;
                row += 1;
            }
            Block::Facts(facts) => {
                for (name, value) in facts {
                    sheet.write_string_with_format(row, 0, name, &bold)?;
                    sheet.write_string_with_format(row, 1, value, &wrapped)?;
                    row += 1;
                }
            }
            Block::Table(_) => {}
        }
    }
    set_up_print(sheet, document);
    Ok(())
}

fn write_table(sheet: &mut Worksheet, table: &Table, document: &Document) -> Result<(), XlsxError> {
    let heading = Format::new()
        .set_bold()
        .set_text_wrap()
        .set_align(FormatAlign::Center)
        .set_border_bottom(FormatBorder::Thin);
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    for (at, column) in (0..).zip(&table.columns) {
        sheet.write_string_with_format(0, at, &column.caption, &heading)?;
        sheet.set_column_width(at, f64::from(column.width) * 2.0 + 2.0)?;
    }
    let last = table.rows.len();
    for (row, cells) in (1_u32..).zip(&table.rows) {
        let is_total = table.has_total && usize::try_from(row) == Ok(last);
        let plain = match is_total {
            true => Format::new().set_bold().set_border_top(FormatBorder::Thin),
            false => Format::new(),
        };
        for (at, cell) in (0..).zip(cells) {
            write_cell(sheet, (row, at), cell, &plain)?;
        }
    }
    set_up_print(sheet, document);
    Ok(())
}

/// Money as numbers in yuan, unless a spreadsheet program would round them.
fn write_cell(
    sheet: &mut Worksheet,
    (row, at): (u32, u16),
    cell: &Cell,
    plain: &Format,
) -> Result<(), XlsxError> {
    let (decimal, text, format) = match cell {
        Cell::Empty => return Ok(()),
        Cell::Text(text) => {
            sheet.write_string_with_format(row, at, text, &plain.clone().set_num_format("@"))?;
            return Ok(());
        }
        Cell::Number(text) => (text.replace(',', ""), text.clone(), "General"),
        Cell::Yuan(fen) if fen.unsigned_abs() < EXACT_MAX => {
            let printed = cell.printed();
            (printed.replace(',', ""), printed, "#,##0.00")
        }
        Cell::Yuan(_) => (String::new(), cell.printed(), "@"),
    };
    match decimal.parse::<f64>() {
        Ok(number) => {
            let format = plain.clone().set_num_format(format);
            sheet.write_number_with_format(row, at, number, &format)?
        }
        Err(_) => sheet.write_string_with_format(row, at, text, plain)?,
    };
    Ok(())
}

fn set_up_print(sheet: &mut Worksheet, document: &Document) {
    sheet
        .set_paper_size(9)
        .set_landscape()
        .set_print_fit_to_pages(1, 0);
    sheet.set_header(format!("&C{}", document.title.replace('&', "&&")));
    sheet.set_footer(format!(
        "&L{}&R第 &P 页，共 &N 页",
        document.number.replace('&', "&&")
    ));
}
