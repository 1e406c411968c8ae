//! Processor time as the system counts it, in seconds: of one process, of the children this one has waited for, and of
//! all processes of a PostgreSQL server on this machine.

use std::fs;

use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};

/// The system counts in ticks of a hundredth of a second, whatever the kernel's own clock is.
const TICKS_PER_SECOND: f64 = 100.0;

/// The fields of `/proc/PID/stat` behind the name, which may contain blanks: the first is the state (field 3 of proc(5)).
fn fields(process: &str) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = line.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// `utime` and `stime` begin at field 14 of proc(5), `cutime` and `cstime` at field 16.
fn seconds(fields: &[String], first: usize) -> f64 {
    let ticks = |at: usize| fields[at - 3].parse::<f64>().unwrap();
    (ticks(first) + ticks(first + 1)) / TICKS_PER_SECOND
}

/// What this process has used, all threads.
pub fn own() -> f64 {
    seconds(&fields("self").unwrap(), 14)
}

/// What the process of this id has used, all threads.
pub fn of(process: u32) -> f64 {
    seconds(&fields(&process.to_string()).unwrap(), 14)
}

/// What the children of this process used that have ended and were waited for.
pub fn ended_children() -> f64 {
    seconds(&fields("self").unwrap(), 16)
}

/// A PostgreSQL server on this machine, by its first process.
pub struct Server {
    postmaster: String,
}

impl Server {
    /// The server at the other end of `url`. `None` when its processes are not to be seen here.
    pub fn behind(url: &str) -> Option<Server> {
        #[derive(QueryableByName)]
        struct Backend {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            process: i32,
        }
        let mut conn = PgConnection::establish(url).unwrap();
        let query = diesel::sql_query("SELECT pg_backend_pid() AS process");
        let backend: Backend = query.get_result(&mut conn).unwrap();
        let name = fs::read_to_string(format!("/proc/{}/comm", backend.process)).ok()?;
        if !name.starts_with("postgres") {
            return None;
        }
        let postmaster = fields(&backend.process.to_string())?[1].clone();
        Some(Server { postmaster })
    }

    /// What its processes have used: the first, those that ended, and those that run.
    pub fn used(&self) -> f64 {
        let first = fields(&self.postmaster).unwrap();
        let running = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let fields = fields(entry.ok()?.file_name().to_str()?)?;
            (fields[1] == self.postmaster).then(|| seconds(&fields, 14))
        });
        seconds(&first, 14) + seconds(&first, 16) + running.sum::<f64>()
    }
}
