//! What units are certified as, and that prices' classes follow it by date.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::both;
use crate::client::{Answer, Client};
use crate::world::*;

fn path(app: &TestApp) -> String {
    format!(
        "/api/v1/organizations/{}/certifications",
        app.organization_id(UNIVERSITY)
    )
}

fn put(client: &Client, path: &str, version: &str, items: Value) -> Answer {
    let request = client
        .request(Method::PUT, path)
        .header("if-match", version);
    request.json(json!({ "items": items })).send()
}

both! {
    fn whoever_supervises_a_unit_says_what_it_is_certified_as(app: &TestApp) {
        let (path, city, host) = (path(app), app.as_person(CITY_ADMIN), app.as_host());
        let before = host.get(&path).expect_status(200);
        assert_eq!(before["items"], json!([]));
        let sme = json!([{"certification": "tech_sme", "valid_from_on": "2026-01-01", "valid_until_on": "2026-03-03", "document_no": "KJ-1"}]);
        put(&host, &path, before.etag(), sme.clone()).expect_code(403, "forbidden");
        app.as_stranger().get(&path).expect_code(403, "forbidden");
        city.put(&path, json!({"items": []})).expect_code(428, "version_required");
        put(&city, &path, "\"v99\"", sme.clone()).expect_code(412, "version_mismatch");
        let wrong = json!([{"certification": "SME"}, {"certification": "sme", "valid_from_on": "2026-02-01", "valid_until_on": "2026-01-01"}]);
        let told = put(&city, &path, before.etag(), wrong).expect_status(422);
        let told: Vec<_> = told["errors"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
        assert_eq!(told, ["malformed", "dates_out_of_order"]);
        let after = put(&city, &path, before.etag(), sme.clone()).expect_status(200);
        assert_eq!(after["items"], sme);
        assert_eq!(put(&city, &path, after.etag(), sme).expect_status(200).etag(), after.etag(), "nothing changed");
    }

    fn a_unit_is_a_small_enterprise_as_long_as_it_is_certified(app: &TestApp) {
        let (path, city) = (path(app), app.as_person(CITY_ADMIN));
        let own = format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY));
        let is_sme = || app.as_host().get(&own).expect_status(200)["is_sme"].as_bool().unwrap();
        let follow = || app.block_on(yiqi::operations::certification::follow(&app.app, app.now())).unwrap();
        assert_eq!((is_sme(), follow()), (false, 0));
        let before = city.get(&path);
        let items = json!([{"certification": "sme", "valid_from_on": "2026-03-04", "valid_until_on": "2026-03-05"}]);
        put(&city, &path, before.etag(), items).expect_status(200);
        assert_eq!((is_sme(), follow()), (false, 0));
        app.advance(2 * 24 * 60);
        assert_eq!((follow(), is_sme()), (1, true));
        assert_eq!(follow(), 0);
        app.advance(24 * 60);
        assert_eq!((follow(), is_sme()), (0, true));
        app.advance(24 * 60);
        assert_eq!((follow(), is_sme()), (1, false));
        app.settle();
        let events = app.as_admin().get("/api/v1/events?limit=200").expect_status(200);
        let told = events["items"].as_array().unwrap().iter();
        assert_eq!(told.filter(|event| event["action"] == "organization_reclassify").count(), 2);
    }

    /// Who was a small enterprise before there were certifications is certified as one, without end.
    fn what_was_entered_as_small_is_certified(app: &TestApp) {
        let path = format!("/api/v1/organizations/{}/certifications", app.organization_id(COMPANY));
        let known = app.as_company().get(&path).expect_status(200);
        let items = json!([{"certification": "sme", "valid_from_on": null, "valid_until_on": null, "document_no": null}]);
        assert_eq!(known["items"], items);
        put(&app.as_admin(), &path, known.etag(), json!([])).expect_status(200);
        let own = format!("/api/v1/organizations/{}", app.organization_id(COMPANY));
        assert_eq!(app.as_company().get(&own).expect_status(200)["is_sme"], false);
    }

    /// The day of use decides, not the day on which somebody asks.
    fn prices_follow_certifications_by_the_day_of_use(app: &TestApp) {
        let company = app.organization_id(COMPANY);
        let path = format!("/api/v1/organizations/{company}/certifications");
        let known = app.as_admin().get(&path).expect_status(200);
        let items = json!([{"certification": "tech_sme", "valid_from_on": "2026-02-10", "valid_until_on": "2026-03-10"}]);
        put(&app.as_admin(), &path, known.etag(), items).expect_status(200);
        let instrument = crate::given::instrument(app).insert();
        let tariffs = format!("/api/v1/instruments/{instrument}/tariffs");
        for (class, price) in [(json!("sme"), 3_000), (Value::Null, 6_000)] {
            let tariff = json!({"customer_class": class, "valid_from": "2026-01-01", "price_fen_per_hour": price});
            app.as_host().post(&tariffs, tariff).expect_status(201);
        }
        for (day, class, price) in [("2026-03-10", "sme", 3_000), ("2026-03-11", "enterprise", 6_000)] {
            let asked = json!({
                "instrument_id": instrument, "mode": "self_operated", "purpose": "research",
                "starts_at": format!("{day}T10:00:00+08:00"), "ends_at": format!("{day}T11:00:00+08:00"),
            });
            let mut question = asked.clone();
            question.as_object_mut().unwrap().remove("purpose");
            let quote = app.as_company().post("/api/v1/quotes", question).expect_status(200);
            assert_eq!(quote["customer_class"], class, "quote of {day}");
            let booked = app.as_company().post("/api/v1/bookings", asked).expect_status(201);
            assert_eq!(booked["quote"]["total_fen"], price, "booking of {day}");
        }
        for (day, price) in [("2026-02-09", 6_000), ("2026-02-10", 3_000)] {
            let record = json!({
                "instrument_id": instrument, "organization_id": company, "mode": "entrusted", "purpose": "research",
                "started_at": format!("{day}T09:00:00+08:00"), "ended_at": format!("{day}T10:00:00+08:00"),
            });
            let record = app.as_host().post("/api/v1/usage-records", record).expect_status(201);
            let charge = crate::charge::charge_of(&app.as_host(), record.id()).remove(0);
            assert_eq!(charge["amount_fen"], price, "charge of {day}");
        }
    }

    fn a_list_of_units_is_entered_whole_or_not_at_all(app: &TestApp) {
        let path = "/api/v1/certifications/import";
        let send = |client: &Client, query: &str, rows: &str| {
            let table = format!("uscc,certification,valid_from_on,valid_until_on,document_no\n{rows}");
            client.request(Method::POST, &format!("{path}{query}")).bytes("text/csv", table).send()
        };
        let of = |uscc| {
            let path = format!("/api/v1/organizations/{}/certifications", app.organization_id(uscc));
            app.as_admin().get(&path).expect_status(200)["items"].clone()
        };
        let (admin, city) = (app.as_admin(), app.as_person(CITY_ADMIN));
        send(&app.as_host(), "", "").expect_code(403, "forbidden");
        let rows = format!(
            "{OTHER_COMPANY},科技型中小企业,2026-01-01,2026-12-31,冀科-1\n{COMPANY},sme,,2026-06-30,\n{COMPANY},high_tech,2025-01-01,,\n"
        );
        let dry = send(&admin, "?dry_run=true", &rows).expect_status(200);
        assert_eq!(dry.body, json!({"dry_run": true, "rows": 3, "changed": 2}));
        assert_eq!(of(OTHER_COMPANY), json!([]));
        // Whoever supervises neither of them knows none of them.
        let told = send(&city, "", &rows).expect_code(422, "unknown_reference");
        assert_eq!(told["errors"].as_array().unwrap().len(), 3);
        let wrong = format!("{rows}{COMPANY},SME,2026-02-01,2026-01-01,\n{COMPANY},high_tech,2025-01-01,,\nX,sme,,,\n");
        let told = send(&admin, "", &wrong).expect_status(422);
        let told: Vec<_> = told["errors"].as_array().unwrap().iter().map(|one| format!("{} {} {}", one["row"], one["column"], one["code"])).collect();
        assert_eq!(told, [
            "5 \"certification\" \"malformed\"", "5 \"valid_until_on\" \"dates_out_of_order\"", "6 \"certification\" \"duplicate\"",
            "7 \"uscc\" \"unknown_reference\"",
        ]);
        assert_eq!(of(OTHER_COMPANY), json!([]));
        let done = send(&admin, "", &rows).expect_status(200);
        assert_eq!(done.body, json!({"dry_run": false, "rows": 3, "changed": 2}));
        assert_eq!(of(OTHER_COMPANY), json!([
            {"certification": "tech_sme", "valid_from_on": "2026-01-01", "valid_until_on": "2026-12-31", "document_no": "冀科-1"},
        ]));
        // The open one got its end, the other was added.
        assert_eq!(of(COMPANY), json!([
            {"certification": "sme", "valid_from_on": null, "valid_until_on": "2026-06-30", "document_no": null},
            {"certification": "high_tech", "valid_from_on": "2025-01-01", "valid_until_on": null, "document_no": null},
        ]));
        assert_eq!(send(&admin, "", &rows).expect_status(200)["changed"], 0);
        admin.get("/api/v1/certifications/import-template").expect_status(200);
        app.as_host().get("/api/v1/certifications/import-template").expect_code(403, "forbidden");
    }
}
