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
        operator: None,
    }
}

/// One line per action: a letter for each role that may, in the order of `Role::ALL`, S for the installation itself or V for
/// visitors; then the scope of keys; `*` when an unverified organization may too; its kind, subject and audience.
fn table() -> String {
    const LETTERS: &str = "PRAEHFMUm";
    let line = |action: &Action| {
        let marks: String = Role::ALL
            .iter()
            .zip(LETTERS.chars())
            .map(|(role, letter)| {
                if action.roles().contains(role) {
                    letter
                } else {
                    '.'
                }
            })
            .collect();
        let scope = action.scope().map_or("-", ApiScope::as_str);
        let star = if action.needs_verified_organization() {
            ""
        } else {
            " *"
        };
        let others = match (action.is_done_by_system(), action.is_open_to_visitors()) {
            (true, _) => "S",
            (false, true) => "V",
            (false, false) => ".",
        };
        let (kind, subject, audience) = (action.kind(), action.subject(), action.audience());
        format!(
            "{:<28} {marks}{others} {scope}{star} {kind:?} of {subject:?}, heard by {audience:?}",
            action.as_str()
        )
    };
    Action::ALL.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_table_of_rights() {
    insta::assert_snapshot!(table());
}

#[test]
fn every_action_is_somebody_s() {
    for action in Action::ALL {
        let is_somebody_s = !action.roles().is_empty() || action.is_done_by_system();
        assert!(
            is_somebody_s || action.kind() == Kind::Consequence,
            "{action}"
        );
    }
}

#[test]
fn an_auditor_changes_nothing_and_never_books_whatever_else_the_person_is() {
    for action in Action::ALL {
        let everything = caller(HOST, Role::ALL);
        if may(&everything, *action).is_ok() {
            let account = action.kind() == Kind::Account;
            assert!(action.is_read() || account, "{action}");
        }
    }
}

#[test]
fn a_platform_admin_never_books() {
    let both = caller(HOST, &[Role::PlatformAdmin, Role::UnitAdmin]);
    assert_eq!(may(&both, Action::BookingRequest), Err(Denied::Forbidden));
    assert_eq!(may(&both, Action::OrganizationVerify), Ok(()));
    assert_eq!(may(&both, Action::MemberInvite), Ok(()));
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
        for action in [
            Action::MeRead,
            Action::PasswordChange,
            Action::QuoteCreate,
            Action::BookingCheck,
        ] {
            assert_eq!(may(&person, action), Ok(()), "{state} {action}");
        }
        let update = may_on_organization(&person, Action::OrganizationUpdate, &own);
        assert_eq!(update, Ok(()), "{state}");
        for action in [
            Action::BookingRequest,
            Action::InstrumentCreate,
            Action::MemberInvite,
            Action::ApiKeyCreate,
        ] {
            assert_eq!(may(&person, action), Err(denied), "{state} {action}");
        }
        assert_eq!(
            may(&person, Action::OrganizationVerify),
            Err(Denied::Forbidden),
            "{state}"
        );
    }
}

#[test]
fn a_key_does_what_its_scopes_say_and_never_members_or_keys() {
    let key = by_key(caller(UNIT, &[Role::UnitAdmin]), &[ApiScope::BookingsRead]);
    for (action, answer) in [
        (Action::BookingGet, Ok(())),
        (Action::BookingRequest, Err(Denied::ScopeMissing)),
        (Action::MemberList, Err(Denied::NotByApiKey)),
        (Action::ApiKeyCreate, Err(Denied::NotByApiKey)),
        (Action::PasswordChange, Err(Denied::NotByApiKey)),
        (Action::InstrumentCreate, Err(Denied::Forbidden)),
    ] {
        assert_eq!(may(&key, action), answer, "{action}");
    }
    let all = by_key(caller(HOST, Role::ALL), ApiScope::ALL);
    let is_public = |action: &Action| action.is_read() && action.is_open_to_visitors();
    for action in Action::ALL.iter().filter(|action| action.scope().is_none()) {
        assert_eq!(may(&all, *action).is_ok(), is_public(action), "{action}");
    }
}

/// None can be asked for that is good for nothing.
#[test]
fn every_scope_is_some_action_s() {
    for scope in ApiScope::ALL {
        let is_used = Action::ALL
            .iter()
            .any(|action| action.scope() == Some(*scope));
        assert!(is_used, "{scope}");
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
        let found = may_on_instrument(&caller(of, &[who]), Action::ClosureCreate, &ties);
        assert_eq!(found, answer, "{who} of {of}");
    }
    let member = caller(UNIT, &[Role::UnitMember]);
    let request = |ties| may_on_instrument(&member, Action::BookingRequest, &ties);
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
        let found = may_on_instrument(&admin, Action::InstrumentApprove, &ties);
        assert_eq!(found, answer, "{supervising}");
        let exemption = may_on_instrument(&admin, Action::ExemptionApprove, &ties);
        assert!(exemption.is_err(), "{supervising}");
        let pending = OrganizationTies {
            organization_id: organization(HOST),
            supervising_region: region(supervising),
            is_public: false,
        };
        let verify = may_on_organization(&admin, Action::OrganizationVerify, &pending);
        assert_eq!(verify, answer, "{supervising}");
    }
}

#[test]
fn both_sides_of_a_booking_reach_their_own() {
    use Action::*;
    use Role::*;
    const FORBIDDEN: Result<(), Denied> = Err(Denied::Forbidden);
    const HIDDEN: Result<(), Denied> = Err(Denied::Hidden);
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
    let elsewhere = BookingTies {
        instrument: InstrumentTies {
            supervising_region: "139000".parse().unwrap(),
            ..listed()
        },
        ..booking()
    };
    for (who, of, action, ties, answer) in [
        (UnitMember, UNIT, BookingCancel, booking(), Ok(())),
        (UnitMember, UNIT, BookingGet, of_colleague, Ok(())),
        (UnitMember, UNIT, BookingCancel, of_colleague, FORBIDDEN),
        (UnitMember, OTHER, BookingGet, booking(), HIDDEN),
        (UnitAdmin, UNIT, BookingReschedule, of_colleague, Ok(())),
        (UnitAdmin, UNIT, BookingApprove, booking(), FORBIDDEN),
        (UnitAdmin, HOST, BookingGet, booking(), HIDDEN),
        (HostAdmin, HOST, BookingApprove, booking(), Ok(())),
        (HostAdmin, HOST, BookingCancel, booking(), Ok(())),
        (HostAdmin, UNIT, BookingApprove, booking(), HIDDEN),
        (InstrumentManager, HOST, BookingStart, booking(), HIDDEN),
        (InstrumentManager, HOST, BookingStart, managed, Ok(())),
        (InstrumentManager, HOST, BookingCancel, managed, Ok(())),
        (HostFinance, HOST, BookingApprove, booking(), HIDDEN),
        (RegionAdmin, OTHER, BookingGet, booking(), Ok(())),
        (RegionAdmin, OTHER, BookingCancel, booking(), FORBIDDEN),
        (RegionAdmin, OTHER, BookingGet, elsewhere, HIDDEN),
        (PlatformAdmin, OTHER, BookingGet, booking(), Ok(())),
        (PlatformAdmin, OTHER, BookingApprove, booking(), FORBIDDEN),
        (Auditor, OTHER, BookingGet, booking(), Ok(())),
        (Auditor, OTHER, BookingCancel, booking(), FORBIDDEN),
    ] {
        let found = may_on_booking(&caller(of, &[who]), action, &ties);
        assert_eq!(found, answer, "{who} of {of} {action}");
    }
}

#[test]
fn usage_is_confirmed_by_the_unit_and_money_entered_by_finance() {
    let of = |who, of| caller(of, &[who]);
    let usage = |who, at, action| may_on_usage(&of(who, at), action, &booking());
    assert_eq!(
        usage(Role::UnitAdmin, UNIT, Action::UsageRecordConfirm),
        Ok(())
    );
    assert_eq!(
        usage(Role::UnitMember, UNIT, Action::UsageRecordConfirm),
        Err(Denied::Forbidden)
    );
    assert_eq!(
        usage(Role::HostAdmin, HOST, Action::UsageRecordConfirm),
        Err(Denied::Forbidden)
    );
    assert_eq!(
        usage(Role::HostAdmin, HOST, Action::UsageRecordVoid),
        Ok(())
    );
    assert_eq!(usage(Role::UnitMember, UNIT, Action::ReviewCreate), Ok(()));
    let charge = |who, at, action| may_on_charge(&of(who, at), action, &booking());
    assert_eq!(
        charge(Role::HostFinance, HOST, Action::ChargeInvoice),
        Ok(())
    );
    assert_eq!(charge(Role::HostAdmin, HOST, Action::ChargeInvoice), Ok(()));
    assert_eq!(
        charge(Role::HostFinance, OTHER, Action::ChargeGet),
        Err(Denied::Hidden)
    );
    assert_eq!(charge(Role::UnitAdmin, UNIT, Action::ChargePay), Ok(()));
    assert_eq!(
        charge(Role::UnitAdmin, UNIT, Action::PaymentReceive),
        Err(Denied::Forbidden)
    );
}

#[test]
fn an_unpublished_run_is_the_province_s_secret() {
    for (who, is_published, action, answer) in [
        (Role::PlatformAdmin, false, Action::SubsidyPublish, Ok(())),
        (Role::Auditor, false, Action::SubsidyGet, Ok(())),
        (
            Role::Auditor,
            false,
            Action::SubsidyPublish,
            Err(Denied::Forbidden),
        ),
        (
            Role::HostAdmin,
            false,
            Action::SubsidyGet,
            Err(Denied::Hidden),
        ),
        (Role::HostAdmin, true, Action::SubsidyGet, Ok(())),
        (Role::UnitMember, true, Action::EvaluationGet, Ok(())),
        (
            Role::HostAdmin,
            true,
            Action::SubsidyFinalize,
            Err(Denied::Forbidden),
        ),
    ] {
        let found = may_on_run(&caller(HOST, &[who]), action, is_published);
        assert_eq!(found, answer, "{who} {action}");
    }
    let explain = |who, of| {
        let who = caller(of, &[who]);
        may_explain(&who, Action::SubsidyExplain, true, organization(HOST))
    };
    assert_eq!(explain(Role::HostAdmin, HOST), Ok(()));
    assert_eq!(explain(Role::HostAdmin, OTHER), Err(Denied::Forbidden));
    assert_eq!(explain(Role::Auditor, OTHER), Ok(()));
}

#[test]
fn a_list_shows_the_union_of_what_the_roles_reach() {
    let both = caller(HOST, &[Role::HostAdmin, Role::UnitMember]);
    let reach = Reach::of(&both, Action::BookingGet);
    assert_eq!(
        reach,
        Reach {
            host: Some(organization(HOST)),
            unit: Some(organization(HOST)),
            ..Reach::default()
        }
    );
    assert!(Reach::of(&caller(HOST, &[Role::Evaluator]), Action::BookingGet).is_empty());
    assert!(Reach::of(&caller(HOST, &[Role::Auditor]), Action::EventList).everything);
    let members = Reach::of(
        &caller(HOST, &[Role::HostFinance]),
        Action::OrganizationRead,
    );
    assert_eq!(members.unit, Some(organization(HOST)));
}

#[test]
fn who_operates_a_booking_starts_and_finishes_it_whoever_booked() {
    let operated = BookingTies {
        operator: Some(user(7)),
        booked_by: Some(user(8)),
        ..booking()
    };
    for action in [Action::BookingStart, Action::BookingFinish] {
        for role in [Role::UnitAdmin, Role::UnitMember] {
            let may = |of, ties: &BookingTies| may_on_booking(&caller(of, &[role]), action, ties);
            assert_eq!(may(UNIT, &operated), Ok(()), "{action} by {role}");
            // Neither who booked nor the unit's administrator, nor a namesake elsewhere.
            assert_eq!(may(UNIT, &booking()), Err(Denied::Forbidden));
            assert_eq!(may(OTHER, &operated), Err(Denied::Hidden));
        }
    }
    let member = caller(UNIT, &[Role::UnitMember]);
    for action in [
        Action::BookingNoShow,
        Action::BookingApprove,
        Action::BookingCancel,
    ] {
        assert_eq!(
            may_on_booking(&member, action, &operated),
            Err(Denied::Forbidden),
            "{action}"
        );
    }
}
