//! The spreadsheet of instruments: its columns, for import, export and template alike. Which of them a state needs, and what
//! a value must satisfy, is the registry's to say.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::sheet::{self, Cell, Column, Format, Kind, Numbered, OnReading, Row, Table, WriteError};
use crate::domain::Fault;
use crate::domain::contact::PublicContact;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{
    FundingSource, InstrumentFacts, InstrumentSource, InstrumentState, PurposeType,
};
use crate::domain::{InstrumentId, OrganizationId, SubjectCode, TypedKey};
use crate::error::{AppError, Code, Location};
pub use crate::operations::instrument::InstrumentRow;
use crate::operations::instrument::{CellValue, RegistryCell, RegistryColumn, Said, Set, Unread};

/// A column: how a table calls it and what it holds, what an entry says there, and how an entry is made to say it.
struct Field {
    column: Column,
    get: fn(&InstrumentFacts) -> Cell<'_>,
    set: Set,
}

const fn field(
    name: &'static str,
    title_zh: &'static str,
    kind: Kind,
    get: fn(&InstrumentFacts) -> Cell<'_>,
    set: Set,
) -> Field {
    Field {
        column: Column::new(name, title_zh, kind),
        get,
        set,
    }
}

const fn required(field: Field) -> Field {
    Field {
        column: field.column.required(),
        ..field
    }
}

const PURPOSES: &[&str] = &[PurposeType::General.as_str(), PurposeType::Special.as_str()];
const SHARE_MODES: &[&str] = &[
    ShareMode::External.as_str(),
    ShareMode::Internal.as_str(),
    ShareMode::None.as_str(),
];

/// What a host declares, in the order of the export; only the key is required, so that a table can change single fields.
#[rustfmt::skip]
static FIELDS: &[Field] = &[
    required(field("asset_no", "资产编号", Kind::Text, |f| f.asset_no.as_str().into(), |_, _| Ok(()))),
    field("name", "仪器名称", Kind::Text, |f| f.name.as_str().into(), |f, v| put_text(&mut f.name, v)),
    field("name_en", "英文名称", Kind::Text, |f| f.description.name_en.as_deref().into(), |f, v| fill_text(&mut f.description.name_en, v)),
    field("model", "规格型号", Kind::Text, |f| f.model.as_deref().into(), |f, v| fill_text(&mut f.model, v)),
    field("manufacturer", "生产厂商", Kind::Text, |f| f.manufacturer.as_deref().into(), |f, v| fill_text(&mut f.manufacturer, v)),
    field("country", "产地国别", Kind::Text, |f| f.country.as_deref().into(), |f, v| fill_text(&mut f.country, v)),
    field("original_value_fen", "原值（分）", Kind::Fen, |f| f.original_value_fen.into(), |f, v| put(&mut f.original_value_fen, v.amount())),
    field("category_code", "分类编码", Kind::Text, |f| f.category_code.to_string().into(), |f, v| put(&mut f.category_code, v.named(Code::unknown_category)?)),
    field("purpose_type", "用途类型", Kind::Word(PURPOSES), |f| f.purpose_type.as_str().into(), |f, v| put(&mut f.purpose_type, v.named(Code::unknown_word)?)),
    field("acquired_on", "购置日期", Kind::Date, |f| f.acquired_on.into(), |f, v| fill(&mut f.acquired_on, v.date())),
    field("accepted_on", "验收日期", Kind::Date, |f| f.accepted_on.into(), |f, v| fill(&mut f.accepted_on, v.date())),
    field("enabled_on", "启用日期", Kind::Date, |f| f.enabled_on.into(), |f, v| fill(&mut f.enabled_on, v.date())),
    field("funding", "经费来源", Kind::Text, |f| f.description.funding.map(FundingSource::as_str).into(), |f, v| fill(&mut f.description.funding, v.named(Code::unknown_word)?)),
    field("source", "仪器来源", Kind::Text, |f| f.description.source.map(InstrumentSource::as_str).into(), |f, v| fill(&mut f.description.source, v.named(Code::unknown_word)?)),
    field("share_mode", "共享模式", Kind::Word(SHARE_MODES), |f| f.share_mode.map(ShareMode::as_str).into(), |f, v| fill(&mut f.share_mode, v.named(Code::unknown_word)?)),
    field("region_code", "所在行政区划", Kind::Text, |f| f.region_code.map(|code| code.to_string()).into(), |f, v| fill(&mut f.region_code, v.named(Code::unknown_region)?)),
    field("location", "安放地址", Kind::Text, |f| f.location.as_deref().into(), |f, v| fill_text(&mut f.location, v)),
    field("contact_name", "联系人", Kind::Text, |f| f.public_contact.as_ref().map(|contact| contact.name.as_str()).into(), |f, v| put_text(&mut contact(f).name, v)),
    field("contact_phone", "联系电话", Kind::Text, |f| f.public_contact.as_ref().map(|contact| contact.phone.as_str()).into(), |f, v| put_text(&mut contact(f).phone, v)),
    field("contact_email", "电子邮箱", Kind::Text, |f| f.public_contact.as_ref().and_then(|contact| contact.email.as_deref()).into(), |f, v| fill_text(&mut contact(f).email, v)),
    field("subjects", "学科领域（用；分隔）", Kind::Text, |f| joined(&f.description.subjects).into(), set_subjects),
    field("technical", "技术指标", Kind::Text, |f| f.description.technical.as_deref().into(), |f, v| fill_text(&mut f.description.technical, v)),
    field("functions", "主要功能", Kind::Text, |f| f.description.functions.as_deref().into(), |f, v| fill_text(&mut f.description.functions, v)),
    field("service_content", "服务内容", Kind::Text, |f| f.description.service_content.as_deref().into(), |f, v| fill_text(&mut f.description.service_content, v)),
    field("user_notice", "用户须知", Kind::Text, |f| f.description.user_notice.as_deref().into(), |f, v| fill_text(&mut f.description.user_notice, v)),
    field("channels", "通道数", Kind::Integer, |f| f.channels.into(), |f, v| put(&mut f.channels, v.count())),
    field("latitude", "纬度（WGS84）", Kind::Decimal, |f| f.description.latitude.map(|degrees| degrees.to_string()).into(), |f, v| fill(&mut f.description.latitude, v.named(Code::out_of_range)?)),
    field("longitude", "经度（WGS84）", Kind::Decimal, |f| f.description.longitude.map(|degrees| degrees.to_string()).into(), |f, v| fill(&mut f.description.longitude, v.named(Code::out_of_range)?)),
];

/// A column that the registry fills in an export; an import refuses other values.
type Given = (Column, RegistryColumn, fn(&Origin) -> Cell<'static>);

const fn given(
    of: RegistryColumn,
    title_zh: &'static str,
    kind: Kind,
    get: fn(&Origin) -> Cell<'static>,
) -> Given {
    (Column::new(of.as_str(), title_zh, kind), of, get)
}

#[rustfmt::skip]
static GIVEN: &[Given] = &[
    given(RegistryColumn::Id, "平台编号", Kind::Integer, |origin| origin.id.number().into()),
    given(RegistryColumn::OrganizationId, "管理单位编号", Kind::Integer, |origin| origin.organization_id.number().into()),
    given(RegistryColumn::Status, "状态", Kind::Text, |origin| origin.status.as_str().into()),
];

static COLUMNS: LazyLock<Vec<Column>> =
    LazyLock::new(|| FIELDS.iter().map(|field| field.column).collect());

static EXPORTED: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let given = GIVEN.iter().map(|(column, ..)| *column);
    COLUMNS.iter().copied().chain(given).collect()
});

fn put<T>(place: &mut T, told: Option<T>) -> Result<(), Unread> {
    if let Some(value) = told {
        *place = value;
    }
    Ok(())
}

fn fill<T>(place: &mut Option<T>, told: Option<T>) -> Result<(), Unread> {
    put(place, told.map(Some))
}

fn put_text(place: &mut String, told: &CellValue) -> Result<(), Unread> {
    let text = told.text_instead(place)?;
    put(place, text)
}

fn fill_text(place: &mut Option<String>, told: &CellValue) -> Result<(), Unread> {
    let text = told.text_instead(place.as_deref().unwrap_or_default())?;
    fill(place, text)
}

/// A contact once one of its columns says something; what is still missing then, the rules of the field tell.
fn contact(facts: &mut InstrumentFacts) -> &mut PublicContact {
    facts.public_contact.get_or_insert_with(|| PublicContact {
        name: String::new(),
        phone: String::new(),
        email: None,
    })
}

fn joined(subjects: &[SubjectCode]) -> Option<String> {
    let codes: Vec<&str> = subjects.iter().map(SubjectCode::as_str).collect();
    (!codes.is_empty()).then(|| codes.join("；"))
}

fn set_subjects(facts: &mut InstrumentFacts, told: &CellValue) -> Result<(), Unread> {
    let Some(text) = told.text() else {
        return Ok(());
    };
    let codes = text.split(['；', ';', '、', '，', ',']).map(str::trim);
    let (mut subjects, mut unknown) = (Vec::new(), Vec::new());
    for code in codes.filter(|code| !code.is_empty()) {
        match code.parse() {
            Ok(subject) => subjects.push(subject),
            Err(_) => unknown.push(Unread::text(Code::unknown_reference, code)),
        }
    }
    facts.description.subjects = subjects;
    match unknown.is_empty() {
        true => Ok(()),
        false => Err(Unread(unknown)),
    }
}

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
    let table = Table::read(bytes, format, &EXPORTED)?;
    let captions = table.captions();
    let (rows, faults) = table.parse_some(read_row, told);
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

/// What a row says, cell by cell.
fn read_row(row: &mut Row<'_>) -> Option<InstrumentRow> {
    let mut asset_no = None;
    let mut said = Vec::with_capacity(FIELDS.len());
    for Field { column, set, .. } in FIELDS {
        let name = column.name;
        let value = match column.kind {
            Kind::Text => text_of(row, name),
            Kind::Decimal => row.decimal(name).map(CellValue::Text),
            Kind::Word(_) => row.listed(name).map(CellValue::Text),
            Kind::Fen | Kind::Yuan => row.fen(name).map(CellValue::Amount),
            Kind::Date => row.date(name).map(CellValue::Date),
            Kind::Integer => row.count(name).map(CellValue::Count),
            Kind::Instant | Kind::Truth => None,
        };
        if column.required {
            let number = value.as_ref().and_then(CellValue::text);
            asset_no = number.map(TypedKey::from);
        }
        said.extend(value.map(|value| Said {
            column: name,
            value,
            set: *set,
        }));
    }
    let mut registry = Vec::new();
    for (column, of, _) in GIVEN {
        let text = row.text(column.name);
        registry.extend(text.map(|text| RegistryCell { column: *of, text }));
    }
    Some(InstrumentRow {
        asset_no: asset_no?,
        said,
        registry,
    })
}

fn text_of(row: &mut Row<'_>, name: &str) -> Option<CellValue> {
    let text = row.text(name)?;
    Some(match row.is_exact(name) {
        true => CellValue::Text(text),
        false => CellValue::Number(text),
    })
}

fn cells(facts: &InstrumentFacts) -> impl Iterator<Item = Cell<'_>> {
    FIELDS.iter().map(|field| (field.get)(facts))
}

/// The export; [`read`] reads it again.
pub fn export<'a>(
    entries: impl IntoIterator<Item = &'a (Origin, InstrumentFacts)>,
    format: Format,
) -> Result<Vec<u8>, WriteError> {
    let rows = entries.into_iter().map(|(origin, facts)| {
        let given = GIVEN.iter().map(|(.., get)| get(origin));
        cells(facts).chain(given).collect()
    });
    sheet::write(&EXPORTED, format, rows)
}

/// A table of entries as a host would fill it in.
pub fn write<'a>(
    entries: impl IntoIterator<Item = &'a InstrumentFacts>,
    format: Format,
) -> Result<Vec<u8>, WriteError> {
    let rows = entries.into_iter().map(|facts| cells(facts).collect());
    sheet::write(&COLUMNS, format, rows)
}

/// The empty table for a host to fill in, as XLSX.
pub fn template() -> Result<Vec<u8>, WriteError> {
    sheet::template(&COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fen;
    use crate::domain::instrument::InstrumentDescription;

    fn least(asset_no: &str) -> InstrumentFacts {
        let (name, category) = (("=扫描电镜", asset_no), "010102".parse().unwrap());
        let value = Fen::new(9_007_199_254_740_991);
        InstrumentFacts::new(name, value, category, PurposeType::Special)
    }

    /// An entry that says something in every column.
    fn full(number: i64) -> InstrumentFacts {
        let text = |what: &str| Some(format!("{what} {number}"));
        let on = |date: &str| date.parse().ok();
        InstrumentFacts {
            model: text("JSM-7900F"),
            manufacturer: text("JEOL"),
            country: text("日本"),
            acquired_on: on("2020-02-29"),
            accepted_on: on("2020-03-01"),
            enabled_on: on("2020-12-31"),
            share_mode: Some(ShareMode::External),
            region_code: "130602".parse().ok(),
            location: text("location"),
            public_contact: Some(PublicContact {
                name: "name".to_owned(),
                phone: "+86 311 80000000".to_owned(),
                email: text("email"),
            }),
            channels: number,
            description: InstrumentDescription {
                name_en: text("SEM, \"field\" emission"),
                funding: Some(FundingSource::Central),
                source: Some(InstrumentSource::Donated),
                subjects: vec!["140".parse().unwrap(), "150".parse().unwrap()],
                technical: text("first line\nsecond"),
                functions: text("functions"),
                service_content: text("service"),
                user_notice: text("notice"),
                latitude: "38.0428".parse().ok(),
                longitude: "114.5149".parse().ok(),
                customs: None,
            },
            ..least(&format!("00{number}"))
        }
    }

    fn facts_of(bytes: &[u8], format: Format) -> Vec<(u32, InstrumentFacts)> {
        let read = read(bytes, format).unwrap().rows.into_iter();
        let facts = |row: Numbered<InstrumentRow>| {
            let mut faults = Vec::new();
            let facts = row.value.new_facts(&mut faults).unwrap();
            assert_eq!(faults, []);
            assert_eq!(row.value.asset_no, facts.asset_no);
            (row.row, facts)
        };
        read.map(facts).collect()
    }

    #[test]
    fn what_an_entry_says_in_every_column_is_read_again() {
        let full = full(1);
        for (column, cell) in COLUMNS.iter().zip(cells(&full)) {
            assert!(!cell.is_empty(), "{} is empty in the sample", column.name);
        }
        let entries = [full, least("2")];
        for format in [Format::Csv, Format::Xlsx] {
            let read = facts_of(&write(&entries, format).unwrap(), format);
            assert_eq!(read, [(2, entries[0].clone()), (3, entries[1].clone())]);
        }
    }

    #[test]
    fn what_the_registry_says_is_exported_and_comes_back() {
        let origin = Origin {
            id: 7.try_into().unwrap(),
            organization_id: 3.try_into().unwrap(),
            status: InstrumentState::Listed,
        };
        let entries = [(origin, full(1))];
        for format in [Format::Csv, Format::Xlsx] {
            let exported = export(&entries, format).unwrap();
            assert_eq!(facts_of(&exported, format), [(2, full(1))]);
        }
        let csv = String::from_utf8(export(&entries, Format::Csv).unwrap()).unwrap();
        assert!(csv.trim_end().ends_with(",7,3,listed"), "{csv}");
        assert_eq!(COLUMNS.last().unwrap().name, "longitude");
    }

    #[test]
    fn an_empty_cell_leaves_what_is_there() {
        let csv = "asset_no,model,contact_phone\n001,,0311-1\n";
        let rows = read(csv.as_bytes(), Format::Csv).unwrap().rows;
        let (before, mut faults) = (full(1), Vec::new());
        let mut after = before.clone();
        after.public_contact.as_mut().unwrap().phone = "0311-1".to_owned();
        assert_eq!(rows[0].value.changed_facts(before, &mut faults), after);
        assert_eq!(faults, []);
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
