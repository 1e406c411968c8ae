//! How often one client may ask, which proxies are believed, and which pages of other origins may read: with the limits on,
//! which all other tests have off.

use std::collections::BTreeSet;

use serde_json::json;
use ureq::http::Method;
use yiqi::config::Config;
use yiqi::http::routes;

use crate::client::{Answer, Client};
use crate::world::*;

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

/// A world with its limits on.
fn limited(change: fn(&mut Config), story: fn(&TestApp)) {
    for backend in BACKENDS {
        let with_limits = |config: &mut Config| {
            config.rate_limits = "on".to_owned();
            change(config);
        };
        if let Some(app) = TestApp::start_with(backend, with_limits) {
            story(&app);
        }
    }
}

fn told(answer: &Answer) -> (&str, &str) {
    let header = |name| answer.header(name).unwrap_or_default();
    (header("ratelimit-policy"), header("ratelimit"))
}

fn wait_told(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}

#[test]
fn each_answer_tells_what_is_left_of_the_limit_nearest_its_end() {
    limited(
        // Few, so that none comes back while the test runs.
        |config| config.rate_address = 30,
        |app| {
            let first = app.visitor().get("/api/v1/instruments");
            assert_eq!(
                told(&first),
                ("\"address\";q=30;w=60", "\"address\";r=29;t=60")
            );
            // What is refused counts too, and what is not there.
            let absent = app.visitor().get("/nothing").expect_code(404, "not_found");
            assert_eq!(told(&absent).1, "\"address\";r=28;t=60");
            let forged = app.visitor().with_token("forged").get("/api/v1/me");
            assert_eq!(forged.status, 401);
            assert_eq!(told(&forged).1, "\"address\";r=27;t=60");
            let boss = app.as_company();
            let mine = boss.get("/api/v1/me").expect_status(200);
            assert_eq!(
                told(&mine),
                ("\"caller\";q=1200;w=60", "\"caller\";r=1199;t=60")
            );
            // A key proves itself once, then it is a caller of its own.
            let key = json!({"name": "LIMS", "scopes": ["bookings:read"]});
            let key = boss.post("/api/v1/api-keys", key).expect_status(201);
            let by_key = app.visitor().with_token(key["secret"].as_str().unwrap());
            let first = by_key.get("/api/v1/bookings").expect_status(200);
            assert!(told(&first).1.starts_with("\"address\""), "{first:?}");
            let next = by_key.get("/api/v1/bookings").expect_status(200);
            assert_eq!(told(&next).1, "\"caller\";r=1199;t=60");
            assert_eq!(told(&app.visitor().get("/health/live")), ("", ""));
        },
    );
}

#[test]
fn guessing_keys_is_no_way_around_the_limit_of_an_address() {
    limited(
        |config| config.rate_address = 5,
        |app| {
            let guess = |number: usize| {
                let key = format!("{}{number:043}", yiqi::domain::account::API_KEY_PREFIX);
                app.visitor().with_token(key).get("/api/v1/me").status
            };
            let answers: Vec<u16> = (0..7).map(guess).collect();
            assert_eq!(answers, [401, 401, 401, 401, 401, 429, 429]);
            // Who is signed in is not stopped by that.
            app.as_company().get("/api/v1/me").expect_status(200);
        },
    );
}

#[test]
fn one_login_is_tried_ten_times_a_minute_however_it_is_written() {
    limited(
        |config| config.login_failures_max = 1000,
        |app| {
            let attempt = |number: usize| {
                let login = match number % 2 {
                    0 => BOSS.login.to_owned(),
                    _ => format!(" {} ", BOSS.login.to_uppercase()),
                };
                let body = json!({"email": login, "password": "wrong-horse-9"});
                app.visitor().post("/api/v1/auth/login", body)
            };
            for number in 0..10 {
                attempt(number).expect_code(401, "wrong_credentials");
            }
            let refused = attempt(10).expect_code(429, "too_many_requests");
            assert_eq!(
                told(&refused),
                ("\"sign-in\";q=10;w=60", "\"sign-in\";r=0;t=6")
            );
            assert_eq!(wait_told(&refused), 6);
            let other = json!({"email": HOST.login, "password": PASSWORD});
            app.visitor()
                .post("/api/v1/auth/login", other)
                .expect_status(200);
        },
    );
}

#[test]
fn one_address_tries_to_sign_in_so_often() {
    limited(
        |config| config.rate_sign_in_address = 4,
        |app| {
            let attempt = |path: &str, body| app.visitor().post(path, body);
            let login = |number: usize| {
                let body =
                    json!({"email": format!("{number}@example.org"), "password": "wrong-horse-9"});
                attempt("/api/v1/auth/login", body).status
            };
            assert_eq!([0, 1].map(login), [401, 401]);
            let invitation =
                json!({"invitation_token": "x", "name": "a", "password": "correct-horse-9"});
            assert_eq!(
                attempt("/api/v1/auth/invitations/accept", invitation).status / 100,
                4
            );
            assert_eq!(attempt("/api/v1/auth/register", json!({})).status, 400);
            assert_eq!([4, 5].map(login), [429, 429]);
            app.visitor().get("/api/v1/instruments").expect_status(200);
        },
    );
}

#[test]
fn what_is_heavy_is_done_six_times_a_minute() {
    limited(
        |_| (),
        |app| {
            let host = app.as_host();
            let export = |client: &Client| client.get("/api/v1/instruments/export?format=csv");
            for _ in 0..6 {
                export(&host).expect_status(200);
            }
            let refused = export(&host).expect_code(429, "too_many_requests");
            assert_eq!(
                (told(&refused).1, wait_told(&refused)),
                ("\"heavy\";r=0;t=10", 10)
            );
            let table = host.request(Method::POST, "/api/v1/instruments/import");
            table
                .bytes("text/csv", "a")
                .send()
                .expect_code(429, "too_many_requests");
            host.get("/api/v1/me").expect_status(200);
            export(&app.as_admin()).expect_status(200);
        },
    );
}

#[test]
fn retry_after_is_a_promise() {
    limited(
        |config| config.rate_address = 60,
        |app| {
            let ask = || app.visitor().get("/api/v1/regions?limit=1");
            let mut refused = ask();
            for _ in 0..200 {
                if refused.status == 429 {
                    break;
                }
                refused = ask();
            }
            assert_eq!(refused.status, 429);
            std::thread::sleep(std::time::Duration::from_secs(wait_told(&refused)));
            ask().expect_status(200);
        },
    );
}

fn from_behind(app: &TestApp, addresses: &str) -> Answer {
    let request = app.visitor();
    let request = request.request(Method::GET, "/api/v1/regions?limit=1");
    request.header("X-Forwarded-For", addresses).send()
}

#[test]
fn a_forwarded_address_is_believed_from_trusted_proxies_alone() {
    limited(
        |config| config.rate_address = 2,
        |app| {
            let answers = [1, 2, 3].map(|n| from_behind(app, &format!("192.0.2.{n}")).status);
            assert_eq!(answers, [200, 200, 429]);
        },
    );
    limited(
        |config| {
            config.rate_address = 2;
            config.trusted_proxies = "127.0.0.0/8, ::1".to_owned();
        },
        |app| {
            let answers = [1, 2, 3].map(|n| from_behind(app, &format!("192.0.2.{n}")).status);
            assert_eq!(answers, [200, 200, 200]);
            // What the client wrote itself stands before what the proxy wrote.
            let answers =
                [4, 5, 6].map(|n| from_behind(app, &format!("192.0.2.{n}, 192.0.2.9")).status);
            assert_eq!(answers, [200, 200, 429]);
        },
    );
}

#[test]
fn every_import_export_run_and_attempt_to_sign_in_is_marked() {
    let marked = |is: fn(&yiqi::http::route::Route) -> bool| -> BTreeSet<String> {
        let all = routes::all().iter().filter(|route| is(route));
        all.map(|route| format!("{} {}", route.method, route.path))
            .collect()
    };
    let whole = ["/import", "/export", "/archive", "/comparison", "/regrade"];
    let is_table = |path: &str| whole.iter().any(|last| path.ends_with(last));
    let is_computed = |route: &str| {
        let of_a_year = [
            "POST /evaluations",
            "POST /subsidy-runs",
            "GET /preflight",
            "GET /evaluations/{id}/preflight",
        ];
        of_a_year.contains(&route)
    };
    for route in routes::all() {
        assert_eq!(
            route.is_heavy,
            is_table(route.path) || is_computed(&format!("{} {}", route.method, route.path)),
            "{route:?}"
        );
    }
    let proving = marked(|route| route.signs_in);
    let expected = [
        "POST /auth/invitations/accept",
        "POST /auth/login",
        "POST /auth/register",
    ];
    assert!(proving.iter().eq(expected.iter()), "{proving:?}");
}

fn asked_by_page(app: &TestApp, method: Method, origin: &str) -> Answer {
    let visitor = app.visitor();
    let request = visitor.request(method, "/api/v1/instruments");
    let request = request.header("Origin", origin);
    request
        .header("Access-Control-Request-Method", "POST")
        .send()
}

#[test]
fn pages_of_the_settings_origins_may_read() {
    const PORTAL: &str = "https://portal.example.org";
    for backend in BACKENDS {
        let with = |config: &mut Config| {
            config.cors_origins = format!("https://other.example.org, {PORTAL}")
        };
        let Some(app) = TestApp::start_with(backend, with) else {
            continue;
        };
        let preflight = asked_by_page(&app, Method::OPTIONS, PORTAL).expect_status(204);
        assert_eq!(
            preflight.header("access-control-allow-origin"),
            Some(PORTAL)
        );
        let allowed = preflight.header("access-control-allow-headers").unwrap();
        assert!(allowed.contains("Authorization") && allowed.contains("Idempotency-Key"));
        let answer = asked_by_page(&app, Method::GET, PORTAL).expect_status(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(PORTAL));
        assert_eq!(
            answer.header("access-control-expose-headers"),
            Some(
                "ETag, Location, Retry-After, X-Request-Id, Idempotency-Replayed, RateLimit-Policy, RateLimit"
            )
        );
        for answer in [
            asked_by_page(&app, Method::GET, "https://evil.example.org"),
            asked_by_page(&app, Method::OPTIONS, "https://evil.example.org"),
        ] {
            assert_eq!(answer.header("access-control-allow-origin"), None);
            assert_eq!(answer.header("vary"), Some("Origin"));
        }
        assert_eq!(preflight.header("access-control-allow-credentials"), None);
    }
    TestApp::run(Backend::Sqlite, |app| {
        let answer = asked_by_page(app, Method::GET, PORTAL).expect_status(200);
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert_eq!(asked_by_page(app, Method::OPTIONS, PORTAL).status, 405);
    });
}
