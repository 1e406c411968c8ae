//! Each write of an action is refused in turn, by a trigger on the table it goes to: the answer is a plain 500, and not one row of
//! the database is different. When nothing refuses any more, the same action succeeds.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::store::{Conn, StoreError};

use crate::client::Answer;
use crate::world::*;
use crate::{both, given};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut Conn, query: &str) -> Vec<String> {
    let lines: Vec<Line> = diesel::sql_query(query).load(conn).unwrap();
    lines.into_iter().map(|line| line.line).collect()
}

/// Every row of every table but the sessions, which note when they were used.
fn everything(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    let backend = app.backend;
    app.read(move |conn| {
        let tables = lines(conn, match backend {
            Backend::Sqlite => "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            Backend::Postgres => "SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = 'public'",
        });
        let told = tables.into_iter().filter(|table| table != "session");
        Ok(told
            .map(|table| {
                let query = match backend {
                    Backend::Sqlite => {
                        let columns = lines(conn, &format!("SELECT name AS line FROM pragma_table_info('{table}')"));
                        let columns: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
                        format!("SELECT {} AS line FROM {table} ORDER BY 1", columns.join(" || ',' || "))
                    }
                    Backend::Postgres => format!("SELECT row_to_json(t)::text AS line FROM {table} t ORDER BY 1"),
                };
                let rows = lines(conn, &query);
                (table, rows)
            })
            .collect())
    })
}

fn execute(app: &TestApp, statements: String) {
    app.write(move |tx| Ok(tx.batch_execute(&statements).map_err(StoreError::from)?));
}

/// From now on the database refuses this kind of write to a table.
pub fn refuse(app: &TestApp, table: &str, action: &str) {
    execute(
        app,
        match app.backend {
            Backend::Sqlite => format!(
                "CREATE TRIGGER test_refusal BEFORE {action} ON {table} BEGIN SELECT RAISE(ABORT, 'the disk says no'); END;"
            ),
            Backend::Postgres => format!(
                "CREATE OR REPLACE FUNCTION test_refusal() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'the disk says no'; END $$; \
             CREATE TRIGGER test_refusal BEFORE {action} ON {table} FOR EACH ROW EXECUTE FUNCTION test_refusal();"
            ),
        },
    );
}

pub fn allow(app: &TestApp, table: &str) {
    execute(
        app,
        match app.backend {
            Backend::Sqlite => "DROP TRIGGER test_refusal;".to_owned(),
            Backend::Postgres => format!("DROP TRIGGER test_refusal ON {table};"),
        },
    );
}

/// Refuses each of these writes in turn, then none; answers what the action answered at last.
fn each_refused(app: &TestApp, writes: &[(&str, &str)], send: impl Fn() -> Answer) -> Answer {
    let before = everything(app);
    for (action, table) in writes {
        refuse(app, table, action);
        let answer = send();
        allow(app, table);
        assert_eq!(
            answer.status,
            500,
            "{action} {table} was not needed: {}",
            answer.text()
        );
        assert!(!answer.text().contains("disk"), "{}", answer.text());
        for (name, rows) in everything(app) {
            assert_eq!(
                rows, before[&name],
                "{name} after {action} {table} was refused"
            );
        }
    }
    send()
}

fn price(app: &TestApp, instrument: yiqi::domain::InstrumentId) {
    let body = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000});
    app.as_host()
        .post(&format!("/api/v1/instruments/{instrument}/tariffs"), body)
        .expect_status(201);
}

both! {
    fn a_booking_happens_whole_or_not_at_all(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let company = app.as_company();
        let wish = json!({
            "instrument_id": sem, "mode": "guided", "purpose": "research", "description": "断口",
            "starts_at": "2026-03-03T10:00:00+08:00", "ends_at": "2026-03-03T12:00:00+08:00",
        });
        let writes = [
            ("INSERT", "booking"), ("INSERT", "event"), ("INSERT", "event_personal"),
            ("INSERT", "idempotency_key"),
        ];
        let booked = each_refused(app, &writes, || {
            let request = company.request(Method::POST, "/api/v1/bookings").header("Idempotency-Key", "one");
            request.json(&wish).send()
        });
        assert_eq!(booked.expect_status(201).header("idempotency-replayed"), None);
    }

    fn the_end_of_a_use_its_record_and_its_charge_happen_together(app: &TestApp) {
        let sem = given::instrument(app).insert();
        price(app, sem);
        let wish = json!({
            "instrument_id": sem, "mode": "guided", "purpose": "research",
            "starts_at": "2026-03-02T10:00:00+08:00", "ends_at": "2026-03-02T12:00:00+08:00",
        });
        let booking = app.as_company().post("/api/v1/bookings", wish).expect_status(201);
        let (host, path) = (app.as_host(), format!("/api/v1/bookings/{}", booking.id()));
        app.advance(60);
        host.post(&format!("{path}/start"), json!({})).expect_status(200);
        app.advance(60);
        let writes = [
            ("UPDATE", "booking"), ("INSERT", "event"), ("INSERT", "usage_record"), ("INSERT", "charge"),
        ];
        each_refused(app, &writes, || host.post(&format!("{path}/finish"), json!({}))).expect_status(200);
    }

    fn an_invoice_and_its_line_happen_together(app: &TestApp) {
        let sem = given::instrument(app).insert();
        price(app, sem);
        let service = json!({
            "instrument_id": sem, "organization_id": app.organization_id(COMPANY), "mode": "guided", "purpose": "research",
            "started_at": "2026-02-10T09:00:00+08:00", "ended_at": "2026-02-10T10:00:00+08:00",
        });
        app.as_host().post("/api/v1/usage-records", service).expect_status(201);
        let finance = app.as_person(FINANCE);
        let charge = finance.get("/api/v1/charges").expect_status(200)["items"][0]["id"].clone();
        let invoice = json!({"invoice_no": "N-1", "issued_on": "2026-03-01"});
        let writes = [("INSERT", "invoice"), ("INSERT", "invoice_line"), ("UPDATE", "charge"), ("INSERT", "event")];
        each_refused(app, &writes, || finance.post(&format!("/api/v1/charges/{charge}/invoice"), &invoice)).expect_status(200);
        let payment = json!({"amount_fen": 100, "paid_on": "2026-03-01", "source": "payer"});
        let writes = [("INSERT", "payment"), ("INSERT", "payment_line"), ("UPDATE", "charge"), ("INSERT", "event")];
        let payments = format!("/api/v1/charges/{charge}/payments");
        each_refused(app, &writes, || finance.post(&payments, &payment)).expect_status(201);
        let declared = app.as_company().post(&payments, &payment).expect_status(201);
        let receive = format!("/api/v1/payments/{}/receive", declared["payments"][1]["id"]);
        let writes = [("UPDATE", "payment"), ("UPDATE", "charge"), ("INSERT", "event")];
        each_refused(app, &writes, || finance.post(&receive, json!({}))).expect_status(200);
    }

    fn an_invoice_is_annulled_with_all_its_charges(app: &TestApp) {
        let sem = given::instrument(app).insert();
        price(app, sem);
        for day in 10..12 {
            let service = json!({
                "instrument_id": sem, "organization_id": app.organization_id(COMPANY), "mode": "guided", "purpose": "research",
                "started_at": format!("2026-02-{day}T09:00:00+08:00"), "ended_at": format!("2026-02-{day}T10:00:00+08:00"),
            });
            app.as_host().post("/api/v1/usage-records", service).expect_status(201);
        }
        let finance = app.as_person(FINANCE);
        let charges = finance.get("/api/v1/charges").expect_status(200);
        let ids: Vec<_> = charges["items"].as_array().unwrap().iter().map(|charge| charge["id"].clone()).collect();
        let invoice = json!({"invoice_no": "N-1", "issued_on": "2026-03-01", "charge_ids": ids});
        let writes = [("INSERT", "invoice"), ("INSERT", "invoice_line"), ("UPDATE", "charge"), ("INSERT", "event")];
        let made = each_refused(app, &writes, || finance.post("/api/v1/invoices", &invoice)).expect_status(201);
        let annul = format!("/api/v1/invoices/{}/annul", made.id());
        let writes = [("UPDATE", "invoice"), ("UPDATE", "invoice_line"), ("UPDATE", "charge"), ("INSERT", "event")];
        each_refused(app, &writes, || finance.post(&annul, json!({"reason": "x"}))).expect_status(200);
    }

    fn a_table_is_imported_whole_or_not_at_all(app: &TestApp) {
        let host = app.as_host();
        let head = "asset_no,name,original_value_fen,category_code,purpose_type";
        let import = |rows: &str| {
            let request = host.request(Method::POST, "/api/v1/instruments/import?mode=upsert");
            let request = request.header("Idempotency-Key", rows.len().to_string().as_str());
            request.bytes("text/csv", format!("{head}\n{rows}")).send()
        };
        let staging = [("INSERT", "staged_import"), ("INSERT", "staged_event"), ("INSERT", "staged_instrument")];
        let moving = [
            ("INSERT", "event"), ("INSERT", "event_personal"), ("INSERT", "instrument"), ("INSERT", "instrument_version"),
            ("INSERT", "booking_rules"), ("INSERT", "idempotency_key"),
        ];
        let file = "Z1,电镜,30000000,010102,general\nZ2,质谱,30000000,010102,special\n";
        let imported = each_refused(app, &[&staging[..], &moving[..]].concat(), || import(file));
        let counted: Value = imported.expect_status(200).body;
        assert_eq!(counted["created"], 2, "{counted}");
        let moving = [("INSERT", "event"), ("UPDATE", "instrument"), ("INSERT", "instrument_version")];
        let changed = each_refused(app, &[&staging[..], &moving[..]].concat(), || import("Z1,场发射电镜,,,\n"));
        assert_eq!(changed.expect_status(200)["updated"], 1);
    }

    fn a_table_of_records_is_imported_whole_or_not_at_all(app: &TestApp) {
        let sem = given::instrument(app).insert();
        price(app, sem);
        let asset = app.read(move |conn| Ok(yiqi::store::instrument::get(conn, sem)?.facts.asset_no));
        let head = "asset_no,using_uscc,started_at,ended_at,mode,purpose,operator";
        let file = format!("{head}\n{asset},{COMPANY},2026-02-10 09:00,2026-02-10 10:00,guided,other,张工\n\
            {asset},{COMPANY},2026-02-10 10:00,2026-02-10 11:00,guided,other,\n");
        let host = app.as_host();
        let writes = [
            ("INSERT", "staged_import"), ("INSERT", "staged_event"), ("INSERT", "staged_usage_record"), ("INSERT", "staged_charge"),
            ("INSERT", "event"), ("INSERT", "event_personal"), ("INSERT", "usage_record"), ("INSERT", "charge"),
        ];
        let imported = each_refused(app, &writes, || {
            host.request(Method::POST, "/api/v1/usage-records/import").bytes("text/csv", file.clone()).send()
        });
        assert_eq!(imported.expect_status(200)["rows"], 2);
    }
}
