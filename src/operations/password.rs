//! Passwords: argon2id, hashed and verified away from every transaction.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::app::App;
use crate::error::AppError;

/// Rounds over the memory and lanes (OWASP's minimum for argon2id at 19 MiB).
const ROUNDS: u32 = 2;
const LANES: u32 = 1;

fn hasher(memory_kib: u32) -> Result<Argon2<'static>, AppError> {
    let params = Params::new(memory_kib, ROUNDS, LANES, None)
        .map_err(|error| AppError::internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash to store, with its salt and parameters.
pub async fn hash(app: &App, password: String) -> Result<String, AppError> {
    let hasher = hasher(app.config.password_memory_kib)?;
    work(move || {
        hasher
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| AppError::internal(error.to_string()))
    })
    .await
}

/// Whether the password belongs to the hash. Without a hash (an unknown login) it works as long and says no, so that the
/// time tells nothing.
pub async fn verify(app: &App, password: String, stored: Option<String>) -> Result<bool, AppError> {
    let hasher = hasher(app.config.password_memory_kib)?;
    work(move || match stored {
        Some(stored) => {
            let parsed = PasswordHash::new(&stored)
                .map_err(|error| AppError::internal(error.to_string()))?;
            Ok(hasher.verify_password(password.as_bytes(), &parsed).is_ok())
        }
        None => hasher
            .hash_password(password.as_bytes())
            .map(|_| false)
            .map_err(|error| AppError::internal(error.to_string())),
    })
    .await
}

async fn work<T: Send + 'static>(
    hashing: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(hashing)
        .await
        .unwrap_or_else(|stopped| Err(AppError::internal(stopped.to_string())))
}
