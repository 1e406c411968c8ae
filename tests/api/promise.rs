//! What was told with a booking holds: its price, its services, who may know of it; and what no slot can mend is said so.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;
use yiqi::store;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const BOOKINGS: &str = "/api/v1/bookings";

fn wish(instrument: InstrumentId, from: &str, until: &str) -> Value {
    json!({
        "instrument_id": instrument, "mode": "guided", "purpose": "research",
        "starts_at": format!("2026-03-03T{from}:00+08:00"), "ends_at": format!("2026-03-03T{until}:00+08:00"),
    })
}

fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

fn tariff(app: &TestApp, instrument: InstrumentId, body: Value) -> Answer {
    let path = format!("/api/v1/instruments/{instrument}/tariffs");
    app.as_host().post(&path, body).expect_status(201)
}

fn action(client: &Client, booking: i64, verb: &str, body: Value) -> Answer {
    client.post(&format!("{BOOKINGS}/{booking}/{verb}"), body)
}

fn charges(app: &TestApp, record: &Value) -> Vec<Value> {
    let path = format!("/api/v1/charges?usage_record_id={record}");
    app.as_host().get(&path).expect_status(200)["items"]
        .as_array()
        .unwrap()
        .clone()
}

/// Uses a booking of tomorrow from its start to its end.
fn used(app: &TestApp, booking: i64, minutes_until: i64, lasting: i64) -> Answer {
    app.advance(minutes_until);
    action(&app.as_host(), booking, "start", json!({})).expect_status(200);
    app.advance(lasting);
    action(&app.as_host(), booking, "finish", json!({})).expect_status(200)
}

fn codes(answer: &Answer) -> Vec<&str> {
    let errors = answer["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect()
}

both! {
    fn services_are_quoted_with_the_time_and_charged_once(app: &TestApp) {
        let sem = given::instrument(app).insert();
        tariff(app, sem, json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000}));
        let services = format!("/api/v1/instruments/{sem}/services");
        let tensile = json!({"test_item": "拉伸", "unit": "样", "price_fen": 12_000});
        let service = app.as_host().post(&services, tensile).expect_status(201).id();
        let wanted = json!([{"service_id": service, "quantity": 3}]);
        let company = app.as_company();

        let question = json!({
            "instrument_id": sem, "mode": "guided", "service_items": wanted,
            "starts_at": "2026-03-03T10:00:00+08:00", "ends_at": "2026-03-03T12:00:00+08:00",
        });
        let told = company.post("/api/v1/quotes", &question).expect_status(200);
        assert_eq!((&told["total_fen"], &told["services"][0]["amount_fen"]), (&json!(48_000), &json!(36_000)));
        let foreign = with(question.clone(), "service_items", json!([{"service_id": 999, "quantity": 0}]));
        let refused = company.post("/api/v1/quotes", foreign).expect_status(422);
        assert_eq!(codes(&refused), ["out_of_range", "unknown_reference"]);

        let booking = company.post(BOOKINGS, with(wish(sem, "10:00", "12:00"), "service_items", wanted)).expect_status(201);
        assert_eq!(booking["quote"]["total_fen"], 48_000);
        // Dearer afterwards, and off the list: what was told stands.
        let one = format!("{services}/{service}");
        let present = app.as_host().get(&services)["items"][0]["version"].clone();
        let host = app.as_host();
        let change = host.request(Method::PATCH, &one).header("If-Match", &format!("\"v{present}\""));
        change.json(json!({"price_fen": 99_000})).send().expect_status(200);
        app.as_host().delete(&one).expect_status(204);
        let finished = used(app, booking.id(), 25 * 60, 60);
        let charge = &charges(app, &finished["usage_record_ids"][0])[0];
        assert_eq!((&charge["amount_fen"], &charge["services"][0]["quantity"]), (&json!(6_000 + 36_000), &json!(3)));

        let more = json!({
            "instrument_id": sem, "organization_id": app.organization_id(COMPANY), "booking_id": booking.id(),
            "started_at": "2026-03-02T08:00:00+08:00", "ended_at": "2026-03-02T09:00:00+08:00",
            "mode": "guided", "purpose": "research",
        });
        let second = app.as_host().post("/api/v1/usage-records", more).expect_status(201);
        assert_eq!(charges(app, &second["id"])[0]["amount_fen"], 6_000, "the services are charged already");
        let gone = with(wish(sem, "20:00", "21:00"), "service_items", json!([{"service_id": service}]));
        company.post(BOOKINGS, gone).expect_code(422, "unknown_reference");
    }

    fn the_host_moves_a_booking_and_not_its_price(app: &TestApp) {
        let sem = given::instrument(app).insert();
        tariff(app, sem, json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000}));
        let booking = app.as_company().post(BOOKINGS, wish(sem, "10:00", "12:00")).expect_status(201);
        assert_eq!(booking["quote"]["total_fen"], 12_000);
        tariff(app, sem, json!({"customer_class": "sme", "valid_from": "2026-01-01", "price_fen_per_hour": 600_000}));
        let slot = |from: &str, until: &str| json!({
            "starts_at": format!("2026-03-03T{from}:00+08:00"), "ends_at": format!("2026-03-03T{until}:00+08:00"),
        });
        let moved = action(&app.as_host(), booking.id(), "reschedule", slot("14:00", "15:00")).expect_status(200);
        assert_eq!(moved["quote"]["total_fen"], 6_000);
        let own = action(&app.as_company(), booking.id(), "reschedule", slot("16:00", "17:00")).expect_status(200);
        assert_eq!(own["quote"]["total_fen"], 600_000, "who moves the booking is told today's price");
        let stale = app.as_host();
        let stale = stale.request(Method::POST, &format!("{BOOKINGS}/{}/reschedule", booking.id()));
        stale.header("If-Match", "\"v1\"").json(slot("17:00", "16:00")).send().expect_code(412, "version_mismatch");
    }

    fn a_booking_that_was_told_no_price_has_none(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let booking = app.as_company().post(BOOKINGS, wish(sem, "10:00", "12:00")).expect_status(201);
        assert_eq!(booking["quote"], Value::Null);
        tariff(app, sem, json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000_000}));
        let finished = used(app, booking.id(), 25 * 60, 60);
        assert!(charges(app, &finished["usage_record_ids"][0]).is_empty());
    }

    fn an_open_ended_price_can_be_ended_once_and_not_for_days_gone(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let price = tariff(app, sem, json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000}));
        let host = app.as_host();
        let path = format!("/api/v1/instruments/{sem}/tariffs/{}/end", price.id());
        let until = |day: &str| json!({"valid_until": day});
        app.as_company().post(&path, until("2026-04-01")).expect_code(403, "forbidden");
        let absent = format!("/api/v1/instruments/{sem}/tariffs/99/end");
        host.post(&absent, until("2026-04-01")).expect_code(404, "not_found");
        let gone = host.post(&path, until("2026-03-01")).expect_code(422, "out_of_range");
        assert_eq!(gone["errors"][0]["limit"], "2026-03-02..");
        host.post(&path, until("2026-3-9")).expect_code(400, "invalid_value");
        let ended = host.post(&path, until("2026-03-31")).expect_status(200);
        assert_eq!(ended["valid_until"], "2026-03-31");
        host.post(&path, until("2026-05-01")).expect_code(409, "invalid_state");
        tariff(app, sem, json!({"valid_from": "2026-04-01", "price_fen_per_hour": 7_000}));
    }

    fn a_date_is_written_in_one_way(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let path = format!("/api/v1/instruments/{sem}/tariffs");
        for absurd in ["+12345-01-01", "-0001-01-01", "2027-1-1", "0000-01-01", "2200-01-01"] {
            let from = json!({"valid_from": absurd, "price_fen_per_hour": 1});
            app.as_host().post(&path, from).expect_code(400, "invalid_value");
            let until = json!({"valid_from": "2026-01-01", "valid_until": absurd, "price_fen_per_hour": 1});
            app.as_host().post(&path, until).expect_code(400, "invalid_value");
            let rules = format!("/api/v1/instruments/{sem}/booking-rules");
            let special = json!({"special_days": [{"from_on": absurd, "until_on": absurd, "spans": []}]});
            let put = app.as_host();
            let put = put.request(Method::PUT, &rules).header("If-Match", "*").json(special).send();
            put.expect_code(400, "invalid_value");
        }
        assert_eq!(app.visitor().get(&path)["items"], json!([]));
    }

    fn a_check_tells_what_no_slot_can_mend(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"modes": ["entrusted"]})).insert();
        let company = app.as_company();
        let check = |body: Value| company.post(&format!("{BOOKINGS}/check"), body).expect_status(200);
        let not_offered = check(wish(sem, "10:00", "12:00"));
        assert_eq!((codes(&not_offered), &not_offered["next_free"]), (vec!["mode_not_offered"], &json!([])));
        let unknown = check(wish(999_999.try_into().unwrap(), "10:00", "12:00"));
        assert_eq!((codes(&unknown), &unknown["bookable"]), (vec!["unknown_reference"], &json!(false)));
        let nobody = with(with(wish(sem, "10:00", "12:00"), "operator", json!({"name": "李"})), "mode", "entrusted");
        let early = with(nobody, "starts_at", "2026-03-01T10:07:00+08:00");
        let all = company.post(BOOKINGS, early).expect_status(422);
        assert!(codes(&all).starts_with(&["malformed"]) && codes(&all).contains(&"in_the_past"), "{}", all.text());
    }

    fn a_suspended_host_takes_no_bookings(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let unit = format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY));
        app.as_admin().post(&format!("{unit}/suspend"), json!({"reason": "核查"})).expect_status(200);
        app.as_company().post(BOOKINGS, wish(sem, "10:00", "12:00")).expect_code(422, "instrument_not_bookable");
        let day = format!("/api/v1/instruments/{sem}/availability?from=2026-03-03T00:00:00Z&until=2026-03-04T00:00:00Z");
        assert_eq!(app.visitor().get(&day).expect_status(200)["free"], json!([]));
        app.as_admin().post(&format!("{unit}/resume"), json!({})).expect_status(200);
        app.as_company().post(BOOKINGS, wish(sem, "10:00", "12:00")).expect_status(201);
    }

    fn a_channel_is_changed_without_a_word_of_whom_for(app: &TestApp) {
        let sem = given::instrument(app).channels(2).insert();
        for (from, until) in [("09:30", "11:00"), ("10:00", "12:00"), ("12:00", "13:00")] {
            app.as_company().post(BOOKINGS, wish(sem, from, until)).expect_status(201);
        }
        // Free on no single channel as things stand.
        app.as_stranger().post(BOOKINGS, wish(sem, "11:00", "12:30")).expect_status(201);
        let moves = app.read(|conn| {
            use diesel::prelude::*;
            use yiqi::store::schema::event;
            let moves = event::table.filter(event::action.eq("booking_move"));
            let moves: Vec<store::event::Event> = moves.select(store::event::Event::as_select()).load(conn)?;
            Ok(moves)
        });
        assert!(!moves.is_empty(), "somebody had to make room");
        for told in &moves {
            assert_eq!((told.actor_user_id, told.actor_organization_id, &told.request_id), (None, None, &None));
            assert!(told.before.is_some());
            let moved = app.as_company().get(&format!("{BOOKINGS}/{}", told.subject_id)).expect_status(200);
            assert_eq!(moved.etag(), "\"v2\"", "another channel is another version");
        }
    }

    fn a_record_and_its_charge_are_in_the_trail(app: &TestApp) {
        let sem = given::instrument(app).insert();
        tariff(app, sem, json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000}));
        let booking = app.as_company().post(BOOKINGS, wish(sem, "10:00", "12:00")).expect_status(201);
        let finished = used(app, booking.id(), 25 * 60, 60);
        let record = finished["usage_record_ids"][0].as_i64().unwrap();
        let charge = charges(app, &json!(record))[0]["id"].as_i64().unwrap();
        let void = json!({"reason": "样品错误"});
        app.as_host().post(&format!("/api/v1/usage-records/{record}/void"), void).expect_status(200);
        let actions = app.read(move |conn| {
            use diesel::prelude::*;
            use yiqi::store::schema::event;
            let of = |kind: &str, id: i64| event::table.filter(event::subject_type.eq(kind.to_owned()).and(event::subject_id.eq(id)));
            let told: Vec<String> = of("usage_record", record).select(event::action).order(event::id).load(conn)?;
            let money: Vec<String> = of("charge", charge).select(event::action).order(event::id).load(conn)?;
            Ok((told, money))
        });
        assert_eq!(actions, (
            vec!["usage_record_open".to_owned(), "usage_record_void".to_owned()],
            vec!["charge_open".to_owned(), "charge_void".to_owned()],
        ));
    }

    fn a_correction_judges_what_it_changes(app: &TestApp) {
        let sem = given::instrument(app).channels(2).insert();
        let guest = json!({"name": "一".repeat(100), "phone": "0311-8612 0000 转 3"});
        let booking = with(wish(sem, "10:00", "12:00"), "operator", guest);
        let booking = app.as_company().post(BOOKINGS, booking).expect_status(201);
        let finished = used(app, booking.id(), 25 * 60, 60);
        let id = finished["usage_record_ids"][0].as_i64().unwrap();
        // As it was taken when names and numbers had no limit.
        let earlier = json!({"name": "一".repeat(160), "phone": "办公室座机 8612 分机3"}).to_string();
        app.write(move |tx| {
            use diesel::prelude::*;
            use yiqi::store::schema::usage_record;
            let record = usage_record::table.filter(usage_record::id.eq(id));
            diesel::update(record).set(usage_record::operator.eq(&earlier)).execute(tx).unwrap();
            Ok(())
        });
        let record = format!("/api/v1/usage-records/{id}/correct");
        app.as_host().post(&record, json!({"samples": 2})).expect_status(200);
        let long = json!({"operator": {"name": "一".repeat(101)}});
        app.as_host().post(&record, long).expect_code(422, "text_too_long");
        let stale = app.as_host();
        let stale = stale.request(Method::POST, &record).header("If-Match", "\"v99\"");
        stale.json(json!({"ended_at": "2020-01-01T00:00:00Z"})).send().expect_code(412, "version_mismatch");
    }

    fn what_was_used_was_busy(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let booking = app.as_company().post(BOOKINGS, wish(sem, "10:00", "12:00")).expect_status(201);
        used(app, booking.id(), 25 * 60, 60);
        app.advance(600);
        let day = format!("/api/v1/instruments/{sem}/availability?from=2026-03-03T00:00:00%2B08:00&until=2026-03-04T00:00:00%2B08:00");
        let busy = app.visitor().get(&day).expect_status(200)["busy"].clone();
        assert_eq!(busy, json!([{"starts_at": "2026-03-03T10:00:00+08:00", "ends_at": "2026-03-03T11:00:00+08:00"}]));
    }

    fn what_does_not_exist_is_said_before_what_is_misspelt(app: &TestApp) {
        for path in ["/api/v1/instruments/999999/availability", "/api/v1/instruments/999999/closures?limit=0"] {
            app.visitor().get(path).expect_code(404, "not_found");
        }
    }

    fn nodes_learn_of_new_public_holidays(app: &TestApp) {
        use diesel::prelude::*;
        use yiqi::store::schema::public_holiday;
        let sem = given::instrument(app).rules(json!({"holidays": "closed"})).insert();
        app.as_company().post(BOOKINGS, wish(sem, "08:00", "09:00")).expect_status(201);
        app.write(|tx| {
            let day: chrono::NaiveDate = "2026-03-03".parse().unwrap();
            diesel::insert_into(public_holiday::table)
                .values((public_holiday::holiday_on.eq(day), public_holiday::kind.eq("holiday"), public_holiday::festival.eq("校庆")))
                .execute(tx)
                .map_err(store::StoreError::from)?;
            Ok(store::calendar::refresh(tx)?)
        });
        app.as_company().post(BOOKINGS, wish(sem, "10:00", "12:00")).expect_code(422, "public_holiday");
    }
}
