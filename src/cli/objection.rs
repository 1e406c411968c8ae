//! `yiqi objections`: what was objected to public notices, and what is decided of it, in the name of a person.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::acting_as_or_only;
use super::failure::Failure;
use super::output::{self, Format};
use crate::app::App;
use crate::config::Config;
use crate::error::AppError;
use crate::operations::objection::{
    self, Filter, Objection, ObjectionId, ObjectionState, PublicNoticeId, Statement, Uscc,
};
use crate::operations::preflight;
use crate::operations::run::{Done, Run};
use crate::operations::session::Action;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Those that the account reads, newest first.
    List {
        /// Only those still to be decided.
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        asked: Asked,
    },
    /// One, with its text.
    Show {
        objection: i64,
        #[command(flatten)]
        asked: Asked,
    },
    /// Objects to a public notice while it is open.
    Add {
        /// The number of the notice, which publishing tells.
        notice: i64,
        /// What is wrong, and how it can be seen.
        #[arg(long)]
        text: String,
        /// The unit it is about, by its code of 18 characters.
        #[arg(long, value_name = "USCC")]
        organization: Option<String>,
        #[command(flatten)]
        asked: Asked,
    },
    /// Upholds one; no figure moves: mend the cause, then make a new draft.
    Uphold(Decision),
    /// Dismisses one.
    Dismiss(Decision),
}

/// In whose name.
#[derive(Debug, Args)]
pub struct Asked {
    /// The account, whose rights hold; by default the only one that may.
    #[arg(long = "as", value_name = "EMAIL")]
    account: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Decision {
    objection: i64,
    /// What is decided and why; it stands in the public notice.
    #[arg(long)]
    text: String,
    #[command(flatten)]
    asked: Asked,
}

pub async fn run(config: Config, command: Command) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let done = match command {
        Command::List { open, asked } => list(&app, open, &asked).await,
        Command::Show { objection, asked } => show(&app, objection, &asked).await,
        Command::Add {
            notice,
            text,
            organization,
            asked,
        } => add(&app, (notice, text, organization), &asked).await,
        Command::Uphold(decision) => decide(&app, Action::ObjectionUphold, decision).await,
        Command::Dismiss(decision) => decide(&app, Action::ObjectionDismiss, decision).await,
    };
    app.store.drain();
    done
}

async fn list(app: &App, open: bool, asked: &Asked) -> Result<(), Failure> {
    let actor = acting_as_or_only(app, asked.account.as_deref(), Action::ObjectionUphold).await?;
    let filter = Filter {
        states: open.then_some(ObjectionState::Open).into_iter().collect(),
        limit: i64::MAX,
        ..Filter::default()
    };
    let found = objection::list(app, &actor, Ok(filter)).await?;
    match asked.format {
        Format::Json => {
            let items: Vec<Value> = found.iter().map(document).collect();
            output::json(&json!({ "items": items }))
        }
        Format::Table => {
            let rows: Vec<_> = found.iter().map(row).collect();
            output::table(["id", "notice", "unit", "state", "due", "text"], &rows)
        }
    }
}

async fn show(app: &App, number: i64, asked: &Asked) -> Result<(), Failure> {
    let actor = acting_as_or_only(app, asked.account.as_deref(), Action::ObjectionUphold).await?;
    let found = objection::get(app, &actor, id(number)?).await;
    print(&found.map_err(|error| unknown(error, number))?, asked)
}

async fn add(
    app: &App,
    (notice, text, organization): (i64, String, Option<String>),
    asked: &Asked,
) -> Result<(), Failure> {
    let actor = acting_as_or_only(app, asked.account.as_deref(), Action::ObjectionCreate).await?;
    let nowhere = || Failure::Refused(format!("there is no public notice {notice}"));
    let organization_id = match organization {
        Some(code) => {
            let nobody = || Failure::Refused(format!("there is no unit {code}"));
            let uscc = Uscc::parse(&code).map_err(|_| nobody())?;
            let found = preflight::unit(app, uscc).await;
            Some(found.map_err(|error| match error {
                AppError::NotFound => nobody(),
                other => other.into(),
            })?)
        }
        None => None,
    };
    let statement = Statement {
        text,
        organization_id,
    };
    let id = PublicNoticeId::try_from(notice).map_err(|_| nowhere())?;
    let run = Run::direct(app, &actor, Action::ObjectionCreate);
    let done = objection::create(&run, id, Ok(statement)).await;
    let made = done.and_then(Done::now).map_err(|error| match error {
        AppError::NotFound => nowhere(),
        other => other.into(),
    })?;
    print(&made, asked)
}

async fn decide(app: &App, action: Action, decision: Decision) -> Result<(), Failure> {
    let asked = decision.asked;
    let actor = acting_as_or_only(app, asked.account.as_deref(), action).await?;
    let run = Run::direct(app, &actor, action);
    let id = id(decision.objection)?;
    let done = objection::end(&run, id, Ok(Some(decision.text))).await;
    let ended = done.and_then(Done::now);
    print(
        &ended.map_err(|error| unknown(error, decision.objection))?,
        &asked,
    )
}

fn print(objection: &Objection, asked: &Asked) -> Result<(), Failure> {
    if asked.format == Format::Json {
        return output::json(&document(objection));
    }
    let (id, notice) = (objection.id, objection.public_notice_id);
    output::say(&format!(
        "Objection {id} to public notice {notice} is {}; to be decided by {}.",
        objection.state, objection.due_on
    ))?;
    output::say(&objection.text)?;
    match &objection.decision {
        Some(decision) => output::say(&format!("Decision: {decision}")),
        None => Ok(()),
    }
}

fn document(objection: &Objection) -> Value {
    json!({
        "id": objection.id,
        "public_notice_id": objection.public_notice_id,
        "organization_id": objection.organization_id,
        "state": objection.state,
        "due_on": objection.due_on,
        "text": objection.text,
        "decision": objection.decision,
    })
}

fn row(objection: &Objection) -> [String; 6] {
    let unit = objection.organization_id.map(|id| id.to_string());
    [
        objection.id.to_string(),
        objection.public_notice_id.to_string(),
        unit.unwrap_or_default(),
        objection.state.to_string(),
        objection.due_on.to_string(),
        objection.text.clone(),
    ]
}

fn id(number: i64) -> Result<ObjectionId, Failure> {
    let found = ObjectionId::try_from(number);
    found.map_err(|_| unknown(AppError::NotFound, number))
}

fn unknown(error: AppError, number: i64) -> Failure {
    match error {
        AppError::NotFound => Failure::Refused(format!("there is no objection {number}")),
        other => other.into(),
    }
}
