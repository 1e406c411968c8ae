//! A week of a host that begins with a spreadsheet: fifty instruments on line in eight calls, requests, a broken instrument,
//! uses, and the month's invoice, by public calls alone and few of them.

use std::cell::Cell;

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use ureq::http::Method;

use crate::both;
use crate::client::{Answer, Client};
use crate::world::*;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

const INSTRUMENTS: usize = 50;

/// Somebody whose calls are counted together with the others'.
struct Counted<'a> {
    client: Client,
    calls: &'a Cell<u32>,
}

impl Counted<'_> {
    fn request(&self, method: Method, path: &str) -> crate::client::Request<'_> {
        self.calls.set(self.calls.get() + 1);
        self.client.request(method, &format!("/api/v1{path}"))
    }

    fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().expect_status(200)
    }

    fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path).json(body).send()
    }

    fn put(&self, path: &str, tag: &str, body: Value) -> Answer {
        let request = self.request(Method::PUT, path).header("If-Match", tag);
        request.json(body).send().expect_status(200)
    }

    fn import(&self, path: &str, table: Vec<u8>) -> Answer {
        let request = self.request(Method::POST, path);
        request.bytes(XLSX, table).send().expect_status(200)
    }

    /// A bulk of which every item is done.
    fn all(&self, method: Method, path: &str, items: Vec<Value>, status: u16) {
        let count = items.len();
        let request = self.request(method, path).json(json!({ "items": items }));
        let answer = request.send().expect_status(200);
        let done = list(&answer);
        let done = done.iter().filter(|item| item["status"] == status);
        assert_eq!(done.count(), count, "{path}: {}", answer.text());
    }
}

fn list(answer: &Answer) -> Vec<Value> {
    answer["items"].as_array().unwrap().clone()
}

/// A spreadsheet as people fill it in.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let head = head.iter().map(|title| (*title).to_owned()).collect();
    for (row, cells) in std::iter::once(head).chain(rows).enumerate() {
        for (column, text) in cells.into_iter().enumerate() {
            let place = (row.try_into().unwrap(), column.try_into().unwrap());
            sheet.write(place.0, place.1, text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

fn asset_no(at: usize) -> String {
    format!("YQ-{:03}", at + 1)
}

fn instruments() -> Vec<u8> {
    let head = [
        "资产编号",
        "仪器名称",
        "规格型号",
        "生产厂商",
        "产地国别",
        "原值（元）",
        "分类编码",
        "用途类型",
        "验收日期",
        "启用日期",
        "共享模式",
        "安放地址",
        "联系人",
        "联系电话",
    ];
    let row = |at: usize| {
        let cells = [
            &asset_no(at),
            "场发射扫描电子显微镜",
            "SU8600",
            "Hitachi",
            "日本",
            "1200000",
            "010102",
            "通用",
            "2024-05-06",
            "2024-06-01",
            "对外共享",
            "实验楼 101",
            "仪器平台",
            "0312-5000000",
        ];
        cells.map(str::to_owned).into()
    };
    table(&head, (0..INSTRUMENTS).map(row))
}

fn prices() -> Vec<u8> {
    let head = [
        "资产编号",
        "起始日期",
        "截止日期（含当日）",
        "价格（元/小时）",
    ];
    let row = |at: usize| {
        let cells = [&asset_no(at), "2026-01-01", "2026-12-31", "100"];
        cells.map(str::to_owned).into()
    };
    table(&head, (0..INSTRUMENTS).map(row))
}

fn tuesday(hour: i64) -> String {
    format!("2026-03-03T{hour:02}:00:00+08:00")
}

/// Everybody of the story.
struct People<'a> {
    host: Counted<'a>,
    city: Counted<'a>,
    manager: Counted<'a>,
    company: Counted<'a>,
}

/// From the spreadsheet to the list; the ids in the order of the rows.
fn bring_on_line(app: &TestApp, people: &People<'_>) -> Vec<Value> {
    let host = &people.host;
    let imported = host.import("/instruments/import", instruments());
    assert_eq!(imported["created"], INSTRUMENTS);
    let unit = format!(
        "/organizations/{}/booking-rules",
        app.organization_id(UNIVERSITY)
    );
    let present = host.get(&unit);
    let hours = json!({"weekdays": [1, 2, 3, 4, 5], "from": "08:00", "until": "20:00"});
    let rules = json!({"approval": "manual", "weekly_hours": [hours], "lead_minutes": 60, "cancel_before_minutes": 120});
    host.put(&unit, present.etag(), rules);
    host.import("/tariffs/import", prices());
    let ids: Vec<Value> = list(&host.get("/instruments?sort=asset_no&limit=200"))
        .iter()
        .map(|instrument| instrument["id"].clone())
        .collect();
    assert_eq!(ids.len(), INSTRUMENTS);
    let service = |id| json!({"id": id, "test_item": "形貌观察", "unit": "样", "price_fen": 5_000});
    let services = ids.iter().map(service).collect();
    host.all(Method::POST, "/instruments/services", services, 201);
    let named: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    host.all(Method::POST, "/instruments/submit", named.clone(), 200);
    people
        .city
        .all(Method::POST, "/instruments/approve", named, 200);
    ids
}

/// Ten requests of the company, each for two hours of Tuesday on an instrument of its own, approved at once; their ids.
fn book(app: &TestApp, people: &People<'_>, ids: &[Value]) -> Vec<i64> {
    let manager = &people.manager;
    let listed = list(&people.host.get("/instruments?status=listed&limit=200"));
    assert_eq!(listed.len(), INSTRUMENTS);
    let item = |instrument: &Value| json!({"id": instrument["id"], "version": instrument["version"], "manager_ids": [app.user_id(MANAGER)]});
    let managers = listed.iter().map(item).collect();
    people
        .host
        .all(Method::PUT, "/instruments/managers", managers, 200);
    let services = people
        .company
        .get(&format!("/instruments/{}/services", ids[0]));
    let service = services["items"][0]["id"].clone();
    let mut booked = Vec::new();
    for (at, id) in ids.iter().enumerate().take(10) {
        let mut wish = json!({
            "instrument_id": id, "mode": "guided", "purpose": "research", "starts_at": tuesday(10), "ends_at": tuesday(12),
        });
        if at == 0 {
            wish["service_items"] = json!([{"service_id": service, "quantity": 2}]);
        }
        let made = people.company.post("/bookings", wish).expect_status(201);
        assert_eq!(made["state"], "requested");
        booked.push(made.id());
    }
    let waiting = list(&manager.get("/bookings?state=requested&assigned_to=me"));
    let item = |booking: &Value| json!({"id": booking["id"], "version": booking["version"]});
    let waiting: Vec<Value> = waiting.iter().map(item).collect();
    assert_eq!(waiting.len(), 10);
    manager.all(Method::POST, "/bookings/approve", waiting, 200);
    booked
}

/// The sixth instrument breaks: its booking goes to an instrument that nobody has booked, and the company hears of it all.
fn mend(app: &TestApp, people: &People<'_>, ids: &[Value], booking: i64) {
    let manager = &people.manager;
    let closure = json!({"starts_at": tuesday(8), "ends_at": tuesday(18), "kind": "fault", "public_reason": "真空泵故障"});
    let closed = manager.post(&format!("/instruments/{}/closures", ids[5]), closure);
    let hit = closed.expect_status(201);
    assert_eq!(
        (&hit["bookings_count"], &hit["bookings"][0]["id"]),
        (&json!(1), &json!(booking))
    );
    let to = json!({"starts_at": tuesday(10), "ends_at": tuesday(12), "instrument_id": ids[10], "reason": "真空泵故障"});
    let moved = manager
        .post(&format!("/bookings/{booking}/reschedule"), to)
        .expect_status(200);
    assert_eq!(
        (&moved["instrument_id"], &moved["state"], &moved["problem"]),
        (&ids[10], &json!("confirmed"), &Value::Null)
    );
    app.tell();
    let notices = list(&people.company.get("/notices"));
    for (told, count) in [
        ("booking_approve", 1),
        ("booking_affect", 1),
        ("booking_reschedule", 1),
    ] {
        let of_type = notices.iter().filter(|notice| notice["type"] == told);
        assert_eq!(of_type.count(), count, "{told} in {notices:?}");
    }
}

/// Four bookings are used: the first is started and finished on the spot, the others are told at the end of the day.
fn use_them(app: &TestApp, people: &People<'_>, booked: &[i64]) {
    let manager = &people.manager;
    app.advance(25 * 60);
    manager
        .post(&format!("/bookings/{}/start", booked[0]), json!({}))
        .expect_status(200);
    app.advance(120);
    let done = manager
        .post(
            &format!("/bookings/{}/finish", booked[0]),
            json!({"samples": 2}),
        )
        .expect_status(200);
    assert_eq!(done["state"], "completed");
    for booking in &booked[1..4] {
        let told = json!({"started_at": tuesday(10), "ended_at": tuesday(11)});
        manager
            .post(&format!("/bookings/{booking}/finish"), told)
            .expect_status(200);
    }
}

/// One invoice at the end of the month for all that was used, and its money.
fn settle(app: &TestApp, people: &People<'_>) {
    let (host, company) = (&people.host, &people.company);
    app.advance(28 * 24 * 60);
    let charges = list(&host.get("/charges?state=open"));
    let mut owed: Vec<(i64, i64)> = charges
        .iter()
        .map(|charge| {
            (
                charge["id"].as_i64().unwrap(),
                charge["amount_fen"].as_i64().unwrap(),
            )
        })
        .collect();
    owed.sort_unstable();
    // Two hours and two samples, and three times an hour.
    let amounts: Vec<i64> = owed.iter().map(|(_, amount)| *amount).collect();
    assert_eq!(amounts, [20_000 + 10_000, 10_000, 10_000, 10_000]);
    let ids: Vec<i64> = owed.iter().map(|(id, _)| *id).collect();
    let invoice =
        json!({"invoice_no": "13002600111-00000001", "issued_on": "2026-03-31", "charge_ids": ids});
    let invoice = host.post("/invoices", invoice).expect_status(201);
    assert_eq!(invoice["amount_fen"], 60_000);

    let payment =
        |amount: i64| json!({"amount_fen": amount, "paid_on": "2026-03-31", "source": "payer"});
    let path = |id: i64| format!("/charges/{id}/payments");
    let (first, amount) = owed[0];
    let declared = company
        .post(&path(first), payment(amount))
        .expect_status(201);
    assert_eq!(
        (&declared["state"], &declared["payments"][0]["state"]),
        (&json!("invoiced"), &json!("declared"))
    );
    let receive = format!("/payments/{}/receive", declared["payments"][0]["id"]);
    let received = host.post(&receive, json!({})).expect_status(200);
    assert_eq!(received["state"], "paid");
    for (id, amount) in &owed[1..] {
        let paid = host.post(&path(*id), payment(*amount)).expect_status(201);
        assert_eq!(
            (&paid["state"], &paid["outstanding_fen"]),
            (&json!("paid"), &json!(0))
        );
    }
}

both! {
    fn a_week_takes_at_most_forty_calls(app: &TestApp) {
        let calls = Cell::new(0);
        let counted = |client: Client| Counted { client, calls: &calls };
        let people = People {
            host: counted(app.as_host()),
            city: counted(app.as_person(CITY_ADMIN)),
            manager: counted(app.as_person(MANAGER)),
            company: counted(app.as_company()),
        };
        let ids = bring_on_line(app, &people);
        assert_eq!(calls.get(), 8, "fifty instruments on line");
        let found = app.visitor().get("/api/v1/instruments?limit=200").expect_status(200);
        assert_eq!(list(&found).len(), INSTRUMENTS, "everybody finds them");

        let booked = book(app, &people, &ids);
        mend(app, &people, &ids, booked[5]);
        use_them(app, &people, &booked);
        settle(app, &people);
        assert!(calls.get() <= 40, "{} calls", calls.get());
    }
}
