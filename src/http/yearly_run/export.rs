//! Exports of evaluations and subsidy runs: a table for programs, a workbook, or the notice as pages.

use crate::domain::access::Action;
use crate::domain::run::RunKind;
use crate::exchange::document::Format;
use crate::exchange::yearly_run;
use crate::http::answer::Answer;
use crate::http::context::RequestContext;
use crate::http::route::{Route, get};

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
    ]
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
