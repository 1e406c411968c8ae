//! Forgets what is kept only for a time.

use crate::app::App;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::retention;

pub async fn tick(app: &App, now: Instant) -> Result<usize, AppError> {
    retention::forget(app, now).await
}
