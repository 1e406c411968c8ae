//! Access tokens: HS256 with a key id. The first key signs, every listed key is accepted, so keys rotate without signing
//! anybody out. Opaque random tokens (refresh, invitation, API key) are made and hashed here too.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::{Instant, SessionId, UserId};
use crate::error::{AppError, Code};

/// The shortest key HS256 may use (RFC 7518 §3.2), in bytes.
const KEY_BYTES_MIN: usize = 32;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub sub: UserId,
    pub sid: SessionId,
    pub iat: i64,
    pub exp: i64,
}

/// The signing keys of this service, equal on all nodes.
pub struct TokenKeys {
    signing: (String, EncodingKey),
    accepted: BTreeMap<String, DecodingKey>,
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.accepted.keys()).finish()
    }
}

/// Why the lines are no signing keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKeys {
    #[error("no signing key is given; set secret_file or YIQI_SECRET to lines like `2026a:BASE64`")]
    Missing,
    #[error("line {0}: a key is written `id:base64 of at least 32 bytes`")]
    Malformed(usize),
}

impl TokenKeys {
    /// Parses `id:base64` lines; the first signs.
    pub fn parse(lines: &str) -> Result<Self, NotKeys> {
        let mut signing = None;
        let mut accepted = BTreeMap::new();
        for (at, line) in lines
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let (id, secret) = line
                .trim()
                .split_once(':')
                .ok_or(NotKeys::Malformed(at + 1))?;
            let secret = STANDARD
                .decode(secret.trim())
                .map_err(|_| NotKeys::Malformed(at + 1))?;
            if secret.len() < KEY_BYTES_MIN || id.is_empty() {
                return Err(NotKeys::Malformed(at + 1));
            }
            signing.get_or_insert_with(|| (id.to_owned(), EncodingKey::from_secret(&secret)));
            accepted.insert(id.to_owned(), DecodingKey::from_secret(&secret));
        }
        Ok(Self {
            signing: signing.ok_or(NotKeys::Missing)?,
            accepted,
        })
    }

    /// The ids of the accepted keys, the signing one first.
    pub fn ids(&self) -> Vec<String> {
        let (signing, _) = &self.signing;
        let others = self.accepted.keys().filter(|id| *id != signing);
        std::iter::once(signing).chain(others).cloned().collect()
    }

    /// A new line for a key file.
    pub fn new_line(id: &str) -> String {
        let secret: [u8; KEY_BYTES_MIN] = rand::rng().random();
        format!("{id}:{}", STANDARD.encode(secret))
    }

    pub fn sign(&self, claims: &Claims) -> Result<String, AppError> {
        let (id, key) = &self.signing;
        let header = Header {
            kid: Some(id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, claims, key).map_err(AppError::internal)
    }

    /// A digest under the signing key: who has not the key cannot find out by trying what was digested.
    pub fn sealed(&self, content: &[u8]) -> Result<String, AppError> {
        let (_, key) = &self.signing;
        jsonwebtoken::crypto::sign(content, key, Algorithm::HS256).map_err(AppError::internal)
    }

    /// The claims of a token that one of our keys signed and that is valid at `now`.
    pub fn verify(&self, token: &str, now: Instant) -> Result<Claims, AppError> {
        let invalid = || AppError::Unauthenticated(Code::invalid_token);
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid())?;
        let key = header
            .kid
            .and_then(|id| self.accepted.get(&id))
            .ok_or_else(invalid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        // The clock has one door; expiry is judged below.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Claims>(token, key, &validation)
            .map_err(|_| invalid())?
            .claims;
        if claims.exp <= now.unix_seconds() {
            return Err(AppError::Unauthenticated(Code::token_expired));
        }
        Ok(claims)
    }
}

/// A random token of 256 bits with a prefix that says what it is.
pub fn random_token(prefix: &str) -> String {
    let bytes: [u8; 32] = rand::rng().random();
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a random token: enough to recognize it, nothing to use it.
pub fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(exp: i64) -> Claims {
        Claims {
            sub: 7.try_into().unwrap(),
            sid: 9.try_into().unwrap(),
            iat: 0,
            exp,
        }
    }

    #[test]
    fn keys_rotate_without_signing_anybody_out() {
        let (old, new) = (TokenKeys::new_line("old"), TokenKeys::new_line("new"));
        let now: Instant = "2026-03-01T00:00:00Z".parse().unwrap();
        let token = TokenKeys::parse(&old)
            .unwrap()
            .sign(&claims(now.unix_seconds() + 1))
            .unwrap();
        let both = TokenKeys::parse(&format!("{new}\n{old}\n")).unwrap();
        assert_eq!(both.verify(&token, now).unwrap().sub, 7.try_into().unwrap());
        assert!(matches!(
            both.verify(&token, now.plus_seconds(1)),
            Err(AppError::Unauthenticated(Code::token_expired))
        ));
        let only_new = TokenKeys::parse(&new).unwrap();
        assert!(matches!(
            only_new.verify(&token, now),
            Err(AppError::Unauthenticated(Code::invalid_token))
        ));
    }

    #[test]
    fn short_or_missing_keys_are_refused() {
        assert_eq!(TokenKeys::parse("").unwrap_err(), NotKeys::Missing);
        assert_eq!(
            TokenKeys::parse("a:c2hvcnQ=").unwrap_err(),
            NotKeys::Malformed(1)
        );
    }
}
