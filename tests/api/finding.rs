//! Findings: what looks wrong is found by a freeze, once, and only the administration reads it.

use diesel::RunQueryDsl;
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::operations::policy::install_shipped;

use crate::charge::{priced, record};
use crate::client::{Answer, Client};
use crate::finality::{draft, prepared, publish, say};
use crate::subsidy::{begun, ended};
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
        // Until it is shown to the unit, the host does not know of it; others never do.
        app.as_host().get(&path).expect_code(404, "not_found");
        assert_eq!(app.as_host().get(YEAR).expect_status(200)["items"], json!([]));
        app.as_company().get(&path).expect_code(404, "not_found");
        app.as_company().get(YEAR).expect_code(403, "forbidden");
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
            for client in [app.as_host(), app.as_company()] {
                say(&client, &path, verb, body.clone()).expect_code(404, "not_found");
            }
            say(&app.as_person(AUDITOR), &path, verb, body.clone()).expect_code(403, "forbidden");
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
        assert_eq!(told(&admin), ["finding_find", "finding_clear", "finding_reopen", "finding_uphold"]);
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

    /// Shown to the unit with a day, explained by it, and decided: each is told to the unit from then on.
    fn a_finding_is_shown_to_its_unit_which_explains_it(app: &TestApp) {
        let (path, admin, host) = (planted(app), app.as_admin(), app.as_host());
        let other = app.as_person(OTHER_HOST_ADMIN);
        let reads = [path.clone(), format!("{path}/records")];
        for read in &reads {
            host.get(read).expect_code(404, "not_found");
        }
        for (due_on, code) in [("2026-03-01", "out_of_range"), ("2028-01-01", "out_of_range")] {
            let refused = say(&admin, &path, "assign", json!({"due_on": due_on})).expect_code(422, code);
            assert_eq!(refused["errors"][0]["field"], "due_on");
        }
        say(&host, &path, "assign", json!({})).expect_code(404, "not_found");
        say(&host, &path, "explain", json!({"text": "x"})).expect_code(404, "not_found");
        // Ten working days after Monday, 2 March.
        let assigned = versioned(&admin, &format!("{path}/assign"), 1, json!({})).expect_status(200);
        assert_eq!((&assigned["state"], &assigned["due_on"], &assigned["explanation"]), (&json!("open"), &json!("2026-03-16"), &Value::Null));
        let again = versioned(&admin, &format!("{path}/assign"), 1, json!({})).expect_status(200);
        assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &assigned.body));
        let later = say(&admin, &path, "assign", json!({"due_on": "2026-03-20"})).expect_status(200);
        assert_eq!(later["due_on"], "2026-03-20");

        for read in &reads {
            host.get(read).expect_status(200);
            app.as_person(AUDITOR).get(read).expect_status(200);
            other.get(read).expect_code(404, "not_found");
            app.as_company().get(read).expect_code(404, "not_found");
        }
        let listed = |client: &Client| client.get(YEAR).expect_status(200)["items"].as_array().unwrap().len();
        assert_eq!((listed(&host), listed(&other)), (1, 0));
        assert!(listed(&admin) >= 1);
        let records = host.get(&reads[1]).expect_status(200);
        let record = &records["items"][0];
        assert_eq!((&record["effective_minutes"], &record["state"], &record["is_affected"]), (&json!(91), &json!("recorded"), &json!(false)));

        for client in [&admin, &app.as_person(AUDITOR)] {
            say(client, &path, "explain", json!({"text": "x"})).expect_code(403, "forbidden");
        }
        for verb in ["clear", "uphold", "assign", "reopen"] {
            let body = match verb {
                "uphold" => json!({"text": "x", "effect": "none"}),
                "clear" => json!({"text": "x"}),
                "reopen" => json!({"reason": "x"}),
                _ => json!({}),
            };
            say(&host, &path, verb, body).expect_code(403, "forbidden");
        }
        for (body, status, code) in [
            (json!({}), 400, "missing_field"),
            (json!({"text": ""}), 422, "required"),
            (json!({"text": "长".repeat(2_001)}), 422, "text_too_long"),
        ] {
            say(&host, &path, "explain", body).expect_code(status, code);
        }
        let explained = versioned(&host, &format!("{path}/explain"), 3, json!({"text": "录入有误"})).expect_status(200);
        assert_eq!((&explained["state"], &explained["explanation"]), (&json!("explained"), &json!("录入有误")));
        let again = versioned(&host, &format!("{path}/explain"), 3, json!({"text": "录入有误"})).expect_status(200);
        assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &explained.body));
        say(&host, &path, "explain", json!({"text": "录入有误，已更正"})).expect_status(200);
        let cleared = say(&admin, &path, "clear", json!({"text": "同意"})).expect_status(200);
        assert_eq!((&cleared["state"], &cleared["explanation"]), (&json!("cleared"), &json!("录入有误，已更正")));
        say(&host, &path, "explain", json!({"text": "x"})).expect_code(409, "invalid_state");
        say(&admin, &path, "assign", json!({})).expect_code(409, "invalid_state");
        app.settle();
        let told = |client: &Client| {
            let list = client.get("/api/v1/events?subject_type=finding").expect_status(200);
            let items = list["items"].as_array().unwrap().iter();
            items.map(|event| event["action"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let of_unit = ["finding_assign", "finding_assign", "finding_explain", "finding_explain", "finding_clear"];
        assert_eq!(told(&host), of_unit);
        assert_eq!(told(&admin)[1..], of_unit);
        assert_eq!(told(&other), Vec::<String>::new());
    }

    /// A scan looks without a freeze: what is found again with other facts opens, what is not found any more stays open.
    fn a_scan_finds_and_tells_how_far_it_is(app: &TestApp) {
        let (path, admin) = (planted(app), app.as_admin());
        let scans = "/api/v1/findings/scan";
        let scanned = |found: i64, changed: i64| {
            let begun = admin.post(scans, json!({"year": 2026})).expect_status(202);
            let ended = ended(&admin, begun.header("location").unwrap());
            let told = [&ended["status"], &ended["progress"], &ended["found"], &ended["changed"]];
            assert_eq!(told, [&json!("done"), &json!(100), &json!(found), &json!(changed)], "{}", ended.text());
            ended
        };
        let known = i64::try_from(found(app, "").len()).unwrap();
        let first = scanned(known, 0);
        say(&admin, &path, "clear", json!({"text": "已核对"})).expect_status(200);
        scanned(known, 0);
        assert_eq!(admin.get(&path)["state"], "cleared");
        let graded = format!("/api/v1/evaluations/{}", admin.get("/api/v1/evaluations").expect_status(200)["items"][0]["id"]);
        let stale = || admin.get(&graded).expect_status(200)["is_stale"].clone();
        assert_eq!(stale(), json!(true), "what was decided may count otherwise");
        say(&admin, &graded, "regrade", json!({})).expect_status(200);
        scanned(known, 0);
        assert_eq!(stale(), json!(false), "nothing new was found");
        change(app, "UPDATE usage_record SET run_minutes = 92 WHERE run_minutes = 91".to_owned());
        scanned(known, 1);
        assert_eq!(stale(), json!(true), "a draft was graded without what is found now");
        let reopened = admin.get(&path).expect_status(200);
        assert_eq!((&reopened["state"], &reopened["decision"], &reopened["minutes"]), (&json!("open"), &Value::Null, &json!(92)));
        change(app, "UPDATE usage_record SET run_minutes = 90 WHERE run_minutes = 92".to_owned());
        scanned(known - 1, 0);
        assert_eq!(admin.get(&path)["state"], "open");

        for client in [app.as_host(), app.as_person(AUDITOR), app.as_company()] {
            client.post(scans, json!({"year": 2026})).expect_code(403, "forbidden");
        }
        let scan = format!("{scans}s/{}", first["id"]);
        app.as_host().get(&scan).expect_code(403, "forbidden");
        app.as_person(AUDITOR).get(&scan).expect_status(200);
        admin.get(&format!("{scans}s/999999")).expect_code(404, "not_found");
        for (body, status, code) in [
            (json!({}), 400, "missing_field"),
            (json!({"year": 2027}), 422, "out_of_range"),
            (json!({"year": "x"}), 400, "wrong_type"),
        ] {
            admin.post(scans, body).expect_code(status, code);
        }
        let send = || admin.request(Method::POST, scans).header("idempotency-key", "scan").json(json!({"year": 2026})).send();
        let (once, twice) = (send().expect_status(202), send().expect_status(202));
        assert_eq!((twice.header("idempotency-replayed"), twice.header("location")), (Some("true"), once.header("location")));
        ended(&admin, once.header("location").unwrap());
        app.settle();
        let told = admin.get("/api/v1/events?subject_type=finding_scan").expect_status(200);
        assert_eq!(told["items"].as_array().unwrap().len(), 6);
    }

    /// All records are listed page by page, those between two units too.
    fn the_records_of_a_finding_are_listed(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        let instrument = priced(app);
        let ids: Vec<i64> = (2..23).map(|day| record(app, instrument, day)).collect();
        change(app, "UPDATE usage_record SET state = 'confirmed'".to_owned());
        freeze(app);
        let alike = found(app, "&rule=identical_durations").pop().unwrap();
        assert_eq!((&alike["count"], &alike["usage_record_ids"]), (&json!(21), &json!(ids)));
        let path = format!("/api/v1/findings/{}/records?limit=10", alike["id"]);
        let (mut listed, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.as_admin().get(&format!("{path}{cursor}")).expect_status(200);
            let items = page["items"].as_array().unwrap().iter();
            listed.extend(items.map(|item| item["usage_record_id"].as_i64().unwrap()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(listed, ids);
    }

    /// Listed, shown, cleared and upheld from the command line, in the name of a person.
    fn a_finding_is_decided_at_the_command_line(app: &TestApp) {
        let path = planted(app);
        insert(app, "circular_trade");
        let first = path.rsplit('/').next().unwrap().to_owned();
        let second = app.as_admin().get("/api/v1/findings?year=2025").expect_status(200)["items"][0]["id"].to_string();
        let said = |arguments: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_yiqi"));
            command.arg("findings").args(arguments).env_clear().env("YIQI_DATABASE_URL", &app.url);
            let output = command.output().unwrap();
            let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
            (output.status.code().unwrap(), text.concat())
        };
        let json = |arguments: &[&str]| -> Value {
            let (code, text) = said(&[arguments, &["--as", ADMIN.login, "--format", "json"]].concat());
            assert_eq!(code, 0, "{text}");
            serde_json::from_str(&text).unwrap()
        };
        let listed = |arguments: &[&str]| json(arguments)["items"].as_array().unwrap().len();
        let (all, open) = (listed(&["list"]), listed(&["list", "--open"]));
        assert!(all == open && all >= 2, "{all}, {open}");
        assert_eq!(listed(&["list", "--year", "2025"]), 1);
        let shown = json(&["show", &first]);
        assert_eq!((&shown["rule"], &shown["state"], &shown["severity"]), (&json!("over_24_hours"), &json!("open"), &json!("serious")));
        let record = shown["usage_record_ids"][0].to_string();
        let refused = |arguments: &[&str], expected: &str| {
            let (code, text) = said(arguments);
            assert!(code != 0 && text.contains(expected), "{code}: {text}");
        };
        refused(&["clear", &first, "--text", "x", "--as", BOSS.login], "");
        refused(&["clear", &first, "--as", ADMIN.login], "--text");
        refused(&["uphold", &first, "--text", "x", "--effect", "best", "--as", ADMIN.login], "effect");
        refused(&["uphold", &first, "--text", "x", "--effect", "cap_grade", "--as", ADMIN.login], "grade");
        refused(&["show", "999999", "--as", ADMIN.login], "there is no finding 999999");
        let upheld = json(&["uphold", &first, "--text", "机时多于实际", "--effect", "exclude_records", "--record", &record]);
        assert_eq!((&upheld["state"], &upheld["effect"]), (&json!("upheld"), &json!("exclude_records")));
        assert_eq!(json(&["clear", &second, "--text", "已核对"])["state"], "cleared");
        refused(&["clear", &second, "--text", "x", "--as", ADMIN.login], "cleared");
        assert_eq!(listed(&["list", "--open"]), open - 2);
        let (_, text) = said(&["list", "--as", ADMIN.login]);
        assert!(text.contains("over_24_hours") && text.contains("upheld"), "{text}");
        let (_, text) = said(&["show", &first, "--as", ADMIN.login]);
        assert!(text.contains("机时多于实际") && text.contains("exclude_records"), "{text}");
    }
}
