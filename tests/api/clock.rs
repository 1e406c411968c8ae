//! Clocks that go back, or that differ from the database's: whoever asks for what changed since the last time misses nothing.

use serde_json::json;
use yiqi::app::App;
use yiqi::app::token::TokenKeys;
use yiqi::clock::Clock;
use yiqi::operations::readiness;

use crate::client::Client;
use crate::world::*;
use crate::{both, given};

fn book(client: &Client, instrument: yiqi::domain::InstrumentId, day: &str) -> i64 {
    let wish = json!({
        "instrument_id": instrument, "mode": "guided", "purpose": "research",
        "starts_at": format!("{day}T10:00:00+08:00"), "ends_at": format!("{day}T11:00:00+08:00"),
    });
    let booked = client.post("/api/v1/bookings", wish).expect_status(201);
    booked["id"].as_i64().unwrap()
}

/// The bookings that changed since a moment, and the moment to ask with next time.
fn changed(client: &Client, since: &str) -> (Vec<i64>, String) {
    let since = since.replace('+', "%2B");
    let page = client
        .get(&format!("/api/v1/bookings?updated_since={since}"))
        .expect_status(200);
    let items = page["items"].as_array().unwrap();
    let ids = items.iter().map(|item| item["id"].as_i64().unwrap());
    (ids.collect(), page["as_of"].as_str().unwrap().to_owned())
}

both! {
    fn a_clock_that_went_back_hides_no_booking(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let company = app.as_company();
        let first = book(&company, instrument, "2026-03-03");
        let (seen, as_of) = changed(&company, NOW);
        assert_eq!(seen, [first]);
        for (seconds, day) in [(-150, "2026-03-04"), (-3_600, "2026-03-05"), (60, "2026-03-06")] {
            app.app.clock.advance_seconds(seconds);
            let next = book(&company, instrument, day);
            let (seen, _) = changed(&company, &as_of);
            assert!(seen.contains(&next), "{seconds}: {seen:?}");
        }
        let stamps = |path: &str| -> Vec<String> {
            let page = company.get(path).expect_status(200);
            let items = page["items"].as_array().unwrap();
            items.iter().map(|item| item["created_at"].as_str().unwrap().to_owned()).collect()
        };
        let mut stamped = stamps("/api/v1/bookings");
        stamped.reverse();
        assert!(stamped.is_sorted(), "{stamped:?}");
    }
}

#[test]
fn a_service_started_with_an_earlier_clock_goes_on_from_the_last_stamp() {
    TestApp::run(Backend::Sqlite, |app| {
        let instrument = given::instrument(app).insert();
        app.advance(60);
        let company = app.as_company();
        book(&company, instrument, "2026-03-03");
        let (_, as_of) = changed(&company, NOW);
        let later = app.now();
        let again = TestApp::on(
            Backend::Sqlite,
            &app.url,
            Clock::fixed(NOW.parse().unwrap()),
        );
        again.block_on(again.app.prepare()).unwrap();
        assert_eq!(again.now(), later);
        let company = again.as_company();
        let next = book(&company, instrument, "2026-03-04");
        assert!(changed(&company, &as_of).0.contains(&next));
    });
}

/// A node on the machine's clock, which is wrong by so many seconds.
fn node(app: &TestApp, off: i64) -> TestApp {
    TestApp::on(Backend::Postgres, &app.url, Clock::system_off_by(off))
}

#[test]
fn a_node_far_from_the_databases_clock_is_not_ready_and_goes_by_it_all_the_same() {
    TestApp::run(Backend::Postgres, |app| {
        let right = node(app, 0);
        let instrument = given::instrument(&right).insert();
        right.visitor().get("/health/ready").expect_status(200);
        let company = right.as_company();
        let day = |ahead: i64| {
            let moment = right.now().plus_seconds(ahead * 24 * 60 * 60);
            moment.local_date().to_string()
        };
        let first = book(&company, instrument, &day(2));
        let since = right.now().plus_seconds(-5).to_string();
        let (seen, as_of) = changed(&company, &since);
        assert_eq!(seen, [first]);
        for (number, off) in [-150, 150, -20_000].into_iter().enumerate() {
            let wrong = node(app, off);
            let answer = wrong.visitor().get("/health/ready");
            let answer = answer.expect_code(503, "unavailable");
            assert_eq!(answer.header("retry-after"), Some("1"));
            let ahead = i64::try_from(number).unwrap() + 3;
            let next = book(&wrong.as_company(), instrument, &day(ahead));
            let (seen, _) = changed(&company, &as_of);
            assert!(seen.contains(&next), "{off}: {seen:?}");
        }
        for off in [-20, 20] {
            let near = node(app, off);
            near.visitor().get("/health/ready").expect_status(200);
        }
    });
}

#[test]
fn a_moment_of_the_feed_is_never_ahead_of_the_database() {
    TestApp::run(Backend::Postgres, |app| {
        let (right, ahead) = (node(app, 0), node(app, 3_600));
        let as_of = |node: &TestApp| {
            let moment = yiqi::operations::feed::as_of(&node.app, node.now());
            node.block_on(moment).unwrap()
        };
        // Not yet compared with the database.
        let early = as_of(&ahead);
        assert!(early <= as_of(&right).plus_seconds(2), "{early}");
    });
}

#[test]
fn a_fixed_clock_is_compared_with_nothing() {
    TestApp::run(Backend::Postgres, |app| {
        let keys = TokenKeys::parse(KEYS).unwrap();
        let clock = Clock::fixed(NOW.parse().unwrap());
        let other = App::new(
            open_store(app.url.parse().unwrap(), 1),
            clock,
            config(&app.url),
            keys,
        );
        app.block_on(readiness::check(&other)).unwrap();
    });
}
