//! What is kept under an idempotency key is the whole answer: status, Location, ETag and body, without what is shown once. Every POST
//! of the API document is sent twice here, or says why it takes no key.

mod course;
mod desk;
mod registry;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use serde_json::{Value, json};
use ureq::http::Method;

use crate::account::{application, signed_in, uscc};
use crate::award::{Final, final_run};
use crate::client::{Answer, Client};
use crate::finality::{draft, path, prepared};
use crate::finding_effect::planted;
use crate::subsidy::ended;
use crate::world::*;
use crate::{both, given};

/// The POSTs that take no key, and why.
const WITHOUT_KEY: [(&str, &str); 6] = [
    ("booking_check", "it changes nothing"),
    ("policy_check", "it changes nothing"),
    ("quote_create", "it changes nothing: a quote is not kept"),
    ("session_open", "its answer is tokens, which are never kept"),
    (
        "session_refresh",
        "its answer is tokens, which are never kept",
    ),
    (
        "session_close",
        "whoever is signed out stays so; its token is gone with the first",
    ),
];

/// The POSTs that each test of this file sends twice.
const ACCOUNTS: &[&str] = &[
    "account_register",
    "api_key_create",
    "calendar_token_create",
    "invitation_accept",
    "member_invite",
    "notice_mark_read",
    "organization_refuse",
    "organization_resume",
    "organization_suspend",
    "organization_verify",
    "password_change",
    "related_party_add",
];
const NOTICES: &[&str] = &[
    "evaluation_discard",
    "evaluation_publish",
    "objection_create",
    "objection_dismiss",
    "objection_uphold",
    "objection_withdraw",
    "subsidy_discard",
    "subsidy_publish",
];
const AWARDS: &[&str] = &[
    "award_adjustment_approve",
    "award_adjustment_create",
    "award_adjustment_refuse",
    "award_hold",
    "award_payment_create",
    "award_release",
];
const FINDINGS: &[&str] = &[
    "finding_assign",
    "finding_clear",
    "finding_explain",
    "finding_reopen",
    "finding_uphold",
    "rectification_accept",
    "rectification_create",
    "rectification_report",
];

/// What the document says of a POST: its path in parts, its name, and whether it takes a key.
struct Post {
    parts: Vec<String>,
    operation: String,
    takes_key: bool,
}

fn posts() -> Vec<Post> {
    let document = serde_json::to_value(yiqi::http::openapi::document("http://localhost")).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let posts = paths.filter_map(|(path, item)| {
        let post = item.get("post")?;
        let parameters = post["parameters"].as_array().into_iter().flatten();
        let mut names = parameters.filter_map(|parameter| parameter["$ref"].as_str());
        Some(Post {
            parts: path.split('/').map(str::to_owned).collect(),
            operation: post["operationId"].as_str().unwrap().to_owned(),
            takes_key: names.any(|name| name.ends_with("/IdempotencyKey")),
        })
    });
    posts.collect()
}

impl Post {
    fn is_at(&self, path: &str) -> bool {
        let path = path.split('?').next().unwrap().split('/');
        path.clone().count() == self.parts.len()
            && path
                .zip(&self.parts)
                .all(|(sent, part)| part == sent || part.starts_with('{'))
    }
}

/// The requests of one test, each sent twice. When it ends, it has sent the POSTs that it is said to send.
struct Replay<'a> {
    app: &'a TestApp,
    posts: Vec<Post>,
    due: &'static [&'static str],
    done: RefCell<BTreeSet<String>>,
    keys: Cell<u32>,
}

impl<'a> Replay<'a> {
    fn of(app: &'a TestApp, due: &'static [&'static str]) -> Self {
        Self {
            app,
            posts: posts(),
            due,
            done: RefCell::default(),
            keys: Cell::new(0),
        }
    }

    fn events(&self) -> i64 {
        self.app
            .read(|conn| Ok(yiqi::store::event::newest(conn)?.map_or(0, |id| id.number())))
    }

    /// Sends the same request twice: the second answer is the first one again, and nothing happens any more. Gives the first.
    #[track_caller]
    fn twice(
        &self,
        client: &Client,
        method: &Method,
        path: &str,
        version: &str,
        body: &Value,
    ) -> Answer {
        self.keys.set(self.keys.get() + 1);
        let key = format!("{method}:{path}:{}", self.keys.get());
        let first = send(client, (method, path), (&key, version), body);
        assert!(first.status < 300, "{path}: {}", first.text());
        if first.status == 202 {
            // The work it promised ends before the second one.
            ended(client, first.header("location").unwrap());
        }
        let before = self.events();
        let again = send(client, (method, path), (&key, version), body);
        assert_eq!(self.events(), before, "{path}: something happened again");
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
        for once in ["secret", "invitation_token", "url"] {
            if shown.get(once).is_some() {
                assert!(
                    shown[once].is_string() && again[once].is_null(),
                    "{path}: {once}"
                );
                shown[once] = Value::Null;
            }
        }
        assert_eq!(again.body, shown, "{path}");
        if *method == Method::POST {
            // A path without a parameter is itself before it is one with.
            let mut posts: Vec<&Post> = self.posts.iter().filter(|post| post.is_at(path)).collect();
            posts.sort_by_key(|post| {
                post.parts
                    .iter()
                    .filter(|part| part.starts_with('{'))
                    .count()
            });
            self.done.borrow_mut().insert(posts[0].operation.clone());
        }
        first
    }

    #[track_caller]
    fn post(&self, client: &Client, path: &str, body: Value) -> Answer {
        self.twice(client, &Method::POST, path, "", &body)
    }
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let done = self.done.borrow();
            let done: BTreeSet<&str> = done.iter().map(String::as_str).collect();
            let due: BTreeSet<&str> = self.due.iter().copied().collect();
            assert_eq!(done, due);
        }
    }
}

/// A text is a file: a pack, or rows of a table.
fn send(
    client: &Client,
    (method, path): (&Method, &str),
    (key, version): (&str, &str),
    body: &Value,
) -> Answer {
    let request = client.request(method.clone(), path);
    let request = request.header("idempotency-key", key);
    let request = match version {
        "" => request,
        version => request.header("if-match", version),
    };
    match body {
        Value::String(text) if path.contains("/policies") => {
            request.bytes("application/toml", text.as_bytes())
        }
        Value::String(text) => request.bytes("text/csv", text.as_bytes()),
        body => request.json(body),
    }
    .send()
}

#[test]
fn every_post_is_sent_twice_or_says_why_it_takes_no_key() {
    let sent = [
        ACCOUNTS,
        NOTICES,
        AWARDS,
        FINDINGS,
        course::EVALUATION,
        course::POLICY,
        desk::BOOKINGS,
        desk::MONEY,
        desk::RECORDS,
        registry::DESCRIPTION,
        registry::LIFE,
    ];
    let sent: BTreeSet<&str> = sent.into_iter().flatten().copied().collect();
    for Post {
        operation,
        takes_key,
        ..
    } in &posts()
    {
        let reason = WITHOUT_KEY.iter().find(|(name, _)| name == operation);
        assert_eq!(*takes_key, reason.is_none(), "{operation}: {reason:?}");
        assert_eq!(
            *takes_key,
            sent.contains(operation.as_str()),
            "{operation} is not sent twice"
        );
    }
}

both! {
    fn answers_about_accounts_and_organizations_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, ACCOUNTS);
        let (visitor, admin, boss) = (app.visitor(), app.as_admin(), app.as_company());
        let (post, patch, delete) = (Method::POST, Method::PATCH, Method::DELETE);
        let made = replay.twice(&visitor, &post, "/api/v1/auth/register", "", &application(1));
        let own = format!("/api/v1/organizations/{}", made["organization"]["id"]);
        assert_eq!(made.header("location"), Some(own.as_str()));
        let newcomer = signed_in(app, "new1@new.example", "a-good-password");
        let corrected = replay.twice(&newcomer, &patch, &own, "\"v1\"", &json!({"uscc": uscc(2)}));
        assert_eq!(corrected.etag(), "\"v2\"");
        let verified = replay.twice(&admin, &post, &format!("{own}/verify"), "\"v2\"", &json!({}));
        assert_eq!(verified.etag(), "\"v3\"");
        let me = replay.twice(&newcomer, &patch, "/api/v1/me", "\"v1\"", &json!({"name": "赵六"}));
        assert_eq!(me.etag(), "\"v2\"");
        let members = format!("{own}/members");
        let invited = replay.twice(&newcomer, &post, &members, "", &json!({"email": "b@new.example", "roles": ["unit_member"]}));
        assert_eq!(invited.header("location"), Some(members.as_str()));
        let accept = json!({"invitation_token": invited["invitation_token"], "name": "乙", "password": "a-good-password"});
        let joined = replay.twice(&visitor, &post, "/api/v1/auth/invitations/accept", "", &accept);
        assert_eq!((joined.header("location"), joined.etag()), (Some("/api/v1/me"), "\"v1\""));
        let member = format!("{members}/{}", joined.id());
        replay.twice(&newcomer, &patch, &member, "\"v1\"", &json!({"roles": ["unit_admin"]}));
        replay.twice(&newcomer, &delete, &member, "\"v2\"", &json!({}));
        let party = json!({"organization_id": app.organization_id(COMPANY)});
        let parties = format!("{own}/related-parties");
        assert_eq!(replay.twice(&newcomer, &post, &parties, "", &party).header("location"), Some(parties.as_str()));
        replay.post(&boss, "/api/v1/calendar-tokens", json!({"name": "手机", "kind": "own"}));
        let key = replay.twice(&boss, &post, "/api/v1/api-keys", "", &json!({"name": "LIMS", "scopes": ["catalog:read"]}));
        let key = format!("/api/v1/api-keys/{}", key.id());
        assert_eq!(replay.twice(&boss, &delete, &key, "", &json!({})).status, 204);
        replay.twice(&boss, &post, "/api/v1/notices/read", "", &json!({"ids": []}));
        for verb in ["suspend", "resume"] {
            replay.post(&admin, &format!("{own}/{verb}"), json!({"reason": "核查"}));
        }
        let other = replay.twice(&visitor, &post, "/api/v1/auth/register", "", &application(3));
        replay.post(&admin, &format!("/api/v1/organizations/{}/refuse", other["organization"]["id"]), json!({"reason": "材料不全"}));
        let change = json!({"current_password": PASSWORD, "new_password": "another-password"});
        replay.post(&boss, "/api/v1/auth/password/change", change);
    }

    fn answers_about_notices_and_objections_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, NOTICES);
        let (admin, host, post) = (prepared(app), app.as_host(), Method::POST);
        let run = draft(&admin, "subsidy-runs", 2025, "hebei-2026");
        let halves = [path("evaluations", &run["evaluation_id"]), path("subsidy-runs", &run["id"])];
        for half in &halves {
            replay.twice(&admin, &post, &format!("{half}/publish"), "", &json!({}));
        }
        let notice = format!("/api/v1/public-notices/{}", admin.get(&halves[1])["public_notice_id"]);
        let objections = format!("{notice}/objections");
        let first = replay.twice(&host, &post, &objections, "", &json!({"text": "总分有误"}));
        let of = |made: &Answer| format!("/api/v1/objections/{}", made["id"]);
        replay.twice(&host, &post, &format!("{}/withdraw", of(&first)), "", &json!({}));
        for verb in ["dismiss", "uphold"] {
            let made = host.post(&objections, json!({"text": "机时有误"})).expect_status(201);
            replay.twice(&admin, &post, &format!("{}/{verb}", of(&made)), "", &json!({"text": "经核实"}));
        }
        for half in halves.iter().rev() {
            replay.twice(&admin, &post, &format!("{half}/discard"), "", &json!({"reason": "重做"}));
        }
    }

    fn answers_about_awards_and_findings_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, AWARDS);
        let (admin, deputy, post) = (prepared(app), given::deputy(app), Method::POST);
        let Final { award, .. } = final_run(app, &admin, 100_000);
        let paid = json!({"amount_fen": 7, "paid_on": "2026-03-10", "document_no": "冀财 2026-7"});
        replay.twice(&admin, &post, &format!("{award}/payments"), "", &paid);
        let less = json!({"amount_fen": -9, "reason_code": "error", "reason": "录入有误"});
        let adjustments = format!("{award}/adjustments");
        let made = replay.twice(&admin, &post, &adjustments, "", &less);
        replay.twice(&deputy, &post, &format!("{adjustments}/{}/approve", made["id"]), "", &json!({}));
        let made = admin.post(&adjustments, &less).expect_status(201);
        replay.twice(&deputy, &post, &format!("{adjustments}/{}/refuse", made["id"]), "", &json!({}));
        for verb in ["hold", "release"] {
            replay.twice(&admin, &post, &format!("{award}/{verb}"), "", &json!({"reason": "核查中"}));
        }
        let told = admin.get(&award).expect_status(200);
        assert_eq!(["adjusted_fen", "paid_fen"].map(|name| told[name].as_i64()), [Some(-9), Some(7)], "{}", told.text());
    }

    fn answers_about_findings_and_rectifications_are_given_again_whole(app: &TestApp) {
        let replay = Replay::of(app, FINDINGS);
        let (post, (finding, _)) = (Method::POST, planted(app));
        let (admin, host) = (app.as_admin(), app.as_host());
        let due = json!({"due_on": "2026-03-31"});
        replay.twice(&admin, &post, &format!("{finding}/assign"), "", &due);
        replay.twice(&host, &post, &format!("{finding}/explain"), "", &json!({"text": "设备时钟有误"}));
        replay.twice(&admin, &post, &format!("{finding}/clear"), "", &json!({"text": "属实"}));
        replay.twice(&admin, &post, &format!("{finding}/reopen"), "", &json!({"reason": "有新材料"}));
        replay.twice(&admin, &post, &format!("{finding}/uphold"), "", &json!({"text": "属实", "effect": "exclude_records"}));
        let order = json!({"organization_id": app.organization_id(UNIVERSITY), "cause": "registration", "text": "未登记", "due_on": "2026-03-31"});
        let made = replay.twice(&admin, &post, "/api/v1/rectifications", "", &order);
        let path = format!("/api/v1/rectifications/{}", made["id"]);
        replay.twice(&host, &post, &format!("{path}/report"), "", &json!({"text": "已补登"}));
        replay.twice(&admin, &post, &format!("{path}/accept"), "", &json!({"text": "同意销号"}));
    }

    fn who_gave_something_away_is_told_again_that_it_was_done(app: &TestApp) {
        let replay = Replay::of(app, &[]);
        let own = format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY));
        let admin = app.as_admin();
        let version = admin.get(&own).etag().to_owned();
        replay.twice(&admin, &Method::PATCH, &own, &version, &json!({"supervising_region_code": "130700"}));
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
                let twin = || send(&client, (&Method::POST, path), ("twins", ""), &body);
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
        let sign_in = || send(&app.visitor(), (&Method::POST, "/api/v1/auth/login"), ("login", ""), &login).expect_status(200);
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
