//! Keeps the open figures of years whose evaluation became final.

use crate::app::App;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::stats;

pub async fn tick(app: &App, now: Instant) -> Result<usize, AppError> {
    stats::keep_final(app, now).await
}
