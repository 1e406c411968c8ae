//! Who is told what happened to a booking: one statement writes the deliveries of an event, so that a booking costs the same
//! however many people run the instrument.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamp};

use crate::domain::{EventId, Instant, InstrumentId, OrganizationId, UserId};
use crate::store::{Conn, Result};

/// The people an event concerns: only active members of the organizations meant. What is absent is not told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Audience {
    /// Who booked, for which organization: somebody who left it is told nothing.
    pub person: Option<(UserId, OrganizationId)>,
    /// The using unit's administrators.
    pub unit: Option<OrganizationId>,
    /// The managers of this instrument; where it has none who can act, its host's administrators.
    pub desk: Option<(InstrumentId, OrganizationId)>,
    /// Who did it has the answer in hand.
    pub except: Option<UserId>,
}

/// Each parameter stands once, in order: SQLite numbers them by their first appearance.
const ANNOUNCE: &str = "INSERT INTO delivery (event_id, channel, recipient_user_id, state, attempts, next_attempt_at) \
    SELECT $1, 'mail', u.id, 'waiting', 0, $2 FROM user_account u \
    WHERE u.state = 'active' AND u.id <> COALESCE($3, 0) AND (\
        (u.id = $4 AND u.organization_id = $5) \
        OR (u.organization_id = $6 AND u.roles LIKE '%\"unit_admin\"%') \
        OR (u.organization_id = $7 AND u.id IN (SELECT m.user_id FROM instrument_manager m WHERE m.instrument_id = $8)) \
        OR (u.organization_id = $9 AND u.roles LIKE '%\"host_admin\"%' AND NOT EXISTS (\
            SELECT 1 FROM instrument_manager n JOIN user_account w ON w.id = n.user_id \
            WHERE n.instrument_id = $10 AND w.organization_id = $11 AND w.state = 'active')))";

/// Puts a notice of the event into the deliveries of its audience, once for each person.
pub fn announce(conn: &mut Conn, event: EventId, audience: Audience, now: Instant) -> Result<()> {
    let (instrument, host) = audience.desk.unzip();
    let (person, whose) = audience.person.unzip();
    let number = |id: Option<InstrumentId>| id.map(i64::from);
    diesel::sql_query(ANNOUNCE)
        .bind::<BigInt, _>(event)
        .bind::<Timestamp, _>(now)
        .bind::<Nullable<BigInt>, _>(audience.except)
        .bind::<Nullable<BigInt>, _>(person)
        .bind::<Nullable<BigInt>, _>(whose)
        .bind::<Nullable<BigInt>, _>(audience.unit)
        .bind::<Nullable<BigInt>, _>(host)
        .bind::<Nullable<BigInt>, _>(number(instrument))
        .bind::<Nullable<BigInt>, _>(host)
        .bind::<Nullable<BigInt>, _>(number(instrument))
        .bind::<Nullable<BigInt>, _>(host)
        .execute(conn)?;
    Ok(())
}
