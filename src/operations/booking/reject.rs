//! Rejecting a request, with the reason from the list.

use super::case::{Case, Seen, reason_faults};
use super::trail::{self, Told};
use crate::app::App;
use crate::domain::BookingId;
use crate::domain::access::Deed;
use crate::domain::booking::{BookingDeed, RejectReason};
use crate::error::AppError;
use crate::operations::deed::{Act, By, perform, same_version};
use crate::store;

/// Frees the slot and tells the using unit why.
pub async fn reject(
    app: &App,
    act: &Act,
    id: BookingId,
    version: Option<i64>,
    reason_code: RejectReason,
    reason: Option<String>,
) -> Result<Seen, AppError> {
    let (calendar, performer) = (app.calendar(), act.clone());
    perform(app, act, move |tx| {
        let act = &performer;
        let mut case = Case::lock(tx, &act.caller, id, Deed::BookingReject)?;
        same_version(version, case.booking.version)?;
        reason_faults(reason.as_deref())?;
        let (_, state) = case.permit(&act.caller, BookingDeed::Reject, &calendar, act.now)?;
        let mut next = case.booking.standing();
        next.state = state;
        next.answered_at = Some(act.now);
        next.reason_code = Some(reason_code.as_str().to_owned());
        next.reason.clone_from(&reason);
        let after = store::booking::update(tx, &case.booking, next, act.now)?;
        let by = By::Caller(act);
        trail::record(
            tx,
            by,
            "booking_reject",
            Some(&case.booking),
            &after,
            Told::Unit,
        )?;
        case.booking = after;
        case.seen(&act.caller, &calendar, act.now)
    })
    .await
}
