//! What a change of an instrument does to the bookings that stand: whichever way it is changed, they are named, marked, told
//! and, if so asked, cancelled; and it can be asked before.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const BOOKINGS: &str = "/api/v1/bookings";

fn at(time: &str) -> String {
    format!("2026-03-03T{time}:00+08:00")
}

fn wish(sem: InstrumentId, from: &str, until: &str) -> Value {
    json!({"instrument_id": sem, "starts_at": at(from), "ends_at": at(until), "mode": "guided", "purpose": "research"})
}

/// A booking as it is read.
fn book(client: &Client, sem: InstrumentId, from: &str, until: &str) -> Answer {
    let made = client.post(BOOKINGS, wish(sem, from, until));
    see(client, made.expect_status(201).id())
}

fn see(client: &Client, id: i64) -> Answer {
    client.get(&format!("{BOOKINGS}/{id}")).expect_status(200)
}

fn action(client: &Client, id: i64, name: &str, body: Value) -> Answer {
    client.post(&format!("{BOOKINGS}/{id}/{name}"), body)
}

fn contact() -> Value {
    json!({"name": "仪器平台", "phone": "0312-5000000"})
}

/// With two channels, and all that submission needs.
fn instrument(app: &TestApp) -> InstrumentId {
    let contact = serde_json::from_value(contact()).unwrap();
    let complete = given::instrument(app).with(|facts| facts.public_contact = Some(contact));
    complete.channels(2).insert()
}

fn path(sem: InstrumentId) -> String {
    format!("/api/v1/instruments/{sem}")
}

/// A change of what has a version, read from where it stands.
fn changed(client: &Client, method: Method, path: &str, query: &str, change: &Value) -> Answer {
    let present = client.get(path).expect_status(200);
    let mut body = change.clone();
    if method == Method::PUT {
        body = present.body.clone();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
    }
    let request = client.request(method, &format!("{path}{query}"));
    request.header("If-Match", present.etag()).json(body).send()
}

/// One way of changing an instrument under a booking from ten to twelve o'clock on its second channel.
struct Way {
    name: &'static str,
    code: &'static str,
    /// How many of the two bookings it hits.
    hits: usize,
    change: fn(&TestApp, InstrumentId, &str) -> Answer,
    /// None: nothing leads back.
    undo: Option<fn(&TestApp, InstrumentId)>,
    must_be_said: bool,
}

fn closed(from: &str, until: &str) -> Value {
    json!({"starts_at": at(from), "ends_at": at(until), "kind": "fault", "public_reason": "真空泵故障"})
}

/// The newest closure of an instrument, with its version as a tag.
fn closure(app: &TestApp, sem: InstrumentId) -> Option<(String, String)> {
    let listed = app.as_host().get(&format!("{}/closures", path(sem)));
    let newest = &listed.expect_status(200)["items"][0];
    let id = newest["id"].as_i64()?;
    let tag = format!("\"v{}\"", newest["version"]);
    Some((format!("/api/v1/closures/{id}"), tag))
}

fn reopen(app: &TestApp, sem: InstrumentId) {
    let (one, _) = closure(app, sem).unwrap();
    app.as_host().delete(&one).expect_status(204);
}

/// A closure that hits nobody, made once, is changed to these times.
fn reclose(app: &TestApp, sem: InstrumentId, query: &str, times: (&str, &str)) -> Answer {
    let host = app.as_host();
    if closure(app, sem).is_none() {
        let made = host.post(&format!("{}/closures", path(sem)), closed("01:00", "02:00"));
        assert_eq!(made.expect_status(201)["bookings_count"], 0);
    }
    let (one, tag) = closure(app, sem).unwrap();
    let request = host.request(Method::PATCH, &format!("{one}{query}"));
    let body = json!({"starts_at": at(times.0), "ends_at": at(times.1)});
    request.header("If-Match", &tag).json(body).send()
}

fn says(app: &TestApp, sem: InstrumentId, query: &str, change: Value) -> Answer {
    let mut change = change;
    change["public_contact"] = contact();
    changed(&app.as_host(), Method::PATCH, &path(sem), query, &change)
}

fn rules(app: &TestApp, sem: InstrumentId, query: &str, change: Value) -> Answer {
    let of = format!("{}/booking-rules", path(sem));
    changed(&app.as_host(), Method::PUT, &of, query, &change)
}

fn hours(from: &str, until: &str) -> Value {
    json!({"weekly_hours": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": from, "until": until}]})
}

const WHY: &str = "逾期未检";

fn moved(client: &Client, sem: InstrumentId, verb: &str, query: &str) -> Answer {
    let body = match verb {
        "submit" | "approve" | "resume" => json!({}),
        _ => json!({"reason": WHY}),
    };
    client.post(&format!("{}/{verb}{query}", path(sem)), body)
}

fn ways() -> Vec<Way> {
    let way = |name, code, change, undo| Way {
        name,
        code,
        hits: 2,
        change,
        undo,
        must_be_said: false,
    };
    let closed_code = "closed_for_maintenance";
    vec![
        way(
            "a closure",
            closed_code,
            |app, sem, query| {
                let of = format!("{}/closures{query}", path(sem));
                app.as_host().post(&of, closed("08:00", "11:00"))
            },
            Some(reopen),
        ),
        way(
            "a closure of the host",
            closed_code,
            |app, sem, query| {
                let host = app.organization_id(UNIVERSITY);
                let mut body = closed("11:00", "20:00");
                body["instrument_ids"] = json!([sem]);
                app.as_host().post(
                    &format!("/api/v1/organizations/{host}/closures{query}"),
                    body,
                )
            },
            Some(reopen),
        ),
        way(
            "another time of a closure",
            closed_code,
            |app, sem, query| reclose(app, sem, query, ("11:59", "13:00")),
            Some(|app, sem| {
                reclose(app, sem, "", ("12:00", "13:00")).expect_status(200);
            }),
        ),
        way(
            "suspending",
            "instrument_not_bookable",
            |app, sem, query| moved(&app.as_admin(), sem, "suspend", query),
            Some(|app, sem| {
                moved(&app.as_admin(), sem, "resume", "").expect_status(200);
            }),
        ),
        way(
            "returning",
            "instrument_not_bookable",
            |app, sem, query| moved(&app.as_admin(), sem, "return", query),
            Some(|app, sem| {
                moved(&app.as_host(), sem, "submit", "").expect_status(200);
                moved(&app.as_admin(), sem, "approve", "").expect_status(200);
            }),
        ),
        Way {
            must_be_said: true,
            ..way(
                "retiring",
                "instrument_not_bookable",
                |app, sem, query| moved(&app.as_host(), sem, "retire", query),
                None,
            )
        },
        Way {
            must_be_said: true,
            hits: 1,
            ..way(
                "fewer channels",
                "channel_withdrawn",
                |app, sem, query| says(app, sem, query, json!({"channels": 1})),
                Some(|app, sem| {
                    says(app, sem, "", json!({"channels": 2})).expect_status(200);
                }),
            )
        },
        way(
            "sharing no more",
            "not_externally_shared",
            |app, sem, query| says(app, sem, query, json!({"share_mode": "internal"})),
            Some(|app, sem| {
                says(app, sem, "", json!({"share_mode": "external"})).expect_status(200);
            }),
        ),
        way(
            "other hours",
            "outside_opening_hours",
            |app, sem, query| rules(app, sem, query, hours("08:00", "11:00")),
            Some(|app, sem| {
                rules(app, sem, "", hours("08:00", "12:00")).expect_status(200);
            }),
        ),
        way(
            "other modes",
            "mode_not_offered",
            |app, sem, query| rules(app, sem, query, json!({"modes": ["entrusted"]})),
            Some(|app, sem| {
                rules(app, sem, "", json!({"modes": ["entrusted", "guided"]})).expect_status(200);
            }),
        ),
        way(
            "another length",
            "too_long",
            |app, sem, query| rules(app, sem, query, json!({"max_minutes": 60})),
            Some(|app, sem| {
                rules(app, sem, "", json!({"max_minutes": 120})).expect_status(200);
            }),
        ),
    ]
}

/// The bookings that events of this action tell the company of, oldest first.
fn told(app: &TestApp, action: &str) -> Vec<i64> {
    app.settle();
    let client = app.as_company();
    let all = client.get(&format!("/api/v1/events?action={action}&limit=200"));
    let all = all.expect_status(200);
    let items = all["items"].as_array().unwrap();
    let ids = items
        .iter()
        .map(|event| event["subject_id"].as_i64().unwrap());
    ids.collect()
}

fn events(app: &TestApp) -> usize {
    app.settle();
    let all = app.as_admin().get("/api/v1/events?limit=200");
    all.expect_status(200)["items"].as_array().unwrap().len()
}

/// A stranger's booking on the first channel, and the company's on the second.
fn two(app: &TestApp, sem: InstrumentId) -> (i64, Answer) {
    let other = book(&app.as_stranger(), sem, "10:00", "12:00").id();
    let mine = book(&app.as_company(), sem, "10:00", "12:00");
    assert_eq!(mine["channel"], 2);
    (other, mine)
}

/// What an answer or a refusal says of the bookings that are hit.
fn assert_named(answer: &Answer, way: &Way, mine: &Answer) {
    let named = answer["bookings"].as_array().unwrap();
    assert_eq!(
        (named.len(), &answer["bookings_count"]),
        (way.hits, &json!(way.hits)),
        "{}",
        way.name
    );
    let own = named.iter().find(|one| one["id"] == mine.id());
    let own = own.unwrap_or_else(|| panic!("{} names others: {named:?}", way.name));
    assert_eq!(own["codes"], json!([way.code]), "{}", way.name);
    for name in [
        "booking_no",
        "instrument_id",
        "organization_id",
        "starts_at",
        "ends_at",
    ] {
        assert_eq!(own[name], mine[name], "{}", way.name);
    }
}

both! {
    fn a_change_is_told_before_it_is_made_and_nothing_is_kept_of_that(app: &TestApp) {
        for way in ways() {
            let sem = instrument(app);
            let (_, mine) = two(app, sem);
            if way.name == "another time of a closure" {
                reclose(app, sem, "", ("01:00", "02:00")).expect_status(200);
            }
            let before = (events(app), app.as_host().get(&path(sem)).body, closure(app, sem));
            for query in ["?dry_run=true", "?dry_run=true&affected=keep", "?dry_run=true&affected=cancel"] {
                let told = (way.change)(app, sem, query).expect_status(200);
                assert_named(&told, &way, &mine);
                let state = if query.ends_with("cancel") { "cancelled" } else { "confirmed" };
                assert_eq!(told["bookings"][0]["state"], state, "{}", way.name);
                assert_eq!((told.header("etag"), told.header("location")), (None, None), "{}", way.name);
            }
            let after = (events(app), app.as_host().get(&path(sem)).body, closure(app, sem));
            assert_eq!(before, after, "{}", way.name);
            assert_eq!(see(&app.as_company(), mine.id()).body, mine.body, "{}", way.name);
            for query in ["?affected=drop", "?dry_run=perhaps", "?affected=keep&affected=cancel"] {
                (way.change)(app, sem, query).expect_status(400);
            }
        }
    }

    fn what_a_change_hits_stands_with_a_problem_until_it_is_hit_no_longer(app: &TestApp) {
        let company = app.as_company();
        for way in ways() {
            let sem = instrument(app);
            let (_, mine) = two(app, sem);
            if way.must_be_said {
                let refused = (way.change)(app, sem, "").expect_code(409, "bookings_affected");
                assert_named(&refused, &way, &mine);
                assert_eq!(see(&company, mine.id()).body, mine.body, "{}", way.name);
            }
            app.advance(1);
            let done = (way.change)(app, sem, if way.must_be_said { "?affected=keep" } else { "" });
            assert!(matches!(done.status, 200 | 201), "{}: {:?}", way.name, done.body);
            assert_named(&done, &way, &mine);
            let hit = see(&company, mine.id());
            assert_eq!((&hit["state"], &hit["problem"]), (&json!("confirmed"), &json!(way.code)), "{}", way.name);
            assert_eq!((&hit["version"], &hit["channel"]), (&json!(2), &json!(2)), "{}", way.name);
            assert_ne!(hit["updated_at"], mine["updated_at"], "{}", way.name);
            let listed = company.get(&format!("{BOOKINGS}?instrument_id={sem}")).expect_status(200);
            assert_eq!(listed["items"][0]["problem"], way.code, "{}", way.name);
            assert_eq!(told(app, "booking_affect").last(), Some(&mine.id()), "{}", way.name);

            let Some(undo) = way.undo else { continue };
            undo(app, sem);
            let freed = see(&company, mine.id());
            assert_eq!((&freed["state"], &freed["problem"]), (&json!("confirmed"), &Value::Null), "{}", way.name);
            assert_eq!(freed["version"], 3, "{}", way.name);
            let own = told(app, "booking_affect").into_iter().filter(|id| *id == mine.id());
            assert_eq!(own.count(), 2, "{}", way.name);
        }
    }

    fn a_change_cancels_what_has_not_begun_if_so_asked(app: &TestApp) {
        let (company, stranger) = (app.as_company(), app.as_stranger());
        let all: Vec<_> = ways().into_iter().map(|way| {
            let sem = instrument(app);
            let (other, mine) = two(app, sem);
            (way, sem, other, mine)
        }).collect();
        app.advance(60 * 25 + 10);
        for (way, sem, other, mine) in all {
            action(&app.as_host(), other, "start", json!({})).expect_status(200);
            let done = (way.change)(app, sem, "?affected=cancel");
            assert!(matches!(done.status, 200 | 201), "{}: {:?}", way.name, done.body);
            assert_named(&done, &way, &mine);
            let gone = see(&company, mine.id());
            let how = (gone["state"].as_str(), gone["cancelled_by"].as_str(), gone["reason_code"].as_str());
            assert_eq!(how, (Some("cancelled"), Some("host"), Some("affected")), "{}", way.name);
            assert_eq!(gone["problem"], Value::Null, "{}", way.name);
            let runs = see(&stranger, other);
            let problem = if way.hits == 2 { json!(way.code) } else { Value::Null };
            assert_eq!((&runs["state"], &runs["problem"]), (&json!("in_progress"), &problem), "{}", way.name);
            assert_eq!(told(app, "booking_cancel").last(), Some(&mine.id()), "{}", way.name);
            app.advance(1);
            let done = action(&app.as_host(), other, "finish", json!({})).expect_status(200);
            assert_eq!((&done["state"], &done["problem"]), (&json!("completed"), &Value::Null), "{}", way.name);
        }
    }

    fn whoever_booked_an_instrument_goes_on_reading_it(app: &TestApp) {
        let reads = ["", "/booking-rules", "/closures", "/services", "/tariffs", "/availability?from=2026-03-03T00:00:00%2B08:00&until=2026-03-04T00:00:00%2B08:00"];
        let (company, host) = (app.as_company(), app.as_host());
        for verb in ["suspend", "return", "retire"] {
            let sem = instrument(app);
            book(&company, sem, "10:00", "12:00");
            let client = if verb == "retire" { &host } else { &app.as_admin() };
            moved(client, sem, verb, "?affected=keep").expect_status(200);
            for read in reads {
                let of = format!("{}{read}", path(sem));
                for reader in [&company, &app.as_person(ENGINEER)] {
                    reader.get(&of).expect_status(200);
                }
                app.as_stranger().get(&of).expect_code(404, "not_found");
                app.visitor().get(&of).expect_code(404, "not_found");
            }
            let seen = company.get(&path(sem)).expect_status(200);
            assert_eq!((&seen["state_reason"], &seen["manager_ids"]), (&json!(WHY), &Value::Null));
            company.post(BOOKINGS, wish(sem, "14:00", "15:00")).expect_code(422, "instrument_not_bookable");
        }
    }

    fn those_on_a_channel_that_is_offered_no_more_keep_it_to_themselves(app: &TestApp) {
        let (host, company, stranger) = (app.as_host(), app.as_company(), app.as_stranger());
        let sem = given::instrument(app).channels(3).insert();
        let all = [&company, &stranger, &company].map(|client| book(client, sem, "10:00", "12:00").id());
        book(&stranger, sem, "14:00", "15:00");
        let refused = says(app, sem, "", json!({"channels": 1})).expect_code(409, "bookings_affected");
        assert_eq!(refused["bookings_count"], 2);
        says(app, sem, "?affected=keep", json!({"channels": 1})).expect_status(200);
        // Said already: fewer still hits nobody again.
        let again = says(app, sem, "", json!({"channels": 1, "technical": "同上"})).expect_status(200);
        assert_eq!(again["bookings_count"], 0);
        let problems = all.map(|id| see(&host, id)["problem"].clone());
        assert_eq!(problems, [Value::Null, json!("channel_withdrawn"), json!("channel_withdrawn")]);
        company.post(BOOKINGS, wish(sem, "11:00", "13:00")).expect_code(409, "slot_taken");
        company.post(BOOKINGS, wish(sem, "14:00", "15:00")).expect_code(409, "slot_taken");
        book(&company, sem, "12:00", "13:00");
        let to = |from: &str, until: &str| json!({"starts_at": at(from), "ends_at": at(until)});
        let shorter = action(&stranger, all[1], "reschedule", to("10:00", "11:00")).expect_status(200);
        assert_eq!((&shorter["channel"], &shorter["problem"]), (&json!(2), &json!("channel_withdrawn")));
        let moved = action(&company, all[2], "reschedule", to("16:00", "17:00")).expect_status(200);
        assert_eq!((&moved["channel"], &moved["problem"]), (&json!(1), &Value::Null));
        app.advance(60 * 25);
        for id in [all[0], all[1]] {
            action(&host, id, "start", json!({})).expect_status(200);
        }
        app.advance(30);
        for (id, channel) in [(all[0], 1), (all[1], 2)] {
            let done = action(&host, id, "finish", json!({})).expect_status(200);
            assert_eq!((&done["channel"], &done["problem"]), (&json!(channel), &Value::Null));
        }
    }

    fn rules_never_judge_backwards(app: &TestApp) {
        let (company, sem) = (app.as_company(), instrument(app));
        rules(app, sem, "", json!({"slot_minutes": 60, "min_minutes": 60})).expect_status(200);
        let mine = book(&company, sem, "10:00", "12:00");
        for change in [
            json!({"approval": "manual"}), json!({"lead_minutes": 10_080}), json!({"horizon_days": 7}), json!({"setup_minutes": 60}),
            json!({"cleanup_minutes": 60}), json!({"no_show_after_minutes": 45}),
        ] {
            let replaced = rules(app, sem, "", change.clone()).expect_status(200);
            assert_eq!(replaced["bookings_count"], 0, "{change}");
        }
        assert_eq!(see(&company, mine.id()).body, mine.body);
        // It is hit once, not again by what has nothing to do with it.
        assert_eq!(rules(app, sem, "", json!({"max_minutes": 60})).expect_status(200)["bookings_count"], 1);
        assert_eq!(rules(app, sem, "", json!({"lead_minutes": 0})).expect_status(200)["bookings_count"], 0);
        let hit = see(&company, mine.id());
        assert_eq!((&hit["problem"], &hit["version"]), (&json!("too_long"), &json!(2)));
        let gone = action(&company, mine.id(), "cancel", json!({})).expect_status(200);
        assert_eq!(gone["problem"], Value::Null);
    }

    fn a_second_cause_is_told_and_the_first_one_left_when_it_ends(app: &TestApp) {
        let (company, sem) = (app.as_company(), instrument(app));
        let mine = book(&company, sem, "10:00", "12:00");
        let problem = || see(&company, mine.id())["problem"].clone();
        app.as_host().post(&format!("{}/closures", path(sem)), closed("08:00", "11:00")).expect_status(201);
        assert_eq!(problem(), "closed_for_maintenance");
        moved(&app.as_admin(), sem, "suspend", "").expect_status(200);
        assert_eq!(problem(), "instrument_not_bookable");
        moved(&app.as_admin(), sem, "resume", "").expect_status(200);
        assert_eq!(problem(), "closed_for_maintenance");
        reopen(app, sem);
        assert_eq!(problem(), Value::Null);
    }

    fn a_host_closes_all_its_instruments_at_once(app: &TestApp) {
        let host = app.as_host();
        let of = format!("/api/v1/organizations/{}/closures", app.organization_id(UNIVERSITY));
        let (first, second) = (instrument(app), instrument(app));
        let retired = given::instrument(app).in_state(yiqi::domain::instrument::InstrumentState::Retired).insert();
        let foreign = given::instrument(app).of(OTHER_HOST).insert();
        let mine = book(&app.as_company(), second, "10:00", "12:00");
        let closure = closed("08:00", "18:00");
        for client in [app.as_company(), app.as_person(MANAGER), app.as_person(OTHER_HOST_ADMIN), app.as_admin()] {
            client.post(&of, &closure).expect_code(403, "forbidden");
        }
        let mut wrong = closure.clone();
        wrong["ends_at"] = wrong["starts_at"].clone();
        wrong["instrument_ids"] = json!([first, foreign, retired, first]);
        let refused = host.post(&of, &wrong).expect_status(422);
        let told: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|error| (&error["field"], &error["code"])).collect();
        assert_eq!(told, [
            (&json!("ends_at"), &json!("not_after_start")), (&json!("instrument_ids[1]"), &json!("unknown_reference")),
            (&json!("instrument_ids[2]"), &json!("unknown_reference")), (&json!("instrument_ids[3]"), &json!("duplicate")),
        ]);
        let made = host.request(Method::POST, &of).header("Idempotency-Key", "closing-day").json(&closure).send().expect_status(201);
        let of_items: Vec<_> = made["items"].as_array().unwrap().iter().map(|one| one["instrument_id"].clone()).collect();
        assert_eq!(of_items, [json!(first), json!(second)]);
        assert_eq!((&made["bookings_count"], &made["bookings"][0]["id"]), (&json!(1), &json!(mine.id())));
        for sem in [first, second] {
            let listed = app.visitor().get(&format!("{}/closures", path(sem))).expect_status(200);
            assert_eq!(listed["items"].as_array().unwrap().len(), 1);
        }
        let again = host.request(Method::POST, &of).header("Idempotency-Key", "closing-day").json(&closure).send().expect_status(201);
        assert_eq!(again.body, made.body);
    }

    fn a_table_takes_no_channel_from_a_booking_and_tells_of_the_rest(app: &TestApp) {
        let (host, company) = (app.as_host(), app.as_company());
        let sem = instrument(app);
        let asset_no = host.get(&path(sem)).expect_status(200)["asset_no"].as_str().unwrap().to_owned();
        let (_, mine) = two(app, sem);
        let import = |column: &str, value: &str, query: &str| {
            let table = format!("asset_no,{column}\n{asset_no},{value}\n");
            let of = format!("/api/v1/instruments/import?mode=upsert{query}");
            host.request(Method::POST, &of).bytes("text/csv", table).send()
        };
        for query in ["", "&dry_run=true"] {
            let refused = import("channels", "1", query).expect_code(409, "bookings_affected");
            let error = &refused["errors"][0];
            assert_eq!((&error["row"], &error["column"], &error["actual"]), (&json!(2), &json!("channels"), &json!(1)));
        }
        import("share_mode", "internal", "&dry_run=true").expect_status(200);
        assert_eq!(see(&company, mine.id()).body, mine.body);
        import("share_mode", "internal", "").expect_status(200);
        assert_eq!(see(&company, mine.id())["problem"], "not_externally_shared");
        assert_eq!(told(app, "booking_affect").last(), Some(&mine.id()));
        import("share_mode", "external", "").expect_status(200);
        assert_eq!(see(&company, mine.id())["problem"], Value::Null);
    }

    fn a_suspended_host_marks_what_was_booked_there(app: &TestApp) {
        let company = app.as_company();
        let (sem, other) = (instrument(app), given::instrument(app).of(OTHER_HOST).insert());
        let (mine, apart) = (book(&company, sem, "10:00", "12:00"), book(&company, other, "13:00", "14:00"));
        let of = format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY));
        app.as_admin().post(&format!("{of}/suspend"), json!({"reason": WHY})).expect_status(200);
        assert_eq!(see(&company, mine.id())["problem"], "instrument_not_bookable");
        assert_eq!(told(app, "booking_affect"), [mine.id()]);
        app.as_admin().post(&format!("{of}/resume"), json!({})).expect_status(200);
        assert_eq!(see(&company, mine.id())["problem"], Value::Null);
        assert_eq!(see(&company, apart.id()).body, apart.body);
    }

    fn a_dry_run_uses_no_idempotency_key(app: &TestApp) {
        let sem = instrument(app);
        let of = format!("{}/closures", path(sem));
        let host = app.as_host();
        let send = |query: &str| {
            let request = host.request(Method::POST, &format!("{of}{query}"));
            request.header("Idempotency-Key", "once").json(closed("08:00", "11:00")).send()
        };
        for _ in 0..2 {
            assert_eq!(send("?dry_run=true").expect_status(200).header("idempotency-replayed"), None);
        }
        send("").expect_status(201);
        assert_eq!(send("").expect_status(201).header("idempotency-replayed"), Some("true"));
    }
}
