//! Booking rules of an instrument: read by whoever sees the instrument, replaced whole by those who run it.

use std::sync::Arc;

use crate::app::App;
use crate::domain::InstrumentId;
use crate::domain::access::{self, Action, Caller, Denied, InstrumentTies};
use crate::domain::booking_rules::BookingRules;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::booking::manages;
use crate::operations::run::{perform, same_version};
use crate::store::event::Subject;
use crate::store::terms::Terms;
use crate::store::{self, Conn, Lock};

/// The terms of an instrument the visitor may see; 404 otherwise.
pub fn see(
    conn: &mut Conn,
    visitor: Option<&Caller>,
    id: InstrumentId,
) -> Result<(Arc<Terms>, InstrumentTies), AppError> {
    let terms = store::terms::get(conn, id)?;
    let managed = match visitor {
        Some(caller) => manages(conn, caller, id)?,
        None => false,
    };
    let ties = terms.ties(managed);
    match visitor {
        Some(caller) => access::sees_instrument(caller, &ties)?,
        None if ties.is_public => {}
        None => return Err(Denied::Hidden.into()),
    }
    Ok((terms, ties))
}

/// As [`see`], before anything else of a request is read.
pub async fn look(app: &App, visitor: Option<&Caller>, id: InstrumentId) -> Result<(), AppError> {
    let visitor = visitor.cloned();
    app.store
        .read(move |conn| see(conn, visitor.as_ref(), id).map(|_| ()))
        .await
}

/// 404 when the caller may not see the instrument, 403 when the action is not theirs; asked before a body is read.
pub async fn admit(
    app: &App,
    caller: &Caller,
    id: InstrumentId,
    action: Action,
) -> Result<(), AppError> {
    let caller = caller.clone();
    app.store
        .read(move |conn| {
            let (_, ties) = see(conn, Some(&caller), id)?;
            Ok::<_, AppError>(access::may_on_instrument(&caller, action, &ties)?)
        })
        .await
}

/// The rules and their version.
pub async fn get(
    app: &App,
    visitor: Option<&Caller>,
    id: InstrumentId,
) -> Result<(BookingRules, i64), AppError> {
    let visitor = visitor.cloned();
    app.store
        .read(move |conn| {
            let (terms, _) = see(conn, visitor.as_ref(), id)?;
            Ok::<_, AppError>((terms.rules.clone(), terms.version))
        })
        .await
}

/// Replaces the rules. Bookings that stand keep their slots; what they would break is asked again only when they change.
pub async fn put(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    version: Option<i64>,
    rules: BookingRules,
) -> Result<(BookingRules, i64), AppError> {
    let performer = actor.clone();
    perform(app, actor, move |tx| {
        let actor = &performer;
        Lock::Instrument(id).take(tx)?;
        let (terms, ties) = see(tx, Some(actor.caller()?), id)?;
        access::may_on_instrument(actor.caller()?, Action::BookingRulesUpdate, &ties)?;
        same_version(version, terms.version)?;
        rules.validate()?;
        store::booking_rules::update(tx, id, terms.version, &rules, actor.now)?;
        let event = actor
            .event(Action::BookingRulesUpdate, Subject::new("instrument", id))
            .of(terms.host_organization_id, None)
            .before(&terms.rules)?
            .after(&rules)?;
        store::event::append(tx, &event)?;
        Ok((rules.clone(), terms.version + 1))
    })
    .await
}
