//! The many rows of each list: what is few is a hundred rows at every size, spread evenly; what is searched by time lies
//! in the middle.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use serde_json::json;

use crate::client::Client;
use crate::lists_filled::{FEW, Filling, INSTRUMENTS};
use crate::world::{BOSS, COMPANY, ENGINEER, HOST, MANAGER, OTHER_COMPANY, OTHER_HOST, Person};

/// How both sides of HTTP write a moment.
fn told(moment: NaiveDateTime) -> String {
    moment.and_utc().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// One booking, one usage record with its charge, and two instruments for the manager, as the service writes them.
pub fn write_samples(filling: &Filling, client: impl Fn(Person) -> Client) {
    let first = filling.instruments[0];
    for instrument in [first, first + 1] {
        filling.execute(&format!(
            "INSERT INTO instrument_manager (instrument_id, user_id) VALUES ({instrument}, {})",
            filling.users[MANAGER.login]
        ));
    }
    let tariff = json!({"valid_from": "2020-01-01", "price_fen_per_hour": 6_000});
    let tariffs = format!("/api/v1/instruments/{first}/tariffs");
    client(HOST).post(&tariffs, tariff).expect_status(201);
    let hour = |moment: NaiveDateTime, hours| told(moment + TimeDelta::hours(hours));
    // Midnight of UTC: a booking begins at a full half hour.
    let ahead = (filling.now + TimeDelta::days(7)).date().into();
    let booking = json!({
        "instrument_id": first, "starts_at": hour(ahead, 0), "ends_at": hour(ahead, 1),
        "mode": "self_operated", "purpose": "research",
    });
    client(BOSS)
        .post("/api/v1/bookings", booking)
        .expect_status(201);
    let past = filling.now - TimeDelta::hours(6);
    let record = json!({
        "instrument_id": first, "organization_id": filling.organizations[COMPANY],
        "started_at": hour(past, 0), "ended_at": hour(past, 1),
        "mode": "entrusted", "purpose": "research",
    });
    client(HOST)
        .post("/api/v1/usage-records", record)
        .expect_status(201);
}

/// What bookings and usage records share: where and whose row `i` is, and when it was changed.
struct Row {
    instrument: String,
    unit: String,
    begins: String,
    ends: String,
    changed: String,
    /// Whether it is one of the few that differ.
    differs: String,
}

fn row(filling: &Filling) -> Row {
    let (company, few) = (
        filling.organizations[COMPANY],
        filling.organizations[OTHER_COMPANY],
    );
    let turn = format!("(i / {INSTRUMENTS}) * 30");
    Row {
        instrument: format!("{} + i % {INSTRUMENTS}", filling.instruments[0]),
        unit: format!(
            "CASE WHEN {} THEN {few} ELSE {company} END",
            filling.is_few(1)
        ),
        begins: filling.after(filling.slots(), &turn, "minute"),
        ends: filling.after(filling.slots(), &format!("{turn} + 30"), "minute"),
        changed: filling.changed_at(),
        differs: filling.is_few(2),
    }
}

impl Row {
    fn choose(&self, few: &str, others: &str) -> String {
        format!("CASE WHEN {} THEN {few} ELSE {others} END", self.differs)
    }
}

/// Bookings, usage records, charges and events of one company at one host.
pub fn bookings(filling: &Filling) -> HashMap<&'static str, String> {
    let row = row(filling);
    insert_bookings(filling, &row);
    let record = filling.sample("usage_record", "1 = 1");
    filling.repeat(
        &record,
        &[
            ("record_no", "'L' || i"),
            ("instrument_id", &row.instrument),
            ("organization_id", &row.unit),
            ("started_at", &row.begins),
            ("ended_at", &row.ends),
            ("state", &row.choose("'disputed'", "'confirmed'")),
            ("created_at", &row.changed),
            ("updated_at", &row.changed),
        ],
    );
    let record = "(SELECT id FROM usage_record WHERE record_no = 'L0') + i";
    filling.repeat(
        &filling.sample("charge", "1 = 1"),
        &[
            ("usage_record_id", record),
            ("payer_organization_id", &row.unit),
            ("state", &row.choose("'voided'", "'open'")),
            ("created_at", &row.changed),
            ("updated_at", &row.changed),
        ],
    );
    filling.repeat(
        &filling.sample("event", "subject_type = 'booking'"),
        &[
            ("subject_id", "i"),
            ("happened_at", &row.changed),
            (
                "action",
                &row.choose("'booking_cancel'", "'booking_request'"),
            ),
        ],
    );
    let end = filling.now - TimeDelta::days(1);
    let middle = filling.slots() + (end - filling.slots()) / 2;
    [
        ("instrument", (filling.instruments[5]).to_string()),
        ("few", filling.organizations[OTHER_COMPANY].to_string()),
        ("changed", told(filling.now - TimeDelta::seconds(700))),
        ("from", told(middle)),
        ("until", told(middle + TimeDelta::hours(2))),
        ("last_events", (filling.size - FEW).to_string()),
    ]
    .into()
}

/// What waits lies ahead, or it would expire; no two of them at one time.
fn insert_bookings(filling: &Filling, row: &Row) {
    let sample = filling.sample("booking", "1 = 1");
    let ahead = filling.now + TimeDelta::days(30);
    let later = format!("(i / {}) * 30", filling.size / FEW);
    let starts_at = filling.after(ahead, &later, "minute");
    let ends_at = filling.after(ahead, &format!("{later} + 30"), "minute");
    let starts_at = row.choose(&starts_at, &row.begins);
    let ends_at = row.choose(&ends_at, &row.ends);
    let person = format!(
        "CASE WHEN i % 15 = 3 THEN {} ELSE {} END",
        filling.users[ENGINEER.login],
        sample.literal("booked_by")
    );
    filling.repeat(
        &sample,
        &[
            ("booking_no", "'L' || i"),
            ("instrument_id", &row.instrument),
            ("organization_id", &row.unit),
            ("booked_by", &person),
            ("state", &row.choose("'requested'", "'completed'")),
            ("starts_at", &starts_at),
            ("ends_at", &ends_at),
            ("blocked_from", &starts_at),
            ("blocked_until", &ends_at),
            ("created_at", &row.changed),
            ("updated_at", &row.changed),
        ],
    );
}

/// Instruments of one host, listed but for a hundred drafts; a hundred have a word in their name and a price.
pub fn instruments(filling: &Filling) -> HashMap<&'static str, String> {
    let few = filling.organizations[OTHER_HOST];
    let changed = filling.changed_at();
    let sample = filling.sample("instrument", "1 = 1");
    let (host, category) = (
        sample.literal("organization_id"),
        sample.literal("category_code"),
    );
    let mixed = format!("i * 7919 % {}", filling.size);
    let choose = |of, few: &str, others: &str| {
        format!(
            "CASE WHEN {} THEN {few} ELSE {others} END",
            filling.is_few(of)
        )
    };
    let other = "(SELECT min(code) FROM category WHERE length(code) = 6)";
    filling.repeat(
        &sample,
        &[
            ("asset_no", "'L' || i"),
            ("asset_no_key", "'l' || i"),
            (
                "name",
                &choose(3, "'质谱仪' || i", &format!("'电子显微镜' || ({mixed})")),
            ),
            ("original_value_fen", &format!("20000000 + {mixed}")),
            ("organization_id", &choose(1, &few.to_string(), &host)),
            ("state", &choose(2, "'draft'", "'listed'")),
            (
                "category_code",
                &format!("CASE WHEN i % 10 = 5 THEN {other} ELSE {category} END"),
            ),
            ("created_at", &changed),
            ("updated_at", &changed),
        ],
    );
    filling.execute(
        "INSERT INTO tariff (instrument_id, valid_from, price_fen_per_hour, created_at) \
         SELECT id, '2020-01-01', 4000, created_at FROM instrument WHERE name LIKE '质谱仪%'",
    );
    let other = filling.sample("instrument", &format!("category_code <> {category}"));
    [
        ("few", few.to_string()),
        ("category", other.literal("category_code").replace('\'', "")),
        ("changed", told(filling.now - TimeDelta::seconds(700))),
    ]
    .into()
}
