//! `yiqi subsidy`: the yearly run, its proof, its explanation, and what becomes of it. On standard output stands the result
//! alone, so that two runs can be compared byte by byte.

mod after_final;
mod compare;
pub mod explanation;
mod left_out;
pub mod report;
mod verify;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::output::Format;
use super::yearly_run::{self as runs, Listed, Unshown};
use super::{archive, decision, export, operator, progress};
use crate::app::App;
use crate::config::Config;
use crate::error::AppError;
use crate::operations::session::Action;
use crate::operations::yearly_run::{
    self, Asked, Budget, Fen, Request, RunId, RunKind, SubsidyRunId,
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Share out a budget; the run is a draft that nobody but the province sees.
    Run(Arguments),
    /// The runs there are.
    List(Listed),
    /// Write a run to a file: awards as CSV, everything as XLSX, or the notice as PDF.
    Export(export::Arguments),
    /// Write a published run with everything it was made of to one file, to be proved elsewhere.
    Archive(archive::Arguments),
    /// Compute a run again, from its frozen inputs and from the records, or an archive from itself, and compare.
    Verify(verify::Chosen),
    /// Tell what a run says otherwise than another.
    Compare(compare::Arguments),
    /// Tell how the award of a unit came about, down to the records.
    Explain(explanation::Arguments),
    /// Show a draft and its evaluation to everybody; the public notice begins.
    Publish(decision::Publication),
    /// Make a published run and its evaluation the ones of their year, for good, after the notice and by a second person.
    Finalize(decision::Chosen),
    /// Throw a run away.
    Discard(decision::Rejection),
    /// Delete a what-if.
    Delete(Unshown),
    /// Enter a payment of an award of a final run, or what came back.
    Pay(after_final::Paid),
    /// Propose to adjust an award; a second person approves it.
    Adjust(after_final::Adjusted),
    /// Approve or refuse an adjustment that another person proposed.
    Decide(after_final::Decided),
    /// Hold an award: nothing is paid until it is released.
    Hold(after_final::Held),
    /// Release an award that was held.
    Release(after_final::Held),
}

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    asked: AskedArguments,
    /// A budget in yuan, with at most two decimals; one for each pool of the pack.
    #[arg(long = "budget-yuan", value_name = "[POOL=]YUAN", required = true)]
    budgets: Vec<String>,
    /// The claim window, by its first day; needed exactly where the pack has windows.
    #[arg(long, value_name = "MM-DD")]
    claim: Option<String>,
    /// The evaluation to pay by; by default the final one of year and pack, else a new draft.
    #[arg(long, value_name = "NUMBER")]
    evaluation: Option<i64>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What runs of both kinds are begun with.
#[derive(Debug, Args)]
pub struct AskedArguments {
    #[arg(long)]
    year: i32,
    /// A policy: its code, or code@version.
    #[arg(long)]
    policy: String,
    /// A value that the pack leaves open.
    #[arg(long = "parameter", value_name = "NAME=DECIMAL")]
    parameters: Vec<String>,
    /// A what-if: values may leave their bounds, nothing is published.
    #[arg(long)]
    scenario: bool,
    /// What to call it.
    #[arg(long)]
    name: Option<String>,
    /// The number of the run that it shall replace.
    #[arg(long, value_name = "NUMBER")]
    replaces: Option<i64>,
}

impl AskedArguments {
    pub fn read(self) -> Result<Asked, Failure> {
        let mut parameters = BTreeMap::new();
        for text in self.parameters {
            let wrong =
                || Failure::Settings(format!("{text:?}: a parameter is said as NAME=DECIMAL"));
            let (name, value) = text.split_once('=').ok_or_else(wrong)?;
            if parameters
                .insert(name.to_owned(), value.to_owned())
                .is_some()
            {
                return Err(Failure::Settings(format!("parameter {name} is said twice")));
            }
        }
        Ok(Asked {
            year: self.year,
            policy: self.policy,
            parameters,
            scenario: self.scenario,
            name: self.name,
            replaces_id: self.replaces,
        })
    }
}

impl Arguments {
    fn budget(&self) -> Result<Budget, Failure> {
        let mut budget = Budget {
            claim: self.claim.clone(),
            evaluation_id: self.evaluation.map(id).transpose()?,
            ..Budget::default()
        };
        for text in &self.budgets {
            let (pool, yuan) = match text.split_once('=') {
                Some((pool, yuan)) => (Some(pool), yuan),
                None => (None, text.as_str()),
            };
            let fen =
                Fen::of_yuan(yuan).map_err(|why| Failure::Settings(format!("{text:?}: {why}")))?;
            let before = match pool {
                Some(pool) => budget.by_pool.insert(pool.to_owned(), fen),
                None => budget.fen.replace(fen),
            };
            if before.is_some() {
                return Err(Failure::Settings(format!(
                    "{text:?}: that pool has a budget already"
                )));
            }
        }
        Ok(budget)
    }
}

pub async fn run(config: Config, action: Command) -> Result<(), Failure> {
    if let Command::Verify(chosen) = &action
        && let Some(file) = chosen.archive()
    {
        return archive::verify(file, chosen.format());
    }
    let app = super::open(config).await?;
    let done = match action {
        Command::Run(arguments) => share_out(&app, arguments).await,
        Command::List(asked) => runs::list(&app, RunKind::SubsidyRun, asked).await,
        Command::Archive(arguments) => match run_id(arguments.run) {
            Ok(id) => archive::write(&app, id, arguments).await,
            Err(failure) => Err(failure),
        },
        Command::Export(arguments) => match run_id(arguments.run) {
            Ok(id) => export::write(&app, id, arguments).await,
            Err(failure) => Err(failure),
        },
        Command::Verify(chosen) => verify::run(&app, chosen).await,
        Command::Compare(arguments) => compare::run(&app, arguments).await,
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
        Command::Delete(scenario) => match run_id(scenario.run) {
            Ok(id) => runs::delete(&app, id, &scenario).await,
            Err(failure) => Err(failure),
        },
        Command::Pay(paid) => after_final::pay(&app, paid).await,
        Command::Adjust(adjusted) => after_final::adjust(&app, adjusted).await,
        Command::Decide(decided) => after_final::decide(&app, decided).await,
        Command::Hold(held) => after_final::hold(&app, Action::AwardHold, held).await,
        Command::Release(held) => after_final::hold(&app, Action::AwardRelease, held).await,
    };
    app.store.drain();
    done
}

async fn share_out(app: &App, arguments: Arguments) -> Result<(), Failure> {
    let request = Request {
        budget: Some(arguments.budget()?),
        asked: arguments.asked.read()?,
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
