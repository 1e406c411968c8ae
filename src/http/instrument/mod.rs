//! `/instruments`: one instrument at a time. Lists stand in `list`, the way to the list in `moves`, tables in `sheet`.

mod body;
mod found;
mod list;
mod moves;
mod shape;
mod sheet;
mod similar;

use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page, no_content, reply};
use super::bulk::{self, BulkShape, Items};
use super::context::RequestContext;
use super::impact;
use super::route::{BASE, Route, delete, get, patch, post, put};
use crate::domain::access::Action;
use crate::domain::{InstrumentId, UserId};
use crate::error::AppError;
use crate::operations::instrument::{self, Changed, Entry, Versions};
use crate::operations::run::Reply;
use body::InstrumentBody;
use shape::{ChangedInstrumentShape, InstrumentShape};

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    let one = vec![
        post("/instruments", Action::InstrumentCreate, "Register an instrument as a draft", create).takes::<InstrumentBody>().answers::<InstrumentShape>(201),
        get("/instruments/{id}", Action::InstrumentGet, "One instrument", read)
            .answers::<InstrumentShape>(200),
        patch("/instruments/{id}", Action::InstrumentChange, "Change an instrument; its managers change its texts", change).parameters(impact::PARAMETERS).takes::<InstrumentBody>().answers::<ChangedInstrumentShape>(200).has_etag(true).needs_version(),
        delete("/instruments/{id}", Action::InstrumentDelete, "Delete a draft", remove).answers_status(204),
        get("/instruments/{id}/versions", Action::InstrumentVersionList, "Every version of an instrument, newest first", versions).parameters(&["limit", "cursor"]).answers::<Page<InstrumentShape>>(200),
        put("/instruments/{id}/managers", Action::InstrumentAssignManagers, "Say who manages an instrument", assign_managers).takes::<ManagersBody>().answers::<InstrumentShape>(200).needs_version(),
        put("/instruments/managers", Action::InstrumentAssignManagersAll, "Say of several instruments who manages them", assign_managers_of_all).takes::<Items<ManagersItem>>().answers::<BulkShape>(200).ignores_version(),
    ];
    [list::routes(), one, moves::routes(), sheet::routes(), similar::routes()].into_iter().flatten().collect()
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ManagersBody {
    /// Instrument managers or administrators of the host.
    manager_ids: Vec<UserId>,
}

/// Only for the API document: the managers of one of several instruments, at the version that was read.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "says what an item looks like")]
struct ManagersItem {
    id: InstrumentId,
    version: i64,
    #[serde(flatten)]
    managers: ManagersBody,
}

fn created(entry: &Entry) -> Result<Reply, AppError> {
    let reply = shown(entry)?.at(format!("{BASE}/instruments/{}", entry.instrument.id));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

fn shown(entry: &Entry) -> Result<Reply, AppError> {
    let shape = InstrumentShape::from(entry.clone());
    Ok(reply(200, &shape)?.of_version(entry.instrument.version))
}

fn shown_changed(changed: &Changed) -> Result<Reply, AppError> {
    Ok(foretold(changed)?.of_version(changed.entry.instrument.version))
}

fn foretold(changed: &Changed) -> Result<Reply, AppError> {
    reply(200, &ChangedInstrumentShape::from(changed.clone()))
}

async fn create(context: RequestContext) -> Answer {
    let declared = context.body().map(InstrumentBody::declared);
    let done = instrument::create(&context.run(created)?, declared).await?;
    context.answer(done, created)
}

async fn read(context: RequestContext) -> Answer {
    let entry = instrument::get(&context.app, &context.reader(), context.id("id")?).await?;
    context.ok_versioned(entry.instrument.version, InstrumentShape::from(entry))
}

async fn change(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let (asked, sent) = impact::treatment(&context, context.patch());
    let run = context.run(shown_changed)?.dry(asked.is_dry);
    let done = instrument::change(&run, id, sent, body::changed, asked).await?;
    context.answer(
        done,
        if asked.is_dry {
            foretold
        } else {
            shown_changed
        },
    )
}

async fn remove(context: RequestContext) -> Answer {
    let run = context.run(no_content)?;
    let done = instrument::delete(&run, context.id("id")?, context.no_body()).await?;
    context.answer(done, no_content)
}

async fn versions(context: RequestContext) -> Answer {
    let asked = context.params().and_then(|params| {
        Ok(Versions {
            below: params.cursor()?,
            limit: params.limit()? + 1,
        })
    });
    let id = context.id("id")?;
    let rows = instrument::list_versions(&context.app, &context.reader(), id, asked).await?;
    let limit = context.params()?.limit()?;
    let page = Page::cut(rows, limit, |row| row.version, InstrumentShape::from)?;
    context.ok(page)
}

async fn assign_managers(context: RequestContext) -> Answer {
    let managers = context.body().map(|body: ManagersBody| body.manager_ids);
    let done =
        instrument::assign_managers(&context.run(shown)?, context.id("id")?, managers).await?;
    context.answer(done, shown)
}

async fn assign_managers_of_all(context: RequestContext) -> Answer {
    let items = bulk::versioned_items(&context, |body: ManagersBody| body.manager_ids);
    let done = instrument::assign_managers_of_all(&context.run(bulk::done)?, items).await?;
    context.answer(done, bulk::done)
}
