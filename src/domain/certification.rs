//! What a unit was certified as (资质), from one day to another, both included. Whether a unit is a small or medium
//! enterprise follows from it, day by day.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::fault::Faults;
use crate::domain::{Code, Fault};

/// The certifications of a small or medium enterprise: 中小企业, 科技型中小企业.
pub const SME: [&str; 2] = [SMALL, "tech_sme"];

/// What whoever was entered as a small enterprise is certified as.
pub const SMALL: &str = "sme";

/// The longest name of a certification, in letters.
const NAME_CHARS: usize = 40;

/// The longest number of a document, in characters.
const DOCUMENT_CHARS: usize = 100;

/// The most certifications of one unit.
const ITEMS_MAX: usize = 100;

/// One certification. An absent day is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Certification {
    /// `sme`, `tech_sme`, `high_tech`, `network_member` or another word of small letters, digits and `_`.
    pub certification: String,
    pub valid_from_on: Option<NaiveDate>,
    pub valid_until_on: Option<NaiveDate>,
    pub document_no: Option<String>,
}

/// The spans of days on which a unit is a small or medium enterprise, both ends included; an absent one is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SmeDays(pub Vec<(Option<NaiveDate>, Option<NaiveDate>)>);

impl SmeDays {
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.0.iter().any(|(from, until)| {
            from.is_none_or(|from| from <= day) && until.is_none_or(|until| day <= until)
        })
    }
}

impl FromIterator<Certification> for SmeDays {
    fn from_iter<T: IntoIterator<Item = Certification>>(all: T) -> Self {
        let of_sme = |one: &Certification| SME.contains(&one.certification.as_str());
        let spans = all.into_iter().filter(of_sme);
        Self(
            spans
                .map(|one| (one.valid_from_on, one.valid_until_on))
                .collect(),
        )
    }
}

/// Whether a unit with these certifications is a small or medium enterprise on this day.
pub fn is_sme(all: &[Certification], day: NaiveDate) -> bool {
    all.iter().cloned().collect::<SmeDays>().holds_on(day)
}

/// Whether a word can name a certification: small letters, digits and `_`.
pub fn is_name(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=NAME_CHARS).contains(&word.len()) && word.bytes().all(plain)
}

/// A unit has at most so many.
pub fn check_count(all: &[Certification]) -> Result<(), Fault> {
    let fault = Fault::field("items", Code::too_many).limit(ITEMS_MAX);
    match all.len() {
        0..=ITEMS_MAX => Ok(()),
        more => Err(fault.actual(more)),
    }
}

/// Every rule of the certifications of one unit.
pub fn check(all: &[Certification]) -> Result<(), Vec<Fault>> {
    let mut faults = Faults::new();
    check_count(all).map_err(|fault| vec![fault])?;
    let mut known = BTreeSet::new();
    for (number, one) in all.iter().enumerate() {
        let field = |name: &str| format!("items[{number}].{name}");
        let name = &one.certification;
        if !is_name(name) {
            let fault = Fault::field(field("certification"), Code::malformed);
            faults.push(fault.actual(name.as_str()));
        }
        if let (Some(from), Some(until)) = (one.valid_from_on, one.valid_until_on)
            && until < from
        {
            let fault = Fault::field(field("valid_until_on"), Code::dates_out_of_order);
            faults.push(fault.limit(from.to_string()).actual(until.to_string()));
        }
        faults.optional_text(
            &field("document_no"),
            one.document_no.as_deref(),
            DOCUMENT_CHARS,
        );
        if !known.insert((name, one.valid_from_on, one.valid_until_on)) {
            let fault = Fault::field(field("certification"), Code::duplicate);
            faults.push(fault.actual(name.as_str()));
        }
    }
    faults.into_result()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certified(name: &str, from: Option<&str>, until: Option<&str>) -> Certification {
        let day = |text: &str| text.parse().unwrap();
        Certification {
            certification: name.to_owned(),
            valid_from_on: from.map(day),
            valid_until_on: until.map(day),
            document_no: None,
        }
    }

    #[test]
    fn a_unit_is_small_on_the_days_it_was_certified_for() {
        let all = [
            certified("high_tech", None, None),
            certified("sme", Some("2025-01-01"), Some("2025-12-31")),
            certified("tech_sme", Some("2026-03-01"), None),
        ];
        for (day, expected) in [
            ("2024-12-31", false),
            ("2025-01-01", true),
            ("2025-12-31", true),
            ("2026-01-01", false),
            ("2026-03-01", true),
            ("2050-01-01", true),
        ] {
            assert_eq!(is_sme(&all, day.parse().unwrap()), expected, "{day}");
        }
    }

    #[test]
    fn certifications_are_words_with_days_in_order() {
        let codes = |all: &[Certification]| -> Vec<_> {
            let faults = check(all).err().unwrap_or_default();
            faults
                .iter()
                .map(|fault| (fault.name().to_owned(), fault.code.as_str()))
                .collect()
        };
        let good = certified("sme", Some("2025-01-01"), Some("2025-01-01"));
        assert_eq!(codes(std::slice::from_ref(&good)), []);
        assert_eq!(
            codes(&[
                good.clone(),
                good,
                certified("SME", Some("2025-01-02"), Some("2025-01-01"))
            ]),
            [
                ("items[1].certification".to_owned(), "duplicate"),
                ("items[2].certification".to_owned(), "malformed"),
                ("items[2].valid_until_on".to_owned(), "dates_out_of_order"),
            ]
        );
        assert_eq!(codes(&vec![certified("sme", None, None); 101]).len(), 1);
    }
}
