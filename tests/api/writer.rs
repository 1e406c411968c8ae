//! How actions are written: each is undone alone, a lost commit fails its whole group, and nothing half happens.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use diesel::RunQueryDsl;
use yiqi::domain::Instant;
use yiqi::error::{AppError, Code};
use yiqi::store::{self, Conn, Store, StoreError};

use crate::both;
use crate::world::*;

fn insert(tx: &mut Conn, key: &str, now: Instant) -> Result<(), AppError> {
    let reply = store::idempotency::Reply {
        status: 204,
        location: None,
        version: None,
        body: None,
        kept_body: None,
    };
    Ok(store::idempotency::insert(
        tx,
        "writer-test",
        key,
        "f",
        &reply,
        now,
    )?)
}

fn keys(app: &TestApp) -> Vec<bool> {
    app.read(|conn| {
        ["a", "b", "c"]
            .into_iter()
            .map(|key| Ok(store::idempotency::find(conn, "writer-test", key)?.is_some()))
            .collect()
    })
}

/// Holds the writer until told, so that the actions of a test wait together and share one group.
async fn hold(app: &TestApp, opened: Receiver<()>) {
    hold_and_say(app, opened, None).await;
}

/// The same, and says when the writer has begun.
async fn hold_and_say(app: &TestApp, opened: Receiver<()>, begun: Option<Sender<()>>) {
    let opened = std::sync::Mutex::new(opened);
    let _ = app
        .app
        .store
        .write(move |_| {
            if let Some(begun) = &begun {
                begun.send(()).unwrap();
            }
            let _ = opened.lock().unwrap().recv_timeout(Duration::from_secs(10));
            Ok(())
        })
        .await;
}

/// Runs `middle` between two good actions of one group and answers what became of the three.
fn in_one_group(
    app: &TestApp,
    middle: impl Fn(&mut Conn) -> Result<(), AppError> + Send + 'static,
) -> [Result<(), AppError>; 3] {
    let now = app.now();
    let ((open, opened), (begin, begun)) = (channel(), channel());
    app.block_on(async {
        let store = &app.app.store;
        let group = async {
            // The group of the held action is closed when it runs: what comes now makes the next one.
            let held = tokio::task::spawn_blocking(move || begun.recv());
            held.await.unwrap().unwrap();
            let release = async {
                // The three are queued by now: each is polled once before this.
                open.send(()).unwrap();
            };
            tokio::join!(
                store.write(move |tx| insert(tx, "a", now)),
                store.write(middle),
                store.write(move |tx| insert(tx, "c", now)),
                release
            )
        };
        let (_, (a, b, c, ())) = tokio::join!(hold_and_say(app, opened, Some(begin)), group);
        [a, b, c]
    })
}

both! {
    fn a_refused_action_is_undone_alone(app: &TestApp) {
        let now = app.now();
        let [a, b, c] = in_one_group(app, move |tx| {
            insert(tx, "b", now)?;
            Err(AppError::conflict(Code::slot_taken))
        });
        assert!(a.is_ok() && c.is_ok());
        assert!(matches!(b, Err(AppError::Conflict(_))), "{b:?}");
        assert_eq!(keys(app), [true, false, true]);
    }

    fn a_panicking_action_is_undone_alone_and_the_writer_lives(app: &TestApp) {
        let now = app.now();
        let [a, b, c] = in_one_group(app, move |tx| {
            insert(tx, "b", now)?;
            panic!("a defect")
        });
        assert!(a.is_ok() && c.is_ok());
        assert!(matches!(b, Err(AppError::Internal(_))), "{b:?}");
        assert_eq!(keys(app), [true, false, true]);
    }

    fn a_broken_statement_is_undone_alone(app: &TestApp) {
        let now = app.now();
        let [a, b, c] = in_one_group(app, move |tx| {
            insert(tx, "b", now)?;
            diesel::sql_query("INSERT INTO nothing VALUES (1)").execute(tx).map_err(StoreError::from)?;
            Ok(())
        });
        assert!(a.is_ok() && c.is_ok());
        assert!(matches!(b, Err(AppError::Internal(_))), "{b:?}");
        assert_eq!(keys(app), [true, false, true]);
    }
}

/// A foreign key checked only at the commit makes the commit itself fail.
fn dangle(tx: &mut Conn) -> Result<(), AppError> {
    let statements = [
        "PRAGMA defer_foreign_keys = ON",
        "INSERT INTO instrument_manager (instrument_id, user_id) VALUES (999999, 999999)",
    ];
    for statement in statements {
        diesel::sql_query(statement)
            .execute(tx)
            .map_err(StoreError::from)?;
    }
    Ok(())
}

#[test]
fn a_failed_commit_fails_every_action_of_the_group_and_none_happened() {
    TestApp::run(Backend::Sqlite, |app| {
        let outcomes = in_one_group(app, dangle);
        for outcome in outcomes {
            assert!(
                matches!(outcome, Err(AppError::Unavailable(_))),
                "{outcome:?}"
            );
        }
        assert_eq!(keys(app), [false, false, false]);
        let now = app.now();
        app.write(move |tx| Ok(insert(tx, "a", now)?));
        assert_eq!(keys(app), [true, false, false], "the writer goes on");
    });
}

#[test]
fn a_lost_transaction_fails_every_action_of_the_group() {
    TestApp::run(Backend::Sqlite, |app| {
        let outcomes = in_one_group(app, |tx| {
            // As SQLite does by itself when the disk is full.
            diesel::sql_query("ROLLBACK")
                .execute(tx)
                .map_err(StoreError::from)?;
            Ok(())
        });
        for outcome in outcomes {
            assert!(
                matches!(outcome, Err(AppError::Unavailable(_))),
                "{outcome:?}"
            );
        }
        assert_eq!(keys(app), [false, false, false]);
    });
}

/// A savepoint keeps a copy of every page that changes after it: one around an import makes it many times slower.
#[test]
fn an_action_alone_in_its_transaction_has_no_savepoint() {
    TestApp::run(Backend::Sqlite, |app| {
        let store = &app.app.store;
        let release = |tx: &mut Conn| {
            let released = diesel::sql_query("RELEASE action").execute(tx);
            Ok(released.map_err(|error| error.to_string()))
        };
        let outcome = app.block_on(store.write_alone(release)).unwrap();
        assert_eq!(outcome, Err("no such savepoint: action".to_owned()));
    });
}

#[test]
fn an_action_alone_in_its_transaction_is_undone_whole_and_the_writer_goes_on() {
    TestApp::run(Backend::Sqlite, |app| {
        let (now, store) = (app.now(), &app.app.store);
        let refused = app.block_on(store.write_alone(move |tx| {
            insert(tx, "a", now)?;
            Err::<(), _>(AppError::conflict(Code::slot_taken))
        }));
        assert!(matches!(refused, Err(AppError::Conflict(_))), "{refused:?}");
        let panicked = app.block_on(store.write_alone(move |tx| -> Result<(), AppError> {
            insert(tx, "b", now)?;
            panic!("a defect")
        }));
        assert!(
            matches!(panicked, Err(AppError::Internal(_))),
            "{panicked:?}"
        );
        let lost = app.block_on(store.write_alone(dangle));
        assert!(matches!(lost, Err(AppError::Unavailable(_))), "{lost:?}");
        assert_eq!(keys(app), [false, false, false]);
        app.block_on(store.write_alone(move |tx| insert(tx, "c", now)))
            .unwrap();
        assert_eq!(keys(app), [false, false, true]);
    });
}

#[test]
fn a_full_queue_is_answered_at_once() {
    TestApp::run(Backend::Sqlite, |app| {
        let (open, opened) = channel();
        let (begin, begun) = channel();
        app.block_on(async {
            let store = &app.app.store;
            let crowd = async {
                // What the writer holds no longer takes a place in the queue.
                begun.recv().unwrap();
                let actions: Vec<_> = (0..1500).map(|_| store.write(|_| Ok(()))).collect();
                let waiting = futures_util::future::join_all(actions);
                let release = async { open.send(()).unwrap() };
                tokio::join!(waiting, release).0
            };
            let (_, outcomes) = tokio::join!(hold_and_say(app, opened, Some(begin)), crowd);
            let refused = outcomes
                .iter()
                .filter(|outcome| matches!(outcome, Err(AppError::Unavailable(_))))
                .count();
            // 1,024 places, and up to 255 actions that the held group took along.
            assert!((221..=476).contains(&refused), "{refused} of 1,500 refused");
            assert!(outcomes.iter().filter(|outcome| outcome.is_ok()).count() == 1500 - refused);
        });
    });
}

#[test]
fn draining_finishes_what_waits_and_takes_nothing_more() {
    TestApp::run(Backend::Sqlite, |app| {
        let now = app.now();
        let (open, opened) = channel();
        let waited = app.block_on(async {
            let store = &app.app.store;
            let drain = async {
                let draining = store.clone();
                let drained = std::thread::spawn(move || draining.drain());
                // The queue is closed while both actions still wait; only then are they let go.
                while !is_closed(store).await {
                    std::thread::sleep(Duration::from_millis(2));
                }
                open.send(()).unwrap();
                drained
            };
            let waiting = store.write(move |tx| insert(tx, "a", now));
            let (_, waited, drained) = tokio::join!(hold(app, opened), waiting, drain);
            drained.join().unwrap();
            waited
        });
        assert!(waited.is_ok(), "{waited:?}");
        assert_eq!(keys(app), [true, false, false]);
        let late = app.block_on(app.app.store.write(|_| Ok(())));
        assert!(matches!(late, Err(AppError::Unavailable(_))));
    });
}

/// Whether an action is refused because the service stops. One that is taken instead is left to itself.
async fn is_closed(store: &Store<AppError>) -> bool {
    let answer = futures_util::future::poll_immediate(store.write(|_| Ok(()))).await;
    matches!(answer, Some(Err(AppError::Unavailable(why))) if why.contains("stopping"))
}

#[test]
fn readers_cannot_write() {
    TestApp::run(Backend::Sqlite, |app| {
        let now = app.now();
        let outcome = app.block_on(app.app.store.read(move |conn| insert(conn, "a", now)));
        assert!(outcome.is_err());
        assert_eq!(keys(app), [false, false, false]);
    });
}

/// Two transactions that wait for each other: PostgreSQL ends one, the store runs its action again.
#[test]
fn a_deadlock_runs_the_action_again() {
    TestApp::run(Backend::Postgres, |app| {
        let now = app.now();
        app.write(move |tx| {
            insert(tx, "a", now)?;
            Ok(insert(tx, "b", now)?)
        });
        let touch = |first: &'static str, second: &'static str| {
            move |tx: &mut Conn| {
                for key in [first, second] {
                    let statement = format!(
                        "UPDATE idempotency_key SET fingerprint = '{first}' WHERE key = '{key}'"
                    );
                    diesel::sql_query(statement)
                        .execute(tx)
                        .map_err(StoreError::from)?;
                    diesel::sql_query("SELECT pg_sleep(0.2)")
                        .execute(tx)
                        .map_err(StoreError::from)?;
                }
                Ok(())
            }
        };
        let store = &app.app.store;
        let (one, two) = app.block_on(async {
            tokio::join!(store.write(touch("a", "b")), store.write(touch("b", "a")))
        });
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    });
}
