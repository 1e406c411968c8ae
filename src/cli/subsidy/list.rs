//! `yiqi subsidy list`: the runs there are.

use clap::Args;
use serde_json::json;

use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::operator;
use crate::cli::output::{self, Format};
use crate::operations::yearly_run::{self, Page, PageStart, RunKind, SubsidyRun, YearlyRun};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Those of this year only.
    #[arg(long)]
    year: Option<i32>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub async fn print(app: &App, arguments: Arguments) -> Result<(), Failure> {
    let page = Page {
        years: arguments.year.map(i64::from).into_iter().collect(),
        place: PageStart::After(0),
        limit: i64::MAX,
    };
    let listed = yearly_run::list(app, &operator(app), RunKind::SubsidyRun, Ok(page)).await?;
    let runs = listed.into_iter().filter_map(|listed| match listed.run {
        YearlyRun::SubsidyRun(run) => Some(run),
        YearlyRun::Evaluation(_) => None,
    });
    match arguments.format {
        Format::Json => output::json(&runs.map(document).collect::<Vec<_>>()),
        Format::Table => {
            let rows: Vec<_> = runs.map(row).collect();
            let headings = ["run", "year", "policy", "state", "budget", "awarded"];
            output::table(headings, &rows)
        }
    }
}

fn row(run: SubsidyRun) -> [String; 6] {
    let lifecycle = run.lifecycle;
    [
        run.id.to_string(),
        lifecycle.year.to_string(),
        lifecycle.policy_code,
        lifecycle.state.to_string(),
        run.budget_fen.to_string(),
        run.awarded_fen
            .map(|fen| fen.to_string())
            .unwrap_or_default(),
    ]
}

fn document(run: SubsidyRun) -> serde_json::Value {
    let lifecycle = run.lifecycle;
    json!({
        "run_id": run.id,
        "year": lifecycle.year,
        "policy": lifecycle.policy_code,
        "state": lifecycle.state,
        "evaluation_id": run.evaluation_id,
        "budget_fen": run.budget_fen,
        "awarded_fen": run.awarded_fen,
    })
}
