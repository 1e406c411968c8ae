//! Settings: the defaults, overridden by a file, overridden by the environment. The only reader of the environment.

mod mistake;
mod networks;
mod settings;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::search::{NotAGroup, Synonyms};
use crate::store::Database;
use crate::store::connection::UnknownDatabase;
pub use mistake::Mistake;
pub use networks::{Networks, client};
use settings::Settings;
pub use settings::listen_address;

/// The defaults, with what each key means.
pub const DEFAULTS: &str = include_str!("../config/default.toml");

/// The synonyms of the search for instruments that come with the program.
const SYNONYMS: &str = include_str!("../config/synonyms.toml");

/// A file of synonyms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SynonymFile {
    groups: Vec<Vec<String>>,
}

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
    pub read_seconds_max: u32,
    pub listen: String,
    pub public_url: String,
    pub workers: usize,
    pub secret_file: String,
    pub access_token_minutes: u32,
    pub session_days: u32,
    pub api_key_days: u32,
    pub sessions_max: u32,
    pub api_keys_max: u32,
    pub login_failures_max: u32,
    pub login_failures_everywhere_max: u32,
    pub login_locked_minutes: u32,
    pub password_memory_kib: u32,
    pub password_threads: usize,
    pub password_queue_max: usize,
    pub body_bytes_max: usize,
    pub import_bytes_max: usize,
    pub bodies_bytes_max: usize,
    pub body_seconds_max: u64,
    pub import_seconds_max: u64,
    pub body_pause_seconds_max: u64,
    pub connections_max: usize,
    pub rate_limits: String,
    pub rate_address: u32,
    pub rate_caller: u32,
    pub rate_sign_in_address: u32,
    pub rate_sign_in_login: u32,
    pub rate_heavy: u32,
    pub trusted_proxies: String,
    pub cors_origins: String,
    pub job_interval_seconds: u64,
    pub shutdown_seconds: u64,
    pub pdf_font: String,
    pub search_synonyms: String,
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
    /// All of them, so that they can be mended at once.
    #[error("{}", mistake::listed(.0))]
    Mistakes(Vec<Mistake>),
    #[error("{origin}: {cause}")]
    Synonyms { origin: String, cause: NotAGroup },
    #[error("database_url: {0}")]
    Database(#[from] UnknownDatabase),
}

impl Config {
    /// The settings in force: defaults, then `file` (or the one YIQI_CONFIG names), then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let environment = environment()?;
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
        let mut settings = Settings::new(parse("default.toml", DEFAULTS)?);
        if let Some((origin, text)) = file {
            for (key, value) in parse(&origin, &text)? {
                settings.set(&key, format!("{key} in {origin}"), value);
            }
        }
        for (name, text) in environment {
            if !NOT_SETTINGS.contains(&name.as_str()) {
                settings.set_variable(name, text);
            }
        }
        let merged = settings.checked().map_err(ConfigError::Mistakes)?;
        merged.try_into().map_err(|cause| ConfigError::Invalid {
            origin: "settings".to_owned(),
            cause: Box::new(cause),
        })
    }

    /// Where the data is.
    pub fn database(&self) -> Result<Database, ConfigError> {
        Ok(self.database_url.parse()?)
    }

    /// The groups of synonyms that come with the program, and those of the file that `search_synonyms` names.
    pub fn synonyms(&self) -> Result<Synonyms, ConfigError> {
        let mut groups = synonym_groups("synonyms.toml", SYNONYMS)?;
        let mut origin = "synonyms.toml".to_owned();
        if !self.search_synonyms.is_empty() {
            let file = PathBuf::from(&self.search_synonyms);
            let text = std::fs::read_to_string(&file).map_err(|cause| ConfigError::Unreadable {
                file: file.clone(),
                cause,
            })?;
            origin = file.display().to_string();
            groups.extend(synonym_groups(&origin, &text)?);
        }
        Synonyms::new(groups).map_err(|cause| ConfigError::Synonyms { origin, cause })
    }

    /// The signing keys' lines: from YIQI_SECRET, else from `secret_file`; `None` when neither is given.
    pub fn secret(&self) -> Result<Option<String>, ConfigError> {
        if let Some(lines) = environment()?.remove("YIQI_SECRET") {
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

fn synonym_groups(origin: &str, text: &str) -> Result<Vec<Vec<String>>, ConfigError> {
    let file: SynonymFile = toml::from_str(text).map_err(|cause| ConfigError::Invalid {
        origin: origin.to_owned(),
        cause: Box::new(cause),
    })?;
    Ok(file.groups)
}

fn parse(origin: &str, text: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|cause| ConfigError::Invalid {
        origin: origin.to_owned(),
        cause: Box::new(cause),
    })
}

/// Our variables. Others may hold anything, also what is no text.
#[allow(clippy::disallowed_methods, reason = "this is the door")]
fn environment() -> Result<BTreeMap<String, String>, ConfigError> {
    let ours = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .filter(|(name, _)| name.starts_with(settings::PREFIX));
    let (mut variables, mut mistakes) = (BTreeMap::new(), Vec::new());
    for (name, value) in ours {
        match value.into_string() {
            Ok(text) => drop(variables.insert(name, text)),
            Err(_) => mistakes.push(Mistake::NoText { named: name }),
        }
    }
    match mistakes.is_empty() {
        true => Ok(variables),
        false => Err(ConfigError::Mistakes(mistakes)),
    }
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
    fn cheap_password_hashes_stay_on_this_machine() {
        let cheap = |listen: &str, public_url: &str| {
            let file = format!("listen = \"{listen}\"\npublic_url = \"{public_url}\"");
            merge(&file, &[("YIQI_PASSWORD_MEMORY_KIB", "64")])
        };
        for (listen, public_url) in [
            ("127.0.0.1:1", "http://127.0.0.1:1"),
            ("[::1]:1", "http://[::1]:1/"),
            ("localhost:1", "http://localhost"),
        ] {
            assert_eq!(cheap(listen, public_url).unwrap().password_memory_kib, 64);
        }
        for (listen, public_url) in [
            ("0.0.0.0:1", "http://127.0.0.1:1"),
            ("[::]:1", "http://127.0.0.1:1"),
            ("127.0.0.1.example.org:1", "http://127.0.0.1:1"),
            // Behind a proxy.
            ("127.0.0.1:1", "https://yiqi.example.org"),
            ("127.0.0.1:1", "https://localhost.example.org"),
        ] {
            assert_eq!(
                cheap(listen, public_url).unwrap_err(),
                "YIQI_PASSWORD_MEMORY_KIB must be 19456 or more unless listen and public_url are loopback addresses, not 64"
            );
        }
        let open = [("YIQI_PASSWORD_MEMORY_KIB", "19456")];
        assert!(merge("listen = \"0.0.0.0:1\"", &open).is_ok());
    }

    #[test]
    fn every_unknown_key_is_refused_with_a_suggestion() {
        assert_eq!(
            merge("listn = \"x\"", &[("YIQI_DATABSE_URL", "x")]).unwrap_err(),
            "listn in test.toml is not a setting; did you mean listen?; \
             YIQI_DATABSE_URL is not a setting; did you mean database_url?"
        );
        let twice = merge("", &[("YIQI_YIQI_LISTEN", "0.0.0.0:1")]).unwrap_err();
        assert!(
            twice.starts_with("YIQI_YIQI_LISTEN is not a setting"),
            "{twice}"
        );
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_place_and_limit() {
        for (variable, value, told) in [
            (
                "YIQI_WORKERS",
                "many",
                "YIQI_WORKERS must be a whole number, not many",
            ),
            ("YIQI_WORKERS", "0", "YIQI_WORKERS must be 1 to 1024, not 0"),
            (
                "YIQI_WORKERS",
                "100000",
                "YIQI_WORKERS must be 1 to 1024, not 100000",
            ),
            (
                "YIQI_WORKERS",
                "-1",
                "YIQI_WORKERS must be 1 to 1024, not -1",
            ),
            (
                "YIQI_SESSION_DAYS",
                "4294967295",
                "must be 1 to 3650, not 4294967295",
            ),
            (
                "YIQI_BODY_BYTES_MAX",
                "0",
                "must be 1024 to 1073741824, not 0",
            ),
            (
                "YIQI_LISTEN",
                "nonsense",
                "must be ADDRESS:PORT, for example 127.0.0.1:8080, not nonsense",
            ),
            ("YIQI_LISTEN", "127.0.0.1:99999", "must be ADDRESS:PORT"),
            ("YIQI_LOG", "info,=x=", "YIQI_LOG must be a log filter"),
            (
                "YIQI_LOG_FORMAT",
                "xml",
                "YIQI_LOG_FORMAT must be text or json, not xml",
            ),
            (
                "YIQI_PUBLIC_URL",
                "yiqi.example.org",
                "must begin with http:// or https://",
            ),
            (
                "YIQI_DATABASE_URL",
                "mysql://u:secret@x",
                "YIQI_DATABASE_URL: the database URL must begin with",
            ),
        ] {
            let refused = merge("", &[(variable, value)]).unwrap_err();
            assert!(refused.contains(told), "{variable}={value}: {refused}");
            assert!(!refused.contains("secret"), "{refused}");
        }
        assert_eq!(
            merge("workers = \"3\"\nlog = 3", &[]).unwrap_err(),
            "log in test.toml must be text, not 3; workers in test.toml must be a whole number, not \"3\""
        );
        for address in ["[::1]:8080", "localhost:8080", "0.0.0.0:0"] {
            assert_eq!(
                merge("", &[("YIQI_LISTEN", address)]).unwrap().listen,
                address
            );
        }
    }
}
