//! `yiqi policy`: packs as files, before anybody stores them (what is wrong with one, what it says, how two differ, what it would
//! pay on facts that are in no database), and packs in the database.

mod describe;
mod stored;
mod template;
mod trial;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::failure::Failure;
use super::output::{self, Format};
use crate::config::Config;
use crate::operations::policy_pack::{self, PolicyMistake, Values};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read a pack and tell every mistake with its line, and what is whole but probably wrong.
    Check {
        file: PathBuf,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Say a pack in sentences that can be held beside the official document.
    Explain(describe::Explain),
    /// Say in words what differs between two packs.
    Diff(describe::Diff),
    /// Print the JSON Schema of packs, for editors.
    Schema,
    /// Write the empty files of a folder of facts for a pack.
    FactsTemplate(template::Arguments),
    /// Compute a pack on a folder of facts, without a database.
    Try(trial::Arguments),
    #[command(flatten)]
    Stored(stored::Command),
}

pub async fn run(config: Config, action: Command) -> Result<(), Failure> {
    match action {
        Command::Check { file, format } => check(&file, format),
        Command::Explain(arguments) => describe::explain(&arguments),
        Command::Diff(arguments) => describe::diff(&arguments),
        Command::Schema => output::json(&policy_pack::schema::schema()),
        Command::FactsTemplate(arguments) => template::run(&arguments),
        Command::Try(arguments) => trial::run(&arguments),
        Command::Stored(action) => {
            let app = super::open(config).await?;
            let done = stored::act(&app, action).await;
            app.store.drain();
            done
        }
    }
}

/// The text of a pack: a file, or the code of a pack that ships with the program.
fn text_of(pack: &Path) -> Result<String, Failure> {
    let shipped = pack.to_str().and_then(policy_pack::shipped);
    match std::fs::read_to_string(pack) {
        Ok(text) => Ok(text),
        Err(error) => match shipped {
            Some(text) => Ok(text.to_owned()),
            None => Err(Failure::file(pack, &error)),
        },
    }
}

fn check(file: &Path, format: Format) -> Result<(), Failure> {
    let text = text_of(file)?;
    match policy_pack::check(&text, &Values::new()) {
        Ok(checked) => match format {
            Format::Json => output::json(&json!({
                "policy": checked.policy.code,
                "mistakes": [],
                "warnings": entries(&checked.warnings),
            })),
            Format::Table => {
                warn(file, &checked.warnings);
                let told = match checked.warnings.len() {
                    0 => String::new(),
                    1 => " 1 warning.".to_owned(),
                    many => format!(" {many} warnings."),
                };
                let code = &checked.policy.code;
                output::say(&format!("{}: {code} is whole.{told}", file.display()))
            }
        },
        Err(mistakes) => {
            match format {
                Format::Json => output::json(&json!({ "mistakes": entries(&mistakes) }))?,
                Format::Table => mistakes
                    .iter()
                    .try_for_each(|mistake| output::say(&line(file, mistake)))?,
            }
            Err(refused(file, &mistakes))
        }
    }
}

fn refused(file: &Path, mistakes: &[PolicyMistake]) -> Failure {
    let count = match mistakes.len() {
        1 => "1 mistake".to_owned(),
        many => format!("{many} mistakes"),
    };
    Failure::Refused(format!("{count} in {}", file.display()))
}

fn entries(mistakes: &[PolicyMistake]) -> Vec<serde_json::Value> {
    let entry = |one: &PolicyMistake| {
        json!({
            "line": one.line,
            "key": one.key,
            "reason": one.reason.en,
            "reason_zh": one.reason.zh,
        })
    };
    mistakes.iter().map(entry).collect()
}

fn line(file: &Path, mistake: &PolicyMistake) -> String {
    let PolicyMistake { line, key, reason } = mistake;
    format!(
        "{}:{line}: {key} {} / {}",
        file.display(),
        reason.en,
        reason.zh
    )
}

/// Warnings go beside the result, never into it.
fn warn(file: &Path, warnings: &[PolicyMistake]) {
    for warning in warnings {
        output::note(&format!("warning: {}", line(file, warning)));
    }
}
