//! `yiqi subsidy`: the yearly run, its proof, its explanation, and what becomes of it. On standard output stands the result
//! alone, so that two runs can be compared byte by byte.

pub mod explanation;
mod left_out;
mod list;
pub mod report;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::output::{self, Format};
use super::{decision, export, operator, progress};
use crate::app::App;
use crate::config::Config;
use crate::error::AppError;
use crate::operations::yearly_run::verify::{self, Check};
use crate::operations::yearly_run::{self, Budget, Fen, Request, RunId, SubsidyRunId};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Share out a budget; the run is a draft that nobody but the province sees.
    Run(Arguments),
    /// The runs there are.
    List(list::Arguments),
    /// Write a run to a file: awards as CSV, everything as XLSX, or the notice as PDF.
    Export(export::Arguments),
    /// Compute a run again, from its frozen inputs and from the records, and compare.
    Verify(Chosen),
    /// Tell how the award of a unit came about, down to the records.
    Explain(explanation::Arguments),
    /// Show a draft and its evaluation to everybody; the public notice begins.
    Publish(decision::Publication),
    /// Make a published run and its evaluation the ones of their year, for good, after the notice and by a second person.
    Finalize(decision::Chosen),
    /// Throw a run away.
    Discard(decision::Rejection),
}

#[derive(Debug, Args)]
pub struct Arguments {
    #[arg(long)]
    year: i32,
    /// A policy: its code, or code@version.
    #[arg(long)]
    policy: String,
    /// The budget in yuan, with at most two decimals.
    #[arg(long, value_name = "YUAN", value_parser = Fen::of_yuan)]
    budget_yuan: Fen,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Chosen {
    /// The number of the run.
    run: i64,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub async fn run(config: Config, action: Command) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let done = match action {
        Command::Run(arguments) => share_out(&app, arguments).await,
        Command::List(arguments) => list::print(&app, arguments).await,
        Command::Export(arguments) => match run_id(arguments.run) {
            Ok(id) => export::write(&app, id, arguments).await,
            Err(failure) => Err(failure),
        },
        Command::Verify(chosen) => verify(&app, chosen).await,
        Command::Explain(arguments) => explanation::run(&app, arguments).await,
        Command::Publish(publication) => match run_id(publication.run()) {
            Ok(id) => decision::publish(&app, id, publication).await,
            Err(failure) => Err(failure),
        },
        Command::Finalize(chosen) => match run_id(chosen.run) {
            Ok(id) => decision::finalize(&app, id, chosen).await,
            Err(failure) => Err(failure),
        },
        Command::Discard(rejection) => match run_id(rejection.run()) {
            Ok(id) => decision::discard(&app, id, rejection).await,
            Err(failure) => Err(failure),
        },
    };
    app.store.drain();
    done
}

async fn share_out(app: &App, arguments: Arguments) -> Result<(), Failure> {
    let request = Request {
        year: arguments.year,
        policy: arguments.policy,
        budget: Some(Budget {
            fen: arguments.budget_yuan,
            evaluation_id: None,
        }),
    };
    let shown = progress::over_phases();
    let id = yearly_run::run(app, &operator(app), request, |phase| shown.tell(phase)).await?;
    drop(shown);
    tracing::info!(run = id.number(), "the run is a draft");
    report::print(app, id.number(), arguments.format).await
}

/// The id of a number; a number that is none names nothing.
pub fn id<T: TryFrom<i64>>(number: i64) -> Result<T, Failure> {
    T::try_from(number).map_err(|_| Failure::Refused(format!("there is no run {number}")))
}

fn run_id(number: i64) -> Result<RunId, Failure> {
    id::<SubsidyRunId>(number).map(RunId::from)
}

fn no_run(error: AppError, run: i64) -> Failure {
    Failure::seeking(error, format_args!("run {run}"))
}

async fn verify(app: &App, chosen: Chosen) -> Result<(), Failure> {
    let shown = progress::show("computing the run again, twice");
    let outcome = verify::verify(app, &operator(app), id(chosen.run)?)
        .await
        .map_err(|error| no_run(error, chosen.run))?;
    drop(shown);
    match chosen.format {
        Format::Json => output::json(&outcome)?,
        Format::Table => {
            let row = |name: &str, check: &Check| {
                let agrees = if check.agrees { "yes" } else { "no" };
                [
                    name.to_owned(),
                    agrees.to_owned(),
                    check.input_digest.clone(),
                    check.result_digest.clone(),
                ]
            };
            let rows = [
                row("stored", &outcome.stored),
                row("from the frozen inputs", &outcome.from_inputs),
                row("from the records", &outcome.from_records),
            ];
            output::table(["computed", "agrees", "inputs", "results"], &rows)?;
            for policy in outcome.policies.iter().filter(|policy| !policy.agrees) {
                output::say(&format!(
                    "Policy {} says something else than when the run was made: recorded {}, now {}",
                    policy.policy_id, policy.recorded_digest, policy.digest
                ))?;
            }
            let changed = outcome.changed_records.len();
            if changed > 0 {
                output::say(&format!("{changed} records changed since the freeze"))?;
            }
        }
    }
    if outcome.verified {
        Ok(())
    } else {
        Err(Failure::Refused(format!(
            "run {} is not verified",
            chosen.run
        )))
    }
}
