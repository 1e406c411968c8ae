//! Importing a province's year: organizations, instruments, usage with its money, and reported figures, all in one
//! transaction. What is there already is corrected where a row says otherwise and a host could correct it; a second import
//! changes nothing; nothing is half-imported.

mod change;
mod check;
mod clash;
mod correct;
mod registry;
mod reported;
mod revise;
mod row;
mod usage;

pub use change::{ColumnChange, RowChange};
pub use row::{
    ExpertScores, OrganizationRole, ProvinceInstrument, ProvinceOrganization, ProvinceUsage,
    ReportedRow, RequestCounts,
};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;

use self::change::{Differences, Keys};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::policy::{IncomeBy, Policy};
use crate::domain::{EventId, InstrumentId, OrganizationId};
use crate::error::{AppError, Code, Fault, Location};
use crate::operations::actor::Actor;
use crate::operations::policy;
use crate::operations::run::Run;
use crate::store::event::{self, Subject};
use crate::store::{Conn, Lock};

crate::vocabulary! {
    /// The files of a province's folder, in the order in which they are imported.
    ProvinceFile {
        Organizations = "organizations.csv",
        Instruments = "instruments.csv",
        Usage = "usage.csv",
        Requests = "requests.csv",
        ExpertScores = "expert_scores.csv",
        Reported = "reported.csv",
    }
}

impl ProvinceFile {
    /// Whether a folder may lack the file: only finer packs ask what it tells.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Reported)
    }
}

/// A value with the number of the row it came from, as a spreadsheet program numbers it.
pub type Row<T> = (u32, T);

/// Rows as they are read; a file that changed since it was checked ends in an error.
pub type Rows<'a, T> = Box<dyn Iterator<Item = Result<Row<T>, AppError>> + 'a>;

/// A file as it was first read, to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    pub sha256: String,
    pub rows: u64,
}

/// A province's year: checked files that can be read, again if the database asks for a second try.
pub trait ProvinceSource: Send + Sync {
    fn year(&self) -> i32;
    /// Whether the folder has the file; only some must be there.
    fn has(&self, file: ProvinceFile) -> bool;
    /// Of a file that was read to its end without a fault.
    fn facts(&self, file: ProvinceFile) -> FileFacts;
    fn organizations(&self) -> Result<Rows<'_, ProvinceOrganization>, AppError>;
    fn instruments(&self) -> Result<Rows<'_, ProvinceInstrument>, AppError>;
    fn usage(&self) -> Result<Rows<'_, ProvinceUsage>, AppError>;
    fn requests(&self) -> Result<Rows<'_, RequestCounts>, AppError>;
    fn expert_scores(&self) -> Result<Rows<'_, ExpertScores>, AppError>;
    fn reported(&self) -> Result<Rows<'_, ReportedRow>, AppError>;
}

/// What an import did with a file: rows it has, rows that were new, those that were changed and those that said what was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileSummary {
    pub file: ProvinceFile,
    pub rows: u64,
    pub inserted: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub changes: Vec<RowChange>,
}

/// Imports everything or nothing; a dry run tells the same and leaves nothing. 422 when a row names what is not there; 409 with
/// the row when what is stored under its natural key cannot be corrected: `row_differs`, `already_invoiced`, `invalid_state`,
/// `usage_overlaps`, `period_locked`.
pub async fn import(
    app: &App,
    actor: &Actor,
    source: Arc<dyn ProvinceSource>,
    is_dry_run: bool,
) -> Result<Vec<FileSummary>, AppError> {
    let run = Run::direct(app, actor, Action::ProvinceImport)
        .alone()
        .dry(is_dry_run);
    let done = run.with(Ok(source), move |tx, actor, source| {
        Lock::RecordsShared.take(tx)?;
        let mut import = Import {
            source: source.as_ref(),
            actor,
            organizations: BTreeMap::new(),
            instruments: BTreeMap::new(),
            known_before: BTreeSet::new(),
            policy: policy::active(tx, actor.now.local_date())?,
        };
        let mut summary = Vec::new();
        let there = ProvinceFile::ALL.iter().filter(|file| source.has(**file));
        for file in there {
            summary.push(import.file(tx, *file)?);
        }
        Ok(summary)
    });
    done.await?.now()
}

/// Whether anything of a year was imported before.
pub async fn is_imported(app: &App, year: i32) -> Result<bool, AppError> {
    let of_the_year = event::Filter {
        subject_types: vec!["province".to_owned()],
        subject_ids: vec![i64::from(year)],
        limit: 1,
        ..event::Filter::default()
    };
    let found = app
        .store
        .read(move |conn| event::list(conn, &of_the_year).map_err(AppError::from))
        .await?;
    Ok(!found.rows.is_empty())
}

/// An organization of this import.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: OrganizationId,
    is_host: bool,
    /// It was there before this import.
    is_stored: bool,
    kind: crate::domain::organization::OrganizationKind,
}

/// An instrument of this import.
#[derive(Debug, Clone, Copy)]
struct Listed {
    id: InstrumentId,
    accepted_on: NaiveDate,
}

struct Import<'a> {
    source: &'a dyn ProvinceSource,
    actor: &'a Actor,
    /// By USCC.
    organizations: BTreeMap<String, Known>,
    /// By host and asset number.
    instruments: BTreeMap<(OrganizationId, String), Listed>,
    /// Days on which new usage, or money by a date, was already allowed.
    known_before: BTreeSet<(Option<IncomeBy>, NaiveDate)>,
    /// Says how many points experts can give.
    policy: Policy,
}

impl Import<'_> {
    fn file(&mut self, tx: &mut Conn, file: ProvinceFile) -> Result<FileSummary, AppError> {
        let facts = self.source.facts(file);
        let mut writing = Writing::new(file, &facts, self.source.year(), self.actor);
        match file {
            ProvinceFile::Organizations => self.organizations(tx, &mut writing)?,
            ProvinceFile::Instruments => self.instruments(tx, &mut writing)?,
            ProvinceFile::Usage => self.usage(tx, &mut writing)?,
            ProvinceFile::Requests => self.requests(tx, &mut writing)?,
            ProvinceFile::ExpertScores => self.expert_scores(tx, &mut writing)?,
            ProvinceFile::Reported => self.reported(tx, &mut writing)?,
        }
        let changed = u64::try_from(writing.changes.len()).unwrap_or(u64::MAX);
        Ok(FileSummary {
            file,
            rows: facts.rows,
            inserted: writing.inserted,
            changed,
            unchanged: facts.rows.saturating_sub(writing.inserted + changed),
            changes: writing.changes,
        })
    }

    fn organization(
        &self,
        writing: &Writing,
        row: u32,
        column: &str,
        uscc: &str,
    ) -> Result<Known, AppError> {
        let known = self.organizations.get(uscc).copied();
        known.ok_or_else(|| writing.unknown(row, column, uscc))
    }

    /// The organization a row names as its host.
    fn host(&self, writing: &Writing, row: u32, uscc: &str) -> Result<Known, AppError> {
        let known = self.organization(writing, row, "host_uscc", uscc)?;
        match known.is_host {
            true => Ok(known),
            false => Err(writing.refused(row, "host_uscc", Code::organization_is_no_host, uscc)),
        }
    }
}

/// One file being written: its event comes with its first new or changed row, so that a second import leaves no trace.
struct Writing<'a> {
    file: ProvinceFile,
    facts: &'a FileFacts,
    year: i32,
    actor: &'a Actor,
    event: Option<EventId>,
    inserted: u64,
    changes: Vec<RowChange>,
    keys: Keys,
}

impl<'a> Writing<'a> {
    fn new(file: ProvinceFile, facts: &'a FileFacts, year: i32, actor: &'a Actor) -> Self {
        Self {
            file,
            facts,
            year,
            actor,
            event: None,
            inserted: 0,
            changes: Vec::new(),
            keys: Keys::default(),
        }
    }

    /// The event of this file.
    fn event(&mut self, tx: &mut Conn) -> Result<EventId, AppError> {
        if let Some(event) = self.event {
            return Ok(event);
        }
        let after = serde_json::json!({
            "file": self.file,
            "sha256": self.facts.sha256,
            "rows": self.facts.rows,
        });
        let subject = Subject::new("province", i64::from(self.year));
        let event = self
            .actor
            .event(Action::ProvinceImport, subject)
            .after(after)?;
        let id = event::append(tx, &event)?;
        self.event = Some(id);
        Ok(id)
    }

    fn place(&self, row: u32, column: &str) -> String {
        format!("{}[{row}].{column}", self.file)
    }

    /// The row names something that is not there.
    fn unknown(&self, row: u32, column: &str, value: &str) -> AppError {
        let fault = Fault::field(self.place(row, column), Code::unknown_reference);
        AppError::Refused(vec![fault.actual(value)])
    }

    /// A cell holds what cannot be.
    fn refused(&self, row: u32, column: &str, code: Code, value: &str) -> AppError {
        let fault = Fault::field(self.place(row, column), code);
        AppError::Refused(vec![fault.actual(value)])
    }

    /// A value of a row lies outside what is allowed.
    fn beyond(&self, row: u32, column: &str, (limit, value): (String, &str)) -> AppError {
        let fault = Fault::field(self.place(row, column), Code::out_of_range);
        AppError::Refused(vec![fault.limit(limit).actual(value)])
    }

    /// What the rules of a change said against a row, with its place.
    fn placed<T>(
        &self,
        row: u32,
        columns: &[&str],
        done: Result<T, AppError>,
    ) -> Result<T, AppError> {
        match done {
            Err(AppError::Refused(faults)) => Err(self.faulty(row, faults)),
            done => self.at(row, columns, done),
        }
    }

    /// A conflict of a row, with its place.
    fn at<T>(&self, row: u32, columns: &[&str], done: Result<T, AppError>) -> Result<T, AppError> {
        done.map_err(|error| {
            error
                .with("file", self.file.as_str())
                .with("row", row)
                .with("columns", columns.to_vec())
        })
    }

    /// The values of a row break the rules that everybody's keep.
    fn faulty(&self, row: u32, faults: Vec<Fault>) -> AppError {
        let faults = faults.into_iter().map(|fault| {
            let field = self.place(row, fault.name());
            Fault {
                place: Location::Field(field),
                ..fault
            }
        });
        AppError::Refused(faults.collect())
    }

    /// No earlier row has the key.
    fn once(&mut self, row: u32, column: &str, key: &str) -> Result<(), AppError> {
        let mut keys = std::mem::take(&mut self.keys);
        let added = keys.add(self, row, column, key);
        self.keys = keys;
        added
    }

    /// Notes a row that is changed.
    fn changed(&mut self, row: u32, key: &str, differences: Differences) {
        // The relation of an organization comes after all of them.
        if self.file == ProvinceFile::Organizations
            && let Some(known) = self.changes.iter_mut().find(|known| known.row == row)
        {
            known.columns.extend(differences.0);
            return;
        }
        self.changes.push(RowChange {
            row,
            key: key.to_owned(),
            columns: differences.0,
        });
    }

    /// The event of a changed row for what has no event of its own.
    fn correction(
        &mut self,
        tx: &mut Conn,
        subject: Subject,
        differences: &Differences,
    ) -> Result<EventId, AppError> {
        self.event(tx)?;
        let (before, after) = differences.told();
        let event = self.actor.event(Action::ProvinceImport, subject);
        Ok(event::append(tx, &event.before(before)?.after(after)?)?)
    }

    /// The row contradicts what is stored in columns that no import corrects.
    fn differs(&self, row: u32, key: &str, columns: &[&str]) -> AppError {
        AppError::conflict(Code::row_differs)
            .with("file", self.file.as_str())
            .with("row", row)
            .with("key", key)
            .with("columns", columns.to_vec())
    }
}
