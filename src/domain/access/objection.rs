//! Who reads objections and who ends them: the province and the auditors read all, the objector the own ones, the host concerned
//! those about it. The same value decides about one and filters the list.

use super::{Action, Caller, Denied, Role, decide};
use crate::domain::{OrganizationId, UserId};

/// Who is tied to an objection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectionTies {
    pub objector: UserId,
    /// About whom.
    pub organization_id: Option<OrganizationId>,
}

/// Which objections a caller reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectionReach {
    pub everything: bool,
    pub objector: UserId,
    /// Those about this host, whose administrator the caller is.
    pub host: Option<OrganizationId>,
}

impl ObjectionReach {
    pub fn of(caller: &Caller) -> Self {
        let is_host = caller.has(Role::HostAdmin);
        Self {
            everything: caller.has(Role::PlatformAdmin) || caller.has(Role::Auditor),
            objector: caller.user_id,
            host: is_host.then_some(caller.organization_id),
        }
    }

    /// Whether the caller reads who objected, too.
    pub fn names_objector(&self, objector: UserId) -> bool {
        self.everything || self.objector == objector
    }

    fn covers(&self, ties: &ObjectionTies) -> bool {
        let is_concerned = self.host.is_some() && self.host == ties.organization_id;
        self.names_objector(ties.objector) || is_concerned
    }
}

/// The action on an objection; hidden from those who may not read it. The objector alone withdraws it.
pub fn may_on_objection(
    caller: &Caller,
    action: Action,
    ties: &ObjectionTies,
) -> Result<(), Denied> {
    if !ObjectionReach::of(caller).covers(ties) {
        return Err(Denied::Hidden);
    }
    let reached = match action {
        Action::ObjectionWithdraw => caller.user_id == ties.objector,
        other => !caller.roles_for(other).is_empty(),
    };
    decide(caller, action, reached)
}
