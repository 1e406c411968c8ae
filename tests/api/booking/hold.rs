//! Holds: a slot is kept for a while under every rule, then asked for, given up, or free again.

use super::*;

fn held(client: &Client, sem: InstrumentId, from: &str, until: &str) -> Answer {
    let mut body = wish(sem, from, until);
    body["hold"] = json!(true);
    let checked = client
        .post("/api/v1/bookings/check", &body)
        .expect_status(200);
    let answer = client.post("/api/v1/bookings", &body);
    assert_eq!(
        checked["bookable"],
        answer.status == 201,
        "{}",
        checked.text()
    );
    answer
}

fn submit(client: &Client, id: i64, body: Value) -> Answer {
    action(client, id, "submit", body)
}

both! {
    fn a_slot_is_held_and_then_asked_for(app: &TestApp) {
        let (engineer, host) = (app.as_person(ENGINEER), app.as_host());
        let sem = given::instrument(app).insert();
        let mine = held(&engineer, sem, "10:00", "12:00").expect_status(201);
        assert_eq!((&mine["state"], &mine["held_until"], &mine["approval_due_at"]), (&json!("held"), &json!("2026-03-02T09:15:00+08:00"), &Value::Null));
        assert_eq!((mine.header("location"), &mine["actions"]), (Some(format!("/api/v1/bookings/{}", mine.id()).as_str()), &json!(["submit", "cancel"])));
        book(&app.as_stranger(), sem, "11:00", "13:00").expect_code(409, "slot_taken");
        for (other, code) in [(app.as_person(COLLEAGUE), 403), (app.as_person(HOST), 403), (app.as_stranger(), 404)] {
            submit(&other, mine.id(), json!({})).expect_status(code);
        }
        action(&host, mine.id(), "reschedule", slot("13:00", "14:00")).expect_code(409, "invalid_state");
        let body = json!({"description": "断口形貌", "samples": 3, "client_reference": "PO-1", "operator": {"name": "王五", "phone": "13800000000"}});
        let asked = submit(&engineer, mine.id(), body).expect_status(200);
        let told = (&asked["state"], &asked["held_until"], &asked["samples"], &asked["client_reference"], &asked["operator"]["name"]);
        assert_eq!(told, (&json!("confirmed"), &Value::Null, &json!(3), &json!("PO-1"), &json!("王五")));
        assert_eq!((&asked["starts_at"], asked["actions"].as_array().unwrap().contains(&json!("submit"))), (&json!(at("10:00")), false));
        submit(&engineer, mine.id(), json!({})).expect_code(409, "invalid_state");
        // The reference is the booking's from then on.
        let again = held(&engineer, sem, "13:00", "14:00").expect_status(201).id();
        let used = submit(&engineer, again, json!({"client_reference": "po-1"})).expect_code(409, "client_reference_used");
        assert_eq!(used["existing_id"], mine.id());
        let found = engineer.get("/api/v1/bookings?state=held").expect_status(200);
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        app.settle();
        let path = format!("/api/v1/events?subject_type=booking&subject_id={}", mine.id());
        let trail = app.as_person(AUDITOR).get(&path).expect_status(200);
        let actions: Vec<_> = trail["items"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["booking_hold", "booking_submit"]);
    }

    fn a_host_that_approves_gets_the_request_when_it_is_submitted(app: &TestApp) {
        let (boss, host) = (app.as_company(), app.as_host());
        let sem = given::instrument(app).rules(json!({"approval": "manual", "lead_minutes": 60, "hold_minutes": 30})).insert();
        let mut body = wish(sem, "10:00", "11:00");
        (body["starts_at"], body["ends_at"], body["hold"]) = (json!("2026-03-02T10:00:00+08:00"), json!("2026-03-02T11:00:00+08:00"), json!(true));
        app.tell();
        let mine = boss.post("/api/v1/bookings", &body).expect_status(201);
        approve(&host, mine.id(), mine.etag()).expect_code(409, "invalid_state");
        assert_eq!(app.tell(), 0);
        // Waiting has eaten the lead time, which is not asked again.
        app.advance(20);
        let asked = submit(&boss, mine.id(), json!({})).expect_status(200);
        assert_eq!((&asked["state"], asked["approval_due_at"].is_string()), (&json!("requested"), true));
        assert!(app.tell() > 0);
        approve(&host, mine.id(), asked.etag()).expect_status(200);
    }

    fn what_nobody_submits_is_free_again_and_was_no_request(app: &TestApp) {
        let boss = app.as_company();
        let sem = given::instrument(app).insert();
        let [first, second] = ["10:00", "14:00"].map(|from| held(&boss, sem, from, "16:00").status).map(|status| status == 201);
        assert_eq!((first, second), (true, false));
        let later = held(&boss, sem, "18:00", "20:00").expect_status(201).id();
        let given_up = held(&boss, sem, "20:00", "21:00").expect_status(201).id();
        action(&boss, given_up, "cancel", json!({})).expect_status(200);
        app.advance(14);
        book(&app.as_stranger(), sem, "10:00", "12:00").expect_code(409, "slot_taken");
        app.advance(1);
        submit(&boss, later, json!({})).expect_code(409, "invalid_state");
        // At once for who asks, and by itself.
        book(&app.as_stranger(), sem, "10:00", "12:00").expect_status(201);
        tick(app);
        let seen = see(&boss, later);
        assert_eq!((&seen["state"], &seen["held_until"], &seen["actions"]), (&json!("expired"), &Value::Null, &json!([])));
        let requests = app.read(|conn| {
            use diesel::prelude::*;
            use yiqi::store::schema::booking::dsl;
            let never = dsl::booking.filter(dsl::held_until.is_not_null()).count();
            Ok(never.get_result::<i64>(conn).map_err(yiqi::store::StoreError::from)?)
        });
        assert_eq!(requests, 3);
        let told: i64 = app.read(|conn| {
            use diesel::prelude::*;
            use yiqi::store::schema::event::dsl;
            let told = dsl::event.filter(dsl::action.eq_any(["booking_expire", "booking_request"])).count();
            Ok(told.get_result::<i64>(conn).map_err(yiqi::store::StoreError::from)?)
        });
        assert_eq!(told, 1, "only the stranger's");
    }

    fn a_unit_holds_three_slots_of_an_instrument_where_it_may_hold_any(app: &TestApp) {
        let (boss, engineer) = (app.as_company(), app.as_person(ENGINEER));
        let sem = given::instrument(app).insert();
        let hours = ["08:00", "09:00", "10:00", "11:00", "12:00"];
        for client in [&boss, &engineer, &boss].iter().zip(hours.windows(2)) {
            held(client.0, sem, client.1[0], client.1[1]).expect_status(201);
        }
        let refused = held(&engineer, sem, "11:00", "12:00").expect_code(422, "too_many_holds");
        assert_eq!((&refused["errors"][0]["limit"], &refused["errors"][0]["actual"]), (&json!(3), &json!(3)));
        book(&engineer, sem, "11:00", "12:00").expect_status(201);
        held(&app.as_stranger(), sem, "12:00", "13:00").expect_status(201);
        let other = given::instrument(app).insert();
        held(&engineer, other, "11:00", "12:00").expect_status(201);
        app.advance(15);
        held(&engineer, sem, "13:00", "14:00").expect_status(201);
        let none = given::instrument(app).rules(json!({"hold_minutes": 0})).insert();
        held(&boss, none, "10:00", "11:00").expect_code(422, "no_holds");
        book(&boss, none, "10:00", "11:00").expect_status(201);
    }

    fn a_hold_keeps_every_rule_and_counts_and_so_does_what_becomes_of_it(app: &TestApp) {
        let (boss, host) = (app.as_company(), app.as_host());
        let quotas = json!([{"per": "person", "period": "day", "max_bookings": 1}]);
        let sem = given::instrument(app).open("09:00", "18:00").rules(json!({"quotas": quotas})).insert();
        held(&boss, sem, "18:00", "19:00").expect_code(422, "outside_opening_hours");
        let mine = held(&boss, sem, "10:00", "11:00").expect_status(201).id();
        held(&boss, sem, "12:00", "13:00").expect_code(422, "quota_exceeded");
        book(&app.as_person(COLLEAGUE), sem, "12:00", "13:00").expect_status(201);
        // Who would run it has had theirs; who holds it has this one.
        let colleague = json!({"operator": {"user_id": app.user_id(COLLEAGUE)}});
        submit(&boss, mine, colleague).expect_code(422, "quota_exceeded");
        let closure = json!({"starts_at": at("09:00"), "ends_at": at("11:00"), "kind": "fault"});
        let closure = host.post(&format!("/api/v1/instruments/{sem}/closures"), closure).expect_status(201).id();
        submit(&boss, mine, json!({})).expect_code(422, "closed_for_maintenance");
        host.delete(&format!("/api/v1/closures/{closure}")).expect_status(204);
        submit(&boss, mine, json!({"samples": -1})).expect_code(422, "out_of_range");
        submit(&boss, mine, json!({"operator": {"user_id": app.user_id(ENGINEER)}})).expect_status(200);
        // A hold never outlasts its start.
        let soon = given::instrument(app).insert();
        let mut body = wish(soon, "10:00", "11:00");
        (body["starts_at"], body["ends_at"], body["hold"]) = (json!("2026-03-02T09:30:00+08:00"), json!("2026-03-02T11:00:00+08:00"), json!(true));
        app.advance(20);
        let near = boss.post("/api/v1/bookings", &body).expect_status(201);
        assert_eq!(near["held_until"], "2026-03-02T09:30:00+08:00");
    }

    fn of_many_who_hold_one_slot_one_wins(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let clients = [app.as_company(), app.as_stranger()];
        let hold = |number: usize| {
            let mut body = wish(sem, "10:00", "12:00");
            body["hold"] = json!(!number.is_multiple_of(3));
            clients[number % 2].post("/api/v1/bookings", body)
        };
        let barrier = std::sync::Barrier::new(16);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let run = |number| {
                let (barrier, hold) = (&barrier, &hold);
                scope.spawn(move || {
                    barrier.wait();
                    hold(number).status
                })
            };
            let threads: Vec<_> = (0..16).map(run).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
        assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    }
}
