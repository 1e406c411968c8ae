//! Findings: one row for each rule, year and subject, written by what found it and read by the administration.

use diesel::prelude::*;

use super::schema::finding;
use super::{Conn, Json, Result, page};
use crate::domain::finding::{FindingEffect, FindingRule, FindingState, Found, Severity};
use crate::domain::{
    Fen, FindingId, Instant, InstrumentId, Minutes, OrganizationId, UsageRecordId,
};

/// So many findings in the way of finality are named at once.
const UNDECIDED_NAMED_MAX: i64 = 100;

/// One row, without its subject, which stands in the columns beside it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = finding)]
pub struct Finding {
    pub id: FindingId,
    pub year: i64,
    pub rule: FindingRule,
    pub organization_id: OrganizationId,
    pub counterpart_organization_id: Option<OrganizationId>,
    pub instrument_id: Option<InstrumentId>,
    pub records: i64,
    pub minutes: Minutes,
    pub income_fen: Fen,
    pub record_ids: Json<Vec<UsageRecordId>>,
    pub facts_digest: String,
    pub state: FindingState,
    pub decision: Option<String>,
    pub effect: Option<FindingEffect>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// Which findings to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub years: Vec<i64>,
    pub rules: Vec<FindingRule>,
    pub states: Vec<FindingState>,
    pub organizations: Vec<OrganizationId>,
    /// In the order of (`updated_at`, `id`), after this place; else newest first.
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

pub fn get(conn: &mut Conn, id: FindingId) -> Result<Finding> {
    Ok(finding::table
        .find(id)
        .select(Finding::as_select())
        .get_result(conn)?)
}

/// As nobody else changes it until the end.
pub fn get_locked(conn: &mut Conn, id: FindingId) -> Result<Finding> {
    if let Conn::Postgres(postgres) = conn {
        finding::table
            .find(id)
            .select(finding::id)
            .for_update()
            .first::<FindingId>(postgres)?;
    }
    get(conn, id)
}

/// The first serious findings of the year that nobody decided of.
pub fn list_undecided(conn: &mut Conn, year: i64) -> Result<Vec<FindingId>> {
    let rules = FindingRule::ALL.iter().copied();
    let serious: Vec<FindingRule> = rules
        .filter(|rule| rule.severity() == Severity::Serious)
        .collect();
    Ok(finding::table
        .filter(finding::year.eq(year))
        .filter(finding::rule.eq_any(serious))
        .filter(finding::state.eq_any([FindingState::Open, FindingState::Explained]))
        .order(finding::id)
        .limit(UNDECIDED_NAMED_MAX)
        .select(finding::id)
        .load(conn)?)
}

/// Writes what was decided of a finding.
pub fn update_decision(
    conn: &mut Conn,
    present: &Finding,
    state: FindingState,
    (decision, effect): (Option<&str>, Option<FindingEffect>),
    now: Instant,
) -> Result<()> {
    diesel::update(finding::table.find(present.id))
        .set((
            finding::state.eq(state),
            finding::decision.eq(decision),
            finding::effect.eq(effect),
            finding::version.eq(present.version + 1),
            finding::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// One page.
pub fn list(conn: &mut Conn, filter: &Filter) -> Result<Vec<Finding>> {
    let mut query = finding::table.into_boxed();
    if !filter.years.is_empty() {
        query = query.filter(finding::year.eq_any(filter.years.clone()));
    }
    if !filter.rules.is_empty() {
        query = query.filter(finding::rule.eq_any(filter.rules.clone()));
    }
    if !filter.states.is_empty() {
        query = query.filter(finding::state.eq_any(filter.states.clone()));
    }
    if !filter.organizations.is_empty() {
        query = query.filter(finding::organization_id.eq_any(filter.organizations.clone()));
    }
    let range = page::Range::of(filter.changed_after, filter.below);
    let query = page::in_range!(query, finding, range);
    Ok(query
        .limit(filter.limit)
        .select(Finding::as_select())
        .load(conn)?)
}

#[derive(AsChangeset)]
#[diesel(table_name = finding)]
struct Change {
    records: i64,
    minutes: Minutes,
    income_fen: Fen,
    record_ids: Json<Vec<UsageRecordId>>,
    facts_digest: String,
    state: FindingState,
    version: i64,
    updated_at: Instant,
}

/// Writes what was found: never a second row of a rule, year and subject. What was cleared opens again only with other facts.
pub fn record(conn: &mut Conn, year: i64, found: &Found, now: Instant) -> Result<()> {
    let (subject, digest) = (found.subject(), found.facts_digest());
    let known: Option<Finding> = finding::table
        .filter(finding::year.eq(year))
        .filter(finding::rule.eq(found.rule))
        .filter(finding::subject.eq(&subject))
        .select(Finding::as_select())
        .get_result(conn)
        .optional()?;
    let change = |state, version| -> Result<Change> {
        Ok(Change {
            records: found.records,
            minutes: found.minutes,
            income_fen: found.income,
            record_ids: Json::of(found.record_ids.clone())?,
            facts_digest: digest.clone(),
            state,
            version,
            updated_at: now,
        })
    };
    match known {
        Some(known) if known.facts_digest == digest => {}
        Some(known) => {
            let state = match known.state {
                FindingState::Cleared => FindingState::Open,
                other => other,
            };
            diesel::update(finding::table.find(known.id))
                .set(change(state, known.version + 1)?)
                .execute(conn)?;
        }
        None => {
            let new = change(FindingState::Open, 1)?;
            diesel::insert_into(finding::table)
                .values((
                    finding::year.eq(year),
                    finding::rule.eq(found.rule),
                    finding::subject.eq(&subject),
                    finding::organization_id.eq(found.organization_id),
                    finding::counterpart_organization_id.eq(found.counterpart_id),
                    finding::instrument_id.eq(found.instrument_id),
                    finding::records.eq(new.records),
                    finding::minutes.eq(new.minutes),
                    finding::income_fen.eq(new.income_fen),
                    finding::record_ids.eq(new.record_ids),
                    finding::facts_digest.eq(new.facts_digest),
                    finding::state.eq(new.state),
                    finding::version.eq(new.version),
                    finding::created_at.eq(now),
                    finding::updated_at.eq(now),
                ))
                .execute(conn)?;
        }
    }
    Ok(())
}
