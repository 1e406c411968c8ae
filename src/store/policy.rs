//! Policy packs, as they were given: a version stands once (`PolicyVersion`) and its text stays once a run used it (`PolicyUsed`),
//! while its state moves on.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::{evaluation, policy, subsidy_run};
use super::{Conn, Result, StoreError};
use crate::domain::policy::PolicyState;
use crate::domain::{Instant, PolicyId, UserId};

/// One row, whole. `content` is the TOML text, `digest` its SHA-256.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = policy)]
pub struct Pack {
    pub id: PolicyId,
    pub code: String,
    pub version: i64,
    pub title: String,
    pub content: String,
    pub digest: String,
    pub created_at: Instant,
    pub created_by: Option<UserId>,
    pub state: PolicyState,
    /// The first day on which it rules, once it is in force.
    pub from_on: Option<NaiveDate>,
    pub put_in_force_by: Option<UserId>,
    pub withdraw_reason: Option<String>,
    /// Of the row; `version` is a part of the pack's name.
    pub row_version: i64,
}

impl Pack {
    /// Whether it rules on a day.
    pub fn is_in_force(&self, on: NaiveDate) -> bool {
        self.state == PolicyState::InForce && self.from_on.is_some_and(|from| from <= on)
    }
}

/// A pack to insert, as a draft.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = policy)]
pub struct NewPack {
    pub code: String,
    pub version: i64,
    pub title: String,
    pub content: String,
    pub digest: String,
    pub created_at: Instant,
    pub created_by: Option<UserId>,
}

/// Violates `PolicyVersion`.
pub fn insert(conn: &mut Conn, new: &NewPack) -> Result<PolicyId> {
    Ok(diesel::insert_into(policy::table)
        .values(new)
        .returning(policy::id)
        .get_result(conn)?)
}

pub fn get(conn: &mut Conn, id: PolicyId) -> Result<Pack> {
    Ok(policy::table
        .find(id)
        .select(Pack::as_select())
        .get_result(conn)?)
}

/// The pack as nobody changes it or begins a run by it until the transaction ends.
pub fn get_locked(conn: &mut Conn, id: PolicyId) -> Result<Pack> {
    if let Conn::Postgres(postgres) = conn {
        policy::table
            .find(id)
            .select(policy::id)
            .for_update()
            .first::<PolicyId>(postgres)?;
    }
    get(conn, id)
}

/// The pack as nobody changes it until the transaction ends; other runs begin by it, too.
pub fn get_shared(conn: &mut Conn, id: PolicyId) -> Result<Pack> {
    if let Conn::Postgres(postgres) = conn {
        policy::table
            .find(id)
            .select(policy::id)
            .for_share()
            .first::<PolicyId>(postgres)?;
    }
    get(conn, id)
}

/// The pack of this code and version.
pub fn find_version(conn: &mut Conn, code: &str, version: i64) -> Result<Option<Pack>> {
    Ok(policy::table
        .filter(policy::code.eq(code))
        .filter(policy::version.eq(version))
        .select(Pack::as_select())
        .first(conn)
        .optional()?)
}

/// Whether there is a pack of this code, of whichever version and state.
pub fn is_known(conn: &mut Conn, code: &str) -> Result<bool> {
    let of_code = policy::table.filter(policy::code.eq(code));
    Ok(diesel::select(diesel::dsl::exists(of_code)).get_result(conn)?)
}

/// Whether a run of either kind was made by it.
pub fn is_used(conn: &mut Conn, id: PolicyId) -> Result<bool> {
    let graded = evaluation::table.filter(evaluation::policy_id.eq(id));
    let paid = subsidy_run::table.filter(subsidy_run::policy_id.eq(id));
    let is_graded = diesel::select(diesel::dsl::exists(graded)).get_result::<bool>(conn)?;
    Ok(is_graded || diesel::select(diesel::dsl::exists(paid)).get_result(conn)?)
}

/// The packs that rule on a day, of one code or of all: the latest to come into force first, then the highest version.
pub fn list_in_force(conn: &mut Conn, code: Option<&str>, on: NaiveDate) -> Result<Vec<Pack>> {
    let mut query = policy::table
        .filter(policy::state.eq(PolicyState::InForce))
        .filter(policy::from_on.le(on))
        .order((
            policy::from_on.desc(),
            policy::version.desc(),
            policy::id.desc(),
        ))
        .select(Pack::as_select())
        .into_boxed();
    if let Some(code) = code {
        query = query.filter(policy::code.eq(code.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// Replaces the text of a draft. Violates `PolicyUsed`.
pub fn update_content(conn: &mut Conn, present: &Pack, new: &NewPack) -> Result<()> {
    let changed = diesel::update(policy::table.find(present.id))
        .filter(policy::row_version.eq(present.row_version))
        .set((
            policy::title.eq(&new.title),
            policy::content.eq(&new.content),
            policy::digest.eq(&new.digest),
            policy::created_by.eq(new.created_by),
            policy::row_version.eq(present.row_version + 1),
        ))
        .execute(conn)?;
    one(changed)
}

pub fn update_to_in_force(
    conn: &mut Conn,
    present: &Pack,
    from_on: NaiveDate,
    by: Option<UserId>,
) -> Result<()> {
    let changed = diesel::update(policy::table.find(present.id))
        .filter(policy::row_version.eq(present.row_version))
        .set((
            policy::state.eq(PolicyState::InForce),
            policy::from_on.eq(from_on),
            policy::put_in_force_by.eq(by),
            policy::row_version.eq(present.row_version + 1),
        ))
        .execute(conn)?;
    one(changed)
}

pub fn update_to_withdrawn(conn: &mut Conn, present: &Pack, reason: &str) -> Result<()> {
    let changed = diesel::update(policy::table.find(present.id))
        .filter(policy::row_version.eq(present.row_version))
        .set((
            policy::state.eq(PolicyState::Withdrawn),
            policy::withdraw_reason.eq(reason),
            policy::row_version.eq(present.row_version + 1),
        ))
        .execute(conn)?;
    one(changed)
}

pub fn delete(conn: &mut Conn, present: &Pack) -> Result<()> {
    let unchanged = policy::table
        .find(present.id)
        .filter(policy::row_version.eq(present.row_version));
    one(diesel::delete(unchanged).execute(conn)?)
}

/// `Contended` when the row is no longer what was read.
fn one(changed: usize) -> Result<()> {
    match changed {
        1 => Ok(()),
        _ => Err(StoreError::Contended),
    }
}

/// Packs after `after`, oldest first; drafts are left out where they are not wanted.
pub fn list(
    conn: &mut Conn,
    after: Option<PolicyId>,
    limit: i64,
    with_drafts: bool,
) -> Result<Vec<Pack>> {
    let mut query = policy::table
        .order(policy::id.asc())
        .limit(limit)
        .select(Pack::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(policy::id.gt(after));
    }
    if !with_drafts {
        query = query.filter(policy::state.ne(PolicyState::Draft));
    }
    Ok(query.load(conn)?)
}
