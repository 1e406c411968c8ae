//! People: how they come in, prove who they are, and what their keys may do.

use serde_json::{Value, json};
use yiqi::domain::Uscc;
use yiqi::domain::instrument::InstrumentState;
use yiqi::error::AppError;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

/// A code of the right form whose check character fits.
pub fn uscc(number: u32) -> String {
    let stem = format!("91130100MA0{number:06}");
    let odd = Uscc::parse(&format!("{stem}0")).unwrap();
    format!("{stem}{}", odd.check_character().unwrap())
}

/// What a new company asks for; each test changes a field or two.
pub fn application(number: u32) -> Value {
    json!({
        "organization": {"name": "新来科技有限公司", "kind": "enterprise", "uscc": uscc(number), "region_code": "130602"},
        "user": {"name": "新来", "email": format!("new{number}@new.example"), "password": "a-good-password"},
    })
}

pub fn register(app: &TestApp, number: u32) -> Answer {
    app.visitor()
        .post("/api/v1/auth/register", application(number))
}

pub fn sign_in(app: &TestApp, email: &str, password: &str) -> Answer {
    app.visitor().post(
        "/api/v1/auth/login",
        json!({"email": email, "password": password}),
    )
}

pub fn signed_in(app: &TestApp, email: &str, password: &str) -> Client {
    let tokens = sign_in(app, email, password).expect_status(200);
    app.visitor()
        .with_token(tokens["access_token"].as_str().unwrap())
}

/// PATCH with a version.
pub fn patch(client: &Client, path: &str, version: &str, body: impl serde::Serialize) -> Answer {
    client
        .request(ureq::http::Method::PATCH, path)
        .header("if-match", version)
        .json(body)
        .send()
}

both! {
    fn a_new_organization_is_pending_and_its_first_user_speaks_for_it(app: &TestApp) {
        let made = register(app, 1).expect_status(201);
        assert_eq!(made["organization"]["state"], "pending");
        assert_eq!(made["organization"]["supervising_region_code"], "130600");
        assert_eq!(made["user"]["roles"], json!(["unit_admin"]));
        let mut hospital = application(2);
        hospital["organization"]["kind"] = json!("hospital");
        let made = app.visitor().post("/api/v1/auth/register", hospital).expect_status(201);
        assert_eq!(made["user"]["roles"], json!(["unit_admin", "host_admin"]));
        assert_eq!(made["organization"]["is_host"], true);
        let newcomer = signed_in(app, "NEW1@new.example", "a-good-password");
        assert_eq!(newcomer.get("/api/v1/me").expect_status(200)["email"], "new1@new.example");
        newcomer
            .post("/api/v1/api-keys", json!({"name": "LIMS", "scopes": ["catalog:read"]}))
            .expect_code(403, "organization_not_verified");
    }

    fn known_codes_and_logins_are_conflicts_and_faults_come_together(app: &TestApp) {
        register(app, 1).expect_status(201);
        let made = &register(app, 2).expect_status(201)["organization"]["id"];
        app.as_admin().post(&format!("/api/v1/organizations/{made}/verify"), json!({})).expect_status(200);
        register(app, 2).expect_code(409, "organization_exists");
        let mut second = application(3);
        second["user"]["email"] = json!("New2@New.example");
        app.visitor().post("/api/v1/auth/register", second).expect_code(409, "login_taken");
        let mut odd = application(3);
        odd["organization"]["uscc"] = json!("91130100MA00000030");
        odd["organization"]["name"] = json!(" ");
        odd["organization"]["region_code"] = json!("130699");
        odd["user"]["password"] = json!("short");
        let refused = app.visitor().post("/api/v1/auth/register", &odd).expect_status(422);
        let told: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|e| (e["field"].clone(), e["code"].clone())).collect();
        let expected = [
            ("organization.name", "required"),
            ("organization.uscc", "uscc_check_failed"),
            ("organization.region_code", "unknown_region"),
            ("user.password", "password_too_short"),
        ];
        assert_eq!(told, expected.map(|(field, code)| (json!(field), json!(code))));
        let mut elsewhere = application(4);
        elsewhere["organization"]["supervising_region_code"] = json!("130700");
        let told = app.visitor().post("/api/v1/auth/register", &elsewhere).expect_code(422, "read_only");
        assert_eq!(told["errors"][0]["field"], "organization.supervising_region_code");
        elsewhere["organization"]["supervising_region_code"] = json!("130600");
        app.visitor().post("/api/v1/auth/register", &elsewhere).expect_status(201);
        odd["organization"]["name"] = json!("有据可查公司");
        odd["organization"]["uscc_confirmed"] = json!(true);
        odd["organization"]["region_code"] = json!("130602");
        odd["user"]["password"] = json!("a-good-password");
        app.visitor().post("/api/v1/auth/register", odd).expect_status(201);
    }

    fn refreshing_twice_at_once_ends_the_session(app: &TestApp) {
        let first = sign_in(app, BOSS.login, PASSWORD).expect_status(200);
        let body = json!({"refresh_token": first["refresh_token"]});
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let racing: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| app.visitor().post("/api/v1/auth/refresh", &body)))
                .collect();
            racing.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
        let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
        app.visitor()
            .post("/api/v1/auth/refresh", json!({"refresh_token": winner["refresh_token"]}))
            .expect_code(401, "session_revoked");
    }

    fn guesses_sent_at_once_are_all_counted(app: &TestApp) {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let answer = sign_in(app, "nobody@nowhere.example", "wrong");
                    assert!([401, 429].contains(&answer.status), "{}", answer.text());
                });
            }
        });
        sign_in(app, "nobody@nowhere.example", "wrong").expect_code(429, "locked_out");
    }

    fn a_new_password_ends_every_other_session(app: &TestApp) {
        let here = signed_in(app, BOSS.login, PASSWORD);
        let there = signed_in(app, BOSS.login, PASSWORD);
        let change = |current: &str, new: &str| {
            here.post("/api/v1/auth/password/change", json!({"current_password": current, "new_password": new}))
        };
        change("wrong-password", "another-password").expect_code(422, "wrong_password");
        change(PASSWORD, "1").expect_code(422, "password_too_short");
        change(PASSWORD, "another-password").expect_status(204);
        there.get("/api/v1/me").expect_code(401, "session_revoked");
        here.get("/api/v1/me").expect_status(200);
        sign_in(app, BOSS.login, PASSWORD).expect_code(401, "wrong_credentials");
        sign_in(app, BOSS.login, "another-password").expect_status(200);
    }

    fn people_see_and_end_their_own_sessions_only(app: &TestApp) {
        let here = signed_in(app, BOSS.login, PASSWORD);
        let there = signed_in(app, BOSS.login, PASSWORD);
        let stranger = app.as_stranger();
        let list = here.get("/api/v1/me/sessions").expect_status(200);
        let sessions = list["items"].as_array().unwrap().clone();
        assert_eq!(sessions.len(), 2);
        let other = sessions.iter().find(|session| session["is_current"] == false).unwrap();
        let path = format!("/api/v1/me/sessions/{}", other["id"]);
        stranger.delete(&path).expect_code(404, "not_found");
        here.delete(&path).expect_status(204);
        there.get("/api/v1/me").expect_code(401, "session_revoked");
        here.delete(&path).expect_code(404, "not_found");
        here.delete("/api/v1/me/sessions").expect_status(204);
        here.get("/api/v1/me").expect_code(401, "session_revoked");
    }

    fn what_one_says_of_oneself_changes_with_its_version(app: &TestApp) {
        let me = app.as_company();
        let before = me.get("/api/v1/me").expect_status(200);
        let path = "/api/v1/me";
        me.patch(path, json!({"name": "李"})).expect_code(428, "version_required");
        patch(&me, path, "\"v99\"", json!({"name": "李"})).expect_code(412, "version_mismatch");
        patch(&me, path, before.etag(), json!({"email": "x@y.example"})).expect_code(422, "read_only");
        patch(&me, path, before.etag(), json!({"name": null})).expect_code(422, "required");
        patch(&me, path, before.etag(), json!({"phone": "call"})).expect_code(422, "not_a_phone");
        let mut whole = before.body.clone();
        whole["phone"] = json!("0311-80000000");
        let after = patch(&me, path, before.etag(), whole).expect_status(200);
        assert_eq!((after["phone"].as_str(), after.etag()), (Some("0311-80000000"), "\"v2\""));
    }

    fn an_invitation_works_once_and_for_a_week(app: &TestApp) {
        let members = format!("/api/v1/organizations/{}/members", app.organization_id(COMPANY));
        let boss = app.as_company();
        let invite = |email: &str, roles: Value| boss.post(&members, json!({"email": email, "roles": roles}));
        invite("x", json!(["host_admin"])).expect_code(422, "not_an_email");
        invite("a@company.example", json!(["host_admin"])).expect_code(422, "organization_is_no_host");
        invite("a@company.example", json!(["auditor"])).expect_code(422, "role_not_grantable");
        invite(STRANGER.login, json!(["unit_member"])).expect_code(409, "login_taken");
        app.as_person(ENGINEER).post(&members, json!({})).expect_code(403, "forbidden");
        let made = invite("A@company.example", json!(["unit_member"])).expect_status(201);
        let accept = |token: &Value, password: &str| {
            let body = json!({"invitation_token": token, "name": "阿", "password": password});
            app.visitor().post("/api/v1/auth/invitations/accept", body)
        };
        accept(&made["invitation_token"], "1").expect_code(422, "password_too_short");
        let joined = accept(&made["invitation_token"], "a-good-password").expect_status(201);
        assert_eq!(joined["roles"], json!(["unit_member"]));
        accept(&made["invitation_token"], "a-good-password").expect_code(422, "invitation_invalid");
        signed_in(app, "a@company.example", "a-good-password").get("/api/v1/me").expect_status(200);
        let late = invite("late@company.example", json!(["unit_member"])).expect_status(201);
        app.advance(7 * 24 * 60);
        accept(&late["invitation_token"], "a-good-password").expect_code(422, "invitation_invalid");
    }

    fn who_was_removed_comes_back_with_the_old_password(app: &TestApp) {
        let members = format!("/api/v1/organizations/{}/members", app.organization_id(COMPANY));
        let engineer = app.as_person(ENGINEER);
        let gone = format!("{members}/{}", app.user_id(ENGINEER));
        app.as_company().delete(&gone).expect_status(204);
        engineer.get("/api/v1/me").expect_code(401, "session_revoked");
        sign_in(app, ENGINEER.login, PASSWORD).expect_code(403, "membership_ended");
        let elsewhere = format!("/api/v1/organizations/{}/members", app.organization_id(OTHER_COMPANY));
        let body = json!({"email": ENGINEER.login, "roles": ["unit_member"]});
        let invited = app.as_stranger().post(&elsewhere, body).expect_status(201);
        let accept = |password: &str| {
            let body = json!({"invitation_token": invited["invitation_token"], "name": "工", "password": password});
            app.visitor().post("/api/v1/auth/invitations/accept", body)
        };
        accept("stolen-password").expect_code(422, "wrong_password");
        accept(PASSWORD).expect_status(201);
        signed_in(app, ENGINEER.login, PASSWORD).get("/api/v1/me").expect_status(200);
    }

    fn a_key_is_shown_once_and_does_no_more_than_its_scopes(app: &TestApp) {
        let boss = app.as_company();
        let make = |body: Value| boss.post("/api/v1/api-keys", body);
        make(json!({"name": "", "scopes": []})).expect_code(422, "required");
        make(json!({"name": "LIMS", "scopes": ["devices:write"]})).expect_code(422, "scope_not_grantable");
        make(json!({"name": "LIMS", "scopes": ["catalog:read"], "expires_at": "2026-03-01T00:00:00Z"})).expect_code(422, "out_of_range");
        app.as_person(ENGINEER).get("/api/v1/api-keys").expect_code(403, "forbidden");
        let made = make(json!({"name": "LIMS", "scopes": ["catalog:read"]})).expect_status(201);
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.starts_with("yq_") && secret.ends_with(made["hint"].as_str().unwrap()));
        assert_eq!(made["expires_at"], "2027-03-02T09:00:00+08:00");
        let key = app.visitor().with_token(secret);
        let own = format!("/api/v1/organizations/{}", app.organization_id(COMPANY));
        assert_eq!(key.get(&own).expect_status(200)["uscc"], COMPANY);
        key.get("/api/v1/me").expect_code(403, "not_by_api_key");
        key.get("/api/v1/api-keys").expect_code(403, "not_by_api_key");
        key.get(&format!("{own}/members")).expect_code(403, "not_by_api_key");
        assert_eq!(app.block_on(yiqi::jobs::api_key::tick(&app.app)).unwrap(), 1);
        let listed = boss.get("/api/v1/api-keys").expect_status(200);
        assert_eq!(listed["items"][0]["last_used_at"], NOW);
        assert!(listed["items"][0]["secret"].is_null());
        let path = format!("/api/v1/api-keys/{}", made.id());
        app.as_stranger().delete(&path).expect_code(404, "not_found");
        boss.delete(&path).expect_status(204);
        key.get(&own).expect_code(401, "invalid_token");
    }

    fn a_key_without_the_catalog_sees_what_the_public_sees(app: &TestApp) {
        let draft = given::instrument(app).in_state(InstrumentState::Draft).insert();
        let path = format!("/api/v1/instruments/{draft}");
        let host = app.as_host();
        let key = |scope: &str| {
            let made = host.post("/api/v1/api-keys", json!({"name": scope, "scopes": [scope]})).expect_status(201);
            app.visitor().with_token(made["secret"].as_str().unwrap())
        };
        host.get(&path).expect_status(200);
        key("catalog:read").get(&path).expect_status(200);
        key("bookings:read").get(&path).expect_code(404, "not_found");
        let listed = given::instrument(app).insert();
        key("bookings:read").get(&format!("/api/v1/instruments/{listed}")).expect_status(200);
        // What is the host's own to record it records by a key for that, listed or not.
        let suspended = given::instrument(app).in_state(InstrumentState::Suspended).insert();
        key("usage:write").post("/api/v1/usage-records", json!({
            "instrument_id": suspended, "organization_id": app.organization_id(COMPANY), "run_minutes": 60,
            "started_at": "2026-02-10T10:00:00+08:00", "ended_at": "2026-02-10T11:00:00+08:00", "mode": "entrusted", "purpose": "research",
        })).expect_status(201);
    }

    fn roles_are_given_once_and_never_taken_by_saying_nothing(app: &TestApp) {
        let boss = app.as_company();
        let path = format!("/api/v1/organizations/{}/members/{}", app.organization_id(COMPANY), app.user_id(ENGINEER));
        patch(&boss, &path, "\"v1\"", json!({"roles": null})).expect_code(422, "required");
        patch(&boss, &path, "\"v1\"", json!({"state": null})).expect_code(422, "required");
        let twice = json!({"roles": ["unit_member", "unit_admin", "unit_member"]});
        let after = patch(&boss, &path, "\"v1\"", twice).expect_status(200);
        assert_eq!(after["roles"], json!(["unit_member", "unit_admin"]));
        let made = register(app, 1).expect_status(201);
        let own = format!("/api/v1/organizations/{}", made["organization"]["id"]);
        let newcomer = signed_in(app, "new1@new.example", "a-good-password");
        patch(&newcomer, &own, "\"v1\"", json!({"uscc_confirmed": null})).expect_code(422, "required");
    }

    fn suspending_a_person_takes_effect_at_the_next_request(app: &TestApp) {
        let engineer = app.as_person(ENGINEER);
        let path = format!("/api/v1/organizations/{}/members/{}", app.organization_id(COMPANY), app.user_id(ENGINEER));
        let boss = app.as_company();
        engineer.get("/api/v1/me").expect_status(200);
        boss.patch(&path, json!({"state": "suspended"})).expect_code(428, "version_required");
        patch(&boss, &path, "\"v1\"", json!({"state": "suspended"})).expect_status(200);
        assert!([401, 403].contains(&engineer.get("/api/v1/me").status));
        sign_in(app, ENGINEER.login, PASSWORD).expect_code(403, "account_suspended");
        patch(&boss, &path, "\"v2\"", json!({"state": "active"})).expect_status(200);
        sign_in(app, ENGINEER.login, PASSWORD).expect_status(200);
    }

    fn the_first_administrator_comes_from_the_command_line(app: &TestApp) {
        use yiqi::domain::account::UserFacts;
        use yiqi::operations::account::{Applicant, create_first_administrator};
        let create_confirmed = |agency: &str, password: &str, confirmed: bool| {
            let facts = UserFacts { name: "管理员".to_owned(), email: "first@province.example".to_owned(), phone: None };
            let applicant = Applicant { facts, password: password.to_owned() };
            app.block_on(create_first_administrator(&app.app, (agency.parse().unwrap(), confirmed), applicant, app.now()))
        };
        let create = |agency: &str, password: &str| create_confirmed(agency, password, true);
        assert!(create(PROVINCE, "short").is_err());
        assert!(create(COMPANY, "a-good-password").is_err(), "a company must not become the agency");
        let mistyped = create_confirmed("11130000000000011P", "a-good-password", false);
        assert!(matches!(mistyped, Err(AppError::Refused(_))), "the check character fails: {mistyped:?}");
        for other in ["11130000000000011P", CITY] {
            let second = create(other, "a-good-password");
            assert!(matches!(&second, Err(AppError::Conflict(known)) if known.members["platform_agency"] == PROVINCE), "{second:?}");
        }
        create(PROVINCE, "a-good-password").unwrap();
        assert!(create(PROVINCE, "a-good-password").is_err(), "the login is taken");
        let me = signed_in(app, "first@province.example", "a-good-password").get("/api/v1/me").expect_status(200);
        assert_eq!(me["roles"], json!(["platform_admin"]));
    }
}
