//! One route as an operation: who may, what goes in, what comes out, what can go wrong.

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::{parameter, tag};
use crate::domain::access::Deed;
use crate::http::routes::{NamedSchema, Route};

pub fn of(route: &Route) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".into(), route.operation.into());
    operation.insert("summary".into(), route.summary.into());
    operation.insert("tags".into(), json!([tag(route)]));
    operation.insert("parameters".into(), parameters(route));
    if let Some(body) = body(route) {
        operation.insert("requestBody".into(), body);
    }
    operation.insert("responses".into(), responses(route));
    operation.extend(rights(route.deed));
    Value::Object(operation)
}

fn rights(deed: Option<Deed>) -> Map<String, Value> {
    let Some(deed) = deed else {
        return Map::from_iter([("security".to_owned(), json!([]))]);
    };
    let mut rights = Map::from_iter([
        ("security".to_owned(), json!([{"bearer": []}])),
        ("x-deed".to_owned(), json!(deed)),
        ("x-roles".to_owned(), json!(deed.roles())),
    ]);
    if let Some(scope) = deed.scope() {
        rights.insert("x-scope".to_owned(), json!(scope));
    }
    rights
}

fn parameters(route: &Route) -> Value {
    let in_path = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| {
        json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": parameter::in_path(name),
            "schema": {"type": "integer", "minimum": 1},
        })
    });
    let headers = headers(route)
        .into_iter()
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
    let in_query = route
        .parameters
        .iter()
        .map(|name| parameter::in_query(name));
    in_path.chain(headers).chain(in_query).collect()
}

/// What somebody without an account does, once per idempotency key as well.
const VISITORS_DEEDS: [&str; 2] = ["/auth/register", "/auth/invitations/accept"];

/// The names of the header parameters that concern a route.
fn headers(route: &Route) -> Vec<&'static str> {
    let mut names = vec!["AcceptLanguage"];
    let changes = route.deed.is_some_and(|deed| !deed.is_read());
    let is_first_step = VISITORS_DEEDS.contains(&route.path);
    if route.method == Method::POST && (changes || is_first_step) {
        names.push("IdempotencyKey");
    }
    if route.needs_version {
        names.push("IfMatch");
    } else if changes && route.path.contains('{') {
        names.push("IfMatchOptional");
    }
    names
}

fn body(route: &Route) -> Option<Value> {
    let mut content = Map::new();
    if let Some(schema) = route.body {
        let media = json!({"schema": reference(schema)});
        if route.method == Method::PATCH {
            content.insert("application/merge-patch+json".into(), media.clone());
        }
        content.insert("application/json".into(), media);
    }
    for media_type in route.files {
        content.insert((*media_type).to_owned(), json!({}));
    }
    (!content.is_empty()).then(|| json!({"required": true, "content": content}))
}

fn reference(schema: NamedSchema) -> Value {
    let (name, ..) = schema();
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn responses(route: &Route) -> Value {
    let (status, shape) = route.answer;
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}});
    if let (201 | 202, Some(headers)) = (status, headers.as_object_mut()) {
        let location = json!({"description": "Where it is.", "schema": {"type": "string"}});
        headers.insert("Location".into(), location);
    }
    let mut done = json!({"description": description(status), "headers": headers});
    if let (Some(shape), Some(done)) = (shape, done.as_object_mut()) {
        let content = json!({"application/json": {"schema": reference(shape)}});
        done.insert("content".into(), content);
    }
    let problem = json!({"$ref": "#/components/responses/Problem"});
    let mut all = Map::from_iter([(status.to_string(), done)]);
    let problems = problems(route).into_iter();
    all.extend(problems.map(|status| (status.to_string(), problem.clone())));
    Value::Object(all)
}

const fn description(status: u16) -> &'static str {
    match status {
        201 => "Made.",
        202 => "Begun; the Location tells how far it is.",
        204 => "Done.",
        _ => "As asked.",
    }
}

/// The statuses of refusals that can be met here.
fn problems(route: &Route) -> Vec<u16> {
    let takes_body = route.body.is_some() || route.takes_file;
    let changes = route.method != Method::GET;
    let possible = [
        (400, takes_body || !route.parameters.is_empty()),
        (401, route.deed.is_some()),
        (403, route.deed.is_some()),
        (404, route.path.contains('{')),
        (409, changes),
        (412, route.needs_version),
        (413, takes_body),
        (415, takes_body),
        (422, takes_body || changes),
        (428, route.needs_version),
        (500, true),
        (503, true),
    ];
    possible
        .into_iter()
        .filter_map(|(status, holds)| holds.then_some(status))
        .collect()
}
