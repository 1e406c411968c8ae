//! Experts' assignments as rows: whom the province asked for points of an indicator, and the points for each unit. Of a year, unit
//! and indicator one evaluator has one assignment that is not withdrawn (`ExpertAssignmentUnit`).

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::{expert_assignment, expert_assignment_unit, organization};
use super::{Conn, Result};
use crate::domain::access::AssignmentReach;
use crate::domain::expert::AssignmentState;
use crate::domain::{ExpertAssignmentId, Instant, OrganizationId, UserId};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = expert_assignment)]
pub struct ExpertAssignment {
    pub id: ExpertAssignmentId,
    pub year: i64,
    pub indicator: String,
    /// The most points, as a decimal text.
    pub max: String,
    pub evaluator_user_id: UserId,
    /// The last day on which points are given.
    pub due_on: NaiveDate,
    /// Never `closed`, which is a matter of time.
    pub state: AssignmentState,
    pub created_by: Option<UserId>,
    pub submitted_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// An assignment to make.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = expert_assignment, treat_none_as_default_value = false)]
pub struct NewAssignment {
    pub year: i64,
    pub indicator: String,
    pub max: String,
    pub evaluator_user_id: UserId,
    pub due_on: NaiveDate,
    pub state: AssignmentState,
    pub created_by: Option<UserId>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// The points of one unit, as a decimal text; none yet given.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = expert_assignment_unit)]
pub struct AssignedUnit {
    pub organization_id: OrganizationId,
    pub points: Option<String>,
    pub text: Option<String>,
}

/// Violates `ExpertAssignmentUnit` when the evaluator has one of the units for the indicator and year already.
pub fn insert(
    conn: &mut Conn,
    new: &NewAssignment,
    units: &[OrganizationId],
) -> Result<ExpertAssignmentId> {
    let id: ExpertAssignmentId = diesel::insert_into(expert_assignment::table)
        .values(new)
        .returning(expert_assignment::id)
        .get_result(conn)?;
    for unit in units {
        diesel::insert_into(expert_assignment_unit::table)
            .values((
                expert_assignment_unit::expert_assignment_id.eq(id),
                expert_assignment_unit::organization_id.eq(*unit),
                expert_assignment_unit::year.eq(new.year),
                expert_assignment_unit::indicator.eq(&new.indicator),
                expert_assignment_unit::evaluator_user_id.eq(new.evaluator_user_id),
                expert_assignment_unit::is_withdrawn.eq(false),
            ))
            .execute(conn)?;
    }
    Ok(id)
}

pub fn get(conn: &mut Conn, id: ExpertAssignmentId) -> Result<ExpertAssignment> {
    Ok(expert_assignment::table
        .find(id)
        .select(ExpertAssignment::as_select())
        .get_result(conn)?)
}

/// The assignment as nobody else changes it until the transaction ends.
pub fn get_locked(conn: &mut Conn, id: ExpertAssignmentId) -> Result<ExpertAssignment> {
    if let Conn::Postgres(postgres) = conn {
        expert_assignment::table
            .find(id)
            .select(expert_assignment::id)
            .for_update()
            .first::<ExpertAssignmentId>(postgres)?;
    }
    get(conn, id)
}

/// The units of an assignment, by id.
pub fn list_units(conn: &mut Conn, id: ExpertAssignmentId) -> Result<Vec<AssignedUnit>> {
    Ok(expert_assignment_unit::table
        .filter(expert_assignment_unit::expert_assignment_id.eq(id))
        .select(AssignedUnit::as_select())
        .order(expert_assignment_unit::organization_id)
        .load(conn)?)
}

/// The units of several assignments, by assignment and id.
pub fn list_units_of(
    conn: &mut Conn,
    ids: &[ExpertAssignmentId],
) -> Result<Vec<(ExpertAssignmentId, AssignedUnit)>> {
    Ok(expert_assignment_unit::table
        .filter(expert_assignment_unit::expert_assignment_id.eq_any(ids))
        .select((
            expert_assignment_unit::expert_assignment_id,
            AssignedUnit::as_select(),
        ))
        .order((
            expert_assignment_unit::expert_assignment_id,
            expert_assignment_unit::organization_id,
        ))
        .load(conn)?)
}

/// Which of the units the evaluator has for the indicator and year already, each with its assignment.
pub fn list_assigned(
    conn: &mut Conn,
    (year, indicator, evaluator): (i64, &str, UserId),
    units: &[OrganizationId],
) -> Result<Vec<(ExpertAssignmentId, OrganizationId)>> {
    Ok(expert_assignment_unit::table
        .filter(expert_assignment_unit::year.eq(year))
        .filter(expert_assignment_unit::indicator.eq(indicator))
        .filter(expert_assignment_unit::evaluator_user_id.eq(evaluator))
        .filter(expert_assignment_unit::is_withdrawn.eq(false))
        .filter(expert_assignment_unit::organization_id.eq_any(units))
        .select((
            expert_assignment_unit::expert_assignment_id,
            expert_assignment_unit::organization_id,
        ))
        .order(expert_assignment_unit::organization_id)
        .load(conn)?)
}

/// Of these organizations those that are there, and whether each is a host.
pub fn list_hosts_among(
    conn: &mut Conn,
    ids: &[OrganizationId],
) -> Result<Vec<(OrganizationId, bool)>> {
    Ok(organization::table
        .filter(organization::id.eq_any(ids))
        .select((organization::id, organization::is_host))
        .load(conn)?)
}

/// Writes the points of one unit of an assignment, in place of earlier ones.
pub fn update_unit(conn: &mut Conn, id: ExpertAssignmentId, unit: &AssignedUnit) -> Result<()> {
    diesel::update(expert_assignment_unit::table.find((id, unit.organization_id)))
        .set((
            expert_assignment_unit::points.eq(unit.points.as_deref()),
            expert_assignment_unit::text.eq(unit.text.as_deref()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Its points changed.
pub fn update_changed(conn: &mut Conn, id: ExpertAssignmentId, now: Instant) -> Result<()> {
    diesel::update(expert_assignment::table.find(id))
        .set((
            expert_assignment::version.eq(expert_assignment::version + 1),
            expert_assignment::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// It was submitted or withdrawn; of a withdrawn one the units may be assigned again.
pub fn update_state(
    conn: &mut Conn,
    present: &ExpertAssignment,
    state: AssignmentState,
    now: Instant,
) -> Result<()> {
    let submitted_at = match state {
        AssignmentState::Submitted => Some(now),
        _ => present.submitted_at,
    };
    diesel::update(expert_assignment::table.find(present.id))
        .set((
            expert_assignment::state.eq(state),
            expert_assignment::submitted_at.eq(submitted_at),
            expert_assignment::version.eq(expert_assignment::version + 1),
            expert_assignment::updated_at.eq(now),
        ))
        .execute(conn)?;
    let units = expert_assignment_unit::table
        .filter(expert_assignment_unit::expert_assignment_id.eq(present.id));
    diesel::update(units)
        .set(expert_assignment_unit::is_withdrawn.eq(state == AssignmentState::Withdrawn))
        .execute(conn)?;
    Ok(())
}

/// What one evaluator gave, or still owes, for a unit and indicator of the year.
#[derive(Debug, Clone, Queryable)]
pub struct OfExpert {
    pub organization_id: OrganizationId,
    pub indicator: String,
    pub points: Option<String>,
    /// Of the assignment, as stored.
    pub state: AssignmentState,
    pub due_on: NaiveDate,
}

/// Of every assignment of a year that is not withdrawn.
pub fn list_of_year(conn: &mut Conn, year: i64) -> Result<Vec<OfExpert>> {
    let of_assignment = expert_assignment::id.eq(expert_assignment_unit::expert_assignment_id);
    Ok(expert_assignment_unit::table
        .inner_join(expert_assignment::table.on(of_assignment))
        .filter(expert_assignment_unit::year.eq(year))
        .filter(expert_assignment_unit::is_withdrawn.eq(false))
        .select((
            expert_assignment_unit::organization_id,
            expert_assignment_unit::indicator,
            expert_assignment_unit::points,
            expert_assignment::state,
            expert_assignment::due_on,
        ))
        .order((
            expert_assignment_unit::organization_id,
            expert_assignment_unit::indicator,
            expert_assignment::id,
        ))
        .load(conn)?)
}

/// Which assignments to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub years: Vec<i64>,
    pub indicators: Vec<String>,
    pub evaluators: Vec<UserId>,
    pub states: Vec<AssignmentState>,
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// Those the caller reaches, newest first or in the order of change; `today` tells which are closed.
pub fn list(
    conn: &mut Conn,
    reach: &AssignmentReach,
    filter: &Filter,
    today: NaiveDate,
) -> Result<Vec<ExpertAssignment>> {
    let mut query = expert_assignment::table
        .select(ExpertAssignment::as_select())
        .limit(filter.limit)
        .into_boxed();
    if !reach.everything {
        query = query.filter(expert_assignment::evaluator_user_id.eq(reach.evaluator));
    }
    if !filter.years.is_empty() {
        query = query.filter(expert_assignment::year.eq_any(filter.years.clone()));
    }
    if !filter.indicators.is_empty() {
        query = query.filter(expert_assignment::indicator.eq_any(filter.indicators.clone()));
    }
    if !filter.evaluators.is_empty() {
        let evaluators = filter.evaluators.clone();
        query = query.filter(expert_assignment::evaluator_user_id.eq_any(evaluators));
    }
    if !filter.states.is_empty() {
        let (open, closed) = (AssignmentState::Open, AssignmentState::Closed);
        let stored = |state: &AssignmentState| if *state == closed { open } else { *state };
        let states: Vec<AssignmentState> = filter.states.iter().map(stored).collect();
        query = query.filter(expert_assignment::state.eq_any(states));
        let is_asked = |state| filter.states.contains(&state);
        let has_ended = expert_assignment::state.ne(open);
        query = match (is_asked(open), is_asked(closed)) {
            (true, false) => query.filter(has_ended.or(expert_assignment::due_on.ge(today))),
            (false, true) => query.filter(has_ended.or(expert_assignment::due_on.lt(today))),
            _ => query,
        };
    }
    if let Some((moment, id)) = filter.changed_after {
        let same = expert_assignment::updated_at
            .eq(moment)
            .and(expert_assignment::id.gt(id));
        query = query
            .filter(expert_assignment::updated_at.gt(moment).or(same))
            .order((expert_assignment::updated_at, expert_assignment::id));
    } else {
        query = query.order(expert_assignment::id.desc());
        if let Some(below) = filter.below {
            query = query.filter(expert_assignment::id.lt(below));
        }
    }
    Ok(query.load(conn)?)
}
