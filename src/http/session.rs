//! `/auth/login`, `/auth/refresh`, `/auth/logout`, `/me/sessions`.

use actix_web::http::header::USER_AGENT;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::asked::Asked;
use super::routes::{Route, delete, get, post};
use crate::domain::access::Deed;
use crate::domain::{Instant, SessionId};
use crate::operations::session::{self, Occasion, Tokens};
use crate::store;
use crate::store::session::Session;

pub fn routes() -> Vec<Route> {
    vec![
        post("/auth/login", "session_open", "Sign in", login)
            .ignores_caller()
            .takes::<LoginBody>()
            .answers::<TokensShape>(200),
        post(
            "/auth/refresh",
            "session_refresh",
            "Renew the tokens; a refresh token works once",
            refresh,
        )
        .ignores_caller()
        .takes::<RefreshBody>()
        .answers::<TokensShape>(200),
        post(
            "/auth/logout",
            "session_close",
            "End the session of a refresh token",
            logout,
        )
        .ignores_caller()
        .takes::<RefreshBody>()
        .answers_status(204),
        get(
            "/me/sessions",
            "session_list",
            "Where the caller is signed in",
            list,
        )
        .deed(Deed::SessionRead)
        .parameters(&["limit", "cursor"])
        .answers::<SessionPage>(200),
        delete(
            "/me/sessions",
            "session_revoke_all",
            "Sign out everywhere, here too",
            revoke_all,
        )
        .deed(Deed::SessionRevoke)
        .answers_status(204),
        delete(
            "/me/sessions/{id}",
            "session_revoke",
            "Sign out in one place",
            revoke,
        )
        .deed(Deed::SessionRevoke)
        .ignores_version()
        .answers_status(204),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginBody {
    /// The e-mail address of the account.
    email: String,
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshBody {
    refresh_token: String,
}

#[derive(Serialize, ToSchema)]
struct TokensShape {
    access_token: String,
    refresh_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token expires.
    expires_in: i64,
}

/// A place where the caller is signed in.
#[derive(Serialize, ToSchema)]
struct SessionShape {
    id: SessionId,
    user_agent: Option<String>,
    created_at: Instant,
    last_used_at: Instant,
    expires_at: Instant,
    /// The session of this request.
    is_current: bool,
}

/// Only for the API document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "says what a list of sessions looks like")]
struct SessionPage {
    items: Vec<SessionShape>,
    next_cursor: Option<String>,
}

impl From<Tokens> for TokensShape {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            token_type: "Bearer",
            expires_in: tokens.expires_in_seconds,
        }
    }
}

fn occasion(asked: &Asked) -> Occasion {
    Occasion {
        now: asked.now,
        request_id: asked.request_id(),
    }
}

async fn login(asked: Asked) -> Answer {
    let body: LoginBody = asked.json()?;
    let tokens = session::login(
        &asked.app,
        &body.email,
        body.password,
        asked.header(&USER_AGENT),
        occasion(&asked),
    )
    .await?;
    asked.ok(TokensShape::from(tokens))
}

async fn refresh(asked: Asked) -> Answer {
    let body: RefreshBody = asked.json()?;
    asked.ok(TokensShape::from(
        session::refresh(&asked.app, &body.refresh_token, occasion(&asked)).await?,
    ))
}

async fn logout(asked: Asked) -> Answer {
    let body: RefreshBody = asked.json()?;
    session::logout(&asked.app, &body.refresh_token, occasion(&asked)).await?;
    asked.no_content()
}

async fn list(asked: Asked) -> Answer {
    let (user, now) = (asked.may(Deed::SessionRead)?.user_id, asked.now);
    asked.params()?;
    let (params, current) = (asked.params()?, asked.session()?);
    let open = asked
        .app
        .store
        .read(move |conn| store::session::list_open(conn, user, now))
        .await?;
    let shape = |session: Session| SessionShape {
        id: session.id,
        user_agent: session.user_agent,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
        is_current: Some(session.id) == current,
    };
    asked.ok(Page::of(open, &params, |session| session.id, shape)?)
}

async fn revoke_all(asked: Asked) -> Answer {
    asked.may(Deed::SessionRevoke)?;
    session::revoke(&asked.app, asked.act()?, None).await?;
    asked.no_content()
}

async fn revoke(asked: Asked) -> Answer {
    let caller = asked.may(Deed::SessionRevoke)?;
    let id = asked.id("id")?;
    session::find_own(&asked.app, caller, id, asked.now).await?;
    session::revoke(&asked.app, asked.act()?, Some(id)).await?;
    asked.no_content()
}
