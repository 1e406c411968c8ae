//! The JSON Schema of packs, for editors: the keys and words of the language. What no schema can say (that names exist, that an
//! order of steps adds up) the checker says with line and reason.

use serde_json::{Map, Value, json};

use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{FundingSource, PurposeType};
use crate::domain::organization::OrganizationKind;
use crate::domain::policy::{
    Aggregate, BracketBy, BracketHow, Choose, ConditionKey, Customers, ExclusionWord, Grade,
    IncomeBy, Level, Peers, Pooling, ProjectLevel, Quantity, Recipient, ServiceClass, ShapeWord,
    StepWord, YesNo,
};
use crate::domain::review::Satisfaction;
use crate::domain::usage::Evidence;

/// The words of a vocabulary.
macro_rules! words {
    ($($list:ident),+) => {{
        let mut words: Vec<&str> = Vec::new();
        $(words.extend($list::ALL.iter().map(|word| word.as_str()));)+
        json!({ "enum": words })
    }};
}

/// A table with these keys and no others; those named are required.
fn table(properties: &[(&str, Value)], required: &[&str]) -> Value {
    let mut known: Map<String, Value> = properties
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    known.insert(
        "source".to_owned(),
        json!({ "enum": ["official", "proposal"] }),
    );
    json!({
        "type": "object",
        "properties": known,
        "required": required,
        "additionalProperties": false,
    })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items, "maxItems": 500 })
}

/// A table whose keys are names.
fn named(value: Value) -> Value {
    json!({ "type": "object", "additionalProperties": value, "maxProperties": 500 })
}

fn at(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A value with what it means, where its name does not say it.
fn told(mut value: Value, meaning: &str) -> Value {
    if let Some(value) = value.as_object_mut() {
        value.insert("description".to_owned(), json!(meaning));
    }
    value
}

/// The whole schema, of JSON Schema 2020-12.
pub fn schema() -> Value {
    let mut schema = pack();
    if let Some(whole) = schema.as_object_mut() {
        whole.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
        whole.insert("title".to_owned(), json!("Policy pack"));
        whole.insert(
            "anyOf".to_owned(),
            json!([{ "required": ["scores"] }, { "required": ["awards"] }]),
        );
        whole.insert("$defs".to_owned(), definitions());
    }
    schema
}

/// The keys of a pack.
fn pack() -> Value {
    let mut keys = of_the_year();
    keys.extend(of_the_results());
    keys.extend(of_duties());
    table(
        &keys,
        &["code", "version", "title", "issuer", "year", "metrics"],
    )
}

/// What names a pack, and its year.
fn of_the_year() -> Vec<(&'static str, Value)> {
    vec![
        (
            "code",
            json!({ "type": "string", "pattern": "^[a-z0-9-]{1,64}$" }),
        ),
        ("version", json!({ "type": "integer", "minimum": 1 })),
        ("title", at("text")),
        ("issuer", at("text")),
        ("document_no", at("text")),
        ("published_on", at("date")),
        ("parameters", named(at("parameter"))),
        (
            "registration",
            table(
                &[
                    ("threshold_fen", at("fen")),
                    ("report_within_working_days", at("days")),
                    ("report_within_days", at("days")),
                ],
                &["threshold_fen"],
            ),
        ),
        (
            "requests",
            table(
                &[("answer_within_working_days", at("days"))],
                &["answer_within_working_days"],
            ),
        ),
        ("year", year()),
        ("pools", named(table(&[("name", at("text"))], &[]))),
    ]
}

/// Who is evaluated, and what is paid.
fn of_the_results() -> Vec<(&'static str, Value)> {
    vec![
        (
            "evaluation",
            table(
                &[
                    ("per", json!({ "enum": ["organization", "instrument"] })),
                    ("only", at("condition")),
                ],
                &[],
            ),
        ),
        ("metrics", named(at("metric"))),
        ("scores", list(at("score"))),
        ("grades", grades()),
        ("awards", list(at("award"))),
    ]
}

/// What follows the results.
fn of_duties() -> Vec<(&'static str, Value)> {
    vec![
        (
            "notice",
            table(
                &[
                    ("working_days", at("days")),
                    ("days", at("days")),
                    ("objection_decided_within_working_days", at("days")),
                ],
                &[],
            ),
        ),
        (
            "discipline",
            table(
                &[
                    ("strikes", at("count")),
                    ("within_days", at("count")),
                    ("suspended_days", at("count")),
                ],
                &["strikes", "within_days", "suspended_days"],
            ),
        ),
        (
            "duty",
            table(
                &[(
                    "complies",
                    table(
                        &[
                            ("late_at_most", at("count")),
                            ("missing_at_most", at("count")),
                            ("externally_shared_at_least", at("decimal")),
                        ],
                        &[],
                    ),
                )],
                &["complies"],
            ),
        ),
        (
            "purchase",
            table(
                &[
                    ("review_from_fen", at("fen")),
                    ("warn_when_similar_idle", json!({ "type": "boolean" })),
                ],
                &[],
            ),
        ),
    ]
}

fn definitions() -> Value {
    json!({
        "text": { "type": "string", "minLength": 1 },
        "date": { "type": "string", "format": "date", "description": "2026-03-01; as \"until\" the first day that is no longer meant" },
        "day": { "type": "string", "pattern": "^[0-9]{2}-[0-9]{2}$", "description": "MM-DD" },
        "days": { "anyOf": [{ "type": "integer", "minimum": 1, "maximum": 366 }, at("named_parameter")] },
        "count": { "anyOf": [{ "type": "integer", "minimum": 0 }, at("named_parameter")] },
        "fen": { "anyOf": [{ "type": "integer", "minimum": 0 }, at("named_parameter")], "description": "100 fen are 1 yuan" },
        "named_parameter": { "type": "string", "pattern": "^\\$[a-z0-9_]{1,64}$" },
        "decimal": { "type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?|\\$[a-z0-9_]{1,64})$", "description": "a decimal number as a string, or a parameter" },
        "number": { "anyOf": [at("decimal"), { "type": "integer", "minimum": 0 }] },
        "pairs": { "description": "[from, what it brings], rising; what is reached last holds", "type": "array", "maxItems": 500, "items": { "type": "array", "prefixItems": [at("number"), at("number")], "minItems": 2, "maxItems": 2 } },
        "regions": list(json!({ "type": "string", "pattern": "^([0-9]{2}|[0-9]{4}|[0-9]{6})$" })),
        "range": table(&[("from", at("count")), ("until", at("count"))], &[]),
        "parameter": table(&[("name", at("text")), ("default", at("number")), ("at_least", at("number")), ("at_most", at("number"))], &[]),
        "condition": { "anyOf": [at("alternative"), list(at("alternative"))] },
        "alternative": alternative(),
        "exclude": list(json!({ "anyOf": [words!(ExclusionWord, ServiceClass), at("alternative")] })),
        "metric": metric(),
        "counted": counted(&[]),
        "value": value(),
        "score": score(),
        "award": award(),
        "step": step(),
    })
}

fn year() -> Value {
    table(
        &[
            ("zone", json!({ "const": "Asia/Shanghai" })),
            ("usage_by", json!({ "const": "ended_at" })),
            ("income_by", words!(IncomeBy)),
            ("starts", at("day")),
            (
                "claims",
                told(
                    list(at("day")),
                    "the first day of each window, in the order of the year",
                ),
            ),
            (
                "valid",
                table(&[("from", at("date")), ("until", at("date"))], &[]),
            ),
        ],
        &[],
    )
}

fn alternative() -> Value {
    let mut keys: Vec<(&str, Value)> = Vec::new();
    for key in ConditionKey::ALL {
        let value = match key {
            ConditionKey::ValueFen | ConditionKey::Instruments => at("range"),
            ConditionKey::Category | ConditionKey::HostRegion | ConditionKey::UserRegion => {
                at("regions")
            }
            ConditionKey::HostIs | ConditionKey::UserIs => {
                list(json!({ "type": "string", "pattern": "^[a-z0-9_]{1,40}$" }))
            }
            ConditionKey::IsSet
            | ConditionKey::AwardedBefore
            | ConditionKey::Related
            | ConditionKey::Statutory => list(words!(YesNo)),
            ConditionKey::PurposeType => list(words!(PurposeType)),
            ConditionKey::Funding => list(words!(FundingSource)),
            ConditionKey::ShareMode => list(words!(ShareMode)),
            ConditionKey::HostKind | ConditionKey::UserKind => list(words!(OrganizationKind)),
            ConditionKey::User => list(words!(Customers)),
            ConditionKey::Purpose => list(words!(BookingPurpose)),
            ConditionKey::Mode => list(words!(BookingMode)),
            ConditionKey::ServiceClass => list(words!(ServiceClass)),
            ConditionKey::ProjectLevel => list(words!(ProjectLevel)),
            ConditionKey::Evidence => list(words!(Evidence)),
            ConditionKey::Grade => list(words!(Grade)),
        };
        keys.push((key.as_str(), value));
    }
    table(&keys, &[])
}

fn metric() -> Value {
    let quantities = words!(Quantity);
    let reported = json!({ "type": "string", "pattern": "^reported\\.[a-z0-9_]{1,64}$" });
    let points: Vec<(&str, Value)> = Satisfaction::ALL
        .iter()
        .map(|level| (level.as_str(), at("decimal")))
        .collect();
    let mut metric = table(
        &[
            ("name", at("text")),
            ("of", json!({ "anyOf": [quantities, reported] })),
            ("sum", named(at("decimal"))),
            ("user", words!(Customers)),
            ("where", at("condition")),
            ("exclude", at("exclude")),
            ("same_records_as", at("text")),
            (
                "drop_weak_evidence",
                table(
                    &[
                        ("classes", list(words!(Evidence))),
                        ("value_fen_from", at("fen")),
                    ],
                    &["classes", "value_fen_from"],
                ),
            ),
            (
                "hours",
                table(
                    &[("general", at("count")), ("special", at("count"))],
                    &["general", "special"],
                ),
            ),
            ("prorate_by", json!({ "const": "days_in_service" })),
            ("round", json!({ "const": "floor" })),
            ("points", table(&points, &[])),
        ],
        &[],
    );
    if let Some(metric) = metric.as_object_mut() {
        metric.insert(
            "oneOf".to_owned(),
            json!([{ "required": ["of"] }, { "required": ["sum"] }]),
        );
    }
    metric
}

/// What counts something, with further keys.
fn counted(more: &[(&str, Value)]) -> Value {
    let mut keys = vec![
        ("metric", at("text")),
        (
            "ratio",
            json!({ "type": "array", "items": at("text"), "minItems": 2, "maxItems": 2 }),
        ),
        ("aggregate", words!(Aggregate)),
        ("each_at_most", at("decimal")),
        ("mean", at("text")),
        ("at_least", at("count")),
    ];
    keys.extend(more.iter().cloned());
    table(&keys, &[])
}

fn value() -> Value {
    let part = counted(&[
        ("steps", at("pairs")),
        ("curve", at("pairs")),
        ("each", at("decimal")),
        ("per", at("decimal")),
        ("whole", json!({ "type": "boolean" })),
        ("at_most", at("decimal")),
    ]);
    counted(&[("points", list(part))])
}

fn score() -> Value {
    table(
        &[
            (
                "id",
                json!({ "type": "string", "pattern": "^[A-Z]+[0-9]+$", "maxLength": 16 }),
            ),
            ("name", at("text")),
            ("max", at("decimal")),
            ("shape", words!(ShapeWord)),
            ("value", at("value")),
            (
                "full_at",
                told(
                    at("decimal"),
                    "linear: all points from here on; of a ratio a fraction, \"0.20\" for 20 %",
                ),
            ),
            ("each", at("decimal")),
            ("per", at("decimal")),
            ("whole", json!({ "type": "boolean" })),
            ("steps", at("pairs")),
            ("curve", at("pairs")),
            ("within", words!(Peers)),
            (
                "when_empty",
                json!({ "anyOf": [{ "enum": ["full", "zero"] }, at("decimal")], "description": "points where there is nothing to divide by" }),
            ),
        ],
        &["id", "max", "shape"],
    )
}

fn grades() -> Value {
    let thresholds = ["excellent", "good", "pass"];
    let threshold = thresholds.map(|grade| (grade, at("decimal")));
    table(
        &[
            ("thresholds", table(&threshold, &thresholds)),
            (
                "best_quota",
                table(
                    &[
                        ("share", at("decimal")),
                        ("round", json!({ "const": "floor" })),
                        ("at_least", at("count")),
                    ],
                    &["share"],
                ),
            ),
            ("ties", list(at("text"))),
            (
                "vetoes",
                list(table(
                    &[("when", at("condition")), ("at_most", words!(Grade))],
                    &["when", "at_most"],
                )),
            ),
            ("adopt", json!({ "type": "boolean" })),
        ],
        &["thresholds"],
    )
}

fn award() -> Value {
    table(
        &[
            (
                "id",
                json!({ "type": "string", "pattern": "^[a-z0-9_-]{1,64}$" }),
            ),
            ("name", at("text")),
            ("recipient", words!(Recipient)),
            ("per", words!(Level)),
            (
                "base",
                json!({ "anyOf": [at("text"), table(&[("award", at("text"))], &["award"])], "description": "a metric: income, or a reported number that brackets turn into fen; or what another award pays" }),
            ),
            ("only", at("condition")),
            ("exclude", at("exclude")),
            ("user_regions", at("regions")),
            ("once_per", json!({ "const": "project" })),
            ("steps", list(at("step"))),
        ],
        &["recipient", "per", "steps"],
    )
}

fn step() -> Value {
    let of_grades: Vec<(&str, Value)> = Grade::ALL
        .iter()
        .map(|grade| (grade.as_str(), at("decimal")))
        .collect();
    let grades: Vec<&str> = Grade::ALL.iter().map(|grade| grade.as_str()).collect();
    let rate = table(
        &[("rate", at("decimal")), ("when", at("condition"))],
        &["rate"],
    );
    table(
        &[
            ("do", words!(StepWord)),
            ("name", at("text")),
            ("when", at("condition")),
            ("rate", at("decimal")),
            ("choose", words!(Choose)),
            ("rates", json!({ "anyOf": [list(rate), at("pairs")] })),
            ("times_grade", table(&of_grades, &grades)),
            ("by", words!(Level, BracketBy)),
            ("how", words!(BracketHow, Pooling)),
            ("fen", at("pairs")),
            ("max_fen", at("fen")),
            ("min_fen", at("fen")),
            ("of", at("text")),
            ("unit_fen", at("fen")),
            ("direction", json!({ "const": "floor" })),
            ("rest", json!({ "const": "unspent" })),
        ],
        &["do"],
    )
}
