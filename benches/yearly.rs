//! The yearly run over two million usage records (the whole command, from start to printed figures) against a GROUP BY with
//! the same joins and filters, and its peak memory.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant as Stopwatch};

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use yiqi::domain::{Instant, Slot};
use yiqi::store::yearly_input::{Scope, list_answers, list_income, list_usage};
use yiqi::store::{Conn, Database};

use crate::fleet::{Direct, Fleet};
use crate::report::Row;
use crate::world::{Backend, KEYS};
use crate::{RUNS, given};

const RECORDS: usize = 2_000_000;
const INSTRUMENTS: usize = 2_000;
/// One record in so many was charged, invoiced and paid.
const PAID_EVERY: usize = 10;

/// The peak of the runs on SQLite in MiB, for the row about memory.
static PEAK_MIB: Mutex<Vec<f64>> = Mutex::new(Vec::new());

pub fn measure(backend: Backend) -> Option<Vec<Row>> {
    let (fleet, ()) = Fleet::start(backend, 0, |direct| fill(direct, backend))?;
    let database: Database = fleet.url.parse().unwrap();
    let (mut ours, mut ceiling) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ceiling.push(group_by(&database));
        let (seconds, peak_mib) = run(&fleet.url);
        ours.push(seconds);
        if backend == Backend::Sqlite {
            PEAK_MIB.lock().unwrap().push(peak_mib);
        }
    }
    let what = match backend {
        Backend::Sqlite => "yearly run, 2 million records, SQLite ÷ GROUP BY",
        Backend::Postgres => "yearly run, 2 million records, PostgreSQL ÷ GROUP BY",
    };
    Some(vec![Row::time(what, &ours, &ceiling, 1.5)])
}

/// The largest resident memory of the runs on SQLite, against the bound.
pub fn memory() -> Option<Vec<Row>> {
    let peaks = PEAK_MIB.lock().unwrap().clone();
    let row = || Row::memory("yearly run, peak memory ÷ 250 MiB", &peaks, 250.0);
    (!peaks.is_empty()).then(|| vec![row()])
}

/// The year's hosts, instruments and units, then the records in a few statements.
fn fill(direct: &Direct, backend: Backend) {
    let world = &direct.world;
    world
        .block_on(yiqi::operations::policy::install_shipped(
            &world.app,
            world.now(),
        ))
        .unwrap();
    for _ in 0..INSTRUMENTS {
        given::instrument(world).insert();
    }
    let ids: i64 = direct.read(|conn| Ok(lowest_instrument(conn)));
    let mut conn = world.app.store.database().connect().unwrap();
    for statement in statements(backend, ids) {
        conn.batch_execute(&statement).unwrap();
    }
}

fn lowest_instrument(conn: &mut Conn) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Id {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        id: i64,
    }
    diesel::sql_query("SELECT min(id) AS id FROM instrument")
        .get_result::<Id>(conn)
        .unwrap()
        .id
}

/// Each instrument serves ten of 400 companies, two hours every eight: 20,000 groups, as a province of this size has.
fn statements(backend: Backend, first: i64) -> Vec<String> {
    let per_instrument = RECORDS / INSTRUMENTS;
    let (series, start, later) = match backend {
        Backend::Sqlite => (
            format!(
                "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {} - 1) SELECT i FROM n)",
                RECORDS
            ),
            "datetime('2025-01-02 00:00:00', '+' || ((i % {p}) * 8) || ' hours')",
            "datetime('2025-01-02 00:00:00', '+' || ((i % {p}) * 8 + 2) || ' hours')",
        ),
        Backend::Postgres => (
            format!(
                "(SELECT i::bigint FROM generate_series(0, {} - 1) AS s(i))",
                RECORDS
            ),
            "timestamp '2025-01-02 00:00:00' + ((i % {p}) * 8) * interval '1 hour'",
            "timestamp '2025-01-02 00:00:00' + ((i % {p}) * 8 + 2) * interval '1 hour'",
        ),
    };
    let (start, later) = (
        start.replace("{p}", &per_instrument.to_string()),
        later.replace("{p}", &per_instrument.to_string()),
    );
    let units = series.replace(&RECORDS.to_string(), "400");
    let truth = if backend == Backend::Sqlite {
        "0"
    } else {
        "false"
    };
    let now = "'2026-01-05 00:00:00'";
    let paid = format!("u.record_no LIKE 'S%' AND u.id % {PAID_EVERY} = 0");
    let charge_ids =
        "SELECT id, amount_fen, payer_organization_id, host_organization_id FROM charge";
    vec![
        format!(
            "INSERT INTO organization (name, kind, uscc, uscc_confirmed, region_code, supervising_region_code, is_host, is_sme, \
             state, version, created_at, updated_at) SELECT 'U' || i, 'enterprise', '9113{tail}' || (100000 + i), {truth}, \
             '130602', '130600', {truth}, {truth}, 'verified', 1, {now}, {now} FROM {units} AS n",
            tail = "00000000",
        ),
        format!(
            "INSERT INTO usage_record (record_no, instrument_id, organization_id, channel, started_at, ended_at, prepare_minutes, \
             run_minutes, post_minutes, samples, mode, purpose, statutory, state, evidence, version, event_id, created_at, \
             updated_at) SELECT 'S' || i, {first} + i / {per_instrument}, (SELECT min(id) FROM organization WHERE name = 'U0') + \
             (i / {per_instrument} * 7 + i % 10) % 400, 1, {start}, {later}, 10, 90, 20, 3, 'entrusted', 'research', {truth}, 'confirmed', \
             CASE (i / {per_instrument}) % 3 WHEN 0 THEN 'automatic' WHEN 1 THEN 'confirmed' ELSE 'manual' END, 1, 1, {now}, {now} FROM {series} AS n"
        ),
        format!(
            "INSERT INTO charge (usage_record_id, host_organization_id, payer_organization_id, amount_fen, lines, state, event_id, \
             version, created_at, updated_at) SELECT u.id, i.organization_id, u.organization_id, 50000, '{{}}', 'invoiced', 1, 1, \
             {now}, {now} FROM usage_record u JOIN instrument i ON i.id = u.instrument_id WHERE {paid}"
        ),
        format!(
            "INSERT INTO invoice (invoice_no, host_organization_id, payer_organization_id, issued_on, event_id, created_at) \
             SELECT 'I' || c.id, c.host_organization_id, c.payer_organization_id, '2025-06-01', 1, {now} FROM ({charge_ids}) AS c"
        ),
        format!(
            "INSERT INTO invoice_line (charge_id, invoice_id, amount_fen) SELECT c.id, v.id, c.amount_fen FROM ({charge_ids}) AS c \
             JOIN invoice v ON v.invoice_no = 'I' || c.id"
        ),
        format!(
            "INSERT INTO payment (payer_organization_id, source, paid_on, amount_fen, event_id, received_event_id, created_at) \
             SELECT c.payer_organization_id, 'payer', '2025-07-01', c.amount_fen, 1, 1, {now} FROM ({charge_ids}) AS c ORDER BY c.id"
        ),
        "INSERT INTO payment_line (payment_id, charge_id, amount_fen) SELECT p.id, c.id, c.amount_fen FROM \
         (SELECT id, row_number() OVER (ORDER BY id) AS n FROM payment) AS p JOIN \
         (SELECT id, amount_fen, row_number() OVER (ORDER BY id) AS n FROM charge) AS c ON c.n = p.n"
            .to_owned(),
        "ANALYZE".to_owned(),
    ]
}

/// The three sums of the year on one plain connection, in seconds.
fn group_by(database: &Database) -> f64 {
    let mut conn = database.connect().unwrap();
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    let scope = Scope {
        year: 2025,
        period: Slot::new(
            Instant::at_midnight(day("2025-01-01")),
            Instant::at_midnight(day("2026-01-01")),
        )
        .unwrap(),
        first_on: day("2025-01-01"),
        last_on: day("2025-12-31"),
        days_of_year: 365,
        income_by: yiqi::domain::policy::IncomeBy::PaidOn,
        frozen_at: Instant::at_midnight(day("2026-11-01")),
        frozen_event_id: Some(1.try_into().unwrap()),
    };
    let start = Stopwatch::now();
    let groups = list_usage(&mut conn, &scope, None, &[]).unwrap().len();
    assert!(groups > INSTRUMENTS);
    assert!(
        !list_income(&mut conn, &scope, None, &[])
            .unwrap()
            .is_empty()
    );
    list_answers(&mut conn, &scope, None, &[]).unwrap();
    start.elapsed().as_secs_f64()
}

/// The whole command, in seconds, and its peak resident memory in MiB.
fn run(url: &str) -> (f64, f64) {
    let start = Stopwatch::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_yiqi"))
        .args([
            "subsidy",
            "run",
            "--year",
            "2025",
            "--policy",
            "hebei-2026",
            "--budget-yuan",
            "10000000",
            "--format",
            "json",
        ])
        .env("YIQI_DATABASE_URL", url)
        .env("YIQI_SECRET", KEYS)
        .env("YIQI_LOG", "error")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", process.id());
    let mut peak_kib = 0.0;
    loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok());
            peak_kib = kib.map_or(peak_kib, |kib: f64| kib.max(peak_kib));
        }
        if let Some(ended) = process.try_wait().unwrap() {
            assert!(ended.success(), "the yearly run failed");
            return (start.elapsed().as_secs_f64(), peak_kib / 1024.0);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
