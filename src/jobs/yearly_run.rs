//! The step that ends yearly runs whose process died: what nobody works on any more is told as failed.

use crate::app::App;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::{evaluation, subsidy};

/// Answers how many runs were ended.
pub async fn tick(app: &App, now: Instant) -> Result<usize, AppError> {
    let subsidies = subsidy::fail_silent(app, now).await;
    let evaluations = evaluation::fail_silent(app, now).await;
    Ok(subsidies? + evaluations?)
}
