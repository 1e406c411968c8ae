//! A booking with all that decides about it, and what an answer shows of it: the row, its usage records and what this caller
//! may do now. It is the subject of every action on a booking.

use std::sync::Arc;

use crate::domain::access::{self, Action, BookingTies, Caller, InstrumentTies, Reach, Role};
use crate::domain::booking::{self, BookingAction, BookingState, InvalidState, Side, Timing, When};
use crate::domain::calendar::Calendar;
use crate::domain::{BookingId, Instant, InstrumentId, UsageRecordId};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::subject::{Subject, Ties};
use crate::store::booking::Booking;
use crate::store::terms::Terms;
use crate::store::{self, Conn, Lock};

/// A booking as a caller sees it.
#[derive(Debug, Clone)]
pub struct BookingView {
    pub booking: Booking,
    pub usage_record_ids: Vec<UsageRecordId>,
    pub actions: Vec<BookingAction>,
    /// After this the using unit's cancellation is late; none when it cannot be cancelled any more.
    pub late_from: Option<Instant>,
    /// The caller belongs to the host or to the using unit; who only oversees them reads no trade secrets.
    pub is_of_a_side: bool,
}

/// A booking, its usage records and the terms of its instrument.
#[derive(Debug)]
pub struct BookingContext {
    pub booking: Booking,
    pub usage_record_ids: Vec<UsageRecordId>,
    pub terms: Arc<Terms>,
    pub calendar: Arc<Calendar>,
    pub managed_by_caller: bool,
    /// Another booking is in progress on its channel, so that it cannot start now.
    pub waits_for_channel: bool,
}

impl Subject for BookingContext {
    type Id = BookingId;

    /// Takes the lock of the instrument and its records, then reads: what stands here stays until the action ends.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: BookingId) -> Result<Self, AppError> {
        let locked = lock(tx, id, None)?;
        Self::load(tx, actor, id)?.still_on(locked)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: BookingId) -> Result<Self, AppError> {
        let booking = store::booking::get(conn, id)?;
        let managed_by_caller = match actor.caller() {
            Ok(caller) => manages(conn, caller, booking.instrument_id)?,
            Err(_) => false,
        };
        Self::of(conn, booking, managed_by_caller, actor.now)
    }

    fn ties(&self) -> Ties {
        Ties::Booking(self.booking_ties())
    }

    fn version(&self) -> Option<i64> {
        Some(self.booking.version)
    }
}

/// Takes the lock of a booking's instrument and its records, and of the other instrument that it is to go to: in the order of
/// their ids, so that two who move towards each other wait and do not meet. Answers the instrument it was on before the lock.
pub(super) fn lock(
    tx: &mut Conn,
    id: BookingId,
    other: Option<InstrumentId>,
) -> Result<InstrumentId, AppError> {
    let present = store::booking::get_instrument_id(tx, id)?;
    let last = match other.filter(|other| *other != present) {
        Some(other) => {
            Lock::Instrument(present.min(other)).take(tx)?;
            present.max(other)
        }
        None => present,
    };
    Lock::take_records_of(last, tx)?;
    Ok(present)
}

/// Whether the caller manages the instrument; asked of the database only when the role is there.
pub(in crate::operations) fn manages(
    conn: &mut Conn,
    caller: &Caller,
    instrument: InstrumentId,
) -> Result<bool, AppError> {
    Ok(caller.has(Role::InstrumentManager)
        && store::booking_rules::list_managed(conn, caller.user_id)?.contains(&instrument))
}

/// The ties of an instrument as a caller sees them: whatever became of it, it is not hidden from a unit that has booked it.
pub(in crate::operations) fn as_seen(
    conn: &mut Conn,
    caller: Option<&Caller>,
    instrument: InstrumentId,
    ties: InstrumentTies,
) -> Result<InstrumentTies, AppError> {
    let is_public = match caller {
        _ if ties.is_public => true,
        Some(caller) => store::booking::has_booked(conn, instrument, caller.organization_id)?,
        None => false,
    };
    Ok(InstrumentTies { is_public, ..ties })
}

impl BookingContext {
    pub fn of(
        conn: &mut Conn,
        booking: Booking,
        managed_by_caller: bool,
        now: Instant,
    ) -> Result<BookingContext, AppError> {
        let terms = store::terms::get(conn, booking.instrument_id)?;
        let calendar = store::calendar::get(conn)?;
        let records = store::booking::list_usage_record_ids(conn, &[booking.id])?;
        let waits_for_channel = could_start(&booking, now)
            && store::booking::is_channel_in_use(conn, booking.instrument_id, booking.channel)?;
        Ok(BookingContext {
            booking,
            waits_for_channel,
            usage_record_ids: records.into_iter().map(|(_, record)| record).collect(),
            terms,
            calendar,
            managed_by_caller,
        })
    }

    /// The same if it is on the instrument whose lock is held; `Contended` when it went elsewhere while the lock was waited for.
    pub(super) fn still_on(self, locked: InstrumentId) -> Result<Self, AppError> {
        match self.booking.instrument_id == locked {
            true => Ok(self),
            false => Err(AppError::Contended),
        }
    }

    pub fn booking_ties(&self) -> BookingTies {
        BookingTies {
            instrument: self.terms.ties(self.managed_by_caller),
            organization_id: self.booking.organization_id,
            booked_by: Some(self.booking.booked_by),
            operator: self.booking.operator(),
        }
    }

    pub fn timing(&self) -> Result<Timing, AppError> {
        let (booking, rules) = (&self.booking, &self.terms.rules);
        let slot = booking.slot()?;
        Ok(Timing {
            state: booking.state,
            slot,
            blocked: booking.blocked()?,
            approval_due_at: booking.approval_due_at,
            cancel_before: rules.cancel_before_minutes,
            kept_late_from: booking.details.late_from,
            no_show_after: rules.no_show_after_minutes,
            lapses_at: booking::lapses_at(&slot, &self.calendar),
        })
    }

    /// The sides for which the caller may do an action; the using unit's comes first, since it asks for no reason.
    fn sides(&self, caller: &Caller, action: BookingAction) -> Vec<Side> {
        self.sides_on(caller, action, &self.booking_ties())
    }

    /// Whether the caller may do an action for this side if the booking were on another instrument.
    pub fn may_on(
        &self,
        instrument: InstrumentTies,
        (caller, action): (&Caller, BookingAction),
        side: Side,
    ) -> bool {
        let ties = BookingTies {
            instrument,
            ..self.booking_ties()
        };
        self.sides_on(caller, action, &ties).contains(&side)
    }

    fn sides_on(&self, caller: &Caller, action: BookingAction, ties: &BookingTies) -> Vec<Side> {
        let Some(right) = right(action) else {
            return Vec::new();
        };
        if access::may_on_booking(caller, right, ties).is_err() {
            return Vec::new();
        }
        let reach = Reach::of(caller, right);
        let user = Reach {
            unit: reach.unit,
            own: reach.own,
            operated: reach.operated,
            ..Reach::default()
        };
        let host = Reach {
            unit: None,
            own: None,
            operated: None,
            ..reach
        };
        let sides = [(user, Side::User), (host, Side::Host)];
        let covering = sides
            .into_iter()
            .filter(|(reach, _)| reach.covers_booking(ties));
        covering.map(|(_, side)| side).collect()
    }

    /// Whether the caller does the action for the host, whatever the state.
    pub fn is_only_host(&self, caller: &Caller, action: BookingAction) -> bool {
        self.sides(caller, action) == [Side::Host]
    }

    /// For which side the caller does the action, and the state after it; 409 `invalid_state` when it is not possible now.
    pub fn permit(
        &self,
        caller: &Caller,
        action: BookingAction,
        now: Instant,
    ) -> Result<(Side, BookingState), AppError> {
        let timing = self.timing()?;
        if is_overdue(&timing, now) {
            return Err(AppError::conflict(Code::invalid_state)
                .with("state", BookingState::Expired.as_str())
                .with("allowed", Vec::<&str>::new()));
        }
        let mut refusal = AppError::Denied(Code::forbidden);
        for side in self.sides(caller, action) {
            match self.permit_side(&timing, action, side, now) {
                Ok(next) => return Ok((side, next)),
                Err(invalid) => {
                    let allowed = self.possible(&timing, caller, now);
                    refusal = InvalidState { allowed, ..invalid }.into();
                }
            }
        }
        Err(refusal)
    }

    /// What the times allow one side. On an instrument that is closed now, or not offered any more, only the desk starts.
    fn permit_side(
        &self,
        timing: &Timing,
        action: BookingAction,
        side: Side,
        now: Instant,
    ) -> Result<BookingState, InvalidState> {
        let next = timing.permit(action, side, now)?;
        if (action, side) != (BookingAction::Start, Side::User) {
            return Ok(next);
        }
        let mut closed = self.terms.closures.iter().map(|closure| closure.time);
        let closed = closed.find(|time| time.holds_at(now));
        let opens_at = closed.and_then(|time| time.ends_at());
        let opens_at = opens_at.filter(|at| *at < timing.slot.ends_at());
        match closed.is_some() || !self.terms.is_bookable() {
            false => Ok(next),
            true => Err(InvalidState {
                action,
                state: timing.state,
                allowed: Vec::new(),
                when: opens_at.map(When::From),
            }),
        }
    }

    /// What the caller may do now, by right, state, time and channel: what is refused now is not among it.
    fn possible(&self, timing: &Timing, caller: &Caller, now: Instant) -> Vec<BookingAction> {
        if is_overdue(timing, now) {
            return Vec::new();
        }
        let is_possible = |action: &BookingAction| {
            let begins = timing.state == BookingState::Confirmed
                && matches!(action, BookingAction::Start | BookingAction::Finish);
            let mut sides = self.sides(caller, *action).into_iter();
            let permits = |side| self.permit_side(timing, *action, side, now).is_ok();
            !(begins && self.waits_for_channel) && sides.any(permits)
        };
        let all = BookingAction::ALL.iter().copied();
        all.filter(is_possible).collect()
    }

    /// What the answer shows.
    pub fn view(self, caller: &Caller, now: Instant) -> Result<BookingView, AppError> {
        let timing = self.timing()?;
        let actions = self.possible(&timing, caller, now);
        let is_cancellable = timing.state.after(BookingAction::Cancel).is_ok();
        let sides = [
            self.booking.host_organization_id,
            self.booking.organization_id,
        ];
        Ok(BookingView {
            is_of_a_side: sides.contains(&caller.organization_id),
            late_from: is_cancellable.then(|| timing.late_from()),
            booking: self.booking,
            usage_record_ids: self.usage_record_ids,
            actions,
        })
    }
}

/// Whether it is time to start it, or to say that it was used, as far as the booking itself says.
pub(super) fn could_start(booking: &Booking, now: Instant) -> bool {
    booking.state == BookingState::Confirmed && booking.blocked_from <= now
}

/// A request that nobody decided in time is as good as expired, whether or not the step of time has come by.
fn is_overdue(timing: &Timing, now: Instant) -> bool {
    let waits = timing.state.after(BookingAction::Expire).is_ok();
    waits && timing.expires_at() <= now
}

/// The right an action of people needs; what happens by time is nobody's.
fn right(action: BookingAction) -> Option<Action> {
    Some(match action {
        BookingAction::Submit => Action::BookingSubmit,
        BookingAction::Approve => Action::BookingApprove,
        BookingAction::Reject => Action::BookingReject,
        BookingAction::Cancel => Action::BookingCancel,
        BookingAction::Reschedule => Action::BookingReschedule,
        BookingAction::Start => Action::BookingStart,
        BookingAction::Finish => Action::BookingFinish,
        BookingAction::NoShow => Action::BookingNoShow,
        BookingAction::Expire | BookingAction::Close | BookingAction::Lapse => return None,
    })
}

impl From<InvalidState> for AppError {
    fn from(invalid: InvalidState) -> Self {
        let allowed: Vec<&str> = invalid
            .allowed
            .iter()
            .map(|action| action.as_str())
            .collect();
        let refusal = AppError::conflict(Code::invalid_state)
            .with("state", invalid.state.as_str())
            .with("allowed", allowed);
        match invalid.when {
            None => refusal,
            Some(When::From(at)) => refusal.with("possible_from", at.to_string()),
            Some(When::Before(at)) => refusal.with("possible_before", at.to_string()),
        }
    }
}
