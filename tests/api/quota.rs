//! How much one person or one unit may have: quotas of every period and reach, told, checked and raced for; and the other rules
//! that look at who asks, in `person`.

mod person;

use serde_json::{Value, json};
use yiqi::domain::InstrumentId;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const BOOKINGS: &str = "/api/v1/bookings";

fn at(time: &str) -> String {
    format!("2026-{time}:00+08:00")
}

/// A booking in 2026, its times written `03-10T10:00`.
fn wish(sem: InstrumentId, from: &str, until: &str) -> Value {
    json!({
        "instrument_id": sem, "starts_at": at(from), "ends_at": at(until), "mode": "self_operated", "purpose": "research",
    })
}

fn book(client: &Client, sem: InstrumentId, from: &str, until: &str) -> Answer {
    client.post(BOOKINGS, wish(sem, from, until))
}

fn action(client: &Client, id: i64, name: &str, body: Value) -> Answer {
    client.post(&format!("{BOOKINGS}/{id}/{name}"), body)
}

fn cancel(client: &Client, id: i64) {
    action(client, id, "cancel", json!({})).expect_status(200);
}

/// An instrument with one quota, that can be booked a year ahead by the minute.
fn limited(app: &TestApp, quota: Value) -> InstrumentId {
    let rules = json!({
        "quotas": [quota], "horizon_days": 400, "slot_minutes": 1, "min_minutes": 1, "max_minutes": 2880,
    });
    given::instrument(app).rules(rules).insert()
}

/// A time in the period of 10 March and one beyond it, and when the period begins and ends.
fn period(name: &str) -> (&'static str, Option<&'static str>, Value, Value) {
    let bounds = |from: &str, until: &str| {
        let midnight = |day: &str| json!(format!("{day}T00:00:00+08:00"));
        (midnight(from), midnight(until))
    };
    let (inside, beyond, (from, until)) = match name {
        "day" => (
            "03-10T23:00",
            Some("03-11T00:00"),
            bounds("2026-03-10", "2026-03-11"),
        ),
        "week" => (
            "03-15T23:00",
            Some("03-16T00:00"),
            bounds("2026-03-09", "2026-03-16"),
        ),
        "month" => (
            "03-31T23:00",
            Some("04-01T00:00"),
            bounds("2026-03-01", "2026-04-01"),
        ),
        "year" => (
            "12-31T23:00",
            Some("12-31T24:00"),
            bounds("2026-01-01", "2027-01-01"),
        ),
        _ => ("12-31T23:00", None, (json!(NOW), Value::Null)),
    };
    (inside, beyond, from, until)
}

/// A booking of half an hour from that time on.
fn half_an_hour(client: &Client, sem: InstrumentId, from: &str) -> Answer {
    let (day, time) = from.split_once('T').unwrap();
    let hour: u32 = time[..2].parse().unwrap();
    let (year, day, hour) = match (day, hour) {
        ("12-31", 24) => (2027, "01-01", 0),
        (day, hour) => (2026, day, hour),
    };
    let on = |minutes: u32| format!("{year}-{day}T{hour:02}:{minutes:02}:00+08:00");
    let mut body = wish(sem, "03-10T10:00", "03-10T11:00");
    (body["starts_at"], body["ends_at"]) = (json!(on(0)), json!(on(30)));
    let checked = client
        .post("/api/v1/bookings/check", &body)
        .expect_status(200);
    let answer = client.post(BOOKINGS, &body);
    assert_eq!(
        checked["bookable"],
        answer.status == 201,
        "{} {}",
        checked.text(),
        answer.text()
    );
    answer
}

both! {
    fn every_quota_counts_whose_where_and_when_it_says(app: &TestApp) {
        let (boss, engineer, stranger) = (app.as_company(), app.as_person(ENGINEER), app.as_stranger());
        let other = given::instrument(app).rules(json!({"horizon_days": 400})).insert();
        for over in ["instrument", "host"] {
            for per in ["person", "organization"] {
                for name in ["day", "week", "month", "year", "ahead"] {
                    let context = format!("{per} {name} {over}");
                    let quota = json!({"per": per, "period": name, "over": over, "max_bookings": 1});
                    let sem = limited(app, quota);
                    let (inside, beyond, from, until) = period(name);
                    let mut made = Vec::new();
                    let mut keep = |client: &Client, answer: Answer| {
                        made.push((client.clone(), answer.expect_status(201).id()));
                    };
                    // On another instrument of the host, it counts only where the quota is over the host.
                    keep(&boss, half_an_hour(&boss, other, "03-10T10:00"));
                    if over == "instrument" {
                        keep(&boss, half_an_hour(&boss, sem, "03-10T10:00"));
                    }
                    let refused = half_an_hour(&boss, sem, inside).expect_code(422, "quota_exceeded");
                    let fault = &refused["errors"][0];
                    assert_eq!((&fault["rule"], &fault["limit"], &fault["actual"]), (&json!("quota_exceeded"), &json!(1), &json!(2)), "{context}");
                    assert_eq!((&fault["period_from"], &fault["period_until"]), (&from, &until), "{context}");
                    if let Some(beyond) = beyond {
                        keep(&boss, half_an_hour(&boss, sem, beyond));
                    }
                    let colleagues = half_an_hour(&engineer, sem, inside);
                    match per {
                        "person" => keep(&engineer, colleagues),
                        _ => assert_eq!(colleagues["code"], "quota_exceeded", "{context}"),
                    }
                    keep(&stranger, half_an_hour(&stranger, sem, "03-10T22:00"));
                    for (client, id) in made {
                        cancel(&client, id);
                    }
                    // What was cancelled does not count.
                    let again = half_an_hour(&boss, sem, inside).expect_status(201);
                    cancel(&boss, again.id());
                }
            }
        }
    }

    fn minutes_and_modes_count_and_a_move_does_not_count_itself(app: &TestApp) {
        let boss = app.as_company();
        let quota = json!({"per": "person", "period": "day", "max_minutes": 90, "modes": ["self_operated"]});
        let sem = limited(app, quota);
        book(&boss, sem, "03-10T00:00", "03-10T00:31").expect_status(201);
        let refused = book(&boss, sem, "03-10T00:31", "03-10T01:31").expect_code(422, "quota_exceeded");
        assert_eq!((&refused["errors"][0]["limit"], &refused["errors"][0]["actual"]), (&json!(90), &json!(91)));
        let mine = book(&boss, sem, "03-10T00:31", "03-10T01:30").expect_status(201).id();
        let to = |from: &str, until: &str| json!({"starts_at": at(from), "ends_at": at(until)});
        action(&boss, mine, "reschedule", to("03-10T05:00", "03-10T05:59")).expect_status(200);
        action(&boss, mine, "reschedule", to("03-10T05:00", "03-10T06:00")).expect_code(422, "quota_exceeded");
        // Minutes are split at midnight.
        action(&boss, mine, "reschedule", to("03-10T23:01", "03-11T01:30")).expect_status(200);
        action(&boss, mine, "reschedule", to("03-10T23:00", "03-11T01:30")).expect_code(422, "quota_exceeded");
        let mut guided = wish(sem, "03-10T10:00", "03-10T20:00");
        guided["mode"] = json!("guided");
        boss.post(BOOKINGS, guided).expect_status(201);
    }

    fn what_was_missed_or_used_counts_and_requests_do_too(app: &TestApp) {
        let (boss, host) = (app.as_company(), app.as_host());
        let rules = json!({"approval": "manual", "quotas": [{"per": "organization", "period": "day", "max_bookings": 2}]});
        let sem = given::instrument(app).rules(rules).insert();
        let mut ids = Vec::new();
        for (from, until) in [("03-02T10:00", "03-02T11:00"), ("03-02T12:00", "03-02T13:00")] {
            ids.push(book(&boss, sem, from, until).expect_status(201).id());
        }
        book(&boss, sem, "03-02T20:00", "03-02T21:00").expect_code(422, "quota_exceeded");
        for id in &ids {
            let seen = boss.get(&format!("{BOOKINGS}/{id}"));
            let request = host.request(ureq::http::Method::POST, &format!("{BOOKINGS}/{id}/approve"));
            request.header("If-Match", seen.etag()).json(json!({})).send().expect_status(200);
        }
        app.advance(100);
        action(&host, ids[0], "no-show", json!({})).expect_status(200);
        app.advance(100);
        action(&host, ids[1], "start", json!({})).expect_status(200);
        app.advance(10);
        action(&host, ids[1], "finish", json!({})).expect_status(200);
        book(&boss, sem, "03-02T20:00", "03-02T21:00").expect_code(422, "quota_exceeded");
        book(&boss, sem, "03-03T20:00", "03-03T21:00").expect_status(201);
    }

    fn a_lowered_quota_is_told_of_the_later_bookings_and_refuses_no_approval_of_the_earlier(app: &TestApp) {
        let (boss, host) = (app.as_company(), app.as_host());
        let sem = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let first = book(&boss, sem, "03-10T10:00", "03-10T11:00").expect_status(201).id();
        let second = book(&boss, sem, "03-10T12:00", "03-10T13:00").expect_status(201).id();
        let path = format!("/api/v1/instruments/{sem}/booking-rules");
        let put = |change: Value| {
            let present = host.get(&path).expect_status(200);
            let mut rules = present.body.clone();
            for (name, value) in change.as_object().unwrap() {
                rules[name] = value.clone();
            }
            let request = host.request(ureq::http::Method::PUT, &path);
            request.header("If-Match", present.etag()).json(rules).send().expect_status(200)
        };
        let hit = |answer: &Answer| answer["bookings"].as_array().unwrap().iter().map(|hit| (hit["id"].as_i64().unwrap(), hit["codes"].clone())).collect::<Vec<_>>();
        let quotas = json!([{"per": "person", "period": "week", "max_bookings": 1}]);
        assert_eq!(hit(&put(json!({"quotas": quotas}))), [(second, json!(["quota_exceeded"]))]);
        assert_eq!(boss.get(&format!("{BOOKINGS}/{second}"))["problem"], "quota_exceeded");
        let approve = |id: i64| {
            let seen = boss.get(&format!("{BOOKINGS}/{id}"));
            let request = host.request(ureq::http::Method::POST, &format!("{BOOKINGS}/{id}/approve"));
            request.header("If-Match", seen.etag()).json(json!({})).send()
        };
        approve(second).expect_code(422, "quota_exceeded");
        approve(first).expect_status(200);
        // What is no longer broken is no problem any more.
        put(json!({"quotas": []}));
        assert_eq!(boss.get(&format!("{BOOKINGS}/{second}"))["problem"], Value::Null);
        assert_eq!(hit(&put(json!({"gap_minutes": 90}))), [(second, json!(["gap_too_short"]))]);
        put(json!({"gap_minutes": 0}));
        let class = json!({"sme": {"max_minutes": 30, "quotas": quotas}});
        let expected = [(first, json!(["too_long"])), (second, json!(["too_long", "quota_exceeded"]))];
        assert_eq!(hit(&put(json!({"class_rules": class}))), expected);
    }

    fn what_stands_in_the_way_whatever_the_time_is_told_before(app: &TestApp) {
        let boss = app.as_company();
        let quotas = json!([
            {"per": "person", "period": "week", "max_bookings": 1},
            {"per": "organization", "period": "ahead", "max_minutes": 120, "modes": ["guided"]},
        ]);
        let sem = given::instrument(app).rules(json!({"quotas": quotas, "slot_minutes": 30})).insert();
        let ask = |client: &Client, from: &str, until: &str, more: &str| {
            let query = format!("from={}&until={}{more}", at(from), at(until)).replace('+', "%2B");
            client.get(&format!("/api/v1/instruments/{sem}/availability?{query}")).expect_status(200)
        };
        let codes = |answer: &Answer| -> Vec<String> {
            let all = answer["restrictions"].as_array().unwrap().iter();
            all.map(|entry| entry["code"].as_str().unwrap().to_owned()).collect()
        };
        let none: [&str; 0] = [];
        assert_eq!(codes(&ask(&boss, "03-09T00:00", "03-16T00:00", "")), none);
        book(&boss, sem, "03-10T10:00", "03-10T11:00").expect_status(201);
        let week = ask(&boss, "03-09T00:00", "03-16T00:00", "");
        assert_eq!((codes(&week), &week["free"]), (vec!["quota_exceeded".to_owned()], &json!([])));
        assert_eq!(week["restrictions"][0]["period_until"], at("03-16T00:00"));
        let longer = ask(&boss, "03-09T00:00", "03-17T00:00", "");
        let next = json!([{"starts_at": at("03-16T00:00"), "ends_at": at("03-17T00:00")}]);
        assert_eq!((codes(&longer), &longer["free"]), (vec![], &next));
        for (other, free) in [(app.as_person(ENGINEER), 2), (app.as_stranger(), 2), (app.visitor(), 2)] {
            let seen = ask(&other, "03-09T00:00", "03-16T00:00", "");
            assert_eq!((codes(&seen), seen["free"].as_array().unwrap().len()), (vec![], free));
        }
        let mut guided = wish(sem, "03-20T10:00", "03-20T12:00");
        guided["mode"] = json!("guided");
        app.as_person(ENGINEER).post(BOOKINGS, guided).expect_status(201);
        let engineer = app.as_person(ENGINEER);
        assert_eq!(codes(&ask(&engineer, "03-23T00:00", "03-24T00:00", "")), none);
        assert_eq!(codes(&ask(&engineer, "03-23T00:00", "03-24T00:00", "&mode=guided")), ["quota_exceeded"]);
        assert_eq!(codes(&ask(&engineer, "03-23T00:00", "03-24T00:00", "&mode=entrusted")), none);
        let wrong = "from=2026-03-23T00:00:00Z&until=2026-03-24T00:00:00Z&mode=alone";
        boss.get(&format!("/api/v1/instruments/{sem}/availability?{wrong}")).expect_code(400, "invalid_value");
        let internal = given::instrument(app).with(|facts| facts.share_mode = Some(yiqi::domain::exemption::ShareMode::Internal)).insert();
        let query = "from=2026-03-23T00:00:00Z&until=2026-03-24T00:00:00Z";
        let seen = boss.get(&format!("/api/v1/instruments/{internal}/availability?{query}")).expect_status(200);
        assert_eq!(codes(&seen), ["not_externally_shared"]);
        let visitor = app.visitor().get(&format!("/api/v1/instruments/{internal}/availability?{query}")).expect_status(200);
        assert_eq!(visitor["restrictions"], json!([]));
    }

    fn no_race_exceeds_a_quota_over_a_host(app: &TestApp) {
        for (per, most) in [("person", 2), ("organization", 3)] {
            let quota = json!({"per": per, "period": "day", "over": "host", "max_bookings": most});
            let sems: Vec<_> = (0..6).map(|_| limited(app, quota.clone())).collect();
            let (boss, host) = (app.as_company(), app.as_host());
            let day = if per == "person" { "03-10" } else { "03-12" };
            // One of another day is moved into the day while others are requested there.
            let moving = book(&boss, sems[0], "03-20T10:00", "03-20T11:00").expect_status(201).id();
            let on = |hour: usize| format!("{day}T{hour:02}:00");
            let barrier = std::sync::Barrier::new(12);
            let answers: Vec<Answer> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..12usize).map(|number| {
                    let (boss, host, barrier, sems) = (&boss, &host, &barrier, &sems);
                    scope.spawn(move || {
                        barrier.wait();
                        let (from, until) = (on(number + 8), on(number + 9));
                        match number {
                            0 => action(boss, moving, "reschedule", json!({"starts_at": at(&from), "ends_at": at(&until)})),
                            1 => book(host, sems[1], &from, &until),
                            _ => book(boss, sems[number % 6], &from, &until),
                        }
                    })
                }).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(answers[1].status, 201);
            let won = answers.iter().filter(|answer| matches!(answer.status, 200 | 201)).count();
            assert_eq!(won, most + 1, "{per}");
            for lost in answers.iter().filter(|answer| !matches!(answer.status, 200 | 201)) {
                assert_eq!((lost.status, lost["code"].as_str()), (422, Some("quota_exceeded")), "{}", lost.text());
            }
        }
    }
}
