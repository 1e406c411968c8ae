//! How an award came about: scores, steps, and the records behind each metric.

use clap::Args;
use serde_json::{Value, json};

use super::{id, left_out, no_run};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::operator;
use crate::cli::output::{self, Format};
use crate::cli::policy::Language;
use crate::error::{AppError, Fault, Location};
use crate::operations::account::Uscc;
use crate::operations::yearly_run;
use crate::operations::yearly_run::SubsidyRunId;
use crate::operations::yearly_run::explain::{
    self, Choice, Explanation, LeftOutChoice, LeftOutReason, MetricRecords, RecordShare,
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The number of the run.
    run: i64,
    /// The unit.
    #[arg(long, value_name = "USCC")]
    organization: Uscc,
    /// The records of this metric only.
    #[arg(long)]
    metric: Option<String>,
    /// Records after this id: the last one shown before.
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    /// The records left out for this reason only.
    #[arg(long, value_name = "REASON", conflicts_with = "metric")]
    left_out: Option<LeftOutReason>,
    /// So many records of each metric.
    #[arg(long, default_value_t = 10)]
    limit: usize,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// In which language sentences are said.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
}

pub async fn run(app: &App, arguments: Arguments) -> Result<(), Failure> {
    let (run, actor): (SubsidyRunId, _) = (id(arguments.run)?, operator(app));
    let choice = Choice {
        metric: arguments.metric,
        after: match arguments.left_out {
            Some(_) => None,
            None => arguments.after.map(id).transpose()?,
        },
        left_out: match arguments.left_out {
            Some(reason) => Some(LeftOutChoice {
                reason,
                after: arguments.after.map(id).transpose()?,
            }),
            None => None,
        },
        limit: arguments.limit,
    };
    let unit = arguments.organization.clone();
    let explanation = match explain::explain_unit(app, &actor, (run, unit), choice).await {
        Err(AppError::NotFound) => {
            // The run itself may be what is missing.
            let known = yearly_run::get(app, &actor, run.into()).await;
            known.map_err(|error| no_run(error, arguments.run))?;
            return Err(Failure::Refused(format!(
                "{} has no award in run {}",
                arguments.organization, arguments.run
            )));
        }
        explained => explained.map_err(no_metric)?,
    };
    match arguments.format {
        Format::Json => output::json(&document(&explanation, arguments.lang)),
        Format::Table => {
            output::say(&format!(
                "{}: {} points, place {}, {}, {} yuan",
                arguments.organization,
                explanation.total,
                explanation.place,
                explanation.award.grade,
                explanation.award.award_fen
            ))?;
            scores(&explanation)?;
            steps(&explanation)?;
            left_out::print(&explanation, arguments.left_out, arguments.lang)?;
            explanation.metrics.iter().try_for_each(records)
        }
    }
}

/// The choice has one field that can be wrong in itself.
fn no_metric(error: AppError) -> Failure {
    let (AppError::Refused(faults) | AppError::Malformed(faults)) = &error else {
        return error.into();
    };
    let is_metric = |fault: &&Fault| fault.place == Location::Field("metric".to_owned());
    let Some(fault) = faults.iter().find(is_metric) else {
        return error.into();
    };
    let guess = fault.did_you_mean.as_ref();
    let guess = guess.map(|word| format!("; did you mean {word}?"));
    Failure::Refused(format!(
        "--metric: the policy of the run has no such metric{}; without --metric all of them are listed",
        guess.unwrap_or_default()
    ))
}

fn scores(explanation: &Explanation) -> Result<(), Failure> {
    let rows: Vec<_> = explanation
        .scores
        .iter()
        .map(|score| {
            [
                score.id.clone(),
                score.numerator.clone(),
                score.denominator.clone(),
                score.full_at.clone(),
                score.max.clone(),
                score.points_printed.clone(),
            ]
        })
        .collect();
    output::say("")?;
    output::table(["score", "of", "over", "full at", "max", "points"], &rows)
}

fn steps(explanation: &Explanation) -> Result<(), Failure> {
    let rows: Vec<_> = explanation
        .steps
        .iter()
        .map(|step| {
            let operands = step
                .operands
                .iter()
                .map(|(name, value)| format!("{name} {value}"));
            let instrument = step.instrument_id.map(|id| id.to_string());
            [
                step.step.to_string(),
                instrument.unwrap_or_default(),
                operands.collect::<Vec<_>>().join(", "),
                step.before_fen.clone(),
                step.after_fen.clone(),
            ]
        })
        .collect();
    output::say("")?;
    output::table(
        ["step", "instrument", "operands", "fen before", "fen after"],
        &rows,
    )
}

fn records(metric: &MetricRecords) -> Result<(), Failure> {
    output::say(&format!("\nBehind {}, {}", metric.metric, metric.value))?;
    if let Some(note) = metric.note {
        return output::say(note);
    }
    if !metric.instruments.is_empty() {
        return instruments(metric);
    }
    let rows: Vec<_> = metric.records.iter().map(record).collect();
    let headings = [
        "record",
        "version",
        "instrument",
        "user",
        "minutes",
        "paid fen",
        "voucher fen",
        "left out",
        "answer",
    ];
    output::table(headings, &rows)?;
    match metric.next {
        Some(next) => output::say(&format!("More: --metric {} --after {next}", metric.metric)),
        None => Ok(()),
    }
}

fn record(share: &RecordShare) -> [String; 9] {
    let left_out = share.left_out.map(|reason| reason.to_string());
    let answer = share.satisfaction.map(|level| level.to_string());
    [
        share.usage_record_id.to_string(),
        share.version.to_string(),
        share.instrument_id.to_string(),
        share.organization_id.to_string(),
        share.effective_minutes.number().to_string(),
        share.payer_fen.number().to_string(),
        share.voucher_fen.number().to_string(),
        left_out.unwrap_or_default(),
        answer.unwrap_or_default(),
    ]
}

fn instruments(metric: &MetricRecords) -> Result<(), Failure> {
    let rows: Vec<_> = metric
        .instruments
        .iter()
        .map(|share| {
            [
                share.instrument_id.to_string(),
                share.asset_no.clone(),
                share.value.to_string(),
            ]
        })
        .collect();
    output::table(["instrument", "asset number", "value"], &rows)
}

fn document(explanation: &Explanation, language: Language) -> Value {
    let award = &explanation.award;
    let steps = explanation.steps.iter().map(|step| {
        json!({
            "step": step.step,
            "instrument_id": step.instrument_id,
            "operands": step.operands,
            "before_fen": step.before_fen,
            "after_fen": step.after_fen,
        })
    });
    json!({
        "organization_id": award.organization_id,
        "grade": award.grade,
        "total": explanation.total,
        "total_exact": explanation.total_exact,
        "place": explanation.place,
        "award_fen": award.award_fen,
        "before_pool_fen": explanation.before_pool_fen,
        "before_pool_fen_exact": award.before_pool_fen,
        "instruments": award.instruments,
        "scores": explanation.scores,
        "steps": steps.collect::<Vec<_>>(),
        "charges_fen": explanation.money.charges,
        "base_fen": explanation.money.base,
        "left_out": left_out::document(explanation, language),
        "left_out_records": left_out::records(explanation),
        "metrics": explanation.metrics.iter().map(metric_document).collect::<Vec<_>>(),
    })
}

fn metric_document(metric: &MetricRecords) -> Value {
    let records = metric.records.iter().map(|share| {
        json!({
            "usage_record_id": share.usage_record_id,
            "version": share.version,
            "instrument_id": share.instrument_id,
            "organization_id": share.organization_id,
            "effective_minutes": share.effective_minutes,
            "payer_fen": share.payer_fen,
            "voucher_fen": share.voucher_fen,
            "left_out": share.left_out,
            "satisfaction": share.satisfaction,
        })
    });
    let instruments = metric.instruments.iter().map(|share| {
        json!({
            "instrument_id": share.instrument_id,
            "asset_no": share.asset_no,
            "value": share.value,
        })
    });
    json!({
        "metric": metric.metric,
        "value": metric.value,
        "records": records.collect::<Vec<_>>(),
        "next": metric.next,
        "instruments": instruments.collect::<Vec<_>>(),
        "note": metric.note,
    })
}
