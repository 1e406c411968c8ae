//! How an instrument looks from outside, whole and in lists.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use utoipa::ToSchema;

use super::super::exemption::ExemptionShape;
use crate::domain::contact::PublicContact;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{
    Customs, FundingSource, InstrumentSource, InstrumentState, PurposeType,
};
use crate::domain::{
    CategoryCode, Fen, Instant, InstrumentId, OrganizationId, RegionCode, SubjectCode, UserId,
};
use crate::operations::instrument::Entry;
use crate::store::Json;
use crate::store::instrument::Instrument;

/// Decimal degrees in WGS 84.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = f64)]
pub struct Degrees(pub Number);

impl Degrees {
    fn of(degrees: impl std::fmt::Display) -> Option<Self> {
        let number: f64 = degrees.to_string().parse().ok()?;
        Number::from_f64(number).map(Self)
    }
}

/// An instrument. What is null is not known.
#[derive(Serialize, ToSchema)]
pub struct InstrumentShape {
    id: InstrumentId,
    organization_id: OrganizationId,
    status: InstrumentState,
    /// Why it was returned, suspended or retired.
    state_reason: Option<String>,
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
    region_code: RegionCode,
    location: Option<String>,
    latitude: Option<Degrees>,
    longitude: Option<Degrees>,
    public_contact: Option<PublicContact>,
    channels: i64,
    subjects: Vec<SubjectCode>,
    technical: Option<String>,
    functions: Option<String>,
    service_content: Option<String>,
    user_notice: Option<String>,
    customs: Option<Customs>,
    submitted_at: Option<Instant>,
    listed_at: Option<Instant>,
    suspended_at: Option<Instant>,
    retired_on: Option<NaiveDate>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    /// Only for the host, its administration and the auditors.
    #[serde(skip_serializing_if = "Option::is_none")]
    manager_ids: Option<Vec<UserId>>,
    /// The newest request; only for the host, its administration and the auditors.
    #[serde(skip_serializing_if = "Option::is_none")]
    sharing_exemption: Option<ExemptionShape>,
}

impl From<Instrument> for InstrumentShape {
    fn from(row: Instrument) -> Self {
        let texts = row.description.into_inner();
        Self {
            id: row.id,
            organization_id: row.organization_id,
            status: row.state,
            state_reason: row.state_reason,
            name: row.name,
            name_en: texts.name_en,
            asset_no: row.asset_no,
            original_value_fen: row.original_value_fen,
            category_code: row.category_code,
            purpose_type: row.purpose_type,
            model: row.model,
            manufacturer: row.manufacturer,
            country: row.country,
            acquired_on: row.acquired_on,
            accepted_on: row.accepted_on,
            enabled_on: row.enabled_on,
            funding: texts.funding,
            source: texts.source,
            share_mode: row.share_mode,
            region_code: row.region_code,
            location: row.location,
            latitude: texts.latitude.and_then(Degrees::of),
            longitude: texts.longitude.and_then(Degrees::of),
            public_contact: row.public_contact.map(Json::into_inner),
            channels: row.channels,
            subjects: texts.subjects,
            technical: texts.technical,
            functions: texts.functions,
            service_content: texts.service_content,
            user_notice: texts.user_notice,
            customs: texts.customs,
            submitted_at: row.submitted_at,
            listed_at: row.listed_at,
            suspended_at: row.suspended_at,
            retired_on: row.retired_on,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            manager_ids: None,
            sharing_exemption: None,
        }
    }
}

impl From<Entry> for InstrumentShape {
    fn from(entry: Entry) -> Self {
        let (managers, exemption) = match entry.inside {
            Some(inside) => (Some(inside.managers), inside.exemption),
            None => (None, None),
        };
        Self {
            manager_ids: managers,
            sharing_exemption: exemption.map(ExemptionShape::from),
            ..Self::from(entry.instrument)
        }
    }
}
