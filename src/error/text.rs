//! What codes say to people, in Chinese and English. The texts are data in `config/locales/`; a test keeps both complete.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde_json::Value;

use super::range::Range;
use super::{Code, Fault};
use crate::domain::fault::FaultValue;
use crate::domain::preflight::Item;
use crate::domain::sentence::Sentence;

/// The languages answers are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Language {
    #[default]
    Chinese,
    English,
}

impl Language {
    /// That of a tag as in BCP 47, by its primary language: `zh`, `zh-CN`, `zh-Hans-CN`, `en-GB`; an underscore, as in `zh_CN`, is
    /// taken for a hyphen.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        let languages = [(Self::Chinese, "zh"), (Self::English, "en")];
        let mut languages = languages.into_iter();
        let found = languages.find(|(_, code)| primary.eq_ignore_ascii_case(code));
        found.map(|(language, _)| language)
    }

    /// What a sentence says in it.
    pub fn said(self, sentence: &Sentence) -> &str {
        match self {
            Language::Chinese => &sentence.zh,
            Language::English => &sentence.en,
        }
    }

    /// The best of an `Accept-Language` header; Chinese when it names neither.
    pub fn accepted(header: &str) -> Self {
        let weight = |language: Language| {
            header
                .split(',')
                .filter_map(|part| {
                    let mut words = part.split(';').map(str::trim);
                    let tag = words.next().unwrap_or_default();
                    let q = words.find_map(|word| word.strip_prefix("q="));
                    let weight = q.map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
                    (Self::of_tag(tag) == Some(language)).then_some(weight)
                })
                .fold(0.0, f32::max)
        };
        if weight(Language::English) > weight(Language::Chinese) {
            Language::English
        } else {
            Language::Chinese
        }
    }

    pub const fn tag(self) -> &'static str {
        match self {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        }
    }
}

impl FromStr for Language {
    type Err = &'static str;

    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        Self::of_tag(tag).ok_or("say zh-CN or en, or another tag whose first part is zh or en")
    }
}

impl fmt::Display for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.tag())
    }
}

/// A file of one language: a sentence for each code, and titles where the sentence does not begin with one.
#[derive(Default, serde::Deserialize)]
struct Texts {
    titles: BTreeMap<String, String>,
    /// What a unit lacks in its year, and what to do next.
    #[serde(default)]
    preflight: BTreeMap<String, String>,
    /// What limits say in words, by their English.
    #[serde(default)]
    phrases: BTreeMap<String, String>,
    /// What a range says, by the ends that it has.
    #[serde(default)]
    ranges: BTreeMap<String, String>,
    #[serde(flatten)]
    sentences: BTreeMap<String, String>,
}

fn parse(text: &str) -> Texts {
    toml::from_str(text).unwrap_or_default()
}

static CHINESE: LazyLock<Texts> =
    LazyLock::new(|| parse(include_str!("../../config/locales/zh-CN.toml")));
static ENGLISH: LazyLock<Texts> =
    LazyLock::new(|| parse(include_str!("../../config/locales/en.toml")));

fn texts(language: Language) -> &'static Texts {
    match language {
        Language::Chinese => &CHINESE,
        Language::English => &ENGLISH,
    }
}

/// The sentence for a code, its placeholders still in it; the code itself where a text is missing.
pub fn of(code: Code, language: Language) -> &'static str {
    texts(language)
        .sentences
        .get(code.as_str())
        .map_or(code.as_str(), String::as_str)
}

/// What stands over a problem: a code's title, or the first clause of its sentence.
pub fn title(code: Code, language: Language) -> &'static str {
    let told = texts(language).titles.get(code.as_str());
    told.map_or_else(|| first_clause(of(code, language)), String::as_str)
}

fn first_clause(sentence: &str) -> &str {
    let clause = sentence
        .split(['：', ':', '，', ',', ';', '；', '。', '['])
        .next();
    clause.unwrap_or(sentence).trim()
}

/// What is the matter with a unit's year and what to do next.
pub fn lack(item: &Item, language: Language) -> String {
    let told = texts(language).preflight.get(item.lack.as_str());
    let due_on = item.due_on.map(|on| on.to_string());
    told.map_or(item.lack.as_str(), String::as_str)
        .replace("{count}", &item.count.to_string())
        .replace("{yuan}", &item.income.to_string())
        .replace("{due_on}", &due_on.unwrap_or_default())
        .replace("{indicators}", &item.indicators.join(", "))
}

/// A limit in a language; what is no phrase, like a number or a name, is the same in every one.
pub fn limit(value: FaultValue, language: Language) -> Value {
    let value = match (value, language) {
        (FaultValue::Said(sentence), Language::Chinese) => return sentence.zh.into(),
        (value, _) => Value::from(value),
    };
    match value {
        Value::String(text) => {
            let phrase = texts(language).phrases.get(&text);
            Value::String(phrase.cloned().unwrap_or(text))
        }
        other => other,
    }
}

/// What a value must be to lie within a range; `whole` is the range where it has no ends.
fn range(range: &Range, whole: &str, language: Language) -> String {
    let told = texts(language).ranges.get(range.words());
    let (first, last) = range.ends().unwrap_or((whole, ""));
    let told = told.map_or("{first}", String::as_str);
    told.replace("{first}", first).replace("{last}", last)
}

/// The whole sentence about one fault, with field, limit and actual value filled in. Where the sentence needs a value that the
/// fault has not, the field and the title say it.
pub fn message(fault: &Fault, language: Language) -> String {
    let sentence = spoken(of(fault.code, language), fault);
    if lacks(&sentence, fault) {
        let title = title(fault.code, language);
        return match (fault.name(), language) {
            ("", _) => title.to_owned(),
            (name, Language::Chinese) => format!("{name}：{title}"),
            (name, Language::English) => format!("{name}: {title}"),
        };
    }
    let shown = |value: Option<Value>| match value {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => "—".to_owned(),
    };
    let limit = shown(
        fault
            .limit
            .clone()
            .map(|limit| self::limit(limit, language)),
    );
    let limit = match (fault.code, &fault.limit) {
        (Code::out_of_range, Some(of)) => {
            range(&Range::of(of, fault.actual.as_ref()), &limit, language)
        }
        _ => limit,
    };
    sentence
        .replace("{field}", fault.name())
        .replace("{limit}", &limit)
        .replace("{actual}", &shown(fault.actual.clone().map(Value::from)))
}

/// Whether a part of a sentence names a value that the fault has not.
fn lacks(part: &str, fault: &Fault) -> bool {
    part.contains("{limit}") && fault.limit.is_none()
        || part.contains("{actual}") && fault.actual.is_none()
}

/// A sentence without the parts in brackets that name a value the fault has not.
fn spoken(sentence: &str, fault: &Fault) -> String {
    let mut spoken = String::with_capacity(sentence.len());
    for (number, part) in sentence.split(['[', ']']).enumerate() {
        // Brackets are never nested, so that every second part stands in some.
        if number % 2 == 0 || !lacks(part, fault) {
            spoken.push_str(part);
        }
    }
    spoken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::preflight::Lack;

    #[test]
    fn a_value_that_is_missing_leaves_no_gap() {
        for code in Code::ALL {
            for language in [Language::Chinese, Language::English] {
                for fault in [Fault::request(*code), Fault::field("budget_fen", *code)] {
                    let told = message(&fault, language);
                    let gap = ["—", "{", "["].into_iter().find(|gap| told.contains(gap));
                    assert_eq!(gap, None, "{code}: {told}");
                }
            }
        }
        let fault = Fault::field("budget_fen", Code::out_of_range);
        assert_eq!(
            message(&fault, Language::English),
            "budget_fen: A value is out of range"
        );
        assert_eq!(message(&fault, Language::Chinese), "budget_fen：超出范围");
        let told = message(&fault.limit("0..9"), Language::English);
        assert_eq!(told, "budget_fen must be from 0 to 9");
    }

    /// Whatever ends a range has and however its limit is written.
    #[test]
    fn a_value_out_of_range_is_told_what_it_must_be() {
        let value = |text: &str| match text.parse::<i64>() {
            Ok(number) => FaultValue::Number(number),
            Err(_) => FaultValue::Text(text.to_owned()),
        };
        for (limit, actual, en, zh) in [
            ("1", "0", "at least 1", "不小于 1"),
            ("1440", "1441", "at most 1440", "不大于 1440"),
            ("-3", "-4", "at least -3", "不小于 -3"),
            ("1", "-", "1", "为 1"),
            ("1–200", "0", "from 1 to 200", "在 1 到 200 之间"),
            ("0 … 9", "-1", "from 0 to 9", "在 0 到 9 之间"),
            ("-5..7", "8", "from -5 to 7", "在 -5 到 7 之间"),
            ("0.05..", "0.01", "at least 0.05", "不小于 0.05"),
            ("..0.15", "0.2", "at most 0.15", "不大于 0.15"),
            (
                "2026-03-02–2026-05-01",
                "2026-01-01",
                "from 2026-03-02 to 2026-05-01",
                "在 2026-03-02 到 2026-05-01 之间",
            ),
            (
                "2026-03-02..",
                "2026-01-01",
                "2026-03-02 or later",
                "不早于 2026-03-02",
            ),
            (
                "..2026-03-02",
                "2026-04-01",
                "2026-03-02 or earlier",
                "不晚于 2026-03-02",
            ),
            (
                "2026-03-02",
                "2026-01-01",
                "2026-03-02 or later",
                "不早于 2026-03-02",
            ),
            (
                "2026-03-02",
                "2026-03-03",
                "2026-03-02 or earlier",
                "不晚于 2026-03-02",
            ),
            (
                "2026-03-02T01:00:00Z",
                "2026-03-02T00:59:00Z",
                "2026-03-02T01:00:00Z or later",
                "不早于 2026-03-02T01:00:00Z",
            ),
            (
                "2026-03-02T01:00:00Z",
                "2026-03-02T01:00:00Z",
                "before 2026-03-02T01:00:00Z",
                "早于 2026-03-02T01:00:00Z",
            ),
            ("any", "-", "any", "为 any"),
        ] {
            let mut fault = Fault::field("slot", Code::out_of_range).limit(value(limit));
            if actual != "-" {
                fault = fault.actual(value(actual));
            }
            assert_eq!(
                message(&fault, Language::English),
                format!("slot must be {en}")
            );
            assert_eq!(message(&fault, Language::Chinese), format!("slot 应{zh}"));
        }
    }

    #[test]
    fn a_tag_is_taken_by_its_primary_language() {
        for (tag, language) in [
            ("zh", Some(Language::Chinese)),
            ("zh-CN", Some(Language::Chinese)),
            ("ZH-hans-cn", Some(Language::Chinese)),
            ("zh_TW", Some(Language::Chinese)),
            ("en", Some(Language::English)),
            ("en-GB", Some(Language::English)),
            ("En-us", Some(Language::English)),
            ("zha", None),
            ("enm", None),
            ("de-CH", None),
            ("", None),
            ("*", None),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
            assert_eq!(tag.parse().ok(), language, "{tag}");
            // The other one where the header names both, this one first.
            let accepted = Language::accepted(&format!("{tag};q=0.9, de, en;q=0.1"));
            assert_eq!(accepted, language.unwrap_or(Language::English), "{tag}");
        }
        assert_eq!(Language::accepted("fr, *;q=0.5"), Language::Chinese);
    }

    #[test]
    fn every_code_has_a_text_in_both_languages_and_no_text_is_left_over() {
        for Texts {
            titles, sentences, ..
        } in [&*CHINESE, &*ENGLISH]
        {
            let missing: Vec<_> = Code::ALL
                .iter()
                .filter(|code| !sentences.contains_key(code.as_str()))
                .collect();
            assert!(missing.is_empty(), "{missing:?}");
            let left: Vec<_> = sentences
                .keys()
                .chain(titles.keys())
                .filter(|name| Code::find(name).is_none())
                .collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }

    #[test]
    fn every_lack_says_in_both_languages_what_to_do() {
        for language in [Language::Chinese, Language::English] {
            let known: Vec<&str> = texts(language)
                .preflight
                .keys()
                .map(String::as_str)
                .collect();
            let mut lacks: Vec<&str> = Lack::ALL.iter().map(|lack| lack.as_str()).collect();
            lacks.sort_unstable();
            assert_eq!(known, lacks);
            for sentence in texts(language).preflight.values() {
                assert!(sentence.contains(['；', ';']), "{sentence}");
            }
        }
    }

    #[test]
    fn a_title_has_words_and_no_placeholders() {
        for code in Code::ALL {
            for language in [Language::Chinese, Language::English] {
                let title = title(*code, language);
                assert!(
                    title.chars().count() > 2 && !title.contains(['{', '}']),
                    "{code}: {title:?}"
                );
            }
        }
        assert_eq!(title(Code::not_found, Language::Chinese), "不存在");
        let value = title(Code::invalid_value, Language::English);
        assert_eq!(value, "A value is not understood");
    }

    #[test]
    fn what_a_fault_does_not_know_is_not_said() {
        let fault = Fault::cell(3, "asset_no", Code::duplicate);
        let said = |fault: &Fault| message(fault, Language::English);
        assert_eq!(
            said(&fault),
            "asset_no names something twice; keep one of the two"
        );
        let rows = fault.limit("2, 3");
        assert_eq!(
            said(&rows),
            "asset_no names something twice (rows 2, 3); keep one of the two"
        );
    }

    #[test]
    fn the_language_with_the_higher_weight_wins_and_chinese_is_the_default() {
        for (header, language) in [
            ("", Language::Chinese),
            ("en", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("fr, en-GB;q=0.7, zh;q=0.2", Language::English),
            ("zh-CN; q=0.1, en;q=0.9", Language::English),
            ("zh-CN ;q=0.9 , en; q=0.1", Language::Chinese),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }

    /// Abbreviations, words of lists, and names of headers and members that a Chinese sentence may have.
    const LATIN: [&str; 34] = [
        "API",
        "ASCII",
        "Authorization",
        "CSV",
        "ETag",
        "GB",
        "HTTP",
        "I",
        "Idempotency-Key",
        "If-Match",
        "JSON",
        "O",
        "PDF",
        "Retry-After",
        "S",
        "T",
        "V",
        "XLSX",
        "Z",
        "affected",
        "allowed",
        "bookings",
        "cancel",
        "draft",
        "false",
        "fonts-noto-cjk",
        "ids",
        "keep",
        "name",
        "payer",
        "phone",
        "sort",
        "source",
        "true",
    ];
    const MEMBERS: [&str; 3] = ["status", "v3", "version"];

    /// The words of a Chinese sentence that are neither names nor of the list.
    fn foreign(sentence: &str) -> Vec<&str> {
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        let words = sentence.split(|letter: char| !is_part(letter));
        let has_letters = |word: &&str| word.contains(|letter: char| letter.is_ascii_alphabetic());
        let is_known = |word: &str| {
            let is_moment = word.starts_with("2026-");
            word.contains('_') || is_moment || LATIN.contains(&word) || MEMBERS.contains(&word)
        };
        let words = words.filter(has_letters);
        words.filter(|word| !is_known(word)).collect()
    }

    /// What a fault of this code may know: a number, a text, a phrase, nothing; of a field or of a cell.
    fn typical(code: Code) -> Vec<Fault> {
        let faults = [
            Fault::request(code),
            Fault::field("starts_at", code).limit(1440).actual(60),
            Fault::field("asset_no", code).limit("2, 3").actual("样品"),
            Fault::cell(3, "资产编号", code).actual("样品"),
        ];
        let phrases = CHINESE.phrases.keys();
        let of_phrases = phrases.map(|phrase| Fault::field("starts_at", code).limit(phrase));
        faults.into_iter().chain(of_phrases).collect()
    }

    #[test]
    fn every_code_speaks_one_language_whatever_it_is_told() {
        let is_chinese = |letter: char| ('\u{4e00}'..='\u{9fff}').contains(&letter);
        for code in Code::ALL {
            for fault in typical(*code) {
                let chinese = message(&fault, Language::Chinese);
                let words = foreign(&chinese);
                assert!(words.is_empty(), "{code}: {words:?} in {chinese}");
                assert!(chinese.contains(is_chinese), "{code}: {chinese}");
                let english = message(&fault, Language::English).replace("样品", "");
                let english = english.replace("资产编号", "");
                assert!(!english.contains(is_chinese), "{code}: {english}");
                for said in [&chinese, &english] {
                    assert!(!said.contains(['{', '}', '[', ']']), "{code}: {said}");
                }
            }
            let title = title(*code, Language::Chinese);
            assert!(foreign(title).is_empty(), "{code}: {title}");
        }
        assert_eq!(
            foreign("须为 an integer，见 client_reference"),
            ["an", "integer"]
        );
    }
}
