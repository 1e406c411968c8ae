//! Query parameters: unknown ones are refused by name, a repeated one means OR, values are parsed once. Also the cursor,
//! which is opaque to clients.

use std::any::Any;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::json;
use crate::domain::vocabulary::UnknownWord;
use crate::error::{AppError, Code, Fault, closest};

/// The most and the usual items on one page.
const LIMIT_MAX: i64 = 200;
const LIMIT_DEFAULT: i64 = 50;

/// The most parameters of one request: each value of a filter becomes a condition of its own, nested in the one before.
const PARAMETERS_MAX: usize = 100;

/// The most texts to look for in one request, and the characters of each.
pub const WORDS_MAX: usize = 5;
pub const WORD_CHARS_MAX: usize = 100;

/// The parameters of one request, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes a query string; every name must be in `known`.
    pub fn parse(query: &str, known: &[&str]) -> Result<Self, AppError> {
        let count = query.split('&').count();
        if count > PARAMETERS_MAX {
            let fault = Fault::field("query", Code::too_many).limit(PARAMETERS_MAX);
            return Err(AppError::Malformed(vec![fault.actual(count)]));
        }
        let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(query)
            .map_err(|_| {
                AppError::Malformed(vec![
                    Fault::request(Code::invalid_value)
                        .limit("name=value&…")
                        .actual(query),
                ])
            })?
            .into_inner();
        let mut faults: Vec<Fault> = pairs
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, _)| {
                Fault::field(name, Code::unknown_parameter)
                    .did_you_mean(closest(name, known.iter().copied()))
            })
            .collect();
        // PostgreSQL has no text with this character in it, so no value is one.
        let zeros = pairs.iter().filter(|(_, value)| value.contains('\0'));
        faults.extend(zeros.map(|(name, _)| Fault::field(name, Code::control_character)));
        if faults.is_empty() {
            Ok(Self(pairs))
        } else {
            Err(AppError::Malformed(faults))
        }
    }

    /// Every value of a parameter, parsed; none when it is absent.
    pub fn all<T: FromStr<Err: 'static>>(&self, name: &str) -> Result<Vec<T>, AppError> {
        let values = self.0.iter().filter(|(known, _)| known == name);
        values
            .map(|(_, text)| {
                let parsed = text.parse().or_else(|error| match unencoded_offset(text) {
                    Some(text) => text.parse().map_err(|_| error),
                    None => Err(error),
                });
                parsed.map_err(|error| invalid(name, text, &error, std::any::type_name::<T>()))
            })
            .collect()
    }

    /// Every text to look for. Each is compared with whole tables, so there are few and short ones; more is refused.
    pub fn words(&self, name: &str) -> Result<Vec<String>, AppError> {
        let words: Vec<String> = self.all(name)?;
        let mut faults = Vec::new();
        if words.len() > WORDS_MAX {
            let fault = Fault::field(name, Code::too_many).limit(WORDS_MAX);
            faults.push(fault.actual(words.len()));
        }
        let lengths = words.iter().map(|word| word.chars().count());
        let too_long = lengths.filter(|length| *length > WORD_CHARS_MAX);
        faults.extend(too_long.map(|length| {
            let fault = Fault::field(name, Code::text_too_long).limit(WORD_CHARS_MAX);
            fault.actual(length)
        }));
        AppError::refuse_all(faults)?;
        Ok(words)
    }

    /// The one value of a parameter.
    pub fn one<T: FromStr<Err: 'static>>(&self, name: &str) -> Result<Option<T>, AppError> {
        let mut values = self.all::<T>(name)?;
        if values.len() > 1 {
            return Err(AppError::Malformed(vec![Fault::field(
                name,
                Code::duplicate_parameter,
            )]));
        }
        Ok(values.pop())
    }

    /// The one value of a parameter that must be there.
    pub fn required<T: FromStr<Err: 'static>>(&self, name: &str) -> Result<T, AppError> {
        self.one(name)?
            .ok_or_else(|| AppError::Malformed(vec![Fault::field(name, Code::missing_field)]))
    }

    /// `limit`, 1 to 200, 50 when absent.
    pub fn limit(&self) -> Result<i64, AppError> {
        let limit = self.one::<i64>("limit")?.unwrap_or(LIMIT_DEFAULT);
        if (1..=LIMIT_MAX).contains(&limit) {
            return Ok(limit);
        }
        Err(AppError::Malformed(vec![
            Fault::field("limit", Code::out_of_range)
                .limit(format!("1–{LIMIT_MAX}"))
                .actual(limit),
        ]))
    }

    /// The place after which the page begins.
    pub fn cursor<T: for<'de> Deserialize<'de>>(&self) -> Result<Option<T>, AppError> {
        let Some(text) = self.one::<String>("cursor")? else {
            return Ok(None);
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let bytes = bytes.filter(|bytes| json::refuse_zeros(bytes).is_ok());
        let cursor = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        cursor
            .map(Some)
            .ok_or_else(|| AppError::Malformed(vec![Fault::field("cursor", Code::invalid_cursor)]))
    }
}

/// A time whose offset was sent as `+08:00` without encoding it: in a query, a plus sign means a blank.
fn unencoded_offset(text: &str) -> Option<String> {
    let (time, offset) = text.rsplit_once(' ')?;
    let is_offset = offset.len() == 5 && offset.as_bytes().get(2) == Some(&b':');
    (is_offset && time.contains('T')).then(|| format!("{time}+{offset}"))
}

/// What the next page begins after, as an opaque text.
pub fn cursor_text(cursor: &impl Serialize) -> Result<String, AppError> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor)?))
}

/// A value that cannot be read; the limit names what was expected in words a client knows.
fn invalid(name: &str, text: &str, error: &dyn Any, kind: &str) -> AppError {
    let known = error.downcast_ref::<UnknownWord>();
    let words = known.map(|unknown| unknown.known.join(" | "));
    let expected = match kind.rsplit("::").next().unwrap_or(kind) {
        "i64" | "i32" | "u32" => "an integer",
        "bool" => "true or false",
        "NaiveDate" => "a date like 2026-03-01",
        "Instant" => "a time like 2026-03-01T09:00:00+08:00",
        id if id.ends_with("Id") => "an id",
        "RegionCode" => "a region code of six digits",
        "CategoryCode" => "a category code of six digits",
        "Point" => "a latitude and a longitude with a comma between them: 38.87,115.46",
        "Radius" => "kilometers above 0 and up to 20040",
        "Uscc" => "a code of 18 characters",
        _ => "a value the API document names",
    };
    let near = known.and_then(|unknown| closest(text, unknown.known.iter().copied()));
    AppError::Malformed(vec![
        Fault::field(name, Code::invalid_value)
            .limit(words.unwrap_or_else(|| expected.to_owned()))
            .actual(text)
            .did_you_mean(near),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::UserState;

    #[test]
    fn unknown_parameters_are_refused_with_a_suggestion() {
        let Err(AppError::Malformed(faults)) = Params::parse("stat=a&limit=5", &["state", "limit"])
        else {
            panic!()
        };
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].did_you_mean.as_deref(), Some("state"));
    }

    #[test]
    fn more_than_a_hundred_parameters_are_refused() {
        let query = |count: usize| vec!["q=a"; count].join("&");
        assert!(Params::parse(&query(100), &["q"]).is_ok());
        let Err(AppError::Malformed(faults)) = Params::parse(&query(101), &["q"]) else {
            panic!()
        };
        assert_eq!(faults[0].code, Code::too_many);
        assert_eq!(faults[0].limit, Some(100.into()));
    }

    #[test]
    fn a_word_that_is_none_is_told_those_there_are() {
        let params = Params::parse("state=a&limit=x", &["state", "limit"]).unwrap();
        for (found, expected) in [
            (
                params.one::<UserState>("state").unwrap_err(),
                "active | suspended",
            ),
            (params.limit().unwrap_err(), "an integer"),
        ] {
            let AppError::Malformed(faults) = found else {
                panic!()
            };
            assert_eq!(faults[0].limit, Some(expected.into()));
        }
    }

    #[test]
    fn a_word_nearly_right_is_told() {
        let params = Params::parse("state=actve&other=nothing", &["state", "other"]).unwrap();
        for (name, near) in [("state", Some("active")), ("other", None)] {
            let Err(AppError::Malformed(faults)) = params.all::<UserState>(name) else {
                panic!("{name}")
            };
            assert_eq!(faults[0].did_you_mean.as_deref(), near);
        }
    }

    #[test]
    fn an_offset_may_be_sent_as_it_is() {
        let query = "a=2026-03-01T09:00:00+08:00&b=2026-03-01T09:00:00%2B08:00&c=2026-03-01T01:00:00Z\
             &d=2026-03-01 09:00:00&e=x y:00";
        let params = Params::parse(query, &["a", "b", "c", "d", "e"]).unwrap();
        let time = |name: &str| params.required::<crate::domain::Instant>(name);
        let expected = time("c").unwrap();
        assert_eq!(
            (time("a").unwrap(), time("b").unwrap()),
            (expected, expected)
        );
        assert!(time("d").is_err() && time("e").is_err());
        // Texts stay as they were sent.
        let params = Params::parse("q=T1 08:00", &["q"]).unwrap();
        assert_eq!(params.all::<String>("q").unwrap(), ["T1 08:00"]);
    }

    #[test]
    fn a_repeated_parameter_means_or_and_limits_are_kept() {
        let params = Params::parse("state=a&state=b&limit=201", &["state", "limit"]).unwrap();
        assert_eq!(params.all::<String>("state").unwrap(), ["a", "b"]);
        assert!(params.one::<String>("state").is_err());
        assert!(params.limit().is_err());
        assert_eq!(Params::parse("", &[]).unwrap().limit().unwrap(), 50);
    }
}
