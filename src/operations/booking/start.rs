//! Starting the use of a booking.

use super::case::{BookingView, Case};
use super::trail::{self, Told};
use crate::app::App;
use crate::domain::BookingId;
use crate::domain::access::Action;
use crate::domain::booking::BookingAction;
use crate::error::{AppError, Code};
use crate::operations::run::{Act, By, perform, same_version};
use crate::store;

/// From set-up to the scheduled end. 409 `channel_in_use` while another booking is in progress on the channel.
pub async fn start(
    app: &App,
    act: &Act,
    id: BookingId,
    version: Option<i64>,
) -> Result<BookingView, AppError> {
    let (calendar, performer) = (app.calendar(), act.clone());
    perform(app, act, move |tx| {
        let act = &performer;
        let mut case = Case::lock(tx, &act.caller, id, Action::BookingStart)?;
        same_version(version, case.booking.version)?;
        let (_, state) = case.permit(&act.caller, BookingAction::Start, &calendar, act.now)?;
        let (instrument, channel) = (case.booking.instrument_id, case.booking.channel);
        if store::booking::is_channel_in_use(tx, instrument, channel)? {
            return Err(AppError::conflict(Code::channel_in_use));
        }
        let mut next = case.booking.changes();
        next.state = state;
        next.started_at = Some(act.now);
        let after = store::booking::update(tx, &case.booking, next, act.now)?;
        let by = By::Caller(act);
        trail::record(
            tx,
            by,
            "booking_start",
            Some(&case.booking),
            &after,
            Told::Nobody,
        )?;
        case.booking = after;
        case.seen(&act.caller, &calendar, act.now)
    })
    .await
}
