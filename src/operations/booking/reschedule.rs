//! Moving a booking to another slot, or to another instrument of the same host. The old slot is kept until the new one is won:
//! both happen in one update, which the database judges like an insert.

use std::sync::Arc;

use super::context::{self, BookingContext, BookingView, manages};
use super::counts::{self, Asker};
use super::request;
use super::slot::{self, Attempt, WantedSlot};
use super::trail;
use crate::domain::access::{Action, Caller};
use crate::domain::booking::{self, BookingAction, BookingState, Side, Stage};
use crate::domain::channel::Assignment;
use crate::domain::fault::Faults;
use crate::domain::spans::overlap;
use crate::domain::{BookingId, Instant, InstrumentId, Reason, Slot};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::service::check_items;
use crate::operations::subject::{Subject, Ties};
use crate::store::booking::{Booking, Changes};
use crate::store::terms::Terms;
use crate::store::{self, Conn};

/// Where a booking goes.
#[derive(Debug, Clone)]
pub struct Move {
    /// Or what is wrong with it, to be told after the version.
    pub slot: Result<Slot, Vec<Fault>>,
    /// None: it stays on its instrument.
    pub instrument_id: Option<InstrumentId>,
    pub reason: Option<String>,
}

/// A booking and the instrument it is to go to, under the locks of both instruments.
struct MovingContext(BookingContext);

impl Subject for MovingContext {
    type Id = (BookingId, Option<InstrumentId>);

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError> {
        let locked = context::lock(tx, id.0, id.1)?;
        let Self(context) = Self::load(tx, actor, id)?;
        context.still_on(locked).map(Self)
    }

    fn load(conn: &mut Conn, actor: &Actor, (id, _): Self::Id) -> Result<Self, AppError> {
        BookingContext::load(conn, actor, id).map(Self)
    }

    fn ties(&self) -> Ties {
        self.0.ties()
    }

    fn version(&self) -> Option<i64> {
        self.0.version()
    }
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
    let (now, slot, other) = (run.actor.now, to.slot.clone(), to.instrument_id);
    let attempt = move |conn: &mut Conn| {
        let present = store::booking::get(conn, id)?;
        let slot = slot.clone().map_err(AppError::Refused)?;
        Ok(Attempt {
            instrument_id: other.unwrap_or(present.instrument_id),
            wanted: wanted_slot(&present, slot, now),
            client_reference: None,
        })
    };
    slot::book_or_explain(&run.app, attempt, || {
        let to = to.clone();
        run.on(
            (id, other),
            Ok(to),
            |tx, actor, MovingContext(context), to| relocate(tx, actor, context, to),
        )
    })
    .await
}

fn wanted_slot(booking: &Booking, slot: Slot, now: Instant) -> WantedSlot {
    WantedSlot {
        slot,
        mode: booking.mode,
        asker: Asker {
            person: booking.person(),
            unit: booking.organization_id,
        },
        stage: Stage::Request,
        without: Some(booking.id),
        now,
    }
}

fn relocate(
    tx: &mut Conn,
    actor: &Actor,
    context: BookingContext,
    to: &Move,
) -> Result<BookingView, AppError> {
    let slot = to.slot.clone().map_err(AppError::Refused)?;
    let reason = Reason::read(to.reason.as_deref(), false)?;
    let (id, caller) = (context.booking.id, actor.caller()?);
    let permitted = context.permit(caller, BookingAction::Reschedule, actor.now);
    let present = context.booking.instrument_id;
    let other = to.instrument_id.filter(|other| *other != present);
    if slot == context.booking.slot()? && other.is_none() {
        // Where it stands already: nothing happened.
        permitted?;
        return context.view(caller, actor.now);
    }
    let mut wanted = wanted_slot(&context.booking, slot, actor.now);
    if other.is_none() && slot.starts_at() == context.booking.starts_at {
        wanted.stage = Stage::SameStart;
    }
    let target = match other {
        None => counts::terms_for(tx, &context.terms, Some(wanted.asker.unit), actor.now)?,
        Some(other) => {
            let side = permitted.as_ref().ok().map(|(side, _)| *side);
            find_target(tx, &context, other, (caller, side), actor.now)?
        }
    };
    counts::lock(tx, &target, &wanted)?;
    let mut faults = slot::broken_rules(tx, &target, &context.calendar, &wanted)?;
    if matches!(permitted, Ok((Side::User, _))) {
        faults.extend(user_faults(&context, &target, &wanted)?);
    }
    let is_within = other.is_none() && is_within(&context.booking, &wanted)?;
    let assignment = match is_within {
        // The time is its own already, whatever the number of channels has become.
        true => Ok(Assignment {
            channel: context.booking.channel,
            moves: Vec::new(),
        }),
        false => slot::seek(tx, &target, &wanted)?,
    };
    let full = assignment.as_ref().err().filter(|_| !faults.is_empty());
    faults.extend(full.map(slot::taken));
    AppError::refuse_all(faults)?;
    let (side, _) = permitted?;
    let assignment = assignment.map_err(|_| AppError::conflict(Code::slot_taken))?;
    slot::make_room(tx, Some(id), &assignment.moves, actor.now)?;
    let mut next = moved(tx, &context, (side, &target, is_within), &wanted)?;
    next.instrument_id = target.instrument_id;
    next.channel = assignment.channel;
    // It keeps every rule where it is now; only its own channel may still be one that is no longer offered.
    let is_withdrawn = next.channel > target.channels;
    next.problem = is_withdrawn.then(|| Code::channel_withdrawn.as_str().to_owned());
    next.details.reason = reason.map(String::from);
    let after =
        store::booking::update(tx, &context.booking, next, actor.now).map_err(slot::lost)?;
    let before = Some(&context.booking);
    trail::record(tx, actor, Action::BookingReschedule, before, &after)?;
    let is_managed = match other {
        Some(other) => manages(tx, caller, other)?,
        None => context.managed_by_caller,
    };
    BookingContext::of(tx, after, is_managed, actor.now)?.view(caller, actor.now)
}

/// What stands in the way of a user's move besides: what was wanted from the price list is wanted there, too, and near its start
/// a booking is only extended.
fn user_faults(
    context: &BookingContext,
    target: &Terms,
    wanted: &WantedSlot,
) -> Result<Vec<Fault>, AppError> {
    let booking = &context.booking;
    let is_elsewhere = target.instrument_id != booking.instrument_id;
    let slots = (&booking.slot()?, &wanted.slot);
    let before = context.terms.rules.change_before_minutes;
    let locked = booking::change_locked(slots, is_elsewhere, before, wanted.now);
    let mut faults = Faults::new();
    faults.extend(locked.map(Fault::from));
    if is_elsewhere {
        check_items(
            &target.services,
            &booking.details.service_items,
            &mut faults,
        );
    }
    Ok(faults.into_vec())
}

/// The terms of the instrument that a booking is to go to: one that the caller sees, of the same host; who moves it for the host
/// may do so there, too.
fn find_target(
    tx: &mut Conn,
    context: &BookingContext,
    other: InstrumentId,
    (caller, side): (&Caller, Option<Side>),
    now: Instant,
) -> Result<Arc<Terms>, AppError> {
    let found = store::terms::find(tx, (other, context.booking.organization_id));
    let named = (other, Action::BookingReschedule);
    let basis = request::basis_for(tx, caller, named, found)?;
    let basis = counts::basis_for(basis, context.booking.organization_id, now);
    let terms = basis.terms;
    if terms.host_organization_id != context.booking.host_organization_id {
        let fault = Fault::field("instrument_id", Code::of_another_host);
        return Err(fault.actual(other.number()).into());
    }
    let ties = terms.ties(manages(tx, caller, other)?);
    let asked = (caller, BookingAction::Reschedule);
    match side.is_none_or(|side| context.may_on(ties, asked, side)) {
        true => Ok(terms),
        false => Err(AppError::Denied(Code::forbidden)),
    }
}

/// Whether a move stays within the booking's present slot.
fn is_within(booking: &Booking, wanted: &WantedSlot) -> Result<bool, AppError> {
    Ok(overlap(&booking.slot()?, &wanted.slot) == Some(wanted.slot))
}

/// What the move makes of the booking: its time, its price at today's tariffs, and the approval it may need again.
fn moved(
    tx: &mut Conn,
    context: &BookingContext,
    (side, terms, is_within): (Side, &Terms, bool),
    wanted: &WantedSlot,
) -> Result<Changes, AppError> {
    let rules = &terms.rules;
    let timing = context.timing()?;
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
            let basis = store::terms::find(tx, (terms.instrument_id, booking.organization_id))?;
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
