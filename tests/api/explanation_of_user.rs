//! What a using unit is told of its award: the records behind it and what was left out, as a host is, in JSON, as a document, and at
//! the command line.

use serde_json::{Value, json};

use crate::both;
use crate::client::Answer;
use crate::export::text_of;
use crate::finality::{path, say};
use crate::finding_effect::planted;
use crate::given;
use crate::subsidy::begun;
use crate::world::*;

const PACK: &str = r#"
code = "both-sides"
version = 1
title = "双方补助办法"
issuer = "某厅"

[year]
source = "proposal"

[metrics.income_fen]
of = "income.payer_fen"
user = "external"

[[awards]]
id = "hosts"
recipient = "host"
per = "instrument"
base = "income_fen"
steps = [
  { do = "rate", rate = "0.20" },
  { do = "sum", by = "organization" },
  { do = "pool", how = "pro_rata" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]

[[awards]]
id = "users"
recipient = "user"
per = "organization"
base = "income_fen"
steps = [
  { do = "rate", rate = "0.10" },
  { do = "pool", how = "pro_rata" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]
"#;

fn in_force(app: &TestApp) {
    let stored = app
        .as_admin()
        .request(
            ureq::http::Method::POST,
            "/api/v1/policies?accept_warnings=true",
        )
        .bytes("application/toml", PACK.as_bytes())
        .send()
        .expect_status(201);
    let path = format!("/api/v1/policies/{}", stored.id());
    say(&given::deputy(app), &path, "in-force", json!({})).expect_status(200);
}

fn sum_of(items: &Value, member: &str) -> i64 {
    let items = items.as_array().unwrap().iter();
    items.map(|item| item[member].as_i64().unwrap()).sum()
}

fn document(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.bytes).unwrap()
}

/// Counted and left out are all that is charged, and the counted records are those listed.
fn adds_up(told: &Value, counted: &[i64]) {
    let base = told["base_fen"].as_i64().unwrap();
    let left_out = sum_of(&told["left_out"], "amount_fen");
    assert_eq!(told["charges_fen"], json!(base + left_out), "{told}");
    let metric = &told["metrics"][0];
    assert_eq!(sum_of(&metric["records"], "payer_fen"), base, "{told}");
    assert_eq!(metric["value"], base);
    let records = metric["records"].as_array().unwrap().iter();
    let records: Vec<i64> = records
        .map(|record| record["usage_record_id"].as_i64().unwrap())
        .collect();
    assert_eq!(records, counted);
}

both! {
    fn a_using_unit_is_told_every_record_and_every_fen_of_its_year(app: &TestApp) {
        let ((finding, ids), admin) = (planted(app), app.as_admin());
        in_force(app);
        let body = json!({"text": "机时多于实际", "effect": "exclude_records", "record_ids": [ids[0]]});
        say(&admin, &finding, "uphold", body).expect_status(200);
        let run = begun(&admin, "/api/v1/subsidy-runs", json!({"year": 2026, "policy": "both-sides", "budget_fen": 1_000_000}));
        let run = path("subsidy-runs", &run["id"]);
        let awards = admin.get(&format!("{run}/awards")).expect_status(200);
        let company = app.organization_id(COMPANY);
        let of = |recipient: &str| -> Value {
            let awards = awards["items"].as_array().unwrap().iter();
            let mut own = awards.filter(|award| award["recipient"] == recipient);
            own.next_back().unwrap().clone()
        };
        let user = of("user");
        assert_eq!((&user["organization_id"], &user["award_fen"]), (&json!(company), &json!(1_800)));
        let explanation = format!("{run}/awards/{}/explanation", user["id"]);
        let told: Answer = admin.get(&explanation).expect_status(200);
        adds_up(&document(&told), &ids[1..]);
        assert_eq!(told["charges_fen"], 27_000);
        assert_eq!(told["left_out"][0]["reason"], "finding");
        let finding = admin.get(&format!("{explanation}?left_out=finding")).expect_status(200);
        assert_eq!(finding["left_out_records"][0]["usage_record_id"], ids[0]);
        admin.get(&format!("{explanation}?metric=external_minutes")).expect_code(400, "invalid_value");
        // The host's own has the same members, and the same money.
        let host = admin.get(&format!("{run}/awards/{}/explanation", of("host")["id"])).expect_status(200);
        adds_up(&document(&host), &ids[1..]);
        let members = |told: &Answer| -> Vec<String> { document(told).as_object().unwrap().keys().cloned().collect() };
        assert_eq!(members(&told), members(&host));

        for (language, counted, left_out) in [("zh-CN", "计入的记录", "未计入的金额"), ("en", "Counted records", "Left out")] {
            let file = admin.in_language(language).get(&format!("{explanation}?format=pdf")).expect_status(200);
            let text = text_of(&file.bytes);
            for what in [counted, left_out, "270.00", "180.00", "90.00"] {
                assert!(text.contains(what), "{what}: {text}");
            }
            for id in &ids {
                assert!(text.contains(&id.to_string()), "{id}: {text}");
            }
        }

        let organization = admin.get(&format!("/api/v1/organizations/{company}")).expect_status(200);
        let uscc = organization["uscc"].as_str().unwrap();
        let explained = |more: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_yiqi"));
            let number = run.rsplit('/').next().unwrap();
            command.args(["subsidy", "explain", number, "--organization", uscc, "--award", "users"]).args(more);
            let output = command.env_clear().env("YIQI_DATABASE_URL", &app.url).output().unwrap();
            let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
            (output.status.code().unwrap(), text)
        };
        let (code, text) = explained(&["--format", "json"]);
        assert_eq!(code, 0, "{text}");
        adds_up(&serde_json::from_str(&text).unwrap(), &ids[1..]);
        let (code, text) = explained(&["--lang", "en"]);
        assert!(code == 0 && text.contains("Counted records") && text.contains("90.00"), "{text}");
    }
}
