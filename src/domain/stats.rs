//! Open figures of a year: sums over the instruments that count in it.

use super::evaluation::{Relation, UsageGroup};

/// Sums over the counted instruments of the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct YearStats {
    pub hosts: i64,
    pub instruments: i64,
    pub externally_shared_instruments: i64,
    /// Distinct units that are neither host nor related party of what they used.
    pub external_units: i64,
    pub records: i64,
    pub samples: i64,
    pub effective_minutes: i64,
    pub external_minutes: i64,
}

impl YearStats {
    /// Adds what a cell of a counted instrument served.
    pub fn add(&mut self, cell: &UsageGroup) {
        let minutes = cell.service.effective_minutes.number();
        self.records += cell.service.records;
        self.samples += cell.service.samples;
        self.effective_minutes += minutes;
        if cell.key.relation == Relation::External {
            self.external_minutes += minutes;
        }
    }
}
