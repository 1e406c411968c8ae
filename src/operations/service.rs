//! Services of an instrument: its host keeps the price list.

use serde_json::json;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::fault::Faults;
use crate::domain::service::{ServiceFacts, ServiceItem};
use crate::domain::{InstrumentId, ServiceId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::bulk::{Bulk, Verdicts, themselves};
use crate::operations::feed::{After, Listing};
use crate::operations::instrument::InstrumentContext;
use crate::operations::run::{Outcome, Run, admit};
use crate::operations::subject::{Subject, Ties};
use crate::store::event;
use crate::store::service::Service;
use crate::store::{self, Conn};

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

/// What a change makes a service say, with the faults of its read-only fields.
pub type ReadChange<B> = fn(&ServiceContext, &B) -> Result<(ServiceFacts, Vec<Fault>), AppError>;

/// A service with who is tied to its instrument.
#[derive(Debug)]
pub struct ServiceContext {
    pub service: Service,
    instrument: InstrumentContext,
}

impl Subject for ServiceContext {
    type Id = (InstrumentId, ServiceId);

    /// Takes the lock of the instrument, then reads.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError> {
        Ok(Self {
            instrument: InstrumentContext::lock_and_load(tx, actor, id.0)?,
            service: store::service::get(tx, id.0, id.1)?,
        })
    }

    fn load(conn: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError> {
        Ok(Self {
            instrument: InstrumentContext::load(conn, actor, id.0)?,
            service: store::service::get(conn, id.0, id.1)?,
        })
    }

    fn ties(&self) -> Ties {
        self.instrument.ties()
    }

    fn version(&self) -> Option<i64> {
        Some(self.service.version)
    }
}

/// A page of the price list of an instrument that the actor may see, with one row more than its limit.
pub async fn list(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    listing: Result<Listing<ServiceId>, AppError>,
) -> Result<(Listing<ServiceId>, Vec<Service>), AppError> {
    admit::<InstrumentContext>(app, actor, Action::ServiceList, id).await?;
    let listing = listing?;
    let find = move |conn: &mut Conn| {
        let found = match listing.after {
            After::Row(last) => store::service::list(conn, id, last, listing.limit + 1),
            After::Change(place) => {
                let place = (place.updated_at, place.id);
                store::service::list_changed(conn, id, place, listing.limit + 1)
            }
        };
        found.map_err(AppError::from)
    };
    Ok((listing, app.store.read(find).await?))
}

/// Adds an item to the price list.
pub async fn create(
    run: &Run<Service>,
    id: InstrumentId,
    facts: Result<ServiceFacts, AppError>,
) -> Outcome<Service> {
    run.on(id, facts, add).await
}

/// Adds items to the price lists of several instruments, each as [`create`] does.
pub async fn create_all(
    run: &Run<Verdicts>,
    bulk: Result<Bulk<InstrumentId, ServiceFacts>, AppError>,
) -> Outcome<Verdicts> {
    run.each(bulk, Action::ServiceCreate, themselves, add).await
}

fn add(
    tx: &mut Conn,
    actor: &Actor,
    context: InstrumentContext,
    facts: &ServiceFacts,
) -> Result<Service, AppError> {
    let id = context.instrument.id;
    facts.validate()?;
    let service = store::service::insert(tx, id, facts, actor.now)?;
    let subject = event::Subject::new("service", service.id);
    let event = actor
        .event(Action::ServiceCreate, subject)
        .of(context.ties.host_organization_id, None)
        .after(json!({ "instrument_id": id, "service": facts }))?;
    event::append(tx, &event)?;
    Ok(service)
}

/// Makes an item say something else.
pub async fn change<B: Send + 'static>(
    run: &Run<Service>,
    id: (InstrumentId, ServiceId),
    sent: Result<B, AppError>,
    read: ReadChange<B>,
) -> Outcome<Service> {
    let read =
        move |_: &mut Conn, _: &Actor, context: &ServiceContext, sent: &B| read(context, sent);
    run.change(id, sent, read, |tx, actor, context, facts| {
        facts.validate()?;
        let present = &context.service;
        if *facts == present.facts() {
            return Ok(present.clone());
        }
        let changed = store::service::update(tx, present, facts, actor.now)?;
        let subject = event::Subject::new("service", present.id);
        let event = actor
            .event(Action::ServiceChange, subject)
            .of(context.instrument.ties.host_organization_id, None)
            .before(present.facts())?
            .after(facts)?;
        event::append(tx, &event)?;
        Ok(changed)
    })
    .await
}

/// Takes an item off the price list.
pub async fn delete(
    run: &Run<()>,
    id: (InstrumentId, ServiceId),
    body: Result<(), AppError>,
) -> Outcome<()> {
    run.on(id, body, |tx, actor, context: ServiceContext, ()| {
        let present = &context.service;
        store::service::withdraw(tx, present.id, actor.now)?;
        let subject = event::Subject::new("service", present.id);
        let event = actor
            .event(Action::ServiceDelete, subject)
            .of(context.instrument.ties.host_organization_id, None)
            .before(present.facts())?;
        event::append(tx, &event)?;
        Ok(())
    })
    .await
}
