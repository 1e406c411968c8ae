//! The cells of the first visible sheet of an XLSX, in one pass; formulas, error values and merged cells are refused where
//! they stand.

use std::borrow::Cow;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use chrono::{NaiveDate, NaiveDateTime, SubsecRound};

use super::cell::Cell;
use super::fault::{Faults, letters, showing};
use super::xlsx_container::{Inspected, inspect, not_a_spreadsheet, too_large};
use super::{MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED_BYTES};
use crate::domain::id::MAX_SAFE_INTEGER;
use crate::domain::{Code, Fault};

/// A sheet's rows that hold anything, each with its number, and the faults met on the way.
#[derive(Debug, Default)]
pub(super) struct Grid {
    pub(super) rows: Vec<(u32, Vec<Cell<'static>>)>,
    pub(super) faults: Faults,
    /// So many digits some numbers of the file are shown with at least.
    pub(super) digits_shown: usize,
    /// Bytes of text so far: one shared string can stand in every cell.
    text_bytes: usize,
}

type Book<'a> = Xlsx<Cursor<&'a [u8]>>;

/// Reads the whole sheet; the error is one that leaves no table.
pub(super) fn read(bytes: &[u8]) -> Result<Grid, Fault> {
    let inspected = inspect(bytes)?;
    // The parser is not written for hostile files: should it panic on one, that file is no spreadsheet.
    catch_unwind(AssertUnwindSafe(|| parse(bytes, &inspected)))
        .unwrap_or_else(|_| Err(not_a_spreadsheet()))
}

fn parse(bytes: &[u8], inspected: &Inspected) -> Result<Grid, Fault> {
    let broken = |_: XlsxError| not_a_spreadsheet();
    let mut book = Book::new(Cursor::new(bytes)).map_err(broken)?;
    let sheet = visible(&book).into_iter().next();
    let sheet = sheet.ok_or_else(not_a_spreadsheet)?;
    let mut grid = Grid {
        digits_shown: inspected.digits_shown,
        ..Grid::default()
    };
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(broken)?;
    while let Some(found) = cells.next_cell_with_formula_metadata().map_err(broken)? {
        grid.take(found.pos, found.value, found.formula.is_some())?;
    }
    drop(cells);
    if inspected.mentions_merged {
        for merged in book.merge_cells_by_sheet_name(&sheet).map_err(broken)? {
            grid.refuse(merged.start, Code::merged_cells, "");
        }
    }
    Ok(grid)
}

/// The first rows of the other sheets that people see, each with the name of its sheet; none of a file that cannot be read.
pub(super) fn other_sheets(bytes: &[u8]) -> Vec<(String, Grid)> {
    let read = || {
        let mut book = Book::new(Cursor::new(bytes)).ok()?;
        let names = visible(&book);
        let tops = names.into_iter().skip(1).take(TOPS);
        let tops = tops.filter_map(|name| Some((name.clone(), top(&mut book, &name)?)));
        Some(tops.collect())
    };
    let read = catch_unwind(AssertUnwindSafe(read));
    read.ok().flatten().unwrap_or_default()
}

/// Of a sheet so many rows are looked at.
const TOP_ROWS: u32 = 40;

/// So many other sheets are looked at.
const TOPS: usize = 16;

fn visible(book: &Book<'_>) -> Vec<String> {
    let sheets = book.sheets_metadata().iter();
    let visible = sheets.filter(|sheet| {
        sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
    });
    visible.map(|sheet| sheet.name.clone()).collect()
}

fn top(book: &mut Book<'_>, sheet: &str) -> Option<Grid> {
    let mut grid = Grid::default();
    let mut cells = book.worksheet_cells_reader(sheet).ok()?;
    while let Some(found) = cells.next_cell_with_formula_metadata().ok()? {
        if found.pos.0 > TOP_ROWS {
            break;
        }
        grid.take(found.pos, found.value, found.formula.is_some())
            .ok()?;
    }
    Some(grid)
}

impl Grid {
    fn take(&mut self, at: (u32, u32), value: DataRef<'_>, formula: bool) -> Result<(), Fault> {
        let cell = if formula {
            self.refuse(at, Code::formula_not_allowed, "");
            Cell::Refused
        } else if let DataRef::Error(error) = value {
            self.refuse(at, Code::error_value, &error.to_string());
            Cell::Refused
        } else {
            cell_of(value)
        };
        if let Cell::Text(text) = &cell {
            self.text_bytes += text.len();
        }
        if self.text_bytes > MAX_UNPACKED_BYTES {
            return Err(too_large(MAX_UNPACKED_BYTES));
        }
        if cell.is_empty() {
            return Ok(());
        }
        self.put(at, cell)
    }

    fn put(&mut self, (row, column): (u32, u32), cell: Cell<'static>) -> Result<(), Fault> {
        let number = row.saturating_add(1);
        let place = usize::try_from(column).unwrap_or(usize::MAX);
        if place >= MAX_COLUMNS {
            let fault = Fault::cell(number, letters(place), Code::too_many_columns);
            return Err(fault.limit(MAX_COLUMNS));
        }
        match self.rows.last() {
            Some((last, _)) if *last > number => return Err(not_a_spreadsheet()),
            Some((last, _)) if *last == number => {}
            _ if self.rows.len() > MAX_ROWS => {
                return Err(Fault::cell(number, "", Code::too_many_rows).limit(MAX_ROWS));
            }
            _ => self.rows.push((number, Vec::new())),
        }
        if let Some((_, cells)) = self.rows.last_mut() {
            if cells.len() <= place {
                cells.resize(place + 1, Cell::Empty);
            }
            if let Some(slot) = cells.get_mut(place) {
                *slot = cell;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, (row, column): (u32, u32), code: Code, value: &str) {
        let column = letters(usize::try_from(column).unwrap_or(usize::MAX));
        let fault = Fault::cell(row.saturating_add(1), column, code);
        self.faults.push(showing(fault, value));
    }
}

fn cell_of(value: DataRef<'_>) -> Cell<'static> {
    match value {
        DataRef::Empty | DataRef::Error(_) => Cell::Empty,
        DataRef::Int(number) => Cell::Integer(number),
        DataRef::Float(number) => number_of(number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            Cell::Text(Cow::Owned(text))
        }
        DataRef::SharedString(text) => Cell::Text(Cow::Owned(text.to_owned())),
        DataRef::Bool(truth) => Cell::Truth(truth),
        DataRef::DateTime(moment) => match wall_of(moment) {
            Some(wall) => Cell::Wall(wall),
            None => number_of(moment.as_f64()),
        },
    }
}

/// `Display` of a float gives its shortest exact digits, never an exponent.
fn number_of(number: f64) -> Cell<'static> {
    let digits = number.to_string();
    match digits.parse::<i64>() {
        Ok(whole) if (-MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER).contains(&whole) => {
            Cell::Integer(whole)
        }
        _ => Cell::Decimal(Cow::Owned(digits)),
    }
}

/// The wall clock to the nearest second; durations have none.
fn wall_of(moment: ExcelDateTime) -> Option<NaiveDateTime> {
    if !moment.is_datetime() {
        return None;
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())?
        .and_hms_milli_opt(hour.into(), minute.into(), second.into(), milli.into())
        .map(|wall| wall.round_subsecs(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_xlsxwriter::{Format, Workbook, Worksheet};
    use std::io::{Read, Write};

    fn book(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
        let mut book = Workbook::new();
        fill(book.add_worksheet());
        book.save_to_buffer().unwrap()
    }

    fn fault(bytes: &[u8]) -> Code {
        read(bytes).unwrap_err().code
    }

    /// The same XLSX with one of its parts changed.
    fn with_part(bytes: &[u8], name: &str, change: impl Fn(String) -> String) -> Vec<u8> {
        let mut from = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for at in 0..from.len() {
            let mut part = from.by_index(at).unwrap();
            let part_name = part.name().unwrap().to_string();
            let mut text = String::new();
            part.read_to_string(&mut text).unwrap();
            if part_name == name {
                text = change(text);
            }
            to.start_file(part_name, zip::write::SimpleFileOptions::default())
                .unwrap();
            to.write_all(text.as_bytes()).unwrap();
        }
        to.finish().unwrap().into_inner()
    }

    const SHEET: &str = "xl/worksheets/sheet1.xml";
    const STRINGS: &str = "xl/sharedStrings.xml";

    #[test]
    fn cells_keep_their_nature() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let wall = day.and_hms_opt(8, 59, 59).unwrap();
        let bytes = book(|sheet| {
            let format = Format::new().set_num_format("yyyy-mm-dd hh:mm");
            sheet.write(1, 0, 25_000_872).unwrap();
            sheet.write(1, 1, 0.1).unwrap();
            sheet.write(1, 2, true).unwrap();
            sheet.write_with_format(1, 3, &wall, &format).unwrap();
            sheet.write_with_format(1, 4, &day, &format).unwrap();
            sheet.write(1, 5, "=1+1").unwrap();
            sheet.write(1, 6, 1e17).unwrap();
            sheet.write(9, 0, " ").unwrap();
        });
        let grid = read(&bytes).unwrap();
        let midnight = day.and_hms_opt(0, 0, 0).unwrap();
        let cells = vec![
            Cell::Integer(25_000_872),
            Cell::Decimal("0.1".into()),
            Cell::Truth(true),
            Cell::Wall(wall),
            Cell::Wall(midnight),
            Cell::Text("=1+1".into()),
            Cell::Decimal("100000000000000000".into()),
        ];
        assert_eq!(grid.rows, [(2, cells)]);
        assert!(grid.faults.is_empty());
    }

    #[test]
    fn formulas_errors_and_merged_cells_are_refused_where_they_stand() {
        let bytes = book(|sheet| {
            sheet.write(0, 0, "asset_no").unwrap();
            sheet.write_formula(1, 2, "=1+1").unwrap();
            let plain = Format::new();
            sheet.merge_range(3, 1, 4, 2, "x", &plain).unwrap();
        });
        let bytes = with_part(&bytes, SHEET, |text| {
            let cell = "<row r=\"8\"><c r=\"A8\" t=\"e\"><v>#REF!</v></c></row></sheetData>";
            text.replace("</sheetData>", cell)
        });
        let list = read(&bytes).unwrap().faults.into_list();
        let seen: Vec<_> = list.iter().map(|f| (f.row(), f.name(), f.code)).collect();
        assert_eq!(
            seen,
            [
                (2, "C", Code::formula_not_allowed),
                (4, "B", Code::merged_cells),
                (8, "A", Code::error_value),
            ]
        );
    }

    #[test]
    fn hostile_files_are_no_spreadsheets() {
        let good = book(|sheet| {
            sheet.write(0, 0, "asset_no").unwrap();
        });
        assert!(read(&good).is_ok());
        for (bytes, why) in [
            (vec![], "empty"),
            (b"PK\x03\x04garbage".to_vec(), "garbage"),
            (good[..good.len() / 2].to_vec(), "truncated"),
            (
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1encrypted".to_vec(),
                "encrypted",
            ),
            (
                with_part(&good, SHEET, |_| "<worksheet>".to_owned()),
                "cut sheet",
            ),
            (
                with_part(&good, "xl/workbook.xml", |_| "<a/>".to_owned()),
                "no sheets",
            ),
            (
                with_part(&good, STRINGS, |text| {
                    text.replace("uniqueCount=\"1\"", "uniqueCount=\"99999999999\"")
                }),
                "promise",
            ),
        ] {
            assert_eq!(fault(&bytes), Code::not_a_spreadsheet, "{why}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
        #[test]
        fn any_damage_is_an_answer(at in 0_usize..1_000, with in "[ -~]{1,4}", part in 0_usize..3) {
            let bytes = book(|sheet| {
                sheet.write(0, 0, "asset_no").unwrap();
                sheet.write_formula(1, 2, "=1+1").unwrap();
                sheet.merge_range(3, 1, 4, 2, "x", &Format::new()).unwrap();
            });
            let part = [SHEET, STRINGS, "xl/styles.xml"][part];
            let _ = read(&with_part(&bytes, part, |mut text| {
                let at = at % (text.len() - with.len());
                text.replace_range(at..at + with.len(), &with);
                text
            }));
        }
    }

    #[test]
    fn sizes_are_bounded() {
        let wide = book(|sheet| {
            sheet.write(0, 64, "x").unwrap();
        });
        assert_eq!(fault(&wide), Code::too_many_columns);
        let tall = book(|sheet| {
            for row in 0..=50_001 {
                sheet.write(row, 0, 1).unwrap();
            }
        });
        assert_eq!(fault(&tall), Code::too_many_rows);
        let bomb = with_part(&wide, STRINGS, |_| " ".repeat(MAX_UNPACKED_BYTES + 1));
        assert!(bomb.len() < 1 << 20);
        assert_eq!(fault(&bomb), Code::file_too_large);
    }

    #[test]
    fn one_shared_string_in_every_cell_is_a_bomb_too() {
        let mut grid = Grid::default();
        let long = "x".repeat(1 << 20);
        let mut take = |row| grid.take((row, 0), DataRef::SharedString(&long), false);
        let full = u32::try_from(MAX_UNPACKED_BYTES >> 20).unwrap();
        assert!((0..full).all(|row| take(row).is_ok()));
        assert_eq!(take(full).unwrap_err().code, Code::file_too_large);
    }
}
