//! A list where an object belongs, in every body: it is refused, although its items are the object's members in their order.

use serde_json::{Value, json};
use yiqi::http::openapi;

use super::*;

/// The whole with each of its inner objects in turn as the list of its values, and where that object stood.
fn with_lists(whole: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    places_of_objects(whole, String::new(), &mut places);
    let with_list = |place: String| {
        let mut changed = whole.clone();
        let object = changed.pointer_mut(&place).unwrap();
        let values = object.as_object().unwrap().values().cloned();
        *object = values.collect();
        (place, changed)
    };
    places.into_iter().map(with_list).collect()
}

fn places_of_objects(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if !at.is_empty() {
                places.push(at.clone());
            }
            for (name, member) in members {
                places_of_objects(member, format!("{at}/{name}"), places);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                places_of_objects(item, format!("{at}/{number}"), places);
            }
        }
        _ => {}
    }
}

/// What the document gives as an example of a route's body.
fn example(document: &Value, route: &Route) -> Value {
    let path = format!("{BASE}{}", route.path);
    let operation = &document["paths"][path][route.method.as_str().to_lowercase()];
    operation["requestBody"]["content"]["application/json"]["example"].clone()
}

#[test]
fn every_inner_object_becomes_a_list_once() {
    let whole = json!({"a": {"b": {"c": 1}}, "d": [{"e": 2}, 3]});
    let changed = with_lists(&whole);
    let places: Vec<&str> = changed.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["/a", "/a/b", "/d/0"]);
    assert_eq!(changed[2].1, json!({"a": {"b": {"c": 1}}, "d": [[2], 3]}));
}

both! {
    fn a_list_is_no_object(app: &TestApp) {
        let mut stage = stage(app);
        stage.ids.push(("expert-assignments", given::assignment(app)));
        stage.callers.push(app.as_person(given::EVALUATORS[0]));
        let document = openapi::document("http://localhost");
        let before = stage.events();
        let mut places = 0;
        for route in routes::all().iter().filter(|route| takes_body(route)) {
            let path = stage.path(route);
            for (place, body) in with_lists(&example(&document, route)) {
                let statuses = stage.refuse(route, &place, |client| {
                    let request = client.request(method(route), &path).header("if-match", "*");
                    request.json(body.clone()).send()
                });
                assert!(statuses.contains(&400), "{route:?} {place}: {statuses:?}");
                places += 1;
            }
        }
        assert!(places > 15, "{places}");
        assert_eq!(stage.events(), before);
    }
}
