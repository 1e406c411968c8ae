//! Whether a node says that it can serve: a database that was moved away, a full disk, a database that only reads, one that
//! hangs. What is not ready writes nothing either.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use yiqi::store::StoreError;

use crate::client::Client;
use crate::fleet::Fleet;
use crate::given;
use crate::world::*;

fn is_ready(client: &Client) -> bool {
    let answer = client.get("/health/ready");
    match answer.status {
        200 => true,
        _ => {
            let refused = answer.expect_code(503, "unavailable");
            assert_eq!(refused.header("retry-after"), Some("1"));
            false
        }
    }
}

/// Asks until it is, or is no longer, ready: an attempt to write is believed for a few seconds.
fn becomes(client: &Client, ready: bool) {
    let began = Instant::now();
    while is_ready(client) != ready {
        assert!(began.elapsed() < Duration::from_secs(20), "never {ready}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn wish(app: &World, instrument: yiqi::domain::InstrumentId) -> serde_json::Value {
    let day = app.now().plus_seconds(2 * 24 * 60 * 60).local_date();
    json!({
        "instrument_id": instrument, "mode": "guided", "purpose": "research",
        "starts_at": format!("{day}T10:00:00+08:00"), "ends_at": format!("{day}T11:00:00+08:00"),
    })
}

#[test]
fn a_database_that_was_moved_away_is_not_written() {
    TestApp::run(Backend::Sqlite, |app| {
        let wish = wish(app, given::instrument(app).insert());
        let (company, visitor) = (app.as_company(), app.visitor());
        assert!(is_ready(&visitor));
        let file = app.url.trim_start_matches("sqlite:").to_owned();
        let elsewhere = format!("{file}-elsewhere");
        std::fs::rename(&file, &elsewhere).unwrap();
        assert!(!is_ready(&visitor));
        company
            .post("/api/v1/bookings", &wish)
            .expect_code(503, "unavailable");
        // Another file in its place is not what was opened.
        std::fs::write(&file, b"").unwrap();
        assert!(!is_ready(&visitor));
        company
            .post("/api/v1/bookings", &wish)
            .expect_code(503, "unavailable");
        std::fs::rename(&elsewhere, &file).unwrap();
        becomes(&visitor, true);
        company.post("/api/v1/bookings", &wish).expect_status(201);
        let bookings = company.get("/api/v1/bookings").expect_status(200);
        assert_eq!(bookings["items"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn a_full_disk_is_not_ready() {
    let prepare = |direct: &crate::fleet::Direct| {
        let instrument = given::instrument(&direct.world).insert();
        (direct.token(BOSS), wish(&direct.world, instrument))
    };
    let (fleet, (token, wish)) = Fleet::start(Backend::Sqlite, 1, prepare).unwrap();
    let client = fleet.client(0, &token);
    assert!(is_ready(&client));
    let process = Pid::from_child(&fleet.nodes[0].process);
    let room = |bytes: Option<u64>| {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(process), Resource::Fsize, limit).unwrap();
    };
    // No file may grow beyond the first page of a database.
    room(Some(4_096));
    becomes(&client, false);
    client
        .post("/api/v1/bookings", &wish)
        .expect_code(503, "unavailable");
    client.get("/api/v1/bookings").expect_status(200);
    room(None);
    becomes(&client, true);
    client.post("/api/v1/bookings", &wish).expect_status(201);
}

#[test]
fn an_sqlite_database_that_only_reads_is_not_ready_and_says_later() {
    TestApp::run(Backend::Sqlite, |app| {
        let wish = wish(app, given::instrument(app).insert());
        let (company, visitor) = (app.as_company(), app.visitor());
        app.write(|tx| {
            use diesel::connection::SimpleConnection;
            Ok(tx
                .batch_execute("PRAGMA query_only = ON")
                .map_err(StoreError::from)?)
        });
        assert!(!is_ready(&visitor));
        let later = company
            .post("/api/v1/bookings", &wish)
            .expect_code(503, "unavailable");
        assert_eq!(later.header("retry-after"), Some("1"));
        company.get("/api/v1/bookings").expect_status(200);
    });
}

#[test]
fn a_damaged_sqlite_database_says_later() {
    TestApp::run(Backend::Sqlite, |app| {
        let visitor = app.visitor();
        let file = app.url.trim_start_matches("sqlite:").to_owned();
        // Everything but the first page.
        let mut bytes = std::fs::read(&file).unwrap();
        for page in bytes.chunks_mut(4_096).skip(1) {
            page.fill(0xA5);
        }
        std::fs::write(&file, bytes).unwrap();
        assert!(!is_ready(&visitor));
        for path in ["instruments", "organizations", "regions"] {
            let later = visitor.get(&format!("/api/v1/{path}"));
            let later = later.expect_code(503, "unavailable");
            assert_eq!(later.header("retry-after"), Some("1"));
        }
        let body = json!({"email": "a@example.org", "password": PASSWORD});
        let later = visitor.post("/api/v1/auth/login", body);
        later.expect_code(503, "unavailable");
    });
}
