//! Who comes in by an invitation, whose address is whose, and how often a password may be tried.

use serde_json::{Value, json};
use yiqi::domain::OrganizationId;
use yiqi::domain::organization::OrganizationState;
use yiqi::error::AppError;
use yiqi::operations::actor::Actor;
use yiqi::operations::invitation;
use yiqi::operations::session::{self, Credentials};
use yiqi::store;
use yiqi::store::organization::NewOrganization;

use crate::account::{application, patch, register, sign_in, signed_in, uscc};
use crate::both;
use crate::client::{Answer, Client};
use crate::world::*;

const NEW_PASSWORD: &str = "a-new-and-good-one";

fn members(organization: impl std::fmt::Display) -> String {
    format!("/api/v1/organizations/{organization}/members")
}

fn invite(client: &Client, unit: impl std::fmt::Display, email: &str, roles: &[&str]) -> Answer {
    client.post(&members(unit), json!({"email": email, "roles": roles}))
}

fn accept(app: &TestApp, invited: &Answer, password: &str) -> Answer {
    let body = json!({"invitation_token": invited["invitation_token"], "name": "阿明", "password": password});
    app.visitor().post("/api/v1/auth/invitations/accept", body)
}

/// A verified unit of Baoding without people, as an import makes it.
fn unit_without_people(app: &TestApp) -> OrganizationId {
    let (mut facts, _) = crate::people::organizations().remove(3);
    facts.uscc = uscc(900).parse().unwrap();
    facts.region_code = "130602".parse().unwrap();
    facts.supervising_region_code = "130600".parse().unwrap();
    let new = NewOrganization {
        facts,
        uscc_confirmed: true,
        is_sme: false,
        state: OrganizationState::Verified,
        now: app.now(),
    };
    app.write(move |tx| Ok(store::organization::insert(tx, &new)?))
}

/// One sign-in from an address.
fn try_from(app: &TestApp, address: &str, login: &str, password: &str) -> Result<(), AppError> {
    let actor = Actor::visitor(app.now()).from_address(address.parse().ok());
    let credentials = Credentials {
        login: login.to_owned(),
        password: password.to_owned(),
        user_agent: None,
    };
    app.block_on(session::login(&app.app, &actor, Ok(credentials)))
        .map(|_| ())
}

fn is_locked(outcome: &Result<(), AppError>) -> bool {
    matches!(outcome, Err(AppError::TooMany { .. }))
}

fn failed_sign_ins(app: &TestApp) -> Vec<Value> {
    app.settle();
    let list = app
        .as_admin()
        .get("/api/v1/events?limit=200")
        .expect_status(200);
    let all = list["items"].as_array().unwrap().iter();
    all.filter(|event| event["action"] == "session_refuse")
        .cloned()
        .collect()
}

both! {
    fn who_supervises_a_unit_without_an_administrator_invites_one(app: &TestApp) {
        let unit = unit_without_people(app);
        let city = app.as_person(CITY_ADMIN);
        invite(&app.as_company(), unit, "x@imported.example", &["unit_admin"]).expect_code(403, "forbidden");
        invite(&city, unit, "x@imported.example", &["unit_member"]).expect_code(422, "role_not_grantable");
        invite(&city, unit, "x@imported.example", &["unit_admin", "region_admin"]).expect_code(422, "role_not_grantable");
        invite(&city, app.organization_id(OTHER_HOST), "x@imported.example", &["unit_admin"]).expect_code(403, "forbidden");
        let first = invite(&city, unit, "x@imported.example", &["unit_admin"]).expect_status(201);
        let other = invite(&app.as_admin(), unit, "y@imported.example", &["unit_admin"]).expect_status(201);
        accept(app, &first, NEW_PASSWORD).expect_status(201);
        accept(app, &other, NEW_PASSWORD).expect_code(422, "invitation_invalid");
        for administration in [&city, &app.as_admin()] {
            invite(administration, unit, "z@imported.example", &["unit_admin"]).expect_code(409, "unit_has_admin");
        }
        let head = signed_in(app, "x@imported.example", NEW_PASSWORD);
        invite(&head, unit, "z@imported.example", &["unit_member"]).expect_status(201);
    }

    /// Also one who is the city's and its agency's administrator at once.
    fn an_office_gives_no_rights_within_foreign_units(app: &TestApp) {
        let unit = unit_without_people(app);
        app.write(|tx| {
            let city = store::user::find_by_login(tx, CITY_ADMIN.login)?.unwrap();
            let roles = [yiqi::domain::access::Role::RegionAdmin, yiqi::domain::access::Role::UnitAdmin];
            Ok(store::user::update_membership(tx, &city, city.organization_id, &roles, city.state, city.updated_at)?)
        });
        let city = app.as_person(CITY_ADMIN);
        invite(&city, unit, "x@imported.example", &["unit_member"]).expect_code(422, "role_not_grantable");
        invite(&city, unit, "x@imported.example", &["unit_admin"]).expect_status(201);
        invite(&city, app.organization_id(CITY), "colleague@city.example", &["unit_member"]).expect_status(201);
    }

    fn an_administrator_who_left_or_forgot_is_no_dead_end(app: &TestApp) {
        let unit = app.organization_id(COMPANY);
        let (admin, before) = (app.as_admin(), signed_in(app, BOSS.login, PASSWORD));
        invite(&admin, unit, "next@company.example", &["unit_admin"]).expect_code(409, "unit_has_admin");
        let forgot = invite(&admin, unit, BOSS.login, &["unit_admin"]).expect_status(201);
        accept(app, &forgot, NEW_PASSWORD).expect_status(201);
        before.get("/api/v1/me").expect_code(401, "session_revoked");
        signed_in(app, BOSS.login, NEW_PASSWORD).get("/api/v1/me").expect_status(200);
        admin.delete(&format!("{}/{}", members(unit), app.user_id(BOSS))).expect_status(204);
        let next = invite(&admin, unit, "next@company.example", &["unit_admin"]).expect_status(201);
        accept(app, &next, NEW_PASSWORD).expect_status(201);
        let next = signed_in(app, "next@company.example", NEW_PASSWORD);
        next.get(&members(unit)).expect_status(200);
    }

    fn the_command_line_invites_by_the_code(app: &TestApp) {
        let asked = |uscc: &str| {
            let email = "first@university.example".to_owned();
            app.block_on(invitation::invite_administrator(&app.app, uscc.parse().unwrap(), email, app.now()))
        };
        assert!(matches!(asked(&uscc(901)), Err(AppError::NotFound)));
        assert!(matches!(asked(UNIVERSITY), Err(AppError::Conflict(_))), "it has an administrator");
        let unit = unit_without_people(app);
        let made = asked(&uscc(900)).unwrap();
        assert_eq!((made.invitation.organization_id, made.invitation.invited_by), (unit, None));
        let body = json!({"invitation_token": made.token, "name": "阿明", "password": NEW_PASSWORD});
        let joined = app.visitor().post("/api/v1/auth/invitations/accept", body).expect_status(201);
        assert_eq!(joined["roles"], json!(["unit_admin"]));
    }

    fn the_own_unit_gives_a_forgotten_password_anew(app: &TestApp) {
        let (unit, boss) = (app.organization_id(COMPANY), app.as_company());
        let before = signed_in(app, ENGINEER.login, PASSWORD);
        let forgot = invite(&boss, unit, ENGINEER.login, &["unit_member"]).expect_status(201);
        before.get("/api/v1/me").expect_status(200);
        accept(app, &forgot, "engineer-2026").expect_code(422, "password_contains_name");
        let again = accept(app, &forgot, NEW_PASSWORD).expect_status(201);
        assert_eq!((again.id(), &again["name"]), (app.user_id(ENGINEER).number(), &json!("阿明")));
        before.get("/api/v1/me").expect_code(401, "session_revoked");
        sign_in(app, ENGINEER.login, PASSWORD).expect_code(401, "wrong_credentials");
        sign_in(app, ENGINEER.login, NEW_PASSWORD).expect_status(200);
        accept(app, &forgot, NEW_PASSWORD).expect_code(422, "invitation_invalid");
        app.settle();
        let events = boss.get("/api/v1/events?limit=200").expect_status(200);
        let told = events["items"].as_array().unwrap().iter().any(|event| event["action"] == "password_reset");
        assert!(told, "{events:?}");
        // The own password needs the present one, also for who has the session.
        invite(&boss, unit, BOSS.login, &["unit_admin"]).expect_code(409, "login_taken");
        invite(&app.as_stranger(), app.organization_id(OTHER_COMPANY), ENGINEER.login, &["unit_member"]).expect_code(409, "login_taken");
    }

    /// Whose roles a unit cannot take, it gives no password.
    fn a_unit_resets_no_office(app: &TestApp) {
        let unit = app.organization_id(COMPANY);
        app.write(|tx| {
            let colleague = store::user::find_by_login(tx, COLLEAGUE.login)?.unwrap();
            let roles = [yiqi::domain::access::Role::Evaluator];
            Ok(store::user::update_membership(tx, &colleague, colleague.organization_id, &roles, colleague.state, colleague.updated_at)?)
        });
        invite(&app.as_company(), unit, COLLEAGUE.login, &["unit_member"]).expect_code(422, "role_not_grantable");
    }

    fn who_was_removed_is_told_so_and_needs_no_old_password_to_come_back(app: &TestApp) {
        let (unit, boss) = (app.organization_id(COMPANY), app.as_company());
        boss.delete(&format!("{}/{}", members(unit), app.user_id(ENGINEER))).expect_status(204);
        let told = sign_in(app, ENGINEER.login, PASSWORD).expect_code(403, "membership_ended");
        assert!(told["detail"].as_str().unwrap().contains("invitation"));
        let back = invite(&boss, unit, ENGINEER.login, &["unit_member"]).expect_status(201);
        let joined = accept(app, &back, NEW_PASSWORD).expect_status(201);
        assert_eq!(joined.id(), app.user_id(ENGINEER).number());
        sign_in(app, ENGINEER.login, NEW_PASSWORD).expect_status(200);
    }

    fn an_invitation_wins_over_an_account_that_no_verified_unit_has(app: &TestApp) {
        let mut squatting = application(1);
        squatting["user"]["email"] = json!("wanted@company.example");
        app.visitor().post("/api/v1/auth/register", squatting).expect_status(201);
        let squatter = signed_in(app, "wanted@company.example", "a-good-password");
        let invited = invite(&app.as_company(), app.organization_id(COMPANY), "wanted@company.example", &["unit_member"]).expect_status(201);
        let joined = accept(app, &invited, NEW_PASSWORD).expect_status(201);
        squatter.get("/api/v1/me").expect_code(401, "session_revoked");
        sign_in(app, "wanted@company.example", "a-good-password").expect_code(401, "wrong_credentials");
        let me = signed_in(app, "wanted@company.example", NEW_PASSWORD).get("/api/v1/me").expect_status(200);
        assert_eq!((&me["id"], &me["organization_id"]), (&joined["id"], &json!(app.organization_id(COMPANY))));
    }

    fn who_is_not_verified_keeps_nobody_from_a_login_or_a_code(app: &TestApp) {
        let first = register(app, 1).expect_status(201);
        let second = register(app, 1).expect_status(201);
        let mut third = application(2);
        third["organization"]["uscc"] = json!(uscc(1));
        let third = app.visitor().post("/api/v1/auth/register", third).expect_status(201);
        let id = |made: &Answer| made["organization"]["id"].as_i64().unwrap();
        assert_eq!(3, std::collections::BTreeSet::from([id(&first), id(&second), id(&third)]).len());
        let path = |made: &Answer| format!("/api/v1/organizations/{}", id(made));
        let admin = app.as_admin();
        let verified = admin.post(&format!("{}/verify", path(&second)), json!({})).expect_status(200);
        assert_eq!(verified["state"], "verified");
        for rival in [&first, &third] {
            let refused = admin.get(&path(rival)).expect_status(200);
            assert_eq!(refused["state"], "refused");
            assert!(refused["state_reason"].is_string());
        }
        register(app, 1).expect_code(409, "organization_exists");
        let mut elsewhere = application(5);
        elsewhere["user"]["email"] = json!("new1@new.example");
        app.visitor().post("/api/v1/auth/register", elsewhere).expect_code(409, "login_taken");
        let loser = signed_in(app, "new2@new.example", "a-good-password");
        let own = loser.get(&path(&third)).expect_status(200);
        patch(&loser, &path(&third), own.etag(), json!({"name": "另一个名字"})).expect_code(409, "organization_exists");
        patch(&loser, &path(&third), own.etag(), json!({"uscc": uscc(7)})).expect_status(200);
        // A refused organization needs no administrator, and its people are nobody's.
        let mut moved = application(8);
        moved["user"]["email"] = json!("new2@new.example");
        admin.post(&format!("{}/refuse", path(&third)), json!({"reason": "无效"})).expect_status(200);
        let user = third["user"]["id"].as_i64().unwrap();
        admin.delete(&format!("{}/{user}", members(id(&third)))).expect_status(204);
        app.visitor().post("/api/v1/auth/register", moved).expect_status(201);
    }

    fn the_later_of_two_that_are_verified_at_once_is_refused(app: &TestApp) {
        let first = register(app, 1).expect_status(201);
        let mut second = application(2);
        second["organization"]["uscc"] = json!(uscc(1));
        let second = app.visitor().post("/api/v1/auth/register", second).expect_status(201);
        let admin = app.as_admin();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let racing: Vec<_> = [&first, &second]
                .map(|made| format!("/api/v1/organizations/{}/verify", made["organization"]["id"]))
                .map(|path| scope.spawn({ let admin = admin.clone(); move || admin.post(&path, json!({})).status }))
                .into_iter()
                .collect();
            racing.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 1, "{statuses:?}");
    }

    fn invitations_are_listed_and_withdrawn(app: &TestApp) {
        let (unit, boss) = (app.organization_id(COMPANY), app.as_company());
        let list = format!("/api/v1/organizations/{unit}/invitations");
        let made = invite(&boss, unit, "a@company.example", &["unit_member"]).expect_status(201);
        let anew = invite(&boss, unit, "a@company.example", &["unit_member"]).expect_status(201);
        accept(app, &made, NEW_PASSWORD).expect_code(422, "invitation_invalid");
        let other = invite(&boss, unit, "b@company.example", &["unit_member"]).expect_status(201);
        let open = boss.get(&list).expect_status(200);
        let told: Vec<_> = open["items"].as_array().unwrap().iter().map(|one| (one["id"].clone(), one["email"].clone())).collect();
        assert_eq!(told, [(anew["id"].clone(), json!("a@company.example")), (other["id"].clone(), json!("b@company.example"))]);
        assert!(open["items"][0].get("invitation_token").is_none());
        app.as_person(ENGINEER).get(&list).expect_code(403, "forbidden");
        app.as_stranger().get(&list).expect_code(403, "forbidden");
        let one = format!("{list}/{}", anew["id"]);
        app.as_stranger().delete(&one).expect_code(403, "forbidden");
        boss.delete(&one).expect_status(204);
        boss.delete(&one).expect_code(404, "not_found");
        accept(app, &anew, NEW_PASSWORD).expect_code(422, "invitation_invalid");
        app.advance(7 * 24 * 60);
        assert_eq!(boss.get(&list).expect_status(200)["items"], json!([]));
    }

    fn of_many_guesses_at_once_five_are_judged(app: &TestApp) {
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let guesses: Vec<_> = (0..40).map(|_| scope.spawn(|| sign_in(app, BOSS.login, "wrong-one-9").status)).collect();
            guesses.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let judged = answers.iter().filter(|status| **status == 401).count();
        assert_eq!((judged, answers.iter().filter(|status| **status == 429).count()), (5, 35), "{answers:?}");
        let failed = failed_sign_ins(app);
        assert_eq!(failed.len(), 5);
        assert!(failed.iter().all(|event| event["subject_id"] == app.user_id(BOSS).number()));
        assert_eq!(failed.iter().filter(|event| event["after"]["locked"] == true).count(), 1);
    }

    fn right_passwords_are_no_failures(app: &TestApp) {
        for _ in 0..12 {
            assert!(try_from(app, "203.0.113.1", BOSS.login, PASSWORD).is_ok());
        }
        for _ in 0..4 {
            assert!(matches!(try_from(app, "203.0.113.1", BOSS.login, "wrong"), Err(AppError::Unauthenticated(_))));
        }
        assert!(try_from(app, "203.0.113.1", BOSS.login, PASSWORD).is_ok());
        assert!(matches!(try_from(app, "203.0.113.1", BOSS.login, "wrong"), Err(AppError::Unauthenticated(_))));
        assert!(try_from(app, "203.0.113.1", BOSS.login, PASSWORD).is_ok());
    }

    fn guesses_from_elsewhere_lock_nobody_out(app: &TestApp) {
        assert!(try_from(app, "203.0.113.1", ADMIN.login, PASSWORD).is_ok());
        for number in 0..20 {
            for _ in 0..5 {
                let guess = try_from(app, &format!("198.51.100.{number}"), ADMIN.login, "wrong");
                assert!(matches!(guess, Err(AppError::Unauthenticated(_))), "{guess:?}");
            }
        }
        // Everywhere but where it signed in from before; for an hour.
        assert!(is_locked(&try_from(app, "198.51.100.200", ADMIN.login, PASSWORD)));
        assert!(try_from(app, "203.0.113.1", ADMIN.login, PASSWORD).is_ok());
        app.advance(60);
        assert!(try_from(app, "198.51.100.200", ADMIN.login, PASSWORD).is_ok());
    }

    fn a_signed_in_person_changes_the_password_whoever_guesses(app: &TestApp) {
        let here = signed_in(app, BOSS.login, PASSWORD);
        let change = |current: &str| {
            here.post("/api/v1/auth/password/change", json!({"current_password": current, "new_password": NEW_PASSWORD}))
        };
        for _ in 0..6 {
            sign_in(app, BOSS.login, "wrong-one-9");
        }
        sign_in(app, BOSS.login, PASSWORD).expect_code(429, "locked_out");
        for _ in 0..4 {
            change("wrong-one-9").expect_code(422, "wrong_password");
        }
        change(PASSWORD).expect_status(204);
        // A stolen session guesses no more than anybody.
        for _ in 0..5 {
            change("wrong-one-9").expect_code(422, "wrong_password");
        }
        change(NEW_PASSWORD).expect_code(429, "locked_out");
    }

    fn a_password_change_ends_api_keys_on_request(app: &TestApp) {
        let boss = signed_in(app, BOSS.login, PASSWORD);
        let key = |name: &str| {
            let made = boss.post("/api/v1/api-keys", json!({"name": name, "scopes": ["catalog:read"]})).expect_status(201);
            app.visitor().with_token(made["secret"].as_str().unwrap())
        };
        let (kept, own) = (key("LIMS"), format!("/api/v1/organizations/{}", app.organization_id(COMPANY)));
        let change = |current: &str, new: &str, ends: bool| {
            let body = json!({"current_password": current, "new_password": new, "end_api_keys": ends});
            boss.post("/api/v1/auth/password/change", body).expect_status(204)
        };
        change(PASSWORD, NEW_PASSWORD, false);
        kept.get(&own).expect_status(200);
        change(NEW_PASSWORD, "another-password", true);
        kept.get(&own).expect_code(401, "invalid_token");
    }

    fn sessions_and_keys_of_a_person_are_bounded_and_ended_ones_go(app: &TestApp) {
        let first = signed_in(app, BOSS.login, PASSWORD);
        app.advance(1);
        for _ in 0..49 {
            assert!(try_from(app, "203.0.113.1", BOSS.login, PASSWORD).is_ok());
        }
        first.get("/api/v1/me").expect_status(200);
        let last = signed_in(app, BOSS.login, PASSWORD);
        first.get("/api/v1/me").expect_code(401, "session_revoked");
        let open = last.get("/api/v1/me/sessions?limit=200").expect_status(200);
        assert_eq!(open["items"].as_array().unwrap().len(), 50);
        let make = || last.post("/api/v1/api-keys", json!({"name": "LIMS", "scopes": ["catalog:read"]}));
        for _ in 0..50 {
            make().expect_status(201);
        }
        make().expect_code(409, "too_many_keys");
        app.advance(800 * 24 * 60);
        app.block_on(yiqi::operations::retention::forget(&app.app, app.now())).unwrap();
        let boss = app.user_id(BOSS);
        let left = app.read(move |conn| {
            let unit = store::user::get(conn, boss)?.organization_id.unwrap();
            let keys = store::api_key::list_of(conn, unit, None, 100)?;
            Ok((keys.len(), store::session::list_open(conn, boss, "2020-01-01T00:00:00Z".parse().unwrap())?.len()))
        });
        assert_eq!(left, (0, 0));
    }
}
