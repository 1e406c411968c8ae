//! Races for one slot over one server: requests, moves and approvals.

use std::collections::BTreeMap;

use super::*;

/// How often each status was answered.
fn count(answers: Vec<Answer>) -> BTreeMap<u16, usize> {
    let mut counted = BTreeMap::new();
    for answer in answers {
        *counted.entry(answer.status).or_default() += 1;
    }
    counted
}

/// Does the same with each number at once.
fn race(clients: usize, act: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let barrier = std::sync::Barrier::new(clients);
    std::thread::scope(|scope| {
        let run = |number| {
            let (barrier, act) = (&barrier, &act);
            scope.spawn(move || {
                barrier.wait();
                act(number)
            })
        };
        let threads: Vec<_> = (0..clients).map(run).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

both! {
    fn of_many_for_one_slot_one_wins(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let clients = [app.as_company(), app.as_stranger()];
        let answers = race(40, |number| book(&clients[number % 2], sem, "10:00", "12:00"));
        for lost in answers.iter().filter(|answer| answer.status == 409) {
            assert_eq!(lost["code"], "slot_taken");
            assert_eq!(lost["clash"], slot("10:00", "12:00"));
        }
        assert_eq!(count(answers), BTreeMap::from([(201, 1), (409, 39)]));
    }

    fn of_many_for_three_channels_three_win(app: &TestApp) {
        let station = given::instrument(app).channels(3).insert();
        let company = app.as_company();
        let answers = race(20, |_| book(&company, station, "10:00", "12:00"));
        assert_eq!(count(answers), BTreeMap::from([(201, 3), (409, 17)]));
    }

    fn a_move_and_a_request_for_one_slot_have_one_winner(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let company = app.as_company();
        let mine = book(&company, sem, "08:00", "10:00").expect_status(201).id();
        let other = book(&company, sem, "18:00", "20:00").expect_status(201).id();
        let answers = race(9, |number| match number % 3 {
            0 => book(&company, sem, "12:00", "14:00"),
            1 => action(&company, mine, "reschedule", slot("12:00", "14:00")),
            _ => action(&company, other, "reschedule", slot("12:00", "14:00")),
        });
        // A booking that has the slot may be moved into it again: only one row ever stands there.
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201 | 409)));
        let all = company.get("/api/v1/bookings?state=confirmed").expect_status(200);
        let there = all["items"].as_array().unwrap().iter().filter(|item| item["starts_at"] == at("12:00"));
        assert_eq!(there.count(), 1);
    }

    fn two_approvals_of_one_request_have_one_winner(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let asked = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201);
        let host = app.as_host();
        let answers = race(8, |_| approve(&host, asked.id(), asked.etag()));
        assert_eq!(count(answers), BTreeMap::from([(200, 1), (412, 7)]));
    }
}
