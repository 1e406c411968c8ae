//! Which roles a caller may give and take, and which go together. Whether the member is the caller's to edit is decided by
//! the table.

use super::{Caller, Role};
use crate::domain::fault::Faults;
use crate::domain::{Code, Fault};

/// Roles of the administration: given by the province alone.
const OFFICES: &[Role] = &[
    Role::PlatformAdmin,
    Role::RegionAdmin,
    Role::Auditor,
    Role::Evaluator,
];
/// Roles that only members of a host can have.
const HOST_ROLES: &[Role] = &[Role::HostAdmin, Role::HostFinance, Role::InstrumentManager];
const UNIT_ROLES: &[Role] = &[Role::UnitAdmin, Role::UnitMember];

/// Whether `caller` may change a member's roles from `before` to `after`; every role given or taken must be the caller's to
/// grant. `is_host` speaks of the member's organization.
pub fn check_roles(
    caller: &Caller,
    is_host: bool,
    before: &[Role],
    after: &[Role],
) -> Result<(), Vec<Fault>> {
    let mut faults = Faults::new();
    if after.is_empty() {
        faults.push(Fault::required("roles"));
    }
    let moved = Role::ALL
        .iter()
        .filter(|role| before.contains(role) != after.contains(role));
    for role in moved {
        if !may_grant(caller, *role) {
            faults.push(Fault::field("roles", Code::role_not_grantable).actual(role));
        } else if HOST_ROLES.contains(role) && after.contains(role) && !is_host {
            faults.push(Fault::field("roles", Code::organization_is_no_host).actual(role));
        }
    }
    if after.iter().any(|role| !goes_with(*role, after)) {
        faults.push(Fault::field("roles", Code::incompatible_roles));
    }
    faults.into_result()
}

/// Whether the administration may invite with these roles into a unit that nobody administers: those of a unit's first user,
/// and the province its offices. `caller` is none for the command line.
pub fn check_first_roles(
    caller: Option<&Caller>,
    is_host: bool,
    roles: &[Role],
) -> Result<(), Vec<Fault>> {
    let mut faults = Faults::new();
    if roles.is_empty() {
        faults.push(Fault::required("roles"));
    }
    let administers = roles.contains(&Role::UnitAdmin);
    let by_province = caller.is_some_and(|caller| caller.has(Role::PlatformAdmin));
    for role in roles {
        let is_first = administers && [Role::UnitAdmin, Role::HostAdmin].contains(role);
        let is_office = by_province && OFFICES.contains(role);
        if !(is_first || is_office) {
            faults.push(Fault::field("roles", Code::role_not_grantable).actual(role));
        } else if HOST_ROLES.contains(role) && !is_host {
            faults.push(Fault::field("roles", Code::organization_is_no_host).actual(role));
        }
    }
    if roles.iter().any(|role| !goes_with(*role, roles)) {
        faults.push(Fault::field("roles", Code::incompatible_roles));
    }
    faults.into_result()
}

/// Whether the role is one of the administration's, which no unit gives or takes.
pub fn is_office(role: Role) -> bool {
    OFFICES.contains(&role)
}

fn may_grant(caller: &Caller, role: Role) -> bool {
    let by_province = caller.has(Role::PlatformAdmin) && OFFICES.contains(&role);
    let by_unit =
        caller.has(Role::UnitAdmin) && (HOST_ROLES.contains(&role) || UNIT_ROLES.contains(&role));
    by_province || by_unit
}

/// An auditor is nothing else; a platform admin is nobody who books.
fn goes_with(role: Role, others: &[Role]) -> bool {
    match role {
        Role::Auditor => others.iter().all(|other| *other == Role::Auditor),
        Role::PlatformAdmin => !others.iter().any(|other| UNIT_ROLES.contains(other)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::organization::OrganizationState;

    fn caller(role: Role) -> Caller {
        Caller {
            user_id: 1.try_into().unwrap(),
            organization_id: 1.try_into().unwrap(),
            organization_state: OrganizationState::Verified,
            roles: vec![role],
            region: None,
            api_key: None,
        }
    }

    #[test]
    fn whoever_supervises_a_unit_gives_it_its_first_administrator() {
        use Role::{HostAdmin, PlatformAdmin, RegionAdmin, UnitAdmin, UnitMember};
        type Case<'a> = (Option<Role>, bool, &'a [Role], &'a [&'a str]);
        let cases: &[Case] = &[
            (Some(RegionAdmin), false, &[UnitAdmin], &[]),
            (Some(RegionAdmin), true, &[UnitAdmin, HostAdmin], &[]),
            (None, true, &[UnitAdmin, HostAdmin], &[]),
            (
                Some(RegionAdmin),
                false,
                &[UnitAdmin, HostAdmin],
                &["organization_is_no_host"],
            ),
            (
                Some(RegionAdmin),
                true,
                &[HostAdmin],
                &["role_not_grantable"],
            ),
            (
                Some(RegionAdmin),
                false,
                &[UnitAdmin, UnitMember],
                &["role_not_grantable"],
            ),
            (
                Some(RegionAdmin),
                false,
                &[UnitAdmin, RegionAdmin],
                &["role_not_grantable"],
            ),
            (Some(PlatformAdmin), false, &[UnitAdmin, RegionAdmin], &[]),
            (
                Some(PlatformAdmin),
                false,
                &[UnitAdmin, PlatformAdmin],
                &["incompatible_roles"],
            ),
            (Some(RegionAdmin), false, &[], &["required"]),
        ];
        for (granter, is_host, roles, codes) in cases {
            let caller = granter.map(caller);
            let found = check_first_roles(caller.as_ref(), *is_host, roles);
            let found: Vec<_> = found
                .err()
                .unwrap_or_default()
                .into_iter()
                .map(|fault| fault.code.as_str())
                .collect();
            assert_eq!(&found, codes, "{granter:?}: {roles:?}");
        }
    }

    #[test]
    fn units_give_their_own_roles_and_the_province_its_offices() {
        use Role::{
            Auditor, HostAdmin, HostFinance, InstrumentManager, PlatformAdmin, RegionAdmin,
            UnitAdmin, UnitMember,
        };
        type Case<'a> = (Role, bool, &'a [Role], &'a [Role], &'a [&'a str]);
        let cases: &[Case] = &[
            (UnitAdmin, true, &[], &[UnitMember, HostFinance], &[]),
            (UnitAdmin, false, &[], &[UnitMember], &[]),
            (
                UnitAdmin,
                false,
                &[],
                &[HostAdmin],
                &["organization_is_no_host"],
            ),
            (UnitAdmin, false, &[HostAdmin], &[UnitMember], &[]),
            (UnitAdmin, true, &[UnitMember], &[], &["required"]),
            (
                UnitAdmin,
                true,
                &[],
                &[RegionAdmin],
                &["role_not_grantable"],
            ),
            (
                UnitAdmin,
                true,
                &[Auditor],
                &[UnitMember],
                &["role_not_grantable"],
            ),
            (
                UnitAdmin,
                true,
                &[RegionAdmin],
                &[RegionAdmin, UnitMember],
                &[],
            ),
            (
                UnitMember,
                true,
                &[],
                &[UnitMember],
                &["role_not_grantable"],
            ),
            (
                HostAdmin,
                true,
                &[],
                &[InstrumentManager],
                &["role_not_grantable"],
            ),
            (PlatformAdmin, false, &[], &[RegionAdmin], &[]),
            (PlatformAdmin, false, &[], &[Auditor], &[]),
            (
                PlatformAdmin,
                false,
                &[],
                &[Auditor, RegionAdmin],
                &["incompatible_roles"],
            ),
            (
                PlatformAdmin,
                false,
                &[UnitMember],
                &[UnitMember, PlatformAdmin],
                &["incompatible_roles"],
            ),
            (
                PlatformAdmin,
                true,
                &[],
                &[HostAdmin],
                &["role_not_grantable"],
            ),
        ];
        for (granter, is_host, before, after, codes) in cases {
            let found = check_roles(&caller(*granter), *is_host, before, after);
            let found: Vec<_> = found
                .err()
                .unwrap_or_default()
                .into_iter()
                .map(|fault| fault.code.as_str())
                .collect();
            assert_eq!(&found, codes, "{granter}: {before:?} to {after:?}");
        }
    }
}
