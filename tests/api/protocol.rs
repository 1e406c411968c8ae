//! What HTTP promises on every path: HEAD beside GET, `Allow`, tags and 304, refusals of what is no request, and the headers
//! that keep tokens and pages safe.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::http::routes;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const BESIDE: [&str; 7] = [
    "/",
    "/docs",
    "/docs/",
    "/docs/problems/not_found",
    "/api/openapi.json",
    "/health/live",
    "/health/ready",
];

/// What a server answers to these bytes before it closes.
fn told(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.base.trim_start_matches("http://")).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    // It may be refused before all of it is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn with(client: &Client, method: Method, path: &str, header: &str, value: &str) -> Answer {
    client.request(method, path).header(header, value).send()
}

fn readable() -> impl Iterator<Item = String> {
    let table = routes::all().iter();
    let table =
        table.filter(|route| route.method == Method::GET.as_str() && !route.path.contains('{'));
    let table = table.map(|route| format!("/api/v1{}", route.path));
    table.chain(BESIDE.map(str::to_owned))
}

both! {
    fn head_is_answered_as_get_is(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let one = [format!("/api/v1/instruments/{sem}"), "/api/v1/instruments/999999".to_owned(), "/nothing".to_owned()];
        let admin = app.as_admin();
        for path in readable().chain(one) {
            let (get, head) = (admin.get(&path), admin.request(Method::HEAD, &path).send());
            assert_eq!(head.status, get.status, "{path}");
            assert!(head.bytes.is_empty(), "{path}");
            for header in ["content-type", "etag", "location", "content-disposition"] {
                assert_eq!(head.header(header), get.header(header), "{header} of {path}");
            }
        }
    }

    fn a_method_that_a_path_has_not_is_told_those_it_has(app: &TestApp) {
        let mut known: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for route in routes::all() {
            known.entry(route.path).or_default().push(route.method.as_str());
        }
        let admin = app.as_admin();
        let mut allowed = BTreeMap::new();
        for (path, methods) in known {
            let path = format!("/api/v1{}", path.replace("{id}", "1").replace('{', "1").replace('}', ""));
            allowed.insert(path, methods);
        }
        allowed.extend(BESIDE.map(|path| (path.to_owned(), vec!["GET"])));
        for (path, methods) in allowed {
            let missing = [Method::DELETE, Method::PATCH, Method::OPTIONS].into_iter().find(|method| !methods.contains(&method.as_str()));
            let refused = admin.request(missing.unwrap(), &path).send().expect_code(405, "method_not_allowed");
            let mut told: Vec<&str> = refused.header("allow").unwrap_or_else(|| panic!("{path}")).split(", ").collect();
            told.retain(|method| *method != "HEAD");
            assert_eq!(told, methods, "{path}");
            let head = refused.header("allow").unwrap().contains("HEAD");
            assert_eq!(head, methods.contains(&"GET"), "{path}");
        }
    }

    fn who_has_it_already_is_told_so(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (host, visitor) = (app.as_host(), app.visitor());
        for (client, path) in [
            (&host, "/api/v1/me".to_owned()),
            (&host, format!("/api/v1/instruments/{sem}")),
            (&host, format!("/api/v1/instruments/{sem}/booking-rules")),
            (&visitor, "/api/openapi.json".to_owned()),
        ] {
            let tag = client.get(&path).expect_status(200).etag().to_owned();
            for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
                for method in [Method::GET, Method::HEAD] {
                    let answer = with(client, method, &path, "If-None-Match", &known).expect_status(304);
                    assert!(answer.bytes.is_empty());
                    assert_eq!(answer.etag(), tag, "{path}");
                }
            }
            with(client, Method::GET, &path, "If-None-Match", "\"v999\"").expect_status(200);
        }
    }

    fn the_trail_begins_at_0_and_words_are_those_there_are(app: &TestApp) {
        app.as_company().post("/api/v1/api-keys", json!({"name": "LIMS", "scopes": ["bookings:read"]})).expect_status(201);
        app.settle();
        let admin = app.as_admin();
        let events = |query: &str| admin.get(&format!("/api/v1/events?{query}"));
        let all = events("").expect_status(200);
        assert_eq!(events("after=0").expect_status(200)["items"], all["items"]);
        assert!(!all["items"].as_array().unwrap().is_empty());
        for wrong in ["after=-1", "after=x", "after="] {
            events(wrong).expect_code(400, "invalid_value");
        }
        for (query, near) in [("action=api_key_creat", "api_key_create"), ("subject_type=boking", "booking"), ("action=booking_cancell", "booking_cancel")] {
            let refused = events(query).expect_code(400, "invalid_value");
            assert_eq!(refused["errors"][0]["did_you_mean"], near);
        }
        events("subject_type=nothing_near").expect_code(400, "invalid_value");
    }

    fn an_offset_need_not_be_encoded(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let admin = app.as_admin();
        app.settle();
        for path in [
            "/api/v1/events?from=2026-03-01T00:00:00+08:00&until=2026-03-03T00:00:00+08:00".to_owned(),
            "/api/v1/bookings?from=2026-03-01T00:00:00+08:00&until=2026-03-03T00:00:00+08:00".to_owned(),
            "/api/v1/usage-records?updated_since=2026-03-01T00:00:00+08:00".to_owned(),
            format!("/api/v1/instruments/{sem}/availability?from=2026-03-02T08:00:00+08:00&until=2026-03-02T18:00:00+08:00"),
        ] {
            let plain = admin.get(&path).expect_status(200);
            let encoded = admin.get(&path.replace('+', "%2B")).expect_status(200);
            assert_eq!(plain.body, encoded.body, "{path}");
        }
    }

    fn what_is_no_request_is_told_so(app: &TestApp) {
        let (long, longer) = ("a".repeat(40_000), "a".repeat(70_000));
        let many = "X-A: b\r\n".repeat(120);
        let large = format!("X-A: {}\r\n", "b".repeat(140_000));
        for (request, status, code) in [
            ("nonsense\r\n\r\n".to_owned(), 400, "malformed_request"),
            ("GET / HTTP/9.9\r\nHost: x\r\n\r\n".to_owned(), 400, "malformed_request"),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400, "malformed_request"),
            ("GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n".to_owned(), 400, "malformed_request"),
            ("POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n".to_owned(), 400, "malformed_request"),
            (format!("GET /{long} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 414, "uri_too_long"),
            (format!("GET /{longer} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 414, "uri_too_long"),
            (format!("GET /{longer}{longer}{longer} HTTP/1.1\r\nHost: x\r\n\r\n"), 414, "uri_too_long"),
            (format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n"), 431, "headers_too_large"),
            (format!("GET / HTTP/1.1\r\nHost: x\r\n{large}\r\n"), 431, "headers_too_large"),
        ] {
            let about = &request[..request.len().min(60)];
            let answer = told(app, request.as_bytes());
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{about}: {answer}");
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let head = head.to_lowercase();
            assert!(head.contains("content-type: application/problem+json") && head.contains("x-request-id: "), "{about}: {head}");
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!((&body["code"], &body["status"]), (&json!(code), &json!(status)), "{about}");
            assert!(body["detail"].as_str().is_some_and(|text| text.contains('请')), "{about}: {body}");
        }
        let english = told(app, b"GET /a?token=x HTTP/1.1\r\nAccept-Language: en\r\nno header\r\n\r\n");
        assert!(english.contains("check what your client") && !english.contains("token"), "{english}");
        let broken = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        let broken = told(app, broken.as_bytes());
        assert!(broken.contains("malformed_request"), "{broken}");
    }

    fn tokens_are_kept_by_nobody(app: &TestApp) {
        let login = json!({"email": BOSS.login, "password": PASSWORD});
        let tokens = app.visitor().post("/api/v1/auth/login", login).expect_status(200);
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        let refreshed = app.visitor().post("/api/v1/auth/refresh", refresh).expect_status(200);
        let key = json!({"name": "LIMS", "scopes": ["bookings:read"]});
        let key = app.as_company().post("/api/v1/api-keys", key).expect_status(201);
        let refused = app.visitor().post("/api/v1/auth/login", json!({"email": BOSS.login, "password": "x"}));
        for answer in [tokens, refreshed, key, refused] {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
        }
        assert_eq!(app.as_company().get("/api/v1/me").header("cache-control"), Some("private, no-cache"));
    }

    fn pages_are_shown_in_no_frame_and_keep_no_token(app: &TestApp) {
        let visitor = app.visitor();
        for path in ["/", "/docs/", "/docs/swagger-initializer.js", "/docs/problems/not_found"] {
            let page = visitor.get(path).expect_status(200);
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
            assert!(policy.contains("script-src 'self';"), "{path}");
            assert_eq!(page.header("x-frame-options"), Some("DENY"), "{path}");
        }
        let start = visitor.get("/docs/swagger-initializer.js").text();
        assert!(!start.contains("\"persistAuthorization\": true"), "{start}");
        for path in ["/", "/docs/", "/nothing", "/api/v1/instruments", "/health/live"] {
            assert_eq!(visitor.get(path).header("x-content-type-options"), Some("nosniff"), "{path}");
        }
    }

    fn who_opens_the_address_finds_where_to_go(app: &TestApp) {
        let page = app.visitor().get("/").expect_status(200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let text = page.text();
        let links: Vec<&str> = text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(links.len() >= 6, "{text}");
        for link in links {
            app.visitor().get(link).expect_status(200);
        }
    }
}
