//! The step that takes up long work: what somebody was promised and nobody works on.

use crate::app::App;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::job;

/// Runs one phase of the oldest such job; answers how many it ran: none or one.
pub async fn tick(app: &App, now: Instant) -> Result<usize, AppError> {
    job::step(app, None, now).await.map(usize::from)
}
