//! `yiqi import`: tables of instruments, of prices and of usage, in the name of an account whose rights hold as ever, and the year of a
//! province. Everything of a file comes in, or nothing and a list of what is wrong.

pub(super) mod mistakes;
pub mod province;
mod tables;

use clap::Subcommand;

use super::failure::Failure;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Instruments of a host, from XLSX or CSV.
    Instruments(tables::Instruments),
    /// Prices of a host's instruments, from XLSX or CSV.
    Prices(tables::Prices),
    /// Usage records of a host's instruments, from XLSX or CSV.
    Usage(tables::Usage),
    /// The year of a province: a folder of organizations, instruments, usage, requests and expert scores.
    Province(province::Arguments),
}

pub async fn run(config: Config, action: Command) -> Result<(), Failure> {
    let app = super::open(config).await?;
    let done = match action {
        Command::Instruments(arguments) => tables::instruments(&app, arguments).await,
        Command::Prices(arguments) => tables::prices(&app, arguments).await,
        Command::Usage(arguments) => tables::usage(&app, arguments).await,
        Command::Province(arguments) => province::run(&app, arguments).await,
    };
    app.store.drain();
    done
}
