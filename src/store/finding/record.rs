//! The records that a finding is about, one row each, so that they can be listed and taken out one by one.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_query;

use crate::domain::finding::{FindingEffect, FindingState};
use crate::domain::usage::UsageState;
use crate::domain::{FindingId, Instant, InstrumentId, Minutes, OrganizationId, UsageRecordId};
use crate::store::schema::{finding, finding_record, usage_record};
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

/// Puts the effect of a finding on these of its records, or on all; and on no others. Answers how many there are.
pub fn update_affected(
    conn: &mut Conn,
    finding: FindingId,
    ids: Option<&[UsageRecordId]>,
) -> Result<usize> {
    let of_finding = finding_record::table.filter(finding_record::finding_id.eq(finding));
    diesel::update(of_finding)
        .set(finding_record::is_affected.eq(ids.is_none()))
        .execute(conn)
        .map_err(Into::into)
        .and_then(|all| match ids {
            None => Ok(all),
            Some(ids) => {
                let these = of_finding.filter(finding_record::usage_record_id.eq_any(ids));
                let affected = finding_record::is_affected.eq(true);
                Ok(diesel::update(these).set(affected).execute(conn)?)
            }
        })
}

/// Which of these are records of a finding.
pub fn list_known(
    conn: &mut Conn,
    finding: FindingId,
    ids: &[UsageRecordId],
) -> Result<BTreeSet<UsageRecordId>> {
    let known: Vec<UsageRecordId> = finding_record::table
        .filter(finding_record::finding_id.eq(finding))
        .filter(finding_record::usage_record_id.eq_any(ids))
        .select(finding_record::usage_record_id)
        .load(conn)?;
    Ok(known.into_iter().collect())
}

/// Every record on which a finding that was upheld has an effect.
pub fn list_affected(conn: &mut Conn) -> Result<Vec<(UsageRecordId, FindingEffect)>> {
    let effects = [FindingEffect::ExcludeRecords, FindingEffect::EvidenceManual];
    Ok(finding::table
        .inner_join(finding_record::table.on(finding_record::finding_id.eq(finding::id)))
        .filter(finding::state.eq(FindingState::Upheld))
        .filter(finding::effect.eq_any(effects))
        .filter(finding_record::is_affected)
        .select((
            finding_record::usage_record_id,
            finding::effect.assume_not_null(),
        ))
        .load(conn)?)
}
