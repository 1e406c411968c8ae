//! A whole table of an import, CSV or XLSX, in bounded memory, read so that every fault of every row is found.

use std::borrow::Cow;
use std::collections::BTreeMap;

use csv::StringRecord;
use encoding_rs::GB18030;

use super::cell::Cell;
use super::column::Column;
use super::csv_reader::Records;
use super::fault::{Faults, of_file};
use super::header::Header;
use super::row::{Numbered, Row, Source};
use super::xlsx_container::too_large;
use super::{Format, MAX_FILE_BYTES, MAX_ROWS, encoding, mistaken, xlsx_reader};
use crate::domain::{Code, Fault};

/// How far the reading of a table is.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub rows_done: usize,
    pub rows: usize,
}

/// Who is told how far the reading is, after each row.
pub type OnReading<'a> = dyn FnMut(Reading) + 'a;

/// Rows below a matched header. Rows without any content are left out.
#[derive(Debug)]
pub struct Table {
    header: Header,
    rows: Rows,
    /// Faults of single cells, reported together with those of the values.
    faults: Faults,
}

#[derive(Debug)]
enum Rows {
    Csv(Vec<(u32, StringRecord)>),
    Xlsx(Vec<(u32, Vec<Cell<'static>>)>),
}

impl Table {
    /// Reads CSV (UTF-8 or GB18030) or the first visible sheet of an XLSX; the first row with content is the header.
    ///
    /// The error is what leaves no table at all; all else is kept for [`Table::parse`].
    pub fn read(
        bytes: &[u8],
        format: Format,
        columns: &'static [Column],
    ) -> Result<Table, Vec<Fault>> {
        match format {
            Format::Csv => Self::read_csv(bytes, columns),
            Format::Xlsx => Self::read_xlsx(bytes, columns),
        }
        .map_err(|fault| vec![fault])
    }

    /// How a person finds the columns of the file, by their contract names.
    pub fn captions(&self) -> BTreeMap<&'static str, String> {
        let columns = self.header.columns.iter();
        columns
            .filter_map(|column| {
                let (_, place) = self.header.find(column.name)?;
                Some((column.name, self.header.caption(place)))
            })
            .collect()
    }

    /// Asks `each` for the value of every row: all values, or all faults in the order of the rows.
    ///
    /// A row for which `each` answers `None` without having reported why is left out.
    pub fn parse<T>(
        self,
        each: impl FnMut(&mut Row<'_>) -> Option<T>,
    ) -> Result<Vec<Numbered<T>>, Vec<Fault>> {
        self.parse_telling(each, &mut |_| ())
    }

    /// As [`Table::parse`]; tells how far it is.
    pub fn parse_telling<T>(
        self,
        each: impl FnMut(&mut Row<'_>) -> Option<T>,
        told: &mut OnReading<'_>,
    ) -> Result<Vec<Numbered<T>>, Vec<Fault>> {
        let (values, faults) = self.parse_some(each, told);
        if faults.is_empty() {
            Ok(values)
        } else {
            Err(faults)
        }
    }

    /// The values of the rows without a fault, and all faults of the others; tells how far it is.
    pub fn parse_some<T>(
        self,
        mut each: impl FnMut(&mut Row<'_>) -> Option<T>,
        told: &mut OnReading<'_>,
    ) -> (Vec<Numbered<T>>, Vec<Fault>) {
        let Table {
            header,
            rows,
            mut faults,
        } = self;
        let mut values = Vec::with_capacity(rows.len());
        for ((number, source), rows_done) in rows.iter().zip(1..) {
            let before = faults.count();
            let mut row = Row::new(number, &header, source, &mut faults);
            row.check_titles();
            let value = each(&mut row).filter(|_| !row.is_refused());
            if let Some(value) = value.filter(|_| faults.count() == before) {
                values.push(Numbered { row: number, value });
            }
            told(Reading {
                rows_done,
                rows: rows.len(),
            });
        }
        (values, faults.into_list())
    }

    fn read_csv(bytes: &[u8], columns: &'static [Column]) -> Result<Table, Fault> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(too_large(MAX_FILE_BYTES));
        }
        let (text, is_guessed) = text_of(bytes)?;
        let mut records = Records::new(text.as_bytes());
        let mut rows = Vec::new();
        let mut record = StringRecord::new();
        while let Some(number) = records.next(&mut record)? {
            if Source::Csv(&record).is_blank() {
                continue;
            }
            if rows.len() > MAX_ROWS {
                return Err(Fault::cell(number, "", Code::too_many_rows).limit(MAX_ROWS));
            }
            rows.push((number, std::mem::take(&mut record)));
        }
        if let Some((_, first)) = rows.first() {
            mistaken::refuse_other_separator(first, columns)?;
        }
        let table = Self::with_header(columns, Rows::Csv(rows), Faults::default())?;
        if is_guessed && table.header.is_unknown() {
            return Err(unknown_encoding());
        }
        Ok(table)
    }

    fn read_xlsx(bytes: &[u8], columns: &'static [Column]) -> Result<Table, Fault> {
        let grid = xlsx_reader::read(bytes)?;
        let mut read = Self::with_header(columns, Rows::Xlsx(grid.rows), grid.faults);
        if let Ok(table) = &mut read {
            table.header.digits_shown = grid.digits_shown;
        }
        let has_rows = |table: &Table| !table.header.is_unknown() && table.rows.len() > 0;
        if !read.as_ref().is_ok_and(has_rows) {
            mistaken::refuse_other_sheet(xlsx_reader::other_sheets(bytes), columns)?;
        }
        read
    }

    fn with_header(
        columns: &'static [Column],
        mut rows: Rows,
        mut faults: Faults,
    ) -> Result<Table, Fault> {
        let (number, titles) = rows.take_first().ok_or_else(|| of_file(Code::no_header))?;
        let header = Header::matching(columns, titles, number, &mut faults);
        if header.is_unknown() {
            mistaken::refuse_late_header(rows.iter(), columns)?;
        }
        Ok(Table {
            header,
            rows,
            faults,
        })
    }

    /// Refuses a table that has a header and nothing below it.
    pub fn filled(self) -> Result<Self, Vec<Fault>> {
        match self.rows.len() {
            0 if self.faults.is_empty() => Err(vec![of_file(Code::empty_table)]),
            _ => Ok(self),
        }
    }
}

impl Rows {
    fn len(&self) -> usize {
        match self {
            Rows::Csv(rows) => rows.len(),
            Rows::Xlsx(rows) => rows.len(),
        }
    }

    fn iter(&self) -> impl Iterator<Item = (u32, Source<'_>)> {
        let (records, grid): (&[_], &[_]) = match self {
            Rows::Csv(rows) => (rows, &[]),
            Rows::Xlsx(rows) => (&[], rows),
        };
        let records = records.iter().map(|(row, r)| (*row, Source::Csv(r)));
        records.chain(grid.iter().map(|(row, cells)| (*row, Source::Xlsx(cells))))
    }

    /// Takes the first row out: the header.
    fn take_first(&mut self) -> Option<(u32, Vec<String>)> {
        let (number, source) = self.iter().next()?;
        let titles = (0..source.width())
            .map(|place| source.cell(place).to_string())
            .collect();
        match self {
            Rows::Csv(rows) => drop(rows.remove(0)),
            Rows::Xlsx(rows) => drop(rows.remove(0)),
        }
        Some((number, titles))
    }
}

/// UTF-8, else GB18030, which Excel writes on Chinese Windows, and whether that was a guess. Binary files are neither.
fn text_of(bytes: &[u8]) -> Result<(Cow<'_, str>, bool), Fault> {
    if mistaken::is_utf16(bytes) {
        return Err(unknown_encoding());
    }
    if bytes.contains(&0) {
        return Err(of_file(Code::not_a_spreadsheet));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((Cow::Borrowed(text), false)),
        Err(_) => GB18030
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(|text| (text, true))
            .ok_or_else(unknown_encoding),
    }
}

fn unknown_encoding() -> Fault {
    of_file(Code::unknown_encoding).limit(encoding::KNOWN)
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, MAX_CELL_CHARS, MAX_COLUMNS, write};
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: &[Column] = &[
        Column::new("asset_no", "资产编号", Kind::Text).required(),
        Column::new("price_yuan", "价格（元）", Kind::Yuan),
        Column::new("noticed_on", "通知日期", Kind::Date),
        Column::new("notice", "说明", Kind::Text),
    ];

    type Seen = (u32, String, Code);
    type Read = (u32, String, Option<i64>, Option<String>);

    fn parse(bytes: &[u8], format: Format) -> Result<Vec<Read>, Vec<Seen>> {
        let seen = |faults: Vec<Fault>| -> Vec<Seen> {
            let of = |f: Fault| (f.row(), f.name().to_owned(), f.code);
            faults.into_iter().map(of).collect()
        };
        let rows = Table::read(bytes, format, COLUMNS)
            .map_err(seen)?
            .parse(|row| {
                let (no, price) = (row.text("asset_no"), row.fen("price_yuan"));
                let (_, notice) = (row.date("noticed_on"), row.text("notice"));
                Some((no?, price.map(|fen| fen.number()), notice))
            })
            .map_err(seen)?;
        Ok(rows
            .into_iter()
            .map(|n| (n.row, n.value.0, n.value.1, n.value.2))
            .collect())
    }

    fn csv_faults(text: &str) -> Vec<Seen> {
        parse(text.as_bytes(), Format::Csv).unwrap_err()
    }

    fn at(row: u32, column: &str, code: Code) -> Seen {
        (row, column.to_owned(), code)
    }

    #[test]
    fn headers_are_matched_by_name_or_title() {
        let rows = parse(
            "资产编号, price_yuan ,\n7,0.10\n\n,,\n8,,\n".as_bytes(),
            Format::Csv,
        );
        let seven = (2, "7".to_owned(), Some(10), None);
        assert_eq!(rows, Ok(vec![seven, (5, "8".to_owned(), None, None)]));
        let seen = csv_faults("aset_no,notice,说明,price_yuan\n");
        assert_eq!(
            seen,
            [
                at(1, "A", Code::unknown_column),
                at(1, "C", Code::duplicate_column),
                at(1, "asset_no", Code::missing_column),
            ]
        );
        let faults = Table::read("aset_no".as_bytes(), Format::Csv, COLUMNS)
            .unwrap()
            .parse(|_| Some(()))
            .unwrap_err();
        assert_eq!(faults[0].did_you_mean.as_deref(), Some("asset_no"));
    }

    #[test]
    fn faults_of_cells_name_row_and_column() {
        let seen = csv_faults("资产编号,price_yuan,noticed_on\n,1.005,2026-13-01,stray\n");
        assert_eq!(
            seen,
            [
                at(2, "D", Code::cell_without_header),
                at(2, "资产编号", Code::required),
                at(2, "price_yuan", Code::not_an_amount),
                at(2, "noticed_on", Code::not_a_date),
            ]
        );
    }

    #[test]
    fn hostile_csv_is_refused_by_name() {
        let wide = vec!["x"; MAX_COLUMNS + 1].join(",");
        let long = format!("asset_no\n{}\n", "x".repeat(10 << 20));
        let tall = format!("asset_no\n{}", "1\n".repeat(MAX_ROWS + 1));
        assert_eq!(csv_faults("")[0], at(0, "", Code::no_header));
        assert_eq!(csv_faults("\n ,\n")[0], at(0, "", Code::no_header));
        assert_eq!(csv_faults("a\0b")[0], at(0, "", Code::not_a_spreadsheet));
        assert_eq!(csv_faults(&wide)[0], at(1, "", Code::too_many_columns));
        assert_eq!(csv_faults(&long), [at(2, "asset_no", Code::text_too_long)]);
        assert_eq!(csv_faults(&tall)[0].2, Code::too_many_rows);
        assert_eq!(
            csv_faults("asset_no\n\"7")[0],
            at(2, "", Code::unclosed_quote)
        );
        assert_eq!(
            csv_faults("asset_no\na\u{1}b"),
            [at(2, "asset_no", Code::control_character)]
        );
        let seen = parse(b"asset_no\n\xff\xff", Format::Csv).unwrap_err();
        assert_eq!(seen, [at(0, "", Code::unknown_encoding)]);
        let large = vec![b'x'; MAX_FILE_BYTES + 1];
        let seen = parse(&large, Format::Csv).unwrap_err();
        assert_eq!(seen, [at(0, "", Code::file_too_large)]);
        assert_eq!(parse(b"asset_no\n", Format::Csv), Ok(vec![]));
    }

    #[test]
    fn csv_of_chinese_windows_is_read() {
        let (bytes, _, _) = GB18030.encode("资产编号,说明\r\n7,扫描电镜\r\n");
        let rows = parse(&bytes, Format::Csv).unwrap();
        assert_eq!(
            rows,
            [(2, "7".to_owned(), None, Some("扫描电镜".to_owned()))]
        );
    }

    #[test]
    fn faults_in_an_xlsx_are_found_together() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (column, title) in (0..).zip(["asset_no", "价格（元）", "noticed_on"]) {
            sheet.write(0, column, title).unwrap();
        }
        sheet.write(2, 0, 1_234_567_890_123_456_i64).unwrap();
        sheet.write(2, 1, 0.125).unwrap();
        sheet.write(2, 2, 46_082).unwrap();
        sheet.write(3, 0, true).unwrap();
        sheet.write_formula(4, 0, "=1").unwrap();
        sheet.write(4, 3, "stray").unwrap();
        let seen = parse(&book.save_to_buffer().unwrap(), Format::Xlsx).unwrap_err();
        assert_eq!(
            seen,
            [
                at(3, "asset_no", Code::digits_lost),
                at(3, "价格（元）", Code::not_an_amount),
                at(3, "noticed_on", Code::not_a_date),
                at(4, "asset_no", Code::not_text),
                at(5, "A", Code::formula_not_allowed),
                at(5, "D", Code::cell_without_header),
            ]
        );
    }

    fn round_trip(text: &str, format: Format) -> Option<String> {
        let row = vec!["7".into(), Cell::Integer(12_345), Cell::Empty, text.into()];
        let bytes = write(COLUMNS, format, [row]).unwrap();
        let rows = parse(&bytes, format).unwrap();
        assert_eq!((rows.len(), rows[0].2), (1, Some(12_345)));
        rows[0].3.clone()
    }

    #[test]
    fn the_longest_text_and_csv_traps_survive() {
        let long = "字".repeat(MAX_CELL_CHARS);
        for text in [
            long.as_str(),
            "a,\"b\"\nc",
            "'=1+1",
            "＝x",
            "_x0041_",
            "&amp;<b>",
            "1e5",
            "true",
        ] {
            for format in [Format::Csv, Format::Xlsx] {
                assert_eq!(round_trip(text, format).as_deref(), Some(text));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn texts_come_back_as_they_went(text in "'{0,2}[=+@\t-]{0,2}[ -~\n一-龥é😀]{0,12}") {
            let trimmed = text.trim();
            let expected = (!trimmed.is_empty()).then(|| trimmed.to_owned());
            prop_assert_eq!(round_trip(&text, Format::Csv), expected.clone());
            prop_assert_eq!(round_trip(&text, Format::Xlsx), expected);
        }

        #[test]
        fn any_bytes_are_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, Format::Csv);
            prop_assert!(parse(&bytes, Format::Xlsx).is_err());
        }
    }
}
