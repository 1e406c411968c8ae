//! Open-sharing duty: the asset ledger, what is due by ledger and registry, and who is reminded of it.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::exemption::ShareMode;
use yiqi::operations::policy::install_shipped;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const DUTIES: &str = "/api/v1/duties";

/// With a policy in force.
fn in_force(app: &TestApp) {
    app.block_on(install_shipped(&app.app, app.now())).unwrap();
}

pub fn ledger(app: &TestApp) -> String {
    format!(
        "/api/v1/organizations/{}/asset-ledger",
        app.organization_id(UNIVERSITY)
    )
}

pub fn import(app: &TestApp, client: &Client, query: &str, rows: &str) -> Answer {
    let table = format!("asset_no,name,original_value_yuan,accepted_on,disposed_on\n{rows}");
    let path = format!("{}/import{query}", ledger(app));
    client
        .request(Method::POST, &path)
        .bytes("text/csv", table)
        .send()
}

fn duties(client: &Client, query: &str) -> Vec<Value> {
    let page = client
        .get(&format!("{DUTIES}?limit=200&{query}"))
        .expect_status(200);
    page["items"].as_array().unwrap().clone()
}

/// Kind, year and state of each, in their order.
fn told(duties: &[Value]) -> Vec<String> {
    let one = |duty: &Value| {
        let text = |name: &str| duty[name].as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {} {}",
            text("asset_no"),
            text("kind"),
            duty["due_on"].as_str().unwrap(),
            text("state")
        )
    };
    let mut all: Vec<_> = duties.iter().map(one).collect();
    all.sort();
    all
}

fn follow(app: &TestApp) -> usize {
    app.block_on(yiqi::operations::duty::follow(&app.app, app.now()))
        .unwrap()
}

both! {
    fn a_ledger_is_entered_whole_or_not_at_all(app: &TestApp) {
        let host = app.as_host();
        let assets = || host.get(&ledger(app)).expect_status(200)["items"].as_array().unwrap().clone();
        let rows = "Z1,扫描电镜,300000.00,2026-02-02,\n0017,离心机,200000,2026-02-03,2026-02-20\n";
        let dry = import(app, &host, "?dry_run=true", rows).expect_status(200);
        assert_eq!(dry.body, json!({"dry_run": true, "created": 2, "updated": 0, "unchanged": 0}));
        assert_eq!(assets(), Vec::<Value>::new());
        let wrong = "Z1,,300000,2026-02-02,\nZ2,仪器,-1,2026-02-02,\nY1,仪器,1,2026-02-02,\ny1,仪器,1,2099-01-01,\nZ3,仪器,1,2026-02-02,2026-02-01\n";
        let refused = import(app, &host, "", wrong).expect_status(422);
        let refused: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|one| format!("{} {} {}", one["row"], one["column"], one["code"])).collect();
        assert_eq!(refused, ["2 \"name\" \"required\"", "3 \"original_value_yuan\" \"out_of_range\""], "what cannot be read is told first");
        let refused = import(app, &host, "", &wrong[wrong.find("Y1").unwrap()..]).expect_status(422);
        let refused: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
        for code in ["out_of_range", "duplicate", "dates_out_of_order"] {
            assert!(refused.contains(&code), "{code}: {refused:?}");
        }
        assert_eq!(assets(), Vec::<Value>::new());
        let done = import(app, &host, "", rows).expect_status(200);
        assert_eq!(done.body, json!({"dry_run": false, "created": 2, "updated": 0, "unchanged": 0}));
        let first = &assets()[0];
        assert_eq!((&first["asset_no"], &first["original_value_fen"], &first["accepted_on"]), (&json!("Z1"), &json!(30_000_000), &json!("2026-02-02")));
        // By number in any writing; what the table does not name stays.
        let done = import(app, &host, "", "ｚ1,扫描电镜,310000,2026-02-02,\n").expect_status(200);
        assert_eq!(done.body, json!({"dry_run": false, "created": 0, "updated": 1, "unchanged": 0}));
        let done = import(app, &host, "", "0017,离心机,200000.00,2026-02-03,2026-02-20\n").expect_status(200);
        assert_eq!(done["unchanged"], 1);
        import(app, &host, "", "17,离心机,200000,2026-02-03,\n").expect_code(422, "digits_lost");
        assert_eq!(assets().len(), 2);
        for (client, status) in [(app.as_admin(), 403), (app.as_company(), 403), (app.as_stranger(), 403), (app.visitor(), 401)] {
            import(app, &client, "", rows).expect_status(status);
        }
        for (client, status) in [(app.as_admin(), 200), (app.as_person(CITY_ADMIN), 200), (app.as_person(AUDITOR), 200), (app.as_company(), 403), (app.visitor(), 401)] {
            client.get(&ledger(app)).expect_status(status);
        }
        let page = host.get(&format!("{}?limit=1", ledger(app))).expect_status(200);
        let next = host.get(&format!("{}?limit=1&cursor={}", ledger(app), page["next_cursor"].as_str().unwrap())).expect_status(200);
        assert_eq!((next["items"][0]["asset_no"].as_str(), next["next_cursor"].as_str()), (Some("0017"), None));
    }

    fn what_is_due_follows_ledger_and_registry(app: &TestApp) {
        in_force(app);
        let host = app.as_host();
        let rows = "OLD,旧仪器,300000,2025-01-06,\nNEW,新仪器,200000,2026-03-02,\nSMALL,小仪器,199999.99,2025-01-06,\nGONE,已处置,300000,2026-02-02,2026-02-09\n";
        import(app, &host, "", rows).expect_status(200);
        let before = duties(&host, "");
        assert_eq!(told(&before), [
            "GONE register 2026-03-20 exempt", "GONE share 2026-03-20 exempt", "NEW register 2026-04-14 open", "NEW share 2026-04-14 open",
            "OLD register 2025-02-21 missed", "OLD share 2025-02-21 missed",
        ]);
        assert_eq!((before[0]["organization_name"].as_str(), &before[0]["instrument_id"]), (Some("太行农业大学"), &Value::Null));
        // Entered too late, unused last year, and open to others from the day of its submission.
        let number = |name: &'static str| move |facts: &mut yiqi::domain::instrument::InstrumentFacts| facts.asset_no = name.into();
        let old = given::instrument(app).with(number("old")).insert();
        let kept = given::instrument(app).with(number("KEPT")).with(|facts| facts.share_mode = Some(ShareMode::Internal)).insert();
        let of = |number: &str| -> Vec<String> {
            told(&duties(&host, "")).into_iter().filter(|one| one.starts_with(number)).collect()
        };
        assert_eq!(of("OLD"), ["OLD register 2025-02-21 late", "OLD share 2025-02-21 late", "OLD use 2025-12-31 missed", "OLD use 2026-12-31 open"]);
        assert_eq!(of("KEPT"), ["KEPT register 2024-06-17 late", "KEPT share 2024-06-17 missed", "KEPT use 2025-12-31 missed", "KEPT use 2026-12-31 open"]);
        // Changes are told, and nothing else.
        let since = host.get(&format!("{DUTIES}?updated_since=2026-01-01T00:00:00Z")).expect_status(200);
        assert_eq!(since["items"].as_array().unwrap().len(), told(&duties(&host, "")).len());
        app.advance(60);
        let now = app.now().to_string().replace('+', "%2B");
        let changed = || duties(&host, &format!("updated_since={now}"));
        assert_eq!(changed(), Vec::<Value>::new());
        let body = json!({"reason": "涉密"});
        host.post(&format!("/api/v1/instruments/{kept}/sharing-exemption"), body).expect_status(201);
        app.as_admin().post(&format!("/api/v1/instruments/{kept}/sharing-exemption/approve"), json!({})).expect_status(200);
        assert_eq!(told(&changed()), ["KEPT share 2024-06-17 exempt"]);
        let used = json!({
            "instrument_id": old, "organization_id": app.organization_id(UNIVERSITY), "mode": "entrusted", "purpose": "research",
            "started_at": "2026-02-09T09:00:00+08:00", "ended_at": "2026-02-09T10:00:00+08:00",
        });
        host.post("/api/v1/usage-records", used).expect_status(201);
        app.advance(24 * 60);
        assert_eq!(told(&changed()).last().unwrap(), "OLD use 2026-12-31 met");
        let use_of_old = duties(&host, "kind=use&detail=underused");
        assert_eq!(told(&use_of_old), ["OLD use 2026-12-31 met"]);
        assert_eq!(use_of_old[0]["met_on"], "2026-02-09");
        assert_eq!(told(&duties(&host, "kind=use&detail=idle&due_before=2026-01-01")), ["KEPT use 2025-12-31 missed", "OLD use 2025-12-31 missed"]);
        assert_eq!(told(&duties(&host, "kind=register&state=exempt&state=open")), ["GONE register 2026-03-20 exempt", "NEW register 2026-04-14 open"]);
        // A corrected ledger takes back what is due no longer.
        import(app, &host, "", "OLD,旧仪器,100000,2025-01-06,\n").expect_status(200);
        assert_eq!(of("OLD").iter().filter(|one| one.ends_with("exempt")).count(), 4);
    }

    fn duties_are_read_by_who_owes_them_and_who_supervises(app: &TestApp) {
        in_force(app);
        import(app, &app.as_host(), "", "OLD,旧仪器,300000,2025-01-06,\n").expect_status(200);
        given::instrument(app).of(OTHER_HOST).insert();
        for (client, own, others) in [
            (app.as_admin(), true, true), (app.as_person(AUDITOR), true, true), (app.as_person(CITY_ADMIN), true, false), (app.as_host(), true, false),
            (app.as_person(OTHER_HOST_ADMIN), false, true),
        ] {
            let found = duties(&client, "");
            let has = |uscc| found.iter().any(|duty| duty["organization_id"] == app.organization_id(uscc).number());
            let reads = (has(UNIVERSITY), has(OTHER_HOST));
            assert_eq!(reads, (own, others));
        }
        for (client, status) in [(app.as_company(), 403), (app.as_stranger(), 403), (app.visitor(), 401)] {
            client.get(DUTIES).expect_status(status);
        }
        let own = format!("organization_id={}", app.organization_id(UNIVERSITY));
        assert_eq!(duties(&app.as_admin(), &own).len(), 2);
        assert_eq!(duties(&app.as_person(OTHER_HOST_ADMIN), &own).len(), 0);
        let page = app.as_host().get(&format!("{DUTIES}?limit=1")).expect_status(200);
        let next = app.as_host().get(&format!("{DUTIES}?limit=1&cursor={}", page["next_cursor"].as_str().unwrap())).expect_status(200);
        assert_ne!(page["items"][0]["id"], next["items"][0]["id"]);
        assert_eq!(next["next_cursor"], Value::Null);
    }

    fn a_unit_is_reminded_of_what_comes_due(app: &TestApp) {
        in_force(app);
        import(app, &app.as_host(), "", "NEW,新仪器,200000,2026-03-02,\nTWO,另一台,200000,2026-03-02,\nOLD,旧仪器,300000,2025-01-06,\n").expect_status(200);
        let told = |action: &str| -> Vec<Value> {
            app.settle();
            let events = app.as_admin().get("/api/v1/events?limit=200").expect_status(200);
            let events = events["items"].as_array().unwrap().iter();
            events.filter(|event| event["action"] == action).map(|event| event["after"].clone()).collect()
        };
        let day = |days: i64| {
            app.advance(days * 24 * 60);
            follow(app);
            [told("duty_remind").len(), told("duty_lapse").len()]
        };
        // What was missed long ago is no news. Ten working days before 14 April is 30 March, three is 9 April.
        assert_eq!(day(27), [0, 0]);
        assert_eq!(day(1), [2, 0]);
        assert_eq!(told("duty_remind")[0], json!({"kind": "register", "due_on": "2026-04-14", "duties": 2}));
        assert_eq!(day(9), [2, 0]);
        assert_eq!(day(1), [4, 0]);
        assert_eq!(day(5), [4, 0]);
        assert_eq!(day(1), [4, 2]);
        assert_eq!(told("duty_lapse")[0], json!({"kind": "register", "due_on": "2026-04-14", "duties": 2}));
        assert_eq!(day(1), [4, 2]);
        app.tell();
        let notices = app.as_host().get("/api/v1/notices?limit=200&type=duty_lapse").expect_status(200);
        assert_eq!(notices["items"].as_array().unwrap().len(), 2);
        // A missed day is made up for, not told twice.
        import(app, &app.as_host(), "", "LATE,后补,200000,2026-03-01,\n").expect_status(200);
        assert_eq!(day(0), [4, 4]);
    }
}
