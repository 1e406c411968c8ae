//! Many clients, one slot: exactly one wins, everybody else gets a clean answer. Over three servers on one PostgreSQL, and
//! over one server on SQLite.

use std::sync::Barrier;

use serde_json::{Value, json};
use yiqi::domain::{Instant, InstrumentId, Minutes};

use crate::client::Answer;
use crate::fleet::{Direct, Fleet};
use crate::given;
use crate::world::{BOSS, Backend, HOST, STRANGER};

const CLIENTS: usize = 64;
const ROUNDS: i64 = 50;

/// What a race needs: an instrument open at all hours and people who may book it.
struct Course {
    instrument: InstrumentId,
    asset_no: String,
    company: String,
    stranger: String,
    host: String,
    company_id: i64,
    first: Instant,
}

fn course(direct: &Direct, channels: i64) -> Course {
    let instrument = given::instrument(&direct.world).channels(channels).insert();
    let asset_no = direct.read(move |conn| {
        Ok(yiqi::store::instrument::get(conn, instrument)?
            .facts
            .asset_no
            .to_string())
    });
    let tomorrow = direct.world.now().local_date() + chrono::Days::new(1);
    Course {
        instrument,
        asset_no,
        company: direct.token(BOSS),
        stranger: direct.token(STRANGER),
        host: direct.token(HOST),
        company_id: direct.world.organization_id(BOSS.organization).number(),
        first: Instant::at_midnight(tomorrow),
    }
}

fn fleet(backend: Backend, channels: i64) -> Option<(Fleet, Course)> {
    let nodes = match backend {
        Backend::Sqlite => 1,
        Backend::Postgres => 3,
    };
    Fleet::start(backend, nodes, |direct| course(direct, channels))
}

impl Course {
    /// The hour of a round, each with an hour of nothing after it.
    fn hour(&self, round: i64) -> (String, String) {
        let starts_at = self.first.plus(Minutes::new(round * 120));
        (
            starts_at.to_string(),
            starts_at.plus(Minutes::new(60)).to_string(),
        )
    }

    fn booking(&self, (starts_at, ends_at): &(String, String)) -> Value {
        json!({
            "instrument_id": self.instrument, "starts_at": starts_at, "ends_at": ends_at,
            "mode": "self_operated", "purpose": "research",
        })
    }

    /// Half of the clients are one company, half another.
    fn token(&self, client: usize) -> &str {
        if client.is_multiple_of(2) {
            &self.company
        } else {
            &self.stranger
        }
    }
}

/// Every client does its part of a round at the same moment; the answers of all.
fn at_once(clients: usize, part: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let barrier = Barrier::new(clients);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..clients)
            .map(|client| {
                let (barrier, part) = (&barrier, &part);
                scope.spawn(move || {
                    barrier.wait();
                    part(client)
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// So many succeeded; every other answer is a clean conflict.
fn expect_winners(round: i64, answers: Vec<Answer>, winners: usize, code: &str) {
    let total = answers.len();
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status < 300);
    assert_eq!(
        won.len(),
        winners,
        "round {round} of {total} clients: {:?}",
        lost.first().map(|answer| &answer.body)
    );
    for answer in lost {
        answer.expect_code(409, code);
    }
}

fn many_create(backend: Backend, channels: i64, winners: usize) {
    let Some((fleet, course)) = fleet(backend, channels) else {
        return;
    };
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| fleet.client(client, course.token(client)))
        .collect();
    for round in 0..ROUNDS {
        let body = course.booking(&course.hour(round));
        let answers = at_once(CLIENTS, |client| {
            clients[client].post("/api/v1/bookings", &body)
        });
        expect_winners(round, answers, winners, "slot_taken");
    }
}

#[test]
fn one_slot_has_one_winner_on_sqlite() {
    many_create(Backend::Sqlite, 1, 1);
}

#[test]
fn one_slot_has_one_winner_over_three_servers() {
    many_create(Backend::Postgres, 1, 1);
}

#[test]
fn three_channels_have_three_winners_on_sqlite() {
    many_create(Backend::Sqlite, 3, 3);
}

#[test]
fn three_channels_have_three_winners_over_three_servers() {
    many_create(Backend::Postgres, 3, 3);
}

/// All but two of the clients move a booking of theirs into one slot, and two book it anew, at once.
fn reschedules_and_a_create(backend: Backend) {
    let Some((fleet, course)) = fleet(backend, 1) else {
        return;
    };
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| fleet.client(client, course.token(client)))
        .collect();
    let make = |client: usize| {
        let place = course.hour(i64::try_from(client).unwrap());
        let answer = clients[client].post("/api/v1/bookings", course.booking(&place));
        answer.expect_status(201).id()
    };
    let movers: Vec<i64> = (0..CLIENTS - 2).map(make).collect();
    for round in 0..ROUNDS {
        let (starts_at, ends_at) = course.hour(100 + round);
        let slot = (starts_at.clone(), ends_at.clone());
        let to = json!({"starts_at": starts_at, "ends_at": ends_at});
        let answers = at_once(CLIENTS, |client| match movers.get(client) {
            Some(id) => clients[client].post(&format!("/api/v1/bookings/{id}/reschedule"), &to),
            None => clients[client].post("/api/v1/bookings", course.booking(&slot)),
        });
        expect_winners(round, answers, 1, "slot_taken");
    }
}

#[test]
fn reschedules_and_a_create_have_one_winner_on_sqlite() {
    reschedules_and_a_create(Backend::Sqlite);
}

#[test]
fn reschedules_and_a_create_have_one_winner_over_three_servers() {
    reschedules_and_a_create(Backend::Postgres);
}

/// A record is typed while a file with the same time is imported.
fn typed_against_imported(backend: Backend) {
    let Some((fleet, course)) = fleet(backend, 1) else {
        return;
    };
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| fleet.client(client, &course.host))
        .collect();
    for round in 0..ROUNDS {
        let started_at = course.first.plus(Minutes::new(-(30 + round) * 24 * 60));
        let ended_at = started_at.plus(Minutes::new(60));
        let typed = json!({
            "instrument_id": course.instrument, "organization_id": course.company_id, "started_at": started_at,
            "ended_at": ended_at, "run_minutes": 60, "mode": "entrusted", "purpose": "research",
        });
        let file = format!(
            "asset_no,using_uscc,started_at,ended_at,run_minutes,mode,purpose\n{},{},{started_at},{ended_at},60,entrusted,research\n",
            course.asset_no, BOSS.organization,
        );
        let answers = at_once(CLIENTS, |client| match client % 2 {
            0 => clients[client].post("/api/v1/usage-records", &typed),
            _ => clients[client]
                .request(ureq::http::Method::POST, "/api/v1/usage-records/import")
                .bytes("text/csv", file.clone())
                .send(),
        });
        expect_winners(round, answers, 1, "usage_overlaps");
    }
}

#[test]
fn typed_and_imported_usage_have_one_winner_on_sqlite() {
    typed_against_imported(Backend::Sqlite);
}

#[test]
fn typed_and_imported_usage_have_one_winner_over_three_servers() {
    typed_against_imported(Backend::Postgres);
}
