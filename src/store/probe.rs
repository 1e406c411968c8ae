//! Whether the database takes writes and lies where it was opened. Writing is tried now and then, with as much as needs new
//! room on the disk, and leaves nothing behind.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use diesel::connection::SimpleConnection;

use super::connection::{Conn, Database};
use super::{ActionError, Store, StoreError};

/// How long it is believed that writing works.
const SUCCESS_BELIEVED: Duration = Duration::from_secs(5);

/// How long it is believed that it does not.
const FAILURE_BELIEVED: Duration = Duration::from_secs(1);

/// How much is written on the disk beside an SQLite database, in bytes.
const BYTES: usize = 256 * 1024;

/// Needs new files, also on a server that has room left in old ones; a standby refuses it.
const POSTGRES: &str = "CREATE TEMPORARY TABLE yiqi_probe ON COMMIT DROP AS \
    SELECT repeat(md5(random()::text), 200) AS filler FROM generate_series(1, 40)";

/// Changes a number that nobody reads: a page is written and committed.
const SQLITE: &str = "PRAGMA user_version = 0";

/// What became of the last attempt to write, and when.
pub type Probed = Arc<tokio::sync::Mutex<Option<(Stopwatch, Option<String>)>>>;

/// A file that was opened, told from another one at the same path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: PathBuf,
    identity: (u64, u64),
}

impl Place {
    pub fn of(file: &Path) -> io::Result<Self> {
        Ok(Self {
            file: file.to_owned(),
            identity: identity(file)?,
        })
    }

    /// Refuses when the file was moved away, removed or replaced: what is written would go where nobody looks.
    pub fn check(&self) -> Result<(), String> {
        match identity(&self.file) {
            Ok(found) if found == self.identity => Ok(()),
            Ok(_) => Err(format!(
                "{} is another file than the one that was opened; stop the service before the file is replaced",
                self.file.display()
            )),
            Err(error) => Err(format!("{}: {error}", self.file.display())),
        }
    }
}

fn identity(file: &Path) -> io::Result<(u64, u64)> {
    let found = fs::metadata(file)?;
    Ok((found.dev(), found.ino()))
}

impl<E: ActionError> Store<E> {
    /// Writes something that leaves no trace, unless that was done a moment ago.
    pub async fn probe(&self) -> Result<(), E> {
        self.check_place()?;
        let mut last = self.probed.lock().await;
        match &*last {
            Some((at, None)) if at.elapsed() < SUCCESS_BELIEVED => return Ok(()),
            Some((at, Some(why))) if at.elapsed() < FAILURE_BELIEVED => {
                return Err(StoreError::unavailable(why.clone()).into());
            }
            _ => {}
        }
        let outcome = self.write_something().await;
        let failure = outcome.as_ref().err().map(ToString::to_string);
        *last = Some((Stopwatch::now(), failure));
        outcome
    }

    async fn write_something(&self) -> Result<(), E> {
        if let Database::Sqlite { file } = self.database() {
            let beside = beside(file);
            let written = tokio::task::spawn_blocking(move || fill(&beside)).await;
            let written = written.map_err(|stopped| StoreError::Panicked(stopped.to_string()))?;
            written.map_err(|error| {
                StoreError::unavailable(format!(
                    "the disk of the database cannot be written: {error}"
                ))
            })?;
        }
        let write = |tx: &mut Conn| {
            let statement = match tx {
                Conn::Sqlite(_) => SQLITE,
                Conn::Postgres(_) => POSTGRES,
            };
            Ok(tx.batch_execute(statement).map_err(StoreError::from)?)
        };
        self.write(write).await
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-probe");
    name.into()
}

/// Fills a file of its own to the disk and removes it.
fn fill(file: &Path) -> io::Result<()> {
    let write = || {
        let mut open = File::create(file)?;
        open.write_all(&vec![b'y'; BYTES])?;
        open.sync_all()
    };
    let written = write();
    let removed = fs::remove_file(file);
    written.and(removed)
}
