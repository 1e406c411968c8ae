//! Finding instruments: by words, places, ranks and facets, on every node soon after a change.

use serde_json::{Value, json};
use ureq::http::Method;
use yiqi::clock::Clock;
use yiqi::domain::exemption::ShareMode;
use yiqi::domain::instrument::InstrumentState;
use yiqi::domain::service::ServiceFacts;
use yiqi::domain::tariff::{Period, Tariff};
use yiqi::domain::{Fen, InstrumentId};
use yiqi::store;

use crate::client::Answer;
use crate::sample;
use crate::world::*;
use crate::{both, given};

const LIST: &str = "/api/v1/instruments";

fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    let letter = |byte: u8| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

fn ids(answer: &Answer) -> Vec<i64> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_i64().unwrap()).collect()
}

fn search(app: &TestApp, text: &str) -> Vec<i64> {
    let path = format!("{LIST}?q={}", encoded(text));
    ids(&app.visitor().get(&path).expect_status(200))
}

fn named(app: &World, name: &str, model: &str) -> InstrumentId {
    let facts = given::instrument(app).with(|facts| {
        facts.name = name.to_owned();
        facts.model = Some(model.to_owned());
    });
    facts.insert()
}

fn priced(app: &World, id: InstrumentId, fen: i64) {
    app.write(move |tx| {
        let tariff = Tariff {
            customer_class: None,
            mode: None,
            period: Period {
                valid_from: "2026-01-01".parse().unwrap(),
                valid_until: None,
            },
            price_fen_per_hour: Fen::new(fen),
        };
        let began = "2026-01-01T00:00:00Z".parse().unwrap();
        Ok(store::tariff::insert(tx, id, &tariff, began)?)
    });
}

fn at_place(app: &World, latitude: &str, longitude: &str) -> InstrumentId {
    let facts = given::instrument(app).with(|facts| {
        facts.description.latitude = Some(latitude.parse().unwrap());
        facts.description.longitude = Some(longitude.parse().unwrap());
    });
    facts.insert()
}

/// Every page of a list, two at a time.
fn all_pages(app: &TestApp, query: &str) -> Vec<i64> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("{LIST}?{query}&limit=2{cursor}");
        let page = app.visitor().get(&path).expect_status(200);
        seen.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
    }
}

both! {
    fn eighty_queries_find_what_people_mean(app: &TestApp) {
        sample::insert(app);
        let mut wrong = Vec::new();
        for (query, expected) in sample::QUERIES {
            let path = format!("{LIST}?limit=3&q={}", encoded(query));
            let answer = app.visitor().get(&path).expect_status(200);
            let shown = |item: &Value| format!("{} {}", item["name"].as_str().unwrap(), item["model"].as_str().unwrap());
            let found: Vec<String> = answer["items"].as_array().unwrap().iter().map(shown).collect();
            if found != *expected {
                wrong.push(format!("        ({query:?}, &{found:?}), // {}", answer["total"]));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
        assert!(sample::QUERIES.len() >= 80);
    }

    fn a_change_is_seen_at_once_and_on_every_node(app: &TestApp) {
        let other = TestApp::on(app.backend, &app.url, Clock::fixed(NOW.parse().unwrap()));
        let sem = given::instrument(app).with(|facts| {
            facts.name = "扫描电镜".to_owned();
            facts.category_code = "010101".parse().unwrap();
        });
        let id = sem.insert();
        app.settle();
        for node in [app, &other] {
            assert_eq!(search(node, "sem"), [id.number()]);
        }
        let host = app.as_host();
        let tag = host.get(&format!("{LIST}/{id}")).etag().to_owned();
        let request = host.request(Method::PATCH, &format!("{LIST}/{id}")).header("If-Match", tag.as_str());
        request.json(json!({"name": "透射电镜", "public_contact": {"name": "张工", "phone": "0312-5000000"}})).send().expect_status(200);
        app.settle();
        for node in [app, &other] {
            assert_eq!(search(node, "扫描"), Vec::<i64>::new());
            assert_eq!(search(node, "TEM"), [id.number()]);
        }
        let item = json!({"test_item": "选区电子衍射", "method_standard": "JY/T 0581-2020", "unit": "样", "price_fen": 1});
        let services = format!("{LIST}/{id}/services");
        let service = host.post(&services, item).expect_status(201).id();
        app.settle();
        for node in [app, &other] {
            assert_eq!(search(node, "jyt0581 选区"), [id.number()]);
        }
        host.delete(&format!("{services}/{service}")).expect_status(204);
        app.settle();
        assert!(search(&other, "JY/T 0581").is_empty());
        let unit = app.organization_id(UNIVERSITY);
        let path = format!("/api/v1/organizations/{unit}");
        let tag = host.get(&path).etag().to_owned();
        let request = host.request(Method::PATCH, &path).header("If-Match", tag.as_str());
        request.json(json!({"name": "燕山农林大学"})).send().expect_status(200);
        app.settle();
        for node in [app, &other] {
            assert_eq!(search(node, "燕山农林 tem"), [id.number()]);
        }
        let draft = json!({"name": "质谱仪", "asset_no": "X-1", "original_value_fen": 120_000_000, "category_code": "010201", "purpose_type": "general"});
        let draft = host.post(LIST, draft).expect_status(201);
        let own = |node: &TestApp| ids(&node.as_host().get(&format!("{LIST}?q=x1")).expect_status(200));
        app.settle();
        assert_eq!(own(&other), [draft.id()]);
        assert!(search(&other, "x1").is_empty());
        host.delete(&format!("{LIST}/{}", draft.id())).expect_status(204);
        app.settle();
        assert!(own(&other).is_empty());
    }

    fn an_import_is_found_on_another_node(app: &TestApp) {
        let other = TestApp::on(app.backend, &app.url, Clock::fixed(NOW.parse().unwrap()));
        assert!(search(&other, "质谱").is_empty());
        let table = "name,asset_no,original_value_fen,category_code,purpose_type,model\n\
            飞行时间质谱仪,T-1,120000000,010201,general,TOF-9\n";
        let host = app.as_host();
        let request = host.request(Method::POST, &format!("{LIST}/import")).bytes("text/csv", table);
        request.send().expect_status(200);
        app.settle();
        let found = other.as_host().get(&format!("{LIST}?q=TOF9")).expect_status(200);
        assert_eq!(found["items"][0]["asset_no"], "T-1");
    }

    fn the_index_proposes_and_rights_decide(app: &TestApp) {
        let state = |state| given::instrument(app).in_state(state).insert().number();
        let listed = state(InstrumentState::Listed);
        let (draft, suspended) = (state(InstrumentState::Draft), state(InstrumentState::Suspended));
        let foreign = given::instrument(app).of(OTHER_HOST).in_state(InstrumentState::Draft).insert().number();
        let path = format!("{LIST}?q=su8600&facet=organization");
        let seen = |client: crate::client::Client| {
            let answer = client.get(&path).expect_status(200);
            let counts = answer["facets"]["organization"].as_array().unwrap().iter();
            let sum: i64 = counts.map(|value| value["count"].as_i64().unwrap()).sum();
            assert_eq!(answer["total"].as_i64(), Some(sum));
            ids(&answer)
        };
        assert_eq!(seen(app.visitor()), [listed]);
        assert_eq!(seen(app.as_company()), [listed]);
        assert_eq!(seen(app.as_host()), [listed, draft, suspended]);
        assert_eq!(seen(app.as_person(OTHER_HOST_ADMIN)), [listed, foreign]);
        assert_eq!(seen(app.as_admin()), [listed, draft, suspended, foreign]);
        // What another node has taken off the list since is not shown, whatever the index still has.
        app.write(move |tx| {
            use yiqi::store::schema::instrument::dsl::*;
            use diesel::prelude::*;
            let row = instrument.filter(id.eq(listed));
            diesel::update(row).set(state.eq("suspended")).execute(tx).map_err(yiqi::store::StoreError::from)?;
            Ok(())
        });
        assert!(seen(app.visitor()).is_empty());
    }

    fn facets_and_the_total_tell_of_the_whole_list(app: &TestApp) {
        let sem = named(app, "扫描电镜", "A-1");
        named(app, "扫描电镜", "A-2");
        let inner = given::instrument(app).of(OTHER_HOST).rules(json!({"modes": ["entrusted"]})).with(|facts| {
            facts.name = "质谱".to_owned();
            facts.category_code = "010203".parse().unwrap();
            facts.region_code = "130403".parse().ok();
            facts.share_mode = Some(ShareMode::Internal);
        }).insert();
        let now = app.now();
        app.write(move |tx| {
            let facts = ServiceFacts {
                test_item: "形貌".to_owned(),
                test_condition: None,
                method_standard: Some("GB/T 16594-2008".to_owned()),
                unit: "样".to_owned(),
                price_fen: Fen::new(1),
            };
            Ok(store::service::insert(tx, sem, &facts, now)?)
        });
        let all = "facet=category&facet=region&facet=organization&facet=share_mode&facet=method&facet=mode";
        let answer = app.visitor().get(&format!("{LIST}?{all}&limit=1")).expect_status(200);
        assert_eq!((answer["total"].as_i64(), answer["items"].as_array().unwrap().len()), (Some(3), 1));
        let facets = &answer["facets"];
        let value = |value: &str, label: &str, count: i64| json!({"value": value, "label": label, "count": count});
        assert_eq!(facets["category"], json!([value("010102", "扫描电镜", 2), value("010203", "同位素质谱仪", 1)]));
        assert_eq!(facets["region"][1], value("130403", "丛台区", 1));
        assert_eq!(facets["organization"][1]["count"], 1);
        assert_eq!(facets["organization"][1]["value"], app.organization_id(OTHER_HOST).to_string());
        assert_eq!(facets["share_mode"], json!([value("external", "external", 2), value("internal", "internal", 1)]));
        assert_eq!(facets["method"], json!([value("GB/T 16594-2008", "GB/T 16594-2008", 1)]));
        assert_eq!(facets["mode"][0], value("entrusted", "entrusted", 3));
        // Every filter narrows what is counted; texts too, and each value is what its filter takes.
        for (query, total) in [("q=sem", 2), ("share_mode=internal", 1), ("category=010000", 3), ("region=130400", 1), ("method=16594", 1), ("q=nothing", 0)] {
            let answer = app.visitor().get(&format!("{LIST}?{query}&facet=mode&facet=category")).expect_status(200);
            assert_eq!(answer["total"], total, "{query}");
            let counts = answer["facets"]["category"].as_array().unwrap().iter();
            assert_eq!(counts.map(|value| value["count"].as_i64().unwrap()).sum::<i64>(), total, "{query}");
        }
        let chinese = app.visitor().in_language("zh-CN").get(&format!("{LIST}?facet=share_mode&facet=mode")).expect_status(200);
        assert_eq!(chinese["facets"]["share_mode"][1]["label"], "内部共享");
        assert_eq!(chinese["facets"]["mode"][0]["label"], "委托");
        app.visitor().get(&format!("{LIST}?facet=kind")).expect_code(400, "invalid_value");
        // What is not shared with others is found all the same, with how far it is shared.
        let found = app.visitor().get(&format!("{LIST}?q=MS")).expect_status(200);
        assert_eq!((ids(&found), &found["items"][0]["share_mode"]), (vec![inner.number()], &json!("internal")));
        let plain = app.visitor().get(LIST).expect_status(200);
        assert!(plain["facets"].is_null() && plain["total"].is_null() && plain["expanded"].is_null());
    }

    fn a_search_says_which_synonyms_it_took(app: &TestApp) {
        named(app, "扫描电镜", "A-1");
        let answer = app.visitor().get(&format!("{LIST}?q=sem")).expect_status(200);
        let expanded = answer["expanded"].as_array().unwrap();
        assert!(expanded.contains(&json!("扫描电镜")) && !expanded.contains(&json!("SEM")), "{expanded:?}");
        assert_eq!(app.visitor().get(&format!("{LIST}?q=A-1")).expect_status(200)["expanded"], json!([]));
    }

    fn the_best_come_first_unless_another_order_is_asked_for(app: &TestApp) {
        let near = named(app, "扫描电镜", "JSM-7800F").number();
        let exact = named(app, "扫描电镜", "JSM-7900F").number();
        let other = named(app, "扫描电镜", "Quanta 250").number();
        assert_eq!(search(app, "JSM-7900F"), [exact, near]);
        assert_eq!(search(app, "jsm 7900f"), [exact, near]);
        let found = |query: &str| ids(&app.visitor().get(&format!("{LIST}?{query}")).expect_status(200));
        assert_eq!(found("q=JSM-7900F&sort=id"), [near, exact]);
        assert_eq!(found("q=JSM-7900F&sort=-relevance"), [near, exact]);
        assert_eq!(found("q=JSM-7900F&q=quanta&sort=name"), [near, exact, other]);
        assert_eq!(found("sort=relevance"), [near, exact, other]);
    }

    fn ranked_lists_go_on_where_a_page_ended(app: &TestApp) {
        let all: Vec<InstrumentId> = ["39.0", "38.0", "38.5", "38.1"].map(|latitude| at_place(app, latitude, "115.0")).into();
        let nowhere = given::instrument(app).insert();
        let inner = given::instrument(app).with(|facts| facts.share_mode = Some(ShareMode::Internal)).insert();
        for (id, fen) in [(all[0], 300), (all[1], 100), (all[2], 300), (nowhere, 200), (inner, 50)] {
            priced(app, id, fen);
        }
        let numbers = |ids: &[InstrumentId]| ids.iter().map(|id| id.number()).collect::<Vec<_>>();
        // Without a price that holds for others an instrument comes last, in either direction.
        assert_eq!(all_pages(app, "sort=price"), numbers(&[all[1], nowhere, all[0], all[2], all[3], inner]));
        assert_eq!(all_pages(app, "sort=-price"), numbers(&[all[2], all[0], nowhere, all[1], inner, all[3]]));
        assert_eq!(all_pages(app, "sort=distance&near=38.0,115.0"), numbers(&[all[1], all[3], all[2], all[0], nowhere, inner]));
        assert_eq!(all_pages(app, "sort=-distance&near=38.0,115.0"), numbers(&[all[0], all[2], all[3], all[1], inner, nowhere]));
        let whole = numbers(&[all[0], all[1], all[2], all[3], nowhere, inner]);
        assert_eq!(all_pages(app, "q=sem"), whole);
        assert_eq!(all_pages(app, "q=sem&sort=name"), whole);
        let page = app.visitor().get(&format!("{LIST}?sort=price&limit=2")).expect_status(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        for sort in ["id", "distance&near=1,1", "relevance"] {
            app.visitor().get(&format!("{LIST}?sort={sort}&cursor={cursor}")).expect_code(400, "invalid_cursor");
        }
        app.visitor().get(&format!("{LIST}?sort=distance")).expect_code(400, "missing_field");
    }

    fn distances_are_told_and_a_radius_leaves_what_is_near(app: &TestApp) {
        let (baoding, shijiazhuang) = (at_place(app, "38.8740", "115.4646"), at_place(app, "38.0428", "114.5149"));
        let nowhere = given::instrument(app).insert();
        let answer = app.visitor().get(&format!("{LIST}?near=38.0428,114.5149")).expect_status(200);
        assert_eq!(ids(&answer), [baoding.number(), shijiazhuang.number(), nowhere.number()]);
        assert_eq!(answer["items"][0]["distance_km"].as_f64().unwrap().round(), 124.0);
        assert_eq!(answer["items"][1]["distance_km"], 0.0);
        assert!(answer["items"][2]["distance_km"].is_null());
        let found = |query: &str| ids(&app.visitor().get(&format!("{LIST}?{query}")).expect_status(200));
        assert_eq!(found("near=38.0428,114.5149&radius_km=50"), [shijiazhuang.number()]);
        assert_eq!(found("near=38.0428,114.5149&radius_km=125.5&sort=distance"), [shijiazhuang.number(), baoding.number()]);
        assert_eq!(found("near=38.8740,115.4646&radius_km=50&q=sem"), [baoding.number()]);
        for (query, code) in [
            ("radius_km=5", "missing_field"),
            ("near=38.0428", "invalid_value"),
            ("near=91,0", "invalid_value"),
            ("near=1,1&radius_km=0", "invalid_value"),
            ("near=1,1&radius_km=-5", "invalid_value"),
            ("near=1,1&near=2,2", "duplicate_parameter"),
        ] {
            app.visitor().get(&format!("{LIST}?{query}")).expect_code(400, code);
        }
        for (name, value) in [("near", "1,1"), ("radius_km", "5"), ("facet", "mode"), ("sort", "price")] {
            let path = format!("{LIST}?updated_since=2026-01-01T00:00:00Z&near=1,1&{name}={value}");
            let path = if name == "near" { path.replacen("&near=1,1", "", 1) } else { path };
            app.visitor().get(&path).expect_code(400, "invalid_value");
        }
    }

    fn the_feed_and_tables_look_for_the_same_texts(app: &TestApp) {
        let sem = named(app, "扫描电镜", "A-1");
        let other = given::instrument(app).with(|facts| {
            facts.name = "质谱".to_owned();
            facts.model = Some("B-1".to_owned());
            facts.category_code = "010201".parse().unwrap();
        });
        other.insert();
        let feed = app.visitor().get(&format!("{LIST}?q=sem&updated_since=2026-01-01T00:00:00Z")).expect_status(200);
        assert_eq!(ids(&feed), [sem.number()]);
        for sort in ["", "&sort=relevance", "&sort=price", "&sort=name"] {
            let table = app.as_host().get(&format!("{LIST}/export?format=csv&q=sem{sort}")).expect_status(200);
            assert!(table.text().contains("A-1") && !table.text().contains("B-1"), "{}", table.text());
        }
        app.as_host().get(&format!("{LIST}/export?format=csv&sort=distance")).expect_code(400, "invalid_value");
    }
}

#[test]
fn the_operator_s_synonyms_join_those_of_the_program() {
    let file = crate::scratch::folder().join("synonyms.toml");
    std::fs::write(&file, "groups = [[\"大眼睛\", \"扫描电镜\"]]\n").unwrap();
    let app = TestApp::start_with(Backend::Sqlite, |settings| {
        settings.search_synonyms = file.display().to_string();
    });
    let app = app.unwrap();
    let id = named(&app, "扫描电镜", "A-1").number();
    assert_eq!(
        (search(&app, "大眼睛"), search(&app, "sem")),
        (vec![id], vec![id])
    );
}

#[test]
fn synonyms_that_cannot_be_read_are_refused_when_the_service_starts() {
    let file = crate::scratch::folder().join("bad.toml");
    let with = |path: String| {
        let mut settings = config("sqlite:none.sqlite");
        settings.search_synonyms = path;
        settings.synonyms().unwrap_err().to_string()
    };
    let path = file.display().to_string();
    for (text, told) in [
        ("groups = [[\"a\"]]", "two phrases or more"),
        ("groups = [[\"a\", \"-\"]]", "is no phrase"),
        ("group = []", "unknown field"),
        ("groups = [", "bad.toml"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = with(path.clone());
        assert!(
            refused.contains(told) && refused.contains("bad.toml"),
            "{refused}"
        );
    }
    assert!(with("/nowhere/at/all.toml".to_owned()).contains("cannot read"));
}
