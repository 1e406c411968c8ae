//! What every action has in common: its event, once per idempotency key, told in the reader's language.

use diesel::{Connection as _, RunQueryDsl};
use serde_json::{Value, json};
use yiqi::operations::run::lock_number;
use yiqi::store::event::{NewEvent, Subject};
use yiqi::store::{self, Conn, Lock};

use crate::account::{patch, register, sign_in};
use crate::both;
use crate::client::{Answer, Client};
use crate::world::*;

fn keyed(client: &Client, key: &str, path: &str, body: &Value) -> Answer {
    client
        .request(ureq::http::Method::POST, path)
        .header("idempotency-key", key)
        .json(body)
        .send()
}

/// The events, once all of them are settled.
fn actions(app: &TestApp, query: &str) -> Vec<Value> {
    app.settle();
    let events = app
        .as_admin()
        .get(&format!("/api/v1/events?limit=200{query}"))
        .expect_status(200);
    events["items"].as_array().unwrap().clone()
}

both! {
    fn a_password_changed_twice_under_one_key_is_changed_once(app: &TestApp) {
        let change = json!({"current_password": PASSWORD, "new_password": "another-password"});
        let path = "/api/v1/auth/password/change";
        let tokens = sign_in(app, BOSS.login, PASSWORD).expect_status(200);
        let boss = app.visitor().with_token(tokens["access_token"].as_str().unwrap());
        keyed(&boss, "change-1", path, &change).expect_status(204);
        let again = keyed(&boss, "change-1", path, &change).expect_status(204);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        keyed(&boss, "change-2", path, &change).expect_code(422, "wrong_password");
        // Nothing would change, so it must not be answered as if it had.
        let other = json!({"current_password": "another-password", "new_password": "a-third-password"});
        keyed(&boss, "change-1", path, &other).expect_code(422, "idempotency_key_reused");
        sign_in(app, BOSS.login, "another-password").expect_status(200);
    }

    fn joining_twice_under_one_key_is_joining_once(app: &TestApp) {
        let visitor = app.visitor();
        let body = crate::account::application(7);
        let path = "/api/v1/auth/register";
        keyed(&visitor, "", path, &body).expect_code(400, "invalid_idempotency_key");
        let first = keyed(&visitor, "join", path, &body).expect_status(201);
        assert_eq!(keyed(&visitor, "join", path, &body).expect_status(201).body, first.body);
        let mut other = body.clone();
        other["user"]["name"] = json!("别人");
        keyed(&visitor, "join", path, &other).expect_code(422, "idempotency_key_reused");
        // Another key is another request: nobody verified the first one, so it holds neither code nor login.
        let second = keyed(&visitor, "join-2", path, &body).expect_status(201);
        assert_ne!(second["organization"]["id"], first["organization"]["id"]);
        keyed(&visitor, "join", path, &crate::account::application(8)).expect_status(201);
        let members = format!("/api/v1/organizations/{}/members", app.organization_id(COMPANY));
        let invited = app.as_company().post(&members, json!({"email": "c@company.example", "roles": ["unit_member"]})).expect_status(201);
        let accept = json!({"invitation_token": invited["invitation_token"], "name": "丙", "password": "a-good-password"});
        let path = "/api/v1/auth/invitations/accept";
        let joined = keyed(&visitor, "accept", path, &accept).expect_status(201);
        assert_eq!(keyed(&visitor, "accept", path, &accept).expect_status(201).body, joined.body);
        keyed(&visitor, "accept-2", path, &accept).expect_code(422, "invitation_invalid");
    }

    fn drafts_of_the_province_are_not_its_units_to_read(app: &TestApp) {
        let (unit, other, now) = (app.organization_id(UNIVERSITY), app.organization_id(COMPANY), app.now());
        app.write(move |tx| {
            use yiqi::domain::access::Action;
            use yiqi::store::event::{NewEvent, Subject, append};
            for (kind, action) in [("evaluation", Action::EvaluationScore), ("subsidy_run", Action::SubsidyComplete), ("session", Action::SessionClose)] {
                let mut event = NewEvent::new(now, action, Subject::new(kind, 1_i64));
                event.actor_organization_id = Some(unit);
                append(tx, &event)?;
            }
            let mut of_another = NewEvent::new(now, yiqi::domain::access::Action::UsageRecordCorrect, Subject::new("usage_record", 1_i64));
            of_another.organization_id = Some(other);
            of_another.actor_organization_id = Some(unit);
            append(tx, &of_another)?;
            Ok(())
        });
        app.settle();
        let seen = app.as_host().get("/api/v1/events?limit=200").expect_status(200);
        let names: Vec<_> = seen["items"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert!(names.contains(&"session_close"), "{names:?}");
        for hidden in ["evaluation_score", "subsidy_complete", "usage_record_correct"] {
            assert!(!names.contains(&hidden), "{names:?}");
        }
    }

    fn every_action_leaves_an_event_that_names_people_by_id_only(app: &TestApp) {
        let made = register(app, 1).expect_status(201);
        let organization = &made["organization"]["id"];
        let own = format!("/api/v1/organizations/{organization}");
        app.as_admin().post(&format!("{own}/verify"), json!({})).expect_status(200);
        app.as_admin().post(&format!("{own}/suspend"), json!({"reason": "王五举报"})).expect_status(200);
        app.as_admin().post(&format!("{own}/resume"), json!({})).expect_status(200);
        let tokens = sign_in(app, "new1@new.example", "a-good-password").expect_status(200);
        let user = app.visitor().with_token(tokens["access_token"].as_str().unwrap());
        patch(&user, "/api/v1/me", "\"v1\"", json!({"name": "赵六"})).expect_status(200);
        user.post(&format!("{own}/members"), json!({"email": "b@new.example", "roles": ["unit_member"]})).expect_status(201);
        user.post("/api/v1/api-keys", json!({"name": "LIMS", "scopes": ["catalog:read"]})).expect_status(201);
        let other = json!({"organization_id": app.organization_id(COMPANY)});
        user.post(&format!("{own}/related-parties"), other).expect_status(201);
        user.post("/api/v1/auth/logout", json!({"refresh_token": tokens["refresh_token"]})).expect_status(204);
        let events = actions(app, "");
        let mine: Vec<&Value> = events.iter().filter(|event| &event["organization_id"] == organization).collect();
        let names: Vec<_> = mine.iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(
            names,
            [
                "account_register", "member_join", "organization_verify", "organization_suspend",
                "organization_resume", "session_open", "me_update", "member_invite", "api_key_create",
                "related_party_add", "session_close",
            ]
        );
        let whole = serde_json::to_string(&mine).unwrap();
        for personal in ["王五", "赵六", "new.example", "新来\"", "a-good-password", "yq_"] {
            assert!(!whole.contains(personal), "{personal} stands in {whole}");
        }
        let suspended = mine[3];
        assert_eq!((&suspended["before"], &suspended["after"]), (&json!({"state": "verified"}), &json!({"state": "suspended"})));
        assert_eq!(suspended["actor_user_id"], json!(app.user_id(ADMIN)));
        app.settle();
        let boss = app.as_company().get("/api/v1/events").expect_status(200);
        let seen: Vec<_> = boss["items"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect();
        assert_eq!(seen, ["related_party_add"], "an organization sees its own");
    }

    fn a_session_is_in_the_trail_from_its_beginning_to_its_end(app: &TestApp) {
        let first = sign_in(app, BOSS.login, PASSWORD).expect_status(200);
        let refresh = |tokens: &Answer| app.visitor().post("/api/v1/auth/refresh", json!({"refresh_token": tokens["refresh_token"]}));
        let second = refresh(&first).expect_status(200);
        let id = second.header("x-request-id").unwrap().to_owned();
        refresh(&first).expect_code(401, "session_revoked");
        let told = actions(app, "&subject_type=session");
        let names: Vec<_> = told.iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(names, ["session_open", "session_refresh", "session_revoke_reused"]);
        assert!(told.iter().all(|event| event["request_id"].is_string()), "{told:?}");
        assert_eq!(told[1]["request_id"], json!(id));
    }

    fn the_free_texts_of_an_instrument_can_be_erased(app: &TestApp) {
        let made = json!({
            "name": "质谱仪", "asset_no": "E1", "original_value_fen": 30_000_000, "category_code": "010102", "purpose_type": "general",
            "location": "文字甲", "technical": "文字乙", "functions": "文字丙", "service_content": "文字丁", "user_notice": "文字戊",
        });
        let host = app.as_host();
        let made = host.post("/api/v1/instruments", made).expect_status(201);
        let path = format!("/api/v1/instruments/{}", made.id());
        patch(&host, &path, made.etag(), json!({"technical": "文字己", "channels": 2})).expect_status(200);
        let told = actions(app, "&subject_type=instrument");
        assert_eq!((told.len(), &told[1]["after"]), (2, &json!({"channels": 2})));
        assert!(!serde_json::to_string(&told).unwrap().contains("文字"), "{told:?}");
    }

    fn a_key_makes_a_action_happen_once(app: &TestApp) {
        let (boss, path) = (app.as_company(), "/api/v1/api-keys");
        let body = json!({"name": "LIMS", "scopes": ["catalog:read"]});
        let first = keyed(&boss, "k1", path, &body).expect_status(201);
        assert_eq!(first.header("idempotency-replayed"), None);
        let second = keyed(&boss, "k1", path, &body).expect_status(201);
        assert_eq!(second.header("idempotency-replayed"), Some("true"));
        assert_eq!(second["id"], first["id"]);
        assert!(first["secret"].is_string() && second["secret"].is_null(), "a secret is shown once");
        keyed(&boss, "k1", path, &json!({"name": "other", "scopes": ["catalog:read"]})).expect_code(422, "idempotency_key_reused");
        keyed(&app.as_stranger(), "k1", path, &body).expect_status(201);
        keyed(&boss, "k 2", path, &body).expect_code(400, "invalid_idempotency_key");
        assert_eq!(actions(app, "&action=api_key_create").len(), 2);
    }

    fn after_a_refusal_the_key_is_free(app: &TestApp) {
        let verify = format!("/api/v1/organizations/{}/suspend", app.organization_id(COMPANY));
        let admin = app.as_admin();
        keyed(&admin, "k1", &verify, &json!({})).expect_code(422, "reason_required");
        keyed(&admin, "k1", &verify, &json!({"reason": "停业"})).expect_status(200);
        let again = keyed(&admin, "k1", &verify, &json!({"reason": "停业"})).expect_status(200);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    }

    fn twins_sent_at_once_do_one_action(app: &TestApp) {
        let (boss, body) = (app.as_company(), json!({"name": "LIMS", "scopes": ["catalog:read"]}));
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let twins: Vec<_> = (0..6).map(|_| scope.spawn(|| keyed(&boss, "twin", "/api/v1/api-keys", &body))).collect();
            twins.into_iter().map(|twin| twin.join().unwrap()).collect()
        });
        for answer in answers {
            let in_progress = answer["code"] == "request_in_progress";
            assert!(answer.status == 201 || (answer.status == 409 && in_progress), "{}", answer.text());
        }
        assert_eq!(actions(app, "&action=api_key_create").len(), 1);
    }

    fn problems_speak_the_reader_s_language(app: &TestApp) {
        let told = |language: &str| app.visitor().in_language(language).get("/api/v1/me").expect_code(401, "unauthenticated");
        assert_eq!(told("en")["title"], "Sign in and send the token in the Authorization header");
        assert_eq!(told("zh-CN")["title"], "请先登录");
        assert_eq!(told("fr")["title"], "请先登录");
        let answer = told("en");
        assert_eq!(answer["type"], "/docs/problems/unauthenticated");
        assert_eq!(answer.header("x-request-id"), answer["request_id"].as_str());
    }
}

/// A key is held by a transaction of its own connection, as a request under way holds it.
#[test]
fn the_twin_of_a_request_under_way_is_told_so() {
    let Some(app) = TestApp::start(Backend::Postgres) else {
        return;
    };
    let (boss, body) = (
        app.as_company(),
        json!({"name": "LIMS", "scopes": ["catalog:read"]}),
    );
    let space = format!("user:{}", app.user_id(BOSS));
    let database: store::Database = app.url.parse().unwrap();
    let mut first = database.connect().unwrap();
    first.begin_test_transaction().unwrap();
    Lock::Idempotency(lock_number(&space, "twin"))
        .take(&mut first)
        .unwrap();
    // More often than there are connections: none is given up or left in a broken transaction.
    for _ in 0..6 {
        keyed(&boss, "twin", "/api/v1/api-keys", &body).expect_code(409, "request_in_progress");
    }
    keyed(&boss, "other", "/api/v1/api-keys", &body).expect_status(201);
    drop(first);
    let done = || keyed(&boss, "twin", "/api/v1/api-keys", &body);
    let is_done = std::iter::repeat_with(done).find(|answer| answer.status != 409);
    assert_eq!(is_done.map(|answer| answer.status), Some(201));
    assert_eq!(actions(&app, "&action=api_key_create").len(), 2);
}

/// Of two open transactions the younger takes the smaller id, and commits when the older's event was told.
#[test]
fn an_event_that_is_committed_late_is_told_late() {
    let Some(app) = TestApp::start(Backend::Postgres) else {
        return;
    };
    let database: store::Database = app.url.parse().unwrap();
    let (mut older, mut younger) = (database.connect().unwrap(), database.connect().unwrap());
    let run = |conn: &mut Conn, statement: &str| {
        diesel::sql_query(statement).execute(conn).unwrap();
    };
    let now = app.now();
    let append = |conn: &mut Conn| {
        let event = NewEvent::new(
            now,
            yiqi::domain::access::Action::SessionClose,
            Subject::new("session", 1_i64),
        );
        store::event::append(conn, &event).unwrap().number()
    };
    for conn in [&mut older, &mut younger] {
        run(conn, "BEGIN");
        run(conn, "SELECT txid_current()");
    }
    let late = append(&mut younger);
    let early = append(&mut older);
    assert!(late < early);
    run(&mut older, "COMMIT");
    let tells = |path: &str, id: i64| {
        app.settle();
        let page = app.as_person(AUDITOR).get(path).expect_status(200);
        let events = page["items"].as_array().unwrap();
        events.iter().any(|event| event["id"] == id)
    };
    assert!(tells("/api/v1/events?action=session_close", early));
    run(&mut younger, "COMMIT");
    assert!(tells(&format!("/api/v1/events?after={early}"), late));
}
