//! The table of rights: for each action the roles that may do it, the scope an API key needs, and what kind of action it is.
//! The contract's role table is the law; where it is silent, the reason stands here.

use super::ApiScope::{
    BillingRead, BillingWrite, BookingsRead, BookingsWrite, CatalogRead, UsageRead, UsageWrite,
};
use super::Role::{
    Auditor, HostAdmin, HostFinance, InstrumentManager, PlatformAdmin, RegionAdmin, UnitAdmin,
    UnitMember,
};
use super::{Action, ApiScope, Role};

/// What an action does, as far as unverified organizations and auditors are concerned.
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

impl Action {
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

    /// The action reads or prices and changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self.row().2, Kind::Look)
    }

    const fn row(self) -> Row {
        match self {
            Action::MeRead | Action::SessionRead => (EVERYBODY, None, Look),
            Action::MeUpdate | Action::SessionRevoke | Action::PasswordChange => {
                (EVERYBODY, None, Account)
            }
            Action::ApiKeyRead => (UNIT, None, Look),
            Action::ApiKeyCreate | Action::ApiKeyRevoke => (UNIT, None, Change),
            Action::OrganizationRead => (EVERYBODY, Some(CatalogRead), Look),
            Action::OrganizationUpdate => (HEADS, None, Organization),
            Action::OrganizationCorrect
            | Action::OrganizationVerify
            | Action::OrganizationRefuse
            | Action::OrganizationSuspend
            | Action::OrganizationResume => (ADMINISTRATION, None, Change),
            Action::MemberRead => (MEMBER_READERS, None, Look),
            Action::MemberInvite | Action::MemberUpdate | Action::MemberRemove => {
                (MEMBER_EDITORS, None, Change)
            }
            Action::RelatedPartyRead => (RELATED_PARTY_READERS, None, Look),
            Action::RelatedPartyAdd => (RELATED_PARTY_EDITORS, None, Change),
            _ => self.registry_row(),
        }
    }

    const fn registry_row(self) -> Row {
        match self {
            Action::InstrumentRead | Action::InstrumentExport => {
                (INSTRUMENT_READERS, Some(CatalogRead), Look)
            }
            Action::InstrumentCreate
            | Action::InstrumentUpdate
            | Action::InstrumentSubmit
            | Action::InstrumentRetire
            | Action::InstrumentAssignManagers
            | Action::InstrumentImport
            | Action::ServiceCreate
            | Action::ServiceUpdate
            | Action::ServiceDelete
            | Action::ExemptionRequest
            | Action::TariffCreate
            | Action::TariffEnd => (HOST, None, Change),
            Action::InstrumentDescribe
            | Action::BookingRulesUpdate
            | Action::ClosureCreate
            | Action::ClosureUpdate
            | Action::ClosureDelete => (DESK, None, Change),
            Action::InstrumentApprove
            | Action::InstrumentReturn
            | Action::InstrumentSuspend
            | Action::InstrumentResume => (ADMINISTRATION, None, Change),
            Action::ExemptionDecide => (PROVINCE, None, Change),
            _ => self.service_row(),
        }
    }

    const fn service_row(self) -> Row {
        match self {
            Action::BookingRead => (BOOKING_READERS, Some(BookingsRead), Look),
            Action::BookingCheck => (CUSTOMERS, Some(BookingsRead), Look),
            Action::BookingRequest => (CUSTOMERS, Some(BookingsWrite), Change),
            Action::BookingCancel => (CANCELLERS, Some(BookingsWrite), Change),
            Action::BookingReschedule => (RESCHEDULERS, Some(BookingsWrite), Change),
            Action::BookingApprove
            | Action::BookingReject
            | Action::BookingStart
            | Action::BookingFinish
            | Action::BookingNoShow => (DESK, Some(BookingsWrite), Change),
            Action::UsageRead | Action::UsageExport => (USAGE_READERS, Some(UsageRead), Look),
            Action::UsageRecord
            | Action::UsageImport
            | Action::UsageCorrect
            | Action::UsageVoid => (DESK, Some(UsageWrite), Change),
            Action::UsageConfirm | Action::UsageDispute => (UNIT, Some(UsageWrite), Change),
            Action::ReviewCreate => (CUSTOMERS, Some(UsageWrite), Change),
            Action::QuoteCreate => (EVERYBODY, Some(CatalogRead), Look),
            Action::ChargeRead => (CHARGE_READERS, Some(BillingRead), Look),
            Action::ChargeInvoice => (&[HostFinance], Some(BillingWrite), Change),
            Action::ChargePay => (PAYMENT_EDITORS, Some(BillingWrite), Change),
            _ => self.province_row(),
        }
    }

    const fn province_row(self) -> Row {
        match self {
            Action::PolicyRead | Action::EvaluationRead | Action::SubsidyRead => {
                (EVERYBODY, None, Look)
            }
            Action::SubsidyExplain => (AWARD_READERS, None, Look),
            Action::SubsidyExport | Action::PolicyCheck => (OVERSEERS, None, Look),
            Action::EventRead => (EVENT_READERS, None, Look),
            Action::PolicyCreate
            | Action::EvaluationRun
            | Action::EvaluationScore
            | Action::EvaluationPublish
            | Action::EvaluationFinalize
            | Action::EvaluationDiscard
            | Action::SubsidyRun
            | Action::SubsidyPublish
            | Action::SubsidyFinalize
            | Action::SubsidyDiscard => (PROVINCE, None, Change),
            // An action without a row is nobody's; a test finds it.
            _ => (&[], None, Change),
        }
    }
}
