//! Whether a slot can be had, and winning it: the rules of its instrument, a price and a channel. What is overdue there expires,
//! others move to another channel, and the database judges; who loses learns what is in the way and what is free next.

use std::future::Future;

use serde_json::json;

use super::counts::{self, Asker, Except};
use super::timed;
use super::trail;
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::availability::Timetable;
use crate::domain::booking::{
    BookingAction, BookingMode, BookingState, CLOSED_AFTER, InstrumentFacts, Question, Stage,
    expires_at,
};
use crate::domain::booking_rules::{LONGEST, Tally};
use crate::domain::calendar::Calendar;
use crate::domain::channel::{self, Assignment, Fixed, Full, Movable};
use crate::domain::exemption::ShareMode;
use crate::domain::service::ServiceItem;
use crate::domain::tariff::Quote;
use crate::domain::{BookingId, Instant, InstrumentId, Minutes, OrganizationId, Slot, TypedKey};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::Outcome;
use crate::operations::tariff::{self, Wanted};
use crate::store::booking::Blocking;
use crate::store::terms::{Basis, Terms};
use crate::store::{self, Conn, Constraint, StoreError};

/// A slot that is asked for, and what for.
#[derive(Debug, Clone)]
pub(super) struct WantedSlot {
    pub slot: Slot,
    pub mode: BookingMode,
    /// The person of the booking, and the using unit.
    pub asker: Asker,
    pub stage: Stage,
    /// The booking that is to be rescheduled: it does not stand in its own way.
    pub without: Option<BookingId>,
    pub now: Instant,
}

impl WantedSlot {
    /// The bookings of who asks that do not count.
    pub fn except(&self) -> Except {
        Except {
            id: self.without,
            is_only_earlier: self.stage == Stage::Approval,
        }
    }
}

/// What the instrument's rules say to a wanted slot.
pub(super) fn broken_rules(
    conn: &mut Conn,
    terms: &Terms,
    calendar: &Calendar,
    wanted: &WantedSlot,
) -> Result<Vec<Fault>, AppError> {
    let made = counts::made_for(conn, terms, wanted, &wanted.slot)?;
    let tally = terms.rules.tally(Some(wanted.mode), &made, wanted.now);
    let question = Question {
        slot: wanted.slot,
        mode: wanted.mode,
        now: wanted.now,
        stage: wanted.stage,
    };
    let offered = (offer(terms, wanted), &tally);
    let refusals = terms
        .rules
        .check(&question, calendar, &terms.closures, offered);
    Ok(refusals.into_iter().map(Fault::from).collect())
}

fn offer(terms: &Terms, wanted: &WantedSlot) -> InstrumentFacts {
    InstrumentFacts {
        is_bookable: terms.is_bookable(),
        is_shared_with_caller: is_shared_with(terms, Some(wanted.asker.unit)),
    }
}

/// Whether the instrument is offered to a unit; none is whoever is not signed in.
pub(in crate::operations) fn is_shared_with(terms: &Terms, unit: Option<OrganizationId>) -> bool {
    let own = unit == Some(terms.host_organization_id);
    own || terms.share_mode == Some(ShareMode::External)
}

/// Whether the instrument is offered to who asks, in this mode, whatever the time.
pub(super) fn is_offered(terms: &Terms, wanted: &WantedSlot) -> bool {
    let refusals = terms.rules.check_offer(wanted.mode, offer(terms, wanted));
    refusals.is_empty()
}

/// The price of a wanted slot with what it wants from the price list, frozen as told today; none when nothing of it has a price.
pub(super) fn price(
    basis: &Basis,
    wanted: &WantedSlot,
    services: &[ServiceItem],
) -> Result<Option<Quote>, AppError> {
    let terms = &basis.terms;

    let priced = Wanted {
        instrument: terms.instrument_id,
        host: terms.host_organization_id,
        unit: wanted.asker.unit,
        mode: wanted.mode,
        on: wanted.slot.starts_at().local_date(),
        minutes: wanted.slot.minutes(),
        services,
    };
    let unit = (basis.unit_kind, basis.unit_sme_days.holds_on(priced.on));
    Ok(tariff::price_by(&terms.tariffs, &terms.services, unit, &priced)?.1)
}

/// Whether a request or hold has waited too long: it blocks nobody any more, whether or not it has been swept.
pub(super) fn is_overdue(taken: &Blocking, now: Instant) -> bool {
    let waits = taken.state.after(BookingAction::Expire).is_ok();
    waits && expires_at(&taken.slot, taken.approval_due_at) <= now
}

/// Who stands in the way of a wanted slot within `window`: neither the booking itself nor what is overdue.
pub(super) fn in_the_way(
    conn: &mut Conn,
    terms: &Terms,
    wanted: &WantedSlot,
    window: &Slot,
) -> Result<Vec<Blocking>, AppError> {
    let without = wanted.without;
    let (claims, _) = blocking(conn, terms, (window, without), wanted.now)?;
    Ok(claims)
}

/// Who blocks the instrument within `window`, and apart from them those who have waited too long.
///
/// A use that runs beyond its end is nobody's guard any more, yet the instrument is not free: it blocks until the next moment
/// of the grid and the clean-up after it, but never the time of the next booking on its channel.
fn blocking(
    conn: &mut Conn,
    terms: &Terms,
    (window, without): (&Slot, Option<BookingId>),
    now: Instant,
) -> Result<(Vec<Blocking>, Vec<Blocking>), AppError> {
    let next = terms.rules.aligned_from(now.plus_seconds(1));
    let until = next.plus(terms.rules.cleanup_minutes);
    let back = Minutes::new(-CLOSED_AFTER.number());
    let reach = match window.starts_at() < until && now < window.ends_at() {
        true => Slot::new(now.plus(back).min(window.starts_at()), window.ends_at()),
        false => Ok(*window),
    };
    let reach = reach.map_err(AppError::internal)?;
    let mut taken = store::booking::list_blocking(conn, terms.instrument_id, &reach)?;
    taken.retain(|taken| Some(taken.id) != without);
    let (overdue, mut taken): (Vec<_>, Vec<_>) =
        taken.into_iter().partition(|taken| is_overdue(taken, now));
    let starts: Vec<(i64, Instant)> = taken
        .iter()
        .map(|taken| (taken.channel, taken.blocked.starts_at()))
        .collect();
    for overrun in taken.iter_mut().filter(|taken| is_overrun(taken, now)) {
        let ends_at = overrun.blocked.ends_at();
        let follows =
            |(channel, at): &&(i64, Instant)| *channel == overrun.channel && *at >= ends_at;
        let following = starts.iter().filter(follows).map(|(_, at)| *at).min();
        let until = following.map_or(until, |at| at.min(until)).max(ends_at);
        overrun.blocked =
            Slot::new(overrun.blocked.starts_at(), until).map_err(AppError::internal)?;
    }
    taken.retain(|taken| taken.blocked.overlaps(window));
    Ok((taken, overdue))
}

/// Whether a use runs beyond its end; after a while it is as good as closed.
fn is_overrun(taken: &Blocking, now: Instant) -> bool {
    let end = taken.slot.ends_at();
    taken.state == BookingState::InProgress && end <= now && now < end.plus(CLOSED_AFTER)
}

/// The channel a wanted slot can have among those in its way, looking further only when others would have to move.
pub(super) fn find_channel(
    conn: &mut Conn,
    terms: &Terms,
    wanted: &WantedSlot,
    near: &[Blocking],
) -> Result<Result<Assignment, Full>, AppError> {
    let blocked = terms.rules.blocked(&wanted.slot);
    let first = assign(terms, near, blocked, wanted.now);
    let is_certain = match &first {
        Ok(assignment) => assignment.moves.is_empty(),
        Err(_) => terms.channels == 1,
    };
    if is_certain {
        return Ok(first);
    }
    let Some(upcoming) = upcoming(terms, wanted) else {
        return Ok(first);
    };
    let everybody = in_the_way(conn, terms, wanted, &upcoming)?;
    Ok(assign(terms, &everybody, blocked, wanted.now))
}

/// The time in which bookings may have to move for a wanted slot.
pub(super) fn upcoming(terms: &Terms, wanted: &WantedSlot) -> Option<Slot> {
    let from = wanted
        .now
        .min(terms.rules.blocked(&wanted.slot).starts_at());
    let last = terms.rules.latest_start(wanted.now);
    Slot::new(from, last.plus(crate::domain::booking_rules::LONGEST)).ok()
}

fn assign(
    terms: &Terms,
    taken: &[Blocking],
    blocked: Slot,
    now: Instant,
) -> Result<Assignment, Full> {
    // Those that have begun stay, and those on a channel that is no longer offered: it stands for them alone.
    let is_fixed = |taken: &&Blocking| {
        let ends = matches!(
            taken.state,
            BookingState::InProgress | BookingState::Completed
        );
        ends || taken.blocked.starts_at() <= now || taken.channel > terms.channels
    };
    let fixed: Vec<Fixed> = taken
        .iter()
        .filter(is_fixed)
        .map(|taken| Fixed {
            blocked: taken.blocked,
            channel: taken.channel,
        })
        .collect();
    let movable: Vec<Movable> = taken
        .iter()
        .filter(|taken| !is_fixed(taken))
        .map(|taken| Movable {
            id: taken.id,
            blocked: taken.blocked,
            channel: taken.channel,
        })
        .collect();
    channel::assign(terms.channels, &fixed, &movable, blocked)
}

/// Every channel is taken: an entry among the broken rules.
pub(super) fn taken(full: &Full) -> Fault {
    Fault::rule(Code::slot_taken).actual(full.clash)
}

/// What blocks an instrument within `window`, widened by its set-up and clean-up, whoever has it.
pub(in crate::operations) fn blocked_in(
    conn: &mut Conn,
    terms: &Terms,
    window: &Slot,
    now: Instant,
) -> Result<Vec<Slot>, AppError> {
    let window = terms.rules.blocked(window);
    let (taken, _) = blocking(conn, terms, (&window, None), now)?;
    Ok(taken.iter().map(|taken| taken.blocked).collect())
}

/// The channel for a wanted slot. Requests that waited too long expire first: those in its way, and when others have to move, all
/// they could meet.
pub(super) fn seek(
    tx: &mut Conn,
    terms: &Terms,
    wanted: &WantedSlot,
) -> Result<Result<Assignment, Full>, AppError> {
    let blocked = terms.rules.blocked(&wanted.slot);
    let near = expire_within(tx, terms, wanted, &blocked)?;
    let found = find_channel(tx, terms, wanted, &near)?;
    let has_moves = |assignment: &Assignment| !assignment.moves.is_empty();
    if found.as_ref().is_ok_and(has_moves)
        && let Some(upcoming) = upcoming(terms, wanted)
    {
        expire_within(tx, terms, wanted, &upcoming)?;
    }
    Ok(found)
}

/// Expires what is overdue within `window`; answers what stays in the way there.
fn expire_within(
    tx: &mut Conn,
    terms: &Terms,
    wanted: &WantedSlot,
    window: &Slot,
) -> Result<Vec<Blocking>, AppError> {
    let (taken, overdue) = blocking(tx, terms, (window, wanted.without), wanted.now)?;
    for overdue in overdue
        .iter()
        .filter(|overdue| overdue.blocked.overlaps(window))
    {
        let booking = store::booking::get(tx, overdue.id)?;
        timed::expire(tx, &booking, wanted.now)?;
    }
    Ok(taken)
}

/// Moves others to the channels the assignment gives them. Their users learn that, not for whom.
pub(super) fn make_room(
    tx: &mut Conn,
    without: Option<BookingId>,
    moves: &[(BookingId, i64)],
    now: Instant,
) -> Result<(), AppError> {
    if moves.is_empty() {
        return Ok(());
    }
    let mut movers = Vec::with_capacity(moves.len());
    for (id, channel) in moves {
        movers.push((store::booking::get(tx, *id)?, *channel));
    }
    for id in moves.iter().map(|(id, _)| *id).chain(without) {
        store::booking::update_channel_away(tx, id)?;
    }
    for (before, channel) in movers {
        let mut next = before.changes();
        next.channel = channel;
        let moved = store::booking::update(tx, &before, next, now).map_err(lost)?;
        let by = &Actor::system(now);
        trail::record(tx, by, Action::BookingMove, Some(&before), &moved)?;
    }
    Ok(())
}

/// What the database's judgement means.
pub(super) fn lost(error: StoreError) -> AppError {
    match error {
        StoreError::Violated(Constraint::BookingOverlap) => AppError::conflict(Code::slot_taken),
        StoreError::Violated(Constraint::BookingClientReference) => {
            AppError::conflict(Code::client_reference_used)
        }
        // Two numbers of one day were the same: the action may draw another.
        StoreError::Violated(Constraint::BookingNo) => AppError::Contended,
        other => other.into(),
    }
}

/// How many free slots a refusal names.
const NEXT_FREE: usize = 3;

/// What an action on a slot wants, to explain a clash.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub instrument_id: InstrumentId,
    pub wanted: WantedSlot,
    pub client_reference: Option<TypedKey>,
}

/// Runs an action that wins a slot; when it lost, what is in the way and what is free next are read afterwards, away from the
/// lost transaction. If nothing is in the way any more, it runs once again. 409 `slot_taken` with `clash` and `next_free`,
/// 409 `client_reference_used` with `existing_id`.
pub(super) async fn book_or_explain<T, F>(
    app: &App,
    attempt: impl Fn(&mut Conn) -> Result<Attempt, AppError> + Send + 'static,
    book: impl Fn() -> F,
) -> Outcome<T>
where
    F: Future<Output = Outcome<T>>,
{
    let refusal = match book().await {
        Err(refusal) if is(&refusal, Code::slot_taken) => refusal,
        Err(refusal) if is(&refusal, Code::client_reference_used) => refusal,
        outcome => return outcome,
    };
    let attempt = app.store.read(attempt).await?;
    if is(&refusal, Code::client_reference_used) {
        return Err(existing(app, &attempt).await?);
    }
    let (clash, _) = look(app, &attempt).await?;
    if clash.is_some() {
        return Err(explain(app, &attempt).await?);
    }
    match book().await {
        Err(refusal) if is(&refusal, Code::slot_taken) => Err(explain(app, &attempt).await?),
        outcome => outcome,
    }
}

fn is(error: &AppError, code: Code) -> bool {
    matches!(error, AppError::Conflict(conflict) if conflict.code == code)
}

async fn explain(app: &App, attempt: &Attempt) -> Result<AppError, AppError> {
    let (clash, next_free) = look(app, attempt).await?;
    let refusal = AppError::conflict(Code::slot_taken).with("next_free", json!(next_free));
    Ok(match clash {
        Some(full) => refusal.with("clash", json!(full.clash)),
        None => refusal,
    })
}

async fn existing(app: &App, attempt: &Attempt) -> Result<AppError, AppError> {
    let unit: OrganizationId = attempt.wanted.asker.unit;
    let reference = attempt.client_reference.clone().unwrap_or_default();
    let found = app
        .store
        .read(move |conn| store::booking::find_by_reference(conn, unit, &reference))
        .await;
    let refusal = AppError::conflict(Code::client_reference_used);
    Ok(match found.map_err(AppError::from)? {
        Some(id) => refusal.with("existing_id", i64::from(id)),
        None => refusal,
    })
}

async fn look(app: &App, attempt: &Attempt) -> Result<(Option<Full>, Vec<Slot>), AppError> {
    let (instrument, wanted) = (attempt.instrument_id, attempt.wanted.clone());
    app.store
        .read(move |conn| {
            let (terms, calendar) = (
                store::terms::get(conn, instrument)?,
                store::calendar::get(conn)?,
            );
            let terms = counts::terms_for(conn, &terms, Some(wanted.asker.unit), wanted.now)?;
            let near = in_the_way(conn, &terms, &wanted, &terms.rules.blocked(&wanted.slot))?;
            let clash = find_channel(conn, &terms, &wanted, &near)?.err();
            Ok::<_, AppError>((clash, next_free(conn, &terms, &calendar, &wanted)?))
        })
        .await
}

/// The next slots of the shortest booking, whoever books, under all rules of time.
pub(in crate::operations) fn next_free_of(
    conn: &mut Conn,
    terms: &Terms,
    calendar: &Calendar,
    now: Instant,
) -> Result<Vec<Slot>, AppError> {
    let until = terms.rules.latest_start(now).plus(LONGEST);
    let Ok(ahead) = Slot::new(now, until) else {
        return Ok(Vec::new());
    };
    let blocked = blocked_in(conn, terms, &ahead, now)?;
    let timetable = Timetable {
        rules: &terms.rules,
        tally: &Tally::default(),
        calendar,
        closures: &terms.closures,
        blocked: &blocked,
        channels: terms.channels,
        now,
    };
    Ok(timetable.next_free(terms.rules.min_minutes, now, NEXT_FREE))
}

/// The next slots of the same length, from the wanted start on, under all rules.
pub(super) fn next_free(
    conn: &mut Conn,
    terms: &Terms,
    calendar: &Calendar,
    wanted: &WantedSlot,
) -> Result<Vec<Slot>, AppError> {
    let from = wanted.now.max(wanted.slot.starts_at());
    let until = terms.rules.latest_start(wanted.now).plus(LONGEST);
    let Ok(ahead) = Slot::new(from, until) else {
        return Ok(Vec::new());
    };
    let blocked: Vec<Slot> = in_the_way(conn, terms, wanted, &terms.rules.blocked(&ahead))?
        .iter()
        .map(|taken| taken.blocked)
        .collect();
    let made = counts::made_for(conn, terms, wanted, &ahead)?;
    let timetable = Timetable {
        rules: &terms.rules,
        tally: &terms.rules.tally(Some(wanted.mode), &made, wanted.now),
        calendar,
        closures: &terms.closures,
        blocked: &blocked,
        channels: terms.channels,
        now: wanted.now,
    };
    Ok(timetable.next_free(wanted.slot.minutes(), from, NEXT_FREE))
}
