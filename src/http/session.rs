//! `/auth/login`, `/auth/refresh`, `/auth/logout`.

use actix_web::http::header::USER_AGENT;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::asked::Asked;
use super::routes::{Route, post};
use crate::operations::session::{self, Tokens};

pub fn routes() -> Vec<Route> {
    vec![
        post("/auth/login", "session_open", "Sign in", login)
            .takes::<LoginBody>()
            .answers::<TokensShape>(200),
        post(
            "/auth/refresh",
            "session_refresh",
            "Renew the tokens; a refresh token works once",
            refresh,
        )
        .takes::<RefreshBody>()
        .answers::<TokensShape>(200),
        post(
            "/auth/logout",
            "session_close",
            "End the session of a refresh token",
            logout,
        )
        .takes::<RefreshBody>()
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

async fn login(asked: Asked) -> Answer {
    let body: LoginBody = asked.json()?;
    let tokens = session::login(
        &asked.app,
        &body.email,
        body.password,
        asked.header(&USER_AGENT),
        asked.now,
    )
    .await?;
    asked.ok(TokensShape::from(tokens))
}

async fn refresh(asked: Asked) -> Answer {
    let body: RefreshBody = asked.json()?;
    asked.ok(TokensShape::from(
        session::refresh(&asked.app, &body.refresh_token, asked.now).await?,
    ))
}

async fn logout(asked: Asked) -> Answer {
    let body: RefreshBody = asked.json()?;
    session::logout(&asked.app, &body.refresh_token, asked.now).await?;
    asked.no_content()
}
