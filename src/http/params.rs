//! Query parameters: unknown ones are refused by name, a repeated one means OR, values are parsed once. Also the cursor,
//! which is opaque to clients.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::json;
use crate::error::{AppError, Code, Fault, closest};

/// The most and the usual items on one page.
const LIMIT_MAX: i64 = 200;
const LIMIT_DEFAULT: i64 = 50;

/// The parameters of one request, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes a query string; every name must be in `known`.
    pub fn parse(query: &str, known: &[&str]) -> Result<Self, AppError> {
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
    pub fn all<T: std::str::FromStr>(&self, name: &str) -> Result<Vec<T>, AppError> {
        let values = self.0.iter().filter(|(known, _)| known == name);
        values
            .map(|(_, text)| {
                text.parse()
                    .map_err(|_| invalid(name, text, std::any::type_name::<T>()))
            })
            .collect()
    }

    /// The one value of a parameter.
    pub fn one<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, AppError> {
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
    pub fn required<T: std::str::FromStr>(&self, name: &str) -> Result<T, AppError> {
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

/// What the next page begins after, as an opaque text.
pub fn cursor_text(cursor: &impl Serialize) -> Result<String, AppError> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(cursor)?))
}

/// A value that cannot be read; the limit names what was expected in words a client knows.
fn invalid(name: &str, text: &str, kind: &str) -> AppError {
    let expected = match kind.rsplit("::").next().unwrap_or(kind) {
        "i64" | "i32" | "u32" => "an integer",
        "bool" => "true or false",
        "NaiveDate" => "a date like 2026-03-01",
        "Instant" => "a time like 2026-03-01T09:00:00+08:00",
        id if id.ends_with("Id") => "an id",
        _ => "a known word",
    };
    AppError::Malformed(vec![
        Fault::field(name, Code::invalid_value)
            .limit(expected)
            .actual(text),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_repeated_parameter_means_or_and_limits_are_kept() {
        let params = Params::parse("state=a&state=b&limit=201", &["state", "limit"]).unwrap();
        assert_eq!(params.all::<String>("state").unwrap(), ["a", "b"]);
        assert!(params.one::<String>("state").is_err());
        assert!(params.limit().is_err());
        assert_eq!(Params::parse("", &[]).unwrap().limit().unwrap(), 50);
    }
}
