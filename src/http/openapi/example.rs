//! What bodies and answers look like: an example for each body, by the name of its shape, and for the answers that companies
//! read. The examples are data, in `example.json`.

use std::sync::LazyLock;

use serde_json::{Value, json};

const EXAMPLES: &str = include_str!("example.json");

// A test finds every example; the fallback keeps a library without panics.
static ALL: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(EXAMPLES).unwrap_or_default());

/// What a body of this shape says.
pub fn of_body(shape: &str) -> Option<&'static Value> {
    ALL.get("bodies")?.get(shape)
}

/// What an answer of this shape says.
pub fn of_answer(shape: &str) -> Option<&'static Value> {
    ALL.get("answers")?.get(shape)
}

/// A file of this type, as an action takes it; a workbook is no text.
pub fn of_file(action: &str, media_type: &str) -> Option<Value> {
    match media_type {
        "text/csv" => ALL.get("tables")?.get(action).cloned(),
        "application/toml" => Some(include_str!("../../../config/policies/hebei-2026.toml").into()),
        _ => None,
    }
}

/// A conflict that names what is in the way.
pub fn of_problem() -> Option<&'static Value> {
    ALL.get("problem")
}

/// The content of a media type, with its example where there is one.
pub fn content(schema: &Value, example: Option<&Value>) -> Value {
    let mut content = json!({ "schema": schema });
    if let (Some(members), Some(example)) = (content.as_object_mut(), example) {
        members.insert("example".to_owned(), example.clone());
    }
    content
}

/// The shapes that have an example.
#[cfg(test)]
pub fn names() -> Vec<String> {
    let groups = ["bodies", "answers"].into_iter();
    let shapes = groups.filter_map(|group| ALL.get(group)?.as_object());
    shapes.flat_map(|shapes| shapes.keys().cloned()).collect()
}
