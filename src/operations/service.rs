//! Services of an instrument: its host keeps the price list.

use serde_json::json;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::fault::Faults;
use crate::domain::service::{ServiceFacts, ServiceItem};
use crate::domain::{InstrumentId, ServiceId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::instrument::admit;
use crate::operations::run::{perform, same_version};
use crate::store::event::Subject;
use crate::store::service::Service;
use crate::store::{self, Lock};

/// The most different services of one booking, and the most of one.
const ITEMS_MAX: usize = 50;
const QUANTITY_MAX: i64 = 1_000_000;

/// What is wrong with services that are wanted of an instrument, which offers these.
pub fn check_items(
    offered: &[(ServiceId, ServiceFacts)],
    items: &[ServiceItem],
    faults: &mut Faults,
) {
    if items.len() > ITEMS_MAX {
        let fault = Fault::field("service_items", Code::too_many).limit(ITEMS_MAX);
        faults.push(fault.actual(items.len()));
        return;
    }
    for (at, item) in items.iter().enumerate() {
        let field = format!("service_items[{at}]");
        faults.range(&format!("{field}.quantity"), item.quantity, 1, QUANTITY_MAX);
        if !offered.iter().any(|(id, _)| *id == item.service_id) {
            let field = format!("{field}.service_id");
            faults.push(Fault::field(field, Code::unknown_reference).actual(item.service_id));
        }
    }
}

/// Adds an item to the price list.
pub async fn create(
    app: &App,
    actor: &Actor,
    instrument: InstrumentId,
    facts: ServiceFacts,
) -> Result<Service, AppError> {
    let act_of_action = actor.clone();
    perform(app, actor, move |tx| {
        Lock::Instrument(instrument).take(tx)?;
        let host = admit(
            tx,
            act_of_action.caller()?,
            instrument,
            Action::ServiceCreate,
        )?;
        facts.validate()?;
        let service = store::service::insert(tx, instrument, &facts, act_of_action.now)?;
        let event = act_of_action
            .event(Action::ServiceCreate, Subject::new("service", service.id))
            .of(host.organization_id, None)
            .after(json!({ "instrument_id": instrument, "service": facts }))?;
        store::event::append(tx, &event)?;
        Ok(service)
    })
    .await
}

/// Makes an item say `facts`, as the caller read it at `version`.
pub async fn change(
    app: &App,
    actor: &Actor,
    (instrument, id): (InstrumentId, ServiceId),
    version: Option<i64>,
    facts: ServiceFacts,
) -> Result<Service, AppError> {
    let act_of_action = actor.clone();
    perform(app, actor, move |tx| {
        Lock::Instrument(instrument).take(tx)?;
        let host = admit(
            tx,
            act_of_action.caller()?,
            instrument,
            Action::ServiceChange,
        )?;
        let present = store::service::get(tx, instrument, id)?;
        same_version(version, present.version)?;
        facts.validate()?;
        let changed = store::service::update(tx, &present, &facts, act_of_action.now)?;
        let event = act_of_action
            .event(Action::ServiceChange, Subject::new("service", id))
            .of(host.organization_id, None)
            .before(present.facts())?
            .after(&facts)?;
        store::event::append(tx, &event)?;
        Ok(changed)
    })
    .await
}

/// Takes an item off the price list.
pub async fn delete(
    app: &App,
    actor: &Actor,
    (instrument, id): (InstrumentId, ServiceId),
    version: Option<i64>,
) -> Result<(), AppError> {
    let act_of_action = actor.clone();
    perform(app, actor, move |tx| {
        Lock::Instrument(instrument).take(tx)?;
        let host = admit(
            tx,
            act_of_action.caller()?,
            instrument,
            Action::ServiceDelete,
        )?;
        let present = store::service::get(tx, instrument, id)?;
        same_version(version, present.version)?;
        store::service::withdraw(tx, id, act_of_action.now)?;
        let event = act_of_action
            .event(Action::ServiceDelete, Subject::new("service", id))
            .of(host.organization_id, None)
            .before(present.facts())?;
        store::event::append(tx, &event)?;
        Ok(())
    })
    .await
}
