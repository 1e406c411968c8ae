//! GET of one instrument against a handler that says hello.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::{App, HttpServer, web};

use crate::fleet::Fleet;
use crate::report::{Row, median};
use crate::world::Backend;
use crate::{RUNS, given, load, processor};

const CONNECTIONS: usize = 32;
const LASTING: Duration = Duration::from_secs(3);

pub fn measure(backend: Backend) -> Option<Vec<Row>> {
    let (fleet, instrument) = Fleet::start(backend, 1, |direct| {
        given::instrument(&direct.world).insert()
    })?;
    let ours_at = fleet.nodes[0].base.trim_start_matches("http://").to_owned();
    let hello_at = hello();
    let path = format!("/api/v1/instruments/{instrument}");
    let (mut ours, mut ceiling, mut used) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ceiling
            .push(load::run(&hello_at, CONNECTIONS, LASTING, 200, |_| load::get("/")).per_second());
        let before = processor::of(fleet.nodes[0].process.id());
        let outcome = load::run(&ours_at, CONNECTIONS, LASTING, 200, |_| load::get(&path));
        assert_eq!(outcome.other, 0, "every GET answers 200");
        let after = processor::of(fleet.nodes[0].process.id());
        ours.push(outcome.per_second());
        used.push((after - before) / outcome.expected as f64);
    }
    let what = match backend {
        Backend::Sqlite => "GET instrument, SQLite ÷ hello world",
        Backend::Postgres => "GET instrument, PostgreSQL ÷ hello world",
    };
    let row = Row::rate(what, "requests", &ours, &ceiling, 0.15);
    Some(vec![
        row.processor(format!("{:.3} ms server", median(&used) * 1e3)),
    ])
}

/// A server in this process with as many workers as ours.
fn hello() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let server = HttpServer::new(|| App::new().route("/", web::get().to(|| async { "hello" })));
        let running = server
            .workers(2)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run();
        actix_web::rt::System::new().block_on(running).unwrap();
    });
    address
}
