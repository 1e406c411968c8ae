//! POST of a booking over HTTP against nothing but its two inserts: on SQLite a loop over prepared statements that commits
//! every row or every 64, on PostgreSQL pgbench with as many connections as the load; and the processor time of each.

use std::time::Duration;

use chrono::{NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde_json::json;

use crate::fleet::{Direct, Fleet};
use crate::pgbench::{self, Ceiling};
use crate::processor::{self, Server};
use crate::report::{Aim, Row, median};
use crate::world::{BOSS, Backend};
use crate::{RUNS, given, load, raw_sqlite};

/// Requests wait together for a commit, so there are more of them than cores.
const CONNECTIONS: usize = 32;
const LASTING: Duration = Duration::from_secs(3);
pub const INSTRUMENTS: usize = 400;
pub const HALF_HOUR: i64 = 30;
/// More numbers than any run can use.
const APART: usize = 100_000;

/// Bookings that follow each other on many instruments.
pub struct Course {
    /// Their ids follow each other too.
    instruments: Vec<i64>,
    first: NaiveDateTime,
    token: String,
}

/// What a run did in how many seconds, and the processor time of one booking in seconds.
#[derive(Clone, Copy)]
pub struct Measured {
    done: f64,
    pub per_second: f64,
    pub processor: f64,
}

impl Measured {
    pub fn new(done: usize, seconds: f64, processor: f64) -> Measured {
        let done = done as f64;
        Measured {
            done,
            per_second: done / seconds,
            processor: processor / done,
        }
    }
}

/// Many instruments that confirm at once, and the company that books them.
pub fn course(direct: &Direct) -> Course {
    let rules = json!({"horizon_days": 700, "min_minutes": 30});
    let insert = |_| {
        given::instrument(&direct.world)
            .rules(rules.clone())
            .insert()
    };
    let ids: Vec<_> = (0..INSTRUMENTS).map(insert).collect();
    let instruments: Vec<i64> = ids
        .iter()
        .map(|id| id.to_string().parse().unwrap())
        .collect();
    assert!(instruments.windows(2).all(|pair| pair[1] == pair[0] + 1));
    let day = Utc::now().date_naive() + TimeDelta::days(2);
    Course {
        instruments,
        first: day.and_time(NaiveTime::MIN),
        token: direct.token(BOSS),
    }
}

impl Course {
    /// Where the slots begin, as both databases write it.
    pub fn first(&self) -> String {
        self.first.to_string()
    }

    fn slot(&self, number: usize) -> (i64, NaiveDateTime, NaiveDateTime) {
        let turn = i64::try_from(number / INSTRUMENTS).unwrap();
        let starts_at = self.first + TimeDelta::minutes(turn * HALF_HOUR);
        let ends_at = starts_at + TimeDelta::minutes(HALF_HOUR);
        (self.instruments[number % INSTRUMENTS], starts_at, ends_at)
    }

    /// The instrument and the half hour of a running number, from when to when: no two numbers meet.
    pub fn place(&self, number: usize) -> (i64, String, String) {
        let (instrument, starts_at, ends_at) = self.slot(number);
        (instrument, starts_at.to_string(), ends_at.to_string())
    }

    pub fn request(&self, number: usize) -> Vec<u8> {
        let (instrument, starts_at, ends_at) = self.slot(number);
        let body = json!({
            "instrument_id": instrument, "starts_at": starts_at.and_utc().to_rfc3339(),
            "ends_at": ends_at.and_utc().to_rfc3339(), "mode": "self_operated", "purpose": "research",
        });
        load::post("/api/v1/bookings", &self.token, &body.to_string())
    }
}

/// Bookings over HTTP and the server's processor time, from the number `from` on.
fn over_http(fleet: &Fleet, course: &Course, from: usize, lasting: Duration) -> Measured {
    let node = &fleet.nodes[0];
    let address = node.base.trim_start_matches("http://");
    let used = processor::of(node.process.id());
    let outcome = load::run(address, CONNECTIONS, lasting, 201, |number| {
        course.request(from + number)
    });
    assert_eq!(outcome.other, 0, "every booking of this load is confirmed");
    let used = processor::of(node.process.id()) - used;
    Measured::new(outcome.expected, outcome.seconds, used)
}

/// The first booking, for the raw statements to repeat.
fn write_sample(fleet: &Fleet, course: &Course) {
    over_http(fleet, course, 0, Duration::from_millis(1));
}

pub fn on_sqlite() -> Option<Vec<Row>> {
    let (mut ours, mut single, mut grouped) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        // A fresh file for each run: all begin with empty tables.
        let (fleet, of_fleet) = Fleet::start(Backend::Sqlite, 1, course)?;
        ours.push(over_http(&fleet, &of_fleet, 0, LASTING));
        drop(fleet);
        for (rows, runs) in [(1, &mut single), (64, &mut grouped)] {
            let (mut fleet, of_fleet) = Fleet::start(Backend::Sqlite, 1, course)?;
            write_sample(&fleet, &of_fleet);
            fleet.nodes.clear();
            // Behind the numbers of the sample.
            runs.push(raw_sqlite::measure(
                &fleet.url, &of_fleet, APART, rows, LASTING,
            ));
        }
    }
    let beside = |raw: &[Measured]| format!("{}; raw {}", told(&ours, "server"), told(raw, ""));
    Some(vec![
        rate(
            "POST booking, SQLite ÷ raw inserts, 1 row a commit",
            &ours,
            &single,
            None,
        )
        .processor(beside(&single)),
        rate(
            "POST booking, SQLite ÷ raw inserts, 64 rows a commit",
            &ours,
            &grouped,
            Some((0.35, 0.25)),
        )
        .processor(beside(&grouped)),
        Row::milliseconds(
            "POST booking, SQLite: processor time of the server",
            processor_of(&ours),
            0.30,
        ),
    ])
}

pub fn on_postgres() -> Option<Vec<Row>> {
    let (fleet, course) = Fleet::start(Backend::Postgres, 1, course)?;
    pgbench::make_durable(&fleet.url);
    write_sample(&fleet, &course);
    let server = Server::behind(&fleet.url);
    let used = || server.as_ref().map_or(f64::NAN, Server::used);
    let (mut ours, mut beneath, mut ceilings) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS {
        let before = used();
        let from = (2 * run + 1) * APART;
        let measured = over_http(&fleet, &course, from, LASTING);
        beneath.push((used() - before) / measured.done);
        ours.push(measured);
        ceilings.push(pgbench::measure(
            &fleet.url,
            &course,
            CONNECTIONS,
            LASTING,
            from + APART,
        ));
    }
    let pgbench: Vec<_> = ceilings.iter().map(|ceiling| ceiling.client).collect();
    let theirs: Vec<_> = ceilings
        .iter()
        .map(|ceiling| ceiling.server_processor)
        .collect();
    let (mine, theirs) = (median(&beneath), median(&theirs));
    let beside = format!(
        "{} + {:.2} ms PostgreSQL; pgbench {} + {:.2} ms PostgreSQL",
        told(&ours, "server"),
        mine * 1e3,
        told(&pgbench, ""),
        theirs * 1e3
    );
    Some(vec![
        rate(
            "POST booking, PostgreSQL ÷ pgbench, 32 clients",
            &ours,
            &pgbench,
            Some((0.5, 0.4)),
        )
        .processor(beside),
        Row::milliseconds(
            "POST booking, PostgreSQL: processor time of the server",
            processor_of(&ours),
            0.45,
        ),
        Row {
            what: "POST booking: PostgreSQL's processes ÷ those under pgbench".to_owned(),
            ours: format!("{:.2} ms", mine * 1e3),
            ceiling: format!("{:.2} ms", theirs * 1e3),
            ratio: mine / theirs,
            aim: Aim::AtMost(1.7),
            processor: None,
        },
    ])
}

fn rate(what: &str, ours: &[Measured], ceiling: &[Measured], aim: Option<(f64, f64)>) -> Row {
    let rates = |runs: &[Measured]| runs.iter().map(|run| run.per_second).collect::<Vec<_>>();
    let row = Row::rate(what, "bookings", &rates(ours), &rates(ceiling), 0.0);
    let aim = aim.map_or(Aim::None, |(aim, least)| Aim::AtLeastElse(aim, least));
    Row { aim, ..row }
}

fn processor_of(runs: &[Measured]) -> f64 {
    median(&runs.iter().map(|run| run.processor).collect::<Vec<_>>())
}

fn told(runs: &[Measured], whose: &str) -> String {
    format!("{:.2} ms {whose}", processor_of(runs) * 1e3)
        .trim_end()
        .to_owned()
}
