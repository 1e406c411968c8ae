//! What people do to tables before they send them: one cause is one message, words and units are what people say, an empty cell
//! means what was told, and trying costs nothing.

use rust_xlsxwriter::{Format, Workbook, Worksheet};
use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::contact::PublicContact;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const INSTRUMENTS: &str = "/api/v1/instruments";
const RECORDS: &str = "/api/v1/usage-records";
const TARIFFS: &str = "/api/v1/tariffs";
const CERTIFICATIONS: &str = "/api/v1/certifications";
const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const EXCEL: &str = "application/vnd.ms-excel";

/// Every importer, with the first columns of a table for it and a row.
const TABLES: [(&str, [&str; 6], [&str; 6]); 4] = [
    (
        INSTRUMENTS,
        [
            "资产编号",
            "仪器名称",
            "原值（元）",
            "分类编码",
            "用途类型",
            "规格型号",
        ],
        ["T2", "电镜", "300000", "010102", "通用", "S-1"],
    ),
    (
        RECORDS,
        [
            "资产编号",
            "用户单位统一社会信用代码",
            "服务方式",
            "开始时间",
            "结束时间",
            "用途",
        ],
        [
            "T1",
            COMPANY,
            "委托",
            "2026-02-10 09:00",
            "2026-02-10 10:00",
            "科研",
        ],
    ),
    (
        TARIFFS,
        [
            "资产编号",
            "客户类别",
            "服务方式",
            "起始日期",
            "价格（元/小时）",
            "截止日期（含当日）",
        ],
        ["T1", "企业", "委托", "2026-01-01", "100", "2026-12-31"],
    ),
    (
        CERTIFICATIONS,
        [
            "统一社会信用代码",
            "资质",
            "有效期起",
            "有效期止",
            "文号",
            "",
        ],
        [COMPANY, "中小企业", "2026-01-01", "2026-12-31", "A-1", ""],
    ),
];

/// Who brings in such tables.
fn importer(app: &TestApp, list: &str) -> Client {
    match list {
        CERTIFICATIONS => app.as_admin(),
        _ => app.as_host(),
    }
}

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

fn keyed(client: &Client, list: &str, query: &str, key: &str, rows: &str) -> Answer {
    let request = client.request(Method::POST, &format!("{list}/import{query}"));
    request
        .header("idempotency-key", key)
        .bytes(CSV, rows.to_owned())
        .send()
}

/// Row, column and code of every entry.
fn told(answer: &Answer) -> Vec<(u64, String, String)> {
    let errors = answer["errors"].as_array().unwrap();
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let one = |entry: &Value| {
        (
            entry["row"].as_u64().unwrap_or_default(),
            word(entry, "column"),
            word(entry, "code"),
        )
    };
    errors.iter().map(one).collect()
}

fn fill(sheet: &mut Worksheet, from: u32, rows: &[[&str; 6]]) {
    for (row, cells) in (from..).zip(rows) {
        for (column, text) in (0..).zip(cells) {
            sheet.write(row, column, *text).unwrap();
        }
    }
}

fn book(sheets: &[&dyn Fn(&mut Worksheet)]) -> Vec<u8> {
    let mut book = Workbook::new();
    for fill in sheets {
        fill(book.add_worksheet());
    }
    book.save_to_buffer().unwrap()
}

fn lines(rows: &[[&str; 6]], separator: &str) -> String {
    rows.iter()
        .map(|row| format!("{}\n", row.join(separator)))
        .collect()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    [0xFF, 0xFE].into_iter().chain(units).collect()
}

both! {
    fn one_cause_is_one_message_in_every_importer(app: &TestApp) {
        for (list, head, row) in TABLES {
            let host = importer(app, list);
            let rows = [head, row];
            let whole = lines(&rows, ",");
            let nothing = |_: &mut Worksheet| {};
            let only_head = |sheet: &mut Worksheet| fill(sheet, 0, &rows[..1]);
            let all = |sheet: &mut Worksheet| fill(sheet, 0, &rows);
            let late = |sheet: &mut Worksheet| {
                sheet.merge_range(0, 0, 0, 5, "2026 年清单", &Format::new()).unwrap();
                fill(sheet, 2, &rows);
            };
            let cases: Vec<(&str, Vec<u8>, &str)> = vec![
                (CSV, lines(&rows, ";").into_bytes(), "wrong_separator"),
                (CSV, lines(&rows, "\t").into_bytes(), "wrong_separator"),
                (CSV, encoding_rs::GB18030.encode(&lines(&rows, ";")).0.into_owned(), "wrong_separator"),
                (CSV, utf16(&lines(&rows, "\t")), "unknown_encoding"),
                (CSV, encoding_rs::BIG5.encode("資產編號,儀器名稱\nT1,電鏡\n").0.into_owned(), "unknown_encoding"),
                (CSV, format!("2026 年清单,,,,,\n\n{whole}").into_bytes(), "header_not_first"),
                (CSV, lines(&rows[..1], ",").into_bytes(), "empty_table"),
                (CSV, Vec::new(), "no_header"),
                (XLSX, book(&[&nothing, &all]), "data_on_other_sheet"),
                (XLSX, book(&[&only_head, &all]), "data_on_other_sheet"),
                (XLSX, book(&[&late]), "header_not_first"),
                (XLSX, book(&[&only_head]), "empty_table"),
                (XLSX, book(&[&nothing]), "no_header"),
                (XLSX, b"\xD0\xCF\x11\xE0 old".to_vec(), "not_a_spreadsheet"),
                (EXCEL, b"\xD0\xCF\x11\xE0\0old".to_vec(), "not_a_spreadsheet"),
            ];
            for (media_type, bytes, code) in cases {
                for query in ["", "?dry_run=true"] {
                    let refused = import(&host, list, query, media_type, bytes.clone()).expect_code(422, code);
                    assert_eq!(told(&refused).len(), 1, "{list} {code}: {}", refused.text());
                }
            }
        }
    }

    fn a_csv_is_one_under_the_name_a_spreadsheet_program_gives_it(app: &TestApp) {
        given::instrument(app).with(|facts| facts.asset_no = "T1".into()).insert();
        for (list, head, row) in TABLES {
            let host = importer(app, list);
            let rows = [head, row];
            let csv = lines(&rows, ",");
            let gb = encoding_rs::GB18030.encode(&csv).0.into_owned();
            let xlsx = book(&[&|sheet: &mut Worksheet| fill(sheet, 0, &rows)]);
            for bytes in [csv.into_bytes(), gb, xlsx] {
                import(&host, list, "?dry_run=true", EXCEL, bytes).expect_status(200);
            }
            import(&host, list, "", "application/json", "{}").expect_code(415, "unsupported_media_type");
        }
    }

    fn a_template_says_what_it_takes(app: &TestApp) {
        let host = app.as_host();
        for (list, head, _) in TABLES {
            let host = importer(app, list);
            let template = host.get(&format!("{list}/import-template")).expect_status(200).bytes;
            import(&host, list, "", XLSX, template.clone()).expect_code(422, "empty_table");
            let parts = parts(&template);
            let sheet = &parts["xl/worksheets/sheet1.xml"];
            let texts = &parts["xl/sharedStrings.xml"];
            assert!(texts.contains(&format!(">{}*<", head[0])), "{list}: the mark of what is required");
            let words = match list {
                INSTRUMENTS => "通用,专用",
                CERTIFICATIONS => "",
                _ => "自主操作,指导操作,委托",
            };
            assert!(words.is_empty() || sheet.contains("<dataValidation"), "{list}: drop-downs");
            assert!(sheet.contains(words), "{list}: {sheet}");
            let styles = &parts["xl/styles.xml"];
            let is_text = ["numFmtId=\"49\"", "formatCode=\"@\""].iter().any(|format| styles.contains(format));
            assert!(is_text, "{list}: text in columns of codes: {styles}");
            assert!(parts["xl/workbook.xml"].contains("name=\"代码\""), "{list}: a sheet of codes");
        }
        let template = host.get(&format!("{INSTRUMENTS}/import-template")).expect_status(200).bytes;
        let texts = &parts(&template)["xl/sharedStrings.xml"];
        for text in ["原值（元）*", "新增时必填", "提交前必填", "010102", "130600", "140", "empty=clear"] {
            assert!(texts.contains(text), "{text}");
        }
        assert!(!texts.contains("原值（分）*"));
        app.as_company().get(&format!("{INSTRUMENTS}/import-template")).expect_code(403, "forbidden");
    }

    fn what_people_say_is_understood(app: &TestApp) {
        let host = app.as_host();
        let head = "资产编号*,仪器名称（必填）,原值(元),分类编码,用途类型,共享模式,经费来源,仪器来源";
        let rows = format!("{head}\nT1,电镜,200000.50,010102,通用,对外共享,中央财政,购置\nT2,质谱,300000,010102,special,不共享,自有资金,赠送\n");
        import(&host, INSTRUMENTS, "", CSV, rows).expect_status(200);
        let page = host.get(&format!("{INSTRUMENTS}?sort=asset_no")).expect_status(200);
        let said = |item: &Value| ["original_value_fen", "purpose_type", "share_mode", "funding", "source"].map(|name| item[name].clone());
        assert_eq!(said(&page["items"][0]), [json!(20_000_050), json!("general"), json!("external"), json!("central"), json!("purchased")]);
        assert_eq!(said(&page["items"][1]), [json!(30_000_000), json!("special"), json!("none"), json!("own"), json!("donated")]);
        let wrong = "资产编号,用途类型\nT1,通用仪表\n";
        let refused = import(&host, INSTRUMENTS, "?mode=upsert", CSV, wrong).expect_code(422, "unknown_word");
        assert_eq!(refused["errors"][0]["did_you_mean"], "通用仪器");
        // Yuan and fen are never taken for each other, nor offered.
        for (title, code, meant) in [
            ("原值", "unknown_column", Value::Null), ("原值（万元）", "unknown_column", Value::Null),
            ("原价（分）", "unknown_column", json!("原值（分）")), ("原价（元）", "unknown_column", json!("原值（元）")),
        ] {
            let refused = import(&host, INSTRUMENTS, "?mode=upsert", CSV, format!("资产编号,{title}\nT1,1\n")).expect_code(422, code);
            assert_eq!(refused["errors"][0]["did_you_mean"], meant, "{title}");
        }
        let both = "资产编号,原值（元）,原值（分）\nT1,200000,20000000\n";
        import(&host, INSTRUMENTS, "?mode=upsert", CSV, both).expect_code(422, "duplicate_column");
        import(&host, INSTRUMENTS, "?mode=upsert", CSV, "资产编号,原值（分）\nT1,200000.50\n").expect_code(422, "not_an_amount");
        // A rule of the value is told at the column that the table has.
        let low = import(&host, INSTRUMENTS, "?mode=upsert", CSV, "资产编号,原值（元）\nT1,199999.99\n");
        assert_eq!(told(&low.expect_status(422)), [(2, "原值（元）".to_owned(), "below_registration_threshold".to_owned())]);
    }

    fn an_empty_cell_keeps_or_clears(app: &TestApp) {
        let host = app.as_host();
        let head = "asset_no,name,original_value_fen,category_code,purpose_type,model,location,contact_name,contact_phone,subjects,accepted_on";
        let row = "T1,电镜,30000000,010102,general,SU8600,实验楼,李工,031180000000,140；150,2024-05-06";
        import(&host, INSTRUMENTS, "", CSV, format!("{head}\n{row}\n")).expect_status(200);
        let id = host.get(INSTRUMENTS).expect_status(200)["items"][0]["id"].clone();
        let path = format!("{INSTRUMENTS}/{id}");
        let first = host.get(&path).expect_status(200).body;
        let blank = "asset_no,model,contact_name,contact_phone,subjects,accepted_on\nT1,,,,,\n";
        for query in ["?mode=upsert", "?mode=upsert&empty=keep"] {
            assert_eq!(import(&host, INSTRUMENTS, query, CSV, blank).expect_status(200)["unchanged"], 1);
        }
        assert_eq!(host.get(&path).expect_status(200).body, first);
        let done = import(&host, INSTRUMENTS, "?mode=upsert&empty=clear", CSV, blank).expect_status(200);
        assert_eq!(done["updated"], 1);
        let cleared = host.get(&path).expect_status(200);
        for name in ["model", "public_contact", "accepted_on"] {
            assert_eq!(cleared[name], Value::Null, "{name}");
        }
        assert_eq!((&cleared["subjects"], &cleared["location"]), (&json!([]), &json!("实验楼")));
        assert_eq!(import(&host, INSTRUMENTS, "?mode=upsert&empty=clear", CSV, blank).expect_status(200)["unchanged"], 1);
        let needed = "asset_no,name,channels\nT1,,\n";
        let refused = import(&host, INSTRUMENTS, "?mode=upsert&empty=clear", CSV, needed).expect_code(422, "required");
        let required = |column: &str| (2, column.to_owned(), "required".to_owned());
        assert_eq!(told(&refused), [required("name"), required("channels")]);
        import(&host, INSTRUMENTS, "?empty=perhaps", CSV, blank).expect_code(400, "invalid_value");
        // What is exported and comes back is unchanged under either meaning.
        for format in ["csv", "xlsx"] {
            let table = host.get(&format!("{INSTRUMENTS}/export?format={format}")).expect_status(200).bytes;
            let media_type = if format == "csv" { CSV } else { XLSX };
            let done = import(&host, INSTRUMENTS, "?mode=upsert&empty=clear", media_type, table).expect_status(200);
            assert_eq!(done["unchanged"], 1, "{format}");
        }
    }

    fn trying_a_table_uses_no_key(app: &TestApp) {
        let host = app.as_host();
        given::instrument(app).with(|facts| facts.asset_no = "T1".into()).insert();
        let tables = [
            (INSTRUMENTS, "asset_no,name,original_value_fen,category_code,purpose_type\nT2,电镜,30000000,010102,general\n"),
            (RECORDS, &format!("asset_no,using_uscc,started_at,ended_at,mode,purpose\nT1,{COMPANY},2026-02-10 09:00,2026-02-10 10:00,guided,other\n")),
            (TARIFFS, "asset_no,valid_from,price_fen_per_hour\nT1,2026-01-01,100\n"),
        ];
        for (list, rows) in tables {
            let dry = keyed(&host, list, "?dry_run=true", "k", rows).expect_status(200);
            assert_eq!((&dry["dry_run"], dry.header("idempotency-replayed")), (&json!(true), None), "{list}");
            let other = rows.replace("T1", "T9").replace("T2", "T8");
            let _ = keyed(&host, list, "?dry_run=true", "k", &other);
            let key = format!("{list} for good");
            let key = key.replace(['/', ' '], "-");
            for query in ["?dry_run=true", "?dry_run=false", "?dry_run=false"] {
                let done = keyed(&host, list, query, &key, rows).expect_status(200);
                assert_eq!(done["dry_run"], query == "?dry_run=true", "{list}");
            }
        }
    }

    fn a_duplicate_names_both_rows(app: &TestApp) {
        let host = app.as_host();
        given::instrument(app).with(|facts| facts.asset_no = "T1".into()).insert();
        let head = "asset_no,name,original_value_fen,category_code,purpose_type";
        let rows = format!("{head}\nT2,电镜,30000000,010102,general\nT3,电镜,30000000,010102,general\nｔ2,电镜,30000000,010102,general\n");
        let named = |refused: &Answer, code: &str, row: u64, rows: &str| {
            let entry = &refused["errors"][0];
            assert_eq!((&entry["code"], &entry["row"], &entry["limit"]), (&json!(code), &json!(row), &json!(rows)), "{}", refused.text());
            assert!(entry["message"].as_str().unwrap().contains(rows), "{entry}");
        };
        named(&import(&host, INSTRUMENTS, "", CSV, rows).expect_status(422), "duplicate", 4, "2, 4");
        let head = "asset_no,using_uscc,started_at,ended_at,mode,purpose,client_reference";
        let record = |from: u32, until: u32, reference: &str| format!(
            "T1,{COMPANY},2026-02-10 {from:02}:00,2026-02-10 {until:02}:00,guided,other,{reference}\n"
        );
        let overlap = format!("{head}\n{}{}{}", record(9, 11, ""), record(12, 13, ""), record(10, 11, ""));
        named(&import(&host, RECORDS, "", CSV, overlap).expect_status(409), "usage_overlaps", 4, "2, 4");
        let twice = format!("{head}\n{}{}", record(9, 10, "R 1"), record(11, 12, "r  1"));
        named(&import(&host, RECORDS, "", CSV, twice).expect_status(409), "client_reference_used", 3, "2, 3");
        let head = "asset_no,valid_from,valid_until,price_fen_per_hour";
        let twice = format!("{head}\nT1,2026-01-01,,100\nT1,2026-01-01,,100\n");
        named(&import(&host, TARIFFS, "", CSV, twice).expect_status(422), "duplicate", 3, "2, 3");
        let overlap = format!("{head}\nT1,2026-01-01,2026-06-30,100\nT1,2026-06-30,,200\n");
        named(&import(&host, TARIFFS, "", CSV, overlap).expect_status(409), "tariff_overlaps", 3, "2, 3");
    }

    fn a_formula_is_told_once(app: &TestApp) {
        given::instrument(app).with(|facts| facts.asset_no = "T1".into()).insert();
        for (list, head, row) in TABLES {
            let host = importer(app, list);
            for place in 0..6 {
                let bytes = book(&[&|sheet: &mut Worksheet| {
                    fill(sheet, 0, &[head, row]);
                    sheet.write_formula(1, place, "=A9").unwrap();
                }]);
                let refused = import(&host, list, "?dry_run=true", XLSX, bytes).expect_status(422);
                let of_row: Vec<_> = told(&refused).into_iter().filter(|(row, ..)| *row == 2).collect();
                assert_eq!(of_row.len(), 1, "{list} {place}: {of_row:?}");
                assert_eq!(of_row[0].2, "formula_not_allowed");
            }
        }
    }

    fn prices_come_in_by_table(app: &TestApp) {
        let host = app.as_host();
        let first = given::instrument(app).with(|facts| facts.asset_no = "0001".into()).insert();
        given::instrument(app).with(|facts| {
            facts.asset_no = "B 2".into();
            facts.public_contact = Some(PublicContact { name: "李工".to_owned(), phone: "031180000000".to_owned(), email: None });
        }).insert();
        given::instrument(app).of(OTHER_HOST).with(|facts| facts.asset_no = "C3".into()).insert();
        let head = "资产编号,客户类别,服务方式,起始日期,截止日期（含当日）,价格（元/小时）";
        let rows = format!("{head}\n0001,,,2026-01-01,2026-12-31,120.50\n0001,中小企业,委托,2026-01-01,,60\nｂ  2,,,2026-01-01,,80\n");
        let dry = import(&host, TARIFFS, "?dry_run=true", CSV, rows.clone()).expect_status(200);
        assert_eq!(dry.body, json!({"dry_run": true, "created": 3, "unchanged": 0}));
        let prices = format!("{INSTRUMENTS}/{first}/tariffs");
        assert_eq!(host.get(&prices).expect_status(200)["items"], json!([]));
        let done = import(&host, TARIFFS, "", CSV, rows.clone()).expect_status(200);
        assert_eq!(done.body, json!({"dry_run": false, "created": 3, "unchanged": 0}));
        let again = import(&host, TARIFFS, "", CSV, rows).expect_status(200);
        assert_eq!(again.body, json!({"dry_run": false, "created": 0, "unchanged": 3}));
        let listed = host.get(&prices).expect_status(200);
        let said = |item: &Value| ["customer_class", "mode", "valid_from", "valid_until", "price_fen_per_hour"].map(|name| item[name].clone());
        assert_eq!(said(&listed["items"][0]), [Value::Null, Value::Null, json!("2026-01-01"), json!("2026-12-31"), json!(12_050)]);
        assert_eq!(said(&listed["items"][1]), [json!("sme"), json!("entrusted"), json!("2026-01-01"), Value::Null, json!(6_000)]);
        // A booking sees the price at once.
        let quote = json!({
            "instrument_id": first, "mode": "guided", "purpose": "research",
            "starts_at": "2026-04-01T10:00:00+08:00", "ends_at": "2026-04-01T12:00:00+08:00",
        });
        let booked = app.as_company().post("/api/v1/bookings", quote).expect_status(201);
        assert_eq!(booked["quote"]["total_fen"], 24_100);
        // All or none, and all that is wrong.
        let bad = format!("{head}\n0001,企业,,2026-01-01,2025-12-31,10\nC3,,,2026-01-01,,10\n1,,,2026-01-01,,10\n0001,,,2026-12-31,,10\n");
        let refused = import(&host, TARIFFS, "", CSV, bad).expect_status(422);
        let fault = |row: u64, column: &str, code: &str| (row, column.to_owned(), code.to_owned());
        assert_eq!(told(&refused), [
            fault(2, "截止日期（含当日）", "dates_out_of_order"), fault(3, "资产编号", "unknown_reference"),
            fault(4, "资产编号", "digits_lost"), fault(5, "起始日期", "tariff_overlaps"),
        ]);
        let high = import(&host, TARIFFS, "", CSV, format!("{head}\n0001,企业,,2026-01-01,,100000001\n")).expect_status(422);
        assert_eq!(told(&high), [fault(2, "价格（元/小时）", "out_of_range")]);
        let first_day = chrono::NaiveDate::from_ymd_opt(2030, 1, 1).unwrap();
        let days = first_day.iter_days().take(1_001);
        let many: String = days.map(|day| format!("0001,企业,委托,{day},{day},1\n")).collect();
        import(&host, TARIFFS, "", CSV, format!("{head}\n{many}")).expect_code(422, "too_many_rows");
        assert_eq!(host.get(&prices).expect_status(200)["items"].as_array().unwrap().len(), 2);
        for client in [app.as_company(), app.as_person(MANAGER)] {
            import(&client, TARIFFS, "", CSV, format!("{head}\n")).expect_code(403, "forbidden");
        }
    }
}

/// The parts of a workbook that are text.
fn parts(bytes: &[u8]) -> std::collections::BTreeMap<String, String> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut parts = std::collections::BTreeMap::new();
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).unwrap();
        let name = part.name().unwrap().to_string();
        let mut text = String::new();
        if std::io::Read::read_to_string(&mut part, &mut text).is_ok() {
            parts.insert(name, text);
        }
    }
    parts
}
