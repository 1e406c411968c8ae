//! Objections to public notices as rows, with what was decided of each.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::{objection, public_notice};
use super::{Conn, Result};
use crate::domain::access::ObjectionReach;
use crate::domain::objection::ObjectionState;
use crate::domain::{Instant, ObjectionId, OrganizationId, PublicNoticeId, UserId};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = objection)]
pub struct Objection {
    pub id: ObjectionId,
    pub public_notice_id: PublicNoticeId,
    /// About whom.
    pub organization_id: Option<OrganizationId>,
    pub text: String,
    pub state: ObjectionState,
    /// When it is to be decided at the latest.
    pub due_on: NaiveDate,
    pub created_by: UserId,
    pub decision: Option<String>,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// An objection to write.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = objection, treat_none_as_default_value = false)]
pub struct NewObjection {
    pub public_notice_id: PublicNoticeId,
    pub organization_id: Option<OrganizationId>,
    pub text: String,
    pub state: ObjectionState,
    pub due_on: NaiveDate,
    pub created_by: UserId,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

pub fn insert(conn: &mut Conn, new: &NewObjection) -> Result<Objection> {
    let id: ObjectionId = diesel::insert_into(objection::table)
        .values(new)
        .returning(objection::id)
        .get_result(conn)?;
    get(conn, id)
}

pub fn get(conn: &mut Conn, id: ObjectionId) -> Result<Objection> {
    Ok(objection::table
        .find(id)
        .select(Objection::as_select())
        .get_result(conn)?)
}

/// The objection as nobody else ends it until the transaction ends.
pub fn get_locked(conn: &mut Conn, id: ObjectionId) -> Result<Objection> {
    if let Conn::Postgres(postgres) = conn {
        objection::table
            .find(id)
            .select(objection::id)
            .for_update()
            .first::<ObjectionId>(postgres)?;
    }
    get(conn, id)
}

/// What ended an objection: a decision with its text, or its withdrawal.
#[derive(Debug, Clone)]
pub struct Ending {
    pub state: ObjectionState,
    pub decision: Option<String>,
    pub by: UserId,
    pub now: Instant,
}

pub fn update_ended(conn: &mut Conn, id: ObjectionId, ending: &Ending) -> Result<Objection> {
    diesel::update(objection::table.find(id))
        .set((
            objection::state.eq(ending.state),
            objection::decision.eq(ending.decision.as_deref()),
            objection::decided_by.eq(ending.by),
            objection::decided_at.eq(ending.now),
            objection::version.eq(objection::version + 1),
            objection::updated_at.eq(ending.now),
        ))
        .execute(conn)?;
    get(conn, id)
}

/// The objections to these notices that nobody decided yet.
pub fn list_open(conn: &mut Conn, notices: &[PublicNoticeId]) -> Result<Vec<ObjectionId>> {
    Ok(objection::table
        .filter(objection::public_notice_id.eq_any(notices))
        .filter(objection::state.eq(ObjectionState::Open))
        .select(objection::id)
        .order(objection::id)
        .load(conn)?)
}

/// How many objections about a unit, to notices of a year, nobody decided yet, and by when the first is to be decided.
pub fn count_open(
    conn: &mut Conn,
    unit: OrganizationId,
    year: i64,
) -> Result<(i64, Option<NaiveDate>)> {
    let of_year = public_notice::table
        .filter(public_notice::year.eq(year))
        .select(public_notice::id);
    Ok(objection::table
        .filter(objection::organization_id.eq(unit))
        .filter(objection::state.eq(ObjectionState::Open))
        .filter(objection::public_notice_id.eq_any(of_year))
        .select((
            diesel::dsl::count_star(),
            diesel::dsl::min(objection::due_on),
        ))
        .get_result(conn)?)
}

/// How far every objection to these notices is.
pub fn list_states(
    conn: &mut Conn,
    notices: &[PublicNoticeId],
) -> Result<Vec<(PublicNoticeId, ObjectionState)>> {
    Ok(objection::table
        .filter(objection::public_notice_id.eq_any(notices))
        .select((objection::public_notice_id, objection::state))
        .load(conn)?)
}

/// The objections to a notice that were upheld or dismissed, in their order.
pub fn list_decided(conn: &mut Conn, notice: PublicNoticeId) -> Result<Vec<Objection>> {
    let decided = [ObjectionState::Upheld, ObjectionState::Dismissed];
    Ok(objection::table
        .filter(objection::public_notice_id.eq(notice))
        .filter(objection::state.eq_any(decided))
        .select(Objection::as_select())
        .order(objection::id)
        .load(conn)?)
}

/// All of a notice, oldest first.
pub fn list_of_notice(conn: &mut Conn, notice: PublicNoticeId) -> Result<Vec<Objection>> {
    Ok(objection::table
        .filter(objection::public_notice_id.eq(notice))
        .select(Objection::as_select())
        .order(objection::id)
        .load(conn)?)
}

/// Which objections to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub notices: Vec<PublicNoticeId>,
    pub organizations: Vec<OrganizationId>,
    pub states: Vec<ObjectionState>,
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// Those the caller reaches, newest first or in the order of change.
pub fn list(conn: &mut Conn, reach: &ObjectionReach, filter: &Filter) -> Result<Vec<Objection>> {
    let mut query = objection::table
        .select(Objection::as_select())
        .limit(filter.limit)
        .into_boxed();
    if !reach.everything {
        let own = objection::created_by.eq(reach.objector);
        query = match reach.host {
            Some(host) => {
                query.filter(own.or(objection::organization_id.assume_not_null().eq(host)))
            }
            None => query.filter(own),
        };
    }
    if !filter.notices.is_empty() {
        query = query.filter(objection::public_notice_id.eq_any(filter.notices.clone()));
    }
    if !filter.organizations.is_empty() {
        let about = objection::organization_id.assume_not_null();
        query = query.filter(about.eq_any(filter.organizations.clone()));
    }
    if !filter.states.is_empty() {
        query = query.filter(objection::state.eq_any(filter.states.clone()));
    }
    if let Some((moment, id)) = filter.changed_after {
        let same = objection::updated_at.eq(moment).and(objection::id.gt(id));
        query = query
            .filter(objection::updated_at.gt(moment).or(same))
            .order((objection::updated_at, objection::id));
    } else {
        query = query.order(objection::id.desc());
        if let Some(below) = filter.below {
            query = query.filter(objection::id.lt(below));
        }
    }
    Ok(query.load(conn)?)
}
