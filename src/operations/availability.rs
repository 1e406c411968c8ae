//! When an instrument can be had: free, busy without who, closed with the reason.

use std::sync::Arc;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::availability::Timetable;
use crate::domain::booking::{BookingMode, BookingRefusal, InstrumentFacts};
use crate::domain::booking_rules::Tally;
use crate::domain::closure::Closure;
use crate::domain::{InstrumentId, Minutes, OrganizationId, Slot};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::booking::{self, Asker, Except};
use crate::operations::booking_rules::TermsContext;
use crate::operations::run::admit;
use crate::operations::subject::load;
use crate::store::terms::Terms;
use crate::store::{self, Conn};

/// The longest time that is asked about at once: 92 days.
pub const WINDOW_MAX: Minutes = Minutes::new(92 * 24 * 60);

/// A time of an instrument, by what it is.
#[derive(Debug, Clone)]
pub struct Availability {
    /// Where every slot that keeps grid and lengths can be booked, as far as no quota refuses its length; nothing for a unit that
    /// it is not shared with.
    pub free: Vec<Slot>,
    /// Every channel is taken.
    pub busy: Vec<Slot>,
    /// Closures, cut to the time asked about.
    pub closed: Vec<(Slot, Closure)>,
    /// What stands in the way of who is signed in, whatever the time within the one asked about.
    pub restrictions: Vec<Fault>,
}

/// What is asked of an instrument.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub window: Slot,
    /// None: in whichever mode.
    pub mode: Option<BookingMode>,
}

/// 404 when the actor may not see the instrument, 422 for a time of more than 92 days.
pub async fn get(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    asked: Result<Asked, AppError>,
) -> Result<Availability, AppError> {
    let asked = match asked {
        Ok(asked) => asked,
        Err(fault) => {
            admit::<TermsContext>(app, actor, Action::AvailabilityGet, id).await?;
            return Err(fault);
        }
    };
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let context = load::<TermsContext>(conn, &actor, Action::AvailabilityGet, id)?;
            let window = asked.window;
            if window.ends_at() > window.starts_at().plus(WINDOW_MAX) {
                let fault = Fault::field("until", Code::interval_too_long);
                let fault = fault.limit(WINDOW_MAX.number());
                return Err(AppError::Refused(vec![
                    fault.actual(window.minutes().number()),
                ]));
            }
            find(conn, &actor, &context.terms, asked)
        })
        .await
}

/// Judged for who is signed in, by the rules of their class and what they have already.
fn find(
    conn: &mut Conn,
    actor: &Actor,
    terms: &Arc<Terms>,
    Asked { window, mode }: Asked,
) -> Result<Availability, AppError> {
    let (now, caller) = (actor.now, actor.caller().ok());
    let unit = caller.map(|caller| caller.organization_id);
    let terms = booking::terms_for(conn, terms, unit, now)?;
    let blocked = booking::blocked_in(conn, &terms, &window, now)?;
    let closures = store::closure::list_rules(conn, terms.instrument_id, &window)?;
    let calendar = store::calendar::get(conn)?;
    let made = match caller.map(Asker::of) {
        Some(asker) => {
            let asked = (mode, &asker, Except::default());
            booking::made(conn, &terms, asked, &window, now)?
        }
        None => Vec::new(),
    };
    let tally = match caller {
        Some(_) => terms.rules.tally(mode, &made, now),
        None => Tally::default(),
    };
    let timetable = Timetable {
        rules: &terms.rules,
        tally: &tally,
        calendar: &calendar,
        closures: &closures,
        blocked: &blocked,
        channels: terms.channels,
        now,
    };
    let refused = offer_refused(&terms, unit, mode);
    let free = match refused.is_empty() {
        true => timetable.free_spans(&window).into_vec(),
        false => Vec::new(),
    };
    let shortest = terms.rules.min_minutes;
    let bookable = timetable.bookable(&window);
    let exhausted = bookable.map_or(Vec::new(), |time| tally.exhausted(&time, shortest));
    let told = refused.into_iter().chain(exhausted);
    let restrictions = told.filter(|_| caller.is_some()).map(Fault::from);
    let closed = closures
        .iter()
        .filter_map(|closure| Some((closure.time.within(&window)?, closure.clone())));
    Ok(Availability {
        free,
        busy: timetable.busy_spans(&window).into_vec(),
        closed: closed.collect(),
        restrictions: restrictions.collect(),
    })
}

/// What refuses every time alike; where no mode is asked about, in a mode that is offered.
fn offer_refused(
    terms: &Terms,
    unit: Option<OrganizationId>,
    mode: Option<BookingMode>,
) -> Vec<BookingRefusal> {
    let facts = InstrumentFacts {
        is_bookable: terms.is_bookable(),
        is_shared_with_caller: booking::is_shared_with(terms, unit),
    };
    let mode = mode.or(terms.rules.modes.first().copied());
    mode.map_or(Vec::new(), |mode| terms.rules.check_offer(mode, facts))
}
