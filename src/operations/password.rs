//! Passwords: argon2id, hashed and verified away from every transaction.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngExt;

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

/// Letters and digits that nobody confuses when copying them: 32, so that each stands for 5 random bits.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A random password of 100 bits: four groups of five.
pub fn generate() -> String {
    let bytes: [u8; 20] = rand::rng().random();
    let letters = bytes
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter));
    let letters: Vec<char> = letters.collect();
    let groups: Vec<String> = letters.chunks(5).map(String::from_iter).collect();
    groups.join("-")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_are_long_and_never_the_same() {
        let passwords: std::collections::BTreeSet<String> = (0..100).map(|_| generate()).collect();
        assert_eq!(passwords.len(), 100);
        for password in &passwords {
            assert_eq!(password.len(), 23);
            crate::domain::account::check_password("password", password, "a@example.org").unwrap();
        }
        let distinct: std::collections::BTreeSet<&u8> = LETTERS.iter().collect();
        assert_eq!(distinct.len(), 32);
    }
}
