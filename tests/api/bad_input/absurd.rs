//! Absurd values of every field of every body: everything else is as it should be, so the refusal names that field.

use std::collections::BTreeMap;
use yiqi::domain::objection::ObjectionState;
use yiqi::domain::public_notice::NoticeState;
use yiqi::domain::run::RunKind;
use yiqi::store::{Json, objection, public_notice};

use serde_json::{Map, Value, json};
use yiqi::http::openapi;

use super::*;

/// What is proved by a secret answers that it is wrong, whatever else is, and signing out of nothing is done at once.
const SECRETS: [&str; 5] = [
    "session_open",
    "session_close",
    "session_refresh",
    "invitation_accept",
    "password_change",
];

/// Telling what is wrong is what this route is for.
const CHECK: &str = "booking_check";

/// The schemas of the API document.
struct Schemas(Value);

impl Schemas {
    /// The JSON body of an operation.
    fn body(&self, operation: &str) -> Value {
        let paths = self.0["paths"].as_object().unwrap();
        let mut operations = paths
            .values()
            .flat_map(|path| path.as_object().unwrap().values());
        let found = operations
            .find(|one| one["operationId"] == operation)
            .unwrap();
        let contents = found["requestBody"]["content"].as_object().unwrap();
        self.resolved(&contents.values().next().unwrap()["schema"])
    }

    /// The schema behind a reference or a choice between it and null.
    fn resolved(&self, schema: &Value) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            return self.resolved(&self.0["components"]["schemas"][name]);
        }
        let choices = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
        let choice = choices.and_then(|all| all.iter().find(|one| one["type"] != "null"));
        choice.map_or_else(|| schema.clone(), |one| self.resolved(one))
    }

    /// The members of an object that must be there, each with a value of its kind.
    fn required(&self, schema: &Value, known: &BTreeMap<&str, Value>) -> Map<String, Value> {
        let names = schema["required"].as_array().cloned().unwrap_or_default();
        let member = |name: Value| {
            let name = name.as_str().unwrap().to_owned();
            let value = match known.get(name.as_str()) {
                Some(value) => value.clone(),
                None => self.plain(&schema["properties"][&name], known),
            };
            (name, value)
        };
        names.into_iter().map(member).collect()
    }

    fn plain(&self, schema: &Value, known: &BTreeMap<&str, Value>) -> Value {
        let schema = self.resolved(schema);
        match kind(&schema) {
            Kind::Integer | Kind::Number => json!(1),
            Kind::Boolean => json!(false),
            Kind::Word => schema["enum"][0].clone(),
            Kind::Date => json!("2026-03-01"),
            Kind::Instant => json!("2026-03-09T10:00:00+08:00"),
            Kind::Text => json!("x"),
            Kind::List => json!([]),
            Kind::Object => Value::Object(self.required(&schema, known)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Number,
    Boolean,
    Word,
    Date,
    Instant,
    Text,
    List,
    Object,
}

fn kind(schema: &Value) -> Kind {
    let is = |name: &str| match &schema["type"] {
        Value::Array(types) => types.iter().any(|one| one == name),
        one => one == name,
    };
    match schema["format"].as_str() {
        _ if schema["enum"].is_array() => Kind::Word,
        _ if is("integer") => Kind::Integer,
        _ if is("number") => Kind::Number,
        _ if is("boolean") => Kind::Boolean,
        _ if is("array") => Kind::List,
        Some("date") => Kind::Date,
        Some("date-time") => Kind::Instant,
        _ if is("string") => Kind::Text,
        _ => Kind::Object,
    }
}

/// Values that no field of the kind can have.
fn absurd(kind: Kind) -> Vec<Value> {
    let long = "x".repeat(20_000);
    match kind {
        Kind::Integer => vec![
            json!(1e300),
            json!(-1),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(1.5),
            json!(true),
            json!("x"),
            json!([]),
        ],
        Kind::Number => vec![
            json!(1e300),
            json!(-1e300),
            json!(true),
            json!("x"),
            json!([]),
        ],
        Kind::Boolean => vec![json!(1), json!("x"), json!([])],
        Kind::Word => vec![json!("no_such_word"), json!(1), json!([]), json!({})],
        Kind::Date => vec![
            json!("0000-00-00"),
            json!("2026-02-30"),
            json!("+12345-01-01"),
            json!("1492-10-12"),
            json!("2026-03-09T10:00:00+08:00"),
            json!(20260309),
            json!({}),
        ],
        Kind::Instant => vec![
            json!("9999-12-31T23:59:59+99:99"),
            json!("2026-03-09T10:00:00"),
            json!("0001-01-01T00:00:00Z"),
            json!("2026-03-09"),
            json!(1772964000),
            json!([]),
        ],
        Kind::Text => vec![
            json!("\u{0}"),
            json!(long),
            json!(1),
            json!(true),
            json!([]),
            json!({}),
        ],
        Kind::List => vec![json!(1), json!("x"), json!({}), json!([[]]), json!([1e300])],
        Kind::Object => vec![json!(1), json!("x"), json!([]), json!(true)],
    }
}

/// Who gets as far as the body.
fn reader<'a>(stage: &'a Stage<'_>, route: &Route, path: &str) -> &'a Client {
    let reads = |caller: &&Client| {
        let request = caller.request(method(route), path).header("if-match", "*");
        request.bytes("application/json", "{").send().status == 400
    };
    let found = stage.callers.iter().find(reads);
    found.unwrap_or_else(|| panic!("nobody's body is read by {route:?}"))
}

fn names(answer: &Answer, field: &str) -> bool {
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().any(|error| {
        let named = error["field"].as_str().unwrap_or_default();
        named
            .strip_prefix(field)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

/// A notice of the evaluation, open to objections, and one of them.
fn objected(app: &TestApp, stage: &Stage<'_>) -> [i64; 2] {
    let (now, boss) = (app.now(), app.user_id(BOSS));
    let (_, evaluation) = *stage
        .ids
        .iter()
        .find(|(noun, _)| *noun == "evaluations")
        .unwrap();
    let notice = public_notice::NewNotice {
        kind: RunKind::Evaluation,
        subject_id: evaluation,
        year: 2025,
        title: "公示".to_owned(),
        document_no: "2025-evaluation-1".to_owned(),
        notice_from_on: now.local_date(),
        notice_until_on: now.local_date(),
        remark: None,
        content: Json::of(public_notice::Content {
            format: 1,
            units: Vec::new(),
            pools: Vec::new(),
        })
        .unwrap(),
        state: NoticeState::Open,
        created_at: now,
        updated_at: now,
    };
    app.write(move |tx| {
        let notice = public_notice::insert(tx, &notice)?;
        let new = objection::NewObjection {
            public_notice_id: notice,
            organization_id: None,
            text: "机时有误".to_owned(),
            state: ObjectionState::Open,
            due_on: now.local_date(),
            created_by: boss,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let made = objection::insert(tx, &new)?;
        Ok([notice.number(), made.id.number()])
    })
}

both! {
    fn absurd_values_of_every_field_are_refused_by_name(app: &TestApp) {
        let mut stage = stage(app);
        let [notice, objection] = objected(app, &stage);
        stage.ids.extend([("public-notices", notice), ("objections", objection)]);
        let order = json!({"organization_id": app.organization_id(UNIVERSITY), "cause": "other", "text": "x", "due_on": "2026-03-31"});
        let ordered = app.as_admin().post("/api/v1/rectifications", order).expect_status(201).id();
        stage.ids.extend([("rectifications", ordered), ("expert-assignments", given::assignment(app))]);
        stage.callers.push(app.as_person(given::EVALUATORS[0]));
        let schemas = Schemas(openapi::document("http://localhost"));
        let instrument = stage.ids.iter().find(|(noun, _)| *noun == "instruments").unwrap().1;
        // What must name something that is there, or has a form of its own.
        let known = BTreeMap::from([
            ("instrument_id", json!(instrument)),
            ("organization_id", json!(app.organization_id(COMPANY))),
            ("region_code", json!("130602")),
            ("category_code", json!("010102")),
            ("uscc", json!("91130100MA07K0001X")),
            ("ends_at", json!("2026-03-09T12:00:00+08:00")),
            ("year", json!(2025)),
            ("policy", json!("hebei-2026")),
            ("original_value_fen", json!(30_000_000)),
            ("started_at", json!("2026-02-09T10:00:00+08:00")),
            ("ended_at", json!("2026-02-09T12:00:00+08:00")),
        ]);
        let mut hidden = Vec::new();
        let before = stage.events();
        for route in routes::all().iter().filter(|route| takes_body(route)) {
            let path = stage.path(route);
            let schema = schemas.body(route.action.as_str());
            let base = schemas.required(&schema, &known);
            let reader = reader(&stage, route, &path);
            for (name, property) in schema["properties"].as_object().cloned().unwrap_or_default() {
                // What was read is sent back by a test of its own.
                if property["readOnly"] == true {
                    continue;
                }
                let kind = kind(&schemas.resolved(&property));
                for value in absurd(kind) {
                    let mut body = base.clone();
                    body.insert(name.clone(), value.clone());
                    let what = format!("{name}: {}", value.to_string().chars().take(40).collect::<String>());
                    let reader = reader.in_language("zh-CN");
                    let answer = reader.request(method(route), &path).header("if-match", "*").json(&body).send();
                    if SECRETS.contains(&route.action.as_str()) {
                        assert!(answer.status < 500, "{route:?} with {what}: {}", answer.text());
                        continue;
                    }
                    if route.action.as_str() != CHECK || answer.status >= 400 {
                        assert_refused(&answer, route, &what);
                    }
                    if !names(&answer, &name) {
                        hidden.push(format!("{route:?} with {what}: {} {}", answer.status, answer.text()));
                    }
                }
            }
        }
        assert!(hidden.is_empty(), "the refusal tells of something else:\n{}", hidden.join("\n"));
        assert_eq!(stage.events(), before);
    }
}
