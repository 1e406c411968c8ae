//! Calendars to subscribe to: of an instrument, busy and closed without who; and by a person's token, whose roles count as they are
//! when it is read.

use crate::app::App;
use crate::domain::access::{self, Action, Caller, Reach};
use crate::domain::calendar_feed::{About, Event, EventStatus, FeedKind, KEPT, is_shown};
use crate::domain::{Instant, InstrumentId, Minutes, Slot};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::booking_rules::TermsContext;
use crate::operations::session;
use crate::operations::subject::load;
use crate::store::booking::{Booking, feed};
use crate::store::{self, Conn};

// What calendars are written of.
pub use crate::domain::calendar_feed::Feed;

/// So many bookings a calendar shows at most, the last ones.
const EVENTS_MAX: i64 = 5_000;

/// The minutes of a day.
const DAY: i64 = 24 * 60;

/// The calendar of an instrument; 404 when the actor may not see it.
pub async fn of_instrument(app: &App, actor: &Actor, id: InstrumentId) -> Result<Feed, AppError> {
    let (actor, now) = (actor.clone(), actor.now);
    app.store
        .read(move |conn| {
            let context = load::<TermsContext>(conn, &actor, Action::InstrumentCalendarGet, id)?;
            let since = now.plus(Minutes::new(-KEPT.number()));
            let mut events = Vec::new();
            for row in feed::list_of_instrument(conn, id, since)? {
                let about = About::Busy(row.id);
                events.push(event(&row, about)?);
            }
            events.extend(closures(conn, &context, (since, now))?);
            events.retain(|event| is_shown(event, now));
            events.sort_by_key(|event| (event.slot.starts_at(), event.about.uid()));
            Ok(Feed {
                name: store::instrument::get(conn, id)?.facts.name,
                events,
            })
        })
        .await
}

fn event(row: &Booking, about: About) -> Result<Event, AppError> {
    Ok(Event {
        about,
        slot: row.slot()?,
        status: EventStatus::of(row.state),
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// An instrument's closures that are not over. The end of one without an end is as far away as anybody may book, and moves with
/// each day, and so does the number of the event.
fn closures(
    conn: &mut Conn,
    context: &TermsContext,
    (since, now): (Instant, Instant),
) -> Result<Vec<Event>, AppError> {
    let terms = &context.terms;
    let today = Instant::at_midnight(now.local_date());
    let ahead = i64::from(terms.rules.horizon_days) * DAY;
    let far = today.plus(Minutes::new(ahead));
    let mut events = Vec::new();
    for row in store::closure::list_since(conn, terms.instrument_id, since)? {
        let is_open = row.ends_at.is_none() && row.withdrawn_at.is_none();
        let Ok(slot) = Slot::new(row.starts_at, row.ends_at.unwrap_or(far)) else {
            continue;
        };
        let updated_at = match is_open {
            true => row.updated_at.max(today),
            false => row.updated_at,
        };
        let days = updated_at.local_date() - row.created_at.local_date();
        events.push(Event {
            slot,
            status: match row.withdrawn_at {
                Some(_) => EventStatus::Cancelled,
                None => EventStatus::Confirmed,
            },
            version: row.version + days.num_days(),
            created_at: row.created_at,
            updated_at,
            about: About::Closed {
                id: row.id,
                kind: row.kind,
                reason: row.public_reason,
            },
        });
    }
    Ok(events)
}

/// The calendar of a token, by its hash; 404 when it was ended, or its person may not sign in any more.
pub async fn of_token(app: &App, hash: String, now: Instant) -> Result<Feed, AppError> {
    let find = move |conn: &mut Conn| {
        let token = store::calendar_token::find_by_hash(conn, &hash)?;
        let token = token.ok_or(AppError::NotFound)?;
        let login = store::user::get(conn, token.user_id)?.login;
        Ok::<_, AppError>((token, login))
    };
    let (token, login) = app.store.read(find).await?;
    let caller = session::caller_of_login(app, &login).await;
    let caller = caller.map_err(|error| match error {
        AppError::Denied(_) | AppError::Unauthenticated(_) => AppError::NotFound,
        other => other,
    })?;
    let since = now.plus(Minutes::new(-KEPT.number()));
    let read = move |conn: &mut Conn| {
        let reach = reach(&caller, token.kind);
        let own = (token.kind == FeedKind::Own).then_some(caller.user_id);
        let is_shown_to = |row: &Booking| {
            own.is_none_or(|user| row.booked_by == user || row.operator() == Some(user))
        };
        let mut rows = feed::list_within(conn, (&reach, own), since, EVENTS_MAX)?;
        rows.retain(|(row, ..)| is_shown_to(row));
        let mut events = Vec::new();
        for (row, instrument, location) in rows {
            let about = About::Booking {
                id: row.id,
                booking_no: row.booking_no.clone(),
                instrument,
                location,
            };
            events.push(event(&row, about)?);
        }
        events.retain(|event| is_shown(event, now));
        events.reverse();
        Ok::<_, AppError>(Feed {
            name: token.name,
            events,
        })
    };
    app.store.read(read).await
}

/// What the person reads of bookings now, of the kind alone.
fn reach(caller: &Caller, kind: FeedKind) -> Reach {
    if access::may(caller, Action::BookingList).is_err() {
        return Reach::default();
    }
    let Reach {
        host,
        managed,
        unit,
        ..
    } = Reach::of(caller, Action::BookingList);
    match kind {
        FeedKind::Own => Reach {
            unit: Some(caller.organization_id),
            ..Reach::default()
        },
        FeedKind::Unit => Reach {
            unit,
            ..Reach::default()
        },
        FeedKind::Desk => Reach {
            host,
            managed,
            ..Reach::default()
        },
    }
}
