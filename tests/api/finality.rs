//! How a year becomes final: after it is over, after the public notice, by a second person, evaluation and run in one step.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::client::{Answer, Client};
use crate::subsidy::begun;
use crate::world::*;
use crate::{both, given};
use yiqi::operations::policy::install_shipped;
use yiqi::operations::policy_pack::HEBEI_2026;

const KINDS: [&str; 2] = ["evaluations", "subsidy-runs"];

pub fn prepared(app: &TestApp) -> Client {
    app.block_on(install_shipped(&app.app, app.now())).unwrap();
    given::instrument(app).insert();
    for year in [2025, 2026] {
        given::expert_points(app, year);
    }
    app.as_admin()
}

/// A draft of the kind.
pub fn draft(client: &Client, kind: &str, year: i32, policy: &str) -> Answer {
    let mut body = json!({"year": year, "policy": policy});
    if kind == "subsidy-runs" {
        body["budget_fen"] = json!(1_000_000);
    }
    begun(client, &format!("/api/v1/{kind}"), body)
}

pub fn path(kind: &str, id: &Value) -> String {
    format!("/api/v1/{kind}/{id}")
}

pub fn say(client: &Client, path: &str, verb: &str, body: Value) -> Answer {
    client.post(&format!("{path}/{verb}"), body)
}

fn status(client: &Client, path: &str) -> Value {
    client.get(path).expect_status(200)["status"].clone()
}

/// Publishes a draft run and its evaluation.
pub fn publish(client: &Client, run: &Answer) -> [String; 2] {
    let both = [
        path("evaluations", &run["evaluation_id"]),
        path("subsidy-runs", &run["id"]),
    ];
    for half in &both {
        say(client, half, "publish", json!({})).expect_status(200);
    }
    both
}

/// Another version, or another code, of the shipped pack, in force.
fn install(app: &TestApp, client: &Client, code: &str, version: i64) {
    let pack = HEBEI_2026
        .replacen("code = \"hebei-2026\"", &format!("code = \"{code}\""), 1)
        .replacen("version = 1", &format!("version = {version}"), 1);
    let request = client.request(Method::POST, "/api/v1/policies");
    let stored = request.bytes("application/toml", pack.as_bytes()).send();
    let in_force = format!(
        "/api/v1/policies/{}/in-force",
        stored.expect_status(201).id()
    );
    given::deputy(app)
        .post(&in_force, json!({}))
        .expect_status(200);
}

both! {
    /// What was frozen before its year ended is neither shown nor final, not even later; what is frozen after it is.
    fn a_year_that_was_not_over_is_neither_published_nor_final(app: &TestApp) {
        let admin = prepared(app);
        let early: Vec<(&str, Answer)> = KINDS.map(|kind| (kind, draft(&admin, kind, 2026, "hebei-2026"))).into();
        let refused = |client: &Client, verb: &str| {
            for (kind, run) in &early {
                let refused = say(client, &path(kind, &run["id"]), verb, json!({})).expect_code(409, "year_not_over");
                assert_eq!(refused["possible_from"], "2027-01-01T00:00:00+08:00", "{kind} {verb}");
            }
        };
        refused(&admin, "publish");
        // The last seconds of the year are not its end; a freeze is stamped a second after the one before.
        app.app.clock.advance_seconds(("2026-12-31T23:59:57+08:00".parse::<yiqi::domain::Instant>().unwrap()).unix_seconds() - app.now().unix_seconds());
        let late = KINDS.map(|kind| (kind, draft(&admin, kind, 2026, "hebei-2026")));
        for (kind, run) in &late {
            say(&admin, &path(kind, &run["id"]), "publish", json!({})).expect_code(409, "year_not_over");
        }
        app.app.clock.advance_seconds(3);
        refused(&admin, "publish");
        // Whoever published such a one with an earlier version of the program does not make it final.
        app.write(|tx| {
            for table in ["evaluation", "subsidy_run"] {
                let text = format!("UPDATE {table} SET state = 'published' WHERE state = 'draft'");
                diesel::RunQueryDsl::execute(diesel::sql_query(text), tx)?;
            }
            Ok(())
        });
        refused(&given::deputy(app), "finalize");
        let over = draft(&admin, "subsidy-runs", 2026, "hebei-2026");
        publish(&admin, &over);
    }

    fn a_run_becomes_final_with_its_evaluation_or_neither_does(app: &TestApp) {
        let admin = prepared(app);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [evaluation, subsidy] = [path("evaluations", &run["evaluation_id"]), path("subsidy-runs", &run["id"])];
        let refused = say(&admin, &subsidy, "publish", json!({})).expect_code(409, "evaluation_not_published");
        assert_eq!((&refused["evaluation_id"], &refused["state"]), (&run["evaluation_id"], &json!("draft")));
        publish(&admin, &run);
        let deputy = given::deputy(app);
        let states = || [&evaluation, &subsidy].map(|half| status(&admin, half));
        // Both notices run; both refusals are told, and nothing became final.
        let refused = say(&deputy, &subsidy, "finalize", json!({})).expect_code(409, "notice_running");
        let told = refused["errors"].as_array().unwrap();
        let fields: Vec<&Value> = told.iter().map(|entry| &entry["field"]).collect();
        assert_eq!(fields, [&json!("evaluation_id"), &Value::Null], "{}", refused.text());
        assert_eq!(refused["possible_from"], "2026-03-10T00:00:00+08:00");
        assert_eq!(states(), ["published", "published"]);
        given::notice_over(app);
        say(&deputy, &subsidy, "finalize", json!({})).expect_status(200);
        assert_eq!(states(), ["final", "final"]);
        let by = app.user_id(given::DEPUTY).number();
        for half in [&evaluation, &subsidy] {
            assert_eq!(admin.get(half).expect_status(200)["finalized_by"], by);
            say(&deputy, half, "finalize", json!({})).expect_code(409, "invalid_state");
            say(&admin, half, "publish", json!({})).expect_code(409, "already_published");
            say(&deputy, half, "discard", json!({"reason": "x"})).expect_code(409, "invalid_state");
        }
    }

    /// A final evaluation alone is enough for a run to stand on; what it counted is locked from then on.
    fn what_is_final_locks_its_year_from_the_evaluation_on(app: &TestApp) {
        let admin = prepared(app);
        let sem = given::instrument(app).insert();
        let graded = draft(&admin, "evaluations", 2025, "hebei-2026");
        let evaluation = path("evaluations", &graded["id"]);
        let service = |hour: u32| json!({
            "instrument_id": sem, "organization_id": app.organization_id(UNIVERSITY), "mode": "guided", "purpose": "research",
            "started_at": format!("2025-05-06T{hour:02}:00:00+08:00"), "ended_at": format!("2025-05-06T{:02}:00:00+08:00", hour + 1),
        });
        let (host, deputy) = (app.as_host(), given::deputy(app));
        say(&admin, &evaluation, "publish", json!({})).expect_status(200);
        host.post("/api/v1/usage-records", service(9)).expect_status(201);
        given::notice_over(app);
        say(&deputy, &evaluation, "finalize", json!({})).expect_status(200);
        host.post("/api/v1/usage-records", service(11)).expect_code(409, "period_locked");
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        assert_eq!(run["evaluation_id"], graded["id"]);
        let run = path("subsidy-runs", &run["id"]);
        say(&admin, &run, "publish", json!({})).expect_status(200);
        given::notice_over(app);
        say(&deputy, &run, "finalize", json!({})).expect_status(200);
    }

    fn another_version_stands_on_the_final_evaluation_of_its_code(app: &TestApp) {
        let admin = prepared(app);
        install(app, &admin, "hebei-2026", 2);
        install(app, &admin, "other-2026", 1);
        let first = draft(&admin, "subsidy-runs", 2025, "hebei-2026@1");
        let halves = publish(&admin, &first);
        given::notice_over(app);
        let deputy = given::deputy(app);
        // Before: another version begins a draft of its own.
        let before = draft(&admin, "subsidy-runs", 2025, "hebei-2026@2");
        assert_ne!(before["evaluation_id"], first["evaluation_id"]);
        say(&deputy, &halves[1], "finalize", json!({})).expect_status(200);
        let second = draft(&admin, "subsidy-runs", 2025, "hebei-2026@2");
        assert_eq!(second["evaluation_id"], first["evaluation_id"]);
        for run in [&before, &second] {
            let refused = say(&admin, &path("subsidy-runs", &run["id"]), "publish", json!({})).expect_code(409, "final_exists");
            assert_eq!((&refused["existing_id"], &refused["year"]), (&first["id"], &json!(2025)));
        }
        let refused = say(&admin, &path("evaluations", &before["evaluation_id"]), "publish", json!({}));
        assert_eq!(refused.expect_code(409, "final_exists")["existing_id"], first["evaluation_id"]);
        // Another code is another programme, with a final evaluation and run of its own.
        let other = draft(&admin, "subsidy-runs", 2025, "other-2026");
        assert_ne!(other["evaluation_id"], first["evaluation_id"]);
        let halves = publish(&admin, &other);
        given::notice_over(app);
        say(&deputy, &halves[1], "finalize", json!({})).expect_status(200);
    }

    /// Neither who began nor who published either half makes it final.
    fn a_second_person_makes_final(app: &TestApp) {
        let admin = prepared(app);
        let deputy = given::deputy(app);
        let begin = |evaluation: &Client, run: &Client| {
            let graded = draft(evaluation, "evaluations", 2025, "hebei-2026");
            let body = json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 1, "evaluation_id": graded["id"]});
            begun(run, "/api/v1/subsidy-runs", body)
        };
        let pairs = [(&deputy, &admin), (&admin, &deputy)];
        let mut involved = Vec::new();
        for (evaluation, run) in pairs {
            let begun = begin(evaluation, run);
            publish(&admin, &begun);
            involved.push(path("subsidy-runs", &begun["id"]));
        }
        for (evaluation, run) in pairs {
            let begun = begin(&admin, &admin);
            say(evaluation, &path("evaluations", &begun["evaluation_id"]), "publish", json!({})).expect_status(200);
            say(run, &path("subsidy-runs", &begun["id"]), "publish", json!({})).expect_status(200);
            involved.push(path("subsidy-runs", &begun["id"]));
        }
        given::notice_over(app);
        for run in &involved {
            for person in [&admin, &deputy] {
                say(person, run, "finalize", json!({})).expect_code(403, "second_person_required");
            }
        }
        let begun = begin(&admin, &admin);
        let [evaluation, run] = publish(&admin, &begun);
        given::notice_over(app);
        for half in [&evaluation, &run] {
            say(&admin, half, "finalize", json!({})).expect_code(403, "second_person_required");
        }
        say(&deputy, &run, "finalize", json!({})).expect_status(200);
    }

    fn a_notice_lasts_five_working_days_at_least(app: &TestApp) {
        let admin = prepared(app);
        let deputy = given::deputy(app);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        for (kind, id) in [("evaluations", &run["evaluation_id"]), ("subsidy-runs", &run["id"])] {
            let one = path(kind, id);
            // Monday: the fifth working day after it is the next Monday.
            for (day, code) in [("2026-03-08", "notice_too_short"), ("1999-01-01", "notice_too_short"), ("9999-12-31", "out_of_range")] {
                let refused = say(&admin, &one, "publish", json!({"notice_until_on": day})).expect_code(422, code);
                assert_eq!(refused["errors"][0]["field"], "notice_until_on");
                assert!(refused["errors"][0]["limit"].as_str().unwrap().starts_with("2026-03-09"), "{}", refused.text());
            }
            let said = json!({"notice_until_on": "2026-03-11", "remark": "公示期内可提出异议"});
            let shown = say(&admin, &one, "publish", said).expect_status(200);
            assert_eq!((&shown["notice_until_on"], &shown["remark"]), (&json!("2026-03-11"), &json!("公示期内可提出异议")));
            let again = say(&admin, &one, "publish", json!({})).expect_code(409, "already_published");
            assert_eq!(again["state"], "published");
        }
        let finalize = || say(&deputy, &path("subsidy-runs", &run["id"]), "finalize", json!({}));
        let to = |moment: &str| {
            let moment: yiqi::domain::Instant = moment.parse().unwrap();
            app.app.clock.advance_seconds(moment.unix_seconds() - app.now().unix_seconds());
        };
        to("2026-03-11T23:59:59+08:00");
        assert_eq!(finalize().expect_code(409, "notice_running")["possible_from"], "2026-03-12T00:00:00+08:00");
        app.app.clock.advance_seconds(1);
        finalize().expect_status(200);
    }

    fn what_was_published_is_thrown_away_with_a_reason(app: &TestApp) {
        let admin = prepared(app);
        for kind in KINDS {
            let unseen = draft(&admin, kind, 2025, "hebei-2026");
            let gone = say(&admin, &path(kind, &unseen["id"]), "discard", json!({})).expect_status(200);
            assert_eq!((&gone["status"], &gone["discard_reason"]), (&json!("discarded"), &Value::Null));
        }
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        publish(&admin, &run);
        for (kind, id) in [("subsidy-runs", &run["id"]), ("evaluations", &run["evaluation_id"])] {
            let one = path(kind, id);
            for reason in [json!({}), json!({"reason": " "}), json!({"reason": null})] {
                say(&admin, &one, "discard", reason).expect_code(422, "reason_required");
            }
            let gone = say(&admin, &one, "discard", json!({"reason": "机时有误"})).expect_status(200);
            assert_eq!((&gone["status"], &gone["discard_reason"]), (&json!("discarded"), &json!("机时有误")));
            assert!(gone["notice_until_on"].is_string(), "the notice stays");
        }
    }

    /// Only what is still computed is not ready: what was thrown away never will be.
    fn what_was_thrown_away_is_not_said_to_be_computed(app: &TestApp) {
        let admin = prepared(app);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [evaluation, subsidy] = [path("evaluations", &run["evaluation_id"]), path("subsidy-runs", &run["id"])];
        let awards = admin.get(&format!("{subsidy}/awards")).expect_status(200);
        let award = awards["items"][0]["id"].clone();
        let put = |score: Value| {
            let request = admin.request(Method::PUT, &format!("{evaluation}/expert-scores"));
            request.header("If-Match", "*").json(json!({"scores": [score]})).send()
        };
        let asks = || vec![
            admin.get(&format!("{subsidy}/awards")),
            admin.get(&format!("{subsidy}/awards/{award}/explanation")),
            admin.get(&format!("{subsidy}/export?format=csv")),
            admin.post("/api/v1/subsidy-runs", json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 1, "evaluation_id": run["evaluation_id"]})),
            put(json!({"organization_id": app.organization_id(UNIVERSITY), "indicator": "A4", "points": "3"})),
        ];
        let set = |state: &'static str| app.write(move |tx| {
            for table in ["evaluation", "subsidy_run"] {
                diesel::RunQueryDsl::execute(diesel::sql_query(format!("UPDATE {table} SET state = '{state}'")), tx)?;
            }
            Ok(())
        });
        for (state, code) in [("running", "run_not_ready"), ("discarded", "invalid_state"), ("failed", "invalid_state")] {
            set(state);
            for (at, answer) in asks().into_iter().enumerate() {
                if answer.status == 200 && at == 0 {
                    continue;
                }
                let refused = answer.expect_code(409, code);
                assert_eq!(refused["state"], state, "{at} {state}");
            }
        }
    }

    /// Points belong to the year: they are in every draft of it, by whichever version or code that asks for them.
    fn points_outlive_the_evaluation_they_were_entered_in(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        let (admin, unit) = (app.as_admin(), app.organization_id(UNIVERSITY));
        let listed = || {
            let list = admin.get("/api/v1/expert-points?year=2025").expect_status(200);
            let rows = list["items"].as_array().unwrap().iter();
            rows.map(|row| (row["indicator"].clone(), row["points"].clone(), row["missing"].clone(), row["source"].clone())).collect::<Vec<_>>()
        };
        let none = |indicator: &str| (json!(indicator), Value::Null, json!(1), Value::Null);
        assert_eq!(listed(), [none("A4"), none("B3")]);
        let first = draft(&admin, "evaluations", 2025, "hebei-2026");
        let evaluation = path("evaluations", &first["id"]);
        let refused = say(&admin, &evaluation, "publish", json!({})).expect_code(409, "expert_points_missing");
        assert_eq!(refused["organization_ids"], json!([unit]));
        let missing = ["A4", "B3"].map(|indicator| json!({"organization_id": unit, "indicator": indicator}));
        assert_eq!(refused["missing"], json!(missing));
        let put = |evaluation: &str, indicator: &str, points: &str| {
            let score = json!({"organization_id": unit, "indicator": indicator, "points": points});
            let request = admin.request(Method::PUT, &format!("{evaluation}/expert-scores"));
            request.header("If-Match", "*").json(json!({"scores": [score]})).send().expect_status(200)
        };
        put(&evaluation, "A4", "3.5");
        let refused = say(&admin, &evaluation, "publish", json!({})).expect_code(409, "expert_points_missing");
        assert_eq!(refused["missing"], json!([missing[1]]));
        put(&evaluation, "B3", "0");
        let given = |indicator: &str, points: &str| (json!(indicator), json!(points), json!(0), json!("province"));
        assert_eq!(listed(), [given("A4", "3.5"), given("B3", "0")]);
        say(&admin, &evaluation, "discard", json!({})).expect_status(200);

        install(app, &admin, "hebei-2026", 2);
        install(app, &admin, "other-2026", 1);
        for policy in ["hebei-2026@1", "hebei-2026@2", "other-2026"] {
            let run = draft(&admin, "subsidy-runs", 2025, policy);
            let next = path("evaluations", &run["evaluation_id"]);
            let scores = admin.get(&format!("{next}/scores")).expect_status(200);
            let scores = scores["items"][0]["scores"].as_array().unwrap();
            let points = |id: &str| scores.iter().find(|score| score["id"] == id).unwrap()["points"].clone();
            assert_eq!((points("A4"), points("B3")), (json!("3.5000"), json!("0.0000")), "{policy}");
            publish(&admin, &run);
        }
        // Of another year nothing is known.
        let other = draft(&admin, "evaluations", 2024, "hebei-2026");
        say(&admin, &path("evaluations", &other["id"]), "publish", json!({})).expect_code(409, "expert_points_missing");
        admin.get("/api/v1/expert-points").expect_code(400, "missing_field");
        app.as_person(AUDITOR).get("/api/v1/expert-points?year=2025").expect_status(200);
        app.as_host().get("/api/v1/expert-points?year=2025").expect_code(403, "forbidden");
    }
}
