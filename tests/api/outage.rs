//! PostgreSQL restarts under a running service: a request that met a dead connection is told to come again, and no other is
//! lent a dead one.

use diesel::{Connection, PgConnection, RunQueryDsl};
use serde_json::json;
use yiqi::error::AppError;
use yiqi::store::{Conn, StoreError};

use crate::given;
use crate::world::{Backend, TestApp};

/// Ends every connection of the service, as a restart does.
fn end_all_connections(app: &TestApp) {
    let mut admin = PgConnection::establish(&app.url).unwrap();
    let ended = diesel::sql_query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut admin)
    .unwrap();
    assert!(ended >= 8, "both pools were full: {ended}");
}

fn doze(conn: &mut Conn) -> Result<(), AppError> {
    let slept = diesel::sql_query("SELECT pg_sleep(0.3)").execute(conn);
    slept.map_err(StoreError::from)?;
    Ok(())
}

/// So many at once that each pool opens all of its connections.
fn fill_pools(app: &TestApp) {
    let store = &app.app.store;
    app.block_on(async {
        let reads = futures_util::future::join_all((0..4).map(|_| store.read(doze)));
        let writes = futures_util::future::join_all((0..4).map(|_| store.write(doze)));
        let (reads, writes) = tokio::join!(reads, writes);
        assert!(reads.into_iter().chain(writes).all(|done| done.is_ok()));
    });
}

#[test]
fn a_restarted_server_costs_one_request_of_each_pool() {
    TestApp::run(Backend::Postgres, |app| {
        let instrument = given::instrument(app).insert();
        let path = format!("/api/v1/instruments/{instrument}/tariffs");
        let (visitor, host) = (app.visitor(), app.as_host());
        fill_pools(app);
        end_all_connections(app);
        let reads: Vec<u16> = (0..8).map(|_| visitor.get(&path).status).collect();
        let write = |month: i64| {
            let body = json!({
                "valid_from": format!("2026-0{month}-01"), "valid_until": format!("2026-0{month}-01"),
                "price_fen_per_hour": 1,
            });
            host.post(&path, body).status
        };
        let writes: Vec<u16> = (1..=8).map(write).collect();
        for (statuses, done) in [(reads, 200), (writes, 201)] {
            assert!(
                matches!(statuses[0], 503) || statuses[0] == done,
                "{statuses:?}"
            );
            assert!(
                statuses[1..].iter().all(|status| *status == done),
                "{statuses:?}"
            );
        }
    });
}
