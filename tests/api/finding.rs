//! Findings: what looks wrong is found by a freeze, once, and only the administration reads it.

use diesel::RunQueryDsl;
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::operations::policy::install_shipped;

use crate::charge::{priced, record};
use crate::client::{Answer, Client};
use crate::finality::{draft, prepared, publish, say};
use crate::subsidy::begun;
use crate::world::*;
use crate::{both, given};

const YEAR: &str = "/api/v1/findings?year=2026";

fn freeze(app: &TestApp) {
    let body = json!({"year": 2026, "policy": "hebei-2026"});
    begun(&app.as_admin(), "/api/v1/evaluations", body);
}

fn change(app: &TestApp, text: String) {
    app.write(move |tx| Ok(diesel::sql_query(text.as_str()).execute(tx)?));
}

fn found(app: &TestApp, more: &str) -> Vec<Value> {
    let list = app.as_admin().get(&format!("{YEAR}{more}"));
    list.expect_status(200)["items"].as_array().unwrap().clone()
}

/// What looks wrong with one record, as a path.
fn planted(app: &TestApp) -> String {
    app.block_on(install_shipped(&app.app, app.now())).unwrap();
    let instrument = priced(app);
    let id = record(app, instrument, 9);
    change(
        app,
        format!("UPDATE usage_record SET run_minutes = 91 WHERE id = {id}"),
    );
    freeze(app);
    let over = found(app, "&rule=over_24_hours").pop().unwrap();
    format!("/api/v1/findings/{}", over["id"])
}

/// Something of the rule in 2025, straight into the table.
fn insert(app: &TestApp, rule: &str) {
    let host = app.organization_id(UNIVERSITY);
    change(
        app,
        format!(
            "INSERT INTO finding (year, rule, subject, organization_id, records, minutes, income_fen, record_ids, facts_digest, \
             state, version, created_at, updated_at) VALUES (2025, '{rule}', '-', {host}, 1, 0, 0, '[]', '', 'open', 1, \
             '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
        ),
    );
}

fn versioned(client: &Client, path: &str, version: i64, body: Value) -> Answer {
    let request = client.request(Method::POST, path);
    let request = request.header("if-match", &format!("\"v{version}\""));
    let request = request.header("idempotency-key", &format!("{path}:{version}"));
    request.json(body).send()
}

both! {
    fn a_freeze_finds_what_looks_wrong_once_and_again_when_it_changed(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        let instrument = priced(app);
        let records = [9, 10, 11].map(|day| record(app, instrument, day));
        freeze(app);
        assert_eq!(found(app, "&severity=serious"), Vec::<Value>::new());

        let longer = |id: i64| format!("UPDATE usage_record SET run_minutes = 91 WHERE id = {id}");
        change(app, longer(records[0]));
        change(app, format!("UPDATE instrument SET accepted_on = '2026-02-11' WHERE id = {instrument}"));
        change(app, format!("UPDATE usage_record SET channel = 7 WHERE id = {}", records[2]));
        freeze(app);
        let serious = found(app, "&severity=serious");
        let told: Vec<_> = serious.iter().map(|one| (one["rule"].as_str().unwrap(), one["count"].clone())).collect();
        for expected in [("over_24_hours", 1), ("overlap", 1), ("before_acceptance", 2)] {
            let (rule, count) = expected;
            assert!(told.contains(&(rule, json!(count))), "{rule}: {told:?}");
        }
        assert_eq!(told.len(), 3, "{told:?}");
        let over = found(app, "&rule=over_24_hours").pop().unwrap();
        assert_eq!(over["usage_record_ids"], json!([records[0]]));
        assert_eq!(over["minutes"], 91);
        assert_eq!(over["organization_name"], app.as_admin().get(&format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY))).expect_status(200)["name"]);

        // Never twice, and what was cleared stays so until its facts change.
        change(app, "UPDATE finding SET state = 'cleared' WHERE rule = 'over_24_hours'".to_owned());
        freeze(app);
        assert_eq!(found(app, "&severity=serious").len(), 3);
        let path = format!("/api/v1/findings/{}", over["id"]);
        let one = app.as_admin().get(&path).expect_status(200);
        assert_eq!((&one["state"], &one["version"]), (&json!("cleared"), &json!(1)));
        change(app, longer(records[1]));
        freeze(app);
        let one = app.as_admin().get(&path).expect_status(200);
        assert_eq!((&one["state"], &one["count"]), (&json!("open"), &json!(2)));
        app.as_host().get(&path).expect_status(403);
        app.as_host().get(YEAR).expect_status(403);
        assert_eq!(found(app, "&rule=overlap&severity=note"), Vec::<Value>::new());
    }

    fn a_finding_is_cleared_upheld_and_looked_at_again(app: &TestApp) {
        let (path, admin) = (planted(app), app.as_admin());
        let sound = [
            ("clear", json!({"text": "已核对"})),
            ("uphold", json!({"text": "属实", "effect": "none"})),
            ("reopen", json!({"reason": "有新材料"})),
        ];
        for (verb, body) in &sound {
            for client in [app.as_host(), app.as_company(), app.as_person(AUDITOR)] {
                say(&client, &path, verb, body.clone()).expect_code(403, "forbidden");
            }
            say(&app.visitor(), &path, verb, body.clone()).expect_code(401, "unauthenticated");
            say(&admin, "/api/v1/findings/999999", verb, body.clone()).expect_code(404, "not_found");
            versioned(&admin, &format!("{path}/{verb}"), 7, body.clone()).expect_code(412, "version_mismatch");
        }
        let long = "长".repeat(2_001);
        for (verb, body, status, code) in [
            ("clear", json!({}), 400, "missing_field"),
            ("clear", json!({"text": " "}), 422, "required"),
            ("clear", json!({"text": long}), 422, "text_too_long"),
            ("clear", json!({"text": "x", "effect": "none"}), 400, "unknown_field"),
            ("uphold", json!({"text": "x"}), 400, "missing_field"),
            ("uphold", json!({"text": "", "effect": "none"}), 422, "required"),
            ("uphold", json!({"text": "x", "effect": "fine"}), 400, "invalid_value"),
        ] {
            say(&admin, &path, verb, body).expect_code(status, code);
        }
        let refused = say(&admin, &path, "reopen", json!({"reason": "x"})).expect_code(409, "invalid_state");
        assert_eq!(refused["state"], "open");
        let cleared = versioned(&admin, &format!("{path}/clear"), 1, json!({"text": "已核对原始记录"})).expect_status(200);
        assert_eq!((&cleared["state"], &cleared["decision"], &cleared["effect"]), (&json!("cleared"), &json!("已核对原始记录"), &Value::Null));
        assert_eq!((cleared.etag(), &cleared["version"]), ("\"v2\"", &json!(2)));
        let again = versioned(&admin, &format!("{path}/clear"), 1, json!({"text": "已核对原始记录"})).expect_status(200);
        assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &cleared.body));
        for (verb, body) in &sound[..2] {
            let refused = say(&admin, &path, verb, body.clone()).expect_code(409, "invalid_state");
            assert_eq!((&refused["state"], &refused["allowed"]), (&json!("cleared"), &json!(["reopen"])));
        }
        say(&admin, &path, "reopen", json!({})).expect_code(422, "reason_required");
        let reopened = versioned(&admin, &format!("{path}/reopen"), 2, json!({"reason": "有新材料"})).expect_status(200);
        assert_eq!((&reopened["state"], &reopened["decision"]), (&json!("open"), &Value::Null));
        let upheld = versioned(&admin, &format!("{path}/uphold"), 3, json!({"text": "机时多于实际", "effect": "none"})).expect_status(200);
        assert_eq!((&upheld["state"], &upheld["decision"], &upheld["effect"]), (&json!("upheld"), &json!("机时多于实际"), &json!("none")));
        assert_eq!(admin.get(&path).expect_status(200).body, upheld.body);
        // Each is told once, to the administration alone.
        app.settle();
        let told = |client: &Client| {
            let list = client.get("/api/v1/events?subject_type=finding").expect_status(200);
            let items = list["items"].as_array().unwrap().iter();
            items.map(|event| event["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told(&admin), ["finding_clear", "finding_reopen", "finding_uphold"]);
        assert_eq!(told(&app.as_host()), Vec::<String>::new());
    }

    fn an_undecided_serious_finding_stops_finality(app: &TestApp) {
        let (admin, deputy) = (prepared(app), given::deputy(app));
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let halves = publish(&admin, &run);
        given::notice_over(app);
        for rule in ["overlap", "circular_trade", "late_manual_entry", "during_closure"] {
            insert(app, rule);
        }
        let list = admin.get("/api/v1/findings?year=2025&severity=serious").expect_status(200);
        let ids: Vec<Value> = list["items"].as_array().unwrap().iter().rev().map(|one| one["id"].clone()).collect();
        assert_eq!(ids.len(), 2);
        let refused = |ids: &[Value]| {
            for half in &halves {
                let refused = say(&deputy, half, "finalize", json!({})).expect_code(409, "findings_open");
                assert_eq!((&refused["ids"], refused["errors"].as_array().unwrap().len()), (&json!(ids), 1), "{}", refused.text());
            }
        };
        refused(&ids);
        let finding = |id: &Value| format!("/api/v1/findings/{id}");
        say(&admin, &finding(&ids[0]), "clear", json!({"text": "已核对"})).expect_status(200);
        refused(&ids[1..]);
        say(&admin, &finding(&ids[1]), "uphold", json!({"text": "属实", "effect": "none"})).expect_status(200);
        say(&admin, &finding(&ids[0]), "reopen", json!({"reason": "有新材料"})).expect_status(200);
        refused(&ids[..1]);
        change(app, "UPDATE finding SET state = 'explained' WHERE rule = 'overlap'".to_owned());
        refused(&ids[..1]);
        say(&admin, &finding(&ids[0]), "clear", json!({"text": "已核对"})).expect_status(200);
        say(&deputy, &halves[1], "finalize", json!({})).expect_status(200);
    }
}
