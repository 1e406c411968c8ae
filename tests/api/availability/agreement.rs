//! What is told before, what is told when asked, and what becomes of a request are the same: over rules, times and callers.

use serde_json::{Value, json};
use yiqi::domain::Instant;
use yiqi::domain::exemption::ShareMode;
use yiqi::domain::instrument::InstrumentState;

use super::*;
use crate::client::{Answer, Client};
use crate::world::*;

const BOOKINGS: &str = "/api/v1/bookings";
const CHECK: &str = "/api/v1/bookings/check";
const DAY_MINUTES: i64 = 1440;

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

/// So many minutes after midnight of the day on which every test begins.
fn minute(minutes: i64) -> Instant {
    let midnight: Instant = "2026-03-02T00:00:00+08:00".parse().unwrap();
    midnight.plus(yiqi::domain::Minutes::new(minutes))
}

fn wish(instrument: impl serde::Serialize, (from, until): (Instant, Instant)) -> Value {
    json!({
        "instrument_id": instrument, "starts_at": from, "ends_at": until,
        "mode": "self_operated", "purpose": "research",
    })
}

/// The free times of ten days.
fn free(client: &Client, instrument: impl std::fmt::Display) -> Vec<(Instant, Instant)> {
    let window =
        format!("from={}&until={}", minute(0), minute(10 * DAY_MINUTES)).replace('+', "%2B");
    let path = format!("/api/v1/instruments/{instrument}/availability?{window}");
    let found = client.get(&path).expect_status(200);
    let at = |span: &Value, end: &str| span[end].as_str().unwrap().parse().unwrap();
    let spans = found["free"].as_array().unwrap().iter();
    spans
        .map(|span| (at(span, "starts_at"), at(span, "ends_at")))
        .collect()
}

/// Rules of one instrument, and the numbers of them that its slots are made from.
struct Case {
    rules: Value,
    channels: i64,
    grid: i64,
    lengths: (i64, i64),
    horizon: i64,
    setup: i64,
}

/// Some quotas of a class or of all.
fn quotas(numbers: &mut Numbers, min: i64) -> Value {
    let one = |numbers: &mut Numbers| {
        let period = numbers.of(&["day", "day", "week", "month", "year", "ahead"]);
        let mut quota = json!({
            "per": numbers.of(&["person", "organization"]), "period": period,
            "over": numbers.of(&["instrument", "instrument", "host"]),
        });
        if numbers.of(&[true, false]) {
            quota["max_bookings"] = json!(numbers.of(&[2, 4, 9]));
        } else {
            quota["max_minutes"] = json!(min * numbers.of(&[3, 8, 20]));
        }
        quota
    };
    let mut all: Vec<Value> = (0..numbers.of(&[0, 0, 1, 2]))
        .map(|_| one(numbers))
        .collect();
    all.dedup_by_key(|quota| {
        (
            quota["per"].clone(),
            quota["period"].clone(),
            quota["over"].clone(),
        )
    });
    json!(all)
}

/// Whether what is left of a quota may be enough for a short booking and not for a long one.
fn counts_minutes(rules: &Value) -> bool {
    let all = [
        &rules["quotas"],
        &rules["class_rules"]["enterprise"]["quotas"],
    ];
    all.iter()
        .any(|quotas| quotas.to_string().contains("max_minutes"))
}

fn case(numbers: &mut Numbers) -> Case {
    let grid = numbers.of(&[15, 30, 60]);
    let min = grid * numbers.of(&[1, 2, 3]);
    let max = min + grid * numbers.of(&[0, 2, 6]);
    let (horizon, setup) = (numbers.of(&[1, 2, 4]), numbers.of(&[0, 10, 30]));
    let weekdays = json!([1, 2, 3, 4, 5, 6, 7]);
    let (from, until) = numbers.of(&[
        ("00:00", "24:00"),
        ("00:00", "24:00"),
        ("09:00", "18:00"),
        ("20:10", "03:50"),
    ]);
    let rules = json!({
        "approval": numbers.of(&["automatic", "manual"]),
        "weekly_hours": [{"weekdays": weekdays, "from": from, "until": until}],
        "slot_minutes": grid, "min_minutes": min, "max_minutes": max,
        "lead_minutes": numbers.of(&[0, 0, 0, 25, 180, 1000]), "horizon_days": horizon,
        "setup_minutes": setup, "cleanup_minutes": numbers.of(&[0, 0, 20]),
        "gap_minutes": numbers.of(&[0, 0, 0, 45, 600]),
        "quotas": quotas(numbers, min),
        "class_rules": {
            "enterprise": {"lead_minutes": numbers.of(&[0, 0, 300]), "quotas": quotas(numbers, min)},
            "sme": {"lead_minutes": numbers.of(&[0, 0, 300])},
        },
    });
    Case {
        rules,
        channels: numbers.of(&[1, 1, 2]),
        grid,
        lengths: (min, max),
        horizon,
        setup,
    }
}

/// A slot near what the rules allow: mostly on the grid, at times too short, too long, too early or too late.
fn slot(numbers: &mut Numbers, case: &Case) -> (i64, i64) {
    let days = usize::try_from((case.horizon + 1) * DAY_MINUTES / case.grid).unwrap();
    let off = numbers.of(&[0, 0, 0, 0, 0, 0, 0, 5]);
    let from = i64::try_from(numbers.below(days)).unwrap() * case.grid + 8 * 60 + off;
    let steps = (case.lengths.1 - case.lengths.0) / case.grid + 3;
    let step = i64::try_from(numbers.below(usize::try_from(steps).unwrap())).unwrap();
    let length = (case.lengths.0 + (step - 1) * case.grid).max(case.grid);
    (from, from + length)
}

fn codes(answer: &Answer) -> Vec<String> {
    let errors = answer["errors"].as_array().into_iter().flatten();
    let mut codes: Vec<String> = errors
        .map(|error| error["code"].as_str().unwrap().to_owned())
        .collect();
    codes.extend(answer["code"].as_str().map(str::to_owned));
    codes
}

fn set_state(app: &TestApp, uscc: &'static str, state: &'static str) {
    app.write(move |tx| {
        use diesel::RunQueryDsl;
        let update = format!("UPDATE organization SET state = '{state}' WHERE uscc = '{uscc}'");
        diesel::sql_query(update)
            .execute(tx)
            .map_err(yiqi::store::StoreError::from)?;
        Ok(())
    });
}

both! {
    fn what_is_free_can_be_booked_and_what_is_checked_is_what_happens(app: &TestApp) {
        let (mut numbers, mut booked, mut refused, mut told) = (Numbers(7), 0, 0, 0);
        let (company, stranger, host) = (app.as_company(), app.as_stranger(), app.as_host());
        for _ in 0..14 {
            let case = case(&mut numbers);
            let sem = given::instrument(app).channels(case.channels).rules(case.rules.clone()).insert();
            let (from, length) = (1200 + 15 * numbers.below(400), 7 + numbers.below(300));
            let (from, length) = (i64::try_from(from).unwrap(), i64::try_from(length).unwrap());
            let closure = json!({
                "starts_at": minute(from), "ends_at": numbers.of(&[Some(minute(from + length)), Some(minute(from + length)), None]), "kind": "fault",
            });
            host.post(&format!("/api/v1/instruments/{sem}/closures"), closure).expect_status(201);
            for _ in 0..16 {
                let (from, until) = slot(&mut numbers, &case);
                let length = until - from;
                let (starts_at, ends_at) = (minute(from), minute(until));
                let asking = numbers.of(&[&company, &company, &stranger]);
                let is_free = free(asking, sem).iter().any(|span| span.0 <= starts_at && ends_at <= span.1);
                let wish = wish(sem, (starts_at, ends_at));
                let checked = asking.post(CHECK, &wish).expect_status(200);
                let answer = asking.post(BOOKINGS, &wish);
                let is_booked = answer.status == 201;
                let context = format!("{starts_at} for {length} by {}: {} {}", case.rules, checked.text(), answer.text());
                assert_eq!(checked["bookable"], is_booked, "{context}");
                let keeps_grid = from % case.grid == 0 && (case.lengths.0..=case.lengths.1).contains(&length);
                assert!(keeps_grid || !is_booked, "{context}");
                // Free times end with the shortest booking that starts at the end of the horizon.
                let last = 9 * 60 + case.horizon * DAY_MINUTES;
                let last = last - last % case.grid + case.lengths.0;
                let is_told = keeps_grid && until <= last && (case.channels == 1 || from >= 9 * 60 + case.setup);
                let is_exact = !counts_minutes(&case.rules);
                if is_told && is_exact {
                    assert_eq!(is_free, is_booked, "{context}");
                }
                let is_short = is_exact || length == case.lengths.0;
                assert!(!(is_free && keeps_grid && is_short) || is_booked, "{context}");
                if !is_booked {
                    let mut said = codes(&answer);
                    said.retain(|code| !codes(&checked).contains(code));
                    assert!(said.is_empty(), "{said:?} not in the check: {context}");
                }
                booked += u32::from(is_booked);
                refused += u32::from(!is_booked);
                told += u32::from(is_told && is_booked);
            }
        }
        assert!(booked >= 10 && refused >= 10 && told >= 8, "{booked} booked, {refused} refused, {told} told");
    }

    fn a_check_says_what_becomes_of_the_callers_own_request(app: &TestApp) {
        let key = json!({"name": "LIMS", "scopes": ["bookings:read", "catalog:read"]});
        let key = app.as_company().post("/api/v1/api-keys", key).expect_status(201);
        let key = app.visitor().with_token(key["secret"].as_str().unwrap());
        let mut clients: Vec<(String, Client)> = PEOPLE
            .iter()
            .map(|person| (person.login.to_owned(), app.as_person(*person)))
            .collect();
        clients.push(("key".to_owned(), key));
        let shared = |mode| given::instrument(app).with(|facts| facts.share_mode = Some(mode)).insert();
        let instruments = [
            shared(ShareMode::External),
            shared(ShareMode::Internal),
            given::instrument(app).in_state(InstrumentState::Suspended).insert(),
            given::instrument(app).in_state(InstrumentState::Retired).insert(),
            given::instrument(app).in_state(InstrumentState::Draft).insert(),
            999_999.try_into().unwrap(),
        ];
        let (mut at, mut booked, mut denied) = (12 * 60, 0, 0);
        for state in ["verified", "pending", "suspended", "refused"] {
            set_state(app, COMPANY, state);
            for (who, client) in &clients {
                for instrument in instruments {
                    at += 60;
                    let wish = wish(instrument, (minute(at), minute(at + 60)));
                    let (checked, answer) = (client.post(CHECK, &wish), client.post(BOOKINGS, &wish));
                    let context = format!("{state} {who} {instrument}: {} {}", checked.text(), answer.text());
                    if checked.status != 200 {
                        assert_eq!((checked.status, codes(&checked)), (answer.status, codes(&answer)), "{context}");
                        continue;
                    }
                    assert_eq!(checked["bookable"], answer.status == 201, "{context}");
                    booked += u32::from(answer.status == 201);
                    if answer.status == 403 {
                        // What forbids it stands first, and no other time is named that it would forbid, too.
                        let is_hidden = codes(&checked) == ["unknown_reference"];
                        assert!(is_hidden || codes(&checked)[0] == codes(&answer)[0], "{context}");
                        assert_eq!(checked["next_free"], json!([]), "{context}");
                        denied += 1;
                    }
                }
            }
        }
        assert!(booked >= 20 && denied >= 20, "{booked} booked, {denied} denied");
    }

    fn an_instrument_of_others_has_no_free_time_for_us(app: &TestApp) {
        let internal = given::instrument(app).with(|facts| facts.share_mode = Some(ShareMode::Internal)).insert();
        for outside in [app.as_company(), app.visitor(), app.as_admin(), app.as_person(OTHER_HOST_ADMIN)] {
            assert_eq!(free(&outside, internal), []);
        }
        for inside in [app.as_host(), app.as_person(RESEARCHER), app.as_person(MANAGER)] {
            assert_eq!(free(&inside, internal), [(minute(9 * 60), minute(10 * DAY_MINUTES))]);
        }
    }

    fn a_use_beyond_its_end_is_busy(app: &TestApp) {
        let sem = given::instrument(app).rules(json!({"setup_minutes": 10, "cleanup_minutes": 20})).insert();
        let (company, host) = (app.as_company(), app.as_host());
        let tomorrow = |time: i64| minute(DAY_MINUTES + time);
        let book = |from: i64, until: i64| company.post(BOOKINGS, wish(sem, (tomorrow(from), tomorrow(until))));
        let first = book(600, 660).expect_status(201).id();
        app.advance(DAY_MINUTES + 60);
        host.post(&format!("{BOOKINGS}/{first}/start"), json!({})).expect_status(200);
        let begins = |now: i64| {
            let spans = free(&company, sem);
            assert!(spans.iter().all(|span| span.0 >= tomorrow(now)));
            spans[0].0
        };
        assert_eq!(begins(600), tomorrow(690));
        // It is 12:00, an hour beyond its end: free when it may have ended, with its clean-up and the set-up of the next.
        app.advance(120);
        assert_eq!(begins(720), tomorrow(780));
        let check = |from: i64| company.post(CHECK, wish(sem, (tomorrow(from), tomorrow(from + 60)))).expect_status(200);
        for (from, is_free) in [(720, false), (750, false), (780, true)] {
            assert_eq!(check(from)["bookable"], is_free, "{from}");
        }
        assert_eq!(check(720)["next_free"][0]["starts_at"], json!(tomorrow(780)));
        book(720, 780).expect_code(409, "slot_taken");
        let next = book(780, 840).expect_status(201).id();
        // The time of the next booking is its own, however long the use before it goes on.
        app.advance(65);
        assert_eq!(host.get(&format!("{BOOKINGS}/{next}")).expect_status(200)["state"], "confirmed");
        assert_eq!(begins(785), tomorrow(870));
        host.post(&format!("{BOOKINGS}/{first}/finish"), json!({})).expect_status(200);
        assert_eq!(begins(785), tomorrow(870));
        // On two channels the other one is free.
        let two = given::instrument(app).channels(2).insert();
        let here = company.post(BOOKINGS, wish(two, (tomorrow(810), tomorrow(840)))).expect_status(201).id();
        app.advance(25);
        host.post(&format!("{BOOKINGS}/{here}/start"), json!({})).expect_status(200);
        app.advance(60);
        assert_eq!(free(&company, two)[0].0, tomorrow(870));
    }

    fn a_closure_until_further_notice_shows_as_open(app: &TestApp) {
        let sem = given::instrument(app).insert();
        for (from, until) in [(600, Some(minute(660))), (720, None)] {
            let closure = json!({"starts_at": minute(DAY_MINUTES + from), "ends_at": until.map(|_| minute(DAY_MINUTES + 660)), "kind": "fault"});
            app.as_host().post(&format!("/api/v1/instruments/{sem}/closures"), closure).expect_status(201);
        }
        let window = format!("from={}&until={}", minute(0), minute(5 * DAY_MINUTES)).replace('+', "%2B");
        let found = app.visitor().get(&format!("/api/v1/instruments/{sem}/availability?{window}")).expect_status(200);
        let ends: Vec<&Value> = found["closed"].as_array().unwrap().iter().map(|closed| &closed["ends_at"]).collect();
        assert_eq!(ends, [&json!(minute(DAY_MINUTES + 660)), &Value::Null]);
        assert_eq!(free(&app.visitor(), sem).last().unwrap().1, minute(DAY_MINUTES + 720));
    }
}
