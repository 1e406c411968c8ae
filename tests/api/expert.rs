//! Evaluators give points of an indicator, blind to each other, until they submit or their last day is over; the mean of those who
//! did is graded, the province's own points stand before it.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::operations::actor::Actor;
use yiqi::operations::policy::install_shipped;
use yiqi::operations::yearly_run;

use crate::client::{Answer, Client};
use crate::finality::{draft, path, publish, say};
use crate::given::{EVALUATORS, evaluators};
use crate::world::*;
use crate::{both, given};

const ASSIGNMENTS: &str = "/api/v1/expert-assignments";

fn body(app: &TestApp, evaluator: usize, indicator: &str) -> Value {
    json!({
        "year": 2025, "indicator": indicator, "evaluator_user_id": app.user_id(EVALUATORS[evaluator]),
        "organization_ids": [app.organization_id(UNIVERSITY)], "due_on": "2026-03-09",
    })
}

fn with(mut body: Value, field: &str, value: impl serde::Serialize) -> Value {
    body[field] = json!(value);
    body
}

fn one(assignment: &Answer) -> String {
    format!("{ASSIGNMENTS}/{}", assignment["id"])
}

fn put(client: &Client, assignment: &str, items: Value) -> Answer {
    let request = client.request(Method::PUT, &format!("{assignment}/points"));
    request
        .header("If-Match", "*")
        .json(json!({ "items": items }))
        .send()
}

fn ids(page: &Answer) -> Vec<i64> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_i64().unwrap()).collect()
}

/// The shipped pack, and an instrument of the university.
fn ready(app: &TestApp) -> Client {
    app.block_on(install_shipped(&app.app, app.now())).unwrap();
    given::instrument(app).insert();
    app.as_admin()
}

both! {
    fn evaluators_see_their_own_assignments_alone(app: &TestApp) {
        let (admin, [first, second, _]) = (ready(app), evaluators(app));
        let unit = app.organization_id(UNIVERSITY);
        let made = [0, 1].map(|at| admin.post(ASSIGNMENTS, body(app, at, "A4")).expect_status(201));
        let [mine, other] = made.each_ref().map(one);
        assert_eq!(made[0].header("location"), Some(mine.as_str()));
        assert_eq!((&made[0]["state"], &made[0]["max"], &made[0]["year"]), (&json!("open"), &json!("4"), &json!(2025)));
        assert_eq!(made[0]["items"], json!([{"organization_id": unit, "organization_name": "太行农业大学", "points": null, "text": null}]));
        assert_eq!(made[0]["evaluator_user_name"], "专家");
        let numbers = made.each_ref().map(Answer::id);
        for (reader, read) in [(&admin, vec![numbers[1], numbers[0]]), (&app.as_person(AUDITOR), vec![numbers[1], numbers[0]]), (&first, vec![numbers[0]]), (&second, vec![numbers[1]])] {
            assert_eq!(ids(&reader.get(ASSIGNMENTS).expect_status(200)), read);
        }
        first.get(&other).expect_status(404);
        put(&first, &other, json!([])).expect_status(404);
        say(&first, &other, "submit", json!({})).expect_status(404);
        for stranger in [app.as_host(), app.as_company()] {
            stranger.get(ASSIGNMENTS).expect_code(403, "forbidden");
            stranger.get(&mine).expect_status(404);
        }
        // Points are the evaluator's to give, assignments the province's to make and to take back.
        put(&admin, &mine, json!([])).expect_code(403, "forbidden");
        say(&admin, &mine, "submit", json!({})).expect_code(403, "forbidden");
        say(&first, &mine, "withdraw", json!({})).expect_code(403, "forbidden");
        first.post(ASSIGNMENTS, body(app, 0, "B3")).expect_code(403, "forbidden");
        first.get("/api/v1/expert-points?year=2025").expect_code(403, "forbidden");

        let points = |points: &str| json!([{"organization_id": unit, "points": points, "text": "制度健全"}]);
        let stale = first.request(Method::PUT, &format!("{mine}/points")).json(json!({"items": points("1")})).send();
        stale.expect_code(428, "version_required");
        let given = put(&first, &mine, points("1.25")).expect_status(200);
        assert_eq!((given.etag(), &given["items"][0]["points"], &given["items"][0]["text"]), ("\"v2\"", &json!("1.25"), &json!("制度健全")));
        assert_eq!(put(&first, &mine, points("1.250")).expect_status(200).etag(), "\"v2\"");
        assert_eq!(put(&first, &mine, json!([])).expect_status(200)["items"][0]["points"], Value::Null);
        for (items, code, field) in [
            (points("4.01"), "out_of_range", "items[0].points"),
            (points("-1"), "out_of_range", "items[0].points"),
            (points("1/3"), "out_of_range", "items[0].points"),
            (json!([{"organization_id": app.organization_id(COMPANY), "points": "1"}]), "unknown_reference", "items[0].organization_id"),
            (json!([{"organization_id": unit, "points": "1"}, {"organization_id": unit, "points": "1"}]), "duplicate", "items[1].organization_id"),
            (json!([{"organization_id": unit, "points": "1", "text": "长".repeat(2001)}]), "text_too_long", "items[0].text"),
        ] {
            let refused = put(&first, &mine, items).expect_code(422, code);
            assert_eq!(refused["errors"][0]["field"], field);
        }
        // Told without words in the trail, which the evaluators' units do not read either.
        app.settle();
        let events = admin.get("/api/v1/events?subject_type=expert_assignment").expect_status(200);
        assert!(events.text().contains("1.25") && !events.text().contains("制度健全"), "{}", events.text());
    }

    fn an_assignment_names_what_is_wrong_with_it(app: &TestApp) {
        let (admin, _) = (ready(app), evaluators(app));
        let (unit, company) = (app.organization_id(UNIVERSITY), app.organization_id(COMPANY));
        let good = || body(app, 0, "A4");
        let party = json!({"organization_id": app.organization_id(PROVINCE), "relation": "下属"});
        for (wrong, code, field) in [
            (with(good(), "evaluator_user_id", app.user_id(BOSS)), "not_an_evaluator", "evaluator_user_id"),
            (with(good(), "evaluator_user_id", 999_999), "unknown_reference", "evaluator_user_id"),
            (body(app, 2, "A4"), "related_to_evaluator", "organization_ids[0]"),
            (with(good(), "indicator", "A5"), "unknown_reference", "indicator"),
            (with(good(), "policy", "nothing"), "unknown_reference", "policy"),
            (with(good(), "year", 2027), "out_of_range", "year"),
            (with(good(), "due_on", "2026-03-01"), "out_of_range", "due_on"),
            (with(good(), "organization_ids", json!([])), "required", "organization_ids"),
            (with(good(), "organization_ids", vec![1; 501]), "too_many", "organization_ids"),
            (with(good(), "organization_ids", json!([unit, unit])), "duplicate", "organization_ids[1]"),
            (with(good(), "organization_ids", json!([unit, 999_999])), "unknown_reference", "organization_ids[1]"),
            (with(good(), "organization_ids", json!([company])), "organization_is_no_host", "organization_ids[0]"),
        ] {
            let refused = admin.post(ASSIGNMENTS, wrong).expect_code(422, code);
            assert_eq!(refused["errors"][0]["field"], field, "{}", refused.text());
        }
        let both = with(with(good(), "indicator", "A5"), "organization_ids", json!([company]));
        assert_eq!(admin.post(ASSIGNMENTS, both).expect_status(422)["errors"].as_array().unwrap().len(), 2);
        // A relation that is declared is enough.
        let made = admin.post(ASSIGNMENTS, good()).expect_status(201);
        let existing = admin.post(ASSIGNMENTS, good()).expect_code(409, "already_assigned");
        assert_eq!((&existing["existing_id"], &existing["organization_ids"]), (&made["id"], &json!([unit])));
        for other in [body(app, 0, "B3"), body(app, 1, "A4"), with(good(), "year", 2024)] {
            admin.post(ASSIGNMENTS, other).expect_status(201);
        }
        say(&admin, &one(&made), "withdraw", json!({})).expect_status(200);
        say(&admin, &one(&made), "withdraw", json!({})).expect_code(409, "invalid_state");
        app.as_host().post(&format!("/api/v1/organizations/{unit}/related-parties"), party).expect_status(201);
        let refused = admin.post(ASSIGNMENTS, good()).expect_code(422, "related_to_evaluator");
        assert_eq!(refused["errors"][0]["field"], "organization_ids[0]");
        let asked = |query: &str| ids(&admin.get(&format!("{ASSIGNMENTS}?{query}")).expect_status(200)).len();
        let counts = ["year=2025", "year=2024", "indicator=B3", "state=open", "state=withdrawn", "state=closed", "updated_since=2026-01-01T00:00:00Z"].map(asked);
        assert_eq!(counts, [3, 1, 1, 3, 1, 0, 4]);
        assert_eq!(asked(&format!("evaluator_user_id={}", app.user_id(EVALUATORS[1]))), 1);
        app.advance(8 * 24 * 60);
        assert_eq!(["state=open", "state=closed"].map(asked), [0, 3]);
    }

    /// To the end of its last day; what was given by then counts, submitted or not.
    fn an_assignment_is_closed_by_submission_by_its_last_day_and_by_withdrawal(app: &TestApp) {
        let (admin, [first, second, _]) = (ready(app), evaluators(app));
        let unit = app.organization_id(UNIVERSITY);
        let points = |points: &str| json!([{"organization_id": unit, "points": points}]);
        let mine = one(&admin.post(ASSIGNMENTS, body(app, 0, "A4")).expect_status(201));
        let other = one(&admin.post(ASSIGNMENTS, body(app, 1, "A4")).expect_status(201));
        let listed = || {
            let rows = admin.get("/api/v1/expert-points?year=2025").expect_status(200)["items"].clone();
            let row = &rows.as_array().unwrap()[0];
            ["points", "points_exact", "given", "missing", "source"].map(|name| row[name].clone())
        };
        assert_eq!(listed(), [Value::Null, Value::Null, json!(0), json!(2), Value::Null]);
        let refused = say(&first, &mine, "submit", json!({})).expect_code(409, "expert_points_missing");
        assert_eq!(refused["organization_ids"], json!([unit]));
        put(&first, &mine, points("1")).expect_status(200);
        put(&second, &other, points("2.5")).expect_status(200);
        // Nothing counts that may still change.
        assert_eq!(listed()[2..4], [json!(0), json!(2)]);
        let submitted = say(&first, &mine, "submit", json!({})).expect_status(200);
        assert_eq!(submitted["state"], "submitted");
        assert!(submitted["submitted_at"].is_string());
        let refused = put(&first, &mine, points("2")).expect_code(409, "assignment_closed");
        assert_eq!((&refused["state"], &refused["due_on"]), (&json!("submitted"), &json!("2026-03-09")));
        say(&first, &mine, "submit", json!({})).expect_code(409, "assignment_closed");
        assert_eq!(listed(), [json!("1"), json!("1"), json!(1), json!(1), json!("experts")]);
        app.advance(7 * 24 * 60);
        put(&second, &other, points("2")).expect_status(200);
        app.advance(24 * 60);
        let refused = put(&second, &other, points("3")).expect_code(409, "assignment_closed");
        assert_eq!(refused["state"], "closed");
        say(&second, &other, "submit", json!({})).expect_code(409, "assignment_closed");
        assert_eq!(listed(), [json!("1.5"), json!("3/2"), json!(2), json!(0), json!("experts")]);
        say(&admin, &mine, "withdraw", json!({})).expect_status(200);
        put(&first, &mine, points("2")).expect_code(409, "assignment_closed");
        assert_eq!(listed(), [json!("2"), json!("2"), json!(1), json!(0), json!("experts")]);
    }

    /// A third of a point is a third of a point, in the grade and when it is computed again.
    fn the_mean_of_several_evaluators_is_graded_exactly(app: &TestApp) {
        let (admin, clients) = (ready(app), evaluators(app));
        let unit = app.organization_id(UNIVERSITY);
        // The third one leaves the university.
        let (user, province) = (app.user_id(EVALUATORS[2]), app.organization_id(PROVINCE));
        app.write(move |tx| {
            let moved = format!("UPDATE user_account SET organization_id = {province} WHERE id = {user}");
            Ok(diesel::RunQueryDsl::execute(diesel::sql_query(moved), tx)?)
        });
        let clients = [clients[0].clone(), clients[1].clone(), app.as_person(EVALUATORS[2])];
        let early = draft(&admin, "evaluations", 2025, "hebei-2026");
        for indicator in ["A4", "B3"] {
            for (at, points) in ["1", "1", "2"].into_iter().enumerate() {
                let made = one(&admin.post(ASSIGNMENTS, body(app, at, indicator)).expect_status(201));
                put(&clients[at], &made, json!([{"organization_id": unit, "points": points}])).expect_status(200);
                let lacks = admin.get("/api/v1/expert-points?year=2025&missing=true").expect_status(200);
                assert!(lacks.text().contains(indicator), "{}", lacks.text());
                say(&clients[at], &made, "submit", json!({})).expect_status(200);
            }
        }
        let lacks = admin.get("/api/v1/expert-points?year=2025&missing=true").expect_status(200);
        assert_eq!(lacks["items"], json!([]));
        let row = admin.get("/api/v1/expert-points?year=2025").expect_status(200)["items"][0].clone();
        assert_eq!((&row["points"], &row["points_exact"], &row["given"]), (&json!("1.3333"), &json!("4/3"), &json!(3)));
        // What is drawn up later has them, what was drawn up before has not.
        say(&admin, &path("evaluations", &early["id"]), "publish", json!({})).expect_code(409, "expert_points_missing");
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let scores = admin.get(&format!("{}/scores", path("evaluations", &run["evaluation_id"]))).expect_status(200);
        let scores = scores["items"][0]["scores"].as_array().unwrap();
        let a4 = scores.iter().find(|score| score["id"] == "A4").unwrap();
        assert_eq!((&a4["points"], &a4["points_exact"]), (&json!("1.3333"), &json!("4/3")));
        let (actor, id) = (Actor::system(app.now()), run.id().try_into().unwrap());
        assert!(app.block_on(yearly_run::verify::verify(&app.app, &actor, id, |_| ())).unwrap().verified);
        // The province's own points stand before the experts'.
        let evaluation = path("evaluations", &run["evaluation_id"]);
        let other = draft(&admin, "evaluations", 2025, "hebei-2026");
        let request = admin.request(Method::PUT, &format!("{}/expert-scores", path("evaluations", &other["id"])));
        let score = json!({"scores": [{"organization_id": unit, "indicator": "A4", "points": "3"}]});
        request.header("If-Match", "*").json(score).send().expect_status(200);
        let row = admin.get("/api/v1/expert-points?year=2025").expect_status(200)["items"][0].clone();
        assert_eq!((&row["points"], &row["source"], &row["given"]), (&json!("3"), &json!("province"), &json!(3)));
        assert_eq!(publish(&admin, &run)[0], evaluation);
    }

    /// Nothing is published while somebody who was asked may still answer; the preflight says so.
    fn who_is_still_to_give_points_is_waited_for(app: &TestApp) {
        let (admin, [first, second, _]) = (ready(app), evaluators(app));
        let unit = app.organization_id(UNIVERSITY);
        let points = json!([{"organization_id": unit, "points": "2"}]);
        for indicator in ["A4", "B3"] {
            let made = one(&admin.post(ASSIGNMENTS, body(app, 0, indicator)).expect_status(201));
            put(&first, &made, points.clone()).expect_status(200);
            say(&first, &made, "submit", json!({})).expect_status(200);
        }
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let evaluation = path("evaluations", &run["evaluation_id"]);
        let lacks = |path: &str| {
            let items = admin.get(path).expect_status(200)["items"].clone();
            items.as_array().unwrap().iter().any(|item| item["code"] == "expert_points_missing")
        };
        let (live, of_draft) = ("/api/v1/preflight?year=2025".to_owned(), format!("{evaluation}/preflight"));
        assert_eq!([lacks(&live), lacks(&of_draft)], [false, false]);
        let late = one(&admin.post(ASSIGNMENTS, body(app, 1, "B3")).expect_status(201));
        assert_eq!([lacks(&live), lacks(&of_draft)], [true, true]);
        let refused = say(&admin, &evaluation, "publish", json!({})).expect_code(409, "expert_points_missing");
        assert_eq!(refused["missing"], json!([{"organization_id": unit, "indicator": "B3"}]));
        while app.tell() > 0 {}
        let told = second.get("/api/v1/notices").expect_status(200);
        assert!(told.text().contains("expert_assignment_create"), "{}", told.text());
        say(&admin, &late, "withdraw", json!({})).expect_status(200);
        assert_eq!([lacks(&live), lacks(&of_draft)], [false, false]);
        publish(&admin, &run);
    }

    /// Of two who assign the same at once one is told that it is done.
    fn nobody_is_assigned_twice_at_once(app: &TestApp) {
        let (admin, _) = (ready(app), evaluators(app));
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let posts: Vec<_> = (0..4).map(|_| scope.spawn(|| admin.post(ASSIGNMENTS, body(app, 0, "A4")))).collect();
            posts.into_iter().map(|post| post.join().unwrap()).collect()
        });
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
        for refused in answers.into_iter().filter(|answer| answer.status == 409) {
            refused.expect_code(409, "already_assigned");
        }
    }

    /// A sheet comes in whole or not at all, corrects what it brought before, and stands behind evaluators and province.
    fn a_sheet_of_points_comes_in_whole_or_not_at_all(app: &TestApp) {
        let (admin, [first, ..]) = (ready(app), evaluators(app));
        let unit = app.organization_id(UNIVERSITY);
        let send = |client: &Client, query: &str, rows: &str| {
            let request = client.request(Method::POST, &format!("/api/v1/expert-points/import{query}"));
            request.bytes("text/csv", format!("年度,统一社会信用代码,指标,分值\n{rows}")).send()
        };
        let listed = || {
            let rows = admin.get("/api/v1/expert-points?year=2025").expect_status(200)["items"].clone();
            let rows = rows.as_array().unwrap().iter();
            rows.map(|row| (row["points"].clone(), row["source"].clone())).collect::<Vec<_>>()
        };
        for (client, code) in [(app.as_host(), "forbidden"), (first.clone(), "forbidden"), (app.as_person(AUDITOR), "forbidden")] {
            send(&client, "", "").expect_code(403, code);
        }
        let rows = format!("2025,{UNIVERSITY},A4,3.5\n2025,{UNIVERSITY},B3,2\n");
        let dry = send(&admin, "?dry_run=true", &rows).expect_status(200);
        assert_eq!(dry.body, json!({"dry_run": true, "rows": 2, "changed": 2}));
        assert_eq!(listed()[0], (Value::Null, Value::Null));
        let wrong = format!("{rows}2025,{COMPANY},A4,1\n2025,X,A4,1\n2027,{UNIVERSITY},A4,1\n2025,{UNIVERSITY},A9,1\n2024,{UNIVERSITY},A4,4.1\n2025,{UNIVERSITY},A4,1\n");
        let told = send(&admin, "", &wrong).expect_status(422);
        let told: Vec<_> = told["errors"].as_array().unwrap().iter().map(|one| format!("{} {} {}", one["row"], one["column"], one["code"])).collect();
        assert_eq!(told, [
            "4 \"统一社会信用代码\" \"organization_is_no_host\"", "5 \"统一社会信用代码\" \"unknown_reference\"", "6 \"年度\" \"out_of_range\"",
            "7 \"指标\" \"unknown_reference\"", "8 \"分值\" \"out_of_range\"", "9 \"指标\" \"duplicate\"",
        ]);
        assert_eq!(listed()[0], (Value::Null, Value::Null));
        assert_eq!(send(&admin, "", &rows).expect_status(200)["changed"], 2);
        let import = |points: &str| (json!(points), json!("import"));
        assert_eq!(listed(), [import("3.5"), import("2")]);
        let again = format!("2025,{UNIVERSITY},A4,3.50\n2025,{UNIVERSITY},B3,3\n");
        assert_eq!(send(&admin, "", &again).expect_status(200)["changed"], 1);
        assert_eq!(listed(), [import("3.5"), import("3")]);
        let made = one(&admin.post(ASSIGNMENTS, body(app, 0, "A4")).expect_status(201));
        put(&first, &made, json!([{"organization_id": unit, "points": "1"}])).expect_status(200);
        assert_eq!(listed(), [import("3.5"), import("3")]);
        say(&first, &made, "submit", json!({})).expect_status(200);
        assert_eq!(listed(), [(json!("1"), json!("experts")), import("3")]);
        let graded = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let scores = admin.get(&format!("{}/scores", path("evaluations", &graded["evaluation_id"]))).expect_status(200);
        let scores = scores["items"][0]["scores"].as_array().unwrap();
        let points = |id: &str| scores.iter().find(|score| score["id"] == id).unwrap()["points"].clone();
        assert_eq!((points("A4"), points("B3")), (json!("1.0000"), json!("3.0000")));
        publish(&admin, &graded);
        given::notice_over(app);
        say(&given::deputy(app), &path("subsidy-runs", &graded["id"]), "finalize", json!({})).expect_status(200);
        send(&admin, "", &again).expect_status(200);
        send(&admin, "", &rows).expect_code(409, "period_locked");
        admin.get("/api/v1/expert-points/import-template").expect_status(200);
        app.as_host().get("/api/v1/expert-points/import-template").expect_code(403, "forbidden");
    }

    /// A pack that adopts grades from outside takes them when facts are frozen; later lists change nothing there.
    fn grades_from_outside_are_adopted_by_packs_that_say_so(app: &TestApp) {
        let admin = ready(app);
        let unit = app.organization_id(UNIVERSITY);
        given::expert_points(app, 2025);
        let adopting = yiqi::operations::policy_pack::HEBEI_2026
            .replacen("code = \"hebei-2026\"", "code = \"adopting\"", 1)
            .replacen("[grades]", "[grades]\nadopt = true", 1);
        let stored = admin.request(Method::POST, "/api/v1/policies").bytes("application/toml", adopting.as_bytes()).send().expect_status(201);
        given::deputy(app).post(&format!("/api/v1/policies/{}/in-force", stored.id()), json!({})).expect_status(200);
        let list = "/api/v1/adopted-grades/2025";
        let empty = admin.get(list).expect_status(200);
        assert_eq!((empty.etag(), &empty.body), ("\"v1\"", &json!({"year": 2025, "items": [], "version": 1})));
        let item = |grade: &str| json!({"organization_id": unit, "grade": grade, "issuer": "科学技术部", "document_no": "国科办基〔2026〕12号"});
        let put = |client: &Client, list: &str, version: &str, items: Value| {
            client.request(Method::PUT, list).header("If-Match", version).json(json!({ "items": items })).send()
        };
        for client in [app.as_host(), app.as_person(CITY_ADMIN)] {
            client.get(list).expect_code(403, "forbidden");
            put(&client, list, "*", json!([])).expect_code(403, "forbidden");
        }
        app.as_person(AUDITOR).get(list).expect_status(200);
        put(&app.as_person(AUDITOR), list, "*", json!([])).expect_code(403, "forbidden");
        admin.put(list, json!({"items": []})).expect_code(428, "version_required");
        for (items, code, field) in [
            (json!([item("good"), item("good")]), "duplicate", "items[1].organization_id"),
            (json!([with(item("good"), "organization_id", 999_999)]), "unknown_reference", "items[0].organization_id"),
            (json!([with(item("good"), "organization_id", app.organization_id(COMPANY))]), "organization_is_no_host", "items[0].organization_id"),
            (json!([with(item("good"), "issuer", " ")]), "required", "items[0].issuer"),
            (json!([with(item("good"), "document_no", "")]), "required", "items[0].document_no"),
            (json!([with(item("good"), "document_no", "长".repeat(65))]), "text_too_long", "items[0].document_no"),
        ] {
            let refused = put(&admin, list, "\"v1\"", items).expect_code(422, code);
            assert_eq!(refused["errors"][0]["field"], field);
        }
        put(&admin, list, "\"v1\"", json!([item("best")])).expect_code(400, "invalid_value");
        put(&admin, "/api/v1/adopted-grades/2027", "\"v1\"", json!([])).expect_code(422, "out_of_range");
        let grade_of = |run: &Answer| {
            let evaluation = if run["evaluation_id"].is_null() { &run["id"] } else { &run["evaluation_id"] };
            let scores = admin.get(&format!("{}/scores", path("evaluations", evaluation))).expect_status(200);
            scores["items"][0]["grade"].clone()
        };
        let computed = draft(&admin, "evaluations", 2025, "adopting");
        assert_ne!(grade_of(&computed), "excellent");
        let told = put(&admin, list, "\"v1\"", json!([item("excellent")])).expect_status(200);
        assert_eq!((told.etag(), &told["items"][0]["organization_name"]), ("\"v2\"", &json!("太行农业大学")));
        put(&admin, list, "\"v1\"", json!([])).expect_code(412, "version_mismatch");
        let run = draft(&admin, "subsidy-runs", 2025, "adopting");
        assert_eq!(grade_of(&run), "excellent");
        // A pack that does not say so computes; what is frozen stays as it is, whatever the list says later.
        assert_ne!(grade_of(&draft(&admin, "evaluations", 2025, "hebei-2026")), "excellent");
        put(&admin, list, "\"v2\"", json!([])).expect_status(200);
        assert_eq!((grade_of(&run), grade_of(&computed) == "excellent"), (json!("excellent"), false));
        let (actor, id) = (Actor::system(app.now()), run.id().try_into().unwrap());
        assert!(app.block_on(yearly_run::verify::verify(&app.app, &actor, id, |_| ())).unwrap().verified);
        assert_ne!(grade_of(&draft(&admin, "evaluations", 2025, "adopting")), "excellent");
    }
}
