//! A PostgreSQL server that cannot do now what is asked: each state is made with a real server. Writes are answered 503 with
//! Retry-After, reads go on where the server reads, and when the state is over the same request succeeds.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use yiqi::clock::Clock;
use yiqi::error::AppError;
use yiqi::store::StoreError;

use crate::client::{Answer, Client};
use crate::given;
use crate::postgres::Postgres;
use crate::world::*;

fn clock() -> Clock {
    Clock::fixed(NOW.parse().unwrap())
}

/// A database of its own on such a server, filled as every test's.
fn filled(server: &Postgres) -> String {
    let url = server.create_database(None);
    fill(Backend::Postgres, &url);
    url
}

fn later(answer: Answer) {
    let answer = answer.expect_code(503, "unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

fn wish(instrument: yiqi::domain::InstrumentId, hour: u32) -> Value {
    json!({
        "instrument_id": instrument, "mode": "guided", "purpose": "research",
        "starts_at": format!("2026-03-03T{hour}:00:00+08:00"), "ends_at": format!("2026-03-03T{}:00:00+08:00", hour + 1),
    })
}

fn direct(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn number(conn: &mut PgConnection, query: &str) -> i64 {
    let found: Number = diesel::sql_query(query).get_result(conn).unwrap();
    found.number
}

/// A key of the company, and the boss.
fn key_and_boss(app: &TestApp) -> (String, String) {
    let boss = app.token(BOSS);
    let body = json!({"name": "LIMS", "scopes": ["bookings:read", "catalog:read"]});
    let company = app.visitor().with_token(boss.clone());
    let made = company.post("/api/v1/api-keys", body).expect_status(201);
    (made["secret"].as_str().unwrap().to_owned(), boss)
}

#[test]
fn a_standby_reads_and_says_later_to_writes() {
    let Some(server) = Postgres::another_with("wal_level = replica", "") else {
        return;
    };
    let url = filled(&server);
    let primary = TestApp::on(Backend::Postgres, &url, clock());
    let instrument = given::instrument(&primary).insert();
    let (key, boss) = key_and_boss(&primary);
    drop(primary);
    server.control(&["stop", "--mode=fast"]);
    std::fs::write(server.data().join("standby.signal"), b"").unwrap();
    server.control(&["start"]);

    let app = TestApp::on(Backend::Postgres, &url, clock());
    let (key, boss) = (
        app.visitor().with_token(key),
        app.visitor().with_token(boss),
    );
    // Its last use cannot be noted, which concerns no reading.
    for client in [&key, &boss] {
        client.get("/api/v1/bookings").expect_status(200);
        client
            .get(&format!("/api/v1/instruments/{instrument}"))
            .expect_status(200);
    }
    assert!(app.block_on(yiqi::jobs::api_key::tick(&app.app)).is_err());
    later(boss.post("/api/v1/bookings", wish(instrument, 10)));
    later(app.visitor().post(
        "/api/v1/auth/login",
        json!({"email": BOSS.login, "password": PASSWORD}),
    ));
    later(app.visitor().get("/health/ready"));
    server.control(&["promote"]);
    boss.post("/api/v1/bookings", wish(instrument, 10))
        .expect_status(201);
    assert_eq!(
        app.block_on(yiqi::jobs::api_key::tick(&app.app)).unwrap(),
        1
    );
    app.visitor().get("/health/live").expect_status(200);
}

/// Runs the story while somebody else holds the table of bookings, so that every booking waits.
fn while_bookings_are_locked(setting: &str, story: impl FnOnce(&TestApp, Client, Value)) {
    TestApp::run(Backend::Postgres, |first| {
        let instrument = given::instrument(first).insert();
        direct(&first.url).batch_execute(setting).unwrap();
        let app = TestApp::on(Backend::Postgres, &first.url, clock());
        let company = app.as_company();
        let mut holder = direct(&first.url);
        holder
            .batch_execute("BEGIN; LOCK TABLE booking IN ACCESS EXCLUSIVE MODE")
            .unwrap();
        story(&app, company.clone(), wish(instrument, 10));
        holder.batch_execute("ROLLBACK").unwrap();
        company
            .post("/api/v1/bookings", wish(instrument, 11))
            .expect_status(201);
    });
}

#[test]
fn a_statement_that_takes_too_long_says_later() {
    let setting = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 200', current_database()); END $$";
    while_bookings_are_locked(setting, |_, company, wish| {
        later(company.post("/api/v1/bookings", wish));
    });
}

#[test]
fn a_cancelled_statement_says_later() {
    while_bookings_are_locked("SELECT 1", |app, company, wish| {
        let mut other = direct(&app.url);
        let asked = std::thread::spawn(move || later(company.post("/api/v1/bookings", wish)));
        let cancelled = "SELECT count(pg_cancel_backend(pid)) AS number FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let began = Instant::now();
        while number(&mut other, cancelled) == 0 {
            assert!(began.elapsed() < Duration::from_secs(30), "nobody waits");
        }
        asked.join().unwrap();
    });
}

#[test]
fn a_lock_that_does_not_come_says_later() {
    while_bookings_are_locked("SELECT 1", |app, _, _| {
        let wait = |tx: &mut yiqi::store::Conn| -> Result<(), AppError> {
            tx.batch_execute("SET LOCAL lock_timeout = 100; LOCK TABLE booking")
                .map_err(StoreError::from)?;
            Ok(())
        };
        let waited = app.block_on(app.app.store.write(wait));
        assert!(
            matches!(waited, Err(AppError::Unavailable(_))),
            "{waited:?}"
        );
        // And every connection that writes has such a limit.
        let limit = app.block_on(app.app.store.write(|tx| {
            let query = "SELECT CAST(setting AS BIGINT) AS number FROM pg_settings WHERE name = 'lock_timeout'";
            let found: Number = diesel::sql_query(query).get_result(tx).map_err(StoreError::from)?;
            Ok(found.number)
        }));
        assert_eq!(limit.unwrap(), 10_000);
    });
}

/// Fills the file of a table until the server can write no more of it.
fn fill_events(url: &str) {
    let fill = "DO $$ DECLARE size int; BEGIN FOREACH size IN ARRAY ARRAY[7000, 500, 20] LOOP BEGIN LOOP \
        INSERT INTO event (happened_at, action, subject_type, subject_id, before) \
        VALUES ('2026-03-01 00:00:00', 'filler', 'filler', 1, (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, size / 32 + 1))); \
        END LOOP; EXCEPTION WHEN disk_full THEN NULL; END; END LOOP; END $$";
    direct(url).batch_execute(fill).unwrap();
}

#[test]
fn a_full_disk_a_crowd_a_stop_and_a_hanging_server_say_later() {
    // A segment of the log is 16 MiB; half a page more makes every table's file end in the middle of one.
    let blocks = (16 * 1024 * 1024 + 4096) / 512;
    let Some(server) = Postgres::another_with("max_connections = 20", &blocks.to_string()) else {
        return;
    };
    let url = filled(&server);
    let app = TestApp::on(Backend::Postgres, &url, clock());
    let instrument = given::instrument(&app).insert();
    let company = app.as_company();
    let ready = |status| app.visitor().get("/health/ready").expect_status(status);
    ready(200);

    a_crowd(&app, &company, wish(instrument, 10));
    ready(200);
    company
        .post("/api/v1/bookings", wish(instrument, 10))
        .expect_status(201);

    a_hanging_server(&app);
    ready(200);

    fill_events(&url);
    later(company.post("/api/v1/bookings", wish(instrument, 11)));
    company.get("/api/v1/bookings").expect_status(200);

    server.control(&["stop", "--mode=fast"]);
    later(company.get("/api/v1/bookings"));
    later(company.post("/api/v1/bookings", wish(instrument, 11)));
    ready(503);
    // With as much room as it wants.
    server.control(&["start"]);
    company
        .post("/api/v1/bookings", wish(instrument, 11))
        .expect_status(201);
}

/// Nobody gets a connection any more, and those that the service had are lost.
fn a_crowd(app: &TestApp, company: &Client, wish: Value) {
    let mut crowd: Vec<PgConnection> = Vec::new();
    while let Ok(one) = PgConnection::establish(&app.url) {
        crowd.push(one);
        assert!(crowd.len() < 30, "max_connections is not kept");
    }
    let others = "SELECT count(pg_terminate_backend(pid)) AS number FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name <> 'crowd' AND pid <> pg_backend_pid()";
    for member in &mut crowd {
        member
            .batch_execute("SET application_name = 'crowd'")
            .unwrap();
    }
    assert!(number(&mut crowd[0], others) >= 3);
    let began = Instant::now();
    while crowd.len() < 20 && began.elapsed() < Duration::from_secs(10) {
        crowd.extend(PgConnection::establish(&app.url).ok());
    }
    later(company.get("/api/v1/bookings"));
    later(company.post("/api/v1/bookings", wish));
    drop(crowd);
    let began = Instant::now();
    while app.visitor().get("/health/ready").status != 200 {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the service did not recover"
        );
    }
}

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Integer)]
    pid: i32,
}

/// The server stops answering in the middle of what it does: readiness says so within three seconds.
fn a_hanging_server(app: &TestApp) {
    let mut admin = direct(&app.url);
    let all = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let processes: Vec<Process> = diesel::sql_query(all).load(&mut admin).unwrap();
    let send = |signal| {
        for process in &processes {
            kill_process(Pid::from_raw(process.pid).unwrap(), signal).unwrap();
        }
    };
    send(Signal::STOP);
    let began = Instant::now();
    let answer = app.visitor().get("/health/ready");
    let took = began.elapsed();
    send(Signal::CONT);
    later(answer);
    assert!(took < Duration::from_secs(4), "{took:?}");
}
