//! `yiqi policy add|list|show|in-force|withdraw`: packs in the database, and their states.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::Subcommand;
use serde_json::json;

use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::output::{self, Format};
use crate::cli::{acting_as, operator};
use crate::error::AppError;
use crate::operations::policy::{self, Pack, PolicyId, Sent};
use crate::operations::run::Run;
use crate::operations::session::Action;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Store a pack as a draft.
    Add {
        file: PathBuf,
        /// What is probably wrong in it is meant so.
        #[arg(long)]
        accept_warnings: bool,
        /// The account that stores it; without it the installation does.
        #[arg(long = "as", value_name = "EMAIL")]
        account: Option<String>,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// All packs with their states.
    List {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// A pack with its text.
    Show {
        /// Its number, code@version, or a code for its version in force.
        pack: String,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Put a draft in force, by another person than its uploader.
    InForce {
        /// Its number or code@version.
        pack: String,
        /// The first day on which it rules; today without it.
        #[arg(long = "from", value_name = "YYYY-MM-DD")]
        from_on: Option<NaiveDate>,
        #[arg(long = "as", value_name = "EMAIL")]
        account: String,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Withdraw a pack in force, for good.
    Withdraw {
        /// Its number or code@version.
        pack: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[arg(long = "as", value_name = "EMAIL")]
        account: String,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

pub(super) async fn act(app: &App, action: Command) -> Result<(), Failure> {
    match action {
        Command::Add {
            file,
            accept_warnings,
            account,
            format,
        } => {
            let sent = Sent {
                content: read(&file)?,
                accepts_warnings: accept_warnings,
            };
            let actor = match account {
                Some(login) => acting_as(app, &login).await?,
                None => operator(app),
            };
            let run = Run::direct(app, &actor, Action::PolicyCreate);
            let pack = policy::create(&run, Ok(sent)).await?.now()?;
            tell(&pack, format)
        }
        Command::List { format } => list(app, format).await,
        Command::Show { pack, format } => {
            let pack = find(app, pack).await?;
            match format {
                Format::Json => output::json(&document(&pack)),
                Format::Table => output::say(pack.content.trim_end()),
            }
        }
        Command::InForce {
            pack,
            from_on,
            account,
            format,
        } => {
            let actor = acting_as(app, &account).await?;
            let id = find(app, pack).await?.id;
            let run = Run::direct(app, &actor, Action::PolicyPutInForce);
            let done = policy::put_in_force(&run, id, Ok(from_on)).await;
            tell(&done?.now()?, format)
        }
        Command::Withdraw {
            pack,
            reason,
            account,
            format,
        } => {
            let actor = acting_as(app, &account).await?;
            let id = find(app, pack).await?.id;
            let run = Run::direct(app, &actor, Action::PolicyWithdraw);
            let done = policy::withdraw(&run, id, Ok(Some(reason))).await;
            tell(&done?.now()?, format)
        }
    }
}

/// A pack by its number or its name.
async fn find(app: &App, name: String) -> Result<Pack, Failure> {
    let found = match name.parse::<i64>() {
        Ok(number) => match PolicyId::try_from(number) {
            Ok(id) => policy::get(app, &operator(app), Ok(id)).await,
            Err(_) => Err(AppError::NotFound),
        },
        Err(_) => policy::get_by_name(app, name.clone()).await,
    };
    found.map_err(|error| Failure::seeking(error, format_args!("policy {name}")))
}

async fn list(app: &App, format: Format) -> Result<(), Failure> {
    let packs = policy::list(app, &operator(app), Ok((None, i64::MAX))).await?;
    match format {
        Format::Json => output::json(&packs.iter().map(document).collect::<Vec<_>>()),
        Format::Table => {
            let rows: Vec<_> = packs
                .iter()
                .map(|pack| {
                    let from_on = pack.from_on.map(|day| day.to_string());
                    [
                        pack.id.to_string(),
                        format!("{}@{}", pack.code, pack.version),
                        pack.state.to_string(),
                        from_on.unwrap_or_default(),
                        pack.title.clone(),
                    ]
                })
                .collect();
            output::table(["number", "policy", "state", "from", "title"], &rows)
        }
    }
}

fn tell(pack: &Pack, format: Format) -> Result<(), Failure> {
    let from_on = pack.from_on.map(|day| format!(" from {day}"));
    match format {
        Format::Json => output::json(&document(pack)),
        Format::Table => output::say(&format!(
            "Policy {} ({}@{}) is {}{}.",
            pack.id,
            pack.code,
            pack.version,
            pack.state,
            from_on.unwrap_or_default()
        )),
    }
}

fn document(pack: &Pack) -> serde_json::Value {
    json!({
        "id": pack.id,
        "code": pack.code,
        "version": pack.version,
        "title": pack.title,
        "digest": pack.digest,
        "state": pack.state,
        "from_on": pack.from_on,
    })
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))
}
