//! An entry as one row of a table: what an import says and an export shows. An absent value leaves the present one.

use std::str::FromStr;

use chrono::NaiveDate;

use crate::domain::contact::PublicContact;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{InstrumentDescription, InstrumentFacts, PurposeType};
use crate::domain::{CategoryCode, Fen};
use crate::error::{Code, Fault};

/// One instrument as a table tells it; an absent column and an empty cell are both `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstrumentRow {
    pub asset_no: String,
    pub name: Option<String>,
    pub name_en: Option<String>,
    pub model: Option<String>,
    pub manufacturer: Option<String>,
    pub country: Option<String>,
    pub original_value_fen: Option<Fen>,
    pub category_code: Option<String>,
    pub purpose_type: Option<PurposeType>,
    pub acquired_on: Option<NaiveDate>,
    pub accepted_on: Option<NaiveDate>,
    pub enabled_on: Option<NaiveDate>,
    pub funding: Option<String>,
    pub source: Option<String>,
    pub share_mode: Option<ShareMode>,
    pub region_code: Option<String>,
    pub location: Option<String>,
    pub contact_name: Option<String>,
    pub contact_phone: Option<String>,
    pub contact_email: Option<String>,
    /// Codes of GB/T 13745.
    pub subjects: Option<Vec<String>>,
    pub technical: Option<String>,
    pub functions: Option<String>,
    pub service_content: Option<String>,
    pub user_notice: Option<String>,
    pub channels: Option<u32>,
    /// Degrees in WGS 84, as plain decimal digits.
    pub latitude: Option<String>,
    pub longitude: Option<String>,
}

impl InstrumentRow {
    /// The row that says all of an entry.
    pub fn of(facts: &InstrumentFacts) -> Self {
        let (facts, texts) = (facts.clone(), facts.description.clone());
        let contact = facts.public_contact;
        let subjects: Vec<String> = texts.subjects.iter().map(ToString::to_string).collect();
        Self {
            asset_no: facts.asset_no,
            name: Some(facts.name),
            name_en: texts.name_en,
            model: facts.model,
            manufacturer: facts.manufacturer,
            country: facts.country,
            original_value_fen: Some(facts.original_value_fen),
            category_code: Some(facts.category_code.to_string()),
            purpose_type: Some(facts.purpose_type),
            acquired_on: facts.acquired_on,
            accepted_on: facts.accepted_on,
            enabled_on: facts.enabled_on,
            funding: texts.funding.map(|word| word.to_string()),
            source: texts.source.map(|word| word.to_string()),
            share_mode: facts.share_mode,
            region_code: facts.region_code.map(|region| region.to_string()),
            location: facts.location,
            contact_name: contact.as_ref().map(|contact| contact.name.clone()),
            contact_phone: contact.as_ref().map(|contact| contact.phone.clone()),
            contact_email: contact.and_then(|contact| contact.email),
            subjects: (!subjects.is_empty()).then_some(subjects),
            technical: texts.technical,
            functions: texts.functions,
            service_content: texts.service_content,
            user_notice: texts.user_notice,
            channels: u32::try_from(facts.channels).ok(),
            latitude: texts.latitude.map(|degrees| degrees.to_string()),
            longitude: texts.longitude.map(|degrees| degrees.to_string()),
        }
    }

    /// The facts of a new entry. What every entry has and the row lacks is told, and has some value here, so that the rest of
    /// the row can be judged.
    pub(super) fn new_facts(&self, faults: &mut Vec<Fault>) -> Option<InstrumentFacts> {
        for (field, is_there) in [
            ("name", self.name.is_some()),
            ("original_value_fen", self.original_value_fen.is_some()),
            ("category_code", self.category_code.is_some()),
            ("purpose_type", self.purpose_type.is_some()),
        ] {
            if !is_there {
                faults.push(Fault::field(field, Code::required));
            }
        }
        let begun = InstrumentFacts {
            name: self.name.clone().unwrap_or_default(),
            asset_no: self.asset_no.clone(),
            original_value_fen: self.original_value_fen.unwrap_or_default(),
            category_code: self.category(faults).or_else(|| "010000".parse().ok())?,
            purpose_type: self.purpose_type.unwrap_or(PurposeType::General),
            model: None,
            manufacturer: None,
            country: None,
            acquired_on: None,
            accepted_on: None,
            enabled_on: None,
            share_mode: None,
            region_code: None,
            location: None,
            public_contact: None,
            channels: 1,
            description: InstrumentDescription::default(),
        };
        Some(self.onto(begun, faults))
    }

    /// The facts of an entry after what the row says.
    pub(super) fn changed_facts(
        &self,
        present: InstrumentFacts,
        faults: &mut Vec<Fault>,
    ) -> InstrumentFacts {
        let category_code = self.category(faults).unwrap_or(present.category_code);
        let facts = InstrumentFacts {
            category_code,
            ..present
        };
        self.onto(facts, faults)
    }

    fn category(&self, faults: &mut Vec<Fault>) -> Option<CategoryCode> {
        parsed(
            "category_code",
            self.category_code.as_deref(),
            Code::unknown_category,
            faults,
        )
    }

    fn onto(&self, mut facts: InstrumentFacts, faults: &mut Vec<Fault>) -> InstrumentFacts {
        let fill = |slot: &mut Option<String>, told: &Option<String>| {
            if told.is_some() {
                slot.clone_from(told);
            }
        };
        fill(&mut facts.model, &self.model);
        fill(&mut facts.manufacturer, &self.manufacturer);
        fill(&mut facts.country, &self.country);
        fill(&mut facts.location, &self.location);
        let texts = &mut facts.description;
        fill(&mut texts.name_en, &self.name_en);
        fill(&mut texts.technical, &self.technical);
        fill(&mut texts.functions, &self.functions);
        fill(&mut texts.service_content, &self.service_content);
        fill(&mut texts.user_notice, &self.user_notice);
        self.describe(texts, faults);
        if let Some(name) = &self.name {
            facts.name.clone_from(name);
        }
        facts.original_value_fen = self.original_value_fen.unwrap_or(facts.original_value_fen);
        facts.purpose_type = self.purpose_type.unwrap_or(facts.purpose_type);
        facts.acquired_on = self.acquired_on.or(facts.acquired_on);
        facts.accepted_on = self.accepted_on.or(facts.accepted_on);
        facts.enabled_on = self.enabled_on.or(facts.enabled_on);
        facts.share_mode = self.share_mode.or(facts.share_mode);
        let region = Code::unknown_region;
        let region = parsed("region_code", self.region_code.as_deref(), region, faults);
        facts.region_code = region.or(facts.region_code);
        facts.channels = self.channels.map_or(facts.channels, i64::from);
        facts.public_contact = self.contact(facts.public_contact.take());
        facts
    }

    fn describe(&self, texts: &mut InstrumentDescription, faults: &mut Vec<Fault>) {
        let word = Code::unknown_word;
        texts.funding = parsed("funding", self.funding.as_deref(), word, faults).or(texts.funding);
        texts.source = parsed("source", self.source.as_deref(), word, faults).or(texts.source);
        let degrees = Code::out_of_range;
        let latitude = parsed("latitude", self.latitude.as_deref(), degrees, faults);
        texts.latitude = latitude.or(texts.latitude);
        let longitude = parsed("longitude", self.longitude.as_deref(), degrees, faults);
        texts.longitude = longitude.or(texts.longitude);
        if let Some(codes) = &self.subjects {
            let unknown = Code::unknown_reference;
            texts.subjects = codes
                .iter()
                .filter_map(|code| parsed("subjects", Some(code), unknown, faults))
                .collect();
        }
    }

    /// A contact once one of its columns says something; what is still missing then, the rules of the field tell.
    fn contact(&self, present: Option<PublicContact>) -> Option<PublicContact> {
        let told = [&self.contact_name, &self.contact_phone, &self.contact_email];
        if told.iter().all(|cell| cell.is_none()) {
            return present;
        }
        let present = present.unwrap_or(PublicContact {
            name: String::new(),
            phone: String::new(),
            email: None,
        });
        Some(PublicContact {
            name: self.contact_name.clone().unwrap_or(present.name),
            phone: self.contact_phone.clone().unwrap_or(present.phone),
            email: self.contact_email.clone().or(present.email),
        })
    }
}

fn parsed<T: FromStr>(
    field: &str,
    text: Option<&str>,
    code: Code,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let text = text?;
    let value = text.parse().ok();
    if value.is_none() {
        faults.push(Fault::field(field, code).actual(text));
    }
    value
}
