//! Rectifications as rows, with what the unit reported and what was accepted of it.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::drive::hosts_within;
use super::schema::{organization, rectification};
use super::{Conn, Result, page};
use crate::domain::access::{OrganizationTies, Reach};
use crate::domain::rectification::{RectificationCause, RectificationState};
use crate::domain::{Instant, OrganizationId, RectificationId, RegionCode, UserId};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = rectification)]
pub struct Rectification {
    pub id: RectificationId,
    pub organization_id: OrganizationId,
    pub cause: RectificationCause,
    pub text: String,
    /// The last day.
    pub due_on: NaiveDate,
    pub state: RectificationState,
    pub report: Option<String>,
    pub reported_by: Option<UserId>,
    pub reported_at: Option<Instant>,
    pub acceptance: Option<String>,
    pub accepted_by: Option<UserId>,
    pub accepted_at: Option<Instant>,
    pub created_by: UserId,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl Rectification {
    /// Its last day is past and nothing was accepted.
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        self.state != RectificationState::Accepted && self.due_on < today
    }
}

/// A rectification to open.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = rectification, treat_none_as_default_value = false)]
pub struct NewRectification {
    pub organization_id: OrganizationId,
    pub cause: RectificationCause,
    pub text: String,
    pub due_on: NaiveDate,
    pub state: RectificationState,
    pub created_by: UserId,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

pub fn insert(conn: &mut Conn, new: &NewRectification) -> Result<Rectification> {
    let id: RectificationId = diesel::insert_into(rectification::table)
        .values(new)
        .returning(rectification::id)
        .get_result(conn)?;
    get(conn, id)
}

pub fn get(conn: &mut Conn, id: RectificationId) -> Result<Rectification> {
    Ok(rectification::table
        .find(id)
        .select(Rectification::as_select())
        .get_result(conn)?)
}

/// As nobody else changes it until the transaction ends.
pub fn get_locked(conn: &mut Conn, id: RectificationId) -> Result<Rectification> {
    if let Conn::Postgres(postgres) = conn {
        rectification::table
            .find(id)
            .select(rectification::id)
            .for_update()
            .first::<RectificationId>(postgres)?;
    }
    get(conn, id)
}

/// Who is tied to the unit that mends; what is to be mended is nobody else's to see.
pub fn get_ties(conn: &mut Conn, unit: OrganizationId) -> Result<OrganizationTies> {
    let supervising_region: RegionCode = organization::table
        .find(unit)
        .select(organization::supervising_region_code)
        .get_result(conn)?;
    Ok(OrganizationTies {
        organization_id: unit,
        supervising_region,
        is_public: false,
    })
}

/// A text that moved it on, by whom and when.
#[derive(Debug, Clone)]
pub struct Step {
    pub state: RectificationState,
    pub text: String,
    pub by: UserId,
    pub now: Instant,
}

/// The unit reported what it did.
pub fn update_reported(conn: &mut Conn, id: RectificationId, step: &Step) -> Result<Rectification> {
    diesel::update(rectification::table.find(id))
        .set((
            rectification::state.eq(step.state),
            rectification::report.eq(&step.text),
            rectification::reported_by.eq(step.by),
            rectification::reported_at.eq(step.now),
            rectification::version.eq(rectification::version + 1),
            rectification::updated_at.eq(step.now),
        ))
        .execute(conn)?;
    get(conn, id)
}

/// Who supervises the unit accepted that.
pub fn update_accepted(conn: &mut Conn, id: RectificationId, step: &Step) -> Result<Rectification> {
    diesel::update(rectification::table.find(id))
        .set((
            rectification::state.eq(step.state),
            rectification::acceptance.eq(&step.text),
            rectification::accepted_by.eq(step.by),
            rectification::accepted_at.eq(step.now),
            rectification::version.eq(rectification::version + 1),
            rectification::updated_at.eq(step.now),
        ))
        .execute(conn)?;
    get(conn, id)
}

/// It is to be done by another day.
pub fn update_due_on(
    conn: &mut Conn,
    id: RectificationId,
    due_on: NaiveDate,
    now: Instant,
) -> Result<Rectification> {
    diesel::update(rectification::table.find(id))
        .set((
            rectification::due_on.eq(due_on),
            rectification::version.eq(rectification::version + 1),
            rectification::updated_at.eq(now),
        ))
        .execute(conn)?;
    get(conn, id)
}

/// Which rectifications to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub organizations: Vec<OrganizationId>,
    pub causes: Vec<RectificationCause>,
    pub states: Vec<RectificationState>,
    /// In the order of (`updated_at`, `id`), after this place; else newest first.
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// Those the caller reaches.
pub fn list(conn: &mut Conn, reach: &Reach, filter: &Filter) -> Result<Vec<Rectification>> {
    let mut query = rectification::table.into_boxed();
    if !reach.everything {
        let unit = rectification::organization_id;
        let own = reach.host.map(|host| unit.eq(host));
        let supervised = reach
            .region
            .map(|region| unit.eq_any(hosts_within!(region)));
        query = match (own, supervised) {
            (Some(own), Some(supervised)) => query.filter(own.or(supervised)),
            (Some(own), None) => query.filter(own),
            (None, Some(supervised)) => query.filter(supervised),
            (None, None) => return Ok(Vec::new()),
        };
    }
    if !filter.organizations.is_empty() {
        let asked = rectification::organization_id.eq_any(filter.organizations.clone());
        query = query.filter(asked);
    }
    if !filter.causes.is_empty() {
        query = query.filter(rectification::cause.eq_any(filter.causes.clone()));
    }
    if !filter.states.is_empty() {
        query = query.filter(rectification::state.eq_any(filter.states.clone()));
    }
    let range = page::Range::of(filter.changed_after, filter.below);
    let query = page::in_range!(query, rectification, range);
    Ok(query
        .limit(filter.limit)
        .select(Rectification::as_select())
        .load(conn)?)
}

/// The units of those that were opened by a day and not accepted by it.
pub fn list_open_by(conn: &mut Conn, day: NaiveDate) -> Result<Vec<OrganizationId>> {
    let next = Instant::at_midnight(day.succ_opt().unwrap_or(day));
    let accepted = rectification::accepted_at;
    Ok(rectification::table
        .filter(rectification::created_at.lt(next))
        .filter(accepted.is_null().or(accepted.ge(next)))
        .select(rectification::organization_id)
        .load(conn)?)
}
