//! Sessions (families of refresh tokens), failed sign-ins, and the row that tells who a token or key stands for.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::prepared::on_each;
use super::schema::{api_key, login_failure, organization, refresh_token, session, user_account};
use super::{Conn, Json, Result};
use crate::domain::access::{ApiScope, Role};
use crate::domain::account::UserState;
use crate::domain::organization::OrganizationState;
use crate::domain::{ApiKeyId, Instant, OrganizationId, RegionCode, SessionId, UserId};

/// A session as its owner sees it.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = session)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub user_agent: Option<String>,
    pub created_at: Instant,
    pub last_used_at: Instant,
    pub expires_at: Instant,
    pub revoked_at: Option<Instant>,
}

pub fn insert(
    conn: &mut Conn,
    user: UserId,
    user_agent: Option<&str>,
    now: Instant,
    expires_at: Instant,
) -> Result<SessionId> {
    Ok(diesel::insert_into(session::table)
        .values((
            session::user_id.eq(user),
            session::user_agent.eq(user_agent),
            session::created_at.eq(now),
            session::last_used_at.eq(now),
            session::expires_at.eq(expires_at),
        ))
        .returning(session::id)
        .get_result(conn)?)
}

pub fn get(conn: &mut Conn, id: SessionId) -> Result<Session> {
    Ok(session::table
        .find(id)
        .select(Session::as_select())
        .get_result(conn)?)
}

/// The sessions of a user that can still be used.
pub fn list_open(conn: &mut Conn, user: UserId, now: Instant) -> Result<Vec<Session>> {
    Ok(session::table
        .filter(
            session::user_id
                .eq(user)
                .and(session::revoked_at.is_null())
                .and(session::expires_at.gt(now)),
        )
        .select(Session::as_select())
        .order(session::id)
        .load(conn)?)
}

/// Notes a use and moves the end of the session.
pub fn update_used(
    conn: &mut Conn,
    id: SessionId,
    now: Instant,
    expires_at: Instant,
) -> Result<()> {
    diesel::update(session::table.find(id))
        .set((
            session::last_used_at.eq(now),
            session::expires_at.eq(expires_at),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn update_revoked(conn: &mut Conn, id: SessionId, now: Instant) -> Result<()> {
    diesel::update(
        session::table
            .find(id)
            .filter(session::revoked_at.is_null()),
    )
    .set(session::revoked_at.eq(now))
    .execute(conn)?;
    Ok(())
}

/// Revokes every session of a user but `kept`.
pub fn update_all_revoked(
    conn: &mut Conn,
    user: UserId,
    kept: Option<SessionId>,
    now: Instant,
) -> Result<()> {
    let open = session::table.filter(session::user_id.eq(user).and(session::revoked_at.is_null()));
    match kept {
        Some(kept) => diesel::update(open.filter(session::id.ne(kept)))
            .set(session::revoked_at.eq(now))
            .execute(conn)?,
        None => diesel::update(open)
            .set(session::revoked_at.eq(now))
            .execute(conn)?,
    };
    Ok(())
}

/// Revokes the open sessions of a user beyond the `most` that were used last.
pub fn update_oldest_revoked(conn: &mut Conn, user: UserId, most: i64, now: Instant) -> Result<()> {
    let open = session::table.filter(
        session::user_id
            .eq(user)
            .and(session::revoked_at.is_null())
            .and(session::expires_at.gt(now)),
    );
    let beyond: Vec<SessionId> = open
        .select(session::id)
        .order((session::last_used_at.desc(), session::id.desc()))
        .offset(most)
        .limit(1000)
        .load(conn)?;
    if !beyond.is_empty() {
        diesel::update(session::table.filter(session::id.eq_any(beyond)))
            .set(session::revoked_at.eq(now))
            .execute(conn)?;
    }
    Ok(())
}

/// Forgets sessions that ended before `before` and have no refresh tokens any more; answers how many.
pub fn delete_before(conn: &mut Conn, before: Instant) -> Result<usize> {
    let ended = session::table.filter(
        session::expires_at
            .lt(before)
            .or(session::revoked_at.lt(before)),
    );
    Ok(diesel::delete(ended).execute(conn)?)
}

pub fn insert_refresh_token(
    conn: &mut Conn,
    token_hash: &str,
    session: SessionId,
    now: Instant,
) -> Result<()> {
    diesel::insert_into(refresh_token::table)
        .values((
            refresh_token::token_hash.eq(token_hash),
            refresh_token::session_id.eq(session),
            refresh_token::issued_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The session of a refresh token and whether the token was used before.
pub fn find_refresh_token(conn: &mut Conn, token_hash: &str) -> Result<Option<(SessionId, bool)>> {
    let found: Option<(SessionId, Option<Instant>)> = refresh_token::table
        .find(token_hash)
        .select((refresh_token::session_id, refresh_token::used_at))
        .get_result(conn)
        .optional()?;
    Ok(found.map(|(session, used_at)| (session, used_at.is_some())))
}

/// Uses a refresh token; `false` when it was used before, also by a request running at this moment.
pub fn claim_refresh_token(conn: &mut Conn, token_hash: &str, now: Instant) -> Result<bool> {
    let unused = refresh_token::table
        .find(token_hash)
        .filter(refresh_token::used_at.is_null());
    Ok(diesel::update(unused)
        .set(refresh_token::used_at.eq(now))
        .execute(conn)?
        == 1)
}

/// Forgets the refresh tokens of sessions that ended before `before`; answers how many. While a session lasts its used
/// tokens stay, because using one again must be noticed.
pub fn delete_refresh_tokens_before(conn: &mut Conn, before: Instant) -> Result<usize> {
    let ended = session::table
        .filter(
            session::expires_at
                .lt(before)
                .or(session::revoked_at.lt(before)),
        )
        .select(session::id);
    Ok(
        diesel::delete(refresh_token::table.filter(refresh_token::session_id.eq_any(ended)))
            .execute(conn)?,
    )
}

/// What the places begin with that are sessions.
pub const SESSION_PLACE: &str = "session:";

/// How often a password was tried in one place, and when it was right there.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = login_failure)]
pub struct Failures {
    pub failures: i64,
    pub locked_until: Option<Instant>,
    pub succeeded_at: Option<Instant>,
}

/// Forgets failures that are neither recent nor a lock, and places that signed in long ago; answers how many.
pub fn delete_failures_before(conn: &mut Conn, before: Instant, known: Instant) -> Result<usize> {
    let old = login_failure::table.filter(
        login_failure::last_failed_at
            .lt(before)
            .and(
                login_failure::locked_until
                    .is_null()
                    .or(login_failure::locked_until.lt(before)),
            )
            .and(
                login_failure::succeeded_at
                    .is_null()
                    .or(login_failure::succeeded_at.lt(known)),
            ),
    );
    Ok(diesel::delete(old).execute(conn)?)
}

/// Forgets of one login what no longer counts: failures before `recent` without a lock at `now`. Places where it signed in
/// since `known` stay.
pub fn delete_failures_of_before(
    conn: &mut Conn,
    login: &str,
    (recent, now): (Instant, Instant),
    known: Instant,
) -> Result<()> {
    let old = login_failure::table.filter(
        login_failure::login
            .eq(login)
            .and(login_failure::last_failed_at.lt(recent))
            .and(
                login_failure::locked_until
                    .is_null()
                    .or(login_failure::locked_until.le(now)),
            )
            .and(
                login_failure::succeeded_at
                    .is_null()
                    .or(login_failure::succeeded_at.lt(known)),
            ),
    );
    diesel::delete(old).execute(conn)?;
    Ok(())
}

/// The failures of a login at all addresses together, and since when; none where nothing failed.
pub fn find_failures(conn: &mut Conn, login: &str) -> Result<Option<(i64, Instant)>> {
    let places: Vec<(i64, Instant)> = login_failure::table
        .filter(
            login_failure::login
                .eq(login)
                .and(login_failure::failures.gt(0))
                .and(login_failure::place.not_like(format!("{SESSION_PLACE}%"))),
        )
        .select((login_failure::failures, login_failure::last_failed_at))
        .load(conn)?;
    let failures = places.iter().map(|(failures, _)| failures).sum();
    let first = places.iter().map(|(_, at)| *at).min();
    Ok(first.map(|first| (failures, first)))
}

/// What was counted in one place.
pub fn find_failures_at(conn: &mut Conn, login: &str, place: &str) -> Result<Option<Failures>> {
    Ok(login_failure::table
        .find((login, place))
        .select(Failures::as_select())
        .get_result(conn)
        .optional()?)
}

/// Counts one more failure, or begins to count.
pub fn update_failures(
    conn: &mut Conn,
    (login, place): (&str, &str),
    failures: i64,
    locked_until: Option<Instant>,
    now: Instant,
) -> Result<()> {
    let changed = diesel::update(login_failure::table.find((login, place)))
        .set((
            login_failure::failures.eq(failures),
            login_failure::last_failed_at.eq(now),
            login_failure::locked_until.eq(locked_until),
        ))
        .execute(conn)?;
    if changed == 0 {
        diesel::insert_into(login_failure::table)
            .values((
                login_failure::login.eq(login),
                login_failure::place.eq(place),
                login_failure::failures.eq(failures),
                login_failure::last_failed_at.eq(now),
                login_failure::locked_until.eq(locked_until),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Nothing failed in this place, and it was right now.
pub fn update_succeeded(conn: &mut Conn, (login, place): (&str, &str), now: Instant) -> Result<()> {
    diesel::update(login_failure::table.find((login, place)))
        .set((
            login_failure::failures.eq(0),
            login_failure::locked_until.eq(None::<Instant>),
            login_failure::succeeded_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets every count of a login.
pub fn delete_failures(conn: &mut Conn, login: &str) -> Result<()> {
    diesel::delete(login_failure::table.filter(login_failure::login.eq(login))).execute(conn)?;
    Ok(())
}

/// Who a session or key stands for, as it is now.
#[derive(Debug, Clone, Queryable)]
pub struct Standing {
    pub user_id: UserId,
    pub user_state: UserState,
    pub roles: Json<Vec<Role>>,
    pub organization_id: OrganizationId,
    pub organization_state: OrganizationState,
    pub organization_region: RegionCode,
}

/// The person behind a session that is open at `now`.
pub fn find_standing(conn: &mut Conn, id: SessionId, now: Instant) -> Result<Option<Standing>> {
    let open = session::table
        .inner_join(user_account::table.inner_join(organization::table))
        .filter(
            session::id
                .eq(id)
                .and(session::revoked_at.is_null())
                .and(session::expires_at.gt(now)),
        )
        .select((
            user_account::id,
            user_account::state,
            user_account::roles,
            organization::id,
            organization::state,
            organization::region_code,
        ));
    Ok(on_each!(conn, |own| open.get_result(own)).optional()?)
}

/// The person who signs in with this name.
pub fn find_standing_of_login(conn: &mut Conn, login: &str) -> Result<Option<Standing>> {
    Ok(user_account::table
        .inner_join(organization::table)
        .filter(user_account::login.eq(login))
        .select((
            user_account::id,
            user_account::state,
            user_account::roles,
            organization::id,
            organization::state,
            organization::region_code,
        ))
        .get_result(conn)
        .optional()?)
}

/// The person behind an API key that is valid at `now`, with the key's id, scopes and last use.
#[derive(Debug, Clone)]
pub struct KeyStanding {
    pub standing: Standing,
    pub key_id: ApiKeyId,
    pub scopes: Vec<ApiScope>,
    pub last_used_at: Option<Instant>,
}

pub fn find_key_standing(
    conn: &mut Conn,
    secret_hash: &str,
    now: Instant,
) -> Result<Option<KeyStanding>> {
    type Found = (Standing, (ApiKeyId, Json<Vec<ApiScope>>, Option<Instant>));
    let valid = api_key::table
        .inner_join(user_account::table.inner_join(organization::table))
        .filter(
            api_key::secret_hash
                .eq(secret_hash)
                .and(api_key::revoked_at.is_null())
                .and(api_key::expires_at.gt(now)),
        )
        // A key lives and dies with its creator's membership.
        .filter(user_account::organization_id.eq(api_key::organization_id.nullable()))
        .select((
            (
                user_account::id,
                user_account::state,
                user_account::roles,
                organization::id,
                organization::state,
                organization::region_code,
            ),
            (api_key::id, api_key::scopes, api_key::last_used_at),
        ));
    let found: Option<Found> = on_each!(conn, |own| valid.get_result(own)).optional()?;
    Ok(
        found.map(|(standing, (key_id, scopes, last_used_at))| KeyStanding {
            standing,
            key_id,
            scopes: scopes.into_inner(),
            last_used_at,
        }),
    )
}

pub fn update_key_used(conn: &mut Conn, id: ApiKeyId, now: Instant) -> Result<()> {
    diesel::update(api_key::table.find(id))
        .set(api_key::last_used_at.eq(now))
        .execute(conn)?;
    Ok(())
}
