//! The consumer that writes notices, and the inbox that a person reads: nobody is told twice, whatever dies in between.

use diesel::prelude::*;
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;
use yiqi::jobs;
use yiqi::store;
use yiqi::store::schema::{consumer, notice};

use crate::client::{Answer, Client};
use crate::refused_write::{allow, refuse};
use crate::world::*;
use crate::{both, given};

fn wish(instrument: InstrumentId, hour: u32) -> Value {
    json!({
        "instrument_id": instrument, "mode": "guided", "purpose": "research",
        "starts_at": format!("2026-03-03T{hour:02}:00:00+08:00"),
        "ends_at": format!("2026-03-03T{:02}:00:00+08:00", hour + 1),
    })
}

fn book(client: &Client, instrument: InstrumentId, hour: u32) -> Answer {
    client
        .post("/api/v1/bookings", wish(instrument, hour))
        .expect_status(201)
}

/// What stands in somebody's inbox, as `type subject`.
fn inbox(client: &Client, query: &str) -> Vec<String> {
    let page = client
        .get(&format!("/api/v1/notices{query}"))
        .expect_status(200);
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|notice| {
            format!(
                "{} {}",
                notice["type"].as_str().unwrap(),
                notice["subject_id"]
            )
        })
        .collect()
}

fn count(app: &World) -> i64 {
    app.read(|conn| Ok(notice::table.count().get_result(conn)?))
}

fn place(app: &World) -> (i64, i64, i64) {
    app.read(|conn| {
        let places = consumer::table.select((
            consumer::epoch,
            consumer::transaction_id,
            consumer::event_id,
        ));
        Ok(places.first(conn)?)
    })
}

both! {
    fn a_person_reads_what_concerns_it_and_marks_it_as_read(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (engineer, host, boss) = (app.as_person(ENGINEER), app.as_host(), app.as_company());
        let first = book(&engineer, sem, 8);
        let second = book(&engineer, sem, 9);
        let cancel = format!("/api/v1/bookings/{}/cancel", first.id());
        host.request(Method::POST, &cancel).header("If-Match", first.etag()).json(json!({"reason": "故障"})).send().expect_status(200);
        assert_eq!(inbox(&host, ""), Vec::<String>::new(), "nothing is told before its time");
        assert!(app.tell() > 0);
        let (one, two) = (format!("booking_request {}", first.id()), format!("booking_request {}", second.id()));
        assert_eq!(inbox(&host, ""), [two.clone(), one.clone()], "the newest first, and not what the host did");
        assert_eq!(inbox(&engineer, ""), [format!("booking_cancel {}", first.id())]);
        assert_eq!(inbox(&app.as_stranger(), ""), Vec::<String>::new());

        let page = host.get("/api/v1/notices?limit=1").expect_status(200);
        let newest = &page["items"][0];
        assert_eq!((&newest["subject_type"], &newest["read_at"]), (&json!("booking"), &Value::Null));
        assert!(newest["event_id"].is_i64() && newest["created_at"].is_string(), "{newest}");
        let cursor = page["next_cursor"].as_str().unwrap();
        assert_eq!(inbox(&host, &format!("?limit=1&cursor={cursor}")), std::slice::from_ref(&one));
        assert_eq!(inbox(&host, "?type=booking_cancel"), Vec::<String>::new());
        assert_eq!(inbox(&host, "?type=booking_cancel&type=booking_request").len(), 2);
        host.get("/api/v1/notices?type=nonsense").expect_code(400, "invalid_value");

        let read = |client: &Client, body: Value| client.post("/api/v1/notices/read", body);
        // Somebody else's are nothing to the boss.
        read(&boss, json!({"ids": [newest["id"]]})).expect_status(204);
        assert_eq!(inbox(&host, "?unread=true").len(), 2);
        read(&host, json!({"ids": [newest["id"]]})).expect_status(204);
        assert_eq!((inbox(&host, "?unread=true"), inbox(&host, "?unread=false")), (vec![one], vec![two]));
        read(&host, json!({"until_id": newest["id"]})).expect_status(204);
        assert_eq!(inbox(&host, "?unread=true"), Vec::<String>::new());
        assert_eq!(inbox(&host, "").len(), 2);

        read(&host, json!({})).expect_code(422, "required");
        read(&host, json!({"ids": [], "until_id": 1})).expect_code(422, "invalid_value");
        read(&host, json!({"ids": vec![1; 201]})).expect_code(422, "too_many");
        app.visitor().get("/api/v1/notices").expect_code(401, "unauthenticated");
        let key = json!({"name": "LIMS", "scopes": ["catalog:read", "bookings:write"]});
        let secret = boss.post("/api/v1/api-keys", key).expect_status(201)["secret"].clone();
        let machine = app.visitor().with_token(secret.as_str().unwrap());
        machine.get("/api/v1/notices").expect_status(403);
    }

    fn a_request_tells_a_person_once(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (boss, host) = (app.as_company(), app.as_host());
        let ask = |hour: u32| {
            let request = boss.request(Method::POST, "/api/v1/bookings").header("X-Request-Id", "mine");
            request.json(wish(sem, hour)).send().expect_status(201)
        };
        let first = ask(8);
        app.advance(1);
        // The client's own word for its requests keeps none of them from being told.
        let second = ask(9);
        app.tell();
        let requests = [second, first].map(|booking| format!("booking_request {}", booking.id()));
        assert_eq!(inbox(&host, ""), requests);
        let closure = json!({
            "starts_at": "2026-03-03T08:00:00+08:00", "ends_at": "2026-03-03T12:00:00+08:00", "kind": "fault",
        });
        host.post(&format!("/api/v1/instruments/{sem}/closures"), closure).expect_status(201);
        app.tell();
        assert_eq!(inbox(&boss, "").len(), 1, "one closure over two bookings");

        // Rows of one import are one request.
        let entry = host.get(&format!("/api/v1/instruments/{sem}")).expect_status(200);
        let asset_no = entry["asset_no"].as_str().unwrap();
        let rows = (10..14).map(|hour| {
            format!("{asset_no},{COMPANY},2026-02-11 {hour}:00,2026-02-11 {hour}:30,guided,other\n")
        });
        let head = "asset_no,using_uscc,started_at,ended_at,mode,purpose\n";
        let table = head.to_owned() + &rows.collect::<String>();
        host.request(Method::POST, "/api/v1/usage-records/import").bytes("text/csv", table).send().expect_status(200);
        app.tell();
        assert_eq!(inbox(&boss, "?type=usage_record_import").len(), 1);
    }

    fn a_consumer_that_dies_in_between_tells_nobody_twice(app: &TestApp) {
        let sem = given::instrument(app).insert();
        book(&app.as_company(), sem, 8);
        app.settle();
        let before = place(app);
        let tick = || app.block_on(jobs::notice::tick(&app.app, app.now()));
        refuse(app, "notice", "INSERT");
        tick().unwrap_err();
        allow(app, "notice");
        assert_eq!((count(app), place(app)), (0, before), "both are kept, or neither");
        // Whoever died may still be at work, for all the others know.
        assert_eq!(tick().unwrap(), 0);
        app.advance(1);
        assert_eq!(tick().unwrap(), 1);
        assert!(place(app) > before);
        assert_eq!(tick().unwrap(), 0);

        // Even a place that was lost with a backup tells nothing again.
        app.write(|tx| {
            let lost = (consumer::epoch.eq(0_i64), consumer::transaction_id.eq(0_i64), consumer::event_id.eq(0_i64));
            Ok(diesel::update(consumer::table).set(lost).execute(tx).map_err(store::StoreError::from)?)
        });
        assert_eq!((tick().unwrap(), count(app)), (0, 1));
    }

    fn nodes_that_look_at_once_tell_everything_once(app: &TestApp) {
        let sem = given::instrument(app).insert();
        for hour in 8..14 {
            book(&app.as_company(), sem, hour);
        }
        app.settle();
        let told: usize = std::thread::scope(|scope| {
            let nodes: Vec<_> = (0..4).map(|_| scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(jobs::notice::tick(&app.app, app.now())).unwrap()
            })).collect();
            nodes.into_iter().map(|node| node.join().unwrap()).sum()
        });
        assert_eq!((told, count(app)), (6, 6));
    }

    fn a_notice_is_forgotten_after_400_days(app: &TestApp) {
        let sem = given::instrument(app).insert();
        book(&app.as_company(), sem, 8);
        app.tell();
        let forget = || app.block_on(yiqi::operations::retention::forget(&app.app, app.now())).unwrap();
        app.advance(400 * 24 * 60);
        forget();
        assert_eq!(count(app), 1);
        app.advance(1);
        forget();
        assert_eq!(count(app), 0);
    }
}
