//! `subsidy compare`: what a run says otherwise than another, unit by unit.

use clap::Args;

use super::id;
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::operator;
use crate::cli::output::{self, Format};
use crate::operations::yearly_run::comparison::{self, Comparison, Side};
use crate::operations::yearly_run::{Fen, RunId, SubsidyRunId};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The number of the run to begin with.
    before: i64,
    /// The number of the run to compare with it.
    after: i64,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub async fn run(app: &App, arguments: Arguments) -> Result<(), Failure> {
    let before: SubsidyRunId = id(arguments.before)?;
    let after: SubsidyRunId = id(arguments.after)?;
    let (by, after) = (operator(app), Ok(RunId::from(after)));
    let compared = comparison::compare(app, &by, before.into(), after);
    let compared = compared.await.map_err(|error| {
        let runs = format_args!("runs {} and {}", arguments.before, arguments.after);
        Failure::seeking(error, runs)
    })?;
    match arguments.format {
        Format::Json => output::json(&compared),
        Format::Table => table(&compared),
    }
}

fn table(compared: &Comparison) -> Result<(), Failure> {
    let award = |side: &Option<Side>| {
        let fen = side.as_ref().and_then(|side| side.award_fen);
        fen.unwrap_or(Fen::ZERO).to_string()
    };
    let rows: Vec<_> = compared
        .units
        .iter()
        .map(|unit| {
            let causes = unit.causes.iter().map(|cause| cause.id.as_str());
            [
                unit.name.clone(),
                award(&unit.before),
                award(&unit.after),
                unit.change_fen.to_string(),
                causes.collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    output::table(
        ["unit", "before", "after", "change in yuan", "where"],
        &rows,
    )?;
    let groups = [
        ("gain", compared.gain),
        ("same", compared.same),
        ("lose", compared.lose),
    ];
    for (word, group) in groups {
        let (units, sum) = (group.units, group.sum_fen);
        output::say(&format!("{units} units {word}, {sum} yuan together"))?;
    }
    Ok(())
}
