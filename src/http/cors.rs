//! Which pages of other origins may read answers: those of the settings, never with cookies or a stored sign-in.

use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use actix_web::{HttpRequest, HttpResponse};

/// What pages may read beside the usual.
const EXPOSED: &str =
    "ETag, Location, Retry-After, X-Request-Id, Idempotency-Replayed, RateLimit-Policy, RateLimit";

/// What pages may send beside the usual.
const ALLOWED: &str = "Authorization, Content-Type, Accept-Language, If-Match, If-None-Match, Idempotency-Key, X-Request-Id";

/// The origin of the page that asks, when the settings allow it.
fn allowed<'a>(request: &'a HttpRequest, origins: &str) -> Option<&'a HeaderValue> {
    let origin = request.headers().get(ORIGIN)?;
    let text = origin.to_str().ok()?;
    let mut known = origins.split(',').map(str::trim);
    known.any(|known| known == text).then_some(origin)
}

/// The answer to the question that a browser asks before a page's request; none to other requests and to other origins.
pub fn preflight(request: &HttpRequest, origins: &str) -> Option<HttpResponse> {
    let asks = request
        .headers()
        .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() != Method::OPTIONS || !asks {
        return None;
    }
    allowed(request, origins)?;
    let mut answer = HttpResponse::NoContent();
    answer
        .insert_header((
            ACCESS_CONTROL_ALLOW_METHODS,
            "GET, HEAD, POST, PUT, PATCH, DELETE",
        ))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED))
        .insert_header((ACCESS_CONTROL_MAX_AGE, "600"));
    Some(answer.finish())
}

/// Lets the page that asked read the answer.
pub fn tell(request: &HttpRequest, origins: &str, headers: &mut HeaderMap) {
    if origins.is_empty() {
        return;
    }
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed(request, origins) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let exposed = HeaderValue::from_static(EXPOSED);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}
