//! Evaluations and subsidy runs over HTTP: begun, watched, published, final.

use serde_json::json;
use ureq::http::Method;

use crate::both;
use crate::client::{Answer, Client};
use crate::given;
use crate::world::*;
use yiqi::domain::evaluation::{Inputs, Judge};
use yiqi::domain::policy::HostCount;
use yiqi::operations::policy::{self, install_shipped};
use yiqi::operations::yearly_run::freeze;
use yiqi::store::event;

/// Asks until the work at `location` has ended.
pub fn ended(client: &Client, location: &str) -> Answer {
    for _ in 0..200 {
        let answer = client.get(location).expect_status(200);
        if answer["status"] != "running" {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("{location} still runs");
}

pub fn begun(client: &Client, path: &str, body: serde_json::Value) -> Answer {
    let accepted = client.post(path, body).expect_status(202);
    let location = accepted.header("location").unwrap().to_owned();
    let answer = ended(client, &location);
    assert_eq!(answer["status"], "draft", "{}", answer.text());
    answer
}

both! {
    fn a_run_is_begun_watched_published_and_final(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        given::expert_points(app, 2025);
        let admin = app.as_admin();
        let body = json!({"year": 2025, "policy": "hebei-2026@1", "budget_fen": 1_000_000});
        app.as_host().post("/api/v1/subsidy-runs", &body).expect_code(403, "forbidden");
        let unknown = json!({"year": 2025, "policy": "hebei-2099", "budget_fen": 1});
        admin.post("/api/v1/subsidy-runs", unknown).expect_code(422, "unknown_reference");
        let future = json!({"year": 2027, "policy": "hebei-2026", "budget_fen": 1});
        admin.post("/api/v1/subsidy-runs", future).expect_code(422, "out_of_range");
        let run = begun(&admin, "/api/v1/subsidy-runs", body);
        let path = format!("/api/v1/subsidy-runs/{}", run.id());
        assert_eq!(run["unspent_fen"], 1_000_000);
        assert_eq!(run["factor"], "1/1");

        let host = app.as_host();
        host.get(&path).expect_code(404, "not_found");
        let awards = admin.get(&format!("{path}/awards")).expect_status(200);
        let award = &awards["items"][0];
        assert_eq!(award["award_fen"], 0);
        assert_eq!(award["scores"]["A3"], "6.0000");
        let explanation = format!("{path}/awards/{}/explanation", award["id"]);
        host.get(&explanation).expect_code(404, "not_found");
        let csv = admin.get(&format!("{path}/export?format=csv")).expect_status(200);
        assert!(csv.text().contains(UNIVERSITY));
        let xlsx = admin.get(&format!("{path}/export?format=xlsx")).expect_status(200);
        assert!(xlsx.bytes.starts_with(b"PK"));

        let deputy = given::deputy(app);
        deputy.post(&format!("{path}/finalize"), json!({})).expect_code(409, "invalid_state");
        admin.post(&format!("/api/v1/evaluations/{}/publish", run["evaluation_id"]), json!({})).expect_status(200);
        admin.post(&format!("{path}/publish"), json!({})).expect_status(200);
        let explained = host.get(&explanation).expect_status(200);
        assert_eq!(explained["scores"].as_array().unwrap().len(), 12);
        assert_eq!(explained["charges_yuan"], "0.00");
        assert_eq!(explained["left_out"], json!([]));
        let asked = |reason: &str| format!("{explanation}?left_out={reason}&limit=5");
        let page = host.get(&asked("unpaid")).expect_status(200);
        assert_eq!(page["left_out_records"], json!([]));
        host.get(&asked("unpaid_for")).expect_code(400, "invalid_value");
        app.as_company().get(&explanation).expect_code(403, "forbidden");
        given::notice_over(app);
        let final_run = deputy.post(&format!("{path}/finalize"), json!({})).expect_status(200);
        assert_eq!(final_run["status"], "final");
        assert_eq!(final_run["finalized_by"], app.user_id(given::DEPUTY).number());
        admin.post(&format!("{path}/discard"), json!({})).expect_code(409, "invalid_state");
    }

    fn experts_points_grade_a_draft_again(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        given::expert_points(app, 2025);
        let admin = app.as_admin();
        let draft = begun(&admin, "/api/v1/evaluations", json!({"year": 2025, "policy": "hebei-2026"}));
        let path = format!("/api/v1/evaluations/{}", draft.id());
        let put = |etag: &str, points: &str| {
            let score = json!({"organization_id": app.organization_id(UNIVERSITY), "indicator": "A4", "points": points});
            let request = admin.request(Method::PUT, &format!("{path}/expert-scores"));
            request.header("If-Match", etag).json(json!({"scores": [score]})).send()
        };
        put(draft.etag(), "4.5").expect_code(422, "out_of_range");
        let graded = put(draft.etag(), "3.5").expect_status(200);
        assert_ne!(graded["input_digest"], draft["input_digest"]);
        put(draft.etag(), "3").expect_code(412, "version_mismatch");
        let scores = admin.get(&format!("{path}/scores")).expect_status(200);
        let scores = scores["items"][0]["scores"].as_array().unwrap();
        let expert = scores.iter().find(|score| score["id"] == "A4").unwrap();
        assert_eq!(expert["points"], "3.5000");
        app.visitor().get("/api/v1/stats/2025").expect_status(200);
        admin.post(&format!("{path}/publish"), json!({})).expect_status(200);
        put(graded.etag(), "3").expect_code(412, "version_mismatch");
        let published = admin.get(&path).expect_status(200);
        for points in ["3", "3.5"] {
            let refused = put(published.etag(), points).expect_code(409, "invalid_state");
            assert_eq!(refused["state"], "published");
        }
        given::notice_over(app);
        given::deputy(app).post(&format!("{path}/finalize"), json!({})).expect_status(200);
        let again = begun(&admin, "/api/v1/evaluations", json!({"year": 2025, "policy": "hebei-2026"}));
        let again = format!("/api/v1/evaluations/{}", again.id());
        let refused = admin.post(&format!("{again}/publish"), json!({})).expect_code(409, "final_exists");
        assert_eq!(refused["existing_id"], draft["id"]);
    }

    fn a_action_of_a_run_happens_once(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        given::expert_points(app, 2025);
        let admin = app.as_admin();
        let run = |_| {
            let body = json!({"year": 2025, "policy": "hebei-2026@1", "budget_fen": 1_000_000});
            let run = begun(&admin, "/api/v1/subsidy-runs", body);
            let path = format!("/api/v1/subsidy-runs/{}", run.id());
            admin.post(&format!("/api/v1/evaluations/{}/publish", run["evaluation_id"]), json!({})).expect_status(200);
            admin.post(&format!("{path}/publish"), json!({})).expect_status(200);
            path
        };
        let runs = [0, 1].map(run);
        given::deputy(app);
        given::notice_over(app);
        let actions: Vec<String> = [0, 1, 0, 1].map(|at| format!("{}/finalize", runs[at])).into();
        let mut actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        let discard = format!("{}/discard", runs[0]);
        actions.push(&discard);
        let said = |path: &str| match path.ends_with("discard") {
            true => json!({"reason": "重算"}),
            false => json!({}),
        };
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let all: Vec<_> = actions
                .iter()
                .map(|path| scope.spawn(|| given::deputy(app).post(path, said(path))))
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let known = |answer: &Answer| match answer.status {
            200 => true,
            409 => ["final_exists", "invalid_state"].contains(&answer["code"].as_str().unwrap_or_default()),
            _ => false,
        };
        for answer in &answers {
            assert!(known(answer), "{} {}", answer.status, answer.text());
        }
        let states = runs.map(|path| admin.get(&path).expect_status(200)["status"].clone());
        assert_eq!(states.iter().filter(|state| *state == "final").count(), 1);
    }

    fn a_request_counts_by_its_first_answer(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        let sem = given::instrument(app).rules(json!({"approval": "manual"})).insert();
        let (host, company) = (app.as_host(), app.as_company());
        let slot = |from: u32| {
            let at = |hour: u32| format!("2026-03-03T{hour:02}:00:00+08:00");
            json!({"starts_at": at(from), "ends_at": at(from + 1)})
        };
        let request = |from: u32| {
            let mut wish = slot(from);
            wish["instrument_id"] = json!(sem);
            wish["mode"] = json!("self_operated");
            wish["purpose"] = json!("research");
            company.post("/api/v1/bookings", wish).expect_status(201)
        };
        let action = |client: &Client, booking: &Answer, verb: &str, body| {
            let path = format!("/api/v1/bookings/{}/{verb}", booking.id());
            let request = client.request(Method::POST, &path);
            request.header("If-Match", booking.etag()).json(body).send().expect_status(200)
        };
        // Answered, then moved and asked again, then given up by the host.
        let answered = action(&host, &request(8), "approve", json!({}));
        let moved = action(&company, &answered, "reschedule", slot(10));
        assert_eq!(moved["state"], "requested");
        action(&host, &moved, "cancel", json!({"reason": "设备故障"}));
        // Given up by the host without an answer, and taken back by the customer.
        action(&host, &request(12), "cancel", json!({"reason": "设备故障"}));
        action(&company, &request(14), "cancel", json!({}));
        let (now, calendar) = (app.now(), app.block_on(app.app.calendar()).unwrap());
        let inputs = app.read(move |conn| {
            let scope = freeze::scope(&freeze::calendar_year(2026)?, now, event::newest(conn)?)?;
            let pack = policy::open(&policy::get_named(conn, "hebei-2026", now.local_date())?)?;
            let inputs = freeze::read(conn, &scope, &pack, &calendar, Default::default(), None)?;
            Ok((inputs, pack))
        });
        let (inputs, pack) = inputs;
        let count = |inputs: &Inputs, of| {
            let judge = Judge::new(inputs, &pack);
            judge.count(inputs.units().next().unwrap(), of)
        };
        // Whose deadline the freeze came before is not counted yet.
        assert_eq!(count(&inputs, HostCount::RequestsReceived), 0);
        let later = inputs.frozen_on_day("2026-06-01".parse().unwrap());
        assert_eq!(count(&later, HostCount::RequestsReceived), 2);
        assert_eq!(count(&later, HostCount::RequestsAnswered), 1);
    }

    fn a_run_stands_only_on_an_evaluation_that_stands(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        given::expert_points(app, 2025);
        let admin = app.as_admin();
        let body = json!({"year": 2025, "policy": "hebei-2026@1", "budget_fen": 1_000_000});
        let run = begun(&admin, "/api/v1/subsidy-runs", body);
        let path = format!("/api/v1/subsidy-runs/{}", run.id());
        let evaluation = format!("/api/v1/evaluations/{}", run["evaluation_id"]);
        admin.post(&format!("{evaluation}/discard"), json!({})).expect_code(409, "relation_in_use");
        // Past every rule but the database's own.
        let discard = |from: &'static str, to: &'static str| app.write(move |tx| {
            let text = format!("UPDATE evaluation SET state = '{to}' WHERE state = '{from}'");
            Ok(diesel::RunQueryDsl::execute(diesel::sql_query(text), tx)?)
        });
        for state in ["discarded", "running", "failed"] {
            discard("draft", state);
            let refused = admin.post(&format!("{path}/publish"), json!({})).expect_code(409, "evaluation_not_published");
            assert_eq!((&refused["evaluation_id"], &refused["state"]), (&run["evaluation_id"], &json!(state)));
            discard(state, "draft");
        }
        admin.post(&format!("{evaluation}/publish"), json!({})).expect_status(200);
        admin.post(&format!("{path}/publish"), json!({})).expect_status(200);
        given::notice_over(app);
        for state in ["draft", "discarded"] {
            discard("published", state);
            given::deputy(app).post(&format!("{path}/finalize"), json!({})).expect_code(409, "evaluation_not_published");
            discard(state, "published");
        }
    }

    fn what_was_discarded_has_no_results_to_read(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        given::expert_points(app, 2025);
        let admin = app.as_admin();
        let body = json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 1_000_000});
        let run = begun(&admin, "/api/v1/subsidy-runs", body);
        let path = format!("/api/v1/subsidy-runs/{}", run.id());
        let awards = admin.get(&format!("{path}/awards")).expect_status(200);
        let award = &awards["items"][0]["id"];
        admin.post(&format!("{path}/discard"), json!({})).expect_status(200);
        for part in ["awards", &format!("awards/{award}/explanation"), "export"] {
            let refused = admin.get(&format!("{path}/{part}")).expect_code(409, "invalid_state");
            assert_eq!(refused["state"], "discarded");
        }
    }

    fn no_run_comes_to_stand_on_a_discarded_evaluation(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        given::expert_points(app, 2025);
        let admin = app.as_admin();
        for _ in 0..6 {
            let draft = begun(&admin, "/api/v1/evaluations", json!({"year": 2025, "policy": "hebei-2026"}));
            let evaluation = format!("/api/v1/evaluations/{}", draft.id());
            let body = json!({
                "year": 2025, "policy": "hebei-2026", "budget_fen": 1_000_000, "evaluation_id": draft["id"],
            });
            let (run, discarded) = std::thread::scope(|scope| {
                let run = scope.spawn(|| app.as_admin().post("/api/v1/subsidy-runs", body));
                let discarded = app.as_admin().post(&format!("{evaluation}/discard"), json!({}));
                (run.join().unwrap(), discarded)
            });
            app.app.work.finish();
            match discarded.status {
                200 => assert_eq!(run.status, 409, "{}", run.text()),
                _ => {
                    discarded.expect_code(409, "relation_in_use");
                    run.expect_status(202);
                }
            }
        }
    }

    fn what_was_accepted_has_ended_when_the_stop_goes_on(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        given::instrument(app).insert();
        given::expert_points(app, 2025);
        let admin = app.as_admin();
        let body = json!({"year": 2025, "policy": "hebei-2026", "budget_fen": 1});
        let run = admin.post("/api/v1/subsidy-runs", body).expect_status(202);
        app.app.work.finish();
        let path = format!("/api/v1/subsidy-runs/{}", run.id());
        assert_eq!(admin.get(&path).expect_status(200)["status"], "draft");
    }
}
