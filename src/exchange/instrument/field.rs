//! The columns of the spreadsheet of instruments: how a table calls each, what an entry says there, and how an entry is made to
//! say it.

use std::sync::LazyLock;

use super::Origin;
use crate::domain::contact::PublicContact;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{FundingSource, InstrumentFacts, InstrumentSource};
use crate::domain::{Fault, SubjectCode};
use crate::error::Code;
use crate::exchange::sheet::{Cell, Column, Kind, Need};
use crate::exchange::words;
use crate::operations::instrument::{CellValue, RegistryColumn, Set, Unread};

/// A column: how a table calls it and what it holds, which field it says, what an entry says there, and how an entry is made
/// to say it.
pub(super) struct Field {
    pub(super) column: Column,
    /// The field of the contract.
    pub(super) says: &'static str,
    pub(super) get: fn(&InstrumentFacts) -> Cell<'_>,
    pub(super) set: Set,
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
        says: name,
        get,
        set,
    }
}

const fn needed(need: Need, field: Field) -> Field {
    Field {
        column: field.column.needed(need),
        ..field
    }
}

const fn in_yuan_too(field: Field) -> Field {
    Field {
        column: field.column.instead_of(YUAN.column.name),
        ..field
    }
}

/// The value as people know it.
const YUAN: Field = Field {
    column: Column::new("original_value_yuan", "原值（元）", Kind::Yuan)
        .needed(Need::New)
        .instead_of("original_value_fen"),
    says: "original_value_fen",
    get: |f| f.original_value_fen.into(),
    set: |f, v| put(&mut f.original_value_fen, v, v.amount()),
};

/// What a host declares, in the order of the export; only the key is required, so that a table can change single fields.
#[rustfmt::skip]
pub(super) static FIELDS: &[Field] = &[
    needed(Need::Always, field("asset_no", "资产编号", Kind::Text, |f| f.asset_no.as_str().into(), |_, _| Ok(()))),
    needed(Need::New, field("name", "仪器名称", Kind::Text, |f| f.name.as_str().into(), |f, v| put_text(&mut f.name, v))),
    field("name_en", "英文名称", Kind::Text, |f| f.description.name_en.as_deref().into(), |f, v| fill_text(&mut f.description.name_en, v)),
    needed(Need::Later, field("model", "规格型号", Kind::Text, |f| f.model.as_deref().into(), |f, v| fill_text(&mut f.model, v))),
    needed(Need::Later, field("manufacturer", "生产厂商", Kind::Text, |f| f.manufacturer.as_deref().into(), |f, v| fill_text(&mut f.manufacturer, v))),
    needed(Need::Later, field("country", "产地国别", Kind::Text, |f| f.country.as_deref().into(), |f, v| fill_text(&mut f.country, v))),
    in_yuan_too(needed(Need::New, field("original_value_fen", "原值（分）", Kind::Fen, |f| f.original_value_fen.into(), |f, v| put(&mut f.original_value_fen, v, v.amount())))),
    YUAN,
    needed(Need::New, field("category_code", "分类编码", Kind::Text, |f| f.category_code.to_string().into(), |f, v| put(&mut f.category_code, v, v.named(Code::unknown_category)?))),
    needed(Need::New, field("purpose_type", "用途类型", Kind::Word(words::PURPOSE_TYPES), |f| f.purpose_type.as_str().into(), |f, v| put(&mut f.purpose_type, v, v.named(Code::unknown_word)?))),
    field("acquired_on", "购置日期", Kind::Date, |f| f.acquired_on.into(), |f, v| fill(&mut f.acquired_on, v, v.date())),
    needed(Need::Later, field("accepted_on", "验收日期", Kind::Date, |f| f.accepted_on.into(), |f, v| fill(&mut f.accepted_on, v, v.date()))),
    needed(Need::Later, field("enabled_on", "启用日期", Kind::Date, |f| f.enabled_on.into(), |f, v| fill(&mut f.enabled_on, v, v.date()))),
    field("funding", "经费来源", Kind::Word(words::FUNDING_SOURCES), |f| f.description.funding.map(FundingSource::as_str).into(), |f, v| fill(&mut f.description.funding, v, v.named(Code::unknown_word)?)),
    field("source", "仪器来源", Kind::Word(words::INSTRUMENT_SOURCES), |f| f.description.source.map(InstrumentSource::as_str).into(), |f, v| fill(&mut f.description.source, v, v.named(Code::unknown_word)?)),
    needed(Need::Later, field("share_mode", "共享模式", Kind::Word(words::SHARE_MODES), |f| f.share_mode.map(ShareMode::as_str).into(), |f, v| fill(&mut f.share_mode, v, v.named(Code::unknown_word)?))),
    field("region_code", "所在行政区划", Kind::Text, |f| f.region_code.map(|code| code.to_string()).into(), |f, v| put_some(&mut f.region_code, v, v.named(Code::unknown_region)?)),
    needed(Need::Later, field("location", "安放地址", Kind::Text, |f| f.location.as_deref().into(), |f, v| fill_text(&mut f.location, v))),
    needed(Need::Later, field("contact_name", "联系人", Kind::Text, |f| f.public_contact.as_ref().map(|contact| contact.name.as_str()).into(), |f, v| set_contact(f, v, |contact, v| put_text(&mut contact.name, v)))),
    needed(Need::Later, field("contact_phone", "联系电话", Kind::Text, |f| f.public_contact.as_ref().map(|contact| contact.phone.as_str()).into(), |f, v| set_contact(f, v, |contact, v| put_text(&mut contact.phone, v)))),
    field("contact_email", "电子邮箱", Kind::Text, |f| f.public_contact.as_ref().and_then(|contact| contact.email.as_deref()).into(), |f, v| set_contact(f, v, |contact, v| fill_text(&mut contact.email, v))),
    field("subjects", "学科领域（用；分隔）", Kind::Text, |f| joined(&f.description.subjects).into(), set_subjects),
    field("technical", "技术指标", Kind::Text, |f| f.description.technical.as_deref().into(), |f, v| fill_text(&mut f.description.technical, v)),
    field("functions", "主要功能", Kind::Text, |f| f.description.functions.as_deref().into(), |f, v| fill_text(&mut f.description.functions, v)),
    field("service_content", "服务内容", Kind::Text, |f| f.description.service_content.as_deref().into(), |f, v| fill_text(&mut f.description.service_content, v)),
    field("user_notice", "用户须知", Kind::Text, |f| f.description.user_notice.as_deref().into(), |f, v| fill_text(&mut f.description.user_notice, v)),
    field("channels", "通道数", Kind::Integer, |f| f.channels.into(), |f, v| put(&mut f.channels, v, v.count())),
    field("latitude", "纬度（WGS84）", Kind::Decimal, |f| f.description.latitude.map(|degrees| degrees.to_string()).into(), |f, v| fill(&mut f.description.latitude, v, v.named(Code::out_of_range)?)),
    field("longitude", "经度（WGS84）", Kind::Decimal, |f| f.description.longitude.map(|degrees| degrees.to_string()).into(), |f, v| fill(&mut f.description.longitude, v, v.named(Code::out_of_range)?)),
    field("is_set", "是否成套", Kind::Truth, |f| f.description.is_set.into(), |f, v| { f.description.is_set = v.truth().unwrap_or(false); Ok(()) }),
];

/// A column that the registry fills in an export; an import refuses other values.
pub(super) type Given = (Column, RegistryColumn, fn(&Origin) -> Cell<'static>);

const fn given(
    of: RegistryColumn,
    title_zh: &'static str,
    kind: Kind,
    get: fn(&Origin) -> Cell<'static>,
) -> Given {
    (Column::new(of.as_str(), title_zh, kind), of, get)
}

#[rustfmt::skip]
pub(super) static GIVEN: &[Given] = &[
    given(RegistryColumn::Id, "平台编号", Kind::Integer, |origin| origin.id.number().into()),
    given(RegistryColumn::OrganizationId, "管理单位编号", Kind::Integer, |origin| origin.organization_id.number().into()),
    given(RegistryColumn::Status, "状态", Kind::Word(words::INSTRUMENT_STATES), |origin| origin.status.as_str().into()),
];

/// Every column that a table may have.
pub(super) static READ: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let given = GIVEN.iter().map(|(column, ..)| *column);
    FIELDS
        .iter()
        .map(|field| field.column)
        .chain(given)
        .collect()
});

/// What programs write: money in fen.
pub(super) fn written() -> impl Iterator<Item = &'static Field> {
    FIELDS
        .iter()
        .filter(|field| field.column.name == field.says)
}

/// What people fill in: money in yuan.
pub(super) static FILLED_IN: LazyLock<Vec<Column>> = LazyLock::new(|| {
    let columns = FIELDS.iter().map(|field| field.column);
    columns.filter(|column| column.kind != Kind::Fen).collect()
});

/// Makes a field that every entry has say the value; nothing takes it away.
fn put<T>(place: &mut T, said: &CellValue, value: Option<T>) -> Result<(), Unread> {
    match value {
        Some(value) => *place = value,
        None if said.is_blank() => return Err(Unread(vec![Fault::request(Code::required)])),
        None => {}
    }
    Ok(())
}

fn put_some<T>(place: &mut Option<T>, said: &CellValue, value: Option<T>) -> Result<(), Unread> {
    match value {
        None if !said.is_blank() => Ok(()),
        value => put(place, said, value.map(Some)),
    }
}

/// Makes a field say the value, or nothing.
fn fill<T>(place: &mut Option<T>, said: &CellValue, value: Option<T>) -> Result<(), Unread> {
    if value.is_some() || said.is_blank() {
        *place = value;
    }
    Ok(())
}

fn put_text(place: &mut String, said: &CellValue) -> Result<(), Unread> {
    let text = said.text_instead(place)?;
    put(place, said, text)
}

fn fill_text(place: &mut Option<String>, said: &CellValue) -> Result<(), Unread> {
    let present = place.as_deref().unwrap_or_default();
    if said.is_blank() && present.trim().is_empty() {
        return Ok(());
    }
    let text = said.text_instead(present)?;
    fill(place, said, text)
}

/// A contact once one of its columns says something, and none when all are empty; what is still missing then, the rules of the
/// field tell.
fn set_contact(
    facts: &mut InstrumentFacts,
    said: &CellValue,
    set: fn(&mut PublicContact, &CellValue) -> Result<(), Unread>,
) -> Result<(), Unread> {
    let mut contact = match facts.public_contact.take() {
        Some(contact) => contact,
        None if said.is_blank() => return Ok(()),
        None => PublicContact {
            name: String::new(),
            phone: String::new(),
            email: None,
        },
    };
    let is_set = match said.is_blank() {
        true => set(&mut contact, &CellValue::Text(String::new())),
        false => set(&mut contact, said),
    };
    contact.email = contact.email.filter(|email| !email.is_empty());
    let says = [
        Some(&contact.name),
        Some(&contact.phone),
        contact.email.as_ref(),
    ];
    let is_there = says.into_iter().flatten().any(|text| !text.is_empty());
    facts.public_contact = is_there.then_some(contact);
    is_set
}

fn joined(subjects: &[SubjectCode]) -> Option<String> {
    let codes: Vec<&str> = subjects.iter().map(SubjectCode::as_str).collect();
    (!codes.is_empty()).then(|| codes.join("；"))
}

fn set_subjects(facts: &mut InstrumentFacts, said: &CellValue) -> Result<(), Unread> {
    let text = match said.text() {
        Some(text) => text,
        None if said.is_blank() => String::new(),
        None => return Ok(()),
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
