//! What is wrong with a file, told on standard output line by line, so that it can be worked through.

use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::output::{self, Format};
use crate::error::text::{self, Language};
use crate::error::{AppError, Conflict, Fault, Location};

/// One thing to mend: row 0 means the whole file, an empty column the whole row.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Mistake {
    file: String,
    row: u64,
    column: String,
    code: &'static str,
    message: String,
}

/// Lists the faults of a refusal or a conflict and answers how many there are; other errors stay as they are.
pub fn listed(file: &str, error: AppError, format: Format) -> Failure {
    match error {
        AppError::Refused(faults) => all_of(&[(file, faults)], format),
        AppError::Conflict(conflict) if conflict.faults.is_empty() => {
            told(&[of_conflict(file, &conflict)], format)
        }
        AppError::Conflict(conflict) => all_of(&[(file, conflict.faults)], format),
        other => other.into(),
    }
}

/// Lists the faults of several files.
pub fn all_of(files: &[(&str, Vec<Fault>)], format: Format) -> Failure {
    let mistakes: Vec<Mistake> = files
        .iter()
        .flat_map(|(file, faults)| faults.iter().map(|fault| of_fault(file, fault)))
        .collect();
    told(&mistakes, format)
}

/// Tells the faults of several files on standard error, where standard output belongs to a document.
pub fn noted(files: &[(&str, Vec<Fault>)]) -> Failure {
    let mistakes: Vec<Mistake> = files
        .iter()
        .flat_map(|(file, faults)| faults.iter().map(|fault| of_fault(file, fault)))
        .collect();
    for mistake in &mistakes {
        output::note(&mistake.line());
    }
    Failure::Refused(match mistakes.len() {
        1 => "1 mistake in the facts".to_owned(),
        many => format!("{many} mistakes in the facts"),
    })
}

fn told(mistakes: &[Mistake], format: Format) -> Failure {
    let told = match format {
        Format::Json => output::json(&json!({ "errors": mistakes })),
        Format::Table => mistakes
            .iter()
            .try_for_each(|mistake| output::say(&mistake.line())),
    };
    match (told, mistakes) {
        (Err(failure), _) => failure,
        (Ok(()), [_]) => Failure::Refused("nothing was imported: 1 mistake".to_owned()),
        (Ok(()), many) => {
            Failure::Refused(format!("nothing was imported: {} mistakes", many.len()))
        }
    }
}

fn of_fault(file: &str, fault: &Fault) -> Mistake {
    let (file, row, column) = match &fault.place {
        Location::Cell { row, column } => (file, u64::from(*row), column.as_str()),
        Location::Field(field) => cell_of(field).unwrap_or((file, 0, field)),
        Location::Rule | Location::Request => (file, 0, fault.name()),
    };
    Mistake {
        file: file.to_owned(),
        row,
        column: column.to_owned(),
        code: fault.code.as_str(),
        message: text::message(fault, Language::English),
    }
}

/// The cell of a folder's file, as an import of a year names it: `usage.csv[12].host_uscc`.
fn cell_of(field: &str) -> Option<(&str, u64, &str)> {
    let (file, rest) = field.split_once('[')?;
    let (row, column) = rest.split_once("].")?;
    Some((file, row.parse().ok()?, column))
}

/// What is in the way of the whole import, or of the row that its members name.
fn of_conflict(file: &str, conflict: &Conflict) -> Mistake {
    let mut members = conflict.members.clone();
    let named = members.remove("file");
    let row = members.remove("row").and_then(|row| row.as_u64());
    let columns = members.remove("columns").map(|columns| match columns {
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str);
            names.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    });
    let mut message = text::message(&Fault::request(conflict.code), Language::English);
    for (member, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        message.push_str(&format!(" ({member}: {value})"));
    }
    Mistake {
        file: named
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or(file)
            .to_owned(),
        row: row.unwrap_or_default(),
        column: columns.unwrap_or_default(),
        code: conflict.code.as_str(),
        message,
    }
}

impl Mistake {
    fn line(&self) -> String {
        let Mistake {
            file, row, message, ..
        } = self;
        match (row, self.column.as_str()) {
            (0, "") => format!("{file}: {message}"),
            (0, column) => format!("{file}: {column}: {message}"),
            (row, "") => format!("{file}:{row}: {message}"),
            (row, column) => format!("{file}:{row}: {column}: {message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_mistake_is_found_by_file_row_and_column() {
        let differs = AppError::conflict(Code::row_differs)
            .with("file", "usage.csv")
            .with("row", 12)
            .with("key", "R-1")
            .with("columns", vec!["samples", "mode"]);
        let AppError::Conflict(differs) = differs else {
            panic!()
        };
        let line = of_conflict("province", &differs).line();
        assert!(line.starts_with("usage.csv:12: samples, mode: "), "{line}");
        assert!(line.ends_with("(key: \"R-1\")"), "{line}");
        for (fault, place) in [
            (
                Fault::cell(3, "资产编号", Code::asset_no_used),
                "a.csv:3: 资产编号: ",
            ),
            (Fault::cell(0, "", Code::no_header), "a.csv: "),
            (
                Fault::field("usage.csv[7].host_uscc", Code::unknown_reference),
                "usage.csv:7: host_uscc: ",
            ),
            (Fault::field("year", Code::out_of_range), "a.csv: year: "),
        ] {
            let line = of_fault("a.csv", &fault).line();
            assert!(line.starts_with(place), "{line}");
        }
    }
}
