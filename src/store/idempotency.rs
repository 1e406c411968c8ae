//! Results of requests that carried an idempotency key, kept for 14 days per caller. A result is what the caller was
//! answered, so it may hold names and telephone numbers: nobody but the same caller under the same key is given it, and
//! retention forgets it after the 14 days.

use diesel::prelude::*;

use super::schema::idempotency_key;
use super::{Conn, Result};
use crate::domain::Instant;

/// The fingerprint and the result stored under a key.
pub fn find(conn: &mut Conn, caller: &str, key: &str) -> Result<Option<(String, String)>> {
    Ok(idempotency_key::table
        .find((caller, key))
        .select((idempotency_key::fingerprint, idempotency_key::result))
        .first(conn)
        .optional()?)
}

pub fn insert(
    conn: &mut Conn,
    caller: &str,
    key: &str,
    fingerprint: &str,
    result: String,
    now: Instant,
) -> Result<()> {
    diesel::insert_into(idempotency_key::table)
        .values((
            idempotency_key::caller.eq(caller),
            idempotency_key::key.eq(key),
            idempotency_key::fingerprint.eq(fingerprint),
            idempotency_key::result.eq(result),
            idempotency_key::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets keys older than `before`; answers how many.
pub fn delete_before(conn: &mut Conn, before: Instant) -> Result<usize> {
    Ok(
        diesel::delete(idempotency_key::table.filter(idempotency_key::created_at.lt(before)))
            .execute(conn)?,
    )
}
