//! `export`: a yearly run as a file, for programs (CSV), for officers (XLSX), or as the notice (PDF).

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::{operator, output, progress};
use crate::app::App;
use crate::exchange::document::Format;
use crate::exchange::yearly_run;
use crate::operations::yearly_run::RunId;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Its number.
    pub run: i64,
    /// csv, xlsx or pdf; by default what the name of the file ends with.
    #[arg(long)]
    format: Option<Format>,
    /// Where to write it; a file that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub async fn write(app: &App, id: RunId, arguments: Arguments) -> Result<(), Failure> {
    let ending = arguments.out.extension().and_then(|ending| ending.to_str());
    let format = match (arguments.format, ending.map(str::parse)) {
        (Some(format), _) | (None, Some(Ok(format))) => format,
        (None, _) => {
            let why = "--format: say csv, xlsx or pdf, or let the name of the file end so";
            return Err(Failure::Settings(why.to_owned()));
        }
    };
    let shown = progress::show("writing the export");
    let seeking = |error| Failure::seeking(error, format_args!("run {}", arguments.run));
    let written = yearly_run::file(app, &operator(app), id, Ok(Some(format))).await;
    let (_, bytes) = written.map_err(seeking)?;
    drop(shown);
    std::fs::write(&arguments.out, bytes).map_err(|error| Failure::file(&arguments.out, &error))?;
    output::note(&format!("written: {}", arguments.out.display()));
    Ok(())
}
