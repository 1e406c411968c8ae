//! `yiqi findings`: what looks wrong in a year, and what is decided of it, in the name of a person.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::acting_as_or_only;
use super::failure::Failure;
use super::output::{self, Format};
use crate::app::App;
use crate::config::Config;
use crate::error::AppError;
use crate::operations::finding::decide::{self, Statement};
use crate::operations::finding::{
    self, Filter, Finding, FindingEffect, FindingId, FindingState, Grade, UsageRecordId,
};
use crate::operations::run::{Done, Run};
use crate::operations::session::Action;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Those that the account reads, newest first.
    List {
        /// Only of this year.
        #[arg(long)]
        year: Option<i64>,
        /// Only those still to be decided.
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        asked: Asked,
    },
    /// One, with the first of its records.
    Show {
        finding: i64,
        #[command(flatten)]
        asked: Asked,
    },
    /// Says that nothing is wrong.
    Clear(Decision),
    /// Says that it stands, and what follows.
    Uphold {
        #[command(flatten)]
        decision: Decision,
        /// none, exclude_records, evidence_manual, cap_grade or hold_award.
        #[arg(long)]
        effect: FindingEffect,
        /// With exclude_records or evidence_manual: only this record; repeat for more.
        #[arg(long = "record", value_name = "NUMBER")]
        records: Vec<UsageRecordId>,
        /// With cap_grade: the best grade that the unit may have.
        #[arg(long)]
        grade: Option<Grade>,
    },
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
    finding: i64,
    /// What is decided and why; the unit reads it where the finding is shown to it.
    #[arg(long)]
    text: String,
    #[command(flatten)]
    asked: Asked,
}

pub async fn run(config: Config, command: Command) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let done = match command {
        Command::List { year, open, asked } => list(&app, (year, open), &asked).await,
        Command::Show { finding, asked } => show(&app, finding, &asked).await,
        Command::Clear(decision) => {
            let statement = Statement::default();
            decide(&app, Action::FindingClear, decision, statement).await
        }
        Command::Uphold {
            decision,
            effect,
            records,
            grade,
        } => {
            let statement = Statement {
                effect: Some(effect),
                record_ids: Some(records).filter(|records| !records.is_empty()),
                grade,
                ..Statement::default()
            };
            decide(&app, Action::FindingUphold, decision, statement).await
        }
    };
    app.store.drain();
    done
}

async fn list(app: &App, (year, open): (Option<i64>, bool), asked: &Asked) -> Result<(), Failure> {
    let actor = acting_as_or_only(app, asked.account.as_deref(), Action::FindingClear).await?;
    let states = match open {
        true => vec![FindingState::Open, FindingState::Explained],
        false => Vec::new(),
    };
    let filter = Filter {
        years: year.into_iter().collect(),
        states,
        limit: i64::MAX,
        ..Filter::default()
    };
    let found = finding::list(app, &actor, Ok(filter)).await?;
    match asked.format {
        Format::Json => {
            let items: Vec<Value> = found.iter().map(document).collect();
            output::json(&json!({ "items": items }))
        }
        Format::Table => {
            let rows: Vec<_> = found.iter().map(row).collect();
            let heads = [
                "id",
                "year",
                "rule",
                "severity",
                "unit",
                "state",
                "count",
                "what it says",
            ];
            output::table(heads, &rows)
        }
    }
}

async fn show(app: &App, number: i64, asked: &Asked) -> Result<(), Failure> {
    let actor = acting_as_or_only(app, asked.account.as_deref(), Action::FindingClear).await?;
    let found = finding::get(app, &actor, id(number)?).await;
    print(&found.map_err(|error| unknown(error, number))?, asked)
}

async fn decide(
    app: &App,
    action: Action,
    decision: Decision,
    statement: Statement,
) -> Result<(), Failure> {
    let (asked, number) = (decision.asked, decision.finding);
    let actor = acting_as_or_only(app, asked.account.as_deref(), action).await?;
    let run = Run::direct(app, &actor, action);
    let statement = Statement {
        text: Some(decision.text),
        ..statement
    };
    let done = decide::decide(&run, id(number)?, Ok(statement)).await;
    let decided = done.and_then(Done::now);
    print(&decided.map_err(|error| unknown(error, number))?, &asked)
}

fn print(finding: &Finding, asked: &Asked) -> Result<(), Failure> {
    if asked.format == Format::Json {
        return output::json(&document(finding));
    }
    output::say(&format!(
        "Finding {} of {} ({}, {}) is {}.",
        finding.id,
        finding.year,
        finding.rule,
        finding.rule.severity(),
        finding.state
    ))?;
    output::say(&sentence(finding))?;
    let records: Vec<String> = finding.records_named().map(|id| id.to_string()).collect();
    if !records.is_empty() {
        output::say(&format!("Usage records: {}", records.join(", ")))?;
    }
    for (what, text) in [
        ("Explanation", &finding.explanation),
        ("Decision", &finding.decision),
    ] {
        if let Some(text) = text {
            output::say(&format!("{what}: {text}"))?;
        }
    }
    match finding.effect {
        Some(effect) => output::say(&format!("Effect: {effect}")),
        None => Ok(()),
    }
}

fn sentence(finding: &Finding) -> String {
    let (records, income) = (finding.records, finding.income_fen);
    finding::sentence(finding.rule, records, income, finding.is_cut).en
}

fn document(finding: &Finding) -> Value {
    let records: Vec<UsageRecordId> = finding.records_named().collect();
    json!({
        "id": finding.id,
        "year": finding.year,
        "rule": finding.rule,
        "severity": finding.rule.severity(),
        "organization_id": finding.organization_id,
        "counterpart_organization_id": finding.counterpart_organization_id,
        "instrument_id": finding.instrument_id,
        "sentence": sentence(finding),
        "count": finding.records,
        "usage_record_ids": records,
        "state": finding.state,
        "due_on": finding.due_on,
        "explanation": finding.explanation,
        "decision": finding.decision,
        "effect": finding.effect,
        "grade": finding.grade,
    })
}

fn row(finding: &Finding) -> [String; 8] {
    [
        finding.id.to_string(),
        finding.year.to_string(),
        finding.rule.to_string(),
        finding.rule.severity().to_string(),
        finding.organization_id.to_string(),
        finding.state.to_string(),
        finding.records.to_string(),
        sentence(finding),
    ]
}

fn id(number: i64) -> Result<FindingId, Failure> {
    let found = FindingId::try_from(number);
    found.map_err(|_| unknown(AppError::NotFound, number))
}

fn unknown(error: AppError, number: i64) -> Failure {
    match error {
        AppError::NotFound => Failure::Refused(format!("there is no finding {number}")),
        other => other.into(),
    }
}
