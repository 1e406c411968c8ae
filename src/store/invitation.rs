//! Invitations into an organization: single-use tokens, stored hashed.

use diesel::prelude::*;

use super::schema::invitation;
use super::{Conn, Json, Result};
use crate::domain::access::Role;
use crate::domain::{Instant, OrganizationId, UserId};

/// One invitation.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = invitation)]
pub struct Invitation {
    pub id: i64,
    pub organization_id: OrganizationId,
    pub login: String,
    pub roles: Json<Vec<Role>>,
    pub invited_by: UserId,
    pub expires_at: Instant,
}

/// An invitation to make.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub organization_id: OrganizationId,
    pub login: String,
    pub roles: Vec<Role>,
    pub token_hash: String,
    pub invited_by: UserId,
    pub created_at: Instant,
    pub expires_at: Instant,
}

pub fn insert(conn: &mut Conn, new: &NewInvitation) -> Result<i64> {
    Ok(diesel::insert_into(invitation::table)
        .values((
            invitation::organization_id.eq(new.organization_id),
            invitation::login.eq(&new.login),
            invitation::roles.eq(Json::of(new.roles.clone())?),
            invitation::token_hash.eq(&new.token_hash),
            invitation::invited_by.eq(new.invited_by),
            invitation::created_at.eq(new.created_at),
            invitation::expires_at.eq(new.expires_at),
        ))
        .returning(invitation::id)
        .get_result(conn)?)
}

/// The invitation of a token that is open at `now`.
pub fn find_open(conn: &mut Conn, token_hash: &str, now: Instant) -> Result<Option<Invitation>> {
    Ok(invitation::table
        .filter(
            invitation::token_hash
                .eq(token_hash)
                .and(invitation::accepted_at.is_null())
                .and(invitation::expires_at.gt(now)),
        )
        .select(Invitation::as_select())
        .get_result(conn)
        .optional()?)
}

/// Uses an invitation; `false` when it was used before, also by a request running at this moment.
pub fn claim(conn: &mut Conn, id: i64, now: Instant) -> Result<bool> {
    let unused = invitation::table
        .find(id)
        .filter(invitation::accepted_at.is_null());
    Ok(diesel::update(unused)
        .set(invitation::accepted_at.eq(now))
        .execute(conn)?
        == 1)
}
