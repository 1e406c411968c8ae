//! The person, or the person's API key, that asks.

use super::{Action, ApiScope, Denied, Role};
use crate::domain::organization::OrganizationState;
use crate::domain::{ApiKeyId, OrganizationId, RegionCode, UserId};

/// Who asks, as the token or key says. Its organization comes from there, never from a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub user_id: UserId,
    pub organization_id: OrganizationId,
    pub organization_state: OrganizationState,
    pub roles: Vec<Role>,
    /// The region a region admin administers.
    pub region: Option<RegionCode>,
    /// Present when the caller is an API key.
    pub api_key: Option<ApiKeyGrant>,
}

/// An API key and what it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyGrant {
    pub id: ApiKeyId,
    pub scopes: Vec<ApiScope>,
}

impl Caller {
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The caller's roles that allow the action. Two of the contract's "never" hold whatever else the person is: an
    /// auditor changes nothing, and neither an auditor nor a platform admin books.
    pub fn roles_for(&self, action: Action) -> Vec<Role> {
        let never = self.has(Role::Auditor) && action.is_denied_to_auditors()
            || self.has(Role::PlatformAdmin) && action == Action::BookingRequest;
        self.roles
            .iter()
            .copied()
            .filter(|role| !never && action.roles().contains(role))
            .collect()
    }

    pub(super) fn key_allows(&self, action: Action) -> Result<(), Denied> {
        match (&self.api_key, action.scope()) {
            (None, _) => Ok(()),
            // What the public reads without a key.
            (Some(_), None) if action.is_read() && action.is_open_to_visitors() => Ok(()),
            (Some(_), None) => Err(Denied::NotByApiKey),
            (Some(key), Some(scope)) if key.scopes.contains(&scope) => Ok(()),
            (Some(_), Some(_)) => Err(Denied::ScopeMissing),
        }
    }

    pub(super) fn organization_allows(&self, action: Action) -> Result<(), Denied> {
        match self.organization_state {
            OrganizationState::Verified => Ok(()),
            _ if !action.needs_verified_organization() => Ok(()),
            OrganizationState::Suspended => Err(Denied::OrganizationSuspended),
            OrganizationState::Pending | OrganizationState::Refused => {
                Err(Denied::OrganizationNotVerified)
            }
        }
    }
}
