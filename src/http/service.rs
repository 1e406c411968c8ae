//! `/instruments/{id}/services`: the price list of an instrument, public with it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, no_content, reply};
use super::bulk::{self, BulkShape, Items};
use super::context::RequestContext;
use super::feed::{self, Withdrawn};
use super::json::{self, Members};
use super::merge_patch::MergePatch;
use super::route::{BASE, Route, delete, get, patch, post};
use crate::domain::access::Action;
use crate::domain::service::ServiceFacts;
use crate::domain::{Fen, Instant, InstrumentId, ServiceId};
use crate::error::{AppError, Fault};
use crate::operations::run::Reply;
use crate::operations::service::{self, ServiceContext};
use crate::store::service::Service;

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        get("/instruments/{id}/services", Action::ServiceList, "The price list of an instrument", list)
            .parameters(&["updated_since", "limit", "cursor"]).answers::<Page<ListedService>>(200),
        post("/instruments/{id}/services", Action::ServiceCreate, "Add a service", create).takes::<ServiceBody>().answers::<ServiceShape>(201).ignores_version(),
        post("/instruments/services", Action::ServiceCreateAll, "Add services to the price lists of several instruments, each as if it were added alone", create_all)
            .takes::<Items<PriceListItem>>().answers::<BulkShape>(200).ignores_version(),
        patch("/instruments/{id}/services/{service_id}", Action::ServiceChange, "Change a service", change).takes::<ServiceBody>().answers::<ServiceShape>(200).needs_version(),
        delete("/instruments/{id}/services/{service_id}", Action::ServiceDelete, "Take a service off the list", remove).answers_status(204),
    ]
}

const WRITABLE: &[&str] = &[
    "test_item",
    "test_condition",
    "method_standard",
    "unit",
    "price_fen",
];

#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ServiceBody {
    test_item: String,
    test_condition: Option<String>,
    /// `GB/T 16594-2008`.
    method_standard: Option<String>,
    /// What the price is for.
    unit: String,
    price_fen: Fen,
}

/// Only for the API document: a service of one of several instruments.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "says what an item looks like")]
struct PriceListItem {
    /// The instrument.
    id: InstrumentId,
    #[serde(flatten)]
    service: ServiceBody,
}

impl From<ServiceBody> for ServiceFacts {
    fn from(body: ServiceBody) -> Self {
        Self {
            test_item: body.test_item,
            test_condition: body.test_condition,
            method_standard: body.method_standard,
            unit: body.unit,
            price_fen: body.price_fen,
        }
    }
}

/// One item of a price list.
#[derive(Serialize, ToSchema)]
struct ServiceShape {
    id: ServiceId,
    instrument_id: InstrumentId,
    test_item: String,
    test_condition: Option<String>,
    method_standard: Option<String>,
    unit: String,
    price_fen: Fen,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum ListedService {
    Service(ServiceShape),
    Withdrawn(Withdrawn),
}

impl From<Service> for ListedService {
    fn from(row: Service) -> Self {
        match row.withdrawn_at {
            Some(at) => Self::Withdrawn(Withdrawn::new(row.id, at)),
            None => Self::Service(row.into()),
        }
    }
}

impl From<Service> for ServiceShape {
    fn from(row: Service) -> Self {
        Self {
            id: row.id,
            instrument_id: row.instrument_id,
            test_item: row.test_item,
            test_condition: row.test_condition,
            method_standard: row.method_standard,
            unit: row.unit,
            price_fen: row.price_fen,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn created(service: &Service) -> Result<Reply, AppError> {
    let (instrument, id) = (service.instrument_id, service.id);
    let reply = shown(service)?.at(format!("{BASE}/instruments/{instrument}/services/{id}"));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

fn shown(service: &Service) -> Result<Reply, AppError> {
    let shape = ServiceShape::from(service.clone());
    Ok(reply(200, &shape)?.of_version(service.version))
}

/// The service after a change.
fn changed(
    context: &ServiceContext,
    sent: &MergePatch,
) -> Result<(ServiceFacts, Vec<Fault>), AppError> {
    let shape = ServiceShape::from(context.service.clone());
    let merge = |sent: Members| json::merged::<ServiceBody>(&context.service.facts(), sent);
    let (body, read_only) = sent.onto(&shape, WRITABLE, merge)?;
    Ok((body.into(), read_only))
}

async fn list(context: RequestContext) -> Answer {
    let (actor, id) = (context.reader(), context.id("id")?);
    let listing = feed::listing(&context).await;
    let (listing, rows) = service::list(&context.app, &actor, id, listing).await?;
    let place = |row: &Service| (row.updated_at, row.id.number());
    context.ok(feed::page(
        listing,
        rows,
        |row| row.id,
        place,
        ListedService::from,
    )?)
}

async fn create(context: RequestContext) -> Answer {
    let facts = context.body::<ServiceBody>().map(Into::into);
    let done = service::create(&context.run(created)?, context.id("id")?, facts).await?;
    context.answer(done, created)
}

async fn create_all(context: RequestContext) -> Answer {
    let items = bulk::items(&context, |body: ServiceBody| ServiceFacts::from(body));
    let done = service::create_all(&context.run(bulk::made)?, items).await?;
    context.answer(done, bulk::made)
}

async fn change(context: RequestContext) -> Answer {
    let id = (context.id("id")?, context.id("service_id")?);
    let (run, sent) = (context.run(shown)?, context.patch());
    let done = service::change(&run, id, sent, changed).await?;
    context.answer(done, shown)
}

async fn remove(context: RequestContext) -> Answer {
    let id = (context.id("id")?, context.id("service_id")?);
    let done = service::delete(&context.run(no_content)?, id, context.no_body()).await?;
    context.answer(done, no_content)
}
