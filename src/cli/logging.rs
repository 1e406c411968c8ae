//! Logs on standard error, as text or JSON, each line of a request with the request's id.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::failure::Failure;
use crate::config::{Config, LogFormat};

/// Starts logging as the settings say; a second start keeps the first.
pub fn start(config: &Config) -> Result<(), Failure> {
    // A request that cannot be read as one is answered; that is no error of this program.
    let filter = format!("{},actix_http::h1::dispatcher=off", config.log);
    let filter =
        EnvFilter::try_new(filter).map_err(|error| Failure::Settings(format!("log: {error}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // Where not even the log can be written, nobody could read of it, and saying so there would end the request.
        .log_internal_errors(false);
    let started = match config.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
    Ok(())
}
