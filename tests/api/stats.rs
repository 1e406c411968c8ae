//! Open figures: by group, without what rests on too few using units, and kept once the year's evaluation is final.

use serde_json::{Value, json};
use yiqi::domain::InstrumentId;
use yiqi::operations::policy::install_shipped;

use crate::client::{Answer, Client};
use crate::finality::{draft, prepared, publish, say};
use crate::world::*;
use crate::{both, given};

fn stats(app: &TestApp, query: &str) -> Answer {
    app.visitor()
        .get(&format!("/api/v1/stats/{query}"))
        .expect_status(200)
}

/// An hour of a unit on a day of February, confirmed by it.
fn used(
    app: &TestApp,
    (host, instrument): (&Client, InstrumentId),
    (unit, uscc): (&Client, &'static str),
    day: u32,
) {
    let body = json!({
        "instrument_id": instrument, "organization_id": app.organization_id(uscc), "mode": "entrusted", "purpose": "research",
        "started_at": format!("2026-02-{day:02}T09:00:00+08:00"), "ended_at": format!("2026-02-{day:02}T10:00:00+08:00"),
    });
    let record = host
        .post("/api/v1/usage-records", body)
        .expect_status(201)
        .id();
    unit.post(
        &format!("/api/v1/usage-records/{record}/confirm"),
        json!({}),
    )
    .expect_status(200);
}

fn group<'a>(answer: &'a Answer, key: &str) -> &'a Value {
    let found = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["key"] == key);
    found.unwrap_or_else(|| panic!("no {key}: {}", answer.text()))
}

both! {
    fn what_rests_on_few_using_units_is_not_told(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        let (host, other) = (app.as_host(), app.as_person(OTHER_HOST_ADMIN));
        let (boss, stranger) = (app.as_company(), app.as_stranger());
        let sem = given::instrument(app).insert();
        let own = (&host, sem);
        used(app, own, (&boss, COMPANY), 9);
        used(app, own, (&stranger, OTHER_COMPANY), 10);
        let two = stats(app, "2026");
        assert_eq!((&two["hosts"], &two["records"], &two["external_minutes"], &two["income_fen"]), (&json!(1), &Value::Null, &Value::Null, &Value::Null));
        let suppressed = two["suppressed"].as_array().unwrap();
        for name in ["records", "samples", "effective_minutes", "external_units", "sme_units", "external_minutes", "income_fen", "share_rate_of_sums", "share_rate_mean", "answered_in_time_rate", "answer_hours_median"] {
            assert!(suppressed.contains(&json!(name)), "{name}");
        }
        app.advance(6);
        used(app, own, (&other, OTHER_HOST), 11);
        let three = stats(app, "2026?by=organization");
        assert_eq!((&three["external_units"], &three["external_minutes"], &three["share_rate_of_sums"], &three["share_rate_mean"]), (&json!(3), &json!(180), &json!("1.0000"), &json!("1.0000")));
        assert_eq!((&three["is_final"], &three["evaluation_id"], &three["policy"]), (&json!(false), &Value::Null, &json!("hebei-2026@1")));
        let key = app.organization_id(UNIVERSITY).to_string();
        assert_eq!(group(&three, &key)["external_minutes"], 180);
        assert_eq!(group(&three, &key)["name"], "太行农业大学");
        // Another host with one customer: it would follow from the sum and the first one, which is not told either.
        app.advance(6);
        let balance = given::instrument(app).of(OTHER_HOST).with(|facts| facts.category_code = "040106".parse().unwrap()).insert();
        used(app, (&other, balance), (&boss, COMPANY), 12);
        for by in ["organization", "category"] {
            let answer = stats(app, &format!("2026?by={by}"));
            assert_eq!((&answer["records"], &answer["external_minutes"], &answer["original_value_fen"]), (&json!(4), &json!(240), &json!(240_000_000)));
            let items = answer["items"].as_array().unwrap();
            assert_eq!(items.len(), 2, "{by}");
            for item in items {
                assert_eq!((&item["records"], &item["external_minutes"], &item["share_rate_mean"]), (&Value::Null, &Value::Null, &Value::Null), "{by}");
                assert!(item["suppressed"].as_array().unwrap().contains(&json!("external_minutes")), "{by}");
                assert_eq!((&item["instruments"], &item["externally_shared_instruments"]), (&json!(1), &json!(1)));
            }
        }
        let by_category = stats(app, "2026?by=category");
        assert_eq!(group(&by_category, "010000")["answered_in_time_rate"], Value::Null);
        for by in ["region", "kind"] {
            assert!(!stats(app, &format!("2026?by={by}"))["items"].as_array().unwrap().is_empty());
        }
        let csv = stats(app, "2026?by=organization&format=csv").text();
        assert!(csv.contains("合计") && csv.contains("太行农业大学") && csv.contains("未公布的项目"), "{csv}");
        app.visitor().get("/api/v1/stats/2026?by=person").expect_code(400, "invalid_value");
        app.visitor().get("/api/v1/stats/2026?format=xlsx").expect_code(400, "invalid_value");
        app.visitor().get("/api/v1/stats/2026?of=x").expect_code(400, "unknown_parameter");
        app.visitor().get("/api/v1/stats/2027").expect_code(422, "out_of_range");
    }

    fn figures_of_a_final_year_stay_as_they_are(app: &TestApp) {
        let admin = prepared(app);
        given::instrument(app).insert();
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [_, subsidy] = publish(&admin, &run);
        let before = stats(app, "2025?by=organization");
        assert_eq!((&before["is_final"], &before["grades"], &before["award_fen"]), (&json!(false), &Value::Null, &Value::Null));
        given::notice_over(app);
        say(&given::deputy(app), &subsidy, "finalize", json!({})).expect_status(200);
        let first = stats(app, "2025?by=organization");
        assert_eq!((&first["is_final"], &first["evaluation_id"]), (&json!(true), &run["evaluation_id"]));
        assert!(first["grades"].is_object() && first["award_fen"].is_i64(), "{}", first.text());
        let key = app.organization_id(UNIVERSITY).to_string();
        assert!(group(&first, &key)["award_fen"].is_i64(), "{}", first.text());
        let keep = || app.block_on(yiqi::operations::stats::keep_final(&app.app, app.now())).unwrap();
        assert_eq!((keep(), keep()), (1, 0));
        assert_eq!(stats(app, "2025?by=organization").body, first.body, "kept as it was told");
        // Neither names nor the registry move them.
        app.write(|tx| {
            for text in ["UPDATE organization SET name = '改名大学'", "UPDATE instrument SET original_value_fen = 1"] {
                diesel::RunQueryDsl::execute(diesel::sql_query(text), tx)?;
            }
            Ok(())
        });
        assert_eq!(stats(app, "2025?by=organization").body, first.body);
    }
}
