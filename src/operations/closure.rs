//! Closures of an instrument. They are never refused because of bookings: those they hit are named, told and, if so asked,
//! cancelled.

mod organization;

pub use organization::{AllClosed, Drafts, create_all};

use serde_json::{Value, json};

use crate::app::App;
use crate::domain::access::{Action, InstrumentTies};
use crate::domain::closure::{ClosedTime, Closure as Rule, ClosureKind};
use crate::domain::{ClosureId, Instant, InstrumentId, OrganizationId, Reason, Slot};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::booking::{Before, Change, Impact, Treatment};
use crate::operations::feed::{After, Listing};
use crate::operations::instrument::InstrumentContext;
use crate::operations::run::{Outcome, Run, admit, personal};
use crate::operations::subject::{Subject, Ties};
use crate::store::closure::Closure;
use crate::store::event;
use crate::store::{self, Conn, Lock};

/// A closure and the bookings it hits.
#[derive(Debug, Clone)]
pub struct Closed {
    pub closure: Closure,
    pub impact: Impact,
}

/// A closure as somebody wants it.
#[derive(Debug, Clone)]
pub struct Draft {
    pub starts_at: Instant,
    /// None: until further notice.
    pub ends_at: Option<Instant>,
    pub kind: ClosureKind,
    pub public_reason: Option<String>,
}

/// What a change makes of a closure, with the faults of its fields.
pub type ReadChange<B> = fn(&ClosureContext, &B) -> Result<(Draft, Vec<Fault>), AppError>;

/// A closure with who is tied to its instrument.
#[derive(Debug)]
pub struct ClosureContext {
    pub closure: Closure,
    ties: InstrumentTies,
}

impl Subject for ClosureContext {
    type Id = ClosureId;

    /// Takes the lock of the instrument, then reads.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: ClosureId) -> Result<Self, AppError> {
        Lock::Instrument(store::closure::get(tx, id)?.instrument_id).take(tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: ClosureId) -> Result<Self, AppError> {
        let closure = store::closure::get(conn, id)?;
        Ok(Self {
            ties: store::instrument::get_ties(conn, closure.instrument_id, actor.user_id())?,
            closure,
        })
    }

    fn ties(&self) -> Ties {
        Ties::Instrument(self.ties)
    }

    fn version(&self) -> Option<i64> {
        Some(self.closure.version)
    }
}

/// A page of the closures of an instrument that the actor may see, with one row more than its limit.
pub async fn list(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    listing: Result<Listing<(Instant, ClosureId)>, AppError>,
) -> Result<(Listing<(Instant, ClosureId)>, Vec<Closure>), AppError> {
    admit::<InstrumentContext>(app, actor, Action::ClosureList, id).await?;
    let listing = listing?;
    let find = move |conn: &mut Conn| {
        let found = match listing.after {
            After::Row(last) => store::closure::list(conn, id, last, listing.limit + 1),
            After::Change(place) => {
                let place = (place.updated_at, place.id);
                store::closure::list_changed(conn, id, place, listing.limit + 1)
            }
        };
        found.map_err(AppError::from)
    };
    Ok((listing, app.store.read(find).await?))
}

/// Closes an instrument; says which bookings that hits.
pub async fn create(
    run: &Run<Closed>,
    id: InstrumentId,
    draft: Result<Draft, AppError>,
    treatment: Treatment,
) -> Outcome<Closed> {
    run.on(
        id,
        draft,
        move |tx, actor, context: InstrumentContext, draft| {
            close(tx, actor, &context, &rule(draft)?, treatment)
        },
    )
    .await
}

fn close(
    tx: &mut Conn,
    actor: &Actor,
    context: &InstrumentContext,
    rule: &Rule,
    treatment: Treatment,
) -> Result<Closed, AppError> {
    let id = context.instrument.id;
    let before = Before::of(tx, id)?;
    let closure = store::closure::insert(tx, id, rule, actor.now)?;
    let host = context.ties.host_organization_id;
    let change = (None, Some(&closure));
    record(tx, actor, Action::ClosureCreate, host, change)?;
    let impact = settle(tx, actor, before, rule, treatment)?;
    Ok(Closed { closure, impact })
}

/// Writes the closure anew; says which bookings its new time hits.
pub async fn update<B: Send + 'static>(
    run: &Run<Closed>,
    id: ClosureId,
    sent: Result<B, AppError>,
    read: ReadChange<B>,
    treatment: Treatment,
) -> Outcome<Closed> {
    let read =
        move |_: &mut Conn, _: &Actor, context: &ClosureContext, sent: &B| read(context, sent);
    run.change(id, sent, read, move |tx, actor, context, draft| {
        let (rule, present) = (rule(draft)?, &context.closure);
        if present.rule().as_ref() == Some(&rule) {
            return Ok(Closed {
                closure: present.clone(),
                impact: Impact::default(),
            });
        }
        let before = Before::of(tx, present.instrument_id)?;
        let closure = store::closure::update(tx, present, &rule, actor.now)?;
        let host = context.ties.host_organization_id;
        let change = (Some(present), Some(&closure));
        record(tx, actor, Action::ClosureUpdate, host, change)?;
        let impact = settle(tx, actor, before, &rule, treatment)?;
        Ok(Closed { closure, impact })
    })
    .await
}

/// Takes a closure back, which hits nobody.
pub async fn delete(
    run: &Run<Impact>,
    id: ClosureId,
    body: Result<(), AppError>,
    treatment: Treatment,
) -> Outcome<Impact> {
    run.on(id, body, move |tx, actor, context: ClosureContext, ()| {
        let (host, present) = (context.ties.host_organization_id, &context.closure);
        let before = Before::of(tx, present.instrument_id)?;
        store::closure::withdraw(tx, present.id, actor.now)?;
        record(
            tx,
            actor,
            Action::ClosureDelete,
            host,
            (Some(present), None),
        )?;
        before.settle(tx, actor, treatment, &Change::default())
    })
    .await
}

/// What becomes of the bookings in the closed time.
fn settle(
    tx: &mut Conn,
    actor: &Actor,
    before: Before,
    rule: &Rule,
    treatment: Treatment,
) -> Result<Impact, AppError> {
    let says = |slot: &Slot| rule.hits(slot).then_some(Code::closed_for_maintenance);
    let change = Change {
        says: &says,
        reason: rule.public_reason.as_deref(),
        ..Change::default()
    };
    before.settle(tx, actor, treatment, &change)
}

/// The closure as the rules of booking see it, or all that is wrong with it.
fn rule(draft: &Draft) -> Result<Rule, AppError> {
    let time = ClosedTime::new(draft.starts_at, draft.ends_at);
    let time = time.map_err(|_| AppError::refused("ends_at", Code::not_after_start))?;
    let public_reason = Reason::of("public_reason", draft.public_reason.as_deref())?;
    Ok(Rule {
        time,
        kind: draft.kind,
        public_reason: public_reason.map(String::from),
    })
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
    host: OrganizationId,
    (before, after): (Option<&Closure>, Option<&Closure>),
) -> Result<(), AppError> {
    let closure = after.or(before).ok_or(AppError::NotFound)?;
    let mut event = actor
        .event(action, event::Subject::new("closure", closure.id))
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
