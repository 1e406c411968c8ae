//! Prices: who makes them, which applies, and that two never hold at once.

use serde_json::{Value, json};
use yiqi::domain::instrument::InstrumentState;

use crate::both;
use crate::given;
use crate::world::{FINANCE, HOST, OTHER_HOST_ADMIN};

fn tariff(class: Option<&str>, price: i64) -> Value {
    json!({"customer_class": class, "valid_from": "2026-01-01", "valid_until": "2026-12-31", "price_fen_per_hour": price})
}

both! {
    fn the_host_makes_prices_and_everybody_reads_them(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let path = format!("/api/v1/instruments/{instrument}/tariffs");
        let host = app.as_host();
        let first = host.post(&path, tariff(None, 6_000)).expect_status(201);
        assert_eq!((&first["customer_class"], &first["mode"]), (&json!(null), &json!(null)));
        let clash = host.post(&path, tariff(None, 5_000)).expect_code(409, "tariff_overlaps");
        assert_eq!(clash["existing_id"], first.id());
        host.post(&path, tariff(Some("sme"), 5_000)).expect_status(201);
        let next_year = json!({"valid_from": "2027-01-01", "price_fen_per_hour": 7_000});
        host.post(&path, next_year).expect_status(201);
        let wrong = json!({"valid_from": "2026-02-01", "valid_until": "2026-01-31", "price_fen_per_hour": -1});
        let refused = host.post(&path, wrong).expect_status(422);
        assert_eq!(refused["errors"].as_array().unwrap().len(), 2);
        for person in [OTHER_HOST_ADMIN, FINANCE] {
            app.as_person(person).post(&path, tariff(None, 1)).expect_code(403, "forbidden");
        }
        let listed = app.visitor().get(&path).expect_status(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    }

    fn prices_of_a_draft_are_hidden(app: &TestApp) {
        let instrument = given::instrument(app).in_state(InstrumentState::Draft).insert();
        let path = format!("/api/v1/instruments/{instrument}/tariffs");
        app.as_person(HOST).post(&path, tariff(None, 6_000)).expect_status(201);
        app.visitor().get(&path).expect_code(404, "not_found");
        app.as_stranger().post(&path, tariff(None, 1)).expect_code(404, "not_found");
    }

    fn the_most_specific_price_is_quoted_and_none_is_not_zero(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let question = json!({
            "instrument_id": instrument, "mode": "guided",
            "starts_at": "2026-04-01T09:00:00+08:00", "ends_at": "2026-04-01T09:50:00+08:00",
        });
        let company = app.as_company();
        let none = company.post("/api/v1/quotes", &question).expect_status(200);
        assert_eq!((&none["total_fen"], &none["lines"]), (&json!(null), &json!([])));
        let path = format!("/api/v1/instruments/{instrument}/tariffs");
        let host = app.as_host();
        host.post(&path, tariff(None, 12_000)).expect_status(201);
        host.post(&path, tariff(Some("sme"), 7_320)).expect_status(201);
        let quoted = company.post("/api/v1/quotes", &question).expect_status(200);
        assert_eq!((&quoted["customer_class"], &quoted["total_fen"]), (&json!("sme"), &json!(6_100)));
        let other = app.as_stranger().post("/api/v1/quotes", &question).expect_status(200);
        assert_eq!(other["total_fen"], 10_000);
        let own = host.post("/api/v1/quotes", &question).expect_status(200);
        assert_eq!((&own["customer_class"], &own["total_fen"]), (&json!("own"), &json!(null)));
        let mut unknown = question.clone();
        unknown["instrument_id"] = json!(999_999);
        company.post("/api/v1/quotes", unknown).expect_code(422, "unknown_reference");
        let mut long = question;
        long["ends_at"] = json!("2026-06-01T09:00:00+08:00");
        company.post("/api/v1/quotes", long).expect_code(422, "interval_too_long");
    }

    fn one_of_twenty_prices_of_one_day_stands(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let path = format!("/api/v1/instruments/{instrument}/tariffs");
        let host = app.as_host();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..20).map(|n| {
                let (host, path) = (&host, &path);
                scope.spawn(move || host.post(path, tariff(None, 1_000 + n)))
            }).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let won = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(won, 1);
        for lost in answers.into_iter().filter(|answer| answer.status != 201) {
            lost.expect_code(409, "tariff_overlaps");
        }
    }
}
