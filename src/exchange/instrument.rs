//! The spreadsheet of instruments: its columns, for import, export and template alike. Which of them a state needs, and what
//! a value must satisfy, is the registry's to say.

mod field;

use super::captions::Captions;
use super::sheet::{
    self, Cell, Codes, Column, Format, Kind, Numbered, OnReading, Row, Table, WriteError,
};
use crate::domain::Fault;
use crate::domain::instrument::{InstrumentFacts, InstrumentState};
use crate::domain::{InstrumentId, OrganizationId, TypedKey};
pub use crate::operations::instrument::InstrumentRow;
use crate::operations::instrument::{CellValue, RegistryCell, Said};
use field::{FIELDS, FILLED_IN, Field, GIVEN, READ, written};

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
    captions: Captions,
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
    let table = Table::read(bytes, format, &READ)?.filled()?;
    let captions = Captions::of(&table, &READ);
    let (rows, faults) = table.parse_some(read_row, told);
    Ok((Sheet { rows, captions }, faults))
}

impl Sheet {
    /// The rows with their numbers, as the import takes them, and the names of the columns for its refusal.
    pub fn into_parts(self) -> (Vec<(u32, InstrumentRow)>, Captions) {
        let rows = self.rows.into_iter().map(|row| (row.row, row.value));
        (rows.collect(), self.captions)
    }
}

/// What a row says, cell by cell.
fn read_row(row: &mut Row<'_>) -> Option<InstrumentRow> {
    let mut asset_no = None;
    let mut said = Vec::with_capacity(FIELDS.len());
    for Field {
        column, says, set, ..
    } in FIELDS
    {
        let name = column.name;
        let value = match column.kind {
            _ if row.is_blank(name) && !column.is_required() => Some(CellValue::Blank),
            Kind::Text => text_of(row, name),
            Kind::Decimal => row.decimal(name).map(CellValue::Text),
            Kind::Word(_) => row.listed(name).map(CellValue::Text),
            Kind::Fen | Kind::Yuan => row.fen(name).map(CellValue::Amount),
            Kind::Date => row.date(name).map(CellValue::Date),
            Kind::Integer => row.count(name).map(CellValue::Count),
            Kind::Truth => row.truth(name).map(CellValue::Truth),
            Kind::Instant => None,
        };
        if column.is_required() {
            let number = value.as_ref().and_then(CellValue::text);
            asset_no = number.map(TypedKey::from);
        }
        said.extend(value.map(|value| Said {
            column: says,
            value,
            set: *set,
        }));
    }
    let mut registry = Vec::new();
    for (column, of, _) in GIVEN {
        let text = row.worded(column.name);
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
    written().map(|field| (field.get)(facts))
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
    let given = GIVEN.iter().map(|(column, ..)| *column);
    let columns: Vec<Column> = written().map(|field| field.column).chain(given).collect();
    sheet::write(&columns, format, rows)
}

/// A table of entries as a host would fill it in.
pub fn write<'a>(
    entries: impl IntoIterator<Item = &'a InstrumentFacts>,
    format: Format,
) -> Result<Vec<u8>, WriteError> {
    let rows = entries.into_iter().map(|facts| cells(facts).collect());
    let columns: Vec<Column> = written().map(|field| field.column).collect();
    sheet::write(&columns, format, rows)
}

/// What a person who fills in the table must know besides.
const NOTES: &[&str] = &[
    "更新已有仪器（mode=upsert）时按资产编号查找；空白单元格表示不修改。",
    "要清空某项，请在导入时选择 empty=clear：表中已有的列若为空白，则清空该项；表中没有的列不变。",
    "原值可用“原值（元）”列，也可用“原值（分）”列，二者只用其一。",
    "数据从第二行开始填写，请勿合并单元格或使用公式；编码类列请保持文本格式。",
];

/// The empty table for a host to fill in, as XLSX, with the codes that its columns take.
pub fn template(codes: Vec<Codes>) -> Result<Vec<u8>, WriteError> {
    sheet::template(&FILLED_IN, codes, NOTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fen;
    use crate::domain::contact::PublicContact;
    use crate::domain::exemption::ShareMode;
    use crate::domain::instrument::{
        FundingSource, InstrumentDescription, InstrumentSource, PurposeType,
    };
    use crate::error::Code;
    use crate::operations::instrument::Empty;

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
                is_set: true,
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
        for (field, cell) in written().zip(cells(&full)) {
            assert!(!cell.is_empty(), "{} is empty in the sample", field.says);
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
    }

    #[test]
    fn an_empty_cell_leaves_what_is_there() {
        let csv = "asset_no,model,contact_phone\n001,,0311-1\n";
        let rows = read(csv.as_bytes(), Format::Csv).unwrap().rows;
        let (before, mut faults) = (full(1), Vec::new());
        let mut after = before.clone();
        after.public_contact.as_mut().unwrap().phone = "0311-1".to_owned();
        let read = rows[0]
            .value
            .changed_facts(before, Empty::Keep, &mut faults);
        assert_eq!(read, after);
        assert_eq!(faults, []);
    }

    #[test]
    fn an_empty_cell_clears_when_asked_to() {
        let csv = "asset_no,model,location,contact_name,contact_phone,contact_email,subjects,funding,accepted_on\n001,,,,,,,,\n";
        let rows = read(csv.as_bytes(), Format::Csv).unwrap().rows;
        let (before, mut faults) = (full(1), Vec::new());
        let mut after = before.clone();
        after.model = None;
        after.location = None;
        after.public_contact = None;
        after.description.subjects = Vec::new();
        after.description.funding = None;
        after.accepted_on = None;
        let row = &rows[0].value;
        assert_eq!(
            row.changed_facts(before.clone(), Empty::Keep, &mut faults),
            before
        );
        let cleared = row.changed_facts(before.clone(), Empty::Clear, &mut faults);
        assert_eq!((&cleared, faults.as_slice()), (&after, &[][..]));
        assert_eq!(
            row.changed_facts(after.clone(), Empty::Clear, &mut faults),
            after
        );
        // What every entry has is not taken away.
        let csv =
            "asset_no,name,原值（元）,category_code,purpose_type,channels,region_code\n001,,,,,,\n";
        let rows = read(csv.as_bytes(), Format::Csv).unwrap().rows;
        rows[0]
            .value
            .changed_facts(before, Empty::Clear, &mut faults);
        let told: Vec<_> = faults
            .iter()
            .map(|fault| (fault.name(), fault.code))
            .collect();
        let fields = [
            "name",
            "original_value_fen",
            "category_code",
            "purpose_type",
            "region_code",
            "channels",
        ];
        assert_eq!(told, fields.map(|field| (field, Code::required)));
    }

    #[test]
    fn words_and_yuan_are_what_people_say() {
        let csv = "资产编号,仪器名称,原值(元)*,分类编码,用途类型,共享模式,经费来源,仪器来源\n\
                   001,甲,200000.5,010102,专用,对外共享,地方财政,购置\n002,乙,300000,010102,General,内部共享,其他,其它\n";
        let facts = facts_of(csv.as_bytes(), Format::Csv);
        let said = |facts: &InstrumentFacts| {
            (
                facts.original_value_fen.number(),
                facts.purpose_type,
                facts.share_mode,
                facts.description.funding,
                facts.description.source,
            )
        };
        assert_eq!(
            said(&facts[0].1),
            (
                20_000_050,
                PurposeType::Special,
                Some(ShareMode::External),
                Some(FundingSource::Local),
                Some(InstrumentSource::Purchased),
            )
        );
        assert_eq!(
            said(&facts[1].1),
            (
                30_000_000,
                PurposeType::General,
                Some(ShareMode::Internal),
                Some(FundingSource::Other),
                Some(InstrumentSource::Other),
            )
        );
        let told = |csv: &str| -> Vec<(Code, Option<String>)> {
            let faults = read(csv.as_bytes(), Format::Csv).unwrap_err();
            faults
                .into_iter()
                .map(|fault| (fault.code, fault.did_you_mean))
                .collect()
        };
        // A hint never crosses units, and a table has one of the two.
        for (title, meant) in [
            ("原值（万元）", None),
            ("原值", None),
            ("原价（元）", Some("原值（元）")),
            ("原价（分）", Some("原值（分）")),
            ("original_value_yuann", Some("original_value_yuan")),
        ] {
            let csv = format!("资产编号,{title}\n001,\n");
            assert_eq!(
                told(&csv),
                [(Code::unknown_column, meant.map(str::to_owned))],
                "{title}"
            );
        }
        assert_eq!(
            told("资产编号,原值（元）,原值（分）\n001,1,100\n"),
            [(Code::duplicate_column, None)]
        );
        assert_eq!(
            told("资产编号,原值（分）\n001,12.50\n"),
            [(Code::not_an_amount, None)]
        );
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
        let template = template(Vec::new()).unwrap();
        let told = read(&template, Format::Xlsx).unwrap_err();
        let told: Vec<_> = told.iter().map(|fault| fault.code).collect();
        assert_eq!(told, [Code::empty_table]);
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
        assert_eq!(faults[2].limit, Some("general 通用 | special 专用".into()));
    }
}
