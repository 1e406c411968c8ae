//! What a host declares about an instrument, as JSON: one shape, as it is sent, as it is answered, and as the whole that a
//! change is merged into.

use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use utoipa::ToSchema;

use super::super::json;
use super::super::merge_patch::MergePatch;
use super::shape::InstrumentShape;
use crate::domain::contact::PublicContact;
use crate::domain::exemption::ShareMode;
use crate::domain::fault::FaultValue;
use crate::domain::instrument::{
    Customs, FundingSource, InstrumentDescription, InstrumentFacts, InstrumentSource, NotADegree,
    PurposeType,
};
use crate::domain::{CategoryCode, Fen, RegionCode, SubjectCode, TypedKey};
use crate::error::{AppError, Code, Fault};
use crate::operations::instrument::{Declared, Entry, Scope};

/// Decimal degrees in WGS 84.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = f64)]
pub struct Degrees(Number);

impl Degrees {
    fn of(degrees: impl std::fmt::Display) -> Option<Self> {
        let number: f64 = degrees.to_string().parse().ok()?;
        Number::from_f64(number).map(Self)
    }
}

/// What is declared about an instrument; null is not known. What submission needs may be left out before.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstrumentBody {
    name: String,
    name_en: Option<String>,
    asset_no: TypedKey,
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
    #[serde(default)]
    customs: Option<Customs>,
    /// Several devices that work as one; false when left out.
    #[serde(default)]
    is_set: bool,
}

/// The fields a manager may change; its host may change all of them.
const TEXTS: &[&str] = &[
    "technical",
    "functions",
    "service_content",
    "user_notice",
    "public_contact",
];

impl From<InstrumentFacts> for InstrumentBody {
    fn from(facts: InstrumentFacts) -> Self {
        let texts = facts.description;
        Self {
            name: facts.name,
            name_en: texts.name_en,
            asset_no: facts.asset_no,
            original_value_fen: facts.original_value_fen,
            category_code: facts.category_code,
            purpose_type: facts.purpose_type,
            model: facts.model,
            manufacturer: facts.manufacturer,
            country: facts.country,
            acquired_on: facts.acquired_on,
            accepted_on: facts.accepted_on,
            enabled_on: facts.enabled_on,
            funding: texts.funding,
            source: texts.source,
            share_mode: facts.share_mode,
            region_code: facts.region_code,
            location: facts.location,
            latitude: texts.latitude.and_then(Degrees::of),
            longitude: texts.longitude.and_then(Degrees::of),
            public_contact: facts.public_contact,
            channels: Some(facts.channels),
            subjects: texts.subjects,
            technical: texts.technical,
            functions: texts.functions,
            service_content: texts.service_content,
            user_notice: texts.user_notice,
            customs: texts.customs,
            is_set: texts.is_set,
        }
    }
}

impl InstrumentBody {
    /// What it declares, and what of it stands nowhere on Earth.
    pub fn declared(self) -> Declared {
        let mut faults = Vec::new();
        let latitude = degrees("latitude", self.latitude, &mut faults);
        let longitude = degrees("longitude", self.longitude, &mut faults);
        let facts = InstrumentFacts {
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
                latitude,
                longitude,
                customs: self.customs,
                is_set: self.is_set,
            },
        };
        Declared { facts, faults }
    }
}

/// What a merge patch makes an entry declare, and which of its fields are read-only.
pub fn changed(
    present: &Entry,
    scope: Scope,
    sent: &MergePatch,
) -> Result<(Declared, Vec<Fault>), AppError> {
    let declared = InstrumentBody::from(present.instrument.facts.clone());
    let declared = serde_json::to_value(declared)?;
    let all = declared.as_object().into_iter().flat_map(|all| all.keys());
    let writable: Vec<&str> = match scope {
        Scope::Whole => all.map(String::as_str).collect(),
        Scope::Texts => TEXTS.to_vec(),
    };
    let shown = InstrumentShape::from(present.clone());
    let merge = |sent| json::merged::<InstrumentBody>(&declared, sent);
    let (body, read_only) = sent.onto(&shown, &writable, merge)?;
    Ok((body.declared(), read_only))
}

/// A coordinate from the digits of the number, far more of them than it keeps.
fn degrees<T>(field: &str, sent: Option<Degrees>, faults: &mut Vec<Fault>) -> Option<T>
where
    T: FromStr<Err = NotADegree>,
{
    let Degrees(number) = sent?;
    let digits = format!("{:.10}", number.as_f64()?);
    let read: Result<T, NotADegree> = digits.parse();
    if let Err(NotADegree { most }) = &read {
        let fault = Fault::field(field, Code::out_of_range).limit(format!("-{most}..{most}"));
        let told = number.as_i64().map(FaultValue::from);
        faults.push(fault.actual(told.unwrap_or_else(|| number.to_string().into())));
    }
    read.ok()
}
