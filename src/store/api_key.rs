//! API keys of organizations: stored hashed, shown with a hint.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::api_key;
use super::{Conn, Json, Result};
use crate::domain::access::ApiScope;
use crate::domain::{ApiKeyId, Instant, OrganizationId, UserId};

/// A key without its secret.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = api_key)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub organization_id: OrganizationId,
    /// Who made it: the key does what this person may, and no more.
    pub user_id: UserId,
    pub name: String,
    /// The last characters of the secret.
    pub hint: String,
    pub scopes: Json<Vec<ApiScope>>,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub last_used_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    pub organization_id: OrganizationId,
    pub user_id: UserId,
    pub name: String,
    pub hint: String,
    pub secret_hash: String,
    pub scopes: Vec<ApiScope>,
    pub created_at: Instant,
    pub expires_at: Instant,
}

pub fn insert(conn: &mut Conn, new: &NewApiKey) -> Result<ApiKeyId> {
    Ok(diesel::insert_into(api_key::table)
        .values((
            api_key::organization_id.eq(new.organization_id),
            api_key::user_id.eq(new.user_id),
            api_key::name.eq(&new.name),
            api_key::hint.eq(&new.hint),
            api_key::secret_hash.eq(&new.secret_hash),
            api_key::scopes.eq(Json::of(new.scopes.clone())?),
            api_key::created_at.eq(new.created_at),
            api_key::expires_at.eq(new.expires_at),
        ))
        .returning(api_key::id)
        .get_result(conn)?)
}

pub fn get(conn: &mut Conn, id: ApiKeyId) -> Result<ApiKey> {
    Ok(api_key::table
        .find(id)
        .select(ApiKey::as_select())
        .get_result(conn)?)
}

/// The keys of an organization that were not revoked, after an id.
pub fn list_of(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ApiKey>> {
    let keys = api_key::table
        .filter(
            api_key::organization_id
                .eq(organization)
                .and(api_key::revoked_at.is_null()),
        )
        .select(ApiKey::as_select())
        .order(api_key::id)
        .limit(limit)
        .into_boxed();
    let keys = match after {
        Some(after) => keys.filter(api_key::id.gt(after)),
        None => keys,
    };
    Ok(keys.load(conn)?)
}

pub fn update_key_revoked(conn: &mut Conn, id: ApiKeyId, now: Instant) -> Result<()> {
    diesel::update(
        api_key::table
            .find(id)
            .filter(api_key::revoked_at.is_null()),
    )
    .set(api_key::revoked_at.eq(now))
    .execute(conn)?;
    Ok(())
}

/// Revokes every key that a person made.
pub fn update_keys_of_revoked(conn: &mut Conn, user: UserId, now: Instant) -> Result<()> {
    diesel::update(
        api_key::table.filter(api_key::user_id.eq(user).and(api_key::revoked_at.is_null())),
    )
    .set(api_key::revoked_at.eq(now))
    .execute(conn)?;
    Ok(())
}

/// The keys of a person that can be used.
pub fn count_open(conn: &mut Conn, user: UserId, now: Instant) -> Result<i64> {
    Ok(api_key::table
        .filter(
            api_key::user_id
                .eq(user)
                .and(api_key::revoked_at.is_null())
                .and(api_key::expires_at.gt(now)),
        )
        .count()
        .get_result(conn)?)
}

/// Forgets the keys that ended before `before`; answers how many.
pub fn delete_before(conn: &mut Conn, before: Instant) -> Result<usize> {
    let ended = api_key::table.filter(
        api_key::expires_at
            .lt(before)
            .or(api_key::revoked_at.lt(before)),
    );
    Ok(diesel::delete(ended).execute(conn)?)
}
