//! Awards of a subsidy run, how each came about, and the awards as a table. Names are those of the printed run.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::explanation::{UnitExplanationShape, four};
use super::left_out::said;
use super::standing::StandingAwardShape;
use crate::domain::access::Action;
use crate::domain::evaluation::{GradedHost, InstrumentFigures};
use crate::domain::policy::{Grade, Recipient};
use crate::domain::subsidy::{LeftOutReason, yuan};
use crate::domain::{AwardId, Fen, InstrumentId, Minutes, OrganizationId, SubsidyRunId};
use crate::error::AppError;
use crate::error::text::Language;
use crate::exchange::document::PageFormat;
use crate::exchange::explanation;
use crate::http::answer::{Answer, Page};
use crate::http::context::RequestContext;
use crate::http::page;
use crate::http::params::Params;
use crate::operations::award;
use crate::operations::yearly_run::awards::{self, Report};
use crate::operations::yearly_run::explain::{
    self, Choice, ExplainedStep, Explanation, LeftOutChoice,
};
use crate::operations::yearly_run::grades::exact;
use crate::store::yearly_run::subsidy::{Award, Base};

/// The awards of a run in their order.
pub fn shapes(report: &Report) -> Result<Vec<(AwardId, AwardShape)>, AppError> {
    let hosts: BTreeMap<OrganizationId, &GradedHost> = report
        .evaluation
        .units
        .iter()
        .map(|unit| (unit.organization_id, unit))
        .collect();
    let shape = |award: &Award| {
        let uscc = report.uscc.get(&award.organization_id);
        let host = hosts.get(&award.organization_id).copied();
        let shape = AwardShape::new(award, uscc.cloned().unwrap_or_default(), host)?;
        Ok((award.id, shape))
    };
    report.awards.iter().map(shape).collect()
}

pub async fn list(context: RequestContext) -> Answer {
    let (actor, id) = (context.reader(), context.id("id")?);
    let report = awards::report(&context.app, &actor, Action::SubsidyAwardList, id).await?;
    let standings = award::standings(&context.app, &actor, id).await?;
    let params = context.params()?;
    let by_award = |(id, _): &(AwardId, AwardShape)| *id;
    let shape = |(id, shape)| StandingAwardShape::new(shape, standings.get(&id));
    context.ok(Page::of(shapes(&report)?, &params, by_award, shape)?.all()?)
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
        award: None,
        limit: usize::try_from(params.limit()?).map_err(AppError::internal)?,
    })
}

/// What a unit gets of one award, with its scores where it is a host that was evaluated; `before_pool_fen` and scores have 4
/// decimals, the total 2.
#[derive(Serialize, ToSchema)]
pub struct AwardShape {
    id: AwardId,
    /// The award of the pack.
    award_code: String,
    recipient: Recipient,
    /// Null: the pack's only pool has no name.
    pool: Option<String>,
    organization_id: OrganizationId,
    uscc: String,
    name: String,
    scores: BTreeMap<String, String>,
    total: Option<String>,
    grade: Option<Grade>,
    before_pool_fen: String,
    award_fen: Fen,
    instruments: Vec<AwardedInstrumentShape>,
}

#[derive(Serialize, ToSchema)]
struct AwardedInstrumentShape {
    instrument_id: InstrumentId,
    asset_no: String,
    /// Null of instruments that the unit only used.
    effective_minutes: Option<Minutes>,
    external_minutes: Option<Minutes>,
    base_fen: Fen,
    /// Income that is not in the base, by reason.
    left_out_fen: BTreeMap<String, Fen>,
}

impl AwardShape {
    /// The stored award, and the evaluated unit that gets it.
    pub fn new(award: &Award, uscc: String, host: Option<&GradedHost>) -> Result<Self, AppError> {
        let host = host.filter(|_| award.recipient == Recipient::Host);
        let figures: BTreeMap<InstrumentId, &InstrumentFigures> = host
            .into_iter()
            .flat_map(|host| &host.instruments)
            .map(|figures| (figures.instrument_id, figures))
            .collect();
        let scores = host.into_iter().flat_map(|host| &host.scores);
        let scored = host.filter(|host| !host.scores.is_empty());
        let instruments = award.instruments.iter().map(|base| {
            let figures = figures.get(&base.instrument_id).copied();
            AwardedInstrumentShape::new(base, figures)
        });
        Ok(Self {
            id: award.id,
            award_code: award.award_code.clone(),
            recipient: award.recipient,
            pool: award.pool.clone(),
            organization_id: award.organization_id,
            uscc,
            name: award.name.clone(),
            scores: scores
                .map(|score| (score.id.clone(), score.printed()))
                .collect(),
            total: scored.map(GradedHost::total_printed),
            grade: award.grade,
            before_pool_fen: four(&exact(&award.before_pool_fen)?),
            award_fen: award.award_fen,
            instruments: instruments.collect(),
        })
    }
}

impl AwardedInstrumentShape {
    fn new(base: &Base, figures: Option<&InstrumentFigures>) -> Self {
        let left_out = base.left_out_fen.iter();
        Self {
            instrument_id: base.instrument_id,
            asset_no: base.asset_no.clone(),
            effective_minutes: figures.map(|figures| figures.effective_minutes),
            external_minutes: figures.map(|figures| figures.external_minutes),
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
