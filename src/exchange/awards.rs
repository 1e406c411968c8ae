//! The awards of a run as a table for programs: one row a unit. Written from what is stored.

use std::collections::BTreeMap;

use crate::domain::award::Standing;
use crate::domain::policy::{Grade, Recipient};
use crate::domain::{AwardId, Fen, TooLarge};
use crate::exchange::sheet::{Cell, Column, Format, Kind, WriteError, write as write_table};
use crate::exchange::subsidy_json::PrintedRun;
use crate::operations::yearly_run::awards::Report;

const FIRST: [Column; 5] = [
    Column::new("uscc", "统一社会信用代码", Kind::Text),
    Column::new("name", "管理单位", Kind::Text),
    Column::new("total", "总分", Kind::Decimal),
    Column::new("grade", "等级", Kind::Text),
    Column::new("base_fen", "补助基数（分）", Kind::Fen),
];

const LAST: [Column; 4] = [
    Column::new("before_pool_fen", "按预算折算前（分）", Kind::Decimal),
    Column::new("award_fen", "补助金额（分）", Kind::Fen),
    Column::new("adjusted_fen", "调整（分）", Kind::Fen),
    Column::new("paid_fen", "已拨付（分）", Kind::Fen),
];

/// A grade in Chinese.
pub const fn grade_word(grade: Grade) -> &'static str {
    match grade {
        Grade::Excellent => "优秀",
        Grade::Good => "良好",
        Grade::Pass => "合格",
        Grade::Fail => "不合格",
    }
}

/// What was adjusted and paid of the awards of units, by their codes.
pub type Became = BTreeMap<String, (Fen, Fen)>;

/// What became of the awards of hosts in a report.
pub fn became(
    report: &Report,
    standings: &BTreeMap<AwardId, Standing>,
) -> Result<Became, TooLarge> {
    let mut all = Became::new();
    let of_hosts = report.awards.iter();
    for award in of_hosts.filter(|award| award.recipient == Recipient::Host) {
        let found = (
            report.uscc.get(&award.organization_id),
            standings.get(&award.id),
        );
        if let (Some(uscc), Some(standing)) = found {
            let sums = all.entry(uscc.clone()).or_default();
            sums.0 = sums.0.checked_add(standing.adjusted)?;
            sums.1 = sums.1.checked_add(standing.paid)?;
        }
    }
    Ok(all)
}

/// Writes the units of a run in their order, as CSV, with what became of their awards.
pub fn write(run: &PrintedRun, became: &Became) -> Result<Vec<u8>, WriteError> {
    let columns: Vec<Column> = FIRST.into_iter().chain(LAST).collect();
    let rows = run.units.iter().map(|unit| {
        // Each is an amount of its own; together they may be more than 64 bits hold.
        let base: i128 = unit
            .instruments
            .iter()
            .map(|i| i128::from(i.base_fen))
            .sum();
        let grade = unit.grade.map_or("", grade_word);
        let (adjusted, paid) = became.get(&unit.uscc).copied().unwrap_or_default();
        vec![
            Cell::from(unit.uscc.as_str()),
            Cell::from(unit.name.as_str()),
            Cell::Decimal(unit.total.as_deref().unwrap_or_default().into()),
            Cell::from(grade),
            Cell::Decimal(base.to_string().into()),
            Cell::Decimal(unit.before_pool_fen.as_str().into()),
            Cell::from(unit.award_fen),
            Cell::from(adjusted.number()),
            Cell::from(paid.number()),
        ]
    });
    write_table(&columns, Format::Csv, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::subsidy_json::{PrintedInstrument, PrintedUnit};
    use std::collections::BTreeMap;

    /// Two amounts that fit, whose sum does not; and what is below zero, to the fen.
    #[test]
    fn bases_that_are_more_than_64_bits_together_are_summed_exactly() {
        let unit = |bases: [i64; 2]| PrintedUnit {
            uscc: "12130302BYC46N1249".to_owned(),
            name: "大学".to_owned(),
            scores: BTreeMap::new(),
            total: Some("90.00".to_owned()),
            grade: Some(Grade::Excellent),
            before_pool_fen: "-5.0000".to_owned(),
            award_fen: -5,
            instruments: bases
                .into_iter()
                .map(|base_fen| PrintedInstrument {
                    asset_no: "A1".to_owned(),
                    effective_minutes: 0,
                    external_minutes: 0,
                    base_fen,
                    scores: None,
                    total: None,
                    grade: None,
                })
                .collect(),
        };
        let run = PrintedRun {
            year: 2025,
            policy: "hebei-2026".to_owned(),
            budget_fen: 0,
            factor: Some("1/1".to_owned()),
            sum_before_pool_fen: "0".to_owned(),
            awarded_fen: 0,
            unspent_fen: 0,
            units: vec![unit([i64::MAX, i64::MAX]), unit([i64::MIN, -1])],
            claim: None,
            parameters: BTreeMap::new(),
            pools: Vec::new(),
            awards: Vec::new(),
        };
        let csv = String::from_utf8(write(&run, &Became::new()).unwrap()).unwrap();
        let rows: Vec<&str> = csv.lines().skip(1).collect();
        let of = |base: &str| format!("12130302BYC46N1249,大学,90.00,优秀,{base},-5.0000,-5,0,0");
        assert_eq!(
            rows,
            [of("18446744073709551614"), of("-9223372036854775809")]
        );
    }
}
