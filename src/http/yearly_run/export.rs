//! Exports of evaluations and subsidy runs: a table for programs, a workbook, or the notice as pages; and what is published as an
//! archive that another machine can prove.

use crate::domain::access::Action;
use crate::domain::run::RunKind;
use crate::exchange::archive;
use crate::exchange::document::Format;
use crate::exchange::yearly_run;
use crate::http::answer::Answer;
use crate::http::context::RequestContext;
use crate::http::route::{Route, get};

const ZIP: &str = "application/zip";

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/evaluations/{id}/export",
            Action::EvaluationExport,
            "The grades as a table, as a workbook, or as the notice",
            |context| export(context, RunKind::Evaluation),
        )
        .parameters(&["format"])
        .words::<Format>("format")
        .heavy()
        .proves(&[409])
        .answers_status(200),
        get(
            "/subsidy-runs/{id}/export",
            Action::SubsidyExport,
            "The awards as a table, as a workbook, or as the notice",
            |context| export(context, RunKind::SubsidyRun),
        )
        .parameters(&["format"])
        .words::<Format>("format")
        .heavy()
        .proves(&[409])
        .answers_status(200),
        get(
            "/evaluations/{id}/archive",
            Action::EvaluationArchive,
            "A published evaluation with everything it was made of, to be proved elsewhere",
            |context| archived(context, RunKind::Evaluation),
        )
        .heavy()
        .proves(&[409])
        .answers_file(ZIP),
        get(
            "/subsidy-runs/{id}/archive",
            Action::SubsidyArchive,
            "A published run with everything it was made of, to be proved elsewhere",
            |context| archived(context, RunKind::SubsidyRun),
        )
        .heavy()
        .proves(&[409])
        .answers_file(ZIP),
    ]
}

async fn archived(context: RequestContext, kind: RunKind) -> Answer {
    let (actor, id) = (context.reader(), super::id(&context, kind)?);
    let bytes = archive::file(&context.app, &actor, id).await?;
    let name = match kind {
        RunKind::Evaluation => format!("evaluation-{}.zip", id.number()),
        RunKind::SubsidyRun => format!("subsidy-run-{}.zip", id.number()),
    };
    context.download(ZIP, &name, bytes)
}

async fn export(context: RequestContext, kind: RunKind) -> Answer {
    let (actor, id) = (context.reader(), super::id(&context, kind)?);
    let asked = context.params().and_then(|params| params.one("format"));
    let (format, bytes) = yearly_run::file(&context.app, &actor, id, asked).await?;
    let name = match kind {
        RunKind::Evaluation => format!("evaluation-{}.{format}", id.number()),
        RunKind::SubsidyRun => format!("subsidy-run-{}.{format}", id.number()),
    };
    context.download(format.media_type(), &name, bytes)
}
