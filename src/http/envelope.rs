//! Around every request: its id, its log line, and the problem document an error becomes.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use rand::RngExt;
use tracing::Instrument;

use super::context::language;
use super::problem;
use crate::app::token::hex;
use crate::error::AppError;

/// The id of a request: the client's own when it sent a sane one, else a new one.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

fn request_id(request: &ServiceRequest) -> String {
    let sent = request
        .headers()
        .get(&HEADER)
        .and_then(|value| value.to_str().ok());
    let sane = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    sent.filter(sane)
        .map(str::to_owned)
        .unwrap_or_else(|| hex(&rand::rng().random::<[u8; 12]>()))
}

/// The middleware.
pub async fn wrap(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let id = request_id(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let span =
        tracing::info_span!("request", id, method = %request.method(), path = request.path());
    // The request itself must not be held here: routing needs it alone.
    let response = next.call(request).instrument(span.clone()).await?;
    let _entered = span.enter();
    let mut response = match as_problem(&response, &id) {
        Some(problem) => response.into_response(problem).map_into_boxed_body(),
        None => response.map_into_boxed_body(),
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    tracing::debug!(status = response.status().as_u16(), "answered");
    Ok(response)
}

fn as_problem<B>(response: &ServiceResponse<B>, id: &str) -> Option<actix_web::HttpResponse> {
    let error = response.response().error()?;
    let request = response.request();
    Some(match error.as_error::<AppError>() {
        Some(known) => problem::render(known, language(request), request.path(), id),
        None => problem::render_any(error, language(request), request.path(), id),
    })
}
