//! Answers to requests that carried an idempotency key, kept for 14 days per caller. An answer may hold names and telephone
//! numbers: nobody but the same caller under the same key is given it, and retention forgets it after the 14 days.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::prepared::on_each;
use super::schema::idempotency_key;
use super::{Conn, Json, Result};
use crate::domain::Instant;

/// An answer as a client got it: what a route renders, and what is kept to be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub location: Option<String>,
    /// The version that the answer's ETag names.
    pub version: Option<i64>,
    /// JSON; none where the status has no body.
    pub body: Option<String>,
    /// The body as it is kept, where something in it is shown once: with null in its place.
    pub kept_body: Option<String>,
}

/// How an answer is stored, with the version of the format.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    format: u32,
    status: u16,
    location: Option<String>,
    etag: Option<String>,
    body: Option<String>,
}

/// The present version of the format.
const FORMAT: u32 = 1;

impl Reply {
    /// With where the new thing is.
    pub fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// With the version of what it shows.
    pub fn of_version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// The text of the ETag header.
    pub fn etag(&self) -> Option<String> {
        self.version.map(|version| format!("\"v{version}\""))
    }
}

impl From<&Reply> for Stored {
    fn from(reply: &Reply) -> Self {
        Self {
            format: FORMAT,
            status: reply.status,
            location: reply.location.clone(),
            etag: reply.etag(),
            body: reply.kept_body.clone().or_else(|| reply.body.clone()),
        }
    }
}

impl From<Stored> for Reply {
    fn from(stored: Stored) -> Self {
        let version = |etag: String| {
            let number = etag.strip_prefix("\"v")?.strip_suffix('"')?;
            number.parse().ok()
        };
        Self {
            status: stored.status,
            location: stored.location,
            version: stored.etag.and_then(version),
            body: stored.body,
            kept_body: None,
        }
    }
}

/// The fingerprint and the answer kept under a key.
pub fn find(conn: &mut Conn, caller: &str, key: &str) -> Result<Option<(String, Reply)>> {
    let kept = idempotency_key::table
        .find((caller, key))
        .select((idempotency_key::fingerprint, idempotency_key::result));
    let found: Option<(String, Json<Stored>)> =
        on_each!(conn, |own| kept.get_result(own)).optional()?;
    Ok(found.map(|(fingerprint, stored)| (fingerprint, stored.into_inner().into())))
}

pub fn insert(
    conn: &mut Conn,
    caller: &str,
    key: &str,
    fingerprint: &str,
    reply: &Reply,
    now: Instant,
) -> Result<()> {
    let row = diesel::insert_into(idempotency_key::table).values((
        idempotency_key::caller.eq(caller),
        idempotency_key::key.eq(key),
        idempotency_key::fingerprint.eq(fingerprint),
        idempotency_key::result.eq(serde_json::to_string(&Stored::from(reply))?),
        idempotency_key::created_at.eq(now),
    ));
    on_each!(conn, |own| row.execute(own))?;
    Ok(())
}

/// Forgets keys older than `before`; answers how many.
pub fn delete_before(conn: &mut Conn, before: Instant) -> Result<usize> {
    Ok(
        diesel::delete(idempotency_key::table.filter(idempotency_key::created_at.lt(before)))
            .execute(conn)?,
    )
}
