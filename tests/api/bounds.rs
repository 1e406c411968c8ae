//! Nobody stops the service: bodies have their time and their room, connections give way, passwords wait in a short queue.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::config::Config;

use crate::world::*;

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

fn bounded(change: fn(&mut Config), story: fn(&TestApp)) {
    for backend in BACKENDS {
        if let Some(app) = TestApp::start_with(backend, change) {
            story(&app);
        }
    }
}

fn connect(app: &TestApp) -> TcpStream {
    let stream = TcpStream::connect(app.base.trim_start_matches("http://")).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// All that comes until the server closes.
fn heard(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            // Closed while something was still on its way.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&bytes)),
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[track_caller]
fn expect_problem(answer: &str, status: u16, code: &str) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains("x-request-id: "), "{head}");
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
    assert_eq!(body["code"], code, "{answer}");
}

const LOGIN: &str =
    "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

#[test]
fn a_body_that_stops_coming_is_refused() {
    bounded(
        |config| config.body_pause_seconds_max = 1,
        |app| {
            let began = Instant::now();
            let mut stream = connect(app);
            write!(stream, "{LOGIN}Content-Length: 1000\r\n\r\n{{").unwrap();
            expect_problem(&heard(&mut stream), 408, "request_timeout");
            assert!(began.elapsed() < Duration::from_secs(8));
        },
    );
}

#[test]
fn a_body_that_trickles_is_refused_when_its_time_is_over() {
    bounded(
        |config| {
            config.body_seconds_max = 1;
            config.body_pause_seconds_max = 60;
        },
        |app| {
            let mut stream = connect(app);
            write!(stream, "{LOGIN}Transfer-Encoding: chunked\r\n\r\n").unwrap();
            let began = Instant::now();
            // It may be closed at any of these.
            while began.elapsed() < Duration::from_millis(1500)
                && stream.write_all(b"1\r\n \r\n").is_ok()
            {
                std::thread::sleep(Duration::from_millis(50));
            }
            let answer = heard(&mut stream);
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        },
    );
}

#[test]
fn who_may_not_import_is_told_before_the_table_is_read() {
    bounded(
        |_| (),
        |app| {
            for path in ["/instruments/import", "/usage-records/import", "/policies"] {
                let token = app.token(ENGINEER);
                let mut stream = connect(app);
                write!(
                    stream,
                    "POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: text/csv\r\n\
                     Content-Length: 60000000\r\n\r\n"
                )
                .unwrap();
                expect_problem(&heard(&mut stream), 403, "forbidden");
            }
            let mut stream = connect(app);
            write!(stream, "{LOGIN}Content-Length: 60000000\r\n\r\n").unwrap();
            expect_problem(&heard(&mut stream), 413, "body_too_large");
        },
    );
}

#[test]
fn large_bodies_share_their_room_and_small_ones_need_none() {
    bounded(
        |config| config.bodies_bytes_max = 1 << 20,
        |app| {
            let host = app.as_host();
            let import = |bytes: usize| {
                let request = host.request(Method::POST, "/api/v1/instruments/import");
                request.bytes("text/csv", vec![b'a'; bytes]).send()
            };
            let refused = import(3 << 20).expect_code(503, "unavailable");
            assert!(refused.header("retry-after").is_some());
            // The room is given back.
            for _ in 0..3 {
                assert_eq!(import(900_000).status, 422);
            }
            // Somebody fills the room and goes on waiting.
            let mut slow = connect(app);
            let token = app.token(HOST);
            write!(
                slow,
                "POST /api/v1/instruments/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: text/csv\r\n\
                 Content-Length: 2000000\r\n\r\n"
            )
            .unwrap();
            slow.write_all(&vec![b'a'; 1 << 20]).unwrap();
            let room = || app.app.body_room.available_permits();
            let patience = Instant::now() + Duration::from_secs(10);
            while room() > 100_000 {
                assert!(Instant::now() < patience, "{}", room());
                std::thread::sleep(Duration::from_millis(5));
            }
            import(200_000).expect_code(503, "unavailable");
            app.as_company()
                .post("/api/v1/bookings/check", json!({}))
                .expect_code(400, "missing_field");
        },
    );
}

#[test]
fn slow_connections_give_way() {
    bounded(
        |config| config.connections_max = 8,
        |app| {
            let mut slow = Vec::new();
            for number in 0..60 {
                let mut stream = connect(app);
                // Some say nothing, some half a head, some half a body.
                let sent = match number % 3 {
                    0 => String::new(),
                    1 => "GET / HTT".to_owned(),
                    _ => format!("{LOGIN}Content-Length: 1000\r\n\r\n{{"),
                };
                // The first of them are closed meanwhile.
                let _ = stream.write_all(sent.as_bytes());
                slow.push(stream);
                if number % 10 == 0 {
                    let began = Instant::now();
                    app.visitor()
                        .get("/api/v1/regions?limit=1")
                        .expect_status(200);
                    assert!(
                        began.elapsed() < Duration::from_secs(2),
                        "{:?}",
                        began.elapsed()
                    );
                }
            }
            // Closed without an answer: nobody asked for anything.
            assert_eq!(heard(&mut slow[0]), "");
        },
    );
}

#[test]
fn passwords_wait_in_a_short_queue() {
    bounded(
        |config| {
            config.password_memory_kib = 19_456;
            config.password_threads = 1;
            config.password_queue_max = 2;
            config.login_failures_max = 1000;
        },
        |app| {
            let login = || {
                let body = json!({"email": "nobody@example.org", "password": "wrong-horse-9"});
                app.visitor().post("/api/v1/auth/login", body)
            };
            let answers: Vec<_> = std::thread::scope(|scope| {
                let all: Vec<_> = (0..24).map(|_| scope.spawn(login)).collect();
                all.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let refused: Vec<_> = answers
                .iter()
                .filter(|answer| answer.status == 503)
                .collect();
            assert!(!refused.is_empty());
            assert!(
                refused
                    .iter()
                    .all(|answer| answer.header("retry-after") == Some("1"))
            );
            let judged = answers.iter().filter(|answer| answer.status == 401).count();
            assert!(
                judged >= 3 && judged + refused.len() == answers.len(),
                "{judged}"
            );
            login().expect_code(401, "wrong_credentials");
        },
    );
}

#[test]
fn a_table_of_commas_is_refused_while_it_is_read() {
    bounded(
        |_| (),
        |app| {
            let host = app.as_host();
            for path in ["/api/v1/instruments/import", "/api/v1/usage-records/import"] {
                let request = host.request(Method::POST, path);
                let refused = request.bytes("text/csv", vec![b','; 8 << 20]).send();
                let refused = refused.expect_code(422, "too_many_columns");
                assert_eq!(refused["errors"][0]["limit"], 64);
            }
        },
    );
}
