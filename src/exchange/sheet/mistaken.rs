//! The one cause of a table in which no column is known: another separator or encoding, a header further down, the data on
//! another sheet. Each is told once, instead of every title that is not understood.

use csv::StringRecord;

use super::column::{Column, folded_title};
use super::fault::of_file;
use super::row::Source;
use super::xlsx_reader::Grid;
use crate::domain::{Code, Fault};

/// A header is looked for in so many rows.
const ROWS: usize = 20;

/// What people separate cells with besides commas, and how it is called.
const SEPARATORS: [(char, &str); 5] = [
    (';', ";"),
    ('\t', "Tab"),
    ('|', "|"),
    ('，', "，"),
    ('；', "；"),
];

/// Whether the titles are those of the columns: more than one, so that a word in a text is no header.
fn is_header<'t>(titles: impl Iterator<Item = &'t str>, columns: &[Column]) -> bool {
    let mut known: Vec<&str> = titles
        .map(folded_title)
        .filter_map(|title| columns.iter().find(|column| column.is_called(&title)))
        .map(|column| column.name)
        .collect();
    known.sort_unstable();
    known.dedup();
    known.len() > 1 || known.len() == columns.len()
}

/// Refuses a CSV whose first record is a header under another separator.
pub(super) fn refuse_other_separator(
    first: &StringRecord,
    columns: &[Column],
) -> Result<(), Fault> {
    if is_header(first.iter(), columns) {
        return Ok(());
    }
    let line = first.iter().collect::<Vec<_>>().join(",");
    let separates = |(letter, _): &&(char, &str)| {
        line.contains(*letter) && is_header(line.split(*letter).map(unquoted), columns)
    };
    match SEPARATORS.iter().find(separates) {
        Some((_, name)) => Err(of_file(Code::wrong_separator).limit(",").actual(*name)),
        None => Ok(()),
    }
}

fn unquoted(title: &str) -> &str {
    title.trim().trim_matches('"')
}

/// Refuses a table whose header stands in a later row.
pub(super) fn refuse_late_header<'s>(
    rows: impl Iterator<Item = (u32, Source<'s>)>,
    columns: &[Column],
) -> Result<(), Fault> {
    for (number, source) in rows.take(ROWS) {
        if is_header_row(source, columns) {
            return Err(Fault::cell(number, "", Code::header_not_first).actual(number));
        }
    }
    Ok(())
}

fn is_header_row(source: Source<'_>, columns: &[Column]) -> bool {
    let titles = (0..source.width()).map(|place| source.cell(place).to_string());
    let titles: Vec<String> = titles.collect();
    is_header(titles.iter().map(String::as_str), columns)
}

/// Refuses a workbook whose header, with rows below it, stands on another sheet than the first.
pub(super) fn refuse_other_sheet(
    sheets: Vec<(String, Grid)>,
    columns: &[Column],
) -> Result<(), Fault> {
    for (name, grid) in sheets {
        let header = grid
            .rows
            .iter()
            .position(|(_, cells)| is_header_row(Source::Xlsx(cells), columns));
        if header.is_some_and(|at| at + 1 < grid.rows.len()) {
            return Err(of_file(Code::data_on_other_sheet).actual(name));
        }
    }
    Ok(())
}

/// Text of two bytes a letter, as a spreadsheet program saves "Unicode text".
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    let is_marked = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF");
    let start = bytes.get(..64).unwrap_or(bytes);
    let zeros = |odd: usize| {
        let halves = start.iter().skip(odd).step_by(2);
        let count = halves.filter(|byte| **byte == 0).count();
        count * 4 > start.len()
    };
    is_marked || start.len() >= 8 && zeros(0) != zeros(1)
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Kind, Table};
    use super::*;
    use crate::domain::fault::FaultValue;

    const COLUMNS: &[Column] = &[
        Column::new("asset_no", "资产编号", Kind::Text).required(),
        Column::new("name", "仪器名称", Kind::Text),
        Column::new("price_yuan", "价格（元）", Kind::Yuan),
    ];

    type Seen = (u32, Code, Option<FaultValue>);

    fn seen(bytes: &[u8], format: Format) -> Vec<Seen> {
        let table = Table::read(bytes, format, COLUMNS).and_then(Table::filled);
        let faults = match table {
            Ok(table) => table.parse(|_| Some(())).err().unwrap_or_default(),
            Err(faults) => faults,
        };
        faults
            .iter()
            .map(|fault| (fault.row(), fault.code, fault.actual.clone()))
            .collect()
    }

    fn one(row: u32, code: Code, actual: impl Into<Option<FaultValue>>) -> Vec<Seen> {
        vec![(row, code, actual.into())]
    }

    #[test]
    fn one_cause_of_a_csv_is_told_once() {
        let gb = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
        let utf16 = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            [0xFF, 0xFE].into_iter().chain(units).collect()
        };
        let bytes = |text: &str| text.as_bytes().to_vec();
        for (bytes, expected) in [
            (
                bytes("资产编号;仪器名称\nA1;电镜\n"),
                one(0, Code::wrong_separator, FaultValue::from(";")),
            ),
            (
                bytes("\"资产编号\"\t\"仪器名称\"\nA1\t电镜\n"),
                one(0, Code::wrong_separator, FaultValue::from("Tab")),
            ),
            (
                bytes("asset_no，name\nA1，电镜\n"),
                one(0, Code::wrong_separator, FaultValue::from("，")),
            ),
            (
                gb("资产编号;仪器名称\nA1;电镜\n"),
                one(0, Code::wrong_separator, FaultValue::from(";")),
            ),
            (
                bytes("2026 年仪器清单,\n\n资产编号,仪器名称\nA1,电镜\n"),
                one(3, Code::header_not_first, FaultValue::from(3_u32)),
            ),
            (
                utf16("资产编号\t仪器名称\r\nA1\t电镜\r\n"),
                one(0, Code::unknown_encoding, None),
            ),
            (
                utf16("asset_no\tname\r\n")[2..].to_vec(),
                one(0, Code::unknown_encoding, None),
            ),
            // Big5: readable as GB18030, and nothing known comes of it.
            (
                encoding_rs::BIG5
                    .encode("資產編號,儀器名稱\nA1,電鏡\n")
                    .0
                    .into_owned(),
                one(0, Code::unknown_encoding, None),
            ),
            (
                bytes("资产编号,仪器名称\n"),
                one(0, Code::empty_table, None),
            ),
            (
                bytes("资产编号,仪器名称\n,\n , \n"),
                one(0, Code::empty_table, None),
            ),
            (bytes(""), one(0, Code::no_header, None)),
            (bytes("资产编号*,仪器名称（必填）\nA1,电镜\n"), vec![]),
            (gb("资产编号,仪器名称\nA1,电镜\n"), vec![]),
            (bytes("\u{FEFF}资产编号,仪器名称\nA1,a;b\n"), vec![]),
        ] {
            assert_eq!(seen(&bytes, Format::Csv), expected);
        }
    }

    #[test]
    fn data_on_another_sheet_and_a_later_header_are_told_once() {
        use rust_xlsxwriter::{Format as Style, Workbook, Worksheet};
        let fill = |sheet: &mut Worksheet, from: u32, rows: &[[&str; 2]]| {
            for (row, cells) in (from..).zip(rows) {
                for (column, text) in (0..).zip(cells) {
                    sheet.write(row, column, *text).unwrap();
                }
            }
        };
        let table = [["资产编号", "仪器名称"], ["A1", "电镜"]];
        let book = |first: &dyn Fn(&mut Worksheet), second: &dyn Fn(&mut Worksheet)| {
            let mut book = Workbook::new();
            first(book.add_worksheet());
            second(book.add_worksheet().set_name("清单").unwrap());
            seen(&book.save_to_buffer().unwrap(), Format::Xlsx)
        };
        let other = one(0, Code::data_on_other_sheet, FaultValue::from("清单"));
        let nothing = |_: &mut Worksheet| {};
        let whole = |sheet: &mut Worksheet| fill(sheet, 0, &table);
        let header = |sheet: &mut Worksheet| fill(sheet, 0, &table[..1]);
        let notes = |sheet: &mut Worksheet| fill(sheet, 0, &[["说明", "请填写"]]);
        let firsts: [&dyn Fn(&mut Worksheet); 3] = [&nothing, &header, &notes];
        for first in firsts {
            assert_eq!(book(first, &whole), other);
            assert_eq!(book(first, &|sheet| fill(sheet, 4, &table)), other);
        }
        assert_eq!(book(&whole, &whole), []);
        assert_eq!(book(&header, &notes), one(0, Code::empty_table, None));
        let titled = |sheet: &mut Worksheet| {
            sheet
                .merge_range(0, 0, 0, 1, "清单", &Style::new())
                .unwrap();
            fill(sheet, 2, &table);
        };
        assert_eq!(
            book(&titled, &nothing),
            one(3, Code::header_not_first, FaultValue::from(3_u32))
        );
    }

    #[test]
    fn a_formula_adds_no_second_fault() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (column, title) in (0..).zip(["asset_no", "name", "price_yuan"]) {
            sheet.write(0, column, title).unwrap();
        }
        sheet.write_formula(1, 0, "=A1").unwrap();
        sheet.write_formula(2, 1, "=A1").unwrap();
        sheet.write(2, 0, "A2").unwrap();
        sheet.write(3, 0, "A3").unwrap();
        let bytes = book.save_to_buffer().unwrap();
        let (values, faults) = Table::read(&bytes, Format::Xlsx, COLUMNS)
            .unwrap()
            .parse_some(|row| row.text("asset_no"), &mut |_| ());
        assert_eq!((values.len(), values[0].value.as_str()), (1, "A3"));
        let told: Vec<_> = faults
            .iter()
            .map(|fault| (fault.row(), fault.code))
            .collect();
        let formula = Code::formula_not_allowed;
        assert_eq!(told, [(2, formula), (3, formula)]);
    }
}
