//! Cancelling a booking: the using unit until the start, the host with a reason as long as it has not begun.

use super::case::{BookingView, Case, reason_faults};
use super::trail::{self, Told};
use crate::app::App;
use crate::domain::BookingId;
use crate::domain::access::Action;
use crate::domain::booking::{BookingAction, Side};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{perform, same_version};
use crate::store;

/// What a cancellation with less than `cancel_before_minutes` left is marked with.
const LATE: &str = "late";

/// Frees the slot. 422 `reason_required` when the host gives none.
pub async fn cancel(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<i64>,
    reason: Option<String>,
) -> Result<BookingView, AppError> {
    let (calendar, performer) = (app.calendar(), actor.clone());
    perform(app, actor, move |tx| {
        let actor = &performer;
        let mut case = Case::lock(tx, actor.caller()?, id, Action::BookingCancel)?;
        same_version(version, case.booking.version)?;
        reason_faults(reason.as_deref())?;
        let gives_reason = reason
            .as_deref()
            .is_some_and(|text| !text.trim().is_empty());
        if !gives_reason && case.is_only_host(actor.caller()?, BookingAction::Cancel) {
            return Err(AppError::refused("reason", Code::reason_required));
        }
        let (side, state) =
            case.permit(actor.caller()?, BookingAction::Cancel, &calendar, actor.now)?;
        if side == Side::Host && !gives_reason {
            return Err(AppError::refused("reason", Code::reason_required));
        }
        let is_late = side == Side::User && case.timing(&calendar)?.is_late(actor.now);
        let mut next = case.booking.changes();
        next.state = state;
        next.cancelled_by = Some(match side {
            Side::User => "user".to_owned(),
            Side::Host => "host".to_owned(),
        });
        next.reason_code = is_late.then(|| LATE.to_owned());
        next.reason.clone_from(&reason);
        let after = store::booking::update(tx, &case.booking, next, actor.now)?;
        let by = actor;
        trail::record(
            tx,
            by,
            Action::BookingCancel,
            Some(&case.booking),
            &after,
            Told::Everybody,
        )?;
        case.booking = after;
        case.seen(actor.caller()?, &calendar, actor.now)
    })
    .await
}
