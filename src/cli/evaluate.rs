//! `yiqi evaluate run`: grades every host of a year and prints the draft.

use clap::{Args, Subcommand};
use serde_json::json;

use super::failure::Failure;
use super::output::{self, Format};
use super::{operator, progress};
use crate::config::Config;
use crate::operations::yearly_run::{self, Request, grades};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Freeze the records of a year and grade every unit.
    Run(Arguments),
}

#[derive(Debug, Args)]
pub struct Arguments {
    #[arg(long)]
    year: i32,
    /// A policy: its code, or code@version.
    #[arg(long)]
    policy: String,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub async fn run(config: Config, action: Command) -> Result<(), Failure> {
    let Command::Run(arguments) = action;
    let app = super::open(config).await?;
    let request = Request {
        year: arguments.year,
        policy: arguments.policy,
        budget: None,
    };
    let (actor, shown) = (operator(&app), progress::over_phases());
    let id = yearly_run::run(&app, &actor, request, |phase| shown.tell(phase)).await?;
    drop(shown);
    let id = id.number();
    let hosts = grades::list(&app, &actor, super::subsidy::id(id)?).await?;
    let graded = grades::graded(hosts)?;
    app.store.drain();
    match arguments.format {
        Format::Json => {
            let units = graded.units.iter().map(|unit| {
                let scores = unit
                    .scores
                    .iter()
                    .map(|score| (score.id.clone(), score.printed()));
                json!({
                    "uscc": unit.uscc,
                    "scores": scores.collect::<std::collections::BTreeMap<_, _>>(),
                    "total": unit.total_printed(),
                    "grade": unit.grade,
                })
            });
            output::json(&json!({"evaluation_id": id, "units": units.collect::<Vec<_>>()}))
        }
        Format::Table => {
            let rows: Vec<_> = graded
                .units
                .iter()
                .map(|unit| {
                    [
                        unit.uscc.clone(),
                        unit.total_printed(),
                        unit.grade.to_string(),
                    ]
                })
                .collect();
            output::say(&format!("Evaluation {id}, a draft"))?;
            output::table(["unit", "total", "grade"], &rows)
        }
    }
}
