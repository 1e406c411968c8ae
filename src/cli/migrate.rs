//! `yiqi migrate`: the schema, brought up to date.

use clap::Args;

use super::failure::Failure;
use super::output::{self, Format};
use crate::config::Config;
use crate::operations::migration;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Make the SQLite file when it is missing.
    #[arg(long)]
    create: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let ran = migration::migrate(config, arguments.create)?;
    match arguments.format {
        Format::Json => output::json(&serde_json::json!({"migrations": ran})),
        Format::Table if ran.is_empty() => output::say("The schema is up to date."),
        Format::Table => output::say(&format!("Applied {}.", ran.join(", "))),
    }
}
