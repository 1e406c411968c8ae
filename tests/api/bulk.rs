//! Bulk: every item is judged and written as the single action would, one that is refused undoes nothing of the others, and a
//! bulk that is sent again happens once.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;
use yiqi::domain::access::Action;
use yiqi::domain::instrument::InstrumentState;
use yiqi::domain::service::ServiceFacts;
use yiqi::error::AppError;
use yiqi::error::text::Language;
use yiqi::http::route::{BASE, Route};
use yiqi::http::routes;
use yiqi::operations::actor::{Actor, Once};
use yiqi::operations::bulk::{Bulk, Item, Verdicts, themselves};
use yiqi::operations::instrument::InstrumentContext;
use yiqi::operations::run::{Done, Reply, Run};
use yiqi::operations::service;
use yiqi::operations::session::caller_of_login;

use crate::bad_input::method;
use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

/// One item as it is sent, and what becomes of it.
struct Sent {
    item: Value,
    status: u16,
    code: &'static str,
    /// What the items before it did is why it is refused: alone it would be done.
    after_others: bool,
}

fn done(item: Value, status: u16) -> Sent {
    Sent {
        item,
        status,
        code: "",
        after_others: false,
    }
}

fn refused(item: Value, status: u16, code: &'static str) -> Sent {
    Sent {
        item,
        status,
        code,
        after_others: false,
    }
}

fn outrun(item: Value, status: u16, code: &'static str) -> Sent {
    Sent {
        after_others: true,
        ..refused(item, status, code)
    }
}

/// A bulk, and the single action that each of its items is.
struct Case {
    route: &'static str,
    method: Method,
    who: Person,
    single: &'static str,
    /// What the trail calls the single action.
    event: &'static str,
    items: Vec<Sent>,
}

/// Of the host, with all that submission needs.
fn complete(app: &TestApp) -> given::Instrument<'_> {
    let contact = json!({"name": "仪器平台", "phone": "0312-5000000"});
    let contact = serde_json::from_value(contact).unwrap();
    given::instrument(app).with(|facts| facts.public_contact = Some(contact))
}

/// Listed by the other host: the first one sees it and may do nothing with it.
fn foreign(app: &TestApp) -> InstrumentId {
    given::instrument(app).of(OTHER_HOST).insert()
}

fn requested(app: &TestApp, instrument: InstrumentId, hour: u32) -> i64 {
    let wish = json!({
        "instrument_id": instrument, "mode": "guided", "purpose": "research",
        "starts_at": format!("2026-03-03T{hour:02}:00:00+08:00"), "ends_at": format!("2026-03-03T{hour:02}:30:00+08:00"),
    });
    let made = app.as_company().post("/api/v1/bookings", wish);
    made.expect_status(201).id()
}

fn manual(app: &TestApp) -> given::Instrument<'_> {
    given::instrument(app).rules(json!({"approval": "manual"}))
}

fn approvals(app: &TestApp) -> Case {
    let (sem, theirs) = (manual(app).insert(), manual(app).of(OTHER_HOST).insert());
    let [one, two, three] = [10, 11, 12].map(|hour| requested(app, sem, hour));
    let foreign = requested(app, theirs, 10);
    Case {
        route: "/bookings/approve",
        method: Method::POST,
        who: HOST,
        single: "/bookings/{id}/approve",
        event: "booking_approve",
        items: vec![
            done(json!({"id": one, "version": 1}), 200),
            refused(json!({"id": two, "version": 7}), 412, "version_mismatch"),
            refused(json!({"id": foreign, "version": 1}), 404, "not_found"),
            refused(json!({"id": 999_999, "version": 1}), 404, "not_found"),
            outrun(json!({"id": one, "version": 1}), 412, "version_mismatch"),
            outrun(json!({"id": one, "version": 2}), 409, "invalid_state"),
            done(json!({"id": three, "version": 1}), 200),
        ],
    }
}

fn submissions(app: &TestApp) -> Case {
    let draft = |it: given::Instrument<'_>| it.in_state(InstrumentState::Draft).insert();
    let (one, two) = (draft(complete(app)), draft(complete(app)));
    let hidden = draft(given::instrument(app).of(OTHER_HOST));
    Case {
        route: "/instruments/submit",
        method: Method::POST,
        who: HOST,
        single: "/instruments/{id}/submit",
        event: "instrument_submit",
        items: vec![
            refused(
                json!({"id": draft(given::instrument(app))}),
                422,
                "required",
            ),
            done(json!({"id": one}), 200),
            refused(json!({"id": hidden}), 404, "not_found"),
            refused(json!({"id": foreign(app)}), 403, "forbidden"),
            outrun(json!({"id": one}), 409, "invalid_state"),
            done(json!({"id": two}), 200),
        ],
    }
}

fn listings(app: &TestApp) -> Case {
    let submitted = |it: given::Instrument<'_>| it.in_state(InstrumentState::Submitted).insert();
    let (one, two) = (submitted(complete(app)), submitted(complete(app)));
    let elsewhere = submitted(complete(app).of(OTHER_HOST));
    let draft = complete(app).in_state(InstrumentState::Draft).insert();
    Case {
        route: "/instruments/approve",
        method: Method::POST,
        who: CITY_ADMIN,
        single: "/instruments/{id}/approve",
        event: "instrument_approve",
        items: vec![
            done(json!({"id": two}), 200),
            refused(json!({"id": elsewhere}), 404, "not_found"),
            refused(json!({"id": draft}), 409, "invalid_state"),
            refused(json!({"id": foreign(app)}), 403, "forbidden"),
            outrun(json!({"id": two}), 409, "invalid_state"),
            done(json!({"id": one}), 200),
        ],
    }
}

fn rules(app: &TestApp) -> Case {
    let (one, two) = (complete(app).insert(), complete(app).insert());
    let item = |id: InstrumentId, version: i64, slot: i64| json!({"id": id, "version": version, "slot_minutes": slot, "lead_minutes": 60});
    Case {
        route: "/instruments/booking-rules",
        method: Method::PUT,
        who: HOST,
        single: "/instruments/{id}/booking-rules",
        event: "booking_rules_update",
        items: vec![
            done(item(one, 1, 15), 200),
            refused(item(two, 1, -60), 422, "out_of_range"),
            refused(item(two, 9, 15), 412, "version_mismatch"),
            refused(item(foreign(app), 1, 15), 403, "forbidden"),
            outrun(item(one, 1, 10), 412, "version_mismatch"),
            done(item(one, 2, 10), 200),
            done(item(two, 1, 10), 200),
        ],
    }
}

fn managers(app: &TestApp) -> Case {
    let (one, two) = (complete(app).insert(), complete(app).insert());
    let item = |id: InstrumentId, version: i64, who: Person| json!({"id": id, "version": version, "manager_ids": [app.user_id(who)]});
    Case {
        route: "/instruments/managers",
        method: Method::PUT,
        who: HOST,
        single: "/instruments/{id}/managers",
        event: "instrument_assign_managers",
        items: vec![
            done(item(one, 1, MANAGER), 200),
            refused(item(two, 1, RESEARCHER), 422, "unknown_reference"),
            refused(item(two, 9, MANAGER), 412, "version_mismatch"),
            refused(item(foreign(app), 1, MANAGER), 403, "forbidden"),
            outrun(item(one, 1, HOST), 412, "version_mismatch"),
            done(item(two, 1, MANAGER), 200),
        ],
    }
}

fn prices(app: &TestApp) -> Case {
    let (one, two) = (complete(app).insert(), complete(app).insert());
    let item = |id: InstrumentId, from: &str, fen: i64| json!({"id": id, "valid_from": from, "price_fen_per_hour": fen});
    Case {
        route: "/instruments/tariffs",
        method: Method::POST,
        who: HOST,
        single: "/instruments/{id}/tariffs",
        event: "tariff_create",
        items: vec![
            done(item(one, "2026-01-01", 6_000), 201),
            refused(item(two, "2026-01-01", -1), 422, "out_of_range"),
            refused(item(foreign(app), "2026-01-01", 6_000), 403, "forbidden"),
            outrun(item(one, "2026-02-01", 7_000), 409, "tariff_overlaps"),
            done(item(two, "2026-01-01", 5_000), 201),
        ],
    }
}

fn services(app: &TestApp) -> Case {
    let (one, two) = (complete(app).insert(), complete(app).insert());
    let item = |id: InstrumentId, name: &str| json!({"id": id, "test_item": name, "unit": "样", "price_fen": 12_000});
    Case {
        route: "/instruments/services",
        method: Method::POST,
        who: HOST,
        single: "/instruments/{id}/services",
        event: "service_create",
        items: vec![
            done(item(one, "拉伸"), 201),
            refused(item(two, " "), 422, "required"),
            refused(item(foreign(app), "拉伸"), 403, "forbidden"),
            done(item(one, "硬度"), 201),
            done(item(two, "拉伸"), 201),
        ],
    }
}

const CASES: [fn(&TestApp) -> Case; 7] = [
    approvals,
    submissions,
    listings,
    rules,
    managers,
    prices,
    services,
];

fn keyed(client: &Client, case: &Case, key: &str) -> Answer {
    let items: Vec<&Value> = case.items.iter().map(|sent| &sent.item).collect();
    let request = client.request(case.method.clone(), &format!("{BASE}{}", case.route));
    let request = request.header("Idempotency-Key", key);
    request.json(json!({ "items": items })).send()
}

/// The single action on an item.
fn alone(client: &Client, case: &Case, item: &Value) -> Answer {
    let path = case.single.replace("{id}", &item["id"].to_string());
    let mut body = item.clone();
    let members = body.as_object_mut().unwrap();
    members.remove("id");
    let version = members.remove("version");
    let request = client.request(case.method.clone(), &format!("{BASE}{path}"));
    let request = match version {
        Some(version) => request.header("If-Match", &format!("\"v{version}\"")),
        None => request,
    };
    request.json(body).send()
}

/// The events of a name, with the requests that they were part of.
fn requests_of(app: &TestApp, name: &str) -> Vec<Value> {
    app.settle();
    let page = app
        .as_admin()
        .get(&format!("/api/v1/events?action={name}&limit=200"));
    let page = page.expect_status(200);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|event| event["request_id"].clone())
        .collect()
}

/// What a problem says, but for the request in which it was said.
fn said(problem: &Value) -> Value {
    let mut problem = problem.clone();
    let members = problem.as_object_mut().unwrap();
    members.remove("request_id");
    members.remove("instance");
    problem
}

fn bulk_routes() -> impl Iterator<Item = &'static Route> {
    let all = routes::all().iter();
    all.filter(|route| {
        route.action.as_str().ends_with("_all")
            && !route.path.starts_with("/auth")
            && route.body.is_some()
    })
}

both! {
    fn each_item_is_judged_and_written_as_if_it_were_sent_alone(app: &TestApp) {
        let mut walked = Vec::new();
        for case in CASES {
            let case = case(app);
            let client = app.as_person(case.who);
            let before = requests_of(app, case.event).len();
            let singly = |sent: &Sent| {
                let is_refused = sent.status >= 400 && !sent.after_others;
                is_refused.then(|| alone(&client, &case, &sent.item).expect_code(sent.status, sent.code))
            };
            let singly: Vec<_> = case.items.iter().map(singly).collect();
            assert_eq!(requests_of(app, case.event).len(), before, "{}", case.route);
            let answer = keyed(&client, &case, case.route).expect_status(200);
            let items = answer["items"].as_array().unwrap();
            assert_eq!(items.len(), case.items.len());
            for ((sent, found), single) in case.items.iter().zip(items).zip(singly) {
                let what = format!("{} {}: {found}", case.route, sent.item);
                assert_eq!((&found["id"], &found["status"]), (&sent.item["id"], &json!(sent.status)), "{what}");
                match sent.status {
                    200..300 => assert!(found.get("problem").is_none(), "{what}"),
                    _ => assert_eq!((&found["problem"]["code"], &found["problem"]["status"]), (&json!(sent.code), &json!(sent.status)), "{what}"),
                }
                if let Some(single) = single {
                    assert_eq!(said(&found["problem"]), said(&single.body), "{what}");
                }
            }
            let right = case.items.iter().filter(|sent| sent.status < 300).count();
            let events = requests_of(app, case.event);
            assert_eq!(events.len(), before + right, "{}: an event for each that was done", case.route);
            let of_this = events.iter().filter(|request| **request == json!(answer.header("x-request-id").unwrap()));
            assert_eq!(of_this.count(), right, "{}", case.route);

            let again = keyed(&client, &case, case.route).expect_status(200);
            assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &answer.body));
            assert_eq!(requests_of(app, case.event).len(), events.len(), "{}: once", case.route);
            walked.push(case.route);
        }
        let mut all: Vec<_> = bulk_routes().map(|route| route.path).collect();
        all.sort_unstable();
        walked.sort_unstable();
        assert_eq!(walked, all);
    }

    fn a_bulk_has_some_items_and_not_too_many_and_is_well_formed(app: &TestApp) {
        for case in CASES {
            let case = case(app);
            let client = app.as_person(case.who);
            let send = |items: Value| {
                let request = client.request(case.method.clone(), &format!("{BASE}{}", case.route));
                request.json(json!({ "items": items })).send()
            };
            let good = case.items.iter().find(|sent| sent.status < 300).unwrap().item.clone();
            let before = requests_of(app, case.event).len();
            let many = send(vec![good.clone(); 501].into()).expect_code(422, "too_many");
            let fault = &many["errors"][0];
            assert_eq!((&fault["field"], &fault["limit"], &fault["actual"]), (&json!("items"), &json!(500), &json!(501)));
            send(json!([])).expect_code(422, "required");
            let (mut unnamed, mut misspelt) = (good.clone(), good.clone());
            unnamed.as_object_mut().unwrap().remove("id");
            misspelt["no_such_field"] = json!(1);
            let refused = send(json!([good, unnamed, misspelt])).expect_code(400, "missing_field");
            let fields: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap()).collect();
            assert_eq!(fields, ["items[1].id", "items[2].no_such_field"], "{}", case.route);
            if good.get("version").is_some() {
                let mut any = good.clone();
                any.as_object_mut().unwrap().remove("version");
                let refused = send(json!([any])).expect_code(400, "missing_field");
                assert_eq!(refused["errors"][0]["field"], "items[0].version");
            }
            app.as_person(RESEARCHER).request(case.method.clone(), &format!("{BASE}{}", case.route))
                .json(json!({"items": [good]})).send().expect_code(403, "forbidden");
            assert_eq!(requests_of(app, case.event).len(), before, "{}", case.route);
        }
    }

    fn rights_are_those_to_each_item(app: &TestApp) {
        let (own, other) = (manual(app).insert(), manual(app).insert());
        let (host, manager) = (app.as_host(), app.as_person(MANAGER));
        let assign = host.request(Method::PUT, &format!("{BASE}/instruments/{own}/managers"));
        assign.header("If-Match", "\"v1\"").json(json!({"manager_ids": [app.user_id(MANAGER)]})).send().expect_status(200);
        let (mine, theirs) = (requested(app, own, 10), requested(app, other, 10));
        let items = json!({"items": [{"id": mine, "version": 1}, {"id": theirs, "version": 1}]});
        let answer = manager.post("/api/v1/bookings/approve", &items).expect_status(200);
        let alone = manager.request(Method::POST, &format!("{BASE}/bookings/{theirs}/approve"));
        let alone = alone.header("If-Match", "\"v1\"").send();
        assert_eq!((&answer["items"][0]["status"], &answer["items"][1]["status"]), (&json!(200), &json!(alone.status)));

        let third = requested(app, other, 12);
        let items = json!({"items": [{"id": third, "version": 1}]});
        for (scope, status) in [("bookings:read", 403), ("bookings:write", 200)] {
            let key = app.as_host().post("/api/v1/api-keys", json!({"name": scope, "scopes": [scope]})).expect_status(201);
            let system = app.visitor().with_token(key["secret"].as_str().unwrap());
            system.post("/api/v1/bookings/approve", &items).expect_status(status);
        }
    }

    fn rules_of_several_can_be_tried_and_say_what_becomes_of_bookings(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let booked = requested(app, sem, 10);
        let body = json!({"items": [{"id": sem, "version": 1, "approval": "automatic", "holidays": "open",
            "weekly_hours": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "14:00", "until": "18:00"}]}]});
        let put = |query: &str| app.as_host().put(&format!("{BASE}/instruments/booking-rules{query}"), &body).expect_status(200);
        let state = || app.as_company().get(&format!("{BASE}/bookings/{booked}")).expect_status(200)["state"].clone();
        let version = || app.as_host().get(&format!("{BASE}/instruments/{sem}/booking-rules")).etag().to_owned();
        assert_eq!(put("?dry_run=true&affected=cancel")["items"][0]["status"], 200);
        assert_eq!((version().as_str(), state()), ("\"v1\"", json!("confirmed")));
        put("?affected=cancel");
        assert_eq!((version().as_str(), state()), ("\"v2\"", json!("cancelled")));
    }

    fn a_bulk_that_dies_halfway_has_done_nothing_and_happens_once(app: &TestApp) {
        let (one, two) = (given::instrument(app).insert(), given::instrument(app).insert());
        let caller = app.block_on(caller_of_login(&app.app, HOST.login)).unwrap();
        let once = Once { key: "once".to_owned(), fingerprint: "the same".to_owned(), space: None };
        let actor = Actor::caller_at(caller, app.now()).under("a-request".to_owned(), Some(once));
        let run = || Run::new(&app.app, actor.clone(), Action::ServiceCreateAll, None, |_: &Verdicts| {
            Ok(Reply { status: 200, location: None, version: None, body: Some("{}".to_owned()), kept_body: None })
        });
        let bulk = || {
            let facts = ServiceFacts {
                test_item: "拉伸".to_owned(), test_condition: None, method_standard: None, unit: "样".to_owned(),
                price_fen: yiqi::domain::Fen::new(100),
            };
            let item = |id| Item { id, version: None, body: facts.clone() };
            Ok(Bulk { items: vec![item(one), item(two)], language: Language::English, path: "/".to_owned() })
        };
        let count = |id: InstrumentId| {
            let page = app.as_host().get(&format!("{BASE}/instruments/{id}/services")).expect_status(200);
            page["items"].as_array().unwrap().len()
        };
        // The database goes away after the first item was written.
        let written = AtomicBool::new(false);
        let dying = move |tx: &mut yiqi::store::Conn, actor: &Actor, context: InstrumentContext, facts: &ServiceFacts| {
            match written.swap(true, Ordering::SeqCst) {
                false => {
                    yiqi::store::service::insert(tx, context.instrument.id, facts, actor.now)?;
                    Ok(())
                }
                true => Err(AppError::unavailable("gone")),
            }
        };
        let died = app.block_on(run().each(bulk(), Action::ServiceCreate, themselves, dying));
        assert!(matches!(died, Err(AppError::Unavailable(_))), "{died:?}");
        assert_eq!((count(one), count(two)), (0, 0));
        let done = app.block_on(service::create_all(&run(), bulk())).unwrap();
        assert!(matches!(done, Done::Now(_)));
        let again = app.block_on(service::create_all(&run(), bulk())).unwrap();
        assert!(matches!(again, Done::Earlier(_)));
        assert_eq!((count(one), count(two)), (1, 1));
    }

    fn five_hundred_are_done_at_once(app: &TestApp) {
        let ids: Vec<_> = (0..4).map(|_| given::instrument(app).insert()).collect();
        let items: Vec<_> = (0..500)
            .map(|at| json!({"id": ids[at % ids.len()], "test_item": format!("项目 {at}"), "unit": "样", "price_fen": 100}))
            .collect();
        let answer = app.as_host().post("/api/v1/instruments/services", json!({ "items": items })).expect_status(200);
        let done = answer["items"].as_array().unwrap().iter().filter(|item| item["status"] == 201).count();
        assert_eq!(done, 500);
    }
}

#[test]
fn every_bulk_is_told_as_its_single_action() {
    for route in bulk_routes() {
        let single = route
            .path
            .rsplit_once('/')
            .map(|(noun, verb)| format!("{noun}/{{id}}/{verb}"));
        let single = routes::all()
            .iter()
            .find(|other| Some(other.path) == single.as_deref() && other.method == route.method);
        let single = single.unwrap_or_else(|| panic!("{route:?} has no single one"));
        assert_eq!(format!("{}_all", single.action), route.action.as_str());
        assert_eq!(
            (single.action.roles(), single.action.scope()),
            (route.action.roles(), route.action.scope()),
            "{route:?}"
        );
        assert_eq!(method(single), method(route));
    }
}
