//! What a page of each list costs while the tables grow: processor time of the server, with PostgreSQL's processes, for
//! one page of fifty. A list that sorts or scans without bound grows with them. `cargo bench -- lists million` goes to a
//! million rows.

use std::time::{Duration, Instant as Stopwatch};

use crate::fleet::Fleet;
use crate::lists_filled::{self as filled, Filled};
use crate::lists_rows;
use crate::load::{self, Connection};
use crate::processor::{self, Server};
use crate::report::{Aim, Row};
use crate::world::{AUDITOR, BOSS, Backend, ENGINEER, FINANCE, HOST, MANAGER, Person, STRANGER};

const PAGE: usize = 50;
/// The largest may cost so many times the smallest.
const FLAT: f64 = 1.5;
const LASTING: Duration = Duration::from_millis(600);
const LEAST_REQUESTS: u32 = 5;

/// One way of asking a list: its name, who asks, and the query. Names in braces are those of [`Filled`].
type Form = (&'static str, Option<Person>, &'static str);

#[rustfmt::skip]
const BOOKINGS: &[Form] = &[
    ("bookings of a unit", Some(BOSS), "bookings?"),
    ("bookings of a unit with few", Some(STRANGER), "bookings?"),
    ("bookings of a member", Some(ENGINEER), "bookings?"),
    ("bookings of a host", Some(HOST), "bookings?"),
    ("bookings of a manager", Some(MANAGER), "bookings?"),
    ("bookings assigned to me", Some(MANAGER), "bookings?assigned_to=me"),
    ("bookings everywhere", Some(AUDITOR), "bookings?"),
    ("bookings of an instrument", Some(BOSS), "bookings?instrument_id={instrument}"),
    ("bookings of a host, one unit with few", Some(HOST), "bookings?organization_id={few}"),
    ("bookings changed", Some(BOSS), "bookings?updated_since={changed}"),
    ("bookings that wait for a host", Some(HOST), "bookings?state=requested"),
    ("bookings completed", Some(BOSS), "bookings?state=completed"),
    ("bookings of a window", Some(BOSS), "bookings?from={from}&until={until}"),
    ("bookings of a host's window", Some(HOST), "bookings?from={from}&until={until}"),
    ("usage records of a unit", Some(BOSS), "usage-records?"),
    ("usage records of a host", Some(HOST), "usage-records?"),
    ("usage records of a manager", Some(MANAGER), "usage-records?"),
    ("usage records everywhere", Some(AUDITOR), "usage-records?"),
    ("usage records of an instrument", Some(HOST), "usage-records?instrument_id={instrument}"),
    ("usage records changed", Some(HOST), "usage-records?updated_since={changed}"),
    ("usage records disputed", Some(HOST), "usage-records?state=disputed"),
    ("usage records of a window", Some(HOST), "usage-records?from={from}&until={until}"),
    ("charges of a payer", Some(BOSS), "charges?"),
    ("charges of a host", Some(FINANCE), "charges?"),
    ("charges changed", Some(FINANCE), "charges?updated_since={changed}"),
    ("charges voided", Some(FINANCE), "charges?state=voided"),
    ("events of a unit", Some(BOSS), "events?"),
    ("events of a unit, the last", Some(BOSS), "events?after={last_events}"),
    ("events everywhere, the last", Some(AUDITOR), "events?after={last_events}"),
    ("events of a subject", Some(AUDITOR), "events?subject_type=booking&subject_id=7"),
    ("events of an action", Some(AUDITOR), "events?action=booking_cancel"),
    ("events of a window", Some(AUDITOR), "events?from={changed}"),
];

#[rustfmt::skip]
const INSTRUMENTS: &[Form] = &[
    ("instruments", None, "instruments?"),
    ("instruments of a word", None, "instruments?q=%E8%B4%A8%E8%B0%B1"),
    ("instruments of a category", None, "instruments?category={category}"),
    ("instruments of a host with few", None, "instruments?organization={few}"),
    ("instruments in drafts", Some(HOST), "instruments?status=draft"),
    ("instruments by name", None, "instruments?sort=name"),
    ("instruments by value", None, "instruments?sort=-original_value_fen"),
    ("instruments changed", None, "instruments?updated_since={changed}"),
    ("instruments below a price", None, "instruments?max_price_fen=5000"),
];

pub fn measure(backend: Backend) -> Option<Vec<Row>> {
    let is_long = std::env::args().any(|word| word == "million");
    let sizes: &[usize] = if is_long {
        &[1_000, 100_000, 1_000_000]
    } else {
        &[1_000, 100_000]
    };
    let mut rows = Vec::new();
    for (forms, fill) in [
        (BOOKINGS, lists_rows::bookings as filled::Fill),
        (INSTRUMENTS, lists_rows::instruments),
    ] {
        let mut costs = vec![Vec::new(); forms.len()];
        for size in sizes {
            eprintln!("  {size} rows …");
            let cost = of_size(backend, forms, fill, *size)?;
            for (costs, cost) in costs.iter_mut().zip(cost) {
                costs.push(cost);
            }
        }
        rows.extend(
            forms
                .iter()
                .zip(costs)
                .map(|((name, ..), costs)| row(backend, name, sizes, &costs)),
        );
    }
    Some(rows)
}

/// Processor time of a page in seconds, and how many items it had.
type Cost = (f64, usize);

fn row(backend: Backend, name: &str, sizes: &[usize], costs: &[Cost]) -> Row {
    let told = |(size, (seconds, items)): (&usize, &Cost)| {
        let few = if *items == PAGE {
            String::new()
        } else {
            format!(" ({items} items)")
        };
        format!("10^{}: {:.2} ms{few}", size.ilog10(), seconds * 1e3)
    };
    let mut cells: Vec<_> = sizes.iter().zip(costs).map(told).collect();
    let ceiling = cells.remove(0);
    Row {
        what: format!("{name}, {backend:?}"),
        ours: cells.join(", "),
        ceiling,
        ratio: costs[costs.len() - 1].0 / costs[0].0,
        aim: Aim::AtMost(FLAT),
        processor: None,
    }
}

/// Fills a database and asks each list.
fn of_size(backend: Backend, forms: &[Form], fill: filled::Fill, size: usize) -> Option<Vec<Cost>> {
    let (fleet, filled) = filled::start(backend, fill, size)?;
    let server = match backend {
        Backend::Sqlite => None,
        Backend::Postgres => Server::behind(&fleet.url),
    };
    let node = &fleet.nodes[0];
    let used = || processor::of(node.process.id()) + server.as_ref().map_or(0.0, Server::used);
    // What the jobs use by themselves is not the lists'.
    let (before, rest) = (used(), Duration::from_secs(2));
    std::thread::sleep(rest);
    let idle = (used() - before) / rest.as_secs_f64();
    let address = node.base.trim_start_matches("http://");
    let ask = |form: &Form| cost(address, form, &filled, &used, idle);
    Some(forms.iter().map(ask).collect())
}

fn cost(
    address: &str,
    (name, person, query): &Form,
    filled: &Filled,
    used: &impl Fn() -> f64,
    idle: f64,
) -> Cost {
    let path = format!("/api/v1/{}&limit={PAGE}", filled.named(query));
    let request = load::get_as(
        &path.replace("?&", "?"),
        person.map(|person| filled.token(person)),
    );
    let mut connection = Connection::open(address);
    let answer = connection.ask(&request);
    assert_eq!(
        answer.status,
        200,
        "{name}: {}",
        String::from_utf8_lossy(&answer.body)
    );
    let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let items = page["items"].as_array().unwrap().len();
    let (before, start, mut asked) = (used(), Stopwatch::now(), 0);
    while asked < LEAST_REQUESTS || start.elapsed() < LASTING {
        connection.ask(&request);
        asked += 1;
    }
    let spent = used() - before - idle * start.elapsed().as_secs_f64();
    (spent.max(0.0) / f64::from(asked), items)
}
