//! The spreadsheet of prices: one row for a price of an instrument, by the hour, in yuan or in fen.

use super::captions::Captions;
use super::sheet::{self, Column, Format, Kind, Row, Table, WriteError};
use super::words;
use crate::domain::Fault;
use crate::domain::tariff::{Period, Tariff};
use crate::operations::tariff::TariffRow;

const COLUMNS: &[Column] = &[
    Column::new("asset_no", "资产编号", Kind::Text).required(),
    Column::new(
        "customer_class",
        "客户类别",
        Kind::Word(words::CUSTOMER_CLASSES),
    ),
    Column::new("mode", "服务方式", Kind::Word(words::MODES)),
    Column::new("valid_from", "起始日期", Kind::Date).required(),
    Column::new("valid_until", "截止日期（含当日）", Kind::Date),
    Column::new("price_yuan_per_hour", "价格（元/小时）", Kind::Yuan)
        .required()
        .instead_of("price_fen_per_hour"),
    Column::new("price_fen_per_hour", "价格（分/小时）", Kind::Fen)
        .required()
        .instead_of("price_yuan_per_hour"),
];

/// What a person who fills in the table must know besides.
const NOTES: &[&str] = &[
    "客户类别空白表示本单位以外的所有客户，服务方式空白表示所有方式，截止日期空白表示长期有效。",
    "表中与已有价格完全相同的行不作改动；同一客户类别和服务方式的期间不得重叠。",
    "价格用“价格（元/小时）”列或“价格（分/小时）”列，二者只用其一。",
];

/// All prices of a table, and what the table calls its columns; or every fault in it.
pub fn read(bytes: &[u8], format: Format) -> Result<(Vec<TariffRow>, Captions), Vec<Fault>> {
    let table = Table::read(bytes, format, COLUMNS)?.filled()?;
    let captions = Captions::of(&table, COLUMNS);
    let rows = table.parse(read_row)?.into_iter();
    Ok((rows.map(|row| row.value).collect(), captions))
}

fn read_row(row: &mut Row<'_>) -> Option<TariffRow> {
    let may_lack_zeros = !row.is_exact("asset_no");
    let asset_no = row.key("asset_no");
    let (customer_class, mode) = (row.word("customer_class"), row.word("mode"));
    let (valid_from, valid_until) = (row.date("valid_from"), row.date("valid_until"));
    let (yuan, fen) = (
        row.fen("price_yuan_per_hour"),
        row.fen("price_fen_per_hour"),
    );
    let period = Period {
        valid_from: valid_from?,
        valid_until,
    };
    Some(TariffRow {
        row: row.number(),
        asset_no: asset_no?,
        may_lack_zeros,
        tariff: Tariff {
            customer_class,
            mode,
            period,
            price_fen_per_hour: yuan.or(fen)?,
        },
    })
}

/// The empty table for a host to fill in, as XLSX, with prices in yuan.
pub fn template() -> Result<Vec<u8>, WriteError> {
    let columns: Vec<Column> = COLUMNS
        .iter()
        .copied()
        .filter(|column| column.kind != Kind::Fen)
        .collect();
    sheet::template(&columns, Vec::new(), NOTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;
    use crate::domain::booking::BookingMode;
    use crate::domain::tariff::CustomerClass;

    #[test]
    fn prices_are_read_in_either_unit_and_never_both() {
        let yuan = "资产编号,客户类别,服务方式,起始日期,截止日期（含当日）,价格（元/小时）\n\
                    A1,中小企业,委托,2026-01-01,2026-12-31,100.50\nA1,,,2026-01-01,,200\n";
        let (rows, _) = read(yuan.as_bytes(), Format::Csv).unwrap();
        let first = rows[0].tariff;
        assert_eq!(
            (rows[0].row, first.price_fen_per_hour.number()),
            (2, 10_050)
        );
        assert_eq!(
            (first.customer_class, first.mode),
            (Some(CustomerClass::Sme), Some(BookingMode::Entrusted))
        );
        assert_eq!(rows[1].tariff.customer_class, None);
        let fen = "asset_no,valid_from,price_fen_per_hour\nA1,2026-01-01,10050\n";
        let (rows, _) = read(fen.as_bytes(), Format::Csv).unwrap();
        assert_eq!(rows[0].tariff.price_fen_per_hour.number(), 10_050);
        let codes = |csv: &str| -> Vec<Code> {
            let faults = read(csv.as_bytes(), Format::Csv).unwrap_err();
            faults.iter().map(|fault| fault.code).collect()
        };
        let both =
            "asset_no,valid_from,price_fen_per_hour,price_yuan_per_hour\nA1,2026-01-01,100,1\n";
        assert_eq!(codes(both), [Code::duplicate_column]);
        let neither = "asset_no,valid_from\nA1,2026-01-01\n";
        assert_eq!(codes(neither), [Code::missing_column]);
        let unit = "asset_no,valid_from,价格（元）\nA1,2026-01-01,1\n";
        assert_eq!(codes(unit), [Code::unknown_column, Code::missing_column]);
        let blank = "asset_no,valid_from,price_fen_per_hour\nA1,2026-01-01,\n";
        assert_eq!(codes(blank), [Code::required]);
    }
}
