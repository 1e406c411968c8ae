//! Payments: what the payer declares and the host receives, refuses or reverses, and that only received money counts.

use serde_json::{Value, json};
use yiqi::domain::policy::IncomeBy;
use yiqi::operations::yearly_run::freeze;
use yiqi::store::event;
use yiqi::store::yearly_input::{Pair, Scope, list_income, list_income_of};

use crate::both;
use crate::charge::{charge_of, payment, priced, record};
use crate::usage::finalize;
use crate::world::{ENGINEER, FINANCE, TestApp};

/// What a freeze at this moment would count as paid in the year, by both of its questions.
pub fn income(app: &TestApp, year: i32) -> i64 {
    income_by(app, year, IncomeBy::PaidOn)
}

/// The same of income by this date.
pub fn income_by(app: &TestApp, year: i32, income_by: IncomeBy) -> i64 {
    let now = app.now();
    app.read(move |conn| {
        let scope = freeze::scope(&freeze::calendar_year(year)?, now, event::newest(conn)?)?;
        let scope = Scope { income_by, ..scope };
        let groups = list_income(conn, &scope, None::<&[Pair]>, &[])?;
        let summed: i64 = groups
            .iter()
            .map(|group| group.amount().unwrap().number())
            .sum();
        let all: Vec<_> = (1..=20).map(|id| id.try_into().unwrap()).collect();
        let rows = list_income_of(conn, &scope, &all)?;
        let of_records: i64 = rows.iter().map(|row| row.amount_fen.number()).sum();
        // Where its end decides, whoever asks for single records knows which of them are of the year.
        if income_by != IncomeBy::EndedAt {
            assert_eq!(summed, of_records);
        }
        Ok(summed)
    })
}

/// A confirmed and invoiced service of 90 yuan: its charge's path.
fn invoiced(app: &TestApp, day: u32, number: &str) -> String {
    let id = record(app, priced(app), day);
    let company = app.as_company();
    let confirm = format!("/api/v1/usage-records/{id}/confirm");
    company.post(&confirm, json!({})).expect_status(200);
    let charge = charge_of(&company, id).remove(0);
    let path = format!("/api/v1/charges/{}", charge["id"]);
    let invoice = json!({"invoice_no": number, "issued_on": "2026-03-01"});
    app.as_person(FINANCE)
        .post(&format!("{path}/invoice"), invoice)
        .expect_status(200);
    path
}

fn last_payment(charge: &Value) -> String {
    let payments = charge["payments"].as_array().unwrap();
    format!("/api/v1/payments/{}", payments[payments.len() - 1]["id"])
}

both! {
    fn a_declaration_counts_nowhere_until_it_is_received(app: &TestApp) {
        let path = invoiced(app, 10, "P-1");
        let (company, finance) = (app.as_company(), app.as_person(FINANCE));
        let payments = format!("{path}/payments");
        let declared = company.post(&payments, payment(9_000, "payer")).expect_status(201);
        for (field, value) in [
            ("state", json!("invoiced")), ("outstanding_fen", json!(9_000)), ("paid_payer_fen", json!(0)),
            ("declared_fen", json!(9_000)),
        ] {
            assert_eq!(declared[field], value, "{field}");
        }
        assert_eq!(declared["payments"][0]["state"], "declared");
        assert_eq!(company.get("/api/v1/charges?state=paid")["items"], json!([]));
        assert_eq!(income(app, 2026), 0);

        let one = last_payment(&declared.body);
        for verb in ["receive", "refuse", "reverse"] {
            let act = format!("{one}/{verb}");
            company.post(&act, json!({})).expect_code(403, "forbidden");
            app.as_stranger().post(&act, json!({})).expect_code(404, "not_found");
            app.as_person(ENGINEER).post(&act, json!({})).expect_code(404, "not_found");
        }
        finance.post("/api/v1/payments/999999/receive", json!({})).expect_code(404, "not_found");
        let early = finance.post(&format!("{one}/reverse"), json!({"reason": "x"})).expect_code(409, "invalid_state");
        assert_eq!(early["allowed"], json!(["receive", "refuse"]));
        let received = finance.post(&format!("{one}/receive"), json!({})).expect_status(200);
        for (field, value) in [
            ("state", json!("paid")), ("outstanding_fen", json!(0)), ("paid_payer_fen", json!(9_000)), ("declared_fen", json!(0)),
        ] {
            assert_eq!(received[field], value, "{field}");
        }
        assert_eq!(income(app, 2026), 9_000);
        finance.post(&format!("{one}/receive"), json!({})).expect_code(409, "invalid_state");

        finance.post(&format!("{one}/reverse"), json!({})).expect_code(422, "reason_required");
        let reversed = finance.post(&format!("{one}/reverse"), json!({"reason": "退票"})).expect_status(200);
        assert_eq!((&reversed["state"], &reversed["outstanding_fen"]), (&json!("invoiced"), &json!(9_000)));
        assert_eq!((&reversed["payments"][0]["state"], &reversed["payments"][0]["reason"]), (&json!("reversed"), &json!("退票")));
        assert_eq!(income(app, 2026), 0);

        let again = company.post(&payments, payment(9_000, "payer")).expect_status(201);
        let second = last_payment(&again.body);
        finance.post(&format!("{second}/refuse"), json!({"reason": " "})).expect_code(422, "reason_required");
        let refused = finance.post(&format!("{second}/refuse"), json!({"reason": "未到账"})).expect_status(200);
        assert_eq!((&refused["declared_fen"], &refused["outstanding_fen"]), (&json!(0), &json!(9_000)));
        finance.post(&format!("{second}/receive"), json!({})).expect_code(409, "invalid_state");
        assert_eq!(income(app, 2026), 0);
    }

    fn declarations_never_make_more_than_what_is_owed_received(app: &TestApp) {
        let path = invoiced(app, 10, "P-2");
        let (company, finance) = (app.as_company(), app.as_person(FINANCE));
        let payments = format!("{path}/payments");
        company.post(&payments, payment(9_001, "payer")).expect_code(422, "overpaid");
        let twice = [(); 2].map(|()| {
            let declared = company.post(&payments, payment(6_000, "payer")).expect_status(201);
            last_payment(&declared.body)
        });
        finance.post(&format!("{}/receive", twice[0]), json!({})).expect_status(200);
        let over = finance.post(&format!("{}/receive", twice[1]), json!({})).expect_code(422, "overpaid");
        assert_eq!(over["errors"][0]["limit"], 3_000);
        let paid = finance.get(&path).expect_status(200);
        assert_eq!((&paid["paid_payer_fen"], &paid["declared_fen"]), (&json!(6_000), &json!(6_000)));
    }

    fn money_is_dated_between_the_service_and_today(app: &TestApp) {
        let path = invoiced(app, 10, "P-3");
        let payments = format!("{path}/payments");
        for client in [app.as_company(), app.as_person(FINANCE)] {
            for (day, fits) in [("2026-02-09", false), ("2026-03-03", false), ("2026-02-10", true), ("2026-03-02", true)] {
                let paid = client.post(&payments, json!({"amount_fen": 1, "paid_on": day, "source": "payer"}));
                match fits {
                    true => drop(paid.expect_status(201)),
                    false => {
                        let refused = paid.expect_code(422, "out_of_range");
                        assert_eq!(refused["errors"][0]["field"], "paid_on", "{day}");
                    }
                }
            }
        }
    }

    fn no_money_moves_in_a_final_year(app: &TestApp) {
        let path = invoiced(app, 10, "P-4");
        let (company, finance) = (app.as_company(), app.as_person(FINANCE));
        let payments = format!("{path}/payments");
        let declared = company.post(&payments, payment(1_000, "payer")).expect_status(201);
        let received = finance.post(&payments, payment(2_000, "payer")).expect_status(201);
        let (declared, received) = (last_payment(&declared.body), last_payment(&received.body));
        finalize(app, 2026);
        for client in [&company, &finance] {
            client.post(&payments, payment(1, "payer")).expect_code(409, "period_locked");
        }
        finance.post(&format!("{declared}/receive"), json!({})).expect_code(409, "period_locked");
        finance.post(&format!("{received}/reverse"), json!({"reason": "退票"})).expect_code(409, "period_locked");
        assert_eq!(income(app, 2026), 2_000);
        // What never came counted nowhere.
        finance.post(&format!("{declared}/refuse"), json!({"reason": "未到账"})).expect_status(200);
        assert_eq!(income(app, 2026), 2_000);
    }

    fn what_is_declared_holds_no_correction_up(app: &TestApp) {
        let id = record(app, priced(app), 10);
        let (company, host) = (app.as_company(), app.as_host());
        let charge = charge_of(&company, id).remove(0);
        company.post(&format!("/api/v1/charges/{}/payments", charge["id"]), payment(9_000, "payer")).expect_status(201);
        host.post(&format!("/api/v1/usage-records/{id}/correct"), json!({"ended_at": "2026-02-10T10:00:00+08:00"})).expect_status(200);
        let voided = company.get(&format!("/api/v1/charges/{}", charge["id"])).expect_status(200);
        assert_eq!((&voided["state"], &voided["payments"][0]["state"]), (&json!("voided"), &json!("refused")));
    }

    fn of_two_payments_at_once_one_is_too_much(app: &TestApp) {
        let path = invoiced(app, 10, "P-5");
        let payments = format!("{path}/payments");
        let clients = [app.as_person(FINANCE), app.as_host()];
        let statuses: Vec<_> = std::thread::scope(|scope| {
            let each = clients.iter().map(|client| scope.spawn(|| client.post(&payments, payment(6_000, "payer"))));
            let each: Vec<_> = each.collect();
            each.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let refused: Vec<_> = statuses.iter().filter(|answer| answer.status == 422).collect();
        assert_eq!(statuses.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!((refused.len(), &refused[0]["code"]), (1, &json!("overpaid")));
        assert_eq!(app.as_host().get(&path)["paid_payer_fen"], 6_000);
    }
}
