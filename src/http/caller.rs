//! Who asks: a bearer token or an API key becomes a [`Caller`], read afresh so that suspending takes effect at once.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use crate::app::App;
use crate::app::token::{self, Claims};
use crate::domain::access::Caller;
use crate::domain::{Instant, SessionId};
use crate::error::{AppError, Code};
use crate::operations::session;

/// Who a request says it comes from, before anything is looked up.
#[derive(Debug)]
pub enum Claim {
    Nobody,
    Session(Claims),
    /// By its hash.
    Key(String),
}

/// What the Authorization header says; 401 when it says nothing that could be true.
pub fn claim(app: &App, request: &HttpRequest, now: Instant) -> Result<Claim, AppError> {
    let Some(token) = bearer(request)? else {
        return Ok(Claim::Nobody);
    };
    if token.starts_with(session::API_KEY_PREFIX) {
        return Ok(Claim::Key(token::hash(token)));
    }
    app.keys.verify(token, now).map(Claim::Session)
}

/// The caller behind a claim; 401 when it names nobody.
pub async fn identify(app: &App, claim: Claim, now: Instant) -> Result<Option<Caller>, AppError> {
    match claim {
        Claim::Nobody => Ok(None),
        Claim::Session(claims) => session::caller_of_session(app, claims.sid, claims.sub, now)
            .await
            .map(Some),
        Claim::Key(hash) => session::caller_of_key(app, hash, now).await.map(Some),
    }
}

fn bearer(request: &HttpRequest) -> Result<Option<&str>, AppError> {
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        return Ok(None);
    };
    let parts = header.to_str().ok().and_then(|text| text.split_once(' '));
    match parts {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(AppError::Unauthenticated(Code::invalid_token)),
    }
}

/// The session whose access token came with the request; `None` for keys and visitors.
pub fn session_of(
    app: &App,
    request: &HttpRequest,
    now: Instant,
) -> Result<Option<SessionId>, AppError> {
    match bearer(request)? {
        Some(token) if !token.starts_with(session::API_KEY_PREFIX) => {
            app.keys.verify(token, now).map(|claims| Some(claims.sid))
        }
        _ => Ok(None),
    }
}
