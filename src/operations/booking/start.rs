//! Starting the use of a booking.

use super::case::{BookingView, Case};
use super::trail::{self, Told};
use crate::app::App;
use crate::domain::BookingId;
use crate::domain::access::Action;
use crate::domain::booking::BookingAction;
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{perform, same_version};
use crate::store;

/// From set-up to the scheduled end. 409 `channel_in_use` while another booking is in progress on the channel.
pub async fn start(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<i64>,
) -> Result<BookingView, AppError> {
    let (calendar, performer) = (app.calendar(), actor.clone());
    perform(app, actor, move |tx| {
        let actor = &performer;
        let mut case = Case::lock(tx, actor.caller()?, id, Action::BookingStart)?;
        same_version(version, case.booking.version)?;
        let (_, state) =
            case.permit(actor.caller()?, BookingAction::Start, &calendar, actor.now)?;
        let (instrument, channel) = (case.booking.instrument_id, case.booking.channel);
        if store::booking::is_channel_in_use(tx, instrument, channel)? {
            return Err(AppError::conflict(Code::channel_in_use));
        }
        let mut next = case.booking.changes();
        next.state = state;
        next.started_at = Some(actor.now);
        let after = store::booking::update(tx, &case.booking, next, actor.now)?;
        let by = actor;
        trail::record(
            tx,
            by,
            Action::BookingStart,
            Some(&case.booking),
            &after,
            Told::Nobody,
        )?;
        case.booking = after;
        case.seen(actor.caller()?, &calendar, actor.now)
    })
    .await
}
