//! `yiqi policy check`: every mistake of a pack with its line, before anybody installs it.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::failure::Failure;
use super::output::{self, Format};
use crate::operations::policy_pack;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read a pack and tell every mistake with its line.
    Check {
        file: PathBuf,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

pub fn run(action: &Command) -> Result<(), Failure> {
    let Command::Check { file, format } = action;
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    match policy_pack::read(&text) {
        Ok(policy) => match format {
            Format::Json => output::json(&json!({"policy": policy.code, "mistakes": []})),
            Format::Table => output::say(&format!("{}: {} is whole.", file.display(), policy.code)),
        },
        Err(mistakes) => {
            let count = mistakes.len();
            match format {
                Format::Json => {
                    let entries = mistakes
                        .iter()
                        .map(|m| json!({"line": m.line, "key": m.key, "reason": m.reason}));
                    output::json(&json!({"mistakes": entries.collect::<Vec<_>>()}))?;
                }
                Format::Table => mistakes.iter().try_for_each(|m| {
                    output::say(&format!(
                        "{}:{}: {} {}",
                        file.display(),
                        m.line,
                        m.key,
                        m.reason
                    ))
                })?,
            }
            Err(Failure::Refused(format!(
                "{count} mistakes in {}",
                file.display()
            )))
        }
    }
}
