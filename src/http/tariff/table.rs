//! Prices as a table: import, and the empty table to fill in.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::access::Action;
use crate::error::AppError;
use crate::exchange::sheet::Format;
use crate::exchange::tariff as sheet;
use crate::http::answer::{Answer, reply};
use crate::http::context::RequestContext;
use crate::http::route::{Route, get, post};
use crate::http::table_file::{self, TABLES};
use crate::operations::run::Reply;
use crate::operations::tariff::{self, ImportedTariffs};

pub fn routes() -> [Route; 2] {
    [
        post(
            "/tariffs/import",
            Action::TariffImport,
            "Make every price of a table (CSV or XLSX), or none",
            import,
        )
        .parameters(&["dry_run"])
        .takes_file(TABLES)
        .heavy()
        .answers::<ImportedTariffsShape>(200),
        get(
            "/tariffs/import-template",
            Action::TariffTemplateGet,
            "The empty table (XLSX)",
            template,
        )
        .answers_status(200),
    ]
}

/// What an import did or, as a dry run, would do.
#[derive(Serialize, ToSchema)]
struct ImportedTariffsShape {
    dry_run: bool,
    created: usize,
    /// Prices that hold already, just as the table says.
    unchanged: usize,
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
    let done = tariff::import(&run, read, is_dry_run).await;
    let done = match told {
        Some(captions) => done.map_err(|error| captions.told(error)),
        None => done,
    };
    context.answer(done?, imported)
}

fn imported(done: &ImportedTariffs) -> Result<Reply, AppError> {
    let shape = ImportedTariffsShape {
        dry_run: done.is_dry_run,
        created: done.created,
        unchanged: done.unchanged,
    };
    reply(200, &shape)
}

async fn template(context: RequestContext) -> Answer {
    tariff::may_get_template(&context.reader())?;
    context.params()?;
    let bytes = sheet::template().map_err(AppError::internal)?;
    context.download(Format::Xlsx.media_type(), "tariffs.xlsx", bytes)
}
