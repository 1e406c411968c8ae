//! How an award came about: the chain of steps with their operands, the scores behind the grade, and for each metric the
//! records it was counted from, as they were at the freeze.

mod left_out;
mod metrics;
mod money;
mod records;

use std::collections::BTreeMap;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::evaluation::{
    GradeReason, GradesGiven, Inputs, Judge, Placed, Relations, ScoreExplanation, UsageGroupKey,
    grade_reason,
};
use crate::domain::policy::{Award as Rule, Policy, Recipient, indicators};
pub use crate::domain::ratio::plain;
use crate::domain::review::Satisfaction;
use crate::domain::run::RunState;
pub use crate::domain::sentence::Sentence;
use crate::domain::subsidy::{LeftOut, YearMoney, step_sentence};
pub use crate::domain::subsidy::{LeftOutReason, yuan};
use crate::domain::{
    AwardId, EvaluationId, Fen, InstrumentId, Minutes, OrganizationId, SubsidyRunId, UsageRecordId,
    Uscc, ratio,
};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject::{self, Ties, authorize};
use crate::store::yearly_input::{self, Scope, Side};
use crate::store::yearly_run::evaluation::{self, Evaluation};
use crate::store::yearly_run::facts;
use crate::store::yearly_run::subsidy;
use crate::store::yearly_run::subsidy::{Award, Step, SubsidyRun};
use crate::store::{self, Conn};

use num_rational::BigRational;

use super::basis::{Basis, policy_of, scope_of, scope_of_run};
use super::freeze::Details;
use super::grades::{self, exact};
use super::{evaluation_of, refuse_without_results};
use left_out::Charges;
pub use left_out::{LeftOutChoice, LeftOutPage, LeftOutRecord};
pub(super) use money::{KeptMoney, of_awards, of_units};
use records::{Records, Terms};

/// A record behind a metric, at the version that was frozen. What payers paid for the records that the base takes (those
/// without a reason against them) sums to the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordShare {
    pub usage_record_id: UsageRecordId,
    pub version: i64,
    pub instrument_id: InstrumentId,
    pub organization_id: OrganizationId,
    pub key: UsageGroupKey,
    /// Otherwise it only earned in the year.
    pub ended_in_year: bool,
    pub effective_minutes: Minutes,
    /// Paid in the year by the payer; the voucher's part is not in it.
    pub payer_fen: Fen,
    pub voucher_fen: Fen,
    /// Only of income: why what the payer paid is not in the base.
    pub left_out: Option<LeftOut>,
    /// Only of answers.
    pub satisfaction: Option<Satisfaction>,
}

/// An instrument behind a metric of instruments, with what it gives to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentShare {
    pub instrument_id: InstrumentId,
    pub asset_no: String,
    pub value: i64,
}

/// What stands behind one metric: records in order of ids (`next` is the id to go on after), instruments, or a note where
/// only a number was frozen.
#[derive(Debug, Clone)]
pub struct MetricRecords {
    pub metric: String,
    /// Of the unit, from the frozen inputs.
    pub value: i64,
    pub records: Vec<RecordShare>,
    pub next: Option<UsageRecordId>,
    pub instruments: Vec<InstrumentShare>,
    pub note: Option<&'static str>,
    /// Whether the award begins with it.
    pub is_base: bool,
}

/// A unit of an evaluation with everything that led to its grade, and what became of the money of its year.
#[derive(Debug, Clone)]
pub struct UnitExplanation {
    pub organization_id: OrganizationId,
    pub name: String,
    /// What its instruments are called now.
    pub instruments: BTreeMap<InstrumentId, String>,
    /// With 2 decimals; none of these of a unit that was not evaluated.
    pub total: Option<String>,
    /// As `p/q`, like the award's own `before_pool_fen`.
    pub total_exact: Option<String>,
    pub place: Option<i64>,
    pub grade_reason: GradeReason,
    pub scores: Vec<ScoreExplanation>,
    /// What the scores are called, by their ids.
    pub indicators: BTreeMap<String, Sentence>,
    pub metrics: Vec<MetricRecords>,
    /// Every charge served or paid in the year: in the base, or left out by reason.
    pub money: YearMoney,
    /// The first records of each reason.
    pub left_out_firsts: BTreeMap<LeftOutReason, Vec<LeftOutRecord>>,
    /// The records of the reason asked for.
    pub left_out: Option<LeftOutPage>,
}

/// An award with everything that led to it.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub award: Award,
    /// With 4 decimals.
    pub before_pool_fen: String,
    pub steps: Vec<ExplainedStep>,
    pub unit: UnitExplanation,
}

/// A step with what people are told of it.
#[derive(Debug, Clone)]
pub struct ExplainedStep {
    pub step: Step,
    pub before: BigRational,
    pub after: BigRational,
    pub sentence: Sentence,
}

/// Which records to list: of one metric, or the first of each.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    pub metric: Option<String>,
    pub after: Option<UsageRecordId>,
    /// The records left out for one reason.
    pub left_out: Option<LeftOutChoice>,
    /// Of several awards of a unit, the one of this code; otherwise its first.
    pub award: Option<String>,
    pub limit: usize,
}

/// Explains an award of a run. `choice` may be a fault of the request: it is told to who may have the explanation.
pub async fn explain(
    app: &App,
    actor: &Actor,
    (run, award): (SubsidyRunId, AwardId),
    choice: Result<Choice, AppError>,
) -> Result<Explanation, AppError> {
    let by = actor.clone();
    app.store
        .read_snapshot(move |conn| {
            let run: SubsidyRun = subject::load(conn, &by, Action::SubsidyGet, run)?;
            let award = subsidy::get_award(conn, run.id, award)?;
            let state = run.lifecycle.state;
            may_explain(&by, Action::SubsidyExplain, state, award.organization_id)?;
            explanation(conn, &run, award, &choice?)
        })
        .await
}

/// Of what is published the unit itself may, too.
fn may_explain(
    actor: &Actor,
    action: Action,
    state: RunState,
    organization_id: OrganizationId,
) -> Result<(), AppError> {
    let unit = Ties::Award {
        is_published: state.is_published(),
        organization_id,
    };
    authorize(actor, action, &unit)
}

/// Explains the award of the unit with this code.
pub async fn explain_unit(
    app: &App,
    actor: &Actor,
    (run, uscc): (SubsidyRunId, Uscc),
    choice: Choice,
) -> Result<Explanation, AppError> {
    let by = actor.clone();
    app.store
        .read_snapshot(move |conn| {
            let run: SubsidyRun = subject::load(conn, &by, Action::SubsidyGet, run)?;
            let unit = store::organization::find_by_uscc(conn, &uscc)?;
            let unit = unit.ok_or(AppError::NotFound)?.id;
            let mut awards = subsidy::list_awards(conn, run.id)?.into_iter();
            let is_asked = |award: &Award| {
                let code = choice.award.as_ref();
                code.is_none_or(|code| *code == award.award_code)
            };
            let award = awards.find(|award| award.organization_id == unit && is_asked(award));
            let award = award.ok_or(AppError::NotFound)?;
            let state = run.lifecycle.state;
            may_explain(&by, Action::SubsidyExplain, state, award.organization_id)?;
            explanation(conn, &run, award, &choice)
        })
        .await
}

/// Explains the grade of a unit, and the money of its year by the pack that graded it.
pub async fn explain_grade(
    app: &App,
    actor: &Actor,
    (id, unit): (EvaluationId, OrganizationId),
    choice: Result<Choice, AppError>,
) -> Result<UnitExplanation, AppError> {
    let by = actor.clone();
    app.store
        .read_snapshot(move |conn| {
            let row: Evaluation = subject::load(conn, &by, Action::EvaluationGet, id)?;
            may_explain(&by, Action::EvaluationExplain, row.lifecycle.state, unit)?;
            grade_of(conn, &row, unit, &choice?)
        })
        .await
}

fn grade_of(
    conn: &mut Conn,
    row: &Evaluation,
    unit: OrganizationId,
    choice: &Choice,
) -> Result<UnitExplanation, AppError> {
    let (policy, inputs) = grades::open(conn, row)?;
    let mut looked = of_evaluation(conn, row, (&policy, &inputs))?;
    looked.kept = store::yearly_run::money::find_of_unit(conn, row.id, unit)?;
    of_unit(conn, &looked, Side::Host(unit), choice)
}

fn of_evaluation<'a>(
    conn: &mut Conn,
    row: &'a Evaluation,
    (policy, inputs): (&'a Policy, &'a Inputs),
) -> Result<Looked<'a>, AppError> {
    // A grade is that of a host, and so is the money beside it.
    let mut of_hosts = policy.awards.iter();
    let first = of_hosts.find(|award| award.recipient == Recipient::Host);
    Ok(Looked {
        row: Some(row),
        scope: scope_of(conn, row)?,
        inputs,
        graded_by: policy,
        awarded_by: policy,
        grades: grades::read(conn, row.id)?.grades(),
        award: first.map(|award| policy.base_of(award)),
        kept: None,
    })
}

/// The same of the unit with this code.
pub async fn explain_grade_of(
    app: &App,
    actor: &Actor,
    (id, uscc): (EvaluationId, Uscc),
    choice: Choice,
) -> Result<UnitExplanation, AppError> {
    let unit = app
        .store
        .read(move |conn| Ok::<_, AppError>(store::organization::find_by_uscc(conn, &uscc)?))
        .await?;
    let unit = unit.ok_or(AppError::NotFound)?.id;
    explain_grade(app, actor, (id, unit), Ok(choice)).await
}

fn explanation(
    conn: &mut Conn,
    run: &SubsidyRun,
    award: Award,
    choice: &Choice,
) -> Result<Explanation, AppError> {
    let of_run = OfRun::read(conn, run)?;
    let mut looked = of_run.looked(conn, run, &award.award_code)?;
    looked.kept = store::yearly_run::money::find_of_award(conn, award.id)?;
    let unit = of_unit(conn, &looked, side_of(&award), choice)?;
    let steps = subsidy::list_steps(conn, award.id)?.into_iter();
    let before_pool = exact(&award.before_pool_fen)?;
    Ok(Explanation {
        before_pool_fen: ratio::decimal(&before_pool, 4),
        steps: steps.map(explained).collect::<Result<_, _>>()?,
        award,
        unit,
    })
}

/// Whose records an award is about.
const fn side_of(award: &Award) -> Side {
    match award.recipient {
        Recipient::Host => Side::Host(award.organization_id),
        Recipient::User => Side::User(award.organization_id),
    }
}

/// What the awards of a run are told from.
struct OfRun {
    basis: Basis,
    row: Option<Evaluation>,
    graded_by: Policy,
}

impl OfRun {
    fn read(conn: &mut Conn, run: &SubsidyRun) -> Result<Self, AppError> {
        refuse_without_results(run.lifecycle.state)?;
        let basis = Basis::read(conn, run)?;
        let is_own = facts::find(conn, run.id)?.is_some();
        let row = match run.evaluation_id {
            Some(_) => Some(evaluation_of(conn, run)?),
            None => None,
        };
        let graded_by = match &row {
            Some(row) if !is_own => policy_of(conn, &row.lifecycle)?,
            _ => basis.policy.clone(),
        };
        Ok(Self {
            basis,
            row,
            graded_by,
        })
    }

    fn looked(
        &self,
        conn: &mut Conn,
        run: &SubsidyRun,
        code: &str,
    ) -> Result<Looked<'_>, AppError> {
        let policy = &self.basis.policy;
        let mut awards = policy.awards.iter();
        let award = awards.find(|known| known.code == code || code.is_empty());
        Ok(Looked {
            row: self.row.as_ref(),
            scope: scope_of_run(conn, run)?,
            inputs: &self.basis.inputs,
            graded_by: &self.graded_by,
            awarded_by: policy,
            grades: self.basis.graded.grades(),
            award: award.map(|award| policy.base_of(award)),
            kept: None,
        })
    }
}

/// What an explanation is told from: the evaluation, if there is one, and the facts that were judged, by the pack that graded and
/// the one that pays.
struct Looked<'a> {
    row: Option<&'a Evaluation>,
    scope: Scope,
    inputs: &'a Inputs,
    graded_by: &'a Policy,
    awarded_by: &'a Policy,
    grades: GradesGiven,
    /// The one whose money is told: where an award begins with another, that one.
    award: Option<&'a Rule>,
    /// The money of the year as it was when the run was shown.
    kept: Option<YearMoney>,
}

impl Looked<'_> {
    fn terms(&self, conn: &mut Conn) -> Result<Terms<'_>, AppError> {
        Ok(Terms {
            relations: Relations::new(yearly_input::list_related(conn, &self.scope)?),
            scope: self.scope,
            grades: &self.grades,
            award: self.award,
        })
    }

    /// What was frozen of services.
    fn details(&self) -> Details<'_> {
        Details::new(self.graded_by.grain(), self.inputs.certified())
    }

    fn charges<'b>(&'b self, terms: &'b Terms<'b>, side: Side) -> Charges<'b> {
        let judge = Judge::new(self.inputs, self.awarded_by);
        Charges::new(terms, side, judge, self.details())
    }
}

fn explained(step: Step) -> Result<ExplainedStep, AppError> {
    let (before, after) = (exact(&step.before_fen)?, exact(&step.after_fen)?);
    Ok(ExplainedStep {
        sentence: step_sentence(step.step, &step.operands, &before, &after),
        step,
        before,
        after,
    })
}

fn of_unit(
    conn: &mut Conn,
    looked: &Looked<'_>,
    side: Side,
    choice: &Choice,
) -> Result<UnitExplanation, AppError> {
    let unit_id = side.organization_id();
    let mut frozen = looked.inputs.units();
    let host = frozen.find(|unit| unit.organization_id == unit_id);
    if host.is_none() && looked.inputs.using_unit(unit_id).is_none() {
        return Err(AppError::NotFound);
    }
    let instruments = names_of(conn, looked.inputs, side)?;
    let units = evaluated(conn, looked.row)?;
    let evaluated = units.len();
    let mut units = units.into_iter();
    let graded = units.find(|unit| unit.organization_id == unit_id);
    let terms = looked.terms(conn)?;
    let judge = Judge::new(looked.inputs, looked.graded_by);
    let mut records = Records::new(&terms, side, judge, looked.details());
    let mut metrics = Vec::new();
    // Who asks for records left out goes on reading those alone.
    let is_told = choice.left_out.is_none() || choice.metric.is_some();
    for metric in metrics::chosen(looked, side, choice)? {
        if is_told {
            metrics.push(metrics::behind(conn, &mut records, &metric, choice)?);
        }
    }
    let mut charges = looked.charges(&terms, side);
    let (read, left_out_firsts) = charges.sum(conn, choice.limit)?;
    // Of what was shown, what was kept then.
    let money = looked.kept.clone().unwrap_or(read);
    let page = |chosen| charges.page(conn, chosen, choice.limit);
    let left_out = choice.left_out.map(page).transpose()?;
    let total = graded.as_ref().map(|unit| exact(&unit.total)).transpose()?;
    let placed = match (&graded, &total) {
        (Some(unit), Some(total)) => Some(Placed {
            total,
            place: usize::try_from(unit.place).map_err(AppError::internal)?,
            grade: unit.grade,
        }),
        _ => None,
    };
    let name = match &graded {
        Some(unit) => unit.name.clone(),
        None => store::organization::get(conn, unit_id)?.name,
    };
    Ok(UnitExplanation {
        organization_id: unit_id,
        name,
        instruments,
        total: total.as_ref().map(|total| ratio::decimal(total, 2)),
        total_exact: graded.as_ref().map(|unit| unit.total.clone()),
        place: graded.as_ref().map(|unit| unit.place),
        grade_reason: grade_reason(&records.judge, unit_id, placed, evaluated),
        scores: graded.map_or_else(Vec::new, |unit| unit.scores.into_inner()),
        indicators: indicators(looked.graded_by),
        metrics,
        money,
        left_out_firsts,
        left_out,
    })
}

/// The graded units; of no evaluation none.
fn evaluated(conn: &mut Conn, row: Option<&Evaluation>) -> Result<Vec<evaluation::Host>, AppError> {
    match row {
        Some(row) => Ok(evaluation::list_units(conn, row.id)?),
        None => Ok(Vec::new()),
    }
}

/// What the instruments of a host are called, or those that a using unit used.
fn names_of(
    conn: &mut Conn,
    inputs: &Inputs,
    side: Side,
) -> Result<BTreeMap<InstrumentId, String>, AppError> {
    let all = inputs
        .units()
        .flat_map(|host| host.instruments.iter().map(move |one| (host, one)));
    let own = all.filter(|(host, instrument)| match side {
        Side::Host(id) => host.organization_id == id,
        Side::User(id) => {
            let mut cells = instrument.cells.iter();
            cells.any(|cell| cell.key.using_unit_id == id)
        }
    });
    let ids: Vec<InstrumentId> = own.map(|(_, one)| one.id).collect();
    let named = store::names::Named {
        instruments: ids.iter().map(|id| id.number()).collect(),
        ..Default::default()
    };
    let mut names = store::names::list(conn, &named)?.instruments;
    let named = ids
        .into_iter()
        .filter_map(|id| Some((id, names.remove(&id.number())?)));
    Ok(named.collect())
}
