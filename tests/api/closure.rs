//! Booking rules and closures of an instrument.

use serde_json::{Value, json};
use ureq::http::Method;

use diesel::prelude::*;
use yiqi::store::event::Event;
use yiqi::store::schema::{event, event_personal, notice};

use crate::world::*;
use crate::{both, given};

fn wish(instrument: yiqi::domain::InstrumentId, from: &str, until: &str) -> Value {
    json!({
        "instrument_id": instrument,
        "starts_at": format!("2026-03-03T{from}:00+08:00"),
        "ends_at": format!("2026-03-03T{until}:00+08:00"),
        "mode": "guided",
        "purpose": "development",
    })
}

both! {
    fn a_closure_lists_and_tells_the_bookings_it_hits(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let path = format!("/api/v1/instruments/{sem}/closures");
        let hit = app.as_company().post("/api/v1/bookings", wish(sem, "10:00", "12:00")).expect_status(201).id();
        app.as_company().post("/api/v1/bookings", wish(sem, "12:00", "13:00")).expect_status(201);
        let closure = json!({
            "starts_at": "2026-03-03T08:00:00+08:00", "ends_at": "2026-03-03T12:00:00+08:00",
            "kind": "maintenance", "public_reason": "真空泵更换",
        });
        app.as_company().post(&path, &closure).expect_code(403, "forbidden");
        let dry = app.as_host().post(&format!("{path}?dry_run=true"), &closure).expect_status(200);
        assert_eq!((&dry["bookings"][0]["id"], &dry["id"]), (&json!(hit), &Value::Null));
        assert_eq!(app.visitor().get(&path)["items"], json!([]));

        let made = app.as_host().post(&path, &closure).expect_status(201);
        assert_eq!(made["bookings"].as_array().unwrap().len(), 1);
        let refused = app.as_stranger().post("/api/v1/bookings", wish(sem, "09:00", "10:00")).expect_code(422, "closed_for_maintenance");
        assert_eq!(refused["errors"][0]["limit"], "2026-03-03T12:00:00+08:00");

        let one = format!("/api/v1/closures/{}", made.id());
        app.as_host().patch(&one, json!({"ends_at": null})).expect_code(428, "version_required");
        let open_ended = app.as_host().request(Method::PATCH, &one).header("If-Match", made.etag()).json(json!({"ends_at": null})).send();
        let open_ended = open_ended.expect_status(200);
        assert_eq!((&open_ended["ends_at"], open_ended["bookings"].as_array().unwrap().len()), (&Value::Null, 2));
        app.as_host().delete(&one).expect_status(204);
        app.as_host().delete(&one).expect_code(404, "not_found");
        app.as_stranger().post("/api/v1/bookings", wish(sem, "09:00", "10:00")).expect_status(201);
        let empty = json!({"starts_at": "2026-03-03T08:00:00Z", "ends_at": "2026-03-03T08:00:00Z", "kind": "fault"});
        app.as_host().post(&path, empty).expect_code(422, "not_after_start");
    }

    fn the_trail_of_a_closure_keeps_its_reason_apart(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let closure = json!({"starts_at": "2026-03-03T08:00:00+08:00", "kind": "fault", "public_reason": "王五弄坏了"});
        app.as_host().post(&format!("/api/v1/instruments/{sem}/closures"), closure).expect_status(201);
        let (told, personal) = app.read(|conn| {
            let told: Event = event::table.filter(event::subject_type.eq("closure")).select(Event::as_select()).first(conn)?;
            let personal: String = event_personal::table.find(told.id).select(event_personal::content).first(conn)?;
            Ok((told.after.unwrap().into_inner(), personal))
        });
        assert_eq!((&told["kind"], told["public_reason"].is_null()), (&json!("fault"), true));
        assert!(personal.contains("王五"));
    }

    fn who_booked_hears_that_the_instrument_is_gone(app: &TestApp) {
        let sem = given::instrument(app).insert();
        app.as_company().post("/api/v1/bookings", wish(sem, "10:00", "12:00")).expect_status(201);
        let boss = app.user_id(BOSS);
        let notices = || {
            app.tell();
            app.read(move |conn| {
                let own = notice::table.filter(notice::recipient_user_id.eq(boss));
                Ok(own.count().get_result::<i64>(conn)?)
            })
        };
        let before = notices();
        app.as_admin().post(&format!("/api/v1/instruments/{sem}/suspend"), json!({"reason": "逾期未检"})).expect_status(200);
        assert_eq!(notices(), before + 1);
        app.as_host().post(&format!("/api/v1/instruments/{sem}/retire?affected=keep"), json!({"reason": "报废"})).expect_status(200);
        assert_eq!(notices(), before + 2);
    }

    fn booking_rules_are_replaced_whole_and_checked_at_once(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let path = format!("/api/v1/instruments/{sem}/booking-rules");
        let present = app.visitor().get(&path).expect_status(200);
        assert_eq!(present["approval"], "automatic");
        let mut rules = present.body.clone();
        rules["min_minutes"] = json!(90);
        rules["max_minutes"] = json!(30);
        rules["slot_minutes"] = json!(7);
        let put = |version: &str, rules: &Value| {
            app.as_host().request(Method::PUT, &path).header("If-Match", version).json(rules).send()
        };
        app.as_host().put(&path, &rules).expect_code(428, "version_required");
        app.as_company().put(&path, &rules).expect_code(403, "forbidden");
        put("\"v9\"", &rules).expect_code(412, "version_mismatch");
        let wrong = put(present.etag(), &rules).expect_code(422, "not_divisor_of_day");
        let codes: Vec<_> = wrong["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["not_divisor_of_day", "not_multiple_of_slot", "not_multiple_of_slot", "min_above_max"]);
        rules = present.body.clone();
        rules["cleanup_minutes"] = json!(30);
        let replaced = put(present.etag(), &rules).expect_status(200);
        assert_eq!((replaced.etag(), &replaced["cleanup_minutes"]), ("\"v2\"", &json!(30)));
        let mut shown = app.visitor().get(&path).body;
        shown["bookings"] = json!([]);
        shown["bookings_count"] = json!(0);
        shown["warnings"] = json!([]);
        assert_eq!(shown, replaced.body);
        let draft = given::instrument(app).in_state(yiqi::domain::instrument::InstrumentState::Draft).insert();
        app.visitor().get(&format!("/api/v1/instruments/{draft}/booking-rules")).expect_code(404, "not_found");
    }

    fn what_is_asked_twice_under_a_key_is_answered_alike(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (host, of) = (app.as_host(), format!("/api/v1/instruments/{sem}"));
        let twice = |method: Method, path: &str, version: &str, body: Value| {
            let send = || {
                let key = format!("{method} {path}").replace(' ', "-");
                let request = host.request(method.clone(), path).header("Idempotency-Key", &key);
                let request = match version {
                    "" => request,
                    version => request.header("If-Match", version),
                };
                request.json(&body).send()
            };
            let (first, again) = (send(), send());
            assert_eq!((first.status, first.header("idempotency-replayed")), (again.status, None), "{method} {path}");
            assert_eq!(again.header("idempotency-replayed"), Some("true"), "{method} {path}");
            assert_eq!(first.header("location"), again.header("location"), "{method} {path}");
            assert_eq!((first.header("etag"), &first.body), (again.header("etag"), &again.body), "{method} {path}");
            again
        };
        let closure = json!({"starts_at": "2026-03-03T08:00:00+08:00", "kind": "fault"});
        let made = twice(Method::POST, &format!("{of}/closures"), "", closure).expect_status(201);
        let one = format!("/api/v1/closures/{}", made.id());
        assert_eq!(made.header("location"), Some(one.as_str()));
        let changed = twice(Method::PATCH, &one, made.etag(), json!({"kind": "maintenance"})).expect_status(200);
        assert_eq!(changed.etag(), "\"v2\"");

        let service = json!({"test_item": "SEM", "unit": "sample", "price_fen": 100});
        let made = twice(Method::POST, &format!("{of}/services"), "", service).expect_status(201);
        let one = format!("{of}/services/{}", made.id());
        let changed = twice(Method::PATCH, &one, made.etag(), json!({"price_fen": 200})).expect_status(200);
        assert_eq!((&changed["price_fen"], changed.etag()), (&json!(200), "\"v2\""));

        let rules = app.visitor().get(&format!("{of}/booking-rules")).expect_status(200);
        let mut new = rules.body.clone();
        new["cleanup_minutes"] = json!(30);
        let replaced = twice(Method::PUT, &format!("{of}/booking-rules"), rules.etag(), new).expect_status(200);
        assert_eq!(replaced.etag(), "\"v2\"");

        let price = json!({"valid_from": "2027-01-01", "price_fen_per_hour": 5});
        let made = twice(Method::POST, &format!("{of}/tariffs"), "", price).expect_status(201);
        let end = format!("{of}/tariffs/{}/end", made.id());
        twice(Method::POST, &end, "", json!({"valid_until": "2027-02-01"})).expect_status(200);
    }

    fn refusals_of_a_closure_come_in_order(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let path = format!("/api/v1/instruments/{sem}/closures");
        let closure = json!({"starts_at": "2026-03-03T08:00:00+08:00", "kind": "fault"});
        app.as_host().post(&format!("{path}?dry_run=maybe"), &closure).expect_status(400);
        assert_eq!(app.visitor().get(&path)["items"], json!([]));
        let one = format!("/api/v1/closures/{}", app.as_host().post(&path, &closure).expect_status(201).id());
        let change = |client: &crate::client::Client, version: &str, body: Value| {
            client.request(Method::PATCH, &one).header("If-Match", version).json(body).send()
        };
        let never = json!({"id": 0, "ends_at": "2026-03-03T08:00:00+08:00"});
        change(&app.as_company(), "\"v9\"", json!({"kinds": 1})).expect_code(403, "forbidden");
        change(&app.as_host(), "\"v9\"", json!({"kinds": 1})).expect_code(400, "unknown_field");
        change(&app.as_host(), "\"v9\"", never.clone()).expect_code(412, "version_mismatch");
        change(&app.as_host(), "\"v1\"", never).expect_code(422, "read_only");
        let never = json!({"ends_at": "2026-03-03T08:00:00+08:00"});
        change(&app.as_host(), "\"v1\"", never).expect_code(422, "not_after_start");
    }
}
