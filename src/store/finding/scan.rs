//! Scans: somebody asked to look for what is wrong in a year; how far that is, and what came of it.

use diesel::prelude::*;

use crate::domain::finding::ScanState;
use crate::domain::{FindingScanId, Instant};
use crate::store::schema::finding_scan;
use crate::store::{Conn, Result};

/// One row.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = finding_scan)]
pub struct Scan {
    pub id: FindingScanId,
    pub year: i64,
    pub state: ScanState,
    /// How many findings the year has as it was looked at.
    pub found: Option<i64>,
    /// How many of them are new, or have other facts than before.
    pub changed: Option<i64>,
    pub failure: Option<String>,
    pub created_at: Instant,
    pub updated_at: Instant,
}

pub fn insert(conn: &mut Conn, year: i64, now: Instant) -> Result<Scan> {
    let id: FindingScanId = diesel::insert_into(finding_scan::table)
        .values((
            finding_scan::year.eq(year),
            finding_scan::state.eq(ScanState::Running),
            finding_scan::created_at.eq(now),
            finding_scan::updated_at.eq(now),
        ))
        .returning(finding_scan::id)
        .get_result(conn)?;
    get(conn, id)
}

pub fn get(conn: &mut Conn, id: FindingScanId) -> Result<Scan> {
    Ok(finding_scan::table
        .find(id)
        .select(Scan::as_select())
        .get_result(conn)?)
}

/// Writes what came of it: how many were found and how many of them changed, or why there is nothing.
pub fn update_ended(
    conn: &mut Conn,
    id: FindingScanId,
    outcome: std::result::Result<(i64, i64), &str>,
    now: Instant,
) -> Result<()> {
    let (found, changed) = outcome.ok().unzip();
    let state = match outcome {
        Ok(_) => ScanState::Done,
        Err(_) => ScanState::Failed,
    };
    diesel::update(finding_scan::table.find(id))
        .set((
            finding_scan::state.eq(state),
            finding_scan::found.eq(found),
            finding_scan::changed.eq(changed),
            finding_scan::failure.eq(outcome.err()),
            finding_scan::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
