//! The moment of a freeze: what is under way then, what comes after, runs that fail, and the lists that tell of runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::prelude::*;
use serde_json::{Value, json};
use yiqi::domain::run::{RunDecision, RunId, RunState};
use yiqi::domain::{EvaluationId, Fen, Instant, InstrumentId, SubsidyRunId};
use yiqi::operations::actor::Actor;
use yiqi::operations::policy::install_shipped;
use yiqi::operations::run::Run;
use yiqi::operations::yearly_run::{self, Asked, Budget, Request, Statement};
use yiqi::store::schema::{booking, event};
use yiqi::store::{self, Lock, StoreError};
use yiqi::{jobs, operations};

use crate::world::*;
use crate::{both, given};

fn prepared(app: &TestApp) -> InstrumentId {
    app.block_on(install_shipped(&app.app, app.now())).unwrap();
    given::instrument(app).insert()
}

fn operator(app: &World) -> Actor {
    Actor::system(app.now())
}

fn asked(year: i32) -> Asked {
    Asked {
        year,
        policy: "hebei-2026".to_owned(),
        ..Asked::default()
    }
}

fn graded() -> Request {
    Request {
        asked: asked(2026),
        budget: None,
    }
}

fn evaluate(app: &World) -> EvaluationId {
    let actor = operator(app);
    let run = yearly_run::run(&app.app, &actor, graded(), |_| ());
    match app.block_on(run).unwrap() {
        RunId::Evaluation(id) => id,
        other => panic!("{other:?}"),
    }
}

fn subsidize(app: &World) -> SubsidyRunId {
    subsidize_year(app, 2026)
}

fn subsidize_year(app: &World, year: i32) -> SubsidyRunId {
    let budget = Budget {
        fen: Some(Fen::new(1_000_000)),
        ..Budget::default()
    };
    let request = Request {
        asked: asked(year),
        budget: Some(budget),
    };
    let actor = operator(app);
    let run = yearly_run::run(&app.app, &actor, request, |_| ());
    match app.block_on(run).unwrap() {
        RunId::SubsidyRun(id) => id,
        other => panic!("{other:?}"),
    }
}

fn frozen_at(app: &World, id: EvaluationId) -> Instant {
    app.read(move |conn| {
        Ok(store::yearly_run::evaluation::get(conn, id)?
            .frozen_at
            .unwrap())
    })
}

fn wish(instrument: InstrumentId, hour: u32) -> Value {
    json!({
        "instrument_id": instrument, "mode": "guided", "purpose": "research",
        "starts_at": format!("2026-03-03T{hour:02}:00:00+08:00"),
        "ends_at": format!("2026-03-03T{:02}:00:00+08:00", hour + 1),
    })
}

both! {
    /// The clock stands: everything after the freeze has a time not after it, as an action that began before it would.
    fn whatever_comes_after_a_freeze_lies_after_it(app: &TestApp) {
        let sem = prepared(app);
        let manual = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let company = app.as_company();
        let waiting = company.post("/api/v1/bookings", wish(manual, 8)).expect_status(201);
        let run = subsidize(app);
        let evaluation = app.read(move |conn| Ok(store::yearly_run::subsidy::get(conn, run)?.evaluation_id.unwrap()));
        let frozen_at = frozen_at(app, evaluation);
        assert_eq!(frozen_at, app.now());

        company.post("/api/v1/bookings", wish(sem, 8)).expect_status(201);
        let reject = format!("/api/v1/bookings/{}/reject", waiting.id());
        app.as_host().post(&reject, json!({"reason_code": "busy"})).expect_status(200);
        let unit = format!("/api/v1/organizations/{}", app.organization_id(COMPANY));
        let seen = company.get(&unit).expect_status(200);
        let change = company.request(ureq::http::Method::PATCH, &unit).header("If-Match", seen.etag());
        change.json(json!({"address": "学院路 1 号"})).send().expect_status(200);
        let late = app.read(move |conn| {
            let rows: Vec<(Instant, Option<Instant>, Instant)> = booking::table
                .select((booking::created_at, booking::first_answered_at, booking::updated_at))
                .order(booking::id)
                .load(conn)?;
            Ok(rows)
        });
        assert_eq!(late[0].0, frozen_at, "received before");
        assert!(late[0].1.unwrap() > frozen_at && late[1].0 > frozen_at && late[1].1.unwrap() > frozen_at);

        let verified = app.block_on(yearly_run::verify::verify(&app.app, &operator(app), run, |_| ())).unwrap();
        assert!(verified.verified, "{verified:?}");
        let later = app.block_on(yearly_run::verify::verify(&app.app, &operator(app), subsidize(app), |_| ())).unwrap();
        assert!(later.verified && later.stored.input_digest != verified.stored.input_digest);
    }

    /// Somebody holds the records while the freeze is asked for: it waits, and then sees what was written.
    fn a_freeze_waits_for_who_writes(app: &TestApp) {
        prepared(app);
        let (began, may_end) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let store = app.app.store.clone();
        let flags = (began.clone(), may_end.clone());
        let now = app.now();
        let writer = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let action = move |tx: &mut store::Conn| {
                Lock::RecordsShared.take(tx)?;
                flags.0.store(true, Ordering::SeqCst);
                while !flags.1.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                let told = store::event::NewEvent::new(now, yiqi::domain::access::Action::EventList, store::event::Subject::new("reference", 1));
                Ok(store::event::append(tx, &told)?)
            };
            runtime.block_on(store.write(action)).unwrap()
        });
        while !began.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let release = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            may_end.store(true, Ordering::SeqCst);
        });
        let id = evaluate(app);
        release.join().unwrap();
        let written = writer.join().unwrap();
        let frozen = app.read(move |conn| Ok(store::yearly_run::evaluation::get(conn, id)?.frozen_event_id));
        assert!(frozen >= Some(written), "{frozen:?} does not see {written}");
    }

    /// Others write on while a long grading reads.
    fn nobody_waits_for_what_reads_the_frozen_records(app: &TestApp) {
        let sem = prepared(app);
        let (reading, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (store, flags) = (app.app.store.clone(), (reading.clone(), written.clone()));
        let reader = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let look = move |conn: &mut store::Conn| {
                let count = |conn: &mut store::Conn| event::table.count().get_result::<i64>(conn).map_err(StoreError::from);
                let first = count(conn)?;
                flags.0.store(true, Ordering::SeqCst);
                while !flags.1.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok((first, count(conn)?))
            };
            runtime.block_on(store.read_snapshot(look)).unwrap()
        });
        while !reading.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        app.as_company().post("/api/v1/bookings", wish(sem, 8)).expect_status(201);
        written.store(true, Ordering::SeqCst);
        let (first, second) = reader.join().unwrap();
        assert_eq!(first, second, "one state of the database");
    }

    fn a_run_thrown_away_gets_no_result_and_one_left_alone_is_taken_up(app: &TestApp) {
        prepared(app);
        let actor = operator(app);
        let begin = || {
            let run = Run::direct(&app.app, &actor, graded().action());
            let begun = app.block_on(yearly_run::begin(&run, Ok(graded())));
            begun.unwrap().now().unwrap().id()
        };
        let run = |id: RunId| app.read(move |conn| Ok(store::yearly_run::get(conn, id)?.lifecycle().clone()));
        let discarded = begin();
        app.as_admin().post(&format!("/api/v1/evaluations/{}/discard", discarded.number()), json!({})).expect_status(200);
        assert!(app.block_on(operations::job::finish(&app.app, discarded, |_| ())).is_err());
        let left_alone = begin();
        assert_eq!((run(left_alone).state, run(left_alone).progress), (RunState::Running, 0));
        for phase in ["freeze", "grade", "store"] {
            let job = app.read(move |conn| Ok(store::job::get(conn, left_alone)?));
            assert_eq!(job.phase.as_str(), phase);
            app.block_on(jobs::tick(&app.app));
        }
        assert_eq!((run(left_alone).state, run(left_alone).progress), (RunState::Draft, 100));
        let gone = run(discarded);
        assert_eq!((gone.state, gone.result_digest), (RunState::Discarded, None));
        // The installation itself neither publishes nor finalizes.
        for decision in [RunDecision::Publish, RunDecision::Finalize] {
            let deciding = Run::direct(&app.app, &actor, yearly_run::action_of(left_alone.kind(), decision));
            let decided = yearly_run::decide(&deciding, left_alone, Ok(Statement::default()));
            assert!(matches!(app.block_on(decided), Err(yiqi::error::AppError::Denied(_))));
        }
    }

    fn the_open_figures_are_computed_once_in_a_while(app: &TestApp) {
        let sem = prepared(app);
        let figures = || app.visitor().get("/api/v1/stats/2026").expect_status(200).body;
        let first = figures();
        let service = json!({
            "instrument_id": sem, "organization_id": app.organization_id(UNIVERSITY), "mode": "guided", "purpose": "research",
            "started_at": "2026-02-10T09:00:00+08:00", "ended_at": "2026-02-10T10:00:00+08:00",
        });
        app.as_host().post("/api/v1/usage-records", service).expect_status(201);
        assert_eq!(figures(), first);
        app.advance(6);
        assert_ne!(figures(), first);
    }

    fn lists_of_runs_tell_what_changed_and_what_is_gone(app: &TestApp) {
        prepared(app);
        given::expert_points(app, 2025);
        subsidize_year(app, 2025);
        let (admin, host) = (app.as_admin(), app.as_host());
        for noun in ["evaluations", "subsidy-runs"] {
            let feed = |client: &crate::client::Client| {
                let path = format!("/api/v1/{noun}?updated_since=2026-01-01T00:00:00Z");
                let page = client.get(&path).expect_status(200);
                assert!(page["as_of"].is_string());
                page["items"].as_array().unwrap().iter().map(|item| item["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            assert_eq!((feed(&admin), feed(&host)), (vec!["draft".to_owned()], vec![]));
        }
        let publish = |noun: &str, verb: &str, said: Value| {
            admin.post(&format!("/api/v1/{noun}/1/{verb}"), said).expect_status(200)
        };
        publish("evaluations", "publish", json!({}));
        publish("subsidy-runs", "publish", json!({}));
        publish("subsidy-runs", "discard", json!({"reason": "预算有误"}));
        let gone = host.get("/api/v1/subsidy-runs?updated_since=2026-01-01T00:00:00Z").expect_status(200);
        assert_eq!((&gone["items"][0]["status"], gone["items"][0].as_object().unwrap().len()), (&json!("withdrawn"), 3));
        assert_eq!(host.get("/api/v1/subsidy-runs").expect_status(200)["items"], json!([]));
        let shown = host.get("/api/v1/evaluations?updated_since=2026-01-01T00:00:00Z").expect_status(200);
        assert_eq!(shown["items"][0]["status"], "published");
    }

    fn closures_and_services_that_are_taken_back_are_told(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let host = app.as_host();
        for (noun, body, one) in [
            ("closures", json!({"starts_at": "2026-03-03T08:00:00Z", "kind": "fault"}), "/api/v1/closures".to_owned()),
            ("services", json!({"test_item": "拉伸", "unit": "样", "price_fen": 1}), format!("/api/v1/instruments/{sem}/services")),
        ] {
            let path = format!("/api/v1/instruments/{sem}/{noun}");
            let kept = host.post(&path, &body).expect_status(201).id();
            let gone = host.post(&path, &body).expect_status(201).id();
            host.delete(&format!("{one}/{gone}")).expect_status(204);
            let since = format!("{path}?updated_since=2026-01-01T00:00:00Z&limit=1");
            let first = app.visitor().get(&since).expect_status(200);
            let next = first["next_cursor"].as_str().unwrap();
            let second = app.visitor().get(&format!("{since}&cursor={next}")).expect_status(200);
            assert_eq!((&first["items"][0]["id"], &second["items"][0]["id"]), (&json!(kept), &json!(gone)));
            assert_eq!((&second["items"][0]["status"], &second["next_cursor"]), (&json!("withdrawn"), &Value::Null));
            assert_eq!(second["as_of"], first["as_of"]);
            let list = app.visitor().get(&path).expect_status(200);
            assert_eq!((list["items"].as_array().unwrap().len(), list["as_of"].is_null()), (1, true));
        }
    }
}

/// Every action that writes what yearly runs read holds the lock; one that begins later waits for the freeze.
#[test]
fn a_booking_waits_for_the_moment_of_a_freeze_on_postgres() {
    let Some(app) = TestApp::start(Backend::Postgres) else {
        return;
    };
    let sem = prepared(&app);
    let (held, may_end) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let (store, flags) = (app.app.store.clone(), (held.clone(), may_end.clone()));
    let freeze = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let action = move |tx: &mut store::Conn| {
            operations::exclusive::take_alone(tx)?;
            flags.0.store(true, Ordering::SeqCst);
            while !flags.1.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(())
        };
        runtime.block_on(store.write(action)).unwrap();
    });
    while !held.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (company, done) = (app.as_company(), Arc::new(AtomicBool::new(false)));
    let told = done.clone();
    let booking = std::thread::spawn(move || {
        company
            .post("/api/v1/bookings", wish(sem, 8))
            .expect_status(201);
        told.store(true, Ordering::SeqCst);
    });
    std::thread::sleep(Duration::from_millis(300));
    assert!(!done.load(Ordering::SeqCst), "the booking waits");
    may_end.store(true, Ordering::SeqCst);
    freeze.join().unwrap();
    booking.join().unwrap();
}
