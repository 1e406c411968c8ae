//! Charges found by service, payer and balance; prices made after the use; and days that a year's price covers.

use serde_json::{Value, json};

use crate::both;
use crate::charge::{charge_of, invoice, payment, priced, record};
use crate::client::Client;
use crate::given;
use crate::world::{COMPANY, FINANCE, TestApp, UNIVERSITY};

const CHARGES: &str = "/api/v1/charges";

fn ids(client: &Client, query: &str) -> Vec<i64> {
    let list = client.get(&format!("{CHARGES}?{query}")).expect_status(200);
    let items = list["items"].as_array().unwrap();
    let mut ids: Vec<_> = items.iter().map(|c| c["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn tariff(app: &TestApp, instrument: yiqi::domain::InstrumentId, body: Value) {
    let path = format!("/api/v1/instruments/{instrument}/tariffs");
    app.as_host().post(&path, body).expect_status(201);
}

both! {
    fn charges_are_found_by_service_payer_and_balance(app: &TestApp) {
        let (first, second) = (priced(app), priced(app));
        let (finance, company) = (app.as_person(FINANCE), app.as_company());
        let charge = |record: i64| charge_of(&company, record)[0]["id"].as_i64().unwrap();
        let a = charge(record(app, first, 10));
        let b = charge(record(app, first, 20));
        let c = charge(record(app, second, 20));
        let pay = |client: &Client, id: i64, fen: i64| {
            client.post(&format!("{CHARGES}/{id}/payments"), payment(fen, "payer")).expect_status(201);
        };
        pay(&finance, a, 9_000);
        pay(&company, b, 9_000);
        let payer = app.organization_id(COMPANY);
        let host = app.organization_id(UNIVERSITY);
        for (query, found) in [
            (format!("instrument_id={first}"), vec![a, b]),
            (format!("instrument_id={first}&instrument_id={second}"), vec![a, b, c]),
            (format!("organization_id={payer}"), vec![a, b, c]),
            (format!("organization_id={host}"), vec![]),
            ("from=2026-02-20T09:00:00%2B08:00".to_owned(), vec![b, c]),
            ("from=2026-02-20T09:00:01%2B08:00".to_owned(), vec![]),
            ("until=2026-02-20T09:00:00%2B08:00".to_owned(), vec![a]),
            ("from=2026-02-01T00:00:00%2B08:00&until=2026-02-15T00:00:00%2B08:00".to_owned(), vec![a]),
            ("open=true".to_owned(), vec![b, c]),
            ("open=false".to_owned(), vec![a]),
            ("declared=true".to_owned(), vec![b]),
            ("declared=false&open=true".to_owned(), vec![c]),
            (format!("open=true&instrument_id={first}"), vec![b]),
        ] {
            for client in [&finance, &company] {
                assert_eq!(ids(client, &query), found, "{query}");
            }
            assert_eq!(ids(&app.as_stranger(), &query), Vec::<i64>::new());
        }
        finance.get(&format!("{CHARGES}?open=maybe")).expect_code(400, "invalid_value");

        let csv = finance.get(&format!("{CHARGES}/export?format=csv&open=true")).expect_status(200).text().to_owned();
        assert_eq!(csv.trim_end().lines().count(), 3, "{csv}");
        assert!(csv.contains("90.00") && csv.contains(COMPANY) && csv.contains("9000"), "{csv}");
        assert!(company.get(&format!("{CHARGES}/export")).expect_status(200).bytes.starts_with(b"PK"));
        let none = app.as_stranger().get(&format!("{CHARGES}/export?format=csv")).expect_status(200);
        assert_eq!(none.text().trim_end().lines().count(), 1);
    }

    fn a_price_made_after_the_use_applies_before_the_invoice(app: &TestApp) {
        let instrument = priced(app);
        let (finance, company) = (app.as_person(FINANCE), app.as_company());
        let charge = charge_of(&company, record(app, instrument, 10)).remove(0);
        let path = format!("{CHARGES}/{}", charge["id"]);
        let reprice = format!("{path}/reprice");
        company.post(&reprice, json!({})).expect_code(403, "forbidden");
        let same = finance.post(&reprice, json!({})).expect_status(200);
        assert_eq!((&same["version"], &same["updated_at"]), (&json!(1), &charge["updated_at"]), "nothing changed");

        tariff(app, instrument, json!({"customer_class": "sme", "valid_from": "2026-02-01", "valid_until": "2026-02-28", "price_fen_per_hour": 4_000}));
        let priced = finance.post(&reprice, json!({})).expect_status(200);
        assert_eq!((&priced["amount_fen"], &priced["id"], &priced["version"]), (&json!(6_000), &charge["id"], &json!(2)));
        finance.post(&format!("{path}/invoice"), invoice("R-1")).expect_status(200);
        finance.post(&reprice, json!({})).expect_code(409, "already_invoiced");

        let other = charge_of(&company, record(app, instrument, 11)).remove(0);
        let path = format!("{CHARGES}/{}", other["id"]);
        finance.post(&format!("{path}/payments"), payment(5_000, "payer")).expect_status(201);
        let guided = json!({"customer_class": "sme", "mode": "entrusted", "valid_from": "2026-02-11", "valid_until": "2026-02-11", "price_fen_per_hour": 3_000});
        tariff(app, instrument, guided);
        let more = finance.post(&format!("{path}/reprice"), json!({})).expect_code(422, "overpaid");
        assert_eq!((&more["errors"][0]["limit"], &more["errors"][0]["actual"]), (&json!(4_500), &json!(5_000)));
    }

    fn use_without_a_price_is_seen_and_charged_when_it_has_one(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (finance, company) = (app.as_person(FINANCE), app.as_company());
        let id = record(app, instrument, 10);
        assert!(charge_of(&company, id).is_empty());
        let mut own = json!({
            "instrument_id": instrument, "organization_id": app.organization_id(UNIVERSITY), "mode": "guided", "purpose": "teaching",
            "started_at": "2026-02-11T09:00:00+08:00", "ended_at": "2026-02-11T10:00:00+08:00",
        });
        app.as_host().post("/api/v1/usage-records", &own).expect_status(201);
        own["started_at"] = Value::Null;
        let unpriced = |client: &Client| {
            let list = client.get("/api/v1/usage-records?unpriced=true").expect_status(200);
            let items = list["items"].as_array().unwrap();
            items.iter().map(|item| item["id"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(unpriced(&finance), [id], "own use is free");
        app.settle();
        let events = app.as_host().get("/api/v1/events?action=usage_record_lack_price").expect_status(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 1);
        assert_eq!(events["items"][0]["subject_id"], id);

        let open = format!("/api/v1/usage-records/{id}/charge");
        company.post(&open, json!({})).expect_code(403, "forbidden");
        let none = finance.post(&open, json!({})).expect_code(409, "no_price");
        assert_eq!(none["priced_on"], "2026-02-10");
        tariff(app, instrument, json!({"valid_from": "2026-01-01", "valid_until": "2026-12-31", "price_fen_per_hour": 6_000}));
        let charge = finance.post(&open, json!({})).expect_status(201);
        assert_eq!((&charge["amount_fen"], &charge["usage_record_id"]), (&json!(9_000), &json!(id)));
        let again = finance.post(&open, json!({})).expect_code(409, "charge_exists");
        assert_eq!(again["existing_id"], charge.id());
        assert!(unpriced(&finance).is_empty());
        let voided = format!("/api/v1/usage-records/{id}/void");
        app.as_host().post(&voided, json!({"reason": "x"})).expect_status(200);
        finance.post(&open, json!({})).expect_code(409, "invalid_state");
        assert!(unpriced(&finance).is_empty());
    }

    fn a_table_of_uses_without_a_price_is_told_once(app: &TestApp) {
        let (free, sold) = (given::instrument(app).insert(), priced(app));
        let number = |id: yiqi::domain::InstrumentId| {
            let path = format!("/api/v1/instruments/{id}");
            app.as_host().get(&path).expect_status(200)["asset_no"].as_str().unwrap().to_owned()
        };
        let row = |id, unit: &str, day: u32| format!("{},{unit},2026-02-{day} 09:00,2026-02-{day} 10:00,guided,research\n", number(id));
        let table = |rows: &[String]| {
            let text = format!("asset_no,using_uscc,started_at,ended_at,mode,purpose\n{}", rows.concat());
            let host = app.as_host();
            let sent = host.request(ureq::http::Method::POST, "/api/v1/usage-records/import");
            sent.bytes("text/csv", text).send().expect_status(200)
        };
        let told = || {
            app.tell();
            let page = app.as_person(FINANCE).get("/api/v1/notices?type=usage_record_lack_price").expect_status(200);
            page["items"].as_array().unwrap().len()
        };
        // Own use is free, and what has a price lacks none.
        table(&[row(free, UNIVERSITY, 10), row(sold, COMPANY, 10)]);
        assert_eq!(told(), 0);
        table(&[row(sold, COMPANY, 11), row(free, COMPANY, 11), row(free, UNIVERSITY, 12), row(free, COMPANY, 13), row(free, COMPANY, 14)]);
        assert_eq!(told(), 1, "once for the table");
        let unpriced = app.as_person(FINANCE).get("/api/v1/usage-records?unpriced=true").expect_status(200);
        let unpriced: Vec<_> = unpriced["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
        app.settle();
        let events = app.as_host().get("/api/v1/events?action=usage_record_lack_price").expect_status(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 1);
        let event = &events["items"][0];
        assert_eq!(event["after"], json!({"instrument_id": free, "priced_on": "2026-02-11", "records": 3}));
        assert!(unpriced.len() == 3 && unpriced.contains(&event["subject_id"]), "{unpriced:?} {event}");
    }

    fn two_years_prices_leave_no_day_without_one(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        for (year, price) in [(2026, 6_000), (2027, 7_000)] {
            tariff(app, instrument, json!({
                "valid_from": format!("{year}-01-01"), "valid_until": format!("{year}-12-31"), "price_fen_per_hour": price,
            }));
        }
        let path = format!("/api/v1/instruments/{instrument}/tariffs");
        for (from, until) in [("2026-12-31", "2026-12-31"), ("2025-06-01", "2026-01-01"), ("2027-12-31", "2028-01-01")] {
            let clash = json!({"valid_from": from, "valid_until": until, "price_fen_per_hour": 1});
            app.as_host().post(&path, clash).expect_code(409, "tariff_overlaps");
        }
        let listed = app.visitor().get(&path).expect_status(200);
        assert_eq!(listed["items"][0]["valid_until"], "2026-12-31");
        for (day, price) in [
            ("2025-12-31", json!(null)), ("2026-01-01", json!(6_000)), ("2026-12-31", json!(6_000)), ("2027-01-01", json!(7_000)),
            ("2027-12-31", json!(7_000)), ("2028-01-01", json!(null)),
        ] {
            let question = json!({
                "instrument_id": instrument, "mode": "guided",
                "starts_at": format!("{day}T09:00:00+08:00"), "ends_at": format!("{day}T10:00:00+08:00"),
            });
            let quoted = app.as_company().post("/api/v1/quotes", question).expect_status(200);
            assert_eq!(quoted["total_fen"], price, "{day}");
        }
        let one_day = json!({"customer_class": "sme", "valid_from": "2026-04-01", "valid_until": "2026-04-01", "price_fen_per_hour": 1});
        app.as_host().post(&path, one_day).expect_status(201);
    }
}
