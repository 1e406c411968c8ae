//! `yiqi evaluate`: grades every host of a year and prints the draft; lists, shows, grades again, publishes, finalizes, discards
//! and deletes.

use clap::{Args, Subcommand};
use serde_json::json;

use super::failure::Failure;
use super::output::{self, Format};
use super::subsidy::{AskedArguments, explanation};
use super::yearly_run::{self, Listed, Unshown};
use super::{archive, decision, export, operator, progress};
use crate::app::App;
use crate::config::Config;
use crate::operations::yearly_run::{
    EvaluationId, Request, RunId, RunKind, get, grades, run as run_now,
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Freeze the records of a year and grade every unit.
    Run(Arguments),
    /// The evaluations there are.
    List(Listed),
    /// Show the grades of an evaluation.
    Show(Shown),
    /// Take the points of the year as they are now into a draft, and grade it again without a new freeze.
    Regrade(Unshown),
    /// Write a published evaluation with everything it was made of to one file, to be proved elsewhere.
    Archive(archive::Arguments),
    /// Write an evaluation to a file: grades as CSV, everything as XLSX, or the notice as PDF.
    Export(export::Arguments),
    /// Tell how the grade of a unit came about, and the money of its year.
    Explain(explanation::GradeArguments),
    /// Show a draft to everybody; the public notice begins.
    Publish(decision::Publication),
    /// Make a published evaluation the one of its year, for good, after the notice and by a second person.
    Finalize(decision::Chosen),
    /// Throw an evaluation away.
    Discard(decision::Rejection),
    /// Delete a what-if.
    Delete(Unshown),
}

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    asked: AskedArguments,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Shown {
    /// The number of the evaluation.
    evaluation: i64,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub async fn run(config: Config, action: Command) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let done = act(&app, action).await;
    app.store.drain();
    done
}

async fn act(app: &App, action: Command) -> Result<(), Failure> {
    match action {
        Command::Run(arguments) => evaluate(app, arguments).await,
        Command::List(asked) => yearly_run::list(app, RunKind::Evaluation, asked).await,
        Command::Regrade(draft) => {
            yearly_run::regrade(app, super::subsidy::id(draft.run)?, &draft).await?;
            print(app, draft.run, draft.format).await
        }
        Command::Delete(scenario) => {
            yearly_run::delete(app, run_id(scenario.run)?, &scenario).await
        }
        Command::Show(shown) => print(app, shown.evaluation, shown.format).await,
        Command::Archive(arguments) => archive::write(app, run_id(arguments.run)?, arguments).await,
        Command::Export(arguments) => export::write(app, run_id(arguments.run)?, arguments).await,
        Command::Explain(arguments) => explanation::of_grade(app, arguments).await,
        Command::Publish(publication) => {
            decision::publish(app, run_id(publication.run())?, publication).await
        }
        Command::Finalize(chosen) => decision::finalize(app, run_id(chosen.run)?, chosen).await,
        Command::Discard(rejection) => {
            decision::discard(app, run_id(rejection.run())?, rejection).await
        }
    }
}

fn run_id(number: i64) -> Result<RunId, Failure> {
    super::subsidy::id::<EvaluationId>(number).map(RunId::from)
}

async fn evaluate(app: &App, arguments: Arguments) -> Result<(), Failure> {
    let request = Request {
        asked: arguments.asked.read()?,
        budget: None,
    };
    let (actor, shown) = (operator(app), progress::over_phases());
    let id = run_now(app, &actor, request, |phase| shown.tell(phase)).await?;
    drop(shown);
    print(app, id.number(), arguments.format).await
}

async fn print(app: &App, number: i64, format: Format) -> Result<(), Failure> {
    let id = run_id(number)?;
    let seeking = |error| Failure::seeking(error, format_args!("evaluation {number}"));
    let actor = operator(app);
    let state = get(app, &actor, id).await.map_err(seeking)?;
    let state = state.lifecycle().state;
    let hosts = grades::list(app, &actor, super::subsidy::id(number)?).await?;
    let graded = grades::graded(hosts)?;
    match format {
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
            output::json(
                &json!({"evaluation_id": number, "state": state, "units": units.collect::<Vec<_>>()}),
            )
        }
        Format::Table => {
            let rows: Vec<_> = graded
                .units
                .iter()
                .map(|unit| {
                    [
                        unit.uscc.clone(),
                        unit.total_printed(),
                        unit.grade
                            .map(|grade| grade.to_string())
                            .unwrap_or_default(),
                    ]
                })
                .collect();
            output::say(&format!("Evaluation {number}, {state}"))?;
            output::table(["unit", "total", "grade"], &rows)
        }
    }
}
