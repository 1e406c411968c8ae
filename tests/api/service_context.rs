//! Class and project of a service, and whether an instrument is a set: entered, corrected, taken away, exported and imported again,
//! and refused in both languages wherever they can be typed.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::InstrumentId;
use yiqi::store;

use crate::client::{Answer, Client};
use crate::world::{COMPANY, OTHER_COMPANY, TestApp, World};
use crate::{both, given};

const RECORDS: &str = "/api/v1/usage-records";
const INSTRUMENTS: &str = "/api/v1/instruments";
const FIELDS: [&str; 3] = ["service_class", "project", "project_level"];

fn service(app: &World, instrument: InstrumentId, hour: u32) -> Value {
    json!({
        "instrument_id": instrument,
        "organization_id": app.organization_id(COMPANY),
        "started_at": format!("2026-02-10T{hour:02}:00:00+08:00"),
        "ended_at": format!("2026-02-10T{:02}:00:00+08:00", hour + 1),
        "mode": "entrusted",
        "purpose": "research",
    })
}

fn with(mut body: Value, more: &Value) -> Value {
    let members = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(members);
    body
}

fn said(record: &Value) -> [Value; 3] {
    FIELDS.map(|field| record[field].clone())
}

fn import(client: &Client, list: &str, query: &str, file: &str) -> Answer {
    let path = format!("{list}/import{query}");
    let request = client.request(Method::POST, &path);
    request.bytes("text/csv", file.to_owned()).send()
}

fn asset_no(app: &World, instrument: InstrumentId) -> String {
    app.read(move |conn| {
        let row = store::instrument::get(conn, instrument)?;
        Ok(row.facts.asset_no.to_string())
    })
}

/// A booking of the company that runs since 10:00; it is 11:00.
fn running(app: &TestApp, instrument: InstrumentId) -> i64 {
    let wish = json!({
        "instrument_id": instrument, "starts_at": "2026-03-03T10:00:00+08:00", "ends_at": "2026-03-03T11:00:00+08:00",
        "mode": "guided", "purpose": "development",
    });
    let booking = app
        .as_company()
        .post("/api/v1/bookings", wish)
        .expect_status(201)
        .id();
    app.advance(60 * 25);
    let path = format!("/api/v1/bookings/{booking}");
    let host = app.as_host();
    host.post(&format!("{path}/start"), json!({}))
        .expect_status(200);
    app.advance(60);
    booking
}

both! {
    fn class_and_project_are_entered_corrected_and_taken_away(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let host = app.as_host();
        let full = json!({"service_class": "medical", "project": "2026YFC-08 号", "project_level": "national"});
        let typed = host.post(RECORDS, with(service(app, instrument, 9), &full)).expect_status(201);
        assert_eq!(said(&typed.body), [json!("medical"), json!("2026YFC-08 号"), json!("national")]);
        let id = typed.id();
        let correct = format!("{RECORDS}/{id}/correct");
        let kept = host.post(&correct, json!({"samples": 2})).expect_status(200);
        assert_eq!(said(&kept.body), said(&typed.body));
        let other = host.post(&correct, json!({"service_class": "enforcement", "project_level": null})).expect_status(200);
        assert_eq!(said(&other.body), [json!("enforcement"), json!("2026YFC-08 号"), Value::Null]);
        // The same said again is no version.
        let again = host.post(&correct, json!({"service_class": "enforcement"})).expect_status(200);
        assert_eq!(again["version"], other["version"]);
        let versions = host.get(&format!("{RECORDS}/{id}/versions")).expect_status(200);
        let told: Vec<_> = versions["items"].as_array().unwrap().iter().map(said).collect();
        assert_eq!(told, [said(&other.body), said(&typed.body), said(&typed.body)]);
        // The project is the using unit's own.
        let moved = json!({"organization_id": app.organization_id(OTHER_COMPANY)});
        let moved = host.post(&correct, moved).expect_status(200);
        assert_eq!(said(&moved.body), [json!("enforcement"), Value::Null, Value::Null]);
        let bare = host.post(RECORDS, service(app, instrument, 11)).expect_status(201);
        assert_eq!(said(&bare.body), [Value::Null, Value::Null, Value::Null]);

        app.settle();
        let path = format!("/api/v1/events?subject_type=usage_record&subject_id={id}&action=usage_record_create");
        let events = app.as_admin().get(&path).expect_status(200);
        let after = &events["items"][0]["after"];
        assert_eq!((&after["service_class"], &after["project_level"]), (&json!("medical"), &json!("national")));
        assert_eq!(after["project"], Value::Null);
    }

    fn finishing_a_booking_tells_class_and_project(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let finish = format!("/api/v1/bookings/{}/finish", running(app, instrument));
        let full = json!({"service_class": "bulk_inspection", "project": "甲", "project_level": "county"});
        let done = app.as_host().post(&finish, &full).expect_status(200);
        let record = app.as_host().get(&format!("{RECORDS}/{}", done["usage_record_ids"][0])).expect_status(200);
        assert_eq!(said(&record.body), said(&full));
    }

    fn tables_bring_them_and_come_back(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let (host, asset) = (app.as_host(), asset_no(app, instrument));
        let file = format!(
            "资产编号,用户单位统一社会信用代码,开始时间,结束时间,服务方式,用途,服务类别,项目,项目级别\n\
             {asset},{COMPANY},2026-02-11 09:00,2026-02-11 10:00,指导操作,科研,商业验货,=甲项目,省级\n\
             {asset},{COMPANY},2026-02-11 10:00,2026-02-11 11:00,guided,other,telecom_billing,,municipal\n\
             {asset},{COMPANY},2026-02-11 11:00,2026-02-11 12:00,guided,other,,,\n"
        );
        import(&host, RECORDS, "", &file).expect_status(200);
        let list = |client: &Client| -> Vec<[Value; 3]> {
            let page = client.get(&format!("{RECORDS}?state=recorded")).expect_status(200);
            page["items"].as_array().unwrap().iter().map(said).collect()
        };
        let first = list(&host);
        assert_eq!(first, [
            [Value::Null, Value::Null, Value::Null],
            [json!("telecom_billing"), Value::Null, json!("municipal")],
            [json!("commercial_inspection"), json!("=甲项目"), json!("provincial")],
        ]);
        for format in ["csv", "xlsx"] {
            let path = format!("{RECORDS}/export?state=recorded&format={format}");
            let answer = host.get(&path).expect_status(200);
            let media = match format {
                "csv" => "text/csv",
                _ => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            };
            for item in host.get(&format!("{RECORDS}?state=recorded"))["items"].as_array().unwrap() {
                host.post(&format!("{RECORDS}/{}/void", item["id"]), json!({"reason": "x"})).expect_status(200);
            }
            let sent = host.request(Method::POST, &format!("{RECORDS}/import"));
            sent.bytes(media, answer.bytes.clone()).send().expect_status(200);
            let mut back = list(&host);
            back.sort_by_key(|row| row[0].to_string());
            let mut expected = first.clone();
            expected.sort_by_key(|row| row[0].to_string());
            assert_eq!(back, expected, "{format}");
        }
    }

    fn what_is_no_class_no_project_and_no_level_is_refused_everywhere(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let host = app.as_host();
        let id = host.post(RECORDS, service(app, instrument, 9)).expect_status(201).id();
        let finish = format!("/api/v1/bookings/{}/finish", running(app, instrument));
        let entrances: [(String, Value); 3] = [
            (RECORDS.to_owned(), service(app, instrument, 13)),
            (format!("{RECORDS}/{id}/correct"), json!({})),
            (finish, json!({})),
        ];
        let long = "长".repeat(201);
        let bad: [(&str, Value, &[&str]); 9] = [
            ("service_class", json!("hospital"), &["invalid_value", "unknown_word"]),
            ("service_class", json!(7), &["wrong_type", "invalid_value"]),
            ("service_class", json!(["medical"]), &["wrong_type", "invalid_value"]),
            ("project_level", json!("federal"), &["invalid_value", "unknown_word"]),
            ("project_level", json!(true), &["wrong_type", "invalid_value"]),
            ("project", json!(long), &["text_too_long"]),
            ("project", json!("  "), &["required"]),
            ("project", json!("a\u{7}b"), &["control_character"]),
            ("project", json!(12), &["wrong_type", "invalid_value"]),
        ];
        for (path, whole) in &entrances {
            for (field, value, codes) in &bad {
                for language in ["zh-CN", "en"] {
                    let body = with(whole.clone(), &json!({*field: value}));
                    let refused = host.in_language(language).post(path, &body);
                    assert!([400, 422].contains(&refused.status), "{path} {field} {value}: {}", refused.text());
                    let fault = &refused["errors"][0];
                    assert_eq!(fault["field"], *field, "{path} {value}: {}", refused.text());
                    let code = fault["code"].as_str().unwrap();
                    assert!(codes.contains(&code), "{path} {field} {value}: {code}");
                    let text = fault["message"].as_str().unwrap();
                    assert_eq!(text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), language == "zh-CN", "{text}");
                }
            }
        }
        let asset = asset_no(app, instrument);
        let head = "asset_no,using_uscc,started_at,ended_at,mode,purpose,service_class,project,project_level";
        let row = format!("{asset},{COMPANY},2026-02-12 09:00,2026-02-12 10:00,guided,other");
        for (cells, column, code) in [
            ("hospital,,", "service_class", "unknown_word"),
            (",,federal", "project_level", "unknown_word"),
            (&format!(",{long},"), "project", "text_too_long"),
        ] {
            let refused = import(&host, RECORDS, "", &format!("{head}\n{row},{cells}\n")).expect_status(422);
            let fault = &refused["errors"][0];
            assert_eq!((&fault["row"], &fault["column"], &fault["code"]), (&json!(2), &json!(column), &json!(code)), "{cells}");
        }
        let list = host.get(RECORDS);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    }

    fn an_instrument_is_a_set_or_not(app: &TestApp) {
        let host = app.as_host();
        let body = json!({
            "name": "联用仪", "asset_no": "SET-1", "original_value_fen": 100_000_000, "category_code": "010503", "purpose_type": "general",
        });
        let bare = host.post(INSTRUMENTS, &body).expect_status(201);
        assert_eq!(bare["is_set"], false);
        let whole = with(body, &json!({"asset_no": "SET-2", "is_set": true}));
        let set = host.post(INSTRUMENTS, &whole).expect_status(201);
        assert_eq!(set["is_set"], true);
        let path = format!("{INSTRUMENTS}/{}", bare["id"]);
        let change = |value: Value| {
            let tag = host.get(&path).expect_status(200).etag().to_owned();
            let sent = host.request(Method::PATCH, &path).header("If-Match", &tag);
            sent.json(json!({"is_set": value})).send()
        };
        assert_eq!(change(json!(true)).expect_status(200)["is_set"], true);
        for wrong in [json!("yes"), json!(1), json!([true])] {
            let refused = change(wrong);
            assert!([400, 422].contains(&refused.status), "{}", refused.text());
            assert_eq!(refused["errors"][0]["field"], "is_set");
        }
        let wrong = with(whole, &json!({"asset_no": "SET-3", "is_set": "yes"}));
        assert_eq!(host.post(INSTRUMENTS, wrong).expect_status(400)["errors"][0]["field"], "is_set");
        let listed = host.get(&format!("{INSTRUMENTS}?status=draft&sort=asset_no")).expect_status(200);
        let told: Vec<_> = listed["items"].as_array().unwrap().iter().map(|item| &item["is_set"]).collect();
        assert_eq!(told, [true, true]);

        let table = "资产编号,是否成套\nSET-1,否\nSET-2,是\n";
        import(&host, INSTRUMENTS, "?mode=upsert", table).expect_status(200);
        assert_eq!(host.get(&path)["is_set"], false);
        import(&host, INSTRUMENTS, "?mode=upsert", "asset_no,is_set\nSET-1,perhaps\n").expect_status(422);
        let exported = host.get(&format!("{INSTRUMENTS}/export?format=csv&status=draft")).expect_status(200).text();
        assert!(exported.lines().next().unwrap().contains("是否成套"), "{exported}");
        import(&host, INSTRUMENTS, "?mode=upsert", &exported).expect_status(200);
        let versions = [host.get(&path)["version"].clone(), host.get(&format!("{INSTRUMENTS}/{}", set["id"]))["version"].clone()];
        assert_eq!(versions, [json!(3), json!(1)]);
    }
}
