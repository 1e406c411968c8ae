//! Evaluations: frozen inputs in blocks of lines, expert scores, and the graded hosts.

use diesel::prelude::*;

use super::{Filter, Lifecycle, NewRun, PageStart, Said, columns, new_run, runs};
use crate::domain::evaluation::ScoreExplanation;
use crate::domain::policy::Grade;
use crate::domain::run::RunState;
use crate::domain::{
    EvaluationId, EventId, Instant, InstrumentId, Minutes, OrganizationId, UserId,
};
use crate::store::bulk::insert_all;
use crate::store::schema::{evaluation, evaluation_input, evaluation_unit, expert_score};
use crate::store::{Conn, Json, Result, StoreError};
use serde::{Deserialize, Serialize};

/// One row, whole.
#[derive(Debug, Clone, Queryable)]
pub struct Evaluation {
    pub id: EvaluationId,
    pub lifecycle: Lifecycle,
    pub frozen_at: Option<Instant>,
    pub frozen_event_id: Option<EventId>,
    pub input_digest: Option<String>,
}

pub fn insert(conn: &mut Conn, new: &NewRun) -> Result<EvaluationId> {
    Ok(diesel::insert_into(evaluation::table)
        .values(new_run!(evaluation, new))
        .returning(evaluation::id)
        .get_result(conn)?)
}

runs!(
    evaluation,
    EvaluationId,
    Evaluation,
    [frozen_at, frozen_event_id, input_digest]
);

/// The final evaluation of a year and code.
pub(super) fn find_final(conn: &mut Conn, year: i64, code: &str) -> Result<Option<EvaluationId>> {
    Ok(evaluation::table
        .filter(evaluation::state.eq(RunState::Final))
        .filter(evaluation::year.eq(year))
        .filter(evaluation::policy_code.eq(code))
        .select(evaluation::id)
        .first(conn)
        .optional()?)
}

/// The newest evaluation of a year that froze facts itself and has results; never a what-if, whose facts are those of another.
pub fn find_newest_frozen(conn: &mut Conn, year: i64) -> Result<Option<Evaluation>> {
    let id: Option<EvaluationId> = evaluation::table
        .filter(evaluation::year.eq(year))
        .filter(evaluation::is_scenario.eq(false))
        .filter(evaluation::state.eq_any([RunState::Draft, RunState::Published, RunState::Final]))
        .filter(evaluation::input_digest.is_not_null())
        .order((evaluation::frozen_at.desc(), evaluation::id.desc()))
        .select(evaluation::id)
        .first(conn)
        .optional()?;
    id.map(|id| get(conn, id)).transpose()
}

/// Removes an evaluation with its facts, points and units.
pub(super) fn delete(conn: &mut Conn, id: EvaluationId) -> Result<()> {
    delete_inputs(conn, id)?;
    delete_units(conn, id)?;
    delete_expert_scores(conn, id)?;
    diesel::delete(evaluation::table.find(id)).execute(conn)?;
    Ok(())
}

/// The evaluation as nobody changes it until the transaction ends: who discards it or enters points waits, or was first.
pub fn get_locked(conn: &mut Conn, id: EvaluationId) -> Result<Evaluation> {
    if let Conn::Postgres(postgres) = conn {
        evaluation::table
            .find(id)
            .select(evaluation::id)
            .for_no_key_update()
            .first::<EvaluationId>(postgres)?;
    }
    get(conn, id)
}

/// Names the state of the records a running evaluation stands on. False when it no longer runs (it was discarded).
pub fn update_to_frozen(
    conn: &mut Conn,
    id: EvaluationId,
    (frozen_at, newest): (Instant, Option<EventId>),
    now: Instant,
) -> Result<bool> {
    let running = evaluation::table
        .filter(evaluation::id.eq(id))
        .filter(evaluation::state.eq(RunState::Running));
    let changed = diesel::update(running)
        .set((
            evaluation::frozen_at.eq(frozen_at),
            evaluation::frozen_event_id.eq(newest),
            evaluation::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// SHA-256 of what an evaluation was made from and of what came out.
#[derive(Debug, Clone)]
pub struct Digests {
    pub input: String,
    pub result: String,
}

/// Takes a draft for a change by its experts: nobody else changes it until the transaction ends. `Contended` when
/// `present` is no longer what stands there.
pub fn claim_draft(conn: &mut Conn, present: &Evaluation, now: Instant) -> Result<()> {
    let unchanged = evaluation::table
        .filter(evaluation::id.eq(present.id))
        .filter(evaluation::version.eq(present.lifecycle.version))
        .filter(evaluation::state.eq(RunState::Draft));
    let changed = diesel::update(unchanged)
        .set((
            evaluation::version.eq(present.lifecycle.version + 1),
            evaluation::updated_at.eq(now),
        ))
        .execute(conn)?;
    match changed {
        1 => Ok(()),
        _ => Err(StoreError::Contended),
    }
}

/// What is taken into a draft now is all there is.
pub fn update_to_fresh(conn: &mut Conn, id: EvaluationId) -> Result<()> {
    diesel::update(evaluation::table.find(id))
        .set(evaluation::is_stale.eq(false))
        .execute(conn)?;
    Ok(())
}

/// Forgets the points that an evaluation took.
pub fn delete_expert_scores(conn: &mut Conn, id: EvaluationId) -> Result<()> {
    diesel::delete(expert_score::table.filter(expert_score::evaluation_id.eq(id))).execute(conn)?;
    Ok(())
}

/// The digests of what was graded.
pub fn update_digests(conn: &mut Conn, id: EvaluationId, digests: &Digests) -> Result<()> {
    diesel::update(evaluation::table.find(id))
        .set((
            evaluation::input_digest.eq(&digests.input),
            evaluation::result_digest.eq(&digests.result),
        ))
        .execute(conn)?;
    Ok(())
}

/// A row: a block of lines.
#[derive(Debug, Insertable)]
#[diesel(table_name = evaluation_input, treat_none_as_default_value = false)]
struct Line<'a> {
    evaluation_id: EvaluationId,
    position: i64,
    line: &'a str,
}

/// Stores the blocks of canonical lines in their order.
pub fn insert_inputs(conn: &mut Conn, id: EvaluationId, blocks: &[String]) -> Result<()> {
    let rows = (1..).zip(blocks).map(|(position, line)| Line {
        evaluation_id: id,
        position,
        line,
    });
    let rows: Vec<Line<'_>> = rows.collect();
    insert_all!(conn, evaluation_input::table, &rows);
    Ok(())
}

/// Takes the lines of another evaluation for its own: they are the same.
pub fn update_facts(conn: &mut Conn, id: EvaluationId, facts: EvaluationId) -> Result<()> {
    diesel::update(evaluation::table.find(id))
        .set(evaluation::facts_id.eq(facts))
        .execute(conn)?;
    Ok(())
}

/// The evaluation whose lines it took; none: it has its own.
pub fn find_facts(conn: &mut Conn, id: EvaluationId) -> Result<Option<EvaluationId>> {
    Ok(evaluation::table
        .find(id)
        .select(evaluation::facts_id)
        .first(conn)?)
}

/// The lines in blocks, its own or those it took, in their order. What was stored line by line has one line in each.
pub fn list_inputs(conn: &mut Conn, id: EvaluationId) -> Result<Vec<String>> {
    let facts = find_facts(conn, id)?;
    Ok(evaluation_input::table
        .filter(evaluation_input::evaluation_id.eq(facts.unwrap_or(id)))
        .select(evaluation_input::line)
        .order(evaluation_input::position)
        .load(conn)?)
}

/// Tells its own blocks of lines in their order, of which only a few are held at once.
pub fn each_input(conn: &mut Conn, id: EvaluationId, mut tell: impl FnMut(&str)) -> Result<()> {
    let mut last = 0;
    loop {
        let rows: Vec<(i64, String)> = evaluation_input::table
            .filter(evaluation_input::evaluation_id.eq(id))
            .filter(evaluation_input::position.gt(last))
            .select((evaluation_input::position, evaluation_input::line))
            .order(evaluation_input::position)
            .limit(BLOCKS_AT_ONCE)
            .load(conn)?;
        let Some((position, _)) = rows.last() else {
            return Ok(());
        };
        last = *position;
        rows.iter().for_each(|(_, block)| tell(block));
    }
}

/// Some megabytes.
const BLOCKS_AT_ONCE: i64 = 16;

/// Forgets the lines, and whose they were.
pub fn delete_inputs(conn: &mut Conn, id: EvaluationId) -> Result<()> {
    diesel::delete(evaluation_input::table.filter(evaluation_input::evaluation_id.eq(id)))
        .execute(conn)?;
    diesel::update(evaluation::table.find(id))
        .set(evaluation::facts_id.eq(None::<EvaluationId>))
        .execute(conn)?;
    Ok(())
}

/// What an instrument contributed, as it is stored with its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    pub instrument_id: InstrumentId,
    pub asset_no: String,
    pub effective_minutes: Minutes,
    pub external_minutes: Minutes,
    pub rated_minutes: Option<Minutes>,
    /// Where instruments are evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graded: Option<GradedFigures>,
}

/// An evaluated instrument, as it is stored with its unit. `total` is exact, as `p/q`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GradedFigures {
    pub scores: Vec<ScoreExplanation>,
    pub total: String,
    pub place: i64,
    pub grade: Option<Grade>,
}

/// A graded unit. `total` is exact, as `p/q`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = evaluation_unit, treat_none_as_default_value = false)]
pub struct Host {
    pub evaluation_id: EvaluationId,
    pub organization_id: OrganizationId,
    pub total: String,
    /// None: the pack gives it none.
    pub grade: Option<Grade>,
    pub place: i64,
    pub scores: Json<Vec<ScoreExplanation>>,
    pub instruments: Json<Vec<Figures>>,
    pub uscc: String,
    /// As it was called when it was graded.
    pub name: String,
}

pub fn insert_units(conn: &mut Conn, units: &[Host]) -> Result<()> {
    for unit in units {
        diesel::insert_into(evaluation_unit::table)
            .values(unit)
            .execute(conn)?;
    }
    Ok(())
}

/// The graded units of an evaluation, by organization.
pub fn list_units(conn: &mut Conn, id: EvaluationId) -> Result<Vec<Host>> {
    Ok(evaluation_unit::table
        .filter(evaluation_unit::evaluation_id.eq(id))
        .select(Host::as_select())
        .order(evaluation_unit::organization_id)
        .load(conn)?)
}

pub fn delete_units(conn: &mut Conn, id: EvaluationId) -> Result<()> {
    diesel::delete(evaluation_unit::table.filter(evaluation_unit::evaluation_id.eq(id)))
        .execute(conn)?;
    Ok(())
}

/// An expert's points, as a decimal text.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = expert_score)]
pub struct ExpertScore {
    pub evaluation_id: EvaluationId,
    pub organization_id: OrganizationId,
    pub indicator: String,
    pub points: String,
    pub entered_by: Option<UserId>,
    pub entered_at: Instant,
}

/// Writes a score, in place of an earlier one of the unit and indicator.
pub fn update_expert_score(conn: &mut Conn, score: &ExpertScore) -> Result<()> {
    let key = (
        score.evaluation_id,
        score.organization_id,
        score.indicator.as_str(),
    );
    diesel::delete(expert_score::table.find(key)).execute(conn)?;
    diesel::insert_into(expert_score::table)
        .values(score)
        .execute(conn)?;
    Ok(())
}

pub fn list_expert_scores(conn: &mut Conn, id: EvaluationId) -> Result<Vec<ExpertScore>> {
    Ok(expert_score::table
        .filter(expert_score::evaluation_id.eq(id))
        .select(ExpertScore::as_select())
        .order((expert_score::organization_id, expert_score::indicator))
        .load(conn)?)
}
