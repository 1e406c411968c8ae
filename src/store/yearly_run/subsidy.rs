//! Subsidy runs, their awards and every step of each.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use super::stored::Pool;
use super::stored::Pools;
use super::{Filter, Lifecycle, NewRun, PageStart, Said, columns, facts, new_run, runs};
use crate::domain::policy::{Grade, Recipient};
use crate::domain::run::RunState;
use crate::domain::subsidy::{LeftOut, StepName};
use crate::domain::{
    AwardId, EvaluationId, Fen, Instant, InstrumentId, OrganizationId, SubsidyRunId, UserId,
};
use crate::store::bulk::insert_all;
use crate::store::schema::{award, award_step, subsidy_run};
use crate::store::{Conn, Json, Result, StoreError};

/// One row, whole. `factor` and `sum_before_pool_fen` are exact, as `p/q`; the single amounts are the sums over all pools.
#[derive(Debug, Clone, Queryable)]
pub struct SubsidyRun {
    pub id: SubsidyRunId,
    pub lifecycle: Lifecycle,
    pub evaluation_id: Option<EvaluationId>,
    pub budget_fen: Fen,
    pub factor: Option<String>,
    pub sum_before_pool_fen: Option<String>,
    pub awarded_fen: Option<Fen>,
    pub unspent_fen: Option<Fen>,
    /// `MM-DD`: the window of the pack that the run pays.
    pub claim: Option<String>,
    /// Empty in runs of before there were several: the single amounts are those of its only pool.
    pub pools: Json<Pools>,
}

impl SubsidyRun {
    /// Its pools, in the order of names.
    pub fn pools(&self) -> Vec<Pool> {
        if !self.pools.is_empty() {
            return self.pools.clone().into_inner().into();
        }
        vec![Pool {
            pool: None,
            budget_fen: self.budget_fen,
            sum_before_pool_fen: self.sum_before_pool_fen.clone(),
            factor: self.factor.clone(),
            awarded_fen: self.awarded_fen,
            unspent_fen: self.unspent_fen,
        }]
    }
}

/// What a run shares out.
#[derive(Debug, Clone)]
pub struct NewBudget {
    pub budget_fen: Fen,
    pub pools: Vec<Pool>,
    pub claim: Option<String>,
}

/// A run that begins to share out a budget, by an evaluation if one was chosen.
pub fn insert(
    conn: &mut Conn,
    new: &NewRun,
    budget: &NewBudget,
    evaluation: Option<EvaluationId>,
) -> Result<SubsidyRunId> {
    Ok(diesel::insert_into(subsidy_run::table)
        .values((
            new_run!(subsidy_run, new),
            subsidy_run::evaluation_id.eq(evaluation),
            subsidy_run::budget_fen.eq(budget.budget_fen),
            subsidy_run::claim.eq(budget.claim.as_deref()),
            subsidy_run::pools.eq(Json::of(Pools::from(budget.pools.clone()))?),
        ))
        .returning(subsidy_run::id)
        .get_result(conn)?)
}

runs!(
    subsidy_run,
    SubsidyRunId,
    SubsidyRun,
    [
        evaluation_id,
        budget_fen,
        factor,
        sum_before_pool_fen,
        awarded_fen,
        unspent_fen,
        claim,
        pools
    ]
);

/// The final run of a year, code and claim window.
pub(super) fn find_final(
    conn: &mut Conn,
    year: i64,
    code: &str,
    claim: Option<&str>,
) -> Result<Option<SubsidyRunId>> {
    let finals: Vec<(SubsidyRunId, Option<String>)> = subsidy_run::table
        .filter(subsidy_run::state.eq(RunState::Final))
        .filter(subsidy_run::year.eq(year))
        .filter(subsidy_run::policy_code.eq(code))
        .select((subsidy_run::id, subsidy_run::claim))
        .load(conn)?;
    let mut finals = finals.into_iter();
    Ok(finals
        .find(|(_, of)| of.as_deref() == claim)
        .map(|(id, _)| id))
}

/// The final runs of a code, oldest first.
pub fn list_finals(conn: &mut Conn, code: &str) -> Result<Vec<SubsidyRunId>> {
    Ok(subsidy_run::table
        .filter(subsidy_run::state.eq(RunState::Final))
        .filter(subsidy_run::policy_code.eq(code))
        .select(subsidy_run::id)
        .order(subsidy_run::id)
        .load(conn)?)
}

/// Removes a run with its facts, awards and steps.
pub(super) fn delete(conn: &mut Conn, id: SubsidyRunId) -> Result<()> {
    facts::delete(conn, id)?;
    let awards = award::table
        .filter(award::subsidy_run_id.eq(id))
        .select(award::id);
    diesel::delete(award_step::table.filter(award_step::award_id.eq_any(awards))).execute(conn)?;
    diesel::delete(award::table.filter(award::subsidy_run_id.eq(id))).execute(conn)?;
    diesel::delete(subsidy_run::table.find(id)).execute(conn)?;
    Ok(())
}

/// A run that stands on an evaluation and was not thrown away.
pub fn find_standing_on(conn: &mut Conn, evaluation: EvaluationId) -> Result<Option<SubsidyRunId>> {
    Ok(subsidy_run::table
        .filter(subsidy_run::evaluation_id.eq(evaluation))
        .filter(subsidy_run::state.ne_all([RunState::Discarded, RunState::Failed]))
        .select(subsidy_run::id)
        .first(conn)
        .optional()?)
}

/// What a run came to, as a whole; `factor` is none where there are several pools.
#[derive(Debug, Clone)]
pub struct Totals {
    pub factor: Option<String>,
    pub sum_before_pool_fen: String,
    pub awarded_fen: Fen,
    pub unspent_fen: Fen,
    pub pools: Vec<Pool>,
    pub result_digest: String,
}

/// The evaluation a run stands on.
pub fn update_evaluation(
    conn: &mut Conn,
    id: SubsidyRunId,
    evaluation: EvaluationId,
) -> Result<()> {
    diesel::update(subsidy_run::table.find(id))
        .set(subsidy_run::evaluation_id.eq(evaluation))
        .execute(conn)?;
    Ok(())
}

/// What was shared out.
pub fn update_totals(conn: &mut Conn, id: SubsidyRunId, totals: &Totals) -> Result<()> {
    diesel::update(subsidy_run::table.find(id))
        .set((
            subsidy_run::factor.eq(&totals.factor),
            subsidy_run::sum_before_pool_fen.eq(&totals.sum_before_pool_fen),
            subsidy_run::awarded_fen.eq(totals.awarded_fen),
            subsidy_run::unspent_fen.eq(totals.unspent_fen),
            subsidy_run::pools.eq(Json::of(Pools::from(totals.pools.clone()))?),
            subsidy_run::result_digest.eq(&totals.result_digest),
        ))
        .execute(conn)?;
    Ok(())
}

/// The base of an instrument and the income left out of it, by reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    pub instrument_id: InstrumentId,
    pub asset_no: String,
    pub base_fen: Fen,
    pub left_out_fen: BTreeMap<LeftOut, Fen>,
}

/// What a unit gets. `before_pool_fen` is exact, as `p/q`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = award)]
pub struct Award {
    pub id: AwardId,
    pub subsidy_run_id: SubsidyRunId,
    pub organization_id: OrganizationId,
    /// None: it has none, or is a using unit.
    pub grade: Option<Grade>,
    pub before_pool_fen: String,
    pub award_fen: Fen,
    pub instruments: Json<Vec<Base>>,
    /// What the unit was called when the budget was shared out.
    pub name: String,
    /// Code of the award in the pack; empty in runs of before there were several.
    pub award_code: String,
    pub recipient: Recipient,
    pub pool: Option<String>,
}

/// An award to insert.
#[derive(Debug, Insertable)]
#[diesel(table_name = award)]
pub struct NewAward {
    pub subsidy_run_id: SubsidyRunId,
    pub organization_id: OrganizationId,
    /// None: it has none, or is a using unit.
    pub grade: Option<Grade>,
    pub before_pool_fen: String,
    pub award_fen: Fen,
    pub instruments: Json<Vec<Base>>,
    /// What the unit was called when the budget was shared out.
    pub name: String,
    /// Code of the award in the pack; empty in runs of before there were several.
    pub award_code: String,
    pub recipient: Recipient,
    pub pool: Option<String>,
}

pub fn insert_award(conn: &mut Conn, new: &NewAward) -> Result<AwardId> {
    Ok(diesel::insert_into(award::table)
        .values(new)
        .returning(award::id)
        .get_result(conn)?)
}

/// The awards of a run in the order of the pack, each by organization.
pub fn list_awards(conn: &mut Conn, run: SubsidyRunId) -> Result<Vec<Award>> {
    Ok(award::table
        .filter(award::subsidy_run_id.eq(run))
        .select(Award::as_select())
        .order(award::id)
        .load(conn)?)
}

/// One award of a run.
pub fn get_award(conn: &mut Conn, run: SubsidyRunId, id: AwardId) -> Result<Award> {
    Ok(award::table
        .filter(award::id.eq(id))
        .filter(award::subsidy_run_id.eq(run))
        .select(Award::as_select())
        .get_result(conn)?)
}

/// One step of an award. Amounts are exact, as `p/q`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = award_step, treat_none_as_default_value = false)]
pub struct Step {
    pub award_id: AwardId,
    pub position: i64,
    pub instrument_id: Option<InstrumentId>,
    pub step: StepName,
    pub operands: Json<BTreeMap<String, String>>,
    pub before_fen: String,
    pub after_fen: String,
}

pub fn insert_steps(conn: &mut Conn, steps: &[Step]) -> Result<()> {
    insert_all!(conn, award_step::table, steps);
    Ok(())
}

/// The steps of all awards of a run, award by award in their order.
pub fn list_steps_of_run(conn: &mut Conn, run: SubsidyRunId) -> Result<Vec<Step>> {
    Ok(award_step::table
        .inner_join(award::table.on(award::id.eq(award_step::award_id)))
        .filter(award::subsidy_run_id.eq(run))
        .select(Step::as_select())
        .order((award_step::award_id, award_step::position))
        .load(conn)?)
}

/// The steps of an award in their order.
pub fn list_steps(conn: &mut Conn, award: AwardId) -> Result<Vec<Step>> {
    Ok(award_step::table
        .filter(award_step::award_id.eq(award))
        .select(Step::as_select())
        .order(award_step::position)
        .load(conn)?)
}
