//! What the contract promises of every route: texts without U+0000, versions, the order of refusals, lists in pages.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

fn change(client: &Client, path: &str, version: &str, body: Value) -> Answer {
    let request = client.request(Method::PATCH, path);
    request.header("If-Match", version).json(body).send()
}

fn codes(answer: &Answer) -> Vec<&str> {
    let errors = answer["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|entry| entry["code"].as_str().unwrap())
        .collect()
}

/// Every item of a list, read two at a time.
fn pages(client: &Client, first: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut page = client.get(first).expect_status(200);
    loop {
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else {
            return items;
        };
        page = client
            .get(&format!("{first}&cursor={cursor}"))
            .expect_status(200);
    }
}

/// What a server answers to the head of a request and, after a pause in which something happens, to its body.
fn slowly(app: &TestApp, head: &str, pause: impl FnOnce(), body: &str) -> String {
    let mut stream = TcpStream::connect(app.base.trim_start_matches("http://")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    write!(stream, "{head}Host: x\r\nConnection: close\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    pause();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

both! {
    fn a_request_has_at_most_a_hundred_parameters(app: &TestApp) {
        for (list, filter) in [("instruments", "status=listed"), ("organizations", "kind=university")] {
            let query = |count: usize| vec![filter; count].join("&");
            app.visitor().get(&format!("/api/v1/{list}?{}", query(100))).expect_status(200);
            let refused = app.visitor().get(&format!("/api/v1/{list}?{}", query(1_000))).expect_code(400, "too_many");
            assert_eq!((&refused["errors"][0]["limit"], &refused["errors"][0]["actual"]), (&json!(100), &json!(1_000)));
        }
    }

    fn what_a_slow_body_asks_for_happens_when_it_is_here(app: &TestApp) {
        let (token, body) = (app.token(BOSS), "{\"name\":\"慢\"}");
        let head = format!(
            "PATCH /api/v1/me HTTP/1.1\r\nAuthorization: Bearer {token}\r\nIf-Match: *\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n",
            body.len()
        );
        let answer = slowly(app, &head, || app.advance(10), body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("\"updated_at\":\"2026-03-02T09:10:00+08:00\""), "{answer}");
    }

    fn who_must_sign_in_is_told_before_the_body_is_read(app: &TestApp) {
        let head = "POST /api/v1/instruments HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 900000000\r\n";
        let answer = slowly(app, head, || (), "");
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }

    fn what_is_absent_is_absent_whatever_is_asked_of_it(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let host = app.as_host();
        for path in ["/api/v1/organizations/999?x=1", "/api/v1/instruments/999?x=1"] {
            app.visitor().get(path).expect_code(404, "not_found");
        }
        app.visitor().get(&format!("/api/v1/instruments/{sem}?x=1")).expect_code(400, "unknown_parameter");
        for path in [&format!("/api/v1/instruments/{sem}/services/999?x=1"), "/api/v1/me/sessions/999?x=1", "/api/v1/api-keys/999?x=1"] {
            host.delete(path).expect_code(404, "not_found");
        }
        let key = app.as_company().post("/api/v1/api-keys", json!({"name": "LIMS", "scopes": ["catalog:read"]})).expect_status(201);
        let member = app.as_person(ENGINEER);
        member.delete("/api/v1/api-keys/999").expect_code(404, "not_found");
        member.delete(&format!("/api/v1/api-keys/{}", key.id())).expect_code(403, "forbidden");
    }

    fn words_and_numbers_are_told_as_they_are(app: &TestApp) {
        let refused = app.visitor().get("/api/v1/organizations?kind=uni").expect_code(400, "invalid_value");
        assert_eq!(refused["errors"][0]["limit"], "university | institute | hospital | enterprise | agency | other");
        assert_eq!(refused["title"], "A value is not understood");
        let change = json!({"current_password": PASSWORD, "new_password": "short"});
        let refused = app.as_company().post("/api/v1/auth/password/change", change).expect_code(422, "password_too_short");
        assert_eq!((&refused["errors"][0]["limit"], &refused["errors"][0]["actual"]), (&json!(10), &json!(5)));
        let sem = given::instrument(app).insert();
        let gone = app.visitor().in_language("zh-CN").get(&format!("/api/v1/instruments/{}", sem.number() + 1)).expect_code(404, "not_found");
        assert_eq!(gone["title"], "不存在");
    }

    fn no_text_has_the_character_that_postgresql_has_not(app: &TestApp) {
        let login = json!({"email": "\u{0}", "password": "x"});
        let refused = app.visitor().post("/api/v1/auth/login", login).expect_code(400, "control_character");
        assert_eq!(refused["errors"][0]["field"], "email");
        let me = app.as_company();
        let version = me.get("/api/v1/me").etag().to_owned();
        change(&me, "/api/v1/me", &version, json!({"name": "a\u{0}"})).expect_code(400, "control_character");
        // "\u0000", as the cursor of a list whose keys are codes.
        app.visitor().get("/api/v1/regions?cursor=Ilx1MDAwMCI").expect_code(400, "invalid_cursor");
    }

    fn the_trail_is_read_in_pages_and_filters_mean_or(app: &TestApp) {
        let id = app.organization_id(COMPANY);
        for action in ["suspend", "resume"] {
            app.as_admin().post(&format!("/api/v1/organizations/{id}/{action}"), json!({"reason": "核查"})).expect_status(200);
        }
        let key = json!({"name": "LIMS", "scopes": ["catalog:read"]});
        app.as_company().post("/api/v1/api-keys", key).expect_status(201);
        let (admin, boss) = (app.user_id(ADMIN), app.user_id(BOSS));
        let query = format!("/api/v1/events?limit=2&subject_type=organization&subject_type=api_key&actor={admin}&actor={boss}");
        app.settle();
        let told = pages(&app.as_admin(), &query);
        let actions: Vec<_> = told.iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["organization_suspend", "organization_resume", "api_key_create"]);
    }

    fn what_was_read_can_be_sent_back(app: &TestApp) {
        given::instrument(app).insert();
        let path = format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY));
        let host = app.as_host();
        let read = host.get(&path).expect_status(200);
        assert_eq!(read["listed_instruments"], 1);
        change(&host, &path, read.etag(), read.body.clone()).expect_status(200);
    }

    fn closures_say_their_version_and_dry_runs_compare_it(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (host, list) = (app.as_host(), format!("/api/v1/instruments/{sem}/closures"));
        let closure = json!({"starts_at": "2026-03-03T08:00:00+08:00", "kind": "fault"});
        host.post(&list, closure).expect_status(201);
        let listed = host.get(&list).expect_status(200)["items"][0].clone();
        let path = format!("/api/v1/closures/{}?dry_run=true", listed["id"]);
        let body = json!({"kind": "maintenance"});
        change(&host, &path, "\"v7\"", body.clone()).expect_code(412, "version_mismatch");
        let version = format!("\"v{}\"", listed["version"]);
        change(&host, &path, &version, body).expect_status(200);
    }

    fn a_star_is_any_version(app: &TestApp) {
        let me = app.as_company();
        me.patch("/api/v1/me", json!({"name": "赵"})).expect_code(428, "version_required");
        change(&me, "/api/v1/me", "*", json!({"name": "赵"})).expect_status(200);
    }

    fn refusals_come_in_order(app: &TestApp) {
        let (host, path) = (app.as_host(), format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY)));
        let version = host.get(&path).etag().to_owned();
        let unknown = json!({"id": 1, "adress": "x"});
        change(&host, &path, "\"v99\"", unknown).expect_code(400, "unknown_field");
        let faulty = json!({"id": 1, "name": null});
        change(&host, &path, "\"v99\"", faulty.clone()).expect_code(412, "version_mismatch");
        change(&host, &path, &version, faulty).expect_code(422, "read_only");
        let twice = host.request(Method::PATCH, &path).header("If-Match", &version);
        let twice = twice.bytes("application/json", "{\"id\":1,\"name\":\"a\",\"name\":\"b\"}").send();
        twice.expect_code(400, "duplicate_field");
        let sem = given::instrument(app).insert();
        let managers = format!("/api/v1/instruments/{sem}/managers");
        host.put(&managers, json!({"nobody": 1})).expect_code(400, "unknown_field");
        host.put(&managers, json!({"manager_ids": []})).expect_code(428, "version_required");
        let one = format!("/api/v1/instruments/{sem}");
        change(&host, &one, "\"v99\"", json!({"id": 1, "nmae": "x"})).expect_code(400, "unknown_field");
        change(&host, &one, "\"v99\"", json!({"id": 1})).expect_code(412, "version_mismatch");
    }

    fn a_body_where_nothing_is_needed_has_nothing_in_it(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let resume = format!("/api/v1/instruments/{sem}/resume");
        app.as_admin().post(&resume, json!({"reason": "x"})).expect_code(400, "unknown_field");
        let conflict = app.as_admin().post(&resume, json!({})).expect_code(409, "invalid_state");
        assert_eq!(codes(&conflict), ["invalid_state"]);
    }

    fn a_slot_that_is_none_can_be_checked(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let wish = json!({
            "instrument_id": sem, "starts_at": "2026-03-03T10:00:00+08:00", "ends_at": "2026-03-03T10:00:00+08:00",
            "mode": "guided", "purpose": "research",
        });
        let checked = app.as_company().post("/api/v1/bookings/check", wish).expect_status(200);
        assert_eq!((&checked["bookable"], codes(&checked)), (&json!(false), vec!["not_after_start"]));
    }

    fn small_lists_come_in_pages_too(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let tariffs = format!("/api/v1/instruments/{sem}/tariffs");
        for class in ["own", "enterprise", "sme"] {
            let tariff = json!({"customer_class": class, "valid_from": "2026-01-01", "price_fen_per_hour": 100});
            app.as_host().post(&tariffs, tariff).expect_status(201);
        }
        let classes: Vec<_> = pages(&app.visitor(), &format!("{tariffs}?limit=2"))
            .into_iter()
            .map(|tariff| tariff["customer_class"].clone())
            .collect();
        assert_eq!(classes, ["own", "enterprise", "sme"]);
        app.visitor().get(&format!("{tariffs}?cursor=x")).expect_code(400, "invalid_cursor");
        let record = app.as_host().post("/api/v1/usage-records", json!({
            "instrument_id": sem, "organization_id": app.organization_id(COMPANY),
            "started_at": "2026-02-10T10:00:00+08:00", "ended_at": "2026-02-10T11:00:00+08:00",
            "mode": "entrusted", "purpose": "research",
        }));
        let record = format!("/api/v1/usage-records/{}", record.expect_status(201).id());
        app.as_host().post(&format!("{record}/correct"), json!({"reason": "抄错", "samples": 3})).expect_status(200);
        let versions: Vec<_> = pages(&app.as_host(), &format!("{record}/versions?limit=1"))
            .into_iter()
            .map(|row| row["version"].clone())
            .collect();
        assert_eq!(versions, [2, 1]);
    }
}
