//! Findings: what looks wrong is found by a freeze, once, and only the administration reads it.

use diesel::RunQueryDsl;
use serde_json::{Value, json};
use yiqi::operations::policy::install_shipped;

use crate::both;
use crate::charge::{priced, record};
use crate::subsidy::begun;
use crate::world::*;

const YEAR: &str = "/api/v1/findings?year=2026";

fn freeze(app: &TestApp) {
    let body = json!({"year": 2026, "policy": "hebei-2026"});
    begun(&app.as_admin(), "/api/v1/evaluations", body);
}

fn change(app: &TestApp, text: String) {
    app.write(move |tx| Ok(diesel::sql_query(text.as_str()).execute(tx)?));
}

fn found(app: &TestApp, more: &str) -> Vec<Value> {
    let list = app.as_admin().get(&format!("{YEAR}{more}"));
    list.expect_status(200)["items"].as_array().unwrap().clone()
}

both! {
    fn a_freeze_finds_what_looks_wrong_once_and_again_when_it_changed(app: &TestApp) {
        app.block_on(install_shipped(&app.app, app.now())).unwrap();
        let instrument = priced(app);
        let records = [9, 10, 11].map(|day| record(app, instrument, day));
        freeze(app);
        assert_eq!(found(app, "&severity=serious"), Vec::<Value>::new());

        let longer = |id: i64| format!("UPDATE usage_record SET run_minutes = 91 WHERE id = {id}");
        change(app, longer(records[0]));
        change(app, format!("UPDATE instrument SET accepted_on = '2026-02-11' WHERE id = {instrument}"));
        change(app, format!("UPDATE usage_record SET channel = 7 WHERE id = {}", records[2]));
        freeze(app);
        let serious = found(app, "&severity=serious");
        let told: Vec<_> = serious.iter().map(|one| (one["rule"].as_str().unwrap(), one["count"].clone())).collect();
        for expected in [("over_24_hours", 1), ("overlap", 1), ("before_acceptance", 2)] {
            let (rule, count) = expected;
            assert!(told.contains(&(rule, json!(count))), "{rule}: {told:?}");
        }
        assert_eq!(told.len(), 3, "{told:?}");
        let over = found(app, "&rule=over_24_hours").pop().unwrap();
        assert_eq!(over["usage_record_ids"], json!([records[0]]));
        assert_eq!(over["minutes"], 91);
        assert_eq!(over["organization_name"], app.as_admin().get(&format!("/api/v1/organizations/{}", app.organization_id(UNIVERSITY))).expect_status(200)["name"]);

        // Never twice, and what was cleared stays so until its facts change.
        change(app, "UPDATE finding SET state = 'cleared' WHERE rule = 'over_24_hours'".to_owned());
        freeze(app);
        assert_eq!(found(app, "&severity=serious").len(), 3);
        let path = format!("/api/v1/findings/{}", over["id"]);
        let one = app.as_admin().get(&path).expect_status(200);
        assert_eq!((&one["state"], &one["version"]), (&json!("cleared"), &json!(1)));
        change(app, longer(records[1]));
        freeze(app);
        let one = app.as_admin().get(&path).expect_status(200);
        assert_eq!((&one["state"], &one["count"]), (&json!("open"), &json!(2)));
        app.as_host().get(&path).expect_status(403);
        app.as_host().get(YEAR).expect_status(403);
        assert_eq!(found(app, "&rule=overlap&severity=note"), Vec::<Value>::new());
    }
}
