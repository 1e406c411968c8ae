//! Policy packs, as they were given: a version never changes (`PolicyVersion` refuses a second one).

use diesel::prelude::*;

use super::schema::policy;
use super::{Conn, Result};
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
}

/// A pack to insert.
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

/// The pack of this code and version, the newest version without one.
pub fn find_version(conn: &mut Conn, code: &str, version: Option<i64>) -> Result<Option<Pack>> {
    let mut query = policy::table
        .filter(policy::code.eq(code))
        .order(policy::version.desc())
        .select(Pack::as_select())
        .into_boxed();
    if let Some(version) = version {
        query = query.filter(policy::version.eq(version));
    }
    Ok(query.first(conn).optional()?)
}

/// Packs after `after`, oldest first.
pub fn list(conn: &mut Conn, after: Option<PolicyId>, limit: i64) -> Result<Vec<Pack>> {
    let mut query = policy::table
        .order(policy::id.asc())
        .limit(limit)
        .select(Pack::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(policy::id.gt(after));
    }
    Ok(query.load(conn)?)
}
