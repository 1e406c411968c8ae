//! What becomes of the awards of a final run: paid in parts, adjusted by two persons, held and released; the run stays as it was.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::export::{column, sheets_of};
use crate::finality::{draft, path, prepared, publish, say};
use crate::world::*;
use crate::{both, given};

/// A run of the year that is final, and the path of its award, which is set to so much.
pub struct Final {
    pub run: String,
    pub award: String,
}

pub fn final_run(app: &TestApp, admin: &Client, award_fen: i64) -> Final {
    let run = draft(admin, "subsidy-runs", 2025, "hebei-2026");
    // What it came to is not the matter here: the university earned nothing in this world.
    let id = run.id();
    app.write(move |tx| {
        let text = format!("UPDATE award SET award_fen = {award_fen} WHERE subsidy_run_id = {id}");
        Ok(diesel::RunQueryDsl::execute(diesel::sql_query(text), tx)?)
    });
    publish(admin, &run);
    given::notice_over(app);
    let run = path("subsidy-runs", &run["id"]);
    say(&given::deputy(app), &run, "finalize", json!({})).expect_status(200);
    let awards = admin.get(&format!("{run}/awards")).expect_status(200);
    let award = format!("{run}/awards/{}", awards["items"][0]["id"]);
    Final { run, award }
}

fn pay(client: &Client, award: &str, amount: i64) -> Answer {
    let body = json!({"amount_fen": amount, "paid_on": "2026-03-10", "document_no": "冀财 2026-7"});
    client.post(&format!("{award}/payments"), body)
}

fn adjust(client: &Client, award: &str, amount: i64) -> Answer {
    let body = json!({"amount_fen": amount, "reason_code": "error", "reason": "机时录入有误", "decision_no": "冀科〔2026〕9号"});
    client.post(&format!("{award}/adjustments"), body)
}

fn reason() -> Value {
    json!({"reason": "核查中"})
}

both! {
    fn an_award_is_paid_in_parts_and_never_too_much(app: &TestApp) {
        let admin = prepared(app);
        let early = draft(&admin, "subsidy-runs", 2024, "hebei-2026");
        let early_awards = admin.get(&format!("{}/awards", path("subsidy-runs", &early["id"]))).expect_status(200);
        let early = format!("{}/awards/{}", path("subsidy-runs", &early["id"]), early_awards["items"][0]["id"]);
        let refused = adjust(&admin, &early, 5).expect_code(409, "invalid_state");
        assert_eq!(refused["state"], "draft");
        say(&admin, &early, "hold", reason()).expect_code(409, "invalid_state");

        let Final { run, award } = final_run(app, &admin, 1_000);
        let standing = |client: &Client| {
            let award = client.get(&award).expect_status(200);
            ["award_fen", "adjusted_fen", "paid_fen", "due_fen"].map(|name| award[name].as_i64().unwrap())
        };
        assert_eq!(standing(&admin), [1_000, 0, 0, 1_000]);
        assert_eq!(admin.get(&award).expect_status(200)["is_held"], false);
        let refused = pay(&admin, &award, 1_001).expect_code(422, "overpaid");
        assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["limit"], &refused["errors"][0]["actual"]), (&json!("amount_fen"), &json!(1_000), &json!(1_001)));
        let paid = pay(&admin, &award, 600).expect_status(201);
        assert_eq!((&paid["amount_fen"], &paid["paid_on"], &paid["document_no"]), (&json!(600), &json!("2026-03-10"), &json!("冀财 2026-7")));
        pay(&admin, &award, 401).expect_code(422, "overpaid");
        pay(&admin, &award, 0).expect_code(422, "out_of_range");
        pay(&admin, &award, -601).expect_code(422, "out_of_range");
        pay(&admin, &award, -100).expect_status(201);
        assert_eq!(standing(&admin), [1_000, 0, 500, 500]);
        for (field, value, code) in [
            ("paid_on", json!("2026-03-11"), "out_of_range"), ("document_no", json!(" "), "required"),
            ("document_no", json!("长".repeat(65)), "text_too_long"), ("amount_fen", json!(9_007_199_254_740_991_i64), "overpaid"),
        ] {
            let mut body = json!({"amount_fen": 1, "paid_on": "2026-03-10", "document_no": "1"});
            body[field] = value;
            let refused = admin.post(&format!("{award}/payments"), body).expect_code(422, code);
            assert_eq!(refused["errors"][0]["field"], field);
        }
        // The list says the same; so do all who may read it.
        for client in [&admin, &app.as_person(AUDITOR), &app.as_host(), &app.as_company()] {
            let listed = client.get(&format!("{run}/awards")).expect_status(200)["items"][0].clone();
            assert_eq!((&listed["paid_fen"], &listed["due_fen"], &listed["is_held"]), (&json!(500), &json!(500), &json!(false)));
            assert_eq!(standing(client), [1_000, 0, 500, 500]);
        }
        // Each payment is read by the province, its auditors and the unit alone.
        for (client, count) in [(&admin, Some(2)), (&app.as_person(AUDITOR), Some(2)), (&app.as_host(), Some(2)), (&app.as_company(), None)] {
            let payments = client.get(&award).expect_status(200)["payments"].clone();
            assert_eq!(payments.as_array().map(Vec::len), count);
        }
        // The run itself stays as it was, and no other run has this award.
        assert_eq!(admin.get(&run).expect_status(200)["status"], "final");
        let elsewhere = award.replace(&run, early.split("/awards").next().unwrap());
        admin.get(&elsewhere).expect_status(404);
        pay(&admin, &elsewhere, 1).expect_status(404);
    }

    fn an_adjustment_counts_when_a_second_person_approves_it(app: &TestApp) {
        let admin = prepared(app);
        let Final { run, award } = final_run(app, &admin, 1_000);
        let deputy = given::deputy(app);
        let figures = |client: &Client| {
            let award = client.get(&award).expect_status(200);
            ["adjusted_fen", "due_fen"].map(|name| award[name].as_i64().unwrap())
        };
        for (amount, code) in [(0, "out_of_range"), (-1_001, "out_of_range"), (9_007_199_254_740_991, "out_of_range")] {
            adjust(&admin, &award, amount).expect_code(422, code);
        }
        for (field, value, code) in [("reason", json!(" "), "reason_required"), ("decision_no", json!("长".repeat(65)), "text_too_long")] {
            let mut body = json!({"amount_fen": 1, "reason_code": "other", "reason": "x"});
            body[field] = value;
            admin.post(&format!("{award}/adjustments"), body).expect_code(422, code);
        }
        admin.post(&format!("{award}/adjustments"), json!({"amount_fen": 1, "reason_code": "whim", "reason": "x"})).expect_code(400, "invalid_value");
        let made = adjust(&admin, &award, -700).expect_status(201);
        assert_eq!((&made["state"], &made["reason_code"], &made["decided_by"]), (&json!("proposed"), &json!("error"), &Value::Null));
        assert_eq!(figures(&admin), [0, 1_000]);
        let one = format!("{award}/adjustments/{}", made["id"]);
        for verb in ["approve", "refuse"] {
            say(&admin, &one, verb, json!({})).expect_code(403, "second_person_required");
        }
        let other = adjust(&deputy, &award, -400).expect_status(201);
        let refused = adjust(&admin, &award, -100).expect_status(201);
        // What is only proposed is not the unit's to read.
        let read = |client: &Client| client.get(&award).expect_status(200)["adjustments"].as_array().unwrap().len();
        assert_eq!([read(&admin), read(&app.as_host())], [3, 0]);
        let approved = say(&deputy, &one, "approve", json!({})).expect_status(200);
        assert_eq!((&approved["state"], &approved["decided_by"]), (&json!("approved"), &json!(app.user_id(given::DEPUTY))));
        say(&deputy, &one, "refuse", json!({})).expect_code(409, "invalid_state");
        assert_eq!(figures(&admin), [-700, 300]);
        assert_eq!([read(&admin), read(&app.as_host())], [3, 1]);
        // Both together would be more than there is.
        say(&admin, &format!("{award}/adjustments/{}", other["id"]), "approve", json!({})).expect_code(422, "out_of_range");
        say(&admin, &format!("{award}/adjustments/{}", other["id"]), "refuse", json!({})).expect_status(200);
        say(&deputy, &format!("{award}/adjustments/{}", refused["id"]), "refuse", json!({})).expect_status(200);
        assert_eq!(figures(&admin), [-700, 300]);
        pay(&admin, &award, 301).expect_code(422, "overpaid");
        pay(&admin, &award, 300).expect_status(201);
        let last = adjust(&admin, &award, -200).expect_status(201);
        say(&deputy, &format!("{award}/adjustments/{}", last["id"]), "approve", json!({})).expect_status(200);
        // To be returned.
        assert_eq!(figures(&admin), [-900, -200]);
        pay(&admin, &award, 1).expect_code(422, "overpaid");
        pay(&admin, &award, -200).expect_status(201);
        assert_eq!(figures(&admin), [-900, 0]);
        say(&deputy, &format!("{award}/adjustments/999999"), "approve", json!({})).expect_status(404);
        assert_eq!(admin.get(&format!("{run}/awards")).expect_status(200)["items"][0]["award_fen"], 1_000);
    }

    fn a_held_award_is_not_paid_until_it_is_released(app: &TestApp) {
        let admin = prepared(app);
        let Final { award, .. } = final_run(app, &admin, 1_000);
        pay(&admin, &award, 100).expect_status(201);
        say(&admin, &award, "release", reason()).expect_code(409, "invalid_state");
        say(&admin, &award, "hold", json!({})).expect_code(422, "reason_required");
        let held = say(&admin, &award, "hold", reason()).expect_status(200);
        assert_eq!((&held["is_held"], &held["due_fen"]), (&json!(true), &json!(900)));
        let refused = say(&admin, &award, "hold", reason()).expect_code(409, "invalid_state");
        assert_eq!((&refused["state"], &refused["allowed"]), (&json!("held"), &json!(["release"])));
        pay(&admin, &award, 1).expect_code(409, "award_held");
        // What comes back is taken.
        pay(&admin, &award, -50).expect_status(201);
        assert_eq!(admin.get(&award).expect_status(200)["is_held"], true);
        let released = say(&admin, &award, "release", reason()).expect_status(200);
        assert_eq!((&released["is_held"], &released["due_fen"]), (&json!(false), &json!(950)));
        pay(&admin, &award, 950).expect_status(201);
        assert_eq!(app.as_host().get(&award).expect_status(200)["holds"].as_array().unwrap().len(), 2);
        // A finding that stands and holds the award does so until somebody releases it.
        let unit = app.organization_id(UNIVERSITY);
        app.write(move |tx| {
            let text = format!(
                "INSERT INTO finding (year, rule, subject, organization_id, records, minutes, income_fen, record_ids, facts_digest, \
                 state, effect, version, created_at, updated_at) VALUES (2025, 'overlap', '-', {unit}, 0, 0, 0, '[]', '', 'upheld', \
                 'hold_award', 1, '2026-01-01 00:00:00', '2026-03-11 00:00:00')"
            );
            Ok(diesel::RunQueryDsl::execute(diesel::sql_query(text), tx)?)
        });
        assert_eq!(admin.get(&award).expect_status(200)["is_held"], true);
        app.advance(3 * 24 * 60);
        say(&admin, &award, "release", reason()).expect_status(200);
        assert_eq!(admin.get(&award).expect_status(200)["is_held"], false);
    }

    fn only_the_province_touches_an_award_and_the_unit_hears_of_it(app: &TestApp) {
        let admin = prepared(app);
        let Final { award, .. } = final_run(app, &admin, 1_000);
        let made = adjust(&admin, &award, 5).expect_status(201);
        for client in [app.as_host(), app.as_company(), app.as_person(AUDITOR), app.as_person(CITY_ADMIN)] {
            pay(&client, &award, 1).expect_code(403, "forbidden");
            adjust(&client, &award, 1).expect_code(403, "forbidden");
            say(&client, &award, "hold", reason()).expect_code(403, "forbidden");
            say(&client, &award, "release", reason()).expect_code(403, "forbidden");
            for verb in ["approve", "refuse"] {
                say(&client, &format!("{award}/adjustments/{}", made["id"]), verb, json!({})).expect_code(403, "forbidden");
            }
        }
        app.visitor().get(&award).expect_status(401);
        pay(&admin, &award, 100).expect_status(201);
        while app.tell() > 0 {}
        let told = app.as_host().get("/api/v1/notices").expect_status(200);
        assert!(told.text().contains("award_payment_create"), "{}", told.text());
        assert!(!told.text().contains("award_adjustment_create"), "{}", told.text());
        app.settle();
        let events = app.as_host().get("/api/v1/events?subject_type=award").expect_status(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 1, "{}", events.text());
    }

    /// Of many who pay at once nobody pays what another one paid.
    fn payments_at_once_never_exceed_what_is_due(app: &TestApp) {
        let admin = prepared(app);
        let Final { award, .. } = final_run(app, &admin, 1_000);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let pays: Vec<_> = (0..6).map(|_| scope.spawn(|| pay(&admin, &award, 300).status)).collect();
            pays.into_iter().map(|pay| pay.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 3, "{statuses:?}");
        assert_eq!(admin.get(&award).expect_status(200)["paid_fen"], 900);
    }

    /// Exports and open figures show what became of awards.
    fn what_became_of_awards_stands_in_tables_and_open_figures(app: &TestApp) {
        let (admin, deputy) = (prepared(app), given::deputy(app));
        let Final { run, award } = final_run(app, &admin, 100_000);
        let made = adjust(&admin, &award, -30_000).expect_status(201);
        say(&deputy, &format!("{award}/adjustments/{}", made["id"]), "approve", json!({})).expect_status(200);
        adjust(&admin, &award, 5_000).expect_status(201);
        pay(&admin, &award, 45_000).expect_status(201);
        let csv = admin.get(&format!("{run}/export?format=csv")).expect_status(200).text();
        let table: Vec<Vec<&str>> = csv.trim_start_matches('\u{feff}').lines().map(|line| line.split(',').collect()).collect();
        let in_table = |name: &str| {
            let at = table[0].iter().position(|title| *title == name).unwrap();
            table[1][at].to_owned()
        };
        assert_eq!([in_table("调整（分）"), in_table("已拨付（分）")], ["-30000", "45000"], "{csv}");
        let book = sheets_of(&admin.get(&format!("{run}/export?format=xlsx")).bytes);
        let awards = &book[1].1;
        for row in &awards[1..] {
            let amount = |title: &str| row[column(awards, title)].to_string();
            assert_eq!([amount("调整（元）"), amount("已拨付（元）")], ["-300", "450"], "{awards:?}");
        }
        for by in ["organization", "region", "kind"] {
            let path = format!("/api/v1/stats/2025?by={by}");
            let told = app.visitor().get(&path).expect_status(200);
            let items = told["items"].as_array().unwrap();
            for figures in items.iter().chain([&told.body]) {
                let money = ["award_fen", "adjusted_fen", "paid_fen"].map(|name| figures[name].as_i64());
                assert_eq!(money, [Some(100_000), Some(-30_000), Some(45_000)], "{}", told.text());
            }
            let csv = app.visitor().get(&format!("{path}&format=csv")).text();
            assert!(csv.contains("补助调整（元）") && csv.contains(",1000.00,-300.00,450.00,"), "{csv}");
        }
    }

    /// The same at the command line, in the names of two persons.
    fn awards_are_paid_and_adjusted_at_the_command_line(app: &TestApp) {
        let admin = prepared(app);
        let Final { award, .. } = final_run(app, &admin, 100_000);
        let numbers: Vec<&str> = award.split('/').collect();
        let (run, id) = (numbers[4], numbers[6]);
        let said = |verb: &str, by: &str, arguments: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_yiqi"));
            command.args(["subsidy", verb, run, id]).args(arguments).args(["--as", by, "--format", "json"]);
            let output = command.env_clear().env("YIQI_DATABASE_URL", &app.url).output().unwrap();
            let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
            (output.status.code().unwrap(), text.concat())
        };
        let done = |verb: &str, by: &str, arguments: &[&str]| -> Value {
            let (code, text) = said(verb, by, arguments);
            assert_eq!(code, 0, "{verb}: {text}");
            serde_json::from_str(&text).unwrap()
        };
        let pay = |yuan| ["--yuan", yuan, "--on", "2026-03-10", "--document", "冀财-7"];
        assert_eq!(done("pay", ADMIN.login, &pay("600"))["amount_fen"], 60_000);
        let (code, text) = said("pay", ADMIN.login, &pay("400.01"));
        assert!(code == 1 && text.contains("40000"), "{code}: {text}");
        let made = done("adjust", ADMIN.login, &["--yuan", "100", "--less", "--because", "court", "--reason", "判决"]);
        assert_eq!((&made["amount_fen"], &made["state"]), (&json!(-10_000), &json!("proposed")));
        let number = made["id"].to_string();
        let (code, _) = said("decide", ADMIN.login, &[&number]);
        assert_eq!(code, 1);
        assert_eq!(done("decide", given::DEPUTY.login, &[&number])["state"], "approved");
        assert_eq!(done("hold", ADMIN.login, &["--reason", "核查中"])["is_held"], true);
        let (code, text) = said("pay", ADMIN.login, &pay("1"));
        assert!(code == 1 && text.contains("held"), "{code}: {text}");
        assert_eq!(done("release", ADMIN.login, &["--reason", "已查清"])["is_held"], false);
        assert_eq!(done("pay", ADMIN.login, &[&pay("50")[..], &["--returned"]].concat())["amount_fen"], -5_000);
        let award = admin.get(&award).expect_status(200);
        assert_eq!(["adjusted_fen", "paid_fen", "due_fen"].map(|name| award[name].as_i64().unwrap()), [-10_000, 55_000, 35_000]);
    }
}
