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
    let printed = subsidy_json::of_report(&report);
    let printed = printed.map_err(|error| Failure::Internal(error.to_string()))?;
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
    if !rows.is_empty() {
        output::table(["unit", "points", "grade", "award in yuan"], &rows)?;
    }
    if printed.awards.len() > 1 || rows.is_empty() {
        let paid = printed.awards.iter().flat_map(|award| {
            award.units.iter().map(|unit| {
                let fen = Fen::new(unit.award_fen).to_string();
                [award.award_code.clone(), unit.name.clone(), fen]
            })
        });
        let rows: Vec<_> = paid.collect();
        output::table(["award", "paid to", "yuan"], &rows)?;
    }
    for pool in &printed.pools {
        let name = pool.pool.as_deref().map(|name| format!(" of {name}"));
        output::say(&format!(
            "Budget{} {} yuan, awarded {}, unspent {}, factor {}",
            name.unwrap_or_default(),
            Fen::new(pool.budget_fen),
            Fen::new(pool.awarded_fen),
            Fen::new(pool.unspent_fen),
            pool.factor.as_deref().unwrap_or("none")
        ))?;
    }
    Ok(())
}
