//! The officer's path of the sample year over REST alone: preflight, findings, evaluation, notice, objection, again, run, notice,
//! finality by a second person, export, archive, proof.

use serde_json::{Value, json};

use super::*;
use crate::finality::{path, publish, say};
use crate::people::Person;
use crate::subsidy::begun;
use crate::world::TestApp;

const PEOPLE: [&str; 2] = ["admin@province.example", "deputy@province.example"];

/// That a table of awards says for each unit what the independent program computed.
pub fn assert_awards(table: &str) {
    let expected = std::fs::read_to_string(seeds().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    for unit in expected["units"].as_array().unwrap() {
        let (uscc, award) = (
            unit["uscc"].as_str().unwrap(),
            unit["award_fen"].to_string(),
        );
        let row = table.lines().find(|row| row.contains(uscc));
        let row = row.unwrap_or_else(|| panic!("no {uscc} in {table}"));
        assert!(
            row.split(',').any(|cell| cell.trim_matches('"') == award),
            "{award}: {row}"
        );
    }
}

#[test]
fn the_officers_path_over_rest() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let Some(url) = IMPORTED.copy(backend) else {
            continue;
        };
        let clock = Clock::fixed("2026-04-13T09:00:00+08:00".parse().unwrap());
        let app = TestApp::on(backend, &url, clock);
        the_path(&app);
        app.app.store.drain();
        drop(app);
        world::remove_database(backend, &url);
    }
}

fn the_path(app: &TestApp) {
    let [admin, deputy] = PEOPLE.map(|login| {
        administrator(app, login);
        app.as_person(Person {
            login,
            organization: "",
            roles: &[Role::PlatformAdmin],
        })
    });
    let lacks = admin.get("/api/v1/preflight?year=2025").expect_status(200);
    assert!(!lacks["items"].as_array().unwrap().is_empty());
    let year = json!({"year": 2025, "policy": "hebei-2026"});
    let first = begun(&admin, "/api/v1/evaluations", year.clone());
    let found = admin
        .get("/api/v1/findings?year=2025&severity=serious")
        .expect_status(200);
    assert_eq!(found["items"], json!([]));
    let first = path("evaluations", &first["id"]);
    say(&admin, &first, "publish", json!({})).expect_status(200);
    let notice = admin.get(&first).expect_status(200)["public_notice_id"].clone();
    let notice = path("public-notices", &notice);
    let made = deputy.post(&format!("{notice}/objections"), json!({"text": "机时有误"}));
    let objection = path("objections", &made.expect_status(201)["id"]);
    say(&admin, &objection, "uphold", json!({"text": "重新核算"})).expect_status(200);
    say(&admin, &first, "discard", json!({"reason": "异议成立"})).expect_status(200);
    let second = begun(&admin, "/api/v1/evaluations", year.clone());
    let body = json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 30_000_000, "evaluation_id": second["id"]});
    let run = begun(&admin, "/api/v1/subsidy-runs", body);
    let [evaluation, subsidy] = publish(&admin, &run);
    crate::given::notice_over(app);
    say(&admin, &subsidy, "finalize", json!({})).expect_code(403, "second_person_required");
    let made = say(&deputy, &subsidy, "finalize", json!({})).expect_status(200);
    assert_eq!(made["status"], "final");
    assert_eq!(admin.get(&evaluation).expect_status(200)["status"], "final");

    let expected = std::fs::read_to_string(seeds().join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    assert_eq!(
        (&made["factor"], &made["unspent_fen"]),
        (&expected["factor"], &expected["unspent_fen"])
    );
    let awards = admin
        .get(&format!("{subsidy}/awards?limit=100"))
        .expect_status(200);
    let told = |uscc: &Value| {
        let items = awards["items"].as_array().unwrap();
        items
            .iter()
            .find(|item| item["uscc"] == *uscc)
            .unwrap()
            .clone()
    };
    for unit in expected["units"].as_array().unwrap() {
        let award = told(&unit["uscc"]);
        for member in ["scores", "total", "grade", "award_fen"] {
            assert_eq!(award[member], unit[member], "{member} of {}", unit["name"]);
        }
    }
    let export = admin
        .get(&format!("{subsidy}/export?format=csv"))
        .expect_status(200);
    assert_awards(&export.text());
    let archive = admin.get(&format!("{subsidy}/archive")).expect_status(200);
    let checked = yiqi::exchange::archive::verify(std::io::Cursor::new(&archive.bytes)).unwrap();
    assert!(checked.verified, "{:?}", checked.differences);
}
