//! The facts that a subsidy run froze itself, where those of its evaluation are not what it asks for: the moment, and its lines.

use diesel::prelude::*;

use crate::domain::evaluation::StoredText;
use crate::domain::{EventId, Instant, SubsidyRunId};
use crate::store::bulk::insert_all;
use crate::store::schema::{subsidy_run_freeze, subsidy_run_input};
use crate::store::{Conn, Result};

/// When and as of which event facts were frozen.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = subsidy_run_freeze, treat_none_as_default_value = false)]
pub struct Freeze {
    pub subsidy_run_id: SubsidyRunId,
    pub frozen_at: Instant,
    pub frozen_event_id: Option<EventId>,
    /// SHA-256 of the lines, once they are read.
    pub input_digest: Option<String>,
}

/// The freeze of a run; none where it takes the facts of its evaluation.
pub fn find(conn: &mut Conn, run: SubsidyRunId) -> Result<Option<Freeze>> {
    Ok(subsidy_run_freeze::table
        .find(run)
        .select(Freeze::as_select())
        .first(conn)
        .optional()?)
}

pub fn insert(conn: &mut Conn, freeze: &Freeze) -> Result<()> {
    diesel::insert_into(subsidy_run_freeze::table)
        .values(freeze)
        .execute(conn)?;
    Ok(())
}

/// A row: a block of lines.
#[derive(Debug, Insertable)]
#[diesel(table_name = subsidy_run_input, treat_none_as_default_value = false)]
struct Line<'a> {
    subsidy_run_id: SubsidyRunId,
    position: i64,
    line: &'a str,
}

/// Stores the canonical lines in their order, and their digest.
pub fn insert_inputs(conn: &mut Conn, run: SubsidyRunId, text: &StoredText) -> Result<()> {
    let rows = (1..).zip(&text.blocks).map(|(position, line)| Line {
        subsidy_run_id: run,
        position,
        line,
    });
    let rows: Vec<Line<'_>> = rows.collect();
    insert_all!(conn, subsidy_run_input::table, &rows);
    diesel::update(subsidy_run_freeze::table.find(run))
        .set(subsidy_run_freeze::input_digest.eq(&text.digest))
        .execute(conn)?;
    Ok(())
}

/// The lines in blocks, in their order. What was stored line by line has one line in each.
pub fn list_inputs(conn: &mut Conn, run: SubsidyRunId) -> Result<Vec<String>> {
    Ok(subsidy_run_input::table
        .filter(subsidy_run_input::subsidy_run_id.eq(run))
        .select(subsidy_run_input::line)
        .order(subsidy_run_input::position)
        .load(conn)?)
}

pub(super) fn delete(conn: &mut Conn, run: SubsidyRunId) -> Result<()> {
    diesel::delete(subsidy_run_input::table.filter(subsidy_run_input::subsidy_run_id.eq(run)))
        .execute(conn)?;
    diesel::delete(subsidy_run_freeze::table.find(run)).execute(conn)?;
    Ok(())
}
