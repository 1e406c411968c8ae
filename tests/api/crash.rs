//! `kill -9` under load: every booking that was answered 201 is there afterwards with its event, and no slot is double.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl};
use serde_json::json;
use yiqi::domain::{Instant, Minutes};
use yiqi::store::{Conn, StoreError};

use crate::fleet::{Fleet, Node};
use crate::given;
use crate::world::{BOSS, Backend};

const KILLS: usize = 20;
const CLIENTS: usize = 8;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn count(conn: &mut Conn, statement: &str) -> i64 {
    diesel::sql_query(statement)
        .get_result::<Count>(conn)
        .map_err(StoreError::from)
        .unwrap()
        .n
}

const DOUBLES: &str = "SELECT count(*) AS n FROM booking a JOIN booking b ON a.instrument_id = b.instrument_id \
    AND a.channel = b.channel AND a.id < b.id AND a.blocked_from < b.blocked_until AND b.blocked_from < a.blocked_until \
    WHERE a.state = 'confirmed' AND b.state = 'confirmed'";

const WITHOUT_EVENT: &str = "SELECT count(*) AS n FROM booking b WHERE NOT EXISTS (SELECT 1 FROM event e \
    WHERE e.subject_type = 'booking' AND e.subject_id = b.id AND e.action = 'booking_request')";

const EVENT_WITHOUT_BOOKING: &str = "SELECT count(*) AS n FROM event e WHERE e.action = 'booking_request' \
    AND NOT EXISTS (SELECT 1 FROM booking b WHERE b.id = e.subject_id)";

/// Books hour after hour until the server is gone; every second hour is asked for twice.
fn load(
    fleet: &Fleet,
    token: &str,
    body: impl Fn(i64) -> serde_json::Value + Sync,
    hour: &AtomicI64,
    promised: &Mutex<Vec<i64>>,
) {
    let gone = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (gone, body) = (&gone, &body);
            scope.spawn(move || {
                let client = fleet.client(client, token);
                while !gone.load(Ordering::SeqCst) {
                    let turn = hour.fetch_add(1, Ordering::SeqCst);
                    let asked = client
                        .request(ureq::http::Method::POST, "/api/v1/bookings")
                        .json(body(turn / 2))
                        .try_send();
                    match asked {
                        Ok(answer) if answer.status == 201 => {
                            promised.lock().unwrap().push(answer.id())
                        }
                        Ok(answer) => assert_eq!(answer.status, 409, "{:?}", answer.body),
                        Err(_) => gone.store(true, Ordering::SeqCst),
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(250));
        // The nodes are killed through their process id, as an operator would.
        for node in &fleet.nodes {
            node.kill_by_id();
        }
    });
}

fn killed_under_load(backend: Backend) {
    let prepared = Fleet::start(backend, 1, |direct| {
        // One instrument a kill, so that no booking lies further ahead than the rules allow.
        let instruments: Vec<_> = (0..KILLS)
            .map(|_| given::instrument(&direct.world).insert())
            .collect();
        let tomorrow = direct.world.now().local_date() + chrono::Days::new(1);
        (
            instruments,
            direct.token(BOSS),
            Instant::at_midnight(tomorrow),
        )
    });
    let Some((mut fleet, (instruments, token, first))) = prepared else {
        return;
    };
    let promised = Mutex::new(Vec::new());
    for instrument in instruments {
        let hour = AtomicI64::new(0);
        let body = |turn: i64| {
            let starts_at = first.plus(Minutes::new(turn % 2000 * 60));
            json!({
                "instrument_id": instrument, "starts_at": starts_at, "ends_at": starts_at.plus(Minutes::new(60)),
                "mode": "self_operated", "purpose": "research",
            })
        };
        load(&fleet, &token, body, &hour, &promised);
        fleet.nodes.clear();
        let url = fleet.url.clone();
        fleet.nodes.push(Node::start(&url));
    }
    fleet.nodes.clear();
    let promised = promised.into_inner().unwrap();
    assert!(
        promised.len() > KILLS,
        "the load was real: {} bookings",
        promised.len()
    );
    fleet.direct(|direct| {
        let wrong = direct.read(move |conn| {
            let mut missing = 0;
            for id in promised {
                missing += 1 - count(
                    conn,
                    &format!(
                        "SELECT count(*) AS n FROM booking WHERE id = {id} AND state = 'confirmed'"
                    ),
                );
            }
            Ok([
                missing,
                count(conn, DOUBLES),
                count(conn, WITHOUT_EVENT),
                count(conn, EVENT_WITHOUT_BOOKING),
            ])
        });
        assert_eq!(
            wrong,
            [0, 0, 0, 0],
            "promised but missing, double, without event, event without booking"
        );
    });
}

#[test]
fn killed_under_load_on_sqlite() {
    killed_under_load(Backend::Sqlite);
}

#[test]
fn killed_under_load_on_postgres() {
    killed_under_load(Backend::Postgres);
}

/// SIGTERM: the server finishes what runs and ends with success.
#[test]
fn a_stopped_server_ends_well() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let Some((mut fleet, ())) = Fleet::start(backend, 1, |_| ()) else {
            continue;
        };
        assert!(fleet.nodes[0].stop());
    }
}
