//! Hours: typed, imported, confirmed, disputed, corrected and voided, and what the other side may do about it.

use diesel::prelude::*;
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::access::Role;
use yiqi::domain::policy::IncomeBy;
use yiqi::domain::run::RunState;
use yiqi::domain::{Fen, InstrumentId, UserId};
use yiqi::operations::policy::{self, install_shipped};
use yiqi::operations::yearly_run::freeze;
use yiqi::store;
use yiqi::store::event;
use yiqi::store::schema::notice;
use yiqi::store::user::NewUser;

use crate::both;
use crate::client::Client;
use crate::given;
use crate::world::{
    BOSS, COMPANY, ENGINEER, FINANCE, HOST, MANAGER, OTHER_COMPANY, OTHER_HOST_ADMIN, PROVINCE,
    Person, TestApp, UNIVERSITY, World,
};

const RECORDS: &str = "/api/v1/usage-records";

/// A service of the company on a morning of February.
fn service(app: &World, instrument: InstrumentId, from: &str, until: &str) -> Value {
    json!({
        "instrument_id": instrument,
        "organization_id": app.organization_id(COMPANY),
        "started_at": format!("2026-02-10T{from}:00+08:00"),
        "ended_at": format!("2026-02-10T{until}:00+08:00"),
        "mode": "entrusted",
        "purpose": "research",
    })
}

fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

fn record(app: &World, host: &Client, instrument: InstrumentId) -> i64 {
    host.post(RECORDS, service(app, instrument, "09:00", "10:00"))
        .expect_status(201)
        .id()
}

fn action(id: i64, verb: &str) -> String {
    format!("{RECORDS}/{id}/{verb}")
}

fn asset_no(app: &World, instrument: InstrumentId) -> String {
    app.read(move |conn| {
        Ok(store::instrument::get(conn, instrument)?
            .facts
            .asset_no
            .to_string())
    })
}

fn import(host: &Client, path: &str, file: String) -> crate::client::Answer {
    host.request(Method::POST, path)
        .bytes("text/csv", file)
        .send()
}

/// The actions the trail tells of a record.
fn events_of(app: &TestApp, id: i64) -> Vec<String> {
    app.settle();
    let path = format!("/api/v1/events?subject_type=usage_record&subject_id={id}");
    let events = app.as_admin().get(&path).expect_status(200);
    let items = events["items"].as_array().unwrap().iter();
    items
        .map(|event| event["action"].as_str().unwrap().to_owned())
        .collect()
}

/// Who is told of what happened, in order.
fn told(app: &World) -> Vec<UserId> {
    app.tell();
    app.read(|conn| {
        let recipients = notice::table
            .select(notice::recipient_user_id)
            .order(notice::id);
        Ok(recipients.load(conn)?)
    })
}

/// Makes the year final, past every rule but the database's own.
pub fn finalize(app: &World, year: i64) {
    finalize_by(app, year, IncomeBy::PaidOn);
}

/// The same with income by this date.
pub fn finalize_by(app: &World, year: i64, by: IncomeBy) {
    let now = app.now();
    app.write(move |tx| {
        let packs = store::policy::list(tx, None, 1, true)?;
        let new = store::yearly_run::NewRun {
            year,
            policy_id: packs[0].id,
            policy_code: packs[0].code.clone(),
            policy_digest: packs[0].digest.clone(),
            created_by: None,
            terms: Default::default(),
            is_scenario: false,
            now,
        };
        let budget = store::yearly_run::subsidy::NewBudget {
            budget_fen: Fen::new(1),
            pools: Vec::new(),
            claim: None,
        };
        let run = store::yearly_run::subsidy::insert(tx, &new, &budget, None)?;
        let run = store::yearly_run::get(tx, run.into())?;
        store::yearly_run::update_state(tx, &run, RunState::Final, None, now)?;
        let days = yiqi::domain::policy::Span::of_calendar_year(year.try_into().unwrap()).unwrap();
        store::yearly_run::span::insert(tx, run.id(), year, (&days, by))?;
        Ok(())
    });
}

both! {
    fn a_typed_record_is_manual_and_waits_for_the_customer(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, company) = (app.as_host(), app.as_company());
        let typed = host.post(RECORDS, service(app, instrument, "09:00", "10:30")).expect_status(201);
        assert_eq!(typed.etag(), "\"v1\"");
        for (field, value) in [
            ("state", json!("recorded")), ("evidence", json!("manual")), ("run_minutes", json!(90)),
            ("effective_minutes", json!(90)), ("channel", json!(1)), ("entered_by", json!(app.user_id(HOST))),
            ("host_organization_id", json!(app.organization_id(UNIVERSITY))),
        ] {
            assert_eq!(typed[field], value, "{field}");
        }
        let confirmed = company.post(&action(typed.id(), "confirm"), json!({})).expect_status(200);
        assert_eq!((&confirmed["state"], &confirmed["evidence"]), (&json!("confirmed"), &json!("manual")));
        let again = company.post(&action(typed.id(), "confirm"), json!({})).expect_code(409, "invalid_state");
        assert_eq!((&again["state"], &again["allowed"]), (&json!("confirmed"), &json!(["void", "correct"])));
        assert_eq!(events_of(app, typed.id()), ["usage_record_create", "usage_record_lack_price", "usage_record_confirm"]);
        assert_eq!(told(app), [BOSS, FINANCE, HOST].map(|person| app.user_id(person)));
    }

    fn what_ends_with_the_old_year_is_still_of_it(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let mut own = with(service(app, sem, "09:00", "10:00"), "organization_id", app.organization_id(UNIVERSITY).number());
        own["started_at"] = json!("2025-12-31T23:00:00+08:00");
        own["ended_at"] = json!("2026-01-01T00:00:00+08:00");
        app.as_host().post(RECORDS, &own).expect_status(201);
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        let (now, calendar) = (app.now(), app.block_on(app.app.calendar()).unwrap());
        for (year, cells) in [(2025, 1), (2026, 0)] {
            let calendar = calendar.clone();
            let found = app.read(move |conn| {
                let scope = freeze::scope(&freeze::calendar_year(year)?, now, event::newest(conn)?)?;
                let pack = policy::open(&policy::get_named(conn, "hebei-2026", now.local_date())?)?;
                let inputs = freeze::read(conn, &scope, &pack, &calendar, Default::default(), None)?;
                let instruments = inputs.units().flat_map(|unit| unit.instruments.clone());
                Ok(instruments.map(|instrument| instrument.cells.len()).sum::<usize>())
            });
            assert_eq!(found, cells, "{year}");
        }
    }

    fn own_use_is_confirmed_at_once(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let own = with(service(app, instrument, "09:00", "10:00"), "organization_id", app.organization_id(UNIVERSITY).number());
        let typed = app.as_host().post(RECORDS, own).expect_status(201);
        assert_eq!(typed["state"], "confirmed");
        let review = app.as_host().post(&action(typed.id(), "review"), json!({"satisfaction": "satisfied"}));
        review.expect_code(422, "not_reviewable");
    }

    fn everything_wrong_is_told_at_once_and_nothing_is_left(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let host = app.as_host();
        let good = service(app, instrument, "09:00", "10:00");
        let wrong = json!({"channel": 2, "samples": -1, "run_minutes": 61, "booking_id": 999, "organization_id": 999_999});
        let mut all = good.clone();
        all.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = host.post(RECORDS, all).expect_status(422);
        let fields: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap().to_owned()).collect();
        assert_eq!(fields, ["organization_id", "booking_id", "channel", "samples", "run_minutes"]);
        for (body, status, code) in [
            (with(good.clone(), "ended_at", "2026-02-10T09:00:00+08:00"), 422, "not_after_start"),
            (with(good.clone(), "ended_at", "2026-03-10T09:00:00+08:00"), 422, "in_the_future"),
            (with(good.clone(), "evidence", "automatic"), 400, "unknown_field"),
            (with(good.clone(), "state", "confirmed"), 400, "unknown_field"),
            (with(good.clone(), "instrument_id", 999_999), 422, "unknown_reference"),
            (with(good.clone(), "mode", "alone"), 400, "invalid_value"),
        ] {
            host.post(RECORDS, body).expect_code(status, code);
        }
        app.as_company().post(RECORDS, &good).expect_code(403, "forbidden");
        app.as_person(OTHER_HOST_ADMIN).post(RECORDS, &good).expect_code(403, "forbidden");
        app.as_person(MANAGER).post(RECORDS, &good).expect_code(403, "forbidden");
        app.visitor().post(RECORDS, &good).expect_code(401, "unauthenticated");
        app.settle();
        let events = app.as_admin().get("/api/v1/events?subject_type=usage_record");
        assert_eq!(events["items"], json!([]));
        assert_eq!(host.get(RECORDS)["items"], json!([]));
    }

    fn overlaps_are_refused_with_the_record_in_the_way(app: &TestApp) {
        let instrument = given::instrument(app).channels(2).insert();
        let host = app.as_host();
        let first = record(app, &host, instrument);
        let clash = host.post(RECORDS, service(app, instrument, "09:59", "11:00")).expect_code(409, "usage_overlaps");
        assert_eq!(clash["existing_id"], first);
        host.post(RECORDS, service(app, instrument, "10:00", "11:00")).expect_status(201);
        let beside = with(service(app, instrument, "09:59", "11:00"), "channel", 2);
        let beside = host.post(RECORDS, beside).expect_status(201);
        host.post(&action(beside.id(), "correct"), json!({"channel": 1})).expect_code(409, "usage_overlaps");
        host.post(&action(first, "void"), json!({"reason": "重复"})).expect_status(200);
        host.post(RECORDS, service(app, instrument, "09:00", "10:00")).expect_status(201);
    }

    fn a_reference_is_used_once_by_an_organization(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let host = app.as_host();
        let first = with(service(app, instrument, "09:00", "10:00"), "client_reference", "LIMS-1");
        let first = host.post(RECORDS, first).expect_status(201).id();
        let second = with(service(app, instrument, "10:00", "11:00"), "client_reference", "LIMS-1");
        let used = host.post(RECORDS, &second).expect_code(409, "client_reference_used");
        assert_eq!(used["existing_id"], first);
        let other = with(second, "organization_id", app.organization_id(OTHER_COMPANY).number());
        host.post(RECORDS, other).expect_status(201);
        let found = app.as_company().get(&format!("{RECORDS}?client_reference=LIMS-1"));
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
    }

    fn the_customer_disputes_and_the_host_corrects(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, company) = (app.as_host(), app.as_company());
        let id = record(app, &host, instrument);
        company.post(&action(id, "dispute"), json!({})).expect_code(422, "reason_required");
        let disputed = company.post(&action(id, "dispute"), json!({"reason": "只用了半小时"})).expect_status(200);
        assert_eq!((&disputed["state"], &disputed["reason"]), (&json!("disputed"), &json!("只用了半小时")));
        let stale = host.request(Method::POST, &action(id, "correct")).header("If-Match", "\"v1\"").json(json!({"samples": 3})).send();
        stale.expect_code(412, "version_mismatch");
        let corrected = host.post(&action(id, "correct"), json!({"ended_at": "2026-02-10T09:30:00+08:00", "samples": 3})).expect_status(200);
        for (field, value) in [("state", json!("recorded")), ("version", json!(3)), ("run_minutes", json!(30)), ("samples", json!(3)), ("reason", json!(null))] {
            assert_eq!(corrected[field], value, "{field}");
        }
        host.post(&action(id, "correct"), json!({"run_minutes": 31})).expect_code(422, "minutes_exceed_interval");
        let versions = company.get(&action(id, "versions")).expect_status(200);
        let states: Vec<_> = versions["items"].as_array().unwrap().iter().map(|v| (v["version"].as_i64().unwrap(), v["state"].as_str().unwrap(), v["run_minutes"].as_i64().unwrap())).collect();
        assert_eq!(states, [(3, "recorded", 30), (2, "disputed", 60), (1, "recorded", 60)]);
        company.post(&action(id, "confirm"), json!({})).expect_status(200);
    }

    fn a_key_gives_the_same_answer_again(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, company) = (app.as_host(), app.as_company());
        let twice = |client: &Client, key: &str, path: &str, body: Value| {
            let send = || {
                let request = client.request(Method::POST, path).header("Idempotency-Key", key).header("If-Match", "\"v1\"");
                request.json(body.clone()).send()
            };
            let (first, second) = (send(), send());
            assert_eq!(second.header("idempotency-replayed"), Some("true"), "{path}");
            for header in ["location", "etag"] {
                assert_eq!(first.header(header), second.header(header), "{path}: {header}");
            }
            assert_eq!((first.status, first.text()), (second.status, second.text()), "{path}");
            first
        };
        let typed = twice(&host, "k1", RECORDS, service(app, instrument, "09:00", "10:00")).expect_status(201);
        let own = format!("{RECORDS}/{}", typed.id());
        assert_eq!((typed.header("location"), typed.etag()), (Some(own.as_str()), "\"v1\""));
        let corrected = twice(&host, "k2", &action(typed.id(), "correct"), json!({"samples": 3})).expect_status(200);
        assert_eq!(corrected.etag(), "\"v2\"");
        // A review has no version: that of the record, which has moved on, is not asked.
        let review = twice(&company, "k3", &action(typed.id(), "review"), json!({"satisfaction": "neutral"})).expect_status(201);
        assert_eq!(review.header("location"), Some(action(typed.id(), "review").as_str()));
    }

    fn whoever_may_not_is_told_so_before_what_is_wrong_with_the_request(app: &TestApp) {
        let member = app.as_person(ENGINEER);
        for path in ["/charges?limit=0", "/events?colour=red", "/usage-records/import-template?colour=red"] {
            member.get(&format!("/api/v1{path}")).expect_code(403, "forbidden");
        }
        let evaluator = Person { login: "evaluator@province.example", organization: PROVINCE, roles: &[Role::Evaluator] };
        let user = NewUser {
            organization_id: app.organization_id(PROVINCE), login: evaluator.login.to_owned(), name: "评委".to_owned(), phone: None,
            password_hash: "none".to_owned(), roles: evaluator.roles.to_vec(), now: app.now(),
        };
        app.write(move |tx| Ok(store::user::insert(tx, &user)?));
        for path in ["/usage-records?limit=0", "/usage-records/export?format=pdf"] {
            app.as_person(evaluator).get(&format!("/api/v1{path}")).expect_code(403, "forbidden");
            member.get(&format!("/api/v1{path}")).expect_status(400);
        }
        let typed = member.request(Method::POST, RECORDS).header("Idempotency-Key", "two words").json("none").send();
        typed.expect_code(403, "forbidden");
        let file = member.request(Method::POST, &format!("{RECORDS}/import?dry_run=perhaps")).bytes("text/plain", "none").send();
        file.expect_code(403, "forbidden");
    }

    fn another_unit_gets_nothing_of_the_one_before(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, stranger) = (app.as_host(), app.as_stranger());
        let mut typed = with(service(app, instrument, "09:00", "10:00"), "operator", json!({"name": "李四", "phone": "13800000000"}));
        typed["client_reference"] = json!("LIMS-9");
        let id = host.post(RECORDS, typed).expect_status(201).id();
        let moved = host.post(&action(id, "correct"), json!({"organization_id": app.organization_id(OTHER_COMPANY)})).expect_status(200);
        assert_eq!((&moved["operator"], &moved["client_reference"]), (&json!(null), &json!(null)));
        assert_eq!(host.get(&action(id, "versions"))["items"].as_array().unwrap().len(), 2);
        let seen = stranger.get(&action(id, "versions")).expect_status(200);
        assert_eq!(seen["items"].as_array().unwrap().len(), 1);
        assert!(!seen.text().contains("李四") && !seen.text().contains("LIMS-9"));
        app.as_company().get(&action(id, "versions")).expect_code(404, "not_found");
        assert_eq!(events_of(app, id), ["usage_record_create", "usage_record_lack_price", "usage_record_correct", "usage_record_correct"]);
        app.settle();
        let of = |client: &Client| client.get(&format!("/api/v1/events?subject_type=usage_record&subject_id={id}&action=usage_record_correct")).expect_status(200);
        let (left, came) = (of(&app.as_company()), of(&stranger));
        assert_eq!((left["items"].as_array().unwrap().len(), &left["items"][0]["after"]), (1, &json!(null)));
        assert_eq!((came["items"].as_array().unwrap().len(), &came["items"][0]["before"]), (1, &json!(null)));
        assert_eq!(told(app).iter().filter(|user| **user == app.user_id(BOSS)).count(), 2);
    }

    fn each_side_does_its_own_part_and_strangers_see_nothing(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, company, stranger) = (app.as_host(), app.as_company(), app.as_stranger());
        let id = record(app, &host, instrument);
        let reason = json!({"reason": "x"});
        host.post(&action(id, "confirm"), json!({})).expect_code(403, "forbidden");
        company.post(&action(id, "void"), &reason).expect_code(403, "forbidden");
        company.post(&action(id, "correct"), "no json").expect_code(403, "forbidden");
        app.as_person(ENGINEER).post(&action(id, "confirm"), json!({})).expect_code(403, "forbidden");
        app.as_person(ENGINEER).get(&format!("{RECORDS}/{id}")).expect_status(200);
        for verb in ["confirm", "dispute", "void", "correct", "review"] {
            stranger.post(&action(id, verb), &reason).expect_code(404, "not_found");
        }
        stranger.get(&format!("{RECORDS}/{id}")).expect_code(404, "not_found");
        assert_eq!(stranger.get(RECORDS)["items"], json!([]));
        for (filter, found) in [
            ("state=recorded", 1), ("state=confirmed", 0), ("state=confirmed&state=recorded", 1),
            ("from=2026-02-10T10:00:00%2B08:00", 0), ("until=2026-02-10T09:00:01%2B08:00", 1),
            ("updated_since=2026-01-01T00:00:00%2B08:00", 1),
        ] {
            let list = company.get(&format!("{RECORDS}?{filter}")).expect_status(200);
            assert_eq!(list["items"].as_array().unwrap().len(), found, "{filter}");
        }
        company.get(&format!("{RECORDS}?status=recorded")).expect_code(400, "unknown_parameter");
    }

    fn a_final_year_stands(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, company) = (app.as_host(), app.as_company());
        let id = record(app, &host, instrument);
        let old = json!({"started_at": "2025-12-31T23:00:00+08:00", "ended_at": "2026-01-01T00:00:00+08:00"});
        finalize(app, 2025);
        // Its last moment is of the old year; a minute later it is not.
        host.post(&action(id, "correct"), &old).expect_code(409, "period_locked");
        let later = with(old, "ended_at", "2026-01-01T00:01:00+08:00");
        let after = host.post(&action(id, "correct"), &later).expect_status(200);
        assert_eq!(after["state"], "recorded");
        let before = json!({"started_at": "2025-12-31T22:00:00+08:00", "ended_at": "2025-12-31T23:59:59+08:00"});
        host.post(&action(id, "correct"), &before).expect_code(409, "period_locked");
        let mut typed = service(app, instrument, "09:00", "10:00");
        typed.as_object_mut().unwrap().extend(before.as_object().unwrap().clone());
        host.post(RECORDS, typed).expect_code(409, "period_locked");
        let file = format!("asset_no,using_uscc,started_at,ended_at,mode,purpose\n{},{COMPANY},2025-12-30 09:00,2025-12-30 10:00,guided,other\n", asset_no(app, instrument));
        import(&host, "/api/v1/usage-records/import", file).expect_code(409, "period_locked");
        finalize(app, 2026);
        company.post(&action(id, "confirm"), json!({})).expect_code(409, "period_locked");
        host.post(&action(id, "void"), json!({"reason": "x"})).expect_code(409, "period_locked");
    }

    fn a_table_is_imported_whole_or_not_at_all(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let host = app.as_host();
        let asset = asset_no(app, instrument);
        let head = "asset_no,using_uscc,started_at,ended_at,run_minutes,mode,purpose,client_reference,operator";
        let good = format!("{asset},{COMPANY},2026-02-11 09:00,2026-02-11 10:00,60,guided,other,R-1,张工");
        let path = "/api/v1/usage-records/import";
        let bad = format!(
            "{head}\n{good}\nNONE,{COMPANY},2026-02-11 11:00,2026-02-11 12:00,60,guided,other,,\n\
             {asset},91130000000000000X,2026-02-11 11:00,2026-02-11 12:00,61,guided,other,,\n\
             {asset},{OTHER_COMPANY},2026-02-11 09:30,2026-02-11 10:30,,guided,other,R-1,\n"
        );
        let refused = import(&host, path, bad).expect_status(422);
        let faults: Vec<_> = refused["errors"].as_array().unwrap().iter()
            .map(|e| (e["row"].as_i64().unwrap(), e["column"].as_str().unwrap(), e["code"].as_str().unwrap())).collect();
        assert_eq!(faults, [
            (3, "asset_no", "unknown_reference"), (4, "using_uscc", "unknown_reference"),
            (4, "run_minutes", "minutes_exceed_interval"), (5, "started_at", "usage_overlaps"),
        ]);
        let unreadable = import(&host, path, format!("{head}\n{good},surplus\n")).expect_status(422);
        assert!(unreadable["errors"][0]["row"].is_i64());
        assert_eq!(host.get(RECORDS)["items"], json!([]));

        let file = format!("{head}\n{good}\n{asset},{UNIVERSITY},2026-02-11 10:00,2026-02-11 11:00,,guided,teaching,,\n");
        let dry = import(&host, &format!("{path}?dry_run=true"), file.clone()).expect_status(200);
        assert_eq!((&dry["dry_run"], &dry["rows"]), (&json!(true), &json!(2)));
        assert_eq!(host.get(RECORDS)["items"], json!([]));
        import(&host, path, file.clone()).expect_status(200);
        let list = host.get(RECORDS);
        let states: Vec<_> = list["items"].as_array().unwrap().iter().map(|r| (r["state"].as_str().unwrap(), r["evidence"].as_str().unwrap())).collect();
        assert_eq!(states, [("confirmed", "manual"), ("recorded", "manual")]);
        let again = import(&host, path, file).expect_code(409, "usage_overlaps");
        assert_eq!(again["errors"].as_array().unwrap().len(), 3);

        let exported = host.get("/api/v1/usage-records/export?format=csv").expect_status(200).text();
        assert!(exported.contains("张工") && exported.contains(COMPANY), "{exported}");
        for id in list["items"].as_array().unwrap().iter().map(|r| r["id"].as_i64().unwrap()) {
            host.post(&action(id, "void"), json!({"reason": "x"})).expect_status(200);
        }
        let anew = exported.replace("R-1", "R-2");
        import(&host, path, anew).expect_status(200);
        import(&app.as_company(), path, String::new()).expect_code(403, "forbidden");
    }

    fn an_external_service_is_reviewed_once(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, company) = (app.as_host(), app.as_company());
        let id = record(app, &host, instrument);
        let path = action(id, "review");
        company.get(&path).expect_code(404, "not_found");
        host.post(&path, json!({"satisfaction": "satisfied"})).expect_code(403, "forbidden");
        company.post(&path, json!({"satisfaction": "great"})).expect_code(400, "invalid_value");
        company.post(&path, json!({"satisfaction": "very_satisfied", "comment": "快"})).expect_status(201);
        company.post(&path, json!({"satisfaction": "neutral"})).expect_code(409, "already_reviewed");
        assert_eq!(host.get(&path)["satisfaction"], "very_satisfied");
    }

    fn typed_or_imported_one_of_forty_wins(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let host = app.as_host();
        let body = service(app, instrument, "09:00", "10:00");
        let file = format!("asset_no,using_uscc,started_at,ended_at,mode,purpose\n{},{COMPANY},2026-02-10 09:30,2026-02-10 10:30,guided,other\n", asset_no(app, instrument));
        let answers: Vec<_> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..40).map(|n| {
                let (host, body, file) = (&host, &body, &file);
                scope.spawn(move || match n % 2 {
                    0 => host.post(RECORDS, body),
                    _ => import(host, "/api/v1/usage-records/import", file.clone()),
                })
            }).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status < 300);
        assert_eq!(won.len(), 1);
        for answer in lost {
            answer.expect_code(409, "usage_overlaps");
        }
        assert_eq!(host.get(RECORDS)["items"].as_array().unwrap().len(), 1);
        assert_eq!(app.as_person(BOSS).get(RECORDS)["items"].as_array().unwrap().len(), 1);
    }
}
