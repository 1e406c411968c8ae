//! The table of rights: for each deed the roles that may do it, the scope an API key needs, and what kind of deed it is.
//! The contract's role table is the law; where it is silent, the reason stands here.

use super::ApiScope::{
    BillingRead, BillingWrite, BookingsRead, BookingsWrite, CatalogRead, UsageRead, UsageWrite,
};
use super::Role::{
    Auditor, HostAdmin, HostFinance, InstrumentManager, PlatformAdmin, RegionAdmin, UnitAdmin,
    UnitMember,
};
use super::{ApiScope, Deed, Role};

/// What a deed does, as far as unverified organizations and auditors are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Reads or prices.
    Look,
    /// Concerns the caller's own account.
    Account,
    /// Edits the caller's own organization.
    Organization,
    /// Changes anything else.
    Change,
}

use Kind::{Account, Change, Look, Organization};

/// One row of the table.
type Row = (&'static [Role], Option<ApiScope>, Kind);

const EVERYBODY: &[Role] = Role::ALL;
const PROVINCE: &[Role] = &[PlatformAdmin];
const ADMINISTRATION: &[Role] = &[PlatformAdmin, RegionAdmin];
const HOST: &[Role] = &[HostAdmin];
/// Those who run an instrument day by day.
const DESK: &[Role] = &[HostAdmin, InstrumentManager];
const UNIT: &[Role] = &[UnitAdmin];
const CUSTOMERS: &[Role] = &[UnitAdmin, UnitMember];
/// Those who speak for an organization.
const HEADS: &[Role] = &[HostAdmin, UnitAdmin];

/// Before they are listed, and after they left the list.
const INSTRUMENT_READERS: &[Role] = &[
    PlatformAdmin,
    RegionAdmin,
    Auditor,
    HostAdmin,
    HostFinance,
    InstrumentManager,
];
const BOOKING_READERS: &[Role] = &[
    PlatformAdmin,
    Auditor,
    HostAdmin,
    InstrumentManager,
    UnitAdmin,
    UnitMember,
];
/// Finance reads the records its charges stand on.
const USAGE_READERS: &[Role] = &[
    PlatformAdmin,
    Auditor,
    HostAdmin,
    HostFinance,
    InstrumentManager,
    UnitAdmin,
    UnitMember,
];
const CHARGE_READERS: &[Role] = &[PlatformAdmin, Auditor, HostAdmin, HostFinance, UnitAdmin];
/// The host side cancels and moves what it can no longer serve; managers move only (the contract's list for them).
const CANCELLERS: &[Role] = &[HostAdmin, UnitAdmin, UnitMember];
const RESCHEDULERS: &[Role] = &[HostAdmin, InstrumentManager, UnitAdmin, UnitMember];
/// Host admins choose managers among the members.
const MEMBER_READERS: &[Role] = &[PlatformAdmin, Auditor, HostAdmin, UnitAdmin];
/// The province appoints region admins, auditors and evaluators; a unit its own people. Which roles: `account`.
const MEMBER_EDITORS: &[Role] = &[PlatformAdmin, UnitAdmin];
const RELATED_PARTY_READERS: &[Role] = &[PlatformAdmin, RegionAdmin, Auditor, HostAdmin, UnitAdmin];
/// An organization declares its related parties; the administration enters what it finds.
const RELATED_PARTY_EDITORS: &[Role] = &[PlatformAdmin, RegionAdmin, HostAdmin, UnitAdmin];
const PAYMENT_EDITORS: &[Role] = &[HostFinance, UnitAdmin];
/// How an award came about names customers' records: the awarded unit sees its own.
const AWARD_READERS: &[Role] = &[PlatformAdmin, Auditor, HostAdmin];
const OVERSEERS: &[Role] = &[PlatformAdmin, Auditor];
const EVENT_READERS: &[Role] = &[PlatformAdmin, Auditor, HostAdmin, UnitAdmin];

impl Deed {
    /// The roles that may do this, as far as the role alone decides.
    pub const fn roles(self) -> &'static [Role] {
        self.row().0
    }

    /// The scope an API key needs; `None`: never by key.
    pub const fn scope(self) -> Option<ApiScope> {
        self.row().1
    }

    /// Until verified, an organization's people look, price and edit their organization.
    pub const fn needs_verified_organization(self) -> bool {
        matches!(self.row().2, Kind::Change)
    }

    /// An auditor changes nothing but the own account.
    pub const fn is_denied_to_auditors(self) -> bool {
        matches!(self.row().2, Kind::Change | Kind::Organization)
    }

    /// The deed reads or prices and changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self.row().2, Kind::Look)
    }

    const fn row(self) -> Row {
        match self {
            Deed::MeRead | Deed::SessionRead => (EVERYBODY, None, Look),
            Deed::MeUpdate | Deed::SessionRevoke | Deed::PasswordChange => {
                (EVERYBODY, None, Account)
            }
            Deed::ApiKeyRead => (UNIT, None, Look),
            Deed::ApiKeyCreate | Deed::ApiKeyRevoke => (UNIT, None, Change),
            Deed::OrganizationRead => (EVERYBODY, Some(CatalogRead), Look),
            Deed::OrganizationUpdate => (HEADS, None, Organization),
            Deed::OrganizationCorrect
            | Deed::OrganizationVerify
            | Deed::OrganizationRefuse
            | Deed::OrganizationSuspend
            | Deed::OrganizationResume => (ADMINISTRATION, None, Change),
            Deed::MemberRead => (MEMBER_READERS, None, Look),
            Deed::MemberInvite | Deed::MemberUpdate | Deed::MemberRemove => {
                (MEMBER_EDITORS, None, Change)
            }
            Deed::RelatedPartyRead => (RELATED_PARTY_READERS, None, Look),
            Deed::RelatedPartyAdd => (RELATED_PARTY_EDITORS, None, Change),
            _ => self.registry_row(),
        }
    }

    const fn registry_row(self) -> Row {
        match self {
            Deed::InstrumentRead | Deed::InstrumentExport => {
                (INSTRUMENT_READERS, Some(CatalogRead), Look)
            }
            Deed::InstrumentCreate
            | Deed::InstrumentUpdate
            | Deed::InstrumentSubmit
            | Deed::InstrumentRetire
            | Deed::InstrumentAssignManagers
            | Deed::InstrumentImport
            | Deed::ServiceCreate
            | Deed::ServiceUpdate
            | Deed::ServiceDelete
            | Deed::ExemptionRequest
            | Deed::TariffCreate
            | Deed::TariffEnd => (HOST, None, Change),
            Deed::InstrumentDescribe
            | Deed::BookingRulesUpdate
            | Deed::ClosureCreate
            | Deed::ClosureUpdate
            | Deed::ClosureDelete => (DESK, None, Change),
            Deed::InstrumentApprove
            | Deed::InstrumentReturn
            | Deed::InstrumentSuspend
            | Deed::InstrumentResume => (ADMINISTRATION, None, Change),
            Deed::ExemptionDecide => (PROVINCE, None, Change),
            _ => self.service_row(),
        }
    }

    const fn service_row(self) -> Row {
        match self {
            Deed::BookingRead => (BOOKING_READERS, Some(BookingsRead), Look),
            Deed::BookingCheck => (CUSTOMERS, Some(BookingsRead), Look),
            Deed::BookingRequest => (CUSTOMERS, Some(BookingsWrite), Change),
            Deed::BookingCancel => (CANCELLERS, Some(BookingsWrite), Change),
            Deed::BookingReschedule => (RESCHEDULERS, Some(BookingsWrite), Change),
            Deed::BookingApprove
            | Deed::BookingReject
            | Deed::BookingStart
            | Deed::BookingFinish
            | Deed::BookingNoShow => (DESK, Some(BookingsWrite), Change),
            Deed::UsageRead | Deed::UsageExport => (USAGE_READERS, Some(UsageRead), Look),
            Deed::UsageRecord | Deed::UsageImport | Deed::UsageCorrect | Deed::UsageVoid => {
                (DESK, Some(UsageWrite), Change)
            }
            Deed::UsageConfirm | Deed::UsageDispute => (UNIT, Some(UsageWrite), Change),
            Deed::ReviewCreate => (CUSTOMERS, Some(UsageWrite), Change),
            Deed::QuoteCreate => (EVERYBODY, Some(CatalogRead), Look),
            Deed::ChargeRead => (CHARGE_READERS, Some(BillingRead), Look),
            Deed::ChargeInvoice => (&[HostFinance], Some(BillingWrite), Change),
            Deed::ChargePay => (PAYMENT_EDITORS, Some(BillingWrite), Change),
            _ => self.province_row(),
        }
    }

    const fn province_row(self) -> Row {
        match self {
            Deed::PolicyRead | Deed::EvaluationRead | Deed::SubsidyRead => (EVERYBODY, None, Look),
            Deed::SubsidyExplain => (AWARD_READERS, None, Look),
            Deed::SubsidyExport | Deed::PolicyCheck => (OVERSEERS, None, Look),
            Deed::EventRead => (EVENT_READERS, None, Look),
            Deed::PolicyCreate
            | Deed::EvaluationRun
            | Deed::EvaluationScore
            | Deed::EvaluationPublish
            | Deed::EvaluationFinalize
            | Deed::EvaluationDiscard
            | Deed::SubsidyRun
            | Deed::SubsidyPublish
            | Deed::SubsidyFinalize
            | Deed::SubsidyDiscard => (PROVINCE, None, Change),
            // A deed without a row is nobody's; a test finds it.
            _ => (&[], None, Change),
        }
    }
}
