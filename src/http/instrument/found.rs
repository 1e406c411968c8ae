//! How a list of instruments looks: its page with what was asked of the whole, and each with its distance.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use super::super::answer::Page;
use super::list::ListedInstrument;
use super::shape::InstrumentShape;
use crate::domain::Instant;
use crate::domain::search::{Count, Facet};
use crate::error::text::Language;
use crate::exchange::words;
use crate::store::instrument::Instrument;

/// An instrument of a list.
#[derive(Serialize, ToSchema)]
pub struct FoundInstrumentShape {
    #[serde(flatten)]
    instrument: InstrumentShape,
    /// From the place that `near` names, in kilometers; left out where the instrument's place is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>)]
    distance_km: Option<Number>,
}

impl FoundInstrumentShape {
    pub fn of(row: Instrument, meters: Option<u32>) -> Self {
        Self {
            instrument: row.into(),
            distance_km: meters.and_then(kilometers),
        }
    }
}

/// Meters as kilometers with one decimal.
fn kilometers(meters: u32) -> Option<Number> {
    let tenths = (meters + 50) / 100;
    let text = format!("{}.{}", tenths / 10, tenths % 10);
    Number::from_f64(text.parse().ok()?)
}

/// A page of instruments. `total`, `facets` and `expanded` are told of the whole list, where they are asked for.
#[derive(Serialize, ToSchema)]
pub struct ListedInstrumentPage {
    items: Vec<ListedInstrument>,
    /// Where the next page begins.
    next_cursor: Option<String>,
    /// What to send as `updated_since` next time.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Instant>,
    /// How many the whole list has; with `q`, `radius_km`, `facet` or a ranked order.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    /// For each facet that was asked for its most frequent values, at most 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    facets: Option<BTreeMap<&'static str, Vec<FacetValue>>>,
    /// The synonyms that were taken for the words of `q`.
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded: Option<Vec<String>>,
}

/// A value of a facet: `value` is what a filter takes, `label` what people call it.
#[derive(Serialize, ToSchema)]
pub struct FacetValue {
    value: String,
    label: String,
    count: usize,
}

type Whole = (
    Option<usize>,
    Option<BTreeMap<Facet, Vec<Count>>>,
    Option<Vec<String>>,
);

impl ListedInstrumentPage {
    pub fn of(
        page: Page<ListedInstrument>,
        (total, facets, expanded): Whole,
        language: Language,
    ) -> Self {
        let told = |facet: Facet, counts: Vec<Count>| {
            let values = counts.into_iter().map(|count| FacetValue {
                label: match count.label {
                    Some(label) => label,
                    None => label(facet, &count.value, language),
                },
                value: count.value,
                count: count.count,
            });
            (facet.as_str(), values.collect())
        };
        Self {
            items: page.items,
            next_cursor: page.next_cursor,
            as_of: page.as_of,
            total,
            facets: facets.map(|facets| {
                let all = facets.into_iter();
                all.map(|(facet, counts)| told(facet, counts)).collect()
            }),
            expanded,
        }
    }
}

/// A word of the contract in the reader's language.
fn label(facet: Facet, value: &str, language: Language) -> String {
    let known = match facet {
        Facet::ShareMode => words::SHARE_MODES,
        Facet::Mode => words::MODES,
        _ => &[],
    };
    let word = known.iter().find(|word| word.word == value);
    let chinese = word.and_then(|word| word.zh.first());
    match (language, chinese) {
        (Language::Chinese, Some(chinese)) => (*chinese).to_owned(),
        _ => value.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_one_decimal() {
        for (meters, shown) in [
            (0, "0.0"),
            (49, "0.0"),
            (50, "0.1"),
            (12_345, "12.3"),
            (20_015_000, "20015.0"),
        ] {
            assert_eq!(kilometers(meters).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn words_are_labelled_in_the_language_of_the_reader() {
        for (facet, value, chinese, english) in [
            (Facet::ShareMode, "external", "对外共享", "external"),
            (Facet::Mode, "self_operated", "自主操作", "self operated"),
        ] {
            assert_eq!(label(facet, value, Language::Chinese), chinese);
            assert_eq!(label(facet, value, Language::English), english);
        }
    }
}
