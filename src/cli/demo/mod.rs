//! `yiqi demo`: an installation with a year of an invented province, everything that leads to it included: accounts, booking
//! rules, evaluation and subsidy. Each step is the same operation as anywhere else, and is left out when it was done before.

mod folder;
mod hosts;
mod people;

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::output::{self, Format};
use super::{import, logging, operator, progress, seed, serve, subsidy};
use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, listen_address};
use crate::exchange::province::Open;
use crate::http;
use crate::operations::migration;
use crate::operations::province::{self, ProvinceFile};
use crate::operations::yearly_run::{self as runs, Asked, Budget, Fen, Request};
use folder::Folder;
use people::Person;

/// The year and the budget of the files in `seeds/province-2025`.
const YEAR: i32 = 2025;
const SHIPPED_POLICY: &str = "hebei-2026";
const BUDGET_FEN: Fen = Fen::new(30_000_000);

#[derive(Debug, Args)]
pub struct Arguments {
    /// Where database, keys and passwords are kept.
    #[arg(long, value_name = "FOLDER", default_value = "demo-data")]
    data: PathBuf,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", value_parser = listen_address)]
    listen: Option<String>,
    /// End after printing, without serving.
    #[arg(long)]
    exit: bool,
}

pub async fn run(config: Config, arguments: Arguments) -> Result<(), Failure> {
    let listen = arguments.listen.unwrap_or_else(|| config.listen.clone());
    let mut config = Config {
        public_url: format!("http://{listen}"),
        listen,
        // The server's own lines would stand between what the demo prints.
        log: "warn".to_owned(),
        ..config
    };
    logging::start(&config)?;
    // First of all: a port that is taken is told before a minute of work, not after it.
    let listener = match arguments.exit {
        true => None,
        false => Some(http::server::listen(&config)?),
    };
    if let Some(listener) = &listener {
        config.public_url = serve::open_address(listener)?;
    }
    let folder = Folder::open(arguments.data)?;
    config.database_url = folder.database_url();
    migration::migrate(&config, true)?;
    let app = App::open(config, Clock::system(), folder.keys()?)?;
    app.prepare().await?;
    let people = prepare(&app, &folder).await?;
    let run = yearly_run(&app).await?;
    subsidy::report::print(&app, run, Format::Table).await?;
    introduce(&app, &folder, &people)?;
    match listener {
        Some(listener) => serve::until_stopped(app, listener).await,
        None => {
            app.store.drain();
            Ok(())
        }
    }
}

/// Reference tables, the year, accounts, booking rules; answers who to introduce.
async fn prepare(app: &App, folder: &Folder) -> Result<Vec<Person>, Failure> {
    let shown = progress::show("loading regions, categories, holidays, policies");
    seed::load(app).await?;
    drop(shown);
    // Once: whoever tried things since then changed rows that a second import would find different.
    if !province::is_imported(app, YEAR).await? {
        let _shown = progress::show("importing the year 2025 of a province");
        import::province::load(app, YEAR, embedded(), Format::Table, false).await?;
    }
    let shown = progress::show("opening accounts and instruments");
    let people = people::one_for_each_role();
    let heads = hosts::heads()?;
    let logins = people
        .iter()
        .chain(&heads)
        .map(|person| person.login.clone());
    let passwords = folder.passwords(&logins.collect::<Vec<_>>())?;
    people::settle(app, &people, &passwords).await?;
    people::settle(app, &heads, &passwords).await?;
    hosts::open_instruments(app, &heads).await?;
    hosts::assign_manager(app, &people).await?;
    drop(shown);
    Ok(people)
}

/// The year's files, compiled in, so that the demo runs wherever the binary is.
fn embedded() -> Open {
    Box::new(|file: ProvinceFile| Ok(Box::new(bytes_of(file))))
}

fn bytes_of(file: ProvinceFile) -> &'static [u8] {
    match file {
        ProvinceFile::Organizations => {
            include_bytes!("../../../seeds/province-2025/organizations.csv")
        }
        ProvinceFile::Instruments => include_bytes!("../../../seeds/province-2025/instruments.csv"),
        ProvinceFile::Usage => include_bytes!("../../../seeds/province-2025/usage.csv"),
        ProvinceFile::Requests => include_bytes!("../../../seeds/province-2025/requests.csv"),
        ProvinceFile::ExpertScores => {
            include_bytes!("../../../seeds/province-2025/expert_scores.csv")
        }
        // Nobody reported a number by name.
        ProvinceFile::Reported => b"uscc,name,value\n",
    }
}

/// The newest run of the year that has results and was not discarded; one is made when there is none.
async fn yearly_run(app: &App) -> Result<i64, Failure> {
    let known = runs::find_of_year(app, &operator(app), YEAR).await?;
    if let Some(known) = known {
        return Ok(known.number());
    }
    let shown = progress::show("evaluating every unit and sharing out 300,000 yuan");
    let request = Request {
        asked: Asked {
            year: YEAR,
            policy: SHIPPED_POLICY.to_owned(),
            ..Asked::default()
        },
        budget: Some(Budget {
            fen: Some(BUDGET_FEN),
            ..Budget::default()
        }),
    };
    let id = runs::run(app, &operator(app), request, |_| ()).await?;
    drop(shown);
    Ok(id.number())
}

/// Who may sign in, where the service is, and what to try first.
fn introduce(app: &App, folder: &Folder, people: &[Person]) -> Result<(), Failure> {
    let logins: Vec<String> = people.iter().map(|person| person.login.clone()).collect();
    let passwords = folder.passwords(&logins)?;
    let rows: Vec<_> = people
        .iter()
        .map(|person| {
            let password = passwords.get(&person.login).cloned().unwrap_or_default();
            [person.role.to_string(), person.login.clone(), password]
        })
        .collect();
    output::say("")?;
    output::table(["role", "sign in as", "password"], &rows)?;
    let url = &app.config.public_url;
    output::say(&format!(
        "(kept in {})\n\nAPI {url}/api/v1, documentation {url}/docs\n\nTry:\n  curl '{url}/api/v1/instruments?limit=2'",
        folder.passwords_file().display()
    ))
}
