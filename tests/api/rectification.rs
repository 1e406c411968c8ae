//! Rectifications: opened by who supervises a host, reported by the host, accepted with a text, and overdue after their last day.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::both;
use crate::client::{Answer, Client};
use crate::world::*;

const RECTIFICATIONS: &str = "/api/v1/rectifications";

fn order(app: &TestApp, cause: &str, due_on: &str) -> Value {
    json!({"organization_id": app.organization_id(UNIVERSITY), "cause": cause, "text": "三台仪器未登记", "due_on": due_on})
}

fn one(made: &Answer) -> String {
    format!("{RECTIFICATIONS}/{}", made["id"])
}

fn moved(client: &Client, path: &str, version: &str, body: Value) -> Answer {
    let request = client
        .request(Method::PATCH, path)
        .header("if-match", version);
    request.json(body).send()
}

both! {
    fn a_host_reports_and_who_supervises_it_accepts(app: &TestApp) {
        let (city, host) = (app.as_person(CITY_ADMIN), app.as_host());
        // The fifth working day after Monday, 2 March.
        let made = city.post(RECTIFICATIONS, order(app, "registration", "2026-03-09")).expect_status(201);
        assert_eq!((&made["state"], &made["is_overdue"], &made["version"]), (&json!("open"), &json!(false), &json!(1)));
        let path = one(&made);
        city.post(&format!("{path}/accept"), json!({"text": "可以"})).expect_code(409, "invalid_state");
        let version = made.etag().to_owned();
        moved(&city, &path, &version, json!({"due_on": "2026-03-06"})).expect_code(422, "out_of_range");
        moved(&city, &path, &version, json!({"text": "别的"})).expect_code(422, "read_only");
        moved(&city, &path, &version, json!({"due_on": null})).expect_code(422, "required");
        city.patch(&path, json!({"due_on": "2026-03-10"})).expect_code(428, "version_required");
        let later = moved(&city, &path, &version, json!({"due_on": "2026-03-10"})).expect_status(200);
        assert_eq!((&later["due_on"], &later["version"]), (&json!("2026-03-10"), &json!(2)));
        moved(&city, &path, &version, json!({"due_on": "2026-03-11"})).expect_code(412, "version_mismatch");
        for overdue in [false, true] {
            assert_eq!(host.get(&path).expect_status(200)["is_overdue"], overdue);
            app.advance(if overdue { 0 } else { 9 * 24 * 60 });
        }
        host.post(&format!("{path}/report"), json!({"text": " "})).expect_code(422, "required");
        for text in ["已补登两台", "已全部补登"] {
            let reported = host.post(&format!("{path}/report"), json!({"text": text})).expect_status(200);
            assert_eq!((&reported["state"], &reported["report"], &reported["is_overdue"]), (&json!("reported"), &json!(text), &json!(true)));
        }
        let accepted = app.as_admin().post(&format!("{path}/accept"), json!({"text": "同意销号"})).expect_status(200);
        assert_eq!((&accepted["state"], &accepted["acceptance"], &accepted["is_overdue"]), (&json!("accepted"), &json!("同意销号"), &json!(false)));
        host.post(&format!("{path}/report"), json!({"text": "再报"})).expect_code(409, "invalid_state");
        moved(&city, &path, "*", json!({"due_on": "2026-04-30"})).expect_code(409, "invalid_state");
    }

    fn who_opens_reads_and_moves_a_rectification(app: &TestApp) {
        let (admin, host) = (app.as_admin(), app.as_host());
        let body = order(app, "other", "2026-03-31");
        for (client, status) in [(&host, 403), (&app.as_company(), 403), (&app.as_person(AUDITOR), 403), (&app.visitor(), 401)] {
            client.post(RECTIFICATIONS, body.clone()).expect_status(status);
        }
        let first = admin.post(RECTIFICATIONS, body.clone()).expect_status(201);
        let mut other = body.clone();
        other["organization_id"] = json!(app.organization_id(OTHER_HOST));
        let refused = app.as_person(CITY_ADMIN).post(RECTIFICATIONS, other.clone()).expect_code(422, "unknown_reference");
        assert_eq!(refused["errors"][0]["field"], "organization_id", "another city's host");
        let second = admin.post(RECTIFICATIONS, other).expect_status(201);
        let mut wrong = order(app, "other", "2026-03-06");
        wrong["organization_id"] = json!(app.organization_id(COMPANY));
        wrong["text"] = json!("");
        let refused = admin.post(RECTIFICATIONS, wrong).expect_status(422);
        let told: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|one| format!("{} {}", one["field"], one["code"])).collect();
        assert_eq!(told, ["\"text\" \"required\"", "\"organization_id\" \"unknown_reference\"", "\"due_on\" \"out_of_range\""]);
        let ids = |client: &Client, query: &str| -> Vec<Value> {
            let page = client.get(&format!("{RECTIFICATIONS}?{query}")).expect_status(200);
            page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
        };
        let (a, b) = (first["id"].clone(), second["id"].clone());
        for (client, read) in [
            (&admin, vec![b.clone(), a.clone()]), (&app.as_person(AUDITOR), vec![b.clone(), a.clone()]), (&host, vec![a.clone()]),
            (&app.as_person(CITY_ADMIN), vec![a.clone()]), (&app.as_person(OTHER_HOST_ADMIN), vec![b.clone()]),
        ] {
            assert_eq!(ids(client, ""), read);
            for made in [&first, &second] {
                let status = if read.contains(&made["id"]) { 200 } else { 404 };
                client.get(&one(made)).expect_status(status);
            }
        }
        assert_eq!(ids(&admin, "updated_since=2026-01-01T00:00:00Z"), [a.clone(), b.clone()]);
        assert_eq!(ids(&admin, &format!("organization_id={}", app.organization_id(UNIVERSITY))), std::slice::from_ref(&a));
        assert_eq!(ids(&admin, "cause=registration"), [] as [Value; 0]);
        assert_eq!(ids(&admin, "state=open&limit=1"), [b]);
        app.as_company().get(RECTIFICATIONS).expect_status(403);
        for (client, verb, status) in [
            (&host, "accept", 403), (&admin, "report", 403), (&app.as_person(OTHER_HOST_ADMIN), "report", 404), (&app.as_person(AUDITOR), "accept", 403),
        ] {
            client.post(&format!("{}/{verb}", one(&first)), json!({"text": "x"})).expect_status(status);
        }
        moved(&host, &one(&first), "*", json!({"due_on": "2026-04-30"})).expect_status(403);
        moved(&app.as_person(OTHER_HOST_ADMIN), &one(&first), "*", json!({"due_on": "2026-04-30"})).expect_status(404);
        host.get("/api/v1/notices?type=rectification_create").expect_status(200);
        app.tell();
        let told = host.get("/api/v1/notices?type=rectification_create").expect_status(200);
        assert_eq!(told["items"].as_array().unwrap().len(), 1);
    }
}
