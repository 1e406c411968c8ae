//! What time does to bookings, one action each: found in a list, decided again under the instrument's lock. Whoever comes second
//! finds nothing to do, so several nodes may run it.

use std::future::Future;

use super::case::Case;
use crate::app::App;
use crate::domain::booking::{BookingAction, BookingState, Side};
use crate::domain::calendar::Calendar;
use crate::domain::{BookingId, Instant};
use crate::error::AppError;
use crate::store::{self, Conn, Lock};

/// How many bookings one step looks at; the next step goes on.
pub(super) const STEP: i64 = 500;

/// The booking under its lock and the state it passes into; none when its time has not come or somebody was faster.
pub(super) fn due(
    tx: &mut Conn,
    calendar: &Calendar,
    id: BookingId,
    action: BookingAction,
    now: Instant,
) -> Result<Option<(Case, BookingState)>, AppError> {
    Lock::take_records_of(store::booking::get_instrument_id(tx, id)?, tx)?;
    let booking = store::booking::get(tx, id)?;
    let case = Case::of(tx, booking, false)?;
    let next = case.timing(calendar)?.permit(action, Side::Host, now);
    Ok(next.ok().map(|next| (case, next)))
}

/// Passes each booking, though one of them fails; answers how many were changed, and the first failure.
pub(super) async fn each<F, T>(ids: Vec<BookingId>, pass: F) -> Result<usize, AppError>
where
    F: Fn(BookingId) -> T,
    T: Future<Output = Result<bool, AppError>>,
{
    let (mut changed, mut failure) = (0, None);
    for id in ids {
        match pass(id).await {
            Ok(true) => changed += 1,
            Ok(false) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        None => Ok(changed),
        Some(error) => Err(error),
    }
}

/// The ids a list query finds.
pub(super) async fn find(
    app: &App,
    query: impl FnOnce(&mut Conn) -> store::Result<Vec<BookingId>> + Send + 'static,
) -> Result<Vec<BookingId>, AppError> {
    app.store.read(query).await.map_err(AppError::from)
}
