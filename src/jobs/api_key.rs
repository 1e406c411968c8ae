//! Writes down when API keys were used: requests only keep it in mind, so that reading by key needs no writer.

use crate::app::App;
use crate::error::AppError;
use crate::operations::api_key;

pub async fn tick(app: &App) -> Result<usize, AppError> {
    api_key::write_uses(app).await
}
