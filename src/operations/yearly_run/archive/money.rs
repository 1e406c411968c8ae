//! All money of the year in an archive: a line for each award or graded unit, whose parts sum to the whole, and whose base is that of the
//! award.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Entries;
use crate::domain::policy::{self as rules, Base, Measure, Policy, Tally};
use crate::domain::subsidy::{LeftOutMoney, LeftOutReason, Payout, YearMoney};
use crate::domain::{EvaluationId, Fen, OrganizationId};
use crate::error::AppError;
use crate::store::Conn;
use crate::store::yearly_run::{SubsidyRun, money, subsidy};

/// The money of an award, or of a graded unit, which has no award.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    award_code: Option<String>,
    organization_id: OrganizationId,
    charges_fen: Fen,
    base_fen: Fen,
    left_out: BTreeMap<LeftOutReason, Part>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    records: i64,
    minutes: i64,
    amount_fen: Fen,
}

impl Line {
    fn new(award_code: Option<String>, organization_id: OrganizationId, money: YearMoney) -> Self {
        let left_out = money.left_out.into_iter().map(|(reason, sum)| {
            let LeftOutMoney {
                records,
                minutes,
                amount: amount_fen,
            } = sum;
            let part = Part {
                records,
                minutes,
                amount_fen,
            };
            (reason, part)
        });
        Self {
            award_code,
            organization_id,
            charges_fen: money.charges,
            base_fen: money.base,
            left_out: left_out.collect(),
        }
    }

    fn adds_up(&self) -> bool {
        let parts = self.left_out.values().map(|part| part.amount_fen);
        Fen::sum(parts.chain([self.base_fen])) == Ok(self.charges_fen)
    }
}

fn add(
    name: &str,
    lines: impl Iterator<Item = Line>,
    entries: &mut Entries,
) -> Result<Option<String>, AppError> {
    let text = super::json_lines(lines)?;
    if text.is_empty() {
        return Ok(None);
    }
    let digest = rules::digest(&text);
    entries.insert(name.to_owned(), text);
    Ok(Some(digest))
}

/// The digest of what was added.
pub(super) fn add_of_awards(
    conn: &mut Conn,
    run: &SubsidyRun,
    entries: &mut Entries,
) -> Result<Option<String>, AppError> {
    let mut kept: BTreeMap<_, _> = money::list_of_awards(conn, run.id)?.into_iter().collect();
    let awards = subsidy::list_awards(conn, run.id)?.into_iter();
    let lines = awards.filter_map(|award| {
        let money = kept.remove(&award.id)?;
        Some(Line::new(
            Some(award.award_code),
            award.organization_id,
            money,
        ))
    });
    add("subsidy_run/money.jsonl", lines, entries)
}

/// The same of an evaluation.
pub(super) fn add_of_units(
    conn: &mut Conn,
    id: EvaluationId,
    entries: &mut Entries,
) -> Result<Option<String>, AppError> {
    let kept = money::list_of_units(conn, id)?.into_iter();
    let lines = kept.map(|(unit, money)| Line::new(None, unit, money));
    add("evaluation/money.jsonl", lines, entries)
}

/// What an entry says that cannot be: line and what. `payout`: what came out, with the pack that paid.
pub(super) fn mistakes(text: &str, payout: Option<(&Payout, &Policy)>) -> Vec<(usize, String)> {
    let mut mistakes = Vec::new();
    let mut bases = payout.map(|(payout, policy)| bases(payout, policy));
    let lines = text.split('\n').filter(|line| !line.is_empty());
    for (at, line) in (1..).zip(lines) {
        let line: Line = match serde_json::from_str(line) {
            Ok(line) => line,
            Err(error) => {
                mistakes.push((at, error.to_string()));
                continue;
            }
        };
        let unit = line.organization_id;
        if !line.adds_up() {
            let what = format!("base and left out of unit {unit} do not sum to its charges");
            mistakes.push((at, what));
        }
        let Some(bases) = &mut bases else { continue };
        let code = line.award_code.clone().unwrap_or_default();
        let base = bases.remove(&(code, unit));
        if let Some(Some(base)) = base
            && base != line.base_fen
        {
            let what = format!(
                "the base of unit {unit} is {} yuan, {base} comes out",
                line.base_fen
            );
            mistakes.push((at, what));
        }
        if base.is_none() {
            mistakes.push((at, format!("unit {unit} has no such award")));
        }
    }
    for (_, unit) in bases.into_iter().flatten().map(|(key, _)| key) {
        mistakes.push((0, format!("the money of unit {unit} is missing")));
    }
    mistakes
}

/// By award and unit, what the instruments brought to the base; none where the base is not money that was paid.
fn bases(payout: &Payout, policy: &Policy) -> BTreeMap<(String, OrganizationId), Option<Fen>> {
    let mut bases = BTreeMap::new();
    for award in &payout.awards {
        let mut rules = policy.awards.iter();
        let rule = rules.find(|rule| rule.code == award.code);
        let is_paid = rule.is_some_and(|rule| match &rule.base {
            Base::Metric { measure, .. } => matches!(
                measure,
                Measure::Records(Tally::PayerIncome | Tally::VoucherIncome | Tally::Income, _)
            ),
            Base::Award(_) | Base::Nothing => false,
        });
        for unit in &award.units {
            let sum = Fen::sum(unit.instruments.iter().map(|base| base.base));
            let sum = sum.ok().filter(|_| is_paid);
            bases.insert((award.code.clone(), unit.organization_id), sum);
        }
    }
    bases
}
