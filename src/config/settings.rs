//! Settings while they are gathered: every value against its kind and its limits, every mistake with the place it was made.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use toml::Value;
use tracing_subscriber::EnvFilter;

use super::mistake::Mistake;
use super::networks::Networks;
use crate::store::Database;

/// What our variables begin with.
pub(super) const PREFIX: &str = "YIQI_";

/// The least and the most of every number. The upper ends keep dates, sizes and thread counts within what can be computed
/// and started; nobody needs to come near.
const LIMITS: [(&str, i64, i64); 28] = [
    ("database_connections", 1, 1000),
    ("read_seconds_max", 1, 600),
    ("workers", 1, 1024),
    ("access_token_minutes", 1, 7 * 24 * 60),
    ("session_days", 1, 3650),
    ("api_key_days", 1, 3650),
    ("sessions_max", 1, 1000),
    ("api_keys_max", 1, 10_000),
    ("login_failures_max", 1, 1000),
    ("login_failures_everywhere_max", 1, 1_000_000),
    ("login_locked_minutes", 0, 366 * 24 * 60),
    ("password_memory_kib", 64, 1 << 20),
    ("password_threads", 0, 256),
    ("password_queue_max", 1, 10_000),
    ("body_bytes_max", 1 << 10, 1 << 30),
    ("import_bytes_max", 1 << 10, 1 << 30),
    ("bodies_bytes_max", 1 << 20, 1 << 40),
    ("body_seconds_max", 1, 60 * 60),
    ("import_seconds_max", 1, 24 * 60 * 60),
    ("body_pause_seconds_max", 1, 60 * 60),
    ("connections_max", 0, 1 << 20),
    ("rate_address", 0, 1_000_000),
    ("rate_caller", 0, 1_000_000),
    ("rate_sign_in_address", 0, 1_000_000),
    ("rate_sign_in_login", 0, 1_000_000),
    ("rate_heavy", 0, 1_000_000),
    ("job_interval_seconds", 1, 24 * 60 * 60),
    ("shutdown_seconds", 0, 60 * 60),
];

/// Memory for hashing a password that reaches others than this machine: OWASP's minimum for argon2id with two rounds.
const PASSWORD_MEMORY_KIB_LEAST: i64 = 19_456;

/// The defaults with what was set so far, where, and what was wrong.
#[derive(Debug)]
pub(super) struct Settings {
    values: toml::Table,
    named: BTreeMap<String, String>,
    mistakes: Vec<Mistake>,
}

impl Settings {
    pub(super) fn new(defaults: toml::Table) -> Self {
        Self {
            values: defaults,
            named: BTreeMap::new(),
            mistakes: Vec::new(),
        }
    }

    /// Overrides a key; `named` is how its giver calls it.
    pub(super) fn set(&mut self, key: &str, named: String, value: Value) {
        let Some(present) = self.values.get(key) else {
            return self.refuse_unknown(key, named);
        };
        if present.type_str() != value.type_str() {
            let expected = if present.is_integer() {
                "a whole number"
            } else {
                "text"
            };
            return self.refuse(named, expected, &value.to_string());
        }
        self.named.insert(key.to_owned(), named);
        self.values.insert(key.to_owned(), value);
    }

    /// Overrides the key that a variable names. Variables are text, numbers too.
    pub(super) fn set_variable(&mut self, name: &str, text: &str) {
        let key = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
        let is_number = self.values.get(&key).is_some_and(Value::is_integer);
        match text.parse() {
            Ok(number) if is_number => self.set(&key, name.to_owned(), Value::Integer(number)),
            Err(_) if is_number => self.refuse(name.to_owned(), "a whole number", text),
            _ => self.set(&key, name.to_owned(), Value::String(text.to_owned())),
        }
    }

    fn refuse_unknown(&mut self, key: &str, named: String) {
        let known = self.values.keys().map(String::as_str);
        let did_you_mean = crate::error::closest(key, known);
        self.mistakes.push(Mistake::Unknown {
            named,
            did_you_mean,
        });
    }

    fn refuse(&mut self, named: String, expected: impl Into<String>, actual: &str) {
        self.mistakes.push(Mistake::Wrong {
            named,
            expected: expected.into(),
            actual: actual.to_owned(),
        });
    }

    fn refuse_key(&mut self, key: &str, expected: impl Into<String>, actual: &str) {
        let named = self.name_of(key);
        self.refuse(named, expected, actual);
    }

    fn name_of(&self, key: &str) -> String {
        self.named.get(key).map_or(key, String::as_str).to_owned()
    }

    /// The merged values, or all that is wrong.
    pub(super) fn checked(mut self) -> Result<toml::Table, Vec<Mistake>> {
        for (key, least, most) in LIMITS {
            let number = self.values.get(key).and_then(Value::as_integer);
            if let Some(number) = number
                && !(least..=most).contains(&number)
            {
                self.refuse_key(key, format!("{least} to {most}"), &number.to_string());
            }
        }
        self.check_password_memory();
        self.check_texts();
        match self.mistakes.is_empty() {
            true => Ok(self.values),
            false => Err(self.mistakes),
        }
    }

    /// Cheap hashes are for tests and trials: a service that others can reach, itself or through a proxy, refuses them.
    fn check_password_memory(&mut self) {
        let key = "password_memory_kib";
        let memory = self.values.get(key).and_then(Value::as_integer);
        let stays_here =
            is_loopback(&self.text_of("listen")) && is_loopback(&self.text_of("public_url"));
        if let Some(memory) = memory
            && memory < PASSWORD_MEMORY_KIB_LEAST
            && !stays_here
        {
            let expected = format!(
                "{PASSWORD_MEMORY_KIB_LEAST} or more unless listen and public_url are loopback addresses"
            );
            self.refuse_key(key, expected, &memory.to_string());
        }
    }

    fn text_of(&self, key: &str) -> String {
        let text = self.values.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    fn check_texts(&mut self) {
        let listen = self.text_of("listen");
        if let Err(expected) = listen_address(&listen) {
            self.refuse_key("listen", expected, &listen);
        }
        let log = self.text_of("log");
        if let Err(error) = EnvFilter::try_new(&log) {
            let actual = format!("{log} ({error})");
            self.refuse_key(
                "log",
                "a log filter, for example info,yiqi::http=debug",
                &actual,
            );
        }
        let format = self.text_of("log_format");
        if !["text", "json"].contains(&format.as_str()) {
            self.refuse_key("log_format", "text or json", &format);
        }
        let limits = self.text_of("rate_limits");
        if !["on", "off"].contains(&limits.as_str()) {
            self.refuse_key("rate_limits", "on or off", &limits);
        }
        let proxies = self.text_of("trusted_proxies");
        if let Err(expected) = proxies.parse::<Networks>() {
            self.refuse_key("trusted_proxies", expected, &proxies);
        }
        let origins = self.text_of("cors_origins");
        if !origins.is_empty() && !origins.split(',').map(str::trim).all(is_origin) {
            let expected =
                "origins with commas between them, for example https://portal.example.org";
            self.refuse_key("cors_origins", expected, &origins);
        }
        let url = self.text_of("public_url");
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let why = format!("must begin with http:// or https://, not {url}");
            let named = self.name_of("public_url");
            self.mistakes.push(Mistake::Refused { named, why });
        }
        // The address may hold a password, so it is not repeated.
        if let Err(unknown) = self.text_of("database_url").parse::<Database>() {
            let (named, why) = (self.name_of("database_url"), unknown.to_string());
            self.mistakes.push(Mistake::Refused { named, why });
        }
    }
}

/// Whether an ADDRESS:PORT or the host of an http URL is this machine alone.
fn is_loopback(text: &str) -> bool {
    let without_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = without_scheme.split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => authority,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// A scheme and a host, perhaps a port, and nothing behind: as browsers write it.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://");
    let host = host.or_else(|| text.strip_prefix("http://"));
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._:[]".contains(letter);
    host.is_some_and(|host| !host.is_empty() && host.chars().all(is_plain))
}

/// An address to listen on as it is, or what it must look like. Whether a host's name is known is asked when it is opened.
pub fn listen_address(text: &str) -> Result<String, &'static str> {
    let is_named = || {
        text.rsplit_once(':').is_some_and(|(host, port)| {
            let is_host = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
            !host.is_empty() && host.chars().all(is_host) && port.parse::<u16>().is_ok()
        })
    };
    match text.parse::<SocketAddr>().is_ok() || is_named() {
        true => Ok(text.to_owned()),
        false => Err("ADDRESS:PORT, for example 127.0.0.1:8080"),
    }
}
