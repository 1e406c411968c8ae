//! Money: charges from actual use, invoices that count once, payments that never exceed what is owed.

use serde_json::{Value, json};
use yiqi::domain::booking::{BookingMode, BookingPurpose, BookingState};
use yiqi::domain::tariff::{CustomerClass, Line, Quote, TimeLine};
use yiqi::domain::{BookingId, Fen, InstrumentId, Minutes, Slot};
use yiqi::store::booking::{Details, NewBooking};

use crate::both;
use crate::client::Client;
use crate::given;
use crate::world::{COMPANY, ENGINEER, FINANCE, TestApp};

const CHARGES: &str = "/api/v1/charges";

/// An instrument at 60 yuan an hour.
pub fn priced(app: &TestApp) -> InstrumentId {
    let instrument = given::instrument(app).insert();
    let price = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000});
    let path = format!("/api/v1/instruments/{instrument}/tariffs");
    app.as_host().post(&path, price).expect_status(201);
    instrument
}

/// Ninety minutes of the company on a day of February: 90 yuan.
pub fn record(app: &TestApp, instrument: InstrumentId, day: u32) -> i64 {
    let body = json!({
        "instrument_id": instrument, "organization_id": app.organization_id(COMPANY),
        "started_at": format!("2026-02-{day:02}T09:00:00+08:00"),
        "ended_at": format!("2026-02-{day:02}T10:30:00+08:00"),
        "mode": "entrusted", "purpose": "research",
    });
    app.as_host()
        .post("/api/v1/usage-records", body)
        .expect_status(201)
        .id()
}

pub fn charge_of(client: &Client, record: i64) -> Vec<Value> {
    let path = format!("{CHARGES}?usage_record_id={record}");
    client.get(&path).expect_status(200)["items"]
        .as_array()
        .unwrap()
        .clone()
}

/// A booking of the company for guided work, with this price.
fn booked(app: &TestApp, instrument: InstrumentId, quote: Quote) -> BookingId {
    let slot = Slot::new(
        "2026-02-10T09:00:00+08:00".parse().unwrap(),
        "2026-02-10T10:00:00+08:00".parse().unwrap(),
    );
    let slot = slot.unwrap();
    let new = NewBooking {
        booking_no: "B20260210-1".to_owned(),
        instrument_id: instrument,
        organization_id: app.organization_id(COMPANY),
        host_organization_id: app.organization_id(crate::world::UNIVERSITY),
        booked_by: app.user_id(ENGINEER),
        channel: 1,
        state: BookingState::Completed,
        slot,
        blocked: slot,
        mode: BookingMode::Guided,
        purpose: BookingPurpose::Research,
        details: Details {
            quote: Some(quote),
            ..Details::default()
        },
        client_reference: None,
        approval_due_at: None,
        held_until: None,
        answered_at: None,
        stamp: app.now(),
    };
    app.write(move |tx| Ok(yiqi::store::booking::insert(tx, new.clone())?.id))
}

pub fn invoice(number: &str) -> Value {
    json!({"invoice_no": number, "issued_on": "2026-03-01"})
}

pub fn payment(fen: i64, source: &str) -> Value {
    json!({"amount_fen": fen, "paid_on": "2026-03-01", "source": source})
}

both! {
    fn actual_use_is_charged_invoiced_and_paid(app: &TestApp) {
        let id = record(app, priced(app), 10);
        let (finance, company) = (app.as_person(FINANCE), app.as_company());
        let charge = charge_of(&company, id).remove(0);
        for (field, value) in [
            ("amount_fen", json!(9_000)), ("state", json!("open")), ("outstanding_fen", json!(9_000)), ("invoice", json!(null)),
            ("customer_class", json!("sme")), ("payer_organization_id", json!(app.organization_id(COMPANY))),
        ] {
            assert_eq!(charge[field], value, "{field}");
        }
        let path = format!("{CHARGES}/{}", charge["id"]);
        company.post(&format!("{path}/invoice"), invoice("A-1")).expect_code(403, "forbidden");
        app.as_person(ENGINEER).get(&path).expect_code(404, "not_found");
        app.as_stranger().get(&path).expect_code(404, "not_found");
        let wrong = finance.post(&format!("{path}/invoice"), json!({"invoice_no": "发票", "issued_on": "2026-03-03"})).expect_status(422);
        assert_eq!(wrong["errors"].as_array().unwrap().len(), 2);
        let invoiced = finance.post(&format!("{path}/invoice"), invoice(" a-1 ")).expect_status(200);
        assert_eq!((&invoiced["state"], &invoiced["invoice"]["invoice_no"]), (&json!("invoiced"), &json!("A-1")));
        finance.post(&format!("{path}/invoice"), invoice("A-2")).expect_code(409, "already_invoiced");
        for client in [&company, &finance] {
            client.post(&format!("{path}/payments"), payment(4_000, "voucher")).expect_code(422, "no_vouchers");
        }
        finance.post(&format!("{path}/payments"), payment(4_000, "payer")).expect_status(201);
        let over = finance.post(&format!("{path}/payments"), payment(5_001, "payer")).expect_code(422, "overpaid");
        assert_eq!(over["errors"][0]["limit"], 5000);
        let paid = finance.post(&format!("{path}/payments"), payment(5_000, "payer")).expect_status(201);
        for (field, value) in [("state", json!("paid")), ("paid_voucher_fen", json!(0)), ("paid_payer_fen", json!(9_000)), ("outstanding_fen", json!(0))] {
            assert_eq!(paid[field], value, "{field}");
        }
        assert_eq!(paid["version"], 4, "each action that happened is one version, a refused one none");
        for (state, found) in [("paid", 1), ("invoiced", 0), ("open", 0), ("voided", 0)] {
            let list = company.get(&format!("{CHARGES}?state={state}")).expect_status(200);
            assert_eq!(list["items"].as_array().unwrap().len(), found, "{state}");
        }
    }

    fn a_correction_reprices_what_is_open_and_a_voiding_voids_it(app: &TestApp) {
        let (host, finance) = (app.as_host(), app.as_person(FINANCE));
        let id = record(app, priced(app), 10);
        let action = |verb: &str| format!("/api/v1/usage-records/{id}/{verb}");
        host.post(&action("correct"), json!({"samples": 4})).expect_status(200);
        assert_eq!(charge_of(&finance, id).len(), 1, "the price stays, so does the charge");
        host.post(&action("correct"), json!({"ended_at": "2026-02-10T10:00:00+08:00"})).expect_status(200);
        let charges = charge_of(&finance, id);
        let told: Vec<_> = charges.iter().map(|c| (c["state"].as_str().unwrap(), c["amount_fen"].as_i64().unwrap())).collect();
        assert_eq!(told, [("open", 6_000), ("voided", 9_000)]);
        let voided = format!("{CHARGES}/{}", charges[1]["id"]);
        finance.post(&format!("{voided}/invoice"), invoice("B-1")).expect_code(409, "invalid_state");
        host.post(&action("void"), json!({"reason": "重复"})).expect_status(200);
        assert!(charge_of(&finance, id).iter().all(|c| c["state"] == "voided"));
    }

    fn what_is_invoiced_or_paid_stands(app: &TestApp) {
        let (host, finance) = (app.as_host(), app.as_person(FINANCE));
        let instrument = priced(app);
        let (invoiced, paid) = (record(app, instrument, 10), record(app, instrument, 11));
        let path = |id| format!("{CHARGES}/{}", charge_of(&finance, id)[0]["id"]);
        finance.post(&format!("{}/invoice", path(invoiced)), invoice("C-1")).expect_status(200);
        finance.post(&format!("{}/payments", path(paid)), payment(1, "payer")).expect_status(201);
        for (id, code) in [(invoiced, "already_invoiced"), (paid, "invalid_state")] {
            let action = |verb: &str| format!("/api/v1/usage-records/{id}/{verb}");
            host.post(&action("void"), json!({"reason": "x"})).expect_code(409, code);
            host.post(&action("correct"), json!({"run_minutes": 30})).expect_code(409, code);
            host.post(&action("correct"), json!({"samples": 30})).expect_status(200);
            let versions = host.get(&action("versions"));
            assert_eq!(versions["items"].as_array().unwrap().len(), 2, "what was refused left nothing");
        }
    }

    fn an_invoice_number_counts_once_on_the_platform(app: &TestApp) {
        let instrument = priced(app);
        let finance = app.as_person(FINANCE);
        let paths: Vec<_> = (1..=12).map(|day| {
            let id = record(app, instrument, day);
            format!("{CHARGES}/{}/invoice", charge_of(&finance, id)[0]["id"])
        }).collect();
        let answers: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = paths.iter().map(|path| {
                let finance = &finance;
                scope.spawn(move || finance.post(path, invoice("D-1")))
            }).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for lost in answers.into_iter().filter(|answer| answer.status != 200) {
            lost.expect_code(409, "invoice_no_used");
        }
        let open = finance.get(&format!("{CHARGES}?state=open"));
        assert_eq!(open["items"].as_array().unwrap().len(), 11);
    }

    fn racing_payments_never_exceed_the_amount(app: &TestApp) {
        let id = record(app, priced(app), 10);
        let finance = app.as_person(FINANCE);
        let path = format!("{CHARGES}/{}", charge_of(&finance, id)[0]["id"]);
        let payments = format!("{path}/payments");
        let answers: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..24).map(|_| {
                let (finance, payments) = (&finance, &payments);
                scope.spawn(move || finance.post(payments, payment(1_000, "payer")))
            }).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 9);
        for lost in answers.into_iter().filter(|answer| answer.status != 201) {
            lost.expect_code(422, "overpaid");
        }
        let paid = finance.get(&path);
        assert_eq!((&paid["state"], &paid["paid_payer_fen"], &paid["version"]), (&json!("paid"), &json!(9_000), &json!(10)));
    }

    fn what_was_quoted_with_a_booking_is_kept(app: &TestApp) {
        let instrument = priced(app);
        let promised = Quote {
            customer_class: CustomerClass::Sme,
            priced_on: "2026-02-10".parse().unwrap(),
            lines: vec![Line::Time(TimeLine {
                tariff_id: 1.try_into().unwrap(),
                minutes: Minutes::new(60),
                price_fen_per_hour: Fen::new(3_000),
                amount_fen: Fen::new(3_000),
            })],
            total_fen: Fen::new(3_000),
        };
        let booking = booked(app, instrument, promised);
        let service = |from: &str, until: &str, mode: &str| json!({
            "instrument_id": instrument, "organization_id": app.organization_id(COMPANY), "booking_id": booking,
            "started_at": format!("2026-02-10T{from}:00+08:00"), "ended_at": format!("2026-02-10T{until}:00+08:00"),
            "mode": mode, "purpose": "research",
        });
        let host = app.as_host();
        for (body, amount) in [
            (service("09:00", "10:30", "guided"), 4_500),
            (service("10:30", "12:00", "entrusted"), 9_000),
        ] {
            let id = host.post("/api/v1/usage-records", body).expect_status(201).id();
            assert_eq!(charge_of(&host, id)[0]["amount_fen"], amount);
        }
        let mut foreign = service("13:00", "14:00", "guided");
        foreign["organization_id"] = json!(app.organization_id(crate::world::OTHER_COMPANY));
        host.post("/api/v1/usage-records", foreign).expect_code(422, "unknown_reference");
    }

    fn own_use_costs_only_what_names_it(app: &TestApp) {
        let instrument = priced(app);
        let host = app.as_host();
        let own = |day: u32| json!({
            "instrument_id": instrument, "organization_id": app.organization_id(crate::world::UNIVERSITY),
            "started_at": format!("2026-02-{day:02}T09:00:00+08:00"), "ended_at": format!("2026-02-{day:02}T10:00:00+08:00"),
            "mode": "guided", "purpose": "teaching",
        });
        let free = host.post("/api/v1/usage-records", own(10)).expect_status(201).id();
        assert!(charge_of(&host, free).is_empty());
        let price = json!({"customer_class": "own", "valid_from": "2026-01-01", "price_fen_per_hour": 500});
        host.post(&format!("/api/v1/instruments/{instrument}/tariffs"), price).expect_status(201);
        let priced = host.post("/api/v1/usage-records", own(11)).expect_status(201).id();
        assert_eq!(charge_of(&host, priced)[0]["amount_fen"], 500);
    }
}
