//! `cargo bench`: how fast the service is, against a ceiling measured in the same run on the same cores. Medians of five
//! runs; a table on standard output. `cargo bench -- bookings reads` runs only those; `lists million` lists a million rows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    unused_imports,
    reason = "a measurement that fails should panic at its line; the tests' world is shared whole"
)]

#[path = "../tests/api/client.rs"]
mod client;
#[path = "../tests/api/document.rs"]
mod document;
#[path = "../tests/api/fleet.rs"]
mod fleet;
#[path = "../tests/api/given.rs"]
mod given;
#[path = "../tests/api/people.rs"]
mod people;
#[path = "../tests/api/postgres.rs"]
mod postgres;
#[path = "../tests/api/scratch.rs"]
mod scratch;
#[path = "../tests/api/template.rs"]
mod template;
#[path = "../tests/api/world.rs"]
mod world;

mod abuse;
mod bookings;
mod imports;
mod lists;
mod lists_filled;
mod lists_rows;
mod load;
mod pgbench;
mod processor;
mod raw_sqlite;
mod reads;
mod report;
mod sample;
mod spreadsheet;
mod yearly;

use report::Row;
use world::Backend;

/// Each figure is the median of so many runs.
pub const RUNS: usize = 5;

/// `None` where there is no PostgreSQL.
type Measurement = fn() -> Option<Vec<Row>>;

fn main() {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-') && word != "million")
        .collect();
    let all: [(&str, Measurement); 15] = [
        ("bookings", bookings::on_sqlite),
        ("bookings", bookings::on_postgres),
        ("reads", || reads::measure(Backend::Sqlite)),
        ("reads", || reads::measure(Backend::Postgres)),
        ("lists", || lists::measure(Backend::Sqlite)),
        ("lists", || lists::measure(Backend::Postgres)),
        ("yearly", || yearly::measure(Backend::Sqlite)),
        ("yearly", || yearly::measure(Backend::Postgres)),
        ("yearly", yearly::memory),
        ("policy", yearly::longest_pack),
        ("spreadsheet", spreadsheet::measure),
        ("imports", || imports::measure(Backend::Sqlite)),
        ("imports", || imports::measure(Backend::Postgres)),
        ("abuse", || abuse::measure(Backend::Sqlite)),
        ("abuse", || abuse::measure(Backend::Postgres)),
    ];
    report::print_head();
    for (name, measurement) in all {
        if asked.is_empty() || asked.iter().any(|word| word == name) {
            eprintln!("measuring {name} …");
            measurement().iter().flatten().for_each(report::print);
        }
    }
}
