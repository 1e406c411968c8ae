//! Findings: what looks wrong in the records of a year, before any money. The database gathers candidates, a rule decides of
//! each whether it is found, and what is found of one subject is one finding with a digest of its facts.

mod rule;
mod state;

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::policy::digest;
use super::sentence::Sentence;
use super::{Fen, Instant, InstrumentId, Minutes, OrganizationId, UsageRecordId};

pub use rule::{
    CIRCULAR_YUAN_MIN, FindingRule, IDENTICAL_RECORDS_MIN, LATE_DAYS, Severity, UNPAID_MINUTES_MIN,
};
pub use state::{FindingDecision, FindingEffect, FindingState};

/// The most records that a finding names one by one; `records` counts them all.
pub const RECORDS_NAMED_MAX: usize = 1_000;

/// A record, or what the records of two units come to, that a rule is asked about. `value` and `bound` are what the rule says
/// they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub organization_id: OrganizationId,
    /// The other unit, where the rule is about two.
    pub counterpart_id: Option<OrganizationId>,
    pub instrument_id: Option<InstrumentId>,
    pub record_id: Option<UsageRecordId>,
    pub records: i64,
    pub minutes: Minutes,
    pub income: Fen,
    pub value: i64,
    pub bound: i64,
    pub started_at: Option<Instant>,
    pub accepted_on: Option<NaiveDate>,
}

/// What is known of one rule, year and subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub rule: FindingRule,
    pub organization_id: OrganizationId,
    pub counterpart_id: Option<OrganizationId>,
    pub instrument_id: Option<InstrumentId>,
    pub records: i64,
    pub minutes: Minutes,
    pub income: Fen,
    pub record_ids: Vec<UsageRecordId>,
    facts: Vec<String>,
}

type Subject = (OrganizationId, Option<OrganizationId>, Option<InstrumentId>);

/// The findings of one rule, put together candidate by candidate.
#[derive(Debug)]
pub struct Findings {
    rule: FindingRule,
    found: BTreeMap<Subject, Found>,
}

impl Findings {
    pub const fn of(rule: FindingRule) -> Self {
        Self {
            rule,
            found: BTreeMap::new(),
        }
    }

    /// Adds a candidate, if the rule finds it.
    pub fn add(&mut self, candidate: &Candidate) {
        if !self.rule.finds(candidate) {
            return;
        }
        let (organization_id, counterpart_id, instrument_id) = (
            candidate.organization_id,
            candidate.counterpart_id,
            candidate.instrument_id,
        );
        let subject = (organization_id, counterpart_id, instrument_id);
        let found = self.found.entry(subject).or_insert_with(|| Found {
            rule: self.rule,
            organization_id,
            counterpart_id,
            instrument_id,
            records: 0,
            minutes: Minutes::ZERO,
            income: Fen::ZERO,
            record_ids: Vec::new(),
            facts: Vec::new(),
        });
        found.add(candidate);
    }

    pub fn finish(self) -> impl Iterator<Item = Found> {
        self.found.into_values()
    }
}

impl Found {
    fn add(&mut self, candidate: &Candidate) {
        let sum = |one: i64, other: i64| one.saturating_add(other);
        self.records = sum(self.records, candidate.records);
        self.minutes = Minutes::new(sum(self.minutes.number(), candidate.minutes.number()));
        self.income = Fen::new(sum(self.income.number(), candidate.income.number()));
        if let Some(id) = candidate.record_id
            && self.record_ids.len() < RECORDS_NAMED_MAX
        {
            self.record_ids.push(id);
        }
        let record = candidate.record_id.map_or(0, UsageRecordId::number);
        self.facts.push(format!(
            "{record} {} {} {} {} {}",
            candidate.records,
            candidate.minutes.number(),
            candidate.income.number(),
            candidate.value,
            candidate.bound
        ));
    }

    /// What a finding of the rule is about, as one text: never found twice in a year.
    pub fn subject(&self) -> String {
        let or_none = |id: Option<i64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        format!(
            "{}:{}:{}",
            self.organization_id,
            or_none(self.counterpart_id.map(OrganizationId::number)),
            or_none(self.instrument_id.map(InstrumentId::number)),
        )
    }

    /// Equal as long as nothing changed, in whatever order the database told it.
    pub fn facts_digest(&self) -> String {
        let mut facts = self.facts.clone();
        facts.sort_unstable();
        digest(&facts.join("\n"))
    }
}

/// What a finding says to people, and what to do next.
pub fn sentence(rule: FindingRule, records: i64, income: Fen) -> Sentence {
    let filled = |text: &str| {
        text.replace("{records}", &records.to_string())
            .replace("{yuan}", &income.to_string())
    };
    let (zh, en) = rule.texts();
    (filled(zh), filled(en)).into()
}

#[cfg(test)]
mod tests;
