//! `/expert-points/import`: a sheet of experts' points, and the empty one to fill in.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::context::RequestContext;
use super::route::{Route, get, post};
use super::table_file::{self, TABLES};
use crate::domain::access::Action;
use crate::error::AppError;
use crate::exchange::expert_point as sheet;
use crate::exchange::sheet::Format;
use crate::operations::expert_point::{self, Imported};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        post(
            "/expert-points/import",
            Action::ExpertPointImport,
            "Take the points of every row of a spreadsheet, or of none; what evaluators or the province give stands before them",
            import,
        )
        .parameters(&["dry_run"])
        .takes_file(TABLES)
        .heavy()
        .answers::<ImportedPointsShape>(200),
        get(
            "/expert-points/import-template",
            Action::ExpertPointTemplateGet,
            "The empty spreadsheet (XLSX)",
            template,
        )
        .answers_status(200),
    ]
}

/// What was taken, or would be.
#[derive(Serialize, ToSchema)]
struct ImportedPointsShape {
    dry_run: bool,
    rows: usize,
    /// Rows that say something new.
    changed: usize,
}

async fn import(context: RequestContext) -> Answer {
    let run = context.run(imported)?;
    let asked = context.params().and_then(|params| params.one("dry_run"));
    let is_dry_run = matches!(asked, Ok(Some(true)));
    let mut told = None;
    let read = async {
        let (bytes, format) = table_file::sent(&context)?;
        asked?;
        let reading = move || sheet::read(&bytes, format);
        let (rows, captions) = context.app.tables.run(reading).await??;
        told = Some(captions);
        Ok(rows)
    };
    let done = expert_point::import(&run, read, is_dry_run).await;
    let done = match told {
        Some(captions) => done.map_err(|error| captions.told(error)),
        None => done,
    };
    context.answer(done?, imported)
}

fn imported(done: &Imported) -> Result<Reply, AppError> {
    let shape = ImportedPointsShape {
        dry_run: done.is_dry_run,
        rows: done.rows,
        changed: done.changed,
    };
    reply(200, &shape)
}

async fn template(context: RequestContext) -> Answer {
    expert_point::may_get_template(&context.reader())?;
    let bytes = sheet::template().map_err(AppError::internal)?;
    context.download(Format::Xlsx.media_type(), "expert-points.xlsx", bytes)
}
