//! Moving a booking to another slot. The old slot is kept until the new one is won: both happen in one update, which the
//! database judges like an insert.

use super::context::{BookingContext, BookingView};
use super::slot::{self, Attempt, WantedSlot};
use super::trail;
use crate::domain::access::Action;
use crate::domain::booking::{BookingAction, BookingState, Side, Stage};
use crate::domain::channel::Assignment;
use crate::domain::spans::overlap;
use crate::domain::{BookingId, Instant, Reason, Slot};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::store::booking::{Booking, Changes};
use crate::store::{self, Conn};

/// Where a booking goes.
#[derive(Debug, Clone)]
pub struct Move {
    /// Or what is wrong with it, to be told after the version.
    pub slot: Result<Slot, Vec<Fault>>,
    pub reason: Option<String>,
}

/// Moves the booking; 409 and 422 as for a new one.
pub async fn reschedule(
    run: &Run<BookingView>,
    id: BookingId,
    to: Result<Move, AppError>,
) -> Outcome<BookingView> {
    let to = match to {
        Ok(to) => to,
        Err(fault) => return run.refuse::<BookingContext>(id, fault).await,
    };
    let (now, slot) = (run.actor.now, to.slot.clone());
    let attempt = move |conn: &mut Conn| {
        let present = store::booking::get(conn, id)?;
        let slot = slot.clone().map_err(AppError::Refused)?;
        Ok(Attempt {
            instrument_id: present.instrument_id,
            wanted: wanted_slot(&present, slot, now),
            client_reference: None,
        })
    };
    slot::book_or_explain(&run.app, attempt, || {
        let to = to.clone();
        run.on(id, Ok(to), move |tx, actor, context, to| {
            relocate(tx, actor, context, to)
        })
    })
    .await
}

fn wanted_slot(booking: &Booking, slot: Slot, now: Instant) -> WantedSlot {
    WantedSlot {
        slot,
        mode: booking.mode,
        organization_id: booking.organization_id,
        stage: Stage::Request,
        without: Some(booking.id),
        now,
    }
}

fn relocate(
    tx: &mut Conn,
    actor: &Actor,
    mut context: BookingContext,
    to: &Move,
) -> Result<BookingView, AppError> {
    let slot = to.slot.clone().map_err(AppError::Refused)?;
    let reason = Reason::read(to.reason.as_deref(), false)?;
    let (id, caller) = (context.booking.id, actor.caller()?);
    let permitted = context.permit(caller, BookingAction::Reschedule, actor.now);
    if slot == context.booking.slot()? {
        // Where it stands already: nothing happened.
        permitted?;
        return context.view(caller, actor.now);
    }
    let wanted = wanted_slot(&context.booking, slot, actor.now);
    let mut faults = slot::broken_rules(&context.terms, &context.calendar, &wanted);
    let assignment = match is_within(&context.booking, &wanted)? {
        // The time is its own already, whatever the number of channels has become.
        true => Ok(Assignment {
            channel: context.booking.channel,
            moves: Vec::new(),
        }),
        false => slot::seek(tx, &context.terms, &wanted)?,
    };
    if let (Err(full), false) = (&assignment, faults.is_empty()) {
        faults.push(slot::taken(full));
    }
    AppError::refuse_all(faults)?;
    let (side, _) = permitted?;
    let assignment = assignment.map_err(|_| AppError::conflict(Code::slot_taken))?;
    slot::make_room(tx, Some(id), &assignment.moves, actor.now)?;
    let mut next = moved(tx, &context, side, &wanted)?;
    next.channel = assignment.channel;
    // It keeps every rule where it is now; only its own channel may still be one that is no longer offered.
    let is_withdrawn = next.channel > context.terms.channels;
    next.problem = is_withdrawn.then(|| Code::channel_withdrawn.as_str().to_owned());
    next.details.reason = reason.map(String::from);
    let after =
        store::booking::update(tx, &context.booking, next, actor.now).map_err(slot::lost)?;
    trail::record(
        tx,
        actor,
        Action::BookingReschedule,
        Some(&context.booking),
        &after,
    )?;
    context.booking = after;
    context.view(caller, actor.now)
}

/// Whether a move stays within the booking's present slot.
fn is_within(booking: &Booking, wanted: &WantedSlot) -> Result<bool, AppError> {
    Ok(overlap(&booking.slot()?, &wanted.slot) == Some(wanted.slot))
}

/// What the move makes of the booking: its time, its price at today's tariffs, and the approval it may need again.
fn moved(
    tx: &mut Conn,
    context: &BookingContext,
    side: Side,
    wanted: &WantedSlot,
) -> Result<Changes, AppError> {
    let rules = &context.terms.rules;
    let timing = context.timing()?;
    let is_within = is_within(&context.booking, wanted)?;
    let blocked = match is_within {
        // Set-up and clean-up that have grown since take nobody's time.
        true => overlap(&rules.blocked(&wanted.slot), &context.booking.blocked()?),
        false => None,
    };
    let blocked = blocked.unwrap_or_else(|| rules.blocked(&wanted.slot));
    let mut next = context.booking.changes();
    next.details.late_from = timing.late_from_kept(side, wanted.now);
    next.state = match is_within {
        // What was approved, or waits for it, is only less now.
        true => context.booking.state,
        false => timing.after_reschedule(side, rules.approval),
    };
    next.starts_at = wanted.slot.starts_at();
    next.ends_at = wanted.slot.ends_at();
    next.blocked_from = blocked.starts_at();
    next.blocked_until = blocked.ends_at();
    next.details.quote = match (side, &context.booking.details.quote) {
        // The host moves the booking, not the price it promised.
        (Side::Host, promised) => {
            let promised = promised.as_ref();
            let kept = promised.map(|quote| quote.for_minutes(wanted.slot.minutes()));
            kept.transpose().map_err(AppError::internal)?.flatten()
        }
        (Side::User, _) => {
            let booking = &context.booking;
            let basis = store::terms::find(tx, (booking.instrument_id, booking.organization_id))?;
            slot::price(&basis, wanted, &booking.details.service_items)?
        }
    };
    match (next.state, side) {
        (BookingState::Requested, Side::User) if !is_within => {
            next.approval_due_at = Some(rules.approval_due_at(&context.calendar, wanted.now));
            next.answered_at = None;
        }
        (BookingState::Confirmed, _) if next.answered_at.is_none() => {
            next.approval_due_at = None;
            next.answered_at = Some(wanted.now);
        }
        _ => {}
    }
    Ok(next)
}
