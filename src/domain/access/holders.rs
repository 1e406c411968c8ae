//! Groups of roles that hold rights together, as the contract's role table names them; where it is silent, the reason stands
//! here. The table of actions is written in these words.

use super::Role;
use super::Role::{
    Auditor, HostAdmin, HostFinance, InstrumentManager, PlatformAdmin, RegionAdmin, UnitAdmin,
    UnitMember,
};

/// Who may do an action, as far as the role alone decides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holders {
    pub roles: &'static [Role],
    /// The installation itself: its command line without a named person, its jobs and time.
    pub system: bool,
    /// Whoever is not signed in.
    pub visitors: bool,
}

impl Holders {
    const fn of(roles: &'static [Role]) -> Self {
        Self {
            roles,
            system: false,
            visitors: false,
        }
    }

    /// These roles, and the installation itself.
    pub(super) const fn and_system(self) -> Self {
        Self {
            system: true,
            ..self
        }
    }

    /// Whoever is not signed in reads the public part; these roles read the rest.
    pub(super) const fn and_visitors(self) -> Self {
        Self {
            visitors: true,
            ..self
        }
    }
}

pub(super) const EVERYBODY: Holders = Holders::of(Role::ALL);
/// Evaluators read their own assignments alone.
pub(super) const ASSIGNMENT_READERS: Holders =
    Holders::of(&[PlatformAdmin, Auditor, Role::Evaluator]);
pub(super) const EVALUATORS: Holders = Holders::of(&[Role::Evaluator]);
/// Auditors change nothing.
pub(super) const OBJECTORS: Holders = Holders::of(&[
    PlatformAdmin,
    RegionAdmin,
    Role::Evaluator,
    HostAdmin,
    HostFinance,
    InstrumentManager,
    UnitAdmin,
    UnitMember,
]);
/// Whoever comes, signed in or not.
pub(super) const VISITORS: Holders = EVERYBODY.and_visitors();
/// No person: the installation alone.
pub(super) const SYSTEM: Holders = Holders::of(&[]).and_system();
/// What only follows from other actions.
pub(super) const NOBODY: Holders = Holders::of(&[]);
pub(super) const PROVINCE: Holders = Holders::of(&[PlatformAdmin]);
pub(super) const ADMINISTRATION: Holders = Holders::of(&[PlatformAdmin, RegionAdmin]);
pub(super) const HOST: Holders = Holders::of(&[HostAdmin]);
/// Those who run an instrument day by day.
pub(super) const DESK: Holders = Holders::of(&[HostAdmin, InstrumentManager]);
/// Those, and of a self-operated booking its operator.
pub(super) const DESK_AND_OPERATOR: Holders =
    Holders::of(&[HostAdmin, InstrumentManager, UnitAdmin, UnitMember]);
pub(super) const UNIT: Holders = Holders::of(&[UnitAdmin]);
pub(super) const CUSTOMERS: Holders = Holders::of(&[UnitAdmin, UnitMember]);
/// Those who speak for an organization.
pub(super) const HEADS: Holders = Holders::of(&[HostAdmin, UnitAdmin]);
/// Where a host has no finance, its administrators keep the money.
pub(super) const FINANCE: Holders = Holders::of(&[HostAdmin, HostFinance]);

/// Before they are listed, and after they left the list.
pub(super) const INSTRUMENT_READERS: Holders = Holders::of(&[
    PlatformAdmin,
    RegionAdmin,
    Auditor,
    HostAdmin,
    HostFinance,
    InstrumentManager,
]);
/// A region's administration reads what happens at the hosts that it supervises.
pub(super) const BOOKING_READERS: Holders = Holders::of(&[
    PlatformAdmin,
    RegionAdmin,
    Auditor,
    HostAdmin,
    InstrumentManager,
    UnitAdmin,
    UnitMember,
]);
/// Finance reads the records its charges stand on.
pub(super) const USAGE_READERS: Holders = Holders::of(&[
    PlatformAdmin,
    RegionAdmin,
    Auditor,
    HostAdmin,
    HostFinance,
    InstrumentManager,
    UnitAdmin,
    UnitMember,
]);
pub(super) const CHARGE_READERS: Holders =
    Holders::of(&[PlatformAdmin, Auditor, HostAdmin, HostFinance, UnitAdmin]);
/// The host side cancels and moves what it can no longer serve, managers on the instruments they manage.
pub(super) const CANCELLERS: Holders =
    Holders::of(&[HostAdmin, InstrumentManager, UnitAdmin, UnitMember]);
pub(super) const RESCHEDULERS: Holders =
    Holders::of(&[HostAdmin, InstrumentManager, UnitAdmin, UnitMember]);
/// Host admins choose managers among the members.
pub(super) const MEMBER_READERS: Holders =
    Holders::of(&[PlatformAdmin, Auditor, HostAdmin, UnitAdmin]);
/// The province appoints region admins, auditors and evaluators; a unit its own people. Which roles: `grant`.
pub(super) const MEMBER_EDITORS: Holders = Holders::of(&[PlatformAdmin, UnitAdmin]);
/// Those, and who invites an administrator for a unit that it supervises.
pub(super) const INVITERS: Holders = Holders::of(&[PlatformAdmin, RegionAdmin, UnitAdmin]);
pub(super) const RELATED_PARTY_READERS: Holders =
    Holders::of(&[PlatformAdmin, RegionAdmin, Auditor, HostAdmin, UnitAdmin]);
/// An organization declares its related parties; the administration enters what it finds.
pub(super) const RELATED_PARTY_EDITORS: Holders =
    Holders::of(&[PlatformAdmin, RegionAdmin, HostAdmin, UnitAdmin]);
/// A host reads what it owes itself; who supervises it, and the auditors, read it too.
pub(super) const DUTY_READERS: Holders =
    Holders::of(&[PlatformAdmin, RegionAdmin, Auditor, HostAdmin]);
pub(super) const PAYMENT_EDITORS: Holders = Holders::of(&[HostAdmin, HostFinance, UnitAdmin]);
/// How an award came about names customers' records: the awarded unit sees its own.
pub(super) const AWARD_READERS: Holders = Holders::of(&[PlatformAdmin, Auditor, HostAdmin]);
pub(super) const EXPLANATION_READERS: Holders =
    Holders::of(&[PlatformAdmin, Auditor, HostAdmin, UnitAdmin]);
pub(super) const OVERSEERS: Holders = Holders::of(&[PlatformAdmin, Auditor]);
pub(super) const EVENT_READERS: Holders =
    Holders::of(&[PlatformAdmin, Auditor, HostAdmin, UnitAdmin]);
