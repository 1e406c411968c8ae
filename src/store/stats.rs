//! Open figures of a year that was evaluated for good, as they were told first: nothing changes them later.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::{evaluation, stats_snapshot};
use super::{Conn, Json, Result};
use crate::domain::run::RunState;
use crate::domain::{EvaluationId, Fen, Instant};

/// The figures of a year; `format` counts the shapes of this document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub format: i64,
    /// `code@version`.
    pub policy: String,
    /// When they were read, or frozen.
    pub as_of: Instant,
    pub total: Figures,
    /// By the word for what they are grouped by.
    pub groups: BTreeMap<String, Vec<Group>>,
}

/// A group with what people call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub key: String,
    pub name: String,
    pub figures: Figures,
}

/// What is told; what is not told is null and stands in `suppressed`, what is not asked of a group is null alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    pub hosts: i64,
    pub instruments: i64,
    pub externally_shared_instruments: i64,
    pub original_value_fen: Option<Fen>,
    pub external_units: Option<i64>,
    pub sme_units: Option<i64>,
    pub records: Option<i64>,
    pub samples: Option<i64>,
    pub effective_minutes: Option<i64>,
    pub external_minutes: Option<i64>,
    pub share_rate_of_sums: Option<String>,
    pub share_rate_mean: Option<String>,
    pub income_fen: Option<Fen>,
    pub answered_in_time_rate: Option<String>,
    pub answer_hours_median: Option<String>,
    /// How many units have each grade.
    pub grades: Option<BTreeMap<String, i64>>,
    pub award_fen: Option<Fen>,
    pub suppressed: Vec<String>,
}

/// The figures kept of an evaluation.
pub fn find(conn: &mut Conn, evaluation: EvaluationId) -> Result<Option<Document>> {
    let kept: Option<Json<Document>> = stats_snapshot::table
        .find(evaluation)
        .select(stats_snapshot::content)
        .get_result(conn)
        .optional()?;
    Ok(kept.map(Json::into_inner))
}

/// Keeps them. Violates `StatsSnapshot` where they are kept already.
pub fn insert(
    conn: &mut Conn,
    evaluation: EvaluationId,
    content: &Document,
    now: Instant,
) -> Result<()> {
    diesel::insert_into(stats_snapshot::table)
        .values((
            stats_snapshot::evaluation_id.eq(evaluation),
            stats_snapshot::content.eq(Json::of(content.clone())?),
            stats_snapshot::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Final evaluations of which nothing is kept yet, oldest first.
pub fn list_unkept(conn: &mut Conn, limit: i64) -> Result<Vec<EvaluationId>> {
    let kept = stats_snapshot::table.select(stats_snapshot::evaluation_id);
    Ok(evaluation::table
        .filter(evaluation::state.eq(RunState::Final))
        .filter(evaluation::id.ne_all(kept))
        .select(evaluation::id)
        .order(evaluation::id)
        .limit(limit)
        .load(conn)?)
}
