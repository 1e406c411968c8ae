//! What a run is begun with: values for what the pack leaves open, a budget for each pool, a window, a name, what it replaces; and
//! what-ifs, comparisons, and drafts that take in what came after them.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use yiqi::operations::actor::Actor;
use yiqi::operations::policy_pack::HEBEI_2026;
use yiqi::operations::yearly_run::verify;

use crate::client::{Answer, Client};
use crate::finality::{draft, path, prepared, publish, say};
use crate::finding_effect::planted;
use crate::subsidy::begun;
use crate::world::*;
use crate::{both, given};

const RUNS: &str = "/api/v1/subsidy-runs";
const EVALUATIONS: &str = "/api/v1/evaluations";

/// What makes the shipped pack ask finer facts: something of each service, which instruments are sets, each record for itself.
const FINER: [[&str; 2]; 3] = [
    [
        "drop_weak_evidence = { classes",
        "where = { purpose = [\"research\", \"development\", \"teaching\", \"other\"] }\ndrop_weak_evidence = { classes",
    ],
    [
        "base = \"paid_external_income_fen\"\n",
        "base = \"paid_external_income_fen\"\nonly = [{ is_set = [\"no\"] }]\n",
    ],
    ["how = \"pro_rata\"", "how = \"first_come\""],
];

const PACK: &str = r#"
code = "open-rate"
version = 1
title = "比例待定的办法"
issuer = "某厅"

[year]
source = "proposal"
claims = ["01-01", "07-01"]
valid = { from = "2025-01-01", until = "2026-01-01" }

[parameters.host_rate]
at_least = "0.05"
at_most = "0.15"

[parameters.cap_fen]
default = "100000"

[pools]
hosts = {}
users = {}

[metrics.income_fen]
of = "income.payer_fen"
user = "external"

[[awards]]
id = "hosts"
recipient = "host"
per = "instrument"
base = "income_fen"
steps = [
  { do = "rate", rate = "$host_rate" },
  { do = "sum", by = "organization" },
  { do = "pool", of = "hosts", how = "pro_rata" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]

[[awards]]
id = "users"
recipient = "user"
per = "service"
base = "income_fen"
steps = [
  { do = "rate", rate = "0.10" },
  { do = "sum", by = "organization" },
  { do = "pool", of = "users", how = "first_come" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]
"#;

/// Stores the pack, by the province's own way.
fn pack(client: &Client) -> Answer {
    let stored = client
        .request(
            ureq::http::Method::POST,
            "/api/v1/policies?accept_warnings=true",
        )
        .bytes("application/toml", PACK.as_bytes())
        .send();
    stored.expect_status(201)
}

/// Field and code of each fault.
fn faults(answer: &Answer) -> Vec<(String, String)> {
    let faults = answer["errors"].as_array().unwrap().iter();
    let mut faults: Vec<_> = faults
        .map(|fault| {
            let text = |member: &str| fault[member].as_str().unwrap_or_default().to_owned();
            (text("field"), text("code"))
        })
        .collect();
    faults.sort();
    faults
}

fn named(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let expected = expected.iter();
    expected
        .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
        .collect()
}

both! {
    fn every_pool_has_its_budget_and_every_parameter_its_value(app: &TestApp) {
        let admin = prepared(app);
        let stored = pack(&admin);
        let begin = |more: Value| {
            let mut body = json!({"year": 2025, "policy": "open-rate@1", "budgets": {"hosts": 5_000, "users": 700}, "claim": "07-01", "parameters": {"host_rate": "0.1"}});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            admin.post(RUNS, body)
        };
        let refused = |more: Value| faults(&begin(more).expect_status(422));
        assert_eq!(refused(json!({"budgets": {"hosts": 1}})), named(&[("budgets.users", "required")]));
        assert_eq!(refused(json!({"budgets": {"hosts": 1, "users": 1, "others": 1}})), named(&[("budgets.others", "unknown_reference")]));
        assert_eq!(refused(json!({"budgets": {"hosts": -1, "users": 1}})), named(&[("budgets.hosts", "out_of_range")]));
        assert_eq!(refused(json!({"claim": null})), named(&[("claim", "required")]));
        for claim in ["02-01", "7-1", "all"] {
            assert_eq!(refused(json!({"claim": claim})), named(&[("claim", "unknown_reference")]), "{claim}");
        }
        // The pack is a draft, so that its run is a what-if, whose values may leave the bounds; they are still decimals, and its own.
        assert_eq!(
            refused(json!({"parameters": {"host_rate": "a tenth", "other": "1"}})),
            named(&[("parameters.host_rate", "not_a_decimal"), ("parameters.other", "unknown_reference")])
        );
        assert_eq!(refused(json!({"parameters": {}})), named(&[("parameters.host_rate", "required")]));
        assert_eq!(refused(json!({"year": 2024})), named(&[("policy", "policy_not_in_force")]));
        assert_eq!(refused(json!({"replaces_id": 99})), named(&[("replaces_id", "unknown_reference")]));
        assert_eq!(refused(json!({"name": "长".repeat(201)})), named(&[("name", "text_too_long")]));
        admin.post(EVALUATIONS, json!({"year": 2025, "policy": "open-rate@1"})).expect_code(422, "policy_not_kept");

        let run = begun(&admin, RUNS, json!({
            "year": 2025, "policy": "open-rate@1", "budgets": {"hosts": 5_000, "users": 700}, "claim": "07-01",
            "parameters": {"host_rate": "0.50"}, "name": "  五成  ",
        }));
        assert_eq!(run["scenario"], true);
        assert_eq!(run["name"], "五成");
        assert_eq!(run["claim"], "07-01");
        assert_eq!(run["parameters"], json!({"cap_fen": "100000", "host_rate": "0.5"}));
        assert_eq!((&run["budget_fen"], &run["factor"], &run["evaluation_id"]), (&json!(5_700), &Value::Null, &Value::Null));
        assert_eq!(run["pools"], json!([
            {"pool": "hosts", "budget_fen": 5_000, "sum_before_pool_fen": "0", "factor": "1/1", "awarded_fen": 0, "unspent_fen": 5_000},
            {"pool": "users", "budget_fen": 700, "sum_before_pool_fen": "0", "factor": null, "awarded_fen": 0, "unspent_fen": 700},
        ]));
        say(&admin, &path("subsidy-runs", &run["id"]), "publish", json!({})).expect_code(409, "scenario_not_publishable");
        let awards = admin.get(&format!("{}/awards", path("subsidy-runs", &run["id"]))).expect_status(200);
        assert_eq!(awards["items"][0]["award_code"], "hosts");
        assert_eq!((&awards["items"][0]["grade"], &awards["items"][0]["total"]), (&Value::Null, &Value::Null));

        // In force the bounds hold.
        say(&given::deputy(app), &format!("/api/v1/policies/{}", stored.id()), "in-force", json!({})).expect_status(200);
        assert_eq!(refused(json!({"parameters": {"host_rate": "0.5"}})), named(&[("parameters.host_rate", "out_of_range")]));
        let ordinary = begin(json!({"policy": "open-rate"})).expect_status(202);
        assert_eq!(ordinary["scenario"], false);
    }

    fn a_what_if_is_looked_at_and_deleted(app: &TestApp) {
        let admin = prepared(app);
        let ordinary = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let evaluation = path("evaluations", &ordinary["evaluation_id"]);
        let frozen = admin.get(&evaluation).expect_status(200);
        let tried = begun(&admin, RUNS, json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 5, "scenario": true}));
        let own = admin.get(&path("evaluations", &tried["evaluation_id"])).expect_status(200);
        assert_eq!(own["scenario"], true);
        // It takes the facts that were frozen already.
        for same in ["frozen_at", "input_digest", "result_digest"] {
            assert_eq!(own[same], frozen[same], "{same}");
        }
        let [what_if, beneath] = [path("subsidy-runs", &tried["id"]), path("evaluations", &own["id"])];
        for half in [&beneath, &what_if] {
            say(&admin, half, "publish", json!({})).expect_code(409, "scenario_not_publishable");
        }
        // A run on a what-if is one.
        let on_it = begun(&admin, RUNS, json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 7, "evaluation_id": own["id"]}));
        assert_eq!(on_it["scenario"], true);
        admin.delete(&beneath).expect_code(409, "relation_in_use");
        admin.delete(&path("subsidy-runs", &ordinary["id"])).expect_code(409, "invalid_state");
        app.as_host().delete(&what_if).expect_code(404, "not_found");
        for run in [&what_if, &path("subsidy-runs", &on_it["id"]), &beneath] {
            admin.delete(run).expect_status(204);
            admin.get(run).expect_code(404, "not_found");
        }
        let listed = admin.get(&format!("{RUNS}?year=2025")).expect_status(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    }

    /// By a pack that asks less than the one whose facts were frozen last: nothing is frozen or read again, and the result is that
    /// of facts as coarse as it asks.
    fn a_what_if_takes_facts_that_are_finer_than_it_asks(app: &TestApp) {
        planted(app);
        let admin = app.as_admin();
        let body = |policy: &str| json!({"year": 2026, "policy": policy, "budget_fen": 1_000_000});
        let coarse = begun(&admin, RUNS, body("hebei-2026"));
        let evaluation = |run: &Answer| admin.get(&path("evaluations", &run["evaluation_id"])).expect_status(200);
        for (number, [asked, finer]) in FINER.iter().enumerate() {
            let version = number + 2;
            assert!(HEBEI_2026.contains(asked), "{asked}");
            let pack = HEBEI_2026.replacen("version = 1", &format!("version = {version}"), 1).replacen(asked, finer, 1);
            let stored = admin.request(ureq::http::Method::POST, "/api/v1/policies?accept_warnings=true");
            let stored = stored.bytes("application/toml", pack.into_bytes()).send().expect_status(201);
            let in_force = format!("/api/v1/policies/{}", stored.id());
            say(&given::deputy(app), &in_force, "in-force", json!({})).expect_status(200);
            let fine = evaluation(&begun(&admin, RUNS, body(&format!("hebei-2026@{version}"))));
            let mut what_if = body("hebei-2026@1");
            what_if["scenario"] = json!(true);
            let tried = begun(&admin, RUNS, what_if);
            let taken = evaluation(&tried);
            assert_ne!(fine["input_digest"], evaluation(&coarse)["input_digest"], "{finer}");
            for same in ["frozen_at", "input_digest"] {
                assert_eq!(taken[same], fine[same], "{finer}: {same}");
            }
            assert_eq!(taken["result_digest"], evaluation(&coarse)["result_digest"], "{finer}");
            assert_eq!(tried["pools"], coarse["pools"], "{finer}");
            let actor = Actor::system(app.now());
            let id = tried.id().try_into().unwrap();
            let told = Arc::new(Mutex::new(Vec::new()));
            let tell = { let told = Arc::clone(&told); move |percent| told.lock().unwrap().push(percent) };
            let verified = app.block_on(verify::verify(&app.app, &actor, id, tell)).unwrap();
            assert!(verified.verified, "{finer}: {verified:?}");
            let told = told.lock().unwrap();
            assert!(told.len() >= 5 && told.is_sorted() && told.iter().all(|percent| *percent < 100), "{told:?}");
        }
    }

    fn two_runs_are_compared(app: &TestApp) {
        let admin = prepared(app);
        let first = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let second = begun(&admin, RUNS, json!({
            "year": 2025, "policy": "hebei-2026", "budget_fen": 2_000_000, "replaces_id": first["id"],
        }));
        assert_eq!(second["replaces_id"], first["id"]);
        let at = |kind: &str, after: &Value, before: &Value| format!("{}/comparison?with={after}", path(kind, before));
        let compared = admin.get(&at("subsidy-runs", &second["id"], &first["id"])).expect_status(200);
        assert_eq!((&compared["before_id"], &compared["after_id"]), (&first["id"], &second["id"]));
        assert_eq!(compared["same"], json!({"units": 1, "sum_fen": 0}));
        let unit = &compared["units"][0];
        assert_eq!(unit["before"], unit["after"], "{}", compared.text());
        assert_eq!((&unit["change_fen"], &unit["causes"]), (&json!(0), &json!([])));
        let sheet = admin.get(&format!("{}&format=csv", at("subsidy-runs", &second["id"], &first["id"]))).expect_status(200);
        assert!(sheet.text().lines().nth(1).unwrap().contains("太行农业大学"), "{}", sheet.text());
        admin.get(&format!("{}/comparison", path("subsidy-runs", &second["id"]))).expect_code(400, "required");
        admin.get(&at("subsidy-runs", &second["id"], &json!(999))).expect_code(404, "not_found");
        app.as_host().get(&at("subsidy-runs", &second["id"], &first["id"])).expect_code(404, "not_found");
    }

    /// Points that came after the grading make a draft stale, until it takes them in.
    fn a_draft_takes_in_points_without_a_new_freeze(app: &TestApp) {
        let admin = prepared(app);
        let first = draft(&admin, "evaluations", 2025, "hebei-2026");
        let second = draft(&admin, "evaluations", 2025, "hebei-2026");
        assert_eq!((&first["is_stale"], &second["is_stale"]), (&json!(false), &json!(false)));
        let [first, second] = [&first, &second].map(|one| path("evaluations", &one["id"]));
        let points = json!({"scores": [{"organization_id": app.organization_id(UNIVERSITY), "indicator": "A4", "points": "1"}]});
        let version = admin.get(&first).header("etag").unwrap().to_owned();
        admin
            .request(ureq::http::Method::PUT, &format!("{first}/expert-scores"))
            .header("If-Match", &version)
            .json(&points)
            .send()
            .expect_status(200);
        let stale = |one: &str| admin.get(one).expect_status(200)["is_stale"].clone();
        assert_eq!((stale(&first), stale(&second)), (json!(false), json!(true)));
        let before = admin.get(&second).expect_status(200);
        let after = say(&admin, &second, "regrade", json!({})).expect_status(200);
        assert_eq!((&after["is_stale"], &after["frozen_at"]), (&json!(false), &before["frozen_at"]));
        assert_eq!(after["result_digest"], admin.get(&first)["result_digest"]);
        let compared = admin.get(&format!("{second}/comparison?with={}", first.rsplit('/').next().unwrap())).expect_status(200);
        assert_eq!(compared["same"]["units"], 1);
        app.as_host().post(&format!("{second}/regrade"), json!({})).expect_code(404, "not_found");
        let run = begun(&admin, RUNS, json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 1, "evaluation_id": after["id"]}));
        say(&admin, &second, "regrade", json!({})).expect_code(409, "relation_in_use");
        let [evaluation, _] = publish(&admin, &run);
        say(&admin, &evaluation, "regrade", json!({})).expect_code(409, "invalid_state");
    }
}
