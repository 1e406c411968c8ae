//! Imports beside other work: what changes between judging and moving is judged again, nothing staged is ever seen, others
//! are served between the commits, and a dry run only reads.

use std::sync::mpsc::channel;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl};
use serde_json::json;
use ureq::http::Method;
use yiqi::domain::Minutes;
use yiqi::domain::access::Action;
use yiqi::domain::instrument::{InstrumentFacts, PurposeType};
use yiqi::exchange::instrument as sheet;
use yiqi::exchange::sheet::Format;
use yiqi::operations::actor::Actor;
use yiqi::operations::instrument::{Import, ImportMode, Imported};
use yiqi::operations::run::Run;
use yiqi::operations::{feed, instrument, retention};
use yiqi::store::{Conn, Database, StoreError};

use crate::client::{Answer, Client};
use crate::fleet::{Fleet, Node};
use crate::world::*;
use crate::{both, given};

const INSTRUMENTS: &str = "/api/v1/instruments";
const RECORDS: &str = "/api/v1/usage-records";
const CHARGES: &str = "/api/v1/charges";
const HEAD: &str = "asset_no,name,original_value_fen,category_code,purpose_type,model\n";

fn import(client: &Client, path: &str, file: &str) -> Answer {
    let request = client.request(Method::POST, path);
    request.bytes("text/csv", file).send()
}

/// Row, column and code of every entry.
fn faults(answer: &Answer) -> Vec<(u64, String, String)> {
    let errors = answer["errors"].as_array().unwrap().iter();
    let word = |entry: &serde_json::Value, name: &str| entry[name].as_str().unwrap().to_owned();
    errors
        .map(|entry| {
            (
                entry["row"].as_u64().unwrap(),
                word(entry, "column"),
                word(entry, "code"),
            )
        })
        .collect()
}

/// Somebody else does this as soon as a row is staged: after the rows were judged, before they are moved.
fn meanwhile(app: &TestApp, table: &str, statement: &str) {
    let statements = match app.backend {
        Backend::Sqlite => {
            format!("CREATE TRIGGER test_meanwhile AFTER INSERT ON {table} BEGIN {statement}; END;")
        }
        Backend::Postgres => format!(
            "CREATE FUNCTION test_meanwhile() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN {statement}; RETURN NULL; END $$; \
             CREATE TRIGGER test_meanwhile AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION test_meanwhile();"
        ),
    };
    app.write(move |tx| Ok(tx.batch_execute(&statements).map_err(StoreError::from)?));
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Rows in the staging tables.
fn staged(conn: &mut Conn) -> Result<i64, StoreError> {
    let tables = ["import", "event", "instrument", "usage_record", "charge"];
    let counts = tables.map(|table| format!("(SELECT count(*) FROM staged_{table})"));
    let all = diesel::sql_query(format!("SELECT {} AS n", counts.join(" + ")));
    Ok(all.get_result::<Count>(conn)?.n)
}

fn instruments_there(conn: &mut Conn) -> Result<i64, StoreError> {
    let all = diesel::sql_query("SELECT count(*) AS n FROM instrument");
    Ok(all.get_result::<Count>(conn)?.n)
}

fn asset_no(app: &World, instrument: yiqi::domain::InstrumentId) -> String {
    app.read(move |conn| {
        Ok(yiqi::store::instrument::get(conn, instrument)?
            .facts
            .asset_no
            .to_string())
    })
}

/// So many new instruments.
fn table(app: &World, rows: u32) -> Import {
    let facts = |number: u32| {
        let (name, category) = (format!("N{number:05}"), "010102".parse().unwrap());
        let value = yiqi::domain::Fen::new(30_000_000);
        InstrumentFacts::new(("离心机", &name), value, category, PurposeType::General)
    };
    let all: Vec<_> = (1..=rows).map(facts).collect();
    let table = sheet::write(&all, Format::Csv).unwrap();
    let (rows, _) = sheet::read(&table, Format::Csv).unwrap().into_parts();
    Import {
        host: app.organization_id(UNIVERSITY),
        rows,
        mode: ImportMode::Create,
        empty: yiqi::operations::instrument::Empty::Keep,
        is_dry_run: false,
    }
}

both! {
    fn an_entry_that_changes_meanwhile_is_judged_again(app: &TestApp) {
        let host = app.as_host();
        let rows = "A1,电镜,30000000,010102,general,\nA2,质谱,30000000,010102,general,\n";
        import(&host, &format!("{INSTRUMENTS}/import"), &format!("{HEAD}{rows}")).expect_status(200);
        meanwhile(app, "staged_instrument", "UPDATE instrument SET name = '改名', version = version + 1 WHERE version = 1");
        let changes = format!("{HEAD}A1,,,,,SU8600\nA2,质谱,,,,\nA3,色谱,30000000,010102,general,\n");
        let imported = import(&host, &format!("{INSTRUMENTS}/import?mode=upsert"), &changes).expect_status(200);
        // The second row was as the entry was, and is not any more.
        assert_eq!(imported.body, json!({"dry_run": false, "created": 1, "updated": 2, "unchanged": 0}));
        let page = host.get(&format!("{INSTRUMENTS}?sort=asset_no"));
        let told: Vec<_> = page["items"].as_array().unwrap().iter()
            .map(|item| (item["name"].as_str().unwrap(), item["version"].as_i64().unwrap())).collect();
        assert_eq!(told, [("改名", 3), ("质谱", 3), ("色谱", 1)]);
        assert_eq!(page["items"][0]["model"], "SU8600");
        let versions = host.get(&format!("{INSTRUMENTS}/{}/versions", page["items"][0]["id"])).expect_status(200);
        assert_eq!(versions["items"][0]["model"], "SU8600");
        assert_eq!(app.read(|conn| Ok(staged(conn)?)), 0);
    }

    fn a_number_taken_meanwhile_is_told_at_its_row_and_no_row_comes_in(app: &TestApp) {
        let host = app.as_host();
        let path = format!("{INSTRUMENTS}/import");
        import(&host, &path, &format!("{HEAD}A1,电镜,30000000,010102,general,\n")).expect_status(200);
        meanwhile(app, "staged_instrument",
            "INSERT INTO instrument (organization_id, asset_no, asset_no_key, name, state, category_code, purpose_type, original_value_fen, \
             region_code, channels, description, version, event_id, created_at, updated_at) \
             SELECT organization_id, 'A9', 'a9', name, state, category_code, purpose_type, original_value_fen, region_code, channels, \
             description, version, event_id, created_at, updated_at FROM instrument WHERE asset_no = 'A1' \
             AND NOT EXISTS (SELECT 1 FROM instrument WHERE asset_no = 'A9')");
        let events = app.read(|conn| Ok(yiqi::store::event::newest(conn)?));
        let rows = format!("{HEAD}A8,质谱,30000000,010102,general,\nA9,色谱,30000000,010102,general,\n");
        let refused = import(&host, &path, &rows).expect_code(409, "asset_no_used");
        assert_eq!(faults(&refused), [(3, "asset_no".to_owned(), "asset_no_used".to_owned())]);
        assert_eq!(app.read(|conn| Ok((staged(conn)?, instruments_there(conn)?))), (0, 2));
        assert_eq!(app.read(|conn| Ok(yiqi::store::event::newest(conn)?)), events);
    }

    fn time_taken_meanwhile_is_told_at_its_row_and_no_record_comes_in(app: &TestApp) {
        let asset = asset_no(app, given::instrument(app).insert());
        let (host, path) = (app.as_host(), format!("{RECORDS}/import"));
        let head = "asset_no,using_uscc,started_at,ended_at,mode,purpose,client_reference\n";
        let row = |hour: u32, reference: &str| {
            format!("{asset},{COMPANY},2026-02-11 {hour:02}:00,2026-02-11 {:02}:00,guided,other,{reference}\n", hour + 1)
        };
        import(&host, &path, &format!("{head}{}", row(8, "R-1"))).expect_status(200);
        // At 14:00 in Hebei.
        meanwhile(app, "staged_usage_record",
            "INSERT INTO usage_record (instrument_id, organization_id, channel, started_at, ended_at, prepare_minutes, run_minutes, \
             post_minutes, samples, mode, purpose, statutory, state, evidence, version, event_id, created_at, updated_at) \
             SELECT instrument_id, organization_id, channel, '2026-02-11 06:00:00', '2026-02-11 07:00:00', 0, 60, 0, 0, mode, purpose, \
             statutory, state, evidence, 1, event_id, created_at, updated_at FROM usage_record \
             WHERE NOT EXISTS (SELECT 1 FROM usage_record WHERE started_at = '2026-02-11 06:00:00')");
        let rows = format!("{head}{}{}", row(10, "R-2"), row(14, "R-3"));
        let refused = import(&host, &path, &rows).expect_code(409, "usage_overlaps");
        assert_eq!(faults(&refused), [(3, "started_at".to_owned(), "usage_overlaps".to_owned())]);
        assert_eq!(host.get(RECORDS)["items"].as_array().unwrap().len(), 2);
        assert_eq!(app.read(|conn| Ok(staged(conn)?)), 0);
    }

    fn a_price_made_meanwhile_is_charged(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (host, asset) = (app.as_host(), asset_no(app, sem));
        let price = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000});
        host.post(&format!("{INSTRUMENTS}/{sem}/tariffs"), price).expect_status(201);
        meanwhile(app, "staged_usage_record", "UPDATE tariff SET price_fen_per_hour = 9000");
        let rows = format!("asset_no,using_uscc,started_at,ended_at,mode,purpose\n\
            {asset},{COMPANY},2026-02-11 09:00,2026-02-11 10:00,guided,other\n{asset},{COMPANY},2026-02-11 10:00,2026-02-11 12:00,guided,other\n");
        import(&host, &format!("{RECORDS}/import"), &rows).expect_status(200);
        let charges = app.as_person(FINANCE).get(CHARGES).expect_status(200);
        let mut amounts: Vec<_> = charges["items"].as_array().unwrap().iter().map(|charge| charge["amount_fen"].as_i64().unwrap()).collect();
        amounts.sort_unstable();
        assert_eq!(amounts, [9_000, 18_000]);
    }

    fn an_import_under_its_key_happens_once(app: &TestApp) {
        let host = app.as_host();
        let send = || {
            let request = host.request(Method::POST, &format!("{INSTRUMENTS}/import")).header("Idempotency-Key", "one");
            request.bytes("text/csv", format!("{HEAD}A1,电镜,30000000,010102,general,\n")).send().expect_status(200)
        };
        let (first, again) = (send(), send());
        assert_eq!(first.header("idempotency-replayed"), None);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(first.body, again.body);
        assert_eq!(app.read(|conn| Ok(instruments_there(conn)?)), 1);
    }

    fn others_are_served_between_the_commits_and_see_nothing(app: &TestApp) {
        let store = &app.app.store;
        let run = Run::direct(&app.app, &Actor::system(app.now()), Action::InstrumentImport);
        let rows = table(app, 2_500);
        let imported = app.block_on(async {
            let importing = instrument::import(&run, std::future::ready(Ok(rows)));
            let others = async {
                let mut seen = Vec::new();
                loop {
                    let (some, there) = store.write(|tx| Ok((staged(tx)?, instruments_there(tx)?))).await.unwrap();
                    seen.push((some, there));
                    if there > 0 {
                        return seen;
                    }
                }
            };
            let (imported, seen) = tokio::join!(importing, others);
            // A listed import, and an event and a version for each row.
            let is_part = |(some, there): &&(i64, i64)| (2_000..5_000).contains(some) && *there == 0;
            assert!(seen.iter().filter(is_part).count() > 0, "{seen:?}");
            assert_eq!(seen.last().map(|(_, there)| *there), Some(2_500));
            imported.unwrap().now().unwrap()
        });
        assert_eq!(imported, Imported { created: 2_500, updated: 0, unchanged: 0 });
        assert_eq!(app.read(|conn| Ok(staged(conn)?)), 0);
    }

    fn an_abandoned_import_is_never_seen_held_back_for_and_forgotten(app: &TestApp) {
        let (store, began_at) = (&app.app.store, app.now());
        let rows = table(app, 2_500);
        app.block_on(async {
            let run = Run::direct(&app.app, &Actor::system(began_at), Action::InstrumentImport);
            let importing = Box::pin(instrument::import(&run, std::future::ready(Ok(rows))));
            let half = Box::pin(async { while store.read(staged).await.unwrap() < 1_000 {} });
            // Whoever asked goes away.
            drop(futures_util::future::select(importing, half).await);
            while store.oldest_write_seconds() > 0 {
                tokio::task::yield_now().await;
            }
        });
        app.advance(59);
        let forget = || app.block_on(retention::forget(&app.app, app.now())).unwrap();
        forget();
        assert!(app.read(|conn| Ok(staged(conn)?)) >= 1_000);
        // A feed goes back to its beginning, as it might still come in.
        let as_of = app.block_on(feed::as_of(&app.app, app.now())).unwrap();
        assert!(as_of <= began_at.plus(Minutes::new(-1)), "{as_of} {began_at}");
        app.advance(2);
        forget();
        assert_eq!(app.read(|conn| Ok((staged(conn)?, instruments_there(conn)?))), (0, 0));
        let as_of = app.block_on(feed::as_of(&app.app, app.now())).unwrap();
        assert!(as_of > began_at);
    }
}

#[test]
fn a_dry_run_goes_on_while_the_writer_is_held() {
    TestApp::run(Backend::Sqlite, |app| {
        let asset = asset_no(app, given::instrument(app).insert());
        let host = app.as_host();
        // Signing in has written what it writes.
        host.get(INSTRUMENTS).expect_status(200);
        let (begun, begins) = channel();
        let (open, opened) = channel();
        let (begun, opened) = (std::sync::Mutex::new(begun), std::sync::Mutex::new(opened));
        std::thread::scope(|scope| {
            let held = scope.spawn(|| {
                app.block_on(app.app.store.write(move |_| {
                    begun.lock().unwrap().send(()).unwrap();
                    let told = opened.lock().unwrap().recv_timeout(Duration::from_secs(30));
                    Ok(told.is_ok())
                }))
            });
            begins.recv().unwrap();
            let row = format!("{HEAD}A1,电镜,30000000,010102,general,\n");
            let dry = import(&host, &format!("{INSTRUMENTS}/import?dry_run=true"), &row);
            assert_eq!(dry.expect_status(200)["created"], 1);
            let row = format!(
                "asset_no,using_uscc,started_at,ended_at,mode,purpose\n\
                 {asset},{COMPANY},2026-02-11 09:00,2026-02-11 10:00,guided,other\n"
            );
            let dry = import(&host, &format!("{RECORDS}/import?dry_run=true"), &row);
            assert_eq!(dry.expect_status(200)["rows"], 1);
            open.send(()).unwrap();
            let was_held_throughout = held.join().unwrap().unwrap();
            assert!(was_held_throughout);
        });
    });
}

/// The process dies between two commits; the next one shows nothing of the import and takes the same table.
fn killed_between_commits(backend: Backend) {
    const ROWS: usize = 4_000;
    let Some((mut fleet, token)) = Fleet::start(backend, 1, |direct| direct.token(HOST)) else {
        return;
    };
    let rows: String = (0..ROWS)
        .map(|number| format!("N{number:05},离心机,30000000,010102,general,\n"))
        .collect();
    let file = format!("{HEAD}{rows}");
    let path = format!("{INSTRUMENTS}/import");
    let database: Database = fleet.url.parse().unwrap();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let client = fleet.client(0, &token);
            let request = client.request(Method::POST, &path);
            request.bytes("text/csv", file.clone()).try_send()
        });
        let mut connection = database.connect_reader(Duration::from_secs(60)).unwrap();
        while staged(&mut connection).unwrap() < 1_000 {}
        fleet.nodes[0].kill_by_id();
        assert!(asked.join().unwrap().is_err(), "it was in the middle of it");
    });
    fleet.nodes.clear();
    fleet.nodes.push(Node::start(&fleet.url));
    let left = fleet
        .direct(|direct| direct.read(|conn| Ok((staged(conn)? > 0, instruments_there(conn)?))));
    assert_eq!(left, (true, 0));
    let client = fleet.client(0, &token);
    assert_eq!(client.get(INSTRUMENTS)["items"], json!([]));
    let again = import(&client, &path, &file).expect_status(200);
    assert_eq!(again["created"], ROWS);
}

#[test]
fn an_import_killed_between_commits_leaves_nothing_to_see_on_sqlite() {
    killed_between_commits(Backend::Sqlite);
}

#[test]
fn an_import_killed_between_commits_leaves_nothing_to_see_on_postgres() {
    killed_between_commits(Backend::Postgres);
}
