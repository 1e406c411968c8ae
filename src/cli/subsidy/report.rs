//! The result of a run: the document that other programs compare, or a table.

use super::{id, no_run};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::operator;
use crate::cli::output::{self, Format};
use crate::exchange::subsidy_json::{self, PrintedRun};
use crate::operations::session::Action;
use crate::operations::yearly_run::{Fen, awards};

pub async fn print(app: &App, run: i64, format: Format) -> Result<(), Failure> {
    let report = awards::report(app, &operator(app), Action::SubsidyAwardList, id(run)?)
        .await
        .map_err(|error| no_run(error, run))?;
    let year = i32::try_from(report.run.lifecycle.year)
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let printed = subsidy_json::print(
        year,
        &report.policy,
        &report.evaluation,
        &report.allocation,
        &report.names,
    )
    .map_err(|error| Failure::Internal(error.to_string()))?;
    match format {
        Format::Json => output::say(&printed.to_text()?),
        Format::Table => table(&printed, run, report.run.lifecycle.state.as_str()),
    }
}

fn table(printed: &PrintedRun, run: i64, state: &str) -> Result<(), Failure> {
    output::say(&format!(
        "Run {run} of {}, policy {}, {state}",
        printed.year, printed.policy
    ))?;
    let rows: Vec<_> = printed
        .units
        .iter()
        .map(|unit| {
            [
                unit.name.clone(),
                unit.total.clone().unwrap_or_default(),
                unit.grade
                    .map(|grade| grade.to_string())
                    .unwrap_or_default(),
                Fen::new(unit.award_fen).to_string(),
            ]
        })
        .collect();
    output::table(["unit", "points", "grade", "award in yuan"], &rows)?;
    output::say(&format!(
        "Budget {} yuan, awarded {}, unspent {}, factor {}",
        Fen::new(printed.budget_fen),
        Fen::new(printed.awarded_fen),
        Fen::new(printed.unspent_fen),
        printed.factor
    ))
}
