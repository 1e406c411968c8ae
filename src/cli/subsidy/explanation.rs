//! How an award came about: scores, steps, and the records behind each metric.

use clap::Args;
use serde_json::{Value, json};

use super::{id, left_out, no_run};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::operator;
use crate::cli::output::{self, Format};
use crate::error::text::Language;
use crate::error::{AppError, Fault, Location};
use crate::exchange::explanation;
use crate::operations::account::Uscc;
use crate::operations::yearly_run;
use crate::operations::yearly_run::SubsidyRunId;
use crate::operations::yearly_run::explain::{
    self, Choice, Explanation, LeftOutChoice, LeftOutReason, MetricRecords, RecordShare,
    UnitExplanation,
};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The number of the run.
    run: i64,
    /// The unit.
    #[arg(long, value_name = "USCC")]
    organization: Uscc,
    /// The award of this code; without it, the first of the unit.
    #[arg(long, value_name = "CODE")]
    award: Option<String>,
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
    /// In which language sentences are said: zh-CN or en.
    #[arg(long, visible_alias = "lang", value_name = "TAG", default_value_t)]
    language: Language,
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
        award: arguments.award,
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
        Format::Json => output::json(&document(&explanation, arguments.language)),
        Format::Table => {
            let document = document_of(&explanation.unit, Some(&explanation), arguments.language);
            output::say(&document)?;
            scores(&explanation.unit)?;
            steps(&explanation)?;
            left_out::print(&explanation.unit, arguments.left_out)?;
            explanation.unit.metrics.iter().try_for_each(records)
        }
    }
}

/// The document for people as text.
fn document_of(unit: &UnitExplanation, award: Option<&Explanation>, language: Language) -> String {
    let document = explanation::document(unit, award, language);
    let mut text = format!("{}\n", document.title);
    for section in document.sections {
        text.push_str(&format!("\n{}\n", section.heading));
        for sentence in section.sentences {
            text.push_str(&format!("{sentence}\n"));
        }
        for table in section.tables {
            for row in std::iter::once(&table.headings).chain(&table.rows) {
                text.push_str(&format!("  {}\n", row.join(" | ")));
            }
        }
    }
    text
}

/// `yiqi evaluate explain`.
#[derive(Debug, Args)]
pub struct GradeArguments {
    /// The number of the evaluation.
    evaluation: i64,
    /// The unit.
    #[arg(long, value_name = "USCC")]
    organization: Uscc,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// In which language sentences are said: zh-CN or en.
    #[arg(long, visible_alias = "lang", value_name = "TAG", default_value_t)]
    language: Language,
}

/// Tells how the grade of a unit came about.
pub async fn of_grade(app: &App, arguments: GradeArguments) -> Result<(), Failure> {
    let (number, unit) = (arguments.evaluation, arguments.organization);
    let evaluation = id(number)?;
    let choice = Choice {
        limit: 10,
        ..Choice::default()
    };
    let of = (evaluation, unit.clone());
    let explained = explain::explain_grade_of(app, &operator(app), of, choice).await;
    let missing = format_args!("unit {unit} in evaluation {number}").to_string();
    let explained =
        explained.map_err(|error| Failure::seeking(error, format_args!("{missing}")))?;
    match arguments.format {
        Format::Json => output::json(&unit_document(&explained, arguments.language)),
        Format::Table => output::say(&document_of(&explained, None, arguments.language)),
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

fn scores(explanation: &UnitExplanation) -> Result<(), Failure> {
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
            let step = &step.step;
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
    let steps = explanation.steps.iter().map(|explained| {
        let step = &explained.step;
        json!({
            "step": step.step,
            "sentence": language.said(&explained.sentence),
            "instrument_id": step.instrument_id,
            "operands": step.operands,
            "before_fen": step.before_fen,
            "before_yuan": explain::yuan(&explained.before),
            "after_fen": step.after_fen,
            "after_yuan": explain::yuan(&explained.after),
        })
    });
    let mut document = unit_document(&explanation.unit, language);
    if let Some(members) = document.as_object_mut() {
        members.insert("award_fen".to_owned(), json!(award.award_fen));
        members.insert("award_yuan".to_owned(), json!(award.award_fen.to_string()));
        members.insert(
            "before_pool_fen".to_owned(),
            json!(explanation.before_pool_fen),
        );
        members.insert(
            "before_pool_fen_exact".to_owned(),
            json!(award.before_pool_fen),
        );
        members.insert("instruments".to_owned(), json!(award.instruments));
        members.insert("steps".to_owned(), steps.collect());
    }
    document
}

/// What evaluations and awards share.
fn unit_document(unit: &UnitExplanation, language: Language) -> Value {
    let reason = &unit.grade_reason;
    let scores = unit.scores.iter().map(|score| {
        let said = explanation::score_sentence(&unit.indicators, score);
        let mut score = json!(score);
        if let Some(members) = score.as_object_mut() {
            members.insert("sentence".to_owned(), json!(language.said(&said)));
        }
        score
    });
    let names = unit.instruments.iter();
    let names = names.map(|(id, name)| (id.to_string(), name.clone()));
    json!({
        "organization_id": unit.organization_id,
        "name": unit.name,
        "grade": reason.grade,
        "grade_reason": {
            "threshold": reason.threshold.as_ref().map(explain::plain),
            "quota": reason.quota,
            "evaluated": reason.evaluated,
            "place": reason.place,
            "sentence": language.said(&reason.sentence),
        },
        "total": unit.total,
        "total_exact": unit.total_exact,
        "place": unit.place,
        "instrument_names": names.collect::<std::collections::BTreeMap<_, _>>(),
        "scores": scores.collect::<Vec<_>>(),
        "charges_fen": unit.money.charges,
        "base_fen": unit.money.base,
        "left_out": left_out::document(unit, language),
        "left_out_records": left_out::records(unit),
        "metrics": unit.metrics.iter().map(metric_document).collect::<Vec<_>>(),
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
