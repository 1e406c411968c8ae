//! What one client can do to the others, with the limits of requests off: floods of sign-ins, bodies that never end, expensive
//! questions, a table of commas. Each bound with what was measured: the memory of the server, and how long others wait.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use crate::fleet::Fleet;
use crate::load::{self, Connection};
use crate::report::Row;
use crate::world::{BOSS, Backend, HOST};
use crate::{lists_filled, lists_rows};

/// Others wait no longer than this, 95 of a hundred times, in milliseconds.
const WAIT: f64 = 100.0;
/// The server's memory stays below, in MiB.
const MEMORY: f64 = 250.0;
const SIGN_INS: usize = 300;
const SLOW_BODIES: usize = 500;
const INSTRUMENTS: usize = 20_000;
const ASKERS: usize = 16;
const COMMAS: usize = 60 << 20;
const LASTING: Duration = Duration::from_secs(5);
/// A body must come within 30 s, and each piece of it within 10 s.
const BODY: f64 = 30_000.0;

/// A server, and what an ordinary caller asks beside it all.
struct Attacked {
    fleet: Fleet,
    address: String,
    read: Vec<u8>,
    company: String,
    host: String,
}

pub fn measure(backend: Backend) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    for attack in [sign_ins, slow_bodies, questions, commas] {
        let attacked = Attacked::start(backend)?;
        rows.extend(attack(&attacked, backend));
    }
    Some(rows)
}

fn sign_ins(attacked: &Attacked, backend: Backend) -> Vec<Row> {
    let body = r#"{"email":"nobody@example.org","password":"wrong-horse-9"}"#;
    let request = load::post("/api/v1/auth/login", "", body);
    let waits = attacked.beside(|| {
        std::thread::scope(|scope| {
            for _ in 0..SIGN_INS {
                scope.spawn(|| Connection::open(&attacked.address).ask(&request));
            }
        });
    });
    attacked.rows(&format!("{SIGN_INS} sign-ins at once"), backend, &waits)
}

fn slow_bodies(attacked: &Attacked, backend: Backend) -> Vec<Row> {
    let head = format!(
        "POST /api/v1/bookings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{{",
        attacked.company
    );
    let mut longest = 0.0_f64;
    let waits = attacked.beside(|| {
        let began = Stopwatch::now();
        let open = |_| {
            let mut stream = TcpStream::connect(&attacked.address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream
        };
        let all: Vec<TcpStream> = (0..SLOW_BODIES).map(open).collect();
        for mut stream in all {
            let limit = Duration::from_secs(90).saturating_sub(began.elapsed());
            stream
                .set_read_timeout(Some(limit.max(Duration::from_millis(1))))
                .unwrap();
            let mut told = [0; 64];
            let read = stream.read(&mut told).unwrap_or(0);
            assert!(
                read == 0 || told.starts_with(b"HTTP/1.1 408"),
                "{:?}",
                String::from_utf8_lossy(&told)
            );
        }
        longest = began.elapsed().as_secs_f64();
    });
    let name = format!("{SLOW_BODIES} bodies that never end");
    let mut rows = attacked.rows(&name, backend, &waits);
    rows.push(Row::milliseconds(
        &format!("{name}, {backend:?}: all are told so (408)"),
        longest,
        BODY,
    ));
    rows
}

fn questions(attacked: &Attacked, backend: Backend) -> Vec<Row> {
    let word = |number: usize| format!("q={number:0>100}");
    let query: Vec<String> = (1..=5).map(word).collect();
    let request = load::get(&format!("/api/v1/instruments?{}", query.join("&")));
    let waits = attacked.beside(|| {
        let began = Stopwatch::now();
        std::thread::scope(|scope| {
            for _ in 0..ASKERS {
                scope.spawn(|| {
                    let mut connection = Connection::open(&attacked.address);
                    while began.elapsed() < LASTING {
                        connection.ask(&request);
                    }
                });
            }
        });
    });
    let name =
        format!("{ASKERS} clients with five words of 100 characters, {INSTRUMENTS} instruments");
    attacked.rows(&name, backend, &waits)
}

fn commas(attacked: &Attacked, backend: Backend) -> Vec<Row> {
    let file = vec![b','; COMMAS];
    let path = "/api/v1/usage-records/import?dry_run=true";
    let request = load::post_file(path, &attacked.host, "text/csv", &file);
    let waits = attacked.beside(|| {
        let mut stream = TcpStream::connect(&attacked.address).unwrap();
        let mut answers = stream.try_clone().unwrap();
        let mut told = [0; 12];
        std::thread::scope(|scope| {
            // It is refused while it is read, so the rest may find nobody who listens.
            scope.spawn(move || stream.write_all(&request).is_ok());
            answers.read_exact(&mut told).unwrap();
            let _ = answers.shutdown(Shutdown::Both);
        });
        assert_eq!(told, *b"HTTP/1.1 422", "{}", String::from_utf8_lossy(&told));
    });
    attacked.rows(
        &format!("a table of {} MiB of commas", COMMAS >> 20),
        backend,
        &waits,
    )
}

impl Attacked {
    fn start(backend: Backend) -> Option<Attacked> {
        let (fleet, filled) = lists_filled::start(backend, lists_rows::instruments, INSTRUMENTS)?;
        let [company, host] = [BOSS, HOST].map(|person| filled.token(person).to_owned());
        let address = fleet.nodes[0].base.trim_start_matches("http://").to_owned();
        let read = load::get_as("/api/v1/me", Some(&company));
        Some(Attacked {
            fleet,
            address,
            read,
            company,
            host,
        })
    }

    /// How long each reading of somebody signed in waits while something goes on, shortest first, in seconds.
    fn beside(&self, attack: impl FnOnce()) -> Vec<f64> {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let (mut connection, mut waits) = (Connection::open(&self.address), Vec::new());
                while !is_over.load(Ordering::Relaxed) {
                    let began = Stopwatch::now();
                    let answer = connection.ask(&self.read);
                    assert_eq!(answer.status, 200);
                    waits.push(began.elapsed().as_secs_f64());
                    std::thread::sleep(Duration::from_millis(5));
                }
                waits
            });
            attack();
            is_over.store(true, Ordering::Relaxed);
            let mut waits = reader.join().unwrap();
            waits.sort_by(f64::total_cmp);
            waits
        })
    }

    fn rows(&self, name: &str, backend: Backend, waits: &[f64]) -> Vec<Row> {
        let late = waits[waits.len() * 95 / 100];
        let readings = format!("{} readings", waits.len());
        vec![
            Row::milliseconds(
                &format!("{name}, {backend:?}: 95th percentile of a reading beside"),
                late,
                WAIT,
            )
            .processor(readings),
            Row::memory(
                &format!("{name}, {backend:?}: most memory of the server"),
                &[self.most_memory()],
                MEMORY,
            ),
        ]
    }

    /// The most that the server ever held, in MiB.
    fn most_memory(&self) -> f64 {
        let status = format!("/proc/{}/status", self.fleet.nodes[0].process.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib / 1024.0
    }
}
