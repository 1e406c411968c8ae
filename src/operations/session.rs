//! Signing in and out: sessions are families of rotating refresh tokens; using one twice revokes its family. Also who a
//! session or API key stands for, asked at every request.

pub mod attempt;

use self::attempt::{Attempt, Place, Trial};
use crate::app::App;
use crate::app::token::{self, Claims};
use crate::domain::access::{self, ApiKeyGrant, Caller, Role};
use crate::domain::account::{LOGIN_CHARS_MAX, UserState, login_key};
use crate::domain::{Instant, Minutes, SessionId, UserId};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::api_key;
use crate::operations::run::{Outcome, Run, may};
use crate::operations::subject::{self, Ties};
use crate::store::event::Subject;
use crate::store::session::Session;
use crate::store::{self, Conn, session};

// The command line asks for rights by name.
pub use crate::domain::access::Action;
pub use crate::domain::account::API_KEY_PREFIX;

/// What signing in or refreshing gives. Tokens are opaque to clients.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
    pub expires_in_seconds: i64,
}

/// Who signs in, and from where.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub login: String,
    pub password: String,
    pub user_agent: Option<String>,
}

// Tokens are never kept: signing in, refreshing and signing out have no idempotency keys.

/// Signs in. 401 `wrong_credentials`; after repeated failures 429 `locked_out`, for right passwords too.
pub async fn login(
    app: &App,
    actor: &Actor,
    credentials: Result<Credentials, AppError>,
) -> Result<Tokens, AppError> {
    may(actor, Action::SessionOpen)?;
    let credentials = credentials?;
    let login = login_key(&credentials.login);
    if login.chars().count() > LOGIN_CHARS_MAX {
        // Nobody's, and nothing to keep a count of.
        return Err(AppError::Unauthenticated(Code::wrong_credentials));
    }
    let find = {
        let login = login.clone();
        move |conn: &mut Conn| store::user::find_password(conn, &login)
    };
    let known = app.store.read(find).await.map_err(AppError::from)?;
    let user = known.as_ref().map(|(user, _)| *user);
    let trial = Trial {
        login,
        password: credentials.password,
        known,
    };
    let proved = attempt::prove(app, actor, Place::of(actor), trial).await?;
    match user.zip(proved) {
        Some((user, proved)) => open(app, actor, user, proved, credentials.user_agent).await,
        None => Err(AppError::Unauthenticated(Code::wrong_credentials)),
    }
}

async fn open(
    app: &App,
    actor: &Actor,
    user: UserId,
    proved: Attempt,
    user_agent: Option<String>,
) -> Result<Tokens, AppError> {
    let expires_at = session_end(app, actor.now);
    let refresh_token = token::random_token("");
    let token_hash = token::hash(&refresh_token);
    let most = i64::from(app.config.sessions_max);
    let opened = Run::direct(app, actor, Action::SessionOpen)
        .with(Ok(()), move |tx, actor, ()| {
            let (account, now) = (store::user::get(tx, user)?, actor.now);
            attempt::take_back(tx, &proved, now)?;
            if let Some(refusal) = refusal(&account) {
                return Ok(Err(refusal));
            }
            // Whoever signs in once more than that signs out where it was longest ago.
            session::update_oldest_revoked(tx, user, most - 1, now)?;
            let id = session::insert(tx, user, user_agent.as_deref(), now, expires_at)?;
            session::insert_refresh_token(tx, &token_hash, id, now)?;
            append_own(tx, actor, Action::SessionOpen, (id, user))?;
            Ok(Ok((id, user)))
        })
        .await?;
    let opened = opened.now()?.map_err(AppError::Denied)?;
    tokens(app, opened, refresh_token, actor.now)
}

/// Why somebody with the right password does not come in. Who left its organization is nobody here until invited again.
fn refusal(account: &store::user::User) -> Option<Code> {
    match (account.state, account.organization_id) {
        (UserState::Suspended, _) => Some(Code::account_suspended),
        (UserState::Active, None) => Some(Code::membership_ended),
        (UserState::Active, Some(_)) => None,
    }
}

/// Gives new tokens for a refresh token, which can be used once: a second use revokes the family.
pub async fn refresh(
    app: &App,
    actor: &Actor,
    refresh_token: Result<String, AppError>,
) -> Result<Tokens, AppError> {
    let old = refresh_token.map(|token| token::hash(&token));
    let new = token::random_token("");
    let (new_hash, expires_at) = (token::hash(&new), session_end(app, actor.now));
    let found = Run::direct(app, actor, Action::SessionRefresh)
        .with(old, move |tx, actor, old| {
            let Some((id, _)) = session::find_refresh_token(tx, old)? else {
                return Ok(None);
            };
            let (family, now) = (session::get(tx, id)?, actor.now);
            if !is_open(&family, now) {
                return Ok(None);
            }
            let whose = (id, family.user_id);
            if !session::claim_refresh_token(tx, old, now)? {
                session::update_revoked(tx, id, now)?;
                append_own(tx, actor, Action::SessionRevokeReused, whose)?;
                return Ok(None);
            }
            session::insert_refresh_token(tx, &new_hash, id, now)?;
            session::update_used(tx, id, now, expires_at)?;
            append_own(tx, actor, Action::SessionRefresh, whose)?;
            Ok(Some(whose))
        })
        .await?;
    let revoked = AppError::Unauthenticated(Code::session_revoked);
    tokens(app, found.now()?.ok_or(revoked)?, new, actor.now)
}

fn is_open(session: &Session, now: Instant) -> bool {
    session.revoked_at.is_none() && session.expires_at > now
}

/// Ends the session of a refresh token; an unknown one is ended already.
pub async fn logout(
    app: &App,
    actor: &Actor,
    refresh_token: Result<String, AppError>,
) -> Result<(), AppError> {
    let hash = refresh_token.map(|token| token::hash(&token));
    let ended = Run::direct(app, actor, Action::SessionClose)
        .with(hash, move |tx, actor, hash| {
            if let Some((id, _)) = session::find_refresh_token(tx, hash)? {
                let family = session::get(tx, id)?;
                if family.revoked_at.is_none() {
                    session::update_revoked(tx, id, actor.now)?;
                    append_own(tx, actor, Action::SessionClose, (id, family.user_id))?;
                }
            }
            Ok(())
        })
        .await?;
    ended.now()
}

/// A person's own session, as long as it can be used; every other one does not exist.
impl subject::Subject for Session {
    type Id = SessionId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: SessionId) -> Result<Self, AppError> {
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: SessionId) -> Result<Self, AppError> {
        let found = session::get(conn, id)?;
        let is_own = Some(found.user_id) == actor.user_id();
        match is_own && is_open(&found, actor.now) {
            true => Ok(found),
            false => Err(AppError::NotFound),
        }
    }

    fn ties(&self) -> Ties {
        Ties::Nobody
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

/// Where the caller is signed in.
pub async fn list(app: &App, actor: &Actor) -> Result<Vec<Session>, AppError> {
    may(actor, Action::SessionList)?;
    let (user, now) = (actor.caller()?.user_id, actor.now);
    let list = move |conn: &mut Conn| session::list_open(conn, user, now);
    Ok(app.store.read(list).await?)
}

/// Ends one of the caller's sessions.
pub async fn revoke(run: &Run<()>, id: SessionId, body: Result<(), AppError>) -> Outcome<()> {
    run.on(id, body, |tx, actor, one: Session, ()| {
        session::update_revoked(tx, one.id, actor.now)?;
        append_revoked(
            tx,
            actor,
            Action::SessionRevoke,
            Subject::new("session", one.id),
        )
    })
    .await
}

/// Ends all sessions of the caller.
pub async fn revoke_all(run: &Run<()>, body: Result<(), AppError>) -> Outcome<()> {
    run.with(body, |tx, actor, ()| {
        let user = actor.caller()?.user_id;
        session::update_all_revoked(tx, user, None, actor.now)?;
        append_revoked(
            tx,
            actor,
            Action::SessionRevokeAll,
            Subject::new("user", user),
        )
    })
    .await
}

fn append_revoked(
    tx: &mut Conn,
    actor: &Actor,
    action: Action,
    subject: Subject,
) -> Result<(), AppError> {
    let event = actor.event(action, subject);
    store::event::append(tx, &event.of(actor.caller()?.organization_id, None))?;
    Ok(())
}

/// Tells what happens to a session as done by whose it is: who comes with a password or a refresh token is a visitor so far.
fn append_own(
    tx: &mut Conn,
    actor: &Actor,
    action: Action,
    (id, user): (SessionId, UserId),
) -> Result<(), AppError> {
    let account = store::user::get(tx, user)?;
    let mut event = actor.event(action, Subject::new("session", id));
    event.actor_user_id = Some(user);
    event.actor_organization_id = account.organization_id;
    event.organization_id = account.organization_id;
    store::event::append(tx, &event)?;
    Ok(())
}

fn session_end(app: &App, now: Instant) -> Instant {
    now.plus(Minutes::new(i64::from(app.config.session_days) * 24 * 60))
}

fn tokens(
    app: &App,
    (session, user): (SessionId, UserId),
    refresh_token: String,
    now: Instant,
) -> Result<Tokens, AppError> {
    let expires_in_seconds = i64::from(app.config.access_token_minutes) * 60;
    let issued = now.unix_seconds();
    let claims = Claims {
        sub: user,
        sid: session,
        iat: issued,
        exp: issued + expires_in_seconds,
    };
    Ok(Tokens {
        access_token: app.keys.sign(&claims)?,
        refresh_token,
        expires_in_seconds,
    })
}

/// The caller behind a session: 401 when it has ended, 403 when the person is suspended.
pub async fn caller_of_session(
    app: &App,
    session: SessionId,
    user: UserId,
    now: Instant,
) -> Result<Caller, AppError> {
    let found = app
        .store
        .read_apart(move |conn| session::find_standing(conn, session, now))
        .await;
    let standing = found
        .map_err(AppError::from)?
        .filter(|standing| standing.user_id == user);
    caller(
        standing.ok_or(AppError::Unauthenticated(Code::session_revoked))?,
        None,
    )
}

/// The caller an account stands for, without a session: for the command line, whose user holds the database anyway. The
/// account's rights hold all the same. 404 when nobody signs in with this name.
pub async fn caller_of_login(app: &App, login: &str) -> Result<Caller, AppError> {
    let login = login_key(login);
    let found = app
        .store
        .read(move |conn| session::find_standing_of_login(conn, &login))
        .await;
    caller(
        found.map_err(AppError::from)?.ok_or(AppError::NotFound)?,
        None,
    )
}

/// The logins of those who may do an action now.
pub async fn list_able(app: &App, action: Action) -> Result<Vec<String>, AppError> {
    let find = move |conn: &mut Conn| store::user::list_logins(conn, action.roles());
    let mut able = Vec::new();
    for login in app.store.read(find).await.map_err(AppError::from)? {
        let known = caller_of_login(app, &login).await;
        if known.is_ok_and(|caller| access::may(&caller, action).is_ok()) {
            able.push(login);
        }
    }
    Ok(able)
}

/// The caller behind an API key's hash. Its use is noted once an hour, later and apart: reading needs no writer.
pub async fn caller_of_key(
    app: &App,
    secret_hash: String,
    now: Instant,
) -> Result<Caller, AppError> {
    let found = app
        .store
        .read_apart(move |conn| session::find_key_standing(conn, &secret_hash, now))
        .await;
    let key = found
        .map_err(AppError::from)?
        .ok_or(AppError::Unauthenticated(Code::invalid_token))?;
    if key
        .last_used_at
        .is_none_or(|used| used.plus(Minutes::new(60)) <= now)
    {
        api_key::note_use(app, key.key_id, now);
    }
    caller(
        key.standing,
        Some(ApiKeyGrant {
            id: key.key_id,
            scopes: key.scopes,
        }),
    )
}

fn caller(standing: session::Standing, api_key: Option<ApiKeyGrant>) -> Result<Caller, AppError> {
    if standing.user_state == UserState::Suspended {
        return Err(AppError::Denied(Code::account_suspended));
    }
    let is_region_admin = standing.roles.contains(&Role::RegionAdmin);
    Ok(Caller {
        user_id: standing.user_id,
        organization_id: standing.organization_id,
        organization_state: standing.organization_state,
        roles: standing.roles.into_inner(),
        region: is_region_admin.then_some(standing.organization_region),
        api_key,
    })
}
