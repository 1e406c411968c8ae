//! The ceiling on PostgreSQL: `pgbench`, which is shipped with the server, writes the two inserts of a booking as prepared
//! statements over as many connections as the load has, with the schema's constraints and indexes and durable commits.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::bookings::{Course, HALF_HOUR, INSTRUMENTS, Measured};
use crate::postgres;
use crate::processor::{self, Server};
use crate::sample::Sample;
use crate::world::Backend;

/// What a run of pgbench took: itself, and PostgreSQL's processes.
pub struct Ceiling {
    pub client: Measured,
    pub server_processor: f64,
}

/// Makes the private server of the tests, which waits for no disk, a durable one. A server given by its address is left
/// as it is.
pub fn make_durable(url: &str) {
    if std::env::var_os("YIQI_TEST_POSTGRES_URL").is_some() {
        return;
    }
    let mut conn = PgConnection::establish(url).unwrap();
    for setting in [
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "autovacuum",
    ] {
        conn.batch_execute(&format!("ALTER SYSTEM SET {setting} = on"))
            .unwrap();
    }
    conn.batch_execute("SELECT pg_reload_conf()").unwrap();
}

/// Beside the binaries of the server, else wherever the shell finds it.
fn program() -> PathBuf {
    let beside = postgres::binaries().map(|folder| folder.join("pgbench"));
    beside
        .filter(|file| file.exists())
        .unwrap_or_else(|| "pgbench".into())
}

/// `\gset` keeps the booking's id for its event; the numbers of the clients never meet.
fn script(url: &str, course: &Course) -> String {
    let booking = Sample::newest(Backend::Postgres, url, "booking", "true");
    let event = Sample::newest(Backend::Postgres, url, "event", "subject_type = 'booking'");
    let start = format!(
        "timestamp '{}' + :turn * interval '{HALF_HOUR} minutes'",
        course.first()
    );
    let end = format!(
        "timestamp '{}' + (:turn + 1) * interval '{HALF_HOUR} minutes'",
        course.first()
    );
    let (columns, values) = booking.columns_and_expressions(&[
        ("booking_no", "'P' || :number"),
        ("instrument_id", ":instrument"),
        ("starts_at", &start),
        ("ends_at", &end),
        ("blocked_from", &start),
        ("blocked_until", &end),
    ]);
    let (event_columns, event_values) =
        event.columns_and_expressions(&[("subject_id", ":booking")]);
    format!(
        "\\set count :count + 1\n\
         \\set number :from + :count * :clients + :client_id\n\
         \\set instrument {first} + :number % {INSTRUMENTS}\n\
         \\set turn :number / {INSTRUMENTS}\n\
         BEGIN;\n\
         INSERT INTO booking ({columns}) VALUES ({values}) RETURNING id AS booking \\gset\n\
         INSERT INTO event ({event_columns}) VALUES ({event_values});\n\
         COMMIT;\n",
        first = course.place(0).0,
        values = hidden_colons(&values),
        event_values = hidden_colons(&event_values),
    )
}

/// pgbench would take a colon before a letter inside a text for a variable of its own.
fn hidden_colons(expressions: &str) -> String {
    let (mut hidden, mut is_text) = (String::new(), false);
    let mut letters = expressions.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' if is_text && letters.next_if_eq(&'\'').is_some() => hidden.push_str("''"),
            '\'' => {
                is_text = !is_text;
                hidden.push_str(if is_text { "E'" } else { "'" });
            }
            '\\' if is_text => hidden.push_str("\\\\"),
            ':' if is_text => hidden.push_str("\\x3A"),
            other => hidden.push(other),
        }
    }
    hidden
}

/// Bookings from the number `from` on. The database holds one booking of the service, the sample.
pub fn measure(
    url: &str,
    course: &Course,
    clients: usize,
    lasting: Duration,
    from: usize,
) -> Ceiling {
    let file = std::env::temp_dir().join(format!("yiqi-pgbench-{}.sql", std::process::id()));
    std::fs::write(&file, script(url, course)).unwrap();
    let server = Server::behind(url);
    let used = || server.as_ref().map_or(f64::NAN, Server::used);
    let (client_before, server_before) = (processor::ended_children(), used());
    let output = Command::new(program())
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .args([
            format!("--client={clients}"),
            format!("--time={}", lasting.as_secs()),
        ])
        .args([
            format!("--define=from={from}"),
            format!("--define=clients={clients}"),
        ])
        .arg("--define=count=0")
        .arg(format!("--file={}", file.display()))
        .arg(url)
        .output()
        .unwrap();
    let (client_used, server_used) = (
        processor::ended_children() - client_before,
        used() - server_before,
    );
    std::fs::remove_file(&file).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "pgbench: {said}{complaints}");
    let figure = |prefix: &str| -> f64 {
        let rest = said.lines().find_map(|line| line.strip_prefix(prefix));
        let word = rest.and_then(|rest| rest.split([' ', '/']).next());
        word.unwrap_or_else(|| panic!("{said}")).parse().unwrap()
    };
    let done = figure("number of transactions actually processed: ");
    let seconds = done / figure("tps = ");
    Ceiling {
        client: Measured::new(done as usize, seconds, client_used),
        server_processor: server_used / done,
    }
}
