//! `/usage-records`: hours typed, imported, confirmed, disputed, corrected and voided.

mod shape;
mod table;

use std::cmp::Reverse;

use super::answer::{Answer, Page};
use super::asked::Asked;
use super::feed::Start;
use super::reason::{EmptyBody, ReasonBody};
use super::routes::{Route, get, post};
use crate::domain::UsageRecordId;
use crate::domain::access::{Deed, Reach};
use crate::error::AppError;
use crate::operations::usage;
use crate::store;
use crate::store::usage::{Filter, Listed};
use shape::{CorrectBody, RecordBody, UsagePage, UsageShape};

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
            "usage_record_list",
            "Usage records, newest first, or with updated_since in the order of change",
            list,
        )
        .deed(Deed::UsageRead)
        .parameters(FILTERS)
        .answers::<UsagePage>(200),
        post(
            "/usage-records",
            "usage_record_create",
            "Type in a service",
            create,
        )
        .deed(Deed::UsageRecord)
        .takes::<RecordBody>()
        .answers::<UsageShape>(201),
        get(
            "/usage-records/{id}",
            "usage_record_get",
            "One record",
            get_one,
        )
        .deed(Deed::UsageRead)
        .answers::<UsageShape>(200),
        get(
            "/usage-records/{id}/versions",
            "usage_record_version_list",
            "Every version, newest first; to a using unit those that name it",
            versions,
        )
        .deed(Deed::UsageRead)
        .parameters(&["limit", "cursor"])
        .answers::<UsagePage>(200),
    ];
    routes.extend(deeds());
    routes.extend(table::routes());
    routes
}

fn deeds() -> [Route; 4] {
    [
        post(
            "/usage-records/{id}/confirm",
            "usage_record_confirm",
            "The using unit agrees",
            confirm,
        )
        .deed(Deed::UsageConfirm)
        .takes::<EmptyBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/dispute",
            "usage_record_dispute",
            "The using unit does not agree, and says why",
            dispute,
        )
        .deed(Deed::UsageDispute)
        .takes::<ReasonBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/void",
            "usage_record_void",
            "The host takes the record back, and says why",
            void,
        )
        .deed(Deed::UsageVoid)
        .takes::<ReasonBody>()
        .answers::<UsageShape>(200),
        post(
            "/usage-records/{id}/correct",
            "usage_record_correct",
            "The host corrects the record: a new version, to be confirmed again",
            correct,
        )
        .deed(Deed::UsageCorrect)
        .takes::<CorrectBody>()
        .answers::<UsageShape>(200),
    ]
}

/// What the query asks for, as far as the caller may see it.
async fn filter(asked: &Asked, deed: Deed) -> Result<(Filter, Start), AppError> {
    let reach = Reach::of(asked.may(deed)?, deed);
    let params = asked.params()?;
    let start = Start::of(asked, &params).await?;
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

async fn list(asked: Asked) -> Answer {
    let (mut filter, start) = filter(&asked, Deed::UsageRead).await?;
    let limit = filter.limit;
    filter.limit += 1;
    let rows = asked
        .app
        .store
        .read(move |conn| store::usage::list(conn, &filter).map_err(AppError::from))
        .await?;
    let place = |row: &Listed| (row.record.updated_at, row.record.id.number());
    asked.ok(start.page(rows, limit, place, UsageShape::from)?)
}

async fn create(asked: Asked) -> Answer {
    asked.may(Deed::UsageRecord)?;
    let new = asked.json::<RecordBody>()?.into_new()?;
    let record = usage::record(&asked.app, &asked.act()?, new).await?;
    let (id, version) = (record.id, record.version);
    let shape = shaped(&asked, record).await?;
    asked.created_versioned(format!("/api/v1/usage-records/{id}"), version, shape)
}

async fn get_one(asked: Asked) -> Answer {
    let record = admitted(&asked, Deed::UsageRead).await?;
    answer(&asked, record).await
}

async fn versions(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::UsageRead).await?.id;
    let (host, versions) = usage::list_versions(&asked.app, asked.caller()?, id).await?;
    let shape = |version| UsageShape::of(version, host);
    let newest_first = |row: &store::usage::UsageRecord| Reverse(row.version);
    asked.ok(Page::of(versions, &asked.params()?, newest_first, shape)?)
}

async fn confirm(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::UsageConfirm).await?.id;
    let EmptyBody {} = asked.json_or_default()?;
    let version = asked.version()?;
    answer(
        &asked,
        usage::confirm(&asked.app, &asked.act()?, id, version).await?,
    )
    .await
}

async fn dispute(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::UsageDispute).await?.id;
    let reason = asked.json_or_default::<ReasonBody>()?.reason;
    let version = asked.version()?;
    let record = usage::dispute(&asked.app, &asked.act()?, id, version, reason).await?;
    answer(&asked, record).await
}

async fn void(asked: Asked) -> Answer {
    let id = admitted(&asked, Deed::UsageVoid).await?.id;
    let reason = asked.json_or_default::<ReasonBody>()?.reason;
    let version = asked.version()?;
    let record = usage::void(&asked.app, &asked.act()?, id, version, reason).await?;
    answer(&asked, record).await
}

async fn correct(asked: Asked) -> Answer {
    let present = admitted(&asked, Deed::UsageCorrect).await?;
    let correction = asked.json::<CorrectBody>()?.into();
    let version = asked.version()?;
    let record = usage::correct(&asked.app, &asked.act()?, &present, version, correction).await?;
    answer(&asked, record).await
}

/// The record of the path: 404 and 403 before anything else is looked at.
async fn admitted(asked: &Asked, deed: Deed) -> Result<store::usage::UsageRecord, AppError> {
    let caller = asked.caller()?;
    let id: UsageRecordId = asked.id("id")?;
    usage::admit(&asked.app, caller, id, deed).await
}

async fn answer(asked: &Asked, record: store::usage::UsageRecord) -> Answer {
    let version = record.version;
    asked.ok_versioned(version, shaped(asked, record).await?)
}

async fn shaped(asked: &Asked, record: store::usage::UsageRecord) -> Result<UsageShape, AppError> {
    let instrument = record.instrument_id;
    let host = asked
        .app
        .store
        .read(move |conn| store::instrument::get(conn, instrument).map_err(AppError::from))
        .await?
        .organization_id;
    Ok(UsageShape::of(record, host))
}
