//! What becomes of a booking when another system, a lower number of channels or a late move comes in between.

use ureq::http::Method;

use super::*;

const RECORDS: &str = "/api/v1/usage-records";

/// Hours of the company on this instrument, told by another system.
fn told(app: &TestApp, sem: InstrumentId, booking: Option<i64>) -> Answer {
    let mut body = wish(sem, "10:00", "10:30");
    body["organization_id"] = app.organization_id(COMPANY).number().into();
    body["started_at"] = body["starts_at"].take();
    body["ended_at"] = body["ends_at"].take();
    let members = body.as_object_mut().unwrap();
    members.remove("starts_at");
    members.remove("ends_at");
    body["booking_id"] = json!(booking);
    app.as_host().post(RECORDS, body).expect_status(201)
}

/// A use of the company that runs since 10:00, and the next customer's booking; it is 11:00.
fn running(app: &TestApp) -> (InstrumentId, i64, i64) {
    let sem = given::instrument(app).insert();
    let first = book(&app.as_company(), sem, "10:00", "11:00")
        .expect_status(201)
        .id();
    let second = book(&app.as_stranger(), sem, "11:00", "12:00")
        .expect_status(201)
        .id();
    app.advance(60 * 25);
    action(&app.as_host(), first, "start", json!({})).expect_status(200);
    app.advance(60);
    (sem, first, second)
}

fn with_version(client: &Client, method: Method, path: &str, tag: &str, body: &Value) -> Answer {
    let request = client.request(method, path).header("If-Match", tag);
    request.json(body).send().expect_status(200)
}

fn events(app: &TestApp) -> usize {
    app.settle();
    let all = app
        .as_admin()
        .get("/api/v1/events?limit=200")
        .expect_status(200);
    all["items"].as_array().unwrap().len()
}

pub fn manage(app: &TestApp, sem: InstrumentId) {
    let path = format!("/api/v1/instruments/{sem}");
    let tag = app
        .as_host()
        .get(&path)
        .expect_status(200)
        .etag()
        .to_owned();
    let body = json!({"manager_ids": [app.user_id(MANAGER).number()]});
    with_version(
        &app.as_host(),
        Method::PUT,
        &format!("{path}/managers"),
        &tag,
        &body,
    );
}

both! {
    fn a_use_takes_the_record_that_names_it(app: &TestApp) {
        let (sem, first, second) = running(app);
        let record = told(app, sem, Some(first)).id();
        let waiting = see(&app.as_host(), second);
        assert_eq!(waiting["actions"], json!(["cancel", "reschedule"]));
        let done = action(&app.as_host(), first, "finish", json!({})).expect_status(200);
        assert_eq!((done["state"].as_str(), &done["usage_record_ids"]), (Some("completed"), &json!([record])));
        assert_eq!(done["problem"], Value::Null);
        action(&app.as_host(), second, "start", json!({})).expect_status(200);
    }

    fn a_forgotten_use_takes_the_record_that_names_it(app: &TestApp) {
        let (sem, first, _) = running(app);
        let record = told(app, sem, Some(first)).id();
        app.advance(60 * 13);
        tick(app);
        let closed = see(&app.as_host(), first);
        assert_eq!((closed["problem"].as_str(), &closed["usage_record_ids"]), (Some("not_finished"), &json!([record])));
    }

    fn an_instrument_is_never_lost_because_of_a_record(app: &TestApp) {
        let (sem, first, second) = running(app);
        let record = told(app, sem, None).id();
        let clash = action(&app.as_host(), first, "finish", json!({})).expect_code(409, "usage_overlaps");
        assert_eq!(clash["existing_id"], record);
        let nowhere = json!({"usage_record_id": 999_999});
        action(&app.as_host(), first, "finish", nowhere).expect_code(422, "unknown_reference");
        let done = action(&app.as_host(), first, "finish", json!({"usage_record_id": record})).expect_status(200);
        assert_eq!((done["state"].as_str(), done["problem"].as_str()), (Some("completed"), Some("not_recorded")));
        assert_eq!(done["usage_record_ids"], json!([]));
        action(&app.as_host(), second, "start", json!({})).expect_status(200);
    }

    fn managers_cancel_with_a_reason_on_what_they_manage(app: &TestApp) {
        let (mine, other) = (given::instrument(app).insert(), given::instrument(app).insert());
        manage(app, mine);
        let here = book(&app.as_company(), mine, "10:00", "12:00").expect_status(201).id();
        let there = book(&app.as_company(), other, "10:00", "12:00").expect_status(201).id();
        let manager = app.as_person(MANAGER);
        action(&manager, here, "cancel", json!({})).expect_code(422, "reason_required");
        let cancelled = action(&manager, here, "cancel", json!({"reason": "真空泵故障"})).expect_status(200);
        assert_eq!((cancelled["state"].as_str(), cancelled["cancelled_by"].as_str()), (Some("cancelled"), Some("host")));
        action(&manager, there, "cancel", json!({"reason": "真空泵故障"})).expect_code(404, "not_found");
    }

    fn an_action_that_changes_nothing_leaves_no_trace(app: &TestApp) {
        let sem = given::instrument(app).insert();
        manage(app, sem);
        let (host, of) = (app.as_host(), format!("/api/v1/instruments/{sem}"));
        let mine = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201).id();
        let closure = json!({"starts_at": at("20:00"), "ends_at": at("21:00"), "kind": "maintenance"});
        let closure = host.post(&format!("{of}/closures"), &closure).expect_status(201);
        let closure = format!("/api/v1/closures/{}", closure["closure"]["id"].as_i64().or(closure["id"].as_i64()).unwrap());
        let service = json!({"test_item": "形貌", "unit": "样", "price_fen": 100});
        let service = host.post(&format!("{of}/services"), service).expect_status(201);
        let service = format!("{of}/services/{}", service.id());
        let record = json!({
            "instrument_id": sem, "organization_id": app.organization_id(COMPANY).number(), "mode": "entrusted",
            "purpose": "research", "started_at": "2026-02-10T09:00:00+08:00", "ended_at": "2026-02-10T10:00:00+08:00",
        });
        let record = host.post(RECORDS, record).expect_status(201);
        let organization = format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY));
        let boss = app.as_host();
        let member = format!("{organization}/members/{}", app.user_id(MANAGER));
        app.settle();
        let before = events(app);

        let rules = host.get(&format!("{of}/booking-rules"));
        let same = with_version(&host, Method::PUT, &format!("{of}/booking-rules"), rules.etag(), &rules.body);
        assert_eq!(same.etag(), rules.etag());
        let entry = host.get(&of).expect_status(200);
        let managers = json!({"manager_ids": [app.user_id(MANAGER).number()]});
        let same = with_version(&host, Method::PUT, &format!("{of}/managers"), entry.etag(), &managers);
        assert_eq!(same.etag(), entry.etag());
        for (client, path, said) in [
            (&host, &of, "name"), (&host, &closure, "kind"), (&host, &service, "unit"), (&boss, &organization, "address"),
            (&boss, &member, "roles"), (&host, &"/api/v1/me".to_owned(), "name"),
        ] {
            let present = client.get(path);
            let present = match present.status {
                200 => present,
                _ => {
                    // No route shows it alone: the version is answered by a change of nothing.
                    with_version(client, Method::PATCH, path, "\"v1\"", &json!({}))
                }
            };
            let mut bodies = vec![json!({})];
            if !present[said].is_null() {
                bodies.push(json!({said: present[said]}));
            }
            for body in bodies {
                let same = with_version(client, Method::PATCH, path, present.etag(), &body);
                assert_eq!(same.etag(), present.etag(), "{path} {body}");
            }
        }
        for body in [json!({}), json!({"samples": 0, "reason": "核对"})] {
            let path = format!("{RECORDS}/{}/correct", record.id());
            let same = host.post(&path, body).expect_status(200);
            assert_eq!(same["version"], 1);
        }
        let same = action(&app.as_company(), mine, "reschedule", slot("10:00", "12:00")).expect_status(200);
        assert_eq!(same["version"], 1);
        app.settle();
        assert_eq!(events(app), before);
    }

    fn a_change_within_the_slot_is_never_taken(app: &TestApp) {
        let sem = given::instrument(app).channels(3).rules(json!({"approval": "manual", "cleanup_minutes": 30})).insert();
        let mut all = Vec::new();
        for client in [app.as_company(), app.as_stranger(), app.as_company()] {
            let asked = book(&client, sem, "10:00", "14:00").expect_status(201);
            approve(&app.as_host(), asked.id(), asked.etag()).expect_status(200);
            all.push((client, asked.id(), asked["channel"].clone()));
        }
        let path = format!("/api/v1/instruments/{sem}");
        let tag = app.as_host().get(&path).expect_status(200).etag().to_owned();
        let kept = format!("{path}?affected=keep");
        with_version(&app.as_host(), Method::PATCH, &kept, &tag, &json!({"channels": 1, "public_contact": {"name": "仪器平台", "phone": "0312-5000000"}}));
        for (client, id, channel) in &all {
            let less = action(client, *id, "reschedule", slot("10:00", "13:00")).expect_status(200);
            assert_eq!((less["state"].as_str(), &less["channel"]), (Some("confirmed"), channel));
            assert_eq!(less["blocked_until"], at("13:30"));
        }
        book(&app.as_stranger(), sem, "12:00", "14:00").expect_code(409, "slot_taken");
        book(&app.as_stranger(), sem, "14:00", "15:00").expect_status(201);
        for (_, id, channel) in &all {
            assert_eq!(&see(&app.as_host(), *id)["channel"], channel);
        }
    }

    fn a_late_cancellation_is_not_escaped_by_moving_first(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"cancel_before_minutes": 60})).insert();
        let client = app.as_company();
        let asked = client.post("/api/v1/bookings/check", wish(sem, "10:00", "12:00")).expect_status(200);
        assert_eq!(asked["late_from"], at("09:00"));
        let mine = book(&client, sem, "10:00", "12:00").expect_status(201);
        assert_eq!(mine["late_from"], at("09:00"));
        let moved = action(&client, mine.id(), "reschedule", slot("11:00", "13:00")).expect_status(200);
        assert_eq!(moved["late_from"], at("10:00"));
        app.advance(60 * 25 + 30);
        let moved = action(&client, mine.id(), "reschedule", slot("16:00", "17:00")).expect_status(200);
        assert_eq!(moved["late_from"], at("10:00"));
        let late = action(&client, mine.id(), "cancel", json!({})).expect_status(200);
        assert_eq!((late["reason_code"].as_str(), &late["late_from"]), (Some("late"), &Value::Null));
    }

    fn what_is_refused_now_is_not_allowed(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let mine = book(&app.as_company(), sem, "10:00", "12:00").expect_status(201).id();
        let early = action(&app.as_host(), mine, "start", json!({})).expect_code(409, "invalid_state");
        assert_eq!((&early["possible_from"], &early["allowed"]), (&json!(at("10:00")), &json!(["cancel", "reschedule"])));
        let unstarted = action(&app.as_host(), mine, "finish", json!({})).expect_code(409, "invalid_state");
        assert_eq!((&unstarted["possible_from"], &unstarted["allowed"]), (&json!(at("10:00")), &json!(["cancel", "reschedule"])));
        app.advance(60 * 25);
        let over = action(&app.as_company(), mine, "cancel", json!({})).expect_code(409, "invalid_state");
        assert_eq!(over["allowed"], json!(["start", "finish"]));
    }

    fn drafts_can_be_deleted_and_used_no_earlier_than_accepted(app: &TestApp) {
        let (host, draft) = (app.as_host(), given::instrument(app).in_state(InstrumentState::Draft).insert());
        let path = format!("/api/v1/instruments/{draft}");
        app.as_company().delete(&path).expect_code(404, "not_found");
        host.delete(&path).expect_status(204);
        host.get(&path).expect_code(404, "not_found");
        host.delete(&path).expect_code(404, "not_found");
        let listed = given::instrument(app).insert();
        host.delete(&format!("/api/v1/instruments/{listed}")).expect_code(409, "invalid_state");

        let early = json!({
            "instrument_id": listed, "organization_id": app.organization_id(COMPANY).number(), "mode": "entrusted",
            "purpose": "research", "started_at": "2024-05-05T09:00:00+08:00", "ended_at": "2024-05-05T10:00:00+08:00",
        });
        let refused = host.post(RECORDS, early).expect_code(422, "dates_out_of_order");
        assert_eq!(refused["errors"][0]["field"], "started_at");
    }
}
