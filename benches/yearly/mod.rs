//! The yearly run over two million usage records of 20,000 instruments and 300 units: the whole command from stored records to
//! stored awards with their steps, beside the database's own GROUP BY of the same rows, and beside polars and DuckDB only summing
//! them from CSV. Then a what-if over the frozen facts, and the check of the longest pack.

mod fill;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant as Stopwatch};

use yiqi::domain::{Instant, Slot};
use yiqi::operations::policy_pack;
use yiqi::store::Database;
use yiqi::store::yearly_input::{Scope, list_answers, list_income, list_usage};

use crate::fleet::Fleet;
use crate::report::Row;
use crate::world::{Backend, KEYS};
use crate::{RUNS, scratch};

/// The peak of the runs in MiB, by database, for the rows about memory.
static PEAK_MIB: Mutex<Vec<(Backend, f64)>> = Mutex::new(Vec::new());

pub fn measure(backend: Backend) -> Option<Vec<Row>> {
    let (fleet, ()) = Fleet::start(backend, 0, |direct| fill::fill(direct, backend))?;
    let database: Database = fleet.url.parse().unwrap();
    let (mut ours, mut ceiling, mut what_ifs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ceiling.push(group_by(&database));
        let whole = subsidy_run(&fleet.url, &[]);
        ours.push(whole.seconds);
        let peak = (backend, whole.peak_mib);
        PEAK_MIB.lock().unwrap().push(peak);
        what_ifs.push(subsidy_run(&fleet.url, &["--scenario"]).seconds);
    }
    let name = match backend {
        Backend::Sqlite => "SQLite",
        Backend::Postgres => "PostgreSQL",
    };
    let mut rows = vec![Row::time(
        &format!("yearly run, 2 million records, {name} ÷ its GROUP BY"),
        &ours,
        &ceiling,
        1.5,
    )];
    rows.extend(beside_tables(&database, name, &ours));
    let what = format!("… what-if over the frozen facts, {name} ÷ 1 s");
    rows.push(Row::time(&what, &what_ifs, &[1.0], 1.0));
    Some(rows)
}

/// The largest resident memory of the runs on each database, against the bound.
pub fn memory() -> Option<Vec<Row>> {
    let peaks = PEAK_MIB.lock().unwrap().clone();
    let of = |backend: Backend| -> Vec<f64> {
        let of_one = peaks.iter().filter(|(of, _)| *of == backend);
        of_one.map(|(_, mib)| *mib).collect()
    };
    let row = |name: &str, peaks: &[f64]| {
        let what = format!("yearly run, peak memory of the process, {name} ÷ 250 MiB");
        (!peaks.is_empty()).then(|| Row::memory(&what, peaks, 250.0))
    };
    let rows = [
        row("SQLite", &of(Backend::Sqlite)),
        row("PostgreSQL", &of(Backend::Postgres)),
    ];
    Some(rows.into_iter().flatten().collect())
}

/// The check of a pack of the largest size: as many metrics, each after the records of the one before, and scores as a list takes.
pub fn longest_pack() -> Option<Vec<Row>> {
    let text = long_text();
    let (mut checks, mut parses) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let start = Stopwatch::now();
        toml::from_str::<toml::Table>(&text).unwrap();
        parses.push(start.elapsed().as_secs_f64());
        let start = Stopwatch::now();
        let checked = policy_pack::read(&text);
        checks.push(start.elapsed().as_secs_f64());
        assert!(checked.is_ok(), "{checked:?}");
    }
    let kib = text.len() / 1024;
    let parse = crate::report::median(&parses) * 1e3;
    let row = Row::milliseconds(
        &format!("check of a pack of {kib} KiB ÷ 100 ms (toml only parsing it: {parse:.1} ms)"),
        crate::report::median(&checks),
        100.0,
    );
    Some(vec![row])
}

fn long_text() -> String {
    let whole = policy_pack::shipped("hebei-2026").unwrap();
    let mut text = whole.to_owned();
    let mut before = "external_minutes".to_owned();
    for number in 0..480 {
        let name = format!("after_{number}");
        text.push_str(&format!(
            "\n[metrics.{name}]\nof = \"usage.records\"\nsame_records_as = \"{before}\"\nsource = \"proposal\"\n"
        ));
        before = name;
    }
    let line = "# What the unit's own records tell of this and of nothing else, said once more at length.\n";
    while text.len() + line.len() <= policy_pack::BYTES_MAX {
        text.push_str(line);
    }
    text
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
    assert_eq!(groups, GROUPS);
    assert!(
        !list_income(&mut conn, &scope, None, &[])
            .unwrap()
            .is_empty()
    );
    list_answers(&mut conn, &scope, None, &[]).unwrap();
    start.elapsed().as_secs_f64()
}

/// Ten companies at each instrument.
const GROUPS: usize = 200_000;

/// The run beside polars and DuckDB, each as a whole process; nothing where they cannot be had.
fn beside_tables(database: &Database, name: &str, ours: &[f64]) -> Vec<Row> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target").join("bench-venv");
    let had = Command::new(root.join(".ci").join("venv"))
        .arg(&folder)
        .arg(root.join("benches").join("requirements.txt"))
        .status();
    if !had.is_ok_and(|status| status.success()) {
        eprintln!("polars and DuckDB cannot be had: their rows are left out");
        return Vec::new();
    }
    let file = scratch::folder().join("records.csv");
    fill::write_csv(database, &file);
    let rows = ["polars", "duckdb"].map(|tool| {
        let seconds: Vec<f64> = (0..RUNS)
            .map(|_| {
                let start = Stopwatch::now();
                let done = Command::new(folder.join("bin").join("python"))
                    .arg(root.join("benches").join("yearly").join("sums.py"))
                    .arg(tool)
                    .arg(&file)
                    .output()
                    .unwrap();
                let told = String::from_utf8_lossy(&done.stdout).trim().to_owned();
                assert_eq!(told, GROUPS.to_string(), "{done:?}");
                start.elapsed().as_secs_f64()
            })
            .collect();
        Row::beside(
            &format!("… {name} ÷ {tool} only summing from CSV"),
            ours,
            &seconds,
        )
    });
    std::fs::remove_file(&file).unwrap();
    rows.into()
}

struct Whole {
    seconds: f64,
    peak_mib: f64,
}

/// The whole command, in seconds, and its peak resident memory in MiB.
fn subsidy_run(url: &str, more: &[&str]) -> Whole {
    let start = Stopwatch::now();
    let mut process = Command::new(env!("CARGO_BIN_EXE_yiqi"))
        .args(["subsidy", "run", "--year", "2025", "--policy", "hebei-2026"])
        .args(["--budget-yuan", "10000000", "--format", "json"])
        .args(more)
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
            return Whole {
                seconds: start.elapsed().as_secs_f64(),
                peak_mib: peak_kib / 1024.0,
            };
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
