//! A campus system works for its host by an API key: it pushes instruments, prices, rules and closures, and follows the trail.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::access::Role;
use yiqi::domain::instrument::InstrumentState;
use yiqi::store;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const LIST: &str = "/api/v1/instruments";

fn key(app: &TestApp, owner: Person, scopes: &[&str]) -> Answer {
    let body = json!({"name": "校园系统", "scopes": scopes});
    app.as_person(owner).post("/api/v1/api-keys", body)
}

fn by_key(app: &TestApp, owner: Person, scopes: &[&str]) -> Client {
    let made = key(app, owner, scopes).expect_status(201);
    app.visitor().with_token(made["secret"].as_str().unwrap())
}

/// The same as it stands now, changed.
fn replace(client: &Client, method: Method, path: &str, present: &Answer, body: Value) -> Answer {
    let request = client.request(method, path);
    request.header("If-Match", present.etag()).json(body).send()
}

fn table(client: &Client, path: &str, rows: &str) -> Answer {
    let request = client.request(Method::POST, path);
    request.bytes("text/csv", rows.to_owned()).send()
}

/// Every event after one, page by page.
fn followed(app: &TestApp, key: &Client, after: i64) -> Vec<Value> {
    app.settle();
    let mut all = Vec::new();
    let mut page = key.get(&format!("/api/v1/events?after={after}&limit=3"));
    loop {
        page = page.expect_status(200);
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else {
            return all;
        };
        page = key.get(&format!(
            "/api/v1/events?after={after}&limit=3&cursor={cursor}"
        ));
    }
}

fn actions(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect()
}

fn last(events: &[Value]) -> i64 {
    events.last().unwrap()["id"].as_i64().unwrap()
}

/// Whether the event is the unit's to read.
fn is_of(event: &Value, unit: i64) -> bool {
    [
        "organization_id",
        "counterpart_organization_id",
        "actor_organization_id",
    ]
    .iter()
    .any(|side| event[side] == unit)
}

fn complete(asset_no: &str) -> Value {
    json!({
        "name": "场发射扫描电子显微镜", "asset_no": asset_no, "original_value_fen": 120_000_000, "category_code": "010102",
        "purpose_type": "general", "model": "SU8600", "manufacturer": "Hitachi", "country": "日本",
        "accepted_on": "2024-05-06", "enabled_on": "2024-06-01", "share_mode": "external", "location": "实验楼 101",
        "latitude": 38.874512, "longitude": 115.4, "public_contact": {"name": "张工", "phone": "0312-5000000"},
    })
}

both! {
    fn a_campus_system_pushes_its_instruments_and_follows_what_happens(app: &TestApp) {
        let unit = app.organization_id(UNIVERSITY).number();
        let made = key(app, HOST, &["catalog:read", "catalog:write", "events:read"]).expect_status(201);
        let campus = app.visitor().with_token(made["secret"].as_str().unwrap());
        let began = last(&followed(app, &campus, 0));

        // Instruments, one by one and as a table.
        let sem = campus.post(LIST, complete("C1")).expect_status(201);
        let one = format!("{LIST}/{}", sem.id());
        let changed = replace(&campus, Method::PATCH, &one, &sem, json!({"location": "实验楼 202", "technical": "1 nm"}));
        assert_eq!(changed.expect_status(200)["location"], "实验楼 202");
        let rows = "asset_no,name,original_value_fen,category_code,purpose_type\nC2,离心机,30000000,010102,general\n";
        assert_eq!(table(&campus, &format!("{LIST}/import"), rows).expect_status(200)["created"], 1);
        campus.get(&format!("{LIST}/import-template")).expect_status(200);
        campus.post(&format!("{one}/submit"), json!({})).expect_status(200);
        campus.post(&format!("{one}/approve"), json!({})).expect_code(403, "forbidden");
        app.as_person(CITY_ADMIN).post(&format!("{one}/approve"), json!({})).expect_status(200);

        // Rules of the unit and of the instrument.
        for path in [format!("/api/v1/organizations/{unit}/booking-rules"), format!("{one}/booking-rules")] {
            let present = campus.get(&path).expect_status(200);
            let mut rules = present.body.clone();
            rules["lead_minutes"] = json!(90);
            assert_eq!(replace(&campus, Method::PUT, &path, &present, rules).expect_status(200)["lead_minutes"], 90);
        }

        // Services and prices.
        let services = format!("{one}/services");
        let service = campus.post(&services, json!({"test_item": "SEM", "unit": "样品", "price_fen": 40000})).expect_status(201);
        let path = format!("{services}/{}", service.id());
        let service = replace(&campus, Method::PATCH, &path, &service, json!({"price_fen": 30000})).expect_status(200);
        assert_eq!(service["price_fen"], 30000);
        campus.delete(&path).expect_status(204);
        let tariffs = format!("{one}/tariffs");
        let tariff = campus.post(&tariffs, json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6000})).expect_status(201);
        campus.post(&format!("{tariffs}/{}/end", tariff.id()), json!({"valid_until": "2026-12-31"})).expect_status(200);
        let rows = "asset_no,valid_from,price_fen_per_hour\nC1,2027-01-01,7000\nC2,2026-01-01,5000\n";
        assert_eq!(table(&campus, "/api/v1/tariffs/import", rows).expect_status(200)["created"], 2);
        campus.get("/api/v1/tariffs/import-template").expect_status(200);

        // Somebody books; the campus closes, shortens the closure and opens again.
        let slot = json!({
            "instrument_id": sem.id(), "starts_at": "2026-03-09T10:00:00+08:00", "ends_at": "2026-03-09T11:00:00+08:00",
            "mode": "guided", "purpose": "research",
        });
        let booked = app.as_company().post("/api/v1/bookings", slot).expect_status(201).id();
        let closure = json!({"starts_at": "2026-03-09T08:00:00+08:00", "ends_at": "2026-03-10T08:00:00+08:00", "kind": "maintenance"});
        let closed = campus.post(&format!("{one}/closures"), &closure).expect_status(201);
        assert_eq!(closed["bookings"][0]["id"], booked);
        let path = format!("/api/v1/closures/{}", closed.id());
        let shorter = json!({"ends_at": "2026-03-09T09:00:00+08:00"});
        replace(&campus, Method::PATCH, &path, &closed, shorter).expect_status(200);
        campus.delete(&path).expect_status(204);
        let all = json!({"starts_at": "2026-05-01T00:00:00+08:00", "ends_at": "2026-05-04T00:00:00+08:00", "kind": "maintenance"});
        campus.post(&format!("/api/v1/organizations/{unit}/closures"), all).expect_status(201);

        // What is a person's to do is no key's.
        let managers = campus.request(Method::PUT, &format!("{one}/managers")).header("If-Match", "*");
        managers.json(json!({"manager_ids": []})).send().expect_code(403, "not_by_api_key");
        campus.post(&format!("{one}/sharing-exemption"), json!({"reason": "教学"})).expect_code(403, "not_by_api_key");
        campus.get(&format!("/api/v1/organizations/{unit}/members")).expect_code(403, "not_by_api_key");
        campus.get("/api/v1/bookings").expect_code(403, "scope_missing");

        // The trail tells all of it, in order, and names the key with its owner.
        let events = followed(app, &campus, began);
        for action in [
            "instrument_create", "instrument_change", "instrument_submit", "instrument_approve",
            "organization_booking_rules_update", "booking_rules_update", "service_create", "service_change", "service_delete",
            "tariff_create", "tariff_end", "booking_request", "closure_create", "closure_update", "closure_delete",
        ] {
            assert!(actions(&events).contains(&action), "{action}: {:?}", actions(&events));
        }
        for event in &events {
            let is_by_key = ["instrument_create", "service_create", "tariff_create", "closure_create"].contains(&event["action"].as_str().unwrap());
            assert!(is_of(event, unit), "{event}");
            assert!(!is_by_key || event["actor_api_key_id"] == made.id(), "{event}");
            assert!(!is_by_key || event["actor_user_id"] == app.user_id(HOST).number(), "{event}");
        }
        let place = last(&events);
        assert!(followed(app, &campus, place).is_empty());
        campus.post(&format!("{one}/retire?affected=cancel"), json!({"reason": "报废"})).expect_status(200);
        let news = followed(app, &campus, place);
        assert!(actions(&news).contains(&"instrument_retire") && actions(&news).contains(&"booking_cancel"), "{news:?}");
    }

    fn a_key_works_for_its_own_unit_alone(app: &TestApp) {
        let unit = app.organization_id(UNIVERSITY).number();
        let scopes = ["catalog:read", "catalog:write", "events:read"];
        let campus = by_key(app, HOST, &scopes);
        let foreign = given::instrument(app).of(OTHER_HOST).insert();
        let hidden = given::instrument(app).of(OTHER_HOST).in_state(InstrumentState::Draft).insert();
        let price = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6000});
        let closure = json!({"starts_at": "2026-05-01T00:00:00+08:00", "kind": "fault"});
        for (instrument, status, code) in [(foreign, 403, "forbidden"), (hidden, 404, "not_found")] {
            let one = format!("{LIST}/{instrument}");
            campus.post(&format!("{one}/tariffs"), &price).expect_code(status, code);
            campus.post(&format!("{one}/closures"), &closure).expect_code(status, code);
            let change = campus.request(Method::PATCH, &one).header("If-Match", "*");
            change.json(json!({"name": "改名"})).send().expect_code(status, code);
        }
        let elsewhere = app.organization_id(OTHER_HOST);
        campus.post(&format!("/api/v1/organizations/{elsewhere}/closures"), &closure).expect_code(403, "forbidden");
        // What the other host does is told to its own key alone, in whatever office the owner of this one is besides.
        let other = by_key(app, OTHER_HOST_ADMIN, &scopes);
        other.post(&format!("{LIST}/{foreign}/tariffs"), &price).expect_status(201);
        assert!(actions(&followed(app, &other, 0)).contains(&"tariff_create"));
        let before = followed(app, &campus, 0);
        assert!(!before.is_empty() && before.iter().all(|event| is_of(event, unit)));
        for office in [Role::PlatformAdmin, Role::Auditor] {
            app.write(move |tx| {
                let owner = store::user::find_by_login(tx, HOST.login)?.unwrap();
                Ok(store::user::update_membership(tx, &owner, owner.organization_id, &[office], owner.state, owner.updated_at)?)
            });
            assert_eq!(followed(app, &campus, 0), before, "{office}");
            campus.post(LIST, complete("C9")).expect_code(403, "forbidden");
        }
    }

    fn scopes_are_given_by_whose_roles_have_them_and_others_by_nobody(app: &TestApp) {
        for (owner, scope) in [(BOSS, "catalog:write"), (HOST, "devices:write"), (BOSS, "devices:write"), (HOST, "members:write"), (HOST, "")] {
            let refused = key(app, owner, &["catalog:read", scope]).expect_code(422, "scope_not_grantable");
            assert_eq!(refused["errors"][0]["actual"], scope);
            let limit = refused["errors"][0]["limit"].as_str().unwrap();
            assert!(limit.contains("events:read") && limit.contains("catalog:write") == (owner == HOST), "{limit}");
        }
        app.as_person(FINANCE).post("/api/v1/api-keys", json!({"name": "x", "scopes": ["billing:read"]})).expect_code(403, "forbidden");
        let document = app.visitor().get("/api/openapi.json").expect_status(200);
        let words = document["components"]["schemas"]["ApiScope"]["enum"].as_array().unwrap();
        for scope in words {
            key(app, HOST, &[scope.as_str().unwrap()]).expect_status(201);
        }
        // Whoever follows needs no more than that, and writes nothing by it.
        let follower = by_key(app, BOSS, &["events:read"]);
        assert!(!followed(app, &follower, 0).is_empty());
        follower.get("/api/v1/usage-records").expect_code(403, "scope_missing");
        let reader = by_key(app, HOST, &["catalog:read"]);
        reader.get("/api/v1/events").expect_code(403, "scope_missing");
        reader.post(LIST, complete("C1")).expect_code(403, "scope_missing");
        // What the public reads, a key reads, too.
        for path in ["/api/v1/categories", "/api/v1/regions", "/api/v1/holidays/2026", "/api/v1/stats/2025", "/api/v1/instruments"] {
            follower.get(path).expect_status(200);
        }
    }
}
