//! The registry: how an entry comes on the list and leaves it, who may do what, and what lists show to whom.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::domain::instrument::InstrumentState;
use yiqi::domain::tariff::{Period, Tariff};
use yiqi::domain::{Fen, InstrumentId};

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

const LIST: &str = "/api/v1/instruments";

fn draft(asset_no: &str) -> Value {
    json!({
        "name": "场发射扫描电子显微镜",
        "asset_no": asset_no,
        "original_value_fen": 120_000_000,
        "category_code": "010102",
        "purpose_type": "general",
    })
}

fn complete(asset_no: &str) -> Value {
    let mut body = draft(asset_no);
    let rest = json!({
        "model": "SU8600", "manufacturer": "Hitachi", "country": "日本",
        "accepted_on": "2024-05-06", "enabled_on": "2024-06-01", "share_mode": "external",
        "location": "实验楼 101", "latitude": 38.874512, "longitude": 115.4,
        "public_contact": {"name": "张工", "phone": "0312-5000000"},
    });
    body.as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    body
}

fn at(id: i64, action: &str) -> String {
    match action {
        "" => format!("{LIST}/{id}"),
        action => format!("{LIST}/{id}/{action}"),
    }
}

fn with_version(client: &Client, method: Method, path: &str, tag: &str, body: Value) -> Answer {
    let request = client.request(method, path).header("If-Match", tag);
    request.json(body).send()
}

fn patch(client: &Client, id: i64, tag: &str, body: Value) -> Answer {
    with_version(client, Method::PATCH, &at(id, ""), tag, body)
}

fn ids(answer: &Answer) -> Vec<i64> {
    let items = answer["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_i64().unwrap())
        .collect()
}

fn codes(answer: &Answer) -> Vec<(String, String)> {
    let errors = answer["errors"].as_array().unwrap();
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    errors
        .iter()
        .map(|entry| (word(entry, "field"), word(entry, "code")))
        .collect()
}

both! {
    fn an_entry_goes_from_draft_to_listed_suspended_and_retired(app: &TestApp) {
        let (host, city, visitor) = (app.as_host(), app.as_person(CITY_ADMIN), app.visitor());
        let made = host.post(LIST, complete("A1")).expect_status(201);
        let id = made.id();
        assert_eq!(made.header("location"), Some(at(id, "").as_str()));
        assert_eq!((made["status"].as_str(), made["channels"].as_i64()), (Some("draft"), Some(1)));
        assert_eq!(made["region_code"], "130602");
        assert_eq!(made["latitude"], json!(38.874512));
        visitor.get(&at(id, "")).expect_code(404, "not_found");
        host.post(&at(id, "approve"), json!({})).expect_code(403, "forbidden");
        city.post(&at(id, "approve"), json!({})).expect_code(409, "invalid_state");
        let submitted = host.post(&at(id, "submit"), json!({})).expect_status(200);
        assert_eq!(submitted["status"], "submitted");
        city.post(&at(id, "return"), json!({})).expect_code(422, "reason_required");
        let returned = city.post(&at(id, "return"), json!({"reason": "无照片"})).expect_status(200);
        assert_eq!((returned["status"].as_str(), returned["state_reason"].as_str()), (Some("returned"), Some("无照片")));
        host.post(&at(id, "submit"), json!({})).expect_status(200);
        app.as_person(OTHER_HOST_ADMIN).post(&at(id, "approve"), json!({})).expect_code(404, "not_found");
        visitor.post(&at(id, "approve"), json!({})).expect_code(401, "unauthenticated");
        let listed = city.post(&at(id, "approve"), json!({})).expect_status(200);
        assert_eq!((listed["status"].as_str(), listed["state_reason"].is_null()), (Some("listed"), true));
        let public = visitor.get(&at(id, "")).expect_status(200);
        assert_eq!(public["public_contact"]["name"], "张工");
        assert!(public["manager_ids"].is_null());
        city.post(&at(id, "suspend"), json!({"reason": " "})).expect_code(422, "reason_required");
        city.post(&at(id, "suspend"), json!({"reason": "逾期未检"})).expect_status(200);
        visitor.get(&at(id, "")).expect_code(404, "not_found");
        city.post(&at(id, "resume"), json!({})).expect_status(200);
        city.post(&at(id, "retire"), json!({})).expect_code(403, "forbidden");
        host.post(&at(id, "retire"), json!({})).expect_code(422, "reason_required");
        let retired = host.post(&at(id, "retire"), json!({"reason": "报废"})).expect_status(200);
        assert_eq!((&retired["state_reason"], &retired["bookings_count"]), (&json!("报废"), &json!(0)));
        assert_eq!(retired["retired_on"], "2026-03-02");
        host.post(&at(id, "submit"), json!({})).expect_code(409, "invalid_state");
        patch(&host, id, retired.etag(), json!({"technical": "x"})).expect_code(409, "invalid_state");
        let versions = host.get(&at(id, "versions")).expect_status(200);
        let states: Vec<_> = versions["items"].as_array().unwrap().iter().map(|v| v["status"].clone()).collect();
        assert_eq!(states, ["retired", "listed", "suspended", "listed", "submitted", "returned", "submitted", "draft"]);
        let page = host.get(&format!("{}?limit=3", at(id, "versions"))).expect_status(200);
        let next = format!("{}?limit=3&cursor={}", at(id, "versions"), page["next_cursor"].as_str().unwrap());
        assert_eq!(host.get(&next)["items"][0]["version"], 5);
        visitor.get(&at(id, "versions")).expect_code(401, "unauthenticated");
    }

    fn a_colleague_of_another_region_cannot_decide(app: &TestApp) {
        let id = given::instrument(app).of(OTHER_HOST).in_state(InstrumentState::Submitted).insert();
        app.as_person(CITY_ADMIN).post(&at(id.number(), "approve"), json!({})).expect_code(404, "not_found");
        app.as_admin().post(&at(id.number(), "approve"), json!({})).expect_status(200);
    }

    fn the_threshold_includes_its_number(app: &TestApp) {
        let host = app.as_host();
        let worth = |asset_no: &str, fen: i64| {
            let mut body = draft(asset_no);
            body["original_value_fen"] = fen.into();
            host.post(LIST, body)
        };
        let below = worth("A1", 19_999_999).expect_code(422, "below_registration_threshold");
        assert_eq!(below["errors"][0]["limit"], 20_000_000);
        let made = worth("A1", 20_000_000).expect_status(201);
        patch(&host, made.id(), made.etag(), json!({"original_value_fen": 1})).expect_code(422, "below_registration_threshold");
    }

    fn an_asset_number_is_used_once_in_a_unit(app: &TestApp) {
        let host = app.as_host();
        let first = host.post(LIST, draft("A1")).expect_status(201).id();
        let clash = host.post(LIST, draft("A1")).expect_code(409, "asset_no_used");
        assert_eq!(clash["existing_id"], first);
        app.as_person(OTHER_HOST_ADMIN).post(LIST, draft("A1")).expect_status(201);
        let second = host.post(LIST, draft("A2")).expect_status(201);
        let clash = patch(&host, second.id(), second.etag(), json!({"asset_no": "A1"})).expect_code(409, "asset_no_used");
        assert_eq!(clash["existing_id"], first);
    }

    fn who_comes_second_is_told_who_was_first(app: &TestApp) {
        let host = app.as_host();
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| host.post(LIST, draft("A1")))).collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(won.len(), 1);
        for clash in lost {
            assert_eq!(clash.expect_code(409, "asset_no_used")["existing_id"], won[0].id());
        }
    }

    fn an_action_under_a_key_is_done_once_and_answered_alike(app: &TestApp) {
        let host = app.as_host();
        let id = app.as_host().post(LIST, complete("A2")).expect_status(201).id();
        let actions = [
            (Method::POST, LIST.to_owned(), complete("A1")),
            (Method::PATCH, at(id, ""), json!({"name": "透射电子显微镜"})),
            (Method::PUT, at(id, "managers"), json!({"manager_ids": [app.user_id(MANAGER).number()]})),
            (Method::POST, at(id, "submit"), json!({})),
            (Method::POST, at(id, "sharing-exemption"), json!({"reason": "涉密"})),
        ];
        for (at, (method, path, body)) in actions.into_iter().enumerate() {
            let send = |body: Value| {
                let request = host.request(method.clone(), &path).header("Idempotency-Key", at.to_string().as_str());
                request.header("If-Match", "*").json(body).send()
            };
            let first = send(body.clone());
            assert!(first.status < 300, "{}", first.body);
            let again = send(body);
            assert_eq!((again.status, &again.body), (first.status, &first.body));
            for header in ["location", "etag"] {
                assert_eq!(again.header(header), first.header(header), "{header}");
            }
            assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (None, Some("true")));
        }
    }

    fn everything_wrong_is_told_at_once(app: &TestApp) {
        let mut body = draft("A1");
        body["original_value_fen"] = 5.into();
        body["category_code"] = "999999".into();
        body["region_code"] = "130699".into();
        body["subjects"] = json!(["999"]);
        body["channels"] = 65.into();
        let refused = app.as_host().post(LIST, body).expect_status(422);
        let told = codes(&refused);
        for (field, code) in [
            ("channels", "out_of_range"),
            ("category_code", "unknown_category"),
            ("region_code", "unknown_region"),
            ("subjects[0]", "unknown_reference"),
            ("original_value_fen", "below_registration_threshold"),
        ] {
            assert!(told.contains(&(field.to_owned(), code.to_owned())), "{told:?}");
        }
        let host = app.as_host();
        let id = host.post(LIST, draft("A1")).expect_status(201).id();
        let missing = codes(&host.post(&at(id, "submit"), json!({})).expect_code(422, "required"));
        assert_eq!(missing.len(), 8, "{missing:?}");
        app.as_company().post(LIST, draft("A1")).expect_code(403, "forbidden");
        host.post(LIST, json!({"nmae": "x"})).expect_code(400, "unknown_field");
        let mut body = draft("A3");
        body["latitude"] = json!(91.5);
        host.post(LIST, body).expect_code(422, "out_of_range");
    }

    fn a_place_that_is_none_is_told_with_everything_else(app: &TestApp) {
        let mut body = draft("N1");
        let wrong = json!({"name": " ", "latitude": 95, "longitude": -180.5});
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = app.as_host().post(LIST, body).expect_status(422);
        let fault = |field: &str, code: &str| (field.to_owned(), code.to_owned());
        let expected = [fault("name", "required"), fault("latitude", "out_of_range"), fault("longitude", "out_of_range")];
        assert_eq!(codes(&refused), expected);
        assert_eq!((&refused["errors"][1]["limit"], &refused["errors"][1]["actual"]), (&json!("-90..90"), &json!(95)));
        let made = app.as_host().post(LIST, draft("N2")).expect_status(201);
        patch(&app.as_host(), made.id(), made.etag(), json!({"latitude": 91, "longitude": 1})).expect_code(422, "out_of_range");
        let placed = patch(&app.as_host(), made.id(), made.etag(), json!({"latitude": -1e-7, "longitude": 115.4})).expect_status(200);
        assert_eq!((&placed["latitude"], &placed["longitude"]), (&json!(0.0), &json!(115.4)));
    }

    fn a_change_needs_the_version_and_may_say_what_is_so(app: &TestApp) {
        let host = app.as_host();
        let made = host.post(LIST, complete("A1")).expect_status(201);
        let id = made.id();
        host.patch(&at(id, ""), json!({"name": "x"})).expect_code(428, "version_required");
        patch(&host, id, "\"v7\"", json!({"name": "x"})).expect_code(412, "version_mismatch");
        patch(&host, id, "\"v1\"", json!({"status": "listed"})).expect_code(422, "read_only");
        patch(&host, id, "\"v1\"", json!({"nmae": "x"})).expect_code(400, "unknown_field");
        // What is wrong with the body is said before what is wrong with the version, and that before read-only fields.
        host.patch(&at(id, ""), json!({"nmae": "x"})).expect_code(400, "unknown_field");
        patch(&host, id, "\"v7\"", json!({"nmae": "x"})).expect_code(400, "unknown_field");
        patch(&host, id, "\"v7\"", json!({"status": "listed"})).expect_code(412, "version_mismatch");
        patch(&host, id, "\"v1\"", json!({"name": null})).expect_code(400, "missing_field");
        let whole = made.body.clone();
        let same = patch(&host, id, "\"v1\"", whole).expect_status(200);
        let changed = json!({"status": "draft", "model": null, "public_contact": {"phone": "0312-6000000"}});
        let changed = patch(&host, id, same.etag(), changed).expect_status(200);
        assert!(changed["model"].is_null());
        assert_eq!(changed["public_contact"], json!({"name": "张工", "phone": "0312-6000000"}));
        app.as_stranger().patch(&at(id, ""), json!({})).expect_code(404, "not_found");
    }

    fn listed_entries_keep_their_locked_fields_and_stay_complete(app: &TestApp) {
        let host = app.as_host();
        let id = host.post(LIST, complete("A1")).expect_status(201).id();
        host.post(&at(id, "submit"), json!({})).expect_status(200);
        let listed = app.as_admin().post(&at(id, "approve"), json!({})).expect_status(200);
        let tag = listed.etag();
        let change = json!({"asset_no": "B", "enabled_on": "2024-07-01", "location": null});
        let told = codes(&patch(&host, id, tag, change).expect_status(422));
        let locked = |field: &str| (field.to_owned(), "locked_while_listed".to_owned());
        assert_eq!(told, [locked("asset_no"), locked("enabled_on"), ("location".to_owned(), "required".to_owned())]);
        patch(&host, id, tag, json!({"name": "透射电子显微镜"})).expect_status(200);
        app.as_company().patch(&at(id, ""), json!({"name": "x"})).expect_code(403, "forbidden");
    }

    fn managers_change_texts_only(app: &TestApp) {
        let host = app.as_host();
        let made = host.post(LIST, complete("A1")).expect_status(201);
        let (id, manager) = (made.id(), app.as_person(MANAGER));
        patch(&manager, id, "\"v1\"", json!({"technical": "x"})).expect_code(404, "not_found");
        let put = |tag: &str, managers: Vec<i64>| {
            with_version(&host, Method::PUT, &at(id, "managers"), tag, json!({"manager_ids": managers}))
        };
        let (able, stranger) = (app.user_id(MANAGER).number(), app.user_id(BOSS).number());
        host.put(&at(id, "managers"), json!({"manager_ids": []})).expect_code(428, "version_required");
        let refused = put("\"v1\"", vec![able, stranger, able]).expect_status(422);
        assert_eq!(codes(&refused), [
            ("manager_ids[1]".to_owned(), "unknown_reference".to_owned()),
            ("manager_ids[2]".to_owned(), "duplicate".to_owned()),
        ]);
        let assigned = put("\"v1\"", vec![able]).expect_status(200);
        assert_eq!(assigned["manager_ids"], json!([able]));
        patch(&manager, id, "\"v2\"", json!({"name": "x"})).expect_code(422, "read_only");
        let described = patch(&manager, id, "\"v2\"", json!({"technical": "分辨率 0.6 nm"})).expect_status(200);
        assert_eq!(described["technical"], "分辨率 0.6 nm");
        assert_eq!(put("\"v3\"", vec![]).expect_status(200)["manager_ids"], json!([]));
        manager.get(&at(id, "")).expect_code(404, "not_found");
    }

    fn not_sharing_needs_an_approved_exemption(app: &TestApp) {
        let (host, province) = (app.as_host(), app.as_admin());
        let mut body = complete("A1");
        body["share_mode"] = "none".into();
        let id = host.post(LIST, body).expect_status(201).id();
        host.post(&at(id, "submit"), json!({})).expect_code(422, "exemption_required");
        let ask = at(id, "sharing-exemption");
        province.post(&format!("{ask}/approve"), json!({})).expect_code(404, "not_found");
        host.post(&ask, json!({"reason": ""})).expect_code(422, "reason_required");
        // An exemption has no version, so none is looked at.
        with_version(&host, Method::POST, &ask, "v99", json!({"reason": "涉密"})).expect_status(201);
        host.post(&ask, json!({"reason": "涉密"})).expect_code(409, "exemption_exists");
        app.as_person(CITY_ADMIN).post(&format!("{ask}/approve"), json!({})).expect_code(403, "forbidden");
        province.post(&format!("{ask}/refuse"), json!({})).expect_code(422, "reason_required");
        province.post(&format!("{ask}/refuse"), json!({"reason": "证据不足"})).expect_status(200);
        province.post(&format!("{ask}/approve"), json!({})).expect_code(409, "invalid_state");
        host.post(&ask, json!({"reason": "附证明"})).expect_status(201);
        with_version(&province, Method::POST, &format!("{ask}/approve"), "\"v99\"", json!({})).expect_code(412, "version_mismatch");
        let approved = province.post(&format!("{ask}/approve"), json!({})).expect_status(200);
        assert_eq!(approved["state"], "approved");
        assert_eq!(host.get(&at(id, ""))["sharing_exemption"]["state"], "approved");
        host.post(&at(id, "submit"), json!({})).expect_status(200);
    }

    fn services_are_a_public_price_list(app: &TestApp) {
        let (host, id) = (app.as_host(), given::instrument(app).insert().number());
        let services = at(id, "services");
        let item = json!({"test_item": "形貌观察", "method_standard": "GB/T 16594-2008", "unit": "样", "price_fen": 30000});
        let made = host.post(&services, item.clone()).expect_status(201);
        app.as_company().post(&services, item.clone()).expect_code(403, "forbidden");
        host.post(&services, json!({"test_item": "", "unit": "样", "price_fen": -1})).expect_code(422, "required");
        let one = format!("{services}/{}", made.id());
        assert_eq!(made.header("location"), Some(one.as_str()));
        host.patch(&one, json!({"price_fen": 1})).expect_code(428, "version_required");
        let changed = with_version(&host, Method::PATCH, &one, "\"v1\"", json!({"price_fen": 25000})).expect_status(200);
        assert_eq!((changed["price_fen"].as_i64(), changed.etag()), (Some(25000), "\"v2\""));
        with_version(&host, Method::PATCH, &one, "\"v1\"", json!({"price_fen": 1})).expect_code(412, "version_mismatch");
        assert_eq!(ids(&app.visitor().get(&services).expect_status(200)), [made.id()]);
        let by_method = |text: &str| ids(&app.visitor().get(&format!("{LIST}?method={text}")).expect_status(200));
        assert_eq!(by_method("gb/t%2016594"), [id]);
        assert!(by_method("GB%25").is_empty());
        let other = given::instrument(app).insert().number();
        host.get(&at(other, &format!("services/{}", made.id()))).expect_status(405);
        host.delete(&at(other, &format!("services/{}", made.id()))).expect_code(404, "not_found");
        host.delete(&one).expect_status(204);
        host.delete(&one).expect_code(404, "not_found");
    }

    fn filters_narrow_the_list(app: &TestApp) {
        let named = |name: &str, category: &str, region: &str| {
            given::instrument(app).with(|facts| {
                facts.name = name.to_owned();
                facts.category_code = category.parse().unwrap();
                facts.region_code = region.parse().ok();
            })
        };
        let sem = named("扫描电镜 É 50%", "010102", "130602").with(|facts| {
            facts.description.name_en = Some("Field \"emission\" SEM".to_owned());
        }).insert();
        let cnc = named("加工中心 Ab_c", "020100", "130403").of(OTHER_HOST).with(|facts| {
            facts.share_mode = Some(yiqi::domain::exemption::ShareMode::Internal);
        }).insert();
        let hidden = named("质谱", "010102", "130602").in_state(InstrumentState::Suspended).insert();
        let price = |id: InstrumentId, fen: i64| app.write(move |tx| {
            let tariff = Tariff {
                customer_class: None,
                mode: None,
                period: Period { valid_from: "2026-01-01".parse().unwrap(), valid_until: None },
                price_fen_per_hour: Fen::new(fen),
            };
            Ok(yiqi::store::tariff::insert(tx, id, &tariff, "2026-01-01T00:00:00Z".parse().unwrap())?)
        });
        price(sem, 20_000);
        price(cnc, 9_000);
        let (sem, cnc, hidden) = (sem.number(), cnc.number(), hidden.number());
        let host = app.organization_id(OTHER_HOST);
        for (query, found) in [
            ("", vec![sem, cnc]),
            ("q=50%25", vec![sem]),
            ("q=AB_C", vec![cnc]),
            ("q=A%25c", vec![]),
            // Letters match in either case, on both databases.
            ("q=%C3%A9", vec![sem]),
            ("q=%C3%89", vec![sem]),
            ("q=field%20%22EMISSION%22", vec![sem]),
            ("q=su8600&q=nothing", vec![sem, cnc]),
            ("category=010000", vec![sem]),
            ("category=010102&category=020000", vec![sem, cnc]),
            ("region=130600", vec![sem]),
            ("region=130000", vec![sem, cnc]),
            (&format!("organization={host}"), vec![cnc]),
            ("share_mode=internal", vec![cnc]),
            ("status=suspended", vec![]),
            ("max_price_fen=9000", vec![cnc]),
            ("max_price_fen=8999", vec![]),
            ("sort=-original_value_fen", vec![cnc, sem]),
        ] {
            assert_eq!(ids(&app.visitor().get(&format!("{LIST}?{query}")).expect_status(200)), found, "{query}");
        }
        assert_eq!(ids(&app.as_host().get(&format!("{LIST}?status=suspended"))), [hidden]);
        assert_eq!(ids(&app.as_person(CITY_ADMIN).get(LIST)), [sem, cnc, hidden]);
        assert!(ids(&app.as_person(OTHER_HOST_ADMIN).get(&format!("{LIST}?status=suspended"))).is_empty());
        app.visitor().get(&format!("{LIST}?stat=x")).expect_code(400, "unknown_parameter");
        app.visitor().get(&format!("{LIST}?sort=cost")).expect_code(400, "invalid_value");
    }

    fn pages_go_on_where_they_ended_in_every_order(app: &TestApp) {
        let all: Vec<i64> = (0..5).map(|_| given::instrument(app).insert().number()).collect();
        for (sort, reversed) in [("id", false), ("-name", true), ("asset_no", false), ("-updated_at", true), ("original_value_fen", false)] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = app.visitor().get(&format!("{LIST}?sort={sort}&limit=2{cursor}")).expect_status(200);
                seen.extend(ids(&page));
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            let mut expected = all.clone();
            if reversed {
                expected.reverse();
            }
            assert_eq!(seen, expected, "{sort}");
        }
        let page = app.visitor().get(&format!("{LIST}?sort=name&limit=2")).expect_status(200);
        let foreign = format!("{LIST}?sort=id&cursor={}", page["next_cursor"].as_str().unwrap());
        app.visitor().get(&foreign).expect_code(400, "invalid_cursor");
    }

    fn the_feed_tells_what_was_withdrawn(app: &TestApp) {
        let (first, second) = (given::instrument(app).insert().number(), given::instrument(app).insert().number());
        app.advance(10);
        let since = "2026-03-02T09:05:00%2B08:00";
        let feed = |client: &Client, rest: &str| client.get(&format!("{LIST}?updated_since={since}{rest}")).expect_status(200);
        assert!(ids(&feed(&app.visitor(), "")).is_empty());
        app.as_admin().post(&at(first, "suspend"), json!({"reason": "检修"})).expect_status(200);
        app.advance(1);
        let tag = app.visitor().get(&at(second, "")).etag().to_owned();
        patch(&app.as_host(), second, &tag, json!({"user_notice": "请预约"})).expect_status(422);
        let body = json!({"user_notice": "请预约", "public_contact": {"name": "张工", "phone": "0312-5000000"}});
        patch(&app.as_host(), second, &tag, body).expect_status(200);
        let page = feed(&app.visitor(), "&status=listed&limit=1");
        assert_eq!(page["items"][0], json!({"id": first, "status": "withdrawn", "updated_at": "2026-03-02T09:10:00+08:00"}));
        assert!(page["as_of"].as_str().unwrap() < "2026-03-02T09:11:00+08:00");
        let next = feed(&app.visitor(), &format!("&status=listed&limit=1&cursor={}", page["next_cursor"].as_str().unwrap()));
        assert_eq!((ids(&next), &next["as_of"]), (vec![second], &page["as_of"]));
        assert!(next["next_cursor"].is_null());
        let own = feed(&app.as_host(), "");
        assert_eq!((own["items"][0]["status"].as_str(), ids(&own)), (Some("suspended"), vec![first, second]));
        app.visitor().get(&format!("{LIST}?updated_since={since}&sort=id")).expect_code(400, "invalid_value");
    }
}
