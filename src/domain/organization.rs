//! Organizations: kinds, the states of their verification, and the fields they declare. Who may verify is decided by
//! `access`; whether a code is already known, by the store.

use serde::{Deserialize, Serialize};

use super::access::Role;
use super::contact::PublicContact;
use super::fault::Faults;
use super::state::{self, InvalidState, Move};
use super::{RegionCode, Uscc};
use crate::domain::{Code, Fault};

crate::vocabulary! {
    /// What an organization is.
    OrganizationKind {
        University = "university",
        Institute = "institute",
        Hospital = "hospital",
        Enterprise = "enterprise",
        Agency = "agency",
        Other = "other",
    }
}

crate::vocabulary! {
    /// How far the verification of an organization is.
    OrganizationState {
        Pending = "pending",
        Verified = "verified",
        Refused = "refused",
        Suspended = "suspended",
    }
}

crate::vocabulary! {
    /// What changes the state of an organization.
    OrganizationAction {
        Verify = "verify",
        Refuse = "refuse",
        Suspend = "suspend",
        Resume = "resume",
        /// The organization changes its own fields.
        Amend = "amend",
    }
}

use OrganizationAction as A;
use OrganizationState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Pending, A::Verify, S::Verified),
    (S::Pending, A::Refuse, S::Refused),
    (S::Pending, A::Amend, S::Pending),
    (S::Verified, A::Suspend, S::Suspended),
    (S::Verified, A::Amend, S::Verified),
    (S::Refused, A::Amend, S::Pending),
    (S::Suspended, A::Resume, S::Verified),
];

impl OrganizationState {
    /// The state after `action`.
    pub fn after(self, action: OrganizationAction) -> Result<Self, InvalidState> {
        state::after(MOVES, self, action)
    }
}

impl OrganizationKind {
    /// Whether the first user of such an organization hosts instruments without asking for it.
    pub const fn hosts_by_default(self) -> bool {
        matches!(self, Self::University | Self::Institute | Self::Hospital)
    }
}

/// The roles of an organization's first user: it speaks for its unit, and for the host too where the organization hosts.
pub fn first_roles(kind: OrganizationKind, wants_to_host: bool) -> Vec<Role> {
    if wants_to_host || kind.hosts_by_default() {
        vec![Role::UnitAdmin, Role::HostAdmin]
    } else {
        vec![Role::UnitAdmin]
    }
}

/// What an organization declares about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationFacts {
    pub name: String,
    pub kind: OrganizationKind,
    pub uscc: Uscc,
    /// The seat.
    pub region_code: RegionCode,
    pub supervising_region_code: RegionCode,
    pub is_host: bool,
    pub address: Option<String>,
    pub public_contact: Option<PublicContact>,
}

impl OrganizationFacts {
    /// Every rule of the fields. A code whose check character is wrong passes only when it was confirmed.
    pub fn validate(&self, uscc_confirmed: bool) -> Result<(), Vec<Fault>> {
        let mut faults = Faults::new();
        faults.text("name", &self.name, 100);
        faults.optional_text("address", self.address.as_deref(), 200);
        if !uscc_confirmed && !self.uscc.check_passes() {
            faults.push(Fault::field("uscc", Code::uscc_check_failed).actual(&self.uscc));
        }
        if !RegionCode::HEBEI.covers(self.supervising_region_code) {
            faults.push(
                Fault::field("supervising_region_code", Code::not_a_supervising_region)
                    .limit(RegionCode::HEBEI)
                    .actual(self.supervising_region_code),
            );
        }
        if let Some(contact) = &self.public_contact {
            contact.validate("public_contact", &mut faults);
        }
        faults.into_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verification_follows_the_contract() {
        insta::assert_snapshot!(state::printed(MOVES).join("\n"), @r"
        pending --verify--> verified
        pending --refuse--> refused
        pending --amend--> pending
        verified --suspend--> suspended
        verified --amend--> verified
        refused --amend--> pending
        suspended --resume--> verified
        ");
        assert_eq!(
            S::Refused.after(A::Verify),
            Err(InvalidState {
                state: "refused",
                allowed: vec!["amend"]
            })
        );
    }

    #[test]
    fn the_first_user_hosts_where_the_organization_does() {
        let both = vec![Role::UnitAdmin, Role::HostAdmin];
        for (kind, wants_to_host, roles) in [
            (OrganizationKind::University, false, both.clone()),
            (OrganizationKind::Institute, false, both.clone()),
            (OrganizationKind::Hospital, false, both.clone()),
            (OrganizationKind::Enterprise, true, both),
            (OrganizationKind::Enterprise, false, vec![Role::UnitAdmin]),
            (OrganizationKind::Agency, false, vec![Role::UnitAdmin]),
        ] {
            assert_eq!(first_roles(kind, wants_to_host), roles, "{kind}");
        }
    }

    fn facts() -> OrganizationFacts {
        OrganizationFacts {
            name: "燕赵理工大学".to_owned(),
            kind: OrganizationKind::University,
            uscc: Uscc::parse("12130302BYC46N1249").unwrap(),
            region_code: "130302".parse().unwrap(),
            supervising_region_code: "130300".parse().unwrap(),
            is_host: true,
            address: None,
            public_contact: None,
        }
    }

    #[test]
    fn a_wrong_check_character_needs_confirmation() {
        assert_eq!(facts().validate(false), Ok(()));
        let odd = OrganizationFacts {
            uscc: Uscc::parse("12130302BYC46N1240").unwrap(),
            ..facts()
        };
        let faults = odd.validate(false).unwrap_err();
        assert_eq!(faults[0].code, Code::uscc_check_failed);
        assert_eq!(odd.validate(true), Ok(()));
    }

    #[test]
    fn all_faults_come_together() {
        let bad = OrganizationFacts {
            name: " ".to_owned(),
            supervising_region_code: "120000".parse().unwrap(),
            address: Some("路".repeat(201)),
            ..facts()
        };
        let codes: Vec<_> = bad
            .validate(false)
            .unwrap_err()
            .into_iter()
            .map(|fault| (fault.name().to_owned(), fault.code.as_str()))
            .collect();
        assert_eq!(
            codes,
            [
                ("name".to_owned(), "required"),
                ("address".to_owned(), "text_too_long"),
                (
                    "supervising_region_code".to_owned(),
                    "not_a_supervising_region"
                ),
            ]
        );
    }
}
