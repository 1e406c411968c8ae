//! A table of records at once: every bad row is told, and one bad row leaves nothing behind.

mod rows;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::news;
use super::record::Entry;
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::usage::UsageFacts;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::perform_alone;
use crate::store::{Conn, Lock};

/// One row, its instrument and unit still by number and code.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// As the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// The number of an instrument of the caller's own organization.
    pub asset_no: String,
    /// The unified social credit code of the using unit.
    pub using_uscc: String,
    pub facts: UsageFacts,
}

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub rows: usize,
    pub is_dry_run: bool,
}

/// Records every row, or none. Refuses with every fault of every row; 409 when only other records are in the way. A dry
/// run checks the same and writes nothing.
pub async fn import(
    app: &App,
    actor: &Actor,
    rows: Vec<ImportRow>,
    is_dry_run: bool,
) -> Result<Imported, AppError> {
    let imported = Imported {
        rows: rows.len(),
        is_dry_run,
    };
    let own = actor.clone();
    if is_dry_run {
        let check = move |conn: &mut Conn| rows::check(conn, &own, &rows).map(|_| imported);
        return app.store.read(check).await;
    }
    let run = move |tx: &mut Conn| {
        write(tx, &own, &rows)?;
        Ok(imported.clone())
    };
    perform_alone(app, actor, run).await
}

fn write(tx: &mut Conn, actor: &Actor, rows: &[ImportRow]) -> Result<(), AppError> {
    // In the order of their ids, so that two imports never wait for each other in a circle.
    for instrument in rows::instruments(tx, actor, rows)? {
        Lock::Instrument(instrument).take(tx)?;
    }
    Lock::RecordsShared.take(tx)?;
    let mut told = BTreeSet::new();
    for checked in rows::check(tx, actor, rows)? {
        let entry = Entry {
            action: Action::UsageRecordImport,
            ties: checked.ties,
            instrument: checked.instrument,
            booking: None,
            facts: checked.facts,
            minutes: checked.minutes,
        };
        let (record, event) = entry.write(tx, actor)?;
        // A notice for each unit, not for each row.
        if told.insert(record.organization_id) {
            news::tell_unit(tx, actor, event, &entry.ties)?;
        }
    }
    Ok(())
}
