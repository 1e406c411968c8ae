//! The ceiling on SQLite: the two inserts of a booking as prepared statements of SQLite's own interface, with the schema's
//! triggers, constraints and indexes and the store's settings, on one thread without HTTP, sign-in, rules or queue.

use std::time::{Duration, Instant as Stopwatch};

use rusqlite::types::Value as Bound;
use rusqlite::{Connection, Statement};
use serde_json::Value;

use crate::bookings::{Course, Measured};
use crate::processor;
use crate::sample::Sample;
use crate::world::Backend;

/// As the store sets up its connections.
const SETUP: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
    PRAGMA cache_size = -32000; PRAGMA temp_store = MEMORY;";

/// A prepared insert and the values it repeats.
struct Insert<'a> {
    statement: Statement<'a>,
    values: Vec<(String, Bound)>,
}

impl<'a> Insert<'a> {
    fn of(conn: &'a Connection, sample: &Sample) -> Insert<'a> {
        let marks = vec!["?"; sample.names().len()].join(", ");
        let names = sample.names().join(", ");
        let insert = format!("INSERT INTO {} ({names}) VALUES ({marks})", sample.table);
        let values = sample
            .values()
            .map(|(name, value)| (name.to_owned(), bound(value)));
        Insert {
            statement: conn.prepare(&insert).unwrap(),
            values: values.collect(),
        }
    }

    fn run(&mut self, changes: &[(&str, Bound)]) {
        for (name, change) in changes {
            let place = self.values.iter_mut().find(|(column, _)| column == name);
            place.unwrap_or_else(|| panic!("no column {name}")).1 = change.clone();
        }
        let values = self.values.iter().map(|(_, value)| value);
        self.statement
            .execute(rusqlite::params_from_iter(values))
            .unwrap();
    }
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::Null => Bound::Null,
        Value::Bool(truth) => Bound::Integer(i64::from(*truth)),
        Value::Number(number) => Bound::Integer(number.as_i64().unwrap()),
        Value::String(text) => Bound::Text(text.clone()),
        other => panic!("no column holds {other}"),
    }
}

/// Bookings from the number `from` on that commit every `rows`. The file holds one booking of the service, the sample.
pub fn measure(
    url: &str,
    course: &Course,
    from: usize,
    rows: usize,
    lasting: Duration,
) -> Measured {
    let booking = Sample::newest(Backend::Sqlite, url, "booking", "1 = 1");
    let event = Sample::newest(Backend::Sqlite, url, "event", "subject_type = 'booking'");
    let conn = Connection::open(url.trim_start_matches("sqlite:")).unwrap();
    conn.execute_batch(SETUP).unwrap();
    let (mut insert_booking, mut insert_event) =
        (Insert::of(&conn, &booking), Insert::of(&conn, &event));
    let (mut begin, mut commit) = (
        conn.prepare("BEGIN IMMEDIATE").unwrap(),
        conn.prepare("COMMIT").unwrap(),
    );
    let used = processor::own();
    let (start, mut done) = (Stopwatch::now(), 0);
    while start.elapsed() < lasting {
        begin.execute([]).unwrap();
        for _ in 0..rows {
            done += 1;
            let (instrument, starts_at, ends_at) = course.place(from + done);
            let (starts_at, ends_at) = (Bound::Text(starts_at), Bound::Text(ends_at));
            insert_booking.run(&[
                ("booking_no", Bound::Text(format!("P{}", from + done))),
                ("instrument_id", Bound::Integer(instrument)),
                ("starts_at", starts_at.clone()),
                ("ends_at", ends_at.clone()),
                ("blocked_from", starts_at),
                ("blocked_until", ends_at),
            ]);
            insert_event.run(&[("subject_id", Bound::Integer(conn.last_insert_rowid()))]);
        }
        commit.execute([]).unwrap();
    }
    Measured::new(done, start.elapsed().as_secs_f64(), processor::own() - used)
}
