//! The fields of a registry entry, as its host declares them. Which are needed when is decided in `rules`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{FundingSource, InstrumentSource, Latitude, Longitude, PurposeType};
use crate::domain::contact::PublicContact;
use crate::domain::exemption::ShareMode;
use crate::domain::{CategoryCode, Fen, RegionCode, SubjectCode, TypedKey};

/// A registry entry. Names follow the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentFacts {
    pub name: String,
    /// The host's own number of the asset, unique in the unit.
    pub asset_no: TypedKey,
    pub original_value_fen: Fen,
    pub category_code: CategoryCode,
    pub purpose_type: PurposeType,
    pub model: Option<String>,
    pub manufacturer: Option<String>,
    pub country: Option<String>,
    pub acquired_on: Option<NaiveDate>,
    pub accepted_on: Option<NaiveDate>,
    pub enabled_on: Option<NaiveDate>,
    pub share_mode: Option<ShareMode>,
    /// Where it stands; the host's seat unless told.
    pub region_code: Option<RegionCode>,
    /// The address within the region.
    pub location: Option<String>,
    pub public_contact: Option<PublicContact>,
    /// How many users it serves at once.
    pub channels: i64,
    pub description: InstrumentDescription,
}

impl InstrumentFacts {
    /// What every entry has; the rest is not known.
    pub fn new(
        (name, asset_no): (&str, &str),
        original_value_fen: Fen,
        category_code: CategoryCode,
        purpose_type: PurposeType,
    ) -> Self {
        Self {
            name: name.to_owned(),
            asset_no: asset_no.into(),
            original_value_fen,
            category_code,
            purpose_type,
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
        }
    }
}

/// What people read about an instrument; of it policies ask the funding and whether it is a set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InstrumentDescription {
    pub name_en: Option<String>,
    pub funding: Option<FundingSource>,
    pub source: Option<InstrumentSource>,
    pub subjects: Vec<SubjectCode>,
    pub technical: Option<String>,
    pub functions: Option<String>,
    pub service_content: Option<String>,
    pub user_notice: Option<String>,
    pub latitude: Option<Latitude>,
    pub longitude: Option<Longitude>,
    pub customs: Option<Customs>,
    /// Several devices that work as one (成套仪器).
    pub is_set: bool,
}

/// Customs supervision of a duty-free import (the national platform's message of type 5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Customs {
    /// Still within the years of supervision.
    pub supervised: bool,
    /// The import declaration: 18 digits.
    pub declaration_no: Option<String>,
    /// The line of the declaration: one or two digits.
    pub item_no: Option<String>,
    /// The name of the goods on the declaration.
    pub declared_name: Option<String>,
    /// The certificate of duty exemption: 12 characters.
    pub exemption_no: Option<String>,
    /// The release from which the years of supervision count.
    pub released_on: Option<NaiveDate>,
}
