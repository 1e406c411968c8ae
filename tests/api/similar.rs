//! Instruments like one: which are named, in which order, and what is told of each.

use serde_json::{Value, json};
use yiqi::domain::exemption::ShareMode;
use yiqi::domain::instrument::{InstrumentFacts, InstrumentState};
use yiqi::domain::{InstrumentId, OrganizationId};
use yiqi::operations::policy::install_shipped;

use crate::client::{Answer, Client};
use crate::world::*;
use crate::{both, given};

fn of(app: &World, change: impl FnOnce(&mut InstrumentFacts)) -> InstrumentId {
    given::instrument(app).with(change).insert()
}

fn ids(answer: &Answer) -> Vec<i64> {
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_i64().unwrap()).collect()
}

fn path(id: InstrumentId) -> String {
    format!("/api/v1/instruments/{id}/similar")
}

/// Ninety confirmed minutes of a unit on a day of February.
fn used(app: &TestApp, by: (&Client, OrganizationId), instrument: InstrumentId, day: u32) {
    let (client, unit) = by;
    let body = json!({
        "instrument_id": instrument, "organization_id": unit, "mode": "entrusted", "purpose": "research",
        "started_at": format!("2026-02-{day:02}T09:00:00+08:00"), "ended_at": format!("2026-02-{day:02}T10:30:00+08:00"),
    });
    let made = app
        .as_host()
        .post("/api/v1/usage-records", body)
        .expect_status(201);
    if made["state"] != "confirmed" {
        let confirm = format!("/api/v1/usage-records/{}/confirm", made.id());
        client.post(&confirm, json!({})).expect_status(200);
    }
}

both! {
    fn the_most_alike_of_the_class_come_first(app: &TestApp) {
        let own = of(app, |facts| facts.name = "场发射扫描电镜".to_owned());
        let twin = of(app, |facts| facts.name = "场发射扫描电镜".to_owned());
        let cousin = of(app, |facts| {
            facts.name = "钨灯丝扫描电镜".to_owned();
            facts.model = Some("Quanta 250".to_owned());
        });
        let brother = of(app, |facts| {
            facts.name = "场发射扫描电镜".to_owned();
            facts.manufacturer = Some("JEOL".to_owned());
        });
        of(app, |facts| facts.category_code = "010101".parse().unwrap());
        given::instrument(app).in_state(InstrumentState::Draft).insert();
        let found = app.visitor().get(&path(own)).expect_status(200);
        assert_eq!(ids(&found), [twin, brother, cousin].map(InstrumentId::number));
        let items = found["items"].as_array().unwrap();
        let alike: Vec<u64> = items.iter().map(|item| item["similarity"].as_u64().unwrap()).collect();
        assert_eq!(alike[0], 100);
        assert!(alike[1] < 100 && alike[2] < alike[1] && alike[2] >= 30, "{alike:?}");
        assert!(items[0]["organization_name"].is_string());
        assert_eq!(ids(&app.visitor().get(&format!("{}?limit=1", path(own)))), [twin.number()]);
        for limit in ["0", "21", "-1"] {
            app.visitor().get(&format!("{}?limit={limit}", path(own))).expect_code(400, "out_of_range");
        }
        app.visitor().get(&format!("{}?near=1,1", path(own))).expect_code(400, "unknown_parameter");
        let draft = given::instrument(app).in_state(InstrumentState::Draft).insert();
        app.visitor().get(&path(draft)).expect_code(404, "not_found");
        app.as_host().get(&path(draft)).expect_status(200);
    }

    fn a_radius_leaves_what_stands_around_the_instrument(app: &TestApp) {
        let at = |latitude: &str| {
            let latitude = latitude.parse().unwrap();
            of(app, |facts| {
                facts.description.latitude = Some(latitude);
                facts.description.longitude = Some("115.0".parse().unwrap());
            })
        };
        let (own, near, far, nowhere) = (at("38.0"), at("38.1"), at("39.0"), of(app, |_| ()));
        let found = |id: InstrumentId, query: &str| app.visitor().get(&format!("{}{query}", path(id))).expect_status(200);
        assert_eq!(ids(&found(own, "?radius_km=20")), [near.number()]);
        assert_eq!(found(own, "?radius_km=20")["items"][0]["distance_km"], 11.1);
        assert_eq!(ids(&found(own, "")), [near, far, nowhere].map(InstrumentId::number));
        assert!(ids(&found(nowhere, "?radius_km=20")).is_empty());
    }

    fn times_and_use_are_told_where_they_may_be(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        let own = of(app, |_| ());
        let (busy, quiet) = (of(app, |_| ()), of(app, |_| ()));
        let inner = of(app, |facts| facts.share_mode = Some(ShareMode::Internal));
        let unit = |uscc| app.organization_id(uscc);
        let (host, company, other) = (app.as_host(), app.as_company(), app.as_person(OTHER_HOST_ADMIN));
        for (by, day) in [((&host, unit(UNIVERSITY)), 2), ((&company, unit(COMPANY)), 3), ((&other, unit(OTHER_HOST)), 4)] {
            used(app, by, busy, day);
        }
        used(app, (&company, unit(COMPANY)), quiet, 3);
        let found = app.visitor().get(&path(own)).expect_status(200);
        let item = |id: InstrumentId| -> Value {
            let items = found["items"].as_array().unwrap().iter();
            items.clone().find(|item| item["id"] == id.number()).unwrap().clone()
        };
        // 270 minutes of 1,400 hours.
        assert_eq!((&item(busy)["utilization"], &item(busy)["suppressed"]), (&json!("0.0032"), &json!([])));
        assert_eq!((&item(quiet)["utilization"], &item(quiet)["suppressed"]), (&json!(null), &json!(["utilization"])));
        assert_eq!(item(inner)["utilization"], "0.0000");
        assert_eq!(item(busy)["next_free"].as_array().unwrap().len(), 3);
        assert_eq!(item(inner)["next_free"], json!([]));
        let within = app.as_host().get(&path(own)).expect_status(200);
        let free = within["items"].as_array().unwrap().iter().filter(|item| item["next_free"] != json!([]));
        assert_eq!(free.count(), 3);
    }
}
