//! Findings: one row for each rule, year and subject, written by what found it and decided by the administration. The records that
//! a finding is about, and the scans that somebody asked for, stand beside it.

pub mod record;
pub mod scan;

use diesel::prelude::*;

use super::schema::finding;
use super::{Conn, Json, Result, page};
use chrono::NaiveDate;

use crate::domain::finding::{
    FindingEffect, FindingRule, FindingState, Found, RECORDS_NAMED_MAX, Severity,
};
use crate::domain::policy::Grade;
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
    pub is_cut: bool,
    pub state: FindingState,
    /// By when the unit is to explain it; none: it is not shown to the unit.
    pub due_on: Option<NaiveDate>,
    pub explanation: Option<String>,
    pub decision: Option<String>,
    pub effect: Option<FindingEffect>,
    pub grade: Option<Grade>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl Finding {
    /// The first thousand of its records.
    pub fn records_named(&self) -> impl Iterator<Item = UsageRecordId> {
        self.record_ids.iter().copied()
    }
}

/// Which findings to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub years: Vec<i64>,
    pub rules: Vec<FindingRule>,
    pub states: Vec<FindingState>,
    pub organizations: Vec<OrganizationId>,
    /// Only those shown to this unit.
    pub assigned_to: Option<OrganizationId>,
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
    Ok(finding::table
        .filter(finding::year.eq(year))
        .filter(finding::rule.eq_any(serious()))
        .filter(finding::state.eq_any([FindingState::Open, FindingState::Explained]))
        .order(finding::id)
        .limit(UNDECIDED_NAMED_MAX)
        .select(finding::id)
        .load(conn)?)
}

/// The best grades that upheld findings of the year leave units.
pub fn list_best_grades(conn: &mut Conn, year: i64) -> Result<Vec<(OrganizationId, Grade)>> {
    Ok(finding::table
        .filter(finding::year.eq(year))
        .filter(finding::state.eq(FindingState::Upheld))
        .filter(finding::effect.eq(FindingEffect::CapGrade))
        .filter(finding::grade.is_not_null())
        .select((finding::organization_id, finding::grade.assume_not_null()))
        .load(conn)?)
}

/// What is said of a finding, all of it.
#[derive(Debug, Clone, AsChangeset)]
#[diesel(table_name = finding, treat_none_as_null = true)]
pub struct Said {
    pub state: FindingState,
    pub due_on: Option<NaiveDate>,
    pub explanation: Option<String>,
    pub decision: Option<String>,
    pub effect: Option<FindingEffect>,
    pub grade: Option<Grade>,
}

/// How many serious findings of a unit's year nobody decided of, and by when the first is to be explained; `shown`: of those alone
/// that are shown to the unit.
pub fn count_undecided(
    conn: &mut Conn,
    (unit, year): (OrganizationId, i64),
    shown: bool,
) -> Result<(i64, Option<NaiveDate>)> {
    let mut query = finding::table
        .filter(finding::organization_id.eq(unit))
        .filter(finding::year.eq(year))
        .filter(finding::rule.eq_any(serious()))
        .filter(finding::state.eq_any([FindingState::Open, FindingState::Explained]))
        .select((diesel::dsl::count_star(), diesel::dsl::min(finding::due_on)))
        .into_boxed();
    if shown {
        query = query.filter(finding::due_on.is_not_null());
    }
    Ok(query.get_result(conn)?)
}

fn serious() -> Vec<FindingRule> {
    let rules = FindingRule::ALL.iter().copied();
    rules
        .filter(|rule| rule.severity() == Severity::Serious)
        .collect()
}

/// Writes what is said of a finding.
pub fn update_said(conn: &mut Conn, present: &Finding, said: &Said, now: Instant) -> Result<()> {
    let step = (
        finding::version.eq(present.version + 1),
        finding::updated_at.eq(now),
    );
    diesel::update(finding::table.find(present.id))
        .set((said.clone(), step))
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
    if let Some(unit) = filter.assigned_to {
        query = query
            .filter(finding::organization_id.eq(unit))
            .filter(finding::due_on.is_not_null());
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
struct Facts {
    records: i64,
    minutes: Minutes,
    income_fen: Fen,
    record_ids: Json<Vec<UsageRecordId>>,
    facts_digest: String,
    is_cut: bool,
    updated_at: Instant,
}

impl Facts {
    fn of(found: &Found, now: Instant) -> Result<Self> {
        let named = found.record_ids.iter().take(RECORDS_NAMED_MAX);
        Ok(Self {
            records: found.records,
            minutes: found.minutes,
            income_fen: found.income,
            record_ids: Json::of(named.copied().collect())?,
            facts_digest: found.facts_digest(),
            is_cut: found.is_cut,
            updated_at: now,
        })
    }
}

/// What was written of a finding: its state before, if it was known, and now.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    pub id: FindingId,
    pub before: Option<FindingState>,
    pub after: FindingState,
}

/// Writes what was found: never a second row of a rule, year and subject. What was cleared opens again only with other facts; `None`
/// where the facts are the same.
pub fn record(conn: &mut Conn, year: i64, found: &Found, now: Instant) -> Result<Option<Written>> {
    let subject = found.subject();
    let known: Option<FindingId> = finding::table
        .filter(finding::year.eq(year))
        .filter(finding::rule.eq(found.rule))
        .filter(finding::subject.eq(&subject))
        .select(finding::id)
        .get_result(conn)
        .optional()?;
    let facts = Facts::of(found, now)?;
    let Some(id) = known else {
        return insert(conn, (year, subject), found, facts).map(Some);
    };
    let known = get_locked(conn, id)?;
    if known.facts_digest == facts.facts_digest {
        // What was found before records had rows of their own.
        record::complete(conn, id, &found.record_ids)?;
        return Ok(None);
    }
    let after = match known.state {
        FindingState::Cleared => FindingState::Open,
        other => other,
    };
    if after != known.state {
        diesel::update(finding::table.find(id))
            .set((
                finding::state.eq(after),
                finding::decision.eq(None::<String>),
            ))
            .execute(conn)?;
    }
    diesel::update(finding::table.find(id))
        .set((facts, finding::version.eq(known.version + 1)))
        .execute(conn)?;
    record::replace(conn, id, &found.record_ids)?;
    Ok(Some(Written {
        id,
        before: Some(known.state),
        after,
    }))
}

fn insert(
    conn: &mut Conn,
    (year, subject): (i64, String),
    found: &Found,
    facts: Facts,
) -> Result<Written> {
    let after = FindingState::Open;
    let id: FindingId = diesel::insert_into(finding::table)
        .values((
            finding::year.eq(year),
            finding::rule.eq(found.rule),
            finding::subject.eq(subject),
            finding::organization_id.eq(found.organization_id),
            finding::counterpart_organization_id.eq(found.counterpart_id),
            finding::instrument_id.eq(found.instrument_id),
            finding::records.eq(facts.records),
            finding::minutes.eq(facts.minutes),
            finding::income_fen.eq(facts.income_fen),
            finding::record_ids.eq(facts.record_ids),
            finding::facts_digest.eq(facts.facts_digest),
            finding::is_cut.eq(facts.is_cut),
            finding::state.eq(after),
            finding::version.eq(1_i64),
            finding::created_at.eq(facts.updated_at),
            finding::updated_at.eq(facts.updated_at),
        ))
        .returning(finding::id)
        .get_result(conn)?;
    record::replace(conn, id, &found.record_ids)?;
    Ok(Written {
        id,
        before: None,
        after,
    })
}
