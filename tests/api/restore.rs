//! A database restored from a dump into another cluster, whose transactions begin anew: the trail shows everything that it
//! showed before and goes on.

use std::path::Path;
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection;
use serde_json::Value;
use yiqi::app::App;
use yiqi::app::token::TokenKeys;
use yiqi::clock::Clock;
use yiqi::domain::access::Action;
use yiqi::store::event::{Filter, NewEvent, Subject};
use yiqi::store::{self, Database, StoreError};

use crate::postgres::Postgres;
use crate::world::*;

fn execute(url: &str, statement: &str) {
    let database: Database = url.parse().unwrap();
    database
        .connect()
        .unwrap()
        .batch_execute(statement)
        .unwrap();
}

/// Appends an event about this subject; answers the event's id.
fn append(app: &World, subject: i64) -> i64 {
    let event = NewEvent::new(
        app.now(),
        Action::SessionClose,
        Subject::new("session", subject),
    );
    app.write(move |tx| Ok(store::event::append(tx, &event)?))
        .number()
}

/// Something that concerns one person.
fn change_boss(app: &World) {
    let subject = Subject::new("user", app.user_id(BOSS));
    let event = NewEvent::new(app.now(), Action::MemberUpdate, subject);
    app.write(move |tx| Ok(store::event::append(tx, &event)?));
}

/// The trail's events after an id.
fn trail(app: &World, after: Option<i64>) -> Vec<i64> {
    app.settle();
    let filter = Filter {
        after: after.map(|id| id.try_into().unwrap()),
        limit: 1_000,
        ..Filter::default()
    };
    let events = app.read(move |conn| Ok(store::event::list(conn, &filter)?));
    events
        .rows
        .into_iter()
        .map(|event| event.id.number())
        .collect()
}

fn prepare(app: &World) {
    app.block_on(app.app.prepare()).unwrap();
}

/// Writes a database whole into another one.
fn copy(programs: &Path, from: &str, to: &str) {
    let mut dump = Command::new(programs.join("pg_dump"))
        .args(["--no-owner", "--dbname", from])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let restored = Command::new(programs.join("psql"))
        .args([
            "--quiet",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
            to,
        ])
        .stdin(dump.stdout.take().unwrap())
        .stdout(Stdio::null())
        .status();
    assert!(restored.unwrap().success());
    assert!(dump.wait().unwrap().success());
}

#[test]
fn a_dump_in_a_fresh_cluster_shows_every_event_and_goes_on() {
    let Some(first) = TestApp::start(Backend::Postgres) else {
        return;
    };
    let Some((cluster, programs)) = Postgres::another() else {
        return;
    };
    // Older than everything the fresh cluster will have done.
    execute(
        &first.url,
        "DO $$ BEGIN FOR i IN 1..5000 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$",
    );
    append(&first, 1);
    append(&first, 2);
    change_boss(&first);
    assert_eq!(first.tell(), 1);
    change_boss(&first);
    let before = trail(&first, None);

    let url = cluster.create_database(None);
    copy(&programs, &first.url, &url);
    let restored = || {
        let store = open_store(url.parse().unwrap(), 2);
        let keys = TokenKeys::parse(KEYS).unwrap();
        let clock = Clock::fixed(NOW.parse().unwrap());
        World::new(
            App::new(store, clock, config(&url), keys),
            Backend::Postgres,
        )
    };
    let second = restored();
    prepare(&second);
    assert_eq!(trail(&second, None), before);
    let later = append(&second, 3);
    assert_eq!(trail(&second, before.last().copied()), [later]);
    let all_but_first = [&before[1..], &[later]].concat();
    assert_eq!(trail(&second, before.first().copied()), all_but_first);

    assert_eq!(second.tell(), 1, "what was not told before the dump");
    change_boss(&second);
    assert_eq!(second.tell(), 1);

    // Another start changes nothing.
    prepare(&restored());
    let settled = second.read(|conn| Ok(store::trail::settled_below(conn)?));
    assert_eq!(settled.unwrap().0, 1);
}

/// The same through HTTP, with transactions that only say they are of another cluster.
#[test]
fn readers_go_on_across_epochs() {
    let Some(app) = TestApp::start(Backend::Postgres) else {
        return;
    };
    let first = append(&app, 1);
    let foreign = "INSERT INTO event (transaction_id, happened_at, action, subject_type, subject_id) \
        SELECT txid_current() + n, TIMESTAMP '2026-03-02 01:00:00', 'session_close', 'session', 2 \
        FROM (VALUES (900000000), (800000000)) AS foreign_transactions (n)";
    app.write(move |tx| Ok(tx.batch_execute(foreign).map_err(StoreError::from)?));
    prepare(&app);
    let last = append(&app, 3);
    app.settle();
    let told = |query: &str| -> Vec<i64> {
        let path = format!("/api/v1/events?action=session_close{query}");
        let page = app.as_person(AUDITOR).get(&path).expect_status(200);
        let ids = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event: &Value| event["id"].as_i64());
        ids.map(Option::unwrap).collect()
    };
    let in_order = [first, first + 2, first + 1, last];
    assert_eq!(told(""), in_order);
    for (at, id) in in_order.iter().enumerate() {
        assert_eq!(told(&format!("&after={id}")), in_order[at + 1..]);
    }
}
