//! `/instruments/{id}/services`: the price list of an instrument, public with it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::feed::{Changes, Withdrawn};
use super::json::{self, Members};
use super::route::{BASE, Route, delete, get, patch, post};
use crate::domain::access::Action;
use crate::domain::service::ServiceFacts;
use crate::domain::{Fen, Instant, InstrumentId, ServiceId};
use crate::error::AppError;
use crate::operations::{instrument, service};
use crate::store::service::Service;
use crate::store::{self, Conn};

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        get("/instruments/{id}/services", Action::ServiceList, "The price list of an instrument", list)
            .parameters(&["updated_since", "limit", "cursor"]).answers::<Page<ListedService>>(200),
        post("/instruments/{id}/services", Action::ServiceCreate, "Add a service", create).takes::<ServiceBody>().answers::<ServiceShape>(201).ignores_version(),
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

async fn list(context: RequestContext) -> Answer {
    let id: InstrumentId = context.id("id")?;
    let visitor = context.visitor().cloned();
    let look = move |conn: &mut Conn| instrument::read(conn, visitor.as_ref(), id);
    context.app.store.read(look).await?;
    let params = context.params()?;
    let limit = params.limit()?;
    if let Some(changes) = Changes::asked_for(&context, &params).await? {
        let place = changes.place();
        let find = move |conn: &mut Conn| -> Result<_, AppError> {
            Ok(store::service::list_changed(conn, id, place, limit + 1)?)
        };
        let rows = context.app.store.read(find).await?;
        let place = |row: &Service| (row.updated_at, row.id.number());
        return context.ok(changes.page(rows, limit, place, ListedService::from)?);
    }
    let after = params.cursor()?;
    let find = move |conn: &mut Conn| {
        store::service::list(conn, id, after, limit + 1).map_err(AppError::from)
    };
    let rows = context.app.store.read(find).await?;
    context.ok(Page::cut(rows, limit, |row| row.id, ListedService::from)?)
}

async fn create(context: RequestContext) -> Answer {
    let caller = context.caller()?.clone();
    let id: InstrumentId = context.id("id")?;
    instrument::check_right(&context.app, &caller, id, Action::ServiceCreate).await?;
    context.params()?;
    let body: ServiceBody = context.json()?;
    let row = service::create(&context.app, &context.actor()?, id, body.into()).await?;
    let location = format!("{BASE}/instruments/{id}/services/{}", row.id);
    context.created_versioned(location, row.version, ServiceShape::from(row))
}

async fn change(context: RequestContext) -> Answer {
    let caller = context.caller()?.clone();
    let place: (InstrumentId, ServiceId) = (context.id("id")?, context.id("service_id")?);
    instrument::check_right(&context.app, &caller, place.0, Action::ServiceChange).await?;
    let find =
        move |conn: &mut Conn| store::service::get(conn, place.0, place.1).map_err(AppError::from);
    let present = context.app.store.read(find).await?;
    context.params()?;
    let (facts, number) = (present.facts(), present.version);
    let merge = |sent: Members| json::merged::<ServiceBody>(&facts, sent);
    let (body, version) =
        context.change_as(&ServiceShape::from(present), number, WRITABLE, merge)?;
    let row = service::change(&context.app, &context.actor()?, place, version, body.into()).await?;
    context.ok_versioned(row.version, ServiceShape::from(row))
}

async fn remove(context: RequestContext) -> Answer {
    let caller = context.caller()?.clone();
    let place: (InstrumentId, ServiceId) = (context.id("id")?, context.id("service_id")?);
    instrument::check_right(&context.app, &caller, place.0, Action::ServiceDelete).await?;
    let find =
        move |conn: &mut Conn| store::service::get(conn, place.0, place.1).map_err(AppError::from);
    context.app.store.read(find).await?;
    context.params()?;
    let version = context.version()?;
    service::delete(&context.app, &context.actor()?, place, version).await?;
    context.no_content()
}
