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
use crate::operations::actor::Actor;
use crate::operations::run::{perform, same_version};
use crate::store::{self, Conn};

/// Confirms a request of this version. 412 when it is another, 422 when a rule is broken meanwhile.
pub async fn approve(
    app: &App,
    actor: &Actor,
    id: BookingId,
    version: Option<i64>,
) -> Result<BookingView, AppError> {
    let (calendar, performer) = (app.calendar(), actor.clone());
    perform(app, actor, move |tx| {
        confirm(tx, &calendar, &performer, id, version)
    })
    .await
}

fn confirm(
    tx: &mut Conn,
    calendar: &Calendar,
    actor: &Actor,
    id: BookingId,
    version: Option<i64>,
) -> Result<BookingView, AppError> {
    let mut case = Case::lock(tx, actor.caller()?, id, Action::BookingApprove)?;
    same_version(version, case.booking.version)?;
    let permitted = case.permit(actor.caller()?, BookingAction::Approve, calendar, actor.now);
    if permitted.is_ok() {
        let wish = Wish {
            slot: case.booking.slot()?,
            mode: case.booking.mode,
            organization_id: case.booking.organization_id,
            stage: Stage::Approval,
            without: Some(id),
            now: actor.now,
        };
        AppError::refuse_all(weigh::broken_rules(tx, calendar, &case.terms, &wish)?)?;
    }
    let (_, state) = permitted?;
    let mut next = case.booking.changes();
    next.state = state;
    next.answered_at = Some(actor.now);
    let after = store::booking::update(tx, &case.booking, next, actor.now)?;
    let by = actor;
    trail::record(
        tx,
        by,
        Action::BookingApprove,
        Some(&case.booking),
        &after,
        Told::Unit,
    )?;
    case.booking = after;
    case.seen(actor.caller()?, calendar, actor.now)
}
