//! `/usage-records`: hours typed, imported, confirmed, disputed, corrected and voided.

mod shape;
mod table;

use std::cmp::Reverse;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::feed::Start;
use super::reason::{EmptyBody, ReasonBody};
use super::route::{Route, get, post};
use crate::domain::UsageRecordId;
use crate::domain::access::{Action, Reach};
use crate::error::AppError;
use crate::operations::usage;
use crate::store;
use crate::store::usage::{Filter, Listed};
use shape::{CorrectBody, RecordBody, UsageShape};

const FILTERS: &[&str] = &[
    "instrument_id",
    "organization_id",
    "host_organization_id",
    "state",
    "booking_id",
    "client_reference",
    "from",
    "until",
    "updated_since",
    "limit",
    "cursor",
];

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        get(
            "/usage-records",
            Action::UsageRecordList,
            "Usage records, newest first, or with updated_since in the order of change",
            list,
        )
        .parameters(FILTERS)
        .answers::<Page<UsageShape>>(200),
        post(
            "/usage-records",
            Action::UsageRecordCreate,
            "Type in a service",
            create,
        )
        .takes::<RecordBody>()
        .answers::<UsageShape>(201),
        get(
            "/usage-records/{id}",
            Action::UsageRecordGet,
            "One record",
            get_one,
        )
        .answers::<UsageShape>(200),
        get(
            "/usage-records/{id}/versions",
            Action::UsageRecordVersionList,
            "Every version, newest first; to a using unit those that name it",
            versions,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<UsageShape>>(200),
    ];
    routes.extend(actions());
    routes.extend(table::routes());
    routes
}

fn actions() -> [Route; 4] {
    [
        post(
            "/usage-records/{id}/confirm",
            Action::UsageRecordConfirm,
            "The using unit agrees",
            confirm,
        )
        .takes::<EmptyBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/dispute",
            Action::UsageRecordDispute,
            "The using unit does not agree, and says why",
            dispute,
        )
        .takes::<ReasonBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/void",
            Action::UsageRecordVoid,
            "The host takes the record back, and says why",
            void,
        )
        .takes::<ReasonBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/correct",
            Action::UsageRecordCorrect,
            "The host corrects the record: a new version, to be confirmed again",
            correct,
        )
        .takes::<CorrectBody>()
        .answers::<UsageShape>(200),
    ]
}

/// What the query asks for, as far as the caller may see it.
async fn filter(context: &RequestContext, action: Action) -> Result<(Filter, Start), AppError> {
    let reach = Reach::of(context.may(action)?, action);
    let params = context.params()?;
    let start = Start::of(context, &params).await?;
    let filter = Filter {
        reach,
        instruments: params.all("instrument_id")?,
        organizations: params.all("organization_id")?,
        hosts: params.all("host_organization_id")?,
        states: params.all("state")?,
        bookings: params.all("booking_id")?,
        client_references: params.all("client_reference")?,
        from: params.one("from")?,
        until: params.one("until")?,
        changed_after: start.changed_after(),
        below: start.below(),
        limit: params.limit()?,
    };
    Ok((filter, start))
}

async fn list(context: RequestContext) -> Answer {
    let (mut filter, start) = filter(&context, Action::UsageRecordGet).await?;
    let limit = filter.limit;
    filter.limit += 1;
    let rows = context
        .app
        .store
        .read(move |conn| store::usage::list(conn, &filter).map_err(AppError::from))
        .await?;
    let place = |row: &Listed| (row.record.updated_at, row.record.id.number());
    context.ok(start.found(rows, limit, place, UsageShape::from)?)
}

async fn create(context: RequestContext) -> Answer {
    context.may(Action::UsageRecordCreate)?;
    let new = context.json::<RecordBody>()?.into_new()?;
    let record = usage::record(&context.app, &context.actor()?, new).await?;
    let (id, version) = (record.id, record.version);
    let shape = shaped(&context, record).await?;
    context.created_versioned(format!("/api/v1/usage-records/{id}"), version, shape)
}

async fn get_one(context: RequestContext) -> Answer {
    let record = admitted(&context, Action::UsageRecordGet).await?;
    answer(&context, record).await
}

async fn versions(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::UsageRecordGet).await?.id;
    let (host, versions) = usage::list_versions(&context.app, context.caller()?, id).await?;
    let shape = |version| UsageShape::of(version, host);
    let newest_first = |row: &store::usage::UsageRecord| Reverse(row.version);
    context.ok(Page::of(versions, &context.params()?, newest_first, shape)?)
}

async fn confirm(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::UsageRecordConfirm).await?.id;
    let EmptyBody {} = context.json_or_default()?;
    let version = context.version()?;
    answer(
        &context,
        usage::confirm(&context.app, &context.actor()?, id, version).await?,
    )
    .await
}

async fn dispute(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::UsageRecordDispute).await?.id;
    let reason = context.json_or_default::<ReasonBody>()?.reason;
    let version = context.version()?;
    let record = usage::dispute(&context.app, &context.actor()?, id, version, reason).await?;
    answer(&context, record).await
}

async fn void(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::UsageRecordVoid).await?.id;
    let reason = context.json_or_default::<ReasonBody>()?.reason;
    let version = context.version()?;
    let record = usage::void(&context.app, &context.actor()?, id, version, reason).await?;
    answer(&context, record).await
}

async fn correct(context: RequestContext) -> Answer {
    let present = admitted(&context, Action::UsageRecordCorrect).await?;
    let correction = context.json::<CorrectBody>()?.into();
    let version = context.version()?;
    let record = usage::correct(
        &context.app,
        &context.actor()?,
        &present,
        version,
        correction,
    )
    .await?;
    answer(&context, record).await
}

/// The record of the path: 404 and 403 before anything else is looked at.
async fn admitted(
    context: &RequestContext,
    action: Action,
) -> Result<store::usage::UsageRecord, AppError> {
    let caller = context.caller()?;
    let id: UsageRecordId = context.id("id")?;
    usage::admit(&context.app, caller, id, action).await
}

async fn answer(context: &RequestContext, record: store::usage::UsageRecord) -> Answer {
    let version = record.version;
    context.ok_versioned(version, shaped(context, record).await?)
}

async fn shaped(
    context: &RequestContext,
    record: store::usage::UsageRecord,
) -> Result<UsageShape, AppError> {
    let instrument = record.instrument_id;
    let host = context
        .app
        .store
        .read(move |conn| store::instrument::get(conn, instrument).map_err(AppError::from))
        .await?
        .organization_id;
    Ok(UsageShape::of(record, host))
}
