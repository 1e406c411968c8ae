//! Booking rules, one row for each instrument.

use diesel::prelude::*;

use super::schema::booking_rules;
use super::{Conn, Json, Result};
use crate::domain::opening::BookingRules;
use crate::domain::{Instant, InstrumentId};

/// The rules a new instrument begins with.
pub fn insert_default(conn: &mut Conn, instrument: InstrumentId, now: Instant) -> Result<()> {
    diesel::insert_into(booking_rules::table)
        .values((
            booking_rules::instrument_id.eq(instrument),
            booking_rules::rules.eq(Json::of(BookingRules::default())?),
            booking_rules::version.eq(1_i64),
            booking_rules::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
