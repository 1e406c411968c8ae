//! Long work outlives its process: it is taken up again on the same freeze, by one process at a time, and not for ever.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::prelude::*;
use serde_json::json;
use yiqi::app::App;
use yiqi::app::token::TokenKeys;
use yiqi::domain::job::{ATTEMPTS_MAX, JobState, LEASE_SECONDS};
use yiqi::domain::run::{RunId, RunPhase};
use yiqi::domain::{EventId, SubsidyRunId};
use yiqi::error::AppError;
use yiqi::jobs;
use yiqi::operations::actor::Actor;
use yiqi::operations::job::{attend, step};
use yiqi::operations::policy::install_shipped;
use yiqi::operations::retention;
use yiqi::operations::run::Run;
use yiqi::operations::yearly_run::{self, Asked, Budget, Fen, Request};
use yiqi::store::job::Job;
use yiqi::store::schema::event;
use yiqi::store::{self, Conn, Database};

use crate::fleet::{Direct, Fleet, Node};
use crate::world::*;
use crate::{both, given};

/// Another process on the same database, by the same clock.
fn another_node(app: &TestApp) -> World {
    let store = open_store(app.url.parse().unwrap(), 2);
    let keys = TokenKeys::parse(KEYS).unwrap();
    let node = App::new(store, app.app.clock.clone(), config(&app.url), keys);
    World::new(node, app.backend)
}

fn request(budget: Option<i64>) -> Request {
    Request {
        asked: Asked {
            year: 2026,
            policy: "hebei-2026".to_owned(),
            ..Asked::default()
        },
        budget: budget.map(|fen| Budget {
            fen: Some(Fen::new(fen)),
            ..Budget::default()
        }),
    }
}

fn begin(world: &World, request: Request) -> RunId {
    let actor = Actor::system(world.now());
    let run = Run::direct(&world.app, &actor, request.action());
    let begun = world.block_on(yearly_run::begin(&run, Ok(request)));
    begun.unwrap().now().unwrap().id()
}

fn prepared(app: &TestApp) {
    app.block_on(install_shipped(&app.app, app.now())).unwrap();
    given::instrument(app).insert();
}

fn job(world: &World, run: RunId) -> Job {
    world.read(move |conn| Ok(store::job::get(conn, run)?))
}

/// One step of a node.
fn tick(node: &World) -> usize {
    node.block_on(jobs::job::tick(&node.app, node.now()))
        .unwrap()
}

fn subsidy_run(run: RunId) -> SubsidyRunId {
    match run {
        RunId::SubsidyRun(id) => id,
        other => panic!("{other:?}"),
    }
}

/// The freeze that a subsidy run stands on, and the digests of what went in, of the grades and of the awards.
fn outcome(
    conn: &mut Conn,
    id: SubsidyRunId,
) -> Result<(Option<EventId>, [Option<String>; 3]), AppError> {
    let run = store::yearly_run::subsidy::get(conn, id)?;
    let graded = store::yearly_run::evaluation::get(conn, run.evaluation_id.unwrap())?;
    let digests = [
        graded.input_digest,
        graded.lifecycle.result_digest,
        run.lifecycle.result_digest,
    ];
    Ok((graded.frozen_event_id, digests))
}

/// How often it is in the trail, also above the horizon.
fn events(world: &World, action: &'static str) -> i64 {
    world.read(move |conn| {
        let of = event::table.filter(event::action.eq(action)).count();
        Ok(of.get_result(conn).map_err(store::StoreError::from)?)
    })
}

both! {
    fn work_goes_on_elsewhere_on_the_same_freeze_when_its_lease_lapsed(app: &TestApp) {
        prepared(app);
        let other = another_node(app);
        let run = begin(app, request(Some(1_000_000)));
        let id = subsidy_run(run);
        assert_eq!((tick(app), job(app, run).phase), (1, RunPhase::Grade));
        let frozen = app.read(move |conn| Ok(outcome(conn, id)?.0));
        // What comes after the freeze, the run does not see.
        app.advance(1);
        given::instrument(app).insert();
        // A process took the grading up and died.
        let held = job(app, run).id;
        let times = (app.now(), app.now().plus_seconds(LEASE_SECONDS));
        assert!(app.write(move |tx| Ok(store::job::claim(tx, held, "dead", times)?)));
        assert_eq!(tick(&other), 0);
        app.advance(1);
        let mut phases = vec![];
        while tick(&other) == 1 {
            phases.push(job(app, run).phase);
        }
        assert_eq!(phases, [RunPhase::ShareOut, RunPhase::Store, RunPhase::Store]);
        assert_eq!((job(app, run).state, job(app, run).percent), (JobState::Done, 100));
        let (stands_on, _) = app.read(move |conn| Ok(outcome(conn, id)?));
        assert_eq!(stands_on, frozen);
        let actor = Actor::system(app.now());
        let verified = app.block_on(yearly_run::verify::verify(&app.app, &actor, id, |_| ())).unwrap();
        assert!(verified.verified, "{verified:?}");
        let shown = app.as_admin().get(&format!("/api/v1/subsidy-runs/{id}")).expect_status(200);
        assert_eq!((&shown["status"], &shown["progress"], &shown["phase"]), (&json!("draft"), &json!(100), &json!(null)));
    }

    fn a_lease_is_renewed_while_a_phase_takes_its_time(app: &TestApp) {
        prepared(app);
        let (slow, other) = (another_node(app), another_node(app));
        let run = begin(app, request(None));
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        std::thread::scope(|scope| {
            let worked = scope.spawn(|| {
                let node = World::new(slow.app.clone(), app.backend);
                let work = attend(&node.app, Some(run.into()), node.now(), async |_| {
                    let _ = ended.await;
                    Err(AppError::unavailable("the phase was long"))
                });
                assert!(node.block_on(work).is_err());
            });
            let until = |least| {
                for _ in 0..2_000 {
                    if job(app, run).leased_until >= Some(least) {
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                panic!("nobody holds the job until {least}");
            };
            let begun = app.now();
            until(begun.plus_seconds(LEASE_SECONDS));
            for seconds in [20, 40] {
                advance_seconds(app, 20);
                until(begun.plus_seconds(seconds + LEASE_SECONDS));
            }
            // Longer than a lease.
            assert_eq!(tick(&other), 0);
            end.send(()).unwrap();
            worked.join().unwrap();
        });
        assert_eq!(job(app, run).failure.unwrap(), "not available now: the phase was long");
        while tick(&other) == 1 {}
        assert_eq!((job(app, run).state, job(app, run).failure), (JobState::Done, None));
    }

    fn no_phase_is_done_twice_however_many_work(app: &TestApp) {
        prepared(app);
        let runs = [begin(app, request(Some(1_000_000))), begin(app, request(None))];
        let steps = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let node = another_node(app);
                    while runs.iter().any(|run| job(&node, *run).state == JobState::Open) {
                        let done = node.block_on(step(&node.app, None, node.now()));
                        steps.fetch_add(usize::from(done.unwrap()), Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(steps.load(Ordering::SeqCst), 4 + 3);
        for run in runs {
            assert_eq!((job(app, run).state, job(app, run).attempts), (JobState::Done, 1));
        }
        for action in ["evaluation_complete", "subsidy_complete", "evaluation_fail", "subsidy_fail"] {
            let expected = match action {
                "evaluation_complete" => 2,
                "subsidy_complete" => 1,
                _ => 0,
            };
            assert_eq!(events(app, action), expected, "{action}");
        }
    }

    fn what_dies_again_and_again_fails(app: &TestApp) {
        prepared(app);
        let run = begin(app, request(Some(1)));
        assert_eq!(tick(app), 1);
        let held = job(app, run).id;
        for _ in 0..ATTEMPTS_MAX {
            let times = (app.now(), app.now().plus_seconds(LEASE_SECONDS));
            assert!(app.write(move |tx| Ok(store::job::claim(tx, held, "dead", times)?)));
            app.advance(1);
        }
        assert_eq!((tick(app), tick(app)), (1, 0));
        let failed = job(app, run);
        assert_eq!((failed.state, failed.failure.as_deref()), (JobState::Failed, Some("the process that worked on it ended")));
        let admin = app.as_admin();
        let shown = admin.get(&format!("/api/v1/subsidy-runs/{}", run.number())).expect_status(200);
        assert_eq!((&shown["status"], &shown["failure"]), (&json!("failed"), &json!("the process that worked on it ended")));
        let own = admin.get(&format!("/api/v1/evaluations/{}", shown["evaluation_id"])).expect_status(200);
        assert_eq!(own["status"], "failed");
        for action in ["evaluation_fail", "subsidy_fail"] {
            assert_eq!(events(app, action), 1, "{action}");
        }
    }

    fn a_job_is_forgotten_90_days_after_it_ended(app: &TestApp) {
        prepared(app);
        let ended = begin(app, request(None));
        while tick(app) == 1 {}
        assert_eq!(job(app, ended).state, JobState::Done);
        let open = begin(app, request(None));
        let kept = || app.read(|conn| {
            let of = store::schema::job::table.select(store::schema::job::subject_id);
            Ok(of.load::<i64>(conn).map_err(store::StoreError::from)?)
        });
        let forget = || app.block_on(retention::forget(&app.app, app.now())).unwrap();
        app.advance(90 * 24 * 60);
        forget();
        assert_eq!(kept(), [ended.number(), open.number()]);
        app.advance(1);
        forget();
        // What nobody has begun is still somebody's to do.
        assert_eq!(kept(), [open.number()]);
    }

    fn a_run_thrown_away_takes_its_unfinished_evaluation_with_it(app: &TestApp) {
        prepared(app);
        let run = begin(app, request(Some(1)));
        assert_eq!(tick(app), 1);
        let admin = app.as_admin();
        let path = format!("/api/v1/subsidy-runs/{}", run.number());
        let running = admin.get(&path).expect_status(200);
        assert_eq!((&running["status"], &running["phase"], &running["progress"]), (&json!("running"), &json!("grade"), &json!(10)));
        admin.post(&format!("{path}/discard"), json!({})).expect_status(200);
        let own = admin.get(&format!("/api/v1/evaluations/{}", running["evaluation_id"])).expect_status(200);
        assert_eq!((&own["status"], job(app, run).state), (&json!("discarded"), JobState::Cancelled));
        assert_eq!(tick(app), 0);
    }
}

fn advance_seconds(app: &World, seconds: i64) {
    app.app.clock.advance_seconds(seconds);
}

/// Keeps the grades from being stored until it is dropped, or for ever.
fn hold_up(fleet: &Fleet) -> Option<Conn> {
    if fleet.backend == Backend::Sqlite {
        return None;
    }
    let mut held = fleet.url.parse::<Database>().unwrap().connect().unwrap();
    for statement in ["BEGIN", "LOCK TABLE evaluation_input IN EXCLUSIVE MODE"] {
        diesel::sql_query(statement).execute(&mut held).unwrap();
    }
    Some(held)
}

/// On SQLite the statement that stores the first frozen line never ends.
const ENDLESS: [&str; 2] = [
    "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    "CREATE TRIGGER endless_insert BEFORE INSERT ON evaluation_input BEGIN SELECT count(*) FROM endless; END",
];

const ENDED: [&str; 2] = ["DROP TRIGGER endless_insert", "DROP VIEW endless"];

fn execute(direct: &Direct, statements: &'static [&str]) {
    direct.world.write(move |tx| {
        for statement in statements {
            diesel::sql_query(*statement)
                .execute(tx)
                .map_err(store::StoreError::from)?;
        }
        Ok(())
    });
}

/// A server is killed while it stores the grades; another one, or the same started again, finishes the run.
fn killed_within_a_phase(backend: Backend) {
    let nodes = if backend == Backend::Sqlite { 1 } else { 2 };
    let prepared = Fleet::start(backend, nodes, |direct| {
        direct
            .world
            .block_on(install_shipped(&direct.world.app, direct.world.now()))
            .unwrap();
        given::instrument(&direct.world).insert();
        if backend == Backend::Sqlite {
            execute(direct, &ENDLESS);
        }
        direct.token(ADMIN)
    });
    let Some((mut fleet, token)) = prepared else {
        return;
    };
    let held = hold_up(&fleet);
    let body = json!({"year": 2026, "policy": "hebei-2026", "budget_fen": 1_000_000});
    let run = fleet
        .client(0, &token)
        .post("/api/v1/subsidy-runs", &body)
        .expect_status(202)
        .id();
    let run: SubsidyRunId = run.try_into().unwrap();
    let job = |fleet: &Fleet| {
        fleet.direct(|direct| direct.read(move |conn| Ok(store::job::get(conn, RunId::from(run))?)))
    };
    let graded = |job: &Job| job.phase == RunPhase::Grade && job.leased_by.is_some();
    let mut patience = 3_000;
    while !graded(&job(&fleet)) {
        std::thread::sleep(Duration::from_millis(10));
        patience -= 1;
        assert!(patience > 0, "the grading never began");
    }
    let (frozen, _) = fleet.direct(|direct| direct.read(move |conn| Ok(outcome(conn, run)?)));
    fleet.nodes[0].kill();
    fleet.nodes.remove(0);
    drop(held);
    fleet.direct(|direct| {
        if backend == Backend::Sqlite {
            execute(direct, &ENDED);
        }
        // Half a minute passes.
        execute(
            direct,
            &["UPDATE job SET leased_until = '2026-01-01 00:00:00' WHERE state = 'open'"],
        );
    });
    if backend == Backend::Sqlite {
        let url = fleet.url.clone();
        fleet.nodes.push(Node::start(&url));
    }
    let client = fleet.client(0, &token);
    let ended = |path: &str| {
        for _ in 0..600 {
            let shown = client.get(path).expect_status(200);
            if shown["status"] != "running" {
                assert_eq!(shown["status"], "draft", "{}", shown.text());
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{path} still runs");
    };
    ended(&format!("/api/v1/subsidy-runs/{run}"));
    let undisturbed = client
        .post("/api/v1/subsidy-runs", &body)
        .expect_status(202);
    ended(&format!("/api/v1/subsidy-runs/{}", undisturbed.id()));
    let undisturbed: SubsidyRunId = undisturbed.id().try_into().unwrap();
    let (stands_on, digests) =
        fleet.direct(|direct| direct.read(move |conn| Ok(outcome(conn, run)?)));
    let (_, expected) =
        fleet.direct(|direct| direct.read(move |conn| Ok(outcome(conn, undisturbed)?)));
    assert_eq!((stands_on, &digests), (frozen, &expected));
    assert!(digests.iter().all(Option::is_some));
}

#[test]
fn a_restarted_process_finishes_what_it_was_killed_in_on_sqlite() {
    killed_within_a_phase(Backend::Sqlite);
}

#[test]
fn another_node_finishes_what_a_killed_one_began_on_postgres() {
    killed_within_a_phase(Backend::Postgres);
}
