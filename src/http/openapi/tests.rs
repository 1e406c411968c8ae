//! The document is whole: every reference resolves, every route is there once, every name has a meaning.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(target) if name == "$ref" => drop(found.insert(target.to_owned())),
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path.clone(), method.clone(), operation))
    });
    each.collect()
}

#[test]
fn every_reference_resolves() {
    let document = document("http://localhost");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 5);
    for target in found {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
}

#[test]
fn every_route_is_there_and_every_operation_has_a_name_of_its_own() {
    let document = document("http://localhost");
    let operations = operations(&document);
    let mut names = BTreeSet::new();
    for (path, method, operation) in &operations {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{method} {path}: {name} is taken");
    }
    for route in routes::all() {
        let path = format!("{BASE}{}", route.path);
        let method = route.method.as_str().to_lowercase();
        assert!(
            operations
                .iter()
                .any(|(p, m, _)| *p == path && *m == method),
            "{method} {path}"
        );
    }
}

#[test]
fn every_parameter_says_what_it_means() {
    let document = document("http://localhost");
    for (path, method, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            let about = &parameter["description"];
            let is_shared = parameter.get("$ref").is_some();
            assert!(is_shared || about != "", "{method} {path}: {parameter}");
        }
    }
}

#[test]
fn no_part_of_a_shape_has_parts() {
    let document = document("http://localhost");
    let shapes = document["components"]["schemas"].as_object().unwrap();
    let mut whole = 0;
    for (name, shape) in shapes {
        let parts = shape.get("allOf").and_then(Value::as_array);
        for part in parts.into_iter().flatten() {
            assert!(part.get("allOf").is_none(), "{name}: {part}");
            whole += 1;
        }
    }
    assert!(whole > 20, "{whole}");
}

#[test]
fn a_name_means_one_shape() {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for route in routes::all() {
        for schema in [route.body, route.answer.1].into_iter().flatten() {
            let (name, whole, parts) = schema();
            for (name, shape) in std::iter::once((name, whole)).chain(parts) {
                let shape = json!(shape);
                let before = known.entry(name.clone()).or_insert_with(|| shape.clone());
                assert_eq!(*before, shape, "two shapes are called {name}");
            }
        }
    }
}

#[test]
fn rights_stand_beside_every_operation_that_needs_them() {
    let document = document("http://localhost");
    for route in routes::all() {
        let path = format!("{BASE}{}", route.path);
        let operation = &document["paths"][path][route.method.as_str().to_lowercase()];
        match route.action.is_open_to_visitors() {
            false => {
                let roles = operation["x-roles"].as_array().unwrap();
                let also = route.other_action.map_or(&[][..], |action| action.roles());
                for role in route.action.roles().iter().chain(also) {
                    assert!(roles.contains(&json!(role)), "{route:?}");
                }
            }
            true if route.ignores_caller => assert_eq!(operation["security"], json!([])),
            true => assert_eq!(operation["security"][0], json!({})),
        }
        let by_key: Vec<_> = operation["security"].as_array().unwrap().iter().collect();
        let by_key: Vec<_> = by_key.iter().filter_map(|one| one.get("api_key")).collect();
        let scope = route.action.scope().map(|scope| json!([scope]));
        assert_eq!(by_key, scope.iter().collect::<Vec<_>>(), "{route:?}");
    }
}

fn operation<'a>(document: &'a Value, id: &str) -> &'a Value {
    let all = operations(document);
    let found = all.iter().find(|(.., one)| one["operationId"] == id);
    found.unwrap_or_else(|| panic!("no {id}")).2
}

fn statuses(operation: &Value) -> Vec<&str> {
    let answers = operation["responses"].as_object().unwrap();
    answers.keys().map(String::as_str).collect()
}

#[test]
fn if_match_is_named_where_it_is_compared() {
    let document = document("http://localhost");
    let names = |id: &str| {
        let parameters = operation(&document, id)["parameters"].to_string();
        let statuses = statuses(operation(&document, id));
        (parameters.contains("/IfMatch"), statuses.contains(&"412"))
    };
    for id in [
        "member_invite",
        "related_party_add",
        "closure_create",
        "service_create",
        "tariff_create",
        "tariff_end",
        "exemption_request",
        "review_create",
        "api_key_revoke",
        "session_revoke",
    ] {
        assert_eq!(names(id), (false, false), "{id}");
    }
    for id in [
        "member_remove",
        "instrument_submit",
        "charge_pay",
        "organization_update",
    ] {
        assert_eq!(names(id), (true, true), "{id}");
    }
}

/// An end means the same everywhere: a last day, included, or a moment that is the first outside.
#[test]
fn every_end_is_a_last_day_or_the_first_moment_outside() {
    let document = document("http://localhost");
    let mut ends = Vec::new();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (schema, content) in schemas {
        let properties = content["properties"].as_object().into_iter().flatten();
        for (name, property) in properties.filter(|(name, _)| name.contains("until")) {
            let is_day = name.ends_with("until_on") || name == "valid_until";
            let says_day = property.to_string().contains("\"date\"");
            assert_eq!(says_day, is_day, "{schema}.{name}: {property}");
            ends.push(name.as_str());
        }
    }
    assert!(ends.contains(&"until_on") && ends.contains(&"valid_until"));
    for (_, _, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default();
            if name.contains("until") {
                let format = if name.ends_with("until_on") {
                    "date"
                } else {
                    "date-time"
                };
                assert_eq!(parameter["schema"]["format"], format, "{name}");
            }
        }
    }
}

#[test]
fn what_a_route_answers_is_documented() {
    let document = document("http://localhost");
    let login = operation(&document, "session_open");
    for status in ["401", "403", "429"] {
        assert!(statuses(login).contains(&status), "{status}");
    }
    assert!(!login["parameters"].to_string().contains("IdempotencyKey"));
    assert!(
        !operation(&document, "organization_verify")["requestBody"]["required"]
            .as_bool()
            .unwrap()
    );
    assert!(
        operation(&document, "instrument_create")["requestBody"]["required"]
            .as_bool()
            .unwrap()
    );
    let headers =
        |id: &str, status: &str| &operation(&document, id)["responses"][status]["headers"];
    assert!(headers("organization_update", "200")["ETag"].is_object());
    assert!(headers("instrument_create", "201")["Idempotency-Replayed"].is_object());
    assert!(headers("policy_create", "201")["ETag"].is_object());
    assert!(headers("policy_list", "200")["ETag"].is_null());
    let export = &operation(&document, "instrument_export")["responses"]["200"]["content"];
    assert_eq!(export.as_object().unwrap().len(), 2);
    let later = &document["components"]["responses"]["ProblemForNow"];
    assert!(later["headers"]["Retry-After"].is_object());
}

#[test]
fn bodies_that_may_be_empty_are_those_that_say_nothing_or_why() {
    let document = document("http://localhost");
    let empty = operations(&document)
        .into_iter()
        .filter(|(.., operation)| operation["requestBody"]["required"] == false)
        .map(|(.., operation)| operation["operationId"].as_str().unwrap());
    let mut empty: Vec<_> = empty.collect();
    empty.sort_unstable();
    insta::assert_snapshot!(empty.join("\n"), @r"
    award_adjustment_approve
    award_adjustment_refuse
    award_hold
    award_release
    booking_approve
    booking_cancel
    booking_finish
    booking_no_show
    booking_start
    booking_submit
    charge_reprice
    evaluation_discard
    evaluation_finalize
    evaluation_publish
    evaluation_regrade
    exemption_approve
    exemption_refuse
    expert_assignment_submit
    expert_assignment_withdraw
    finding_assign
    finding_reopen
    instrument_approve
    instrument_resume
    instrument_retire
    instrument_return
    instrument_submit
    instrument_suspend
    invoice_annul
    objection_withdraw
    organization_refuse
    organization_resume
    organization_suspend
    organization_verify
    payment_receive
    payment_refuse
    payment_reverse
    policy_put_in_force
    policy_withdraw
    subsidy_discard
    subsidy_finalize
    subsidy_publish
    usage_record_attest
    usage_record_charge
    usage_record_confirm
    usage_record_dispute
    usage_record_void
    ");
}

/// Told in the ground rules by their nouns; a list that gains the parameter is to be named there too.
#[test]
fn the_lists_that_others_keep_in_step_with_are_named() {
    let has = |route: &&Route| route.parameters.contains(&"updated_since");
    let mut lists: Vec<_> = routes::all()
        .iter()
        .filter(has)
        .map(|route| route.path)
        .collect();
    lists.sort_unstable();
    assert_eq!(
        lists,
        [
            "/bookings",
            "/charges",
            "/duties",
            "/evaluations",
            "/expert-assignments",
            "/findings",
            "/instruments",
            "/instruments/{id}/closures",
            "/instruments/{id}/services",
            "/objections",
            "/organizations",
            "/public-notices",
            "/rectifications",
            "/subsidy-runs",
            "/usage-records",
        ]
    );
}

/// A field that has an id of an organization, an instrument or a person is called so that its name is found.
#[test]
fn every_id_that_people_have_a_name_for_is_named() {
    let document = document("http://localhost");
    let mut named = 0;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let answered = schemas.iter().filter(|(name, _)| !name.ends_with("Body"));
    for (schema, content) in answered {
        let properties = content["properties"].as_object().into_iter().flatten();
        for (field, property) in properties {
            let is_own = ["id", "actor_user_id"].contains(&field.as_str());
            if is_own || !is_named_id(property) {
                continue;
            }
            let (_, name) = names::named(field).unwrap_or_else(|| panic!("{schema}.{field}"));
            named += usize::from(!content["properties"][&name].is_null());
        }
    }
    assert!(named > 30, "{named}");
    let booking = &document["components"]["schemas"]["BookingShape"]["properties"];
    for field in [
        "instrument_name",
        "organization_name",
        "host_organization_name",
        "booked_by_name",
        "booked_by_phone",
    ] {
        assert!(booking[field].is_object(), "{field}");
    }
    assert!(
        document["components"]["schemas"]["RequestBody"]["properties"]["instrument_name"].is_null()
    );
}

/// An example that no body or answer has would be read by nobody.
#[test]
fn every_example_is_of_a_shape_that_there_is() {
    let document = document("http://localhost");
    let all = document["paths"].to_string();
    for shape in example::names() {
        let reference = format!("\"#/components/schemas/{shape}\"");
        assert!(all.contains(&reference), "{shape}");
    }
}
