//! Around every request: its id, its log line, the problem document an error becomes, and the headers of every answer.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};
use rand::RngExt;
use tracing::Instrument;

use super::connection::Connection;
use super::context::language;
use super::entity_tag::EntityTags;
use super::rate::{self, Asking, Left};
use super::{cors, problem, route};
use crate::app::App;
use crate::app::token::hex;
use crate::error::{AppError, Code, Fault};
use crate::operations::calendar_token::FEEDS;

/// The id of a request: the client's own when it sent a sane one, else a new one.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest address, in bytes: a hundred parameters with some text in each.
const URI_MAX: usize = 32 << 10;

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
    sent.filter(sane).map_or_else(new_request_id, str::to_owned)
}

/// An id for a request that brings none.
pub fn new_request_id() -> String {
    hex(&rand::rng().random::<[u8; 12]>())
}

/// The middleware.
pub async fn wrap(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let id = request_id(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let connection = request.conn_data::<Connection>().cloned();
    if let Some(connection) = &connection {
        connection.begins_request();
    }
    let span = tracing::info_span!("request", id, method = %request.method(), path = shown(request.path()));
    let response = answer(request, next, &id).instrument(span.clone()).await?;
    let _entered = span.enter();
    tracing::debug!(status = response.status().as_u16(), "answered");
    if let Some(connection) = &connection {
        connection.ends_request();
    }
    Ok(response)
}

async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    id: &str,
) -> Result<ServiceResponse, Error> {
    let origins = request.app_data::<Data<App>>();
    let origins = origins.map_or_else(String::new, |app| app.config.cors_origins.clone());
    // The request itself must not be held where it is routed: routing needs it alone.
    let response = if let Some(answer) = cors::preflight(request.request(), &origins) {
        request.into_response(answer).map_into_boxed_body()
    } else if request.uri().to_string().len() > URI_MAX {
        let fault = Fault::request(Code::uri_too_long).limit(URI_MAX);
        let error = AppError::Unacceptable(Box::new(fault));
        let refused = request.error_response(error);
        refused.map_into_boxed_body()
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let mut response = counted(response);
    if let Some(problem) = as_problem(&response, id) {
        response = response.into_response(problem).map_into_boxed_body();
    }
    if is_known_to_client(&response) {
        response = response.map_body(|head, _| {
            head.status = StatusCode::NOT_MODIFIED;
            actix_web::body::BoxBody::new(())
        });
    }
    tell(&mut response, id, &origins);
    Ok(response)
}

/// A path as it may be told: a calendar's token is known to its holder alone, however its address is spelled.
pub fn shown(path: &str) -> &str {
    let noun = FEEDS.rsplit('/').nth(1).unwrap_or_default();
    let is_it = |segment: &str| decoded(segment).eq_ignore_ascii_case(noun);
    match path.split(['/', '\\']).any(is_it) || decoded(path).contains(FEEDS) {
        true => FEEDS,
        false => path,
    }
}

/// A text with its letters in place of their numbers (RFC 3986, 2.1).
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.get(..2).map(|digits| u8::from_str_radix(digits, 16));
        match (number, part.get(2..)) {
            (Some(Ok(letter)), Some(rest)) => {
                plain.push(char::from(letter));
                plain.push_str(rest);
            }
            _ => plain.push_str(part),
        }
    }
    plain
}

/// What no handler has counted is counted now: it cost nothing yet. Those who watch over the service are not.
fn counted(response: ServiceResponse) -> ServiceResponse {
    let request = response.request();
    let is_counted = request.extensions().get::<Left>().is_some();
    if is_counted || request.path().starts_with("/health/") {
        return response;
    }
    let limits = rate::of(request).and_then(|limits| limits.count(request, &Asking::Visitor));
    match limits {
        Ok(()) => response,
        Err(error) => response.error_response(error),
    }
}

fn as_problem<B>(response: &ServiceResponse<B>, id: &str) -> Option<HttpResponse> {
    let request = response.request();
    let path = shown(request.path());
    let Some(error) = response.response().error() else {
        // The framework's own refusals have no error, and no body.
        return None;
    };
    Some(match error.as_error::<AppError>() {
        Some(known) => problem::render(known, language(request), path, id),
        None => problem::render_any(error, language(request), path, id),
    })
}

/// Whether the client has what would be answered, by its tag.
fn is_known_to_client<B>(response: &ServiceResponse<B>) -> bool {
    let request = response.request();
    let is_read = request.method() == Method::GET || request.method() == Method::HEAD;
    let known = EntityTags::sent(request.headers(), &IF_NONE_MATCH);
    let (Ok(Some(known)), Some(tag)) = (known, response.headers().get(ETAG)) else {
        return false;
    };
    let is_known = known.names(tag.to_str().unwrap_or_default());
    is_read && response.status() == StatusCode::OK && is_known
}

fn tell(response: &mut ServiceResponse, id: &str, origins: &str) {
    let request = response.request().clone();
    let allowed = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => route::allowed(&request),
        _ => None,
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HEADER, value);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept(&request)));
    }
    if let Some(Ok(value)) = allowed.map(|methods| HeaderValue::from_str(&methods)) {
        headers.insert(ALLOW, value);
    }
    if let Some(left) = request.extensions().get::<Left>() {
        left.tell(headers);
    }
    cors::tell(&request, origins, headers);
}

/// Who may keep the answer: nobody what came of an action, since tokens and secrets are among it; of what was read, the
/// reader alone where it was read by right, and whoever asks again first.
fn kept(request: &HttpRequest) -> &'static str {
    let is_read = request.method() == Method::GET || request.method() == Method::HEAD;
    match (is_read, request.headers().contains_key(AUTHORIZATION)) {
        (false, _) => "no-store",
        (true, true) => "private, no-cache",
        (true, false) => "no-cache",
    }
}
