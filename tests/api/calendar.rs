//! Calendars to subscribe to: what they show to whom, how long, under which stable names, and that a token opens nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const TOKENS: &str = "/api/v1/calendar-tokens";

type Event = BTreeMap<String, String>;

/// The events of a calendar by their names, as RFC 5545 writes them.
#[track_caller]
fn events(answer: &Answer) -> BTreeMap<String, Event> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        Some("text/calendar; charset=utf-8")
    );
    let text = answer.text();
    assert!(
        text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"),
        "{text}"
    );
    for line in text.split("\r\n") {
        assert!(line.len() <= 75 && !line.contains('\n'), "{line:?}");
    }
    for line in [
        "VERSION:2.0",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line}");
    }
    assert!(!text.contains("RRULE"));
    let (mut events, mut present) = (BTreeMap::new(), None);
    for line in text.replace("\r\n ", "").lines() {
        let (name, value) = line.split_once(':').unwrap();
        match (name, value) {
            ("BEGIN", "VEVENT") => present = Some(Event::new()),
            ("END", "VEVENT") => {
                let event: Event = present.take().unwrap();
                assert!(events.insert(event["UID"].clone(), event).is_none());
            }
            _ => {
                if let Some(event) = &mut present {
                    event.insert(name.to_owned(), value.to_owned());
                }
            }
        }
    }
    events
}

fn wish(instrument: impl serde::Serialize, from: &str, until: &str) -> Value {
    json!({
        "instrument_id": instrument, "mode": "self_operated", "purpose": "research",
        "starts_at": format!("2026-03-03T{from}:00+08:00"), "ends_at": format!("2026-03-03T{until}:00+08:00"),
    })
}

fn book(client: &Client, instrument: impl serde::Serialize, from: &str, until: &str) -> i64 {
    let wish = wish(instrument, from, until);
    client
        .post("/api/v1/bookings", wish)
        .expect_status(201)
        .id()
}

/// A token's address, from the first slash.
fn token(client: &Client, kind: &str) -> (i64, String) {
    let made = client
        .post(TOKENS, json!({"name": "手机", "kind": kind}))
        .expect_status(201);
    let url = made["url"].as_str().unwrap();
    let (_, path) = url.split_once("/api/").unwrap();
    assert!(url.starts_with("http"), "{url}");
    (made.id(), format!("/api/{path}"))
}

fn said(event: &Event, names: [&str; 4]) -> [String; 4] {
    names.map(|name| event[name].clone())
}

both! {
    fn an_instrument_is_busy_and_closed_and_nobody_learns_by_whom(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let (company, host, visitor) = (app.as_company(), app.as_host(), app.visitor());
        let path = format!("/api/v1/instruments/{sem}/calendar.ics");
        let asked = book(&company, sem, "10:00", "11:00");
        let dropped = book(&company, sem, "12:00", "13:00");
        company.post(&format!("/api/v1/bookings/{dropped}/cancel"), json!({})).expect_status(200);
        let closure = json!({"starts_at": "2026-03-04T08:00:00+08:00", "kind": "fault", "public_reason": "等待,配件;\n勿扰"});
        let closed = host.post(&format!("/api/v1/instruments/{sem}/closures"), closure).expect_status(201).id();
        let mut kept = wish(sem, "16:00", "17:00");
        kept["hold"] = json!(true);
        let kept = company.post("/api/v1/bookings", kept).expect_status(201).id();
        let first = visitor.get(&path);
        let found = events(&first);
        let uid = |noun: &str, id: i64| found.keys().find(|uid| uid.starts_with(&format!("{noun}-{id}@"))).unwrap().clone();
        assert_eq!(found.len(), 4);
        let names = ["STATUS", "DTSTART", "DTEND", "SUMMARY"];
        assert_eq!(said(&found[&uid("booking", asked)], names), ["TENTATIVE", "20260303T020000Z", "20260303T030000Z", "Busy"]);
        assert_eq!(found[&uid("booking", dropped)]["STATUS"], "CANCELLED");
        assert_eq!(found[&uid("booking", kept)]["STATUS"], "TENTATIVE");
        let fault = &found[&uid("closure", closed)];
        assert_eq!((fault["SUMMARY"].as_str(), fault["DESCRIPTION"].as_str()), ("Closed: fault", "等待\\,配件\\;\\n勿扰"));
        assert_eq!((fault["DTSTART"].as_str(), fault["DTEND"].as_str()), ("20260304T000000Z", "20260530T160000Z"));
        for secret in [COMPANY, "B2026", "self_operated", "research"] {
            assert!(!first.text().contains(secret), "{secret}");
        }

        // Unchanged it is not sent again; what programs add to an address is not looked at.
        let again = visitor.request(Method::GET, &format!("{path}?nocache=1&x")).header("If-None-Match", first.etag()).send();
        assert_eq!((again.status, again.text()), (304, String::new()));
        assert!(visitor.in_language("zh-CN").get(&path).text().contains("SUMMARY:占用"));

        // Its name stays, its number grows with time and state.
        let number = |event: &Event| event["SEQUENCE"].parse::<i64>().unwrap();
        let mut last = number(&found[&uid("booking", asked)]);
        let mut is_newer = |status: &str, starts: &str| {
            let now = events(&visitor.get(&path));
            let event = &now[&uid("booking", asked)];
            assert_eq!((event["STATUS"].as_str(), event["DTSTART"].as_str()), (status, starts));
            assert!(number(event) > last, "{event:?}");
            last = number(event);
        };
        let at = |verb: &str| format!("/api/v1/bookings/{asked}/{verb}");
        let moved = json!({"starts_at": "2026-03-03T14:00:00+08:00", "ends_at": "2026-03-03T15:00:00+08:00"});
        company.post(&at("reschedule"), moved).expect_status(200);
        is_newer("TENTATIVE", "20260303T060000Z");
        let version = company.get(&at("")[..at("").len() - 1]).etag().to_owned();
        host.request(Method::POST, &at("approve")).header("If-Match", &version).json(json!({})).send().expect_status(200);
        is_newer("CONFIRMED", "20260303T060000Z");
        company.post(&at("cancel"), json!({})).expect_status(200);
        is_newer("CANCELLED", "20260303T060000Z");

        // A closure without an end is shown as far ahead as anybody may book: each day it is another one.
        let closed_until = |since: i64| {
            let now = events(&visitor.get(&path));
            let event = now[&uid("closure", closed)].clone();
            assert!(number(&event) > since, "{event:?}");
            (number(&event), event["DTEND"].clone())
        };
        let (first, until) = closed_until(0);
        assert_eq!(until, "20260530T160000Z");
        app.advance(24 * 60);
        let (second, until) = closed_until(first);
        assert_eq!(until, "20260531T160000Z");
        let end = json!({"ends_at": "2026-03-05T08:00:00+08:00"});
        host.request(Method::PATCH, &format!("/api/v1/closures/{closed}")).header("If-Match", "*").json(end).send().expect_status(200);
        assert_eq!(closed_until(second).1, "20260305T000000Z");
        app.advance(33 * 24 * 60);
        assert_eq!(events(&visitor.get(&path)).len(), 0);
        let hidden = given::instrument(app).in_state(yiqi::domain::instrument::InstrumentState::Draft).insert();
        visitor.get(&format!("/api/v1/instruments/{hidden}/calendar.ics")).expect_code(404, "not_found");
    }

    fn a_token_shows_what_its_person_reads_and_opens_nothing_else(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (engineer, boss, stranger, host) = (app.as_person(ENGINEER), app.as_company(), app.as_stranger(), app.as_host());
        let mine = book(&engineer, sem, "10:00", "11:00");
        let theirs = book(&boss, sem, "11:00", "12:00");
        let mut named = wish(sem, "13:00", "14:00");
        named["operator"] = json!({"user_id": app.user_id(ENGINEER)});
        let named = boss.post("/api/v1/bookings", named).expect_status(201).id();
        let others = book(&stranger, sem, "12:00", "13:00");
        let visitor = app.visitor();
        let shown = |path: &str| -> Vec<i64> {
            let found = events(&visitor.get(path));
            let ids = found.keys().map(|uid| uid.strip_prefix("booking-").unwrap().split('@').next().unwrap().parse().unwrap());
            let mut ids: Vec<i64> = ids.collect();
            ids.sort_unstable();
            ids
        };
        let (id, own) = token(&engineer, "own");
        assert_eq!(shown(&own), [mine, named], "booked, and named as who runs it");
        assert_eq!(shown(&token(&boss, "own").1), [theirs, named]);
        assert_eq!(shown(&token(&boss, "unit").1), [mine, theirs, named]);
        assert_eq!(shown(&token(&host, "desk").1), [mine, theirs, named, others]);
        assert_eq!(shown(&token(&engineer, "desk").1), [0_i64; 0]);
        assert_eq!(shown(&token(&app.as_person(MANAGER), "desk").1), [0_i64; 0], "no instrument is assigned");
        let first = visitor.get(&own);
        assert!(first.text().contains("SUMMARY:场发射扫描电子显微镜\r\nDESCRIPTION:Booking B"), "{}", first.text());
        assert!(first.text().contains("LOCATION:实验楼 101") && first.text().contains("X-WR-CALNAME:手机"));
        let again = visitor.request(Method::GET, &format!("{own}?x=1")).header("If-None-Match", first.etag()).send();
        assert_eq!(again.status, 304);

        // Listed without its address; stored as a digest; nobody else's, and no key's.
        let listed = engineer.get(TOKENS).expect_status(200);
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
        assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["url"]), (&json!(id), &Value::Null));
        let secret = own.rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned();
        let sought = secret.clone();
        let kept: i64 = app.read(move |conn| {
            use diesel::prelude::*;
            use yiqi::store::schema::calendar_token::dsl;
            Ok(dsl::calendar_token.filter(dsl::token_hash.eq(sought)).count().get_result(conn)?)
        });
        assert_eq!(kept, 0);
        visitor.with_token(&secret).get("/api/v1/me").expect_status(401);
        boss.delete(&format!("{TOKENS}/{id}")).expect_code(404, "not_found");
        visitor.get(TOKENS).expect_status(401);
        for (body, status, code) in [
            (json!({"kind": "own"}), 400, "missing_field"),
            (json!({"name": " ", "kind": "own"}), 422, "required"),
            (json!({"name": "x", "kind": "all"}), 400, "invalid_value"),
        ] {
            engineer.post(TOKENS, body).expect_code(status, code);
        }

        engineer.delete(&format!("{TOKENS}/{id}")).expect_status(204);
        for gone in [own.as_str(), "/api/v1/calendars/nothing.ics"] {
            let refused = visitor.get(gone).expect_code(404, "not_found");
            assert!(!refused.text().contains(&secret) && !refused.text().contains("nothing"), "{}", refused.text());
        }
        let (_, unit) = token(&engineer, "unit");
        let change = format!("UPDATE user_account SET state = 'suspended' WHERE id = {}", app.user_id(ENGINEER));
        app.write(move |tx| Ok(diesel::RunQueryDsl::execute(diesel::sql_query(change.as_str()), tx)?));
        visitor.get(&unit).expect_code(404, "not_found");
    }

    fn a_person_has_twenty_tokens_at_most(app: &TestApp) {
        let engineer = app.as_person(ENGINEER);
        for _ in 0..20 {
            token(&engineer, "own");
        }
        let refused = engineer.post(TOKENS, json!({"name": "x", "kind": "own"})).expect_code(409, "too_many_keys");
        assert_eq!(refused["limit"], 20);
    }
}
