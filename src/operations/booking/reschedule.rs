//! Moving a booking to another slot. The old slot is kept until the new one is won: both happen in one update, which the
//! database judges like an insert.

use super::case::{BookingView, Case, reason_faults};
use super::contest::{Contest, contest};
use super::slot;
use super::trail::{self, Told};
use super::weigh::{self, Wish};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::booking::{BookingAction, BookingState, Side, Stage};
use crate::domain::calendar::Calendar;
use crate::domain::service::ServiceItem;
use crate::domain::{BookingId, Slot};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::same_version;
use crate::store::booking::{Booking, Changes};
use crate::store::{self, Conn, Json};

/// Where a booking goes.
#[derive(Debug, Clone)]
pub struct Move {
    pub slot: Slot,
    pub reason: Option<String>,
    /// The version the mover read, when it says so.
    pub version: Option<i64>,
}

/// Moves the booking; 409 and 422 as for a new one.
pub async fn reschedule(
    app: &App,
    actor: &Actor,
    id: BookingId,
    to: Move,
) -> Result<BookingView, AppError> {
    let present = app
        .store
        .read(move |conn| store::booking::get(conn, id))
        .await;
    let present = present.map_err(AppError::from)?;
    let fought_for = Contest {
        instrument_id: present.instrument_id,
        wish: wish(&present, to.slot, actor),
        client_reference: None,
    };
    let (calendar, performer) = (app.calendar(), actor.clone());
    contest(app, actor, fought_for, move |tx| {
        relocate(tx, &calendar, &performer, id, &to)
    })
    .await
}

fn wish(booking: &Booking, slot: Slot, actor: &Actor) -> Wish {
    Wish {
        slot,
        mode: booking.mode,
        organization_id: booking.organization_id,
        stage: Stage::Request,
        without: Some(booking.id),
        now: actor.now,
    }
}

fn relocate(
    tx: &mut Conn,
    calendar: &Calendar,
    actor: &Actor,
    id: BookingId,
    to: &Move,
) -> Result<BookingView, AppError> {
    let mut case = Case::lock(tx, actor.caller()?, id, Action::BookingReschedule)?;
    same_version(to.version, case.booking.version)?;
    reason_faults(to.reason.as_deref())?;
    let permitted = case.permit(
        actor.caller()?,
        BookingAction::Reschedule,
        calendar,
        actor.now,
    );
    let wish = wish(&case.booking, to.slot, actor);
    let mut faults = weigh::broken_rules(tx, calendar, &case.terms, &wish)?;
    let seat = slot::seek(tx, &case.terms, &wish)?;
    if let (Err(full), false) = (&seat, faults.is_empty()) {
        faults.push(weigh::taken(full)?);
    }
    AppError::refuse_all(faults)?;
    let (side, _) = permitted?;
    let seat = seat.map_err(|_| AppError::conflict(Code::slot_taken))?;
    slot::make_room(tx, Some(id), &seat.moves, actor.now)?;
    let mut next = moved(tx, calendar, &case, side, &wish)?;
    next.channel = seat.channel;
    next.reason.clone_from(&to.reason);
    let after = store::booking::update(tx, &case.booking, next, actor.now).map_err(slot::lost)?;
    let by = actor;
    trail::record(
        tx,
        by,
        Action::BookingReschedule,
        Some(&case.booking),
        &after,
        Told::Everybody,
    )?;
    case.booking = after;
    case.seen(actor.caller()?, calendar, actor.now)
}

/// The services wanted with a booking.
fn wanted(booking: &Booking) -> Result<Vec<ServiceItem>, AppError> {
    let items = booking.service_items.as_ref();
    let items = items.map(|items| serde_json::from_value(items.clone().into_inner()));
    Ok(items.transpose()?.unwrap_or_default())
}

/// What the move makes of the booking: its time, its price at today's tariffs, and the approval it may need again.
fn moved(
    tx: &mut Conn,
    calendar: &Calendar,
    case: &Case,
    side: Side,
    wish: &Wish,
) -> Result<Changes, AppError> {
    let rules = &case.terms.rules;
    let timing = case.timing(calendar)?;
    let blocked = rules.blocked(&wish.slot);
    let mut next = case.booking.changes();
    next.state = timing.after_reschedule(side, rules.approval);
    next.starts_at = wish.slot.starts_at();
    next.ends_at = wish.slot.ends_at();
    next.blocked_from = blocked.starts_at();
    next.blocked_until = blocked.ends_at();
    let quote = match (side, &case.booking.quote) {
        // The host moves the booking, not the price it promised.
        (Side::Host, promised) => {
            let promised = promised.as_ref();
            let kept = promised.map(|quote| quote.for_minutes(wish.slot.minutes()));
            kept.transpose().map_err(AppError::internal)?.flatten()
        }
        (Side::User, _) => weigh::price(tx, &case.terms, wish, &wanted(&case.booking)?)?,
    };
    next.quote = quote.map(Json::of).transpose()?;
    match (next.state, side) {
        (BookingState::Requested, Side::User) => {
            next.approval_due_at = Some(rules.approval_due_at(calendar, wish.now));
            next.answered_at = None;
        }
        (BookingState::Confirmed, _) if next.answered_at.is_none() => {
            next.approval_due_at = None;
            next.answered_at = Some(wish.now);
        }
        _ => {}
    }
    Ok(next)
}
