//! The rows of a province's year, as the files of its folder tell them. Reading the files is `exchange::province`'s business.

use chrono::NaiveDate;

use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{FundingSource, PurposeType};
use crate::domain::organization::OrganizationKind;
use crate::domain::review::Satisfaction;
use crate::domain::usage::{ContextChange, Evidence, UsageState};
use crate::domain::{Fen, Minutes, Slot, TypedKey};

crate::vocabulary! {
    /// What the file says an organization is here.
    OrganizationRole {
        Host = "host",
        User = "user",
    }
}

/// One organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceOrganization {
    pub uscc: String,
    pub name: String,
    pub kind: OrganizationKind,
    pub region_code: String,
    pub is_sme: bool,
    pub role: OrganizationRole,
    /// The USCC of a host it is affiliated with.
    pub related_to: Option<String>,
}

/// One listed instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceInstrument {
    pub host_uscc: String,
    pub asset_no: TypedKey,
    pub name: String,
    pub model: Option<String>,
    pub manufacturer: Option<String>,
    pub country: Option<String>,
    pub original_value_fen: Fen,
    pub category_code: String,
    pub purpose_type: PurposeType,
    pub accepted_on: NaiveDate,
    pub enabled_on: NaiveDate,
    /// When it was submitted for listing.
    pub submitted_on: NaiveDate,
    pub share_mode: ShareMode,
    /// Whether it is exempted from sharing.
    pub exempted: bool,
    pub region_code: String,
    pub technical: Option<String>,
    pub functions: Option<String>,
    pub service_content: Option<String>,
    pub user_notice: Option<String>,
    pub contact_name: Option<String>,
    pub contact_phone: Option<String>,
    pub location: Option<String>,
    pub public_price_fen_per_hour: Option<Fen>,
    pub funding: Option<FundingSource>,
    pub is_set: Option<bool>,
}

/// One service. Only this import may tell its evidence and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceUsage {
    pub record_no: String,
    pub host_uscc: String,
    pub asset_no: TypedKey,
    pub user_uscc: String,
    pub mode: BookingMode,
    pub purpose: BookingPurpose,
    pub slot: Slot,
    pub prepare_minutes: Minutes,
    pub run_minutes: Minutes,
    pub post_minutes: Minutes,
    pub samples: u32,
    pub statutory: bool,
    pub evidence: Evidence,
    /// The file's column `status`.
    pub state: UsageState,
    pub fee_fen: Fen,
    /// The part of the fee that a voucher pays.
    pub voucher_fen: Fen,
    pub invoice_no: Option<String>,
    pub invoiced_on: Option<NaiveDate>,
    pub paid_on: Option<NaiveDate>,
    pub satisfaction: Option<Satisfaction>,
    /// What the file has no column for stays.
    pub context: ContextChange,
}

/// External requests of the year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestCounts {
    pub host_uscc: String,
    pub received: u32,
    /// Answered within three working days; at most those received.
    pub answered_in_time: u32,
}

/// The experts' points, as plain decimal digits, by the indicators that the columns name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpertScores {
    pub host_uscc: String,
    pub points: Vec<(String, String)>,
}

/// A number that a unit reports of itself, or of one of its instruments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedRow {
    pub uscc: String,
    pub asset_no: Option<TypedKey>,
    pub name: String,
    pub value: i64,
}
