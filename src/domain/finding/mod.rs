//! Findings: what looks wrong in the records of a year, before any money. The database gathers candidates, a rule decides of
//! each whether it is found, and what is found of one subject is one finding with a digest of its facts.

mod rule;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::policy::digest;
use super::sentence::Sentence;
use super::{Fen, Instant, InstrumentId, Minutes, OrganizationId, TooLarge, UsageRecordId};

pub use rule::{
    CIRCULAR_YUAN_MIN, FindingRule, IDENTICAL_RECORDS_MIN, LATE_DAYS, Severity, UNPAID_MINUTES_MIN,
};
pub use state::{
    EXPLAINED_WITHIN_WORKING_DAYS, FindingDecision, FindingEffect, FindingState, ScanState,
};

/// The most records that a finding names in one answer; `records` counts them all, and its list has them all.
pub const RECORDS_NAMED_MAX: usize = 1_000;

/// So many candidates are read of a rule at most, in the order of units, instruments and records: more faults than anybody can
/// look at before mending some.
pub const CANDIDATES_MAX: i64 = 20_000;

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
    /// All of them.
    pub record_ids: Vec<UsageRecordId>,
    /// How long each record of two units takes, where the rule asks for it.
    pub durations: BTreeSet<i64>,
    /// There were more candidates of the rule, or more records, than are read.
    pub is_cut: bool,
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
    pub fn add(&mut self, candidate: &Candidate) -> Result<(), TooLarge> {
        if !self.rule.finds(candidate) {
            return Ok(());
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
            durations: BTreeSet::new(),
            is_cut: false,
            facts: Vec::new(),
        });
        found.add(candidate)
    }

    /// What was found; `is_cut`: not all candidates were read.
    pub fn finish(self, is_cut: bool) -> impl Iterator<Item = Found> {
        let found = self.found.into_values();
        found.map(move |one| Found { is_cut, ..one })
    }
}

impl Found {
    fn add(&mut self, candidate: &Candidate) -> Result<(), TooLarge> {
        let records = self.records.checked_add(candidate.records);
        self.records = records.ok_or(TooLarge)?;
        self.minutes = self.minutes.checked_add(candidate.minutes)?;
        self.income = self.income.checked_add(candidate.income)?;
        self.record_ids.extend(candidate.record_id);
        if candidate.record_id.is_none() {
            let each = candidate.minutes.number().checked_div(candidate.records);
            self.durations.extend(each);
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
        Ok(())
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
pub fn sentence(rule: FindingRule, records: i64, income: Fen, is_cut: bool) -> Sentence {
    let (zh, en) = rule.texts();
    let more = match is_cut {
        true => (
            "；仅核查了前 {most} 条，更正后请重新核查",
            "; only the first {most} were looked at: mend these, then scan again",
        ),
        false => ("", ""),
    };
    let filled = |text: &str, more: &str| {
        format!("{text}{more}")
            .replace("{records}", &records.to_string())
            .replace("{yuan}", &income.to_string())
            .replace("{most}", &CANDIDATES_MAX.to_string())
    };
    (filled(zh, more.0), filled(en, more.1)).into()
}

#[cfg(test)]
mod tests;
