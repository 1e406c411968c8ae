//! Policy packs: the checked form of a TOML pack, in the shapes that the engine knows. A [`Policy`] that exists is valid.
//!
//! Reading text belongs to `operations::policy_pack`; [`check`] turns its untyped tree into a policy or into every mistake.
//! Every number, weight, rate, cap, threshold and list of regions stands in the pack; no province's number stands here.

mod award;
mod brackets;
mod check;
mod condition;
mod condition_words;
mod explain;
mod explain_awards;
mod explain_scores;
mod grades;
mod grain;
mod measure;
mod metric;
mod metric_parts;
mod parameter;
mod raw;
mod score;
mod shape;
mod state;
mod step;
mod step_order;
mod stored;
mod words;
mod year;

pub(crate) use award::pool_order;
pub use award::{Award, Base, Exclusion, ExclusionWord, Level, ONLY_AWARD, Recipient};
pub use brackets::{BracketBy, BracketHow, Brackets};
pub use check::check;
pub use condition::{
    Condition, ConditionKey, FactOf, ProjectLevel, Range, ServiceClass, Test, YesNo,
};
pub use explain::{Difference, Said, Section, differences, explain};
pub use explain_scores::indicators;
pub use grades::{Grade, Grades, Quota, Tie, Veto};
pub use grain::Grain;
pub use measure::{
    Customers, HostCount, Measure, RatedHours, RecordFilter, SatisfactionPoints, Stock, Tally,
    WeakEvidence,
};
pub use metric::{Metric, Quantity};
pub use parameter::{Parameter, ParameterMistake, Values, complete as complete_parameters};
pub use raw::{PolicyMistake, Raw, RawValue};
pub use score::{Aggregate, Part, Peers, Score, Value, group_of};
pub use shape::{Point, Shape, ShapeWord};
pub use state::{PolicyDecision, PolicyState};
pub use step::{Act, Choose, Pooling, Rate, Step, StepWord};
pub use words::grade as grade_words;
pub use year::{IncomeBy, MonthDay, NotADay, Span, TermsMistake, YearRule, YearSpan};

use super::Fen;
use super::calendar::Calendar;
use chrono::{Days, NaiveDate};
use num_rational::BigRational;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

crate::vocabulary! {
    /// Where a parameter comes from: a published rule, or the platform's own proposal.
    Source {
        Official = "official",
        Proposal = "proposal",
    }
}

/// A pack that is whole, and what of it is probably wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    pub policy: Policy,
    pub warnings: Vec<PolicyMistake>,
}

/// A checked pack, with values for its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The name of the pack; it evaluates any year it is asked for.
    pub code: String,
    pub version: i64,
    pub title: String,
    pub issuer: String,
    pub document_no: Option<String>,
    pub published_on: Option<NaiveDate>,
    pub parameters: Vec<Parameter>,
    /// `None`: every listed instrument counts, and nothing is due.
    pub registration: Option<Registration>,
    pub requests: Option<Requests>,
    pub year: YearRule,
    /// In the order of their names; none: one without a name.
    pub pools: Vec<String>,
    pub evaluation: EvaluationRule,
    pub metrics: BTreeMap<String, Metric>,
    /// None: nobody is evaluated.
    pub scores: Vec<Score>,
    pub grades: Option<Grades>,
    /// None: nothing is paid.
    pub awards: Vec<Award>,
    pub notice: Notice,
    pub discipline: Discipline,
    pub duty: Option<Duty>,
    pub purchase: Option<Purchase>,
    /// `source` of each table that has one: key path and source, in the order of the pack.
    pub sources: Vec<(String, Source)>,
    /// Which value, by its key path, is that of which parameter.
    pub parameter_places: Vec<(String, String)>,
}

/// What must be registered, and how soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// Original value from which an instrument counts; the number itself counts.
    pub threshold_fen: Fen,
    /// After acceptance; the day after acceptance is day 1.
    pub report_within: Deadline,
}

/// So many days of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    WorkingDays(i64),
    Days(i64),
}

impl Deadline {
    /// The last day; the day after `from` is day 1.
    pub fn last_day(self, from: NaiveDate, calendar: &Calendar) -> NaiveDate {
        match self {
            Self::WorkingDays(days) => {
                let days = u32::try_from(days).unwrap_or(u32::MAX);
                calendar.add_working_days(from, days)
            }
            Self::Days(days) => {
                let days = Days::new(days.unsigned_abs());
                from.checked_add_days(days).unwrap_or(NaiveDate::MAX)
            }
        }
    }
}

/// How soon an external request must be answered to count as answered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// Days after receipt; answered by the end of that day counts.
    pub answer_within_working_days: i64,
}

/// Who is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationRule {
    /// Units, or instruments.
    pub per: Level,
    /// Hosts for which it does not hold are exempt.
    pub only: Option<Condition>,
}

impl Default for EvaluationRule {
    fn default() -> Self {
        Self {
            per: Level::Organization,
            only: None,
        }
    }
}

/// How long a result stands open to objections, and how soon one is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    pub lasts: Deadline,
    pub objection_decided_within_working_days: i64,
}

impl Default for Notice {
    fn default() -> Self {
        Self {
            lasts: Deadline::WorkingDays(5),
            objection_decided_within_working_days: 10,
        }
    }
}

/// So many strikes within so many days suspend a person for some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discipline {
    pub strikes: i64,
    pub within_days: i64,
    pub suspended_days: i64,
}

impl Default for Discipline {
    fn default() -> Self {
        Self {
            strikes: 3,
            within_days: 90,
            suspended_days: 30,
        }
    }
}

/// What a unit that does its duty has at most and at least; `None`: it does not matter.
#[derive(Debug, Clone, PartialEq)]
pub struct Duty {
    pub late_at_most: Option<i64>,
    pub missing_at_most: Option<i64>,
    pub externally_shared_at_least: Option<BigRational>,
}

/// When a planned purchase is warned of or reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purchase {
    pub review_from_fen: Option<Fen>,
    pub warn_when_similar_idle: bool,
}

/// SHA-256 of a pack's text, as lower-case hex: what a run records.
pub fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// SHA-256 of lines joined by `\n` that are never put together.
#[derive(Debug, Default)]
pub struct LinesDigest {
    sha: Sha256,
    has_any: bool,
}

impl LinesDigest {
    /// Takes the next line, or several that `\n` parts.
    pub fn add(&mut self, lines: &str) {
        if self.has_any {
            self.sha.update(b"\n");
        }
        self.has_any = true;
        self.sha.update(lines.as_bytes());
    }

    /// As lower-case hex.
    pub fn finish(self) -> String {
        hex(&self.sha.finalize())
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
