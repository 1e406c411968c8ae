//! Who follows the trail, and how far they came. A place moves in the transaction that writes what follows from the events
//! before it; a lease keeps other nodes from the same work meanwhile.

use diesel::prelude::*;

use super::schema::consumer;
use super::trail::Place;
use super::{Conn, Result};
use crate::domain::Instant;

/// A consumer, from its beginning in a migration.
#[derive(Debug, Clone, Queryable)]
pub struct Consumer {
    epoch: i64,
    transaction_id: i64,
    event_id: i64,
    leased_until: Option<Instant>,
}

impl Consumer {
    /// Everything up to here is done.
    pub fn place(&self) -> Place {
        Place {
            epoch: self.epoch,
            transaction_id: self.transaction_id,
            event_id: self.event_id,
        }
    }

    /// Somebody is at work, or died less than a lease ago.
    pub fn is_leased(&self, now: Instant) -> bool {
        self.leased_until.is_some_and(|until| until > now)
    }
}

pub fn get(conn: &mut Conn, name: &str) -> Result<Consumer> {
    Ok(consumer::table
        .find(name)
        .select((
            consumer::epoch,
            consumer::transaction_id,
            consumer::event_id,
            consumer::leased_until,
        ))
        .get_result(conn)?)
}

/// Takes the work behind a place for a time; false when somebody else has it or did it.
pub fn claim(
    conn: &mut Conn,
    name: &str,
    at: Place,
    holder: &str,
    (now, until): (Instant, Instant),
) -> Result<bool> {
    let free = consumer::leased_until
        .is_null()
        .or(consumer::leased_until.le(now).assume_not_null());
    let claimed = diesel::update(consumer::table)
        .filter(consumer::name.eq(name))
        .filter(consumer::epoch.eq(at.epoch))
        .filter(consumer::transaction_id.eq(at.transaction_id))
        .filter(consumer::event_id.eq(at.event_id))
        .filter(free)
        .set((
            consumer::leased_by.eq(holder),
            consumer::leased_until.eq(until),
        ))
        .execute(conn)?;
    Ok(claimed == 1)
}

/// Moves the place and ends the lease; false when it was somebody else's by now, and nothing may be written.
pub fn update_place(conn: &mut Conn, name: &str, holder: &str, to: Place) -> Result<bool> {
    let moved = diesel::update(consumer::table)
        .filter(consumer::name.eq(name))
        .filter(consumer::leased_by.eq(holder))
        .set((
            consumer::epoch.eq(to.epoch),
            consumer::transaction_id.eq(to.transaction_id),
            consumer::event_id.eq(to.event_id),
            consumer::leased_by.eq(None::<String>),
            consumer::leased_until.eq(None::<Instant>),
        ))
        .execute(conn)?;
    Ok(moved == 1)
}
