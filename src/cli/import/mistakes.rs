//! What is wrong with a file, told on standard output line by line, so that it can be worked through.

use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::output::{self, Format};
use crate::error::text::{self, Language};
use crate::error::{AppError, Fault, Place};

/// Lists the faults of a refusal and answers how many there are; other errors stay as they are.
pub fn listed(file: &str, error: AppError, format: Format) -> Failure {
    match error {
        AppError::Refused(faults) => all_of(&[(file, faults)], format),
        other => other.into(),
    }
}

/// Lists the faults of several files.
pub fn all_of(files: &[(&str, Vec<Fault>)], format: Format) -> Failure {
    let count: usize = files.iter().map(|(_, faults)| faults.len()).sum();
    let told = match format {
        Format::Json => {
            let each = files.iter().flat_map(|(file, faults)| {
                faults.iter().map(move |fault| {
                    let (row, column) = place(fault);
                    json!({
                        "file": file,
                        "row": row,
                        "column": column,
                        "code": fault.code.as_str(),
                        "message": text::message(fault, Language::English),
                    })
                })
            });
            output::json(&json!({"errors": each.collect::<Vec<_>>()}))
        }
        Format::Table => files.iter().try_for_each(|(file, faults)| {
            faults
                .iter()
                .try_for_each(|fault| output::say(&line(file, fault)))
        }),
    };
    match told {
        Ok(()) => Failure::Refused(format!("nothing was imported: {count} mistakes")),
        Err(failure) => failure,
    }
}

fn place(fault: &Fault) -> (u32, &str) {
    match &fault.place {
        Place::Cell { row, column } => (*row, column.as_str()),
        Place::Field(field) => (0, field.as_str()),
        Place::Rule(rule) => (0, rule),
        Place::Request => (0, ""),
    }
}

fn line(file: &str, fault: &Fault) -> String {
    let message = text::message(fault, Language::English);
    match place(fault) {
        (0, "") => format!("{file}: {message}"),
        (0, column) => format!("{file}: {column}: {message}"),
        (row, "") => format!("{file}:{row}: {message}"),
        (row, column) => format!("{file}:{row}: {column}: {message}"),
    }
}
