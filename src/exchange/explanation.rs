//! An explanation as a document for people, in one language: headings, sentences and tables of texts, which the command line
//! prints and a page can show.

use std::collections::BTreeMap;

use num_rational::BigRational;

use crate::domain::evaluation::ScoreExplanation;
use crate::domain::sentence::Sentence;
use crate::domain::{Fen, InstrumentId, ratio};
use crate::error::text::Language;
use crate::exchange::document;
use crate::operations::yearly_run::explain::{
    ExplainedStep, Explanation, LeftOutReason, LeftOutRecord, MetricRecords, UnitExplanation,
};

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub title: String,
    pub sections: Vec<Section>,
}

/// A heading with its sentences, then its tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub heading: String,
    pub sentences: Vec<String>,
    pub tables: Vec<Table>,
}

/// Texts in columns; numbers are texts, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Document {
    /// The document as it is printed: columns as wide as what stands in them.
    pub fn page(self, language: Language) -> document::Document {
        let mut blocks = Vec::new();
        for section in self.sections {
            blocks.push(document::Block::Heading(section.heading));
            blocks.extend(
                section
                    .sentences
                    .into_iter()
                    .map(document::Block::Paragraph),
            );
            blocks.extend(section.tables.into_iter().map(Table::block));
        }
        document::Document {
            number: self.title.clone(),
            title: self.title,
            language,
            blocks,
        }
    }
}

impl Table {
    fn block(self) -> document::Block {
        let is_number = |text: &str| {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
            text.contains('.') && digits.chars().all(is_part)
        };
        let cell = |text: String| match is_number(&text) {
            true => document::Cell::Number(text),
            false => document::Cell::Text(text),
        };
        let cells = |row: Vec<String>| row.into_iter().map(cell).collect();
        let columns = self.headings.into_iter().enumerate().map(|(at, heading)| {
            let texts = self.rows.iter().filter_map(|row| row.get(at));
            let texts = texts.map(String::as_str).chain([heading.as_str()]);
            let width = texts.map(|text| text.chars().count()).max();
            // So that a long sentence leaves room for its neighbours.
            let width = u8::try_from(width.unwrap_or_default().clamp(4, 24)).unwrap_or(24);
            document::Column::new(heading, width.into())
        });
        document::Block::Table(document::Table {
            name: String::new(),
            columns: columns.collect(),
            rows: self.rows.iter().cloned().map(cells).collect(),
            has_total: false,
            is_detail: false,
        })
    }
}

/// Of a unit; with what it is awarded, where it is the explanation of an award.
pub fn document(
    unit: &UnitExplanation,
    award: Option<&Explanation>,
    language: Language,
) -> Document {
    let telling = Telling(language);
    let mut sections = vec![telling.grade(unit)];
    if let Some(award) = award {
        sections.push(telling.award(unit, award));
        sections.push(telling.instruments(unit, award));
    }
    let base = unit.metrics.iter().filter(|metric| metric.is_base);
    sections.extend(base.map(|metric| telling.counted(unit, metric)));
    sections.push(telling.left_out(unit));
    let left_out = unit.left_out_firsts.iter();
    sections
        .extend(left_out.map(|(reason, records)| telling.left_out_records(unit, *reason, records)));
    Document {
        title: telling.title(unit),
        sections,
    }
}

/// A score in a sentence: what it is called, what was counted, and its points.
pub fn score_sentence(
    indicators: &BTreeMap<String, Sentence>,
    score: &ScoreExplanation,
) -> Sentence {
    let fallback = Sentence::same(score.id.clone());
    let name = indicators.get(&score.id).unwrap_or(&fallback);
    let plain =
        |text: &str| ratio::parse_exact(text).map_or_else(|_| text.to_owned(), |v| four(&v));
    let (points, max) = (&score.points_printed, plain(&score.max));
    match (score.empty, &score.ratio) {
        (true, _) => (
            format!("{}：没有数据，得 {points} 分（满分 {max}）", name.zh),
            format!("{}: no data, {points} of {max} points", name.en),
        ),
        (false, Some(value)) => {
            let value = plain(value);
            (
                format!("{}：{value}，得 {points} 分（满分 {max}）", name.zh),
                format!("{}: {value}, {points} of {max} points", name.en),
            )
        }
        (false, None) => (
            format!("{}：得 {points} 分（满分 {max}）", name.zh),
            format!("{}: {points} of {max} points", name.en),
        ),
    }
    .into()
}

/// At most 4 decimals.
fn four(value: &BigRational) -> String {
    match value.is_integer() {
        true => ratio::exact(value),
        false => ratio::decimal(value, 4),
    }
}

struct Telling(Language);

impl Telling {
    fn say(&self, sentence: &Sentence) -> String {
        match self.0 {
            Language::Chinese => sentence.zh.clone(),
            Language::English => sentence.en.clone(),
        }
    }

    fn word(&self, zh: &str, en: &str) -> String {
        self.say(&(zh, en).into())
    }

    fn words(&self, words: &[(&str, &str)]) -> Vec<String> {
        words.iter().map(|(zh, en)| self.word(zh, en)).collect()
    }

    fn title(&self, unit: &UnitExplanation) -> String {
        let name = &unit.name;
        self.say(
            &(
                format!("{name}：结果说明"),
                format!("{name}: how it came about"),
            )
                .into(),
        )
    }

    fn grade(&self, unit: &UnitExplanation) -> Section {
        let scores = unit.scores.iter().map(|score| {
            let said = score_sentence(&unit.indicators, score);
            vec![self.say(&said), score.points_printed.clone()]
        });
        let scores: Vec<_> = scores.collect();
        let table = Table {
            headings: self.words(&[("指标", "indicator"), ("得分", "points")]),
            rows: scores,
        };
        Section {
            heading: self.word("等次", "Grade"),
            sentences: vec![self.say(&unit.grade_reason.sentence)],
            tables: some(table),
        }
    }

    fn award(&self, unit: &UnitExplanation, award: &Explanation) -> Section {
        let paid = award.award.award_fen;
        let row = |step: &ExplainedStep| {
            let name = step.step.instrument_id.map(|id| named(unit, award, id));
            vec![name.unwrap_or_default(), self.say(&step.sentence)]
        };
        let table = Table {
            headings: self.words(&[("仪器", "instrument"), ("步骤", "step")]),
            rows: award.steps.iter().map(row).collect(),
        };
        let sentence = (
            format!("补助 {paid} 元"),
            format!("the award is {paid} yuan"),
        )
            .into();
        Section {
            heading: self.word("补助", "Award"),
            sentences: vec![self.say(&sentence)],
            tables: some(table),
        }
    }

    fn instruments(&self, unit: &UnitExplanation, award: &Explanation) -> Section {
        let rows = award.award.instruments.iter().map(|base| {
            vec![
                base.asset_no.clone(),
                unit.instruments
                    .get(&base.instrument_id)
                    .cloned()
                    .unwrap_or_default(),
                base.base_fen.to_string(),
            ]
        });
        let headings = [
            ("资产编号", "asset number"),
            ("仪器", "instrument"),
            ("基数（元）", "base, yuan"),
        ];
        let table = Table {
            headings: self.words(&headings),
            rows: rows.collect(),
        };
        Section {
            heading: self.word("仪器", "Instruments"),
            sentences: Vec::new(),
            tables: some(table),
        }
    }

    /// The records that the award begins with, as many as were read.
    fn counted(&self, unit: &UnitExplanation, metric: &MetricRecords) -> Section {
        let counted = metric.records.iter();
        let counted = counted.filter(|share| share.left_out.is_none());
        let rows = counted.map(|share| {
            let instrument = unit.instruments.get(&share.instrument_id);
            vec![
                share.usage_record_id.to_string(),
                instrument.cloned().unwrap_or_default(),
                share.effective_minutes.to_string(),
                share.payer_fen.to_string(),
                share.voucher_fen.to_string(),
            ]
        });
        let rows: Vec<_> = rows.collect();
        let number = rows.len();
        let said = match metric.next {
            None => (
                format!("计入的使用记录共 {number} 条"),
                format!("{number} usage records are counted"),
            ),
            Some(next) => (
                format!("以下为计入的前 {number} 条使用记录，其余从编号 {next} 之后继续查询"),
                format!(
                    "the first {number} usage records that are counted; ask for those after {next} for more"
                ),
            ),
        };
        let headings = [
            ("使用记录", "usage record"),
            ("仪器", "instrument"),
            ("机时（分钟）", "minutes"),
            ("付款（元）", "paid, yuan"),
            ("创新券（元）", "voucher, yuan"),
        ];
        let table = Table {
            headings: self.words(&headings),
            rows,
        };
        Section {
            heading: self.word("计入的记录", "Counted records"),
            sentences: vec![self.say(&said.into())],
            tables: some(table),
        }
    }

    fn left_out_records(
        &self,
        unit: &UnitExplanation,
        reason: LeftOutReason,
        records: &[LeftOutRecord],
    ) -> Section {
        let rows = records.iter().map(|record| {
            let instrument = unit.instruments.get(&record.instrument_id);
            vec![
                record.usage_record_id.to_string(),
                instrument.cloned().unwrap_or_default(),
                record.effective_minutes.to_string(),
                record.amount.to_string(),
            ]
        });
        let sum = unit.money.left_out.get(&reason);
        let (number, all) = (records.len(), sum.map_or(0, |sum| sum.records));
        let headings = [
            ("使用记录", "usage record"),
            ("仪器", "instrument"),
            ("机时（分钟）", "minutes"),
            ("金额（元）", "yuan"),
        ];
        let table = Table {
            headings: self.words(&headings),
            rows: rows.collect(),
        };
        let sentence = (
            format!("共 {all} 条，以下列出 {number} 条"),
            format!("{number} of {all} records"),
        );
        Section {
            heading: self.say(&reason.sentence()),
            sentences: vec![self.say(&sentence.into())],
            tables: some(table),
        }
    }

    fn left_out(&self, unit: &UnitExplanation) -> Section {
        let money = &unit.money;
        let out = Fen::sum(money.left_out.values().map(|sum| sum.amount)).unwrap_or(Fen::ZERO);
        let sentence = (
            format!(
                "本年度服务或付款的费用共 {} 元：{} 元计入基数，{out} 元未计入",
                money.charges, money.base
            ),
            format!(
                "of {} yuan charged in the year, {} are in the base and {out} are left out",
                money.charges, money.base
            ),
        )
            .into();
        let rows = money.left_out.iter().map(|(reason, sum)| {
            vec![
                self.say(&reason.sentence()),
                sum.records.to_string(),
                sum.minutes.to_string(),
                sum.amount.to_string(),
            ]
        });
        let headings = [
            ("未计入的原因", "why it is left out"),
            ("记录数", "records"),
            ("机时（分钟）", "minutes"),
            ("金额（元）", "yuan"),
        ];
        let table = Table {
            headings: self.words(&headings),
            rows: rows.collect(),
        };
        Section {
            heading: self.word("未计入的金额", "Left out"),
            sentences: vec![self.say(&sentence)],
            tables: some(table),
        }
    }
}

/// Nothing is shown of a table without rows.
fn some(table: Table) -> Vec<Table> {
    match table.rows.is_empty() {
        true => Vec::new(),
        false => vec![table],
    }
}

/// An instrument by name and asset number.
fn named(unit: &UnitExplanation, award: &Explanation, id: InstrumentId) -> String {
    let mut bases = award.award.instruments.iter();
    let asset_no = bases.find(|base| base.instrument_id == id);
    let asset_no = asset_no.map_or("", |base| base.asset_no.as_str());
    let name = unit.instruments.get(&id).map_or("", String::as_str);
    format!("{name} {asset_no}").trim().to_owned()
}
