//! Open figures as a table: the sum first, then each group. An empty cell is not told, or not asked of the group.

use super::sheet::{self, Cell, Column, Format, Kind, WriteError};
use crate::domain::Fen;
use crate::operations::stats::{AwardedMoney, Group};

crate::vocabulary! {
    /// In which format figures are answered.
    FigureFormat {
        Json = "json",
        Csv = "csv",
    }
}

const COLUMNS: &[Column] = &[
    Column::new("key", "代码", Kind::Text),
    Column::new("name", "名称", Kind::Text),
    Column::new("hosts", "管理单位数", Kind::Integer),
    Column::new("instruments", "仪器数", Kind::Integer),
    Column::new(
        "externally_shared_instruments",
        "对外共享仪器数",
        Kind::Integer,
    ),
    Column::new("original_value_yuan", "仪器原值（元）", Kind::Decimal),
    Column::new("external_units", "外部用户单位数", Kind::Integer),
    Column::new("sme_units", "中小企业数", Kind::Integer),
    Column::new("records", "服务次数", Kind::Integer),
    Column::new("samples", "样品数", Kind::Integer),
    Column::new("effective_minutes", "有效机时（分钟）", Kind::Integer),
    Column::new("external_minutes", "对外服务机时（分钟）", Kind::Integer),
    Column::new("share_rate_of_sums", "共享率（按合计）", Kind::Decimal),
    Column::new("share_rate_mean", "共享率（按仪器平均）", Kind::Decimal),
    Column::new("income_yuan", "对外服务收入（元）", Kind::Decimal),
    Column::new("answered_in_time_rate", "按时答复率", Kind::Decimal),
    Column::new(
        "answer_hours_median",
        "答复时长中位数（小时）",
        Kind::Decimal,
    ),
    Column::new("award_yuan", "补助金额（元）", Kind::Decimal),
    Column::new("adjusted_yuan", "补助调整（元）", Kind::Decimal),
    Column::new("paid_yuan", "已拨付（元）", Kind::Decimal),
    Column::new("suppressed", "未公布的项目", Kind::Text),
];

/// The table of these groups, each with what its units were awarded.
pub fn write(rows: &[(Group, Option<AwardedMoney>)]) -> Result<Vec<u8>, WriteError> {
    sheet::write(COLUMNS, Format::Csv, rows.iter().map(cells))
}

fn cells((group, award): &(Group, Option<AwardedMoney>)) -> Vec<Cell<'_>> {
    let figures = &group.figures;
    let decimal = |text: &Option<String>| Cell::Decimal(text.clone().unwrap_or_default().into());
    let yuan = |amount: Option<Fen>| {
        Cell::Decimal(amount.map(|fen| fen.to_string()).unwrap_or_default().into())
    };
    vec![
        group.key.as_str().into(),
        group.name.as_str().into(),
        figures.hosts.into(),
        figures.instruments.into(),
        figures.externally_shared_instruments.into(),
        yuan(figures.original_value_fen),
        figures.external_units.into(),
        figures.sme_units.into(),
        figures.records.into(),
        figures.samples.into(),
        figures.effective_minutes.into(),
        figures.external_minutes.into(),
        decimal(&figures.share_rate_of_sums),
        decimal(&figures.share_rate_mean),
        yuan(figures.income_fen),
        decimal(&figures.answered_in_time_rate),
        decimal(&figures.answer_hours_median),
        yuan(award.map(|money| money.award)),
        yuan(award.map(|money| money.adjusted)),
        yuan(award.map(|money| money.paid)),
        Cell::from(titles(&figures.suppressed)),
    ]
}

/// The headings of what is not told.
fn titles(names: &[String]) -> String {
    let title = |name: &String| {
        let column = COLUMNS.iter().find(|column| {
            let known = column.name.trim_end_matches("_yuan");
            known == name.trim_end_matches("_fen")
        });
        column.map_or("", |column| column.title_zh)
    };
    names.iter().map(title).collect::<Vec<_>>().join("、")
}
