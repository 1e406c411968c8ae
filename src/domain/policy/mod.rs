//! Policy packs: the checked form of a TOML pack, in the shapes that the engine knows. A [`Policy`] that exists is valid.
//!
//! Reading text belongs to `operations::policy_pack`; [`check`] turns its untyped tree into a policy or into every mistake.
//! Every number, weight, rate, cap, threshold and list of regions stands in the pack; no province's number stands here.

mod award;
mod check;
mod grades;
mod measure;
mod metric;
mod raw;
mod score;
mod state;

pub use award::{Action, Award, Exclusion, Step};
pub use check::check;
pub use grades::{Grade, Grades, Tie};
pub use measure::{
    Customers, HostCount, Measure, RatedHours, RecordFilter, SatisfactionPoints, Stock,
    WeakEvidence,
};
pub use metric::Quantity;
pub use raw::{PolicyMistake, Raw, RawValue};
pub use score::{Aggregate, Score, Shape, Value, group_of};
pub use state::{PolicyDecision, PolicyState};

use super::Fen;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

crate::vocabulary! {
    /// Where a parameter comes from: a published rule, or the platform's own proposal.
    Source {
        Official = "official",
        Proposal = "proposal",
    }
}

/// A checked pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The name of the pack; it evaluates any year it is asked for.
    pub code: String,
    pub version: i64,
    pub title: String,
    pub issuer: String,
    pub document_no: Option<String>,
    pub published_on: Option<NaiveDate>,
    pub registration: Registration,
    pub requests: Requests,
    /// By name; `effective_minutes` and `external_minutes` are always there.
    pub metrics: BTreeMap<String, Measure>,
    pub scores: Vec<Score>,
    pub grades: Grades,
    pub award: Award,
    /// `source` of each table that has one: key path and source, in the order of the pack.
    pub sources: Vec<(String, Source)>,
}

/// What must be registered, and how soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// Original value from which an instrument counts; the number itself counts.
    pub threshold_fen: Fen,
    /// Days after acceptance; the day after acceptance is day 1.
    pub report_within_working_days: i64,
}

/// How soon an external request must be answered to count as answered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requests {
    /// Days after receipt; answered by the end of that day counts.
    pub answer_within_working_days: i64,
}

/// SHA-256 of a pack's text, as lower-case hex: what a run records.
pub fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
