//! Usage records as spreadsheets: import, its dry run, and the export that an import reads again.

use serde::Serialize;
use utoipa::ToSchema;

use super::filter;
use crate::domain::Slot;
use crate::domain::access::Action;
use crate::domain::usage::UsageState;
use crate::error::AppError;
use crate::exchange::sheet::{Format, MAX_ROWS, Numbered};
use crate::exchange::usage::{self as sheet, UsageRow};
use crate::http::answer::{Answer, reply};
use crate::http::context::RequestContext;
use crate::http::feed::Start;
use crate::http::params::Params;
use crate::http::route::{Route, get, post};
use crate::http::table_file::{self, TABLES};
use crate::operations::run::Reply;
use crate::operations::usage::{self, ImportTable, Imported};
use crate::store;
use crate::store::usage::{Filter, Listed};

pub fn routes() -> [Route; 3] {
    [
        post(
            "/usage-records/import",
            Action::UsageRecordImport,
            "Record every row of a spreadsheet, or none",
            import,
        )
        .parameters(&["dry_run"])
        .takes_file(TABLES)
        .heavy()
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
        .words::<Format>("format")
        .words::<UsageState>("state")
        .heavy()
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
    "unpriced",
    "from",
    "until",
];

/// What was recorded, or would be.
#[derive(Serialize, ToSchema)]
struct ImportedUsageShape {
    dry_run: bool,
    rows: usize,
}

async fn import(context: RequestContext) -> Answer {
    let done = usage::import(&context.run(imported)?, table(&context)).await?;
    context.answer(done, imported)
}

fn imported(done: &Imported) -> Result<Reply, AppError> {
    let shape = ImportedUsageShape {
        dry_run: done.is_dry_run,
        rows: done.rows,
    };
    reply(200, &shape)
}

fn table(context: &RequestContext) -> Result<ImportTable, AppError> {
    let is_dry_run = context.params()?.one("dry_run")?.unwrap_or(false);
    let (bytes, format) = table_file::sent(context)?;
    let read = move || {
        let rows = sheet::read(&bytes, format)?;
        Ok(rows.into_iter().map(Numbered::into).collect())
    };
    Ok(ImportTable {
        read: Box::new(read),
        is_dry_run,
    })
}

async fn template(context: RequestContext) -> Answer {
    usage::may_get_template(&context.reader())?;
    let bytes = sheet::template().map_err(AppError::internal)?;
    context.download(Format::Xlsx.media_type(), "usage-records.xlsx", bytes)
}

async fn export(context: RequestContext) -> Answer {
    let (format, filter) = match context.params().and_then(|params| exported(&params)) {
        Ok((format, filter)) => (format, Ok(filter)),
        Err(fault) => (Format::Xlsx, Err(fault)),
    };
    let rows = usage::export(&context.app, &context.reader(), filter).await?;
    let rows: Vec<UsageRow> = rows.into_iter().map(row_of).collect::<Result<_, _>>()?;
    let writing = context.app.tables.run(move || sheet::write(&rows, format));
    let bytes = writing.await?.map_err(AppError::internal)?;
    let name = match format {
        Format::Csv => "usage-records.csv",
        Format::Xlsx => "usage-records.xlsx",
    };
    context.download(format.media_type(), name, bytes)
}

/// The form of the table, and the records that are to be in it.
fn exported(params: &Params) -> Result<(Format, Filter), AppError> {
    let format = params.one("format")?.unwrap_or(Format::Xlsx);
    let most = i64::try_from(MAX_ROWS).map_err(AppError::internal)?;
    Ok((format, filter(params, &Start::Newest(None), most)?))
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
        reference_may_lack_zeros: false,
        channel: u32::try_from(record.channel).ok(),
        service_class: record.service_class,
        project: record.project,
        project_level: record.project_level,
    })
}
