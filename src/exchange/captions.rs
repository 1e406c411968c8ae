//! What a table calls its columns: a refusal that comes after the reading names them as the table does.

use std::collections::BTreeMap;

use super::sheet::{Column, Table};
use crate::error::{AppError, Fault, Location};

/// By the name of the contract, also of the column that says the same in another unit.
#[derive(Debug, Default)]
pub struct Captions(BTreeMap<&'static str, String>);

impl Captions {
    pub fn of(table: &Table, columns: &'static [Column]) -> Self {
        let mut captions = table.captions();
        for column in columns {
            if let Some((twin, caption)) = column.twin.zip(captions.get(column.name).cloned()) {
                captions.entry(twin).or_insert(caption);
            }
        }
        Self(captions)
    }

    /// The refusal of an import, its columns called as in the table.
    pub fn told(&self, mut error: AppError) -> AppError {
        match &mut error {
            AppError::Refused(faults) => self.rename(faults),
            AppError::Conflict(conflict) => self.rename(&mut conflict.faults),
            _ => {}
        }
        error
    }

    fn rename(&self, faults: &mut [Fault]) {
        for fault in faults {
            if let Location::Cell { column, .. } = &mut fault.place
                && let Some(caption) = self.0.get(column.as_str())
            {
                column.clone_from(caption);
            }
        }
    }
}
