//! Booking rules of an instrument: read by whoever sees the instrument, replaced whole by those who run it. What a unit says for
//! all its instruments stands in `organization`.

mod organization;

pub use organization::{get_of_unit, update_of_unit};

use std::sync::Arc;

use crate::app::App;
use crate::domain::access::{Action, InstrumentTies};
use crate::domain::booking_rules::{BookingRules, RulesInForce, SaidRules, ShownRules};
use crate::domain::{Instant, InstrumentId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::booking::{Before, Change, Impact, Treatment, as_seen, manages};
use crate::operations::bulk::{Bulk, Verdicts, themselves};
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::{Subject, Ties, load};
use crate::store::event;
use crate::store::terms::Terms;
use crate::store::{self, Conn, Lock};

/// The terms of an instrument as seen by the actor. Their version is that of the booking rules.
#[derive(Debug)]
pub struct TermsContext {
    pub terms: Arc<Terms>,
    ties: InstrumentTies,
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
            ties: as_seen(conn, actor.caller().ok(), id, terms.ties(managed_by_caller))?,
            terms,
        })
    }

    fn ties(&self) -> Ties {
        Ties::Instrument(self.ties)
    }

    fn version(&self) -> Option<i64> {
        Some(self.terms.version)
    }
}

/// Rules as they apply, and their version.
pub type InForce = (RulesInForce, i64);

pub async fn get(app: &App, actor: &Actor, id: InstrumentId) -> Result<InForce, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            load::<TermsContext>(conn, &actor, Action::BookingRulesGet, id)?;
            Ok::<_, AppError>(store::booking_rules::get(conn, id)?)
        })
        .await
}

/// The rules after a replacement, and the bookings it hits.
#[derive(Debug, Clone)]
pub struct Replaced {
    pub in_force: RulesInForce,
    pub version: i64,
    pub impact: Impact,
    /// The years that bookings by these rules reach and whose holidays nobody has entered.
    pub unknown_years: Vec<i32>,
}

/// Replaces the rules; what is left out is the unit's. Bookings that stand keep their slots; those that break a rule only now
/// are named and told, or cancelled if so asked.
pub async fn update(
    run: &Run<Replaced>,
    id: InstrumentId,
    said: Result<SaidRules, AppError>,
    treatment: Treatment,
) -> Outcome<Replaced> {
    run.on(id, said, move |tx, actor, context, said| {
        replace(tx, actor, context, said, treatment)
    })
    .await
}

/// Replaces the rules of several instruments, each as [`update`] does.
pub async fn update_all(
    run: &Run<Verdicts>,
    bulk: Result<Bulk<InstrumentId, SaidRules>, AppError>,
    treatment: Treatment,
) -> Outcome<Verdicts> {
    let single = Action::BookingRulesUpdate;
    run.each(bulk, single, themselves, move |tx, actor, context, said| {
        replace(tx, actor, context, said, treatment)
    })
    .await
}

fn replace(
    tx: &mut Conn,
    actor: &Actor,
    context: TermsContext,
    said: &SaidRules,
    treatment: Treatment,
) -> Result<Replaced, AppError> {
    let (id, host) = (
        context.terms.instrument_id,
        context.terms.host_organization_id,
    );
    let (of_unit, _) = store::booking_rules::get_of_unit(tx, host)?;
    let (present, version) = store::booking_rules::get(tx, id)?;
    let next = said.over(&of_unit.rules);
    next.rules.validate()?;
    let mut replaced = Replaced {
        in_force: next.clone(),
        version,
        impact: Impact::default(),
        unknown_years: unknown_years(tx, actor.now, &next.rules)?,
    };
    if next == present {
        return Ok(replaced);
    }
    let before = Before::of(tx, id)?;
    store::booking_rules::update(tx, id, version, &next, actor.now)?;
    let subject = event::Subject::new("instrument", id);
    let event = actor
        .event(Action::BookingRulesUpdate, subject)
        .of(host, None)
        .before(ShownRules::from(present))?
        .after(ShownRules::from(next))?;
    event::append(tx, &event)?;
    replaced.version += 1;
    replaced.impact = before.settle(tx, actor, treatment, &Change::default())?;
    Ok(replaced)
}

/// The years within the horizon of these rules that have no list of holidays.
fn unknown_years(
    conn: &mut Conn,
    now: Instant,
    rules: &BookingRules,
) -> Result<Vec<i32>, AppError> {
    let calendar = store::calendar::get(conn)?;
    let today = now.local_date();
    let horizon = chrono::Days::new(rules.horizon_days.into());
    let last = today.checked_add_days(horizon).unwrap_or(today);
    Ok(calendar.unknown_years(today, last))
}
