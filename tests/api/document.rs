//! Every answer of every test is held against the API document: a status it does not know, a media type it does not name, a
//! member of another type or one it does not have, and a body that is accepted though the document forbids it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::{Map, Value, json};

/// What clients go on with: an answer has them where the document says so, and nowhere else.
pub const HEADERS: [&str; 2] = ["ETag", "Location"];

const PLACE: &str = "http://document/";

/// What was asked and answered.
pub struct Exchange<'a> {
    pub method: &'a str,
    /// Without the server.
    pub path: &'a str,
    pub sent: Option<(&'a str, &'a [u8])>,
    pub status: u16,
    pub media_type: &'a str,
    /// Those of [`HEADERS`] that the answer has.
    pub headers: Vec<&'static str>,
    pub body: &'a Value,
}

struct Operation {
    method: String,
    path: Vec<String>,
    /// By media type.
    takes: BTreeMap<String, Option<SchemaIndex>>,
    /// By status and media type; a status without content has one that is empty.
    answers: BTreeMap<(u16, String), Option<SchemaIndex>>,
    headers: BTreeMap<u16, Vec<&'static str>>,
}

struct Document {
    operations: Vec<Operation>,
    schemas: Schemas,
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let document = strict(yiqi::http::openapi::document("http://localhost"));
    Document::read(&document)
});

/// What of an exchange the document does not say; nothing of a path or a method that it does not have.
pub fn mistake(exchange: &Exchange) -> Option<String> {
    DOCUMENT.mistake(exchange)
}

impl Document {
    fn read(document: &Value) -> Document {
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        compiler.add_resource(PLACE, document.clone()).unwrap();
        let mut schemas = Schemas::new();
        let mut contents = |content: Option<&Value>, at: &str| {
            let all = content.and_then(Value::as_object).into_iter().flatten();
            let each = all.map(|(media_type, content)| {
                let schema = content.get("schema").map(|_| {
                    let pointer = format!("{at}/content/{}/schema", escaped(media_type));
                    let pointer = pointer.replace('{', "%7B").replace('}', "%7D");
                    let place = format!("{PLACE}#{pointer}");
                    compiler.compile(&place, &mut schemas).unwrap()
                });
                (media_type.clone(), schema)
            });
            each.collect::<BTreeMap<_, _>>()
        };
        let mut operations = Vec::new();
        for (path, item) in members(&document["paths"]) {
            for (method, operation) in members(item) {
                let at = format!("/paths/{}/{method}", escaped(path));
                let body = &operation["requestBody"];
                let takes = contents(body.get("content"), &format!("{at}/requestBody"));
                let (mut answers, mut headers) = (BTreeMap::new(), BTreeMap::new());
                for (status, answer) in members(&operation["responses"]) {
                    let place = match answer["$ref"].as_str() {
                        Some(reference) => reference.trim_start_matches('#').to_owned(),
                        None => format!("{at}/responses/{status}"),
                    };
                    let status: u16 = status.parse().unwrap();
                    let answer = document.pointer(&place).unwrap();
                    let content = contents(answer.get("content"), &place);
                    let told = HEADERS
                        .into_iter()
                        .filter(|name| answer["headers"].get(name).is_some());
                    headers.insert(status, told.collect());
                    if content.is_empty() {
                        answers.insert((status, String::new()), None);
                    }
                    let each = content.into_iter();
                    answers.extend(each.map(|(media_type, schema)| ((status, media_type), schema)));
                }
                operations.push(Operation {
                    method: method.to_uppercase(),
                    path: path.split('/').map(str::to_owned).collect(),
                    takes,
                    answers,
                    headers,
                });
            }
        }
        Document {
            operations,
            schemas,
        }
    }

    fn mistake(&self, exchange: &Exchange) -> Option<String> {
        let is_head = exchange.method == "HEAD";
        let method = if is_head { "GET" } else { exchange.method };
        let path = exchange.path.split('?').next().unwrap_or_default();
        let operation = self.operation(method, path)?;
        if exchange.status == 405 {
            return None;
        }
        let media_type = match exchange.status {
            304 => "",
            _ => essence(exchange.media_type),
        };
        let key = (exchange.status, media_type.to_owned());
        let Some(schema) = operation.answers.get(&key) else {
            return Some(format!("no answer {} {media_type}", exchange.status));
        };
        let schema = schema.filter(|_| !is_head && media_type.ends_with("json"));
        let told = schema.and_then(|schema| {
            let error = self.schemas.validate(exchange.body, schema).err()?;
            Some(format!("answer {}: {error:#}", exchange.status))
        });
        if told.is_some() {
            return told;
        }
        let headers = &operation.headers[&exchange.status];
        let is_dry = exchange.path.contains("dry_run=true");
        if exchange.status < 300 && !is_dry && *headers != exchange.headers {
            return Some(format!("headers {:?}, not {headers:?}", exchange.headers));
        }
        self.mistake_of_body(operation, exchange)
    }

    /// What was accepted must be what the document says of the body. A check tells itself what is wrong.
    fn mistake_of_body(&self, operation: &Operation, exchange: &Exchange) -> Option<String> {
        let (media_type, bytes) = exchange.sent?;
        let is_done =
            (200..300).contains(&exchange.status) && exchange.body.get("errors").is_none();
        let has_body = !matches!(exchange.method, "GET" | "HEAD" | "DELETE") && !bytes.is_empty();
        if !(is_done && has_body) {
            return None;
        }
        let media_type = essence(media_type);
        let Some(schema) = operation.takes.get(media_type) else {
            return Some(format!("accepted a body of type {media_type}"));
        };
        let schema = (*schema)?;
        let body = serde_json::from_slice(bytes).ok()?;
        let error = self.schemas.validate(&body, schema).err()?;
        Some(format!("accepted a body: {error:#}"))
    }

    /// The operation of a path, which another method may not have. A path without variables wins over one with.
    fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |operation: &&Operation| {
            let is_variable = |part: &str| part.starts_with('{');
            let mut pairs = operation.path.iter().zip(&parts);
            operation.method == method
                && operation.path.len() == parts.len()
                && pairs.all(|(known, part)| is_variable(known) || known == part)
        };
        let variables = |operation: &&Operation| {
            let of = operation.path.iter();
            of.filter(|part| part.starts_with('{')).count()
        };
        self.operations.iter().filter(fits).min_by_key(variables)
    }
}

/// The document with every object closed: a member that it does not name is a mistake. Parts of an `allOf` stay open, and
/// the whole of them is closed.
fn strict(mut document: Value) -> Value {
    // Others may add members to a problem; here none is told that the document does not name.
    let problem = document.pointer_mut("/components/schemas/Problem");
    let problem = problem.and_then(Value::as_object_mut);
    problem.and_then(|it| it.remove("additionalProperties"));
    let mut parts = Vec::new();
    names_of_parts(&document, &mut parts);
    let (schemas, paths) = ("/components/schemas", "/paths");
    for (name, schema) in document
        .pointer_mut(schemas)
        .unwrap()
        .as_object_mut()
        .unwrap()
    {
        close(schema, parts.contains(name));
    }
    close(document.pointer_mut(paths).unwrap(), false);
    document
}

const CHOICES: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The shapes that somewhere are a part of another.
fn names_of_parts(value: &Value, names: &mut Vec<String>) {
    let parts = value.get("allOf").and_then(Value::as_array);
    parts
        .into_iter()
        .flatten()
        .for_each(|part| names_of_part(part, names));
    match value {
        Value::Object(all) => all.values().for_each(|one| names_of_parts(one, names)),
        Value::Array(all) => all.iter().for_each(|one| names_of_parts(one, names)),
        _ => {}
    }
}

fn names_of_part(part: &Value, names: &mut Vec<String>) {
    let name = part["$ref"].as_str().and_then(|it| it.rsplit_once('/'));
    names.extend(name.map(|(_, name)| name.to_owned()));
    let choices = CHOICES.iter().filter_map(|choice| part[*choice].as_array());
    choices
        .flatten()
        .for_each(|part| names_of_part(part, names));
}

fn close(value: &mut Value, is_part: bool) {
    if let Value::Array(all) = value {
        all.iter_mut().for_each(|one| close(one, false));
    }
    let Value::Object(all) = value else { return };
    for (name, one) in all.iter_mut() {
        match one {
            Value::Array(parts) if name == "allOf" || (is_part && CHOICES.contains(&&**name)) => {
                parts.iter_mut().for_each(|part| close(part, true));
            }
            _ => close(one, false),
        }
    }
    let is_object = all.get("properties").is_some_and(Value::is_object);
    let is_whole = is_object || all.contains_key("allOf");
    if is_whole && !is_part && !all.contains_key("additionalProperties") {
        all.insert("unevaluatedProperties".to_owned(), json!(false));
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// A name within a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a media type has an example, and its schema.
    fn examples(value: &Value, at: &str, found: &mut Vec<String>) {
        if value.get("example").is_some() && value.get("schema").is_some() {
            found.push(at.to_owned());
        }
        for (name, member) in members(value) {
            examples(member, &format!("{at}/{}", escaped(name)), found);
        }
    }

    #[test]
    fn every_example_is_what_its_schema_says() {
        let document = strict(yiqi::http::openapi::document("http://localhost"));
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        compiler.add_resource(PLACE, document.clone()).unwrap();
        let (mut schemas, mut found) = (Schemas::new(), Vec::new());
        examples(&document, "", &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for place in found {
            let schema = format!("{PLACE}#{place}/schema");
            let schema = schema.replace('{', "%7B").replace('}', "%7D");
            let schema = compiler.compile(&schema, &mut schemas).unwrap();
            let example = document.pointer(&format!("{place}/example")).unwrap();
            if let Err(error) = schemas.validate(example, schema) {
                panic!("{place}: {error:#}");
            }
        }
    }

    #[test]
    fn every_body_and_every_problem_has_an_example() {
        let document = yiqi::http::openapi::document("http://localhost");
        let has_example = |content: &Value| {
            let mut all = members(content);
            all.any(|(_, media)| media.get("example").is_some())
        };
        for (path, item) in members(&document["paths"]) {
            for (method, operation) in members(item) {
                let body = &operation["requestBody"];
                let is_told = body.is_null() || has_example(&body["content"]);
                assert!(is_told, "{method} {path}");
            }
        }
        for (name, problem) in members(&document["components"]["responses"]) {
            assert!(has_example(&problem["content"]), "{name}");
        }
    }

    fn document() -> Document {
        let inner = json!({"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]});
        Document::read(&strict(json!({
            "paths": {"/things/{id}": {"put": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": {
                        "allOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "object", "properties": {"name": {"type": "string"}}}],
                    }}}},
                    "204": {"headers": {"ETag": {}}},
                    "404": {"$ref": "#/components/responses/Problem"},
                },
            }}},
            "components": {
                "schemas": {"Inner": inner, "Thing": {"type": "object", "properties": {"on": {"type": "string", "format": "date"}}}},
                "responses": {"Problem": {"content": {"application/problem+json": {}}}},
            },
        })))
    }

    #[test]
    fn what_the_document_does_not_say_is_a_mistake() {
        let document = document();
        let exchange = |status, media_type, sent: &str, body: Value, tagged| {
            document.mistake(&Exchange {
                method: "PUT",
                path: "/things/7?x=1",
                sent: Some(("application/json", sent.as_bytes())),
                status,
                media_type,
                headers: if tagged { vec!["ETag"] } else { Vec::new() },
                body: &body,
            })
        };
        let told = |status, media_type, sent: &str, body| {
            exchange(status, media_type, sent, body, status == 204)
        };
        let (json_type, problem) = (
            "application/json; charset=utf-8",
            "application/problem+json",
        );
        let good = [
            told(200, json_type, "{}", json!({"id": 1, "name": "a"})),
            told(200, json_type, r#"{"on": "2026-01-31"}"#, json!({"id": 1})),
            told(204, "", "{}", Value::Null),
            told(404, problem, r#"{"on": 1}"#, json!({"any": "thing"})),
        ];
        assert_eq!(good, [None, None, None, None]);
        let bad = [
            told(200, json_type, "{}", json!({"id": "1"})),
            told(200, json_type, "{}", json!({})),
            told(200, json_type, "{}", json!({"id": 1, "other": 1})),
            told(200, "text/csv", "{}", Value::Null),
            told(201, json_type, "{}", json!({"id": 1})),
            told(204, json_type, "{}", json!({"id": 1})),
            told(404, json_type, "{}", Value::Null),
            told(200, json_type, r#"{"on": "2026-02-31"}"#, json!({"id": 1})),
            told(200, json_type, r#"{"of": "2026-01-31"}"#, json!({"id": 1})),
        ];
        for (number, mistake) in bad.iter().enumerate() {
            assert!(mistake.is_some(), "{number}");
        }
        assert!(exchange(204, "", "{}", Value::Null, false).is_some());
        assert!(exchange(200, json_type, "{}", json!({"id": 1}), true).is_some());
    }
}
