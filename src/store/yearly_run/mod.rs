//! Yearly runs of both kinds as rows: what evaluations and subsidy runs have in common, how they are listed, and guarded moves
//! from state to state, written once for both tables. The database refuses a second final run of a kind, year and code
//! (`EvaluationFinalUnique`, `SubsidyRunFinalUnique`) and any change of a final one (`EvaluationFinal`, `SubsidyRunFinal`).

pub mod evaluation;
pub mod expert;
pub mod facts;
pub mod money;
pub mod span;
mod stamp;
mod stored;
pub mod subsidy;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::{Conn, Json, Result};
use crate::domain::run::{RunId, RunKind, RunState};
use crate::domain::{EvaluationId, Instant, PolicyId, PublicNoticeId, UserId};
pub use evaluation::Evaluation;
pub use stamp::{AfterFreezes, after_freezes};
pub use stored::Terms;
pub use subsidy::SubsidyRun;

/// What a run of either kind has.
#[derive(Debug, Clone, Queryable)]
pub struct Lifecycle {
    pub year: i64,
    pub policy_id: PolicyId,
    pub policy_digest: String,
    pub state: RunState,
    /// Percent.
    pub progress: i64,
    pub failure: Option<String>,
    /// SHA-256.
    pub result_digest: Option<String>,
    pub created_by: Option<UserId>,
    pub published_by: Option<UserId>,
    pub finalized_by: Option<UserId>,
    pub published_at: Option<Instant>,
    pub finalized_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Of the policy, whatever its version.
    pub policy_code: String,
    /// The last day of the public notice.
    pub notice_until_on: Option<NaiveDate>,
    /// Printed with the notice.
    pub notice_remark: Option<String>,
    /// Why what was published was thrown away.
    pub discard_reason: Option<String>,
    /// What its publication printed.
    pub public_notice_id: Option<PublicNoticeId>,
    pub terms: Json<Terms>,
    /// A what-if: read, compared and deleted, never shown to everybody.
    pub is_scenario: bool,
    /// Points, adopted grades or findings of the year changed since it was graded.
    pub is_stale: bool,
}

/// A run of either kind.
#[derive(Debug, Clone)]
pub enum Run {
    Evaluation(Evaluation),
    SubsidyRun(SubsidyRun),
}

impl Run {
    pub const fn id(&self) -> RunId {
        match self {
            Run::Evaluation(row) => RunId::Evaluation(row.id),
            Run::SubsidyRun(row) => RunId::SubsidyRun(row.id),
        }
    }

    pub const fn lifecycle(&self) -> &Lifecycle {
        match self {
            Run::Evaluation(row) => &row.lifecycle,
            Run::SubsidyRun(row) => &row.lifecycle,
        }
    }

    /// The evaluation that a subsidy run stands on, once it has one.
    pub const fn evaluation_id(&self) -> Option<EvaluationId> {
        match self {
            Run::Evaluation(_) => None,
            Run::SubsidyRun(row) => row.evaluation_id,
        }
    }
}

/// A run that begins.
#[derive(Debug, Clone)]
pub struct NewRun {
    pub year: i64,
    pub policy_id: PolicyId,
    pub policy_code: String,
    pub policy_digest: String,
    pub created_by: Option<UserId>,
    pub terms: Terms,
    pub is_scenario: bool,
    pub now: Instant,
}

/// Which runs to list. No years mean all.
#[derive(Debug, Clone)]
pub struct Filter {
    pub years: Vec<i64>,
    /// Only what everybody may see; in the order of change also what was published and then thrown away.
    pub only_published: bool,
    pub place: PageStart,
    pub limit: i64,
}

/// Where a list begins, and in which order it goes on.
#[derive(Debug, Clone, Copy)]
pub enum PageStart {
    /// Oldest first, after this id.
    After(i64),
    /// In the order of (`updated_at`, `id`), after this change.
    Changed(Instant, i64),
}

pub fn get(conn: &mut Conn, id: RunId) -> Result<Run> {
    Ok(match id {
        RunId::Evaluation(id) => Run::Evaluation(evaluation::get(conn, id)?),
        RunId::SubsidyRun(id) => Run::SubsidyRun(subsidy::get(conn, id)?),
    })
}

pub fn list(conn: &mut Conn, kind: RunKind, filter: &Filter) -> Result<Vec<Run>> {
    Ok(match kind {
        RunKind::Evaluation => {
            let rows = evaluation::list(conn, filter)?.into_iter();
            rows.map(Run::Evaluation).collect()
        }
        RunKind::SubsidyRun => {
            let rows = subsidy::list(conn, filter)?.into_iter();
            rows.map(Run::SubsidyRun).collect()
        }
    })
}

/// How far a running run is. False when it no longer runs.
pub fn update_progress(conn: &mut Conn, id: RunId, percent: i64, now: Instant) -> Result<bool> {
    match id {
        RunId::Evaluation(id) => evaluation::update_progress(conn, id, percent, now),
        RunId::SubsidyRun(id) => subsidy::update_progress(conn, id, percent, now),
    }
}

/// Ends the computation: a running run becomes a draft. False when it no longer runs (it was discarded).
pub fn update_to_draft(conn: &mut Conn, id: RunId, now: Instant) -> Result<bool> {
    match id {
        RunId::Evaluation(id) => evaluation::update_to_draft(conn, id, now),
        RunId::SubsidyRun(id) => subsidy::update_to_draft(conn, id, now),
    }
}

/// Says why a running run ended without a result. False when it no longer runs.
pub fn update_to_failed(conn: &mut Conn, id: RunId, failure: &str, now: Instant) -> Result<bool> {
    match id {
        RunId::Evaluation(id) => evaluation::update_to_failed(conn, id, failure, now),
        RunId::SubsidyRun(id) => subsidy::update_to_failed(conn, id, failure, now),
    }
}

/// Moves a run to a state, noting who published or finalized it. `Contended` when `present` is no longer what stands there.
/// Violates the rule that one run of a year is final.
pub fn update_state(
    conn: &mut Conn,
    present: &Run,
    state: RunState,
    by: Option<UserId>,
    now: Instant,
) -> Result<()> {
    match present {
        Run::Evaluation(row) => evaluation::update_state(conn, row, state, by, now),
        Run::SubsidyRun(row) => subsidy::update_state(conn, row, state, by, now),
    }
}

/// What is said with a decision, written before the state moves.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// The last day of the public notice that begins.
    pub notice_until_on: Option<NaiveDate>,
    pub notice_remark: Option<String>,
    pub discard_reason: Option<String>,
    pub public_notice_id: Option<PublicNoticeId>,
}

/// Keeps what is said with a decision; what is not said stays.
pub fn update_said(conn: &mut Conn, id: RunId, said: &Said) -> Result<()> {
    match id {
        RunId::Evaluation(id) => evaluation::update_said(conn, id, said),
        RunId::SubsidyRun(id) => subsidy::update_said(conn, id, said),
    }
}

/// The final run of a kind, year and code of a policy; of subsidy runs, of the claim window.
pub fn find_final(
    conn: &mut Conn,
    kind: RunKind,
    (year, code): (i64, &str),
    claim: Option<&str>,
) -> Result<Option<RunId>> {
    Ok(match kind {
        RunKind::Evaluation => evaluation::find_final(conn, year, code)?.map(RunId::from),
        RunKind::SubsidyRun => subsidy::find_final(conn, year, code, claim)?.map(RunId::from),
    })
}

/// Notes that points, adopted grades or findings of the year changed: drafts and what is published do not know it. What is being
/// computed, and what is final, is not touched.
pub fn update_to_stale(conn: &mut Conn, year: i64, now: Instant) -> Result<()> {
    evaluation::update_to_stale(conn, year, now)?;
    subsidy::update_to_stale(conn, year, now)
}

/// Removes a what-if with everything beneath it; nothing else stands on it.
pub fn delete_scenario(conn: &mut Conn, id: RunId) -> Result<()> {
    match id {
        RunId::Evaluation(id) => evaluation::delete(conn, id),
        RunId::SubsidyRun(id) => subsidy::delete(conn, id),
    }
}

/// The columns of a row: its id, the lifecycle, and those of its own.
macro_rules! columns {
    ($table:ident, [$($own:ident),+]) => {
        (
            $table::id,
            (
                $table::year,
                $table::policy_id,
                $table::policy_digest,
                $table::state,
                $table::progress,
                $table::failure,
                $table::result_digest,
                $table::created_by,
                $table::published_by,
                $table::finalized_by,
                $table::published_at,
                $table::finalized_at,
                $table::version,
                $table::created_at,
                $table::updated_at,
                $table::policy_code,
                $table::notice_until_on,
                $table::notice_remark,
                $table::discard_reason,
                $table::public_notice_id,
                $table::terms,
                $table::is_scenario,
                $table::is_stale,
            ),
            $($table::$own),+
        )
    };
}
pub(in crate::store) use columns;

/// The values of a row that begins, but for those of its own.
macro_rules! new_run {
    ($table:ident, $new:expr) => {
        (
            $table::year.eq($new.year),
            $table::policy_id.eq($new.policy_id),
            $table::policy_code.eq(&$new.policy_code),
            $table::policy_digest.eq(&$new.policy_digest),
            $table::state.eq(RunState::Running),
            $table::progress.eq(0_i64),
            $table::created_by.eq($new.created_by),
            $table::terms.eq(Json::of($new.terms.clone())?),
            $table::is_scenario.eq($new.is_scenario),
            $table::version.eq(1_i64),
            $table::created_at.eq($new.now),
            $table::updated_at.eq($new.now),
        )
    };
}
pub(in crate::store) use new_run;

/// The functions of one table of runs. Needs the imports of a store file, its table and its row.
macro_rules! runs {
    ($table:ident, $id:ty, $row:ty, $own:tt) => {
        pub fn get(conn: &mut Conn, id: $id) -> Result<$row> {
            Ok($table::table
                .find(id)
                .select(columns!($table, $own))
                .get_result(conn)?)
        }

        pub(super) fn list(conn: &mut Conn, filter: &Filter) -> Result<Vec<$row>> {
            let mut query = $table::table
                .limit(filter.limit)
                .select(columns!($table, $own))
                .into_boxed();
            if !filter.years.is_empty() {
                query = query.filter($table::year.eq_any(filter.years.clone()));
            }
            let public = $table::state.eq_any([RunState::Published, RunState::Final]);
            match filter.place {
                PageStart::After(id) => {
                    if filter.only_published {
                        query = query.filter(public);
                    }
                    query = query.filter($table::id.gt(id)).order($table::id);
                }
                PageStart::Changed(moment, id) => {
                    if filter.only_published {
                        query = query.filter(public.or($table::published_at.is_not_null()));
                    }
                    let same = $table::updated_at.eq(moment).and($table::id.gt(id));
                    query = query
                        .filter($table::updated_at.gt(moment).or(same))
                        .order(($table::updated_at, $table::id));
                }
            }
            Ok(query.load(conn)?)
        }

        pub(super) fn update_progress(
            conn: &mut Conn,
            id: $id,
            percent: i64,
            now: Instant,
        ) -> Result<bool> {
            let running = $table::table
                .filter($table::id.eq(id))
                .filter($table::state.eq(RunState::Running));
            let changed = diesel::update(running)
                .set(($table::progress.eq(percent), $table::updated_at.eq(now)))
                .execute(conn)?;
            Ok(changed == 1)
        }

        pub(super) fn update_to_stale(conn: &mut Conn, year: i64, now: Instant) -> Result<()> {
            let known = $table::table
                .filter($table::year.eq(year))
                .filter($table::is_stale.eq(false))
                .filter($table::state.eq_any([RunState::Draft, RunState::Published]));
            diesel::update(known)
                .set(($table::is_stale.eq(true), $table::updated_at.eq(now)))
                .execute(conn)?;
            Ok(())
        }

        pub(super) fn update_to_draft(conn: &mut Conn, id: $id, now: Instant) -> Result<bool> {
            let running = $table::table
                .filter($table::id.eq(id))
                .filter($table::state.eq(RunState::Running));
            let changed = diesel::update(running)
                .set((
                    $table::state.eq(RunState::Draft),
                    $table::progress.eq(100_i64),
                    $table::version.eq($table::version + 1),
                    $table::updated_at.eq(now),
                ))
                .execute(conn)?;
            Ok(changed == 1)
        }

        pub(super) fn update_to_failed(
            conn: &mut Conn,
            id: $id,
            failure: &str,
            now: Instant,
        ) -> Result<bool> {
            let running = $table::table
                .filter($table::id.eq(id))
                .filter($table::state.eq(RunState::Running));
            let changed = diesel::update(running)
                .set((
                    $table::state.eq(RunState::Failed),
                    $table::failure.eq(failure),
                    $table::version.eq($table::version + 1),
                    $table::updated_at.eq(now),
                ))
                .execute(conn)?;
            Ok(changed == 1)
        }

        pub(super) fn update_said(conn: &mut Conn, id: $id, said: &Said) -> Result<()> {
            let present = get(conn, id)?.lifecycle;
            diesel::update($table::table.find(id))
                .set((
                    $table::notice_until_on.eq(said.notice_until_on.or(present.notice_until_on)),
                    $table::notice_remark.eq(said.notice_remark.clone().or(present.notice_remark)),
                    $table::discard_reason
                        .eq(said.discard_reason.clone().or(present.discard_reason)),
                    $table::public_notice_id.eq(said.public_notice_id.or(present.public_notice_id)),
                ))
                .execute(conn)?;
            Ok(())
        }

        pub(super) fn update_state(
            conn: &mut Conn,
            present: &$row,
            state: RunState,
            by: Option<UserId>,
            now: Instant,
        ) -> Result<()> {
            let unchanged = $table::table
                .filter($table::id.eq(present.id))
                .filter($table::version.eq(present.lifecycle.version))
                .filter($table::state.eq(present.lifecycle.state));
            let row = diesel::update(unchanged);
            let moved = (
                $table::state.eq(state),
                $table::version.eq(present.lifecycle.version + 1),
                $table::updated_at.eq(now),
            );
            let published = ($table::published_by.eq(by), $table::published_at.eq(now));
            let finalized = ($table::finalized_by.eq(by), $table::finalized_at.eq(now));
            let changed = match state {
                RunState::Published => row.set((moved, published)).execute(conn)?,
                RunState::Final => row.set((moved, finalized)).execute(conn)?,
                _ => row.set(moved).execute(conn)?,
            };
            match changed {
                1 => Ok(()),
                _ => Err(StoreError::Contended),
            }
        }
    };
}
pub(in crate::store) use runs;
