//! Whether the process lives, and whether it can serve. Outside `/api/v1`, without sign-in.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::answer::Answer;
use crate::app::App;
use crate::operations::readiness;

/// The process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "live"}))
}

/// This node can serve; 503 otherwise, and the log says why.
pub async fn ready(app: Data<App>) -> Answer {
    readiness::check(&app).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({"status": "ready"})))
}
