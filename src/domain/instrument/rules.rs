//! The rules of a registry entry: what each field may hold, what must be filled at submission, what stands still while
//! listed, what counts as complete. The threshold comes from the active policy.

use chrono::{Days, NaiveDate};

use super::{Customs, InstrumentDescription, InstrumentFacts};
use crate::domain::Fen;
use crate::domain::exemption::{ExemptionState, ShareMode};
use crate::domain::fault::Faults;
use crate::domain::{Code, Fault};

/// The most users one instrument serves at once.
pub const CHANNELS_MAX: i64 = 64;

/// A subject list longer than this does not fit the national platform's message.
const SUBJECTS_MAX: usize = 4;

/// The day before which no instrument still in use was bought.
const FIRST_DAY: Option<NaiveDate> = NaiveDate::from_ymd_opt(1950, 1, 1);

impl InstrumentFacts {
    /// Every rule of the fields that are filled, at any state. Lengths are those of the national platform's message.
    pub fn validate(&self, today: NaiveDate) -> Result<(), Vec<Fault>> {
        let mut faults = Faults::new();
        faults.text("name", &self.name, 50);
        faults.key("asset_no", &self.asset_no, 64);
        faults.amount("original_value_fen", self.original_value_fen, 0);
        for (field, text, most) in [
            ("model", &self.model, 100),
            ("manufacturer", &self.manufacturer, 100),
            ("country", &self.country, 50),
            ("location", &self.location, 100),
        ] {
            faults.optional_text(field, text.as_deref(), most);
        }
        self.check_dates(today, &mut faults);
        if let Some(contact) = &self.public_contact {
            contact.validate("public_contact", &mut faults);
        }
        faults.range("channels", self.channels, 1, CHANNELS_MAX);
        self.description.check(today, &mut faults);
        faults.into_result()
    }

    /// Bought, then accepted, both by today; put into service after it was bought, at the latest within a year from now.
    fn check_dates(&self, today: NaiveDate, faults: &mut Faults) {
        let first = FIRST_DAY.unwrap_or(today);
        let next_year = today.checked_add_days(Days::new(366)).unwrap_or(today);
        faults.date("acquired_on", self.acquired_on, first, today);
        faults.date("accepted_on", self.accepted_on, first, today);
        faults.date("enabled_on", self.enabled_on, first, next_year);
        let acquired = ("acquired_on", self.acquired_on);
        faults.order(acquired, ("accepted_on", self.accepted_on));
        faults.order(acquired, ("enabled_on", self.enabled_on));
    }

    /// The value reaches the threshold; 以上 includes the number itself.
    pub fn check_threshold(&self, threshold: Fen) -> Result<(), Fault> {
        if self.original_value_fen >= threshold {
            return Ok(());
        }
        Err(
            Fault::field("original_value_fen", Code::below_registration_threshold)
                .limit(threshold.number())
                .actual(self.original_value_fen.number()),
        )
    }

    /// What is still needed before the entry can be submitted; not to share at all needs an approved exemption.
    pub fn missing_for_submission(&self, exemption: Option<ExemptionState>) -> Vec<Fault> {
        let filled = |text: &Option<String>| has_text(text.as_deref());
        let mut faults: Vec<_> = [
            ("model", filled(&self.model)),
            ("manufacturer", filled(&self.manufacturer)),
            ("country", filled(&self.country)),
            ("accepted_on", self.accepted_on.is_some()),
            ("enabled_on", self.enabled_on.is_some()),
            ("share_mode", self.share_mode.is_some()),
            ("location", filled(&self.location)),
            ("public_contact", self.public_contact.is_some()),
        ]
        .into_iter()
        .filter(|(_, is_filled)| !is_filled)
        .map(|(field, _)| Fault::required(field))
        .collect();
        if self.share_mode == Some(ShareMode::None) && exemption != Some(ExemptionState::Approved) {
            faults
                .push(Fault::field("share_mode", Code::exemption_required).actual(ShareMode::None));
        }
        faults
    }

    /// The fields of `changed` that differ although they stand still while the entry is listed: they change through a return.
    pub fn locked_changes(&self, changed: &InstrumentFacts) -> Vec<Fault> {
        [
            ("asset_no", self.asset_no != changed.asset_no),
            (
                "original_value_fen",
                self.original_value_fen != changed.original_value_fen,
            ),
            ("category_code", self.category_code != changed.category_code),
            ("purpose_type", self.purpose_type != changed.purpose_type),
            ("accepted_on", self.accepted_on != changed.accepted_on),
            ("enabled_on", self.enabled_on != changed.enabled_on),
        ]
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(field, _)| Fault::field(field, Code::locked_while_listed))
        .collect()
    }

    /// What the evaluation counts as complete: technical, functions, service content, user notice, a public contact, a
    /// location and a public price.
    pub fn is_complete(&self, has_public_price: bool) -> bool {
        let texts = &self.description;
        has_public_price
            && self.public_contact.is_some()
            && [
                &texts.technical,
                &texts.functions,
                &texts.service_content,
                &texts.user_notice,
                &self.location,
            ]
            .into_iter()
            .all(|text| has_text(text.as_deref()))
    }
}

fn has_text(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

impl InstrumentDescription {
    fn check(&self, today: NaiveDate, faults: &mut Faults) {
        for (field, text, most) in [
            ("name_en", &self.name_en, 100),
            ("technical", &self.technical, 500),
            ("functions", &self.functions, 300),
            ("service_content", &self.service_content, 200),
            ("user_notice", &self.user_notice, 500),
        ] {
            faults.optional_text(field, text.as_deref(), most);
        }
        self.check_subjects(faults);
        for (field, has_it, other) in [
            (
                "latitude",
                self.latitude.is_some(),
                self.longitude.is_some(),
            ),
            (
                "longitude",
                self.longitude.is_some(),
                self.latitude.is_some(),
            ),
        ] {
            if other && !has_it {
                faults.push(Fault::required(field));
            }
        }
        if let Some(customs) = &self.customs {
            customs.check(today, faults);
        }
    }

    fn check_subjects(&self, faults: &mut Faults) {
        let count = self.subjects.len();
        if count > SUBJECTS_MAX {
            faults.push(
                Fault::field("subjects", Code::too_many)
                    .limit(SUBJECTS_MAX)
                    .actual(count),
            );
        }
        let distinct: std::collections::BTreeSet<_> = self.subjects.iter().collect();
        if distinct.len() < count {
            faults.push(Fault::field("subjects", Code::duplicate));
        }
    }
}

impl Customs {
    fn check(&self, today: NaiveDate, faults: &mut Faults) {
        let digit = |c: char| c.is_ascii_digit();
        let mark = |c: char| c.is_ascii_alphanumeric();
        check_number(
            "customs.declaration_no",
            &self.declaration_no,
            18..=18,
            digit,
            faults,
        );
        check_number("customs.item_no", &self.item_no, 1..=2, digit, faults);
        check_number(
            "customs.exemption_no",
            &self.exemption_no,
            12..=12,
            mark,
            faults,
        );
        faults.optional_text("customs.declared_name", self.declared_name.as_deref(), 100);
        let first = FIRST_DAY.unwrap_or(today);
        faults.date("customs.released_on", self.released_on, first, today);
    }
}

/// Adds `malformed` unless the number, when given, has `lengths` characters of the allowed kind.
fn check_number(
    field: &str,
    number: &Option<String>,
    lengths: std::ops::RangeInclusive<usize>,
    allowed: impl Fn(char) -> bool,
    faults: &mut Faults,
) {
    if let Some(number) = number
        && !(lengths.contains(&number.len()) && number.chars().all(allowed))
    {
        let limit = format!("{}..{}", lengths.start(), lengths.end());
        faults.push(
            Fault::field(field, Code::malformed)
                .limit(limit)
                .actual(number),
        );
    }
}

#[cfg(test)]
mod tests;
