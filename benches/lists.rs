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
const ROUNDS: usize = 3;
const LASTING: Duration = Duration::from_millis(300);
const LEAST_REQUESTS: u32 = 3;
/// Seconds of processor time in a second below which nothing but the clock of the jobs runs, and how long it is waited for.
const CALM: f64 = 0.02;
const RESTS: u32 = 300;

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
        let mut sites = Vec::new();
        for size in sizes {
            eprintln!("  {size} rows …");
            sites.push(Site::fill(backend, fill, *size)?);
        }
        for form in forms {
            let mut costs: Vec<_> = sites.iter().map(|site| site.first_page(form)).collect();
            // In turn, so that what else the machine does meets every size; the least is what the page needs.
            for _ in 0..ROUNDS {
                for (site, cost) in sites.iter().zip(&mut costs) {
                    cost.seconds = cost.seconds.min(site.seconds(form));
                }
            }
            rows.push(row(&format!("{}, {backend:?}", form.0), sizes, &costs));
        }
    }
    Some(rows)
}

/// Processor time of a page in seconds, and how many items it has.
struct Cost {
    seconds: f64,
    items: usize,
}

fn row(name: &str, sizes: &[usize], costs: &[Cost]) -> Row {
    let told = |(size, cost): (&usize, &Cost)| {
        let few = match cost.items {
            PAGE => String::new(),
            items => format!(" ({items} items)"),
        };
        format!("10^{}: {:.2} ms{few}", size.ilog10(), cost.seconds * 1e3)
    };
    let mut cells: Vec<_> = sizes.iter().zip(costs).map(told).collect();
    let ceiling = cells.remove(0);
    Row {
        what: name.to_owned(),
        ours: cells.join(", "),
        ceiling,
        ratio: costs[costs.len() - 1].seconds / costs[0].seconds,
        aim: Aim::AtMost(FLAT),
        processor: None,
    }
}

/// A filled database with a server on it.
struct Site {
    fleet: Fleet,
    filled: Filled,
    postgres: Option<Server>,
    /// What the jobs use by themselves in a second.
    idle: f64,
}

impl Site {
    fn fill(backend: Backend, fill: filled::Fill, size: usize) -> Option<Site> {
        let (fleet, filled) = filled::start(backend, fill, size)?;
        let postgres = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Server::behind(&fleet.url),
        };
        let mut site = Site {
            fleet,
            filled,
            postgres,
            idle: 0.0,
        };
        site.idle = site.settle();
        Some(site)
    }

    /// What the jobs use in a second, once they are through with so many new rows.
    fn settle(&self) -> f64 {
        let rest = Duration::from_secs(2);
        let in_a_second = || {
            let before = self.used();
            std::thread::sleep(rest);
            (self.used() - before) / rest.as_secs_f64()
        };
        let mut idle = in_a_second();
        for _ in 0..RESTS {
            if idle < CALM {
                break;
            }
            idle = in_a_second();
        }
        idle
    }

    fn used(&self) -> f64 {
        let server = processor::of(self.fleet.nodes[0].process.id());
        server + self.postgres.as_ref().map_or(0.0, Server::used)
    }

    fn connection(&self) -> Connection {
        Connection::open(self.fleet.nodes[0].base.trim_start_matches("http://"))
    }

    fn request(&self, (_, person, query): &Form) -> Vec<u8> {
        let path = format!("/api/v1/{}&limit={PAGE}", self.filled.named(query));
        let token = person.map(|person| self.filled.token(person));
        load::get_as(&path.replace("?&", "?"), token)
    }

    /// How many items the form has; what they cost is not known yet.
    fn first_page(&self, form: &Form) -> Cost {
        let answer = self.connection().ask(&self.request(form));
        let body = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, 200, "{}: {body}", form.0);
        let page: serde_json::Value = serde_json::from_str(&body).unwrap();
        Cost {
            seconds: f64::INFINITY,
            items: page["items"].as_array().unwrap().len(),
        }
    }

    /// Processor time of one page.
    fn seconds(&self, form: &Form) -> f64 {
        let (request, mut connection) = (self.request(form), self.connection());
        let (before, start, mut asked) = (self.used(), Stopwatch::now(), 0);
        while asked < LEAST_REQUESTS || start.elapsed() < LASTING {
            connection.ask(&request);
            asked += 1;
        }
        let spent = self.used() - before - self.idle * start.elapsed().as_secs_f64();
        spent.max(0.0) / f64::from(asked)
    }
}
