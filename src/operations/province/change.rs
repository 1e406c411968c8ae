//! What a row says otherwise than what is stored: column by column, before and after.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Writing;
use crate::error::{AppError, Code, Fault, Location};

/// One column of a row that is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnChange {
    pub column: String,
    pub before: Value,
    pub after: Value,
}

/// A row that is changed, by its number and its natural key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowChange {
    pub row: u32,
    pub key: String,
    pub columns: Vec<ColumnChange>,
}

/// The columns that differ so far.
#[derive(Debug, Default)]
pub(super) struct Differences(pub Vec<ColumnChange>);

impl Differences {
    /// Notes a column if it differs.
    pub fn see<T: PartialEq + Serialize>(&mut self, column: &str, before: &T, after: &T) {
        if before != after {
            let value = |value: &T| serde_json::to_value(value).unwrap_or_default();
            self.push(column, value(before), value(after));
        }
    }

    pub fn push(&mut self, column: &str, before: Value, after: Value) {
        self.0.push(ColumnChange {
            column: column.to_owned(),
            before,
            after,
        });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has(&self, columns: &[&str]) -> bool {
        let mut known = self.0.iter().map(|one| one.column.as_str());
        known.any(|column| columns.contains(&column))
    }

    /// Those of these columns that differ.
    pub fn among(&self, columns: &[&str]) -> Vec<&str> {
        let known = self.0.iter().map(|one| one.column.as_str());
        known.filter(|column| columns.contains(column)).collect()
    }

    /// What an event tells before and after.
    pub fn told(&self) -> (Value, Value) {
        let of = |value: fn(&ColumnChange) -> &Value| {
            let members = self.0.iter();
            let members = members.map(|one| (one.column.clone(), value(one).clone()));
            Value::Object(members.collect::<Map<_, _>>())
        };
        (of(|one| &one.before), of(|one| &one.after))
    }
}

/// The keys of a file and their rows, so that none stands in it twice.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// By a hash of 64 bits: of millions of keys little is kept, and no two are alike.
    rows: HashMap<u64, u32>,
    hashes: std::hash::RandomState,
}

impl Keys {
    /// 422 `duplicate` when an earlier row has the key.
    pub fn add(
        &mut self,
        writing: &Writing,
        row: u32,
        column: &str,
        key: &str,
    ) -> Result<(), AppError> {
        use std::hash::BuildHasher;
        match self.rows.insert(self.hashes.hash_one(key), row) {
            None => Ok(()),
            Some(first) => {
                let fault = Fault {
                    place: Location::Field(writing.place(row, column)),
                    ..Fault::field(column, Code::duplicate)
                };
                let fault = fault.limit(format!("{first}, {row}")).actual(key);
                Err(AppError::Refused(vec![fault]))
            }
        }
    }
}
