//! `archive`: a published run as one file; `subsidy verify --archive`: such a file computed again, without a database.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;
use super::output::{self, Format};
use super::{operator, progress};
use crate::app::App;
use crate::exchange::archive::{self, NotAnArchive};
use crate::operations::yearly_run::RunId;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Its number.
    pub run: i64,
    /// Where to write it; a file that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub async fn write(app: &App, id: RunId, arguments: Arguments) -> Result<(), Failure> {
    let shown = progress::show("writing the archive");
    let seeking = |error| Failure::seeking(error, format_args!("run {}", arguments.run));
    let written = archive::file(app, &operator(app), id).await;
    let bytes = written.map_err(seeking)?;
    drop(shown);
    std::fs::write(&arguments.out, bytes).map_err(|error| Failure::file(&arguments.out, &error))?;
    output::note(&format!("written: {}", arguments.out.display()));
    Ok(())
}

/// Says what in an archive is not what comes out; exit code 0 when nothing is.
pub fn verify(path: &Path, format: Format) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    let shown = progress::show("computing the archive again");
    let checked = archive::verify(BufReader::new(file));
    drop(shown);
    let checked = checked.map_err(|error| match error {
        NotAnArchive::Failed(error) => error.into(),
        other => Failure::Refused(format!("{}: no archive: {other}", path.display())),
    })?;
    match format {
        Format::Json => output::json(&checked)?,
        Format::Table => {
            let rows = checked.digests.iter();
            let rows: Vec<_> = rows
                .map(|(name, digest)| [(*name).to_owned(), digest.clone()])
                .collect();
            output::table(["of", "SHA-256"], &rows)?;
            for difference in &checked.differences {
                let line = difference.line.map(|line| format!(":{line}"));
                let line = line.unwrap_or_default();
                output::say(&format!("{}{line}: {}", difference.entry, difference.what))?;
            }
        }
    }
    match checked.verified {
        true => Ok(()),
        false => Err(Failure::Refused(format!(
            "{} is not verified",
            path.display()
        ))),
    }
}
