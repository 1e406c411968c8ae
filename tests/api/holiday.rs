//! Public holidays as an officer keeps them: read by anybody, changed by the province alone, and missed where they are not
//! entered.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const YEAR: &str = "/api/v1/holidays/2027";

fn put(client: &Client, version: &str, items: Value) -> Answer {
    let request = client.request(Method::PUT, YEAR);
    let request = request.header("if-match", version);
    request.json(json!({ "items": items })).send()
}

fn new_year() -> Value {
    json!([
        {"on": "2027-01-01", "kind": "holiday", "festival": "元旦"},
        {"on": "2027-01-03", "kind": "workday", "festival": "元旦"},
    ])
}

/// A wish for the morning of a day, on an instrument that is open at all hours but on holidays.
fn wish(instrument: yiqi::domain::InstrumentId, day: &str) -> Value {
    json!({
        "instrument_id": instrument, "mode": "self_operated", "purpose": "research",
        "starts_at": format!("{day}T10:00:00+08:00"), "ends_at": format!("{day}T11:00:00+08:00"),
    })
}

both! {
    fn the_province_keeps_the_holidays_of_a_year(app: &TestApp) {
        let admin = app.as_admin();
        let before = app.visitor().get(YEAR).expect_status(200);
        assert_eq!((&before["items"], before.etag()), (&json!([]), "\"v1\""));
        for client in [app.as_person(CITY_ADMIN), app.as_host(), app.as_company()] {
            put(&client, before.etag(), new_year()).expect_code(403, "forbidden");
        }
        admin.put(YEAR, json!({"items": []})).expect_code(428, "version_required");
        put(&admin, "\"v9\"", new_year()).expect_code(412, "version_mismatch");
        let wrong = json!([{"on": "2026-12-31", "kind": "holiday", "festival": ""}, {"on": "2027-01-01", "kind": "holiday", "festival": "元旦"},
            {"on": "2027-01-01", "kind": "holiday", "festival": "元旦"}]);
        let told = put(&admin, before.etag(), wrong).expect_status(422);
        let told: Vec<_> = told["errors"].as_array().unwrap().iter().map(|one| (one["field"].clone(), one["code"].clone())).collect();
        assert_eq!(json!(told), json!([["items[0].on", "out_of_range"], ["items[0].festival", "required"], ["items[2].on", "duplicate"]]));
        let after = put(&admin, before.etag(), new_year()).expect_status(200);
        assert_eq!((&after["items"], after.etag()), (&new_year(), "\"v2\""));
        assert_eq!((&after["bookings"], &after["bookings_count"]), (&json!([]), &json!(0)));
        assert_eq!(app.visitor().get(YEAR).expect_status(200).body, json!({"year": 2027, "items": new_year(), "version": 2}));
        let mut turned = new_year();
        turned.as_array_mut().unwrap().reverse();
        assert_eq!(put(&admin, after.etag(), turned).expect_status(200).etag(), after.etag(), "nothing changed");
        app.settle();
        let events = admin.get("/api/v1/events?action=holiday_update").expect_status(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 1);
        for absent in ["1999", "99999", "abc"] {
            app.visitor().get(&format!("/api/v1/holidays/{absent}")).expect_code(404, "not_found");
        }
    }

    fn bookings_follow_the_list_at_once(app: &TestApp) {
        app.advance(300 * 24 * 60);
        let instrument = given::instrument(app).rules(json!({"holidays": "closed", "horizon_days": 365})).insert();
        let check = |day: &str| app.as_company().post("/api/v1/bookings/check", wish(instrument, day)).expect_status(200);
        // Nobody knows yet: it seems open, and that is told.
        let unknown = check("2027-01-01");
        assert_eq!((&unknown["bookable"], &unknown["warnings"][0]["code"]), (&json!(true), &json!("holidays_unknown")));
        assert_eq!(unknown["warnings"][0]["actual"], 2027);
        assert_eq!(check("2026-12-31")["warnings"], json!([]));
        put(&app.as_admin(), "\"v1\"", new_year()).expect_status(200);
        let known = check("2027-01-01");
        assert_eq!((&known["bookable"], &known["warnings"]), (&json!(false), &json!([])));
        assert_eq!(known["errors"][0]["code"], "public_holiday");
        app.as_company().post("/api/v1/bookings", wish(instrument, "2027-01-01")).expect_code(422, "public_holiday");
    }

    /// A new release brings its own list; what an officer entered stays.
    fn a_release_changes_no_year_that_an_officer_keeps(app: &TestApp) {
        let path = "/api/v1/holidays/2026";
        let admin = app.as_admin();
        let released = admin.get(path).expect_status(200);
        assert!(released["items"].as_array().unwrap().len() > 20);
        let kept = json!([{"on": "2026-10-01", "kind": "holiday", "festival": "国庆节"}]);
        let request = admin.request(Method::PUT, path).header("if-match", released.etag());
        request.json(json!({"items": kept})).send().expect_status(200);
        app.block_on(yiqi::cli::seed::load(&app.app)).unwrap();
        assert_eq!(admin.get(path)["items"], kept);
    }

    fn what_an_installation_lacks_is_told(app: &TestApp) {
        let lacks = || {
            let findings = app.block_on(yiqi::operations::diagnosis::findings(&app.app)).unwrap();
            let lacking = findings.into_iter().filter(|finding| !finding.is_fine);
            lacking.map(|finding| format!("{}: {}", finding.check, finding.hint)).collect::<Vec<_>>()
        };
        assert_eq!(lacks(), [""; 0]);
        app.advance(300 * 24 * 60);
        let lacking = lacks();
        assert_eq!(lacking.len(), 1);
        assert!(lacking[0].starts_with("holidays: no holidays of 2027"), "{lacking:?}");
        put(&app.as_admin(), "\"v1\"", new_year()).expect_status(200);
        assert_eq!(lacks(), [""; 0]);
    }

    fn whom_a_list_hits_is_told_before_and_afterwards(app: &TestApp) {
        app.advance(300 * 24 * 60);
        let instrument = given::instrument(app).rules(json!({"holidays": "closed", "horizon_days": 365})).insert();
        let open = given::instrument(app).rules(json!({"holidays": "open", "horizon_days": 365})).insert();
        let company = app.as_company();
        let book = |instrument, day: &str| company.post("/api/v1/bookings", wish(instrument, day)).expect_status(201).id();
        let (hit, other_day, elsewhere) = (book(instrument, "2027-01-01"), book(instrument, "2027-01-02"), book(open, "2027-01-01"));
        let admin = app.as_admin();
        let send = |query: &str, version: &str, items: Value| {
            let request = admin.request(Method::PUT, &format!("{YEAR}{query}")).header("if-match", version);
            request.json(json!({"items": items})).send()
        };
        let problem = |id: i64| company.get(&format!("/api/v1/bookings/{id}")).expect_status(200)["problem"].clone();
        let dry = send("?dry_run=true", "\"v1\"", new_year()).expect_status(200);
        assert_eq!((&dry["bookings_count"], &dry["bookings"][0]["id"], &dry["bookings"][0]["codes"]), (&json!(1), &json!(hit), &json!(["public_holiday"])));
        assert_eq!((problem(hit), app.visitor().get(YEAR)["items"].clone()), (Value::Null, json!([])));
        let kept = send("", "\"v1\"", new_year()).expect_status(200);
        assert_eq!(kept["bookings"][0]["state"], "confirmed");
        assert_eq!([problem(hit), problem(other_day), problem(elsewhere)], [json!("public_holiday"), Value::Null, Value::Null]);
        // The list is taken back, and comes again with what it hits cancelled.
        send("", "\"v2\"", json!([])).expect_status(200);
        assert_eq!(problem(hit), Value::Null);
        let cancelled = send("?affected=cancel", "\"v3\"", new_year()).expect_status(200);
        assert_eq!(cancelled["bookings"][0]["state"], "cancelled");
        assert_eq!(company.get(&format!("/api/v1/bookings/{hit}"))["state"], "cancelled");
        assert_eq!(company.get(&format!("/api/v1/bookings/{elsewhere}"))["state"], "confirmed");
        send("?affected=perhaps", "\"v4\"", json!([])).expect_status(400);
    }

    fn rules_that_reach_a_year_without_a_list_warn(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, path) = (app.as_host(), format!("/api/v1/instruments/{instrument}/booking-rules"));
        let mut rules = host.get(&path).expect_status(200);
        for (days, codes) in [(90, json!([])), (400, json!(["holidays_unknown"]))] {
            let etag = rules.etag().to_owned();
            let mut body = host.get(&path).expect_status(200).body;
            body["horizon_days"] = json!(days);
            rules = host.request(Method::PUT, &path).header("if-match", &etag).json(body).send().expect_status(200);
            let told: Vec<_> = rules["warnings"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
            assert_eq!(json!(told), codes, "{days}");
        }
    }
}
