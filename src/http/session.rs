//! `/auth/login`, `/auth/refresh`, `/auth/logout`, `/me/sessions`.

use actix_web::http::header::USER_AGENT;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, no_content};
use super::context::RequestContext;
use super::route::{Route, delete, get, post};
use crate::domain::access::Action;
use crate::domain::{Instant, SessionId};
use crate::operations::session::{self, Credentials, Tokens};
use crate::store::session::Session;

pub fn routes() -> Vec<Route> {
    vec![
        post("/auth/login", Action::SessionOpen, "Sign in", login)
            .ignores_caller()
            .proves(&[401, 403, 429])
            .signs_in()
            .takes::<LoginBody>()
            .answers::<TokensShape>(200),
        post(
            "/auth/refresh",
            Action::SessionRefresh,
            "Renew the tokens; a refresh token works once",
            refresh,
        )
        .ignores_caller()
        .proves(&[401])
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

async fn login(context: RequestContext) -> Answer {
    let user_agent = context.header(&USER_AGENT);
    let credentials = context.json().map(|body: LoginBody| Credentials {
        login: body.email,
        password: body.password,
        user_agent,
    });
    if let Ok(credentials) = &credentials {
        context.count_login(&credentials.login)?;
    }
    let tokens = session::login(&context.app, &context.reader(), credentials).await?;
    context.ok(TokensShape::from(tokens))
}

async fn refresh(context: RequestContext) -> Answer {
    let token = context.json().map(|body: RefreshBody| body.refresh_token);
    let tokens = session::refresh(&context.app, &context.reader(), token).await?;
    context.ok(TokensShape::from(tokens))
}

async fn logout(context: RequestContext) -> Answer {
    let token = context.json().map(|body: RefreshBody| body.refresh_token);
    session::logout(&context.app, &context.reader(), token).await?;
    context.no_content()
}

async fn list(context: RequestContext) -> Answer {
    let open = session::list(&context.app, &context.reader()).await?;
    let (params, current) = (context.params()?, context.session()?);
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
    let done = session::revoke_all(&context.run(no_content)?, context.no_body()).await?;
    context.answer(done, no_content)
}

async fn revoke(context: RequestContext) -> Answer {
    let (run, id) = (context.run(no_content)?, context.id("id")?);
    context.answer(
        session::revoke(&run, id, context.no_body()).await?,
        no_content,
    )
}
