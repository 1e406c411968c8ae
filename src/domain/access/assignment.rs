//! Who reads experts' assignments and who gives points: the province and the auditors read all, an evaluator the own ones alone,
//! so that evaluators are blind to each other. The same value decides about one and filters the list.

use super::{Action, Caller, Denied, Role, decide};
use crate::domain::UserId;

/// Which assignments a caller reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssignmentReach {
    pub everything: bool,
    /// The own ones.
    pub evaluator: UserId,
}

impl AssignmentReach {
    pub fn of(caller: &Caller) -> Self {
        Self {
            everything: caller.has(Role::PlatformAdmin) || caller.has(Role::Auditor),
            evaluator: caller.user_id,
        }
    }
}

/// The action on an assignment of `evaluator`; hidden from those who may not read it. Its evaluator alone gives points.
pub fn may_on_assignment(caller: &Caller, action: Action, evaluator: UserId) -> Result<(), Denied> {
    let is_own = caller.user_id == evaluator;
    if !AssignmentReach::of(caller).everything && !is_own {
        return Err(Denied::Hidden);
    }
    let has_role = !caller.roles_for(action).is_empty();
    let reached = match action {
        Action::ExpertAssignmentScore | Action::ExpertAssignmentSubmit => has_role && is_own,
        _ => has_role,
    };
    decide(caller, action, reached)
}
