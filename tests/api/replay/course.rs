//! The course of a year, sent twice: packs, runs, points, and finality.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::operations::policy_pack::HEBEI_2026;

use super::Replay;
use crate::finality::{draft, path, prepared, publish};
use crate::given::{EVALUATORS, evaluators};
use crate::world::*;
use crate::{both, given};

pub const POLICY: &[&str] = &["policy_create", "policy_put_in_force", "policy_withdraw"];
pub const EVALUATION: &[&str] = &[
    "evaluation_finalize",
    "evaluation_regrade",
    "evaluation_run",
    "expert_assignment_create",
    "expert_assignment_submit",
    "expert_assignment_withdraw",
    "expert_point_import",
    "finding_scan",
    "subsidy_finalize",
    "subsidy_run",
];

both! {
    fn answers_about_packs_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, POLICY);
        let (admin, deputy) = (prepared(app), given::deputy(app));
        let pack = HEBEI_2026.replacen("version = 1", "version = 2", 1);
        let stored = replay.post(&admin, "/api/v1/policies", json!(pack));
        let path = format!("/api/v1/policies/{}", stored.id());
        replay.post(&deputy, &format!("{path}/in-force"), json!({}));
        replay.post(&admin, &format!("{path}/withdraw"), json!({"reason": "文号有误"}));
    }

    fn answers_about_runs_and_points_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, EVALUATION);
        let (admin, deputy, [first, second, _]) = (prepared(app), given::deputy(app), evaluators(app));
        let unit = app.organization_id(UNIVERSITY);
        let assigned = |at: usize| {
            let body = json!({
                "year": 2025, "indicator": "A4", "evaluator_user_id": app.user_id(EVALUATORS[at]), "organization_ids": [unit],
                "due_on": "2026-03-09",
            });
            format!("/api/v1/expert-assignments/{}", replay.post(&admin, "/api/v1/expert-assignments", body)["id"])
        };
        let [mine, other] = [0, 1].map(assigned);
        let points = json!({"items": [{"organization_id": unit, "points": "1"}]});
        let put = first.request(Method::PUT, &format!("{mine}/points")).header("If-Match", "*");
        put.json(&points).send().expect_status(200);
        replay.post(&first, &format!("{mine}/submit"), json!({}));
        replay.post(&admin, &format!("{other}/withdraw"), json!({}));
        second.get(&other).expect_status(200);
        let rows = format!("年度,统一社会信用代码,指标,分值\n2025,{UNIVERSITY},A4,3.5\n");
        replay.post(&admin, "/api/v1/expert-points/import", json!(rows));

        let year = json!({"year": 2025, "policy": "hebei-2026"});
        let graded = replay.post(&admin, "/api/v1/evaluations", year.clone());
        replay.post(&admin, &format!("{}/regrade", path("evaluations", &graded["id"])), json!({}));
        let with = |name: &str, value: Value| {
            let mut body = year.clone();
            body[name] = value;
            body
        };
        replay.post(&admin, "/api/v1/subsidy-runs", with("budget_fen", json!(1_000_000)));
        replay.post(&admin, "/api/v1/findings/scan", json!({"year": 2025}));
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let halves = publish(&admin, &run);
        given::notice_over(app);
        for half in &halves {
            replay.post(&deputy, &format!("{half}/finalize"), json!({}));
        }
    }
}
