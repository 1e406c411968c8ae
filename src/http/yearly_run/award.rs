//! Awards of a subsidy run, how each came about, and the awards as a table. Names are those of the printed run.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::left_out::MoneyShape;
use super::score::ScoreShape;
use crate::domain::access::Action;
use crate::domain::policy::Grade;
use crate::domain::subsidy::LeftOutReason;
use crate::domain::{
    AwardId, Fen, InstrumentId, Minutes, OrganizationId, SubsidyRunId, UsageRecordId,
};
use crate::error::AppError;
use crate::error::text::Language;
use crate::exchange::subsidy_json::{self, PrintedInstrument, PrintedRun, PrintedUnit};
use crate::exchange::{awards as tables, sheet};
use crate::http::answer::{Answer, Page};
use crate::http::context::RequestContext;
use crate::http::params::{Params, cursor_text};
use crate::operations::yearly_run::awards::{self, Report};
use crate::operations::yearly_run::explain::{
    self, Choice, Explanation, LeftOutChoice, MetricRecords, RecordShare,
};
use crate::store::yearly_run::subsidy::{Award, Base, Step};

fn print(report: &Report) -> Result<PrintedRun, AppError> {
    subsidy_json::print(
        i32::try_from(report.run.lifecycle.year).map_err(AppError::internal)?,
        &report.policy,
        &report.evaluation,
        &report.allocation,
        &report.names,
    )
    .map_err(AppError::internal)
}

pub async fn list(context: RequestContext) -> Answer {
    let (actor, id) = (context.reader(), context.id("id")?);
    let report = awards::report(&context.app, &actor, Action::SubsidyAwardList, id).await?;
    let params = context.params()?;
    let printed = print(&report)?;
    let rows = report.awards.into_iter().zip(printed.units).collect();
    let by_unit = |(award, _): &(Award, _)| award.organization_id;
    let shape = |(award, unit): (Award, _)| AwardShape::new(&award, unit);
    context.ok(Page::of(rows, &params, by_unit, shape)?)
}

pub async fn explanation(context: RequestContext) -> Answer {
    let (run, award): (SubsidyRunId, AwardId) = (context.id("id")?, context.id("award_id")?);
    let choice = context.params().and_then(|params| choice(&params));
    let actor = context.reader();
    let explained = explain::explain(&context.app, &actor, (run, award), choice).await?;
    context.ok(ExplanationShape::new(explained, context.language)?)
}

fn choice(params: &Params) -> Result<Choice, AppError> {
    let metric = params.one("metric")?;
    let reason: Option<LeftOutReason> = params.one("left_out")?;
    // A cursor goes on with the records of the reason, where one is asked for.
    let left_out = match reason {
        Some(reason) => Some(LeftOutChoice {
            reason,
            after: params.cursor()?,
        }),
        None => None,
    };
    Ok(Choice {
        metric,
        after: match left_out {
            Some(_) => None,
            None => params.cursor()?,
        },
        left_out,
        limit: usize::try_from(params.limit()?).map_err(AppError::internal)?,
    })
}

pub async fn export(context: RequestContext) -> Answer {
    let (actor, id): (_, SubsidyRunId) = (context.reader(), context.id("id")?);
    let report = awards::report(&context.app, &actor, Action::SubsidyExport, id).await?;
    let format: Option<sheet::Format> = context.params()?.one("format")?;
    let format = format.unwrap_or(sheet::Format::Csv);
    let bytes = tables::write(&print(&report)?, format).map_err(AppError::internal)?;
    let name = format!("subsidy-run-{id}.{format}");
    context.download(format.media_type(), &name, bytes)
}

/// A unit's award with its scores; `before_pool_fen` and scores have 4 decimals, the total 2.
#[derive(Serialize, ToSchema)]
pub struct AwardShape {
    id: AwardId,
    organization_id: OrganizationId,
    uscc: String,
    name: String,
    scores: BTreeMap<String, String>,
    total: String,
    grade: Grade,
    before_pool_fen: String,
    award_fen: Fen,
    instruments: Vec<AwardedInstrumentShape>,
}

#[derive(Serialize, ToSchema)]
struct AwardedInstrumentShape {
    instrument_id: InstrumentId,
    asset_no: String,
    effective_minutes: i64,
    external_minutes: i64,
    base_fen: Fen,
    /// Income that is not in the base, by reason.
    left_out_fen: BTreeMap<String, Fen>,
}

impl AwardShape {
    /// The stored award and its printed unit, which are of one organization.
    pub fn new(award: &Award, unit: PrintedUnit) -> Self {
        let instruments = award.instruments.iter().zip(unit.instruments);
        Self {
            id: award.id,
            organization_id: award.organization_id,
            uscc: unit.uscc,
            name: unit.name,
            scores: unit.scores,
            total: unit.total.unwrap_or_default(),
            grade: award.grade,
            before_pool_fen: unit.before_pool_fen,
            award_fen: award.award_fen,
            instruments: instruments
                .map(|(base, printed)| AwardedInstrumentShape::new(base, printed))
                .collect(),
        }
    }
}

impl AwardedInstrumentShape {
    fn new(base: &Base, printed: PrintedInstrument) -> Self {
        let left_out = base.left_out_fen.iter();
        Self {
            instrument_id: base.instrument_id,
            asset_no: printed.asset_no,
            effective_minutes: printed.effective_minutes,
            external_minutes: printed.external_minutes,
            base_fen: base.base_fen,
            left_out_fen: left_out
                .map(|(reason, fen)| (reason.to_string(), *fen))
                .collect(),
        }
    }
}

/// How an award came about: scores and grade, the steps in their order, and the records behind each metric.
#[derive(Serialize, ToSchema)]
pub struct ExplanationShape {
    award_id: AwardId,
    subsidy_run_id: SubsidyRunId,
    organization_id: OrganizationId,
    grade: Grade,
    /// 2 decimals; `total_exact` is `p/q`.
    total: String,
    total_exact: String,
    place: i64,
    /// 4 decimals; `before_pool_fen_exact` is `p/q`.
    before_pool_fen: String,
    before_pool_fen_exact: String,
    award_fen: Fen,
    scores: Vec<ScoreShape>,
    steps: Vec<StepShape>,
    metrics: Vec<MetricShape>,
    #[serde(flatten)]
    money: MoneyShape,
}

/// One step; amounts are exact, as `p/q`.
#[derive(Serialize, ToSchema)]
struct StepShape {
    position: i64,
    step: String,
    /// Null from the sum on.
    instrument_id: Option<InstrumentId>,
    operands: BTreeMap<String, String>,
    before_fen: String,
    after_fen: String,
}

impl From<Step> for StepShape {
    fn from(step: Step) -> Self {
        Self {
            position: step.position,
            step: step.step.to_string(),
            instrument_id: step.instrument_id,
            operands: step.operands.into_inner(),
            before_fen: step.before_fen,
            after_fen: step.after_fen,
        }
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

impl ExplanationShape {
    pub fn new(explained: Explanation, language: Language) -> Result<Self, AppError> {
        let award = explained.award;
        let money = MoneyShape::new(explained.money, explained.left_out, language)?;
        let metrics = explained.metrics.into_iter();
        Ok(Self {
            award_id: award.id,
            subsidy_run_id: award.subsidy_run_id,
            organization_id: award.organization_id,
            grade: award.grade,
            total: explained.total,
            total_exact: explained.total_exact,
            place: explained.place,
            before_pool_fen: explained.before_pool_fen,
            before_pool_fen_exact: award.before_pool_fen,
            award_fen: award.award_fen,
            scores: explained.scores.iter().map(ScoreShape::from).collect(),
            steps: explained.steps.into_iter().map(StepShape::from).collect(),
            metrics: metrics.map(MetricShape::new).collect::<Result<_, _>>()?,
            money,
        })
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
