//! The expiry of requests and holds that nobody decided in time.

use super::passing;
use super::trail::{self, Told};
use crate::app::App;
use crate::domain::Instant;
use crate::domain::access::Action;
use crate::domain::booking::BookingAction;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::store::booking::Booking;
use crate::store::{self, Conn};

/// Expires what is overdue; answers how many.
pub async fn expire_overdue(app: &App, now: Instant) -> Result<usize, AppError> {
    let ids = passing::find(app, move |conn| {
        store::booking::list_overdue(conn, now, passing::STEP)
    });
    passing::each(ids.await?, |id| {
        let calendar = app.calendar();
        app.store.write(move |tx| {
            let Some((case, _)) = passing::due(tx, &calendar, id, BookingAction::Expire, now)?
            else {
                return Ok(false);
            };
            expire(tx, &case.booking, now)?;
            Ok(true)
        })
    })
    .await
}

/// Expires one that is overdue, under the lock of its instrument.
pub(super) fn expire(tx: &mut Conn, booking: &Booking, now: Instant) -> Result<(), AppError> {
    let mut next = booking.changes();
    next.state = booking.state.after(BookingAction::Expire)?;
    let after = store::booking::update(tx, booking, next, now)?;
    let by = &Actor::system(now);
    trail::record(
        tx,
        by,
        Action::BookingExpire,
        Some(booking),
        &after,
        Told::Everybody,
    )?;
    Ok(())
}
