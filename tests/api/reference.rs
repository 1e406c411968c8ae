//! The tables an installation starts with, and what is forgotten when its time has come.

use yiqi::domain::access::Action;
use yiqi::http::answer;
use yiqi::operations::actor::{Actor, Once};
use yiqi::operations::reference::{self, Counts, Discipline, ReferenceFile};
use yiqi::operations::run::{Done, Run};
use yiqi::store;

use crate::both;
use crate::world::*;

/// The files of a new installation.
const FILES: usize = 5;

/// How often a reference file changed something. The trail shows an event once no transaction begun before it is open
/// anywhere on the server, also in the databases of other tests.
#[track_caller]
fn expect_loads(app: &TestApp, expected: usize) {
    let filter = store::event::Filter {
        actions: vec!["reference_load".to_owned()],
        limit: 200,
        ..Default::default()
    };
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let filter = filter.clone();
        let count = app.read(move |conn| Ok(store::event::list(conn, &filter)?.rows.len()));
        if count == expected || std::time::Instant::now() > patience {
            return assert_eq!(count, expected);
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

both! {
    fn seeding_again_changes_nothing_and_tells_nothing(app: &TestApp) {
        expect_loads(app, FILES);
        let loaded = app.block_on(yiqi::cli::seed::load(&app.app)).unwrap();
        assert_eq!(loaded.len(), FILES);
        for (file, counts) in loaded {
            assert_eq!((counts.inserted, counts.updated), (0, 0), "{file}");
            assert!(counts.unchanged > 40, "{file}");
        }
        expect_loads(app, FILES);
    }

    fn a_newer_file_changes_what_differs_and_deletes_nothing(app: &TestApp) {
        expect_loads(app, FILES);
        let row = |code: &str, name: &str| Discipline { code: code.to_owned(), name: name.to_owned() };
        let load = |rows: Vec<Discipline>| {
            let file = ReferenceFile { name: "subjects.csv", sha256: "0".repeat(64), rows };
            app.block_on(reference::load(&app.app, file)).unwrap()
        };
        let counts = load(vec![row("110", "数学科学"), row("999", "新学科"), row("120", "信息科学与系统科学")]);
        assert_eq!(counts, Counts { inserted: 1, updated: 1, unchanged: 1 });
        expect_loads(app, FILES + 1);
        let again = app.block_on(yiqi::cli::seed::load(&app.app)).unwrap();
        let (_, subjects) = again.iter().find(|(file, _)| *file == "subjects.csv").unwrap();
        assert_eq!(*subjects, Counts { inserted: 0, updated: 1, unchanged: 61 });
    }

    fn answers_to_repeated_requests_are_kept_for_14_days(app: &TestApp) {
        let caller = app.block_on(async {
            let user = app.app.store.read(|conn| store::user::find_password(conn, BOSS.login));
            let (user, _) = user.await.unwrap().unwrap();
            let now = app.now();
            let session = app.app.store.write(move |tx| {
                Ok(store::session::insert(tx, user, None, now, now.plus_seconds(60))?)
            });
            let session = session.await.unwrap();
            yiqi::operations::session::caller_of_session(&app.app, session, user, now).await.unwrap()
        });
        let once = Once { key: "k".to_owned(), fingerprint: "f".to_owned(), space: None };
        let runs = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let request = || {
            let act = Actor::caller_at(caller.clone(), app.now()).under(String::new(), Some(once.clone()));
            let counted = runs.clone();
            let run = Run::new(&app.app, act, Action::MeRead, None, |count: &u32| answer::reply(200, count));
            let done = run.with(Ok(()), move |_, _, ()| Ok(counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst)));
            match app.block_on(done).unwrap() {
                Done::Now(count) => count,
                Done::Earlier(reply) => reply.body.unwrap().parse().unwrap(),
            }
        };
        assert_eq!(request(), 0);
        for (days, answer) in [(13, 0), (2, 1)] {
            app.advance(days * 24 * 60);
            app.block_on(yiqi::jobs::tick(&app.app));
            assert_eq!(request(), answer, "after {days} days more");
        }
    }

    fn used_tokens_are_kept_while_their_session_lasts(app: &TestApp) {
        let login = || {
            let body = serde_json::json!({"email": BOSS.login, "password": PASSWORD});
            app.visitor().post("/api/v1/auth/login", body).expect_status(200)["refresh_token"].clone()
        };
        let refresh = |token: &serde_json::Value| {
            app.visitor().post("/api/v1/auth/refresh", serde_json::json!({"refresh_token": token}))
        };
        let first = login();
        let second = refresh(&first).expect_status(200)["refresh_token"].clone();
        app.advance(29 * 24 * 60);
        app.block_on(yiqi::jobs::tick(&app.app));
        refresh(&first).expect_code(401, "session_revoked");
        refresh(&second).expect_code(401, "session_revoked");
        let hash = yiqi::app::token::hash(second.as_str().unwrap());
        let known = || {
            let hash = hash.clone();
            app.read(move |conn| Ok(store::session::find_refresh_token(conn, &hash)?.is_some()))
        };
        assert!(known());
        app.advance(31 * 24 * 60);
        app.block_on(yiqi::jobs::tick(&app.app));
        assert!(!known());
    }
}
