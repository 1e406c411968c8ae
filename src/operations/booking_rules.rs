//! Booking rules of an instrument: read by whoever sees the instrument, replaced whole by those who run it.

use std::sync::Arc;

use crate::app::App;
use crate::domain::InstrumentId;
use crate::domain::access::Action;
use crate::domain::booking_rules::BookingRules;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::booking::manages;
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::{Subject, Ties, load};
use crate::store::event;
use crate::store::terms::Terms;
use crate::store::{self, Conn, Lock};

/// The terms of an instrument as seen by the actor. Their version is that of the booking rules.
#[derive(Debug)]
pub struct TermsContext {
    pub terms: Arc<Terms>,
    managed_by_caller: bool,
}

impl Subject for TermsContext {
    type Id = InstrumentId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: InstrumentId) -> Result<Self, AppError> {
        Lock::Instrument(id).take(tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: InstrumentId) -> Result<Self, AppError> {
        let terms = store::terms::get(conn, id)?;
        let managed_by_caller = match actor.caller() {
            Ok(caller) => manages(conn, caller, id)?,
            Err(_) => false,
        };
        Ok(Self {
            terms,
            managed_by_caller,
        })
    }

    fn ties(&self) -> Ties {
        Ties::Instrument(self.terms.ties(self.managed_by_caller))
    }

    fn version(&self) -> Option<i64> {
        Some(self.terms.version)
    }
}

/// The rules and their version.
pub async fn get(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
) -> Result<(BookingRules, i64), AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let context = load::<TermsContext>(conn, &actor, Action::BookingRulesGet, id)?;
            let terms = context.terms;
            Ok::<_, AppError>((terms.rules.clone(), terms.version))
        })
        .await
}

/// Replaces the rules. Bookings that stand keep their slots; what they would break is asked again only when they change.
pub async fn update(
    run: &Run<(BookingRules, i64)>,
    id: InstrumentId,
    rules: Result<BookingRules, AppError>,
) -> Outcome<(BookingRules, i64)> {
    run.on(id, rules, move |tx, actor, context: TermsContext, rules| {
        let terms = &context.terms;
        rules.validate()?;
        if *rules == terms.rules {
            return Ok((rules.clone(), terms.version));
        }
        store::booking_rules::update(tx, id, terms.version, rules, actor.now)?;
        let subject = event::Subject::new("instrument", id);
        let event = actor
            .event(Action::BookingRulesUpdate, subject)
            .of(terms.host_organization_id, None)
            .before(&terms.rules)?
            .after(rules)?;
        event::append(tx, &event)?;
        Ok((rules.clone(), terms.version + 1))
    })
    .await
}
