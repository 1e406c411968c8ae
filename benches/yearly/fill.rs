//! A province of the size that is measured: 300 units with 20,000 instruments, 2,000 companies, two million confirmed records of
//! 2025 of which every tenth was charged, invoiced and paid.

use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use yiqi::store::{Conn, Database};

use crate::fleet::Direct;
use crate::given;
use crate::world::Backend;

pub const RECORDS: i64 = 2_000_000;
pub const INSTRUMENTS: i64 = 20_000;
const HOSTS: i64 = 300;
const COMPANIES: i64 = 2_000;
/// One record in so many was charged, invoiced and paid, of each company at each instrument.
const PAID_EVERY: i64 = 10;

const NOW: &str = "'2026-01-05 00:00:00'";

/// One instrument by the rules of the service, the rest as copies of it, in a few statements.
pub fn fill(direct: &Direct, backend: Backend) {
    let world = &direct.world;
    world
        .block_on(yiqi::operations::policy::install_shipped(
            &world.app,
            world.now(),
        ))
        .unwrap();
    let first = given::instrument(world).insert();
    let mut conn = world.app.store.database().connect().unwrap();
    let run = |conn: &mut Conn, text: &str| {
        let done = conn.batch_execute(text);
        assert!(done.is_ok(), "{done:?} in {text}");
    };
    run(&mut conn, &organizations(backend, "H", HOSTS));
    run(&mut conn, &organizations(backend, "U", COMPANIES));
    let copied = copy_of_instruments(&mut conn, backend, first.number());
    run(&mut conn, &copied);
    for statement in versions(&mut conn, first.number()) {
        run(&mut conn, &statement);
    }
    // Asked at writing alone, and by far the dearest of what is: two million records under it take minutes.
    if backend == Backend::Postgres {
        run(
            &mut conn,
            "ALTER TABLE usage_record DROP CONSTRAINT usage_overlap",
        );
    }
    for statement in records(backend).iter().chain(&money()) {
        run(&mut conn, statement);
    }
    run(&mut conn, "ANALYZE");
}

/// The numbers 0 to `count` - 1 as `n(i)`.
fn numbers(backend: Backend, count: i64) -> String {
    match backend {
        Backend::Sqlite => format!(
            "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1) SELECT i FROM n) AS n"
        ),
        Backend::Postgres => {
            format!("(SELECT s.i::bigint AS i FROM generate_series(0, {count} - 1) AS s(i)) AS n")
        }
    }
}

fn organizations(backend: Backend, letter: &str, count: i64) -> String {
    let (no, yes) = match backend {
        Backend::Sqlite => ("0", "1"),
        Backend::Postgres => ("false", "true"),
    };
    let (kind, is_host, prefix) = match letter {
        "H" => ("university", yes, "121300000000"),
        _ => ("enterprise", no, "911300001111"),
    };
    format!(
        "INSERT INTO organization (name, kind, uscc, uscc_confirmed, region_code, supervising_region_code, is_host, is_sme, \
         state, version, created_at, updated_at) SELECT '{letter}' || i, '{kind}', '{prefix}' || (100000 + i), {no}, \
         '130602', '130600', {is_host}, {no}, 'verified', 1, {NOW}, {NOW} FROM {}",
        numbers(backend, count)
    )
}

#[derive(diesel::QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Copies of one instrument with every column as it stands, but numbered, and shared out among the hosts.
fn copy_of_instruments(conn: &mut Conn, backend: Backend, first: i64) -> String {
    let of_columns = match backend {
        Backend::Sqlite => "SELECT name FROM pragma_table_info('instrument')",
        Backend::Postgres => {
            "SELECT column_name::text AS name FROM information_schema.columns WHERE table_name = 'instrument' \
             AND is_generated = 'NEVER' ORDER BY ordinal_position"
        }
    };
    let columns: Vec<Named> = diesel::sql_query(of_columns).load(conn).unwrap();
    let columns: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let columns: Vec<&str> = columns.into_iter().filter(|name| *name != "id").collect();
    let values: Vec<String> = columns
        .iter()
        .map(|name| match *name {
            "organization_id" => {
                format!("(SELECT min(id) FROM organization WHERE name = 'H0') + i % {HOSTS}")
            }
            "asset_no" | "asset_no_key" => "'B' || i".to_owned(),
            other => format!("t.{other}"),
        })
        .collect();
    format!(
        "INSERT INTO instrument ({}) SELECT {} FROM instrument t, {} WHERE t.id = {first} ORDER BY i",
        columns.join(", "),
        values.join(", "),
        numbers(backend, INSTRUMENTS)
    )
}

#[derive(diesel::QueryableByName)]
struct Kept {
    #[diesel(sql_type = Text)]
    content: String,
    #[diesel(sql_type = BigInt)]
    host: i64,
}

/// The version of each copied instrument, as the service would have kept it.
fn versions(conn: &mut Conn, first: i64) -> Vec<String> {
    let kept = format!(
        "SELECT content, (SELECT min(id) FROM organization WHERE name = 'H0') AS host FROM instrument_version WHERE instrument_id = {first}"
    );
    let kept: Kept = diesel::sql_query(kept).get_result(conn).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&kept.content).unwrap();
    let rows: Vec<String> = (0..INSTRUMENTS)
        .map(|number| {
            let id = first + 1 + number;
            document["id"] = id.into();
            document["organization_id"] = (kept.host + number % HOSTS).into();
            document["asset_no"] = format!("B{number}").into();
            let content = document.to_string().replace('\'', "''");
            format!("({id}, 1, '{content}', '2025-01-01 00:00:00', 1)")
        })
        .collect();
    let insert = "INSERT INTO instrument_version (instrument_id, version, content, valid_from, event_id) VALUES";
    rows.chunks(1_000)
        .map(|rows| format!("{insert} {}", rows.join(", ")))
        .collect()
}

/// Each instrument serves ten of the companies, a hundred times in the year, every three days for one to five hours: 200,000 groups.
fn records(backend: Backend) -> [String; 2] {
    let no = if backend == Backend::Sqlite {
        "0"
    } else {
        "false"
    };
    let per_instrument = RECORDS / INSTRUMENTS;
    let day = format!("((i % {per_instrument}) * 3)");
    let minutes = "(60 + (i * 37) % 241)";
    let (started_at, ended_at) = match backend {
        Backend::Sqlite => (
            format!("datetime('2025-01-02 00:00:00', '+' || {day} || ' days')"),
            format!(
                "datetime('2025-01-02 00:00:00', '+' || {day} || ' days', '+' || {minutes} || ' minutes')"
            ),
        ),
        Backend::Postgres => (
            format!("timestamp '2025-01-02 00:00:00' + {day} * interval '1 day'"),
            format!(
                "timestamp '2025-01-02 00:00:00' + {day} * interval '1 day' + {minutes} * interval '1 minute'"
            ),
        ),
    };
    let instrument = "(SELECT min(id) FROM instrument WHERE asset_no = 'B0')";
    let company = "(SELECT min(id) FROM organization WHERE name = 'U0')";
    [
        format!(
            "INSERT INTO usage_record (record_no, instrument_id, organization_id, channel, started_at, ended_at, \
             prepare_minutes, run_minutes, post_minutes, samples, mode, purpose, statutory, operator, state, evidence, entered_at, \
             version, event_id, created_at, updated_at) SELECT 'S' || i, {instrument} + i / {per_instrument}, \
             {company} + (i / {per_instrument} * 7 + i % 10) % {COMPANIES}, 1, \
             {started_at}, {ended_at}, 10, {minutes} - 30, 20, 3, 'entrusted', 'research', {no}, 'P' || (i / {per_instrument}), \
             'confirmed', CASE (i / {per_instrument}) % 3 WHEN 0 THEN 'automatic' WHEN 1 THEN 'confirmed' ELSE 'manual' END, \
             {ended_at}, 1, 1, {NOW}, {NOW} FROM {}",
            numbers(backend, RECORDS)
        ),
        format!(
            "INSERT INTO tariff (instrument_id, valid_from, price_fen_per_hour, created_at) SELECT {instrument} + i, '2025-01-01', \
             20000, {NOW} FROM {}",
            numbers(backend, INSTRUMENTS)
        ),
    ]
}

/// Charges by the tariff, their invoices and payments.
fn money() -> [String; 5] {
    let charges = "SELECT id, amount_fen, payer_organization_id, host_organization_id FROM charge";
    [
        format!(
            "INSERT INTO charge (usage_record_id, host_organization_id, payer_organization_id, amount_fen, lines, state, event_id, \
             version, created_at, updated_at) SELECT u.id, u.host_organization_id, u.organization_id, \
             (u.prepare_minutes + u.run_minutes + u.post_minutes) * 20000 / 60, '{{}}', 'invoiced', 1, 1, {NOW}, {NOW} \
             FROM usage_record u WHERE u.record_no LIKE 'S%' AND (u.id / {PAID_EVERY} + u.id) % {PAID_EVERY} = 0"
        ),
        format!(
            "INSERT INTO invoice (invoice_no, host_organization_id, payer_organization_id, issued_on, event_id, created_at) \
             SELECT 'I' || c.id, c.host_organization_id, c.payer_organization_id, '2025-06-01', 1, {NOW} FROM ({charges}) AS c"
        ),
        format!(
            "INSERT INTO invoice_line (charge_id, invoice_id, amount_fen) SELECT c.id, v.id, c.amount_fen FROM ({charges}) AS c \
             JOIN invoice v ON v.invoice_no = 'I' || c.id"
        ),
        format!(
            "INSERT INTO payment (payer_organization_id, source, paid_on, amount_fen, event_id, received_event_id, created_at) \
             SELECT c.payer_organization_id, 'payer', '2025-07-01', c.amount_fen, 1, 1, {NOW} FROM ({charges}) AS c ORDER BY c.id"
        ),
        "INSERT INTO payment_line (payment_id, charge_id, amount_fen) SELECT p.id, c.id, c.amount_fen FROM \
         (SELECT id, row_number() OVER (ORDER BY id) AS n FROM payment) AS p JOIN \
         (SELECT id, amount_fen, row_number() OVER (ORDER BY id) AS n FROM charge) AS c ON c.n = p.n"
            .to_owned(),
    ]
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The records as CSV, with the columns that are summed.
pub fn write_csv(database: &Database, file: &Path) {
    let mut conn = database.connect().unwrap();
    let mut out = BufWriter::new(std::fs::File::create(file).unwrap());
    let head = "instrument_id,organization_id,evidence,statutory,ended_at,state,prepare_minutes,run_minutes,post_minutes,samples";
    writeln!(out, "{head}").unwrap();
    let step = 200_000;
    let mut text = head.replace(',', " || ',' || ");
    write!(
        text,
        " AS line FROM usage_record WHERE record_no LIKE 'S%' AND id > ? AND id <= ? + {step}"
    )
    .unwrap();
    for from in (0..RECORDS + step).step_by(200_000) {
        let query = diesel::sql_query(format!("SELECT {text}"));
        let query = query.bind::<BigInt, _>(from).bind::<BigInt, _>(from);
        for Line { line } in query.load::<Line>(&mut conn).unwrap() {
            writeln!(out, "{line}").unwrap();
        }
    }
    out.flush().unwrap();
}
