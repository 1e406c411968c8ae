//! Open figures of a year: what was shared and served, by the rules of the active policy, from the records as they are.

use crate::app::App;
use crate::domain::Instant;
use crate::domain::evaluation::{Cell, Relation};
use crate::error::AppError;
use crate::operations::evaluation::{check_year, freeze};
use crate::operations::policy;
use crate::store::event;

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

/// The figures of a year that has begun.
pub async fn of_year(app: &App, year: i32, now: Instant) -> Result<YearStats, AppError> {
    check_year(year, now)?;
    let calendar = app.calendar();
    let active = app.config.active_policy.clone();
    app.store
        .read(move |conn| {
            let policy = policy::active(conn, &active)?;
            let newest = event::newest(conn)?;
            let scope = freeze::scope(year, now, newest, false)?;
            let experts = freeze::ExpertPoints::new();
            let inputs = freeze::read(conn, &scope, &policy, &calendar, experts, None)?;
            let mut stats = YearStats::default();
            let mut units = std::collections::BTreeSet::new();
            for unit in inputs.evaluated() {
                stats.hosts += 1;
                for instrument in unit.counted() {
                    stats.instruments += 1;
                    stats.externally_shared_instruments +=
                        i64::from(instrument.flags.externally_shared);
                    for cell in &instrument.cells {
                        stats.add(cell);
                        let served = cell.service.records > 0;
                        if served && cell.key.relation == Relation::External {
                            units.insert(cell.key.using_unit_id);
                        }
                    }
                }
            }
            stats.external_units = i64::try_from(units.len()).map_err(AppError::internal)?;
            Ok(stats)
        })
        .await
}

impl YearStats {
    fn add(&mut self, cell: &Cell) {
        let minutes = cell.service.effective_minutes.number();
        self.records += cell.service.records;
        self.samples += cell.service.samples;
        self.effective_minutes += minutes;
        if cell.key.relation == Relation::External {
            self.external_minutes += minutes;
        }
    }
}
