//! How far a caller's roles reach: which organizations, instruments and bookings an action may touch. The same value decides
//! about one subject and filters lists, so that the two never disagree.

use super::{Action, Caller, Role};
use crate::domain::{OrganizationId, RegionCode, UserId};

/// Who is tied to an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstrumentTies {
    pub host_organization_id: OrganizationId,
    /// The region that supervises the host.
    pub supervising_region: RegionCode,
    /// The caller is one of its managers.
    pub managed_by_caller: bool,
    /// The instrument is listed, or the caller's unit has booked it.
    pub is_public: bool,
}

/// Who is tied to a booking, a usage record or a charge: the instrument's side and the using unit's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookingTies {
    pub instrument: InstrumentTies,
    /// The using unit.
    pub organization_id: OrganizationId,
    /// Who booked; `None` for a record that was typed or imported.
    pub booked_by: Option<UserId>,
    /// The person of the using unit who runs the instrument, if the booking is self-operated.
    pub operator: Option<UserId>,
}

/// Who is tied to an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganizationTies {
    pub organization_id: OrganizationId,
    pub supervising_region: RegionCode,
    /// Verified organizations have a public part.
    pub is_public: bool,
}

/// The union of what the roles that allow an action reach. A list shows the rows that any one of the fields admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    pub everything: bool,
    /// Organizations, and instruments of hosts, supervised within this region.
    pub region: Option<RegionCode>,
    /// Instruments of this host and what happens on them.
    pub host: Option<OrganizationId>,
    /// Instruments of this host assigned to this person, and what happens on them.
    pub managed: Option<(OrganizationId, UserId)>,
    /// What this using unit booked, used and owes.
    pub unit: Option<OrganizationId>,
    /// What this person booked for this unit.
    pub own: Option<(OrganizationId, UserId)>,
    /// What this person operates for this unit.
    pub operated: Option<(OrganizationId, UserId)>,
}

impl Reach {
    /// The reach of `caller` for `action`; empty when no role allows the action.
    pub fn of(caller: &Caller, action: Action) -> Self {
        let mut reach = Self::default();
        let organization = Some(caller.organization_id);
        let person = Some((caller.organization_id, caller.user_id));
        for role in caller.roles_for(action) {
            match role {
                Role::PlatformAdmin | Role::Auditor => reach.everything = true,
                Role::RegionAdmin => reach.region = caller.region,
                Role::HostAdmin | Role::HostFinance => reach.host = organization,
                Role::InstrumentManager => reach.managed = person,
                Role::UnitAdmin | Role::UnitMember if action.is_done_by_operator() => {
                    reach.operated = person
                }
                Role::UnitMember if !action.is_read() => reach.own = person,
                Role::UnitAdmin | Role::UnitMember | Role::Evaluator => reach.unit = organization,
            }
        }
        // Every member reads the own organization, whatever the role.
        if action == Action::OrganizationRead {
            reach.unit = organization;
        }
        reach
    }

    /// Nobody's rows: the list would be empty, the action forbidden.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Using units reach every instrument: those they may not see are hidden before.
    pub fn covers_instrument(&self, ties: &InstrumentTies) -> bool {
        self.covers_hosted(ties) || self.unit.is_some() || self.own.is_some()
    }

    pub fn covers_booking(&self, ties: &BookingTies) -> bool {
        self.covers_hosted(&ties.instrument)
            || self.unit == Some(ties.organization_id)
            || self.own.is_some_and(|(unit, user)| {
                unit == ties.organization_id && Some(user) == ties.booked_by
            })
            || self.operated.is_some_and(|(unit, user)| {
                unit == ties.organization_id && Some(user) == ties.operator
            })
    }

    pub fn covers_organization(&self, ties: &OrganizationTies) -> bool {
        let member =
            |organization: Option<OrganizationId>| organization == Some(ties.organization_id);
        self.everything
            || self
                .region
                .is_some_and(|region| region.covers(ties.supervising_region))
            || member(self.host)
            || member(self.unit)
    }

    pub(super) fn covers_hosted(&self, ties: &InstrumentTies) -> bool {
        self.everything
            || self
                .region
                .is_some_and(|region| region.covers(ties.supervising_region))
            || self.host == Some(ties.host_organization_id)
            || self.managed.is_some_and(|(host, _)| {
                host == ties.host_organization_id && ties.managed_by_caller
            })
    }
}
