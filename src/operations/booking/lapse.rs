//! Confirmed bookings that nobody started or declared a no-show: unresolved after three working days, which counts against
//! nobody.

use super::passing;
use super::trail::{self, Told};
use crate::app::App;
use crate::domain::Instant;
use crate::domain::access::Action;
use crate::domain::booking::BookingAction;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::store;

/// Marks them; answers how many.
pub async fn lapse_unresolved(app: &App, now: Instant) -> Result<usize, AppError> {
    let ids = passing::find(app, move |conn| {
        store::booking::list_unstarted(conn, now, passing::STEP)
    });
    passing::each(ids.await?, |id| {
        let calendar = app.calendar();
        app.store.write(move |tx| {
            let due = passing::due(tx, &calendar, id, BookingAction::Lapse, now)?;
            let Some((case, state)) = due else {
                return Ok(false);
            };
            let mut next = case.booking.changes();
            next.state = state;
            let after = store::booking::update(tx, &case.booking, next, now)?;
            let (by, before) = (&Actor::system(now), Some(&case.booking));
            trail::record(
                tx,
                by,
                Action::BookingLapse,
                before,
                &after,
                Told::Everybody,
            )?;
            Ok(true)
        })
    })
    .await
}
