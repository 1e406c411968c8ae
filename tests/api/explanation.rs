//! The explanation of a grade and of an award over HTTP: what it says, in which language, and to whom.

use serde_json::json;

use crate::both;
use crate::client::Answer;
use crate::given;
use crate::subsidy::begun;
use crate::world::*;
use yiqi::operations::policy::install_shipped;

/// The members that every explanation has.
const SHARED: [&str; 12] = [
    "organization_id",
    "name",
    "grade",
    "total",
    "total_exact",
    "place",
    "grade_reason",
    "scores",
    "metrics",
    "charges_fen",
    "base_yuan",
    "left_out",
];

fn has_all(answer: &Answer) {
    for member in SHARED {
        assert!(!answer[member].is_null(), "{member}: {}", answer.text());
    }
    for score in answer["scores"].as_array().unwrap() {
        for member in [
            "id",
            "name",
            "sentence",
            "points",
            "points_exact",
            "numerator_decimal",
        ] {
            assert!(score[member].is_string(), "{member}: {score}");
        }
    }
}

both! {
    fn a_grade_and_an_award_are_explained_to_whom_they_concern(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        given::expert_points(app, 2025);
        let admin = app.as_admin();
        let run = begun(&admin, "/api/v1/subsidy-runs", json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 1_000_000}));
        let unit = app.organization_id(UNIVERSITY);
        let evaluation = format!("/api/v1/evaluations/{}", run["evaluation_id"]);
        let path = format!("/api/v1/subsidy-runs/{}", run.id());
        let awards = admin.get(&format!("{path}/awards")).expect_status(200);
        let of_grade = format!("{evaluation}/explanations/{unit}");
        let of_award = format!("{path}/awards/{}/explanation", awards["items"][0]["id"]);
        let host = app.as_host();
        for explanation in [&of_grade, &of_award] {
            app.visitor().get(explanation).expect_status(401);
            host.get(explanation).expect_code(404, "not_found");
            has_all(&admin.get(explanation).expect_status(200));
        }
        let company = app.organization_id(COMPANY);
        admin.get(&format!("{evaluation}/explanations/{company}")).expect_code(404, "not_found");
        admin.post(&format!("{evaluation}/publish"), json!({})).expect_status(200);
        admin.post(&format!("{path}/publish"), json!({})).expect_status(200);
        for explanation in [&of_grade, &of_award] {
            app.as_company().get(explanation).expect_code(403, "forbidden");
            app.as_stranger().get(explanation).expect_code(403, "forbidden");
            let english = host.in_language("en").get(explanation).expect_status(200);
            has_all(&english);
            let chinese = host.in_language("zh-CN").get(explanation).expect_status(200);
            let (english, chinese) = (&english["grade_reason"], &chinese["grade_reason"]);
            assert_eq!(english["evaluated"], 1);
            assert!(english["sentence"].as_str().unwrap().contains("points; "), "{english}");
            assert!(chinese["sentence"].as_str().unwrap().starts_with("总分"), "{chinese}");
            host.get(&format!("{explanation}?left_out=never")).expect_code(400, "invalid_value");
            host.get(&format!("{explanation}?metric=never")).expect_code(400, "invalid_value");
        }
        let award = host.get(&of_award).expect_status(200);
        assert_eq!(award["award_yuan"], "0.00");
        for step in award["steps"].as_array().unwrap() {
            for member in ["sentence", "before_fen_decimal", "before_yuan", "after_fen_decimal", "after_yuan"] {
                assert!(step[member].is_string(), "{member}: {step}");
            }
            assert_eq!(step["instrument_id"].is_null(), step["asset_no"].is_null());
        }
        let base = &award["instruments"][0];
        assert!(base["instrument_name"].is_string() && base["base_yuan"].is_string(), "{base}");
    }
}
