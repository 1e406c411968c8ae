//! A folder of facts: the year of a province as CSV, from which a policy is tried without a database. What the rows say becomes
//! frozen inputs of the year or window that is asked for.

mod assembling;
mod experts;
mod rows;

use std::collections::BTreeMap;
use std::io::Read;

use crate::domain::calendar::DayKind;
use crate::domain::evaluation::Inputs;
use crate::domain::policy::{Policy, YearSpan};
use crate::domain::{Fault, OrganizationId};
use crate::exchange::sheet::Stream;
use chrono::NaiveDate;

crate::vocabulary! {
    /// The files of a folder. Only the first three must be there.
    FactsFile {
        Organizations = "organizations.csv",
        Instruments = "instruments.csv",
        Usage = "usage.csv",
        Requests = "requests.csv",
        ExpertScores = "expert_scores.csv",
        Reported = "reported.csv",
        Certifications = "certifications.csv",
        Awarded = "awarded.csv",
        AdoptedGrades = "adopted_grades.csv",
    }
}

impl FactsFile {
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Organizations | Self::Instruments | Self::Usage)
    }

    /// Its columns, for an empty folder: experts' points have one for each indicator of the policy.
    pub fn columns(self, policy: &Policy) -> Vec<String> {
        let mut columns: Vec<String> = rows::titles(self).map(str::to_owned).collect();
        if self == Self::ExpertScores {
            columns.extend(experts::indicators(policy));
        }
        columns
    }
}

/// Opens a file of the folder; `None`: it is not there.
pub type Open<'a> = &'a dyn Fn(FactsFile) -> std::io::Result<Option<Box<dyn Read>>>;

/// What the facts are read for.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    pub policy: &'a Policy,
    pub of: YearSpan,
    /// Holidays and make-up working days, for deadlines.
    pub days: BTreeMap<NaiveDate, DayKind>,
}

/// Facts, and the names that are no part of them.
#[derive(Debug, Clone)]
pub struct Facts {
    pub inputs: Inputs,
    pub names: BTreeMap<OrganizationId, String>,
    pub uscc: BTreeMap<OrganizationId, String>,
}

/// Why a folder cannot be read.
#[derive(Debug)]
pub enum Unfit {
    /// What is wrong with files of the folder.
    Faults(Vec<(FactsFile, Vec<Fault>)>),
    /// A file is not there or cannot be opened.
    Closed(FactsFile, std::io::Error),
    /// Rows that fit together in no way.
    Impossible(String),
}

/// Reads the header of a file and answers its rows as a stream.
type Begin<T> = fn(rows::Opened) -> Result<Stream<rows::Opened, T>, Vec<Fault>>;

/// So many faults are told of one file.
const FAULTS_MAX: usize = 100;

/// Reads every file of a folder; the faults of all of them are told at once.
pub fn read(open: Open, question: &Question) -> Result<Facts, Unfit> {
    let mut reading = Reading {
        open,
        faults: BTreeMap::new(),
    };
    let mut assembling = assembling::Assembling::new(question);
    reading.file(
        FactsFile::Organizations,
        rows::organizations,
        |number, row| assembling.organization(number, row),
    )?;
    reading.file(
        FactsFile::Certifications,
        rows::certifications,
        |number, row| assembling.certification(number, row),
    )?;
    assembling.relate(&mut reading.faults);
    reading.file(FactsFile::Instruments, rows::instruments, |number, row| {
        assembling.instrument(number, row)
    })?;
    reading.file(FactsFile::Usage, rows::usage, |number, row| {
        assembling.usage(number, row)
    })?;
    reading.file(FactsFile::Requests, rows::requests, |number, row| {
        assembling.requests(number, row)
    })?;
    reading.file(FactsFile::Reported, rows::reported, |number, row| {
        assembling.reported(number, row)
    })?;
    reading.file(FactsFile::Awarded, rows::awarded, |number, row| {
        assembling.awarded(number, row)
    })?;
    reading.file(FactsFile::AdoptedGrades, rows::adopted, |number, row| {
        assembling.adopted(number, row)
    })?;
    if let Some(input) = reading.open(FactsFile::ExpertScores)? {
        let found = experts::read(input, question.policy, |number, uscc, points| {
            assembling.experts(number, uscc, points)
        });
        reading.tell(FactsFile::ExpertScores, found);
    }
    if !reading.faults.is_empty() {
        return Err(Unfit::Faults(reading.faults.into_iter().collect()));
    }
    assembling
        .finish()
        .map_err(|error| Unfit::Impossible(error.to_string()))
}

/// The files of a folder on their way.
struct Reading<'a> {
    open: Open<'a>,
    faults: BTreeMap<FactsFile, Vec<Fault>>,
}

impl Reading<'_> {
    fn open(&self, file: FactsFile) -> Result<Option<rows::Opened>, Unfit> {
        let opened = (self.open)(file).map_err(|error| Unfit::Closed(file, error))?;
        match opened {
            None if file.is_required() => {
                let error = std::io::Error::new(std::io::ErrorKind::NotFound, "it is not there");
                Err(Unfit::Closed(file, error))
            }
            opened => Ok(opened),
        }
    }

    fn tell(&mut self, file: FactsFile, found: Vec<Fault>) {
        let faults = self.faults.entry(file).or_default();
        let room = FAULTS_MAX.saturating_sub(faults.len());
        faults.extend(found.into_iter().take(room));
        if faults.is_empty() {
            self.faults.remove(&file);
        }
    }

    /// Gives each row to `take`, which answers what is wrong with it.
    fn file<T>(
        &mut self,
        file: FactsFile,
        begin: Begin<T>,
        mut take: impl FnMut(u32, T) -> Vec<Fault>,
    ) -> Result<(), Unfit> {
        let Some(input) = self.open(file)? else {
            return Ok(());
        };
        let mut found = Vec::new();
        match begin(input) {
            Err(faults) => found = faults,
            Ok(stream) => {
                for row in stream {
                    match row {
                        Ok(row) => found.extend(take(row.row, row.value)),
                        Err(faults) => found.extend(faults),
                    }
                    if found.len() >= FAULTS_MAX {
                        break;
                    }
                }
            }
        }
        self.tell(file, found);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
