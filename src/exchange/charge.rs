//! Charges as a table, for a host's or a payer's books. It is written only; amounts stand in fen and, beside them, in yuan.

use chrono::NaiveDate;

use super::sheet::{self, Cell, Column, Format, Kind, WriteError};
use crate::domain::charge::ChargeState;
use crate::domain::{ChargeId, Fen, Instant, UsageRecordId};

const COLUMNS: &[Column] = &[
    Column::new("charge_id", "费用编号", Kind::Integer),
    Column::new("usage_record_id", "使用记录编号", Kind::Integer),
    Column::new("host_name", "管理单位", Kind::Text),
    Column::new("asset_no", "资产编号", Kind::Text),
    Column::new("instrument_name", "仪器名称", Kind::Text),
    Column::new("payer_uscc", "付款单位统一社会信用代码", Kind::Text),
    Column::new("payer_name", "付款单位", Kind::Text),
    Column::new("started_at", "开始时间", Kind::Instant),
    Column::new("ended_at", "结束时间", Kind::Instant),
    Column::new("state", "状态", Kind::Text),
    Column::new("amount_fen", "应收（分）", Kind::Fen),
    Column::new("amount_yuan", "应收（元）", Kind::Yuan),
    Column::new("invoice_no", "发票号码", Kind::Text),
    Column::new("issued_on", "开票日期", Kind::Date),
    Column::new("received_fen", "已收（分）", Kind::Fen),
    Column::new("declared_fen", "付款单位已登记、待确认（分）", Kind::Fen),
    Column::new("outstanding_fen", "未付（分）", Kind::Fen),
    Column::new("outstanding_yuan", "未付（元）", Kind::Yuan),
];

/// One charge as the table tells it.
#[derive(Debug, Clone)]
pub struct ChargeRow {
    pub charge_id: ChargeId,
    pub usage_record_id: UsageRecordId,
    pub host_name: String,
    pub asset_no: String,
    pub instrument_name: String,
    pub payer_uscc: String,
    pub payer_name: String,
    pub started_at: Instant,
    pub ended_at: Instant,
    pub state: ChargeState,
    pub amount_fen: Fen,
    pub invoice: Option<(String, NaiveDate)>,
    pub received_fen: Fen,
    pub declared_fen: Fen,
    pub outstanding_fen: Fen,
}

/// The table of these charges.
pub fn write(rows: &[ChargeRow], format: Format) -> Result<Vec<u8>, WriteError> {
    sheet::write(COLUMNS, format, rows.iter().map(ChargeRow::cells))
}

/// An amount with two decimals: 1 yuan is 100 fen.
fn yuan(amount: Fen) -> Cell<'static> {
    Cell::Decimal(amount.to_string().into())
}

impl ChargeRow {
    fn cells(&self) -> Vec<Cell<'_>> {
        let invoice = self.invoice.as_ref();
        vec![
            self.charge_id.number().into(),
            self.usage_record_id.number().into(),
            self.host_name.as_str().into(),
            self.asset_no.as_str().into(),
            self.instrument_name.as_str().into(),
            self.payer_uscc.as_str().into(),
            self.payer_name.as_str().into(),
            self.started_at.into(),
            self.ended_at.into(),
            self.state.as_str().into(),
            self.amount_fen.into(),
            yuan(self.amount_fen),
            invoice.map(|(number, _)| number.as_str()).into(),
            invoice.map(|(_, day)| *day).into(),
            self.received_fen.into(),
            self.declared_fen.into(),
            self.outstanding_fen.into(),
            yuan(self.outstanding_fen),
        ]
    }
}
