//! `/auth/login`, `/auth/refresh`, `/auth/logout`, `/me/sessions`.

use actix_web::http::header::USER_AGENT;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::route::{Route, delete, get, post};
use crate::domain::access::Action;
use crate::domain::{Instant, SessionId};
use crate::operations::session::{self, Occasion, Tokens};
use crate::store;
use crate::store::session::Session;

pub fn routes() -> Vec<Route> {
    vec![
        post("/auth/login", Action::SessionOpen, "Sign in", login)
            .ignores_caller()
            .takes::<LoginBody>()
            .answers::<TokensShape>(200),
        post(
            "/auth/refresh",
            Action::SessionRefresh,
            "Renew the tokens; a refresh token works once",
            refresh,
        )
        .ignores_caller()
        .takes::<RefreshBody>()
        .answers::<TokensShape>(200),
        post(
            "/auth/logout",
            Action::SessionClose,
            "End the session of a refresh token",
            logout,
        )
        .ignores_caller()
        .takes::<RefreshBody>()
        .answers_status(204),
        get(
            "/me/sessions",
            Action::SessionList,
            "Where the caller is signed in",
            list,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<SessionShape>>(200),
        delete(
            "/me/sessions",
            Action::SessionRevokeAll,
            "Sign out everywhere, here too",
            revoke_all,
        )
        .answers_status(204),
        delete(
            "/me/sessions/{id}",
            Action::SessionRevoke,
            "Sign out in one place",
            revoke,
        )
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

fn occasion(context: &RequestContext) -> Occasion {
    Occasion {
        now: context.now,
        request_id: context.request_id(),
    }
}

async fn login(context: RequestContext) -> Answer {
    let body: LoginBody = context.json()?;
    let tokens = session::login(
        &context.app,
        &body.email,
        body.password,
        context.header(&USER_AGENT),
        occasion(&context),
    )
    .await?;
    context.ok(TokensShape::from(tokens))
}

async fn refresh(context: RequestContext) -> Answer {
    let body: RefreshBody = context.json()?;
    context.ok(TokensShape::from(
        session::refresh(&context.app, &body.refresh_token, occasion(&context)).await?,
    ))
}

async fn logout(context: RequestContext) -> Answer {
    let body: RefreshBody = context.json()?;
    session::logout(&context.app, &body.refresh_token, occasion(&context)).await?;
    context.no_content()
}

async fn list(context: RequestContext) -> Answer {
    let (user, now) = (context.may(Action::SessionList)?.user_id, context.now);
    context.params()?;
    let (params, current) = (context.params()?, context.session()?);
    let open = context
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
    context.ok(Page::of(open, &params, |session| session.id, shape)?)
}

async fn revoke_all(context: RequestContext) -> Answer {
    context.may(Action::SessionRevoke)?;
    session::revoke(&context.app, context.actor()?, None).await?;
    context.no_content()
}

async fn revoke(context: RequestContext) -> Answer {
    let caller = context.may(Action::SessionRevoke)?;
    let id = context.id("id")?;
    session::find_own(&context.app, caller, id, context.now).await?;
    session::revoke(&context.app, context.actor()?, Some(id)).await?;
    context.no_content()
}
