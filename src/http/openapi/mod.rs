//! The OpenAPI 3.1 document, made from the route table: what is documented is what is served. Texts stand beside it:
//! parameters in `parameter`, the tables of rights and errors in `description`.

mod description;
mod example;
mod merge_patch;
mod operation;
mod parameter;

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::route::{BASE, Route};
use super::{names, routes};

/// The whole document; `server` is how clients reach the service.
pub fn document(server: &str) -> Value {
    let routes = routes::all();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Yiqi",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Shared research instruments, from registration to the post-subsidy",
            "description": description::whole(),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": server}],
        "tags": tags(routes),
        "paths": paths(routes),
        "components": {
            "schemas": schemas(routes),
            "parameters": parameter::components(),
            "headers": {
                "RequestId": header("The id of the request, as sent or made here; it stands in the log."),
                "Location": header("Where it is."),
                "ETag": header("The version, to be sent back as `If-Match`: `\"v3\"`."),
                "IdempotencyReplayed": header("`true` when the stored answer of an earlier request is given again."),
                "RateLimitPolicy": header("The limit that is nearest: `\"reads\";q=1200;w=60`, so many in so many seconds. Absent where limits are off."),
                "RateLimit": header("What is left of it: `\"reads\";r=1199;t=60`, so many for so many seconds."),
                "RetryAfter": header("Seconds after which to ask again."),
            },
            "responses": {
                "Problem": problem(
                    "Something is wrong; `code` says what.",
                    json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}),
                ),
                "ProblemForNow": problem(
                    "It can be asked again later.",
                    json!({
                        "X-Request-Id": {"$ref": "#/components/headers/RequestId"},
                        "Retry-After": {"$ref": "#/components/headers/RetryAfter"},
                        "RateLimit-Policy": {"$ref": "#/components/headers/RateLimitPolicy"},
                        "RateLimit": {"$ref": "#/components/headers/RateLimit"},
                    }),
                ),
            },
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token from `/auth/login`.",
                },
                "api_key": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "yq_…",
                    "description": "An organization's API key from `/api-keys`, which needs the scope that stands at the operation.",
                },
            },
        },
    })
}

fn header(about: &str) -> Value {
    json!({"description": about, "schema": {"type": "string"}})
}

fn problem(about: &str, headers: Value) -> Value {
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    json!({
        "description": about,
        "headers": headers,
        "content": {"application/problem+json": example::content(&schema, example::of_problem())},
    })
}

fn paths(routes: &[Route]) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for route in routes {
        let item = paths.entry(format!("{BASE}{}", route.path)).or_default();
        let method = route.method.as_str().to_lowercase();
        item.insert(method, operation::of(route));
    }
    for (path, operation, summary) in [
        ("/health/live", "health_live", "Whether the process answers"),
        (
            "/health/ready",
            "health_ready",
            "Whether the database answers with this program's schema",
        ),
    ] {
        let get = json!({
            "operationId": operation,
            "summary": summary,
            "tags": ["health"],
            "responses": {
                "200": {
                    "description": "It does.",
                    "content": {"application/json": {"schema": {
                        "type": "object",
                        "required": ["status"],
                        "properties": {"status": {"type": "string"}},
                    }}},
                },
                "503": {"$ref": "#/components/responses/ProblemForNow"},
            },
        });
        paths.insert(path.to_owned(), Map::from_iter([("get".to_owned(), get)]));
    }
    json!(paths)
}

/// The first part of the path, in the order of the table.
fn tag(route: &Route) -> &str {
    route
        .path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default()
}

fn tags(routes: &[Route]) -> Value {
    let mut names: Vec<&str> = Vec::new();
    for route in routes {
        if !names.contains(&tag(route)) {
            names.push(tag(route));
        }
    }
    names.push("health");
    names.iter().map(|name| json!({"name": name})).collect()
}

/// Every shape that goes in or comes out, with those it is made of.
fn schemas(routes: &[Route]) -> Value {
    let problem = ("Problem".to_owned(), description::problem());
    let mut all: BTreeMap<String, Value> = BTreeMap::from([problem]);
    let (mut taken, mut answered) = (BTreeSet::new(), BTreeSet::new());
    for route in routes {
        for (schema, known) in [(route.body, &mut taken), (route.answer.1, &mut answered)] {
            let Some((name, whole, parts)) = schema.map(|schema| schema()) else {
                continue;
            };
            for (name, shape) in std::iter::once((name, whole)).chain(parts) {
                known.insert(name.clone());
                all.insert(name, json!(shape));
            }
        }
    }
    for name in answered.difference(&taken) {
        all.get_mut(name).into_iter().for_each(add_names);
    }
    merge_patch::spell_out_parts(&mut all);
    let changes = routes.iter().filter(|route| route.method == Method::PATCH);
    let changes = changes.filter_map(|route| {
        let schema = merge_patch::schema(route, &all)?;
        Some((merge_patch::name(route.body?), schema))
    });
    let changes: Vec<(String, Value)> = changes.collect();
    all.extend(changes);
    json!(all)
}

/// Beside each id of an organization, an instrument or a person the name.
fn add_names(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(add_names);
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                let fields: Vec<String> = properties.keys().cloned().collect();
                for field in fields {
                    let is_id = properties.get(&field).is_some_and(is_named_id);
                    let known = names::named(&field).filter(|_| is_id);
                    if let Some((_, name)) = known {
                        let text = text_beside(&field);
                        properties.entry(name).or_insert(text);
                    }
                }
                if properties.contains_key("booked_by") {
                    let about = "The telephone number of who booked; for the two sides.";
                    properties.insert(
                        "booked_by_phone".into(),
                        json!({"type": ["string", "null"], "description": about}),
                    );
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(add_names),
        _ => {}
    }
}

/// It refers to an id of an organization, an instrument or a person.
fn is_named_id(property: &Value) -> bool {
    let text = property.to_string();
    let ids = ["OrganizationId", "InstrumentId", "UserId"];
    ids.iter().any(|id| text.contains(&format!("/{id}\"")))
}

fn text_beside(field: &str) -> Value {
    let about = format!("What people call `{field}`.");
    match field.ends_with("_ids") {
        true => {
            json!({"type": ["array", "null"], "items": {"type": ["string", "null"]}, "description": about})
        }
        false => json!({"type": ["string", "null"], "description": about}),
    }
}

#[cfg(test)]
mod tests;
