//! `/instruments`: one instrument at a time. Lists stand in `list`, the way to the list in `moves`, tables in `sheet`.

mod body;
mod list;
mod moves;
mod shape;
mod sheet;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::json::{self, Members};
use super::route::{BASE, Route, get, patch, post, put};
use crate::domain::access::Action;
use crate::domain::{InstrumentId, UserId};
use crate::error::AppError;
use crate::operations::instrument::{self, Entry};
use crate::store;
use body::InstrumentBody;
use shape::InstrumentShape;

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    let one = vec![
        post("/instruments", Action::InstrumentCreate, "Register an instrument as a draft", create).takes::<InstrumentBody>().answers::<InstrumentShape>(201),
        get("/instruments/{id}", Action::InstrumentGet, "One instrument", read)
            .answers::<InstrumentShape>(200),
        patch("/instruments/{id}", Action::InstrumentChange, "Change an instrument; its managers change its texts", change).takes::<InstrumentBody>().answers::<InstrumentShape>(200).needs_version(),
        get("/instruments/{id}/versions", Action::InstrumentVersionList, "Every version of an instrument, newest first", versions).parameters(&["limit", "cursor"]).answers::<Page<InstrumentShape>>(200),
        put("/instruments/{id}/managers", Action::InstrumentAssignManagers, "Say who manages an instrument", assign_managers).takes::<ManagersBody>().answers::<InstrumentShape>(200).needs_version(),
    ];
    [list::routes(), one, moves::routes(), sheet::routes()].into_iter().flatten().collect()
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ManagersBody {
    /// Instrument managers or administrators of the host.
    manager_ids: Vec<UserId>,
}

fn answer(context: &RequestContext, entry: Entry) -> Answer {
    let version = entry.instrument.version;
    context.ok_versioned(version, InstrumentShape::from(entry))
}

async fn create(context: RequestContext) -> Answer {
    context.may(Action::InstrumentCreate)?;
    context.params()?;
    let declared = context.json::<InstrumentBody>()?.declared();
    let entry = instrument::create(&context.app, &context.actor()?, declared).await?;
    let (id, version) = (entry.instrument.id, entry.instrument.version);
    let location = format!("{BASE}/instruments/{id}");
    context.created_versioned(location, version, InstrumentShape::from(entry))
}

async fn read(context: RequestContext) -> Answer {
    let id: InstrumentId = context.id("id")?;
    let visitor = context.visitor().cloned();
    let find = move |conn: &mut store::Conn| instrument::read(conn, visitor.as_ref(), id);
    answer(&context, context.app.store.read(find).await?)
}

async fn change(context: RequestContext) -> Answer {
    let caller = context.caller()?.clone();
    let id: InstrumentId = context.id("id")?;
    let find = move |conn: &mut store::Conn| instrument::admit_change(conn, &caller, id);
    let (entry, right) = context.app.store.read(find).await?;
    let writable = match right {
        Action::InstrumentUpdate => body::WRITABLE,
        _ => body::WRITABLE_TEXTS,
    };
    context.params()?;
    let number = entry.instrument.version;
    let shape = serde_json::to_value(InstrumentShape::from(entry))?;
    let merge = |sent: Members| json::merged::<InstrumentBody>(&declared(shape.clone()), sent);
    let (body, version) = context.change_as(&shape, number, writable, merge)?;
    let act = context.actor()?;
    let changed = instrument::change(&context.app, &act, id, version, body.declared()).await?;
    answer(&context, changed)
}

/// The part of a shape that its host declares.
fn declared(mut shape: Value) -> Value {
    if let Value::Object(members) = &mut shape {
        members.retain(|name, _| body::WRITABLE.contains(&name.as_str()));
    }
    shape
}

async fn versions(context: RequestContext) -> Answer {
    let caller = context.caller()?.clone();
    let id: InstrumentId = context.id("id")?;
    instrument::check_right(&context.app, &caller, id, Action::InstrumentGet).await?;
    let params = context.params()?;
    let (limit, before) = (params.limit()?, params.cursor::<i64>()?);
    let find = move |conn: &mut store::Conn| {
        store::instrument::list_versions(conn, id, before, limit + 1).map_err(AppError::from)
    };
    let versions = context.app.store.read(find).await?;
    let page = Page::cut(versions, limit, |row| row.version, InstrumentShape::from)?;
    context.ok(page)
}

async fn assign_managers(context: RequestContext) -> Answer {
    let caller = context.caller()?.clone();
    let id: InstrumentId = context.id("id")?;
    instrument::check_right(&context.app, &caller, id, Action::InstrumentAssignManagers).await?;
    context.params()?;
    let body: ManagersBody = context.json()?;
    let version = context.required_version()?;
    let act = context.actor()?;
    let entry =
        instrument::assign_managers(&context.app, &act, id, version, body.manager_ids).await?;
    answer(&context, entry)
}
