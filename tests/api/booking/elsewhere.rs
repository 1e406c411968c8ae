//! A booking goes to another instrument of its host: a move like any other, under the rules and locks of both.

use ureq::http::Method;

use super::*;
use crate::client::Client;

fn go(client: &Client, id: i64, to: InstrumentId, from: &str, until: &str) -> Answer {
    let mut body = slot(from, until);
    body["instrument_id"] = json!(to);
    action(client, id, "reschedule", body)
}

fn tariff(app: &TestApp, of: InstrumentId, price_fen_per_hour: i64) {
    let body = json!({"valid_from": "2026-01-01", "price_fen_per_hour": price_fen_per_hour});
    app.as_host()
        .post(&format!("/api/v1/instruments/{of}/tariffs"), body)
        .expect_status(201);
}

fn manage(app: &TestApp, instruments: &[InstrumentId]) {
    let (instruments, manager) = (instruments.to_vec(), app.user_id(MANAGER));
    app.write(move |tx| {
        for instrument in &instruments {
            yiqi::store::instrument::update_managers(tx, *instrument, &[manager])?;
        }
        Ok(())
    });
}

fn total(booking: &Answer) -> i64 {
    booking["quote"]["total_fen"].as_i64().unwrap()
}

/// Who was told of the newest event of this action.
fn told(app: &TestApp, action: &'static str) -> Vec<i64> {
    app.tell();
    app.read(move |conn| {
        use diesel::prelude::*;
        use yiqi::store::schema::notice;
        let newest: Option<i64> = notice::table
            .filter(notice::action.eq(action))
            .select(diesel::dsl::max(notice::event_id))
            .first(conn)?;
        Ok(notice::table
            .filter(notice::event_id.eq(newest.unwrap()))
            .select(notice::recipient_user_id)
            .order(notice::recipient_user_id)
            .load(conn)?)
    })
}

both! {
    fn the_old_slot_is_free_and_the_new_one_is_won_and_priced(app: &TestApp) {
        let (here, there) = (given::instrument(app).insert(), given::instrument(app).insert());
        tariff(app, here, 36_000);
        tariff(app, there, 60_000);
        let (company, host) = (app.as_company(), app.as_host());
        let mine = book(&company, here, "10:00", "12:00").expect_status(201);
        assert_eq!(total(&mine), 72_000);
        let moved = go(&company, mine.id(), there, "10:00", "12:00").expect_status(200);
        assert_eq!((&moved["instrument_id"], &moved["version"], total(&moved)), (&json!(there), &json!(2), 120_000));
        assert_eq!(moved["state"], "confirmed");
        book(&app.as_stranger(), there, "11:00", "13:00").expect_code(409, "slot_taken");
        let other = book(&app.as_stranger(), here, "11:00", "13:00").expect_status(201).id();
        app.settle();
        let path = format!("/api/v1/events?subject_type=booking&subject_id={}", mine.id());
        let events = app.as_admin().get(&path).expect_status(200);
        let last = events["items"].as_array().unwrap().last().unwrap();
        let ids = (&last["action"], &last["before"]["instrument_id"], &last["after"]["instrument_id"]);
        assert_eq!(ids, (&json!("booking_reschedule"), &json!(here), &json!(there)));

        // Its own new time does not stand in its way, somebody else's does.
        let lost = go(&company, mine.id(), here, "10:00", "12:00").expect_code(409, "slot_taken");
        assert_eq!(lost["clash"], slot("11:00", "13:00"));
        assert_eq!(lost["next_free"][0], slot("13:00", "15:00"));
        assert_eq!(see(&company, mine.id())["version"], 2);
        action(&app.as_stranger(), other, "cancel", json!({})).expect_status(200);
        // The host moves the booking, not the price it promised.
        let back = go(&host, mine.id(), here, "10:00", "12:00").expect_status(200);
        assert_eq!((&back["instrument_id"], total(&back)), (&json!(here), 120_000));
        // What is there already moves nowhere.
        let same = go(&company, mine.id(), here, "10:00", "12:00").expect_status(200);
        assert_eq!(same["version"], back["version"]);

        // It is started, used and recorded where it is.
        app.advance(60 * 25);
        action(&host, mine.id(), "start", json!({})).expect_status(200);
        app.advance(60);
        let done = action(&host, mine.id(), "finish", json!({})).expect_status(200);
        let record = host.get(&format!("/api/v1/usage-records/{}", done["usage_record_ids"][0])).expect_status(200);
        assert_eq!(record["instrument_id"], json!(here));
    }

    fn the_rules_of_the_other_instrument_hold(app: &TestApp) {
        let here = given::instrument(app).insert();
        let company = app.as_company();
        let mine = book(&company, here, "10:00", "12:00").expect_status(201).id();
        let unknown = [
            given::instrument(app).in_state(InstrumentState::Draft).insert(),
            999_999.try_into().unwrap(),
        ];
        for other in unknown {
            let refused = go(&company, mine, other, "10:00", "12:00").expect_code(422, "unknown_reference");
            assert_eq!(refused["errors"][0]["field"], "instrument_id");
        }
        let foreign = given::instrument(app).of(OTHER_HOST).insert();
        let refused = go(&company, mine, foreign, "10:00", "12:00").expect_code(422, "of_another_host");
        assert_eq!(refused["errors"][0]["actual"], json!(foreign));
        let with = |rules: Value| given::instrument(app).rules(rules).insert();
        for (other, expected) in [
            (given::instrument(app).in_state(InstrumentState::Suspended).insert(), vec!["instrument_not_bookable"]),
            (given::instrument(app).with(|facts| facts.share_mode = Some(ShareMode::Internal)).insert(), vec!["not_externally_shared"]),
            (with(json!({"modes": ["entrusted"], "min_minutes": 240})), vec!["mode_not_offered", "too_short"]),
            (with(json!({"lead_minutes": 2880})), vec!["too_soon"]),
            (given::instrument(app).open("13:00", "18:00").insert(), vec!["outside_opening_hours"]),
        ] {
            for client in [&company, &app.as_host()] {
                let refused = go(client, mine, other, "10:00", "12:00").expect_status(422);
                assert_eq!(codes(&refused), expected);
            }
        }
        assert_eq!(see(&company, mine)["version"], 1);
        // Where a host decides, a moved booking waits again; the host's own move is decided.
        let manual = with(json!({"approval": "manual", "cleanup_minutes": 20}));
        let moved = go(&company, mine, manual, "10:00", "11:00").expect_status(200);
        assert_eq!((&moved["state"], &moved["blocked_until"]), (&json!("requested"), &json!(at("11:20"))));
        assert_eq!(moved["approval_due_at"], "2026-03-06T00:00:00+08:00");
        let approved = approve(&app.as_host(), mine, moved.etag()).expect_status(200);
        assert_eq!(go(&app.as_host(), mine, here, "10:00", "11:00").expect_status(200)["state"], approved["state"]);
    }

    fn who_moves_for_the_host_does_so_on_both_instruments(app: &TestApp) {
        let (mine, other) = (given::instrument(app).insert(), given::instrument(app).insert());
        manage(app, &[mine]);
        let manager = app.as_person(MANAGER);
        let id = book(&app.as_person(ENGINEER), mine, "10:00", "12:00").expect_status(201).id();
        go(&manager, id, other, "10:00", "12:00").expect_code(403, "forbidden");
        go(&app.as_stranger(), id, other, "10:00", "12:00").expect_code(404, "not_found");
        go(&app.as_person(COLLEAGUE), id, other, "10:00", "12:00").expect_code(403, "forbidden");
        // Both desks are told: the host's administrators of the one that nobody manages.
        go(&app.as_person(ENGINEER), id, other, "10:00", "12:00").expect_status(200);
        let mut people = [BOSS, MANAGER, HOST].map(|person| app.user_id(person).number());
        people.sort_unstable();
        assert_eq!(told(app, "booking_reschedule"), people);
        manage(app, &[other]);
        let back = go(&manager, id, mine, "10:00", "12:00").expect_status(200);
        assert_eq!(back["actions"], json!(["cancel", "reschedule"]));
        // Who moves it off loses it from sight.
        let third = given::instrument(app).insert();
        let moved = go(&app.as_host(), id, third, "10:00", "12:00").expect_status(200);
        see(&manager, id).expect_code(404, "not_found");
        let path = format!("/api/v1/bookings/{id}/reschedule");
        let body = json!({"starts_at": at("10:00"), "ends_at": at("12:00"), "instrument_id": mine});
        let stale = app.as_host();
        let stale = stale.request(Method::POST, &path).header("If-Match", "\"v1\"").json(&body).send();
        stale.expect_code(412, "version_mismatch");
        let host = app.as_host();
        host.request(Method::POST, &path).header("If-Match", moved.etag()).json(&body).send().expect_status(200);
    }

    fn services_are_those_of_the_instrument(app: &TestApp) {
        let (here, there) = (given::instrument(app).insert(), given::instrument(app).insert());
        let service = json!({"test_item": "形貌", "unit": "样", "price_fen": 5_000});
        let service = app.as_host().post(&format!("/api/v1/instruments/{here}/services"), service).expect_status(201).id();
        let mut wish = wish(here, "10:00", "12:00");
        wish["service_items"] = json!([{"service_id": service, "quantity": 2}]);
        let mine = app.as_company().post("/api/v1/bookings", wish).expect_status(201);
        assert_eq!(total(&mine), 10_000);
        let refused = go(&app.as_company(), mine.id(), there, "10:00", "12:00").expect_code(422, "unknown_reference");
        assert_eq!(refused["errors"][0]["field"], "service_items[0].service_id");
        let moved = go(&app.as_host(), mine.id(), there, "10:00", "12:00").expect_status(200);
        assert_eq!(total(&moved), 10_000);
    }

    fn a_late_cancellation_is_not_escaped_to_another_instrument(app: &TestApp) {
        let rules = || json!({"cancel_before_minutes": 60});
        let (here, there) = (given::instrument(app).rules(rules()).insert(), given::instrument(app).insert());
        let client = app.as_company();
        let mine = book(&client, here, "10:00", "12:00").expect_status(201);
        assert_eq!(mine["late_from"], at("09:00"));
        app.advance(60 * 24 + 30);
        let moved = go(&client, mine.id(), there, "16:00", "17:00").expect_status(200);
        assert_eq!(moved["late_from"], at("09:00"));
        let late = action(&client, mine.id(), "cancel", json!({})).expect_status(200);
        assert_eq!(late["reason_code"], "late");
    }

    fn two_that_change_places_do_not_meet(app: &TestApp) {
        let instruments = [given::instrument(app).insert(), given::instrument(app).insert()];
        let hours = ["10:00", "11:00", "12:00", "13:00", "14:00"];
        let booked: Vec<i64> = instruments.iter().zip(0..).flat_map(|(sem, nth)| {
            [0, 2].map(|hour| book(&app.as_company(), *sem, hours[nth + hour], hours[nth + hour + 1]).expect_status(201).id())
        }).collect();
        for round in 0..4 {
            let statuses: Vec<u16> = std::thread::scope(|scope| {
                let moves = booked.iter().enumerate().map(|(nth, id)| {
                    let to = instruments[(nth / 2 + round + 1) % 2];
                    let from = [0, 2, 1, 3][nth];
                    scope.spawn(move || go(&app.as_company(), *id, to, hours[from], hours[from + 1]).status)
                });
                let all: Vec<_> = moves.collect();
                all.into_iter().map(|one| one.join().unwrap()).collect()
            });
            assert_eq!(statuses, [200; 4], "round {round}");
        }
    }
}
