//! What follows from an upheld finding: records that count nowhere, evidence that is manual, a grade at most. It reaches what is frozen
//! after it, and a run comes out as it was whatever is decided later.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::Fen;
use yiqi::operations::actor::Actor;
use yiqi::operations::policy::install_shipped;
use yiqi::operations::policy_pack::HEBEI_2026;
use yiqi::operations::yearly_run::verify;

use crate::charge::{charge_of, invoice, payment, record};
use crate::client::{Answer, Client};
use crate::finality::say;
use crate::subsidy::begun;
use crate::world::*;
use crate::{both, given};

/// Three services of 90 yuan on an instrument of 600,000 yuan, confirmed, invoiced and paid; two of them longer than their interval.
/// The finding's path, and the records.
pub fn planted(app: &TestApp) -> (String, Vec<i64>) {
    app.block_on(install_shipped(&app.app, app.now())).unwrap();
    given::expert_points(app, 2026);
    let valuable =
        given::instrument(app).with(|facts| facts.original_value_fen = Fen::new(60_000_000));
    let instrument = valuable.insert();
    let price = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000});
    let tariffs = format!("/api/v1/instruments/{instrument}/tariffs");
    app.as_host().post(&tariffs, price).expect_status(201);
    let (company, finance) = (app.as_company(), app.as_person(FINANCE));
    let paid = |day: u32| {
        let id = record(app, instrument, day);
        let confirm = format!("/api/v1/usage-records/{id}/confirm");
        company.post(&confirm, json!({})).expect_status(200);
        let charge = charge_of(&company, id).remove(0);
        let charge = format!("/api/v1/charges/{}", charge["id"]);
        let number = invoice(&format!("E-{day}"));
        finance
            .post(&format!("{charge}/invoice"), number)
            .expect_status(200);
        finance
            .post(&format!("{charge}/payments"), payment(9_000, "payer"))
            .expect_status(201);
        id
    };
    let ids: Vec<i64> = [9, 10, 11].map(paid).into();
    let fault = format!(
        "UPDATE usage_record SET run_minutes = 91 WHERE id IN ({}, {})",
        ids[0], ids[1]
    );
    app.write(move |tx| {
        diesel::RunQueryDsl::execute(
            diesel::sql_query("UPDATE usage_record SET evidence = 'automatic'"),
            tx,
        )?;
        Ok(diesel::RunQueryDsl::execute(
            diesel::sql_query(fault.as_str()),
            tx,
        )?)
    });
    evaluate(&app.as_admin());
    let found = app
        .as_admin()
        .get("/api/v1/findings?year=2026&rule=over_24_hours")
        .expect_status(200);
    (format!("/api/v1/findings/{}", found["items"][0]["id"]), ids)
}

fn evaluate(admin: &Client) -> Answer {
    begun(
        admin,
        "/api/v1/evaluations",
        json!({"year": 2026, "policy": "hebei-2026"}),
    )
}

fn run(admin: &Client) -> Answer {
    run_by(admin, "hebei-2026")
}

fn run_by(admin: &Client, policy: &str) -> Answer {
    let body = json!({"year": 2026, "policy": policy, "budget_fen": 1_000_000});
    begun(admin, "/api/v1/subsidy-runs", body)
}

/// What an evaluation says of the unit.
fn explained(app: &TestApp, evaluation: &Value, more: &str) -> Answer {
    let unit = app.organization_id(UNIVERSITY);
    let path = format!("/api/v1/evaluations/{evaluation}/explanations/{unit}?{more}");
    app.as_admin().get(&path).expect_status(200)
}

/// The base, and what is left out: reason, records, fen.
fn money(explanation: &Answer) -> (Value, Vec<(Value, Value, Value)>) {
    let left_out = explanation["left_out"].as_array().unwrap().iter();
    let left_out = left_out.map(|one| {
        (
            one["reason"].clone(),
            one["records"].clone(),
            one["amount_fen"].clone(),
        )
    });
    (explanation["base_fen"].clone(), left_out.collect())
}

fn verified(app: &TestApp, run: &Answer) {
    let actor = Actor::system(app.now());
    let verified = app
        .block_on(verify::verify(
            &app.app,
            &actor,
            run.id().try_into().unwrap(),
            |_| (),
        ))
        .unwrap();
    assert!(verified.verified, "{verified:?}");
}

both! {
    fn records_that_a_finding_excludes_count_nowhere(app: &TestApp) {
        let ((path, ids), admin) = (planted(app), app.as_admin());
        let before = run(&admin);
        assert_eq!(money(&explained(app, &before["evaluation_id"], "")), (json!(27_000), vec![]));
        let body = json!({"text": "机时多于实际", "effect": "exclude_records", "record_ids": [ids[0]]});
        let upheld = say(&admin, &path, "uphold", body).expect_status(200);
        assert_eq!((&upheld["state"], &upheld["effect"]), (&json!("upheld"), &json!("exclude_records")));
        let records = admin.get(&format!("{path}/records")).expect_status(200);
        let affected: Vec<&Value> = records["items"].as_array().unwrap().iter().map(|one| &one["is_affected"]).collect();
        assert_eq!(affected, [true, false]);

        let after = run(&admin);
        let told = explained(app, &after["evaluation_id"], "left_out=finding&metric=external_minutes");
        assert_eq!(money(&told), (json!(18_000), vec![(json!("finding"), json!(1), json!(9_000))]));
        assert_eq!(told["charges_fen"], 27_000);
        assert_eq!(told["left_out_records"][0]["usage_record_id"], ids[0]);
        let counted: Vec<&Value> = told["metrics"][0]["records"].as_array().unwrap().iter().map(|one| &one["usage_record_id"]).collect();
        assert_eq!(counted, [&json!(ids[1]), &json!(ids[2])], "{}", told.text());
        for run in [&before, &after] {
            verified(app, run);
        }
        // Looked at again, it has no effect any more on what is frozen then; what was frozen stays.
        say(&admin, &path, "reopen", json!({"reason": "有新材料"})).expect_status(200);
        let again = run(&admin);
        assert_eq!(money(&explained(app, &again["evaluation_id"], "")), (json!(27_000), vec![]));
        say(&admin, &path, "uphold", json!({"text": "属实", "effect": "exclude_records"})).expect_status(200);
        let all = run(&admin);
        assert_eq!(money(&explained(app, &all["evaluation_id"], "")), (json!(9_000), vec![(json!("finding"), json!(2), json!(18_000))]));
        for run in [&before, &after, &again, &all] {
            verified(app, run);
        }
    }

    fn evidence_that_a_finding_makes_manual_is_weak(app: &TestApp) {
        let ((path, ids), admin) = (planted(app), app.as_admin());
        let body = json!({"text": "无设备记录", "effect": "evidence_manual", "record_ids": [ids[1]]});
        say(&admin, &path, "uphold", body).expect_status(200);
        let after = run(&admin);
        let told = explained(app, &after["evaluation_id"], "left_out=weak_evidence");
        assert_eq!(money(&told), (json!(18_000), vec![(json!("weak_evidence"), json!(1), json!(9_000))]));
        assert_eq!(told["left_out_records"][0]["usage_record_id"], ids[1]);
        verified(app, &after);
        // The record was corrected since: the run is still what it was.
        let fault = format!("UPDATE usage_record SET evidence = 'confirmed' WHERE id = {}", ids[1]);
        app.write(move |tx| Ok(diesel::RunQueryDsl::execute(diesel::sql_query(fault.as_str()), tx)?));
        verified(app, &after);
    }

    /// It reaches what is frozen after it and what is graded again.
    fn a_finding_caps_the_grade(app: &TestApp) {
        let ((path, _), admin) = (planted(app), app.as_admin());
        let unit = app.organization_id(UNIVERSITY);
        // A pack by which a unit passes with a point.
        let mild = HEBEI_2026.replacen("version = 1", "version = 2", 1).replacen("pass = \"60\"", "pass = \"1\"", 1);
        let stored = admin.request(Method::POST, "/api/v1/policies?accept_warnings=true");
        stored.bytes("application/toml", mild.as_bytes()).send().expect_status(201);
        let evaluate = || begun(&admin, "/api/v1/evaluations", json!({"year": 2026, "policy": "hebei-2026@2"}));
        let draft = evaluate();
        let grade = |evaluation: &Value| explained(app, evaluation, "")["grade"].clone();
        assert_ne!(grade(&draft["id"]), "fail");
        let body = json!({"text": "情节严重", "effect": "cap_grade", "grade": "fail"});
        let upheld = say(&admin, &path, "uphold", body).expect_status(200);
        assert_eq!((&upheld["effect"], &upheld["grade"]), (&json!("cap_grade"), &json!("fail")));
        assert_ne!(grade(&draft["id"]), "fail");
        let scores = json!({"scores": [{"organization_id": unit, "indicator": "A4", "points": "3.5"}]});
        let put = admin.request(Method::PUT, &format!("/api/v1/evaluations/{}/expert-scores", draft["id"]));
        put.header("if-match", "*").json(scores).send().expect_status(200);
        assert_eq!(grade(&draft["id"]), "fail");
        let after = run_by(&admin, "hebei-2026@2");
        let told = explained(app, &after["evaluation_id"], "");
        assert_eq!(told["grade"], "fail");
        let sentence = told["grade_reason"]["sentence"].as_str().unwrap();
        assert!(sentence.contains("an upheld finding leaves at most fail"), "{sentence}");
        verified(app, &after);
        let reopened = say(&admin, &path, "reopen", json!({"reason": "有新材料"})).expect_status(200);
        assert_eq!((&reopened["effect"], &reopened["grade"]), (&Value::Null, &Value::Null));
        assert_ne!(grade(&evaluate()["id"]), "fail");
        verified(app, &after);
    }

    fn what_does_not_go_with_an_effect_is_refused(app: &TestApp) {
        let ((path, ids), admin) = (planted(app), app.as_admin());
        let many: Vec<i64> = (0..201).map(|_| ids[0]).collect();
        for (effect, more, field, code) in [
            ("none", json!({"grade": "pass"}), "grade", "not_with_effect"),
            ("none", json!({"record_ids": [ids[0]]}), "record_ids", "not_with_effect"),
            ("hold_award", json!({"record_ids": [ids[0]]}), "record_ids", "not_with_effect"),
            ("hold_award", json!({"grade": "pass"}), "grade", "not_with_effect"),
            ("cap_grade", json!({}), "grade", "required"),
            ("cap_grade", json!({"grade": "pass", "record_ids": [ids[0]]}), "record_ids", "not_with_effect"),
            ("exclude_records", json!({"grade": "pass"}), "grade", "not_with_effect"),
            ("evidence_manual", json!({"grade": "pass"}), "grade", "not_with_effect"),
            ("exclude_records", json!({"record_ids": []}), "record_ids", "required"),
            ("exclude_records", json!({"record_ids": [ids[0], ids[2]]}), "record_ids[1]", "unknown_reference"),
            ("evidence_manual", json!({"record_ids": [999_999]}), "record_ids[0]", "unknown_reference"),
            ("evidence_manual", json!({"record_ids": many}), "record_ids", "too_many"),
        ] {
            let mut body = json!({"text": "属实", "effect": effect});
            for (name, value) in more.as_object().unwrap() {
                body[name] = value.clone();
            }
            let refused = say(&admin, &path, "uphold", body).expect_code(422, code);
            assert_eq!(refused["errors"][0]["field"], field, "{}", refused.text());
        }
        assert_eq!(admin.get(&path)["state"], "open");
        let held = say(&admin, &path, "uphold", json!({"text": "属实", "effect": "hold_award"})).expect_status(200);
        assert_eq!(held["effect"], "hold_award");
    }
}
