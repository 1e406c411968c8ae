//! Usage records as spreadsheets: import, its dry run, and the export that an import reads again.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::filter;
use crate::domain::Slot;
use crate::domain::access::Action;
use crate::domain::usage::UsageState;
use crate::error::{AppError, Code, Fault};
use crate::exchange::sheet::{CellFault, Format, MAX_ROWS, Numbered};
use crate::exchange::usage::{self as sheet, UsageRow};
use crate::http::answer::Answer;
use crate::http::context::RequestContext;
use crate::http::route::{Route, get, post};
use crate::operations::usage;
use crate::operations::usage::ImportRow;
use crate::store;
use crate::store::usage::Listed;

const TYPES: &[&str] = &[
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
];

pub fn routes() -> [Route; 3] {
    [
        post(
            "/usage-records/import",
            Action::UsageRecordImport,
            "Record every row of a spreadsheet, or none",
            import,
        )
        .parameters(&["dry_run"])
        .takes_file(TYPES)
        .answers::<ImportedUsageShape>(200),
        get(
            "/usage-records/import-template",
            Action::UsageRecordTemplateGet,
            "The empty spreadsheet (XLSX)",
            template,
        )
        .answers_status(200),
        get(
            "/usage-records/export",
            Action::UsageRecordExport,
            "The records of a list as a spreadsheet",
            export,
        )
        .parameters(EXPORT_PARAMETERS)
        .answers_status(200),
    ]
}

const EXPORT_PARAMETERS: &[&str] = &[
    "format",
    "instrument_id",
    "organization_id",
    "host_organization_id",
    "state",
    "booking_id",
    "client_reference",
    "from",
    "until",
];

/// What is exported when no state is asked for.
const STANDING: [UsageState; 3] = [
    UsageState::Recorded,
    UsageState::Confirmed,
    UsageState::Disputed,
];

/// What was recorded, or would be.
#[derive(Serialize, ToSchema)]
struct ImportedUsageShape {
    dry_run: bool,
    rows: usize,
}

async fn import(context: RequestContext) -> Answer {
    context.may(Action::UsageRecordImport)?;
    let is_dry_run = context.params()?.one("dry_run")?.unwrap_or(false);
    let bytes = context.file(TYPES)?.clone();
    let format = if context.media_type() == "text/csv" {
        Format::Csv
    } else {
        Format::Xlsx
    };
    // Reading takes long, so it leaves the thread that serves requests.
    let rows = web::block(move || sheet::read(&bytes, format)).await;
    let rows = rows.map_err(AppError::internal)?.map_err(refused)?;
    let rows: Vec<ImportRow> = rows.into_iter().map(Numbered::into).collect();
    let done = usage::import(&context.app, &context.actor()?, rows, is_dry_run).await?;
    context.ok(ImportedUsageShape {
        dry_run: done.is_dry_run,
        rows: done.rows,
    })
}

fn refused(faults: Vec<CellFault>) -> AppError {
    AppError::Refused(faults.into_iter().map(Fault::from).collect())
}

async fn template(context: RequestContext) -> Answer {
    context.may(Action::UsageRecordImport)?;
    let bytes = sheet::template().map_err(AppError::internal)?;
    context.download(Format::Xlsx.media_type(), "usage-records.xlsx", bytes)
}

async fn export(context: RequestContext) -> Answer {
    let (mut filter, _) = filter(&context, Action::UsageRecordExport).await?;
    let format = context.params()?.one("format")?.unwrap_or(Format::Xlsx);
    let most = i64::try_from(MAX_ROWS).unwrap_or(i64::MAX);
    filter.limit = most + 1;
    if filter.states.is_empty() {
        // The table has no column that would say that a record was taken back.
        filter.states = STANDING.to_vec();
    }
    let rows = context
        .app
        .store
        .read(move |conn| store::usage::list_all(conn, filter).map_err(AppError::from))
        .await?;
    if rows.len() > MAX_ROWS {
        let fault = Fault::request(Code::too_many_rows).limit(most);
        return Err(AppError::Refused(vec![fault]));
    }
    let rows: Vec<UsageRow> = rows.into_iter().map(row_of).collect::<Result<_, _>>()?;
    let bytes = sheet::write(&rows, format).map_err(AppError::internal)?;
    let name = match format {
        Format::Csv => "usage-records.csv",
        Format::Xlsx => "usage-records.xlsx",
    };
    context.download(format.media_type(), name, bytes)
}

/// A record as a row; of an operator only the name, which the table has a column for.
fn row_of(listed: Listed) -> Result<UsageRow, AppError> {
    let record = listed.record;
    let operator = record.operator.map(store::Json::into_inner);
    let name = operator
        .as_ref()
        .and_then(|operator| operator.get("name")?.as_str());
    Ok(UsageRow {
        asset_no: listed.asset_no,
        using_uscc: listed.using_uscc.as_str().to_owned(),
        slot: Slot::new(record.started_at, record.ended_at).map_err(AppError::internal)?,
        prepare_minutes: Some(record.prepare_minutes),
        run_minutes: Some(record.run_minutes),
        post_minutes: Some(record.post_minutes),
        samples: u32::try_from(record.samples).ok(),
        mode: record.mode,
        purpose: record.purpose,
        statutory: Some(record.statutory),
        operator: name.map(str::to_owned),
        client_reference: record.client_reference,
        channel: u32::try_from(record.channel).ok(),
    })
}
