//! Exports of yearly runs, notices and explanations as files: what stands in them, for whom, and what is said where none can be
//! made. A file of the yearly run says what it is about: policy, digests, and whether it is a draft.

use std::io::{Cursor, Write};
use std::process::{Command, Stdio};

use calamine::{Data, DataType, Reader, Xlsx};
use serde_json::json;

use crate::both;
use crate::client::Answer;
use crate::finality::{draft, path, prepared, publish};
use crate::world::*;

/// The text of a PDF, as its pages show it.
pub fn text_of(pdf: &[u8]) -> String {
    assert!(pdf.starts_with(b"%PDF"));
    let mut reader = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pdftotext of the package poppler-utils");
    reader.stdin.take().unwrap().write_all(pdf).unwrap();
    let read = reader.wait_with_output().unwrap();
    assert!(read.status.success());
    String::from_utf8(read.stdout).unwrap()
}

/// The sheets of a workbook by name, as rows of cells.
pub fn sheets_of(bytes: &[u8]) -> Vec<(String, Vec<Vec<Data>>)> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheets = book.worksheets().into_iter();
    let rows = |range: calamine::Range<Data>| range.rows().map(<[Data]>::to_vec).collect();
    sheets.map(|(name, range)| (name, rows(range))).collect()
}

pub fn column(sheet: &[Vec<Data>], caption: &str) -> usize {
    let found = sheet[0].iter().position(|cell| cell == caption);
    found.unwrap_or_else(|| panic!("{caption}: {:?}", sheet[0]))
}

fn media_type(answer: &Answer) -> String {
    answer.header("content-type").unwrap().to_owned()
}

const TYPES: [(&str, &str); 3] = [
    ("csv", "text/csv; charset=utf-8"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("pdf", "application/pdf"),
];

both! {
    fn every_run_is_exported_in_every_format_to_its_overseers(app: &TestApp) {
        let admin = prepared(app);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let halves = [path("evaluations", &run["evaluation_id"]), path("subsidy-runs", &run["id"])];
        for half in &halves {
            for (format, media) in TYPES {
                let file = admin.get(&format!("{half}/export?format={format}")).expect_status(200);
                assert_eq!(media_type(&file), media, "{half}");
                let named = file.header("content-disposition").unwrap().to_owned();
                assert!(named.ends_with(&format!(".{format}\"")), "{named}");
            }
            assert_eq!(media_type(&admin.get(&format!("{half}/export"))), TYPES[0].1);
            admin.get(&format!("{half}/export?format=ods")).expect_code(400, "invalid_value");
            app.as_host().get(&format!("{half}/export")).expect_code(404, "not_found");
            app.visitor().get(&format!("{half}/export")).expect_status(401);
        }
        publish(&admin, &run);
        for half in &halves {
            app.as_host().get(&format!("{half}/export?format=pdf")).expect_code(403, "forbidden");
        }
        for kind in ["evaluations", "subsidy-runs"] {
            admin.get(&format!("/api/v1/{kind}/999/export")).expect_code(404, "not_found");
        }
    }

    fn a_workbook_has_a_sheet_for_each_table_and_numbers_are_numbers(app: &TestApp) {
        let admin = prepared(app);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let subsidy = path("subsidy-runs", &run["id"]);
        let book = sheets_of(&admin.get(&format!("{subsidy}/export?format=xlsx")).bytes);
        let names: Vec<&str> = book.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["概要", "补助结果", "仪器", "评价结果", "得分明细", "指标", "未计入金额"]);
        let said = format!("{:?}", book[0].1);
        for what in ["补助结果公示", "hebei-2026", "10,000.00 元", "草稿", run["result_digest"].as_str().unwrap(), "2026-03-02"] {
            assert!(said.contains(what), "{what}: {said}");
        }
        let awards = &book[1].1;
        let amount = column(awards, "补助金额（元）");
        assert_eq!(awards.last().unwrap()[column(awards, "单位名称")].to_string(), "合计");
        assert!(awards[1..].iter().all(|row| row[amount].is_float()), "{awards:?}");
        assert!(awards[1][column(awards, "总分")].is_float());
        let grades = &book[3].1;
        assert!(grades[0].iter().any(|cell| cell == "A1"), "{:?}", grades[0]);
        let indicators = &book[5].1;
        assert!(indicators[1][1].to_string().contains("按时登记"), "{indicators:?}");
        let evaluation = path("evaluations", &run["evaluation_id"]);
        let book = sheets_of(&admin.get(&format!("{evaluation}/export?format=xlsx")).bytes);
        let names: Vec<&str> = book.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["概要", "评价结果", "得分明细", "指标", "仪器"]);
        let csv = admin.get(&format!("{evaluation}/export?format=csv")).text();
        assert_eq!(csv.lines().count(), 2, "{csv}");
        assert!(csv.contains("太行农业大学") && csv.lines().next().unwrap().contains("A1,"), "{csv}");
    }

    fn the_notice_is_a_document_for_everybody(app: &TestApp) {
        let (admin, visitor) = (prepared(app), app.visitor());
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let pdf = |of: &str| text_of(&admin.get(&format!("{of}/export?format=pdf")).expect_status(200).bytes);
        assert!(pdf(&path("subsidy-runs", &run["id"])).contains("（草稿）"));
        let remark = json!({"remark": "以文件为准"});
        let halves = [path("evaluations", &run["evaluation_id"]), path("subsidy-runs", &run["id"])];
        for (half, about) in halves.iter().zip(["评价结果", "补助结果"]) {
            admin.post(&format!("{half}/publish"), &remark).expect_status(200);
            let notice = format!("/api/v1/public-notices/{}", admin.get(half)["public_notice_id"]);
            let file = visitor.get(&format!("{notice}?format=pdf")).expect_status(200);
            let text = text_of(&file.bytes);
            let json = visitor.get(&format!("{notice}?format=json")).expect_status(200);
            let digest = admin.get(half)["result_digest"].as_str().unwrap()[..20].to_owned();
            for what in [about, "太行农业大学", "以文件为准", "2026-03-02 至 2026-03-09", json["document_no"].as_str().unwrap(), &digest] {
                assert!(text.contains(what), "{what}: {text}");
            }
            assert!(!text.contains("草稿"));
            // The export of what is published is the notice.
            assert_eq!(pdf(half), text);
            // The same notice is the same file.
            assert_eq!(visitor.get(&format!("{notice}?format=pdf")).bytes, file.bytes);
            visitor.get(&format!("{notice}?format=xlsx")).expect_code(400, "invalid_value");
        }
        visitor.get("/api/v1/public-notices/999?format=pdf").expect_code(404, "not_found");
        let objection = json!({"text": "总分有误"});
        let notice = format!("/api/v1/public-notices/{}", admin.get(&halves[1])["public_notice_id"]);
        let objected = app.as_host().post(&format!("{notice}/objections"), objection).expect_status(201);
        admin.post(&format!("/api/v1/objections/{}/dismiss", objected["id"]), json!({"text": "经核实无误"})).expect_status(200);
        let text = text_of(&visitor.get(&format!("{notice}?format=pdf")).bytes);
        assert!(text.contains("经核实无误") && !text.contains("总分有误"), "{text}");
    }

    fn an_explanation_is_a_document_in_the_language_of_its_reader(app: &TestApp) {
        let admin = prepared(app);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let [evaluation, subsidy] = publish(&admin, &run);
        let unit = app.organization_id(UNIVERSITY);
        let award = admin.get(&format!("{subsidy}/awards"))["items"][0]["id"].clone();
        let host = app.as_host();
        for of in [format!("{evaluation}/explanations/{unit}"), format!("{subsidy}/awards/{award}/explanation")] {
            for (language, grade, left_out) in [("zh-CN", "等次", "未计入的金额"), ("en", "Grade", "Left out")] {
                let file = host.in_language(language).get(&format!("{of}?format=pdf")).expect_status(200);
                assert_eq!(media_type(&file), "application/pdf");
                let text = text_of(&file.bytes);
                assert!(text.contains(grade) && text.contains(left_out) && text.contains("太行农业大学"), "{text}");
            }
            host.get(&format!("{of}?format=json")).expect_status(200);
            host.get(&format!("{of}?format=csv")).expect_code(400, "invalid_value");
            app.as_company().get(&format!("{of}?format=pdf")).expect_code(403, "forbidden");
        }
    }
}

/// A server whose font is missing, or is none for Chinese, answers the other formats and says what to install.
fn no_font(backend: Backend, font: &str) {
    let Some(app) = TestApp::start_with(backend, |settings| settings.pdf_font = font.to_owned())
    else {
        return;
    };
    let admin = prepared(&app);
    let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
    let subsidy = path("subsidy-runs", &run["id"]);
    let award = admin.get(&format!("{subsidy}/awards"))["items"][0]["id"].clone();
    for of in [
        format!("{subsidy}/export"),
        format!("{}/export", path("evaluations", &run["evaluation_id"])),
        format!("{subsidy}/awards/{award}/explanation"),
    ] {
        let refused = admin.get(&format!("{of}?format=pdf"));
        let refused = refused.expect_code(409, "pdf_font_missing");
        assert!(refused.text().contains("fonts-noto-cjk"));
    }
    for format in ["csv", "xlsx"] {
        let export = format!("{subsidy}/export?format={format}");
        admin.get(&export).expect_status(200);
    }
}

#[test]
fn without_a_chinese_font_no_pdf_is_made() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        no_font(backend, "/nowhere/font.ttc");
        no_font(backend, concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    }
}
