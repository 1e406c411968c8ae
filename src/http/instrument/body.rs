//! What a host declares about an instrument, as JSON: at creation, and as the whole that a change is merged into.

use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::shape::Degrees;
use crate::domain::contact::PublicContact;
use crate::domain::instrument::{
    Customs, FundingSource, InstrumentDescription, InstrumentFacts, InstrumentSource, PurposeType,
};
use crate::domain::sharing::ShareMode;
use crate::domain::{CategoryCode, Fen, RegionCode, SubjectCode};
use crate::error::{AppError, Code, Fault};

/// The fields a host may change.
pub const WRITABLE: &[&str] = &[
    "name",
    "name_en",
    "asset_no",
    "original_value_fen",
    "category_code",
    "purpose_type",
    "model",
    "manufacturer",
    "country",
    "acquired_on",
    "accepted_on",
    "enabled_on",
    "funding",
    "source",
    "share_mode",
    "region_code",
    "location",
    "latitude",
    "longitude",
    "public_contact",
    "channels",
    "subjects",
    "technical",
    "functions",
    "service_content",
    "user_notice",
    "customs",
];

/// The fields a manager may change.
pub const WRITABLE_TEXTS: &[&str] = &[
    "technical",
    "functions",
    "service_content",
    "user_notice",
    "public_contact",
];

/// A registry entry. What submission needs may be left out before.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstrumentBody {
    name: String,
    name_en: Option<String>,
    asset_no: String,
    original_value_fen: Fen,
    category_code: CategoryCode,
    purpose_type: PurposeType,
    model: Option<String>,
    manufacturer: Option<String>,
    country: Option<String>,
    acquired_on: Option<NaiveDate>,
    accepted_on: Option<NaiveDate>,
    enabled_on: Option<NaiveDate>,
    funding: Option<FundingSource>,
    source: Option<InstrumentSource>,
    share_mode: Option<ShareMode>,
    /// The host's seat when left out.
    region_code: Option<RegionCode>,
    location: Option<String>,
    latitude: Option<Degrees>,
    longitude: Option<Degrees>,
    public_contact: Option<PublicContact>,
    /// How many users it serves at once; 1 when left out.
    channels: Option<i64>,
    #[serde(default)]
    subjects: Vec<SubjectCode>,
    technical: Option<String>,
    functions: Option<String>,
    service_content: Option<String>,
    user_notice: Option<String>,
    customs: Option<Customs>,
}

impl InstrumentBody {
    /// What it declares; 400 for a coordinate that is none.
    pub fn facts(self) -> Result<InstrumentFacts, AppError> {
        Ok(InstrumentFacts {
            name: self.name,
            asset_no: self.asset_no,
            original_value_fen: self.original_value_fen,
            category_code: self.category_code,
            purpose_type: self.purpose_type,
            model: self.model,
            manufacturer: self.manufacturer,
            country: self.country,
            acquired_on: self.acquired_on,
            accepted_on: self.accepted_on,
            enabled_on: self.enabled_on,
            share_mode: self.share_mode,
            region_code: self.region_code,
            location: self.location,
            public_contact: self.public_contact,
            channels: self.channels.unwrap_or(1),
            description: InstrumentDescription {
                name_en: self.name_en,
                funding: self.funding,
                source: self.source,
                subjects: self.subjects,
                technical: self.technical,
                functions: self.functions,
                service_content: self.service_content,
                user_notice: self.user_notice,
                latitude: degrees("latitude", self.latitude)?,
                longitude: degrees("longitude", self.longitude)?,
                customs: self.customs,
            },
        })
    }
}

/// The shortest digits of the number, so that nothing is lost on the way.
fn degrees<T: FromStr>(field: &str, sent: Option<Degrees>) -> Result<Option<T>, AppError> {
    let Some(Degrees(number)) = sent else {
        return Ok(None);
    };
    let degrees = number.to_string().parse().ok();
    degrees.map(Some).ok_or_else(|| {
        let fault = Fault::field(field, Code::invalid_value).limit("decimal degrees");
        AppError::Malformed(vec![fault.actual(number)])
    })
}
