//! Terms: the stored document says what the tables say after whatever happened, and a booking costs few statements, none of
//! them prepared anew.

use std::sync::atomic::{AtomicBool, Ordering};

use diesel::prelude::*;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;
use yiqi::error::AppError;
use yiqi::store::schema::instrument_terms;
use yiqi::store::{self, Conn, Lock, StoreError};

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

type Document = Option<(i64, String)>;

fn stored(conn: &mut Conn, id: InstrumentId) -> Result<Document, AppError> {
    let row = instrument_terms::table
        .find(id)
        .select((instrument_terms::version, instrument_terms::content));
    Ok(row.first(conn).optional().map_err(StoreError::from)?)
}

/// What the actions left stored, and what the tables say.
fn stored_and_made(app: &TestApp, id: InstrumentId) -> (Document, Document) {
    let (unit, now) = (app.organization_id(BOSS.organization), app.now());
    let left = app.read(move |conn| Ok(stored(conn, id)?));
    let made = app.write(move |tx| {
        Lock::take_records_of(id, tx)?;
        store::terms::forget(tx, &[id])?;
        store::terms::find_or_insert(tx, (id, unit), now)?;
        Ok(stored(tx, id)?)
    });
    (left, made)
}

fn put_rules(app: &TestApp, id: InstrumentId, minutes: i64) {
    let path = format!("/api/v1/instruments/{id}/booking-rules");
    let present = app.as_host().get(&path);
    let mut rules: Value = serde_json::from_str(&present.text()).unwrap();
    rules["setup_minutes"] = json!(minutes);
    let put = app
        .as_host()
        .request(Method::PUT, &path)
        .header("If-Match", present.etag())
        .json(rules)
        .send();
    put.expect_status(200);
}

/// Things that change what terms are made from, each as often as any other, in an order that nobody chose.
struct Changes {
    seed: u64,
    rng: StdRng,
    kinds: Vec<Kind>,
    is_suspended: bool,
    prices: u64,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Rules,
    Closure,
    Price,
    Service,
    /// The instrument is suspended or, when it is, resumed.
    Suspension,
    HostSuspension,
}

impl Changes {
    /// Each kind so many times. `YIQI_TEST_SEED` does again what failed once.
    #[expect(clippy::print_stdout, reason = "the seed is shown when a test fails")]
    fn new(times: usize) -> Self {
        let given = std::env::var("YIQI_TEST_SEED").ok();
        let seed = given.map_or_else(rand::random, |text| text.parse().unwrap());
        println!("YIQI_TEST_SEED={seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let all = [
            Kind::Rules,
            Kind::Closure,
            Kind::Price,
            Kind::Service,
            Kind::Suspension,
            Kind::HostSuspension,
        ];
        let mut kinds = all.repeat(times);
        kinds.shuffle(&mut rng);
        Self {
            seed,
            rng,
            kinds,
            is_suspended: false,
            prices: 0,
        }
    }

    /// The next change; none when all were made.
    fn make_next(&mut self, app: &TestApp, id: InstrumentId, unit: i64) -> Option<Kind> {
        let kind = self.kinds.pop()?;
        let path = format!("/api/v1/instruments/{id}");
        let takes_back = self.rng.random();
        match kind {
            Kind::Rules => put_rules(app, id, self.rng.random_range(0..24) * 5),
            Kind::Closure => self.close(app, &path, takes_back),
            Kind::Price => self.set_price(app, &path),
            Kind::Service => self.offer(app, &path, takes_back),
            Kind::Suspension => {
                self.is_suspended = !self.is_suspended;
                suspend(app, &path, self.is_suspended);
            }
            Kind::HostSuspension => {
                let unit = format!("/api/v1/organizations/{unit}");
                suspend(app, &unit, true);
                suspend(app, &unit, false);
            }
        }
        Some(kind)
    }

    fn close(&mut self, app: &TestApp, path: &str, takes_back: bool) {
        let (host, day) = (app.as_host(), self.rng.random_range(1..29));
        let starts_at = format!("2026-04-{day:02}T08:00:00+08:00");
        let closure = json!({"starts_at": starts_at, "kind": "fault"});
        let made = host
            .post(&format!("{path}/closures"), closure)
            .expect_status(201);
        if takes_back {
            let closure = format!("/api/v1/closures/{}", made.id());
            host.delete(&closure).expect_status(204);
        }
    }

    /// For a day that has no price yet.
    fn set_price(&mut self, app: &TestApp, path: &str) {
        self.prices += 1;
        let first = chrono::NaiveDate::from_ymd_opt(2030, 1, 1).unwrap();
        let from = first + chrono::Days::new(self.prices);
        let fen = self.rng.random_range(1..100_000);
        let price = json!({"valid_from": from, "valid_until": from, "price_fen_per_hour": fen});
        app.as_host()
            .post(&format!("{path}/tariffs"), price)
            .expect_status(201);
    }

    fn offer(&mut self, app: &TestApp, path: &str, takes_back: bool) {
        let fen = self.rng.random_range(1..100_000);
        let service = json!({"test_item": "拉伸", "unit": "样", "price_fen": fen});
        let host = app.as_host();
        let made = host
            .post(&format!("{path}/services"), service)
            .expect_status(201);
        if takes_back {
            let service = format!("{path}/services/{}", made.id());
            host.delete(&service).expect_status(204);
        }
    }
}

fn suspend(app: &TestApp, path: &str, is_suspended: bool) {
    let (action, body) = match is_suspended {
        true => ("suspend", json!({"reason": "逾期未检"})),
        false => ("resume", json!({})),
    };
    app.as_admin()
        .post(&format!("{path}/{action}"), body)
        .expect_status(200);
}

fn book(company: &Client, id: InstrumentId, hour: i64, key: Option<&str>) -> Answer {
    let body = json!({
        "instrument_id": id, "starts_at": format!("2026-03-04T{hour:02}:00:00+08:00"),
        "ends_at": format!("2026-03-04T{:02}:00:00+08:00", hour + 1), "mode": "self_operated", "purpose": "research",
    });
    let request = company.request(Method::POST, "/api/v1/bookings").json(body);
    let request = match key {
        Some(key) => request.header("Idempotency-Key", key),
        None => request,
    };
    request.send().expect_status(201)
}

both! {
    fn stored_terms_say_what_the_tables_say(app: &TestApp) {
        let id = given::instrument(app).open("00:00", "24:00").insert();
        let host = app.organization_id(HOST.organization).number();
        book(&app.as_company(), id, 10, None);
        let mut documents = Vec::new();
        let mut changes = Changes::new(6);
        while let Some(kind) = changes.make_next(app, id, host) {
            let (left, made) = stored_and_made(app, id);
            let seed = changes.seed;
            assert!(left.is_some() && left == made, "seed {seed}, after {kind:?}: {left:?} {made:?}");
            documents.extend(left);
        }
        documents.dedup();
        assert!(documents.len() > 12, "the changes are seen: {}", documents.len());
    }

    fn a_second_node_that_makes_terms_meanwhile_leaves_none_behind(app: &TestApp) {
        let id = given::instrument(app).insert();
        let (host, unit) = (app.organization_id(HOST.organization).number(), app.organization_id(BOSS.organization));
        let other = open_store(app.url.parse().unwrap(), 2);
        let ends = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let now = app.now();
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                while !ends.load(Ordering::SeqCst) {
                    let forgotten = runtime.block_on(other.write(move |tx| Ok(store::terms::forget(tx, &[id])?)));
                    forgotten.unwrap();
                    let made = runtime.block_on(other.write(move |tx| {
                        Lock::take_records_of(id, tx)?;
                        store::terms::find_or_insert(tx, (id, unit), now)?;
                        Ok(())
                    }));
                    made.unwrap();
                }
            });
            let mut changes = Changes::new(5);
            while changes.make_next(app, id, host).is_some() {}
            ends.store(true, Ordering::SeqCst);
        });
        app.write({
            let now = app.now();
            move |tx| {
                Lock::take_records_of(id, tx)?;
                store::terms::find_or_insert(tx, (id, unit), now)?;
                Ok(())
            }
        });
        let (left, made) = stored_and_made(app, id);
        assert!(left.is_some() && left == made, "{left:?} {made:?}");
    }

    fn an_import_leaves_no_terms_of_before(app: &TestApp) {
        let (host, unit, now) = (app.as_host(), app.organization_id(HOST.organization), app.now());
        let import = |query: &str, rows: &str| {
            let path = format!("/api/v1/instruments/import{query}");
            let sent = host.request(Method::POST, &path).bytes("text/csv; charset=utf-8", rows).send();
            sent.expect_status(200);
        };
        let head = "asset_no,name,original_value_fen,category_code,purpose_type,channels\n";
        import("", &format!("{head}A1,电镜,20000000,010102,general,1\n"));
        let id = app.read(move |conn| Ok(store::instrument::find_by_asset_no(conn, unit, &"A1".into())?.unwrap().id));
        app.write(move |tx| {
            Lock::take_records_of(id, tx)?;
            Ok(store::terms::find_or_insert(tx, (id, unit), now).map(|_| ())?)
        });
        import("?mode=upsert", &format!("{head}A1,,,,,3\n"));
        assert_eq!(app.read(move |conn| Ok(store::terms::get(conn, id)?.channels)), 3);
    }

    fn a_booking_prepares_nothing_anew(app: &TestApp) {
        let id = given::instrument(app).open("00:00", "24:00").rules(json!({"approval": "automatic"})).insert();
        let traffic = || (app.app.store.traffic().sent(), app.app.store.traffic().prepared());
        let company = app.as_company();
        // Both pools have up to four connections, each with statements of its own.
        for hour in 1..8 {
            book(&company, id, hour, Some(&format!("warm-{hour}")));
        }
        let least = |key: Option<&str>, hours: std::ops::Range<i64>| {
            let cost = |hour: i64| {
                let key = key.map(|key| format!("{key}-{hour}"));
                let before = traffic();
                book(&company, id, hour, key.as_deref());
                (traffic().0 - before.0, traffic().1 - before.1)
            };
            hours.map(cost).min().unwrap()
        };
        let (plain, keyed) = (least(None, 8..14), least(Some("once"), 14..20));
        assert_eq!((plain.1, keyed.1), (0, 0), "prepared anew");
        let (plain_most, keyed_most) = match app.backend {
            Backend::Postgres => (7, 9),
            Backend::Sqlite => (7, 9),
        };
        assert!(plain.0 <= plain_most && keyed.0 <= keyed_most, "{} and {} statements", plain.0, keyed.0);
    }
}
