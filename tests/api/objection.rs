//! What is published is printed for everybody and stands open to objections, which stop finality until they are decided.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::finality::{draft, path, prepared, publish, say};
use crate::world::*;
use crate::{both, given};

const NOTICES: &str = "/api/v1/public-notices";
const OBJECTIONS: &str = "/api/v1/objections";

/// The notice of a published run.
fn notice_of(client: &Client, run: &str) -> String {
    let id = client.get(run).expect_status(200)["public_notice_id"].clone();
    format!("{NOTICES}/{id}")
}

fn object(client: &Client, notice: &str, body: Value) -> Answer {
    client.post(&format!("{notice}/objections"), body)
}

fn one(objection: &Answer) -> String {
    format!("{OBJECTIONS}/{}", objection["id"])
}

fn ids(page: &Answer) -> Vec<i64> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_i64().unwrap()).collect()
}

both! {
    fn a_notice_prints_what_was_published_and_stays(app: &TestApp) {
        let (admin, visitor) = (prepared(app), app.visitor());
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        assert_eq!(run["public_notice_id"], Value::Null);
        let [evaluation, subsidy] = publish(&admin, &run);
        let unit = app.organization_id(UNIVERSITY);
        let [graded, awarded] = [&evaluation, &subsidy].map(|half| visitor.get(&notice_of(&admin, half)).expect_status(200));
        for (notice, kind, half) in [(&graded, "evaluation", &run["evaluation_id"]), (&awarded, "subsidy_run", &run["id"])] {
            assert_eq!((&notice["kind"], &notice["subject_id"], &notice["state"]), (&json!(kind), half, &json!("open")));
            assert_eq!(notice["document_no"], format!("2025-{kind}-1"));
            assert_eq!((&notice["notice_from_on"], &notice["notice_until_on"]), (&json!("2026-03-02"), &json!("2026-03-09")));
            let named = &notice["units"][0];
            assert_eq!((&named["organization_id"], &named["name"]), (&json!(unit), &json!("太行农业大学")), "{}", notice.text());
            assert!(named["grade"].is_string() && named["total"].is_string() && named["place"] == 1);
            assert_eq!(named["award_fen"].is_null(), kind == "evaluation");
            assert_eq!(notice["objections"], json!({"open": 0, "upheld": 0, "dismissed": 0}));
            assert!(notice["how_to_object"].as_str().unwrap().contains("object"));
        }
        assert_eq!((&graded["pools"], &awarded["pools"][0]["budget_fen"]), (&json!([]), &json!(1_000_000)));
        // A later name does not change what was printed.
        app.write(|tx| {
            diesel::RunQueryDsl::execute(diesel::sql_query("UPDATE organization SET name = '改名大学'"), tx)?;
            Ok(())
        });
        assert_eq!(visitor.get(&notice_of(&admin, &subsidy))["units"][0]["name"], "太行农业大学");
        let listed = |query: &str| visitor.get(&format!("{NOTICES}?{query}")).expect_status(200)["items"].as_array().unwrap().len();
        let counts = |queries: [&str; 4]| queries.map(listed);
        assert_eq!(counts(["year=2025", "year=2024", "kind=evaluation", "updated_since=2026-01-01T00:00:00Z"]), [2, 0, 1, 2]);
        let states = ["state=open", "state=ended", "state=final", "state=discarded"];
        assert_eq!(counts(states), [2, 0, 0, 0]);
        given::notice_over(app);
        assert_eq!(counts(states), [0, 2, 0, 0]);
        say(&given::deputy(app), &subsidy, "finalize", json!({})).expect_status(200);
        assert_eq!(counts(states), [0, 0, 2, 0]);
    }

    /// Published, objected to, upheld, thrown away with a reason, drawn up again, published, dismissed, final by a second person.
    fn an_upheld_objection_leads_to_another_notice(app: &TestApp) {
        let (admin, deputy, boss) = (prepared(app), given::deputy(app), app.as_company());
        let first = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [evaluation, subsidy] = publish(&admin, &first);
        let notice = notice_of(&admin, &evaluation);
        let made = object(&boss, &notice, json!({"text": "机时有误", "organization_id": app.organization_id(UNIVERSITY)})).expect_status(201);
        // Ten working days after Monday, 2 March.
        assert_eq!((&made["state"], &made["due_on"]), (&json!("open"), &json!("2026-03-16")));
        given::notice_over(app);
        let lacks = admin.get("/api/v1/preflight?year=2025").expect_status(200);
        let lacks = lacks["items"].as_array().unwrap();
        let open = lacks.iter().find(|item| item["code"] == "objections_open").unwrap();
        assert_eq!((&open["count"], &open["weight"], &open["due_on"]), (&json!(1), &json!("blocks"), &json!("2026-03-16")));
        assert_eq!(admin.get(open["list"].as_str().unwrap())["items"][0]["id"], made["id"]);
        // Those to its evaluation stop the run, too.
        let refused = say(&deputy, &subsidy, "finalize", json!({})).expect_code(409, "objections_open");
        assert_eq!(refused["ids"], json!([made["id"]]));
        say(&deputy, &evaluation, "finalize", json!({})).expect_code(409, "objections_open");
        object(&boss, &notice, json!({"text": "再提"})).expect_code(409, "notice_ended");
        let upheld = say(&admin, &one(&made), "uphold", json!({"text": "情况属实，重新核算"})).expect_status(200);
        assert_eq!((&upheld["state"], &upheld["decision"]), (&json!("upheld"), &json!("情况属实，重新核算")));
        for half in [&subsidy, &evaluation] {
            say(&admin, half, "discard", json!({})).expect_code(422, "reason_required");
            say(&admin, half, "discard", json!({"reason": "异议成立"})).expect_status(200);
        }
        let shown = app.visitor().get(&notice).expect_status(200);
        assert_eq!((&shown["state"], &shown["objections"]["upheld"]), (&json!("discarded"), &json!(1)));
        assert_eq!(shown["decisions"][0]["text"], "情况属实，重新核算");
        assert!(!shown.text().contains("created_by"), "{}", shown.text());
        let second = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [_, subsidy] = publish(&admin, &second);
        let again = notice_of(&admin, &subsidy);
        assert_eq!(admin.get(&again)["document_no"], "2025-subsidy_run-2");
        let made = object(&boss, &again, json!({"text": "仍有疑问"})).expect_status(201);
        given::notice_over(app);
        say(&deputy, &subsidy, "finalize", json!({})).expect_code(409, "objections_open");
        say(&admin, &one(&made), "dismiss", json!({"text": "已按规则核算"})).expect_status(200);
        say(&admin, &subsidy, "finalize", json!({})).expect_code(403, "second_person_required");
        say(&deputy, &subsidy, "finalize", json!({})).expect_status(200);
        object(&boss, &again, json!({"text": "再提"})).expect_code(409, "notice_ended");
    }

    /// The same from the command line, in the name of a person.
    fn an_objection_is_decided_at_the_command_line(app: &TestApp) {
        let (admin, boss) = (prepared(app), app.as_company());
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [evaluation, _] = publish(&admin, &run);
        let notice = notice_of(&admin, &evaluation);
        let made = [1, 2].map(|_| object(&boss, &notice, json!({"text": "机时有误"})).expect_status(201)["id"].to_string());
        let [first, second] = made.each_ref().map(String::as_str);
        let said = |arguments: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_yiqi"));
            command.arg("objections").args(arguments).env_clear().env("YIQI_DATABASE_URL", &app.url);
            let output = command.output().unwrap();
            let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
            (output.status.code().unwrap(), text.concat())
        };
        let json = |arguments: &[&str]| -> Value {
            let (code, text) = said(&[arguments, &["--as", ADMIN.login, "--format", "json"]].concat());
            assert_eq!(code, 0, "{text}");
            serde_json::from_str(&text).unwrap()
        };
        let open = |expected: usize| assert_eq!(json(&["list", "--open"])["items"].as_array().unwrap().len(), expected);
        open(2);
        assert_eq!(json(&["show", first])["text"], "机时有误");
        let (code, text) = said(&["uphold", first, "--text", "x", "--as", BOSS.login]);
        assert!(code == 1 && !text.is_empty(), "{code}: {text}");
        assert_eq!(json(&["uphold", first, "--text", "情况属实"])["state"], "upheld");
        assert_eq!(json(&["dismiss", second, "--text", "已按规则核算"])["decision"], "已按规则核算");
        let (code, text) = said(&["dismiss", second, "--text", "x", "--as", ADMIN.login]);
        assert!(code == 1 && text.contains("dismissed"), "{code}: {text}");
        let (code, text) = said(&["show", "99", "--as", ADMIN.login]);
        assert!(code == 1 && text.contains("there is no objection 99"), "{code}: {text}");
        open(0);
        let (_, text) = said(&["list", "--as", ADMIN.login]);
        assert!(text.contains("机时有误") && text.contains("dismissed"), "{text}");
    }

    fn who_reads_and_who_ends_an_objection(app: &TestApp) {
        let (admin, boss, host) = (prepared(app), app.as_company(), app.as_host());
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [evaluation, _] = publish(&admin, &run);
        let notice = notice_of(&admin, &evaluation);
        let about = object(&boss, &notice, json!({"text": "机时有误", "organization_id": app.organization_id(UNIVERSITY)})).expect_status(201);
        let general = object(&boss, &notice, json!({"text": "公示不全"})).expect_status(201);
        let [first, second] = [&about, &general].map(|made| made["id"].as_i64().unwrap());
        let objector = app.user_id(BOSS).number();
        let auditor = app.as_person(AUDITOR);
        for (reader, read) in [(&admin, vec![second, first]), (&auditor, vec![second, first]), (&boss, vec![second, first]), (&host, vec![first]), (&app.as_person(ENGINEER), vec![])] {
            assert_eq!(ids(&reader.get(OBJECTIONS).expect_status(200)), read);
            for (made, id) in [(&about, first), (&general, second)] {
                let status = if read.contains(&id) { 200 } else { 404 };
                reader.get(&one(made)).expect_status(status);
            }
        }
        assert_eq!(admin.get(&one(&about))["created_by"], objector);
        assert_eq!(host.get(&one(&about))["created_by"], Value::Null, "the host learns no name");
        app.visitor().get(OBJECTIONS).expect_status(401);
        object(&app.visitor(), &notice, json!({"text": "x"})).expect_status(401);
        object(&auditor, &notice, json!({"text": "x"})).expect_status(403);
        for verb in ["uphold", "dismiss"] {
            for (client, status) in [(&boss, 403), (&host, 403), (&auditor, 403), (&app.as_person(ENGINEER), 404)] {
                say(client, &one(&about), verb, json!({"text": "x"})).expect_status(status);
            }
            for blank in [json!({"text": " "}), json!({"text": ""})] {
                say(&admin, &one(&about), verb, blank).expect_code(422, "required");
            }
        }
        for (client, status) in [(&admin, 403), (&host, 403), (&auditor, 403)] {
            say(client, &one(&about), "withdraw", json!({})).expect_status(status);
        }
        say(&boss, &one(&about), "withdraw", json!({})).expect_status(200);
        say(&admin, &one(&about), "uphold", json!({"text": "x"})).expect_code(409, "invalid_state");
        say(&boss, &one(&about), "withdraw", json!({})).expect_code(409, "invalid_state");
        let asked = |query: &str| ids(&admin.get(&format!("{OBJECTIONS}?{query}")).expect_status(200));
        assert_eq!([asked("state=open"), asked("state=withdrawn")], [vec![second], vec![first]]);
        assert_eq!(asked(&format!("organization_id={}", app.organization_id(UNIVERSITY))), [first]);
        assert_eq!(asked(&format!("public_notice_id={}", general["public_notice_id"])), [second, first]);
        assert_eq!(asked("updated_since=2026-01-01T00:00:00Z"), [first, second]);
        object(&boss, &notice, json!({"text": "\n"})).expect_code(422, "required");
        let refused = object(&boss, &notice, json!({"text": "x", "organization_id": app.organization_id(COMPANY)})).expect_code(422, "unknown_reference");
        assert_eq!(refused["errors"][0]["field"], "organization_id");
        object(&boss, &format!("{NOTICES}/999999"), json!({"text": "x"})).expect_status(404);
    }

    /// Whoever objected hears of the decision, and nobody of a withdrawal but the province.
    fn who_objected_is_told_what_was_decided(app: &TestApp) {
        let (admin, boss) = (prepared(app), app.as_company());
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [evaluation, _] = publish(&admin, &run);
        let notice = notice_of(&admin, &evaluation);
        let told = |client: &Client| -> Vec<String> {
            while app.tell() > 0 {}
            let page = client.get("/api/v1/notices").expect_status(200);
            let items = page["items"].as_array().unwrap().iter();
            let types = items.map(|item| item["type"].as_str().unwrap().to_owned());
            types.filter(|kind| kind.starts_with("objection_")).collect()
        };
        for verb in ["uphold", "dismiss"] {
            let made = object(&boss, &notice, json!({"text": "机时有误"})).expect_status(201);
            say(&admin, &one(&made), verb, json!({"text": "经核实"})).expect_status(200);
            let own = told(&boss);
            assert_eq!(own.iter().filter(|kind| **kind == format!("objection_{verb}")).count(), 1, "{own:?}");
            assert!(told(&app.as_host()).is_empty(), "the unit it is about hears of the next notice");
        }
        let made = object(&boss, &notice, json!({"text": "机时有误"})).expect_status(201);
        let before = told(&boss);
        say(&boss, &one(&made), "withdraw", json!({})).expect_status(200);
        assert_eq!(told(&boss), before);
    }

    /// Of publishing one run while another becomes final, no published run is left beside a final one.
    fn nothing_is_published_beside_what_becomes_final(app: &TestApp) {
        let (admin, deputy) = (prepared(app), given::deputy(app));
        let first = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [evaluation, subsidy] = publish(&admin, &first);
        let body = json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 5, "evaluation_id": first["evaluation_id"]});
        let other = crate::subsidy::begun(&admin, "/api/v1/subsidy-runs", body);
        let other = path("subsidy-runs", &other["id"]);
        given::notice_over(app);
        let (published, made_final) = std::thread::scope(|scope| {
            let published = scope.spawn(|| say(&admin, &other, "publish", json!({})));
            let made_final = say(&deputy, &subsidy, "finalize", json!({}));
            (published.join().unwrap(), made_final)
        });
        made_final.expect_status(200);
        assert_eq!(admin.get(&evaluation)["status"], "final");
        // Before it was final another could be shown; after it none.
        if published.status != 200 {
            published.expect_code(409, "final_exists");
        }
        let late = say(&admin, &other, "publish", json!({}));
        assert_eq!(late.status, 409, "{}", late.text());
    }
}
