//! What is decided about a booking in one step: approving, rejecting, cancelling, starting and declaring a no-show. Each says
//! what its body may not be and what becomes of the booking; rights, lock, version and state are asked in one frame.

use super::context::{BookingContext, BookingView};
use super::counts::{self, Asker};
use super::slot::{self, WantedSlot};
use super::trail;
use crate::domain::access::Action;
use crate::domain::booking::{BookingAction, RejectReason, Side, Stage};
use crate::domain::{BookingId, Instant, Reason, UserId};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::bulk::{Bulk, Verdicts};
use crate::operations::run::{Outcome, Run};
use crate::store::booking::Changes;
use crate::store::{self, Conn};

/// What a cancellation with less than `cancel_before_minutes` left is marked with.
const LATE: &str = "late";

/// Why a request is rejected.
#[derive(Debug, Clone)]
pub struct Rejection {
    pub reason_code: RejectReason,
    pub reason: Option<String>,
}

/// A booking under its lock, that the caller may decide about now.
struct Deciding<'a> {
    context: &'a BookingContext,
    /// For whom the caller does it.
    side: Side,
    by: UserId,
    now: Instant,
}

/// What is particular to one decision.
struct Decision<B> {
    action: BookingAction,
    /// What is wrong with the body whatever the state of the booking.
    check: fn(&Actor, &BookingContext, &B) -> Result<(), AppError>,
    /// What becomes of the booking besides its state.
    change: fn(&mut Conn, &Deciding<'_>, &B, &mut Changes) -> Result<(), AppError>,
}

async fn decide<B: Send + 'static>(
    run: &Run<BookingView>,
    id: BookingId,
    body: Result<B, AppError>,
    decision: Decision<B>,
) -> Outcome<BookingView> {
    let event = run.action;
    run.on(id, body, move |tx, actor, context, body| {
        decision.make(tx, (actor, event), context, body)
    })
    .await
}

impl<B> Decision<B> {
    fn make(
        &self,
        tx: &mut Conn,
        (actor, event): (&Actor, Action),
        mut context: BookingContext,
        body: &B,
    ) -> Result<BookingView, AppError> {
        (self.check)(actor, &context, body)?;
        let (caller, now) = (actor.caller()?, actor.now);
        let (side, state) = context.permit(caller, self.action, now)?;
        let mut next = context.booking.changes();
        next.state = state;
        if !state.blocks() {
            // What ends has none any more.
            next.problem = None;
        }
        let deciding = Deciding {
            context: &context,
            side,
            by: caller.user_id,
            now,
        };
        (self.change)(tx, &deciding, body, &mut next)?;
        let after = store::booking::update(tx, &context.booking, next, now)?;
        trail::record(tx, actor, event, Some(&context.booking), &after)?;
        context.booking = after;
        context.view(caller, now)
    }
}

/// Confirms a request: the rules are asked again, lead time apart; the slot is held already. 422 when a rule is broken
/// meanwhile.
pub async fn approve(
    run: &Run<BookingView>,
    id: BookingId,
    body: Result<(), AppError>,
) -> Outcome<BookingView> {
    decide(run, id, body, approval()).await
}

/// Confirms several requests, each as [`approve`] does.
pub async fn approve_all(
    run: &Run<Verdicts>,
    bulk: Result<Bulk<BookingId, ()>, AppError>,
) -> Outcome<Verdicts> {
    let instruments = |tx: &mut Conn, ids: &[BookingId]| {
        store::booking::list_instrument_ids(tx, ids).map_err(AppError::from)
    };
    let (single, decision) = (Action::BookingApprove, approval());
    run.each(bulk, single, instruments, move |tx, actor, context, ()| {
        decision.make(tx, (actor, single), context, &())
    })
    .await
}

fn approval() -> Decision<()> {
    Decision {
        action: BookingAction::Approve,
        check: |_, _, ()| Ok(()),
        change: |tx, deciding, (), next| {
            let booking = &deciding.context.booking;
            let wanted = WantedSlot {
                slot: booking.slot()?,
                mode: booking.mode,
                asker: Asker {
                    person: booking.person(),
                    unit: booking.organization_id,
                },
                stage: Stage::Approval,
                without: Some(booking.id),
                now: deciding.now,
            };
            let unit = Some(booking.organization_id);
            let terms = counts::terms_for(tx, &deciding.context.terms, unit, deciding.now)?;
            let calendar = &deciding.context.calendar;
            AppError::refuse_all(slot::broken_rules(tx, &terms, calendar, &wanted)?)?;
            next.answered_at = Some(deciding.now);
            Ok(())
        },
    }
}

/// Frees the slot of a request and tells the using unit why.
pub async fn reject(
    run: &Run<BookingView>,
    id: BookingId,
    body: Result<Rejection, AppError>,
) -> Outcome<BookingView> {
    let decision = Decision {
        action: BookingAction::Reject,
        check: |_, _, body: &Rejection| read(body.reason.as_deref(), false).map(|_| ()),
        change: |_, deciding, body: &Rejection, next| {
            next.answered_at = Some(deciding.now);
            next.reason_code = Some(body.reason_code.as_str().to_owned());
            next.details.reason = read(body.reason.as_deref(), false)?;
            Ok(())
        },
    };
    decide(run, id, body, decision).await
}

/// Frees the slot: the using unit until the start, the host as long as it has not begun. 422 `reason_required` when the host
/// gives no reason.
pub async fn cancel(
    run: &Run<BookingView>,
    id: BookingId,
    reason: Result<Option<String>, AppError>,
) -> Outcome<BookingView> {
    let decision = Decision {
        action: BookingAction::Cancel,
        check: |actor, context, reason: &Option<String>| {
            let is_only_host = context.is_only_host(actor.caller()?, BookingAction::Cancel);
            read(reason.as_deref(), is_only_host).map(|_| ())
        },
        change: |_, deciding, reason, next| {
            let said = read(reason.as_deref(), deciding.side == Side::Host)?;
            let timing = deciding.context.timing()?;
            let is_late = deciding.side == Side::User && timing.is_late(deciding.now);
            next.cancelled_by = Some(match deciding.side {
                Side::User => "user".to_owned(),
                Side::Host => "host".to_owned(),
            });
            next.reason_code = is_late.then(|| LATE.to_owned());
            next.details.reason = said;
            Ok(())
        },
    };
    decide(run, id, reason, decision).await
}

/// The reason as the booking keeps it.
fn read(sent: Option<&str>, is_due: bool) -> Result<Option<String>, AppError> {
    Ok(Reason::read(sent, is_due)?.map(String::from))
}

/// Starts the use, from set-up to the scheduled end. 409 `channel_in_use` while another booking is in progress on the channel.
pub async fn start(
    run: &Run<BookingView>,
    id: BookingId,
    body: Result<(), AppError>,
) -> Outcome<BookingView> {
    let decision = Decision {
        action: BookingAction::Start,
        check: |_, _, ()| Ok(()),
        change: |tx, deciding, (), next| {
            let booking = &deciding.context.booking;
            let (instrument, channel) = (booking.instrument_id, booking.channel);
            if store::booking::is_channel_in_use(tx, instrument, channel)? {
                return Err(AppError::conflict(Code::channel_in_use));
            }
            next.started_at = Some(deciding.now);
            next.details.started_by = Some(deciding.by);
            Ok(())
        },
    };
    decide(run, id, body, decision).await
}

/// Declares that nobody came, from `no_show_after_minutes` after the start: frees the rest of the slot.
pub async fn declare_no_show(
    run: &Run<BookingView>,
    id: BookingId,
    reason: Result<Option<String>, AppError>,
) -> Outcome<BookingView> {
    let decision = Decision {
        action: BookingAction::NoShow,
        check: |_, _, reason: &Option<String>| read(reason.as_deref(), false).map(|_| ()),
        change: |_, _, reason, next| {
            next.details.reason = read(reason.as_deref(), false)?;
            Ok(())
        },
    };
    decide(run, id, reason, decision).await
}
