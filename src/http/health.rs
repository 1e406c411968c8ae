//! Whether the process lives, and whether it can serve. Outside `/api/v1`, without sign-in.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::answer::Answer;
use crate::app::App;
use crate::error::AppError;
use crate::store::migration;

/// The process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

/// The database answers and has this program's schema; 503 otherwise.
pub async fn ready(app: Data<App>) -> Answer {
    match app.store.read(migration::is_current).await {
        Ok(true) => Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ready"}))),
        Ok(false) => Err(AppError::unavailable(
            "the database schema is not current; run `yiqi migrate`",
        )),
        Err(error) => Err(AppError::unavailable(error.to_string())),
    }
}
