//! Who hears of what: the notices of every event that concerns people of both sides, and that nobody hears who left.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;
use yiqi::jobs;
use yiqi::store;
use yiqi::store::schema::{event, notice, user_account};

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

/// The people told of the newest event of this action.
fn told(app: &World, action: &'static str) -> BTreeSet<String> {
    app.tell();
    app.read(move |conn| {
        let newest: Option<i64> = event::table
            .filter(event::action.eq(action))
            .select(diesel::dsl::max(event::id))
            .first(conn)?;
        let newest = newest.unwrap_or_else(|| panic!("nothing tells of {action}"));
        let logins: Vec<String> = notice::table
            .inner_join(user_account::table.on(user_account::id.eq(notice::recipient_user_id)))
            .filter(notice::event_id.eq(newest))
            .select(user_account::login)
            .load(conn)?;
        let everybody = logins.len();
        let logins: BTreeSet<String> = logins.into_iter().collect();
        assert_eq!(everybody, logins.len(), "{action}: somebody is told twice");
        Ok(logins)
    })
}

fn people(people: &[Person]) -> BTreeSet<String> {
    people
        .iter()
        .map(|person| person.login.to_owned())
        .collect()
}

/// An instrument of the university, run by its manager.
fn managed(app: &World, approval: &str) -> InstrumentId {
    let instrument = given::instrument(app)
        .rules(json!({"approval": approval}))
        .insert();
    let manager = app.user_id(MANAGER);
    app.write(move |tx| {
        Ok(store::instrument::update_managers(
            tx,
            instrument,
            &[manager],
        )?)
    });
    instrument
}

fn wish(instrument: InstrumentId, hour: u32) -> Value {
    json!({
        "instrument_id": instrument, "mode": "guided", "purpose": "research",
        "starts_at": format!("2026-03-03T{hour:02}:00:00+08:00"),
        "ends_at": format!("2026-03-03T{:02}:00:00+08:00", hour + 1),
    })
}

fn book(client: &Client, instrument: InstrumentId, hour: u32) -> Answer {
    client
        .post("/api/v1/bookings", wish(instrument, hour))
        .expect_status(201)
}

fn action(client: &Client, booking: &Answer, verb: &str, body: Value) -> Answer {
    let path = format!("/api/v1/bookings/{}/{verb}", booking.id());
    let request = client.request(Method::POST, &path);
    request
        .header("If-Match", booking.etag())
        .json(body)
        .send()
        .expect_status(200)
}

both! {
    fn each_action_on_a_booking_tells_the_other_side(app: &TestApp) {
        let sem = managed(app, "manual");
        let (engineer, host) = (app.as_person(ENGINEER), app.as_host());
        let reason = || json!({"reason": "设备故障"});

        let first = book(&engineer, sem, 8);
        assert_eq!(told(app, "booking_request"), people(&[MANAGER]));
        let approved = action(&host, &first, "approve", json!({}));
        assert_eq!(told(app, "booking_approve"), people(&[ENGINEER, BOSS]));
        let moved = action(&engineer, &approved, "reschedule", json!({
            "starts_at": "2026-03-03T10:00:00+08:00", "ends_at": "2026-03-03T11:00:00+08:00",
        }));
        assert_eq!(told(app, "booking_reschedule"), people(&[BOSS, MANAGER]));
        action(&engineer, &moved, "cancel", json!({}));
        assert_eq!(told(app, "booking_cancel"), people(&[BOSS, MANAGER]));
        action(&host, &book(&engineer, sem, 12), "reject", json!({"reason_code": "busy"}));
        assert_eq!(told(app, "booking_reject"), people(&[ENGINEER, BOSS]));
        action(&host, &book(&engineer, sem, 12), "cancel", reason());
        assert_eq!(told(app, "booking_cancel"), people(&[ENGINEER, BOSS, MANAGER]));

        book(&engineer, sem, 13);
        app.advance(24 * 60 + 5 * 60);
        app.block_on(jobs::booking::tick(&app.app, app.now())).unwrap();
        assert_eq!(told(app, "booking_expire"), people(&[ENGINEER, BOSS, MANAGER]));
    }

    fn a_host_is_reminded_of_a_request_when_its_last_working_day_begins(app: &TestApp) {
        let sem = managed(app, "manual");
        let on = |day: u32, hour: u32| json!({
            "instrument_id": sem, "mode": "guided", "purpose": "research",
            "starts_at": format!("2026-03-{day:02}T{hour:02}:00:00+08:00"),
            "ends_at": format!("2026-03-{day:02}T{:02}:00:00+08:00", hour + 1),
        });
        let (engineer, host) = (app.as_person(ENGINEER), app.as_host());
        let request = |day, hour| engineer.post("/api/v1/bookings", on(day, hour)).expect_status(201);
        let step = || app.block_on(jobs::booking::tick(&app.app, app.now())).unwrap();
        let waiting = request(20, 8);
        assert_eq!(waiting["approval_due_at"], "2026-03-06T00:00:00+08:00");
        let decided = request(20, 9);
        let moved = request(20, 10);
        action(&host, &decided, "approve", json!({}));
        // Until Wednesday's end nothing is due, then two are, once.
        app.advance(3 * 24 * 60 - 9 * 60 - 1);
        assert_eq!(step(), 0);
        app.advance(1);
        assert_eq!((step(), step()), (2, 0));
        assert_eq!(told(app, "booking_remind"), people(&[HOST]));
        let seen = host.get(&format!("/api/v1/bookings/{}", waiting.id())).expect_status(200);
        assert_eq!((seen.etag(), &seen["updated_at"]), (waiting.etag(), &waiting["updated_at"]));
        // A request that is moved has another term, of which is told again when its time comes.
        let later = on(20, 12);
        let later = action(&engineer, &moved, "reschedule", json!({"starts_at": later["starts_at"], "ends_at": later["ends_at"]}));
        assert_eq!(later["approval_due_at"], "2026-03-11T00:00:00+08:00");
        app.advance(24 * 60);
        assert_eq!(step(), 1, "the first one expires");
        assert_eq!(told(app, "booking_expire"), people(&[ENGINEER, BOSS, MANAGER]));
        // The week-end is no working day.
        app.advance(3 * 24 * 60);
        assert_eq!(step(), 0);
        app.advance(24 * 60);
        assert_eq!((step(), step()), (1, 0));
        assert_eq!(told(app, "booking_remind"), people(&[HOST]));
    }

    fn the_end_of_a_use_tells_who_booked_and_the_host_hears_the_answer(app: &TestApp) {
        let sem = managed(app, "automatic");
        let (engineer, boss, host) = (app.as_person(ENGINEER), app.as_company(), app.as_host());
        let booking = book(&engineer, sem, 8);
        let forgotten = book(&engineer, sem, 10);
        app.advance(24 * 60 - 60);
        let started = action(&host, &booking, "start", json!({}));
        assert_eq!(told(app, "booking_start"), people(&[]));
        app.advance(30);
        let finished = action(&host, &started, "finish", json!({}));
        assert_eq!(told(app, "booking_finish"), people(&[ENGINEER, BOSS]));
        assert_eq!(told(app, "usage_record_open"), people(&[]), "the finish was told");
        let record = format!("/api/v1/usage-records/{}", finished["usage_record_ids"][0]);
        boss.post(&format!("{record}/confirm"), json!({})).expect_status(200);
        assert_eq!(told(app, "usage_record_confirm"), people(&[MANAGER]));
        host.post(&format!("{record}/correct"), json!({"samples": 3})).expect_status(200);
        assert_eq!(told(app, "usage_record_correct"), people(&[ENGINEER, BOSS]));

        app.advance(150);
        action(&host, &forgotten, "no-show", json!({}));
        assert_eq!(told(app, "booking_no_show"), people(&[ENGINEER, BOSS]));
        let typed = json!({
            "instrument_id": sem, "organization_id": app.organization_id(COMPANY), "booking_id": booking.id(),
            "started_at": "2026-03-02T09:00:00+08:00", "ended_at": "2026-03-02T10:00:00+08:00",
            "mode": "guided", "purpose": "research",
        });
        host.post("/api/v1/usage-records", typed).expect_status(201);
        assert_eq!(told(app, "usage_record_create"), people(&[ENGINEER, BOSS]));
    }

    fn who_was_told_of_a_closure_hears_that_it_is_gone(app: &TestApp) {
        let sem = managed(app, "automatic");
        book(&app.as_person(ENGINEER), sem, 8);
        let host = app.as_host();
        let path = format!("/api/v1/instruments/{sem}/closures");
        let closure = json!({
            "starts_at": "2026-03-03T08:00:00+08:00", "ends_at": "2026-03-03T09:00:00+08:00", "kind": "fault",
        });
        let made = host.post(&path, &closure).expect_status(201);
        assert_eq!(told(app, "booking_affect"), people(&[ENGINEER, BOSS]));
        let one = format!("/api/v1/closures/{}", made.id());
        let change = |etag: &str, body: Value| host.request(Method::PATCH, &one).header("If-Match", etag).json(body).send();
        let shorter = json!({"starts_at": "2026-03-03T06:00:00+08:00", "ends_at": "2026-03-03T07:00:00+08:00"});
        let moved = change(made.etag(), shorter).expect_status(200);
        assert_eq!(moved["bookings"], json!([]));
        assert_eq!(told(app, "booking_affect"), people(&[ENGINEER, BOSS]));
        change(moved.etag(), json!({"starts_at": null, "kind": null})).expect_code(422, "required");

        let again = host.post(&path, &closure).expect_status(201);
        host.delete(&format!("/api/v1/closures/{}", again.id())).expect_status(204);
        assert_eq!(told(app, "booking_affect"), people(&[ENGINEER, BOSS]));
    }

    fn money_is_told_to_those_who_keep_it(app: &TestApp) {
        let sem = managed(app, "automatic");
        let (host, finance) = (app.as_host(), app.as_person(FINANCE));
        let price = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000});
        host.post(&format!("/api/v1/instruments/{sem}/tariffs"), price).expect_status(201);
        assert_eq!(told(app, "tariff_create"), people(&[MANAGER]));
        let service = json!({
            "instrument_id": sem, "organization_id": app.organization_id(COMPANY), "mode": "guided", "purpose": "research",
            "started_at": "2026-02-10T09:00:00+08:00", "ended_at": "2026-02-10T10:00:00+08:00",
        });
        let record = host.post("/api/v1/usage-records", service).expect_status(201).id();
        assert_eq!(told(app, "usage_record_create"), people(&[BOSS]));
        assert_eq!(told(app, "charge_open"), people(&[]));
        let charges = finance.get(&format!("/api/v1/charges?usage_record_id={record}")).expect_status(200);
        let charge = format!("/api/v1/charges/{}", charges["items"][0]["id"]);
        let invoice = json!({"invoice_no": "N-1", "issued_on": "2026-03-01"});
        finance.post(&format!("{charge}/invoice"), invoice).expect_status(200);
        assert_eq!(told(app, "charge_invoice"), people(&[BOSS]));
        let payment = json!({"amount_fen": 100, "paid_on": "2026-03-01", "source": "payer"});
        finance.post(&format!("{charge}/payments"), payment).expect_status(201);
        assert_eq!(told(app, "charge_pay"), people(&[BOSS]));
    }

    fn whoever_cannot_act_is_told_nothing_and_somebody_else_is(app: &TestApp) {
        let sem = managed(app, "automatic");
        let (host, boss) = (app.as_host(), app.as_company());
        let member = |unit: &'static str, person: Person| {
            format!("/api/v1/organizations/{}/members/{}", app.organization_id(unit), app.user_id(person).number())
        };
        let change = |client: &Client, path: &str, body: Value| {
            client.request(Method::PATCH, path).header("If-Match", "*").json(body).send().expect_status(200)
        };
        let booking = book(&app.as_person(ENGINEER), sem, 8);
        assert_eq!(told(app, "booking_request"), people(&[MANAGER]));

        change(&host, &member(UNIVERSITY, MANAGER), json!({"state": "suspended"}));
        book(&app.as_person(ENGINEER), sem, 9);
        assert_eq!(told(app, "booking_request"), people(&[HOST]));
        change(&host, &member(UNIVERSITY, MANAGER), json!({"state": "active"}));
        book(&app.as_person(ENGINEER), sem, 10);
        assert_eq!(told(app, "booking_request"), people(&[MANAGER]));
        host.delete(&member(UNIVERSITY, MANAGER)).expect_status(204);
        book(&app.as_person(ENGINEER), sem, 11);
        assert_eq!(told(app, "booking_request"), people(&[HOST]));
        let kept = host.get(&format!("/api/v1/instruments/{sem}")).expect_status(200);
        assert_eq!(kept["manager_ids"], json!([]), "who left manages nothing");

        boss.delete(&member(COMPANY, ENGINEER)).expect_status(204);
        action(&host, &booking, "cancel", json!({"reason": "设备故障"}));
        assert_eq!(told(app, "booking_cancel"), people(&[BOSS]));
    }

    fn roles_and_membership_are_those_at_the_time_of_telling(app: &TestApp) {
        let sem = managed(app, "manual");
        let host = app.as_host();
        let booking = book(&app.as_person(ENGINEER), sem, 8);
        action(&host, &booking, "approve", json!({}));
        let engineer = format!(
            "/api/v1/organizations/{}/members/{}", app.organization_id(COMPANY), app.user_id(ENGINEER).number(),
        );
        app.as_company().delete(&engineer).expect_status(204);
        assert_eq!(told(app, "booking_approve"), people(&[BOSS]));
    }

    fn money_without_finance_is_told_to_the_host_s_administrators(app: &TestApp) {
        let sem = managed(app, "automatic");
        let (host, finance, boss) = (app.as_host(), app.as_person(FINANCE), app.as_company());
        let price = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000});
        host.post(&format!("/api/v1/instruments/{sem}/tariffs"), price).expect_status(201);
        let service = json!({
            "instrument_id": sem, "organization_id": app.organization_id(COMPANY), "mode": "guided", "purpose": "research",
            "started_at": "2026-02-10T09:00:00+08:00", "ended_at": "2026-02-10T10:00:00+08:00",
        });
        host.post("/api/v1/usage-records", service).expect_status(201);
        let charges = finance.get("/api/v1/charges").expect_status(200);
        let payments = format!("/api/v1/charges/{}/payments", charges["items"][0]["id"]);
        let pay = |amount_fen: i64| {
            let payment = json!({"amount_fen": amount_fen, "paid_on": "2026-03-01", "source": "payer"});
            boss.post(&payments, payment).expect_status(201);
        };
        pay(100);
        assert_eq!(told(app, "charge_pay"), people(&[FINANCE]));
        let declared = boss.get("/api/v1/charges").expect_status(200)["items"][0]["payments"][0]["id"].clone();
        finance.post(&format!("/api/v1/payments/{declared}/receive"), json!({})).expect_status(200);
        assert_eq!(told(app, "payment_receive"), people(&[BOSS]));
        let member = format!(
            "/api/v1/organizations/{}/members/{}", app.organization_id(UNIVERSITY), app.user_id(FINANCE).number(),
        );
        host.delete(&member).expect_status(204);
        pay(200);
        assert_eq!(told(app, "charge_pay"), people(&[HOST]));
    }
}
