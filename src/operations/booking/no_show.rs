//! Declaring that nobody came: frees the rest of the slot.

use super::case::{BookingView, Case, reason_faults};
use super::trail::{self, Told};
use crate::app::App;
use crate::domain::BookingId;
use crate::domain::access::Action;
use crate::domain::booking::BookingAction;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{perform, same_version};
use crate::store;

/// From `no_show_after_minutes` after the start.
pub async fn declare_no_show(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<i64>,
    reason: Option<String>,
) -> Result<BookingView, AppError> {
    let (calendar, performer) = (app.calendar(), actor.clone());
    perform(app, actor, move |tx| {
        let actor = &performer;
        let mut case = Case::lock(tx, actor.caller()?, id, Action::BookingNoShow)?;
        same_version(version, case.booking.version)?;
        reason_faults(reason.as_deref())?;
        let (_, state) =
            case.permit(actor.caller()?, BookingAction::NoShow, &calendar, actor.now)?;
        let mut next = case.booking.changes();
        next.state = state;
        next.reason.clone_from(&reason);
        let after = store::booking::update(tx, &case.booking, next, actor.now)?;
        let by = actor;
        trail::record(
            tx,
            by,
            Action::BookingNoShow,
            Some(&case.booking),
            &after,
            Told::Unit,
        )?;
        case.booking = after;
        case.seen(actor.caller()?, &calendar, actor.now)
    })
    .await
}
