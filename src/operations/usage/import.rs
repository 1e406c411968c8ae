//! A table of records at once: every bad row is told, and one bad row leaves nothing behind.

mod basis;
mod plan;
mod rows;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::domain::usage::UsageFacts;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::table_import;
use crate::store::Conn;
use plan::ImportPlan;

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
/// run checks the same and only reads.
pub async fn import(
    app: &App,
    actor: &Actor,
    rows: Vec<ImportRow>,
    is_dry_run: bool,
) -> Result<Imported, AppError> {
    let (own, rows) = (actor.clone(), Arc::new(rows));
    if is_dry_run {
        let imported = Imported {
            rows: rows.len(),
            is_dry_run,
        };
        let check = move |conn: &mut Conn| rows::check(conn, &own, &rows).map(|_| imported);
        return app.store.read_snapshot(check).await;
    }
    let judge = move |conn: &mut Conn| ImportPlan::judge(conn, &own, &rows);
    table_import::run(app, actor, judge).await
}
