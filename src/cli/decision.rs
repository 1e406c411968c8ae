//! What becomes of a yearly run at the command line: published, final or thrown away, each in the name of a person.

use chrono::NaiveDate;
use clap::Args;

use super::failure::Failure;
use super::output::{self, Format};
use super::{acting_as, operator};
use crate::app::App;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Done, Run};
use crate::operations::yearly_run::{self, RunDecision, RunId, RunState, Statement};

/// Which run, and who decides.
#[derive(Debug, Args)]
pub struct Chosen {
    /// The number of the run.
    pub run: i64,
    /// The account that decides, by its own rights: no installation publishes or finalizes by itself, and who finalizes neither
    /// began nor published it.
    #[arg(long = "as", value_name = "EMAIL")]
    account: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Publication {
    #[command(flatten)]
    chosen: Chosen,
    /// The last day of the public notice; by default the earliest allowed.
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<NaiveDate>,
    /// Printed with the notice.
    #[arg(long, value_name = "TEXT")]
    remark: Option<String>,
}

#[derive(Debug, Args)]
pub struct Rejection {
    #[command(flatten)]
    chosen: Chosen,
    /// Why; needed once it was published.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Publishes a run, after the draft evaluation that it stands on.
pub async fn publish(app: &App, id: RunId, publication: Publication) -> Result<(), Failure> {
    let actor = actor(app, publication.chosen.account.as_deref()).await?;
    let statement = Statement {
        notice_until_on: publication.until,
        remark: publication.remark,
        reason: None,
    };
    let run = yearly_run::get(app, &actor, id)
        .await
        .map_err(|error| no_run(error, id))?;
    if let Some(basis) = run.evaluation_id() {
        let basis = RunId::from(basis);
        let evaluation = yearly_run::get(app, &actor, basis).await?;
        if evaluation.lifecycle().state == RunState::Draft {
            made(
                app,
                (&actor, &publication.chosen),
                (basis, RunDecision::Publish),
                statement.clone(),
            )
            .await?;
        }
    }
    let decided = (id, RunDecision::Publish);
    decide(app, (&actor, &publication.chosen), decided, statement).await
}

/// Makes a run final, its evaluation too.
pub async fn finalize(app: &App, id: RunId, chosen: Chosen) -> Result<(), Failure> {
    let actor = actor(app, chosen.account.as_deref()).await?;
    let decided = (id, RunDecision::Finalize);
    decide(app, (&actor, &chosen), decided, Statement::default()).await
}

pub async fn discard(app: &App, id: RunId, rejection: Rejection) -> Result<(), Failure> {
    let actor = actor(app, rejection.chosen.account.as_deref()).await?;
    let statement = Statement {
        reason: rejection.reason,
        ..Statement::default()
    };
    let decided = (id, RunDecision::Discard);
    decide(app, (&actor, &rejection.chosen), decided, statement).await
}

impl Publication {
    pub const fn run(&self) -> i64 {
        self.chosen.run
    }
}

impl Rejection {
    pub const fn run(&self) -> i64 {
        self.chosen.run
    }
}

/// Who is named; nobody named is the installation, which may not decide what others are shown.
pub async fn actor(app: &App, account: Option<&str>) -> Result<Actor, Failure> {
    match account {
        Some(login) => acting_as(app, login).await,
        None => Ok(operator(app)),
    }
}

async fn made(
    app: &App,
    (actor, chosen): (&Actor, &Chosen),
    (id, decision): (RunId, RunDecision),
    statement: Statement,
) -> Result<RunState, Failure> {
    let deciding = Run::direct(app, actor, yearly_run::action_of(id.kind(), decision));
    let done = yearly_run::decide(&deciding, id, Ok(statement)).await;
    let run = done.and_then(Done::now).map_err(|error| match error {
        AppError::Denied(_) if chosen.account.is_none() => {
            Failure::Refused("somebody decides this; say --as EMAIL".to_owned())
        }
        error => no_run(error, id),
    })?;
    Ok(run.lifecycle().state)
}

async fn decide(
    app: &App,
    (actor, chosen): (&Actor, &Chosen),
    (id, decision): (RunId, RunDecision),
    statement: Statement,
) -> Result<(), Failure> {
    let state = made(app, (actor, chosen), (id, decision), statement).await?;
    let run = yearly_run::get(app, actor, id).await?;
    let basis = match run.evaluation_id() {
        Some(basis) => Some(yearly_run::get(app, actor, basis.into()).await?),
        None => None,
    };
    let number = id.number();
    match chosen.format {
        Format::Json => output::json(&serde_json::json!({
            "id": number,
            "state": state,
            "notice_until_on": run.lifecycle().notice_until_on,
            "public_notice_id": run.lifecycle().public_notice_id,
            "evaluation_id": run.evaluation_id(),
            "evaluation_state": basis.map(|basis| basis.lifecycle().state),
        })),
        Format::Table => {
            let name = id.kind().title();
            output::say(&format!("{name} {number} is {state}."))?;
            if let Some(basis) = basis {
                let (kind, state) = (basis.id().kind().title(), basis.lifecycle().state);
                output::say(&format!("{kind} {} is {state}.", basis.id().number()))?;
            }
            match run.lifecycle().notice_until_on {
                Some(day) if state == RunState::Published => {
                    let notice = run.lifecycle().public_notice_id;
                    let notice = notice.map(|id| format!(" {id}")).unwrap_or_default();
                    output::say(&format!(
                        "The public notice{notice} lasts until {day}, included."
                    ))
                }
                _ => Ok(()),
            }
        }
    }
}

pub fn no_run(error: AppError, id: RunId) -> Failure {
    match error {
        AppError::NotFound => {
            let name = id.kind().title().to_lowercase();
            Failure::Refused(format!("there is no {name} {}", id.number()))
        }
        other => other.into(),
    }
}
