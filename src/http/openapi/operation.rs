//! One route as an operation: who may, what goes in, what comes out, what can go wrong.

use std::collections::BTreeMap;

use actix_web::http::Method;
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};

use super::{example, merge_patch, parameter, tag};
use crate::domain::access::Action;
use crate::http::route::{NamedSchema, Route};

pub fn of(route: &Route) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".into(), route.action.as_str().into());
    operation.insert("summary".into(), route.summary.into());
    operation.insert("tags".into(), json!([tag(route)]));
    operation.insert("parameters".into(), parameters(route));
    if let Some(body) = body(route) {
        operation.insert("requestBody".into(), body);
    }
    operation.insert("responses".into(), responses(route));
    operation.extend(rights(route));
    Value::Object(operation)
}

/// Who may. Where no action is needed, signing in may still show more; an empty requirement means that it is optional.
fn rights(route: &Route) -> Map<String, Value> {
    let action = route.action;
    let mut rights = Map::from_iter([("security".to_owned(), security(route))]);
    if action.is_open_to_visitors() {
        return rights;
    }
    let also = route.other_action.map_or(&[][..], Action::roles);
    let roles = action.roles().iter().chain(also);
    rights.insert("x-roles".to_owned(), json!(roles.collect::<Vec<_>>()));
    if let Some(scope) = action.scope() {
        rights.insert("x-scope".to_owned(), json!(scope));
    }
    rights
}

/// Nobody in particular, somebody signed in, or a key with the scope that stands beside it.
fn security(route: &Route) -> Value {
    if route.ignores_caller {
        return json!([]);
    }
    let action = route.action;
    let nobody = action.is_open_to_visitors().then(|| json!({}));
    let by_key = action.scope().map(|scope| json!({"api_key": [scope]}));
    let each = nobody.into_iter().chain([json!({"bearer": []})]);
    each.chain(by_key).collect()
}

/// What a variable of the path looks like: an id, a year, or a secret.
fn schema_in_path(name: &str) -> Value {
    match name {
        "token" => json!({"type": "string"}),
        _ => json!({"type": "integer", "minimum": 1}),
    }
}

fn parameters(route: &Route) -> Value {
    let in_path = route
        .path
        .split('/')
        .filter_map(|part| Some(part.strip_prefix('{')?.split_once('}')?.0));
    let in_path = in_path.map(|name| {
        json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": parameter::in_path(name),
            "schema": schema_in_path(name),
        })
    });
    let headers = headers(route)
        .into_iter()
        .map(|name| json!({"$ref": format!("#/components/parameters/{name}")}));
    let in_query = route
        .parameters
        .iter()
        .map(|name| parameter::in_query(route, name));
    in_path.chain(headers).chain(in_query).collect()
}

/// The names of the header parameters that concern a route.
fn headers(route: &Route) -> Vec<&'static str> {
    let mut names = vec!["AcceptLanguage"];
    let changes = !route.action.is_open_to_visitors() && !route.action.is_read();
    if route.method == Method::POST && (changes || route.is_once_for_visitors) {
        names.push("IdempotencyKey");
    }
    if route.method == Method::GET && answers_version(route) {
        names.push("IfNoneMatch");
    }
    if route.needs_version {
        names.push("IfMatch");
    } else if honors_version(route) {
        names.push("IfMatchOptional");
    }
    names
}

/// `If-Match` is compared where it is sent: actions on one thing that has a version.
fn honors_version(route: &Route) -> bool {
    let changes = !route.action.is_open_to_visitors() && !route.action.is_read();
    changes && route.path.contains('{') && !route.needs_version && !route.ignores_version
}

fn body(route: &Route) -> Option<Value> {
    let mut content = Map::new();
    if let Some(schema) = route.body {
        let is_change = route.method == Method::PATCH;
        let name = match is_change {
            true => merge_patch::name(schema),
            false => schema().0,
        };
        let media = example::content(&reference_to(&name), example::of_body(&name));
        if is_change {
            content.insert("application/merge-patch+json".into(), media.clone());
        }
        content.insert("application/json".into(), media);
    }
    for media_type in route.files {
        let example = example::of_file(route.action.as_str(), media_type);
        let media = example::content(&file_schema(), example.as_ref());
        content.insert((*media_type).to_owned(), media);
    }
    let required = !may_be_empty(route);
    (!content.is_empty()).then(|| json!({"required": required, "content": content}))
}

/// Bytes, of which a media type says all.
fn file_schema() -> Value {
    json!({"type": "string", "format": "binary"})
}

/// An action about which nothing must be said is done without a body too.
fn may_be_empty(route: &Route) -> bool {
    let needs_nothing = |schema: NamedSchema| json!(schema().1).get("required").is_none();
    let may = route.method == Method::POST && !route.needs_body;
    may && route.body.is_some_and(needs_nothing)
}

fn reference(schema: NamedSchema) -> Value {
    let (name, ..) = schema();
    reference_to(&name)
}

fn reference_to(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn responses(route: &Route) -> Value {
    let (status, _) = route.answer;
    let mut done = Map::new();
    done.insert("description".into(), description(status).into());
    done.insert("headers".into(), answer_headers(route));
    if let Some(content) = answer_content(route) {
        done.insert("content".into(), content);
    }
    let problem = |status: u16| {
        let name = match status {
            429 | 503 => "ProblemForNow",
            _ => "Problem",
        };
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        (status.to_string(), reference)
    };
    let mut all = Map::from_iter([(status.to_string(), Value::Object(done))]);
    if route.method == Method::GET && answers_version(route) {
        let same = json!({"description": "It is the version of `If-None-Match`."});
        all.insert("304".to_owned(), same);
    }
    if let Some(schema) = route.dry_answer {
        let content = json!({"application/json": {"schema": reference(schema)}});
        let told = json!({"description": "What would happen.", "content": content});
        all.insert("200".to_owned(), told);
    }
    all.extend(problems(route).into_iter().map(problem));
    Value::Object(all)
}

fn answer_headers(route: &Route) -> Value {
    let (status, _) = route.answer;
    let mut names = vec![
        ("X-Request-Id", "RequestId"),
        ("RateLimit-Policy", "RateLimitPolicy"),
        ("RateLimit", "RateLimit"),
    ];
    if matches!(status, 201 | 202) && !route.makes_several {
        names.push(("Location", "Location"));
    }
    if answers_version(route) {
        names.push(("ETag", "ETag"));
    }
    if headers(route).contains(&"IdempotencyKey") {
        names.push(("Idempotency-Replayed", "IdempotencyReplayed"));
    }
    let named = names.into_iter().map(|(header, name)| {
        let reference = json!({"$ref": format!("#/components/headers/{name}")});
        (header.to_owned(), reference)
    });
    Value::Object(named.collect())
}

fn answers_version(route: &Route) -> bool {
    let (Some(shape), None) = (route.answer.1, route.has_etag) else {
        return route.has_etag.unwrap_or(false);
    };
    let (_, schema, referred) = shape();
    let referred: BTreeMap<_, _> = referred.into_iter().collect();
    has_version(&json!(schema), &referred)
}

/// Whether a shape or a part of it has a version.
fn has_version(schema: &Value, referred: &BTreeMap<String, RefOr<Schema>>) -> bool {
    let named = schema.get("$ref").and_then(Value::as_str);
    if let Some(shape) = named.and_then(|it| referred.get(it.rsplit('/').next()?)) {
        return has_version(&json!(shape), referred);
    }
    let mut parts = schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    schema.pointer("/properties/version").is_some() || parts.any(|part| has_version(part, referred))
}

const CSV: &str = "text/csv";
const PDF: &str = "application/pdf";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// JSON of a shape, or a file in the format that is asked for; a reading without either answers a workbook to fill in.
fn answer_content(route: &Route) -> Option<Value> {
    let mut content = Map::new();
    if let (_, Some(shape)) = route.answer {
        let (name, ..) = shape();
        let json = example::content(&reference_to(&name), example::of_answer(&name));
        content.insert("application/json".to_owned(), json);
    }
    if route.method == Method::GET {
        for format in file_types(route) {
            content.insert(format.to_owned(), json!({ "schema": file_schema() }));
        }
    }
    (!content.is_empty()).then_some(Value::Object(content))
}

/// The types of the words of `format`, but for JSON, which has a shape.
fn file_types(route: &Route) -> Vec<&'static str> {
    if let Some(file) = route.answer_file {
        return vec![file];
    }
    let mut words = route.words.iter();
    let Some((_, schema)) = words.find(|(parameter, _)| *parameter == "format") else {
        return match route.answer.1 {
            Some(_) => Vec::new(),
            None => vec![XLSX],
        };
    };
    let formats = json!(schema());
    let formats = formats.get("enum").and_then(Value::as_array);
    let formats = formats.into_iter().flatten();
    let types = formats.filter_map(|word| match word.as_str()? {
        "csv" => Some(CSV),
        "pdf" => Some(PDF),
        "xlsx" => Some(XLSX),
        _ => None,
    });
    types.collect()
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
    let has_values = !route.parameters.is_empty() || route.path.contains("{year}");
    let proves = |status: u16| route.proof_statuses.contains(&status);
    // A token that is sent along must be a good one, of somebody who is not suspended.
    let is_identified = !route.ignores_caller;
    let possible = [
        (400, true),
        (401, is_identified || proves(401)),
        (403, is_identified || proves(403)),
        (404, route.path.contains('{')),
        (408, takes_body),
        (409, changes || proves(409)),
        (412, route.needs_version || honors_version(route)),
        (413, takes_body),
        (414, true),
        (415, takes_body),
        (422, takes_body || changes || has_values),
        (428, route.needs_version),
        (429, true),
        (431, true),
        (500, true),
        (503, true),
    ];
    possible
        .into_iter()
        .filter_map(|(status, holds)| holds.then_some(status))
        .collect()
}
