//! The printed form of a trial: a policy on facts that are in no database. Units as a run prints them, awards and pools beside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::evaluation::{Evaluation, GradedHost, InstrumentFigures, ScoreResult};
use crate::domain::policy::{Policy, Recipient};
use crate::domain::subsidy::{AwardResult, Payout, PoolResult, factor_printed};
use crate::domain::{InstrumentId, OrganizationId, ratio};
use crate::exchange::subsidy_json::{self, PrintedInstrument, PrintedUnit};

/// A trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrintedTrial {
    pub year: i32,
    /// `MM-DD`; `null` where the pack has no windows.
    pub claim: Option<String>,
    /// The code of the pack.
    pub policy: String,
    /// What the pack was read with, as decimals.
    pub parameters: BTreeMap<String, String>,
    /// In the order of names.
    pub pools: Vec<PrintedPool>,
    /// In the order of the pack.
    pub awards: Vec<PrintedAward>,
    /// The evaluated units, in the order of the folder's USCCs.
    pub units: Vec<PrintedUnit>,
}

/// What became of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedPool {
    /// `null`: the pack's only one has no name.
    pub pool: Option<String>,
    pub budget_fen: i64,
    /// Reduced `p/q`, `p` when whole.
    pub sum_before_pool_fen: String,
    /// Reduced `p/q`; `1/1` when the budget suffices; `null` where first come is first served.
    pub factor: Option<String>,
    pub awarded_fen: i64,
    pub unspent_fen: i64,
}

/// What one award of the pack paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedAward {
    pub award_code: String,
    pub recipient: Recipient,
    pub pool: Option<String>,
    pub units: Vec<PrintedRecipient>,
}

/// What a unit gets of one award.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintedRecipient {
    pub uscc: String,
    pub name: String,
    /// 4 decimals.
    pub before_pool_fen: String,
    pub award_fen: i64,
}

/// Who the units are.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    pub uscc: &'a BTreeMap<OrganizationId, String>,
    pub names: &'a BTreeMap<OrganizationId, String>,
}

impl Called<'_> {
    fn uscc(&self, id: OrganizationId) -> String {
        self.uscc.get(&id).cloned().unwrap_or_default()
    }

    fn name(&self, id: OrganizationId) -> String {
        self.names.get(&id).cloned().unwrap_or_default()
    }
}

/// The document of a trial. Without awards in the pack nothing was paid.
pub fn print(
    (year, claim): (i32, Option<String>),
    policy: &Policy,
    parameters: BTreeMap<String, String>,
    evaluation: &Evaluation,
    payout: Option<&Payout>,
    called: Called<'_>,
) -> PrintedTrial {
    let pools = payout.into_iter().flat_map(|payout| &payout.pools);
    let awards: Vec<&AwardResult> = payout
        .into_iter()
        .flat_map(|payout| &payout.awards)
        .collect();
    let units = evaluation.units.iter();
    PrintedTrial {
        year,
        claim,
        policy: policy.code.clone(),
        parameters,
        pools: pools.map(print_pool).collect(),
        awards: awards
            .iter()
            .map(|award| print_award(award, called))
            .collect(),
        units: units
            .map(|unit| print_unit(unit, &awards, called))
            .collect(),
    }
}

fn print_pool(pool: &PoolResult) -> PrintedPool {
    PrintedPool {
        pool: pool.pool.clone(),
        budget_fen: pool.budget.number(),
        sum_before_pool_fen: ratio::exact(&pool.sum_before_pool),
        factor: pool.factor.as_ref().map(factor_printed),
        awarded_fen: pool.awarded.number(),
        unspent_fen: pool.unspent.number(),
    }
}

fn print_award(award: &AwardResult, called: Called<'_>) -> PrintedAward {
    let units = award.units.iter().map(|unit| PrintedRecipient {
        uscc: called.uscc(unit.organization_id),
        name: called.name(unit.organization_id),
        before_pool_fen: ratio::decimal(&unit.before_pool, 4),
        award_fen: unit.award.number(),
    });
    PrintedAward {
        award_code: award.code.clone(),
        recipient: award.recipient,
        pool: award.pool.clone(),
        units: units.collect(),
    }
}

/// A unit with what it gets as a host.
fn print_unit(unit: &GradedHost, awards: &[&AwardResult], called: Called<'_>) -> PrintedUnit {
    let id = unit.organization_id;
    let as_host = awards
        .iter()
        .filter(|award| award.recipient == Recipient::Host);
    let own: Vec<_> = as_host
        .flat_map(|award| &award.units)
        .filter(|award| award.organization_id == id)
        .collect();
    let mut bases: BTreeMap<InstrumentId, i64> = BTreeMap::new();
    for base in own.iter().flat_map(|award| &award.instruments) {
        let sum = bases.entry(base.instrument_id).or_default();
        *sum = sum.saturating_add(base.base.number());
    }
    let before = own
        .iter()
        .fold(ratio::whole(0), |sum, award| sum + &award.before_pool);
    let is_scored = !unit.scores.is_empty();
    PrintedUnit {
        uscc: unit.uscc.clone(),
        name: called.name(id),
        scores: printed(&unit.scores),
        total: is_scored.then(|| unit.total_printed()),
        grade: unit.grade,
        before_pool_fen: ratio::decimal(&before, 4),
        award_fen: own.iter().map(|award| award.award.number()).sum(),
        instruments: unit
            .instruments
            .iter()
            .map(|figures| print_instrument(figures, &bases))
            .collect(),
    }
}

fn printed(scores: &[ScoreResult]) -> BTreeMap<String, String> {
    let scores = scores.iter();
    scores
        .map(|score| (score.id.clone(), score.printed()))
        .collect()
}

fn print_instrument(
    figures: &InstrumentFigures,
    bases: &BTreeMap<InstrumentId, i64>,
) -> PrintedInstrument {
    let graded = figures.graded.as_ref();
    PrintedInstrument {
        asset_no: figures.asset_no.clone(),
        effective_minutes: figures.effective_minutes.number(),
        external_minutes: figures.external_minutes.number(),
        base_fen: bases.get(&figures.instrument_id).copied().unwrap_or(0),
        scores: graded.map(|graded| printed(&graded.scores)),
        total: graded.map(|graded| ratio::decimal(&graded.total, 2)),
        grade: graded.and_then(|graded| graded.grade),
    }
}

impl PrintedTrial {
    /// The document as text: keys in this order, one space of indentation per level.
    pub fn to_text(&self) -> serde_json::Result<String> {
        subsidy_json::to_text(self)
    }
}
