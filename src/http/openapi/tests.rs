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
        match route.deed {
            Some(deed) => assert_eq!(operation["x-roles"], json!(deed.roles()), "{route:?}"),
            None => assert_eq!(operation["security"], json!([]), "{route:?}"),
        }
    }
}
