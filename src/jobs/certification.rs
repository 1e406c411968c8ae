//! Lets units follow the certifications that began or ended today.

use crate::app::App;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::certification;

pub async fn tick(app: &App, now: Instant) -> Result<usize, AppError> {
    certification::follow(app, now).await
}
