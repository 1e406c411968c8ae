//! The records that a finding is about, one row each, so that they can be listed and taken out one by one.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_query;

use crate::domain::usage::UsageState;
use crate::domain::{FindingId, Instant, InstrumentId, Minutes, OrganizationId, UsageRecordId};
use crate::store::schema::{finding_record, usage_record};
use crate::store::{Conn, Result};

/// So many rows are written by one statement.
const ROWS_WRITTEN: usize = 500;

/// A record of a finding as it is now.
#[derive(Debug, Clone, Queryable)]
pub struct FindingRecord {
    pub usage_record_id: UsageRecordId,
    pub instrument_id: InstrumentId,
    /// Who used the instrument.
    pub organization_id: OrganizationId,
    pub started_at: Instant,
    pub ended_at: Instant,
    minutes: (Minutes, Minutes, Minutes),
    pub state: UsageState,
    /// The effect of the finding is on this record.
    pub is_affected: bool,
}

impl FindingRecord {
    /// Of preparation, run and post-processing.
    pub fn effective_minutes(&self) -> Minutes {
        let (prepare, run, post) = self.minutes;
        // Each is below a month, so that the sum is far from any bound.
        Minutes::new(prepare.number() + run.number() + post.number())
    }
}

/// One page by id.
pub fn list(
    conn: &mut Conn,
    finding: FindingId,
    after: Option<UsageRecordId>,
    limit: i64,
) -> Result<Vec<FindingRecord>> {
    let after = after.map_or(0, UsageRecordId::number);
    Ok(finding_record::table
        .inner_join(usage_record::table.on(usage_record::id.eq(finding_record::usage_record_id)))
        .filter(finding_record::finding_id.eq(finding))
        .filter(finding_record::usage_record_id.gt(after))
        .order(finding_record::usage_record_id)
        .limit(limit)
        .select((
            usage_record::id,
            usage_record::instrument_id,
            usage_record::organization_id,
            usage_record::started_at,
            usage_record::ended_at,
            (
                usage_record::prepare_minutes,
                usage_record::run_minutes,
                usage_record::post_minutes,
            ),
            usage_record::state,
            finding_record::is_affected,
        ))
        .load(conn)?)
}

/// Writes the rows of what was found where it has none yet.
pub(super) fn complete(conn: &mut Conn, finding: FindingId, ids: &[UsageRecordId]) -> Result<()> {
    let some: Option<UsageRecordId> = finding_record::table
        .filter(finding_record::finding_id.eq(finding))
        .select(finding_record::usage_record_id)
        .first(conn)
        .optional()?;
    match some {
        None => replace(conn, finding, ids),
        Some(_) => Ok(()),
    }
}

/// Puts the records of what was found in place of those before. What an effect is on stays.
pub(super) fn replace(conn: &mut Conn, finding: FindingId, ids: &[UsageRecordId]) -> Result<()> {
    let of_finding = finding_record::table.filter(finding_record::finding_id.eq(finding));
    diesel::delete(of_finding.filter(finding_record::is_affected.eq(false))).execute(conn)?;
    let kept: Vec<UsageRecordId> = of_finding
        .select(finding_record::usage_record_id)
        .load(conn)?;
    let new: BTreeSet<UsageRecordId> = ids.iter().copied().collect();
    let kept: BTreeSet<UsageRecordId> = kept.into_iter().collect();
    let new: Vec<UsageRecordId> = new.difference(&kept).copied().collect();
    for some in new.chunks(ROWS_WRITTEN) {
        let rows: Vec<String> = some
            .iter()
            .map(|id| format!("({finding}, {id}, FALSE)"))
            .collect();
        sql_query(format!(
            "INSERT INTO finding_record (finding_id, usage_record_id, is_affected) VALUES {}",
            rows.join(", ")
        ))
        .execute(conn)?;
    }
    Ok(())
}
