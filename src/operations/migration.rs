//! Bringing the database of the settings to this program's schema.

use crate::config::Config;
use crate::error::AppError;
use crate::store;

/// Applies what is missing and answers its names; `create` allows a new SQLite file.
pub fn migrate(config: &Config, create: bool) -> Result<Vec<String>, AppError> {
    let database = config.database().map_err(AppError::internal)?;
    Ok(store::migration::migrate(&database, create)?)
}
