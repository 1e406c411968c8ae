//! The spreadsheet of usage records. It has no column for evidence: that is answered, never accepted.

use super::sheet::{self, Cell, Column, Format, Kind, Numbered, OnReading, Row, Table, WriteError};
use super::words;
use crate::domain::Fault;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::policy::{ProjectLevel, ServiceClass};
use crate::domain::usage::{GivenMinutes, ServiceContext, UsageFacts};
use crate::domain::{Minutes, Operator, Slot, TypedKey};
use crate::operations::usage::ImportRow;

pub const COLUMNS: &[Column] = &[
    Column::new("asset_no", "资产编号", Kind::Text).required(),
    Column::new("using_uscc", "用户单位统一社会信用代码", Kind::Text).required(),
    Column::new("started_at", "开始时间", Kind::Instant).required(),
    Column::new("ended_at", "结束时间", Kind::Instant).required(),
    Column::new("prepare_minutes", "准备机时（分钟）", Kind::Integer),
    Column::new("run_minutes", "运行机时（分钟）", Kind::Integer),
    Column::new("post_minutes", "后处理机时（分钟）", Kind::Integer),
    Column::new("samples", "样品数", Kind::Integer),
    Column::new("mode", "服务方式", Kind::Word(words::MODES)).required(),
    Column::new("purpose", "用途", Kind::Word(words::PURPOSES)).required(),
    Column::new("statutory", "法定检测", Kind::Truth),
    Column::new("operator", "操作人", Kind::Text),
    Column::new("client_reference", "用户方编号", Kind::Text),
    Column::new("channel", "通道", Kind::Integer),
    Column::new(
        "service_class",
        "服务类别",
        Kind::Word(words::SERVICE_CLASSES),
    ),
    Column::new("project", "项目", Kind::Text),
    Column::new(
        "project_level",
        "项目级别",
        Kind::Word(words::PROJECT_LEVELS),
    ),
];

/// One service as a table tells it; an absent column and an empty cell are both `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    pub asset_no: TypedKey,
    /// The unified social credit code of the using unit, unchecked.
    pub using_uscc: String,
    pub slot: Slot,
    pub prepare_minutes: Option<Minutes>,
    pub run_minutes: Option<Minutes>,
    pub post_minutes: Option<Minutes>,
    pub samples: Option<u32>,
    pub mode: BookingMode,
    pub purpose: BookingPurpose,
    pub statutory: Option<bool>,
    pub operator: Option<String>,
    pub client_reference: Option<TypedKey>,
    /// A spreadsheet program may have had the reference as a number.
    pub reference_may_lack_zeros: bool,
    pub channel: Option<u32>,
    pub service_class: Option<ServiceClass>,
    pub project: Option<String>,
    pub project_level: Option<ProjectLevel>,
}

/// All usage records of a table, or every fault in it.
pub fn read(bytes: &[u8], format: Format) -> Result<Vec<Numbered<UsageRow>>, Vec<Fault>> {
    Table::read(bytes, format, COLUMNS)?
        .filled()?
        .parse(UsageRow::read)
}

/// As [`read`]; tells how far it is.
pub fn read_telling(
    bytes: &[u8],
    format: Format,
    told: &mut OnReading<'_>,
) -> Result<Vec<Numbered<UsageRow>>, Vec<Fault>> {
    Table::read(bytes, format, COLUMNS)?
        .filled()?
        .parse_telling(UsageRow::read, told)
}

/// The export; [`read`] reads it again.
pub fn write<'a>(
    rows: impl IntoIterator<Item = &'a UsageRow>,
    format: Format,
) -> Result<Vec<u8>, WriteError> {
    sheet::write(COLUMNS, format, rows.into_iter().map(UsageRow::cells))
}

/// What a person who fills in the table must know besides.
const NOTES: &[&str] = &[
    "每行新增一条使用记录；空白的分钟数和样品数按 0 计，空白的通道按第 1 通道计。",
    "时间没有时区时按北京时间理解；数据从第二行开始填写，请勿合并单元格或使用公式。",
];

/// The empty table for a host to fill in, as XLSX.
pub fn template() -> Result<Vec<u8>, WriteError> {
    sheet::template(COLUMNS, Vec::new(), NOTES)
}

impl UsageRow {
    fn read(row: &mut Row<'_>) -> Option<Self> {
        let asset_no = row.key("asset_no");
        let using_uscc = row.text("using_uscc");
        let slot = row.slot("started_at", "ended_at");
        let prepare_minutes = row.minutes("prepare_minutes");
        let run_minutes = row.minutes("run_minutes");
        let post_minutes = row.minutes("post_minutes");
        let samples = row.count("samples");
        let mode = row.word("mode");
        let purpose = row.word("purpose");
        let statutory = row.truth("statutory");
        let operator = row.text("operator");
        let client_reference = row.key("client_reference");
        let channel = row.count("channel");
        let (service_class, project) = (row.word("service_class"), row.text("project"));
        let project_level = row.word("project_level");
        Some(Self {
            asset_no: asset_no?,
            using_uscc: using_uscc?,
            slot: slot?,
            prepare_minutes,
            run_minutes,
            post_minutes,
            samples,
            mode: mode?,
            purpose: purpose?,
            statutory,
            operator,
            reference_may_lack_zeros: client_reference.is_some()
                && !row.is_exact("client_reference"),
            client_reference,
            channel,
            service_class,
            project,
            project_level,
        })
    }

    fn cells(&self) -> Vec<Cell<'_>> {
        vec![
            self.asset_no.as_str().into(),
            self.using_uscc.as_str().into(),
            self.slot.starts_at().into(),
            self.slot.ends_at().into(),
            self.prepare_minutes.into(),
            self.run_minutes.into(),
            self.post_minutes.into(),
            self.samples.map(i64::from).into(),
            self.mode.as_str().into(),
            self.purpose.as_str().into(),
            self.statutory.into(),
            self.operator.as_deref().into(),
            self.client_reference.as_deref().into(),
            self.channel.map(i64::from).into(),
            self.service_class.map(ServiceClass::as_str).into(),
            self.project.as_deref().into(),
            self.project_level.map(ProjectLevel::as_str).into(),
        ]
    }
}

impl From<Numbered<UsageRow>> for ImportRow {
    /// Absent minutes are 0, absent samples 0, the absent channel is the first.
    fn from(Numbered { row, value }: Numbered<UsageRow>) -> Self {
        Self {
            row,
            asset_no: value.asset_no,
            using_uscc: value.using_uscc,
            reference_may_lack_zeros: value.reference_may_lack_zeros,
            facts: UsageFacts {
                channel: value.channel.map_or(1, i64::from),
                slot: value.slot,
                minutes: GivenMinutes {
                    prepare: value.prepare_minutes,
                    run: value.run_minutes,
                    post: value.post_minutes,
                },
                samples: value.samples.map_or(0, i64::from),
                mode: value.mode,
                purpose: value.purpose,
                statutory: value.statutory.unwrap_or(false),
                operator: value.operator.map(|name| Operator {
                    name: Some(name),
                    ..Operator::default()
                }),
                client_reference: value.client_reference,
                context: ServiceContext {
                    service_class: value.service_class,
                    project: value.project,
                    project_level: value.project_level,
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    fn row() -> UsageRow {
        let at = |text: &str| text.parse().unwrap();
        UsageRow {
            asset_no: "25000872".into(),
            using_uscc: "12130302BYC46N1249".to_owned(),
            slot: Slot::new(
                at("2026-03-01T23:59:59+08:00"),
                at("2026-03-02T01:00:01+08:00"),
            )
            .unwrap(),
            prepare_minutes: Some(Minutes::new(10)),
            run_minutes: Some(Minutes::new(50)),
            post_minutes: Some(Minutes::ZERO),
            samples: Some(3),
            mode: BookingMode::Guided,
            purpose: BookingPurpose::Teaching,
            statutory: Some(false),
            operator: Some("张工".to_owned()),
            client_reference: Some("-2026/7".into()),
            reference_may_lack_zeros: false,
            channel: Some(1),
            service_class: Some(ServiceClass::Medical),
            project: Some("=2026-08 项目".to_owned()),
            project_level: Some(ProjectLevel::National),
        }
    }

    #[test]
    fn an_export_is_an_import_to_the_second() {
        let mut bare = row();
        bare.prepare_minutes = None;
        bare.statutory = None;
        bare.channel = None;
        bare.service_class = None;
        bare.project = None;
        bare.project_level = None;
        let rows = [row(), bare];
        for format in [Format::Csv, Format::Xlsx] {
            let read = read(&write(&rows, format).unwrap(), format).unwrap();
            let values: Vec<_> = read.into_iter().map(|row| row.value).collect();
            assert_eq!(values, rows);
        }
    }

    #[test]
    fn evidence_is_no_column_and_time_runs_forward() {
        let csv = "asset_no,using_uscc,started_at,ended_at,mode,purpose,evidence\n\
                   1,X,2026-03-01 10:00,2026-03-01 10:00,guided,other,automatic\n";
        let faults = read(csv.as_bytes(), Format::Csv).unwrap_err();
        let seen: Vec<_> = faults.iter().map(|f| (f.row(), f.name(), f.code)).collect();
        assert_eq!(
            seen,
            [
                (1, "G", Code::unknown_column),
                (2, "ended_at", Code::not_after_start),
            ]
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(100))]
        #[test]
        fn strange_texts_come_back(
            reference in "'{0,2}[=+@-]?(0{0,3}[0-9]{1,20}|[ -~一-龥é😀]{1,12}|1\\.2130[0-9]E\\+1[0-9])",
            operator in "'{0,2}[=+@\t-]{0,2}[ -~\n一-龥é😀]{0,12}",
        ) {
            let mut sent = row();
            let reference = TypedKey::new(&reference);
            sent.client_reference = (!reference.is_empty()).then_some(reference);
            sent.operator = Some(operator.clone());
            for format in [Format::Csv, Format::Xlsx] {
                let back = read(&write([&sent], format).unwrap(), format).unwrap().remove(0).value;
                proptest::prop_assert_eq!(&back.client_reference, &sent.client_reference);
                let operator = operator.trim();
                let expected = (!operator.is_empty()).then(|| operator.to_owned());
                proptest::prop_assert_eq!(back.operator, expected);
            }
        }
    }
}
