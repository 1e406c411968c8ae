//! Organizations: verified, refused, suspended, listed for everybody, and who belongs to them.

use diesel::RunQueryDsl;
use serde_json::{Value, json};
use yiqi::store::Database;

use crate::account::{patch, register, signed_in};
use crate::client::Client;
use crate::world::*;
use crate::{both, given};

fn path(app: &TestApp, uscc: &'static str) -> String {
    format!("/api/v1/organizations/{}", app.organization_id(uscc))
}

fn pages(client: &Client, first: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut page = client.get(first).expect_status(200);
    loop {
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else {
            return items;
        };
        page = client
            .get(&format!("{first}&cursor={cursor}"))
            .expect_status(200);
    }
}

/// Both requests come while somebody holds the row they change (on PostgreSQL; SQLite has one writer), so that both have
/// read the same version. Their statuses, in order.
fn held_up(
    app: &TestApp,
    table: &str,
    id: i64,
    requests: [&(dyn Fn() -> u16 + Sync); 2],
) -> Vec<u16> {
    let database: Database = app.url.parse().unwrap();
    let mut holder = database.connect().unwrap();
    let mut run = |statement: &str| {
        if app.backend == Backend::Postgres {
            diesel::sql_query(statement).execute(&mut holder).unwrap();
        }
    };
    run("BEGIN");
    run(&format!(
        "SELECT id FROM {table} WHERE id = {id} FOR UPDATE"
    ));
    std::thread::scope(|scope| {
        let running = requests.map(|request| {
            let one = scope.spawn(request);
            std::thread::sleep(std::time::Duration::from_millis(400));
            one
        });
        run("COMMIT");
        running.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

both! {
    fn the_administration_of_the_seat_verifies_and_refuses(app: &TestApp) {
        let made = register(app, 1).expect_status(201);
        let own = format!("/api/v1/organizations/{}", made["organization"]["id"]);
        let newcomer = signed_in(app, "new1@new.example", "a-good-password");
        let city = app.as_person(CITY_ADMIN);
        app.visitor().get(&own).expect_code(404, "not_found");
        app.as_stranger().get(&own).expect_code(404, "not_found");
        newcomer.post(&format!("{own}/verify"), json!({})).expect_code(403, "forbidden");
        app.as_stranger().post(&format!("{own}/verify"), json!({})).expect_code(404, "not_found");
        let refuse = format!("{own}/refuse");
        city.post(&refuse, json!({})).expect_code(422, "reason_required");
        city.post(&refuse, json!({"reason": " "})).expect_code(422, "reason_required");
        let refused = city.post(&refuse, json!({"reason": "营业执照不清晰"})).expect_status(200);
        assert_eq!(refused["state"], "refused");
        let conflict = city.post(&format!("{own}/verify"), json!({})).expect_code(409, "invalid_state");
        assert_eq!((&conflict["state"], &conflict["allowed"]), (&json!("refused"), &json!(["amend"])));
        let seen = newcomer.get(&own).expect_status(200);
        assert_eq!(seen["state_reason"], "营业执照不清晰");
        let amended = patch(&newcomer, &own, seen.etag(), json!({"region_code": "130702"})).expect_status(200);
        assert_eq!((&amended["state"], &amended["supervising_region_code"]), (&json!("pending"), &json!("130700")));
        city.post(&format!("{own}/verify"), json!({})).expect_code(404, "not_found");
        let verify = app.as_admin();
        let verified = verify.post(&format!("{own}/verify"), json!({})).expect_status(200);
        assert_eq!((&verified["state"], &verified["state_reason"]), (&json!("verified"), &Value::Null));
        app.visitor().get(&own).expect_status(200);
    }

    fn suspending_an_organization_takes_effect_at_the_next_request(app: &TestApp) {
        let own = path(app, COMPANY);
        let boss = app.as_company();
        let key = json!({"name": "LIMS", "scopes": ["catalog:read"]});
        app.as_admin().post(&format!("{own}/suspend"), json!({"reason": "查实弄虚作假"})).expect_status(200);
        boss.post("/api/v1/api-keys", &key).expect_code(403, "organization_suspended");
        app.visitor().get(&own).expect_code(404, "not_found");
        app.as_admin().post(&format!("{own}/resume"), json!({})).expect_status(200);
        boss.post("/api/v1/api-keys", &key).expect_status(201);
    }

    fn the_public_sees_the_public_part(app: &TestApp) {
        given::instrument(app).insert();
        let seen = app.visitor().get(&path(app, UNIVERSITY)).expect_status(200);
        assert_eq!((&seen["name"], &seen["listed_instruments"]), (&json!("太行农业大学"), &json!(1)));
        assert!(seen["uscc"].is_null() && seen["state"].is_null() && seen["version"].is_i64());
        let host = app.as_host().get(&path(app, UNIVERSITY)).expect_status(200);
        assert_eq!(host["uscc"], UNIVERSITY);
        let names = |query: &str| -> Vec<Value> {
            let items = pages(&app.visitor(), &format!("/api/v1/organizations?limit=1{query}"));
            items.into_iter().map(|item| item["name"].clone()).collect()
        };
        assert_eq!(names("").len(), 6);
        assert_eq!(names("&q=%E5%86%9C%E4%B8%9A"), ["太行农业大学"]);
        assert_eq!(names("&q=%25"), Vec::<Value>::new());
        assert_eq!(names("&kind=university&kind=institute"), ["太行农业大学", "碣石能源研究所"]);
        assert_eq!(names("&region=130600&region=130503"), ["保定市科学技术局", "太行农业大学", "冀东智能装备科技有限公司"]);
        assert_eq!(names(&format!("&uscc={COMPANY}")), ["太行新能源科技有限公司"]);
        let unknown = app.visitor().get("/api/v1/organizations?regoin=130600").expect_code(400, "unknown_parameter");
        assert_eq!(unknown["errors"][0]["did_you_mean"], "region");
        app.visitor().get("/api/v1/organizations?region=999999").expect_code(400, "invalid_value");
        app.visitor().get("/api/v1/organizations?cursor=x").expect_code(400, "invalid_cursor");
    }

    fn a_mirror_follows_changes_and_withdrawals(app: &TestApp) {
        let mirror = app.visitor();
        let first = mirror.get("/api/v1/organizations?updated_since=2020-01-01T00:00:00Z").expect_status(200);
        assert_eq!(first["items"].as_array().unwrap().len(), 6);
        let as_of: yiqi::domain::Instant = first["as_of"].as_str().unwrap().parse().unwrap();
        assert!(as_of <= app.now().plus_seconds(-60));
        app.advance(10);
        register(app, 1).expect_status(201);
        app.as_admin().post(&format!("{}/suspend", path(app, COMPANY)), json!({"reason": "停业"})).expect_status(200);
        let host = app.as_host();
        let own = host.get(&path(app, UNIVERSITY)).expect_status(200);
        patch(&host, &path(app, UNIVERSITY), own.etag(), json!({"address": "保定市"})).expect_status(200);
        let since = "2026-03-02T09:10:00%2B08:00";
        let changed = pages(&mirror, &format!("/api/v1/organizations?limit=1&updated_since={since}"));
        assert_eq!(changed.len(), 2, "{changed:?}");
        let gone = json!({"id": app.organization_id(COMPANY), "status": "withdrawn", "updated_at": "2026-03-02T09:10:00+08:00"});
        assert!(changed.contains(&gone), "{changed:?}");
        // What left does so whatever it was when a mirror kept it.
        let universities = mirror.get(&format!("/api/v1/organizations?kind=university&state=verified&updated_since={since}")).expect_status(200);
        let universities = universities["items"].as_array().unwrap().clone();
        assert!(universities.len() == 2 && universities.contains(&gone), "{universities:?}");
        let own_view = app.as_company().get(&format!("/api/v1/organizations?updated_since={since}")).expect_status(200);
        assert!(own_view["items"].as_array().unwrap().iter().any(|item| item["state"] == "suspended"));
    }

    fn changes_need_the_version_and_keep_what_was_verified(app: &TestApp) {
        let (host, own) = (app.as_host(), path(app, UNIVERSITY));
        let before = host.get(&own).expect_status(200);
        host.patch(&own, json!({"address": "x"})).expect_code(428, "version_required");
        patch(&host, &own, "\"v7\"", json!({"address": "x"})).expect_code(412, "version_mismatch");
        patch(&host, &own, before.etag(), json!({"uscc": COMPANY})).expect_code(422, "read_only");
        patch(&host, &own, before.etag(), json!({"kind": "enterprise"})).expect_code(422, "read_only");
        patch(&host, &own, before.etag(), json!({"region_code": "130000"})).expect_code(422, "read_only");
        patch(&host, &own, before.etag(), json!({"name": null})).expect_code(422, "required");
        let misspelt = patch(&host, &own, before.etag(), json!({"adress": "x"})).expect_code(400, "unknown_field");
        assert_eq!(misspelt["errors"][0]["did_you_mean"], "address");
        patch(&app.as_stranger(), &own, before.etag(), json!({"address": "x"})).expect_code(403, "forbidden");
        let contact = json!({"name": "张工", "phone": "0312-1234567"});
        let change = json!({"uscc": UNIVERSITY, "address": "保定市", "public_contact": contact});
        let after = patch(&host, &own, before.etag(), change).expect_status(200);
        assert_eq!((&after["public_contact"], &after["state"]), (&contact, &json!("verified")));
        let cleared = patch(&host, &own, after.etag(), json!({"public_contact": null})).expect_status(200);
        assert!(cleared["public_contact"].is_null());
    }

    fn of_two_changes_of_one_version_one_is_too_late(app: &TestApp) {
        let (host, own) = (app.as_host(), path(app, UNIVERSITY));
        let tag = host.get(&own).etag().to_owned();
        let change = |address: &str| patch(&host, &own, &tag, json!({"address": address})).status;
        let mut statuses = held_up(app, "organization", app.organization_id(UNIVERSITY).number(), [&|| change("甲"), &|| change("乙")]);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        let tag = host.get("/api/v1/me").etag().to_owned();
        let rename = |name: &str| patch(&host, "/api/v1/me", &tag, json!({"name": name})).status;
        let mut statuses = held_up(app, "user_account", app.user_id(HOST).number(), [&|| rename("甲"), &|| rename("乙")]);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }

    fn a_change_does_not_undo_a_suspension(app: &TestApp) {
        let (host, admin, own) = (app.as_host(), app.as_admin(), path(app, UNIVERSITY));
        let tag = host.get(&own).etag().to_owned();
        let suspend = || admin.post(&format!("{own}/suspend"), json!({"reason": "核查"})).status;
        let change = || patch(&host, &own, &tag, json!({"address": "甲"})).status;
        let statuses = held_up(app, "organization", app.organization_id(UNIVERSITY).number(), [&suspend, &change]);
        assert_eq!(statuses[0], 200);
        assert_eq!(admin.get(&own).expect_status(200)["state"], "suspended");
    }

    fn the_administration_corrects_what_was_verified(app: &TestApp) {
        let own = path(app, UNIVERSITY);
        let (host, city) = (app.as_host(), app.as_person(CITY_ADMIN));
        let tag = host.get(&own).etag().to_owned();
        patch(&host, &own, &tag, json!({"region_code": "130702"})).expect_code(422, "read_only");
        patch(&city, &own, &tag, json!({"name": "另一个名字"})).expect_code(422, "read_only");
        patch(&app.as_stranger(), &own, &tag, json!({"region_code": "130702"})).expect_code(403, "forbidden");
        patch(&app.as_person(AUDITOR), &own, &tag, json!({"region_code": "130702"})).expect_code(403, "forbidden");
        patch(&city, &own, &tag, json!({"region_code": "130799"})).expect_code(422, "unknown_region");
        let moved = patch(&city, &own, &tag, json!({"region_code": "130702", "kind": "institute"})).expect_status(200);
        let seen = (&moved["region_code"], &moved["kind"], &moved["supervising_region_code"], &moved["state"]);
        assert_eq!(seen, (&json!("130702"), &json!("institute"), &json!("130600"), &json!("verified")));
        let hand_over = json!({"supervising_region_code": "130700"});
        for who in [&city, &host] {
            patch(who, &own, moved.etag(), &hand_over).expect_code(422, "read_only");
        }
        let handed = patch(&app.as_admin(), &own, moved.etag(), hand_over).expect_status(200);
        patch(&city, &own, handed.etag(), json!({"region_code": "130602"})).expect_code(403, "forbidden");
        let back = json!({"region_code": "130602", "uscc": "12130302BYC46N1249"});
        patch(&app.as_admin(), &own, handed.etag(), back).expect_status(200);
    }

    fn the_last_administrator_stays(app: &TestApp) {
        let members = format!("{}/members", path(app, COMPANY));
        let boss = app.as_company();
        let own = format!("{members}/{}", app.user_id(BOSS));
        let list = pages(&boss, &format!("{members}?limit=2"));
        assert_eq!(list.len(), 3);
        app.as_stranger().get(&members).expect_code(403, "forbidden");
        boss.delete(&own).expect_code(409, "last_admin");
        patch(&boss, &own, "\"v1\"", json!({"roles": ["unit_member"]})).expect_code(409, "last_admin");
        patch(&boss, &own, "\"v1\"", json!({"state": "suspended"})).expect_code(409, "last_admin");
        patch(&boss, &own, "\"v1\"", json!({"roles": []})).expect_code(422, "required");
        let engineer = format!("{members}/{}", app.user_id(ENGINEER));
        patch(&boss, &engineer, "\"v1\"", json!({"roles": ["unit_admin"]})).expect_status(200);
        boss.delete(&format!("{members}/{}", app.user_id(HOST))).expect_code(404, "not_found");
        boss.delete(&own).expect_status(204);
        boss.get("/api/v1/me").expect_code(401, "session_revoked");
    }

    fn two_administrators_cannot_remove_each_other_at_once(app: &TestApp) {
        let members = format!("{}/members", path(app, COMPANY));
        let engineer = format!("{members}/{}", app.user_id(ENGINEER));
        patch(&app.as_company(), &engineer, "\"v1\"", json!({"roles": ["unit_admin"]})).expect_status(200);
        let (one, other) = (app.as_company(), app.as_person(ENGINEER));
        let boss = format!("{members}/{}", app.user_id(BOSS));
        std::thread::scope(|scope| {
            scope.spawn(|| one.delete(&engineer));
            scope.spawn(|| other.delete(&boss));
        });
        let left = app.as_admin().get(&members).expect_status(200);
        assert!(left["items"].as_array().unwrap().iter().any(|one| one["roles"] == json!(["unit_admin"])));
    }

    fn related_parties_are_verified_by_the_administration(app: &TestApp) {
        let (host, parties) = (app.as_host(), format!("{}/related-parties", path(app, UNIVERSITY)));
        let company = app.organization_id(COMPANY);
        host.post(&parties, json!({"organization_id": app.organization_id(UNIVERSITY)})).expect_code(422, "related_to_itself");
        host.post(&parties, json!({"organization_id": 999_999})).expect_code(422, "unknown_reference");
        let backwards = json!({"organization_id": company, "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"});
        host.post(&parties, backwards).expect_code(422, "dates_out_of_order");
        let body = json!({"organization_id": company, "relation": "控股", "since": "2025-01-01T00:00:00+08:00"});
        let declared = host.post(&parties, &body).expect_status(201);
        assert_eq!(declared["verified"], false);
        let again = host.post(&parties, &body).expect_code(409, "related_party_exists");
        assert_eq!(again["existing_id"], declared["id"]);
        let reverse = json!({"organization_id": app.organization_id(UNIVERSITY), "since": "2025-06-01T00:00:00+08:00"});
        app.as_company().post(&format!("{}/related-parties", path(app, COMPANY)), reverse).expect_code(409, "related_party_exists");
        let verified = app.as_admin().post(&parties, &body).expect_status(201);
        assert_eq!((&verified["id"], &verified["verified"]), (&declared["id"], &json!(true)));
        let seen = app.as_company().get(&format!("{}/related-parties", path(app, COMPANY))).expect_status(200);
        assert_eq!(seen["items"][0]["organization_id"], json!(app.organization_id(UNIVERSITY)));
        app.as_stranger().get(&parties).expect_code(403, "forbidden");
    }

    fn classifications_are_open_to_everybody(app: &TestApp) {
        let all = pages(&app.visitor(), "/api/v1/categories?limit=200");
        assert_eq!(all.len(), 739);
        let first = app.visitor().get("/api/v1/categories").expect_status(200);
        assert_eq!(first["items"].as_array().unwrap(), &all[..50]);
        let below = app.visitor().get("/api/v1/categories?parent=010100").expect_status(200);
        assert_eq!(below["items"][0]["name"], "透射电镜");
        let regions = app.visitor().get("/api/v1/regions?parent=130000").expect_status(200);
        assert_eq!(pages(&app.visitor(), "/api/v1/regions?parent=130000&limit=3"), *regions["items"].as_array().unwrap());
        assert_eq!(regions["items"][0]["name"], "石家庄市");
    }
}
