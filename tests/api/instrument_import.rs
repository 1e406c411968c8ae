//! Instruments as tables: judged row by row, imported whole or not at all, exported so that they can be imported again.

use rust_xlsxwriter::{Format, Formula, Workbook};
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const LIST: &str = "/api/v1/instruments";
const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn import(client: &Client, query: &str, media_type: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let path = format!("{LIST}/import{query}");
    let request = client.request(ureq::http::Method::POST, &path);
    request.bytes(media_type, bytes).send()
}

/// Row, column and code of every entry.
fn faults(answer: &Answer) -> Vec<(u64, String, String)> {
    let errors = answer["errors"].as_array().unwrap();
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    errors
        .iter()
        .map(|entry| {
            (
                entry["row"].as_u64().unwrap(),
                word(entry, "column"),
                word(entry, "code"),
            )
        })
        .collect()
}

fn fault(row: u64, column: &str, code: &str) -> (u64, String, String) {
    (row, column.to_owned(), code.to_owned())
}

fn count(client: &Client) -> usize {
    let page = client.get(LIST).expect_status(200);
    page["items"].as_array().unwrap().len()
}

const HEAD: &str = "资产编号,name,original_value_fen,category_code,purpose_type,contact_phone\n";

both! {
    fn a_table_is_imported_whole_tried_first_and_changed_later(app: &TestApp) {
        let host = app.as_host();
        let rows = format!("{HEAD}A1,电镜,20000000,010102,general,\nA2,质谱,30000000,010102,special,\n");
        let dry = import(&host, "?dry_run=true", CSV, rows.clone()).expect_status(200);
        assert_eq!(dry.body, json!({"dry_run": true, "created": 2, "updated": 0, "unchanged": 0}));
        assert_eq!(count(&host), 0);
        import(&host, "", CSV, rows.clone()).expect_status(200);
        assert_eq!(count(&host), 2);
        let again = import(&host, "", CSV, rows.clone()).expect_code(409, "asset_no_used");
        assert_eq!(faults(&again), [fault(2, "资产编号", "asset_no_used"), fault(3, "资产编号", "asset_no_used")]);
        assert!(again["errors"][0]["message"].is_string());
        let more = "asset_no,name,original_value_fen,category_code,purpose_type\nA1,扫描电镜,,,\nA2,,,,\nA3,色谱,20000000,010102,general\n";
        let changed = import(&host, "?mode=upsert", CSV, more).expect_status(200);
        assert_eq!(changed.body, json!({"dry_run": false, "created": 1, "updated": 1, "unchanged": 1}));
        let page = host.get(&format!("{LIST}?sort=asset_no"));
        let names: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["扫描电镜", "质谱", "色谱"]);
        assert_eq!((page["items"][0]["version"].as_i64(), page["items"][1]["version"].as_i64()), (Some(2), Some(1)));
    }

    fn a_fault_of_a_row_hides_no_other(app: &TestApp) {
        let host = app.as_host();
        import(&host, "", CSV, format!("{HEAD}A1,电镜,20000000,010102,general,\n")).expect_status(200);
        let head = "asset_no,name,original_value_fen,category_code,purpose_type,region_code,latitude,longitude\n";
        let rows = format!("{head}A1,电镜,20000000,010102,general,139999,95,115\nA2,,,999999,general,130602,,\n");
        let refused = import(&host, "", CSV, rows).expect_status(422);
        let mut told = faults(&refused);
        told.sort();
        assert_eq!(told, [
            fault(2, "asset_no", "asset_no_used"),
            fault(2, "latitude", "out_of_range"),
            fault(2, "region_code", "unknown_region"),
            fault(3, "category_code", "unknown_category"),
            fault(3, "name", "required"),
            fault(3, "original_value_fen", "required"),
        ]);
        let good = format!("{head}A3,质谱,20000000,010102,general,130602,38.9,115.5\n");
        import(&host, "", CSV, good).expect_status(200);
        let page = host.get(&format!("{LIST}?sort=-id"));
        assert_eq!(page["items"][0]["region_code"], "130602");
    }

    fn every_fault_has_its_row_and_column_and_nothing_is_imported(app: &TestApp) {
        let host = app.as_host();
        let rows = format!(
            "{HEAD}A1,电镜,19999999,010102,general,\nA1,电镜,20000000,999999,general,12\nA3,,20000000,01,special,\nA4,好,20000000,010102,general,\n"
        );
        let refused = import(&host, "?dry_run=true", CSV, rows.clone()).expect_status(422);
        let told = faults(&refused);
        for expected in [
            fault(2, "original_value_fen", "below_registration_threshold"),
            fault(3, "资产编号", "duplicate"),
            fault(3, "category_code", "unknown_category"),
            fault(3, "contact_phone", "not_a_phone"),
            fault(4, "name", "required"),
        ] {
            assert!(told.contains(&expected), "{expected:?} in {told:?}");
        }
        assert!(told.iter().all(|(row, ..)| *row != 5), "{told:?}");
        import(&host, "", CSV, rows).expect_status(422);
        assert_eq!(count(&host), 0);
    }

    fn formulas_and_merged_cells_are_refused(app: &TestApp) {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        for (column, title) in ["asset_no", "name", "original_value_fen", "category_code", "purpose_type"].iter().enumerate() {
            sheet.write(0, column as u16, *title).unwrap();
        }
        for (column, text) in ["A1", "电镜", "20000000", "010102", "general"].iter().enumerate() {
            sheet.write(1, column as u16, *text).unwrap();
        }
        sheet.write_formula(1, 2, Formula::new("=1+1").set_result("2")).unwrap();
        sheet.merge_range(2, 0, 2, 1, "A2", &Format::new()).unwrap();
        let bytes = workbook.save_to_buffer().unwrap();
        let told = faults(&import(&app.as_host(), "", XLSX, bytes).expect_status(422));
        assert!(told.iter().any(|(row, _, code)| (*row, code.as_str()) == (2, "formula_not_allowed")), "{told:?}");
        assert!(told.iter().any(|(.., code)| code == "merged_cells"), "{told:?}");
        assert_eq!(count(&app.as_host()), 0);
    }

    fn what_is_no_table_is_refused(app: &TestApp) {
        let host = app.as_host();
        import(&host, "", "application/json", "{}").expect_code(415, "unsupported_media_type");
        import(&host, "", XLSX, "no spreadsheet").expect_code(422, "not_a_spreadsheet");
        import(&host, "", CSV, "").expect_status(422);
        import(&host, "", CSV, "asset_no,owner\nA1,me\n").expect_code(422, "unknown_column");
        import(&host, "?mode=replace", CSV, HEAD).expect_code(400, "invalid_value");
        import(&app.as_company(), "", CSV, HEAD).expect_code(403, "forbidden");
        import(&app.visitor(), "", CSV, HEAD).expect_code(401, "unauthenticated");
    }

    fn what_cannot_be_read_is_told_with_what_may_not_be(app: &TestApp) {
        let host = app.as_host();
        let rows = format!("{HEAD}A1,电镜,x,010102,general,\nA2,质谱,30000000,999999,special,\nA3,色谱,30000000,010102,special,\n");
        let keyed = |rows: &str| {
            let request = host.request(ureq::http::Method::POST, &format!("{LIST}/import")).header("idempotency-key", "i1");
            request.bytes(CSV, rows).send()
        };
        let refused = keyed(&rows).expect_code(422, "not_an_amount");
        assert_eq!(faults(&refused), [fault(2, "original_value_fen", "not_an_amount"), fault(3, "category_code", "unknown_category")]);
        assert_eq!(count(&host), 0);
        // Nor does a row that could not be read leave a success behind under the key.
        let one_bad = format!("{HEAD}A1,电镜,x,010102,general,\nA3,色谱,30000000,010102,special,\n");
        keyed(&one_bad).expect_code(422, "not_an_amount");
        keyed(&format!("{HEAD}A3,色谱,30000000,010102,special,\n")).expect_status(200);
        assert_eq!(count(&host), 1);
    }

    fn an_export_is_an_import_of_the_same(app: &TestApp) {
        let host = app.as_host();
        for _ in 0..3 {
            given::instrument(app).with(|facts| {
                facts.description.name_en = Some("=SEM, \"FE\"".to_owned());
                facts.description.latitude = "38.8745".parse().ok();
                facts.description.longitude = "115.4".parse().ok();
            }).insert();
        }
        given::instrument(app).of(OTHER_HOST).insert();
        for (format, media_type) in [("csv", CSV), ("xlsx", XLSX)] {
            let table = host.get(&format!("{LIST}/export?format={format}")).expect_status(200);
            let text = table.text();
            let again = import(&host, "?mode=upsert&dry_run=true", media_type, table.bytes).expect_status(200);
            assert_eq!(again["unchanged"], 3, "{format}");
            assert_eq!(again["created"], 0);
            if format == "csv" {
                let own = app.organization_id(UNIVERSITY);
                assert!(text.trim_end().ends_with(&format!(",{own},listed")), "{text}");
            }
        }
        let template = host.get(&format!("{LIST}/import-template")).expect_status(200);
        import(&host, "", XLSX, template.bytes).expect_code(422, "empty_table");
        host.get(&format!("{LIST}/export?format=ods")).expect_code(400, "invalid_value");
        app.as_company().get(&format!("{LIST}/export")).expect_code(403, "forbidden");
    }
}
