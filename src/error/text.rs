//! What codes say to people, in Chinese and English. The texts are data in `config/locales/`; a test keeps both complete.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Code, Fault, Place};

/// The languages answers are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Language {
    #[default]
    Chinese,
    English,
}

impl Language {
    /// The best of an `Accept-Language` header; Chinese when it names neither.
    pub fn accepted(header: &str) -> Self {
        let weight = |prefix: &str| {
            header
                .split(',')
                .filter_map(|part| {
                    let (tag, q) = part.split_once(";q=").unwrap_or((part, "1"));
                    tag.trim()
                        .to_lowercase()
                        .starts_with(prefix)
                        .then(|| q.trim().parse::<f32>().unwrap_or(0.0))
                })
                .fold(0.0, f32::max)
        };
        if weight("en") > weight("zh") {
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

type Texts = BTreeMap<String, String>;

fn parse(text: &str) -> Texts {
    toml::from_str(text).unwrap_or_default()
}

static CHINESE: LazyLock<Texts> =
    LazyLock::new(|| parse(include_str!("../../config/locales/zh-CN.toml")));
static ENGLISH: LazyLock<Texts> =
    LazyLock::new(|| parse(include_str!("../../config/locales/en.toml")));

/// The sentence for a code, its placeholders still in it; the code itself where a text is missing.
pub fn of(code: Code, language: Language) -> &'static str {
    let texts = match language {
        Language::Chinese => &*CHINESE,
        Language::English => &*ENGLISH,
    };
    texts
        .get(code.as_str())
        .map_or(code.as_str(), String::as_str)
}

/// The first clause of a code's sentence, without its placeholders: what stands over a problem.
pub fn title(code: Code, language: Language) -> String {
    let plain: String = of(code, language)
        .split('{')
        .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
        .collect();
    let clauses = plain.split(['：', ':', '，', ',', ';', '；', '。']);
    // What remains of a clause that was mostly filled in says nothing.
    let first = clauses
        .map(str::trim)
        .find(|clause| clause.chars().count() >= 4);
    first.unwrap_or(code.as_str()).to_owned()
}

/// The whole sentence about one fault, with field, limit and actual value filled in.
pub fn message(fault: &Fault, language: Language) -> String {
    let shown = |value: &Option<serde_json::Value>| match value {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "—".to_owned(),
    };
    let place = match &fault.place {
        Place::Field(field) => field.as_str(),
        Place::Rule(rule) => rule,
        Place::Cell { column, .. } => column,
        Place::Request => "",
    };
    of(fault.code, language)
        .replace("{field}", place)
        .replace("{limit}", &shown(&fault.limit))
        .replace("{actual}", &shown(&fault.actual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_text_in_both_languages_and_no_text_is_left_over() {
        for texts in [&*CHINESE, &*ENGLISH] {
            let missing: Vec<_> = Code::ALL
                .iter()
                .filter(|code| !texts.contains_key(code.as_str()))
                .collect();
            assert!(missing.is_empty(), "{missing:?}");
            let left: Vec<_> = texts
                .keys()
                .filter(|name| Code::find(name).is_none())
                .collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }

    #[test]
    fn a_title_has_words_and_no_placeholders() {
        for code in Code::ALL {
            for language in [Language::Chinese, Language::English] {
                let title = title(*code, language);
                assert!(
                    title.chars().count() > 1 && !title.contains(['{', '}']),
                    "{code}: {title:?}"
                );
            }
        }
    }

    #[test]
    fn the_language_with_the_higher_weight_wins_and_chinese_is_the_default() {
        for (header, language) in [
            ("", Language::Chinese),
            ("en", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("fr, en-GB;q=0.7, zh;q=0.2", Language::English),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
