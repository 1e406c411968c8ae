//! Preflight: every lack appears with its number, its money and a list that shows as many, and disappears when it is mended.

use diesel::RunQueryDsl;
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;
use yiqi::domain::instrument::InstrumentState;
use yiqi::domain::preflight::Lack;
use yiqi::operations::policy::install_shipped;

use crate::both;
use crate::charge::{charge_of, record};
use crate::client::Client;
use crate::given;
use crate::payment::income;
use crate::subsidy::begun;
use crate::world::*;

const YEAR: i32 = 2026;

/// The items of a preflight, each of whose lists shows as many as it counts.
fn items(client: &Client, path: &str) -> Vec<Value> {
    let answer = client.get(path).expect_status(200);
    let items = answer["items"].as_array().unwrap().clone();
    for item in &items {
        let list = item["list"].as_str().unwrap();
        assert_eq!(count(client, list), item["count"], "{item}");
        assert!(
            item["sentence"].as_str().unwrap().contains(['；', ';']),
            "{item}"
        );
    }
    items
}

/// How many a list shows, page by page.
fn count(client: &Client, list: &str) -> i64 {
    let (mut shown, mut cursor) = (0, None::<String>);
    loop {
        let path = match &cursor {
            Some(cursor) => format!("{list}&limit=1&cursor={cursor}"),
            None => format!("{list}&limit=1"),
        };
        let page = client.get(&path).expect_status(200);
        shown += i64::try_from(page["items"].as_array().unwrap().len()).unwrap();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return shown,
        }
    }
}

fn of<'a>(items: &'a [Value], code: &str) -> Option<&'a Value> {
    items.iter().find(|item| item["code"] == code)
}

fn live(app: &TestApp) -> Vec<Value> {
    let unit = app.organization_id(UNIVERSITY);
    let path = format!("/api/v1/preflight?year={YEAR}&organization_id={unit}");
    items(&app.as_admin(), &path)
}

/// Count, minutes and money of a lack; nothing where it is not there.
fn figures(app: &TestApp, code: &str) -> Option<(i64, i64, i64)> {
    let items = live(app);
    let item = of(&items, code)?;
    let number = |name: &str| item[name].as_i64().unwrap();
    Some((number("count"), number("minutes"), number("income_fen")))
}

/// Worth 300,000 yuan, so that typed hours are no weak evidence, and 60 yuan an hour.
fn cheap(app: &TestApp) -> InstrumentId {
    let value = yiqi::domain::Fen::new(30_000_000);
    let instrument = given::instrument(app)
        .with(|facts| facts.original_value_fen = value)
        .insert();
    price(app, instrument);
    instrument
}

fn price(app: &TestApp, instrument: InstrumentId) {
    let price = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000});
    let path = format!("/api/v1/instruments/{instrument}/tariffs");
    app.as_host().post(&path, price).expect_status(201);
}

fn say(client: &Client, path: &str, body: Value) {
    let answer = client.post(&format!("/api/v1/{path}"), body);
    assert!(answer.status < 300, "{path}: {}", answer.text());
}

/// Money of the year's charges, whatever stands in its way.
fn all_money(app: &TestApp) -> i64 {
    let list =
        format!("/api/v1/charges?year={YEAR}&state=open&state=invoiced&state=paid&limit=200");
    let charges = app.as_admin().get(&list).expect_status(200);
    let charges = charges["items"].as_array().unwrap().iter();
    charges
        .map(|charge| charge["amount_fen"].as_i64().unwrap())
        .sum()
}

/// Every fen is counted or stands under exactly one code.
fn assert_money(app: &TestApp) {
    let items = live(app);
    let lost: i64 = items
        .iter()
        .map(|item| item["income_fen"].as_i64().unwrap())
        .sum();
    let weak =
        of(&items, "records_weak_evidence").map_or(0, |item| item["income_fen"].as_i64().unwrap());
    assert_eq!(
        lost + income(app, YEAR) - weak,
        all_money(app),
        "{items:#?}"
    );
}

both! {
    fn money_goes_from_one_lack_to_the_next_until_it_counts(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        let (company, finance, host) = (app.as_company(), app.as_person(FINANCE), app.as_host());
        let sem = cheap(app);
        let [first, second] = [10, 11].map(|day| record(app, sem, day));
        assert_eq!(figures(app, "records_unconfirmed"), Some((2, 180, 18_000)));
        assert_money(app);

        say(&company, &format!("usage-records/{second}/dispute"), json!({"reason": "太长"}));
        assert_eq!(figures(app, "records_unconfirmed"), Some((1, 90, 9_000)));
        assert_eq!(figures(app, "records_disputed"), Some((1, 90, 9_000)));
        assert_money(app);
        for id in [first, second] {
            say(&company, &format!("usage-records/{id}/confirm"), json!({}));
        }
        for code in ["records_unconfirmed", "records_disputed"] {
            assert_eq!(figures(app, code), None, "{code}");
        }
        assert_eq!(figures(app, "charges_not_invoiced"), Some((2, 180, 18_000)));
        assert_money(app);

        let charges = [first, second].map(|id| charge_of(&host, id)[0]["id"].clone());
        let pay = |charge: &Value, fen: i64| {
            let payment = json!({"amount_fen": fen, "paid_on": "2026-03-01", "source": "payer"});
            say(&finance, &format!("charges/{charge}/payments"), payment);
        };
        // Paid before there is an invoice: it does not count yet.
        pay(&charges[0], 9_000);
        assert_eq!(figures(app, "charges_not_invoiced"), Some((2, 180, 18_000)));
        assert_money(app);
        for (number, charge) in charges.iter().enumerate() {
            let invoice = json!({"invoice_no": format!("PF-{number}"), "issued_on": "2026-03-01"});
            say(&finance, &format!("charges/{charge}/invoice"), invoice);
        }
        assert_eq!(figures(app, "charges_not_invoiced"), None);
        assert_eq!(figures(app, "charges_not_paid"), Some((1, 90, 9_000)));
        assert_money(app);
        pay(&charges[1], 4_000);
        assert_eq!(figures(app, "charges_not_paid"), Some((1, 90, 5_000)));
        assert_money(app);
        pay(&charges[1], 5_000);
        assert_eq!(figures(app, "charges_not_paid"), None);
        assert_eq!(income(app, YEAR), 18_000);
        assert_money(app);

        // Typed hours of an instrument this valuable are weak evidence, whatever becomes of their money.
        let valuable = given::instrument(app).insert();
        price(app, valuable);
        let weak = record(app, valuable, 12);
        say(&company, &format!("usage-records/{weak}/confirm"), json!({}));
        assert_eq!(figures(app, "records_weak_evidence"), Some((1, 90, 0)));
        assert_money(app);
        let charge = charge_of(&host, weak)[0]["id"].clone();
        say(&finance, &format!("charges/{charge}/invoice"), json!({"invoice_no": "PF-9", "issued_on": "2026-03-01"}));
        pay(&charge, 9_000);
        assert_eq!(figures(app, "records_weak_evidence"), Some((1, 90, 9_000)));
        assert_money(app);
        let payments = finance.get(&format!("/api/v1/charges/{charge}"));
        say(&finance, &format!("payments/{}/reverse", payments["payments"][0]["id"]), json!({"reason": "误收"}));
        say(&finance, &format!("invoices/{}/annul", payments["invoice"]["id"]), json!({"reason": "误开"}));
        say(&host, &format!("usage-records/{weak}/void"), json!({"reason": "误录"}));
        assert_eq!(figures(app, "records_weak_evidence"), None);
        assert_money(app);

        // Without a price there is no money to lose yet, and then there is.
        let free = given::instrument(app).with(|facts| facts.original_value_fen = yiqi::domain::Fen::new(30_000_000)).insert();
        let unpriced = record(app, free, 13);
        assert_eq!(figures(app, "usage_without_price"), Some((1, 90, 0)));
        price(app, free);
        say(&finance, &format!("usage-records/{unpriced}/charge"), json!({}));
        assert_eq!(figures(app, "usage_without_price"), None);
        assert_eq!(figures(app, "records_unconfirmed"), Some((1, 90, 9_000)));
        assert_money(app);

        // Another year has none of it.
        let other = format!("/api/v1/preflight?year=2025&organization_id={}", app.organization_id(UNIVERSITY));
        let other = items(&app.as_admin(), &other);
        assert!(of(&other, "records_unconfirmed").is_none(), "{other:?}");
    }

    fn points_are_lost_by_what_nobody_answered_registered_or_described(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        let (host, admin) = (app.as_host(), app.as_admin());
        let sem = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let wish = json!({
            "instrument_id": sem, "mode": "guided", "purpose": "research",
            "starts_at": "2026-03-03T10:00:00+08:00", "ends_at": "2026-03-03T11:00:00+08:00",
        });
        let booking = app.as_company().post("/api/v1/bookings", wish).expect_status(201);
        let found = live(app);
        let unanswered = of(&found, "requests_unanswered").unwrap();
        assert_eq!((&unanswered["due_on"], &unanswered["weight"]), (&json!("2026-03-05"), &json!("points")));
        let approve = host.request(Method::POST, &format!("/api/v1/bookings/{}/approve", booking.id()));
        approve.header("If-Match", booking.etag()).json(json!({})).send().expect_status(200);
        assert_eq!(figures(app, "requests_unanswered"), None);

        let contact = json!({"name": "张工", "phone": "0312-5000000"});
        let draft = given::instrument(app).in_state(InstrumentState::Draft).with(|facts| {
            facts.accepted_on = "2026-02-02".parse().ok();
            facts.enabled_on = "2026-02-03".parse().ok();
            facts.public_contact = serde_json::from_value(contact.clone()).ok();
        });
        let draft = draft.insert();
        let found = live(app);
        let due = of(&found, "registrations_due").unwrap();
        assert_eq!((&due["count"], due["due_on"].is_string()), (&json!(1), true));
        price(app, draft);
        say(&host, &format!("instruments/{draft}/submit"), json!({}));
        assert_eq!(figures(app, "registrations_due"), None);

        assert_eq!(figures(app, "instruments_incomplete"), Some((1, 0, 0)));
        let path = format!("/api/v1/instruments/{sem}");
        let described = json!({
            "technical": "0.6 nm", "functions": "成像", "service_content": "代测", "user_notice": " ", "public_contact": contact,
        });
        let change = |body: Value| {
            let present = host.get(&path).expect_status(200);
            let patch = host.request(Method::PATCH, &path).header("If-Match", present.etag());
            patch.json(body).send().expect_status(200);
        };
        change(described);
        price(app, sem);
        assert_eq!(figures(app, "instruments_incomplete"), Some((1, 0, 0)));
        change(json!({"user_notice": "请预约"}));
        assert_eq!(figures(app, "instruments_incomplete"), None);

        // What nobody can mend: no people, no experts' points.
        let other = app.organization_id(OTHER_HOST);
        given::instrument(app).of(OTHER_HOST).insert();
        let people = format!("/api/v1/preflight?year={YEAR}&organization_id={other}");
        assert!(of(&items(&admin, &people), "unit_without_people").is_none());
        let state = |state: &'static str| {
            app.write(move |tx| {
                let login = OTHER_HOST_ADMIN.login;
                let text = format!("UPDATE user_account SET state = '{state}' WHERE login = '{login}'");
                diesel::sql_query(text).execute(tx).map_err(yiqi::store::StoreError::from)?;
                Ok(())
            });
        };
        state("suspended");
        let found = items(&admin, &people);
        assert_eq!(of(&found, "unit_without_people").unwrap()["weight"], "blocks");
        state("active");
        assert!(of(&items(&admin, &people), "unit_without_people").is_none());
        assert_eq!(figures(app, "expert_points_missing"), Some((2, 0, 0)));
        given::expert_points(app, YEAR.into());
        assert_eq!(figures(app, "expert_points_missing"), None);
    }

    fn each_asks_about_what_is_theirs(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        record(app, cheap(app), 10);
        given::instrument(app).of(OTHER_HOST).insert();
        let [own, other] = [UNIVERSITY, OTHER_HOST].map(|uscc| app.organization_id(uscc));
        let path = |more: &str| format!("/api/v1/preflight?year={YEAR}{more}");
        let (host, admin) = (app.as_host(), app.as_admin());
        let mine = items(&host, &path(""));
        assert!(mine.iter().all(|item| item["organization_id"] == own.number()), "{mine:?}");
        assert!(of(&mine, "records_unconfirmed").is_some());
        assert!(of(&mine, "expert_points_missing").is_none());
        assert_eq!(items(&host, &path(&format!("&organization_id={own}"))), mine);
        for unit in [other.number(), 999_999] {
            let asked = path(&format!("&organization_id={unit}"));
            host.get(&asked).expect_code(422, "unknown_reference");
        }
        admin.get(&path("&organization_id=999999")).expect_code(422, "unknown_reference");
        admin.get(&path("&policy=hebei-2099")).expect_code(422, "unknown_reference");
        admin.get("/api/v1/preflight").expect_code(400, "missing_field");
        admin.get("/api/v1/preflight?year=2027").expect_code(422, "out_of_range");
        app.as_company().get(&path("")).expect_code(403, "forbidden");
        let all = items(&admin, &path("&policy=hebei-2026@1"));
        for unit in [own, other] {
            assert!(all.iter().any(|item| item["organization_id"] == unit.number()), "{unit}");
        }
        let english = items(&host.in_language("en"), &path(""));
        let said = of(&english, "records_unconfirmed").unwrap()["sentence"].as_str().unwrap();
        assert!(said.starts_with("1 usage records wait for the using units (90.00 yuan)"), "{said}");
        for item in &all {
            let code = item["code"].as_str().unwrap();
            assert!(Lack::ALL.iter().any(|lack| lack.as_str() == code));
        }
    }

    fn a_draft_is_asked_by_its_own_pack_and_points(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        record(app, cheap(app), 10);
        given::instrument(app).of(OTHER_HOST).insert();
        let admin = app.as_admin();
        let draft = begun(&admin, "/api/v1/evaluations", json!({"year": YEAR, "policy": "hebei-2026"}));
        let path = format!("/api/v1/evaluations/{}/preflight", draft.id());
        let found = items(&admin, &path);
        let missing = |items: &[Value]| items.iter().filter(|item| item["code"] == "expert_points_missing").count();
        assert_eq!(missing(&found), 2);
        assert!(of(&found, "records_unconfirmed").is_some());
        assert_eq!(of(&found, "expert_points_missing").unwrap()["weight"], "blocks");
        let scores = ["A4", "B3"].map(|indicator| {
            json!({"organization_id": app.organization_id(UNIVERSITY), "indicator": indicator, "points": "3"})
        });
        let put = admin.request(Method::PUT, &format!("/api/v1/evaluations/{}/expert-scores", draft.id()));
        put.header("If-Match", draft.etag()).json(json!({"scores": scores})).send().expect_status(200);
        assert_eq!(missing(&items(&admin, &path)), 1);
        app.as_host().get(&path).expect_code(404, "not_found");
    }

    /// The province counts all serious findings that nobody decided of, the host those that are shown to it.
    fn undecided_findings_are_told_to_whom_they_are_shown(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        let unit = app.organization_id(UNIVERSITY);
        for (rule, subject) in [("overlap", "a"), ("overlap", "b"), ("late_manual_entry", "c")] {
            let text = format!(
                "INSERT INTO finding (year, rule, subject, organization_id, records, minutes, income_fen, record_ids, facts_digest, \
                 state, version, created_at, updated_at) VALUES (2026, '{rule}', '{subject}', {unit}, 1, 0, 0, '[]', '', 'open', 1, \
                 '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
            );
            app.write(move |tx| Ok(diesel::sql_query(text.as_str()).execute(tx)?));
        }
        let own = || items(&app.as_host(), &format!("/api/v1/preflight?year={YEAR}"));
        let counted = |items: &[Value]| of(items, "findings_open").map(|item| item["count"].clone());
        assert_eq!((counted(&live(app)), counted(&own())), (Some(json!(2)), None));
        assert_eq!(of(&live(app), "findings_open").unwrap()["weight"], "blocks");
        let admin = app.as_admin();
        let list = admin.get("/api/v1/findings?year=2026&severity=serious").expect_status(200);
        let path = |at: usize| format!("/api/v1/findings/{}", list["items"][at]["id"]);
        admin.post(&format!("{}/assign", path(0)), json!({"due_on": "2026-03-20"})).expect_status(200);
        assert_eq!((counted(&live(app)), counted(&own())), (Some(json!(2)), Some(json!(1))));
        assert_eq!(of(&own(), "findings_open").unwrap()["due_on"], "2026-03-20");
        for at in [0, 1] {
            admin.post(&format!("{}/clear", path(at)), json!({"text": "已核对"})).expect_status(200);
        }
        assert_eq!((counted(&live(app)), counted(&own())), (None, None));
    }
}
