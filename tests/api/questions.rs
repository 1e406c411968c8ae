//! Expensive questions: texts to look for are few and short on every route, a question that takes too long ends, and while
//! long lists hold every reader it is still found out who asks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use ureq::http::Method;
use yiqi::error::AppError;
use yiqi::http::route::{BASE, Route};
use yiqi::http::routes;
use yiqi::store::{Conn, Store, StoreError};

use crate::both;

const TEXTS: [&str; 2] = ["q", "method"];

/// Lists that take texts to look for, with the parameter's name.
fn searched() -> Vec<(&'static Route, &'static str)> {
    let all = routes::all().iter();
    let found: Vec<_> = all
        .flat_map(|route| TEXTS.map(|text| (route, text)))
        .filter(|(route, text)| route.parameters.contains(text))
        .collect();
    assert!(found.len() >= 4, "the catalogue, its export, organizations");
    found
}

/// What counts on for hours.
fn endless(conn: &mut Conn) -> Result<(), StoreError> {
    let counting =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    diesel::sql_query(counting).execute(conn)?;
    Ok(())
}

both! {
    fn texts_to_look_for_are_few_and_short(app: &TestApp) {
        let host = app.as_host();
        let ask = |route: &Route, values: &[String], name: &str| {
            let query: Vec<String> = values.iter().map(|value| format!("{name}={value}")).collect();
            host.request(Method::GET, &format!("{BASE}{}?{}", route.path, query.join("&"))).send()
        };
        for (route, name) in searched() {
            let words = |count: usize, length: usize| vec!["镜".repeat(length); count];
            ask(route, &words(5, 100), name).expect_status(200);
            let many = ask(route, &words(6, 1), name).expect_code(422, "too_many");
            assert_eq!((&many["errors"][0]["limit"], &many["errors"][0]["actual"]), (&5.into(), &6.into()));
            let long = ask(route, &words(1, 101), name).expect_code(422, "text_too_long");
            assert_eq!(long["errors"][0]["limit"], 100);
            let huge = ask(route, &["a".repeat(50_000)], name);
            assert!(huge.status < 500, "{} {name}: {}", route.path, huge.status);
        }
    }

    fn no_text_in_a_query_is_a_defect(app: &TestApp) {
        let admin = app.as_admin();
        for route in routes::all().iter().filter(|route| route.method == "GET" && !route.path.contains('{')) {
            for name in route.parameters {
                for value in ["a".repeat(20_000), "%25_%5C".repeat(2_000), "1".repeat(5_000)] {
                    let answer = admin.get(&format!("{BASE}{}?{name}={value}", route.path));
                    assert!(answer.status < 500, "{} {name}: {}", route.path, answer.status);
                }
            }
        }
    }

    fn a_question_ends_when_its_time_is_over(app: &TestApp) {
        let limit = Duration::from_millis(300);
        let store = Store::open(app.url.parse().unwrap(), 1, limit).unwrap();
        let began = Instant::now();
        for _ in 0..2 {
            let ended = app.block_on(store.read(endless));
            assert!(matches!(ended, Err(StoreError::Unavailable(_))), "{ended:?}");
        }
        assert!(began.elapsed() < Duration::from_secs(20));
        // The writer and long readings take the time they need.
        let long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n";
        let count = move |conn: &mut Conn| -> Result<usize, AppError> {
            Ok(diesel::sql_query(long).execute(conn).map_err(StoreError::from)?)
        };
        app.block_on(store.read_snapshot(count)).unwrap();
        app.block_on(store.write(count)).unwrap();
        store.drain();
    }

    /// On every route that looks for texts: others of its kind wait, what looks for none is answered meanwhile.
    fn searches_wait_for_each_other_and_nobody_else_for_them(app: &TestApp) {
        let host = app.as_host();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        // Half of the processors, and of the four connections.
        let at_once = (processors / 2).clamp(1, 2);
        for (route, name) in searched() {
            let (free, kept) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
            let search = || {
                let (free, kept) = (Arc::clone(&free), Arc::clone(&kept));
                app.app.store.read_search(move |_| -> Result<(), StoreError> {
                    kept.fetch_add(1, Ordering::SeqCst);
                    until(|| free.load(Ordering::SeqCst));
                    Ok(())
                })
            };
            let path = format!("{BASE}{}", route.path);
            let beside = {
                let (free, kept, host, path) = (Arc::clone(&free), Arc::clone(&kept), host.clone(), path.clone());
                std::thread::spawn(move || {
                    until(|| kept.load(Ordering::SeqCst) == at_once);
                    let searching = std::thread::spawn({
                        let (host, path) = (host.clone(), path.clone());
                        move || host.get(&format!("{path}?{name}=x")).status
                    });
                    let plain = host.get(&path).status;
                    let (waits, kept) = (!searching.is_finished(), kept.load(Ordering::SeqCst));
                    free.store(true, Ordering::SeqCst);
                    (plain, waits, kept, searching.join().unwrap())
                })
            };
            let done = app.block_on(futures_util::future::join_all((0..at_once + 2).map(|_| search())));
            assert!(done.iter().all(Result::is_ok));
            assert_eq!(beside.join().unwrap(), (200, true, at_once, 200), "{}", route.path);
        }
    }

    fn who_asks_is_found_out_while_lists_hold_every_reader(app: &TestApp) {
        let (open, opened) = channel::<()>();
        let opened = Arc::new(Mutex::new(opened));
        let is_waiting = Arc::new(AtomicBool::new(true));
        let store = &app.app.store;
        let hold = || {
            let (opened, is_waiting) = (Arc::clone(&opened), Arc::clone(&is_waiting));
            store.read(move |_| -> Result<(), StoreError> {
                while is_waiting.load(Ordering::SeqCst) {
                    let told = opened.lock().unwrap().recv_timeout(Duration::from_millis(50));
                    if told.is_ok() {
                        is_waiting.store(false, Ordering::SeqCst);
                    }
                }
                Ok(())
            })
        };
        app.block_on(async {
            let held = futures_util::future::join_all((0..8).map(|_| hold()));
            let asked = async {
                let answered = store.read_apart(short).await;
                assert!(is_waiting.load(Ordering::SeqCst), "the readers were free");
                open.send(()).unwrap();
                answered
            };
            let (held, asked) = tokio::join!(held, asked);
            assert!(asked.is_ok() && held.iter().all(Result::is_ok));
        });
    }
}

fn until(holds: impl Fn() -> bool) {
    while !holds() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn short(conn: &mut Conn) -> Result<usize, StoreError> {
    Ok(diesel::sql_query("SELECT 1").execute(conn)?)
}
