//! Notices: a consumer of the trail tells each event to its action's audience, and a person marks what was read. What a
//! notice says in words, and mail, are left to others.

mod audience;

use std::str::FromStr;

use serde_json::json;

use self::audience::People;
use crate::app::{App, token};
use crate::domain::Instant;
use crate::domain::access::Action;
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, may, work};
use crate::store::event::{Event, Subject};
use crate::store::notice::{Filter, NewNotice, Notice, Selection};
use crate::store::trail::Place;
use crate::store::{self, Conn};

/// The consumer's name in the store.
const CONSUMER: &str = "notice";

/// So many events are told at once.
const BATCH: i64 = 500;

/// How long the work of a node that died is left alone, in seconds.
const LEASE_SECONDS: i64 = 30;

/// So many notices can be marked by their ids at once.
const IDS_MAX: usize = 200;

/// What became of one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// So many notices were written.
    Notices(usize),
    /// There is nothing to tell, or another node tells it.
    Nothing,
}

/// Tells the next events of the trail. The notices and the place are written in one transaction, so a process that dies
/// in between tells nobody twice.
pub async fn tell(app: &App, now: Instant) -> Result<Told, AppError> {
    let Some(from) = app.store.read(move |conn| find_work(conn, now)).await? else {
        return Ok(Told::Nothing);
    };
    let holder = token::random_token("");
    let (name, until) = (holder.clone(), now.plus_seconds(LEASE_SECONDS));
    let claim = move |tx: &mut Conn| {
        let claimed = store::consumer::claim(tx, CONSUMER, from, &name, (now, until))?;
        Ok::<_, AppError>(claimed)
    };
    if !work(app, claim).await? {
        return Ok(Told::Nothing);
    }
    let (to, notices) = app.store.read(move |conn| resolve(conn, from)).await?;
    work(app, move |tx| {
        if !store::consumer::update_place(tx, CONSUMER, &holder, to)? {
            return Ok(Told::Nothing);
        }
        Ok(Told::Notices(store::notice::insert(tx, notices.clone())?))
    })
    .await
}

/// The place behind which something is to be told by whoever comes first.
fn find_work(conn: &mut Conn, now: Instant) -> Result<Option<Place>, AppError> {
    let consumer = store::consumer::get(conn, CONSUMER)?;
    let waits = !consumer.is_leased(now)
        && !store::trail::list_after(conn, consumer.place(), 1)?.is_empty();
    Ok(waits.then(|| consumer.place()))
}

/// The notices of the events behind a place, and the place behind those events.
fn resolve(conn: &mut Conn, from: Place) -> Result<(Place, Vec<NewNotice>), AppError> {
    let events = store::trail::list_after(conn, from, BATCH)?;
    let to = events.last().map_or(from, |(place, _)| *place);
    let (mut people, mut notices) = (People::default(), Vec::new());
    for (_, event) in &events {
        let Ok(action) = Action::from_str(&event.action) else {
            // An action of an earlier release.
            continue;
        };
        let hearers = people.hearing(conn, action.audience(), event)?;
        notices.extend(hearers.into_iter().map(|person| notice(event, person)));
    }
    Ok((to, notices))
}

fn notice(event: &Event, recipient: crate::domain::UserId) -> NewNotice {
    NewNotice {
        recipient_user_id: recipient,
        action: event.action.clone(),
        subject_type: event.subject_type.clone(),
        subject_id: event.subject_id,
        event_id: event.id,
        request_id: event.request_id.clone(),
        created_at: event.happened_at,
    }
}

/// The caller's notices that the filter asks for.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Notice>, AppError> {
    may(actor, Action::NoticeList)?;
    let (recipient, filter) = (actor.caller()?.user_id, filter?);
    let list = move |conn: &mut Conn| store::notice::list(conn, recipient, &filter);
    Ok(app.store.read(list).await?)
}

/// Marks own notices as read; what is read already, or somebody else's, stays as it is.
pub async fn mark_read(run: &Run<()>, selection: Result<Selection, AppError>) -> Outcome<()> {
    run.with(selection, |tx, actor, selection| {
        if let Selection::These(ids) = selection
            && ids.len() > IDS_MAX
        {
            let fault = Fault::field("ids", Code::too_many).limit(IDS_MAX);
            return Err(AppError::Refused(vec![fault.actual(ids.len())]));
        }
        let user = actor.caller()?.user_id;
        let marked = store::notice::update_read(tx, user, selection, actor.now)?;
        if marked > 0 {
            let event = actor
                .event(Action::NoticeMarkRead, Subject::new("user", user))
                .after(json!({ "notices": marked }))?;
            store::event::append(tx, &event)?;
        }
        Ok(())
    })
    .await
}
