//! The step that keeps this node's index of instruments in step with the trail.

use crate::app::App;
use crate::error::AppError;
use crate::operations::search;

/// Answers how many instruments were read.
pub async fn tick(app: &App) -> Result<usize, AppError> {
    search::refresh(app).await
}
