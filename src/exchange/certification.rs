//! The spreadsheet of certified units, as an office publishes it: one certification a row, in the contract's words or the
//! usual Chinese ones.

use super::sheet::{self, Codes, Column, Format, Kind, Numbered, Row, Table, WriteError};
use crate::domain::Fault;
use crate::domain::certification::Certification;
use crate::operations::certification::ImportRow;

const COLUMNS: &[Column] = &[
    Column::new("uscc", "统一社会信用代码", Kind::Text).required(),
    Column::new("certification", "资质", Kind::Text).required(),
    Column::new("valid_from_on", "有效期起", Kind::Date),
    Column::new("valid_until_on", "有效期止", Kind::Date),
    Column::new("document_no", "文号", Kind::Text),
];

/// What offices write for the words of the contract.
const WORDS: [(&str, &str); 4] = [
    ("中小企业", "sme"),
    ("科技型中小企业", "tech_sme"),
    ("高新技术企业", "high_tech"),
    ("共享联盟成员", "network_member"),
];

/// What a person who fills in the table must know besides.
const NOTES: &[&str] = &["有效期起止均含当日，空白表示不限；资质可填代码，也可填中文名称。"];

/// All rows of a table, or every fault in it.
pub fn read(bytes: &[u8], format: Format) -> Result<Vec<ImportRow>, Vec<Fault>> {
    let rows = Table::read(bytes, format, COLUMNS)?
        .filled()?
        .parse(read_row)?;
    let numbered = |Numbered { row, value }: Numbered<(String, Certification)>| ImportRow {
        row,
        uscc: value.0,
        certification: value.1,
    };
    Ok(rows.into_iter().map(numbered).collect())
}

/// The empty table to fill in, as XLSX.
pub fn template() -> Result<Vec<u8>, WriteError> {
    let named = |(chinese, word): &(&str, &str)| ((*word).to_owned(), (*chinese).to_owned());
    let codes = Codes {
        title_zh: "资质",
        rows: WORDS.iter().map(named).collect(),
    };
    sheet::template(COLUMNS, vec![codes], NOTES)
}

fn read_row(row: &mut Row<'_>) -> Option<(String, Certification)> {
    let (uscc, certification) = (row.text("uscc"), row.text("certification"));
    let (valid_from_on, valid_until_on) = (row.date("valid_from_on"), row.date("valid_until_on"));
    let document_no = row.text("document_no");
    let one = Certification {
        certification: word(certification?),
        valid_from_on,
        valid_until_on,
        document_no,
    };
    Some((uscc?.to_uppercase(), one))
}

fn word(text: String) -> String {
    let known = WORDS.iter().find(|(chinese, _)| *chinese == text);
    known.map_or(text, |(_, word)| (*word).to_owned())
}
