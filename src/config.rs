//! Settings: the defaults, overridden by a file, overridden by the environment. The only reader of the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::Database;
use crate::store::connection::UnknownDatabase;

/// The defaults, with what each key means.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// Variables with our prefix that are no settings: where the file is, the keys themselves, and what the tests read.
const NOT_SETTINGS: [&str; 4] = [
    "YIQI_CONFIG",
    "YIQI_SECRET",
    "YIQI_REQUIRE_POSTGRES",
    "YIQI_TEST_POSTGRES_URL",
];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// Every setting; `config/default.toml` says what each means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub database_url: String,
    pub database_connections: u32,
    pub listen: String,
    pub public_url: String,
    pub workers: usize,
    pub secret_file: String,
    pub access_token_minutes: u32,
    pub session_days: u32,
    pub api_key_days: u32,
    pub login_failures_max: u32,
    pub login_locked_minutes: u32,
    pub password_memory_kib: u32,
    pub active_policy: String,
    pub body_bytes_max: usize,
    pub import_bytes_max: usize,
    pub job_interval_seconds: u64,
    pub shutdown_seconds: u64,
    pub log: String,
    pub log_format: LogFormat,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {}: {cause}", file.display())]
    Unreadable {
        file: PathBuf,
        cause: std::io::Error,
    },
    #[error("{origin}: {cause}")]
    Invalid {
        origin: String,
        cause: Box<toml::de::Error>,
    },
    #[error("{key} is not a setting{}", did_you_mean.as_ref().map(|word| format!("; did you mean {word}?")).unwrap_or_default())]
    UnknownKey {
        key: String,
        did_you_mean: Option<String>,
    },
    #[error("database_url: {0}")]
    Database(#[from] UnknownDatabase),
    #[error("{key} must be {limit}")]
    OutOfRange {
        key: &'static str,
        limit: &'static str,
    },
}

impl Config {
    /// The settings in force: defaults, then `file` (or the one YIQI_CONFIG names), then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let environment = environment();
        let named = environment.get("YIQI_CONFIG").map(PathBuf::from);
        let text = match file.map(Path::to_path_buf).or(named) {
            Some(file) => {
                let text =
                    std::fs::read_to_string(&file).map_err(|cause| ConfigError::Unreadable {
                        file: file.clone(),
                        cause,
                    })?;
                Some((file.display().to_string(), text))
            }
            None => None,
        };
        Self::merge(text, &environment)
    }

    /// Pure: the defaults, overridden by a file's text (with its name) and by variables.
    pub fn merge(
        file: Option<(String, String)>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigError> {
        let mut merged = parse("default.toml", DEFAULTS)?;
        if let Some((origin, text)) = file {
            let overrides = parse(&origin, &text)?;
            for (key, value) in overrides {
                known(&merged, &key, &key)?;
                merged.insert(key, value);
            }
        }
        for (name, text) in environment
            .iter()
            .filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()))
        {
            let key = name.trim_start_matches("YIQI_").to_lowercase();
            let present = known(&merged, &key, name)?;
            let value = if present.is_integer() {
                text.parse().map(toml::Value::Integer).ok()
            } else {
                None
            };
            merged.insert(
                key,
                value.unwrap_or_else(|| toml::Value::String(text.clone())),
            );
        }
        let config: Config = merged.try_into().map_err(|cause| ConfigError::Invalid {
            origin: "settings".to_owned(),
            cause: Box::new(cause),
        })?;
        config.checked()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        let ranges = [
            (
                self.database_connections >= 1,
                "database_connections",
                "at least 1",
            ),
            (self.workers >= 1, "workers", "at least 1"),
            (
                self.access_token_minutes >= 1,
                "access_token_minutes",
                "at least 1",
            ),
            (self.session_days >= 1, "session_days", "at least 1"),
            (
                (1..=3650).contains(&self.api_key_days),
                "api_key_days",
                "1 to 3650",
            ),
            (
                self.login_failures_max >= 1,
                "login_failures_max",
                "at least 1",
            ),
            (
                self.password_memory_kib >= 64,
                "password_memory_kib",
                "at least 64",
            ),
            (
                self.job_interval_seconds >= 1,
                "job_interval_seconds",
                "at least 1",
            ),
        ];
        match ranges.into_iter().find(|(holds, _, _)| !holds) {
            Some((_, key, limit)) => Err(ConfigError::OutOfRange { key, limit }),
            None => self.database().map(|_| self),
        }
    }

    /// Where the data is.
    pub fn database(&self) -> Result<Database, ConfigError> {
        Ok(self.database_url.parse()?)
    }

    /// The signing keys' lines: from YIQI_SECRET, else from `secret_file`; `None` when neither is given.
    pub fn secret(&self) -> Result<Option<String>, ConfigError> {
        if let Some(lines) = environment().remove("YIQI_SECRET") {
            return Ok(Some(lines));
        }
        if self.secret_file.is_empty() {
            return Ok(None);
        }
        let file = PathBuf::from(&self.secret_file);
        std::fs::read_to_string(&file)
            .map(Some)
            .map_err(|cause| ConfigError::Unreadable { file, cause })
    }
}

fn parse(origin: &str, text: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|cause| ConfigError::Invalid {
        origin: origin.to_owned(),
        cause: Box::new(cause),
    })
}

fn known<'a>(
    settings: &'a toml::Table,
    key: &str,
    named: &str,
) -> Result<&'a toml::Value, ConfigError> {
    settings.get(key).ok_or_else(|| ConfigError::UnknownKey {
        key: named.to_owned(),
        did_you_mean: crate::error::closest(key, settings.keys().map(String::as_str)),
    })
}

#[allow(clippy::disallowed_methods, reason = "this is the door")]
fn environment() -> BTreeMap<String, String> {
    std::env::vars()
        .filter(|(name, _)| name.starts_with("YIQI_"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merge(file: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Config::merge(Some(("test.toml".to_owned(), file.to_owned())), &variables)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_beats_the_file_beats_the_defaults() {
        let config = merge(
            "workers = 3\nlisten = \"0.0.0.0:1\"",
            &[("YIQI_WORKERS", "4"), ("YIQI_SECRET", "x")],
        )
        .unwrap();
        assert_eq!(
            (config.workers, config.listen.as_str(), config.session_days),
            (4, "0.0.0.0:1", 30)
        );
    }

    #[test]
    fn unknown_keys_are_refused_with_a_suggestion() {
        assert_eq!(
            merge("listn = \"x\"", &[]).unwrap_err(),
            "listn is not a setting; did you mean listen?"
        );
        assert_eq!(
            merge("", &[("YIQI_DATABSE_URL", "x")]).unwrap_err(),
            "YIQI_DATABSE_URL is not a setting; did you mean database_url?"
        );
    }

    #[test]
    fn wrong_types_and_ranges_are_refused() {
        assert!(
            merge("", &[("YIQI_WORKERS", "many")])
                .unwrap_err()
                .contains("workers")
        );
        assert_eq!(
            merge("workers = 0", &[]).unwrap_err(),
            "workers must be at least 1"
        );
        assert!(
            merge("database_url = \"mysql://x\"", &[])
                .unwrap_err()
                .starts_with("database_url: ")
        );
    }
}
