//! A contest for a slot: the action runs; when it lost, what is in the way and what is free next are read afterwards, away from
//! the lost transaction. If nothing is in the way any more, the action runs once again.

use serde_json::json;

use super::case::BookingView;
use super::weigh::{self, Wish};
use crate::app::App;
use crate::domain::availability::Timetable;
use crate::domain::booking_rules::LONGEST;
use crate::domain::calendar::Calendar;
use crate::domain::channel::Full;
use crate::domain::{InstrumentId, OrganizationId, Slot};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::perform;
use crate::store::booking_rules::Terms;
use crate::store::{self, Conn};

/// How many free slots a refusal names.
const NEXT_FREE: usize = 3;

/// What is fought for.
#[derive(Debug, Clone)]
pub(super) struct Contest {
    pub instrument_id: InstrumentId,
    pub wish: Wish,
    pub client_reference: Option<String>,
}

/// Runs the action; 409 `slot_taken` with `clash` and `next_free`, 409 `client_reference_used` with `existing_id`.
pub(super) async fn contest<D>(
    app: &App,
    actor: &Actor,
    contest: Contest,
    action: D,
) -> Result<BookingView, AppError>
where
    D: Fn(&mut Conn) -> Result<BookingView, AppError> + Clone + Send + 'static,
{
    match perform(app, actor, action.clone()).await {
        Err(refusal) if is(&refusal, Code::slot_taken) => {
            let (clash, _) = look(app, &contest).await?;
            if clash.is_some() {
                return Err(told(app, &contest).await?);
            }
        }
        Err(refusal) if is(&refusal, Code::client_reference_used) => {
            return Err(existing(app, &contest).await?);
        }
        outcome => return outcome,
    }
    match perform(app, actor, action).await {
        Err(refusal) if is(&refusal, Code::slot_taken) => Err(told(app, &contest).await?),
        outcome => outcome,
    }
}

fn is(error: &AppError, code: Code) -> bool {
    matches!(error, AppError::Conflict(conflict) if conflict.code == code)
}

async fn told(app: &App, contest: &Contest) -> Result<AppError, AppError> {
    let (clash, next_free) = look(app, contest).await?;
    let refusal = AppError::conflict(Code::slot_taken).with("next_free", json!(next_free));
    Ok(match clash {
        Some(full) => refusal.with("clash", json!(full.clash)),
        None => refusal,
    })
}

async fn existing(app: &App, contest: &Contest) -> Result<AppError, AppError> {
    let unit: OrganizationId = contest.wish.organization_id;
    let reference = contest.client_reference.clone().unwrap_or_default();
    let found = app
        .store
        .read(move |conn| store::booking::find_by_reference(conn, unit, &reference))
        .await;
    let id = found.map_err(AppError::from)?.map(i64::from);
    Ok(AppError::conflict(Code::client_reference_used).with("existing_id", id))
}

async fn look(app: &App, contest: &Contest) -> Result<(Option<Full>, Vec<Slot>), AppError> {
    let (calendar, instrument, wish) = (app.calendar(), contest.instrument_id, contest.wish);
    app.store
        .read(move |conn| {
            let terms = store::booking_rules::get_terms(conn, instrument)?;
            let near = weigh::in_the_way(conn, &terms, &wish, &terms.rules.blocked(&wish.slot))?;
            let clash = weigh::find_channel(conn, &terms, &wish, &near)?.err();
            Ok::<_, AppError>((clash, next_free(conn, &calendar, &terms, &wish)?))
        })
        .await
}

/// The next slots of the same length, from the wanted start on, under all rules.
pub(super) fn next_free(
    conn: &mut Conn,
    calendar: &Calendar,
    terms: &Terms,
    wish: &Wish,
) -> Result<Vec<Slot>, AppError> {
    let from = wish.now.max(wish.slot.starts_at());
    let until = terms.rules.latest_start(wish.now).plus(LONGEST);
    let Ok(ahead) = Slot::new(from, until) else {
        return Ok(Vec::new());
    };
    let blocked: Vec<Slot> = weigh::in_the_way(conn, terms, wish, &terms.rules.blocked(&ahead))?
        .iter()
        .map(|taken| taken.blocked)
        .collect();
    let closures = store::closure::list_rules(conn, terms.instrument_id, &ahead)?;
    let timetable = Timetable {
        rules: &terms.rules,
        calendar,
        closures: &closures,
        blocked: &blocked,
        channels: terms.channels,
        now: wish.now,
    };
    Ok(timetable.next_free(wish.slot.minutes(), from, NEXT_FREE))
}
