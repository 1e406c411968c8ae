//! A table of records at once: every bad row is told, and one bad row leaves nothing behind.

mod basis;
mod plan;
mod rows;

use std::sync::Arc;

use serde::Serialize;

use crate::domain::TypedKey;
use crate::domain::access::Action;
use crate::domain::usage::UsageFacts;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Done, Outcome, Run, may};
use crate::operations::table_import;
use crate::store::Conn;
use plan::ImportPlan;

/// One row, its instrument and unit still by number and code.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// As the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// The number of an instrument of the caller's own organization.
    pub asset_no: TypedKey,
    /// The unified social credit code of the using unit.
    pub using_uscc: String,
    /// A spreadsheet program may have had the reference as a number.
    pub reference_may_lack_zeros: bool,
    pub facts: UsageFacts,
}

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    pub rows: usize,
    pub is_dry_run: bool,
}

/// A table to import. Reading it takes long, so that it is read when it is known that the caller may import it.
pub struct ImportTable {
    pub read: Box<dyn FnOnce() -> Result<Vec<ImportRow>, AppError> + Send>,
    pub is_dry_run: bool,
}

impl std::fmt::Debug for ImportTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportTable")
            .field("is_dry_run", &self.is_dry_run)
            .finish_non_exhaustive()
    }
}

/// Records every row, or none. Refuses with every fault of every row; 409 when only other records are in the way. A dry
/// run checks the same and only reads.
pub async fn import(
    run: &Run<Imported>,
    table: Result<ImportTable, AppError>,
) -> Outcome<Imported> {
    may(&run.actor, run.action)?;
    let ImportTable { read, is_dry_run } = table?;
    let rows = Arc::new(run.app.tables.run(read).await??);
    let own = run.actor.clone();
    if is_dry_run {
        let imported = Imported {
            rows: rows.len(),
            is_dry_run,
        };
        let check = move |conn: &mut Conn| rows::check(conn, &own, &rows).map(|_| imported);
        return run.app.store.read_snapshot(check).await.map(Done::Now);
    }
    let judge = move |conn: &mut Conn| ImportPlan::judge(conn, &own, &rows);
    table_import::run(run, judge).await
}

/// Whether the caller may have the empty table.
pub fn may_get_template(actor: &Actor) -> Result<(), AppError> {
    may(actor, Action::UsageRecordTemplateGet)
}
