//! The table of rights as cases: who may do what to whose subject.

use super::*;
use crate::domain::organization::OrganizationState;
use crate::domain::{ApiKeyId, RegionCode, UserId};

const HOST: i64 = 1;
const UNIT: i64 = 2;
const OTHER: i64 = 3;

fn organization(number: i64) -> OrganizationId {
    number.try_into().unwrap()
}

fn user(number: i64) -> UserId {
    number.try_into().unwrap()
}

fn region(code: &str) -> RegionCode {
    code.parse().unwrap()
}

fn caller(of: i64, roles: &[Role]) -> Caller {
    Caller {
        user_id: user(7),
        organization_id: organization(of),
        organization_state: OrganizationState::Verified,
        roles: roles.to_vec(),
        region: roles.contains(&Role::RegionAdmin).then(|| region("130600")),
        api_key: None,
    }
}

fn in_state(caller: Caller, organization_state: OrganizationState) -> Caller {
    Caller {
        organization_state,
        ..caller
    }
}

fn by_key(caller: Caller, scopes: &[ApiScope]) -> Caller {
    let id = ApiKeyId::try_from(1).unwrap();
    Caller {
        api_key: Some(ApiKeyGrant {
            id,
            scopes: scopes.to_vec(),
        }),
        ..caller
    }
}

fn listed() -> InstrumentTies {
    InstrumentTies {
        host_organization_id: organization(HOST),
        supervising_region: region("130600"),
        managed_by_caller: false,
        is_public: true,
    }
}

fn draft() -> InstrumentTies {
    InstrumentTies {
        is_public: false,
        ..listed()
    }
}

fn booking() -> BookingTies {
    BookingTies {
        instrument: listed(),
        organization_id: organization(UNIT),
        booked_by: Some(user(7)),
    }
}

/// One line per deed: a letter for each role that may, in the order of `Role::ALL`; then the scope of keys; `*` when an
/// unverified organization may too.
fn table() -> String {
    const LETTERS: &str = "PRAEHFMUm";
    let line = |deed: &Deed| {
        let marks: String = Role::ALL
            .iter()
            .zip(LETTERS.chars())
            .map(|(role, letter)| {
                if deed.roles().contains(role) {
                    letter
                } else {
                    '.'
                }
            })
            .collect();
        let scope = deed.scope().map_or("-", ApiScope::as_str);
        let star = if deed.needs_verified_organization() {
            ""
        } else {
            " *"
        };
        format!("{:<28} {marks} {scope}{star}", deed.as_str())
    };
    Deed::ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_table_of_rights() {
    insta::assert_snapshot!(table());
}

#[test]
fn every_deed_is_somebody_s() {
    for deed in Deed::ALL {
        assert!(!deed.roles().is_empty(), "{deed} has no row");
    }
}

#[test]
fn an_auditor_changes_nothing_and_never_books_whatever_else_the_person_is() {
    for deed in Deed::ALL {
        let everything = caller(HOST, Role::ALL);
        if may(&everything, *deed).is_ok() {
            let account = matches!(
                deed,
                Deed::MeUpdate | Deed::SessionRevoke | Deed::PasswordChange
            );
            assert!(deed.is_read() || account, "{deed}");
        }
    }
}

#[test]
fn a_platform_admin_never_books() {
    let both = caller(HOST, &[Role::PlatformAdmin, Role::UnitAdmin]);
    assert_eq!(may(&both, Deed::BookingRequest), Err(Denied::Forbidden));
    assert_eq!(may(&both, Deed::OrganizationVerify), Ok(()));
    assert_eq!(may(&both, Deed::MemberInvite), Ok(()));
}

#[test]
fn until_verified_people_look_price_and_edit_their_organization() {
    use OrganizationState::{Pending, Refused, Suspended};
    let roles = [Role::UnitAdmin, Role::HostAdmin];
    let own = OrganizationTies {
        organization_id: organization(HOST),
        supervising_region: region("130600"),
        is_public: false,
    };
    for (state, denied) in [
        (Pending, Denied::OrganizationNotVerified),
        (Refused, Denied::OrganizationNotVerified),
        (Suspended, Denied::OrganizationSuspended),
    ] {
        let person = in_state(caller(HOST, &roles), state);
        for deed in [
            Deed::MeRead,
            Deed::PasswordChange,
            Deed::QuoteCreate,
            Deed::BookingCheck,
        ] {
            assert_eq!(may(&person, deed), Ok(()), "{state} {deed}");
        }
        let update = may_on_organization(&person, Deed::OrganizationUpdate, &own);
        assert_eq!(update, Ok(()), "{state}");
        for deed in [
            Deed::BookingRequest,
            Deed::InstrumentCreate,
            Deed::MemberInvite,
            Deed::ApiKeyCreate,
        ] {
            assert_eq!(may(&person, deed), Err(denied), "{state} {deed}");
        }
        assert_eq!(
            may(&person, Deed::OrganizationVerify),
            Err(Denied::Forbidden),
            "{state}"
        );
    }
}

#[test]
fn a_key_does_what_its_scopes_say_and_never_members_or_keys() {
    let key = by_key(caller(UNIT, &[Role::UnitAdmin]), &[ApiScope::BookingsRead]);
    for (deed, answer) in [
        (Deed::BookingRead, Ok(())),
        (Deed::BookingRequest, Err(Denied::ScopeMissing)),
        (Deed::MemberRead, Err(Denied::NotByApiKey)),
        (Deed::ApiKeyCreate, Err(Denied::NotByApiKey)),
        (Deed::PasswordChange, Err(Denied::NotByApiKey)),
        (Deed::InstrumentCreate, Err(Denied::Forbidden)),
    ] {
        assert_eq!(may(&key, deed), answer, "{deed}");
    }
    let all = by_key(caller(HOST, Role::ALL), ApiScope::ALL);
    for deed in Deed::ALL.iter().filter(|deed| deed.scope().is_none()) {
        assert!(may(&all, *deed).is_err(), "{deed}");
    }
}

#[test]
fn what_is_not_listed_is_hidden_from_strangers() {
    let managed = InstrumentTies {
        managed_by_caller: true,
        ..draft()
    };
    for (who, of, ties, answer) in [
        (Role::HostAdmin, HOST, draft(), Ok(())),
        (Role::HostAdmin, OTHER, draft(), Err(Denied::Hidden)),
        (Role::HostAdmin, OTHER, listed(), Err(Denied::Forbidden)),
        (Role::InstrumentManager, HOST, draft(), Err(Denied::Hidden)),
        (
            Role::InstrumentManager,
            HOST,
            listed(),
            Err(Denied::Forbidden),
        ),
        (Role::InstrumentManager, HOST, managed, Ok(())),
        (Role::InstrumentManager, OTHER, managed, Err(Denied::Hidden)),
        (Role::HostFinance, HOST, draft(), Err(Denied::Forbidden)),
        (Role::UnitMember, UNIT, draft(), Err(Denied::Hidden)),
        (Role::UnitMember, UNIT, listed(), Err(Denied::Forbidden)),
        (Role::Auditor, OTHER, draft(), Err(Denied::Forbidden)),
        (Role::Evaluator, OTHER, draft(), Err(Denied::Hidden)),
    ] {
        let found = may_on_instrument(&caller(of, &[who]), Deed::ClosureCreate, &ties);
        assert_eq!(found, answer, "{who} of {of}");
    }
    let member = caller(UNIT, &[Role::UnitMember]);
    let request = |ties| may_on_instrument(&member, Deed::BookingRequest, &ties);
    assert_eq!(request(listed()), Ok(()));
    assert_eq!(request(draft()), Err(Denied::Hidden));
}

#[test]
fn a_region_admin_approves_where_the_region_supervises() {
    for (supervising, answer) in [
        ("130600", Ok(())),
        ("130602", Ok(())),
        ("130000", Err(Denied::Hidden)),
        ("130700", Err(Denied::Hidden)),
    ] {
        let ties = InstrumentTies {
            supervising_region: region(supervising),
            ..draft()
        };
        let admin = caller(OTHER, &[Role::RegionAdmin]);
        let found = may_on_instrument(&admin, Deed::InstrumentApprove, &ties);
        assert_eq!(found, answer, "{supervising}");
        let exemption = may_on_instrument(&admin, Deed::ExemptionDecide, &ties);
        assert!(exemption.is_err(), "{supervising}");
        let pending = OrganizationTies {
            organization_id: organization(HOST),
            supervising_region: region(supervising),
            is_public: false,
        };
        let verify = may_on_organization(&admin, Deed::OrganizationVerify, &pending);
        assert_eq!(verify, answer, "{supervising}");
    }
}

#[test]
fn both_sides_of_a_booking_reach_their_own() {
    let of_colleague = BookingTies {
        booked_by: Some(user(8)),
        ..booking()
    };
    let managed = BookingTies {
        instrument: InstrumentTies {
            managed_by_caller: true,
            ..listed()
        },
        ..booking()
    };
    for (who, of, deed, ties, answer) in [
        (
            Role::UnitMember,
            UNIT,
            Deed::BookingCancel,
            booking(),
            Ok(()),
        ),
        (
            Role::UnitMember,
            UNIT,
            Deed::BookingRead,
            of_colleague,
            Ok(()),
        ),
        (
            Role::UnitMember,
            UNIT,
            Deed::BookingCancel,
            of_colleague,
            Err(Denied::Forbidden),
        ),
        (
            Role::UnitMember,
            OTHER,
            Deed::BookingRead,
            booking(),
            Err(Denied::Hidden),
        ),
        (
            Role::UnitAdmin,
            UNIT,
            Deed::BookingReschedule,
            of_colleague,
            Ok(()),
        ),
        (
            Role::UnitAdmin,
            UNIT,
            Deed::BookingApprove,
            booking(),
            Err(Denied::Forbidden),
        ),
        (
            Role::UnitAdmin,
            HOST,
            Deed::BookingRead,
            booking(),
            Err(Denied::Hidden),
        ),
        (
            Role::HostAdmin,
            HOST,
            Deed::BookingApprove,
            booking(),
            Ok(()),
        ),
        (
            Role::HostAdmin,
            HOST,
            Deed::BookingCancel,
            booking(),
            Ok(()),
        ),
        (
            Role::HostAdmin,
            UNIT,
            Deed::BookingApprove,
            booking(),
            Err(Denied::Hidden),
        ),
        (
            Role::InstrumentManager,
            HOST,
            Deed::BookingStart,
            booking(),
            Err(Denied::Hidden),
        ),
        (
            Role::InstrumentManager,
            HOST,
            Deed::BookingStart,
            managed,
            Ok(()),
        ),
        (
            Role::InstrumentManager,
            HOST,
            Deed::BookingCancel,
            managed,
            Err(Denied::Forbidden),
        ),
        (
            Role::HostFinance,
            HOST,
            Deed::BookingApprove,
            booking(),
            Err(Denied::Hidden),
        ),
        (
            Role::RegionAdmin,
            OTHER,
            Deed::BookingRead,
            booking(),
            Err(Denied::Hidden),
        ),
        (
            Role::PlatformAdmin,
            OTHER,
            Deed::BookingRead,
            booking(),
            Ok(()),
        ),
        (
            Role::PlatformAdmin,
            OTHER,
            Deed::BookingApprove,
            booking(),
            Err(Denied::Forbidden),
        ),
        (Role::Auditor, OTHER, Deed::BookingRead, booking(), Ok(())),
        (
            Role::Auditor,
            OTHER,
            Deed::BookingCancel,
            booking(),
            Err(Denied::Forbidden),
        ),
    ] {
        let found = may_on_booking(&caller(of, &[who]), deed, &ties);
        assert_eq!(found, answer, "{who} of {of} {deed}");
    }
}

#[test]
fn usage_is_confirmed_by_the_unit_and_money_entered_by_finance() {
    let of = |who, of| caller(of, &[who]);
    let usage = |who, at, deed| may_on_usage(&of(who, at), deed, &booking());
    assert_eq!(usage(Role::UnitAdmin, UNIT, Deed::UsageConfirm), Ok(()));
    assert_eq!(
        usage(Role::UnitMember, UNIT, Deed::UsageConfirm),
        Err(Denied::Forbidden)
    );
    assert_eq!(
        usage(Role::HostAdmin, HOST, Deed::UsageConfirm),
        Err(Denied::Forbidden)
    );
    assert_eq!(usage(Role::HostAdmin, HOST, Deed::UsageVoid), Ok(()));
    assert_eq!(usage(Role::UnitMember, UNIT, Deed::ReviewCreate), Ok(()));
    let charge = |who, at, deed| may_on_charge(&of(who, at), deed, &booking());
    assert_eq!(charge(Role::HostFinance, HOST, Deed::ChargeInvoice), Ok(()));
    assert_eq!(
        charge(Role::HostAdmin, HOST, Deed::ChargeInvoice),
        Err(Denied::Forbidden)
    );
    assert_eq!(
        charge(Role::HostFinance, OTHER, Deed::ChargeRead),
        Err(Denied::Hidden)
    );
    assert_eq!(charge(Role::UnitAdmin, UNIT, Deed::ChargePay), Ok(()));
}

#[test]
fn an_unpublished_run_is_the_province_s_secret() {
    for (who, is_published, deed, answer) in [
        (Role::PlatformAdmin, false, Deed::SubsidyPublish, Ok(())),
        (Role::Auditor, false, Deed::SubsidyRead, Ok(())),
        (
            Role::Auditor,
            false,
            Deed::SubsidyPublish,
            Err(Denied::Forbidden),
        ),
        (
            Role::HostAdmin,
            false,
            Deed::SubsidyRead,
            Err(Denied::Hidden),
        ),
        (Role::HostAdmin, true, Deed::SubsidyRead, Ok(())),
        (Role::UnitMember, true, Deed::EvaluationRead, Ok(())),
        (
            Role::HostAdmin,
            true,
            Deed::SubsidyFinalize,
            Err(Denied::Forbidden),
        ),
    ] {
        let found = may_on_run(&caller(HOST, &[who]), deed, is_published);
        assert_eq!(found, answer, "{who} {deed}");
    }
    let explain = |who, of| may_explain_award(&caller(of, &[who]), true, organization(HOST));
    assert_eq!(explain(Role::HostAdmin, HOST), Ok(()));
    assert_eq!(explain(Role::HostAdmin, OTHER), Err(Denied::Forbidden));
    assert_eq!(explain(Role::Auditor, OTHER), Ok(()));
}

#[test]
fn a_list_shows_the_union_of_what_the_roles_reach() {
    let both = caller(HOST, &[Role::HostAdmin, Role::UnitMember]);
    let reach = Reach::of(&both, Deed::BookingRead);
    assert_eq!(
        reach,
        Reach {
            host: Some(organization(HOST)),
            unit: Some(organization(HOST)),
            ..Reach::default()
        }
    );
    assert!(Reach::of(&caller(HOST, &[Role::Evaluator]), Deed::BookingRead).is_empty());
    assert!(Reach::of(&caller(HOST, &[Role::Auditor]), Deed::EventRead).everything);
    let members = Reach::of(&caller(HOST, &[Role::HostFinance]), Deed::OrganizationRead);
    assert_eq!(members.unit, Some(organization(HOST)));
}
