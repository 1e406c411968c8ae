//! Names beside ids: every list and every detail of the route table, read by everybody who may, tells no id of an organization,
//! an instrument or a person without its name; what a page links to by version tells that version.

use serde_json::{Value, json};
use yiqi::http::names::named;
use yiqi::http::route::{BASE, Route};
use yiqi::http::routes;

use crate::bad_input::{method, stage};
use crate::client::Client;
use crate::world::*;
use crate::{both, given};

/// What lacks a name in an answer, as paths; counts the ids that have one.
fn nameless(value: &Value, path: &str, found: &mut Vec<String>, named_ids: &mut usize) {
    match value {
        Value::Object(members) => {
            for (field, member) in members {
                // The trail tells of a thing as it was.
                if ["before", "after"].contains(&field.as_str()) {
                    continue;
                }
                nameless(member, &format!("{path}.{field}"), found, named_ids);
                let is_id = member.is_i64() || member.is_array();
                let Some((_, name)) = named(field).filter(|_| is_id) else {
                    continue;
                };
                let is_told = |name: &Value| name.as_str().is_some_and(|name| !name.is_empty());
                let is_named = match (member, &members.get(&name)) {
                    (Value::Array(ids), Some(Value::Array(names))) => {
                        ids.len() == names.len() && names.iter().all(is_told)
                    }
                    (_, name) => name.is_some_and(is_told),
                };
                match is_named {
                    true => *named_ids += 1,
                    false => found.push(format!("{path}.{field}")),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                nameless(item, path, found, named_ids);
            }
        }
        _ => {}
    }
}

/// The readings whose parameters may all be left out.
fn readings() -> impl Iterator<Item = &'static Route> {
    routes::all()
        .iter()
        .filter(|route| method(route) == ureq::http::Method::GET)
}

both! {
    fn every_answer_to_a_reading_has_names_beside_its_ids(app: &TestApp) {
        let stage = stage(app);
        let people = [ADMIN, AUDITOR, CITY_ADMIN, HOST, FINANCE, MANAGER, BOSS, ENGINEER];
        let mut clients: Vec<Client> = people.into_iter().map(|person| app.as_person(person)).collect();
        clients.push(app.visitor());
        app.settle();
        let (mut found, mut named_ids, mut named_routes) = (Vec::new(), 0, 0);
        for route in readings() {
            let before = named_ids;
            for client in &clients {
                let answer = client.get(&stage.path(route));
                if answer.status == 200 {
                    nameless(&answer.body, route.path, &mut found, &mut named_ids);
                }
            }
            named_routes += usize::from(named_ids > before);
        }
        found.dedup();
        assert!(found.is_empty(), "{}", found.join("\n"));
        assert!(named_ids > 200 && named_routes > 20, "{named_ids} ids on {named_routes} routes");
    }

    fn what_a_list_tells_has_the_version_of_its_detail(app: &TestApp) {
        let stage = stage(app);
        let admin = app.as_admin();
        let mut compared = 0;
        for route in readings() {
            let detail = format!("{}/{{id}}", route.path);
            if !readings().any(|other| other.path == detail) {
                continue;
            }
            for client in [&admin, &app.as_host(), &app.visitor()] {
                let list = client.get(&stage.path(route));
                for item in list.body["items"].as_array().into_iter().flatten() {
                    let one = client.get(&format!("{BASE}{}/{}", route.path, item["id"]));
                    let Some(etag) = one.header("etag").filter(|etag| etag.starts_with("\"v")) else {
                        continue;
                    };
                    // The version of a policy is a part of its name.
                    let version = item.get("row_version").unwrap_or(&item["version"]);
                    assert_eq!(etag, format!("\"v{version}\""), "{}", route.path);
                    compared += 1;
                }
            }
        }
        assert!(compared > 10, "{compared}");
    }

    fn a_manager_sees_who_comes_and_how_to_call(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, company) = (app.as_host(), app.as_company());
        let path = format!("{BASE}/instruments/{instrument}");
        let present = host.get(&path).expect_status(200);
        let managers = json!({"manager_ids": [app.user_id(MANAGER)]});
        let put = host.request(ureq::http::Method::PUT, &format!("{path}/managers")).header("if-match", present.etag());
        put.json(managers).send().expect_status(200);
        let me = company.get("/api/v1/me").expect_status(200);
        crate::account::patch(&company, "/api/v1/me", me.etag(), json!({"phone": "13900000001"})).expect_status(200);
        let wish = json!({
            "instrument_id": instrument, "mode": "self_operated", "purpose": "research",
            "starts_at": "2026-03-09T10:00:00+08:00", "ends_at": "2026-03-09T11:00:00+08:00",
            "operator": {"user_id": app.user_id(ENGINEER)}, "description": "断口形貌",
        });
        let booked = company.post("/api/v1/bookings", wish).expect_status(201);
        let one = format!("/api/v1/bookings/{}", booked.id());
        let moving = |client: &Client| client.post(&format!("{one}/reschedule"), json!({"starts_at": "2026-03-09T11:00:00+08:00", "ends_at": "2026-03-09T12:00:00+08:00"}));
        let moved = moving(&company).expect_status(200);
        assert_eq!(moved.body, company.get(&one).expect_status(200).body, "an action answers what is read then");
        for (person, calls) in [(MANAGER, true), (HOST, true), (BOSS, true), (ADMIN, false), (CITY_ADMIN, false), (AUDITOR, false)] {
            let client = app.as_person(person);
            let list = client.get("/api/v1/bookings").expect_status(200);
            for seen in [&client.get(&one).expect_status(200).body, &list["items"][0]] {
                assert_eq!(seen["instrument_name"], present["name"], "{}", person.login);
                assert_eq!(seen["organization_name"], "太行新能源科技有限公司");
                assert_eq!(seen["booked_by_name"], me["name"]);
                assert!(seen["operator"]["user_name"].is_string());
                assert_eq!(seen["description"].as_str(), calls.then_some("断口形貌"));
                assert_eq!(seen["withheld"], if calls { json!([]) } else { json!(["description"]) });
                assert_eq!(seen["booked_by_phone"].as_str(), calls.then_some("13900000001"), "{}", person.login);
            }
        }
    }

    fn a_region_reads_what_happens_at_the_hosts_it_supervises(app: &TestApp) {
        let (near, far) = (given::instrument(app).insert(), given::instrument(app).of(OTHER_HOST).insert());
        let company = app.as_company();
        let book = |instrument: yiqi::domain::InstrumentId| {
            let wish = json!({
                "instrument_id": instrument, "mode": "self_operated", "purpose": "research",
                "starts_at": "2026-03-09T10:00:00+08:00", "ends_at": "2026-03-09T11:00:00+08:00",
            });
            company.post("/api/v1/bookings", wish).expect_status(201).id()
        };
        let (seen, hidden) = (book(near), book(far));
        let record = crate::charge::record(app, near, 10);
        let city = app.as_person(CITY_ADMIN);
        let ids = |path: &str| -> Vec<i64> {
            let list = city.get(path).expect_status(200);
            list["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
        };
        for filter in ["", "?state=confirmed", "?from=2026-03-01T00:00:00%2B08:00", "?updated_since=2026-01-01T00:00:00Z"] {
            assert_eq!(ids(&format!("/api/v1/bookings{filter}")), [seen], "{filter}");
        }
        assert_eq!(ids(&format!("/api/v1/bookings?instrument_id={far}")), [0; 0]);
        assert_eq!(ids(&format!("/api/v1/bookings?organization_id={}", app.organization_id(COMPANY))), [seen]);
        city.get(&format!("/api/v1/bookings/{seen}")).expect_status(200);
        city.get(&format!("/api/v1/bookings/{hidden}")).expect_code(404, "not_found");
        city.post(&format!("/api/v1/bookings/{seen}/cancel"), json!({"reason": "x"})).expect_code(403, "forbidden");
        assert_eq!(ids("/api/v1/usage-records"), [record]);
        city.get(&format!("/api/v1/usage-records/{record}")).expect_status(200);
        city.post(&format!("/api/v1/usage-records/{record}/confirm"), json!({})).expect_code(403, "forbidden");
        city.get("/api/v1/charges").expect_code(403, "forbidden");
    }
}
