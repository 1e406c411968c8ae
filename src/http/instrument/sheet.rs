//! Instruments as tables: import, the empty table to fill in, export.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::answer::Answer;
use super::super::context::RequestContext;
use super::super::route::{Route, get, post};
use super::list;
use crate::domain::access::Action;
use crate::error::{AppError, Code, Fault};
use crate::exchange::instrument::{self as sheet, InstrumentRow, Origin};
use crate::exchange::sheet::{CellFault, Format, MAX_ROWS};
use crate::operations::instrument::{self, Import, ImportMode, Imported};
use crate::operations::table_fault;
use crate::store::instrument::{Filter, Instrument};
use crate::store::{self, Conn};

const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

const EXPORT_FILTERS: &[&str] = &[
    "format",
    "q",
    "category",
    "region",
    "organization",
    "method",
    "share_mode",
    "status",
    "max_price_fen",
    "sort",
];

#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        post("/instruments/import", Action::InstrumentImport, "Import instruments from CSV or XLSX: all rows or none", import).parameters(&["dry_run", "mode"]).takes_file(&[CSV, XLSX])
            .answers::<ImportedInstrumentsShape>(200),
        get("/instruments/import-template", Action::InstrumentTemplateGet, "The empty table (XLSX)", template),
        get("/instruments/export", Action::InstrumentExport, "Instruments as a table", export).parameters(EXPORT_FILTERS),
    ]
}

/// What an import did or, as a dry run, would do.
#[derive(Serialize, ToSchema)]
struct ImportedInstrumentsShape {
    dry_run: bool,
    created: usize,
    updated: usize,
    unchanged: usize,
}

async fn import(context: RequestContext) -> Answer {
    let host = context.may(Action::InstrumentImport)?.organization_id;
    let bytes = context.file(&[CSV, XLSX])?.clone();
    let params = context.params()?;
    let is_dry_run = params.one("dry_run")?.unwrap_or(false);
    let mode = params.one("mode")?.unwrap_or(ImportMode::Create);
    let format = match context.media_type().as_str() {
        CSV => Format::Csv,
        _ => Format::Xlsx,
    };
    let sheet = away(move || sheet::read_some(&bytes, format, &mut |_| ())).await?;
    let (sheet, unread) = sheet.map_err(|faults| AppError::Refused(as_told(faults)))?;
    let (rows, captions) = sheet.into_parts();
    let mut import = Import {
        host,
        rows,
        mode,
        is_dry_run,
    };
    let mut act = context.actor()?;
    if !unread.is_empty() {
        // Nothing will be imported, but what the rules say of the other rows is told along.
        import.is_dry_run = true;
        act.once = None;
    }
    let imported = instrument::import(&context.app, &act, import).await;
    let imported = also_unread(imported.map_err(|error| captions.told(error)), unread)?;
    context.ok(ImportedInstrumentsShape {
        dry_run: is_dry_run,
        created: imported.created,
        updated: imported.updated,
        unchanged: imported.unchanged,
    })
}

fn as_told(faults: Vec<CellFault>) -> Vec<Fault> {
    faults.into_iter().map(Fault::from).collect()
}

/// What came of the rows that could be read, refused together with those that could not.
fn also_unread(
    imported: Result<Imported, AppError>,
    unread: Vec<CellFault>,
) -> Result<Imported, AppError> {
    if unread.is_empty() {
        return imported;
    }
    let mut faults = as_told(unread);
    match imported {
        Ok(_) => {}
        Err(AppError::Refused(broken)) => faults.extend(broken),
        Err(AppError::Conflict(conflict)) => faults.extend(conflict.faults),
        Err(other) => return Err(other),
    }
    table_fault::refuse(faults)?;
    Ok(Imported::default())
}

/// Reading and writing tables takes long, so it leaves the thread that serves requests.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
    web::block(work).await.map_err(AppError::internal)
}

async fn template(context: RequestContext) -> Answer {
    context.may(Action::InstrumentImport)?;
    context.params()?;
    let bytes = sheet::template().map_err(AppError::internal)?;
    context.download(XLSX, "instruments.xlsx", bytes)
}

async fn export(context: RequestContext) -> Answer {
    context.may(Action::InstrumentExport)?;
    let params = context.params()?;
    let format = params.one("format")?.unwrap_or(Format::Xlsx);
    let reach = list::reach(&context, Action::InstrumentExport);
    let limit = i64::try_from(MAX_ROWS).map_err(AppError::internal)?;
    let filter = Filter {
        is_public: false,
        ..list::filter(&context, &params, reach, limit + 1)?
    };
    let find =
        move |conn: &mut Conn| store::instrument::list_all(conn, filter).map_err(AppError::from);
    let found = context.app.store.read(find).await?;
    if found.len() > MAX_ROWS {
        let fault = Fault::request(Code::too_many_rows).limit(limit);
        return Err(AppError::Refused(vec![fault]));
    }
    let bytes = away(move || {
        let rows: Vec<_> = found.iter().map(exported).collect();
        sheet::export(&rows, format)
    });
    let bytes = bytes.await?.map_err(AppError::internal)?;
    context.download(format.media_type(), &format!("instruments.{format}"), bytes)
}

fn exported(row: &Instrument) -> (Origin, InstrumentRow) {
    let origin = Origin {
        id: row.id,
        organization_id: row.organization_id,
        status: row.state,
    };
    (origin, InstrumentRow::of(&row.facts()))
}
