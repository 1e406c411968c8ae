//! Invitations into an organization: single-use tokens, stored hashed.

use diesel::prelude::*;

use super::schema::invitation;
use super::{Conn, Json, Result};
use crate::domain::access::Role;
use crate::domain::{Instant, InvitationId, OrganizationId, UserId};

/// One invitation.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = invitation)]
pub struct Invitation {
    pub id: InvitationId,
    pub organization_id: OrganizationId,
    pub login: String,
    pub roles: Json<Vec<Role>>,
    /// None for the command line's.
    pub invited_by: Option<UserId>,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub accepted_at: Option<Instant>,
    pub withdrawn_at: Option<Instant>,
}

impl Invitation {
    /// Whether it can be accepted at `now`.
    pub fn is_open(&self, now: Instant) -> bool {
        self.accepted_at.is_none() && self.withdrawn_at.is_none() && now < self.expires_at
    }
}

/// An invitation to make.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub organization_id: OrganizationId,
    pub login: String,
    pub roles: Vec<Role>,
    pub token_hash: String,
    pub invited_by: Option<UserId>,
    pub created_at: Instant,
    pub expires_at: Instant,
}

pub fn insert(conn: &mut Conn, new: &NewInvitation) -> Result<InvitationId> {
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

pub fn get(conn: &mut Conn, id: InvitationId) -> Result<Invitation> {
    Ok(invitation::table
        .find(id)
        .select(Invitation::as_select())
        .get_result(conn)?)
}

/// The invitation of a token that is open at `now`.
pub fn find_open(conn: &mut Conn, token_hash: &str, now: Instant) -> Result<Option<Invitation>> {
    let found: Option<Invitation> = invitation::table
        .filter(invitation::token_hash.eq(token_hash))
        .select(Invitation::as_select())
        .get_result(conn)
        .optional()?;
    Ok(found.filter(|one| one.is_open(now)))
}

/// The invitations of an organization that are open at `now`, after an id.
pub fn list_open(
    conn: &mut Conn,
    organization: OrganizationId,
    now: Instant,
    after: Option<InvitationId>,
    limit: i64,
) -> Result<Vec<Invitation>> {
    let open = invitation::table
        .filter(
            invitation::organization_id
                .eq(organization)
                .and(invitation::accepted_at.is_null())
                .and(invitation::withdrawn_at.is_null())
                .and(invitation::expires_at.gt(now)),
        )
        .select(Invitation::as_select())
        .order(invitation::id)
        .limit(limit)
        .into_boxed();
    let open = match after {
        Some(after) => open.filter(invitation::id.gt(after)),
        None => open,
    };
    Ok(open.load(conn)?)
}

/// Uses an invitation; `false` when it was used or withdrawn before, also by a request running at this moment.
pub fn claim(conn: &mut Conn, id: InvitationId, now: Instant) -> Result<bool> {
    let unused = invitation::table.find(id).filter(
        invitation::accepted_at
            .is_null()
            .and(invitation::withdrawn_at.is_null()),
    );
    Ok(diesel::update(unused)
        .set(invitation::accepted_at.eq(now))
        .execute(conn)?
        == 1)
}

/// Withdraws an invitation; `false` when it was used or withdrawn before.
pub fn update_withdrawn(conn: &mut Conn, id: InvitationId, now: Instant) -> Result<bool> {
    let unused = invitation::table.find(id).filter(
        invitation::accepted_at
            .is_null()
            .and(invitation::withdrawn_at.is_null()),
    );
    Ok(diesel::update(unused)
        .set(invitation::withdrawn_at.eq(now))
        .execute(conn)?
        == 1)
}

/// Withdraws what an organization sent to an address before.
pub fn update_withdrawn_of(
    conn: &mut Conn,
    organization: OrganizationId,
    login: &str,
    now: Instant,
) -> Result<()> {
    let unused = invitation::table.filter(
        invitation::organization_id
            .eq(organization)
            .and(invitation::login.eq(login))
            .and(invitation::accepted_at.is_null())
            .and(invitation::withdrawn_at.is_null()),
    );
    diesel::update(unused)
        .set(invitation::withdrawn_at.eq(now))
        .execute(conn)?;
    Ok(())
}
