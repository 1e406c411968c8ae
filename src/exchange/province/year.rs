//! The files of a province's folder as one source: each is read to its end and checked before anything is imported. The
//! caller opens them.

use std::io::{ErrorKind, Read};

use super::{expert_columns, expert_scores, instruments, organizations, reported, requests, usage};
use crate::domain::{Code, Fault};
use crate::error::AppError;
use crate::exchange::sheet::{Column, Encoding, Stream};
use crate::operations::province::{
    ExpertScores, FileFacts, ProvinceFile, ProvinceInstrument, ProvinceOrganization,
    ProvinceSource, ProvinceUsage, ReportedRow, RequestCounts, Rows,
};

/// Opens a file of the folder at its beginning, as often as asked.
pub type Open = Box<dyn Fn(ProvinceFile) -> std::io::Result<Box<dyn Read>> + Send + Sync>;

/// A checked year.
pub struct ProvinceYear {
    year: i32,
    open: Open,
    /// In the order of [`ProvinceFile::ALL`].
    facts: Vec<(ProvinceFile, Encoding, FileFacts)>,
    /// Of the experts' points.
    columns: &'static [Column],
}

impl std::fmt::Debug for ProvinceYear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProvinceYear")
            .field("year", &self.year)
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// Why a year cannot be imported.
#[derive(Debug)]
pub enum Unfit {
    /// What is wrong with files of the folder.
    Faults(Vec<(ProvinceFile, Vec<Fault>)>),
    /// A file is not there or cannot be opened.
    Closed(ProvinceFile, std::io::Error),
}

/// So many faults are told of one file.
const FAULTS_MAX: usize = 100;

type Opened = Box<dyn Read>;

impl ProvinceYear {
    /// Opens every file and reads it to its end; answers the faults of all of them when there are any. `indicators` are those that
    /// experts give points for.
    pub fn check(year: i32, indicators: &[String], open: Open) -> Result<Self, Unfit> {
        let columns = expert_columns(indicators);
        let mut facts = Vec::new();
        let mut faults = Vec::new();
        for file in ProvinceFile::ALL.iter().copied() {
            let opened = || open(file).map_err(|error| Unfit::Closed(file, error));
            let first = match open(file) {
                Err(error) if file.is_optional() && error.kind() == ErrorKind::NotFound => continue,
                first => first.map_err(|error| Unfit::Closed(file, error))?,
            };
            let mut encoding = Encoding::Utf8;
            let mut checked = check(file, first, encoding, columns);
            if checked
                .as_ref()
                .is_err_and(|found| is_other_encoding(found))
            {
                let other = Encoding::of_other(opened()?);
                encoding = other.map_err(|error| Unfit::Closed(file, error))?;
                if encoding != Encoding::Utf8 {
                    checked = check(file, opened()?, encoding, columns);
                }
            }
            match checked {
                Ok(known) => facts.push((file, encoding, known)),
                Err(found) => faults.push((file, found)),
            }
        }
        if faults.is_empty() {
            Ok(Self {
                year,
                open,
                facts,
                columns,
            })
        } else {
            Err(Unfit::Faults(faults))
        }
    }

    fn rows<T: 'static>(
        &self,
        file: ProvinceFile,
        begin: impl FnOnce(Opened, Encoding) -> Result<Stream<Opened, T>, Vec<Fault>>,
    ) -> Result<Rows<'_, T>, AppError> {
        let input = (self.open)(file).map_err(AppError::internal)?;
        let known = self.facts.iter().find(|(known, ..)| *known == file);
        let encoding = known.map_or_else(Encoding::default, |(_, encoding, _)| *encoding);
        let rows = begin(input, encoding).map_err(|faults| changed(file, &faults))?;
        Ok(Box::new(rows.map(move |row| match row {
            Ok(row) => Ok((row.row, row.value)),
            Err(faults) => Err(changed(file, &faults)),
        })))
    }
}

fn check(
    file: ProvinceFile,
    input: Opened,
    encoding: Encoding,
    columns: &'static [Column],
) -> Result<FileFacts, Vec<Fault>> {
    match file {
        ProvinceFile::Organizations => check_rows(organizations(input, encoding)?),
        ProvinceFile::Instruments => check_rows(instruments(input, encoding)?),
        ProvinceFile::Usage => check_rows(usage(input, encoding)?),
        ProvinceFile::Requests => check_rows(requests(input, encoding)?),
        ProvinceFile::ExpertScores => check_rows(expert_scores(input, encoding, columns)?),
        ProvinceFile::Reported => check_rows(reported(input, encoding)?),
    }
}

fn is_other_encoding(faults: &[Fault]) -> bool {
    let mut codes = faults.iter().map(|fault| fault.code);
    codes.any(|code| code == Code::unknown_encoding)
}

fn check_rows<T>(mut stream: Stream<Opened, T>) -> Result<FileFacts, Vec<Fault>> {
    let (mut rows, mut faults) = (0, Vec::new());
    for row in stream.by_ref() {
        match row {
            Ok(_) => rows += 1,
            Err(found) => faults.extend(found),
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    match faults.is_empty() {
        true => Ok(FileFacts {
            sha256: stream.sha256(),
            rows,
        }),
        false => Err(faults),
    }
}

/// The file was whole when it was checked.
fn changed(file: ProvinceFile, faults: &[Fault]) -> AppError {
    AppError::internal(format!("{file} changed while it was imported: {faults:?}"))
}

impl ProvinceSource for ProvinceYear {
    fn year(&self) -> i32 {
        self.year
    }

    fn has(&self, file: ProvinceFile) -> bool {
        self.facts.iter().any(|(known, ..)| *known == file)
    }

    fn facts(&self, file: ProvinceFile) -> FileFacts {
        let known = self.facts.iter().find(|(known, ..)| *known == file);
        known.map_or_else(
            || FileFacts {
                sha256: String::new(),
                rows: 0,
            },
            |(.., facts)| facts.clone(),
        )
    }

    fn organizations(&self) -> Result<Rows<'_, ProvinceOrganization>, AppError> {
        self.rows(ProvinceFile::Organizations, organizations)
    }

    fn instruments(&self) -> Result<Rows<'_, ProvinceInstrument>, AppError> {
        self.rows(ProvinceFile::Instruments, instruments)
    }

    fn usage(&self) -> Result<Rows<'_, ProvinceUsage>, AppError> {
        self.rows(ProvinceFile::Usage, usage)
    }

    fn requests(&self) -> Result<Rows<'_, RequestCounts>, AppError> {
        self.rows(ProvinceFile::Requests, requests)
    }

    fn expert_scores(&self) -> Result<Rows<'_, ExpertScores>, AppError> {
        let columns = self.columns;
        self.rows(ProvinceFile::ExpertScores, move |input, encoding| {
            expert_scores(input, encoding, columns)
        })
    }

    fn reported(&self) -> Result<Rows<'_, ReportedRow>, AppError> {
        self.rows(ProvinceFile::Reported, reported)
    }
}
