//! A table that is exported and comes back: with nothing edited nothing changes, whatever is stored; what a spreadsheet
//! program lost on the way, and what is not the table's to change, is told.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::contact::PublicContact;
use yiqi::domain::instrument::InstrumentFacts;
use yiqi::domain::{Fen, InstrumentId};

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const LIST: &str = "/api/v1/instruments";
const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const FORMATS: [(&str, &str); 2] = [("csv", CSV), ("xlsx", XLSX)];

fn import(
    client: &Client,
    list: &str,
    query: &str,
    media_type: &str,
    bytes: impl Into<Vec<u8>>,
) -> Answer {
    let request = client.request(Method::POST, &format!("{list}/import{query}"));
    request.bytes(media_type, bytes).send()
}

/// Texts that spreadsheet programs, CSV or XML treat in a way of their own.
const STRANGE: [&str; 40] = [
    "000123",
    "0",
    "-1",
    "+86 311 80000000",
    "1.21303E+17",
    "1E5",
    "121303000000000000",
    "121303020000000001",
    "3-4",
    "2026-03-01",
    "1/2",
    "TRUE",
    "否",
    "NULL",
    "=1+1",
    "'=1",
    "''x",
    "'",
    "@SUM(A1)",
    "\tx",
    " x ",
    "\u{3000}x\u{A0}",
    "a,b;c",
    "a\"b",
    "\"",
    "a\nb",
    "a\r\nb",
    "a\rb",
    "\n",
    "a\n",
    "_x000D_",
    "_x0041_",
    "&amp;<b>",
    "％",
    "１２３",
    "e\u{301}",
    "é",
    "a\u{200B}b",
    "😀",
    "1,5",
];

/// A text that the API takes, strange or any, of at most so many characters.
fn text(most: usize) -> impl Strategy<Value = String> {
    let allowed = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t');
    let any = proptest::collection::vec(any::<char>(), 1..12).prop_map(move |letters| {
        letters
            .into_iter()
            .filter(|letter| allowed(*letter))
            .collect::<String>()
    });
    let strange = proptest::sample::select(&STRANGE[..]).prop_map(str::to_owned);
    let joined = (
        proptest::sample::select(&STRANGE[..]),
        proptest::sample::select(&STRANGE[..]),
    )
        .prop_map(|(first, second)| format!("{first}{second}"));
    prop_oneof![strange, joined, any].prop_map(move |text| text.chars().take(most).collect())
}

fn filled(most: usize) -> impl Strategy<Value = String> {
    text(most).prop_map(|text| {
        if text.trim().is_empty() {
            "x".to_owned()
        } else {
            text
        }
    })
}

/// Numbers of assets, unlike each other, as strange as keys may be.
fn key() -> impl Strategy<Value = String> {
    filled(40).prop_filter("a key", |text| {
        let key = yiqi::domain::TypedKey::new(text);
        key.check("asset_no", 64).is_ok()
    })
}

type Texts = (
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

fn texts() -> impl Strategy<Value = Texts> {
    let maybe = || proptest::option::of(text(90));
    (key(), filled(50), maybe(), maybe(), maybe(), maybe())
}

fn insert(
    app: &TestApp,
    (asset_no, name, model, technical, notice, location): Texts,
    number: i64,
) -> Option<InstrumentId> {
    let number_of = |facts: &mut InstrumentFacts| {
        facts.asset_no = asset_no.as_str().into();
        facts.name = name;
        facts.model = model;
        facts.location = location;
        facts.description.technical = technical;
        facts.description.user_notice = notice;
        facts.original_value_fen = Fen::new(9_007_199_254_740_991 - number);
        facts.description.latitude = format!("{}.000{number}", number % 90).parse().ok();
        facts.public_contact = (number % 2 == 0).then(|| PublicContact {
            name: "李 工".to_owned(),
            phone: "031180000000".to_owned(),
            email: None,
        });
    };
    let host = app.organization_id(UNIVERSITY);
    let known: yiqi::domain::TypedKey = asset_no.as_str().into();
    let is_known = app.read(move |conn| {
        Ok(yiqi::store::instrument::find_by_asset_no(conn, host, &known)?.is_some())
    });
    (!is_known).then(|| given::instrument(app).with(number_of).insert())
}

/// Exports what the host has and imports it as it is: everything is there and nothing changes.
fn nothing_changes(host: &Client, count: usize) {
    for (format, media_type) in FORMATS {
        let table = host
            .get(&format!("{LIST}/export?format={format}"))
            .expect_status(200);
        for query in ["?mode=upsert&dry_run=true", "?mode=upsert"] {
            let done = import(host, LIST, query, media_type, table.bytes.clone());
            assert_eq!(
                done.status,
                200,
                "{format}: {}\n{}",
                done.text(),
                table.text()
            );
            let counted = (&done["created"], &done["updated"], &done["unchanged"]);
            let expected = (&json!(0), &json!(0), &json!(count));
            assert_eq!(counted, expected, "{format}: {}", table.text());
        }
    }
}

both! {
    fn whatever_is_stored_comes_back_unchanged(app: &TestApp) {
        let mut runner = TestRunner::new(Config::default());
        let mut count = 0;
        for (number, strange) in (0..).zip(STRANGE) {
            let text = || Some(strange.to_owned());
            let key = if yiqi::domain::TypedKey::new(strange).check("asset_no", 64).is_ok() { strange.to_owned() } else { format!("K{number}") };
            let name = if strange.trim().is_empty() { "x".to_owned() } else { strange.to_owned() };
            count += usize::from(insert(app, (key, name, text(), text(), text(), text()), number).is_some());
        }
        for number in 40..140 {
            let drawn = texts().new_tree(&mut runner).unwrap().current();
            count += usize::from(insert(app, drawn, number).is_some());
        }
        nothing_changes(&app.as_host(), count);
    }

    fn zeros_that_were_lost_are_told(app: &TestApp) {
        let host = app.as_host();
        let padded = given::instrument(app).with(|facts| {
            facts.asset_no = "000123".into();
            facts.model = Some("007".to_owned());
        }).insert();
        let told = |answer: &Answer| -> Vec<(Value, Value, Value)> {
            let errors = answer["errors"].as_array().unwrap();
            errors.iter().map(|entry| (entry["column"].clone(), entry["code"].clone(), entry["did_you_mean"].clone())).collect()
        };
        let lost = |column: &str, known: &str| (json!(column), json!("digits_lost"), json!(known));
        let head = ["asset_no", "name", "original_value_fen", "category_code", "purpose_type", "model"];
        let cases = [
            (["123", "电镜", "30000000", "010102", "general", ""], lost("asset_no", "000123")),
            (["000123", "", "", "10102", "", ""], lost("category_code", "010102")),
            (["000123", "", "", "", "", "7"], lost("model", "007")),
        ];
        for (cells, expected) in cases {
            let csv = format!("{}\n{}\n", head.join(","), cells.join(","));
            let mut workbook = Workbook::new();
            let sheet = workbook.add_worksheet();
            for (column, (title, cell)) in (0..).zip(head.iter().zip(cells)) {
                sheet.write(0, column, *title).unwrap();
                match cell.parse::<f64>() {
                    // As the program has it: a number.
                    Ok(number) if !cell.starts_with('0') => sheet.write(1, column, number).unwrap(),
                    _ => sheet.write(1, column, cell).unwrap(),
                };
            }
            let xlsx = workbook.save_to_buffer().unwrap();
            for (media_type, bytes) in [(CSV, csv.into_bytes()), (XLSX, xlsx)] {
                let refused = import(&host, LIST, "?mode=upsert", media_type, bytes).expect_code(422, "digits_lost");
                assert_eq!(told(&refused), std::slice::from_ref(&expected), "{media_type}");
            }
        }
        // A record of it, by the rest of its number, and a reference without its zeros.
        let record = json!({
            "instrument_id": padded, "organization_id": app.organization_id(COMPANY), "mode": "guided", "purpose": "other",
            "started_at": "2026-02-10T10:00:00+08:00", "ended_at": "2026-02-10T11:00:00+08:00", "client_reference": "0099",
        });
        host.post("/api/v1/usage-records", record).expect_status(201);
        let head = "asset_no,using_uscc,started_at,ended_at,mode,purpose,client_reference";
        for (asset, reference, expected) in [("123", "", lost("asset_no", "000123")), ("000123", "99", lost("client_reference", "0099"))] {
            let row = format!("{head}\n{asset},{COMPANY},2026-02-11 10:00,2026-02-11 11:00,guided,other,{reference}\n");
            let refused = import(&host, "/api/v1/usage-records", "", CSV, row).expect_code(422, "digits_lost");
            assert_eq!(told(&refused), [expected]);
        }
        assert_eq!(host.get(LIST).expect_status(200)["items"].as_array().unwrap().len(), 1);
    }

    fn long_numbers_that_were_rounded_are_told(app: &TestApp) {
        let host = app.as_host();
        let head = "asset_no,name,original_value_fen,category_code,purpose_type";
        for number in ["1.21303E+17", "121303020000123000", "1213030200001230"] {
            let row = format!("{head}\n{number},电镜,30000000,010102,general\n");
            import(&host, LIST, "", CSV, row).expect_code(422, "digits_lost");
            let record = format!("asset_no,using_uscc,started_at,ended_at,mode,purpose,client_reference\nA1,{COMPANY},2026-02-11 10:00,2026-02-11 11:00,guided,other,{number}\n");
            let refused = import(&host, "/api/v1/usage-records", "", CSV, record).expect_status(422);
            assert!(refused.text().contains("digits_lost"), "{}", refused.text());
        }
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        for (column, title) in (0..).zip(head.split(',')) {
            sheet.write(0, column, title).unwrap();
        }
        sheet.write(1, 0, 121_303_020_000_123_456.0).unwrap();
        let bytes = workbook.save_to_buffer().unwrap();
        let refused = import(&host, LIST, "", XLSX, bytes).expect_status(422);
        assert!(refused.text().contains("digits_lost"), "{}", refused.text());
        // Entered as text they are what they say: with an apostrophe, or in a cell of text.
        let row = format!("{head}\n'121303020000123000,电镜,30000000,010102,general\n");
        import(&host, LIST, "", CSV, row).expect_status(200);
        let listed = host.get(LIST).expect_status(200);
        assert_eq!(listed["items"][0]["asset_no"], "121303020000123000");
    }

    fn zeros_that_only_the_format_of_a_cell_shows_are_told(app: &TestApp) {
        let host = app.as_host();
        let mut workbook = Workbook::new();
        let shown = rust_xlsxwriter::Format::new().set_num_format("000000");
        let sheet = workbook.add_worksheet();
        let head = ["asset_no", "name", "original_value_fen", "category_code", "purpose_type"];
        for (column, title) in (0..).zip(head) {
            sheet.write(0, column, title).unwrap();
        }
        sheet.write_with_format(1, 0, 123, &shown).unwrap();
        for (column, text) in (1..).zip(["电镜", "30000000", "010102", "general"]) {
            sheet.write(1, column, text).unwrap();
        }
        let refused = import(&host, LIST, "", XLSX, workbook.save_to_buffer().unwrap()).expect_code(422, "digits_lost");
        let entry = &refused["errors"][0];
        assert_eq!((&entry["row"], &entry["column"], &entry["actual"]), (&json!(2), &json!("asset_no"), &json!("123")));
    }

    fn columns_of_the_registry_are_not_the_tables_to_change(app: &TestApp) {
        let host = app.as_host();
        let id = given::instrument(app).with(|facts| {
            facts.asset_no = "Z1".into();
            facts.public_contact = Some(PublicContact { name: "李工".to_owned(), phone: "031180000000".to_owned(), email: None });
        }).insert();
        let unit = app.organization_id(UNIVERSITY);
        let head = "asset_no,name,original_value_fen,category_code,purpose_type,id,organization_id,status";
        let row = |asset: &str, cells: &str| match asset {
            "Z1" => format!("{head}\n{asset},电镜,,,,{cells}\n"),
            _ => format!("{head}\n{asset},电镜,30000000,010102,general,{cells}\n"),
        };
        let own = format!("{id},{unit},listed");
        for (asset, cells, column) in [
            ("Z1", format!("{},{unit},listed", id.number() + 1), "id"),
            ("Z1", format!("{id},{},listed", unit.number() + 1), "organization_id"),
            ("Z1", format!("{id},{unit},retired"), "status"),
            ("Z1", format!("{id},{unit},上架"), "status"),
            ("Z2", format!("{id},,"), "id"),
            ("Z2", ",,draft".to_owned(), "status"),
        ] {
            let refused = import(&host, LIST, "?mode=upsert", CSV, row(asset, &cells)).expect_code(422, "read_only");
            assert_eq!((&refused["errors"][0]["column"], &refused["errors"][0]["row"]), (&json!(column), &json!(2)), "{cells}");
        }
        for cells in [own.as_str(), ",,", &format!(",{unit},")] {
            let done = import(&host, LIST, "?mode=upsert&dry_run=true", CSV, row("Z1", cells)).expect_status(200);
            assert_eq!(done["updated"], 1);
        }
        import(&host, LIST, "?mode=upsert", CSV, row("Z2", &format!(",{unit},"))).expect_status(200);
    }
}
