//! POST of a booking over HTTP against the same statements in a plain loop: on SQLite one row a commit and 64 rows a commit,
//! on PostgreSQL through as many plain connections as the server has.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use serde_json::json;
use yiqi::domain::booking::{BookingMode, BookingPurpose, BookingState};
use yiqi::domain::{Instant, InstrumentId, Minutes, OrganizationId, Slot, UserId};
use yiqi::error::AppError;
use yiqi::store::booking::{Audience, NewBooking};
use yiqi::store::event::{NewEvent, Subject};
use yiqi::store::{self, Conn, Database, Lock};

use crate::fleet::{Direct, Fleet};
use crate::load;
use crate::report::Row;
use crate::world::{BOSS, Backend};
use crate::{RUNS, given};

/// Requests wait together for a commit, so there are more of them than cores.
const CONNECTIONS: usize = 64;
const LASTING: Duration = Duration::from_secs(3);
const INSTRUMENTS: usize = 400;

/// Who books what, from when on.
#[derive(Clone)]
struct Course {
    instruments: Vec<InstrumentId>,
    first: Instant,
    token: String,
    user: UserId,
    company: OrganizationId,
    host: OrganizationId,
}

fn course(direct: &Direct) -> Course {
    let world = &direct.world;
    let tomorrow = world.now().local_date() + chrono::Days::new(2);
    let rules = json!({"horizon_days": 700, "min_minutes": 30});
    Course {
        instruments: (0..INSTRUMENTS)
            .map(|_| given::instrument(world).rules(rules.clone()).insert())
            .collect(),
        first: Instant::at_midnight(tomorrow),
        token: direct.token(BOSS),
        user: world.user_id(BOSS),
        company: world.organization_id(BOSS.organization),
        host: world.organization_id(crate::world::UNIVERSITY),
    }
}

impl Course {
    /// The instrument and the half hour of a running number: no two numbers meet.
    fn place(&self, number: usize) -> (InstrumentId, Slot) {
        let turn = i64::try_from(number / INSTRUMENTS).unwrap();
        let starts_at = self.first.plus(Minutes::new(turn * 30));
        (
            self.instruments[number % INSTRUMENTS],
            Slot::new(starts_at, starts_at.plus(Minutes::new(30))).unwrap(),
        )
    }

    fn request(&self, number: usize) -> Vec<u8> {
        let (instrument, slot) = self.place(number);
        let body = format!(
            "{{\"instrument_id\":{instrument},\"starts_at\":\"{}\",\"ends_at\":\"{}\",\"mode\":\"self_operated\",\"purpose\":\"research\"}}",
            slot.starts_at(),
            slot.ends_at()
        );
        load::post("/api/v1/bookings", &self.token, &body)
    }

    /// The statements of a request that is confirmed at once, without HTTP, sign-in, rules and queue.
    fn statements(&self, conn: &mut Conn, number: usize, now: Instant) -> Result<(), AppError> {
        let (instrument_id, slot) = self.place(number);
        Lock::take_records_of(instrument_id, conn)?;
        let terms = store::booking_rules::get_terms(conn, instrument_id)?;
        store::closure::list_rules(conn, instrument_id, &slot)?;
        store::booking::list_blocking(conn, instrument_id, &slot)?;
        store::tariff::list(conn, instrument_id)?;
        let booking = store::booking::insert(conn, self.booking(number, now))?;
        let event = NewEvent::new(now, "booking_request", Subject::new("booking", booking.id))
            .of(self.company, Some(terms.host_organization_id))
            .after(&booking)?;
        let event = store::event::append(conn, &event)?;
        store::booking::announce(conn, event, self.audience(instrument_id), now)?;
        Ok(())
    }

    fn booking(&self, number: usize, now: Instant) -> NewBooking {
        let (instrument_id, slot) = self.place(number);
        NewBooking {
            booking_no: format!("P{number}"),
            instrument_id,
            organization_id: self.company,
            host_organization_id: self.host,
            booked_by: self.user,
            channel: 1,
            state: BookingState::Confirmed,
            slot,
            blocked: slot,
            mode: BookingMode::SelfOperated,
            purpose: BookingPurpose::Research,
            description: None,
            operator: None,
            samples: None,
            service_items: None,
            quote: None,
            client_reference: None,
            approval_due_at: None,
            answered_at: Some(now),
            now,
        }
    }

    /// The host's side of the instrument, as a request tells it.
    fn audience(&self, instrument: InstrumentId) -> Audience {
        Audience {
            person: Some((self.user, self.company)),
            unit: None,
            desk: Some((instrument, self.host)),
            except: Some(self.user),
        }
    }
}

/// Bookings over HTTP per second. Numbers go on from `from`; answers the next free one.
fn over_http(fleet: &Fleet, course: &Course, from: &mut usize) -> f64 {
    let address = fleet.nodes[0].base.trim_start_matches("http://").to_owned();
    let first = *from;
    let outcome = load::run(&address, CONNECTIONS, LASTING, 201, |number| {
        course.request(first + number)
    });
    assert_eq!(outcome.other, 0, "every booking of this load is confirmed");
    *from += outcome.expected + CONNECTIONS;
    outcome.per_second()
}

/// Bookings per second of one plain connection that commits every `rows`.
fn plain_loop(database: &Database, course: &Course, rows: usize, from: &mut usize) -> f64 {
    let mut conn = database.connect().unwrap();
    let now = course.first.plus(Minutes::new(-24 * 60));
    let (start, mut done) = (Stopwatch::now(), 0);
    while start.elapsed() < LASTING {
        conn.batch_execute("BEGIN IMMEDIATE").unwrap();
        for _ in 0..rows {
            course.statements(&mut conn, *from, now).unwrap();
            *from += 1;
        }
        conn.batch_execute("COMMIT").unwrap();
        done += rows;
    }
    done as f64 / start.elapsed().as_secs_f64()
}

pub fn sqlite_against_loop(rows: usize, aim: f64) -> Option<Row> {
    let (mut ours, mut ceiling) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        // A fresh file for each run: both begin with empty tables.
        let (fleet, course) = Fleet::start(Backend::Sqlite, 1, course)?;
        ours.push(over_http(&fleet, &course, &mut 0));
        drop(fleet);
        let (fleet, course) = Fleet::start(Backend::Sqlite, 0, self::course)?;
        ceiling.push(plain_loop(
            &fleet.url.parse().unwrap(),
            &course,
            rows,
            &mut 0,
        ));
    }
    let what = match rows {
        1 => "POST booking, SQLite ÷ plain loop, 1 row a commit",
        _ => "POST booking, SQLite ÷ plain loop, 64 rows a commit",
    };
    Some(Row::rate(what, "bookings", &ours, &ceiling, aim))
}

/// As many plain connections as the server writes with.
const WRITERS: usize = 8;

fn plain_connections(database: &Database, course: &Course, from: usize) -> f64 {
    let (number, done) = (AtomicUsize::new(from), AtomicUsize::new(0));
    let now = course.first.plus(Minutes::new(-24 * 60));
    let start = Stopwatch::now();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut conn = database.connect().unwrap();
                while start.elapsed() < LASTING {
                    let next = number.fetch_add(1, Ordering::Relaxed);
                    conn.transaction(|tx| course.statements(tx, next, now))
                        .unwrap();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.into_inner() as f64 / start.elapsed().as_secs_f64()
}

pub fn postgres_against_connections() -> Option<Row> {
    let (fleet, course) = Fleet::start(Backend::Postgres, 1, course)?;
    let (mut ours, mut ceiling, mut from) = (Vec::new(), Vec::new(), 0);
    for _ in 0..RUNS {
        ours.push(over_http(&fleet, &course, &mut from));
        ceiling.push(plain_connections(
            &fleet.url.parse().unwrap(),
            &course,
            from,
        ));
        // More numbers than any run can use.
        from += 100_000;
    }
    Some(Row::rate(
        "POST booking, PostgreSQL ÷ 8 plain connections",
        "bookings",
        &ours,
        &ceiling,
        0.6,
    ))
}
