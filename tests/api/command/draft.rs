//! Runs that nobody was shown, at the command line: listed, graded again, deleted; and what verifying a run names.

use serde_json::{Value, json};

use super::{expect, text, yiqi};
use crate::finality::{draft, path, prepared};
use crate::finding_effect::planted;
use crate::subsidy::begun;
use crate::world::*;
use crate::{both, charge, given};

fn said(app: &TestApp, arguments: &[&str]) -> std::process::Output {
    yiqi(&[("YIQI_DATABASE_URL", app.url.as_str())], arguments)
}

#[track_caller]
fn document(app: &TestApp, arguments: &[&str]) -> Value {
    let output = said(app, &[arguments, &["--format", "json"]].concat());
    expect(&output, 0, "");
    super::tables::json_of(&output)
}

#[track_caller]
fn printed(app: &TestApp, arguments: &[&str]) -> String {
    let output = said(app, arguments);
    expect(&output, 0, "");
    text(&output.stdout)
}

both! {
    fn drafts_are_listed_and_graded_again_and_what_ifs_deleted(app: &TestApp) {
        let admin = prepared(app);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let what_if = json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 7, "scenario": true});
        let what_if = begun(&admin, "/api/v1/subsidy-runs", what_if);
        let ids = [&run, &what_if].map(|one| one["evaluation_id"].as_i64().unwrap().to_string());
        let listed = || -> Vec<[Value; 4]> {
            let told = document(app, &["evaluate", "list", "--year", "2025"]);
            let items = told.as_array().unwrap().iter();
            items.map(|one| ["evaluation_id", "state", "scenario", "is_stale"].map(|name| one[name].clone())).collect()
        };
        let of = |id: &str, scenario: bool, stale: bool| {
            [json!(id.parse::<i64>().unwrap()), json!("draft"), json!(scenario), json!(stale)]
        };
        let mut told = listed();
        told.sort_by_key(|one| one[0].as_i64());
        assert_eq!(told, [of(&ids[0], false, false), of(&ids[1], true, false)]);
        assert_eq!(document(app, &["evaluate", "list", "--year", "2024"]), json!([]));
        let table = printed(app, &["evaluate", "list"]);
        assert!(table.contains("what-if") && table.contains("hebei-2026"), "{table}");

        // Its own run stands on it.
        expect(&said(app, &["evaluate", "regrade", &ids[0]]), 1, "subsidy_run_id");
        let alone = draft(&admin, "evaluations", 2025, "hebei-2026").id().to_string();
        let other = draft(&admin, "evaluations", 2025, "hebei-2026");
        let points = json!({"scores": [{"organization_id": app.organization_id(UNIVERSITY), "indicator": "A4", "points": "1"}]});
        let put = admin.request(ureq::http::Method::PUT, &format!("{}/expert-scores", path("evaluations", &other["id"])));
        put.header("If-Match", "*").json(points).send().expect_status(200);
        let is_stale = |id: &str| listed().iter().any(|one| *one == of(id, false, true));
        assert!(is_stale(&alone));
        let graded = document(app, &["evaluate", "regrade", &alone]);
        assert_eq!((&graded["evaluation_id"], &graded["state"]), (&json!(alone.parse::<i64>().unwrap()), &json!("draft")));
        assert!(!is_stale(&alone));
        let table = printed(app, &["evaluate", "regrade", &alone, "--as", ADMIN.login]);
        assert!(table.contains(UNIVERSITY), "{table}");
        expect(&said(app, &["evaluate", "regrade", &alone, "--as", BOSS.login]), 1, "");
        expect(&said(app, &["evaluate", "regrade", "999"]), 1, "there is no evaluation 999");

        let number = what_if.id().to_string();
        expect(&said(app, &["subsidy", "delete", &run.id().to_string()]), 1, "draft");
        expect(&said(app, &["evaluate", "delete", &ids[1]]), 1, "subsidy_run_id");
        expect(&said(app, &["subsidy", "delete", &number, "--as", BOSS.login]), 1, "");
        let deleted = document(app, &["subsidy", "delete", &number]);
        assert_eq!(deleted, json!({"id": what_if.id(), "state": "deleted"}));
        expect(&said(app, &["subsidy", "delete", &number]), 1, &format!("there is no run {number}"));
        let told = printed(app, &["evaluate", "delete", &ids[1], "--as", ADMIN.login]);
        assert!(told.contains(&format!("Evaluation {} is deleted", ids[1])), "{told}");
        assert_eq!(document(app, &["subsidy", "list"]).as_array().unwrap().len(), 1);
    }

    fn verifying_names_the_records_that_changed(app: &TestApp) {
        planted(app);
        let instrument = given::instrument(app).insert();
        let body = json!({"year": 2026, "policy": "hebei-2026", "budget_fen": 1_000_000});
        let run = begun(&app.as_admin(), "/api/v1/subsidy-runs", body).id().to_string();
        assert!(!printed(app, &["subsidy", "verify", &run]).contains("changed"));
        let later: Vec<i64> = (1..23).map(|day| charge::record(app, instrument, day)).collect();
        let told = document(app, &["subsidy", "verify", &run]);
        assert_eq!(told["verified"], true);
        let named: Vec<_> = told["changed_records"].as_array().unwrap().iter().collect();
        assert_eq!(named.len(), later.len());
        for (one, id) in named.iter().zip(&later) {
            let record = app.as_host().get(&format!("/api/v1/usage-records/{id}")).expect_status(200);
            assert_eq!((&one["usage_record_id"], &one["record_no"]), (&json!(id), &record["record_no"]));
        }
        let told = printed(app, &["subsidy", "verify", &run]);
        assert!(told.contains("22 records changed since the freeze:"), "{told}");
        assert!(told.contains(&format!("usage record {} (", later[0])) && told.contains("and 2 more"), "{told}");
    }
}

#[test]
fn a_language_is_named_by_any_tag_of_it() {
    let explain =
        |flag: &str, tag: &str| yiqi(&[], &["policy", "explain", "hebei-2026", flag, tag]);
    let of = |flag: &str, tag: &str| text(&explain(flag, tag).stdout);
    let [chinese, english] = ["zh-CN", "en"].map(|tag| of("--language", tag));
    assert!(
        chinese != english
            && chinese == text(&yiqi(&[], &["policy", "explain", "hebei-2026"]).stdout)
    );
    for (tag, expected) in [
        ("zh", &chinese),
        ("ZH", &chinese),
        ("zh-Hans-CN", &chinese),
        ("zh_CN", &chinese),
        ("en-GB", &english),
        ("en-us", &english),
    ] {
        assert_eq!(of("--language", tag), *expected, "{tag}");
        assert_eq!(of("--lang", tag), *expected, "{tag}");
    }
    expect(&explain("--language", "fr"), 2, "zh-CN or en");
}
