//! Taking away an instrument that was never more than a draft, with every row that belongs to it.

use diesel::prelude::*;

use crate::domain::InstrumentId;
use crate::store::schema::{
    booking, booking_rules, closure, instrument, instrument_manager, instrument_service,
    instrument_terms, instrument_version, sharing_exemption, tariff, usage_record,
};
use crate::store::{Conn, Result};

/// Whether something happened on it: such an instrument stays.
pub fn is_used(conn: &mut Conn, id: InstrumentId) -> Result<bool> {
    let recorded = usage_record::table.filter(usage_record::instrument_id.eq(id));
    let booked = booking::table.filter(booking::instrument_id.eq(id));
    Ok(
        diesel::select(diesel::dsl::exists(recorded)).get_result(conn)?
            || diesel::select(diesel::dsl::exists(booked)).get_result(conn)?,
    )
}

/// Deletes it and what belongs to it. The caller holds `Lock::Instrument`, and nothing happened on it.
pub fn delete(conn: &mut Conn, id: InstrumentId) -> Result<()> {
    macro_rules! take_away {
        ($($table:ident),+) => {
            $(diesel::delete($table::table.filter($table::instrument_id.eq(id))).execute(conn)?;)+
        };
    }
    take_away!(
        booking_rules,
        closure,
        instrument_manager,
        instrument_service,
        instrument_terms,
        instrument_version,
        sharing_exemption,
        tariff
    );
    diesel::delete(instrument::table.find(id)).execute(conn)?;
    Ok(())
}
