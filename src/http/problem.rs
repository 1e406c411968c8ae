//! Errors as RFC 9457 problem documents. The match is exhaustive: a new kind of error does not compile until it has a
//! status here. A 5xx body never tells its cause; the log line does, once.

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::domain::Instant;
use crate::domain::access::Role;
use crate::error::text::{self, Language};
use crate::error::{AppError, Code, Fault, Location};

/// How long a client waits before it asks again when the service was not available, in seconds.
const RETRY_AFTER_SECONDS: u32 = 1;

impl ResponseError for AppError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(status(self)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Only a carrier: the envelope writes the problem, which needs the request's language and id.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// The code of an error: that of its first entry.
pub fn code(error: &AppError) -> Code {
    match error {
        AppError::Unauthenticated(code) | AppError::Denied(code) | AppError::Precondition(code) => {
            *code
        }
        AppError::NotFound => Code::not_found,
        AppError::Malformed(faults) => faults
            .first()
            .map_or(Code::malformed_json, |fault| fault.code),
        AppError::Refused(faults) => faults
            .first()
            .map_or(Code::invalid_value, |fault| fault.code),
        AppError::Conflict(conflict) => conflict.code,
        AppError::Unacceptable(fault) => fault.code,
        AppError::TooMany { code, .. } => *code,
        AppError::Unavailable(_) | AppError::Contended | AppError::Busy => Code::unavailable,
        AppError::Internal(_) => Code::internal,
    }
}

/// 400 and 422 are told by the kind, not by the first code: a field's rule may be either's.
pub fn status(error: &AppError) -> u16 {
    match error {
        AppError::Unauthenticated(_) => 401,
        AppError::Denied(_) => 403,
        AppError::NotFound => 404,
        AppError::Malformed(_) => 400,
        AppError::Precondition(code) => code.status(),
        AppError::Refused(_) => 422,
        AppError::Conflict(_) => 409,
        AppError::Unacceptable(fault) => fault.code.status(),
        AppError::TooMany { .. } => 429,
        AppError::Unavailable(_) | AppError::Contended | AppError::Busy => 503,
        AppError::Internal(_) => 500,
    }
}

/// The problem document of an error.
pub fn render(error: &AppError, language: Language, path: &str, request_id: &str) -> HttpResponse {
    match error {
        AppError::Internal(cause) => {
            tracing::error!(request_id, cause = %chain(cause.as_ref()), "internal error")
        }
        AppError::Unavailable(why) => tracing::warn!(request_id, why, "not available"),
        _ => {}
    }
    let status = StatusCode::from_u16(status(error)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    retry_headers(error, &mut answer);
    answer
        .content_type("application/problem+json")
        .json(document(error, language, path, request_id))
}

fn retry_headers(error: &AppError, answer: &mut HttpResponseBuilder) {
    match error {
        AppError::TooMany {
            retry_after_seconds,
            ..
        } => {
            answer.insert_header((RETRY_AFTER, retry_after_seconds.to_string()));
        }
        AppError::Unavailable(_) | AppError::Contended | AppError::Busy => {
            answer.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()));
        }
        AppError::Unauthenticated(_) => {
            answer.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        _ => {}
    }
}

/// The members of the document; conflicts add their own.
pub fn document(error: &AppError, language: Language, path: &str, request_id: &str) -> Value {
    let code = code(error);
    let faults: Vec<Fault> = match error {
        AppError::Malformed(faults) | AppError::Refused(faults) => faults.clone(),
        AppError::Unacceptable(fault) => vec![(**fault).clone()],
        AppError::Conflict(conflict) if conflict.faults.is_empty() => vec![Fault::request(code)],
        AppError::Conflict(conflict) => conflict.faults.clone(),
        _ => Vec::new(),
    };
    let detail = match faults.first() {
        Some(fault) => text::message(fault, language),
        None => text::message(&Fault::request(code), language),
    };
    let mut members = Map::new();
    members.insert("type".into(), format!("/docs/problems/{code}").into());
    members.insert("title".into(), text::title(code, language).into());
    members.insert("status".into(), status(error).into());
    members.insert("detail".into(), detail.into());
    members.insert("instance".into(), path.into());
    members.insert("code".into(), code.as_str().into());
    members.insert("request_id".into(), request_id.into());
    if !faults.is_empty() {
        members.insert(
            "errors".into(),
            faults
                .iter()
                .map(|fault| json!(entry(fault, language)))
                .collect(),
        );
    }
    if let AppError::Conflict(conflict) = error {
        members.extend(conflict.members.clone());
    }
    Value::Object(members)
}

/// One thing that is wrong: with a field, with a rule, or with a cell of a table.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    rule: Option<&'static str>,
    /// The row of the table from 1; 0: the table as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    row: Option<u32>,
    /// The column, as the table calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    column: Option<String>,
    code: &'static str,
    message: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    limit: Option<Value>,
    /// What was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    actual: Option<Value>,
    /// The role that may decide otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Role, required = false)]
    overridable_by: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    did_you_mean: Option<String>,
    /// The time that a quota's limit speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Instant, required = false)]
    period_from: Option<Instant>,
    /// Absent where the limit is of all that is ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Instant, required = false)]
    period_until: Option<Instant>,
}

/// One thing that is wrong, as the documents list it.
pub fn entry(fault: &Fault, language: Language) -> ProblemEntry {
    let limit = fault.limit.clone();
    let mut entry = ProblemEntry {
        field: None,
        rule: None,
        row: None,
        column: None,
        code: fault.code.as_str(),
        message: text::message(fault, language),
        limit: limit.map(|limit| text::limit(limit, language)),
        actual: fault.actual.clone().map(Value::from),
        overridable_by: fault.overridable_by,
        did_you_mean: fault.did_you_mean.clone(),
        period_from: fault.period.as_ref().map(|period| period.from),
        period_until: fault.period.as_ref().and_then(|period| period.until),
    };
    match &fault.place {
        Location::Field(field) => entry.field = Some(field.clone()),
        Location::Rule => entry.rule = Some(fault.code.as_str()),
        Location::Cell { row, column } => {
            entry.row = Some(*row);
            entry.column = Some(column.clone());
        }
        Location::Request => {}
    }
    entry
}

/// An error of the framework itself (a broken request line, a payload cut short): its status, our form.
pub fn render_any(
    error: &actix_web::Error,
    language: Language,
    path: &str,
    request_id: &str,
) -> HttpResponse {
    let known = match error.as_response_error().status_code().as_u16() {
        404 => AppError::NotFound,
        413 => AppError::Unacceptable(Box::new(Fault::request(Code::body_too_large))),
        400..=499 => AppError::Malformed(vec![Fault::request(Code::malformed_request)]),
        _ => AppError::internal(error.to_string()),
    };
    render(&known, language, path, request_id)
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |cause| cause.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
