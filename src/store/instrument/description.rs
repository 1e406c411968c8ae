//! The documents in an instrument's row: what people read about it, and whom they may ask. They are read tolerantly: what a
//! document lacks is not known, and what nobody knows any more is passed over.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::SubjectCode;
use crate::domain::contact::PublicContact;
use crate::domain::instrument::{
    Customs, FundingSource, InstrumentDescription, InstrumentSource, Latitude, Longitude,
};

/// The present format of a description. The first one did not say its number.
const FORMAT: u32 = 2;

fn first_format() -> u32 {
    1
}

/// A description as it is stored. The list of instruments finds the English name at its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescriptionDocument {
    name_en: Option<String>,
    funding: Option<FundingSource>,
    source: Option<InstrumentSource>,
    #[serde(default)]
    subjects: Vec<SubjectCode>,
    technical: Option<String>,
    functions: Option<String>,
    service_content: Option<String>,
    user_notice: Option<String>,
    latitude: Option<Latitude>,
    longitude: Option<Longitude>,
    customs: Option<CustomsDocument>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_set: bool,
    #[serde(default = "first_format")]
    format: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CustomsDocument {
    #[serde(default)]
    supervised: bool,
    declaration_no: Option<String>,
    item_no: Option<String>,
    declared_name: Option<String>,
    exemption_no: Option<String>,
    released_on: Option<NaiveDate>,
}

/// A contact as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactDocument {
    name: String,
    phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl From<InstrumentDescription> for DescriptionDocument {
    fn from(texts: InstrumentDescription) -> Self {
        Self {
            name_en: texts.name_en,
            funding: texts.funding,
            source: texts.source,
            subjects: texts.subjects,
            technical: texts.technical,
            functions: texts.functions,
            service_content: texts.service_content,
            user_notice: texts.user_notice,
            latitude: texts.latitude,
            longitude: texts.longitude,
            customs: texts.customs.map(Into::into),
            is_set: texts.is_set,
            format: FORMAT,
        }
    }
}

impl From<DescriptionDocument> for InstrumentDescription {
    fn from(stored: DescriptionDocument) -> Self {
        Self {
            name_en: stored.name_en,
            funding: stored.funding,
            source: stored.source,
            subjects: stored.subjects,
            technical: stored.technical,
            functions: stored.functions,
            service_content: stored.service_content,
            user_notice: stored.user_notice,
            latitude: stored.latitude,
            longitude: stored.longitude,
            customs: stored.customs.map(Into::into),
            is_set: stored.is_set,
        }
    }
}

impl From<Customs> for CustomsDocument {
    fn from(customs: Customs) -> Self {
        Self {
            supervised: customs.supervised,
            declaration_no: customs.declaration_no,
            item_no: customs.item_no,
            declared_name: customs.declared_name,
            exemption_no: customs.exemption_no,
            released_on: customs.released_on,
        }
    }
}

impl From<CustomsDocument> for Customs {
    fn from(stored: CustomsDocument) -> Self {
        Self {
            supervised: stored.supervised,
            declaration_no: stored.declaration_no,
            item_no: stored.item_no,
            declared_name: stored.declared_name,
            exemption_no: stored.exemption_no,
            released_on: stored.released_on,
        }
    }
}

impl From<PublicContact> for ContactDocument {
    fn from(contact: PublicContact) -> Self {
        Self {
            name: contact.name,
            phone: contact.phone,
            email: contact.email,
        }
    }
}

impl From<ContactDocument> for PublicContact {
    fn from(stored: ContactDocument) -> Self {
        Self {
            name: stored.name,
            phone: stored.phone,
            email: stored.email,
        }
    }
}
