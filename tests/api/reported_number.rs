//! Numbers that a unit reports of a year, of itself and of its instruments: by whom, what is refused, and that a final year stands.

use serde_json::{Value, json};
use yiqi::domain::InstrumentId;

use crate::client::Client;
use crate::usage::finalize;
use crate::world::{COMPANY, OTHER_HOST_ADMIN, TestApp, UNIVERSITY};
use crate::{both, given};

fn path(app: &TestApp) -> String {
    format!(
        "/api/v1/organizations/{}/reported-numbers",
        app.organization_id(UNIVERSITY)
    )
}

fn sent(instrument: InstrumentId) -> Value {
    json!({"year": 2025, "items": [
        {"instrument_id": instrument, "name": "trained_independent", "value": 5},
        {"name": "core_papers", "value": 4},
    ]})
}

fn listed(client: &Client, path: &str) -> Value {
    let page = client.get(&format!("{path}?year=2025")).expect_status(200);
    page["items"].clone()
}

both! {
    fn a_unit_reports_of_itself_and_of_its_instruments(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, path) = (app.as_host(), path(app));
        assert_eq!(listed(&host, &path), json!([]));
        let both = json!([
            {"instrument_id": null, "instrument_name": null, "name": "core_papers", "value": 4},
            {"instrument_id": instrument, "instrument_name": "场发射扫描电子显微镜", "name": "trained_independent", "value": 5},
        ]);
        let told = host.post(&path, sent(instrument)).expect_status(200);
        assert_eq!((&told["year"], &told["items"]), (&json!(2025), &both));
        host.post(&path, sent(instrument)).expect_status(200);
        let more = json!({"year": 2025, "items": [{"instrument_id": instrument, "name": "trained_independent", "value": 6}]});
        assert_eq!(host.post(&path, more).expect_status(200)["items"][1]["value"], 6);
        assert_eq!(listed(&app.as_admin(), &path).as_array().unwrap().len(), 2);
        assert_eq!(host.get(&format!("{path}?year=2024")).expect_status(200)["items"], json!([]));
        host.get(&path).expect_code(400, "missing_field");

        app.settle();
        let events = app.as_admin().get("/api/v1/events?action=reported_number_enter").expect_status(200);
        let values: Vec<_> = events["items"].as_array().unwrap().iter()
            .map(|event| (event["before"]["numbers"][0]["value"].clone(), event["after"]["numbers"][0]["value"].clone())).collect();
        let mut values = values;
        values.sort_by_key(|(_, after)| after.to_string());
        assert_eq!(values, [(Value::Null, json!(5)), (json!(5), json!(6))]);

        app.as_admin().post(&path, sent(instrument)).expect_code(403, "forbidden");
        app.as_company().get(&format!("{path}?year=2025")).expect_status(403);
        app.as_person(OTHER_HOST_ADMIN).post(&path, sent(instrument)).expect_code(403, "forbidden");
    }

    fn what_is_no_number_is_refused_in_both_languages(app: &TestApp) {
        let (instrument, path) = (given::instrument(app).insert(), path(app));
        let host = app.as_host();
        let item = |change: Value| {
            let mut item = json!({"instrument_id": instrument, "name": "core_papers", "value": 1});
            let members = change.as_object().unwrap().clone();
            item.as_object_mut().unwrap().extend(members);
            json!({"year": 2025, "items": [item]})
        };
        let two = json!({"year": 2025, "items": [{"name": "a", "value": 1}, {"name": "a", "value": 2}]});
        let many: Vec<Value> = (0..1_001).map(|at| json!({"name": format!("n{at}"), "value": 1})).collect();
        for (body, field) in [
            (item(json!({"name": "Core"})), "items[0].name"),
            (item(json!({"name": ""})), "items[0].name"),
            (item(json!({"name": "核心论文"})), "items[0].name"),
            (item(json!({"name": "a".repeat(65)})), "items[0].name"),
            (item(json!({"name": 1})), "items[0].name"),
            (item(json!({"value": -1})), "items[0].value"),
            (item(json!({"value": 1.5})), "items[0].value"),
            (item(json!({"value": 9_007_199_254_740_992_i64})), "items[0].value"),
            (item(json!({"instrument_id": 99_999})), "items[0].instrument_id"),
            (two, "items[1].name"),
            (json!({"year": 2025, "items": many}), "items"),
            (json!({"year": 1800, "items": []}), "year"),
        ] {
            for language in ["zh-CN", "en"] {
                let refused = host.in_language(language).post(&path, &body);
                assert!([400, 422].contains(&refused.status), "{field}: {}", refused.text());
                let fault = &refused["errors"][0];
                assert_eq!(fault["field"], field, "{}", refused.text());
                let text = fault["message"].as_str().unwrap();
                assert_eq!(text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), language == "zh-CN" || text.contains("核心"), "{text}");
            }
        }
        assert_eq!(listed(&host, &path), json!([]));
        // Who has no instruments has nothing to report of them.
        let company = format!("/api/v1/organizations/{}/reported-numbers", app.organization_id(COMPANY));
        host.post(&company, sent(instrument)).expect_code(403, "forbidden");
    }

    fn a_final_year_stands(app: &TestApp) {
        let (instrument, path) = (given::instrument(app).insert(), path(app));
        let host = app.as_host();
        host.post(&path, sent(instrument)).expect_status(200);
        finalize(app, 2025);
        host.post(&path, sent(instrument)).expect_status(200);
        let other = json!({"year": 2025, "items": [{"name": "core_papers", "value": 9}]});
        host.post(&path, &other).expect_code(409, "period_locked");
        let later = json!({"year": 2026, "items": [{"name": "core_papers", "value": 9}]});
        host.post(&path, later).expect_status(200);
    }
}
