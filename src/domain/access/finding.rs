//! Who reads findings and who says something of them: the province and the auditors read all, a host those shown to it. The same
//! value decides about one and filters the list.

use super::{Action, Caller, Denied, Role, decide};
use crate::domain::OrganizationId;

/// Who is tied to a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingTies {
    pub organization_id: OrganizationId,
    /// Shown to the unit.
    pub is_assigned: bool,
}

/// Which findings a caller reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FindingReach {
    pub everything: bool,
    /// Those shown to this host, whose administrator the caller is.
    pub host: Option<OrganizationId>,
}

impl FindingReach {
    pub fn of(caller: &Caller) -> Self {
        let is_host = caller.has(Role::HostAdmin);
        Self {
            everything: caller.has(Role::PlatformAdmin) || caller.has(Role::Auditor),
            host: is_host.then_some(caller.organization_id),
        }
    }

    fn is_own(&self, ties: &FindingTies) -> bool {
        ties.is_assigned && self.host == Some(ties.organization_id)
    }
}

/// The action on a finding; hidden from those who may not read it. The unit alone explains it.
pub fn may_on_finding(caller: &Caller, action: Action, ties: &FindingTies) -> Result<(), Denied> {
    let reach = FindingReach::of(caller);
    let is_own = reach.is_own(ties);
    if !reach.everything && !is_own {
        return Err(Denied::Hidden);
    }
    let reached = match action {
        Action::FindingExplain => is_own,
        other => !caller.roles_for(other).is_empty(),
    };
    decide(caller, action, reached)
}
