//! Subsidy runs, their awards and every step of each.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{Filter, Lifecycle, NewRun, PageStart, Said, columns, new_run, runs};
use crate::domain::policy::Grade;
use crate::domain::run::RunState;
use crate::domain::subsidy::{LeftOut, StepName};
use crate::domain::{
    AwardId, EvaluationId, Fen, Instant, InstrumentId, OrganizationId, SubsidyRunId, UserId,
};
use crate::store::bulk::insert_all;
use crate::store::schema::{award, award_step, subsidy_run};
use crate::store::{Conn, Json, Result, StoreError};

/// One row, whole. `factor` and `sum_before_pool_fen` are exact, as `p/q`.
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
}

/// A run that begins to share out `budget_fen`, by an evaluation if one was chosen.
pub fn insert(
    conn: &mut Conn,
    new: &NewRun,
    budget_fen: Fen,
    evaluation: Option<EvaluationId>,
) -> Result<SubsidyRunId> {
    Ok(diesel::insert_into(subsidy_run::table)
        .values((
            new_run!(subsidy_run, new),
            subsidy_run::evaluation_id.eq(evaluation),
            subsidy_run::budget_fen.eq(budget_fen),
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
        unspent_fen
    ]
);

/// A run that stands on an evaluation and was not thrown away.
pub fn find_standing_on(conn: &mut Conn, evaluation: EvaluationId) -> Result<Option<SubsidyRunId>> {
    Ok(subsidy_run::table
        .filter(subsidy_run::evaluation_id.eq(evaluation))
        .filter(subsidy_run::state.ne_all([RunState::Discarded, RunState::Failed]))
        .select(subsidy_run::id)
        .first(conn)
        .optional()?)
}

/// What a run came to, as a whole.
#[derive(Debug, Clone)]
pub struct Totals {
    pub factor: String,
    pub sum_before_pool_fen: String,
    pub awarded_fen: Fen,
    pub unspent_fen: Fen,
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
    pub grade: Grade,
    pub before_pool_fen: String,
    pub award_fen: Fen,
    pub instruments: Json<Vec<Base>>,
    /// What the unit was called when the budget was shared out.
    pub name: String,
}

/// An award to insert.
#[derive(Debug, Insertable)]
#[diesel(table_name = award)]
pub struct NewAward {
    pub subsidy_run_id: SubsidyRunId,
    pub organization_id: OrganizationId,
    pub grade: Grade,
    pub before_pool_fen: String,
    pub award_fen: Fen,
    pub instruments: Json<Vec<Base>>,
    /// What the unit was called when the budget was shared out.
    pub name: String,
}

pub fn insert_award(conn: &mut Conn, new: &NewAward) -> Result<AwardId> {
    Ok(diesel::insert_into(award::table)
        .values(new)
        .returning(award::id)
        .get_result(conn)?)
}

/// The awards of a run, by organization.
pub fn list_awards(conn: &mut Conn, run: SubsidyRunId) -> Result<Vec<Award>> {
    Ok(award::table
        .filter(award::subsidy_run_id.eq(run))
        .select(Award::as_select())
        .order(award::organization_id)
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
