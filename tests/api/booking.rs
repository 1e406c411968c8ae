//! Bookings: how a slot is won, kept, moved, used and given up, and what those who lose it are told.

mod elsewhere;
mod hold;
mod life;
mod operated;
mod race;

use serde_json::{Value, json};
use yiqi::domain::InstrumentId;
use yiqi::domain::exemption::ShareMode;
use yiqi::domain::instrument::InstrumentState;
use yiqi::jobs;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

/// Tuesday, the day after every test's morning.
const DAY: &str = "2026-03-03";

fn at(time: &str) -> String {
    format!("{DAY}T{time}:00+08:00")
}

fn wish(instrument: InstrumentId, from: &str, until: &str) -> Value {
    json!({
        "instrument_id": instrument,
        "starts_at": at(from),
        "ends_at": at(until),
        "mode": "self_operated",
        "purpose": "research",
    })
}

fn book(client: &Client, instrument: InstrumentId, from: &str, until: &str) -> Answer {
    client.post("/api/v1/bookings", wish(instrument, from, until))
}

fn action(client: &Client, id: i64, verb: &str, body: Value) -> Answer {
    client.post(&format!("/api/v1/bookings/{id}/{verb}"), body)
}

fn see(client: &Client, id: i64) -> Answer {
    client.get(&format!("/api/v1/bookings/{id}"))
}

fn slot(from: &str, until: &str) -> Value {
    json!({"starts_at": at(from), "ends_at": at(until)})
}

fn approve(client: &Client, id: i64, version: &str) -> Answer {
    let request = client.request(
        ureq::http::Method::POST,
        &format!("/api/v1/bookings/{id}/approve"),
    );
    request.header("If-Match", version).json(json!({})).send()
}

fn tick(app: &TestApp) -> usize {
    app.block_on(jobs::booking::tick(&app.app, app.now()))
        .unwrap()
}

fn codes(answer: &Answer) -> Vec<&str> {
    let errors = answer["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect()
}

both! {
    fn a_booked_slot_is_taken_and_the_next_free_ones_are_named(app: &TestApp) {
        let sem = given::instrument(app).open("09:00", "18:00").insert();
        let booked = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201);
        assert_eq!((booked["state"].as_str(), booked["channel"].as_i64()), (Some("confirmed"), Some(1)));
        assert_eq!(booked.etag(), "\"v1\"");
        assert_eq!(booked.header("location"), Some(format!("/api/v1/bookings/{}", booked.id()).as_str()));
        assert_eq!(booked["actions"], json!(["cancel", "reschedule"]));
        assert_eq!(booked["usage_record_ids"], json!([]));

        let lost = book(&app.as_stranger(), sem, "11:00", "13:00").expect_code(409, "slot_taken");
        assert_eq!(lost["clash"], slot("10:00", "12:00"));
        assert_eq!(lost["next_free"], json!([slot("12:00", "14:00"), slot("12:30", "14:30"), slot("13:00", "15:00")]));
        assert!(!lost.text().contains("organization_id") && !lost.text().contains("booked_by"));

        book(&app.as_stranger(), sem, "12:00", "13:00").expect_status(201);
        book(&app.as_stranger(), sem, "09:00", "10:00").expect_status(201);
        let other = given::instrument(app).insert();
        book(&app.as_stranger(), other, "10:00", "12:00").expect_status(201);
        see(&app.as_stranger(), booked.id()).expect_code(404, "not_found");
    }

    fn set_up_and_clean_up_block_too(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"setup_minutes": 30, "cleanup_minutes": 30})).insert();
        let booked = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201);
        assert_eq!((&booked["blocked_from"], &booked["blocked_until"]), (&json!(at("09:30")), &json!(at("12:30"))));
        book(&app.as_stranger(), sem, "12:30", "13:30").expect_code(409, "slot_taken");
        book(&app.as_stranger(), sem, "13:00", "14:00").expect_status(201);
    }

    fn every_broken_rule_is_told_at_once(app: &TestApp) {
        let sem = given::instrument(app).open("09:00", "18:00").rules(json!({"modes": ["entrusted"], "min_minutes": 60})).insert();
        let entrusted = {
            let mut wish = wish(sem, "17:00", "18:00");
            wish["mode"] = json!("entrusted");
            wish
        };
        app.as_stranger().post("/api/v1/bookings", &entrusted).expect_status(201);
        let broken = book(&app.as_company(), sem, "17:35", "18:05").expect_code(422, "mode_not_offered");
        assert_eq!(codes(&broken), ["mode_not_offered", "not_aligned", "too_short", "outside_opening_hours", "slot_taken"]);
        assert_eq!(broken["errors"][2]["limit"], 60);
        assert_eq!(broken["errors"][2]["actual"], 30);
        assert_eq!(broken["errors"][2]["rule"], "too_short");

        let mut past = wish(sem, "10:00", "11:00");
        past["starts_at"] = json!("2026-03-02T08:00:00+08:00");
        past["ends_at"] = json!("2026-03-02T10:00:00+08:00");
        assert!(codes(&app.as_company().post("/api/v1/bookings", &past).expect_status(422)).contains(&"in_the_past"));
        book(&app.as_company(), sem, "12:00", "12:00").expect_code(422, "not_after_start");
    }

    fn who_may_book(app: &TestApp) {
        let internal = given::instrument(app).with(|facts| facts.share_mode = Some(ShareMode::Internal)).insert();
        book(&app.as_company(), internal, "10:00", "12:00").expect_code(422, "not_externally_shared");
        book(&app.as_person(RESEARCHER), internal, "10:00", "12:00").expect_status(201);
        book(&app.as_admin(), internal, "13:00", "14:00").expect_code(403, "forbidden");
        book(&app.as_person(MANAGER), internal, "13:00", "14:00").expect_code(403, "forbidden");
        book(&app.visitor(), internal, "13:00", "14:00").expect_code(401, "unauthenticated");

        let draft = given::instrument(app).in_state(InstrumentState::Draft).insert();
        book(&app.as_company(), draft, "10:00", "12:00").expect_code(422, "unknown_reference");
        let suspended = given::instrument(app).in_state(InstrumentState::Suspended).insert();
        book(&app.as_company(), suspended, "10:00", "12:00").expect_code(422, "instrument_not_bookable");
        let host = book(&app.as_host(), draft, "10:00", "12:00").expect_status(422);
        assert_eq!(codes(&host), ["instrument_not_bookable"]);
    }

    fn a_request_waits_for_the_host(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let requested = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201);
        assert_eq!(requested["state"], "requested");
        assert_eq!(requested["approval_due_at"], "2026-03-06T00:00:00+08:00");
        let id = requested.id();
        book(&app.as_stranger(), sem, "10:00", "12:00").expect_code(409, "slot_taken");

        action(&app.as_company(), id, "approve", json!({})).expect_code(403, "forbidden");
        action(&app.as_stranger(), id, "approve", json!({})).expect_code(404, "not_found");
        action(&app.as_host(), id, "approve", json!({})).expect_code(428, "version_required");
        approve(&app.as_host(), id, "\"v7\"").expect_code(412, "version_mismatch");
        let approved = approve(&app.as_host(), id, requested.etag()).expect_status(200);
        assert_eq!((approved["state"].as_str(), approved.etag()), (Some("confirmed"), "\"v2\""));
        let again = approve(&app.as_host(), id, "\"v2\"").expect_code(409, "invalid_state");
        assert_eq!(again["state"], "confirmed");
        assert_eq!(again["allowed"], json!(["cancel", "reschedule"]));
    }

    fn approval_asks_the_rules_again_but_for_the_lead_time(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"approval": "manual", "lead_minutes": 1440})).insert();
        let soon = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201);
        app.advance(60 * 12);
        approve(&app.as_host(), soon.id(), soon.etag()).expect_status(200);
        let other = book(&app.as_company(), sem, "20:00", "21:00").expect_status(422);
        assert_eq!(codes(&other), ["too_soon"]);
    }

    fn an_approval_fails_where_a_closure_came_meanwhile(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let requested = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201);
        let closure = json!({"starts_at": at("11:30"), "ends_at": null, "kind": "fault"});
        app.as_host().post(&format!("/api/v1/instruments/{sem}/closures"), closure).expect_status(201);
        // The closure left its problem on the request: whoever has not seen it decides nothing.
        approve(&app.as_host(), requested.id(), requested.etag()).expect_code(412, "version_mismatch");
        let hit = app.as_host().get(&format!("/api/v1/bookings/{}", requested.id())).expect_status(200);
        assert_eq!(hit["problem"], "closed_for_maintenance");
        approve(&app.as_host(), requested.id(), hit.etag()).expect_code(422, "closed_for_maintenance");
        let rejected = action(&app.as_host(), requested.id(), "reject", json!({"reason_code": "maintenance"})).expect_status(200);
        assert_eq!((rejected["state"].as_str(), rejected["reason_code"].as_str()), (Some("rejected"), Some("maintenance")));
        action(&app.as_host(), requested.id(), "reject", json!({})).expect_code(400, "missing_field");
    }

    fn an_overdue_request_gives_its_slot_to_the_next(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"approval": "manual", "approval_due_working_days": 1})).insert();
        let mut later = wish(sem, "10:00", "12:00");
        later["starts_at"] = json!("2026-03-05T10:00:00+08:00");
        later["ends_at"] = json!("2026-03-05T12:00:00+08:00");
        let first = app.as_company().post("/api/v1/bookings", &later).expect_status(201);
        app.as_stranger().post("/api/v1/bookings", &later).expect_code(409, "slot_taken");
        app.advance(60 * 24 * 2);
        app.as_stranger().post("/api/v1/bookings", &later).expect_status(201);
        assert_eq!(see(&app.as_company(), first.id())["state"], "expired");
    }

    fn an_overdue_request_does_not_keep_others_from_making_room(app: &TestApp) {
        let two = given::instrument(app).channels(2).rules(json!({"approval": "manual", "approval_due_working_days": 1})).insert();
        let on = |from: &str, until: &str| {
            let mut wish = wish(two, from, until);
            wish["starts_at"] = json!(format!("2026-03-06T{from}:00+08:00"));
            wish["ends_at"] = json!(format!("2026-03-06T{until}:00+08:00"));
            app.as_company().post("/api/v1/bookings", wish).expect_status(201)
        };
        // Who stays is approved; the last waits until it is overdue, on the channel that the move will need.
        let first = on("09:30", "11:00");
        let second = on("10:00", "12:00");
        let third = on("12:00", "13:30");
        let waiting = on("12:30", "13:30");
        for kept in [&first, &second, &third] {
            approve(&app.as_host(), kept.id(), kept.etag()).expect_status(200);
        }
        app.advance(60 * 24 * 2);
        on("11:00", "12:30");
        assert_eq!(see(&app.as_company(), waiting.id())["state"], "expired");
    }

    fn an_overdue_request_cannot_be_decided_or_moved(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"approval": "manual", "approval_due_working_days": 1})).insert();
        let asked = app.as_company().post("/api/v1/bookings", {
            let mut later = wish(sem, "10:00", "12:00");
            later["starts_at"] = json!("2026-03-06T10:00:00+08:00");
            later["ends_at"] = json!("2026-03-06T12:00:00+08:00");
            later
        }).expect_status(201);
        app.advance(60 * 24 * 2);
        let to = json!({"starts_at": "2026-03-06T11:00:00+08:00", "ends_at": "2026-03-06T13:00:00+08:00"});
        let refused = action(&app.as_company(), asked.id(), "reschedule", to).expect_code(409, "invalid_state");
        assert_eq!((&refused["state"], &refused["allowed"]), (&json!("expired"), &json!([])));
        approve(&app.as_host(), asked.id(), asked.etag()).expect_code(409, "invalid_state");
        assert_eq!(see(&app.as_company(), asked.id())["actions"], json!([]));
        assert_eq!((tick(app), tick(app)), (1, 0));
    }

    fn time_expires_closes_and_lapses(app: &TestApp) {
        let manual = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let sem = given::instrument(app).insert();
        let request = book(&app.as_company(), manual, "10:00", "12:00").expect_status(201).id();
        let used = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201).id();
        let missed = book(&app.as_company(), sem, "14:00", "15:00").expect_status(201).id();
        let company = app.as_company();
        let state = |id| see(&company, id)["state"].as_str().unwrap().to_owned();
        assert_eq!(tick(app), 0);
        app.advance(60 * 25);
        action(&app.as_host(), used, "start", json!({})).expect_status(200);
        assert_eq!((tick(app), state(request)), (1, "expired".to_owned()));
        app.advance(60 * 14 - 1);
        assert_eq!((tick(app), state(used)), (0, "in_progress".to_owned()));
        app.advance(1);
        assert_eq!((tick(app), tick(app)), (1, 0));
        let closed = see(&company, used).expect_status(200);
        assert_eq!((closed["state"].as_str(), closed["problem"].as_str()), (Some("completed"), Some("not_finished")));
        assert_eq!(closed["ended_at"], at("12:00"));
        assert_eq!(closed["usage_record_ids"].as_array().unwrap().len(), 1);
        app.advance(60 * 24 * 3);
        assert_eq!((tick(app), state(missed)), (1, "unresolved".to_owned()));
        assert_eq!(tick(app), 0);
    }

    fn the_using_unit_cancels_and_the_host_gives_a_reason(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"cancel_before_minutes": 60})).insert();
        let own = book(&app.as_person(ENGINEER), sem, "10:00", "12:00").expect_status(201).id();
        action(&app.as_person(COLLEAGUE), own, "cancel", json!({})).expect_code(403, "forbidden");
        let cancelled = action(&app.as_person(ENGINEER), own, "cancel", json!({})).expect_status(200);
        assert_eq!((cancelled["state"].as_str(), cancelled["cancelled_by"].as_str()), (Some("cancelled"), Some("user")));
        assert_eq!(cancelled["reason_code"], Value::Null);

        let second = book(&app.as_person(ENGINEER), sem, "10:00", "12:00").expect_status(201).id();
        action(&app.as_host(), second, "cancel", json!({})).expect_code(422, "reason_required");
        let by_host = action(&app.as_host(), second, "cancel", json!({"reason": "pump failed"})).expect_status(200);
        assert_eq!((by_host["cancelled_by"].as_str(), by_host["reason"].as_str()), (Some("host"), Some("pump failed")));

        let third = book(&app.as_person(ENGINEER), sem, "10:00", "12:00").expect_status(201).id();
        app.advance(60 * 24 + 30);
        let late = action(&app.as_company(), third, "cancel", json!({})).expect_status(200);
        assert_eq!(late["reason_code"], "late");
    }

    fn a_move_keeps_the_old_slot_until_the_new_one_is_won(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let mine = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201).id();
        book(&app.as_stranger(), sem, "14:00", "16:00").expect_status(201);
        let lost = action(&app.as_company(), mine, "reschedule", slot("13:00", "15:00")).expect_code(409, "slot_taken");
        assert_eq!(lost["clash"], slot("14:00", "16:00"));
        assert_eq!(lost["next_free"][0], slot("16:00", "18:00"));
        assert_eq!(see(&app.as_company(), mine)["starts_at"], at("10:00"));
        book(&app.as_stranger(), sem, "10:00", "12:00").expect_code(409, "slot_taken");

        let moved = action(&app.as_company(), mine, "reschedule", slot("11:00", "13:00")).expect_status(200);
        assert_eq!((moved["starts_at"].as_str(), moved["state"].as_str()), (Some(at("11:00").as_str()), Some("confirmed")));
        book(&app.as_stranger(), sem, "10:00", "11:00").expect_status(201);
        action(&app.as_company(), mine, "reschedule", slot("11:10", "13:00")).expect_code(422, "not_aligned");
    }

    fn a_users_move_needs_approval_again(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let asked = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201);
        approve(&app.as_host(), asked.id(), asked.etag()).expect_status(200);
        let by_host = action(&app.as_host(), asked.id(), "reschedule", slot("11:00", "13:00")).expect_status(200);
        assert_eq!(by_host["state"], "confirmed");
        let by_user = action(&app.as_company(), asked.id(), "reschedule", slot("12:00", "14:00")).expect_status(200);
        assert_eq!(by_user["state"], "requested");
    }

    fn an_early_end_frees_the_rest_and_makes_one_record(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"cleanup_minutes": 30})).insert();
        let mine = book(&app.as_company(), sem, "10:00", "14:00").expect_status(201).id();
        action(&app.as_host(), mine, "start", json!({})).expect_code(409, "invalid_state");
        action(&app.as_host(), mine, "finish", json!({})).expect_code(409, "invalid_state");
        app.advance(60 * 25);
        let started = action(&app.as_host(), mine, "start", json!({})).expect_status(200);
        assert_eq!((started["state"].as_str(), &started["actions"]), (Some("in_progress"), &json!(["finish"])));
        app.advance(60);
        let future = json!({"ended_at": at("13:00")});
        action(&app.as_host(), mine, "finish", future).expect_code(422, "in_the_future");
        action(&app.as_host(), mine, "finish", json!({"run_minutes": 61})).expect_code(422, "minutes_exceed_interval");
        let done = action(&app.as_host(), mine, "finish", json!({"prepare_minutes": 5, "run_minutes": 50, "samples": 3})).expect_status(200);
        assert_eq!((done["state"].as_str(), done["blocked_until"].as_str()), (Some("completed"), Some(at("11:30").as_str())));
        let record = done["usage_record_ids"][0].as_i64().unwrap();
        let record = app.read(move |conn| Ok(yiqi::store::usage::get(conn, record.try_into().unwrap())?));
        assert_eq!((record.started_at.to_string(), record.ended_at.to_string()), (at("10:00"), at("11:00")));
        assert_eq!((record.prepare_minutes.number(), record.run_minutes.number(), record.samples), (5, 50, 3));
        assert_eq!((record.evidence.as_str(), record.state.as_str()), ("confirmed", "recorded"));

        book(&app.as_stranger(), sem, "11:00", "12:00").expect_code(409, "slot_taken");
        book(&app.as_stranger(), sem, "11:30", "12:30").expect_status(201);
    }

    fn one_use_at_a_time_on_a_channel(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let first = book(&app.as_company(), sem, "10:00", "11:00").expect_status(201).id();
        let second = book(&app.as_stranger(), sem, "11:00", "12:00").expect_status(201).id();
        app.advance(60 * 25);
        action(&app.as_host(), first, "start", json!({})).expect_status(200);
        app.advance(60);
        action(&app.as_host(), second, "start", json!({})).expect_code(409, "channel_in_use");
        action(&app.as_host(), first, "finish", json!({})).expect_status(200);
        action(&app.as_host(), second, "start", json!({})).expect_status(200);
    }

    fn who_does_not_come_is_declared_a_no_show_after_a_while(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let mine = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201).id();
        app.advance(60 * 25 + 29);
        let early = action(&app.as_host(), mine, "no-show", json!({})).expect_code(409, "invalid_state");
        assert_eq!(early["possible_from"], at("10:30"));
        app.advance(1);
        assert_eq!(action(&app.as_host(), mine, "no-show", json!({})).expect_status(200)["state"], "no_show");
        book(&app.as_stranger(), sem, "11:00", "12:00").expect_status(201);
    }

    fn channels_are_shared_by_peak_and_others_make_room(app: &TestApp) {
        let eight = given::instrument(app).channels(2).insert();
        let on = |from: &str, until: &str| {
            book(&app.as_company(), eight, from, until).expect_status(201)["channel"].as_i64().unwrap()
        };
        assert_eq!((on("09:30", "11:00"), on("10:00", "12:00"), on("12:00", "13:00")), (1, 2, 1));
        // 11:00–12:30 is free on no single channel as things stand, though never more than two run at once.
        assert_eq!(on("11:00", "12:30"), 1);
        book(&app.as_stranger(), eight, "11:30", "12:30").expect_code(409, "slot_taken");
        let items = app.as_company().get("/api/v1/bookings?state=confirmed").expect_status(200);
        assert_eq!(items["items"].as_array().unwrap().len(), 4);
    }

    fn a_reference_is_used_once_and_found_again(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let mut wish = wish(sem, "10:00", "11:00");
        wish["client_reference"] = json!("PO-7");
        let first = app.as_company().post("/api/v1/bookings", &wish).expect_status(201).id();
        let again = app.as_company().post("/api/v1/bookings", &wish).expect_code(409, "client_reference_used");
        assert_eq!(again["existing_id"], first);
        wish["starts_at"] = json!(at("14:00"));
        wish["ends_at"] = json!(at("15:00"));
        app.as_stranger().post("/api/v1/bookings", &wish).expect_status(201);
        let found = app.as_company().get("/api/v1/bookings?client_reference=PO-7").expect_status(200);
        assert_eq!(found["items"][0]["id"], first);
    }

    fn an_idempotency_key_books_once(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let company = app.as_company();
        let send = || {
            let request = company.request(ureq::http::Method::POST, "/api/v1/bookings");
            request.header("Idempotency-Key", "k1").json(wish(sem, "10:00", "11:00")).send().expect_status(201)
        };
        let (first, second) = (send(), send());
        assert_eq!((first.id(), second.header("idempotency-replayed")), (second.id(), Some("true")));
    }

    fn a_check_tells_everything_and_books_nothing(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let check = |from, until| app.as_company().post("/api/v1/bookings/check", wish(sem, from, until)).expect_status(200);
        let free = check("10:00", "12:00");
        assert_eq!((&free["bookable"], &free["errors"]), (&json!(true), &json!([])));
        book(&app.as_stranger(), sem, "10:00", "12:00").expect_status(201);
        let taken = check("10:00", "12:00");
        assert_eq!((&taken["bookable"], codes(&taken)), (&json!(false), vec!["slot_taken"]));
        assert_eq!(taken["next_free"].as_array().unwrap().len(), 3);
    }

    fn lists_show_what_is_the_callers(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let mine = book(&app.as_person(ENGINEER), sem, "10:00", "11:00").expect_status(201).id();
        let theirs = book(&app.as_stranger(), sem, "11:00", "12:00").expect_status(201).id();
        let ids = |client: &Client, query: &str| -> Vec<i64> {
            let page = client.get(&format!("/api/v1/bookings?{query}")).expect_status(200);
            page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
        };
        assert_eq!(ids(&app.as_company(), ""), [mine]);
        assert_eq!(ids(&app.as_person(COLLEAGUE), ""), [mine]);
        assert_eq!(ids(&app.as_host(), ""), [theirs, mine]);
        assert_eq!(ids(&app.as_person(AUDITOR), ""), [theirs, mine]);
        assert_eq!(ids(&app.as_person(OTHER_HOST_ADMIN), ""), [0_i64; 0]);
        assert_eq!(ids(&app.as_person(MANAGER), ""), [0_i64; 0]);
        let manager = app.user_id(MANAGER);
        app.write(move |tx| {
            use diesel::RunQueryDsl;
            let insert = format!("INSERT INTO instrument_manager (instrument_id, user_id) VALUES ({sem}, {manager})");
            diesel::sql_query(insert).execute(tx).map_err(yiqi::store::StoreError::from)?;
            Ok(())
        });
        assert_eq!(ids(&app.as_person(MANAGER), "assigned_to=me"), [theirs, mine]);
        assert_eq!(ids(&app.as_host(), "assigned_to=me"), [0_i64; 0]);
        let from = at("11:00").replace('+', "%2B");
        assert_eq!(ids(&app.as_host(), &format!("from={from}")), [theirs]);
        assert_eq!(ids(&app.as_host(), &format!("until={from}")), [mine]);
        let first = app.as_host().get("/api/v1/bookings?limit=1").expect_status(200);
        let next = first["next_cursor"].as_str().unwrap();
        assert_eq!(ids(&app.as_host(), &format!("limit=1&cursor={next}")), [mine]);
        app.as_host().get("/api/v1/bookings?stat=held").expect_code(400, "unknown_parameter");

        let since = NOW.replace('+', "%2B");
        let feed = app.as_host().get(&format!("/api/v1/bookings?updated_since={since}&limit=1")).expect_status(200);
        assert_eq!(feed["items"][0]["id"], mine);
        assert!(feed["as_of"].as_str().unwrap() < NOW);
        let next = feed["next_cursor"].as_str().unwrap();
        assert_eq!(ids(&app.as_host(), &format!("updated_since={since}&limit=1&cursor={next}")), [theirs]);
    }

    fn every_action_is_in_the_trail_and_the_other_side_is_told(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let mine = book(&app.as_person(ENGINEER), sem, "10:00", "11:00").expect_status(201);
        approve(&app.as_host(), mine.id(), mine.etag()).expect_status(200);
        action(&app.as_person(ENGINEER), mine.id(), "cancel", json!({})).expect_status(200);
        let path = format!("/api/v1/events?subject_type=booking&subject_id={}", mine.id());
        app.settle();
        let trail = app.as_person(AUDITOR).get(&path).expect_status(200);
        let actions: Vec<_> = trail["items"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["booking_request", "booking_approve", "booking_cancel"]);
        app.tell();
        let told = |action: &'static str| {
            app.read(move |conn| {
                use diesel::prelude::*;
                use yiqi::store::schema::notice;
                let told: Vec<i64> = notice::table
                    .filter(notice::action.eq(action))
                    .select(notice::recipient_user_id)
                    .order(notice::recipient_user_id)
                    .load(conn)
                    .map_err(yiqi::store::StoreError::from)?;
                Ok(told)
            })
        };
        let [host, boss, engineer] = [HOST, BOSS, ENGINEER].map(|person| app.user_id(person).number());
        assert_eq!(told("booking_request"), [host]);
        assert_eq!(told("booking_approve"), [boss, engineer]);
        assert_eq!(told("booking_cancel"), [host, boss]);
    }
}
