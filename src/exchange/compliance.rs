//! The public table of compliance with the duty to share, one host a row. It is written only.

use super::sheet::{self, Cell, Column, Format, Kind, WriteError};
use crate::domain::ratio;
use crate::operations::duty::ComplianceRow;

const COLUMNS: &[Column] = &[
    Column::new("organization_id", "管理单位编号", Kind::Integer),
    Column::new("organization_name", "管理单位", Kind::Text),
    Column::new("due", "应登记", Kind::Integer),
    Column::new("on_time", "按期登记", Kind::Integer),
    Column::new("late", "逾期登记", Kind::Integer),
    Column::new("missing", "未登记", Kind::Integer),
    Column::new("should_be_open", "应开放", Kind::Integer),
    Column::new("externally_shared", "已对外共享", Kind::Integer),
    Column::new("externally_shared_rate", "对外共享率", Kind::Decimal),
    Column::new("idle", "闲置", Kind::Integer),
    Column::new("open_rectifications", "未完成整改", Kind::Integer),
    Column::new("complies", "是否履行义务", Kind::Text),
];

/// The table of these hosts.
pub fn write(rows: &[ComplianceRow]) -> Result<Vec<u8>, WriteError> {
    sheet::write(COLUMNS, Format::Csv, rows.iter().map(cells))
}

fn cells(row: &ComplianceRow) -> Vec<Cell<'_>> {
    let counts = &row.counts;
    let rate = counts.shared_rate().map(|rate| ratio::decimal(&rate, 4));
    let complies = row.complies.map_or("", |complies| match complies {
        true => "是",
        false => "否",
    });
    vec![
        row.organization_id.number().into(),
        row.name.as_str().into(),
        counts.due.into(),
        counts.on_time.into(),
        counts.late.into(),
        counts.missing.into(),
        counts.should_be_open.into(),
        counts.externally_shared.into(),
        Cell::Decimal(rate.unwrap_or_default().into()),
        counts.idle.into(),
        row.open_rectifications.into(),
        complies.into(),
    ]
}
