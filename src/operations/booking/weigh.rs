//! Whether a slot can be had: the rules of its instrument, a price and a channel, from one reading of the database. Nothing
//! is written here; the database judges what is written later.

use crate::domain::booking::BookingState;
use crate::domain::booking::{
    BookingAction, BookingMode, BookingRefusal, InstrumentFacts, Measure, Question, Stage,
    expires_at,
};
use crate::domain::calendar::Calendar;
use crate::domain::channel::{self, Assignment, Fixed, Full, Movable};
use crate::domain::exemption::ShareMode;
use crate::domain::service::ServiceItem;
use crate::domain::tariff::Quote;
use crate::domain::{BookingId, Instant, OrganizationId, Slot};
use crate::error::{AppError, Code, Fault};
use crate::operations::tariff::{self, Wanted};
use crate::store::booking::Blocking;
use crate::store::booking_rules::Terms;
use crate::store::{self, Conn};

/// A slot somebody wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub slot: Slot,
    pub mode: BookingMode,
    /// The using unit.
    pub organization_id: OrganizationId,
    pub stage: Stage,
    /// The booking that is to be rescheduled: it does not stand in its own way.
    pub without: Option<BookingId>,
    pub now: Instant,
}

/// What the instrument's rules say to a wish.
pub(super) fn broken_rules(
    conn: &mut Conn,
    calendar: &Calendar,
    terms: &Terms,
    wish: &Wish,
) -> Result<Vec<Fault>, AppError> {
    let closures = store::closure::list_rules(conn, terms.instrument_id, &wish.slot)?;
    let question = Question {
        slot: wish.slot,
        mode: wish.mode,
        now: wish.now,
        stage: wish.stage,
    };
    let refusals = terms
        .rules
        .check(&question, calendar, &closures, offer(terms, wish));
    refusals.into_iter().map(fault).collect()
}

fn offer(terms: &Terms, wish: &Wish) -> InstrumentFacts {
    let own = terms.host_organization_id == wish.organization_id;
    InstrumentFacts {
        is_bookable: terms.is_bookable(),
        is_shared_with_caller: own || terms.share_mode == Some(ShareMode::External),
    }
}

/// Whether the instrument is offered to who wishes, in this mode, whatever the time.
pub(super) fn is_offered(terms: &Terms, wish: &Wish) -> bool {
    let refusals = terms.rules.check_offer(wish.mode, offer(terms, wish));
    refusals.is_empty()
}

/// A refusal as clients see it: its code is also the rule's name.
fn fault(refusal: BookingRefusal) -> Result<Fault, AppError> {
    let rule = refusal.code();
    let code = Code::find(rule).unwrap_or(Code::invalid_value);
    let value = |measure: Option<Measure>| measure.map(serde_json::to_value).transpose();
    let mut fault = Fault::rule(rule, code);
    fault.limit = value(refusal.limit())?;
    fault.actual = value(refusal.actual())?;
    Ok(fault)
}

/// The price of a wish with what it wants from the price list, frozen as told today; none when nothing of it has a price.
pub(super) fn price(
    conn: &mut Conn,
    terms: &Terms,
    wish: &Wish,
    services: &[ServiceItem],
) -> Result<Option<Quote>, AppError> {
    let wanted = Wanted {
        instrument: terms.instrument_id,
        host: terms.host_organization_id,
        unit: wish.organization_id,
        mode: wish.mode,
        on: wish.slot.starts_at().local_date(),
        minutes: wish.slot.minutes(),
        services,
    };
    Ok(tariff::price(conn, &wanted)?.1)
}

/// Whether a request or hold has waited too long: it blocks nobody any more, whether or not it has been swept.
pub(super) fn is_overdue(taken: &Blocking, now: Instant) -> bool {
    let waits = taken.state.after(BookingAction::Expire).is_ok();
    waits && expires_at(&taken.slot, taken.approval_due_at) <= now
}

/// Who stands in the way of a wish within `window`: neither the booking itself nor what is overdue.
pub(super) fn in_the_way(
    conn: &mut Conn,
    terms: &Terms,
    wish: &Wish,
    window: &Slot,
) -> Result<Vec<Blocking>, AppError> {
    let mut taken = store::booking::list_blocking(conn, terms.instrument_id, window)?;
    taken.retain(|taken| Some(taken.id) != wish.without && !is_overdue(taken, wish.now));
    Ok(taken)
}

/// The channel a wish can have among those in its way, looking further only when others would have to move.
pub(super) fn find_channel(
    conn: &mut Conn,
    terms: &Terms,
    wish: &Wish,
    near: &[Blocking],
) -> Result<Result<Assignment, Full>, AppError> {
    let blocked = terms.rules.blocked(&wish.slot);
    let first = assign(terms, near, blocked, wish.now);
    let is_certain = match &first {
        Ok(assignment) => assignment.moves.is_empty(),
        Err(_) => terms.channels == 1,
    };
    if is_certain {
        return Ok(first);
    }
    let Some(upcoming) = upcoming(terms, wish) else {
        return Ok(first);
    };
    let everybody = in_the_way(conn, terms, wish, &upcoming)?;
    Ok(assign(terms, &everybody, blocked, wish.now))
}

/// The time in which bookings may have to move for a wish.
pub(super) fn upcoming(terms: &Terms, wish: &Wish) -> Option<Slot> {
    let from = wish.now.min(terms.rules.blocked(&wish.slot).starts_at());
    let last = terms.rules.latest_start(wish.now);
    Slot::new(from, last.plus(crate::domain::booking_rules::LONGEST)).ok()
}

fn assign(
    terms: &Terms,
    taken: &[Blocking],
    blocked: Slot,
    now: Instant,
) -> Result<Assignment, Full> {
    let has_begun = |taken: &&Blocking| {
        let ends = matches!(
            taken.state,
            BookingState::InProgress | BookingState::Completed
        );
        ends || taken.blocked.starts_at() <= now
    };
    let fixed: Vec<Fixed> = taken
        .iter()
        .filter(has_begun)
        .map(|taken| Fixed {
            blocked: taken.blocked,
            channel: taken.channel,
        })
        .collect();
    let movable: Vec<Movable> = taken
        .iter()
        .filter(|taken| !has_begun(taken))
        .map(|taken| Movable {
            id: taken.id,
            blocked: taken.blocked,
            channel: taken.channel,
        })
        .collect();
    channel::assign(terms.channels, &fixed, &movable, blocked)
}

/// Every channel is taken: an entry among the broken rules.
pub(super) fn taken(full: &Full) -> Result<Fault, AppError> {
    let clash = serde_json::to_value(full.clash)?;
    Ok(Fault::rule("slot_taken", Code::slot_taken).actual(clash))
}

/// What blocks an instrument within `window`, widened by its set-up and clean-up, whoever has it.
pub(in crate::operations) fn blocked_in(
    conn: &mut Conn,
    terms: &Terms,
    window: &Slot,
    now: Instant,
) -> Result<Vec<Slot>, AppError> {
    let window = terms.rules.blocked(window);
    let mut taken = store::booking::list_blocking(conn, terms.instrument_id, &window)?;
    taken.retain(|taken| !is_overdue(taken, now));
    Ok(taken.iter().map(|taken| taken.blocked).collect())
}
