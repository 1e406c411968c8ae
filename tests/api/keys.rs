//! Keys that people type: however one is typed, it is one key, in JSON, tables, filters and the database alike, and it is
//! answered as it was typed.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const INSTRUMENTS: &str = "/api/v1/instruments";
const BOOKINGS: &str = "/api/v1/bookings";
const RECORDS: &str = "/api/v1/usage-records";

/// Spellings of one key; the first is as it is typed at first.
const SPELLINGS: [&str; 6] = [
    "Lab 1É-7",
    "  lab 1é-7\t",
    "ＬＡＢ　１É－７",
    "LAB   1E\u{301}-7",
    "Lab\u{A0}1é-7",
    "\u{3000}laB 1É-7 ",
];

/// What is no key at all, with the code that says why.
const REFUSED: [(&str, &str); 7] = [
    ("A\u{200B}1", "invisible_character"),
    ("\u{FEFF}A1", "invisible_character"),
    ("A\u{202E}1", "invisible_character"),
    ("A\u{7F}1", "control_character"),
    ("A\n1", "control_character"),
    ("A\t1", "control_character"),
    (" \u{3000}", "required"),
];

fn draft(asset_no: &str) -> Value {
    json!({
        "name": "电镜", "asset_no": asset_no, "original_value_fen": 30_000_000, "category_code": "010102",
        "purpose_type": "general",
    })
}

fn booking(instrument: i64, reference: &str, day: usize) -> Value {
    json!({
        "instrument_id": instrument, "mode": "guided", "purpose": "research", "client_reference": reference,
        "starts_at": format!("2026-04-{day:02}T10:00:00+08:00"), "ends_at": format!("2026-04-{day:02}T11:00:00+08:00"),
    })
}

fn record(app: &TestApp, instrument: i64, reference: &str, day: usize) -> Value {
    json!({
        "instrument_id": instrument, "organization_id": app.organization_id(COMPANY), "mode": "guided", "purpose": "research",
        "started_at": format!("2026-02-{day:02}T10:00:00+08:00"), "ended_at": format!("2026-02-{day:02}T11:00:00+08:00"),
        "run_minutes": 60, "client_reference": reference,
    })
}

fn found(client: &Client, list: &str, name: &str, value: &str) -> Vec<Value> {
    let page = client
        .get(&format!("{list}?{name}={value}"))
        .expect_status(200);
    page["items"].as_array().unwrap().clone()
}

/// One kind of key: `make` asks for a thing with it.
fn holds(make: impl Fn(&str, usize) -> Answer, code: &str, field: &str) -> Value {
    let first = make(SPELLINGS[0], 1).expect_status(201);
    assert_eq!(first[field], SPELLINGS[0]);
    for (number, spelling) in SPELLINGS.iter().enumerate() {
        let again = make(spelling, number + 2).expect_code(409, code);
        assert_eq!(again["existing_id"], first["id"], "{spelling:?}");
    }
    for (text, code) in REFUSED {
        let refused = make(text, 9).expect_code(422, code);
        assert_eq!(refused["errors"][0]["field"], field);
    }
    let other = make("  e\u{301} 2 ", 10).expect_status(201);
    assert_eq!(other[field], "é 2");
    first.body
}

fn import(client: &Client, list: &str, query: &str, rows: &str) -> Answer {
    let request = client.request(Method::POST, &format!("{list}/import{query}"));
    request.bytes("text/csv", rows.to_owned()).send()
}

both! {
    fn an_asset_number_is_one_however_it_is_typed(app: &TestApp) {
        let host = app.as_host();
        let first = holds(|text, _| host.post(INSTRUMENTS, draft(text)), "asset_no_used", "asset_no");
        // Corrected in its spelling, and answered as it was typed last.
        let path = format!("{INSTRUMENTS}/{}", first["id"]);
        let change = |text: &str| {
            let request = host.request(Method::PATCH, &path).header("If-Match", "*");
            request.json(json!({"asset_no": text})).send()
        };
        assert_eq!(change(" LAB 1é-7 ").expect_status(200)["asset_no"], "LAB 1é-7");
        change("é 2").expect_code(409, "asset_no_used");
        for spelling in SPELLINGS.iter().map(|text| text.trim()).chain(["ＬＡＢ", "é-7"]) {
            let rows = found(&host, INSTRUMENTS, "q", spelling);
            assert_eq!((rows.len(), &rows[0]["id"]), (1, &first["id"]), "{spelling:?}");
        }
        // In a table it names the same entry, which keeps its spelling.
        let head = "asset_no,name,original_value_fen,category_code,purpose_type";
        for spelling in SPELLINGS {
            let row = format!("{head}\n\"{spelling}\",改名 {},,,\n", spelling.len());
            let done = import(&host, INSTRUMENTS, "?mode=upsert", &row).expect_status(200);
            assert_eq!(done["created"], 0, "{spelling:?}");
            let whole = format!("{head}\n\"{spelling}\",改名,30000000,010102,general\n");
            import(&host, INSTRUMENTS, "", &whole).expect_code(409, "asset_no_used");
        }
        assert_eq!(host.get(&path).expect_status(200)["asset_no"], "LAB 1é-7");
        let twice = format!("{head}\nN 1,甲,30000000,010102,general\nｎ  1,乙,30000000,010102,general\n");
        import(&host, INSTRUMENTS, "", &twice).expect_code(422, "duplicate");
        for (text, code) in REFUSED.iter().filter(|(_, code)| *code != "required") {
            let row = format!("{head}\n\"{text}\",甲,30000000,010102,general\n");
            import(&host, INSTRUMENTS, "", &row).expect_code(422, code);
        }
        // Another unit has numbers of its own.
        let elsewhere = given::instrument(app).of(OTHER_HOST).with(|facts| facts.asset_no = SPELLINGS[0].into());
        elsewhere.insert();
    }

    fn a_reference_of_a_booking_is_one_however_it_is_typed(app: &TestApp) {
        let instrument = given::instrument(app).insert().number();
        let company = app.as_company();
        let first = holds(
            |text, day| company.post(BOOKINGS, booking(instrument, text, day)),
            "client_reference_used", "client_reference",
        );
        for spelling in SPELLINGS {
            let rows = found(&company, BOOKINGS, "client_reference", spelling.trim());
            assert_eq!((rows.len(), &rows[0]["id"]), (1, &first["id"]), "{spelling:?}");
        }
        app.as_stranger().post(BOOKINGS, booking(instrument, SPELLINGS[1], 20)).expect_status(201);
    }

    fn a_reference_of_a_usage_record_is_one_however_it_is_typed(app: &TestApp) {
        let instrument = given::instrument(app).insert();
        let asset = app.read(move |conn| Ok(yiqi::store::instrument::get(conn, instrument)?.facts.asset_no));
        let host = app.as_host();
        let first = holds(
            |text, day| host.post(RECORDS, record(app, instrument.number(), text, day)),
            "client_reference_used", "client_reference",
        );
        let head = "asset_no,using_uscc,started_at,ended_at,mode,purpose,client_reference\n";
        for spelling in SPELLINGS {
            let rows = found(&host, RECORDS, "client_reference", spelling.trim());
            assert_eq!((rows.len(), &rows[0]["id"]), (1, &first["id"]), "{spelling:?}");
            let row = format!("{head}\"{}\",{COMPANY},2026-01-05 09:00,2026-01-05 10:00,guided,other,\"{spelling}\"\n",
                asset.to_lowercase());
            import(&host, RECORDS, "", &row).expect_code(409, "client_reference_used");
        }
        let row = |hour: u32, reference: &str| format!(
            "{asset},{COMPANY},2026-01-05 {hour:02}:00,2026-01-05 {:02}:00,guided,other,{reference}\n", hour + 1
        );
        let twice = format!("{head}{}{}", row(9, "Ｎ 1"), row(10, "n  1"));
        import(&host, RECORDS, "", &twice).expect_code(409, "client_reference_used");
        for (text, code) in REFUSED.iter().filter(|(_, code)| *code != "required") {
            let bad = format!("{head}{}", row(9, &format!("\"{text}\"")));
            import(&host, RECORDS, "", &bad).expect_code(422, code);
        }
        let corrected = host.post(&format!("{RECORDS}/{}/correct", first["id"]), json!({"client_reference": "é 2", "reason": "笔误"}));
        assert!(corrected.status == 409 || corrected.status == 428, "{}", corrected.text());
    }

    fn a_login_is_one_however_it_is_typed(app: &TestApp) {
        let login = BOSS.login;
        let wide: String = login.chars().map(|letter| match letter {
            'a'..='z' => char::from_u32(u32::from(letter) - u32::from('a') + 0xFF41).unwrap(),
            other => other,
        }).collect();
        for spelling in [login.to_uppercase(), format!("  {login}\t"), wide] {
            let body = json!({"email": spelling, "password": PASSWORD});
            app.visitor().post("/api/v1/auth/login", body).expect_status(200);
        }
    }
}
