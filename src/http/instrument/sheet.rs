//! Instruments as tables: import, the empty table to fill in, export.

use actix_web::web::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::answer::{Answer, reply};
use super::super::context::RequestContext;
use super::super::route::{Route, get, post};
use super::list;
use crate::domain::access::Action;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{InstrumentFacts, InstrumentState};
use crate::error::{AppError, Code, Fault};
use crate::exchange::instrument::{self as sheet, Origin};
use crate::exchange::sheet::{Codes, Format, MAX_ROWS};
use crate::http::table_file::{self, TABLES};
use crate::operations::instrument::{self, Empty, Import, ImportMode, Imported};
use crate::operations::run::{Done, Outcome, Reply};
use crate::operations::{reference, table_fault};
use crate::store::instrument::{Instrument, Sort};

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
        post("/instruments/import", Action::InstrumentImport, "Import instruments from CSV or XLSX: all rows or none", import).parameters(&["dry_run", "mode", "empty"]).words::<ImportMode>("mode").words::<Empty>("empty").takes_file(TABLES).heavy()
            .answers::<ImportedInstrumentsShape>(200),
        get("/instruments/import-template", Action::InstrumentTemplateGet, "The empty table (XLSX)", template),
        get("/instruments/export", Action::InstrumentExport, "Instruments as a table", export).parameters(EXPORT_FILTERS).words::<Format>("format").words::<ShareMode>("share_mode").words::<InstrumentState>("status").words::<Sort>("sort").heavy(),
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
    let sent = Sent::of(&context);
    let is_dry_run = sent.as_ref().is_ok_and(|sent| sent.is_dry_run);
    let render = if is_dry_run { judged } else { imported };
    let run = context.run(render)?;
    let mut told = None;
    let read = async {
        let sent = sent?;
        let host = run.actor.caller()?.organization_id;
        let reading = move || sheet::read_some(&sent.bytes, sent.format, &mut |_| ());
        let sheet = context.app.tables.run(reading).await?;
        let (sheet, unread) = sheet?;
        let (rows, captions) = sheet.into_parts();
        let import = Import {
            host,
            rows,
            mode: sent.mode,
            empty: sent.empty,
            // Where a row cannot be read nothing is imported, but what the rules say of the others is told along.
            is_dry_run: is_dry_run || !unread.is_empty(),
        };
        told = Some((captions, unread));
        Ok(import)
    };
    let outcome = instrument::import(&run, read).await;
    let done = match told {
        Some((captions, unread)) => {
            also_unread(outcome.map_err(|error| captions.told(error)), unread)
        }
        None => outcome,
    };
    context.answer(done?, render)
}

fn imported(done: &Imported) -> Result<Reply, AppError> {
    shown(done, false)
}

fn judged(done: &Imported) -> Result<Reply, AppError> {
    shown(done, true)
}

fn shown(done: &Imported, is_dry_run: bool) -> Result<Reply, AppError> {
    let shape = ImportedInstrumentsShape {
        dry_run: is_dry_run,
        created: done.created,
        updated: done.updated,
        unchanged: done.unchanged,
    };
    reply(200, &shape)
}

/// A table as it was sent, and what to do with it.
struct Sent {
    bytes: Bytes,
    format: Format,
    mode: ImportMode,
    empty: Empty,
    is_dry_run: bool,
}

impl Sent {
    fn of(context: &RequestContext) -> Result<Self, AppError> {
        let (bytes, format) = table_file::sent(context)?;
        let params = context.params()?;
        Ok(Self {
            bytes,
            format,
            empty: params.one("empty")?.unwrap_or(Empty::Keep),
            mode: params.one("mode")?.unwrap_or(ImportMode::Create),
            is_dry_run: params.one("dry_run")?.unwrap_or(false),
        })
    }
}

/// What came of the rows that could be read, refused together with those that could not.
fn also_unread(outcome: Outcome<Imported>, unread: Vec<Fault>) -> Outcome<Imported> {
    if unread.is_empty() {
        return outcome;
    }
    let mut faults = unread;
    match outcome {
        Ok(_) => {}
        Err(AppError::Refused(broken)) => faults.extend(broken),
        Err(AppError::Conflict(conflict)) => faults.extend(conflict.faults),
        Err(other) => return Err(other),
    }
    table_fault::refuse(faults)?;
    Ok(Done::Now(Imported::default()))
}

async fn template(context: RequestContext) -> Answer {
    let reader = context.reader();
    instrument::may_get_template(&reader)?;
    context.params()?;
    let categories = reference::list_categories(&context.app, &reader).await?;
    let regions = reference::list_regions(&context.app, &reader).await?;
    let subjects = reference::list_subjects(&context.app, &reader).await?;
    let codes = vec![
        Codes {
            title_zh: "分类编码",
            rows: categories
                .into_iter()
                .map(|row| (row.code, row.name))
                .collect(),
        },
        Codes {
            title_zh: "所在行政区划",
            rows: regions
                .into_iter()
                .map(|row| (row.code, row.name))
                .collect(),
        },
        Codes {
            title_zh: "学科领域",
            rows: subjects
                .into_iter()
                .map(|row| (row.code, row.name))
                .collect(),
        },
    ];
    let bytes = sheet::template(codes).map_err(AppError::internal)?;
    context.download(Format::Xlsx.media_type(), "instruments.xlsx", bytes)
}

async fn export(context: RequestContext) -> Answer {
    let limit = i64::try_from(MAX_ROWS).map_err(AppError::internal)?;
    let asked = context.params().and_then(|params| {
        let format = params.one("format")?.unwrap_or(Format::Xlsx);
        Ok((format, list::filter(&context, &params, limit + 1)?))
    });
    let (format, filter) = match asked {
        Ok((format, filter)) => (format, Ok(filter)),
        Err(fault) => (Format::Xlsx, Err(fault)),
    };
    let found = instrument::export(&context.app, &context.reader(), filter).await?;
    if found.len() > MAX_ROWS {
        let fault = Fault::request(Code::too_many_rows).limit(limit);
        return Err(AppError::Refused(vec![fault]));
    }
    let bytes = context.app.tables.run(move || {
        let rows: Vec<_> = found.into_iter().map(exported).collect();
        sheet::export(&rows, format)
    });
    let bytes = bytes.await?.map_err(AppError::internal)?;
    context.download(format.media_type(), &format!("instruments.{format}"), bytes)
}

fn exported(row: Instrument) -> (Origin, InstrumentFacts) {
    let origin = Origin {
        id: row.id,
        organization_id: row.organization_id,
        status: row.standing.state,
    };
    (origin, row.facts)
}
