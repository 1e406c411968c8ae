//! User accounts: who signs in, for which organization, with which roles.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::{organization, user_account};
use super::{Conn, Json, Result, StoreError};
use crate::domain::access::Role;
use crate::domain::account::UserState;
use crate::domain::{Instant, OrganizationId, RegionCode, UserId};

/// One row, without the password's hash.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = user_account)]
pub struct User {
    pub id: UserId,
    pub organization_id: Option<OrganizationId>,
    pub login: String,
    pub name: String,
    pub phone: Option<String>,
    pub roles: Json<Vec<Role>>,
    pub state: UserState,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Where somebody belonged last who belongs nowhere.
    #[serde(default)]
    pub former_organization_id: Option<OrganizationId>,
}

/// A new member of an organization.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub organization_id: OrganizationId,
    pub login: String,
    pub name: String,
    pub phone: Option<String>,
    pub password_hash: String,
    pub roles: Vec<Role>,
    pub now: Instant,
}

/// Violates `UserLogin` when the login is taken.
pub fn insert(conn: &mut Conn, new: &NewUser) -> Result<UserId> {
    Ok(diesel::insert_into(user_account::table)
        .values((
            user_account::organization_id.eq(new.organization_id),
            user_account::login.eq(&new.login),
            user_account::name.eq(&new.name),
            user_account::phone.eq(&new.phone),
            user_account::password_hash.eq(&new.password_hash),
            user_account::roles.eq(Json::of(new.roles.clone())?),
            user_account::state.eq(UserState::Active),
            user_account::version.eq(1_i64),
            user_account::created_at.eq(new.now),
            user_account::updated_at.eq(new.now),
        ))
        .returning(user_account::id)
        .get_result(conn)?)
}

pub fn get(conn: &mut Conn, id: UserId) -> Result<User> {
    Ok(user_account::table
        .find(id)
        .select(User::as_select())
        .get_result(conn)?)
}

/// The id and the password's hash of a login.
pub fn find_password(conn: &mut Conn, login: &str) -> Result<Option<(UserId, String)>> {
    Ok(user_account::table
        .filter(user_account::login.eq(login))
        .select((user_account::id, user_account::password_hash))
        .get_result(conn)
        .optional()?)
}

/// The account of a login.
pub fn find_by_login(conn: &mut Conn, login: &str) -> Result<Option<User>> {
    Ok(user_account::table
        .filter(user_account::login.eq(login))
        .select(User::as_select())
        .get_result(conn)
        .optional()?)
}

/// The stored hash of a password.
pub fn get_password(conn: &mut Conn, id: UserId) -> Result<String> {
    Ok(user_account::table
        .find(id)
        .select(user_account::password_hash)
        .get_result(conn)?)
}

/// The members of an organization after an id.
pub fn list_members(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<User>> {
    let members = user_account::table
        .filter(user_account::organization_id.eq(organization))
        .select(User::as_select())
        .order(user_account::id)
        .limit(limit)
        .into_boxed();
    let members = match after {
        Some(after) => members.filter(user_account::id.gt(after)),
        None => members,
    };
    Ok(members.load(conn)?)
}

/// Sets where a person belongs, with which roles, and whether it may sign in; contended when another action wrote the version
/// after `present` first.
pub fn update_membership(
    conn: &mut Conn,
    present: &User,
    organization: Option<OrganizationId>,
    roles: &[Role],
    state: UserState,
    now: Instant,
) -> Result<()> {
    let as_read = user_account::table
        .find(present.id)
        .filter(user_account::version.eq(present.version));
    let former = match organization {
        Some(_) => None,
        None => present.organization_id.or(present.former_organization_id),
    };
    let updated = diesel::update(as_read)
        .set((
            user_account::organization_id.eq(organization),
            user_account::former_organization_id.eq(former),
            user_account::roles.eq(Json::of(roles.to_vec())?),
            user_account::state.eq(state),
            user_account::version.eq(present.version + 1),
            user_account::updated_at.eq(now),
        ))
        .execute(conn)?;
    one(updated)
}

/// The row as it was read was there to change.
fn one(updated: usize) -> Result<()> {
    match updated {
        1 => Ok(()),
        _ => Err(StoreError::Contended),
    }
}

/// Makes somebody who belongs nowhere a member; whether they still belonged nowhere.
pub fn claim(
    conn: &mut Conn,
    id: UserId,
    organization: OrganizationId,
    roles: &[Role],
    now: Instant,
) -> Result<bool> {
    let free = user_account::table.filter(
        user_account::id
            .eq(id)
            .and(user_account::organization_id.is_null()),
    );
    let claimed = diesel::update(free)
        .set((
            user_account::organization_id.eq(organization),
            user_account::former_organization_id.eq(None::<OrganizationId>),
            user_account::roles.eq(Json::of(roles.to_vec())?),
            user_account::state.eq(UserState::Active),
            user_account::version.eq(user_account::version + 1),
            user_account::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(claimed == 1)
}

/// Takes the login from an account, which nobody signs in to any more; contended when another action wrote the version after
/// `present` first.
pub fn release(conn: &mut Conn, present: &User, now: Instant) -> Result<()> {
    let as_read = user_account::table
        .find(present.id)
        .filter(user_account::version.eq(present.version));
    let updated = diesel::update(as_read)
        .set((
            user_account::login.eq(format!("released:{}", present.id)),
            user_account::state.eq(UserState::Suspended),
            user_account::version.eq(present.version + 1),
            user_account::updated_at.eq(now),
        ))
        .execute(conn)?;
    one(updated)
}

pub fn update_password(
    conn: &mut Conn,
    id: UserId,
    password_hash: &str,
    now: Instant,
) -> Result<()> {
    diesel::update(user_account::table.find(id))
        .set((
            user_account::password_hash.eq(password_hash),
            user_account::version.eq(user_account::version + 1),
            user_account::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Sets what a person says of itself; contended when another action wrote the version after `present` first.
pub fn update_profile(
    conn: &mut Conn,
    present: &User,
    name: &str,
    phone: Option<&str>,
    now: Instant,
) -> Result<()> {
    let as_read = user_account::table
        .find(present.id)
        .filter(user_account::version.eq(present.version));
    let updated = diesel::update(as_read)
        .set((
            user_account::name.eq(name),
            user_account::phone.eq(phone),
            user_account::version.eq(present.version + 1),
            user_account::updated_at.eq(now),
        ))
        .execute(conn)?;
    one(updated)
}

/// An active member of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: UserId,
    pub roles: Vec<Role>,
}

pub fn list_active(conn: &mut Conn, organization: OrganizationId) -> Result<Vec<Member>> {
    let members: Vec<(UserId, Json<Vec<Role>>)> = user_account::table
        .filter(
            user_account::organization_id
                .eq(organization)
                .and(user_account::state.eq(UserState::Active)),
        )
        .select((user_account::id, user_account::roles))
        .order(user_account::id)
        .load(conn)?;
    let members = members.into_iter();
    Ok(members
        .map(|(id, roles)| Member {
            id,
            roles: roles.into_inner(),
        })
        .collect())
}

/// The active members of an organization with one of these roles.
pub fn list_with_roles(
    conn: &mut Conn,
    organization: OrganizationId,
    roles: &[Role],
) -> Result<Vec<UserId>> {
    let members = list_active(conn, organization)?.into_iter();
    Ok(members
        .filter(|member| member.roles.iter().any(|role| roles.contains(role)))
        .map(|member| member.id)
        .collect())
}

/// Whether the account may sign in.
pub fn is_active(conn: &mut Conn, user: UserId) -> Result<bool> {
    let active = user_account::table
        .find(user)
        .filter(user_account::state.eq(UserState::Active));
    Ok(diesel::select(diesel::dsl::exists(active)).get_result(conn)?)
}

/// The logins of active people with one of these roles.
pub fn list_logins(conn: &mut Conn, roles: &[Role]) -> Result<Vec<String>> {
    let people: Vec<(String, Json<Vec<Role>>)> = user_account::table
        .filter(user_account::state.eq(UserState::Active))
        .select((user_account::login, user_account::roles))
        .order(user_account::id)
        .load(conn)?;
    Ok(people
        .into_iter()
        .filter(|(_, held)| held.iter().any(|role| roles.contains(role)))
        .map(|(login, _)| login)
        .collect())
}

/// An active administrator of the province or of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supervisor {
    pub id: UserId,
    /// None for the province's, who supervise everywhere.
    region: Option<RegionCode>,
}

impl Supervisor {
    pub fn covers(&self, supervising_region: RegionCode) -> bool {
        self.region
            .is_none_or(|region| region.covers(supervising_region))
    }
}

/// Everybody who supervises organizations.
pub fn list_supervisors(conn: &mut Conn) -> Result<Vec<Supervisor>> {
    let people: Vec<(UserId, Json<Vec<Role>>, RegionCode)> = user_account::table
        .inner_join(organization::table)
        .filter(user_account::state.eq(UserState::Active))
        .select((
            user_account::id,
            user_account::roles,
            organization::region_code,
        ))
        .order(user_account::id)
        .load(conn)?;
    let offices = people.into_iter().filter_map(|(id, roles, region)| {
        let region = if roles.contains(&Role::PlatformAdmin) {
            None
        } else if roles.contains(&Role::RegionAdmin) {
            Some(region)
        } else {
            return None;
        };
        Some(Supervisor { id, region })
    });
    Ok(offices.collect())
}
