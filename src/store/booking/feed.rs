//! Bookings for calendars: those of an instrument, of a unit, or of the instruments of a desk, that may still be shown.

use diesel::prelude::*;

use super::Booking;
use crate::domain::access::Reach;
use crate::domain::{Instant, InstrumentId, UserId};
use crate::store::drive::managed_by;
use crate::store::schema::{booking, instrument};
use crate::store::{Conn, Result};

/// A booking with the name and the place of its instrument.
pub type Placed = (Booking, String, Option<String>);

/// The bookings of an instrument that end after `since`.
pub fn list_of_instrument(
    conn: &mut Conn,
    id: InstrumentId,
    since: Instant,
) -> Result<Vec<Booking>> {
    Ok(booking::table
        .filter(booking::instrument_id.eq(id))
        .filter(booking::ends_at.gt(since))
        .select(Booking::as_select())
        .order((booking::starts_at, booking::id))
        .load(conn)?)
}

/// Those of the unit, the host or the managed instruments that `reach` names, or of `own` among them, who booked them or is named in
/// them; at most so many, the last ones.
pub fn list_within(
    conn: &mut Conn,
    (reach, own): (&Reach, Option<UserId>),
    since: Instant,
    limit: i64,
) -> Result<Vec<Placed>> {
    let query = booking::table
        .inner_join(instrument::table)
        .filter(booking::ends_at.gt(since))
        .select((Booking::as_select(), instrument::name, instrument::location))
        .order((booking::starts_at.desc(), booking::id.desc()))
        .limit(limit)
        .into_boxed();
    let query = match (reach.unit, reach.host, reach.managed) {
        (Some(unit), ..) => query.filter(booking::organization_id.eq(unit)),
        (None, Some(host), _) => query.filter(booking::host_organization_id.eq(host)),
        (None, None, Some((host, user))) => query
            .filter(booking::host_organization_id.eq(host))
            .filter(booking::instrument_id.eq_any(managed_by!(user))),
        (None, None, None) => return Ok(Vec::new()),
    };
    let Some(own) = own else {
        return Ok(query.load(conn)?);
    };
    // Whoever is named in a document is looked at again by the reader.
    let named = format!("%\"user_id\":{}%", i64::from(own));
    let is_own = booking::booked_by.eq(own).or(booking::details.like(named));
    Ok(query.filter(is_own).load(conn)?)
}
