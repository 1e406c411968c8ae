//! Policy packs over HTTP: stored once as drafts, every mistake told, in force from a day by a second person, withdrawn for good.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::client::{Answer, Client};
use crate::subsidy::begun;
use crate::world::*;
use crate::{both, given};
use yiqi::operations::policy_pack::HEBEI_2026;

const POLICIES: &str = "/api/v1/policies";

/// The shipped pack as another version, with another threshold.
fn version(version: i64, threshold_fen: i64) -> String {
    let of = HEBEI_2026.replacen("version = 1", &format!("version = {version}"), 1);
    of.replacen(
        "threshold_fen = 20_000_000",
        &format!("threshold_fen = {threshold_fen}"),
        1,
    )
}

fn send(client: &Client, method: Method, path: &str, text: &str) -> Answer {
    client
        .request(method, path)
        .bytes("application/toml", text.as_bytes())
        .send()
}

/// A stored draft.
fn stored(client: &Client, text: &str) -> String {
    format!(
        "{POLICIES}/{}",
        send(client, Method::POST, POLICIES, text)
            .expect_status(201)
            .id()
    )
}

fn say(client: &Client, path: &str, verb: &str, body: Value) -> Answer {
    client.post(&format!("{path}/{verb}"), body)
}

/// Whether an instrument of this value is registered.
fn registered(app: &TestApp, asset_no: &str, fen: i64) -> Answer {
    app.as_host().post("/api/v1/instruments", json!({
        "asset_no": asset_no, "name": "电镜", "original_value_fen": fen, "category_code": "010102", "purpose_type": "general",
    }))
}

both! {
    fn a_pack_that_is_probably_wrong_is_stored_when_that_is_meant(app: &TestApp) {
        let admin = app.as_admin();
        let text = version(7, 20_000_000);
        let percent = text.replacen("rate = \"0.20\"", "rate = \"20\"", 1);
        let refused = send(&admin, Method::POST, POLICIES, &percent).expect_code(422, "policy_warning");
        let error = &refused["errors"][0];
        assert_eq!(error["field"], "awards[0].steps[0].rate");
        assert!(error["message"].as_str().unwrap().contains("2000"), "{error}");
        let checked = send(&admin, Method::POST, "/api/v1/policies/check", &percent).expect_status(200);
        assert_eq!((&checked["valid"], &checked["mistakes"]), (&json!(true), &json!([])));
        assert_eq!(checked["warnings"][0]["key"], "awards[0].steps[0].rate");
        let path = format!("{POLICIES}?accept_warnings=true");
        let stored = send(&admin, Method::POST, &path, &percent).expect_status(201);
        assert_eq!(stored["warnings"], checked["warnings"]);
        app.settle();
        let event = admin.get("/api/v1/events?action=policy_create").expect_status(200);
        let last = event["items"].as_array().unwrap().last().unwrap();
        assert_eq!(last["after"]["accepted_warnings"], 1, "{last}");
        let path = format!("{POLICIES}/{}", stored.id());
        let replace = |path: &str, text: &str| {
            let request = admin.request(Method::PUT, path).header("If-Match", stored.etag());
            request.bytes("application/toml", text.as_bytes()).send()
        };
        replace(&path, &percent.replacen("\"13\", \"11\"", "\"13\", \"13\"", 1)).expect_code(422, "policy_warning");
        replace(&path, &text).expect_status(200);
    }

    fn a_pack_is_stored_once_and_its_mistakes_are_told(app: &TestApp) {
        let admin = app.as_admin();
        let send = |path: &str, text: &str| {
            admin.request(Method::POST, path).bytes("application/toml", text.as_bytes()).send()
        };
        let second = HEBEI_2026.replacen("version = 1", "version = 2", 1);
        let stored = send("/api/v1/policies", &second).expect_status(201);
        send("/api/v1/policies", &second).expect_code(409, "policy_version_exists");
        let one = admin.get(&format!("/api/v1/policies/{}", stored.id())).expect_status(200);
        assert_eq!(one["version"], 2);
        assert_eq!(one["content"], second);
        let wrong = HEBEI_2026
            .replacen("version = 1", "version = 0", 1)
            .replacen("full_at = \"0.20\"", "full_at = 0.20", 1);
        let refused = send("/api/v1/policies", &wrong).expect_code(422, "policy_mistake");
        let errors = refused["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 2);
        assert_eq!(errors[0]["field"], "version");
        assert_eq!(errors[0]["actual"], 6);
        let told = send("/api/v1/policies/check", &wrong).expect_status(200);
        assert_eq!(told["mistakes"][1]["key"], "scores[7].full_at");
        let company = app.as_company();
        let company = company.request(Method::POST, "/api/v1/policies");
        company.bytes("application/toml", "").send().expect_code(403, "forbidden");
    }

    fn a_pack_is_told_in_sentences_and_what_two_say_differently(app: &TestApp) {
        let (admin, visitor) = (app.as_admin(), app.visitor());
        let draft = stored(&admin, &version(2, 50_000_000));
        let ruling = format!("{POLICIES}/{}", visitor.get(POLICIES).expect_status(200)["items"][0]["id"]);

        let in_language = |language: &str| {
            let request = visitor.request(Method::GET, &format!("{ruling}/explanation"));
            request.header("Accept-Language", language).send().expect_status(200)
        };
        let told = in_language("zh-CN");
        let sentences = |told: &Answer| -> Vec<String> {
            let sections = told["sections"].as_array().unwrap().iter();
            let all = sections.flat_map(|section| section["sentences"].as_array().unwrap());
            all.map(|one| one["text"].as_str().unwrap().to_owned()).collect()
        };
        let chinese = sentences(&told);
        assert!(chinese.iter().any(|text| text.contains("20 万元") || text.contains("200000")), "{chinese:?}");
        let english = sentences(&in_language("en"));
        assert_eq!(english.len(), chinese.len());
        assert!(english.contains(&"Step 3: sum by unit.".to_owned()));
        let sources = told["sections"].to_string();
        assert!(sources.contains(r#""source":"official""#) && sources.contains(r#""source":"proposal""#));

        let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        let diff = |client: &Client, one: &str, with: &str| client.get(&format!("{one}/diff?with={with}"));
        let found = diff(&admin, &ruling, &id(&draft)).expect_status(200);
        let keys: Vec<&str> = found["items"].as_array().unwrap().iter().map(|item| item["key"].as_str().unwrap()).collect();
        assert!(keys.contains(&"registration"), "{keys:?}");
        assert!(found["items"].as_array().unwrap().iter().all(|item| item["before"] != item["after"]));
        assert_eq!(diff(&admin, &ruling, &id(&ruling)).expect_status(200)["items"], json!([]));

        // Drafts are the province's, on either side.
        visitor.get(&format!("{draft}/explanation")).expect_code(404, "not_found");
        diff(&visitor, &draft, &id(&ruling)).expect_code(404, "not_found");
        let refused = diff(&visitor, &ruling, &id(&draft)).expect_code(422, "unknown_reference");
        assert_eq!(refused["errors"][0]["field"], "with");
        visitor.get(&format!("{ruling}/diff")).expect_status(400);
    }

    fn a_pack_says_what_a_run_must_name(app: &TestApp) {
        let admin = app.as_admin();
        let shown = admin.get(POLICIES).expect_status(200);
        let ruling = admin.get(&format!("{POLICIES}/{}", shown["items"][0]["id"])).expect_status(200);
        assert_eq!((&ruling["parameters"], &ruling["pools"], &ruling["claims"]), (&json!([]), &json!([]), &json!([])));
        let open = version(5, 20_000_000)
            .replacen("rate = \"0.20\"", "rate = \"$host_rate\"", 1) + "\n[parameters.host_rate]\ndefault = \"0.2\"\nat_most = \"0.3\"\n";
        let stored = admin.get(&stored(&admin, &open)).expect_status(200);
        let host_rate = json!([{"name": "host_rate", "default": "0.2", "at_least": null, "at_most": "0.3"}]);
        assert_eq!(stored["parameters"], host_rate);
    }

    /// Uploading puts nothing in force; a second person does, from a day on, and then registrations follow it.
    fn a_pack_rules_from_the_day_on_that_a_second_person_names(app: &TestApp) {
        let (admin, deputy) = (app.as_admin(), given::deputy(app));
        let pack = stored(&admin, &version(2, 50_000_000));
        let draft = admin.get(&pack).expect_status(200);
        assert_eq!((&draft["state"], &draft["from_on"]), (&json!("draft"), &Value::Null));
        let indicators = json!([{"id": "A4", "max": "4"}, {"id": "B3", "max": "6"}]);
        assert_eq!(draft["indicators"], indicators);
        // Drafts are the province's.
        for client in [app.visitor(), app.as_host(), app.as_company()] {
            client.get(&pack).expect_code(404, "not_found");
            let shown = client.get(POLICIES).expect_status(200);
            assert_eq!(shown["items"].as_array().unwrap().len(), 1);
        }
        app.as_person(AUDITOR).get(&pack).expect_status(200);
        registered(app, "B1", 30_000_000).expect_status(201);

        app.as_host().post(&format!("{pack}/in-force"), json!({})).expect_code(403, "forbidden");
        say(&admin, &pack, "in-force", json!({})).expect_code(403, "second_person_required");
        for day in ["2026-03-01", "2099-01-01"] {
            let refused = say(&deputy, &pack, "in-force", json!({"from_on": day})).expect_code(422, "out_of_range");
            assert_eq!(refused["errors"][0]["field"], "from_on");
        }
        say(&deputy, &pack, "withdraw", json!({"reason": "x"})).expect_code(409, "invalid_state");
        let ruling = say(&deputy, &pack, "in-force", json!({"from_on": "2026-03-03"})).expect_status(200);
        assert_eq!((&ruling["state"], &ruling["from_on"]), (&json!("in_force"), &json!("2026-03-03")));
        assert_eq!(ruling["put_in_force_by"], app.user_id(given::DEPUTY).number());
        say(&deputy, &pack, "in-force", json!({})).expect_code(409, "invalid_state");
        assert_eq!(app.visitor().get(&pack).expect_status(200)["content"], draft["content"]);
        // Until the last moment of today the earlier one rules.
        registered(app, "B2", 30_000_000).expect_status(201);
        app.advance(15 * 60);
        let below = registered(app, "B3", 30_000_000).expect_code(422, "below_registration_threshold");
        assert_eq!(below["errors"][0]["limit"], 50_000_000);
        registered(app, "B3", 50_000_000).expect_status(201);

        // Withdrawn for good: the earlier one rules again.
        for reason in [json!({}), json!({"reason": " "})] {
            say(&admin, &pack, "withdraw", reason).expect_code(422, "reason_required");
        }
        let gone = say(&admin, &pack, "withdraw", json!({"reason": "文号有误"})).expect_status(200);
        assert_eq!((&gone["state"], &gone["withdraw_reason"]), (&json!("withdrawn"), &json!("文号有误")));
        for verb in ["in-force", "withdraw"] {
            let body = if verb == "withdraw" { json!({"reason": "x"}) } else { json!({}) };
            say(&deputy, &pack, verb, body).expect_code(409, "invalid_state");
        }
        registered(app, "B4", 30_000_000).expect_status(201);

        // The only one that says what is to be registered stays until another one rules.
        let shown = app.visitor().get(POLICIES).expect_status(200);
        let last = shown["items"].as_array().unwrap().iter().find(|pack| pack["state"] == "in_force").unwrap();
        let last = format!("{POLICIES}/{}", last["id"]);
        say(&admin, &last, "withdraw", json!({"reason": "x"})).expect_code(409, "last_policy");
        let next = stored(&admin, &version(3, 20_000_000));
        say(&deputy, &next, "in-force", json!({"from_on": "2026-03-04"})).expect_status(200);
        say(&admin, &last, "withdraw", json!({"reason": "x"})).expect_code(409, "last_policy");
        app.advance(24 * 3_600);
        say(&app.as_admin(), &last, "withdraw", json!({"reason": "x"})).expect_status(200);
    }

    fn a_draft_is_replaced_and_removed_until_a_run_uses_it(app: &TestApp) {
        let (admin, deputy) = (app.as_admin(), given::deputy(app));
        given::instrument(app).insert();
        let (used, ruling, free) = (stored(&admin, &version(2, 20_000_001)), stored(&admin, &version(3, 20_000_001)), stored(&admin, &version(4, 20_000_001)));
        begun(&admin, "/api/v1/evaluations", json!({"year": 2025, "policy": "hebei-2026@2"}));
        say(&deputy, &ruling, "in-force", json!({})).expect_status(200);
        let put = |path: &str, text: &str, etag: &str| {
            let request = admin.request(Method::PUT, path).header("If-Match", etag);
            request.bytes("application/toml", text.as_bytes()).send()
        };
        for (path, number) in [(&used, 2), (&ruling, 3)] {
            put(path, &version(number, 20_000_002), "*").expect_code(409, "relation_in_use");
            admin.delete(path).expect_code(409, "relation_in_use");
        }
        let before = admin.get(&free).expect_status(200);
        send(&admin, Method::PUT, &free, &version(4, 20_000_002)).expect_code(428, "version_required");
        put(&free, &version(5, 20_000_002), before.etag()).expect_code(422, "read_only");
        put(&free, &version(4, 20_000_002).replacen("hebei-2026", "other", 1), before.etag()).expect_code(422, "read_only");
        put(&free, &version(4, -2), before.etag()).expect_code(422, "policy_mistake");
        let after = put(&free, &version(4, 20_000_002), before.etag()).expect_status(200);
        assert_ne!((after.etag(), &after["digest"]), (before.etag(), &before["digest"]));
        put(&free, &version(4, 20_000_003), before.etag()).expect_code(412, "version_mismatch");
        app.as_host().delete(&free).expect_code(403, "forbidden");
        admin.delete(&free).expect_status(204);
        admin.get(&free).expect_code(404, "not_found");
    }

    /// Whoever replaced a draft is its uploader; a run by what is not in force is only a trial.
    fn only_what_is_in_force_is_published(app: &TestApp) {
        let (admin, deputy) = (app.as_admin(), given::deputy(app));
        given::expert_points(app, 2025);
        given::instrument(app).insert();
        let text = version(1, 20_000_001).replacen("hebei-2026", "trial", 1);
        let pack = stored(&admin, &text);
        let present = admin.get(&pack).expect_status(200);
        let replaced = deputy.request(Method::PUT, &pack).header("If-Match", present.etag());
        replaced.bytes("application/toml", format!("{text}\n# 二稿\n").as_bytes()).send().expect_status(200);
        say(&deputy, &pack, "in-force", json!({})).expect_code(403, "second_person_required");
        let evaluate = |policy: &str| json!({"year": 2025, "policy": policy});
        let share = |policy: &str| json!({"year": 2025, "policy": policy, "budget_fen": 1});
        for (kind, body) in [("evaluations", evaluate("trial")), ("subsidy-runs", share("trial"))] {
            let refused = admin.post(&format!("/api/v1/{kind}"), body).expect_code(422, "policy_not_in_force");
            assert_eq!(refused["errors"][0]["field"], "policy");
        }
        let trials = [("evaluations", evaluate("trial@1")), ("subsidy-runs", share("trial@1"))];
        let trials = trials.map(|(kind, body)| {
            format!("/api/v1/{kind}/{}", begun(&admin, &format!("/api/v1/{kind}"), body).id())
        });
        let refused = |state: &str| {
            for run in &trials {
                let refused = say(&admin, run, "publish", json!({})).expect_code(409, "scenario_not_publishable");
                assert_eq!(refused["policy_state"], state);
            }
        };
        refused("draft");
        say(&admin, &pack, "in-force", json!({"from_on": "2026-03-03"})).expect_status(200);
        refused("in_force");
        admin.post("/api/v1/evaluations", evaluate("trial")).expect_code(422, "policy_not_in_force");
        app.advance(24 * 60);
        let ordinary = begun(&admin, "/api/v1/evaluations", evaluate("trial"));
        let ordinary = format!("/api/v1/evaluations/{}", ordinary.id());
        say(&admin, &ordinary, "publish", json!({})).expect_status(200);
        // What was begun on a draft stays a what-if.
        for run in &trials {
            say(&admin, run, "publish", json!({})).expect_code(409, "scenario_not_publishable");
        }
        say(&admin, &ordinary, "discard", json!({"reason": "x"})).expect_status(200);
        say(&admin, &pack, "withdraw", json!({"reason": "x"})).expect_status(200);
        let refused = say(&admin, &trials[1], "publish", json!({})).expect_code(409, "scenario_not_publishable");
        assert_eq!(refused["policy_state"], "withdrawn");
        admin.post("/api/v1/evaluations", evaluate("trial")).expect_code(422, "policy_not_in_force");
        admin.post("/api/v1/evaluations", evaluate("nobody-2099")).expect_code(422, "unknown_reference");
    }
}
