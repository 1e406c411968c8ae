//! What is kept under an idempotency key is the whole answer: status, Location, ETag and body, without what is shown once.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::account::{application, signed_in, uscc};
use crate::award::{Final, final_run};
use crate::client::{Answer, Client};
use crate::finality::{draft, path, prepared};
use crate::finding_effect::planted;
use crate::world::*;
use crate::{both, given};

fn send(client: &Client, method: &Method, path: &str, version: &str, body: &Value) -> Answer {
    let request = client.request(method.clone(), path);
    let request = request.header("idempotency-key", &format!("{method}:{path}"));
    let request = match version {
        "" => request,
        version => request.header("if-match", version),
    };
    request.json(body).send()
}

/// Sends the same request twice: the second answer is the first one again. Gives the first.
#[track_caller]
fn twice(client: &Client, method: &Method, path: &str, version: &str, body: &Value) -> Answer {
    let first = send(client, method, path, version, body);
    assert!(first.status < 300, "{path}: {}", first.text());
    let again = send(client, method, path, version, body);
    assert_eq!(
        (
            first.header("idempotency-replayed"),
            again.header("idempotency-replayed")
        ),
        (None, Some("true")),
        "{path}"
    );
    assert_eq!(again.status, first.status, "{path}");
    for name in ["location", "etag", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{path}: {name}");
    }
    let mut shown = first.body.clone();
    for once in ["secret", "invitation_token"] {
        if shown.get(once).is_some() {
            assert!(
                shown[once].is_string() && again[once].is_null(),
                "{path}: {once}"
            );
            shown[once] = Value::Null;
        }
    }
    assert_eq!(again.body, shown, "{path}");
    first
}

both! {
    fn answers_about_accounts_and_organizations_are_given_again_whole(app: &TestApp) {
        let (visitor, admin, boss) = (app.visitor(), app.as_admin(), app.as_company());
        let (post, patch, delete) = (Method::POST, Method::PATCH, Method::DELETE);
        let made = twice(&visitor, &post, "/api/v1/auth/register", "", &application(1));
        let own = format!("/api/v1/organizations/{}", made["organization"]["id"]);
        assert_eq!(made.header("location"), Some(own.as_str()));
        let newcomer = signed_in(app, "new1@new.example", "a-good-password");
        let corrected = twice(&newcomer, &patch, &own, "\"v1\"", &json!({"uscc": uscc(2)}));
        assert_eq!(corrected.etag(), "\"v2\"");
        let verified = twice(&admin, &post, &format!("{own}/verify"), "\"v2\"", &json!({}));
        assert_eq!(verified.etag(), "\"v3\"");
        let me = twice(&newcomer, &patch, "/api/v1/me", "\"v1\"", &json!({"name": "赵六"}));
        assert_eq!(me.etag(), "\"v2\"");
        let members = format!("{own}/members");
        let invited = twice(&newcomer, &post, &members, "", &json!({"email": "b@new.example", "roles": ["unit_member"]}));
        assert_eq!(invited.header("location"), Some(members.as_str()));
        let accept = json!({"invitation_token": invited["invitation_token"], "name": "乙", "password": "a-good-password"});
        let joined = twice(&visitor, &post, "/api/v1/auth/invitations/accept", "", &accept);
        assert_eq!((joined.header("location"), joined.etag()), (Some("/api/v1/me"), "\"v1\""));
        let member = format!("{members}/{}", joined.id());
        twice(&newcomer, &patch, &member, "\"v1\"", &json!({"roles": ["unit_admin"]}));
        twice(&newcomer, &delete, &member, "\"v2\"", &json!({}));
        let party = json!({"organization_id": app.organization_id(COMPANY)});
        let parties = format!("{own}/related-parties");
        assert_eq!(twice(&newcomer, &post, &parties, "", &party).header("location"), Some(parties.as_str()));
        let key = twice(&boss, &post, "/api/v1/api-keys", "", &json!({"name": "LIMS", "scopes": ["catalog:read"]}));
        let key = format!("/api/v1/api-keys/{}", key.id());
        assert_eq!(twice(&boss, &delete, &key, "", &json!({})).status, 204);
        twice(&boss, &post, "/api/v1/notices/read", "", &json!({"ids": []}));
    }

    fn answers_about_notices_and_objections_are_given_again_whole(app: &TestApp) {
        let (admin, host, post) = (prepared(app), app.as_host(), Method::POST);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let halves = [path("evaluations", &run["evaluation_id"]), path("subsidy-runs", &run["id"])];
        for half in &halves {
            twice(&admin, &post, &format!("{half}/publish"), "", &json!({}));
        }
        let notice = format!("/api/v1/public-notices/{}", admin.get(&halves[1])["public_notice_id"]);
        let objections = format!("{notice}/objections");
        let first = twice(&host, &post, &objections, "", &json!({"text": "总分有误"}));
        let of = |made: &Answer| format!("/api/v1/objections/{}", made["id"]);
        twice(&host, &post, &format!("{}/withdraw", of(&first)), "", &json!({}));
        for verb in ["dismiss", "uphold"] {
            let made = host.post(&objections, json!({"text": "机时有误"})).expect_status(201);
            twice(&admin, &post, &format!("{}/{verb}", of(&made)), "", &json!({"text": "经核实"}));
        }
        for half in halves.iter().rev() {
            twice(&admin, &post, &format!("{half}/discard"), "", &json!({"reason": "重做"}));
        }
    }

    fn answers_about_awards_and_findings_are_given_again_whole(app: &TestApp) {
        let (admin, deputy, post) = (prepared(app), given::deputy(app), Method::POST);
        let Final { award, .. } = final_run(app, &admin, 100_000);
        let paid = json!({"amount_fen": 7, "paid_on": "2026-03-10", "document_no": "冀财 2026-7"});
        twice(&admin, &post, &format!("{award}/payments"), "", &paid);
        let less = json!({"amount_fen": -9, "reason_code": "error", "reason": "录入有误"});
        let adjustments = format!("{award}/adjustments");
        let made = twice(&admin, &post, &adjustments, "", &less);
        twice(&deputy, &post, &format!("{adjustments}/{}/approve", made["id"]), "", &json!({}));
        let made = admin.post(&adjustments, &less).expect_status(201);
        twice(&deputy, &post, &format!("{adjustments}/{}/refuse", made["id"]), "", &json!({}));
        for verb in ["hold", "release"] {
            twice(&admin, &post, &format!("{award}/{verb}"), "", &json!({"reason": "核查中"}));
        }
        let told = admin.get(&award).expect_status(200);
        assert_eq!(["adjusted_fen", "paid_fen"].map(|name| told[name].as_i64()), [Some(-9), Some(7)], "{}", told.text());
    }

    fn answers_about_findings_and_rectifications_are_given_again_whole(app: &TestApp) {
        let (post, (finding, _)) = (Method::POST, planted(app));
        let (admin, host) = (app.as_admin(), app.as_host());
        let due = json!({"due_on": "2026-03-31"});
        twice(&admin, &post, &format!("{finding}/assign"), "", &due);
        twice(&host, &post, &format!("{finding}/explain"), "", &json!({"text": "设备时钟有误"}));
        twice(&admin, &post, &format!("{finding}/clear"), "", &json!({"text": "属实"}));
        twice(&admin, &post, &format!("{finding}/reopen"), "", &json!({"reason": "有新材料"}));
        twice(&admin, &post, &format!("{finding}/uphold"), "", &json!({"text": "属实", "effect": "exclude_records"}));
        let order = json!({"organization_id": app.organization_id(UNIVERSITY), "cause": "registration", "text": "未登记", "due_on": "2026-03-31"});
        let made = twice(&admin, &post, "/api/v1/rectifications", "", &order);
        let path = format!("/api/v1/rectifications/{}", made["id"]);
        twice(&host, &post, &format!("{path}/report"), "", &json!({"text": "已补登"}));
        twice(&admin, &post, &format!("{path}/accept"), "", &json!({"text": "同意销号"}));
    }

    fn who_gave_something_away_is_told_again_that_it_was_done(app: &TestApp) {
        let own = format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY));
        let admin = app.as_admin();
        let version = admin.get(&own).etag().to_owned();
        twice(&admin, &Method::PATCH, &own, &version, &json!({"supervising_region_code": "130700"}));
    }

    /// Whoever comes second may find the work before the transaction refused, because the first is done: its answer counts.
    fn twins_of_expensive_work_are_answered_as_one(app: &TestApp) {
        let members = format!("/api/v1/organizations/{}/members", app.organization_id(COMPANY));
        let invited = json!({"email": "b@company.example", "roles": ["unit_member"]});
        let invited = app.as_company().post(&members, invited).expect_status(201);
        let accept = json!({"invitation_token": invited["invitation_token"], "name": "乙", "password": "a-good-password"});
        let change = json!({"current_password": PASSWORD, "new_password": "another-password"});
        for (client, path, body) in [
            (app.visitor(), "/api/v1/auth/invitations/accept", accept),
            (app.as_company(), "/api/v1/auth/password/change", change),
        ] {
            let answers: Vec<Answer> = std::thread::scope(|scope| {
                let twin = || send(&client, &Method::POST, path, "", &body);
                let twins: Vec<_> = (0..4).map(|_| scope.spawn(twin)).collect();
                twins.into_iter().map(|twin| twin.join().unwrap()).collect()
            });
            for answer in answers {
                let is_done = [201, 204].contains(&answer.status);
                assert!(is_done || answer["code"] == "request_in_progress", "{path}: {}", answer.text());
            }
        }
    }

    fn tokens_are_never_kept(app: &TestApp) {
        let login = json!({"email": BOSS.login, "password": PASSWORD});
        let sign_in = || send(&app.visitor(), &Method::POST, "/api/v1/auth/login", "", &login).expect_status(200);
        let (first, second) = (sign_in(), sign_in());
        assert_eq!(second.header("idempotency-replayed"), None);
        assert_ne!(first["refresh_token"], second["refresh_token"]);
    }

    fn a_key_without_the_catalog_sees_the_public_part_of_organizations(app: &TestApp) {
        let made = app.visitor().post("/api/v1/auth/register", application(1)).expect_status(201);
        let pending = format!("/api/v1/organizations/{}", made["organization"]["id"]);
        let host = app.as_host();
        let made = host.post("/api/v1/api-keys", json!({"name": "LIMS", "scopes": ["bookings:read"]})).expect_status(201);
        let key = app.visitor().with_token(made["secret"].as_str().unwrap());
        let own = format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY));
        assert_eq!(host.get(&own).expect_status(200)["uscc"], UNIVERSITY);
        assert!(key.get(&own).expect_status(200)["uscc"].is_null());
        key.get(&pending).expect_code(404, "not_found");
        let listed = key.get("/api/v1/organizations").expect_status(200);
        assert!(listed["items"].as_array().unwrap().iter().all(|item| item["uscc"].is_null()), "{listed:?}");
    }

    fn signing_out_everywhere_is_told_by_its_name(app: &TestApp) {
        let boss = signed_in(app, BOSS.login, PASSWORD);
        boss.delete("/api/v1/me/sessions").expect_status(204);
        app.settle();
        let told = app.as_admin().get("/api/v1/events?action=session_revoke_all").expect_status(200);
        assert_eq!((told["items"].as_array().unwrap().len(), &told["items"][0]["subject_type"]), (1, &json!("user")));
    }

    /// Who may not look at members is not told which of them there are.
    fn a_member_that_is_none_is_no_more_absent_than_one_that_is(app: &TestApp) {
        let members = format!("/api/v1/organizations/{}/members", app.organization_id(COMPANY));
        for user in [app.user_id(ENGINEER).number(), 999_999] {
            app.as_stranger().delete(&format!("{members}/{user}")).expect_code(403, "forbidden");
        }
        app.as_company().delete(&format!("{members}/999999")).expect_code(404, "not_found");
    }
}
