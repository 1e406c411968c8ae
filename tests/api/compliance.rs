//! Compliance of a year: who sees it when, and what it counts.

use serde_json::{Value, json};
use ureq::http::Method;

use crate::both;
use crate::client::Client;
use crate::duty::import;
use crate::finality::{draft, prepared, publish};
use crate::world::*;

fn rows(client: &Client, year: i32) -> Vec<Value> {
    let table = client
        .get(&format!("/api/v1/compliance/{year}"))
        .expect_status(200);
    table["items"].as_array().unwrap().clone()
}

both! {
    fn compliance_is_public_from_the_publication_on(app: &TestApp) {
        let admin = prepared(app);
        import(app, &app.as_host(), "", "OLD,旧仪器,300000,2025-01-06,\nNEW,新仪器,300000,2026-02-20,\n").expect_status(200);
        let path = format!("/api/v1/organizations/{}/asset-ledger/import", app.organization_id(OTHER_HOST));
        let table = "asset_no,name,original_value_yuan,accepted_on,disposed_on\nX1,仪器,300000,2025-01-06,\n";
        app.as_person(OTHER_HOST_ADMIN).request(Method::POST, &path).bytes("text/csv", table).send().expect_status(200);
        app.block_on(yiqi::operations::duty::follow(&app.app, app.now())).unwrap();
        let units = |client: &Client| -> Vec<Value> { rows(client, 2025).iter().map(|row| row["organization_id"].clone()).collect() };
        let [own, other] = [UNIVERSITY, OTHER_HOST].map(|uscc| json!(app.organization_id(uscc).number()));
        let mut both = vec![own.clone(), other.clone()];
        both.sort_by_key(|id| id.as_i64());
        for client in [&admin, &app.as_person(AUDITOR)] {
            assert_eq!(units(client), both);
        }
        assert_eq!(units(&app.as_host()), std::slice::from_ref(&own));
        assert_eq!(units(&app.as_person(CITY_ADMIN)), std::slice::from_ref(&own));
        assert_eq!(units(&app.as_person(OTHER_HOST_ADMIN)), std::slice::from_ref(&other));
        for client in [&app.visitor(), &app.as_company()] {
            assert_eq!(units(client), [] as [Value; 0]);
        }
        let order = json!({"organization_id": own, "cause": "registration", "text": "补登", "due_on": "2026-03-31"});
        admin.post("/api/v1/rectifications", order).expect_status(201);
        let row = rows(&app.as_host(), 2026).remove(0);
        // The old one is still missing in the next year; what is not yet due is not counted.
        assert_eq!((&row["missing"], &row["open_rectifications"], &row["complies"]), (&json!(1), &json!(1), &Value::Null), "{row}");
        assert_eq!(row["due"].as_i64(), Some(row["on_time"].as_i64().unwrap() + row["late"].as_i64().unwrap() + 1), "{row}");
        assert_eq!(row["organization_name"], "太行农业大学");
        publish(&admin, &draft(&admin, "subsidy-runs", 2025, "hebei-2026"));
        for client in [&app.visitor(), &app.as_company(), &app.as_host()] {
            assert_eq!(units(client), both);
        }
        let table = app.visitor().get("/api/v1/compliance/2025").expect_status(200);
        assert_eq!((&table["is_public"], &table["policy"]), (&json!(true), &json!("hebei-2026@1")));
        let csv = app.visitor().get("/api/v1/compliance/2025?format=csv").expect_status(200);
        assert!(csv.text().contains("太行农业大学") && csv.text().contains("是否履行义务"), "{}", csv.text());
        assert_eq!(rows(&app.visitor(), 2026), [] as [Value; 0], "another year");
        app.visitor().get("/api/v1/compliance/2027").expect_status(422);
        app.visitor().get("/api/v1/compliance/2025?format=pdf").expect_code(400, "invalid_value");
    }
}
