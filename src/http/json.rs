//! JSON bodies, strictly: what is wrong is said with the field's path and a code (400), a read-only field may only say what
//! is so already (422).

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{AppError, Code, Fault, closest};

/// Parses a body into a shape that denies unknown fields.
///
/// Every body is an object: serde would also read a list as the fields in their order.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, AppError> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        serde_json::from_slice::<serde::de::IgnoredAny>(body)
            .map_err(|error| malformed(".", &error))?;
        return Err(AppError::Malformed(vec![
            Fault::field("", Code::wrong_type).actual("not an object"),
        ]));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        malformed(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| malformed(".", &error))?;
    Ok(parsed)
}

/// Parses a change: drops read-only fields that say what is so already, refuses those that do not.
pub fn parse_change<T: DeserializeOwned>(
    body: &[u8],
    present: &Value,
    writable: &[&str],
) -> Result<T, AppError> {
    // Duplicate fields would be lost in a map, so the strict shape sees the text first when nothing is read-only.
    let sent: Map<String, Value> = parse(body)?;
    let is_read_only = |name: &str| !writable.contains(&name) && present.get(name).is_some();
    if !sent.keys().any(|name| is_read_only(name)) {
        return parse(body);
    }
    let faults: Vec<Fault> = sent
        .iter()
        .filter(|(name, value)| is_read_only(name) && present.get(name.as_str()) != Some(*value))
        .map(|(name, _)| Fault::field(name, Code::read_only))
        .collect();
    AppError::refuse_all(faults)?;
    let kept: Map<String, Value> = sent
        .into_iter()
        .filter(|(name, _)| !is_read_only(name))
        .collect();
    parse(&serde_json::to_vec(&Value::Object(kept))?)
}

/// serde tells kinds of mistakes only in words, so the words are read.
fn malformed(path: &str, error: &serde_json::Error) -> AppError {
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
    let fault = if error.is_syntax() || error.is_eof() || error.is_io() {
        Fault::request(Code::malformed_json).actual(error.to_string())
    } else if text.starts_with("unknown field") {
        let known: Vec<&str> = text.split('`').skip(3).step_by(2).collect();
        Fault::field(inside(&quoted), Code::unknown_field)
            .did_you_mean(closest(&quoted, known.into_iter()))
    } else if text.starts_with("missing field") {
        Fault::field(inside(&quoted), Code::missing_field)
    } else if text.starts_with("duplicate field") {
        Fault::field(inside(&quoted), Code::duplicate_field)
    } else if text.starts_with("invalid type") {
        Fault::field(parent, Code::wrong_type).actual(text)
    } else {
        Fault::field(parent, Code::invalid_value)
            .actual(text)
            .limit("see the API document")
    };
    AppError::Malformed(vec![fault])
}

/// The members of a JSON object, each of them once: a change that is merged before its fields are known.
#[derive(Debug, Clone, Default)]
pub struct Members(Map<String, Value>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Once)
    }
}

struct Once;

impl<'de> serde::de::Visitor<'de> for Once {
    type Value = Members;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if members.contains_key(&name) {
                let twice = format!("duplicate field `{name}`");
                return Err(serde::de::Error::custom(twice));
            }
            members.insert(name, value);
        }
        Ok(Members(members))
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch<T> {
    Keep,
    Clear,
    Set(T),
}

impl<T> Default for Patch<T> {
    fn default() -> Self {
        Patch::Keep
    }
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
    /// The value after the patch of a field that cannot be empty; clearing it is a fault.
    pub fn over(self, field: &str, present: T, faults: &mut Vec<Fault>) -> T {
        match self {
            Patch::Keep => present,
            Patch::Set(value) => value,
            Patch::Clear => {
                faults.push(Fault::field(field, Code::required));
                present
            }
        }
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
                crate::error::Place::Field(field) => (field.clone(), faults[0].code),
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
                "{\"name\":\"a\",\"list\":[{}]}",
                "list[0].starts",
                Code::missing_field,
            ),
            (
                "{\"name\":\"a\",\"list\":[{\"starts\":\"x\"}]}",
                "list[0].starts",
                Code::wrong_type,
            ),
        ] {
            assert_eq!(fault(body), (field.to_owned(), code), "{body}");
        }
    }

    #[test]
    fn a_read_only_field_may_say_what_is_so_already() {
        let present = serde_json::json!({"id": 3, "name": "a"});
        let change = |body: &str| parse_change::<Shape>(body.as_bytes(), &present, &["name"]);
        assert!(change("{\"id\":3,\"name\":\"b\"}").is_ok());
        assert!(matches!(
            change("{\"id\":4,\"name\":\"b\"}"),
            Err(AppError::Refused(_))
        ));
        assert_eq!(
            change("{\"name\":\"b\",\"note\":null}").unwrap().note,
            Patch::Clear
        );
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
