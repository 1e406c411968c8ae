//! The untyped tree of a pack with the line of every key, and the reading of its values: each mistake is noted with line,
//! key path and reason, and reading goes on.

use super::Source;
use crate::domain::ratio;
use crate::domain::sentence::Sentence;
use crate::domain::vocabulary::UnknownWord;
use num_rational::BigRational;
use num_traits::Signed;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// One thing that is wrong in a pack, or probably wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("line {line}: {key}: {reason}")]
pub struct PolicyMistake {
    /// Line in the text, from 1.
    pub line: usize,
    /// Key path such as `scores[2].full_at`; empty for the text as a whole.
    pub key: String,
    pub reason: Sentence,
}

/// A value of a pack with the line on which it (or its key) stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    pub line: usize,
    pub value: RawValue,
}

/// What TOML can say, as far as packs use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawValue {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Raw>),
    Table(Vec<(String, Raw)>),
    /// A type no pack uses (float, date), by its TOML name.
    Other(&'static str),
}

impl RawValue {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Integer(_) => "integer",
            Self::Boolean(_) => "boolean",
            Self::List(_) => "array",
            Self::Table(_) => "table",
            Self::Other(name) => name,
        }
    }

    /// The same in Chinese.
    fn type_name_zh(&self) -> &'static str {
        match self {
            Self::Text(_) => "字符串",
            Self::Integer(_) => "整数",
            Self::Boolean(_) => "是非值",
            Self::List(_) => "数组",
            Self::Table(_) => "表",
            Self::Other("float") => "小数",
            Self::Other("datetime") => "日期",
            Self::Other(_) => "超出范围的数",
        }
    }
}

/// The most entries of one list or table.
const ENTRIES_MAX: usize = 500;

/// Instruments that rules speak of are worth more: 10,000 yuan.
const LOWEST_VALUE_FEN: i64 = 1_000_000;

/// The most mistakes that are told; a pack with more is no pack.
const MISTAKES_MAX: usize = 200;

/// Everything found while a pack is read: mistakes, warnings, the sources named on the way, and the values of the parameters.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub mistakes: RefCell<Vec<PolicyMistake>>,
    pub warnings: RefCell<Vec<PolicyMistake>>,
    pub sources: RefCell<Vec<(String, Source)>>,
    pub parameters: RefCell<BTreeMap<String, BigRational>>,
    /// The parameters that some value named.
    pub named: RefCell<BTreeSet<String>>,
    /// Where each stands.
    pub places: RefCell<Vec<(String, String)>>,
    /// What stands for nothing without a table of the pack, by that table.
    pub leaning: RefCell<Vec<(&'static str, PolicyMistake)>>,
}

/// A value together with its place.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub key: String,
    raw: &'a Raw,
    findings: &'a Findings,
}

impl<'a> Node<'a> {
    pub fn root(raw: &'a Raw, findings: &'a Findings) -> Self {
        Self {
            key: String::new(),
            raw,
            findings,
        }
    }

    /// Notes a mistake at this place; `None`, so that a reader can end with it.
    pub fn refuse<T>(&self, reason: impl Into<Sentence>) -> Option<T> {
        let mut mistakes = self.findings.mistakes.borrow_mut();
        if mistakes.len() < MISTAKES_MAX {
            mistakes.push(self.mistake(reason.into()));
        }
        None
    }

    /// Notes what is probably wrong here; the pack is whole all the same.
    pub fn warn(&self, reason: impl Into<Sentence>) {
        let mut warnings = self.findings.warnings.borrow_mut();
        if warnings.len() < MISTAKES_MAX {
            warnings.push(self.mistake(reason.into()));
        }
    }

    /// Notes that this stands for nothing unless the pack has a table.
    pub fn leans_on(&self, table: &'static str, reason: impl Into<Sentence>) {
        let mut leaning = self.findings.leaning.borrow_mut();
        if leaning.len() < MISTAKES_MAX {
            leaning.push((table, self.mistake(reason.into())));
        }
    }

    /// Tells what leans on a table that the pack has not: as mistakes, or as probable ones.
    pub fn lacks(&self, table: &str, is_mistake: bool) {
        let leaning = self.findings.leaning.borrow();
        let told = leaning.iter().filter(|(on, _)| *on == table);
        let told = told.map(|(_, mistake)| mistake.clone());
        let into = match is_mistake {
            true => &self.findings.mistakes,
            false => &self.findings.warnings,
        };
        into.borrow_mut().extend(told);
    }

    /// Warns of an instrument's value so low that yuan were probably meant.
    pub fn warn_of_yuan(&self, fen: i64) {
        if (1..LOWEST_VALUE_FEN).contains(&fen) {
            let yuan = fen / 100;
            self.warn((
                format!("{fen} 分只有 {yuan} 元；此处以分为单位，1 元写成 100"),
                format!("{fen} fen are {yuan} yuan; amounts are in fen, 1 yuan is written 100"),
            ));
        }
    }

    /// Whether some value named the parameter.
    pub fn is_named(&self, parameter: &str) -> bool {
        self.findings.named.borrow().contains(parameter)
    }

    fn mistake(&self, reason: Sentence) -> PolicyMistake {
        PolicyMistake {
            line: self.raw.line,
            key: self.key.clone(),
            reason,
        }
    }

    fn expected<T>(&self, (zh, en): (&str, &str)) -> Option<T> {
        let found = self.raw.value.type_name();
        let found_zh = self.raw.value.type_name_zh();
        self.refuse((
            format!("此处应为{zh}，而不是{found_zh}"),
            format!("{en} is expected here, not {found}"),
        ))
    }

    /// Sets a parameter that values after this one may name.
    pub fn set_parameter(&self, name: &str, value: BigRational) {
        let mut parameters = self.findings.parameters.borrow_mut();
        parameters.insert(name.to_owned(), value);
    }

    pub fn is_table(&self) -> bool {
        matches!(self.raw.value, RawValue::Table(_))
    }

    pub fn is_list(&self) -> bool {
        matches!(self.raw.value, RawValue::List(_))
    }

    pub fn text(&self) -> Option<&'a str> {
        match &self.raw.value {
            RawValue::Text(text) if text.trim().is_empty() => self.refuse(("为空", "is empty")),
            RawValue::Text(text) => Some(text),
            _ => self.expected(("字符串", "a string")),
        }
    }

    pub fn boolean(&self) -> Option<bool> {
        match &self.raw.value {
            RawValue::Boolean(value) => Some(*value),
            _ => self.expected((" true 或 false", "true or false")),
        }
    }

    /// An integer, or a parameter that is one.
    pub fn integer(&self, range: RangeInclusive<i64>) -> Option<i64> {
        let number = match &self.raw.value {
            RawValue::Integer(number) => *number,
            RawValue::Text(text) if text.starts_with('$') => {
                match ratio::to_i64(&self.parameter(text)?) {
                    Some(number) => number,
                    None => {
                        return self.refuse(("此参数须为整数", "the parameter must be whole here"));
                    }
                }
            }
            _ => return self.expected(("整数", "an integer")),
        };
        if range.contains(&number) {
            return Some(number);
        }
        let (least, most) = (range.start(), range.end());
        self.refuse((
            format!("{number} 不在 {least} 与 {most} 之间"),
            format!("{number} is not between {least} and {most}"),
        ))
    }

    /// The value of the parameter that a text such as `$host_rate` names.
    fn parameter(&self, text: &str) -> Option<BigRational> {
        let name = text.trim_start_matches('$');
        self.findings.named.borrow_mut().insert(name.to_owned());
        let place = (self.key.clone(), name.to_owned());
        self.findings.places.borrow_mut().push(place);
        let value = self.findings.parameters.borrow().get(name).cloned();
        match value {
            Some(value) => Some(value),
            None => self.refuse((
                format!("[parameters] 中没有 {name:?}"),
                format!("[parameters] has no {name:?}"),
            )),
        }
    }

    /// A decimal number, written as a string, not below zero; or a parameter.
    pub fn decimal(&self) -> Option<BigRational> {
        match &self.raw.value {
            RawValue::Text(text) if text.starts_with('$') => self.parameter(text),
            RawValue::Text(text) => match ratio::parse(text) {
                Ok(value) => Some(value),
                Err(error) => self.refuse((
                    format!("{text:?} 不是十进制数；应写成 \"0.20\" 这样，最多 30 位"),
                    format!("{text:?}: {error}"),
                )),
            },
            _ => self.expected(("写成字符串的十进制数", "a decimal number as a string")),
        }
    }

    pub fn positive_decimal(&self) -> Option<BigRational> {
        let value = self.decimal()?;
        match value.is_positive() {
            true => Some(value),
            false => self.refuse(("必须大于零", "must be above zero")),
        }
    }

    /// A decimal as a string, or a whole number: where both are natural, as on the axis of a curve.
    pub fn number(&self) -> Option<BigRational> {
        match &self.raw.value {
            RawValue::Integer(number) if *number >= 0 => Some(ratio::whole(*number)),
            _ => self.decimal(),
        }
    }

    /// A word of a closed list; another word is refused by name.
    pub fn word<T: std::str::FromStr<Err = UnknownWord>>(&self) -> Option<T> {
        match self.text()?.parse() {
            Ok(word) => Some(word),
            Err(error) => {
                let known = error.known.join("、");
                self.refuse((
                    format!("{:?} 不在此列：{known}", error.word),
                    error.to_string(),
                ))
            }
        }
    }

    /// The one word that is known here.
    pub fn only(&self, known: &str) -> Option<()> {
        match self.text()? {
            word if word == known => Some(()),
            word => self.refuse((
                format!("此处不认识 {word:?}，只有 {known:?}"),
                format!("{word:?} is not known here, only {known:?}"),
            )),
        }
    }

    pub fn list(&self) -> Option<Vec<Node<'a>>> {
        match &self.raw.value {
            RawValue::List(items) if items.len() > ENTRIES_MAX => self.too_many(items.len()),
            RawValue::List(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, raw)| Node {
                        key: format!("{}[{at}]", self.key),
                        raw,
                        findings: self.findings,
                    })
                    .collect(),
            ),
            _ => self.expected(("数组", "an array")),
        }
    }

    /// Every item of a list read the same way; `None` when one has a mistake. An empty list is told, and so is a repeated item.
    pub fn each<T: PartialEq>(&self, read: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        let nodes = self.list()?;
        if nodes.is_empty() {
            self.warn(("空列表：什么也不符合", "an empty list: nothing matches it"));
        }
        let mut items: Vec<T> = Vec::with_capacity(nodes.len());
        let mut is_whole = true;
        for node in &nodes {
            match read(node) {
                Some(item) if items.contains(&item) => {
                    let said = match &node.raw.value {
                        RawValue::Text(text) => format!("{text:?} "),
                        _ => String::new(),
                    };
                    node.warn((
                        format!("{said}重复：请删去一个"),
                        format!("{said}is said twice; remove one"),
                    ));
                }
                Some(item) => items.push(item),
                None => is_whole = false,
            }
        }
        is_whole.then_some(items)
    }

    fn too_many<T>(&self, count: usize) -> Option<T> {
        self.refuse((
            format!("{count} 项太多，最多 {ENTRIES_MAX} 项"),
            format!("{count} entries are too many, at most {ENTRIES_MAX}"),
        ))
    }

    pub fn table(&self) -> Option<Table<'a>> {
        match &self.raw.value {
            RawValue::Table(entries) if entries.len() > ENTRIES_MAX => self.too_many(entries.len()),
            RawValue::Table(entries) => Some(Table {
                node: self.clone(),
                entries,
                known: RefCell::new(Vec::new()),
            }),
            _ => self.expected(("表", "a table")),
        }
    }
}

/// A table being read; [`Table::finish`] refuses the keys that nobody asked for.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub node: Node<'a>,
    entries: &'a [(String, Raw)],
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Table<'a> {
    pub fn optional(&self, name: &'static str) -> Option<Node<'a>> {
        let mut known = self.known.borrow_mut();
        if !known.contains(&name) {
            known.push(name);
        }
        drop(known);
        let found = self.entries.iter().find(|(key, _)| key == name);
        found.map(|(key, raw)| self.entry(key, raw))
    }

    pub fn required(&self, name: &'static str) -> Option<Node<'a>> {
        match self.optional(name) {
            Some(node) => Some(node),
            None => self
                .node
                .refuse((format!("缺少 {name:?}"), format!("{name:?} is missing"))),
        }
    }

    /// Whether the key stands there, without asking for it.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, _)| key == name)
    }

    /// Every key with its value, for tables whose keys are names.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a, '_> {
        let entries = self.entries.iter();
        entries.map(|(name, raw)| (name.as_str(), self.entry(name, raw)))
    }

    fn entry(&self, name: &str, raw: &'a Raw) -> Node<'a> {
        Node {
            key: match self.node.key.as_str() {
                "" => name.to_owned(),
                path => format!("{path}.{name}"),
            },
            raw,
            findings: self.node.findings,
        }
    }

    /// A name for people (`name`): at most 200 characters.
    pub fn name(&self) -> Option<String> {
        let node = self.optional("name")?;
        let name = node.text()?;
        match name.chars().count() {
            0..=200 => Some(name.to_owned()),
            _ => node.refuse(("名称最多 200 个字符", "a name has at most 200 characters")),
        }
    }

    /// A table whose most important key is missing or wrong: what else may stand there nobody knows, but for these.
    pub fn finish_with(&self, known: &[&'static str]) {
        for name in known {
            self.optional(name);
        }
        self.finish();
    }

    /// Takes note of `source` and refuses every key that was not asked for, by name.
    pub fn finish(&self) {
        if let Some(source) = self.optional("source").and_then(|node| node.word()) {
            let place = (self.node.key.clone(), source);
            self.node.findings.sources.borrow_mut().push(place);
        }
        let known = self.known.borrow();
        for (name, node) in self.entries() {
            if !known.contains(&name) {
                node.refuse::<()>((
                    format!("不认识的键 {name:?}；此处可用：{}", known.join("、")),
                    format!("unknown key {name:?}; known here: {}", known.join(", ")),
                ));
            }
        }
    }
}
