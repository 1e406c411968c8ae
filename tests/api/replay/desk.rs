//! The daily work of a desk, sent twice: bookings, records of use, and their money.

use serde_json::{Value, json};
use ureq::http::Method;

use super::Replay;
use crate::charge::{charge_of, invoice, payment, priced, record};
use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

pub const BOOKINGS: &[&str] = &[
    "booking_approve",
    "booking_approve_all",
    "booking_cancel",
    "booking_finish",
    "booking_no_show",
    "booking_reject",
    "booking_request",
    "booking_reschedule",
    "booking_start",
    "booking_submit",
    "usage_record_attest",
];
pub const RECORDS: &[&str] = &[
    "review_create",
    "usage_record_charge",
    "usage_record_confirm",
    "usage_record_correct",
    "usage_record_create",
    "usage_record_dispute",
    "usage_record_import",
    "usage_record_void",
];
pub const MONEY: &[&str] = &[
    "charge_invoice",
    "charge_pay",
    "charge_reprice",
    "invoice_annul",
    "invoice_create",
    "payment_receive",
    "payment_refuse",
    "payment_reverse",
];

fn wish(instrument: impl serde::Serialize, mode: &str, from: &str, until: &str) -> Value {
    json!({
        "instrument_id": instrument, "mode": mode, "purpose": "research",
        "starts_at": format!("2026-03-03T{from}:00+08:00"), "ends_at": format!("2026-03-03T{until}:00+08:00"),
    })
}

/// The newest payment of a charge, as a path.
fn last_payment(charge: &Answer) -> String {
    let last = charge["payments"].as_array().unwrap().last().unwrap();
    format!("/api/v1/payments/{}", last["id"])
}

both! {
    fn answers_about_bookings_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, BOOKINGS);
        let (company, host) = (app.as_company(), app.as_host());
        let asked = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let at = |id: i64, verb: &str| format!("/api/v1/bookings/{id}/{verb}");
        let hours = ["10:00", "11:00", "12:00", "13:00", "14:00", "15:00"];
        let requests: Vec<Answer> = hours
            .windows(2)
            .map(|hour| replay.post(&company, "/api/v1/bookings", wish(asked, "guided", hour[0], hour[1])))
            .collect();
        let approved = requests[0].id();
        replay.twice(&host, &Method::POST, &at(approved, "approve"), requests[0].etag(), &json!({}));
        let items: Vec<Value> = requests[1..3].iter().map(|one| json!({"id": one.id(), "version": one["version"]})).collect();
        replay.post(&host, "/api/v1/bookings/approve", json!({"items": items}));
        replay.post(&host, &at(requests[3].id(), "reject"), json!({"reason": "样品含磁性", "reason_code": "not_suitable"}));
        let later = json!({"starts_at": "2026-03-04T10:00:00+08:00", "ends_at": "2026-03-04T11:00:00+08:00"});
        replay.post(&company, &at(approved, "reschedule"), later);
        replay.post(&company, &at(approved, "cancel"), json!({"reason": "样品未到"}));
        let mut kept = wish(asked, "guided", "15:00", "16:00");
        kept["hold"] = json!(true);
        let kept = replay.post(&company, "/api/v1/bookings", kept).id();
        replay.post(&company, &at(kept, "submit"), json!({}));

        let engineer = app.as_person(ENGINEER);
        let [used, forgotten] = [0, 1].map(|_| {
            let sem = given::instrument(app).insert();
            engineer.post("/api/v1/bookings", wish(sem, "self_operated", "10:00", "12:00")).expect_status(201).id()
        });
        app.advance(60 * 25);
        replay.post(&engineer, &at(used, "start"), json!({}));
        app.advance(60);
        replay.post(&host, &at(forgotten, "no-show"), json!({}));
        let finished = replay.post(&engineer, &at(used, "finish"), json!({"samples": 2}));
        let record = format!("/api/v1/usage-records/{}/attest", finished["usage_record_ids"][0]);
        replay.post(&host, &record, json!({}));
    }

    fn answers_about_records_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, RECORDS);
        let (company, host, finance) = (app.as_company(), app.as_host(), app.as_person(FINANCE));
        let instrument = given::instrument(app).insert();
        let records = "/api/v1/usage-records";
        let at = |id: i64, verb: &str| format!("{records}/{id}/{verb}");
        let typed = |day: u32| json!({
            "instrument_id": instrument, "organization_id": app.organization_id(COMPANY), "mode": "entrusted", "purpose": "research",
            "started_at": format!("2026-02-{day:02}T09:00:00+08:00"), "ended_at": format!("2026-02-{day:02}T10:30:00+08:00"),
        });
        let [first, second, third] = [9, 10, 11].map(|day| replay.post(&host, records, typed(day)).id());
        replay.post(&company, &at(first, "confirm"), json!({}));
        replay.post(&company, &at(first, "review"), json!({"satisfaction": "satisfied"}));
        replay.post(&host, &at(second, "correct"), json!({"samples": 3}));
        replay.post(&company, &at(second, "dispute"), json!({"reason": "机时有误"}));
        replay.post(&host, &at(third, "void"), json!({"reason": "误录"}));
        let price = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000});
        host.post(&format!("/api/v1/instruments/{instrument}/tariffs"), price).expect_status(201);
        replay.post(&finance, &at(first, "charge"), json!({}));
        let asset = app.read(move |conn| Ok(yiqi::store::instrument::get(conn, instrument)?.facts.asset_no));
        let head = "asset_no,using_uscc,started_at,ended_at,mode,purpose";
        let rows = format!("{head}\n{asset},{COMPANY},2026-02-12 09:00,2026-02-12 10:00,guided,other\n");
        replay.post(&host, &format!("{records}/import"), json!(rows));
    }

    fn answers_about_money_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, MONEY);
        let (company, finance) = (app.as_company(), app.as_person(FINANCE));
        let instrument = priced(app);
        let charges: Vec<Value> = [9, 10, 11].map(|day| charge_of(&company, record(app, instrument, day)).remove(0)["id"].clone()).into();
        let at = |charge: &Value, verb: &str| format!("/api/v1/charges/{charge}/{verb}");
        let pays = |client: &Client| replay.post(client, &at(&charges[0], "payments"), payment(9_000, "payer"));
        replay.post(&finance, &at(&charges[0], "reprice"), json!({}));
        replay.post(&finance, &at(&charges[0], "invoice"), invoice("P-1"));
        let declared = last_payment(&pays(&company));
        replay.post(&finance, &format!("{declared}/receive"), json!({}));
        replay.post(&finance, &format!("{declared}/reverse"), json!({"reason": "退票"}));
        let refused = last_payment(&pays(&company));
        replay.post(&finance, &format!("{refused}/refuse"), json!({"reason": "未到账"}));
        pays(&finance);
        let all = json!({"invoice_no": "P-2", "issued_on": "2026-03-01", "charge_ids": charges[1..]});
        let made = replay.post(&finance, "/api/v1/invoices", all).id();
        replay.post(&finance, &format!("/api/v1/invoices/{made}/annul"), json!({"reason": "抬头有误"}));
    }
}
