//! Exports of evaluations and subsidy runs: a table for programs, a workbook with everything, and the notice as pages.

pub mod notice;
mod sheets;
mod workbook;

use super::document::{self, Document, Format};
use super::{awards, subsidy_json};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::run::{RunId, RunState};
use crate::domain::{Instant, SubsidyRunId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::award;
use crate::operations::yearly_run::awards as reports;
use crate::operations::yearly_run::export;

/// A run as a file, for who may export it; as CSV where no format is asked for. `format` may be a fault of the request: it is
/// told to who may have the file.
pub async fn file(
    app: &App,
    actor: &Actor,
    id: RunId,
    format: Result<Option<Format>, AppError>,
) -> Result<(Format, Vec<u8>), AppError> {
    let export = export::read(app, actor, id).await?;
    let format = format?.unwrap_or(Format::Csv);
    let dated = export.made_at;
    let document = match (format, id) {
        (Format::Csv, RunId::SubsidyRun(run)) => {
            return Ok((format, csv(app, actor, run).await?));
        }
        (Format::Pdf, _) => notice::document(&export.notice),
        (Format::Csv | Format::Xlsx, _) => workbook::document(&export),
    };
    Ok((format, write(app, document, format, dated).await?))
}

/// The document as a file, when a turn comes.
pub async fn write(
    app: &App,
    document: Document,
    format: Format,
    dated: Instant,
) -> Result<Vec<u8>, AppError> {
    let with = app.clone();
    let write = move || document::write(&with, &document, format, dated);
    app.tables.run(write).await?
}

async fn csv(app: &App, actor: &Actor, id: SubsidyRunId) -> Result<Vec<u8>, AppError> {
    let report = reports::report(app, actor, Action::SubsidyExport, id).await?;
    let printed = subsidy_json::of_report(&report).map_err(AppError::internal)?;
    let standings = award::standings(app, actor, id).await?;
    let became = awards::became(&report, &standings).map_err(AppError::internal)?;
    let write = move || awards::write(&printed, &became).map_err(AppError::internal);
    app.tables.run(write).await?
}

const fn state_word(state: RunState) -> &'static str {
    match state {
        RunState::Running => "计算中",
        RunState::Draft => "草稿，尚未公示",
        RunState::Published => "已公示",
        RunState::Final => "已确定",
        RunState::Discarded => "已作废",
        RunState::Failed => "计算失败",
    }
}

/// A factor `p/q` for people: with six decimals, the exact one beside it.
fn factor_words(factor: &str) -> String {
    match crate::domain::ratio::parse_exact(factor) {
        Ok(value) if value.is_integer() => "1（预算充足，未折算）".to_owned(),
        Ok(value) => format!("{}（{factor}）", crate::domain::ratio::decimal(&value, 6)),
        Err(_) => factor.to_owned(),
    }
}
