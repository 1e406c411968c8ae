//! A trial: a policy on a folder of facts, without a database. The bounds of parameters, validity, windows and pools are kept as
//! in a run.

mod printed;

pub use printed::{Called, PrintedAward, PrintedPool, PrintedRecipient, PrintedTrial, print};

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::facts::{self, Facts, Open, Question, Unfit};
use super::seed;
use crate::domain::calendar::DayKind;
use crate::domain::policy::{MonthDay, Policy, PolicyMistake, Values, complete_parameters};
use crate::domain::subsidy::{self, AllocationError, Budgets, Payout};
use crate::domain::{Fen, evaluation, ratio};
use crate::operations::policy_pack;

/// What a trial is given, as it is typed.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    pub year: i32,
    /// `MM-DD`: a window by its first day.
    pub claim: Option<String>,
    /// `NAME=DECIMAL`.
    pub parameters: Vec<String>,
    /// `POOL=YUAN`, or the yuan of the only pool.
    pub budgets: Vec<String>,
}

/// The document, and what of the pack is probably wrong.
#[derive(Debug, Clone)]
pub struct Trial {
    pub printed: PrintedTrial,
    pub warnings: Vec<PolicyMistake>,
}

/// Why there is no document.
#[derive(Debug)]
pub enum Refusal {
    /// The terms are none that the pack allows.
    Terms(String),
    Mistakes(Vec<PolicyMistake>),
    Facts(Unfit),
    /// An amount leaves 64 bits.
    TooLarge(String),
    Defect(String),
}

/// Reads a pack and the facts it asks for, and computes grades and money.
pub fn run(pack: &str, terms: &Terms, open: Open) -> Result<Trial, Refusal> {
    let given = parameters(&terms.parameters)?;
    let checked = policy_pack::check(pack, &given).map_err(Refusal::Mistakes)?;
    let policy = checked.policy;
    let values = complete_parameters(&policy.parameters, &given, false).map_err(|mistakes| {
        let said: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        Refusal::Terms(said.join("; "))
    })?;
    let claim = claim(terms.claim.as_deref())?;
    let of = policy.year.of(terms.year, claim);
    let question = Question {
        policy: &policy,
        of: of.map_err(|error| Refusal::Terms(error.to_string()))?,
        days: holidays(),
    };
    let budgets = budgets(&terms.budgets, &policy)?;
    let facts = facts::read(open, &question).map_err(Refusal::Facts)?;
    let evaluation = evaluation::grade(&facts.inputs, &policy);
    let payout = pay(&policy, &budgets, &facts, &evaluation)?;
    let called = Called {
        uscc: &facts.uscc,
        names: &facts.names,
    };
    Ok(Trial {
        printed: print(
            (terms.year, claim.map(|claim| claim.to_string())),
            &policy,
            values
                .iter()
                .map(|(name, value)| (name.clone(), ratio::plain(value)))
                .collect(),
            &evaluation,
            payout.as_ref(),
            called,
        ),
        warnings: checked.warnings,
    })
}

fn pay(
    policy: &Policy,
    budgets: &Budgets,
    facts: &Facts,
    evaluation: &evaluation::Evaluation,
) -> Result<Option<Payout>, Refusal> {
    if policy.awards.is_empty() {
        return Ok(None);
    }
    let paid = subsidy::pay(budgets, &evaluation.grades(), &facts.inputs, policy);
    paid.map(Some).map_err(|error| match error {
        AllocationError::NoBudget(_)
        | AllocationError::UnknownPool(_)
        | AllocationError::NegativeBudget
        | AllocationError::OverBudget { .. } => Refusal::Terms(error.to_string()),
        AllocationError::TooLarge => Refusal::TooLarge(error.to_string()),
        other => Refusal::Defect(other.to_string()),
    })
}

fn claim(given: Option<&str>) -> Result<Option<MonthDay>, Refusal> {
    let claim = given.map(|text| text.parse::<MonthDay>());
    claim
        .transpose()
        .map_err(|error| Refusal::Terms(error.to_string()))
}

fn parameters(given: &[String]) -> Result<Values, Refusal> {
    let mut values = Values::new();
    for text in given {
        let wrong = || Refusal::Terms(format!("{text:?}: a parameter is said as NAME=DECIMAL"));
        let (name, value) = text.split_once('=').ok_or_else(wrong)?;
        let value = ratio::parse(value).map_err(|_| wrong())?;
        if values.insert(name.to_owned(), value).is_some() {
            return Err(Refusal::Terms(format!("parameter {name} is said twice")));
        }
    }
    Ok(values)
}

/// A budget for each pool of the pack and no other.
fn budgets(given: &[String], policy: &Policy) -> Result<Budgets, Refusal> {
    let mut budgets = Budgets::new();
    for text in given {
        let (pool, yuan) = match text.split_once('=') {
            Some((pool, yuan)) => (Some(pool.to_owned()), yuan),
            // The only pool need not be named.
            None => match policy.pools.as_slice() {
                [] => (None, text.as_str()),
                [one] => (Some(one.clone()), text.as_str()),
                _ => {
                    let pools = policy.pools.join(", ");
                    return Err(Refusal::Terms(format!(
                        "{text:?}: the pack has the pools {pools}; say POOL=YUAN"
                    )));
                }
            },
        };
        let fen = Fen::of_yuan(yuan);
        let fen = fen.map_err(|why| Refusal::Terms(format!("{text:?}: {why}")))?;
        if budgets.insert(pool, fen).is_some() {
            return Err(Refusal::Terms(format!(
                "{text:?}: that pool has a budget already"
            )));
        }
    }
    check_budgets(&budgets, policy)?;
    Ok(budgets)
}

fn check_budgets(budgets: &Budgets, policy: &Policy) -> Result<(), Refusal> {
    if policy.awards.is_empty() {
        return match budgets.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Terms(
                "the pack pays nothing; leave the budget out".to_owned(),
            )),
        };
    }
    let is_named = |pool: &&String| budgets.contains_key(&Some((*pool).clone()));
    if let Some(pool) = policy.pools.iter().find(|pool| !is_named(pool)) {
        return Err(Refusal::Terms(format!(
            "pool {pool} has no budget; say --budget-yuan {pool}=YUAN"
        )));
    }
    match budgets.is_empty() {
        true => Err(Refusal::Terms(
            "the pack pays; say --budget-yuan YUAN".to_owned(),
        )),
        false => Ok(()),
    }
}

/// The holidays that ship with the program, for deadlines.
fn holidays() -> BTreeMap<NaiveDate, DayKind> {
    // A shipped table that could not be read would be a defect that its own test finds.
    let (days, _) = seed::shipped_holidays().unwrap_or_default();
    days.into_iter()
        .map(|day| (day.holiday_on, day.kind))
        .collect()
}
