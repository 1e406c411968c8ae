//! The schema of a change: what a PATCH takes is the body of the noun with nothing required. What its answer has besides may be
//! sent back as it was read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::http::route::{NamedSchema, Route};

/// Named after the body: `InstrumentBody` is changed by an `InstrumentPatch`.
pub fn name(body: NamedSchema) -> String {
    let (name, ..) = body();
    let noun = name.strip_suffix("Body").or(name.strip_suffix("Change"));
    format!("{}Patch", noun.unwrap_or(&name))
}

/// The schema, if the route is a change.
pub fn schema(route: &Route, all: &BTreeMap<String, Value>) -> Option<Value> {
    let ((body, ..), answer) = (route.body?(), route.answer.1.map(|answer| answer()));
    let mut properties = Map::new();
    if let Some((answer, ..)) = answer {
        collect(all.get(&answer)?, all, &mut properties);
        for property in properties.values_mut() {
            *property = json!({"readOnly": true, "description": "As it was read."});
        }
    }
    let mut own = Map::new();
    collect(all.get(&body)?, all, &mut own);
    for property in own.values_mut() {
        loosen(property, all);
    }
    properties.extend(own);
    Some(json!({
        "type": "object",
        "description": "A merge patch (RFC 7396): what is left out stays, null clears. What was read may be sent back whole; \
            read-only members must be what they are.",
        "properties": properties,
        "additionalProperties": false,
    }))
}

/// An object within is changed in the same way, member by member.
fn loosen(property: &mut Value, all: &BTreeMap<String, Value>) {
    let choices = property.get("oneOf").and_then(Value::as_array);
    let alone = std::slice::from_ref(&*property);
    let named = choices.map_or(alone, Vec::as_slice).iter().find_map(|one| {
        let name = one.get("$ref")?.as_str()?.rsplit('/').next()?;
        all.get(name)
            .filter(|shape| shape.get("properties").is_some())
    });
    let Some(Value::Object(mut shape)) = named.cloned() else {
        return;
    };
    shape.remove("required");
    shape.insert("type".to_owned(), json!(["object", "null"]));
    *property = Value::Object(shape);
}

/// The properties of a shape and of the shapes it is made of.
fn collect(schema: &Value, all: &BTreeMap<String, Value>, into: &mut Map<String, Value>) {
    let own = schema.get("properties").and_then(Value::as_object);
    for (name, property) in own.into_iter().flatten() {
        into.insert(name.clone(), property.clone());
    }
    let parts = schema.get("allOf").and_then(Value::as_array);
    for part in parts.into_iter().flatten() {
        let named = part.get("$ref").and_then(Value::as_str);
        let named = named.and_then(|it| all.get(it.rsplit('/').next()?));
        collect(named.unwrap_or(part), all, into);
    }
}

/// Shapes that are parts of others are spelt out there: as a part none is closed, and one that may be absent requires nothing.
pub fn spell_out_parts(all: &mut BTreeMap<String, Value>) {
    let known = all.clone();
    all.values_mut().for_each(|shape| spell_out(shape, &known));
}

fn spell_out(shape: &mut Value, known: &BTreeMap<String, Value>) {
    let parts = shape.get_mut("allOf").and_then(Value::as_array_mut);
    for part in parts.into_iter().flatten() {
        if let Some(spelt) = spelt_out(part, known) {
            *part = spelt;
        }
        spell_out(part, known);
    }
    if let Some(parts) = shape.get_mut("allOf").and_then(Value::as_array_mut) {
        *parts = std::mem::take(parts).into_iter().flat_map(level).collect();
    }
}

/// The parts of a part that is made of parts alone: many readers of the document look no deeper than one level.
fn level(mut part: Value) -> Vec<Value> {
    let says_more = |members: &Map<String, Value>| {
        let mut names = members.keys();
        names.any(|name| !["allOf", "description"].contains(&name.as_str()))
    };
    if part.as_object().is_none_or(says_more) {
        return vec![part];
    }
    match part.get_mut("allOf").map(Value::take) {
        Some(Value::Array(parts)) => parts,
        _ => vec![part],
    }
}

fn spelt_out(part: &Value, known: &BTreeMap<String, Value>) -> Option<Value> {
    let choices = part.get("oneOf").and_then(Value::as_array);
    let named = |value: &Value| {
        let name = value.get("$ref")?.as_str()?.rsplit('/').next()?;
        known.get(name).cloned()
    };
    let mut shape = match choices {
        Some(choices) => choices.iter().find_map(named)?,
        None => named(part)?,
    };
    let members = shape.as_object_mut()?;
    members.remove("additionalProperties");
    if choices.is_some() {
        members.remove("required");
    }
    Some(shape)
}
