//! Who may do what: roles, callers and the table of action × role. Pure; the operations ask it in their first line.
//!
//! [`may`] answers what roles alone decide, the `may_on_…` functions what the subject decides too, and [`Reach`] says which
//! rows a list shows. All of them read one table, in `table`.

mod action;
mod assignment;
mod caller;
mod finding;
mod grant;
mod holders;
mod objection;
mod reach;
mod subject_type;

pub use action::{Action, Audience, Kind, SubjectKind};
pub use assignment::{AssignmentReach, may_on_assignment};
pub use caller::{ApiKeyGrant, Caller};
pub use finding::{FindingReach, FindingTies, may_on_finding};
pub use grant::{check_first_roles, check_roles, is_office};
pub use objection::{ObjectionReach, ObjectionTies, may_on_objection};
pub use reach::{BookingTies, InstrumentTies, OrganizationTies, Reach};
pub use subject_type::SubjectType;

use super::OrganizationId;
use crate::domain::Code;

crate::vocabulary! {
    /// The roles of the contract. A member of an organization has a list of them.
    Role {
        PlatformAdmin = "platform_admin",
        RegionAdmin = "region_admin",
        Auditor = "auditor",
        Evaluator = "evaluator",
        HostAdmin = "host_admin",
        HostFinance = "host_finance",
        InstrumentManager = "instrument_manager",
        UnitAdmin = "unit_admin",
        UnitMember = "unit_member",
    }
}

impl Role {
    /// Whether somebody with this role can be the manager of an instrument.
    pub const fn manages_instruments(self) -> bool {
        matches!(self, Self::InstrumentManager | Self::HostAdmin)
    }
}

crate::vocabulary! {
    /// What an API key may be used for; never more than its creator's roles allow. Each is the scope of some action.
    ApiScope {
        CatalogRead = "catalog:read",
        /// A host's instruments, services, booking rules, closures and prices. Who manages an instrument is not among it:
        /// that gives people rights.
        CatalogWrite = "catalog:write",
        BookingsRead = "bookings:read",
        BookingsWrite = "bookings:write",
        UsageRead = "usage:read",
        UsageWrite = "usage:write",
        BillingRead = "billing:read",
        BillingWrite = "billing:write",
        EventsRead = "events:read",
    }
}

/// Why a caller may not do an action. All but the hidden are answered 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.code())]
pub enum Denied {
    /// The subject is not the caller's to see: answered like an absent one, 404.
    Hidden,
    /// No role of the caller allows the action on this subject.
    Forbidden,
    /// The action is for signed-in people, never for API keys.
    NotByApiKey,
    /// The API key was not given the scope of the action.
    ScopeMissing,
    /// Pending and refused organizations sign in, look, price and edit themselves.
    OrganizationNotVerified,
    /// A suspended organization looks only, and edits itself.
    OrganizationSuspended,
}

impl Denied {
    pub const fn code(self) -> Code {
        match self {
            Self::Hidden => Code::not_found,
            Self::Forbidden => Code::forbidden,
            Self::NotByApiKey => Code::not_by_api_key,
            Self::ScopeMissing => Code::scope_missing,
            Self::OrganizationNotVerified => Code::organization_not_verified,
            Self::OrganizationSuspended => Code::organization_suspended,
        }
    }
}

/// What roles, scope and the organization's state decide, whatever the subject.
pub fn may(caller: &Caller, action: Action) -> Result<(), Denied> {
    decide(caller, action, !caller.roles_for(action).is_empty())
}

/// The action on an instrument (its closures, rules, services, tariffs, managers too).
///
/// Using units reach every instrument they can see: whether it can be booked is a rule of booking.
pub fn may_on_instrument(
    caller: &Caller,
    action: Action,
    ties: &InstrumentTies,
) -> Result<(), Denied> {
    let reach = Reach::of(caller, action);
    // A key that may write usage of its host's instruments does so whether or not it reads the catalog.
    let is_at_hand = reach.covers_hosted(ties) && caller.key_allows(action).is_ok();
    if !is_at_hand {
        sees_instrument(caller, ties)?;
    }
    decide(caller, action, reach.covers_instrument(ties))
}

/// The public sees listed instruments; the host, its administration and the auditors see the others, also by their keys
/// when these read the catalog.
pub fn sees_instrument(caller: &Caller, ties: &InstrumentTies) -> Result<(), Denied> {
    let is_reader = may(caller, Action::InstrumentGet).is_ok();
    let reach = Reach::of(caller, Action::InstrumentGet);
    if ties.is_public || (is_reader && reach.covers_instrument(ties)) {
        Ok(())
    } else {
        Err(Denied::Hidden)
    }
}

/// The action on a booking; hidden from those who may not read it.
pub fn may_on_booking(caller: &Caller, action: Action, ties: &BookingTies) -> Result<(), Denied> {
    may_on_service(caller, action, Action::BookingGet, ties)
}

/// The action on a usage record or its review; hidden from those who may not read it.
pub fn may_on_usage(caller: &Caller, action: Action, ties: &BookingTies) -> Result<(), Denied> {
    may_on_service(caller, action, Action::UsageRecordGet, ties)
}

/// The action on a charge, its invoice and its payments; hidden from those who may not read it.
pub fn may_on_charge(caller: &Caller, action: Action, ties: &BookingTies) -> Result<(), Denied> {
    may_on_service(caller, action, Action::ChargeGet, ties)
}

fn may_on_service(
    caller: &Caller,
    action: Action,
    read: Action,
    ties: &BookingTies,
) -> Result<(), Denied> {
    if !Reach::of(caller, read).covers_booking(ties) {
        return Err(Denied::Hidden);
    }
    decide(
        caller,
        action,
        Reach::of(caller, action).covers_booking(ties),
    )
}

/// The action on an organization, its members, keys and related parties.
pub fn may_on_organization(
    caller: &Caller,
    action: Action,
    ties: &OrganizationTies,
) -> Result<(), Denied> {
    let read = Reach::of(caller, Action::OrganizationRead);
    if !ties.is_public && !read.covers_organization(ties) {
        return Err(Denied::Hidden);
    }
    decide(
        caller,
        action,
        Reach::of(caller, action).covers_organization(ties),
    )
}

/// The public sees verified organizations; their own people and their administration see the others, also by their keys when
/// these read the catalog.
pub fn sees_organization(caller: &Caller, ties: &OrganizationTies) -> Result<(), Denied> {
    let is_reader = may(caller, Action::OrganizationRead).is_ok();
    let reach = Reach::of(caller, Action::OrganizationRead);
    if ties.is_public || (is_reader && reach.covers_organization(ties)) {
        Ok(())
    } else {
        Err(Denied::Hidden)
    }
}

/// The action on what a host has to mend: seen by the host and by who supervises it, and by nobody else.
pub fn may_on_rectification(
    caller: &Caller,
    action: Action,
    ties: &OrganizationTies,
) -> Result<(), Denied> {
    if !Reach::of(caller, Action::RectificationGet).covers_organization(ties) {
        return Err(Denied::Hidden);
    }
    let reach = Reach::of(caller, action);
    decide(caller, action, reach.covers_organization(ties))
}

/// The action on an evaluation or subsidy run: before publication only the province and the auditors see it.
pub fn may_on_run(caller: &Caller, action: Action, is_published: bool) -> Result<(), Denied> {
    if is_published || caller.has(Role::PlatformAdmin) || caller.has(Role::Auditor) {
        may(caller, action)
    } else {
        Err(Denied::Hidden)
    }
}

/// The explanation of one unit's grade or award: of what is published also for the unit.
pub fn may_explain(
    caller: &Caller,
    action: Action,
    is_published: bool,
    awarded: OrganizationId,
) -> Result<(), Denied> {
    may_on_run(caller, action, is_published)?;
    let reach = Reach::of(caller, action);
    let is_own = [reach.host, reach.unit].contains(&Some(awarded));
    decide(caller, action, reach.everything || is_own)
}

/// Order of the refusals: what the role forbids stands before what the key or the organization lacks.
fn decide(caller: &Caller, action: Action, reached: bool) -> Result<(), Denied> {
    if !reached {
        return Err(Denied::Forbidden);
    }
    caller.key_allows(action)?;
    caller.organization_allows(action)
}

#[cfg(test)]
mod tests;
