//! Booking rules that an instrument inherits from its unit, and the unit from the service: field by field, sent back as they
//! were read, and hitting bookings like any other change.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const FIELDS: usize = 20;

fn of_unit(app: &TestApp) -> String {
    format!(
        "/api/v1/organizations/{}/booking-rules",
        app.organization_id(UNIVERSITY)
    )
}

fn of(sem: impl std::fmt::Display) -> String {
    format!("/api/v1/instruments/{sem}/booking-rules")
}

/// Replaces rules as they stand now.
fn put(client: &Client, path: &str, query: &str, rules: &Value) -> Answer {
    let present = client.get(path).expect_status(200);
    let request = client.request(Method::PUT, &format!("{path}{query}"));
    request
        .header("If-Match", present.etag())
        .json(rules)
        .send()
}

fn inherited(answer: &Answer) -> Vec<&str> {
    let names = answer["inherited"].as_array().unwrap();
    names.iter().map(|name| name.as_str().unwrap()).collect()
}

fn draft(client: &Client, asset_no: &str) -> i64 {
    let body = json!({
        "name": "扫描电镜", "asset_no": asset_no, "original_value_fen": 120_000_000, "category_code": "010102",
        "purpose_type": "general",
    });
    client
        .post("/api/v1/instruments", body)
        .expect_status(201)
        .id()
}

fn hours(from: &str, until: &str) -> Value {
    json!({"weekly_hours": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": from, "until": until}]})
}

/// A listed instrument that says nothing of its own.
fn heir(app: &TestApp) -> InstrumentId {
    let sem = given::instrument(app).insert();
    put(&app.as_host(), &of(sem), "", &json!({})).expect_status(200);
    sem
}

both! {
    fn what_an_instrument_does_not_say_its_unit_says(app: &TestApp) {
        let (host, unit) = (app.as_host(), of_unit(app));
        let own = given::instrument(app).insert();
        let own_tag = host.get(&of(own)).expect_status(200).etag().to_owned();
        let first = draft(&host, "I-1");
        let service = host.get(&unit).expect_status(200);
        assert_eq!((service.etag(), inherited(&service).len()), ("\"v1\"", FIELDS));
        assert_eq!(host.get(&of(first)).expect_status(200).body, service.body);

        let said = json!({"min_minutes": 60, "max_minutes": 240});
        let replaced = put(&host, &unit, "", &said).expect_status(200);
        assert_eq!((replaced.etag(), inherited(&replaced).len()), ("\"v2\"", FIELDS - 2));
        let shown = host.get(&of(first)).expect_status(200);
        assert_eq!((shown.etag(), &shown["min_minutes"], inherited(&shown).len()), ("\"v2\"", &json!(60), FIELDS));
        let second = host.get(&of(draft(&host, "I-2"))).expect_status(200);
        assert_eq!((&second["max_minutes"], inherited(&second).len()), (&json!(240), FIELDS));
        assert_eq!(host.get(&of(own)).expect_status(200).etag(), own_tag);
        assert_eq!(inherited(&host.get(&of(own))), Vec::<&str>::new());

        let mine = put(&host, &of(first), "", &json!({"horizon_days": 30})).expect_status(200);
        assert_eq!((&mine["horizon_days"], &mine["min_minutes"]), (&json!(30), &json!(60)));
        assert_eq!(inherited(&mine).len(), FIELDS - 1);
        // What was read can be sent back, and changes nothing.
        let read = host.get(&of(first)).expect_status(200);
        let same = put(&host, &of(first), "", &read.body).expect_status(200);
        assert_eq!((same.etag(), inherited(&same)), (read.etag(), inherited(&read)));
        let mut edited = read.body.clone();
        edited["min_minutes"] = json!(90);
        let edited = put(&host, &of(first), "", &edited).expect_status(200);
        assert_eq!((&edited["min_minutes"], inherited(&edited).len()), (&json!(90), FIELDS - 2));
        put(&host, &unit, "", &json!({})).expect_status(200);
        let shown = host.get(&of(first)).expect_status(200);
        let told = (&shown["min_minutes"], &shown["max_minutes"], &shown["horizon_days"]);
        assert_eq!(told, (&json!(90), &json!(480), &json!(30)));
        let read = host.get(&unit).expect_status(200);
        let same = put(&host, &unit, "", &read.body).expect_status(200);
        assert_eq!((same.etag(), inherited(&same).len()), (read.etag(), FIELDS));
    }

    fn rules_of_a_unit_are_refused_where_they_contradict(app: &TestApp) {
        let (host, unit) = (app.as_host(), of_unit(app));
        let sem = draft(&host, "I-1");
        put(&host, &of(sem), "", &json!({"min_minutes": 120})).expect_status(200);
        let refused = put(&host, &unit, "", &json!({"max_minutes": 60})).expect_code(422, "min_above_max");
        assert_eq!(refused["errors"][0]["field"], format!("instruments[{sem}].min_minutes"));
        put(&host, &unit, "", &json!({"min_minutes": 90, "max_minutes": 60})).expect_code(422, "min_above_max");
        for wrong in [json!({"min_minutes": null}), json!({"inherited": ["min_minute"]}), json!({"quota": 1}), json!({"quotas": null}), json!({"class_rules": null}), json!({"inherited": null})] {
            for path in [unit.clone(), of(sem)] {
                put(&host, &path, "", &wrong).expect_status(400);
            }
        }
        host.put(&unit, json!({})).expect_code(428, "version_required");
        let stale = host.request(Method::PUT, &unit).header("If-Match", "\"v9\"").json(json!({})).send();
        stale.expect_code(412, "version_mismatch");
        for client in [app.as_company(), app.as_person(MANAGER), app.as_admin(), app.as_person(OTHER_HOST_ADMIN)] {
            client.get(&unit).expect_code(403, "forbidden");
            client.request(Method::PUT, &unit).header("If-Match", "*").json(json!({})).send().expect_code(403, "forbidden");
        }
    }

    fn rules_of_a_unit_hit_the_bookings_of_all_that_inherit(app: &TestApp) {
        let (host, company, unit) = (app.as_host(), app.as_company(), of_unit(app));
        let apart = given::instrument(app).insert();
        let all = [heir(app), heir(app), apart];
        let bookings = all.map(|sem| {
            let wish = json!({
                "instrument_id": sem, "starts_at": "2026-03-03T10:00:00+08:00", "ends_at": "2026-03-03T12:00:00+08:00",
                "mode": "guided", "purpose": "research",
            });
            company.post("/api/v1/bookings", wish).expect_status(201).id()
        });
        let problems = || bookings.map(|id| company.get(&format!("/api/v1/bookings/{id}"))["problem"].clone());
        let narrow = hours("13:00", "18:00");
        let foretold = put(&host, &unit, "?dry_run=true", &narrow).expect_status(200);
        assert_eq!(foretold["bookings_count"], 2);
        assert_eq!(problems(), [Value::Null, Value::Null, Value::Null]);
        assert_eq!(host.get(&unit).etag(), "\"v1\"");
        let replaced = put(&host, &unit, "", &narrow).expect_status(200);
        let hit: Vec<_> = replaced["bookings"].as_array().unwrap().iter().map(|one| (&one["instrument_id"], &one["codes"])).collect();
        let codes = json!(["outside_opening_hours"]);
        assert_eq!(hit, [(&json!(all[0]), &codes), (&json!(all[1]), &codes)]);
        let outside = json!("outside_opening_hours");
        assert_eq!(problems(), [outside.clone(), outside, Value::Null]);
        put(&host, &unit, "", &json!({})).expect_status(200);
        assert_eq!(problems(), [Value::Null, Value::Null, Value::Null]);
        let cancelled = put(&host, &unit, "?affected=cancel", &narrow).expect_status(200);
        assert_eq!((&cancelled["bookings"][0]["state"], &cancelled["bookings_count"]), (&json!("cancelled"), &json!(2)));
    }
}
