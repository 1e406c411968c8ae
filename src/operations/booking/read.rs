//! Reading bookings: one, or those a caller may see.

use std::collections::HashMap;
use std::sync::Arc;

use super::context::{BookingContext, BookingView, could_start};
use crate::app::App;
use crate::domain::access::{Action, Caller, Reach, Role};
use crate::domain::{BookingId, Instant, InstrumentId, UsageRecordId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::operations::subject::{Subject, authorize};
use crate::store::booking::{Booking, Filter};
use crate::store::page::Found;
use crate::store::terms::Terms;
use crate::store::{self, Conn};

/// One booking; 404 when it is not the caller's to see.
pub async fn get(app: &App, actor: &Actor, id: BookingId) -> Result<BookingView, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let context = BookingContext::load(conn, &actor, id)?;
            authorize(&actor, Action::BookingGet, &context.ties())?;
            context.view(actor.caller()?, actor.now)
        })
        .await
}

/// The bookings that the filter asks for and the caller may see, at most its limit.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
) -> Result<Found<BookingView>, AppError> {
    may(actor, Action::BookingList)?;
    let (caller, now) = (actor.caller()?.clone(), actor.now);
    app.store
        .read(move |conn| {
            let reach = Reach::of(&caller, Action::BookingList);
            let found = store::booking::list(conn, &reach, &filter)?;
            let rows = show(conn, &caller, found.rows, now)?;
            Ok(Found {
                rows,
                rest: found.rest,
            })
        })
        .await
}

fn show(
    conn: &mut Conn,
    caller: &Caller,
    bookings: Vec<Booking>,
    now: Instant,
) -> Result<Vec<BookingView>, AppError> {
    let ids: Vec<BookingId> = bookings.iter().map(|booking| booking.id).collect();
    let mut records: HashMap<BookingId, Vec<UsageRecordId>> = HashMap::new();
    for (booking, record) in store::booking::list_usage_record_ids(conn, &ids)? {
        records.entry(booking).or_default().push(record);
    }
    let mut instruments: Vec<InstrumentId> = bookings.iter().map(|b| b.instrument_id).collect();
    instruments.sort_unstable();
    instruments.dedup();
    let calendar = store::calendar::get(conn)?;
    let terms: HashMap<InstrumentId, Arc<Terms>> = store::terms::list(conn, &instruments)?
        .into_iter()
        .map(|terms| (terms.instrument_id, terms))
        .collect();
    let managed = if caller.has(Role::InstrumentManager) {
        store::booking_rules::list_managed(conn, caller.user_id)?
    } else {
        Vec::new()
    };
    let starting: Vec<InstrumentId> = bookings
        .iter()
        .filter(|booking| could_start(booking, now))
        .map(|booking| booking.instrument_id)
        .collect();
    let running = store::booking::list_running_channels(conn, &starting)?;
    let seen = bookings.into_iter().map(|booking| {
        let (id, instrument) = (booking.id, booking.instrument_id);
        let context = BookingContext {
            calendar: Arc::clone(&calendar),
            terms: terms.get(&instrument).cloned().ok_or(AppError::NotFound)?,
            managed_by_caller: managed.contains(&instrument),
            waits_for_channel: running.contains(&(instrument, booking.channel)),
            usage_record_ids: records.remove(&id).unwrap_or_default(),
            booking,
        };
        context.view(caller, now)
    });
    seen.collect()
}
