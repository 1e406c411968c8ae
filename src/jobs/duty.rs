//! Lets duties follow the day and what changed, and reminds units of what comes due.

use crate::app::App;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::duty;

pub async fn tick(app: &App, now: Instant) -> Result<usize, AppError> {
    duty::follow(app, now).await
}
