//! Approving a request: the rules are asked again, lead time apart; the slot is held already.

use super::case::{BookingView, Case};
use super::trail::{self, Told};
use super::weigh::{self, Wish};
use crate::app::App;
use crate::domain::BookingId;
use crate::domain::access::Action;
use crate::domain::booking::{BookingAction, Stage};
use crate::domain::calendar::Calendar;
use crate::error::AppError;
use crate::operations::run::{Act, By, perform, same_version};
use crate::store::{self, Conn};

/// Confirms a request of this version. 412 when it is another, 422 when a rule is broken meanwhile.
pub async fn approve(
    app: &App,
    act: &Act,
    id: BookingId,
    version: Option<i64>,
) -> Result<BookingView, AppError> {
    let (calendar, performer) = (app.calendar(), act.clone());
    perform(app, act, move |tx| {
        confirm(tx, &calendar, &performer, id, version)
    })
    .await
}

fn confirm(
    tx: &mut Conn,
    calendar: &Calendar,
    act: &Act,
    id: BookingId,
    version: Option<i64>,
) -> Result<BookingView, AppError> {
    let mut case = Case::lock(tx, &act.caller, id, Action::BookingApprove)?;
    same_version(version, case.booking.version)?;
    let permitted = case.permit(&act.caller, BookingAction::Approve, calendar, act.now);
    if permitted.is_ok() {
        let wish = Wish {
            slot: case.booking.slot()?,
            mode: case.booking.mode,
            organization_id: case.booking.organization_id,
            stage: Stage::Approval,
            without: Some(id),
            now: act.now,
        };
        AppError::refuse_all(weigh::broken_rules(tx, calendar, &case.terms, &wish)?)?;
    }
    let (_, state) = permitted?;
    let mut next = case.booking.changes();
    next.state = state;
    next.answered_at = Some(act.now);
    let after = store::booking::update(tx, &case.booking, next, act.now)?;
    let by = By::Caller(act);
    trail::record(
        tx,
        by,
        "booking_approve",
        Some(&case.booking),
        &after,
        Told::Unit,
    )?;
    case.booking = after;
    case.seen(&act.caller, calendar, act.now)
}
