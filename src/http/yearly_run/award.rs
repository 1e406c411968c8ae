//! Awards of a subsidy run, how each came about, and the awards as a table. Names are those of the printed run.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::explanation::{UnitExplanationShape, four};
use super::left_out::said;
use crate::domain::access::Action;
use crate::domain::policy::Grade;
use crate::domain::subsidy::{LeftOutReason, yuan};
use crate::domain::{AwardId, Fen, InstrumentId, OrganizationId, SubsidyRunId};
use crate::error::AppError;
use crate::error::text::Language;
use crate::exchange::document::PageFormat;
use crate::exchange::explanation;
use crate::exchange::subsidy_json::{self, PrintedInstrument, PrintedRun, PrintedUnit};
use crate::http::answer::{Answer, Page};
use crate::http::context::RequestContext;
use crate::http::page;
use crate::http::params::Params;
use crate::operations::yearly_run::awards::{self, Report};
use crate::operations::yearly_run::explain::{
    self, Choice, ExplainedStep, Explanation, LeftOutChoice,
};
use crate::operations::yearly_run::grades::exact;
use crate::store::yearly_run::subsidy::{Award, Base};

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
    match page::asked(&context)? {
        PageFormat::Json => context.ok(ExplanationShape::new(explained, context.language)?),
        PageFormat::Pdf => {
            let (unit, language) = (&explained.unit, context.language);
            let document = explanation::document(unit, Some(&explained), language);
            let name = format!("explanation-{run}-{award}.pdf");
            page::answer(&context, document.page(language), &name).await
        }
    }
}

/// What of an explanation is asked for.
pub fn choice(params: &Params) -> Result<Choice, AppError> {
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

/// How an award came about: the grade of the unit, the steps in their order with what each did, and everything that an
/// explanation of the grade has.
#[derive(Serialize, ToSchema)]
pub struct ExplanationShape {
    award_id: AwardId,
    subsidy_run_id: SubsidyRunId,
    /// 4 decimals; `before_pool_fen_exact` is `p/q`.
    before_pool_fen: String,
    before_pool_fen_exact: String,
    before_pool_yuan: String,
    award_fen: Fen,
    award_yuan: String,
    instruments: Vec<BaseShape>,
    steps: Vec<StepShape>,
    #[serde(flatten)]
    unit: UnitExplanationShape,
}

/// What an instrument brought to the base of the award.
#[derive(Serialize, ToSchema)]
struct BaseShape {
    instrument_id: InstrumentId,
    asset_no: String,
    base_fen: Fen,
    base_yuan: String,
}

/// One step; amounts are exact, as `p/q`, with 4 decimals beside, and in yuan.
#[derive(Serialize, ToSchema)]
struct StepShape {
    position: i64,
    step: String,
    /// What it did, in the language that the client accepts.
    sentence: String,
    /// Null from the sum on.
    instrument_id: Option<InstrumentId>,
    asset_no: Option<String>,
    operands: BTreeMap<String, String>,
    before_fen: String,
    before_fen_decimal: String,
    before_yuan: String,
    after_fen: String,
    after_fen_decimal: String,
    after_yuan: String,
}

impl StepShape {
    fn new(explained: ExplainedStep, instruments: &[BaseShape], language: Language) -> Self {
        let step = explained.step;
        let mut instruments = instruments.iter();
        let own = instruments.find(|base| Some(base.instrument_id) == step.instrument_id);
        Self {
            position: step.position,
            step: step.step.to_string(),
            sentence: said(explained.sentence, language),
            instrument_id: step.instrument_id,
            asset_no: own.map(|base| base.asset_no.clone()),
            operands: step.operands.into_inner(),
            before_fen: step.before_fen,
            before_fen_decimal: four(&explained.before),
            before_yuan: yuan(&explained.before),
            after_fen: step.after_fen,
            after_fen_decimal: four(&explained.after),
            after_yuan: yuan(&explained.after),
        }
    }
}

impl ExplanationShape {
    pub fn new(explained: Explanation, language: Language) -> Result<Self, AppError> {
        let award = explained.award;
        let before_pool = exact(&award.before_pool_fen)?;
        let bases = award.instruments.iter().map(|base| BaseShape {
            instrument_id: base.instrument_id,
            asset_no: base.asset_no.clone(),
            base_fen: base.base_fen,
            base_yuan: base.base_fen.to_string(),
        });
        let instruments: Vec<BaseShape> = bases.collect();
        let steps = explained.steps.into_iter();
        Ok(Self {
            award_id: award.id,
            subsidy_run_id: award.subsidy_run_id,
            before_pool_fen: explained.before_pool_fen,
            before_pool_yuan: yuan(&before_pool),
            before_pool_fen_exact: award.before_pool_fen,
            award_fen: award.award_fen,
            award_yuan: award.award_fen.to_string(),
            steps: steps
                .map(|step| StepShape::new(step, &instruments, language))
                .collect(),
            instruments,
            unit: UnitExplanationShape::new(explained.unit, language)?,
        })
    }
}
