//! The sheet of experts' points: the points of a unit for an indicator of a year in each row.

use super::captions::Captions;
use super::sheet::{self, Column, Format, Kind, Numbered, Row, Table, WriteError};
use crate::domain::Fault;
use crate::operations::expert_point::ImportRow;

const COLUMNS: &[Column] = &[
    Column::new("year", "年度", Kind::Integer).required(),
    Column::new("uscc", "统一社会信用代码", Kind::Text).required(),
    Column::new("indicator", "指标", Kind::Text).required(),
    Column::new("points", "分值", Kind::Decimal).required(),
];

/// What a person who fills in the table must know besides.
const NOTES: &[&str] =
    &["每行填写一个单位一项指标的专家评分，指标填评价方案中的指标编号；再次导入时以新值为准。"];

/// All rows of a table, and what it calls its columns; or every fault in it.
pub fn read(bytes: &[u8], format: Format) -> Result<(Vec<ImportRow>, Captions), Vec<Fault>> {
    let table = Table::read(bytes, format, COLUMNS)?.filled()?;
    let captions = Captions::of(&table, COLUMNS);
    let rows = table.parse(read_row)?;
    let numbered = |Numbered { row, value }: Numbered<ImportRow>| ImportRow { row, ..value };
    Ok((rows.into_iter().map(numbered).collect(), captions))
}

/// The empty table to fill in, as XLSX.
pub fn template() -> Result<Vec<u8>, WriteError> {
    sheet::template(COLUMNS, Vec::new(), NOTES)
}

fn read_row(row: &mut Row<'_>) -> Option<ImportRow> {
    let (year, uscc) = (row.count("year"), row.text("uscc"));
    let (indicator, points) = (row.text("indicator"), row.decimal("points"));
    Some(ImportRow {
        row: row.number(),
        year: year?,
        uscc: uscc?.to_uppercase(),
        indicator: indicator?,
        points: points?,
    })
}
