//! Invoices for many charges, and their annulment, after which everything about the charges can be mended.

use serde_json::{Value, json};
use yiqi::domain::policy::IncomeBy;

use crate::both;
use crate::charge::{charge_of, payment, priced, record};
use crate::client::Client;
use crate::payment::{income, income_by};
use crate::usage::{finalize, finalize_by};
use crate::world::{COMPANY, ENGINEER, FINANCE, OTHER_COMPANY, TestApp};

const INVOICES: &str = "/api/v1/invoices";

fn invoice(number: &str, charges: &[i64]) -> Value {
    json!({"invoice_no": number, "issued_on": "2026-03-01", "charge_ids": charges})
}

/// The charges of services on these days, each of 90 yuan, and their records.
fn charges(app: &TestApp, days: std::ops::RangeInclusive<u32>) -> (Vec<i64>, Vec<i64>) {
    let instrument = priced(app);
    let company = app.as_company();
    days.map(|day| {
        let id = record(app, instrument, day);
        (charge_of(&company, id)[0]["id"].as_i64().unwrap(), id)
    })
    .unzip()
}

fn read(client: &Client, charge: i64) -> Value {
    client
        .get(&format!("/api/v1/charges/{charge}"))
        .expect_status(200)
        .body
        .clone()
}

both! {
    fn one_invoice_stands_for_many_charges(app: &TestApp) {
        let (ids, _) = charges(app, 10..=14);
        let (finance, company) = (app.as_person(FINANCE), app.as_company());
        let body = invoice(" i-1 ", &[ids[2], ids[0], ids[1]]);
        for (client, code) in [(&company, "forbidden"), (&app.as_person(ENGINEER), "forbidden")] {
            client.post(INVOICES, &body).expect_code(403, code);
        }
        let made = finance.post(INVOICES, &body).expect_status(201);
        assert_eq!(made.header("location").unwrap(), format!("{INVOICES}/{}", made.id()));
        for (field, value) in [
            ("invoice_no", json!("I-1")), ("amount_fen", json!(27_000)), ("state", json!("issued")), ("version", json!(1)),
            ("payer_organization_id", json!(app.organization_id(COMPANY))),
        ] {
            assert_eq!(made[field], value, "{field}");
        }
        let lines: Vec<_> = made["lines"].as_array().unwrap().iter().map(|line| line["charge_id"].as_i64().unwrap()).collect();
        assert_eq!(lines, ids[..3]);
        for id in &ids[..3] {
            let charge = read(&company, *id);
            assert_eq!((&charge["state"], &charge["invoice"]["invoice_no"]), (&json!("invoiced"), &json!("I-1")));
        }
        assert_eq!(read(&company, ids[3])["state"], "open");
        let taken = finance.post(INVOICES, invoice("I-2", &[ids[3], ids[1]])).expect_code(409, "already_invoiced");
        assert_eq!((&taken["charge_id"], &taken["invoice_no"]), (&json!(ids[1]), &json!("I-1")));
        assert_eq!(read(&company, ids[3])["state"], "open", "all or none");
        finance.post(INVOICES, invoice("I-1", &[ids[3]])).expect_code(409, "invoice_no_used");
        finance.post(&format!("/api/v1/charges/{}/invoice", ids[3]), json!({"invoice_no": "I-1", "issued_on": "2026-03-01"}))
            .expect_code(409, "invoice_no_used");

        let one = format!("{INVOICES}/{}", made.id());
        assert_eq!(company.get(&one).expect_status(200)["amount_fen"], 27_000);
        app.as_stranger().get(&one).expect_code(404, "not_found");
        for (filter, found) in [
            ("", 1), ("?state=issued", 1), ("?state=annulled", 0), ("?invoice_no=i-1", 1), ("?invoice_no=I-9", 0),
            (&format!("?charge_id={}", ids[0]), 1), (&format!("?charge_id={}", ids[4]), 0),
        ] {
            let list = company.get(&format!("{INVOICES}{filter}")).expect_status(200);
            assert_eq!(list["items"].as_array().unwrap().len(), found, "{filter}");
        }
        assert_eq!(app.as_stranger().get(INVOICES).expect_status(200)["items"], json!([]));
    }

    fn what_is_wrong_with_an_invoice_is_told_at_once(app: &TestApp) {
        let (ids, _) = charges(app, 10..=11);
        let finance = app.as_person(FINANCE);
        let wrong = json!({"invoice_no": "发票", "issued_on": "2026-03-03", "charge_ids": []});
        let refused = finance.post(INVOICES, wrong).expect_status(422);
        let fields: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["invoice_no", "issued_on", "charge_ids"]);
        finance.post(INVOICES, invoice("I-1", &[ids[0], ids[0]])).expect_code(422, "duplicate");
        let many: Vec<i64> = (1..=501).collect();
        finance.post(INVOICES, invoice("I-1", &many)).expect_code(422, "too_many");
        let unknown = finance.post(INVOICES, invoice("I-1", &[ids[0], 999_999])).expect_code(422, "unknown_reference");
        assert_eq!(unknown["errors"][0]["field"], "charge_ids[1]");
        app.as_person(crate::world::OTHER_HOST_ADMIN).post(INVOICES, invoice("I-1", &ids)).expect_code(422, "unknown_reference");

        let mut other = json!({
            "instrument_id": priced(app), "organization_id": app.organization_id(OTHER_COMPANY),
            "started_at": "2026-02-20T09:00:00+08:00", "ended_at": "2026-02-20T10:30:00+08:00",
            "mode": "entrusted", "purpose": "research",
        });
        let id = app.as_host().post("/api/v1/usage-records", &other).expect_status(201).id();
        let foreign = charge_of(&finance, id)[0]["id"].as_i64().unwrap();
        finance.post(INVOICES, invoice("I-1", &[ids[0], foreign])).expect_code(422, "not_one_payer_and_host");
        other["started_at"] = json!("2026-02-21T09:00:00+08:00");
        assert_eq!(finance.get(INVOICES)["items"], json!([]));
    }

    fn an_annulled_invoice_frees_its_charges_and_their_records(app: &TestApp) {
        let (ids, records) = charges(app, 10..=11);
        let (finance, company, host) = (app.as_person(FINANCE), app.as_company(), app.as_host());
        for id in &records {
            company.post(&format!("/api/v1/usage-records/{id}/confirm"), json!({})).expect_status(200);
        }
        let made = finance.post(INVOICES, invoice("A-1", &ids)).expect_status(201);
        finance.post(&format!("/api/v1/charges/{}/payments", ids[1]), payment(9_000, "payer")).expect_status(201);
        assert_eq!(income(app, 2026), 9_000);
        let correct = format!("/api/v1/usage-records/{}/correct", records[0]);
        let shorter = json!({"ended_at": "2026-02-10T10:00:00+08:00"});
        let held = host.post(&correct, &shorter).expect_code(409, "already_invoiced");
        assert_eq!(held["invoice_id"], made.id());

        let annul = format!("{INVOICES}/{}/annul", made.id());
        let why = json!({"reason": "单价有误", "red_letter_no": " r-1 "});
        company.post(&annul, &why).expect_code(403, "forbidden");
        app.as_stranger().post(&annul, &why).expect_code(404, "not_found");
        finance.post(&annul, json!({})).expect_code(422, "reason_required");
        let wrong = finance.post(&annul, json!({"reason": " ", "red_letter_no": "红"})).expect_status(422);
        assert_eq!(wrong["errors"].as_array().unwrap().len(), 2);
        finance.post(&annul, json!({"reason": "x", "red_letter_no": "A-1"})).expect_code(409, "invoice_no_used");
        let annulled = finance.post(&annul, &why).expect_status(200);
        for (field, value) in [
            ("state", json!("annulled")), ("reason", json!("单价有误")), ("red_letter_no", json!("R-1")), ("amount_fen", json!(18_000)),
            ("version", json!(2)),
        ] {
            assert_eq!(annulled[field], value, "{field}");
        }
        finance.post(&annul, &why).expect_code(409, "invalid_state");
        for id in &ids {
            assert_eq!(read(&company, *id)["invoice"], json!(null));
        }
        assert_eq!(read(&company, ids[0])["state"], "open");
        assert_eq!(read(&company, ids[1])["state"], "paid", "what was paid stays with its charge");
        assert_eq!(income(app, 2026), 0, "nothing is invoiced");
        let list = finance.get(&format!("{INVOICES}?charge_id={}&state=annulled", ids[0])).expect_status(200);
        assert_eq!(list["items"][0]["id"], made.id());

        for number in ["A-1", "R-1"] {
            finance.post(INVOICES, invoice(number, &[ids[1]])).expect_code(409, "invoice_no_used");
        }
        finance.post(INVOICES, invoice("A-2", &[ids[1]])).expect_status(201);
        assert_eq!(income(app, 2026), 9_000);
        host.post(&correct, &shorter).expect_status(200);
        let now: Vec<_> = charge_of(&finance, records[0]).iter()
            .map(|c| (c["state"].as_str().unwrap().to_owned(), c["amount_fen"].as_i64().unwrap())).collect();
        assert_eq!(now, [("open".to_owned(), 6_000), ("voided".to_owned(), 9_000)]);
        let other = charge_of(&finance, records[0])[0]["id"].as_i64().unwrap();
        let third = finance.post(INVOICES, invoice("A-3", &[other])).expect_status(201);
        finance.post(&format!("{INVOICES}/{}/annul", third.id()), json!({"reason": "x", "red_letter_no": "R-1"}))
            .expect_code(409, "invoice_no_used");
        finance.post(&format!("{INVOICES}/{}/annul", third.id()), json!({"reason": "x"})).expect_status(200);
        host.post(&format!("/api/v1/usage-records/{}/void", records[0]), json!({"reason": "重复"})).expect_status(200);
    }

    fn the_short_form_is_an_invoice_of_one(app: &TestApp) {
        let (ids, _) = charges(app, 10..=10);
        let finance = app.as_person(FINANCE);
        let head = json!({"invoice_no": "S-1", "issued_on": "2026-03-01"});
        let charge = finance.post(&format!("/api/v1/charges/{}/invoice", ids[0]), &head).expect_status(200);
        let one = format!("{INVOICES}/{}", charge["invoice"]["id"]);
        assert_eq!(finance.get(&one).expect_status(200)["lines"][0]["charge_id"], ids[0]);
        finance.post(&format!("{one}/annul"), json!({"reason": "x"})).expect_status(200);
        let again = json!({"invoice_no": "S-2", "issued_on": "2026-03-01"});
        finance.post(&format!("/api/v1/charges/{}/invoice", ids[0]), &again).expect_status(200);
    }

    fn an_invoice_of_a_final_year_stands_where_money_came(app: &TestApp) {
        let (ids, _) = charges(app, 10..=11);
        let finance = app.as_person(FINANCE);
        let paid = finance.post(INVOICES, invoice("F-1", &ids[..1])).expect_status(201);
        let unpaid = finance.post(INVOICES, invoice("F-2", &ids[1..])).expect_status(201);
        finance.post(&format!("/api/v1/charges/{}/payments", ids[0]), payment(1, "payer")).expect_status(201);
        finalize(app, 2026);
        let annul = |id: i64| finance.post(&format!("{INVOICES}/{id}/annul"), json!({"reason": "x"}));
        annul(paid.id()).expect_code(409, "period_locked");
        annul(unpaid.id()).expect_status(200);
    }

    fn income_counts_by_the_date_that_is_asked(app: &TestApp) {
        let (ids, records) = charges(app, 10..=12);
        let finance = app.as_person(FINANCE);
        for record in records {
            app.as_company().post(&format!("/api/v1/usage-records/{record}/confirm"), json!({})).expect_status(200);
        }
        let paid = finance.post(INVOICES, invoice("D-1", &ids[..1])).expect_status(201);
        finance.post(INVOICES, invoice("D-2", &ids[1..2])).expect_status(201);
        finance.post(&format!("/api/v1/charges/{}/payments", ids[0]), payment(2_500, "payer")).expect_status(201);
        let by = |by| [2025, 2026].map(|year| income_by(app, year, by));
        assert_eq!(by(IncomeBy::PaidOn), [0, 2_500]);
        assert_eq!(by(IncomeBy::InvoicedOn), [0, 18_000]);
        assert_eq!(by(IncomeBy::EndedAt), [0, 18_000]);
        finance.post(&format!("{INVOICES}/{}/annul", paid.id()), json!({"reason": "x"})).expect_status(200);
        assert_eq!(by(IncomeBy::InvoicedOn), [0, 9_000]);
        assert_eq!(by(IncomeBy::EndedAt), [0, 9_000]);
    }

    fn a_final_year_locks_the_money_of_its_own_date(app: &TestApp) {
        let (ids, _) = charges(app, 10..=12);
        let finance = app.as_person(FINANCE);
        let standing = finance.post(INVOICES, invoice("L-1", &ids[..1])).expect_status(201);
        let pay = |charge: i64| finance.post(&format!("/api/v1/charges/{charge}/payments"), payment(1, "payer"));
        finalize_by(app, 2026, IncomeBy::InvoicedOn);
        let locked = |app: &TestApp| {
            let finance = app.as_person(FINANCE);
            finance.post(&format!("{INVOICES}/{}/annul", standing.id()), json!({"reason": "x"})).expect_code(409, "period_locked");
            finance.post(INVOICES, invoice("L-2", &ids[1..2])).expect_code(409, "period_locked");
            let short = json!({"invoice_no": "L-3", "issued_on": "2026-03-01"});
            finance.post(&format!("/api/v1/charges/{}/invoice", ids[2]), short).expect_code(409, "period_locked");
        };
        locked(app);
        // Who pays what was invoiced changes nothing.
        pay(ids[0]).expect_status(201);
        pay(ids[1]).expect_status(201);
    }

    fn a_final_year_of_services_locks_their_invoices(app: &TestApp) {
        let (ids, _) = charges(app, 10..=11);
        let finance = app.as_person(FINANCE);
        let standing = finance.post(INVOICES, invoice("E-1", &ids[..1])).expect_status(201);
        finalize_by(app, 2026, IncomeBy::EndedAt);
        finance.post(&format!("{INVOICES}/{}/annul", standing.id()), json!({"reason": "x"})).expect_code(409, "period_locked");
        finance.post(INVOICES, invoice("E-2", &ids[1..])).expect_code(409, "period_locked");
        finance.post(&format!("/api/v1/charges/{}/payments", ids[0]), payment(1, "payer")).expect_status(201);
    }

    fn racing_invoices_never_share_a_charge(app: &TestApp) {
        let (ids, _) = charges(app, 10..=14);
        let finance = app.as_person(FINANCE);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..5).map(|n| {
                let (finance, ids) = (&finance, &ids);
                let mut pair = vec![ids[n], ids[(n + 1) % 5]];
                if n % 2 == 1 {
                    pair.reverse();
                }
                scope.spawn(move || finance.post(INVOICES, invoice(&format!("R-{n}"), &pair)))
            }).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let won = answers.iter().filter(|answer| answer.status == 201).count();
        assert!((1..=2).contains(&won), "{won}");
        for lost in answers.into_iter().filter(|answer| answer.status != 201) {
            lost.expect_code(409, "already_invoiced");
        }
    }
}
