//! What of a year is read to tell who did the duty: its published evaluation, and every unit's duties that count in it.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::domain::duty::{Counted, DutyDetail, DutyKind, DutyState};
use crate::domain::run::RunState;
use crate::domain::{EvaluationId, OrganizationId, PolicyId, RegionCode};
use crate::store::drive::hosts_within;
use crate::store::schema::{duty, evaluation};
use crate::store::{Conn, Result};

/// The evaluation of a year that everybody sees: the final one, else the newest that is published; with its pack.
pub fn find_published(conn: &mut Conn, year: i64) -> Result<Option<(EvaluationId, PolicyId)>> {
    let shown = [RunState::Published, RunState::Final];
    let found: Vec<(EvaluationId, PolicyId, RunState)> = evaluation::table
        .filter(evaluation::year.eq(year))
        .filter(evaluation::state.eq_any(shown))
        .select((evaluation::id, evaluation::policy_id, evaluation::state))
        .order(evaluation::id)
        .load(conn)?;
    let newest = found
        .into_iter()
        .max_by_key(|(id, _, state)| (*state == RunState::Final, *id));
    Ok(newest.map(|(id, policy, _)| (id, policy)))
}

/// The duties of every unit that count in a year: those of the year, and those that are due once.
pub fn list_counted(conn: &mut Conn, year: i64) -> Result<Vec<(OrganizationId, Counted)>> {
    type Row = (
        OrganizationId,
        DutyKind,
        i64,
        NaiveDate,
        Option<NaiveDate>,
        Option<NaiveDate>,
        DutyState,
        Option<DutyDetail>,
    );
    let rows: Vec<Row> = duty::table
        .filter(duty::year.eq_any([0, year]))
        .select((
            duty::organization_id,
            duty::kind,
            duty::year,
            duty::due_on,
            duty::met_on,
            duty::ended_on,
            duty::state,
            duty::detail,
        ))
        .load(conn)?;
    let counted = |(unit, kind, year, due_on, met_on, ended_on, state, detail): Row| {
        let duty = Counted {
            kind,
            year,
            due_on,
            met_on,
            ended_on,
            state,
            detail,
        };
        (unit, duty)
    };
    Ok(rows.into_iter().map(counted).collect())
}

/// The hosts that an administration supervises.
pub fn list_supervised(conn: &mut Conn, region: RegionCode) -> Result<Vec<OrganizationId>> {
    Ok(hosts_within!(region).load(conn)?)
}
