//! What a host declares, sent twice: instruments with their states, prices and closures, and its tables.

use serde_json::{Value, json};

use super::Replay;
use crate::world::*;
use crate::{both, given};

pub const LIFE: &[&str] = &[
    "exemption_approve",
    "exemption_refuse",
    "exemption_request",
    "instrument_approve",
    "instrument_approve_all",
    "instrument_create",
    "instrument_import",
    "instrument_resume",
    "instrument_retire",
    "instrument_return",
    "instrument_submit",
    "instrument_submit_all",
    "instrument_suspend",
];
pub const DESCRIPTION: &[&str] = &[
    "asset_ledger_import",
    "certification_import",
    "closure_create",
    "organization_closure_create",
    "reported_number_enter",
    "service_create",
    "service_create_all",
    "tariff_create",
    "tariff_create_all",
    "tariff_end",
    "tariff_import",
];

fn declared(asset_no: &str, share_mode: &str) -> Value {
    json!({
        "name": "场发射扫描电子显微镜", "asset_no": asset_no, "original_value_fen": 120_000_000, "category_code": "010102",
        "purpose_type": "general", "model": "SU8600", "manufacturer": "Hitachi", "country": "日本", "accepted_on": "2024-05-06",
        "enabled_on": "2024-06-01", "share_mode": share_mode, "location": "实验楼 101",
        "public_contact": {"name": "张工", "phone": "0312-5000000"},
    })
}

both! {
    fn answers_about_the_life_of_instruments_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, LIFE);
        let (host, admin) = (app.as_host(), app.as_admin());
        let instruments = "/api/v1/instruments";
        let made: Vec<i64> = ["C1", "C2", "C3"].map(|asset| replay.post(&host, instruments, declared(asset, "external")).id()).into();
        let at = |id: i64, verb: &str| format!("{instruments}/{id}/{verb}");
        replay.post(&host, &at(made[0], "submit"), json!({}));
        replay.post(&admin, &at(made[0], "return"), json!({"reason": "照片不清"}));
        host.post(&at(made[0], "submit"), json!({})).expect_status(200);
        replay.post(&admin, &at(made[0], "approve"), json!({}));
        replay.post(&admin, &at(made[0], "suspend"), json!({"reason": "故障"}));
        replay.post(&admin, &at(made[0], "resume"), json!({}));
        replay.post(&host, &at(made[0], "retire"), json!({"reason": "报废"}));
        let items: Vec<Value> = made[1..].iter().map(|id| json!({"id": id})).collect();
        replay.post(&host, &format!("{instruments}/submit"), json!({"items": items}));
        replay.post(&admin, &format!("{instruments}/approve"), json!({"items": items}));
        let kept = host.post(instruments, declared("C4", "none")).expect_status(201).id();
        for (verb, reason) in [("refuse", "证据不足"), ("approve", "属实")] {
            replay.post(&host, &at(kept, "sharing-exemption"), json!({"reason": "教学专用"}));
            replay.post(&admin, &at(kept, &format!("sharing-exemption/{verb}")), json!({"reason": reason}));
        }
        let rows = "asset_no,name,original_value_fen,category_code,purpose_type\nC5,质谱,30000000,010102,special\n";
        replay.post(&host, &format!("{instruments}/import"), json!(rows));
    }

    fn answers_about_what_a_host_declares_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, DESCRIPTION);
        let (host, admin) = (app.as_host(), app.as_admin());
        let id = given::instrument(app).insert();
        let (one, unit) = (format!("/api/v1/instruments/{id}"), app.organization_id(UNIVERSITY));
        let service = |item: &str| json!({"test_item": item, "unit": "样", "price_fen": 30_000});
        replay.post(&host, &format!("{one}/services"), service("形貌观察"));
        let mut more = service("能谱分析");
        more["id"] = json!(id);
        replay.post(&host, "/api/v1/instruments/services", json!({"items": [more]}));
        let tariffs = format!("{one}/tariffs");
        let made = replay.post(&host, &tariffs, json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000})).id();
        replay.post(&host, &format!("{tariffs}/{made}/end"), json!({"valid_until": "2026-12-31"}));
        let next = json!({"items": [{"id": id, "valid_from": "2027-01-01", "valid_until": "2027-12-31", "price_fen_per_hour": 7_000}]});
        replay.post(&host, "/api/v1/instruments/tariffs", next);
        let asset = app.read(move |conn| Ok(yiqi::store::instrument::get(conn, id)?.facts.asset_no));
        let rows = format!("asset_no,valid_from,price_fen_per_hour\n{asset},2028-01-01,8000\n");
        replay.post(&host, "/api/v1/tariffs/import", json!(rows));
        let closed = |day: &str, next: &str| json!({
            "starts_at": format!("{day}T08:00:00+08:00"), "ends_at": format!("{next}T08:00:00+08:00"), "kind": "maintenance",
        });
        replay.post(&host, &format!("{one}/closures"), closed("2026-03-09", "2026-03-10"));
        let of_unit = format!("/api/v1/organizations/{unit}");
        replay.post(&host, &format!("{of_unit}/closures"), closed("2026-05-01", "2026-05-04"));
        let numbers = json!({"year": 2025, "items": [{"name": "core_papers", "value": 4}]});
        replay.post(&host, &format!("{of_unit}/reported-numbers"), numbers);
        let ledger = "资产编号,名称,原值（元）,验收日期,处置日期\nZ2024-001,扫描电镜,1200000.00,2024-05-06,\n";
        replay.post(&host, &format!("{of_unit}/asset-ledger/import"), json!(ledger));
        let held = format!("统一社会信用代码,资质,有效期起,有效期止,文号\n{COMPANY},科技型中小企业,2026-01-01,2026-12-31,2026-0417\n");
        replay.post(&admin, "/api/v1/certifications/import", json!(held));
    }
}
