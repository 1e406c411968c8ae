//! How the grade of a unit came about, and the money of its year: the part of an explanation that evaluations and awards share.

use std::collections::BTreeMap;

use num_rational::BigRational;
use serde::Serialize;
use utoipa::ToSchema;

use super::award::choice;
use super::left_out::{MoneyShape, said};
use super::score::ScoreShape;
use crate::domain::evaluation::{GradeReason, ScoreExplanation};
use crate::domain::policy::Grade;
use crate::domain::sentence::Sentence;
use crate::domain::{
    EvaluationId, Fen, InstrumentId, Minutes, OrganizationId, UsageRecordId, ratio,
};
use crate::error::AppError;
use crate::error::text::Language;
use crate::exchange::document::PageFormat;
use crate::exchange::explanation::{self, score_sentence};
use crate::http::answer::Answer;
use crate::http::context::RequestContext;
use crate::http::page;
use crate::http::params::cursor_text;
use crate::operations::yearly_run::explain::{self, MetricRecords, RecordShare, UnitExplanation};
use crate::operations::yearly_run::grades::exact;

pub async fn of_grade(context: RequestContext) -> Answer {
    let (id, unit): (EvaluationId, OrganizationId) =
        (context.id("id")?, context.id("organization_id")?);
    let choice = context.params().and_then(|params| choice(&params));
    let actor = context.reader();
    let explained = explain::explain_grade(&context.app, &actor, (id, unit), choice).await?;
    match page::asked(&context)? {
        PageFormat::Json => context.ok(UnitExplanationShape::new(explained, context.language)?),
        PageFormat::Pdf => {
            let document = explanation::document(&explained, None, context.language);
            let name = format!("explanation-{id}-{unit}.pdf");
            page::answer(&context, document.page(context.language), &name).await
        }
    }
}

/// How a unit's grade came about: the reason in a sentence, each score, the records behind each metric, and every charge of the
/// year, in the base or left out.
#[derive(Serialize, ToSchema)]
pub struct UnitExplanationShape {
    organization_id: OrganizationId,
    name: String,
    grade: Option<Grade>,
    /// 2 decimals; `total_exact` is `p/q`. Null of a unit that was not evaluated.
    total: Option<String>,
    total_exact: Option<String>,
    place: Option<i64>,
    grade_reason: GradeReasonShape,
    scores: Vec<ExplainedScoreShape>,
    metrics: Vec<MetricShape>,
    #[serde(flatten)]
    money: MoneyShape,
}

/// `threshold` is that of the grade the total alone would give (of the worst: the one it missed), `quota` how many of the
/// `evaluated` may be excellent.
#[derive(Serialize, ToSchema)]
struct GradeReasonShape {
    threshold: Option<String>,
    quota: Option<usize>,
    evaluated: usize,
    place: Option<usize>,
    sentence: String,
}

/// A score with its name and a sentence; exact values are `p/q`, those beside them have 4 decimals.
#[derive(Serialize, ToSchema)]
struct ExplainedScoreShape {
    #[serde(flatten)]
    score: ScoreShape,
    name: String,
    sentence: String,
    numerator_decimal: Option<String>,
    denominator_decimal: Option<String>,
    ratio_decimal: Option<String>,
}

impl UnitExplanationShape {
    pub fn new(explained: UnitExplanation, language: Language) -> Result<Self, AppError> {
        let indicators = &explained.indicators;
        let scores = explained.scores.iter();
        let scores = scores.map(|score| ExplainedScoreShape::new(indicators, score, language));
        let metrics = explained.metrics.into_iter();
        Ok(Self {
            organization_id: explained.organization_id,
            name: explained.name,
            grade: explained.grade_reason.grade,
            total: explained.total,
            total_exact: explained.total_exact,
            place: explained.place,
            scores: scores.collect::<Result<_, _>>()?,
            grade_reason: GradeReasonShape::new(explained.grade_reason, language),
            metrics: metrics.map(MetricShape::new).collect::<Result<_, _>>()?,
            money: MoneyShape::new(explained.money, explained.left_out, language)?,
        })
    }
}

impl GradeReasonShape {
    fn new(reason: GradeReason, language: Language) -> Self {
        Self {
            threshold: reason.threshold.as_ref().map(ratio::plain),
            quota: reason.quota,
            evaluated: reason.evaluated,
            place: reason.place,
            sentence: said(reason.sentence, language),
        }
    }
}

/// An exact value with 4 decimals.
pub fn four(value: &BigRational) -> String {
    ratio::decimal(value, 4)
}

impl ExplainedScoreShape {
    fn new(
        indicators: &BTreeMap<String, Sentence>,
        score: &ScoreExplanation,
        language: Language,
    ) -> Result<Self, AppError> {
        let fallback = || Sentence::same(score.id.clone());
        let name = indicators.get(&score.id).cloned().unwrap_or_else(fallback);
        let decimal = |text: &str| exact(text).map(|value| Some(four(&value)));
        Ok(Self {
            name: said(name, language),
            sentence: said(score_sentence(indicators, score), language),
            numerator_decimal: decimal(&score.numerator)?,
            denominator_decimal: decimal(&score.denominator)?,
            ratio_decimal: match &score.ratio {
                Some(ratio) => decimal(ratio)?,
                None => None,
            },
            score: score.into(),
        })
    }
}

/// What a metric was counted from: records (ask with `metric` and `cursor` for the next ones), instruments, or, where only
/// a number was frozen, a note that says of what.
#[derive(Serialize, ToSchema)]
struct MetricShape {
    metric: String,
    value: i64,
    records: Vec<RecordShape>,
    next_cursor: Option<String>,
    instruments: Vec<CountedInstrumentShape>,
    note: Option<&'static str>,
}

/// An instrument with what it gives to a metric.
#[derive(Serialize, ToSchema)]
struct CountedInstrumentShape {
    instrument_id: InstrumentId,
    asset_no: String,
    value: i64,
}

/// A record at the version that was frozen. Of income: `left_out` says why what the payer paid is not in the base, and what
/// was paid by a voucher never is; the other payers' amounts sum to the base.
#[derive(Serialize, ToSchema)]
struct RecordShape {
    usage_record_id: UsageRecordId,
    version: i64,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    relation: String,
    evidence: String,
    statutory: bool,
    effective_minutes: Minutes,
    payer_fen: Fen,
    voucher_fen: Fen,
    left_out: Option<String>,
    satisfaction: Option<String>,
}

impl From<RecordShare> for RecordShape {
    fn from(share: RecordShare) -> Self {
        Self {
            usage_record_id: share.usage_record_id,
            version: share.version,
            instrument_id: share.instrument_id,
            organization_id: share.organization_id,
            relation: share.key.relation.to_string(),
            evidence: share.key.evidence.to_string(),
            statutory: share.key.statutory,
            effective_minutes: share.effective_minutes,
            payer_fen: share.payer_fen,
            voucher_fen: share.voucher_fen,
            left_out: share.left_out.map(|reason| reason.to_string()),
            satisfaction: share.satisfaction.map(|level| level.to_string()),
        }
    }
}

impl MetricShape {
    fn new(found: MetricRecords) -> Result<Self, AppError> {
        let instruments = found.instruments.into_iter();
        let instruments = instruments.map(|share| CountedInstrumentShape {
            instrument_id: share.instrument_id,
            asset_no: share.asset_no,
            value: share.value,
        });
        Ok(Self {
            metric: found.metric,
            value: found.value,
            records: found.records.into_iter().map(RecordShape::from).collect(),
            next_cursor: found.next.map(|next| cursor_text(&next)).transpose()?,
            instruments: instruments.collect(),
            note: found.note,
        })
    }
}
