//! The spreadsheet of an asset ledger: one row for an asset, its value in yuan or in fen.

use super::sheet::{Column, Format, Kind, Row, Table};
use crate::domain::Fault;
use crate::operations::asset_ledger::{Facts, LedgerRow};

const COLUMNS: &[Column] = &[
    Column::new("asset_no", "资产编号", Kind::Text).required(),
    Column::new("name", "名称", Kind::Text).required(),
    Column::new("original_value_yuan", "原值（元）", Kind::Yuan)
        .required()
        .instead_of("original_value_fen"),
    Column::new("original_value_fen", "原值（分）", Kind::Fen)
        .required()
        .instead_of("original_value_yuan"),
    Column::new("accepted_on", "验收日期", Kind::Date).required(),
    Column::new("disposed_on", "处置日期", Kind::Date),
];

/// All rows of a table, or every fault in it.
pub fn read(bytes: &[u8], format: Format) -> Result<Vec<LedgerRow>, Vec<Fault>> {
    let rows = Table::read(bytes, format, COLUMNS)?
        .filled()?
        .parse(read_row)?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

fn read_row(row: &mut Row<'_>) -> Option<LedgerRow> {
    let may_lack_zeros = !row.is_exact("asset_no");
    let (asset_no, name) = (row.key("asset_no"), row.text("name"));
    let (yuan, fen) = (
        row.fen("original_value_yuan"),
        row.fen("original_value_fen"),
    );
    let (accepted_on, disposed_on) = (row.date("accepted_on"), row.date("disposed_on"));
    Some(LedgerRow {
        row: row.number(),
        may_lack_zeros,
        facts: Facts {
            asset_no: asset_no?,
            name: name?,
            original_value_fen: yuan.or(fen)?,
            accepted_on: accepted_on?,
            disposed_on,
        },
    })
}
