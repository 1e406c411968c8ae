//! The awards of a run as a table: one row a unit, with its scores. Written from what is stored.

use crate::domain::policy::Grade;
use crate::exchange::sheet::{Cell, Column, Format, Kind, WriteError, write as write_table};
use crate::exchange::subsidy_json::PrintedRun;

const FIRST: [Column; 5] = [
    Column::new("uscc", "统一社会信用代码", Kind::Text),
    Column::new("name", "管理单位", Kind::Text),
    Column::new("total", "总分", Kind::Decimal),
    Column::new("grade", "等级", Kind::Text),
    Column::new("base_fen", "补助基数（分）", Kind::Fen),
];

const LAST: [Column; 2] = [
    Column::new("before_pool_fen", "按预算折算前（分）", Kind::Decimal),
    Column::new("award_fen", "补助金额（分）", Kind::Fen),
];

const fn title(grade: Grade) -> &'static str {
    match grade {
        Grade::Excellent => "优秀",
        Grade::Good => "良好",
        Grade::Pass => "合格",
        Grade::Fail => "不合格",
    }
}

/// Writes the units of a run in their order.
pub fn write(run: &PrintedRun, format: Format) -> Result<Vec<u8>, WriteError> {
    let columns: Vec<Column> = FIRST.into_iter().chain(LAST).collect();
    let rows = run.units.iter().map(|unit| {
        let base: i64 = unit.instruments.iter().map(|i| i.base_fen).sum();
        let grade = match unit.grade.parse() {
            Ok(grade) => title(grade),
            Err(_) => unit.grade.as_str(),
        };
        vec![
            Cell::from(unit.uscc.as_str()),
            Cell::from(unit.name.as_str()),
            Cell::Decimal(unit.total.as_str().into()),
            Cell::from(grade),
            Cell::from(base),
            Cell::Decimal(unit.before_pool_fen.as_str().into()),
            Cell::from(unit.award_fen),
        ]
    });
    write_table(&columns, format, rows)
}
