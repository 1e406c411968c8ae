//! Versions that a request names, one or several, on every route that has some: `If-Match` and `If-None-Match` as lists.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::access::Action;
use yiqi::http::route::Route;
use yiqi::http::routes;
use yiqi::operations::policy_pack::HEBEI_2026;

use crate::bad_input::{method, stage};
use crate::both;
use crate::client::{Answer, Client};
use crate::world::*;

/// Whether the route compares `If-Match` with the version of what its path names.
fn is_compared(route: &Route) -> bool {
    let changes = !route.action.is_open_to_visitors() && !route.action.is_read();
    route.needs_version || changes && route.path.contains('{') && !route.ignores_version
}

/// What is well formed, whatever its rules say.
fn body(action: Action) -> Value {
    match action {
        Action::InstrumentAssignManagers => json!({"manager_ids": []}),
        Action::HolidayUpdate | Action::CertificationUpdate | Action::AdoptedGradeUpdate => {
            json!({"items": []})
        }
        Action::FindingExplain | Action::FindingClear => json!({"text": "已核查"}),
        Action::FindingUphold => json!({"text": "已核查", "effect": "none"}),
        Action::RectificationReport | Action::RectificationAccept => json!({"text": "已整改"}),
        Action::RectificationUpdate => json!({"due_on": "2026-12-01"}),
        Action::AwardPaymentCreate => {
            json!({"amount_fen": 1, "paid_on": "2026-03-01", "document_no": "1"})
        }
        Action::AwardAdjustmentCreate => {
            json!({"amount_fen": 1, "reason_code": "error", "reason": "x"})
        }
        Action::AwardHold | Action::AwardRelease => json!({"reason": "x"}),
        Action::EvaluationScore => json!({"scores": []}),
        Action::BookingReject => json!({"reason_code": "other"}),
        Action::BookingReschedule => json!({
            "starts_at": "2026-03-09T12:00:00+08:00", "ends_at": "2026-03-09T13:00:00+08:00",
        }),
        Action::ChargeInvoice => json!({"invoice_no": "N-2", "issued_on": "2026-03-01"}),
        Action::ChargePay => json!({"amount_fen": 1, "paid_on": "2026-03-01", "source": "payer"}),
        _ => json!({}),
    }
}

/// Versions from 1 to more than anything here has.
fn present(prefix: &str) -> String {
    let tags = (1..60).map(|version| format!("{prefix}\"v{version}\""));
    tags.collect::<Vec<_>>().join(", ")
}

fn ask(client: &Client, route: &Route, path: &str, lines: &[&str]) -> Answer {
    let mut request = client.request(method(route), path);
    for line in lines {
        request = request.header("If-Match", line);
    }
    match method(route) {
        Method::DELETE => request.send(),
        _ if route.action == Action::PolicyUpdate => {
            let text = HEBEI_2026.replacen("version = 1", "version = 9", 1);
            request.bytes("application/toml", text.as_bytes()).send()
        }
        _ => request.json(body(route.action)).send(),
    }
}

/// Those that end what other routes need come last.
fn compared() -> Vec<&'static Route> {
    let mut all: Vec<_> = routes::all()
        .iter()
        .filter(|route| is_compared(route))
        .collect();
    let is_end = |route: &Route| {
        method(route) == Method::DELETE || route.action.as_str().starts_with("organization_")
    };
    all.sort_by_key(|route| is_end(route));
    all
}

both! {
    fn every_change_is_made_to_any_version_of_a_list(app: &TestApp) {
        let stage = stage(app);
        let callers: Vec<_> = [ADMIN, HOST, FINANCE, BOSS].map(|person| app.as_person(person)).into();
        let (mut done, mut wrong) = (0, Vec::new());
        for route in compared() {
            let path = stage.path(route);
            let mut say = |what: &str, answer: &Answer| wrong.push(format!("{route:?} {what}: {} {}", answer.status, answer.text()));
            let stale = r#""v9998", "v01", W/"v1","v9999""#;
            let asked: Vec<_> = callers.iter().map(|client| (client, ask(client, route, &path, &[stale]))).collect();
            let admitted = asked.iter().find(|(_, answer)| answer.status == 412);
            let Some((client, _)) = admitted else {
                // Nobody reviewed the record, nothing is certified: nothing is there.
                if !path.contains("999999") {
                    say("is compared by nobody", &asked[1].1);
                }
                continue;
            };
            for (what, lines) in [
                ("weak tags", vec![present("W/")]),
                ("two lines", vec![r#""v9998""#.to_owned(), r#""v9999""#.to_owned()]),
                ("tags of others", vec![r#""1", "x,y", "v1,v2""#.to_owned()]),
            ] {
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                let answer = ask(client, route, &path, &lines);
                if answer.status != 412 || answer["code"] != "version_mismatch" {
                    say(what, &answer);
                }
            }
            for lines in [vec![r#""v1", v2"#], vec!["*", r#""v1""#], vec!["v1"], vec![","]] {
                let answer = ask(client, route, &path, &lines);
                if answer.status != 400 || answer["code"] != "invalid_entity_tag" {
                    say(&format!("{lines:?}"), &answer);
                }
            }
            // The present one is among them, and on the second line.
            let list = format!("\"v9998\", {}", present(""));
            let answer = ask(client, route, &path, &[r#"W/"v1""#, &list]);
            // Whose turn it is comes after the version.
            let is_refused = answer.status == 403 && answer["code"] != "second_person_required";
            if is_refused || [400, 401, 404, 412, 428].contains(&answer.status) || answer.status >= 500 {
                say("the present one", &answer);
            }
            done += u32::from(answer.status < 300);
            let any = ask(client, route, &path, &["*"]);
            if [400, 412, 428].contains(&any.status) || any.status >= 500 {
                say("any", &any);
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(done > 20, "only {done} were done");
    }

    fn every_reading_with_a_tag_knows_lists_of_them(app: &TestApp) {
        let stage = stage(app);
        let callers: Vec<_> = [ADMIN, HOST, FINANCE, BOSS].map(|person| app.as_person(person)).into();
        let mut tagged = 0;
        for route in routes::all().iter().filter(|route| method(route) == Method::GET) {
            let path = stage.path(route);
            let read = |client: &Client| {
                let answer = client.get(&path);
                let tag = answer.header("etag").map(str::to_owned);
                tag.filter(|_| answer.status == 200).map(|tag| (client.clone(), tag))
            };
            let Some((client, tag)) = callers.iter().find_map(read) else {
                continue;
            };
            tagged += 1;
            let plain = tag.trim_start_matches("W/");
            for (status, lines) in [
                (304, vec![tag.clone()]),
                (304, vec![format!("W/{plain}")]),
                (304, vec![format!("\"x\", , W/\"y,z\",{plain}")]),
                (304, vec!["\"x\"".to_owned(), plain.to_owned()]),
                (304, vec!["*".to_owned()]),
                (200, vec!["\"x\", W/\"y\"".to_owned()]),
                (200, vec!["\"x\"".to_owned(), "\"y\"".to_owned()]),
                (200, vec![format!("{plain} \"x\"")]),
                (200, vec![plain.trim_matches('"').to_owned()]),
            ] {
                for way in [Method::GET, Method::HEAD] {
                    let request = client.request(way.clone(), &path);
                    let request = lines.iter().fold(request, |request, line| request.header("If-None-Match", line));
                    let answer = request.send();
                    assert_eq!(answer.status, status, "{way} {route:?} {lines:?}");
                    assert_eq!(answer.header("etag"), Some(tag.as_str()), "{route:?} {lines:?}");
                }
            }
        }
        assert!(tagged > 8, "only {tagged} have a tag");
    }
}
