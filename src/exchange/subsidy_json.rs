//! The printed form of a yearly run: scores, grades, minutes, bases and awards of every unit in one JSON document.

use crate::domain::evaluation::{Evaluation, GradedHost, InstrumentFigures};
use crate::domain::policy::{Grade, Policy};
use crate::domain::subsidy::{Allocation, InstrumentBase, UnitAward};
use crate::domain::{InstrumentId, OrganizationId, ratio};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedRun {
    pub year: i32,
    /// The code of the pack.
    pub policy: String,
    pub budget_fen: i64,
    /// Reduced `p/q`; `1/1` when the budget suffices.
    pub factor: String,
    /// Reduced `p/q`, `p` when whole.
    pub sum_before_pool_fen: String,
    pub awarded_fen: i64,
    pub unspent_fen: i64,
    /// In the order of organization ids.
    pub units: Vec<PrintedUnit>,
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

/// What does not belong together, or has no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unprintable {
    #[error("unit {0} has an award but no evaluation")]
    NoEvaluation(OrganizationId),
    #[error("unit {0} has no name")]
    NoName(OrganizationId),
    #[error("instrument {0} has a base but no figures")]
    NoFigures(InstrumentId),
}

/// The printed form of a run; names are no inputs, so they come with it.
pub fn print(
    year: i32,
    policy: &Policy,
    evaluation: &Evaluation,
    allocation: &Allocation,
    names: &BTreeMap<OrganizationId, String>,
) -> Result<PrintedRun, Unprintable> {
    let graded: BTreeMap<OrganizationId, &GradedHost> = evaluation
        .units
        .iter()
        .map(|unit| (unit.organization_id, unit))
        .collect();
    let units = allocation.units.iter().map(|award| {
        let id = award.organization_id;
        let graded = graded.get(&id).ok_or(Unprintable::NoEvaluation(id))?;
        let name = names.get(&id).ok_or(Unprintable::NoName(id))?;
        print_unit(graded, award, name)
    });
    Ok(PrintedRun {
        year,
        policy: policy.code.clone(),
        budget_fen: allocation.budget.number(),
        factor: allocation.factor_printed(),
        sum_before_pool_fen: ratio::exact(&allocation.sum_before_pool),
        awarded_fen: allocation.awarded.number(),
        unspent_fen: allocation.unspent.number(),
        units: units.collect::<Result<_, _>>()?,
    })
}

fn print_unit(
    graded: &GradedHost,
    award: &UnitAward,
    name: &str,
) -> Result<PrintedUnit, Unprintable> {
    let figures: BTreeMap<InstrumentId, &InstrumentFigures> = graded
        .instruments
        .iter()
        .map(|figures| (figures.instrument_id, figures))
        .collect();
    let instruments = award.instruments.iter().map(|base| {
        let id = base.instrument_id;
        let figures = figures.get(&id).ok_or(Unprintable::NoFigures(id))?;
        Ok(print_instrument(figures, base))
    });
    let scores = graded.scores.iter();
    Ok(PrintedUnit {
        uscc: graded.uscc.clone(),
        name: name.to_owned(),
        scores: scores.map(|s| (s.id.clone(), s.printed())).collect(),
        total: Some(graded.total_printed()),
        grade: graded.grade,
        before_pool_fen: ratio::decimal(&award.before_pool, 4),
        award_fen: award.award.number(),
        instruments: instruments.collect::<Result<_, _>>()?,
    })
}

fn print_instrument(figures: &InstrumentFigures, base: &InstrumentBase) -> PrintedInstrument {
    PrintedInstrument {
        asset_no: base.asset_no.clone(),
        effective_minutes: figures.effective_minutes.number(),
        external_minutes: figures.external_minutes.number(),
        base_fen: base.base.number(),
        scores: None,
        total: None,
        grade: None,
    }
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
