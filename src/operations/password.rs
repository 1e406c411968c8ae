//! Passwords: argon2id, hashed and verified away from every transaction.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngExt;

use crate::app::App;
use crate::app::hashing::HashingMemory;
use crate::error::AppError;

/// Rounds over the memory and lanes (OWASP's minimum for argon2id at 19 MiB).
const ROUNDS: u32 = 2;
const LANES: u32 = 1;

/// Random bytes beside each password, and bytes of its hash.
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

fn hasher(memory_kib: u32) -> Result<Argon2<'static>, AppError> {
    let params = Params::new(memory_kib, ROUNDS, LANES, Some(HASH_BYTES)).map_err(broken)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn broken(error: impl std::fmt::Display) -> AppError {
    AppError::internal(error.to_string())
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

/// The hash to store, with its salt and parameters. 503 when too many passwords wait.
pub async fn hash(app: &App, password: String) -> Result<String, AppError> {
    let hasher = hasher(app.config.password_memory_kib)?;
    let hash = move |memory: &mut HashingMemory| hash_with(&hasher, &password, memory);
    app.hashing.run(hash).await?
}

/// Whether the password belongs to the hash. Without a hash (an unknown login) it works as long and says no, so that the
/// time tells nothing. 503 when too many passwords wait.
pub async fn verify(app: &App, password: String, stored: Option<String>) -> Result<bool, AppError> {
    let hasher = hasher(app.config.password_memory_kib)?;
    let verify = move |memory: &mut HashingMemory| match stored {
        Some(stored) => is_hash_of(&stored, &password, memory),
        None => hash_with(&hasher, &password, memory).map(|_| false),
    };
    app.hashing.run(verify).await?
}

fn hash_with(
    hasher: &Argon2<'_>,
    password: &str,
    memory: &mut HashingMemory,
) -> Result<String, AppError> {
    let salt: [u8; SALT_BYTES] = rand::rng().random();
    let mut output = [0; HASH_BYTES];
    fill(hasher, password, &salt, &mut output, memory)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(hasher.params()).map_err(broken)?,
        salt: Some(Salt::new(&salt).map_err(broken)?),
        hash: Some(Output::new(&output).map_err(broken)?),
    };
    Ok(hash.to_string())
}

/// As the stored parameters say: those of the settings may have changed since.
fn is_hash_of(stored: &str, password: &str, memory: &mut HashingMemory) -> Result<bool, AppError> {
    let stored = PasswordHash::new(stored).map_err(broken)?;
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(broken)?;
    let version = stored.version.map(Version::try_from).transpose();
    let version = version.map_err(broken)?.unwrap_or_default();
    let params = Params::try_from(&stored).map_err(broken)?;
    let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
        return Err(broken("a stored password has no hash"));
    };
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..expected.len());
    let output = output.ok_or_else(|| broken("a stored hash is too long"))?;
    let hasher = Argon2::new(algorithm, version, params);
    fill(&hasher, password, &salt, output, memory)?;
    // Outputs are compared in constant time.
    Ok(Output::new(output).map_err(broken)? == expected)
}

fn fill(
    hasher: &Argon2<'_>,
    password: &str,
    salt: &[u8],
    output: &mut [u8],
    memory: &mut HashingMemory,
) -> Result<(), AppError> {
    let blocks = memory.blocks(hasher.params().block_count());
    let password = password.as_bytes();
    hasher
        .hash_password_into_with_memory(password, salt, output, blocks)
        .map_err(broken)
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

    #[test]
    fn a_hash_is_known_again_by_the_library_and_by_itself() {
        use argon2::password_hash::PasswordVerifier;
        let (hasher, mut memory) = (hasher(64).unwrap(), HashingMemory::default());
        let hash = hash_with(&hasher, "correct-horse-9", &mut memory).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{hash}");
        let parsed = PasswordHash::new(&hash).unwrap();
        hasher.verify_password(b"correct-horse-9", &parsed).unwrap();
        // Blocks of another password in the memory make no difference, nor do other settings.
        assert!(is_hash_of(&hash, "correct-horse-9", &mut memory).unwrap());
        assert!(!is_hash_of(&hash, "correct-horse-8", &mut memory).unwrap());
        let older = "$argon2id$v=19$m=32,t=1,p=1$c29tZXNhbHQ$";
        let other = Argon2::new(
            Algorithm::Argon2id,
            Version::V0x13,
            Params::new(32, 1, 1, Some(16)).unwrap(),
        );
        let mut output = [0; 16];
        other
            .hash_password_into(b"old", b"somesalt", &mut output)
            .unwrap();
        let older = format!("{older}{}", Output::new(&output).unwrap());
        assert!(is_hash_of(&older, "old", &mut memory).unwrap());
    }
}
