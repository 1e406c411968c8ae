//! Saying again what stands there already changes nothing: no version, no event, no notice, on any route that replaces.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;
use yiqi::http::route::{BASE, Route};
use yiqi::http::routes;
use yiqi::operations::policy_pack::HEBEI_2026;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

/// What is said of one thing, by whom, and where its version is read.
struct Saying {
    route: &'static str,
    client: Client,
    path: String,
    read: String,
    /// The same in as many spellings as mean it.
    bodies: Vec<Value>,
}

impl Saying {
    fn put(&self, body: &Value) -> Answer {
        let present = self.client.get(&self.read).expect_status(200);
        let put = self.client.request(Method::PUT, &self.path);
        let put = put.header("If-Match", present.etag());
        let put = match body {
            // A pack is no JSON.
            Value::String(toml) => put.bytes("application/toml", toml.as_bytes()),
            json => put.json(json),
        };
        put.send().expect_status(200)
    }
}

fn draft(admin: &Client) -> String {
    let body = json!({"year": 2025, "policy": "hebei-2026"});
    let begun = admin.post("/api/v1/evaluations", body).expect_status(202);
    let path = begun.header("location").unwrap().to_owned();
    for _ in 0..400 {
        if admin.get(&path).expect_status(200)["status"] == "draft" {
            return path;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("{path} does not end");
}

fn sayings(app: &TestApp, sem: InstrumentId) -> Vec<Saying> {
    let of = format!("{BASE}/instruments/{sem}");
    let unit = format!(
        "{BASE}/organizations/{}/certifications",
        app.organization_id(COMPANY)
    );
    let evaluation = draft(&app.as_admin());
    let score = |points: &str| {
        let unit = app.organization_id(UNIVERSITY);
        json!({"scores": [{"organization_id": unit, "indicator": "A4", "points": points}]})
    };
    let holidays = format!("{BASE}/holidays/2026");
    let days = app.as_admin().get(&holidays).expect_status(200)["items"].clone();
    let pack = HEBEI_2026.replacen("version = 1", "version = 9", 1);
    let stored = app
        .as_admin()
        .request(Method::POST, &format!("{BASE}/policies"))
        .bytes("application/toml", pack.as_bytes())
        .send()
        .expect_status(201);
    let policy = format!("{BASE}/policies/{}", stored.id());
    let rules = app
        .as_host()
        .get(&format!("{of}/booking-rules"))
        .expect_status(200);
    let sme = json!({"certification": "sme", "valid_from_on": "2026-01-01", "valid_until_on": null, "document_no": null});
    let short = json!({"certification": "sme", "valid_from_on": "2026-01-01"});
    let assignment = format!("{BASE}/expert-assignments/{}", given::assignment(app));
    let points = |points: &str| {
        let unit = app.organization_id(UNIVERSITY);
        json!({"items": [{"organization_id": unit, "points": points, "text": null}]})
    };
    let adopted = format!("{BASE}/adopted-grades/2025");
    let grade = json!({
        "organization_id": app.organization_id(UNIVERSITY), "grade": "good", "issuer": "科技部", "document_no": "1"
    });
    vec![
        Saying {
            route: "/adopted-grades/{year}",
            client: app.as_admin(),
            path: adopted.clone(),
            read: adopted,
            bodies: vec![json!({"items": [grade]})],
        },
        Saying {
            route: "/expert-assignments/{id}/points",
            client: app.as_person(given::EVALUATORS[0]),
            path: format!("{assignment}/points"),
            read: assignment,
            bodies: ["2.5", "2.50"].map(points).into(),
        },
        Saying {
            route: "/instruments/{id}/managers",
            client: app.as_host(),
            path: format!("{of}/managers"),
            read: of.clone(),
            bodies: vec![json!({"manager_ids": [app.user_id(MANAGER)]})],
        },
        Saying {
            route: "/instruments/{id}/booking-rules",
            client: app.as_host(),
            path: format!("{of}/booking-rules"),
            read: format!("{of}/booking-rules"),
            bodies: vec![rules.body],
        },
        Saying {
            route: "/organizations/{id}/certifications",
            client: app.as_admin(),
            path: unit.clone(),
            read: unit,
            bodies: vec![json!({"items": [sme]}), json!({"items": [short]})],
        },
        Saying {
            route: "/holidays/{year}",
            client: app.as_admin(),
            path: holidays.clone(),
            read: holidays,
            bodies: vec![json!({ "items": days })],
        },
        Saying {
            route: "/policies/{id}",
            client: app.as_admin(),
            path: policy.clone(),
            read: policy,
            bodies: vec![Value::String(pack)],
        },
        Saying {
            route: "/evaluations/{id}/expert-scores",
            client: app.as_admin(),
            path: format!("{evaluation}/expert-scores"),
            read: evaluation,
            bodies: ["3.5", "3.50", "3.500"].map(score).into(),
        },
    ]
}

/// Of any other route: what the host reads there, sent back.
fn as_read(app: &TestApp, sem: InstrumentId, route: &'static str) -> Saying {
    let unit = app.organization_id(UNIVERSITY);
    let id = match route.starts_with("/organizations") {
        true => unit.to_string(),
        false => sem.to_string(),
    };
    let path = format!("{BASE}{}", route.replace("{id}", &id));
    let client = app.as_host();
    let present = client.get(&path).expect_status(200);
    Saying {
        route,
        client,
        read: path.clone(),
        path,
        bodies: vec![present.body],
    }
}

fn events(app: &TestApp) -> Option<i64> {
    app.read(|conn| Ok(yiqi::store::event::newest(conn)?.map(i64::from)))
}

both! {
    fn what_is_said_again_leaves_no_trace(app: &TestApp) {
        app.block_on(yiqi::operations::policy::install_shipped(&app.app, app.now())).unwrap();
        let sem = given::instrument(app).insert();
        let mut sayings = sayings(app, sem);
        // Of several at once each is said as if it were alone.
        let is_bulk = |route: &Route| route.action.as_str().ends_with("_all");
        let all = routes::all().iter().filter(|route| route.method == "PUT" && !is_bulk(route));
        let others: Vec<_> = all.filter(|route| sayings.iter().all(|saying| saying.route != route.path)).collect();
        sayings.extend(others.into_iter().map(|route| as_read(app, sem, route.path)));
        for saying in &sayings {
            saying.put(&saying.bodies[0]);
        }
        // By this moment nothing of it waits to be told.
        while app.tell() > 0 {}
        let before = events(app);
        for saying in &sayings {
            let present = saying.client.get(&saying.read).expect_status(200);
            for body in &saying.bodies {
                app.advance(1);
                let same = saying.put(body);
                assert_eq!(same.etag(), present.etag(), "{} {body}", saying.route);
            }
            let after = saying.client.get(&saying.read).expect_status(200);
            assert_eq!(after.body, present.body, "{}", saying.route);
        }
        assert_eq!(events(app), before);
        assert_eq!(app.tell(), 0);
    }
}
