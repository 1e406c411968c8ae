//! JSON bodies, strictly: what is wrong is said with the field's path and a code (400), a read-only field may only say what
//! is so already (422).

mod objects;

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::{Path, Segment};

use self::objects::Objects;
use super::names;
use crate::error::{AppError, Code, Fault, closest};

/// Parses a body into a shape that denies unknown fields.
///
/// Every body is an object: serde would also read a list as the fields in their order.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, AppError> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        let sent: Value = serde_json::from_slice(body).map_err(|error| no_json(&error))?;
        let fault = Fault::field("", Code::wrong_type).limit("an object");
        return Err(AppError::Malformed(vec![fault.actual(shown(&sent))]));
    }
    refuse_zeros(body)?;
    read(body)
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, AppError> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let parsed = serde_path_to_error::deserialize(Objects(&mut deserializer)).map_err(|error| {
        let sent = sent_at(text, error.path());
        malformed(&error.path().to_string(), error.inner(), sent.as_deref())
    })?;
    deserializer.end().map_err(|error| no_json(&error))?;
    Ok(parsed)
}

/// What stands at a place of a JSON text.
fn sent_at(text: &[u8], path: &Path) -> Option<String> {
    let whole: Value = serde_json::from_slice(text).ok()?;
    let found = path.iter().try_fold(&whole, |value, part| match part {
        Segment::Map { key } => value.get(key),
        Segment::Seq { index } => value.get(index),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    found.map(shown)
}

/// The most characters of what was sent that are told back.
const SHOWN_MAX: usize = 100;

fn shown(sent: &Value) -> String {
    let text = match sent {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().take(SHOWN_MAX).collect()
}

fn no_json(error: &serde_json::Error) -> AppError {
    let place = format!("{}:{}", error.line(), error.column());
    let fault = Fault::request(Code::malformed_json);
    AppError::Malformed(vec![fault.actual(place)])
}

const A_DATE: &str = "a date like 2026-03-01";

/// What serde expected, in words a client knows.
fn expected(text: &str) -> String {
    let words: Vec<&str> = text.split('`').skip(3).step_by(2).collect();
    if text.starts_with("unknown variant") {
        return words.join(" | ");
    }
    let Some((_, wanted)) = text.rsplit_once(", expected ") else {
        return match text {
            "invalid type: not an object" => "an object".to_owned(),
            // What chrono says of a date.
            "trailing input" | "premature end of input" => A_DATE.to_owned(),
            other if other.starts_with("input ") => A_DATE.to_owned(),
            other => other.to_owned(),
        };
    };
    let phrase = match wanted {
        "i64" | "i32" | "i16" | "u64" | "u32" | "u16" | "u8" | "usize" => "an integer",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a string" | "a borrowed string" | "string" => "a text",
        "a sequence" => "a list",
        _ if wanted.starts_with("struct ") || wanted.contains("map") => "an object",
        _ if wanted.contains("object") => "an object",
        _ => "a value the API document names",
    };
    phrase.to_owned()
}

/// PostgreSQL has no text with the character U+0000 in it, so no string of a JSON text is one. Unescaped it is no JSON.
pub fn refuse_zeros(text: &[u8]) -> Result<(), AppError> {
    let escaped = b"\\u0000";
    if text.windows(escaped.len()).any(|part| part == escaped) {
        read::<Strict>(text)?;
    }
    Ok(())
}

/// serde tells kinds of mistakes only in words, so the words are read.
fn malformed(path: &str, error: &serde_json::Error, sent: Option<&str>) -> AppError {
    if error.is_syntax() || error.is_eof() || error.is_io() {
        return no_json(error);
    }
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let quoted = text.split('`').nth(1).unwrap_or_default().to_owned();
    let parent = if path == "." {
        String::new()
    } else {
        path.to_owned()
    };
    let inside = |field: &str| match parent.rsplit_once('.') {
        _ if parent.is_empty() => field.to_owned(),
        // The path of an unknown field already ends with it.
        _ if parent == field || parent.ends_with(&format!(".{field}")) => parent.clone(),
        _ => format!("{parent}.{field}"),
    };
    let fault = if text.starts_with("unknown field") {
        let known: Vec<&str> = text.split('`').skip(3).step_by(2).collect();
        Fault::field(inside(&quoted), Code::unknown_field)
            .did_you_mean(closest(&quoted, known.into_iter()))
    } else if text.starts_with("missing field") {
        Fault::field(inside(&quoted), Code::missing_field)
    } else if text.starts_with("duplicate field") {
        Fault::field(inside(&quoted), Code::duplicate_field)
    } else if text.starts_with("invalid type") {
        let fault = Fault::field(parent, Code::wrong_type).limit(expected(&text));
        fault.actual(sent.unwrap_or_default())
    } else if text == ZERO {
        Fault::field(parent, Code::control_character)
    } else {
        let near = text.starts_with("unknown variant").then(|| {
            let known: Vec<&str> = text.split('`').skip(3).step_by(2).collect();
            closest(&quoted, known.into_iter())
        });
        Fault::field(parent, Code::invalid_value)
            .actual(sent.unwrap_or_default())
            .limit(expected(&text))
            .did_you_mean(near.flatten())
    };
    AppError::Malformed(vec![fault])
}

/// The members of a JSON object, each of them once: a change that is merged before its fields are known.
#[derive(Debug, Clone, Default)]
pub struct Members(Map<String, Value>);

impl Members {
    /// Those that are not read-only, and a fault for each of the others that does not say what is so already.
    pub fn writable(mut self, present: &Value, writable: &[&str]) -> (Members, Vec<Fault>) {
        // What stands beside an id is told by whoever reads, and may be sent back.
        let beside: BTreeSet<String> = present.as_object().map(names::beside).unwrap_or_default();
        self.0
            .retain(|name, _| !beside.contains(name) || writable.contains(&name.as_str()));
        let is_read_only = |name: &str| !writable.contains(&name) && present.get(name).is_some();
        let faults = self
            .0
            .iter()
            .filter(|(name, value)| {
                is_read_only(name) && present.get(name.as_str()) != Some(*value)
            })
            .map(|(name, _)| Fault::field(name, Code::read_only))
            .collect();
        self.0.retain(|name, _| !is_read_only(name));
        (self, faults)
    }

    /// One of the members, taken out; empty when it is not there.
    pub fn take(&mut self, name: &str) -> Members {
        let taken = self.0.remove_entry(name);
        Members(taken.into_iter().collect())
    }

    /// The members as a known shape.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, AppError> {
        parse(&serde_json::to_vec(&Value::Object(self.0))?)
    }
}

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Strict::deserialize(deserializer)?.0 {
            Value::Object(members) => Ok(Members(members)),
            _ => Err(serde::de::Error::custom("invalid type: not an object")),
        }
    }
}

/// What the fault of a string with U+0000 in it says; [`malformed`] reads it.
const ZERO: &str = "U+0000 in a text";

/// Any JSON value in which every member stands once and no string has U+0000 in it.
struct Strict(Value);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

fn without_zeros<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        return Err(E::custom(ZERO));
    }
    Ok(())
}

impl<'de> serde::de::Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        without_zeros(text)?;
        Ok(text.into())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, Strict>()? {
            without_zeros(&name)?;
            if members.contains_key(&name) {
                let twice = format!("duplicate field `{name}`");
                return Err(serde::de::Error::custom(twice));
            }
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

/// The whole after a merge patch (RFC 7396): what the patch does not name stays, null removes.
pub fn merged<T: DeserializeOwned>(
    present: &impl serde::Serialize,
    patch: Members,
) -> Result<T, AppError> {
    let mut whole = serde_json::to_value(present)?;
    merge(&mut whole, Value::Object(patch.0));
    parse(&serde_json::to_vec(&whole)?)
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

/// A field of a merge patch: absent, null or a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// The value after the patch, given the one before.
    pub fn onto(self, present: Option<T>) -> Option<T> {
        match self {
            Patch::Keep => present,
            Patch::Clear => None,
            Patch::Set(value) => Some(value),
        }
    }
}

impl<T> Patch<T> {
    /// The value the patch sets, of a field that cannot be empty; clearing it is a fault.
    pub fn given(self, field: &str, faults: &mut Vec<Fault>) -> Option<T> {
        match self {
            Patch::Keep => None,
            Patch::Set(value) => Some(value),
            Patch::Clear => {
                faults.push(Fault::field(field, Code::required));
                None
            }
        }
    }

    /// The value after the patch of a field that cannot be empty; clearing it is a fault.
    pub fn over(self, field: &str, present: T, faults: &mut Vec<Fault>) -> T {
        self.given(field, faults).unwrap_or(present)
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Patch<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::<T>::deserialize(deserializer)? {
            Some(value) => Patch::Set(value),
            None => Patch::Clear,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        starts: i64,
    }

    #[derive(Debug, serde::Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        name: String,
        #[serde(default)]
        note: Patch<String>,
        #[serde(default)]
        list: Vec<Inner>,
    }

    fn fault(body: &str) -> (String, Code) {
        match parse::<Shape>(body.as_bytes()) {
            Err(AppError::Malformed(faults)) => match &faults[0].place {
                crate::error::Location::Field(field) => (field.clone(), faults[0].code),
                _ => (String::new(), faults[0].code),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_mistake_has_its_path_and_code() {
        for (body, field, code) in [
            ("{", "", Code::malformed_json),
            ("{\"name\":\"a\"} x", "", Code::malformed_json),
            ("[]", "", Code::wrong_type),
            ("{}", "name", Code::missing_field),
            ("{\"name\":1}", "name", Code::wrong_type),
            (
                "{\"name\":\"a\",\"name\":\"b\"}",
                "name",
                Code::duplicate_field,
            ),
            (
                "{\"name\":\"a\",\"nmae\":\"b\"}",
                "nmae",
                Code::unknown_field,
            ),
            (
                "{\"name\":\"a\",\"list\":[{\"starts\":1},{\"start\":2}]}",
                "list[1].start",
                Code::unknown_field,
            ),
            (
                "{\"name\":\"a\",\"list\":[{\"starts\":1},[1]]}",
                "list[1]",
                Code::wrong_type,
            ),
            (
                "{\"name\":\"a\",\"list\":[{}]}",
                "list[0].starts",
                Code::missing_field,
            ),
            (
                "{\"name\":\"a\",\"list\":[{\"starts\":\"x\"}]}",
                "list[0].starts",
                Code::wrong_type,
            ),
            ("{\"name\":\"a\\u0000\"}", "name", Code::control_character),
            (
                "{\"name\":\"a\",\"list\":[{\"x\":\"\\u0000\"}]}",
                "list[0].x",
                Code::control_character,
            ),
            (
                "{\"name\":\"\\\\u0000\",\"note\":1}",
                "note",
                Code::wrong_type,
            ),
        ] {
            assert_eq!(fault(body), (field.to_owned(), code), "{body}");
        }
    }

    #[test]
    fn a_read_only_field_may_say_what_is_so_already() {
        let present = serde_json::json!({"id": 3, "name": "a"});
        let change = |body: &str| {
            let sent: Members = parse(body.as_bytes())?;
            let (kept, faults) = sent.writable(&present, &["name"]);
            Ok::<_, AppError>((kept.read::<Shape>()?, faults))
        };
        assert!(change("{\"id\":3,\"name\":\"b\"}").unwrap().1.is_empty());
        let (_, faults) = change("{\"id\":4,\"name\":\"b\"}").unwrap();
        assert_eq!(faults, [Fault::field("id", Code::read_only)]);
        let (kept, _) = change("{\"name\":\"b\",\"note\":null}").unwrap();
        assert_eq!(kept.note, Patch::Clear);
        for twice in [
            "{\"id\":3,\"name\":\"b\",\"name\":\"c\"}",
            "{\"id\":3,\"name\":\"b\",\"list\":[{\"starts\":1,\"starts\":2}]}",
        ] {
            let Err(AppError::Malformed(faults)) = change(twice) else {
                panic!("{twice}")
            };
            assert_eq!(faults[0].code, Code::duplicate_field, "{twice}");
        }
    }

    #[test]
    fn a_patch_is_merged_into_what_it_does_not_name() {
        let present = serde_json::json!({"name": "a", "note": "b", "list": [{"starts": 1}]});
        let merged = |patch: &str| merged::<Value>(&present, parse(patch.as_bytes())?);
        assert_eq!(
            merged("{\"note\":null,\"deep\":{\"x\":null,\"y\":1}}").unwrap(),
            serde_json::json!({"name": "a", "list": [{"starts": 1}], "deep": {"y": 1}})
        );
        let Err(AppError::Malformed(faults)) = merged("{\"note\":1,\"note\":2}") else {
            panic!()
        };
        assert_eq!(faults[0].code, Code::duplicate_field);
    }
}
