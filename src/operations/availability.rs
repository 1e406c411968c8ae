//! When an instrument can be had: free, busy without who, closed with the reason.

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::availability::Timetable;
use crate::domain::closure::Closure;
use crate::domain::{InstrumentId, Minutes, Slot};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::booking;
use crate::operations::booking_rules::TermsContext;
use crate::operations::run::admit;
use crate::operations::subject::load;
use crate::store;

/// The longest time that is asked about at once: 92 days.
pub const WINDOW_MAX: Minutes = Minutes::new(92 * 24 * 60);

/// A time of an instrument, by what it is.
#[derive(Debug, Clone)]
pub struct Availability {
    /// Where every slot that keeps grid and lengths can be booked; nothing for a unit that it is not shared with.
    pub free: Vec<Slot>,
    /// Every channel is taken.
    pub busy: Vec<Slot>,
    /// Closures, cut to the time asked about.
    pub closed: Vec<(Slot, Closure)>,
}

/// 404 when the actor may not see the instrument, 422 for a time of more than 92 days.
pub async fn get(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    window: Result<Slot, AppError>,
) -> Result<Availability, AppError> {
    let window = match window {
        Ok(window) => window,
        Err(fault) => {
            admit::<TermsContext>(app, actor, Action::AvailabilityGet, id).await?;
            return Err(fault);
        }
    };
    let (actor, now) = (actor.clone(), actor.now);
    app.store
        .read(move |conn| {
            let context = load::<TermsContext>(conn, &actor, Action::AvailabilityGet, id)?;
            let terms = context.terms;
            if window.ends_at() > window.starts_at().plus(WINDOW_MAX) {
                let fault = Fault::field("until", Code::interval_too_long);
                let fault = fault.limit(WINDOW_MAX.number());
                return Err(AppError::Refused(vec![
                    fault.actual(window.minutes().number()),
                ]));
            }
            let blocked = booking::blocked_in(conn, &terms, &window, now)?;
            let closures = store::closure::list_rules(conn, id, &window)?;
            let calendar = store::calendar::get(conn)?;
            let timetable = Timetable {
                rules: &terms.rules,
                calendar: &calendar,
                closures: &closures,
                blocked: &blocked,
                channels: terms.channels,
                now,
            };
            let unit = actor.caller().ok().map(|caller| caller.organization_id);
            let free = if terms.is_bookable() && booking::is_shared_with(&terms, unit) {
                timetable.free_spans(&window).into_vec()
            } else {
                Vec::new()
            };
            let busy = timetable.busy_spans(&window).into_vec();
            let closed = closures
                .iter()
                .filter_map(|closure| Some((closure.time.within(&window)?, closure.clone())));
            Ok(Availability {
                free,
                busy,
                closed: closed.collect(),
            })
        })
        .await
}
