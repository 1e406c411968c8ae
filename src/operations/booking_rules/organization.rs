//! The booking rules that a unit's instruments inherit: where an instrument says nothing of its own, its unit's word holds, and
//! a change of it is a change of the rules of every instrument that inherits.

use super::{InForce, Replaced, unknown_years};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::booking_rules::{RulesInForce, SaidRules, ShownRules};
use crate::domain::fault::Location;
use crate::domain::{Fault, InstrumentId, OrganizationId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::booking::{Before, Change, Impact, Treatment};
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::{Subject, Ties, load};
use crate::store::event;
use crate::store::organization::Organization;
use crate::store::{self, Conn, Lock};

/// A unit with the rules its instruments inherit.
struct UnitRules {
    unit: Organization,
    rules: RulesInForce,
    version: i64,
}

impl Subject for UnitRules {
    type Id = OrganizationId;

    /// No instrument is made meanwhile that would inherit what no longer holds.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: OrganizationId) -> Result<Self, AppError> {
        Lock::Organization(id).take(tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, _: &Actor, id: OrganizationId) -> Result<Self, AppError> {
        let (rules, version) = store::booking_rules::get_of_unit(conn, id)?;
        Ok(Self {
            unit: store::organization::get(conn, id)?,
            rules,
            version,
        })
    }

    fn ties(&self) -> Ties {
        Ties::Organization(self.unit.ties())
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// The rules a unit's instruments inherit, with their version.
pub async fn get_of_unit(
    app: &App,
    actor: &Actor,
    id: OrganizationId,
) -> Result<InForce, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let action = Action::OrganizationBookingRulesGet;
            let found: UnitRules = load(conn, &actor, action, id)?;
            Ok::<_, AppError>((found.rules, found.version))
        })
        .await
}

/// Replaces them. 422 when the rules of an instrument that inherits would contradict each other.
pub async fn update_of_unit(
    run: &Run<Replaced>,
    id: OrganizationId,
    said: Result<SaidRules, AppError>,
    treatment: Treatment,
) -> Outcome<Replaced> {
    run.on(id, said, move |tx, actor, present: UnitRules, said| {
        let next = said.over(&Default::default());
        next.rules.validate()?;
        let mut replaced = Replaced {
            in_force: next.clone(),
            version: present.version,
            impact: Impact::default(),
            unknown_years: unknown_years(tx, actor.now, &next.rules)?,
        };
        if next == present.rules {
            return Ok(replaced);
        }
        let heirs = heirs(tx, id, &next)?;
        store::booking_rules::update_of_unit(tx, id, present.version, &next, actor.now)?;
        replaced.version += 1;
        let event = actor
            .event(
                Action::OrganizationBookingRulesUpdate,
                event::Subject::new("organization", id),
            )
            .of(id, None)
            .before(ShownRules::from(present.rules))?
            .after(ShownRules::from(next.clone()))?;
        event::append(tx, &event)?;
        for heir in heirs {
            let hit = inherit(tx, (actor, treatment), (id, heir), &next)?;
            replaced.impact = replaced.impact.and(hit);
        }
        Ok(replaced)
    })
    .await
}

/// So many instruments whose rules would contradict each other are named.
const NAMED_MAX: usize = 20;

/// The instruments whose rules the unit's next ones change, by their ids.
fn heirs(
    conn: &mut Conn,
    unit: OrganizationId,
    next: &RulesInForce,
) -> Result<Vec<InstrumentId>, AppError> {
    let (mut heirs, mut faults, mut wrong) = (Vec::new(), Vec::new(), 0);
    for (instrument, rules) in store::booking_rules::list_of_host(conn, unit)? {
        let inherited = rules.rebased(&next.rules);
        if inherited == rules {
            continue;
        }
        heirs.push(instrument);
        if let Err(found) = inherited.rules.validate() {
            wrong += 1;
            if wrong <= NAMED_MAX {
                faults.extend(found.into_iter().map(|fault| of(instrument, fault)));
            }
        }
    }
    AppError::refuse_all(faults)?;
    Ok(heirs)
}

/// The fault of an instrument's rules.
fn of(instrument: InstrumentId, fault: Fault) -> Fault {
    let field = format!("instruments[{instrument}].{}", fault.name());
    Fault {
        place: Location::Field(field),
        ..fault
    }
}

/// What the unit's next rules make of those of an instrument, as they stand under its lock.
fn inherit(
    tx: &mut Conn,
    (actor, treatment): (&Actor, Treatment),
    (unit, instrument): (OrganizationId, InstrumentId),
    next: &RulesInForce,
) -> Result<Impact, AppError> {
    Lock::Instrument(instrument).take(tx)?;
    let (present, version) = store::booking_rules::get(tx, instrument)?;
    let inherited = present.rebased(&next.rules);
    if inherited == present {
        return Ok(Impact::default());
    }
    inherited.rules.validate()?;
    let before = Before::of(tx, instrument)?;
    store::booking_rules::update(tx, instrument, version, &inherited, actor.now)?;
    let event = actor
        .event(
            Action::BookingRulesUpdate,
            event::Subject::new("instrument", instrument),
        )
        .of(unit, None)
        .before(ShownRules::from(present))?
        .after(ShownRules::from(inherited))?;
    event::append(tx, &event)?;
    before.settle(tx, actor, treatment, &Change::default())
}
