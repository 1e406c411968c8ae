//! Closures of an instrument. They are never refused because of bookings: those they hit are listed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::domain::access::{self, Action, Caller};
use crate::domain::closure::Closure as Rule;
use crate::domain::fault::Faults;
use crate::domain::{ClosureId, Instant, InstrumentId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::booking_rules::see;
use crate::operations::run::{perform, personal, same_version};
use crate::store::booking::Booking;
use crate::store::closure::Closure;
use crate::store::event::Subject;
use crate::store::{self, Conn, Lock};

/// The most characters of a public reason.
const REASON_MAX: usize = 500;

/// A closure and the bookings it hits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Closed {
    /// None after a dry run.
    pub closure: Option<Closure>,
    pub bookings: Vec<Booking>,
}

/// Where a list of closures goes on.
#[derive(Debug, Clone, Copy)]
pub enum After {
    /// The latest start first, after this one.
    Start(Option<(Instant, ClosureId)>),
    /// In the order of change, after this place; withdrawn ones are in it.
    Change((Instant, i64)),
}

/// The closures of an instrument the visitor may see.
pub async fn list(
    app: &App,
    visitor: Option<&Caller>,
    instrument: InstrumentId,
    after: After,
    limit: i64,
) -> Result<Vec<Closure>, AppError> {
    let visitor = visitor.cloned();
    app.store
        .read(move |conn| {
            see(conn, visitor.as_ref(), instrument)?;
            let found = match after {
                After::Start(last) => store::closure::list(conn, instrument, last, limit),
                After::Change(place) => {
                    store::closure::list_changed(conn, instrument, place, limit)
                }
            };
            Ok::<_, AppError>(found?)
        })
        .await
}

/// A closure as it stands; 404 when its instrument is not the caller's to see, 403 when the action is not theirs.
pub async fn admit(
    app: &App,
    caller: &Caller,
    id: ClosureId,
    action: Action,
) -> Result<Closure, AppError> {
    let caller = caller.clone();
    app.store
        .read(move |conn| read(conn, &caller, id, action))
        .await
}

fn read(
    conn: &mut Conn,
    caller: &Caller,
    id: ClosureId,
    action: Action,
) -> Result<Closure, AppError> {
    let closure = store::closure::get(conn, id)?;
    may(conn, caller, closure.instrument_id, action)?;
    Ok(closure)
}

fn may(
    conn: &mut Conn,
    caller: &Caller,
    instrument: InstrumentId,
    action: Action,
) -> Result<(), AppError> {
    let (_, ties) = see(conn, Some(caller), instrument)?;
    Ok(access::may_on_instrument(caller, action, &ties)?)
}

/// What a closure that the caller may make or change would hit, without any effect.
pub async fn foresee(
    app: &App,
    caller: &Caller,
    (instrument, action): (InstrumentId, Action),
    rule: Rule,
) -> Result<Closed, AppError> {
    let caller = caller.clone();
    app.store
        .read(move |conn| {
            may(conn, &caller, instrument, action)?;
            check(&rule)?;
            let bookings = hit(conn, instrument, &rule)?;
            Ok(Closed {
                closure: None,
                bookings,
            })
        })
        .await
}

pub async fn create(
    app: &App,
    actor: &Actor,
    instrument: InstrumentId,
    rule: Rule,
) -> Result<Closed, AppError> {
    let performer = actor.clone();
    perform(app, actor, move |tx| {
        let actor = &performer;
        Lock::Instrument(instrument).take(tx)?;
        may(tx, actor.caller()?, instrument, Action::ClosureCreate)?;
        check(&rule)?;
        let closure = store::closure::insert(tx, instrument, &rule, actor.now)?;
        let bookings = hit(tx, instrument, &rule)?;
        record(tx, actor, Action::ClosureCreate, (None, Some(&closure)))?;
        Ok(Closed {
            closure: Some(closure),
            bookings,
        })
    })
    .await
}

/// Writes the closure anew; lists the bookings its new time hits.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: ClosureId,
    version: Option<i64>,
    rule: Rule,
) -> Result<Closed, AppError> {
    let performer = actor.clone();
    perform(app, actor, move |tx| {
        let actor = &performer;
        let present = lock(tx, actor.caller()?, id, Action::ClosureUpdate)?;
        same_version(version, present.version)?;
        check(&rule)?;
        let closure = store::closure::update(tx, &present, &rule, actor.now)?;
        let bookings = hit(tx, closure.instrument_id, &rule)?;
        let change = (Some(&present), Some(&closure));
        record(tx, actor, Action::ClosureUpdate, change)?;
        Ok(Closed {
            closure: Some(closure),
            bookings,
        })
    })
    .await
}

/// Takes a closure back.
pub async fn delete(
    app: &App,
    actor: &Actor,
    id: ClosureId,
    version: Option<i64>,
) -> Result<(), AppError> {
    let performer = actor.clone();
    perform(app, actor, move |tx| {
        let actor = &performer;
        let present = lock(tx, actor.caller()?, id, Action::ClosureDelete)?;
        same_version(version, present.version)?;
        store::closure::withdraw(tx, id, actor.now)?;
        record(tx, actor, Action::ClosureDelete, (Some(&present), None))
    })
    .await
}

fn lock(
    tx: &mut Conn,
    caller: &Caller,
    id: ClosureId,
    action: Action,
) -> Result<Closure, AppError> {
    Lock::Instrument(store::closure::get(tx, id)?.instrument_id).take(tx)?;
    read(tx, caller, id, action)
}

fn check(rule: &Rule) -> Result<(), AppError> {
    let mut faults = Faults::new();
    faults.optional_text("public_reason", rule.public_reason.as_deref(), REASON_MAX);
    Ok(faults.into_result()?)
}

fn hit(conn: &mut Conn, instrument: InstrumentId, rule: &Rule) -> Result<Vec<Booking>, AppError> {
    let (from, until) = (rule.time.starts_at(), rule.time.ends_at());
    Ok(store::booking::list_of_instrument(
        conn, instrument, from, until,
    )?)
}

/// A closure as events tell it: no free text.
fn told(closure: &Closure) -> Value {
    json!({
        "instrument_id": closure.instrument_id,
        "starts_at": closure.starts_at,
        "ends_at": closure.ends_at,
        "kind": closure.kind,
        "version": closure.version,
    })
}

fn record(
    tx: &mut Conn,
    actor: &Actor,
    action: Action,
    (before, after): (Option<&Closure>, Option<&Closure>),
) -> Result<(), AppError> {
    let closure = after.or(before).ok_or(AppError::NotFound)?;
    let host = store::terms::get(tx, closure.instrument_id)?.host_organization_id;
    let mut event = actor
        .event(action, Subject::new("closure", closure.id))
        .of(host, None);
    if let Some(before) = before {
        event = event.before(told(before))?;
    }
    if let Some(after) = after {
        event = event.after(told(after))?;
    }
    let reason = |closure: Option<&Closure>| closure.and_then(|it| it.public_reason.clone());
    let (reason_before, reason_after) = (reason(before), reason(after));
    if reason_before.is_some() || reason_after.is_some() {
        let texts = json!({"before": reason_before, "after": reason_after});
        event = event.personal(personal(texts)?);
    }
    store::event::append(tx, &event)?;
    Ok(())
}
