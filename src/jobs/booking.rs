//! The step that time takes with bookings: hosts are reminded of requests, overdue ones expire, forgotten uses are closed,
//! unresolved ones lapse.

use crate::app::App;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::booking;

/// One step; answers how many bookings changed or were told of. What fails does not keep the others from their turn: the first failure is
/// answered when all are done, and the next step tries again.
pub async fn tick(app: &App, now: Instant) -> Result<usize, AppError> {
    let expired = booking::expire_overdue(app, now).await;
    let closed = booking::close_forgotten(app, now).await;
    let lapsed = booking::lapse_unresolved(app, now).await;
    let reminded = booking::remind_undecided(app, now).await;
    Ok(expired? + closed? + lapsed? + reminded?)
}
