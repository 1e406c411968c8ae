//! The printed form of a yearly run: scores, grades, minutes, bases and awards of every unit in one JSON document.

use super::trial::{self, Called, PrintedAward, PrintedPool, PrintedTrial};
use crate::domain::policy::Grade;
use crate::domain::subsidy::Payout;
use crate::domain::{TooLarge, ratio};
use crate::operations::yearly_run::awards::Report;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedRun {
    pub year: i32,
    /// The code of the pack.
    pub policy: String,
    pub budget_fen: i64,
    /// Reduced `p/q`; `1/1` when the budget suffices; `null` of several pools, or where first come is first served.
    pub factor: Option<String>,
    /// Reduced `p/q`, `p` when whole.
    pub sum_before_pool_fen: String,
    pub awarded_fen: i64,
    pub unspent_fen: i64,
    /// The evaluated units, in the order of organization ids.
    pub units: Vec<PrintedUnit>,
    /// `MM-DD`; `null` where the pack has no windows.
    #[serde(default)]
    pub claim: Option<String>,
    /// What the pack was read with, as decimals.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// In the order of names.
    #[serde(default)]
    pub pools: Vec<PrintedPool>,
    /// In the order of the pack.
    #[serde(default)]
    pub awards: Vec<PrintedAward>,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedUnit {
    pub uscc: String,
    pub name: String,
    /// By id, 4 decimals.
    pub scores: BTreeMap<String, String>,
    /// 2 decimals; `null` where instruments are evaluated.
    pub total: Option<String>,
    /// `null` where the pack gives none.
    pub grade: Option<Grade>,
    /// 4 decimals.
    pub before_pool_fen: String,
    pub award_fen: i64,
    /// In the order of `asset_no`.
    pub instruments: Vec<PrintedInstrument>,
}

/// An instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedInstrument {
    pub asset_no: String,
    pub effective_minutes: i64,
    pub external_minutes: i64,
    pub base_fen: i64,
    /// Where instruments are evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
}

/// The printed form of a run: the document of a trial, with the sums over all pools.
pub fn print(trial: PrintedTrial, payout: &Payout) -> Result<PrintedRun, TooLarge> {
    let sum = payout.sum()?;
    let factor = match trial.pools.as_slice() {
        [only] => only.factor.clone(),
        _ => None,
    };
    Ok(PrintedRun {
        year: trial.year,
        policy: trial.policy,
        budget_fen: sum.budget.number(),
        factor,
        sum_before_pool_fen: ratio::exact(&sum.sum_before_pool),
        awarded_fen: sum.awarded.number(),
        unspent_fen: sum.unspent.number(),
        units: trial.units,
        claim: trial.claim,
        parameters: trial.parameters,
        pools: trial.pools,
        awards: trial.awards,
    })
}

/// The printed form of a stored run.
pub fn of_report(report: &Report) -> Result<PrintedRun, TooLarge> {
    let year = i32::try_from(report.run.lifecycle.year).map_err(|_| TooLarge)?;
    let trial = trial::print(
        (year, report.run.claim.clone()),
        &report.policy,
        report.parameters().clone(),
        &report.evaluation,
        Some(&report.payout),
        Called {
            uscc: &report.uscc,
            names: &report.names,
        },
    );
    print(trial, &report.payout)
}

impl PrintedRun {
    /// The document as text: keys in this order, one space of indentation per level, no line end after the last brace.
    pub fn to_text(&self) -> serde_json::Result<String> {
        to_text(self)
    }
}

/// A document as text: keys in their order, one space of indentation per level, no line end after the last brace.
pub(in crate::exchange) fn to_text(document: &impl Serialize) -> serde_json::Result<String> {
    let mut text = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b" ");
    document.serialize(&mut serde_json::Serializer::with_formatter(
        &mut text, format,
    ))?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

#[cfg(test)]
mod tests;
