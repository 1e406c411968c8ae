//! Bad input of every kind on every route, made from the route table, so that no route can be forgotten: the answer is a
//! problem document with a code, never a 5xx, and nothing changes.

mod absurd;
mod list_for_object;

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::Instant;
use yiqi::domain::access::Role;
use yiqi::http::route::{BASE, Route};
use yiqi::http::routes;
use yiqi::operations::actor::Actor;
use yiqi::operations::policy;
use yiqi::operations::policy_pack::HEBEI_2026;
use yiqi::operations::run::Run;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

/// A world with one of everything that paths name.
pub struct Stage<'a> {
    app: &'a TestApp,
    callers: Vec<Client>,
    pub ids: Vec<(&'static str, i64)>,
}

/// Telling what is wrong with a file is what this route is for.
const TELLS_MISTAKES: &str = "policy_check";

const CALLERS: [Person; 6] = [ADMIN, HOST, FINANCE, BOSS, MANAGER, AUDITOR];

/// What looks wrong with nothing, shown to its unit: so that a path can name it.
fn finding(app: &TestApp) -> i64 {
    let host = app.organization_id(UNIVERSITY);
    app.write(move |tx| {
        let text = format!(
            "INSERT INTO finding (year, rule, subject, organization_id, records, minutes, income_fen, record_ids, \
             facts_digest, state, due_on, version, created_at, updated_at) VALUES (2024, 'overlap', '-', {host}, 0, 0, 0, '[]', \
             '', 'open', '2026-04-01', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
        );
        Ok(diesel::RunQueryDsl::execute(diesel::sql_query(text), tx)?)
    });
    let list = app.as_admin().get("/api/v1/findings?year=2024");
    list.expect_status(200)["items"][0]["id"].as_i64().unwrap()
}

pub fn stage(app: &TestApp) -> Stage<'_> {
    let installed = yiqi::operations::policy::install_shipped(&app.app, app.now());
    app.block_on(installed).unwrap();
    let instrument = given::instrument(app).insert();
    let booked = app
        .as_company()
        .post(
            "/api/v1/bookings",
            json!({
                "instrument_id": instrument, "starts_at": "2026-03-09T10:00:00+08:00",
                "ends_at": "2026-03-09T11:00:00+08:00", "mode": "self_operated", "purpose": "research",
            }),
        )
        .expect_status(201);
    let host = app.as_host();
    let tariff = host
        .post(
            &format!("/api/v1/instruments/{instrument}/tariffs"),
            json!({"valid_from": "2025-01-01", "price_fen_per_hour": 36000}),
        )
        .expect_status(201);
    let closure = host
        .post(
            &format!("/api/v1/instruments/{instrument}/closures"),
            json!({"starts_at": "2026-05-01T00:00:00+08:00", "ends_at": "2026-05-02T00:00:00+08:00", "kind": "maintenance"}),
        )
        .expect_status(201);
    let service = host
        .post(
            &format!("/api/v1/instruments/{instrument}/services"),
            json!({"test_item": "SEM", "unit": "样品", "price_fen": 40000}),
        )
        .expect_status(201);
    let record = host
        .post(
            "/api/v1/usage-records",
            json!({
                "instrument_id": instrument, "organization_id": app.organization_id(COMPANY),
                "started_at": "2026-02-10T10:00:00+08:00", "ended_at": "2026-02-10T11:00:00+08:00", "run_minutes": 60,
                "mode": "entrusted", "purpose": "research",
            }),
        )
        .expect_status(201);
    let exemption = format!("/api/v1/instruments/{instrument}/sharing-exemption");
    let reason = json!({"reason": "教学专用"});
    host.post(&exemption, reason).expect_status(201);
    let charges = app
        .as_person(FINANCE)
        .get("/api/v1/charges")
        .expect_status(200);
    let charge = charges["items"][0]["id"].as_i64().unwrap();
    let payment = app.as_company().post(
        &format!("/api/v1/charges/{charge}/payments"),
        json!({"amount_fen": 1, "paid_on": "2026-03-01", "source": "payer"}),
    );
    let payment = payment.expect_status(201)["payments"][0]["id"].clone();
    let invoice = app.as_person(FINANCE).post(
        "/api/v1/invoices",
        json!({"invoice_no": "N-1", "issued_on": "2026-03-01", "charge_ids": [charge]}),
    );
    // One of nobody's, so that what happens to it changes nothing else.
    let actor = Actor::system(app.now());
    let draft = Run::direct(&app.app, &actor, yiqi::domain::access::Action::PolicyCreate);
    let text = HEBEI_2026.replacen("version = 1", "version = 9", 1);
    let sent = policy::Sent {
        content: text,
        accepts_warnings: false,
    };
    let draft = app
        .block_on(policy::create(&draft, Ok(sent)))
        .unwrap()
        .now()
        .unwrap();
    let key = app
        .as_company()
        .post(
            "/api/v1/api-keys",
            json!({"name": "LIMS", "scopes": ["bookings:read"]}),
        )
        .expect_status(201);
    // In force much later: everybody sees it.
    app.write(|tx| {
        let text = "UPDATE policy SET state = 'in_force', from_on = '2027-01-01' WHERE version = 9";
        Ok(diesel::RunQueryDsl::execute(diesel::sql_query(text), tx)?)
    });
    let budget = json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 1_000_000});
    let run = app
        .as_admin()
        .post("/api/v1/subsidy-runs", budget)
        .expect_status(202);
    let run = ended(&app.as_admin(), run.id());
    let awards = format!("/api/v1/subsidy-runs/{}/awards", run.id());
    let awards = app.as_admin().get(&awards).expect_status(200);
    let ids = vec![
        ("evaluations", run["evaluation_id"].as_i64().unwrap()),
        ("subsidy-runs", run.id()),
        ("award_id", awards["items"][0]["id"].as_i64().unwrap()),
        ("tariff_id", tariff.id()),
        ("findings", finding(app)),
        ("organizations", app.organization_id(UNIVERSITY).number()),
        ("organization_id", app.organization_id(UNIVERSITY).number()),
        ("user_id", app.user_id(RESEARCHER).number()),
        ("instruments", instrument.number()),
        ("closures", closure.id()),
        ("service_id", service.id()),
        ("bookings", booked.id()),
        ("usage-records", record.id()),
        ("charges", charge),
        ("invoices", invoice.expect_status(201).id()),
        ("payments", payment.as_i64().unwrap()),
        ("policies", draft.id.number()),
        ("api-keys", key.id()),
        ("year", 2027),
    ];
    let callers = CALLERS
        .into_iter()
        .map(|person| app.as_person(person))
        .collect();
    Stage { app, callers, ids }
}

/// The run when it no longer runs.
fn ended(admin: &Client, run: i64) -> Answer {
    for _ in 0..400 {
        let answer = admin
            .get(&format!("/api/v1/subsidy-runs/{run}"))
            .expect_status(200);
        if answer["status"] != "running" {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("run {run} does not end");
}

impl Stage<'_> {
    /// The path with ids of things that are there; of what is not, an id that names nothing.
    pub fn path(&self, route: &Route) -> String {
        let mut path = format!("{BASE}{}", route.path);
        while let Some(start) = path.find('{') {
            let end = path[start..].find('}').unwrap() + start;
            let name = &path[start + 1..end];
            let noun = path[BASE.len() + 1..start]
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned();
            let known = self
                .ids
                .iter()
                .find(|(key, _)| *key == name)
                .or_else(|| self.ids.iter().find(|(key, _)| *key == noun));
            let id = known.map_or(999_999, |(_, id)| *id);
            path = format!("{}{id}{}", &path[..start], &path[end + 1..]);
        }
        path
    }

    /// The trail's length: whatever changes something appends to it.
    pub fn events(&self) -> i64 {
        self.app
            .read(|conn| Ok(yiqi::store::event::newest(conn)?.map_or(0, i64::from)))
    }

    /// Sends one bad request as everybody, and checks that each answer refuses it well. The statuses.
    fn refuse(&self, route: &Route, what: &str, send: impl Fn(&Client) -> Answer) -> Vec<u16> {
        self.callers
            .iter()
            .map(|caller| {
                let answer = send(caller);
                assert_refused(&answer, route, what);
                answer.status
            })
            .collect()
    }
}

/// Names and abbreviations that a Chinese sentence may have.
const LATIN: [&str; 18] = [
    "API", "ASCII", "CSV", "ETag", "GB", "HTTP", "I", "JSON", "O", "S", "T", "UTF", "V", "XLSX",
    "Z", "false", "true", "v3",
];

/// Words of a Chinese message that are neither what was sent, nor a name, nor a word of a list.
fn foreign(error: &Value) -> Vec<String> {
    let text = |name: &str| match &error[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let mut message = text("message");
    for name in ["actual", "field", "column"] {
        let said = text(name);
        if !said.is_empty() {
            message = message.replace(&said, "");
        }
    }
    let limit = text("limit");
    if limit.contains(" | ") {
        message = message.replace(&limit, "");
    }
    let words =
        message.split(|letter: char| !(letter.is_ascii_alphanumeric() || "_-/".contains(letter)));
    let is_word = |word: &&str| word.chars().any(|letter| letter.is_ascii_alphabetic());
    let is_name = |word: &str| {
        let parts = word.split(['-', '/']);
        word.contains('_')
            || word.contains("-Match")
            || word.contains("-Key")
            || parts
                .into_iter()
                .all(|part| LATIN.contains(&part) || part.parse::<u64>().is_ok() || is_moment(part))
    };
    let foreign = words.filter(is_word).filter(|word| !is_name(word));
    foreign.map(str::to_owned).collect()
}

/// Of a time like 2026-03-01T09:00:00+08:00.
fn is_moment(part: &str) -> bool {
    part.contains('T')
        && part
            .chars()
            .all(|letter| letter.is_ascii_digit() || letter == 'T')
}

fn assert_refused(answer: &Answer, route: &Route, what: &str) {
    let about = || format!("{route:?} with {what}: {} {}", answer.status, answer.text());
    assert!((400..500).contains(&answer.status), "{}", about());
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{}",
        about()
    );
    assert!(answer.body["code"].is_string(), "{}", about());
    let detail = answer.body["detail"].as_str().unwrap();
    let placeholders = ["{field}", "{limit}", "{actual}"];
    assert!(
        !placeholders.iter().any(|it| detail.contains(it)),
        "{}",
        about()
    );
    if answer.status == 422 || answer.status == 400 {
        assert!(
            !answer.body["errors"].as_array().unwrap().is_empty(),
            "{}",
            about()
        );
    }
    let is_chinese = !answer.body["title"].as_str().unwrap().is_ascii();
    let errors = answer.body["errors"].as_array().filter(|_| is_chinese);
    for error in errors.into_iter().flatten() {
        let foreign = foreign(error);
        assert!(foreign.is_empty(), "{foreign:?} in Chinese: {}", about());
    }
}

fn takes_body(route: &Route) -> bool {
    route.body.is_some()
}

both! {
    fn every_route_wants_a_token_that_is_valid(app: &TestApp) {
        let now = app.now();
        let expired = app.visitor().with_token(expired_token(app, now));
        let foreign = app.visitor().with_token(foreign_token(app, now));
        let before = app.read(|conn| Ok(yiqi::store::event::newest(conn)?));
        for route in routes::all().iter().filter(|route| !route.ignores_caller) {
            let path = format!("{BASE}{}", route.path.replace("{id}", "1").replace("{user_id}", "1"));
            let send = |client: &Client| client.request(method(route), &path).send();
            if !route.action.is_open_to_visitors() {
                let answer = send(&app.visitor());
                assert_eq!(answer.status, 401, "{route:?} without a token: {}", answer.text());
                assert_refused(&answer, route, "no token");
            }
            for (what, token, code) in [
                ("garbage", "x", "invalid_token"),
                ("an unknown key", "yq_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "invalid_token"),
                ("a long token", &"a".repeat(5000), "invalid_token"),
            ] {
                let answer = send(&app.visitor().with_token(token));
                assert_refused(&answer, route, what);
                assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some(code)), "{route:?} {what}");
            }
            let basic = app.visitor().request(method(route), &path).header("authorization", "Basic eDp5").send();
            assert_eq!(basic.status, 401);
            assert_eq!(send(&expired).expect_code(401, "token_expired").status, 401);
            assert_eq!(send(&foreign).expect_code(401, "invalid_token").status, 401);
        }
        assert_eq!(app.read(|conn| Ok(yiqi::store::event::newest(conn)?)), before);
    }

    fn ids_that_are_none_do_not_exist(app: &TestApp) {
        let (admin, host) = (app.as_admin(), app.as_host());
        for route in routes::all().iter().filter(|route| route.path.contains("id}")) {
            // Whoever may send no file is refused before it is read, whatever the path names.
            let sender = match route.takes_file && !route.action.roles().contains(&Role::PlatformAdmin) {
                true => &host,
                false => &admin,
            };
            for id in ["0", "-1", "1.5", "abc", "%20", "9007199254740992", "99999999999999999999999", "1%3BDROP%20TABLE", "%00"] {
                let mut path = format!("{BASE}{}", route.path);
                while let Some(start) = path.find('{') {
                    let end = path[start..].find('}').unwrap() + start;
                    path = format!("{}{id}{}", &path[..start], &path[end + 1..]);
                }
                let answer = sender.request(method(route), &path).json(json!({})).send();
                assert_refused(&answer, route, id);
                assert_eq!(answer.status, 404, "{route:?} with id {id}: {}", answer.text());
            }
        }
    }

    fn unknown_parameters_are_refused_everywhere(app: &TestApp) {
        let stage = stage(app);
        let before = stage.events();
        // Calendar programs add their own to an address.
        for route in routes::all().iter().filter(|route| !route.path.ends_with(".ics")) {
            let path = format!("{}?no_such_parameter=1", stage.path(route));
            stage.refuse(route, "an unknown parameter", |client| client.request(method(route), &path).json(json!({})).send());
            for name in route.parameters {
                let path = format!("{}?{name}=%FF%00%22&{name}=x", stage.path(route));
                for caller in &stage.callers {
                    let answer = caller.request(method(route), &path).json(json!({})).send();
                    assert!(answer.status < 500, "{route:?} ?{name}: {}", answer.text());
                }
            }
        }
        assert_eq!(stage.events(), before);
    }

    fn bodies_that_are_no_json_are_refused_everywhere(app: &TestApp) {
        let stage = stage(app);
        let before = stage.events();
        let deep = "[".repeat(10_000);
        let huge = format!("{{\"x\":\"{}\"}}", "a".repeat(1_100_000));
        for route in routes::all().iter().filter(|route| takes_body(route)) {
            let path = stage.path(route);
            let send = |body: &str, media_type: &str| {
                stage.refuse(route, body.get(..20).unwrap_or(body), |client| {
                    let request = client.request(method(route), &path).header("if-match", "\"v1\"");
                    request.bytes(media_type, body).send()
                })
            };
            for body in ["{", "[]", "null", "\"text\"", "{\"a\":1}{\"b\":2}", "{\"no_such_field\":1}", "\u{feff}{}", deep.as_str()] {
                let statuses = send(body, "application/json");
                assert!(statuses.iter().all(|status| [400, 403, 404, 401].contains(status)), "{route:?} {body:.20}: {statuses:?}");
                assert!(statuses.contains(&400) || !reachable(&stage, route), "{route:?} never read {body:.20}: {statuses:?}");
            }
            // Whose role refuses anyway is told so before the body is read.
            let statuses = send(&huge, "application/json");
            assert!(statuses.iter().all(|status| [413, 401, 403].contains(status)), "{route:?} took a huge body: {statuses:?}");
            assert!(statuses.contains(&413) || !reachable(&stage, route), "{route:?} refused nobody's huge body: {statuses:?}");
            let statuses = send("{}", "text/plain");
            assert!(statuses.contains(&415) || !reachable(&stage, route), "{route:?} took text/plain: {statuses:?}");
        }
        assert_eq!(stage.events(), before);
    }

    fn files_that_are_none_are_refused(app: &TestApp) {
        let stage = stage(app);
        let before = stage.events();
        for route in routes::all().iter().filter(|route| route.takes_file && route.action.as_str() != TELLS_MISTAKES) {
            let path = stage.path(route);
            for media_type in route.files {
                for bytes in [&b""[..], b"PK\x03\x04garbage", b"\xff\xfe\x00", b"no_such_column\n1\n", b"=cmd|' /C calc'!A0"] {
                    stage.refuse(route, media_type, |client| {
                        client.request(method(route), &path).bytes(media_type, bytes).send()
                    });
                }
            }
            stage.refuse(route, "an image", |client| client.request(method(route), &path).bytes("image/png", &b"x"[..]).send());
        }
        assert_eq!(stage.events(), before);
    }
}

/// Whether any of the callers gets as far as the body: not where nothing of the path's kind exists in this world.
fn reachable(stage: &Stage<'_>, route: &Route) -> bool {
    !stage.path(route).contains("999999")
}

fn expired_token(app: &TestApp, now: Instant) -> String {
    let token = app.token(BOSS);
    let mut claims = app.app.keys.verify(&token, now).unwrap();
    claims.exp = now.unix_seconds();
    app.app.keys.sign(&claims).unwrap()
}

fn foreign_token(app: &TestApp, now: Instant) -> String {
    let claims = app.app.keys.verify(&app.token(BOSS), now).unwrap();
    let foreign =
        yiqi::app::token::TokenKeys::parse(&yiqi::app::token::TokenKeys::new_line("test")).unwrap();
    foreign.sign(&claims).unwrap()
}

#[test]
fn a_path_that_is_none_and_a_method_that_is_none_are_problems() {
    TestApp::run(Backend::Sqlite, |app| {
        app.visitor()
            .get("/api/v1/nothing")
            .expect_code(404, "not_found");
        app.visitor().get("/no").expect_code(404, "not_found");
        app.visitor()
            .request(Method::PUT, "/api/v1/auth/login")
            .send()
            .expect_code(405, "method_not_allowed");
    });
}

/// The client's word for a route's method.
pub fn method(route: &Route) -> Method {
    route.method.as_str().parse().unwrap()
}
