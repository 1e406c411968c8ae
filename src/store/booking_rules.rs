//! The booking rules of an instrument, one versioned row from the start.

use diesel::prelude::*;

use super::schema::booking_rules;
use super::{Conn, Result};
use crate::domain::{Instant, InstrumentId};

/// Inserts version 1; `rules` is the rules' JSON.
pub fn insert(conn: &mut Conn, instrument: InstrumentId, rules: &str, now: Instant) -> Result<()> {
    diesel::insert_into(booking_rules::table)
        .values((
            booking_rules::instrument_id.eq(instrument),
            booking_rules::rules.eq(rules),
            booking_rules::version.eq(1_i64),
            booking_rules::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
