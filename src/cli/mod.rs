//! The command line: each subcommand is a thin wrapper over an operation. Results go to standard output, logs, progress and
//! errors to standard error; `failure` says what the exit codes mean.

mod admin;
mod archive;
mod check;
mod decision;
mod demo;
mod doctor;
mod evaluate;
mod export;
mod failure;
mod finding;
mod health;
mod import;
mod logging;
mod migrate;
mod objection;
mod output;
mod policy;
mod preflight;
mod progress;
pub mod seed;
mod serve;
mod subsidy;
mod yearly_run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::App;
use crate::app::token::TokenKeys;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::session::{self, Action};
use failure::Failure;
use output::Format;

/// Shared research instruments: registration, bookings, usage, settlement, evaluation and post-subsidy.
#[derive(Debug, Parser)]
#[command(name = "yiqi", version, after_help = failure::EXIT_CODES)]
struct CommandLine {
    /// Settings that override the defaults; YIQI_CONFIG names it too, and YIQI_… variables beat it.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API until stopped; running requests finish.
    Serve(serve::Arguments),
    /// A year of an invented province on SQLite, ready to try: accounts, bookings, evaluation, subsidy.
    Demo(demo::Arguments),
    /// Bring the database to this program's schema.
    Migrate(migrate::Arguments),
    /// Load regions, categories, disciplines, public holidays, test items and policy packs; again changes nothing.
    Seed {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Settings.
    #[command(subcommand)]
    Config(check::Command),
    /// What this installation still lacks, such as the holidays of a year that bookings reach.
    Doctor {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Administrators of the platform.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Bring in tables and a province's year.
    #[command(subcommand)]
    Import(import::Command),
    /// Yearly evaluations.
    #[command(subcommand)]
    Evaluate(evaluate::Command),
    /// Yearly subsidy runs.
    #[command(subcommand)]
    Subsidy(subsidy::Command),
    /// What of a year would be lost as things stand: unconfirmed, not invoiced, not paid, not registered.
    Preflight(preflight::Arguments),
    /// Objections to public notices.
    #[command(subcommand)]
    Objections(objection::Command),
    /// What looks wrong in a year.
    #[command(subcommand)]
    Findings(finding::Command),
    /// Policy packs.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Print the OpenAPI 3.1 document.
    Openapi,
    /// Ask a running server whether it is ready; exit code 0 when it is.
    Health,
}

/// Reads the command line, does what it says, and tells how that went.
pub fn run() -> ExitCode {
    let line = CommandLine::parse();
    let outcome = actix_web::rt::System::new().block_on(act(line));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            failure.exit_code()
        }
    }
}

async fn act(line: CommandLine) -> Result<(), Failure> {
    let config = Config::load(line.config.as_deref())?;
    match line.command {
        Command::Serve(arguments) => serve::run(config, arguments).await,
        Command::Demo(arguments) => demo::run(config, arguments).await,
        Command::Migrate(arguments) => migrate::run(&config, &arguments),
        Command::Seed { format } => seed::run(config, format).await,
        Command::Config(action) => check::run(&config, &action),
        Command::Doctor { format } => doctor::run(config, format).await,
        Command::Admin(action) => admin::run(config, action).await,
        Command::Import(action) => import::run(config, action).await,
        Command::Evaluate(action) => evaluate::run(config, action).await,
        Command::Subsidy(action) => subsidy::run(config, action).await,
        Command::Preflight(arguments) => preflight::run(config, arguments).await,
        Command::Objections(action) => objection::run(config, action).await,
        Command::Findings(action) => finding::run(config, action).await,
        Command::Policy(action) => policy::run(config, action).await,
        Command::Openapi => output::json(&crate::http::openapi::document(&config.public_url)),
        Command::Health => health::run(&config),
    }
}

/// The app of a command that ends: nobody signs in, so its keys live as long as it does.
async fn open(config: Config) -> Result<App, Failure> {
    logging::start(&config)?;
    let keys = TokenKeys::parse(&TokenKeys::new_line("command"))?;
    let app = App::open(config, Clock::system(), keys)?;
    app.prepare().await?;
    Ok(app)
}

/// The installation itself, which has no account: whoever holds the database may do what this does.
fn operator(app: &App) -> Actor {
    Actor::system(app.clock.now())
}

/// The account that is named, or the only one that may do this.
async fn acting_as_or_only(
    app: &App,
    named: Option<&str>,
    action: Action,
) -> Result<Actor, Failure> {
    if let Some(login) = named {
        return acting_as(app, login).await;
    }
    let mut able = session::list_able(app, action).await?;
    match (able.pop(), able.len()) {
        (Some(only), 0) => acting_as(app, &only).await,
        (None, _) => Err(Failure::Refused("no account may do this".to_owned())),
        (Some(_), more) => Err(Failure::Refused(format!(
            "{} accounts may do this; say --as EMAIL",
            more + 1
        ))),
    }
}

/// An action in the name of an account, whose rights hold.
async fn acting_as(app: &App, login: &str) -> Result<Actor, Failure> {
    let caller = session::caller_of_login(app, login)
        .await
        .map_err(|error| match error {
            AppError::NotFound => Failure::Refused(format!("nobody signs in as {login}")),
            other => other.into(),
        })?;
    Ok(Actor::caller_at(caller, app.clock.now()).under("command-line".to_owned(), None))
}
