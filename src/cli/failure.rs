//! Why a command did not do what it was asked: one line on standard error and an exit code that scripts can tell apart.

use std::process::ExitCode;

use crate::app::token::NotKeys;
use crate::config::ConfigError;
use crate::error::text::{self, Language};
use crate::error::{AppError, Fault};
use crate::http::problem;

/// What stands below the help.
pub const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused (a rule, a mistake in a file), 2 wrong command line or settings, \
3 database, file or address not available, 4 a defect of this program.";

/// One kind for each exit code but 0.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What was asked breaks a rule, or a file has mistakes.
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Settings(String),
    /// Something outside this program is not there now.
    #[error("{0}")]
    Unavailable(String),
    #[error("internal error: {0}")]
    Internal(String),
}

impl Failure {
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Refused(_) => 1,
            Failure::Settings(_) => 2,
            Failure::Unavailable(_) => 3,
            Failure::Internal(_) => 4,
        })
    }

    /// Of something that was asked for by name: not found says what it was.
    pub fn seeking(error: AppError, what: impl std::fmt::Display) -> Self {
        match error {
            AppError::NotFound => Failure::Refused(format!("there is no {what}")),
            other => other.into(),
        }
    }

    /// A file that cannot be read or written.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Failure::Unavailable(format!("{}: {error}", path.display()))
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let sentence = |fault: &Fault| text::message(fault, Language::English);
        match &error {
            AppError::Internal(cause) => Failure::Internal(cause.to_string()),
            AppError::Unavailable(why) => Failure::Unavailable(why.clone()),
            AppError::Contended | AppError::Busy => Failure::Unavailable(error.to_string()),
            AppError::Malformed(faults) | AppError::Refused(faults) => {
                Failure::Refused(faults.iter().map(sentence).collect::<Vec<_>>().join("; "))
            }
            AppError::Unacceptable(fault) => Failure::Refused(sentence(fault)),
            AppError::Conflict(conflict) => {
                let sentences: Vec<_> = conflict.faults.iter().map(sentence).collect();
                let mut line = match sentences.is_empty() {
                    true => sentence(&Fault::request(conflict.code)),
                    false => sentences.join("; "),
                };
                for (member, value) in &conflict.members {
                    line.push_str(&format!(" ({member}: {value})"));
                }
                Failure::Refused(line)
            }
            _ => Failure::Refused(sentence(&Fault::request(problem::code(&error)))),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure::Settings(error.to_string())
    }
}

impl From<NotKeys> for Failure {
    fn from(error: NotKeys) -> Self {
        Failure::Settings(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Internal(error.to_string())
    }
}
