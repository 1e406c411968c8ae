//! The difference of two runs as a table: one row a unit, who gains most first.

use super::awards::grade_word;
use super::sheet::{Cell, Column, Format as SheetFormat, Kind, WriteError, write as write_table};
use crate::operations::yearly_run::comparison::{Cause, Comparison, Side};

crate::vocabulary! {
    /// How a comparison is told.
    Format {
        Json = "json",
        Xlsx = "xlsx",
        Csv = "csv",
    }
}

const COLUMNS: &[Column] = &[
    Column::new("organization_id", "单位编号", Kind::Integer),
    Column::new("name", "单位名称", Kind::Text),
    Column::new("before_total", "原总分", Kind::Decimal),
    Column::new("after_total", "现总分", Kind::Decimal),
    Column::new("before_grade", "原等次", Kind::Text),
    Column::new("after_grade", "现等次", Kind::Text),
    Column::new("before_place", "原位次", Kind::Integer),
    Column::new("after_place", "现位次", Kind::Integer),
    Column::new("before_award_fen", "原补助（分）", Kind::Fen),
    Column::new("after_award_fen", "现补助（分）", Kind::Fen),
    Column::new("change_fen", "差额（分）", Kind::Fen),
    Column::new("causes", "差异所在", Kind::Text),
];

/// Writes the units in their order.
pub fn write(compared: &Comparison, format: SheetFormat) -> Result<Vec<u8>, WriteError> {
    let rows = compared.units.iter().map(|unit| {
        let sides = [unit.before.as_ref(), unit.after.as_ref()];
        let each = |cell: fn(&Side) -> Cell<'_>| {
            sides.map(|side| side.map_or(Cell::Empty, cell)).into_iter()
        };
        let causes: Vec<String> = unit.causes.iter().map(said).collect();
        let first = [
            Cell::from(unit.organization_id.number()),
            Cell::from(unit.name.as_str()),
        ];
        let last = [
            Cell::from(unit.change_fen.number()),
            Cell::Text(causes.join("; ").into()),
        ];
        first
            .into_iter()
            .chain(each(|side| {
                let total = side.total.as_deref();
                total.map_or(Cell::Empty, |total| Cell::Decimal(total.into()))
            }))
            .chain(each(|side| {
                side.grade
                    .map_or(Cell::Empty, |grade| Cell::from(grade_word(grade)))
            }))
            .chain(each(|side| side.place.map_or(Cell::Empty, Cell::from)))
            .chain(each(|side| {
                let award = side.award_fen;
                award.map_or(Cell::Empty, |fen| Cell::from(fen.number()))
            }))
            .chain(last)
            .collect()
    });
    write_table(COLUMNS, format, rows)
}

fn said(cause: &Cause) -> String {
    let or_none = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
    let (before, after) = (or_none(&cause.before), or_none(&cause.after));
    format!("{} {before} → {after}", cause.id)
}
