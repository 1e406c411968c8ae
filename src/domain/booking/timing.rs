//! When an action may be done. Users may cancel and reschedule until the start, hosts (with a reason, which the operation asks
//! for) as long as the state allows. Times of the booking decide, not persons.

use super::action::{BookingAction, InvalidState, When};
use super::{BookingRefusal, BookingState};
use crate::domain::booking_rules::Approval;
use crate::domain::calendar::Calendar;
use crate::domain::money::Minutes;
use crate::domain::time::{Instant, Slot};

/// A confirmed booking that nobody started or declared a no-show lapses after so many working days.
pub const LAPSES_AFTER_WORKING_DAYS: u32 = 3;

/// When a confirmed booking of `slot` lapses: at the end of the third working day after its end.
pub fn lapses_at(slot: &Slot, calendar: &Calendar) -> Instant {
    calendar.end_of_working_day(slot.ends_at(), LAPSES_AFTER_WORKING_DAYS)
}

/// When a request or hold of `slot` expires: when its decision is due or at its start, whichever is first.
pub fn expires_at(slot: &Slot, approval_due_at: Option<Instant>) -> Instant {
    let start = slot.starts_at();
    approval_due_at.map_or(start, |due_at| due_at.min(start))
}

/// After which moment giving up a confirmed slot is late.
pub fn late_from(starts_at: Instant, cancel_before: Minutes) -> Instant {
    starts_at.plus(Minutes::new(-cancel_before.number()))
}

/// Why a user may not move a booking from its present slot to another, if so: with less than `change_before` left it keeps its
/// start, its instrument, and at least its length.
pub fn change_locked(
    (present, wanted): (&Slot, &Slot),
    is_elsewhere: bool,
    change_before: Minutes,
    now: Instant,
) -> Option<BookingRefusal> {
    let locked_from = late_from(present.starts_at(), change_before);
    let extends = !is_elsewhere
        && wanted.starts_at() == present.starts_at()
        && wanted.ends_at() >= present.ends_at();
    let is_locked = change_before > Minutes::ZERO && now > locked_from;
    (is_locked && !extends).then_some(BookingRefusal::ChangeLocked {
        locked_from,
        actual: wanted.starts_at(),
    })
}

/// For whom an action is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The using unit.
    User,
    /// The instrument's host.
    Host,
}

/// What the times of a booking say about its actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    pub state: BookingState,
    pub slot: Slot,
    pub blocked: Slot,
    /// Only requests and holds have one.
    pub approval_due_at: Option<Instant>,
    pub cancel_before: Minutes,
    /// See [`Timing::late_from`]: kept when the user moved the booking after it.
    pub kept_late_from: Option<Instant>,
    pub no_show_after: Minutes,
    /// See [`lapses_at`].
    pub lapses_at: Instant,
}

impl Timing {
    /// The state after `action`, done at `now`, or why it is not possible.
    pub fn permit(
        &self,
        action: BookingAction,
        side: Side,
        now: Instant,
    ) -> Result<BookingState, InvalidState> {
        let next = self.state.after(action)?;
        match self.untimely(action, side, now) {
            None => Ok(next),
            Some(when) => Err(InvalidState {
                action,
                state: self.state,
                allowed: self.allowed(side, now),
                when: Some(when),
            }),
        }
    }

    /// What people of `side` may do at `now`, as far as state and time decide.
    pub fn allowed(&self, side: Side, now: Instant) -> Vec<BookingAction> {
        let timely = |action: &BookingAction| self.untimely(*action, side, now).is_none();
        self.state.allowed().filter(timely).collect()
    }

    /// When a request or hold expires.
    pub fn expires_at(&self) -> Instant {
        expires_at(&self.slot, self.approval_due_at)
    }

    /// When a no-show may be declared.
    pub fn no_show_from(&self) -> Instant {
        self.slot.starts_at().plus(self.no_show_after)
    }

    /// After this moment less than `cancel_before` is left. Whoever moves a booking after it does not escape: it stays.
    pub fn late_from(&self) -> Instant {
        let of_slot = late_from(self.slot.starts_at(), self.cancel_before);
        self.kept_late_from.unwrap_or(of_slot)
    }

    /// Whether giving up a confirmed slot at `now` is late. A request that nobody has approved yet is never late, unless it was
    /// approved before it was moved too late.
    pub fn is_late(&self, now: Instant) -> bool {
        let was_confirmed = self.state == BookingState::Confirmed || self.kept_late_from.is_some();
        was_confirmed && now > self.late_from()
    }

    /// What a move by `side` at `now` keeps of the moment from which on a cancellation is late. The host's own move is nobody's
    /// escape.
    pub fn late_from_kept(&self, side: Side, now: Instant) -> Option<Instant> {
        let is_kept = side == Side::User && self.is_late(now);
        is_kept.then(|| self.late_from())
    }

    /// The state of a rescheduled booking: a host leaves it as it is, a user's new slot needs the approval that any new
    /// booking would need, or a harmless slot could be approved and then moved.
    pub fn after_reschedule(&self, side: Side, approval: Approval) -> BookingState {
        match (side, approval) {
            (Side::Host, _) => self.state,
            (Side::User, Approval::Automatic) => BookingState::Confirmed,
            (Side::User, Approval::Manual) => BookingState::Requested,
        }
    }

    fn untimely(&self, action: BookingAction, side: Side, now: Instant) -> Option<When> {
        use BookingAction as A;
        let (from, before) = match (action, side) {
            (A::Submit | A::Approve | A::Reject, _) => (None, Some(self.expires_at())),
            (A::Cancel | A::Reschedule, Side::User) => (None, Some(self.slot.starts_at())),
            (A::Cancel | A::Reschedule, Side::Host) => (None, None),
            // What nobody started is finished when its start has passed.
            (A::Finish, _) if self.state == BookingState::Confirmed => {
                (Some(self.slot.starts_at()), None)
            }
            (A::Finish, _) => (None, None),
            (A::Start, _) => (Some(self.blocked.starts_at()), Some(self.slot.ends_at())),
            (A::NoShow, _) => (Some(self.no_show_from()), None),
            (A::Expire, _) => (Some(self.expires_at()), None),
            (A::Close, _) => (Some(super::ending::closes_at(&self.slot)), None),
            (A::Lapse, _) => (Some(self.lapses_at), None),
        };
        let early = from.filter(|from| now < *from).map(When::From);
        early.or_else(|| before.filter(|before| now >= *before).map(When::Before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::tests::china;
    use crate::domain::spans::tests::minutes;

    /// Monday 10:00–12:00 with half an hour before and after, request due at 09:00.
    fn timing(state: BookingState) -> Timing {
        let slot = minutes(600, 720);
        Timing {
            state,
            slot,
            blocked: minutes(570, 750),
            approval_due_at: Some(minutes(540, 541).starts_at()),
            cancel_before: Minutes::new(1440),
            kept_late_from: None,
            no_show_after: Minutes::new(30),
            lapses_at: lapses_at(&slot, &china()),
        }
    }

    /// The moment so many minutes and seconds after Monday's midnight.
    fn at(minute: i64, second: i64) -> Instant {
        minutes(0, 1)
            .starts_at()
            .plus(Minutes::new(minute))
            .plus_seconds(second)
    }

    #[test]
    fn near_its_start_a_booking_is_only_extended() {
        let locks = |before: i64, (from, until), now| {
            let move_to = minutes(from, until);
            let present = minutes(600, 720);
            let before = Minutes::new(before);
            let slots = (&present, &move_to);
            let elsewhere = change_locked(slots, true, before, now).is_some();
            let is_locked = change_locked(slots, false, before, now).is_some();
            assert!(elsewhere || !is_locked);
            is_locked
        };
        for (now, wanted, is_locked) in [
            (at(540, 0), (660, 780), false), // an hour is left
            (at(540, 1), (660, 780), true),
            (at(540, 1), (600, 780), false), // extended
            (at(540, 1), (600, 720), false),
            (at(540, 1), (600, 715), true), // shortened by five minutes
            (at(540, 1), (570, 780), true), // begun earlier
        ] {
            assert_eq!(locks(60, wanted, now), is_locked, "{wanted:?} at {now}");
            assert!(!locks(0, wanted, now));
        }
    }

    #[test]
    fn every_action_has_its_time() {
        use BookingState::{Confirmed, InProgress, Requested};
        let thursday = 4 * 1440;
        for (state, action, side, first, last) in [
            (
                Requested,
                BookingAction::Approve,
                Side::Host,
                None,
                Some(at(539, 59)),
            ),
            (
                Requested,
                BookingAction::Reject,
                Side::Host,
                None,
                Some(at(539, 59)),
            ),
            (
                Requested,
                BookingAction::Expire,
                Side::Host,
                Some(at(540, 0)),
                None,
            ),
            (
                Requested,
                BookingAction::Cancel,
                Side::User,
                None,
                Some(at(599, 59)),
            ),
            (
                Confirmed,
                BookingAction::Cancel,
                Side::User,
                None,
                Some(at(599, 59)),
            ),
            (
                Confirmed,
                BookingAction::Reschedule,
                Side::User,
                None,
                Some(at(599, 59)),
            ),
            (Confirmed, BookingAction::Cancel, Side::Host, None, None),
            (
                Confirmed,
                BookingAction::Start,
                Side::Host,
                Some(at(570, 0)),
                Some(at(719, 59)),
            ),
            (
                Confirmed,
                BookingAction::NoShow,
                Side::Host,
                Some(at(630, 0)),
                None,
            ),
            (
                Confirmed,
                BookingAction::Lapse,
                Side::Host,
                Some(at(thursday, 0)),
                None,
            ),
            (InProgress, BookingAction::Finish, Side::Host, None, None),
            (InProgress, BookingAction::Finish, Side::User, None, None),
            (
                Confirmed,
                BookingAction::Finish,
                Side::User,
                Some(at(600, 0)),
                None,
            ),
            (
                InProgress,
                BookingAction::Close,
                Side::Host,
                Some(at(1440, 0)),
                None,
            ),
        ] {
            let timing = timing(state);
            let possible = |now| timing.permit(action, side, now).is_ok();
            let context = format!("{action} of {state} by {side:?}");
            match first {
                Some(first) => assert!(
                    possible(first) && !possible(first.plus_seconds(-1)),
                    "{context}"
                ),
                None => assert!(possible(at(-500_000, 0)), "{context}"),
            }
            match last {
                Some(last) => assert!(
                    possible(last) && !possible(last.plus_seconds(1)),
                    "{context}"
                ),
                None => assert!(possible(at(500_000, 0)), "{context}"),
            }
        }
    }

    #[test]
    fn an_untimely_action_names_its_time_and_what_is_left() {
        let refusal = timing(BookingState::Confirmed)
            .permit(BookingAction::NoShow, Side::Host, at(610, 0))
            .unwrap_err();
        assert_eq!(refusal.when, Some(When::From(at(630, 0))));
        assert_eq!(
            refusal.allowed,
            [
                BookingAction::Cancel,
                BookingAction::Reschedule,
                BookingAction::Start,
                BookingAction::Finish
            ]
        );
        let started = timing(BookingState::Confirmed);
        assert_eq!(
            started.allowed(Side::User, at(600, 0)),
            [BookingAction::Start, BookingAction::Finish]
        );
    }

    #[test]
    fn a_request_expires_when_due_or_at_its_start() {
        let mut request = timing(BookingState::Requested);
        assert_eq!(request.expires_at(), at(540, 0));
        request.approval_due_at = Some(at(601, 0));
        assert_eq!(request.expires_at(), at(600, 0));
        request.approval_due_at = None;
        assert_eq!(request.expires_at(), at(600, 0));
    }

    #[test]
    fn giving_up_is_late_when_less_than_the_window_is_left() {
        let confirmed = timing(BookingState::Confirmed);
        let edge = at(600 - 1440, 0);
        for (now, late) in [
            (edge.plus(Minutes::new(-1)), false),
            (edge, false),
            (edge.plus_seconds(1), true),
            (edge.plus(Minutes::new(1)), true),
        ] {
            assert_eq!(confirmed.is_late(now), late, "{now}");
            assert!(!timing(BookingState::Requested).is_late(now));
        }
    }

    #[test]
    fn a_late_move_is_no_escape_from_a_late_cancellation() {
        let confirmed = timing(BookingState::Confirmed);
        let (edge, user) = (confirmed.late_from(), Side::User);
        assert_eq!(edge, at(600 - 1440, 0));
        assert_eq!(confirmed.late_from_kept(user, edge), None);
        let late = edge.plus_seconds(1);
        assert_eq!(confirmed.late_from_kept(user, late), Some(edge));
        assert_eq!(confirmed.late_from_kept(Side::Host, late), None);
        for state in [BookingState::Confirmed, BookingState::Requested] {
            let moved = Timing {
                slot: minutes(600 + 14_400, 720 + 14_400),
                kept_late_from: Some(edge),
                ..timing(state)
            };
            assert!(moved.is_late(late), "{state}");
            assert_eq!(moved.late_from_kept(user, late), Some(edge));
        }
    }

    #[test]
    fn a_users_move_needs_the_approval_of_a_new_booking() {
        use BookingState::{Confirmed, Requested};
        for (state, side, approval, after) in [
            (Confirmed, Side::Host, Approval::Manual, Confirmed),
            (Requested, Side::Host, Approval::Automatic, Requested),
            (Confirmed, Side::User, Approval::Manual, Requested),
            (Confirmed, Side::User, Approval::Automatic, Confirmed),
            (Requested, Side::User, Approval::Manual, Requested),
        ] {
            assert_eq!(timing(state).after_reschedule(side, approval), after);
        }
    }

    #[test]
    fn a_booking_before_a_holiday_lapses_after_it() {
        let day_before = "2025-09-30T09:00:00+08:00".parse().unwrap();
        let slot = Slot::new(day_before, day_before.plus(Minutes::new(60))).unwrap();
        assert_eq!(
            lapses_at(&slot, &china()).to_string(),
            "2025-10-12T00:00:00+08:00"
        );
    }
}
