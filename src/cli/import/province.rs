//! The year of a province: five files in a folder, checked as a whole before anything is imported.

use std::fs::File;
use std::io::{Error, Read};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::mistakes;
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::output::{self, Format};
use crate::cli::progress;
use crate::exchange::province::{Open, ProvinceYear, Unfit, year_of};
use crate::operations::actor::Actor;
use crate::operations::policy;
use crate::operations::province::{self, FileSummary, ProvinceFile};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder with organizations.csv, instruments.csv, usage.csv, requests.csv and expert_scores.csv.
    folder: PathBuf,
    /// The year; by default the digits that end the folder's name.
    #[arg(long)]
    year: Option<i32>,
    /// Only tell what would happen: what is new, what is changed and how.
    #[arg(long)]
    dry_run: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub async fn run(app: &App, arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        folder,
        year,
        dry_run,
        format,
    } = arguments;
    let named = || year_of(&folder.to_string_lossy());
    let year = year.or_else(named).ok_or_else(|| {
        Failure::Settings(format!(
            "{} does not end with a year; say --year",
            folder.display()
        ))
    })?;
    if !folder.is_dir() {
        return Err(Failure::Unavailable(format!(
            "{} is no folder",
            folder.display()
        )));
    }
    let open: Open = Box::new(move |file: ProvinceFile| {
        let path = folder.join(file.as_str());
        // The error of the system does not say which file.
        let opened = File::open(&path)
            .map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        let bytes = opened.metadata()?.len();
        let shown = progress::over_bytes(file.as_str(), bytes).wrap_read(opened);
        let shown: Box<dyn Read> = Box::new(shown);
        Ok(shown)
    });
    let summary = load(app, year, open, format, dry_run).await?;
    match format {
        Format::Json => output::json(&summary),
        Format::Table => {
            let rows: Vec<_> = summary
                .iter()
                .map(|file| {
                    let counts = [file.rows, file.inserted, file.changed, file.unchanged];
                    let [rows, new, changed, unchanged] = counts.map(|count| count.to_string());
                    [file.file.to_string(), rows, new, changed, unchanged]
                })
                .collect();
            output::table(["file", "rows", "new", "changed", "unchanged"], &rows)?;
            let mut lines = summary.iter().flat_map(lines_of);
            lines.try_for_each(|line| output::say(&line))
        }
    }
}

/// Each changed row, with what it said and says.
fn lines_of(file: &FileSummary) -> impl Iterator<Item = String> {
    file.changes.iter().map(|change| {
        let columns = change.columns.iter();
        let columns = columns.map(|one| format!("{}: {} -> {}", one.column, one.before, one.after));
        let columns = columns.collect::<Vec<_>>().join("; ");
        format!("{}:{}: {}: {columns}", file.file, change.row, change.key)
    })
}

/// Checks and imports a year, wherever its files come from.
pub async fn load(
    app: &App,
    year: i32,
    open: Open,
    format: Format,
    is_dry_run: bool,
) -> Result<Vec<FileSummary>, Failure> {
    let indicators = policy::active_indicators(app).await?;
    let checked = ProvinceYear::check(year, &indicators, open).map_err(|unfit| {
        let faults = match unfit {
            Unfit::Faults(faults) => faults,
            Unfit::Closed(_, error) => return Failure::Unavailable(error.to_string()),
        };
        let files = faults.into_iter();
        let files: Vec<_> = files.map(|(file, own)| (file.as_str(), own)).collect();
        mistakes::all_of(&files, format)
    })?;
    let actor = Actor::system(app.clock.now());
    let imported = province::import(app, &actor, Arc::new(checked), is_dry_run).await;
    imported.map_err(|error| mistakes::listed("province", error, format))
}
