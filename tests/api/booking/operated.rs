//! Uses without the host: the operator starts and finishes them, the desk attests to them, and what nobody started is typed.

use super::life::manage;
use super::*;

const RECORDS: &str = "/api/v1/usage-records";

/// Evidence, state and interval of the only record of a finished booking.
fn record(app: &TestApp, finished: &Answer) -> (String, i64) {
    let id = finished["usage_record_ids"][0].as_i64().unwrap();
    let record = app
        .as_host()
        .get(&format!("{RECORDS}/{id}"))
        .expect_status(200);
    (record["evidence"].as_str().unwrap().to_owned(), id)
}

fn attest(client: &Client, record: i64) -> Answer {
    client.post(&format!("{RECORDS}/{record}/attest"), json!({}))
}

fn by(client: &Client, instrument: InstrumentId, (from, until): (&str, &str), more: Value) -> i64 {
    let mut wish = wish(instrument, from, until);
    for (name, value) in more.as_object().unwrap() {
        wish[name] = value.clone();
    }
    client
        .post("/api/v1/bookings", wish)
        .expect_status(201)
        .id()
}

both! {
    fn the_operator_starts_and_finishes_and_the_desk_attests(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"setup_minutes": 30})).insert();
        manage(app, sem);
        let (engineer, colleague, host) = (app.as_person(ENGINEER), app.as_person(COLLEAGUE), app.as_host());
        let mine = by(&engineer, sem, ("10:00", "12:00"), json!({}));
        let early = action(&engineer, mine, "start", json!({})).expect_code(409, "invalid_state");
        assert_eq!((&early["possible_from"], &early["allowed"]), (&json!(at("09:30")), &json!(["cancel", "reschedule"])));
        app.advance(60 * 24 + 30);
        // From the set-up on, by the operator alone: neither a colleague nor the administrator of the unit.
        assert_eq!(see(&engineer, mine)["actions"], json!(["cancel", "reschedule", "start"]));
        for other in [&colleague, &app.as_company()] {
            assert!(!see(other, mine)["actions"].as_array().unwrap().contains(&json!("start")));
            action(other, mine, "start", json!({})).expect_code(403, "forbidden");
        }
        action(&app.as_stranger(), mine, "start", json!({})).expect_code(404, "not_found");
        let started = action(&engineer, mine, "start", json!({})).expect_status(200);
        assert_eq!((started["state"].as_str(), &started["actions"]), (Some("in_progress"), &json!(["finish"])));
        action(&app.as_company(), mine, "finish", json!({})).expect_code(403, "forbidden");
        app.advance(60);
        let finished = action(&engineer, mine, "finish", json!({"samples": 2})).expect_status(200);
        let (evidence, id) = record(app, &finished);
        assert_eq!((finished["state"].as_str(), evidence.as_str()), (Some("completed"), "manual"));

        for nobody in [&engineer, &app.as_company(), &app.as_person(FINANCE)] {
            attest(nobody, id).expect_code(403, "forbidden");
        }
        attest(&app.as_stranger(), id).expect_code(404, "not_found");
        let path = format!("{RECORDS}/{id}");
        app.as_company().post(&format!("{path}/confirm"), json!({})).expect_status(200);
        let attested = attest(&app.as_person(MANAGER), id).expect_status(200);
        assert_eq!((&attested["evidence"], &attested["state"], &attested["version"]), (&json!("confirmed"), &json!("confirmed"), &json!(3)));
        // Again it changes nothing.
        assert_eq!(attest(&host, id).expect_status(200)["version"], 3);
        app.settle();
        let events = format!("/api/v1/events?subject_type=usage_record&subject_id={id}");
        let events = app.as_admin().get(&events).expect_status(200);
        let last = events["items"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["action"], &last["after"]["evidence"]), (&json!("usage_record_attest"), &json!("confirmed")));
        let versions = host.get(&format!("{path}/versions")).expect_status(200);
        assert_eq!(versions["items"][1]["evidence"], "manual");
        // What is typed since is typed.
        let corrected = host.post(&format!("{path}/correct"), json!({"run_minutes": 50, "reason": "核对"})).expect_status(200);
        assert_eq!(corrected["evidence"], "manual");
        attest(&host, id).expect_code(409, "invalid_state");
    }

    fn who_operates_is_who_is_named(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (engineer, colleague, host) = (app.as_person(ENGINEER), app.as_person(COLLEAGUE), app.as_host());
        let named = json!({"operator": {"user_id": app.user_id(COLLEAGUE)}});
        let guest = json!({"operator": {"name": "王五", "phone": "13800000000"}});
        let cases = [
            (json!({}), Some(&engineer)), (named, Some(&colleague)), (guest, None),
            (json!({"mode": "guided"}), None), (json!({"mode": "entrusted"}), None),
        ];
        let slots = [("10:00", "10:30"), ("11:00", "11:30"), ("12:00", "12:30"), ("13:00", "13:30"), ("14:00", "14:30")];
        let booked: Vec<i64> = cases.iter().zip(slots).map(|((more, _), slot)| by(&engineer, sem, slot, more.clone())).collect();
        app.advance(60 * 25);
        for (id, (_, operator)) in booked.into_iter().zip(&cases) {
            for client in [&engineer, &colleague] {
                let may = operator.is_some_and(|operator| std::ptr::eq(operator, client));
                assert_eq!(see(client, id)["actions"].as_array().unwrap().contains(&json!("start")), may, "{id}");
                if !may {
                    action(client, id, "start", json!({})).expect_code(403, "forbidden");
                }
            }
            match operator {
                Some(operator) => action(operator, id, "start", json!({})).expect_status(200),
                None => action(&host, id, "start", json!({})).expect_status(200),
            };
            app.advance(20);
            let finished = action(&host, id, "finish", json!({})).expect_status(200);
            let (evidence, record) = record(app, &finished);
            assert_eq!(evidence, if operator.is_some() { "manual" } else { "confirmed" });
            assert_eq!(attest(&host, record).expect_status(200)["evidence"], "confirmed");
            app.advance(40);
        }
    }

    fn nobody_attests_to_the_own_use(app: &TestApp) {
        let sem = given::instrument(app).insert();
        manage(app, sem);
        let host = app.as_host();
        let mine = book(&host, sem, "10:00", "11:00").expect_status(201).id();
        app.advance(60 * 25);
        action(&host, mine, "start", json!({})).expect_status(200);
        app.advance(30);
        let finished = action(&host, mine, "finish", json!({})).expect_status(200);
        let (evidence, id) = record(app, &finished);
        assert_eq!(evidence, "manual");
        attest(&host, id).expect_code(403, "second_person_required");
        assert_eq!(attest(&app.as_person(MANAGER), id).expect_status(200)["evidence"], "confirmed");
        attest(&host, id).expect_code(403, "second_person_required");
    }

    fn only_the_desk_starts_on_what_is_closed_suspended_or_retired(app: &TestApp) {
        let (engineer, host) = (app.as_person(ENGINEER), app.as_host());
        let state = |state: InstrumentState| move |app: &TestApp, sem: InstrumentId| {
            app.write(move |tx| {
                use diesel::RunQueryDsl;
                let update = format!("UPDATE instrument SET state = '{state}' WHERE id = {sem}");
                diesel::sql_query(update).execute(tx).map_err(yiqi::store::StoreError::from)?;
                Ok(yiqi::store::terms::forget(tx, &[sem])?)
            });
        };
        let closed = |until: Option<&'static str>| move |app: &TestApp, sem: InstrumentId| {
            let closure = json!({"starts_at": at("09:50"), "ends_at": until.map(at), "kind": "fault"});
            app.as_host().post(&format!("/api/v1/instruments/{sem}/closures"), closure).expect_status(201);
        };
        type Obstacle = Box<dyn Fn(&TestApp, InstrumentId)>;
        let obstacles: Vec<(Obstacle, Value)> = vec![
            (Box::new(closed(None)), Value::Null),
            (Box::new(closed(Some("11:00"))), json!(at("11:00"))),
            (Box::new(closed(Some("13:00"))), Value::Null),
            (Box::new(state(InstrumentState::Suspended)), Value::Null),
            (Box::new(state(InstrumentState::Retired)), Value::Null),
        ];
        let instruments: Vec<_> = obstacles.iter().map(|_| given::instrument(app).insert()).collect();
        let booked: Vec<_> = instruments.iter().map(|sem| by(&engineer, *sem, ("10:00", "12:00"), json!({}))).collect();
        app.advance(60 * 25);
        for (((obstacle, possible_from), sem), id) in obstacles.iter().zip(instruments).zip(booked) {
            obstacle(app, sem);
            assert_eq!(see(&engineer, id)["actions"], json!(["finish"]));
            let refused = action(&engineer, id, "start", json!({})).expect_code(409, "invalid_state");
            assert_eq!((&refused["possible_from"], &refused["allowed"]), (possible_from, &json!(["finish"])));
            assert!(see(&host, id)["actions"].as_array().unwrap().contains(&json!("start")));
            action(&host, id, "start", json!({})).expect_status(200);
            app.advance(1);
            // What runs is finished by its operator, whatever came meanwhile.
            action(&engineer, id, "finish", json!({})).expect_status(200);
        }
    }

    fn what_nobody_started_is_finished_with_the_time_it_began(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"setup_minutes": 10})).insert();
        let (engineer, host) = (app.as_person(ENGINEER), app.as_host());
        let mine = by(&engineer, sem, ("10:00", "12:00"), json!({}));
        let next = by(&engineer, sem, ("14:00", "15:00"), json!({"mode": "guided"}));
        let began = |time: &str| json!({"started_at": at(time)});
        let early = action(&host, mine, "finish", began("09:55")).expect_code(409, "invalid_state");
        assert_eq!(early["possible_from"], at("10:00"));
        app.advance(60 * 26 + 30);
        assert_eq!(see(&engineer, mine)["actions"], json!(["start", "finish"]));
        let without = action(&engineer, mine, "finish", json!({})).expect_code(422, "required");
        assert_eq!(without["errors"][0]["field"], "started_at");
        for (body, code) in [
            (began("09:49"), "out_of_range"),
            (began("12:00"), "in_the_future"),
            (json!({"started_at": at("10:05"), "ended_at": at("10:05")}), "not_after_start"),
            (json!({"started_at": at("10:05"), "ended_at": at("11:31")}), "in_the_future"),
        ] {
            action(&engineer, mine, "finish", body).expect_code(422, code);
        }
        action(&app.as_company(), mine, "finish", began("10:05")).expect_code(403, "forbidden");
        let body = json!({"started_at": at("09:50"), "ended_at": at("11:20"), "samples": 3});
        let finished = action(&engineer, mine, "finish", body).expect_status(200);
        assert_eq!((&finished["state"], &finished["started_at"], &finished["ended_at"]), (&json!("completed"), &json!(at("09:50")), &json!(at("11:20"))));
        let (evidence, id) = record(app, &finished);
        assert_eq!(evidence, "manual");
        // Nobody saw it begin: there is nothing to attest to.
        let refused = attest(&host, id).expect_code(409, "invalid_state");
        assert_eq!(refused["state"], "recorded");

        app.advance(60 * 6);
        let late = action(&host, next, "finish", began("15:00")).expect_code(422, "out_of_range");
        assert_eq!(late["errors"][0]["limit"], at("15:00"));
        let finished = action(&host, next, "finish", json!({"started_at": at("14:10"), "ended_at": at("15:10")})).expect_status(200);
        assert_eq!(record(app, &finished).0, "manual", "also by the desk");
        // What runs has begun when it was started.
        let running = by(&engineer, sem, ("18:00", "19:00"), json!({}));
        app.advance(60);
        action(&host, running, "start", json!({})).expect_status(200);
        app.advance(30);
        let other = action(&host, running, "finish", began("18:01")).expect_code(422, "read_only");
        assert_eq!(other["errors"][0]["field"], "started_at");
        let told = see(&host, running)["started_at"].clone();
        let finished = action(&host, running, "finish", json!({"started_at": told})).expect_status(200);
        assert_eq!(record(app, &finished).0, "confirmed", "the desk started and finished it");
    }

    fn who_waits_for_a_channel_finishes_nothing(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (engineer, host) = (app.as_person(ENGINEER), app.as_host());
        let first = by(&engineer, sem, ("10:00", "11:00"), json!({}));
        let second = by(&engineer, sem, ("11:00", "12:00"), json!({}));
        app.advance(60 * 25);
        action(&engineer, first, "start", json!({})).expect_status(200);
        app.advance(90);
        assert_eq!(see(&engineer, second)["actions"], json!([]));
        let list = engineer.get("/api/v1/bookings?state=confirmed").expect_status(200);
        assert_eq!(list["items"][0]["actions"], json!([]));
        for (verb, body) in [("start", json!({})), ("finish", json!({"started_at": at("11:05")}))] {
            action(&engineer, second, verb, body).expect_code(409, "channel_in_use");
        }
        action(&host, first, "finish", json!({"ended_at": at("11:00")})).expect_status(200);
        let finished = action(&engineer, second, "finish", json!({"started_at": at("11:05")})).expect_status(200);
        assert_eq!(finished["state"], "completed");
    }
}
