//! The spreadsheet of instruments: its columns, for import, export and template alike. Which of them a state needs, and what
//! a value must satisfy, is the registry's to say.

use std::collections::BTreeMap;

use super::sheet::{self, Cell, Column, Format, Kind, Numbered, OnReading, Row, Table, WriteError};
use crate::domain::Fault;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{InstrumentState, PurposeType};
use crate::domain::{InstrumentId, OrganizationId};
use crate::error::{AppError, Location};
pub use crate::operations::instrument::InstrumentRow;

const PURPOSES: &[&str] = &[PurposeType::General.as_str(), PurposeType::Special.as_str()];
const SHARE_MODES: &[&str] = &[
    ShareMode::External.as_str(),
    ShareMode::Internal.as_str(),
    ShareMode::None.as_str(),
];

/// The columns of an import in the order of the export; only the key is required, so that a table can change single fields.
pub const COLUMNS: &[Column] = EXPORTED.split_at(IMPORTED).0;

/// So many columns of the export say what a host declares; the others are the registry's, and an import passes over them.
const IMPORTED: usize = 28;

const EXPORTED: &[Column] = &[
    Column::new("asset_no", "资产编号", Kind::Text).required(),
    Column::new("name", "仪器名称", Kind::Text),
    Column::new("name_en", "英文名称", Kind::Text),
    Column::new("model", "规格型号", Kind::Text),
    Column::new("manufacturer", "生产厂商", Kind::Text),
    Column::new("country", "产地国别", Kind::Text),
    Column::new("original_value_fen", "原值（分）", Kind::Fen),
    Column::new("category_code", "分类编码", Kind::Text),
    Column::new("purpose_type", "用途类型", Kind::Word(PURPOSES)),
    Column::new("acquired_on", "购置日期", Kind::Date),
    Column::new("accepted_on", "验收日期", Kind::Date),
    Column::new("enabled_on", "启用日期", Kind::Date),
    Column::new("funding", "经费来源", Kind::Text),
    Column::new("source", "仪器来源", Kind::Text),
    Column::new("share_mode", "共享模式", Kind::Word(SHARE_MODES)),
    Column::new("region_code", "所在行政区划", Kind::Text),
    Column::new("location", "安放地址", Kind::Text),
    Column::new("contact_name", "联系人", Kind::Text),
    Column::new("contact_phone", "联系电话", Kind::Text),
    Column::new("contact_email", "电子邮箱", Kind::Text),
    Column::new("subjects", "学科领域（用；分隔）", Kind::Text),
    Column::new("technical", "技术指标", Kind::Text),
    Column::new("functions", "主要功能", Kind::Text),
    Column::new("service_content", "服务内容", Kind::Text),
    Column::new("user_notice", "用户须知", Kind::Text),
    Column::new("channels", "通道数", Kind::Integer),
    Column::new("latitude", "纬度（WGS84）", Kind::Decimal),
    Column::new("longitude", "经度（WGS84）", Kind::Decimal),
    Column::new("id", "平台编号", Kind::Integer),
    Column::new("organization_id", "管理单位编号", Kind::Integer),
    Column::new("status", "状态", Kind::Text),
];

/// What the registry says of an entry beside its row.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    pub id: InstrumentId,
    pub organization_id: OrganizationId,
    pub status: InstrumentState,
}

/// The instruments of a table, and what the table calls its columns.
#[derive(Debug)]
pub struct Sheet {
    pub rows: Vec<Numbered<InstrumentRow>>,
    captions: BTreeMap<&'static str, String>,
}

/// All instruments of a table, or every fault in it.
pub fn read(bytes: &[u8], format: Format) -> Result<Sheet, Vec<Fault>> {
    read_telling(bytes, format, &mut |_| ())
}

/// As [`read`]; tells how far it is.
pub fn read_telling(
    bytes: &[u8],
    format: Format,
    told: &mut OnReading<'_>,
) -> Result<Sheet, Vec<Fault>> {
    let (sheet, faults) = read_some(bytes, format, told)?;
    if faults.is_empty() {
        Ok(sheet)
    } else {
        Err(faults)
    }
}

/// The instruments of the rows that can be read, and the faults of the others; or what is wrong with the table as a whole.
/// Tells how far it is.
pub fn read_some(
    bytes: &[u8],
    format: Format,
    told: &mut OnReading<'_>,
) -> Result<(Sheet, Vec<Fault>), Vec<Fault>> {
    let table = Table::read(bytes, format, EXPORTED)?;
    let captions = table.captions();
    let (rows, faults) = table.parse_some(InstrumentRow::read, told);
    Ok((Sheet { rows, captions }, faults))
}

impl Sheet {
    /// The rows with their numbers, as the import takes them, and the names of the columns for its refusal.
    pub fn into_parts(self) -> (Vec<(u32, InstrumentRow)>, Captions) {
        let rows = self.rows.into_iter().map(|row| (row.row, row.value));
        (rows.collect(), Captions(self.captions))
    }
}

/// What a table calls its columns.
#[derive(Debug)]
pub struct Captions(BTreeMap<&'static str, String>);

impl Captions {
    /// The refusal of an import, its columns called as in the table.
    pub fn told(&self, mut error: AppError) -> AppError {
        let faults = match &mut error {
            AppError::Refused(faults) => faults,
            AppError::Conflict(conflict) => &mut conflict.faults,
            _ => return error,
        };
        for fault in faults {
            if let Location::Cell { column, .. } = &mut fault.place
                && let Some(caption) = self.0.get(column.as_str())
            {
                column.clone_from(caption);
            }
        }
        error
    }
}

/// The export; [`read`] reads it again, but for the origins.
pub fn export<'a>(
    rows: impl IntoIterator<Item = &'a (Origin, InstrumentRow)>,
    format: Format,
) -> Result<Vec<u8>, WriteError> {
    let cells = rows.into_iter().map(|(origin, row)| {
        let mut cells = row.cells();
        cells.push(Some(origin.id.number()).into());
        cells.push(Some(origin.organization_id.number()).into());
        cells.push(origin.status.as_str().into());
        cells
    });
    sheet::write(EXPORTED, format, cells)
}

/// A table of rows as a host would fill it in.
pub fn write<'a>(
    rows: impl IntoIterator<Item = &'a InstrumentRow>,
    format: Format,
) -> Result<Vec<u8>, WriteError> {
    sheet::write(COLUMNS, format, rows.into_iter().map(InstrumentRow::cells))
}

/// The empty table for a host to fill in, as XLSX.
pub fn template() -> Result<Vec<u8>, WriteError> {
    sheet::template(COLUMNS)
}

impl InstrumentRow {
    fn read(row: &mut Row<'_>) -> Option<Self> {
        let asset_no = row.text("asset_no");
        let read = Self {
            asset_no: String::new(),
            name: row.text("name"),
            name_en: row.text("name_en"),
            model: row.text("model"),
            manufacturer: row.text("manufacturer"),
            country: row.text("country"),
            original_value_fen: row.fen("original_value_fen"),
            category_code: row.text("category_code"),
            purpose_type: row.word("purpose_type"),
            acquired_on: row.date("acquired_on"),
            accepted_on: row.date("accepted_on"),
            enabled_on: row.date("enabled_on"),
            funding: row.text("funding"),
            source: row.text("source"),
            share_mode: row.word("share_mode"),
            region_code: row.text("region_code"),
            location: row.text("location"),
            contact_name: row.text("contact_name"),
            contact_phone: row.text("contact_phone"),
            contact_email: row.text("contact_email"),
            subjects: row.text("subjects").map(|text| subjects_of(&text)),
            technical: row.text("technical"),
            functions: row.text("functions"),
            service_content: row.text("service_content"),
            user_notice: row.text("user_notice"),
            channels: row.count("channels"),
            latitude: row.decimal("latitude"),
            longitude: row.decimal("longitude"),
        };
        Some(Self {
            asset_no: asset_no?,
            ..read
        })
    }

    fn cells(&self) -> Vec<Cell<'_>> {
        let subjects = self.subjects.as_ref().map(|codes| codes.join("；"));
        vec![
            self.asset_no.as_str().into(),
            self.name.as_deref().into(),
            self.name_en.as_deref().into(),
            self.model.as_deref().into(),
            self.manufacturer.as_deref().into(),
            self.country.as_deref().into(),
            self.original_value_fen.into(),
            self.category_code.as_deref().into(),
            self.purpose_type.map(PurposeType::as_str).into(),
            self.acquired_on.into(),
            self.accepted_on.into(),
            self.enabled_on.into(),
            self.funding.as_deref().into(),
            self.source.as_deref().into(),
            self.share_mode.map(ShareMode::as_str).into(),
            self.region_code.as_deref().into(),
            self.location.as_deref().into(),
            self.contact_name.as_deref().into(),
            self.contact_phone.as_deref().into(),
            self.contact_email.as_deref().into(),
            subjects.into(),
            self.technical.as_deref().into(),
            self.functions.as_deref().into(),
            self.service_content.as_deref().into(),
            self.user_notice.as_deref().into(),
            self.channels.map(i64::from).into(),
            self.latitude.as_deref().into(),
            self.longitude.as_deref().into(),
        ]
    }
}

fn subjects_of(text: &str) -> Vec<String> {
    text.split(['；', ';', '、', '，', ','])
        .map(str::trim)
        .filter(|code| !code.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;
    use crate::domain::Fen;
    use chrono::NaiveDate;

    fn full(number: u32) -> InstrumentRow {
        let text = |what: &str| Some(format!("{what} {number}"));
        InstrumentRow {
            asset_no: format!("00{number}"),
            name: Some("=扫描电镜".to_owned()),
            name_en: text("SEM, \"field\" emission"),
            model: text("JSM-7900F"),
            manufacturer: text("JEOL"),
            country: text("日本"),
            original_value_fen: Some(Fen::new(9_007_199_254_740_991)),
            category_code: Some("010102".to_owned()),
            purpose_type: Some(PurposeType::General),
            acquired_on: NaiveDate::from_ymd_opt(2020, 2, 29),
            accepted_on: NaiveDate::from_ymd_opt(2020, 3, 1),
            enabled_on: NaiveDate::from_ymd_opt(2020, 12, 31),
            funding: text("funding"),
            source: Some("purchased".to_owned()),
            share_mode: Some(ShareMode::External),
            region_code: Some("130602".to_owned()),
            location: text("location"),
            contact_name: text("name"),
            contact_phone: Some("+86 311 80000000".to_owned()),
            contact_email: text("email"),
            subjects: Some(vec!["140".to_owned(), "150".to_owned()]),
            technical: text("first line\nsecond"),
            functions: text("functions"),
            service_content: text("service"),
            user_notice: text("notice"),
            channels: Some(number),
            latitude: Some("38.0428".to_owned()),
            longitude: Some("114.5149".to_owned()),
        }
    }

    #[test]
    fn an_export_is_an_import() {
        let rows = [
            full(1),
            InstrumentRow {
                asset_no: "2".to_owned(),
                ..InstrumentRow::default()
            },
        ];
        for format in [Format::Csv, Format::Xlsx] {
            let read = read(&write(&rows, format).unwrap(), format).unwrap().rows;
            let values: Vec<_> = read.iter().map(|row| row.value.clone()).collect();
            assert_eq!(values, rows);
            assert_eq!(read[1].row, 3);
        }
    }

    #[test]
    fn what_the_registry_says_is_exported_and_passed_over_when_it_comes_back() {
        let origin = Origin {
            id: 7.try_into().unwrap(),
            organization_id: 3.try_into().unwrap(),
            status: InstrumentState::Listed,
        };
        let rows = [(origin, full(1))];
        for format in [Format::Csv, Format::Xlsx] {
            let exported = export(&rows, format).unwrap();
            let read = read(&exported, format).unwrap().rows;
            assert_eq!(read[0].value, rows[0].1);
        }
        let csv = String::from_utf8(export(&rows, Format::Csv).unwrap()).unwrap();
        assert!(csv.trim_end().ends_with(",7,3,listed"), "{csv}");
        assert_eq!(COLUMNS.last().unwrap().name, "longitude");
    }

    #[test]
    fn rows_that_can_be_read_are_read_beside_those_that_cannot() {
        let csv = "asset_no,name,original_value_fen\n1,甲,100\n2,乙,x\n3,丙,100\n";
        let (sheet, faults) = read_some(csv.as_bytes(), Format::Csv, &mut |_| ()).unwrap();
        let read: Vec<_> = sheet.rows.iter().map(|row| row.row).collect();
        assert_eq!((read, faults.len(), faults[0].row()), (vec![2, 4], 1, 3));
    }

    #[test]
    fn the_template_is_an_empty_import_that_explains_itself() {
        let template = template().unwrap();
        assert!(read(&template, Format::Xlsx).unwrap().rows.is_empty());
    }

    #[test]
    fn all_faults_of_all_rows_are_found() {
        let csv = "资产编号,purpose_type,原值（分）,accepted_on\n,genral,12.5,2026-02-30\n7,special,100,\n";
        let faults = read(csv.as_bytes(), Format::Csv).unwrap_err();
        let seen: Vec<_> = faults.iter().map(|f| (f.row(), f.name(), f.code)).collect();
        assert_eq!(
            seen,
            [
                (2, "资产编号", Code::required),
                (2, "原值（分）", Code::not_an_amount),
                (2, "purpose_type", Code::unknown_word),
                (2, "accepted_on", Code::not_a_date),
            ]
        );
        assert_eq!(faults[2].did_you_mean.as_deref(), Some("general"));
        assert_eq!(faults[2].limit, Some("general | special".into()));
    }
}
