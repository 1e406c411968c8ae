//! The command line: each subcommand is a thin wrapper over an operation. Results go to standard output, logs, progress and
//! errors to standard error; `failure` says what the exit codes mean.

mod admin;
mod check;
mod failure;
mod health;
mod logging;
mod migrate;
mod output;
mod policy;
mod progress;
pub mod seed;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::App;
use crate::app::token::TokenKeys;
use crate::clock::Clock;
use crate::config::Config;
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
    /// Bring the database to this program's schema.
    Migrate(migrate::Arguments),
    /// Load regions, categories, disciplines, public holidays, test items and policy packs; again changes nothing.
    Seed {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Settings.
    #[command(subcommand)]
    Config(check::Deed),
    /// Administrators of the platform.
    #[command(subcommand)]
    Admin(admin::Deed),
    /// Policy packs.
    #[command(subcommand)]
    Policy(policy::Deed),
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
        Command::Migrate(arguments) => migrate::run(&config, &arguments),
        Command::Seed { format } => seed::run(config, format).await,
        Command::Config(deed) => check::run(&config, &deed),
        Command::Admin(deed) => admin::run(config, deed).await,
        Command::Policy(deed) => policy::run(&deed),
        Command::Openapi => output::json(&crate::http::openapi::document(&config.public_url)),
        Command::Health => health::run(&config),
    }
}

/// The app of a command that ends: nobody signs in, so its keys live as long as it does.
async fn open(config: Config) -> Result<App, Failure> {
    logging::start(&config)?;
    let keys = TokenKeys::parse(&TokenKeys::new_line("command"))?;
    let app = App::open(config, Clock::System, keys)?;
    app.prepare().await?;
    Ok(app)
}
