//! Beginning a run: its pack, what the pack leaves open, a budget for each pool, the window it pays for, and the evaluation it
//! stands on. A run on a draft pack or on a what-if is a what-if itself.

use std::collections::BTreeMap;

use super::{Actions, check_year, refuse_without_results, subject_of};
use crate::domain::access::Action;
use crate::domain::policy::{MonthDay, ParameterMistake, Policy, complete_parameters};
use crate::domain::run::{RunId, RunKind};
use crate::domain::{EvaluationId, Fen, MAX_SAFE_INTEGER, ratio};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::{job, policy};
use crate::store::event;
use crate::store::yearly_run::subsidy::{NewBudget, Pool};
use crate::store::yearly_run::{self as rows, NewRun, Run as Row, Terms};
use crate::store::{self, Conn, StoreError};

/// The longest name of a run, in characters.
const NAME_MAX: usize = 200;

/// What a run of either kind is asked for. `policy` is a code or `code@version`.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub year: i32,
    pub policy: String,
    /// What the pack leaves open, by name, as decimals.
    pub parameters: BTreeMap<String, String>,
    pub scenario: bool,
    pub name: Option<String>,
    /// The run of the same kind that it shall replace.
    pub replaces_id: Option<i64>,
}

/// A run to begin.
#[derive(Debug, Clone)]
pub struct Request {
    pub asked: Asked,
    /// Of a subsidy run alone.
    pub budget: Option<Budget>,
}

/// What a subsidy run shares out, and by which evaluation: the one asked for, else the final one of year and code whatever its
/// version, else an ordinary draft that the run begins.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    /// Of the only pool.
    pub fen: Option<Fen>,
    /// By the names of pools.
    pub by_pool: BTreeMap<String, Fen>,
    /// `MM-DD`: a window of the pack.
    pub claim: Option<String>,
    pub evaluation_id: Option<EvaluationId>,
}

impl Request {
    pub const fn kind(&self) -> RunKind {
        match self.budget {
            None => RunKind::Evaluation,
            Some(_) => RunKind::SubsidyRun,
        }
    }

    /// The action that begins it.
    pub const fn action(&self) -> Action {
        Actions::of(self.kind()).run
    }
}

/// Begins a run and promises the work on it.
pub async fn begin(run: &Run<Row>, request: Result<Request, AppError>) -> Outcome<Row> {
    run.with(request, |tx, by, request| {
        check_year(request.asked.year, by.now)?;
        let id = insert(tx, by, request)?;
        job::promise(tx, id, by)?;
        Ok(rows::get(tx, id)?)
    })
    .await
}

fn insert(tx: &mut Conn, by: &Actor, request: &Request) -> Result<RunId, AppError> {
    let (asked, today) = (&request.asked, by.now.local_date());
    let named = policy::get_for_year(tx, &asked.policy, (asked.year, today))?;
    let pack = store::policy::get_shared(tx, named.id)?;
    let policy = policy::open(&pack)?;
    refuse_unkept(&policy, request)?;
    let year = i64::from(asked.year);
    let on_scenario = match request
        .budget
        .as_ref()
        .and_then(|budget| budget.evaluation_id)
    {
        Some(id) => check_evaluation(tx, id, year)?,
        None => false,
    };
    let is_scenario = asked.scenario || on_scenario || !pack.is_in_force(today);
    let mut faults = Vec::new();
    let parameters = parameters(&policy, asked, is_scenario, &mut faults);
    let wanted = request.budget.as_ref();
    let budget = wanted.map(|budget| new_budget(&policy, (asked.year, budget), &mut faults));
    let name = name(asked.name.as_deref(), &mut faults);
    if !faults.is_empty() {
        return Err(AppError::Refused(faults));
    }
    check_replaced(tx, request.kind(), asked)?;
    let new = NewRun {
        year,
        policy_id: pack.id,
        policy_code: pack.code,
        policy_digest: pack.digest,
        created_by: by.user_id(),
        terms: Terms {
            parameters,
            name,
            replaces_id: asked.replaces_id,
            ..Terms::default()
        },
        is_scenario,
        now: by.now,
    };
    let evaluation = wanted.and_then(|budget| budget.evaluation_id);
    let after = serde_json::json!({
        "year": new.year,
        "policy_id": new.policy_id,
        "scenario": new.is_scenario,
        "parameters": new.terms.parameters,
        "replaces_id": new.terms.replaces_id,
        "budget_fen": budget.as_ref().map(|budget| budget.budget_fen),
        "claim": budget.as_ref().map(|budget| &budget.claim),
        "evaluation_id": evaluation,
    });
    let id = match budget {
        Some(budget) => rows::subsidy::insert(tx, &new, &budget, evaluation)?.into(),
        None => RunId::from(rows::evaluation::insert(tx, &new)?),
    };
    let event = by.event(request.action(), subject_of(id));
    event::append(tx, &event.after(after)?)?;
    Ok(id)
}

/// 422 of a pack that no run of this kind can follow; it is tried on facts instead.
fn refuse_unkept(policy: &Policy, request: &Request) -> Result<(), AppError> {
    let reason = match request.kind() {
        RunKind::Evaluation => policy.beyond_evaluations(),
        RunKind::SubsidyRun => policy.beyond_runs(),
    };
    match reason {
        None => Ok(()),
        Some(reason) => {
            let fault = Fault::field("policy", Code::policy_not_kept).actual(policy.code.as_str());
            Err(AppError::Refused(vec![fault.limit(reason)]))
        }
    }
}

/// What the run says for the parameters of the pack, with the defaults of the rest; a what-if may leave their bounds.
fn parameters(
    policy: &Policy,
    asked: &Asked,
    is_free: bool,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, String> {
    let field = |name: &str| format!("parameters.{name}");
    let mut given = BTreeMap::new();
    for (name, text) in &asked.parameters {
        match ratio::parse(text) {
            Ok(value) => {
                given.insert(name.clone(), value);
            }
            Err(_) => {
                let fault = Fault::field(field(name), Code::not_a_decimal);
                faults.push(fault.actual(text.as_str()));
            }
        }
    }
    let complete = complete_parameters(&policy.parameters, &given, is_free);
    let mistakes = match complete {
        Ok(values) => {
            let values = values.iter();
            return values
                .map(|(name, value)| (name.clone(), ratio::plain(value)))
                .collect();
        }
        Err(mistakes) => mistakes,
    };
    faults.extend(mistakes.into_iter().filter_map(|mistake| {
        match mistake {
            ParameterMistake::Unknown(name) => {
                Some(Fault::field(field(&name), Code::unknown_reference).actual(name))
            }
            // What is no decimal was said already.
            ParameterMistake::Missing(name) if asked.parameters.contains_key(&name) => None,
            ParameterMistake::Missing(name) => Some(Fault::field(field(&name), Code::required)),
            ParameterMistake::OutOfRange {
                name,
                actual,
                limit,
            } => Some(
                Fault::field(field(&name), Code::out_of_range)
                    .limit(limit)
                    .actual(actual),
            ),
        }
    }));
    BTreeMap::new()
}

/// A budget for every pool of the pack and no other, and the window where the pack has some.
fn new_budget(
    policy: &Policy,
    (year, asked): (i32, &Budget),
    faults: &mut Vec<Fault>,
) -> NewBudget {
    let claim = claim(policy, year, asked.claim.as_deref(), faults);
    let mut budgets: BTreeMap<Option<String>, Fen> = BTreeMap::new();
    let mut set = |pool: Option<String>, field: &str, fen: Fen, faults: &mut Vec<Fault>| {
        if !(0..=MAX_SAFE_INTEGER).contains(&fen.number()) {
            let fault = Fault::field(field, Code::out_of_range).limit("0..9007199254740991");
            faults.push(fault.actual(fen.number()));
        }
        budgets.insert(pool, fen);
    };
    for (name, fen) in &asked.by_pool {
        let field = format!("budgets.{name}");
        match policy.pools.contains(name) {
            true => set(Some(name.clone()), &field, *fen, faults),
            false => {
                faults.push(Fault::field(field, Code::unknown_reference).actual(name.as_str()))
            }
        }
    }
    if let Some(fen) = asked.fen {
        match policy.pools.as_slice() {
            [] => set(None, "budget_fen", fen, faults),
            [only] if asked.by_pool.is_empty() => {
                set(Some(only.clone()), "budget_fen", fen, faults);
            }
            // One pool has no two budgets, and several share none: each is named.
            [_] => faults.push(Fault::field("budget_fen", Code::duplicate)),
            _ => {}
        }
    }
    let wanted: Vec<Option<String>> = match policy.pools.is_empty() {
        true => vec![None],
        false => policy.pools.iter().cloned().map(Some).collect(),
    };
    for pool in wanted {
        if budgets.contains_key(&pool) {
            continue;
        }
        let field = match &pool {
            Some(name) if policy.pools.len() > 1 => format!("budgets.{name}"),
            _ => "budget_fen".to_owned(),
        };
        faults.push(Fault::field(field, Code::required));
    }
    let sum = Fen::sum(budgets.values().copied());
    let sum = sum.ok().filter(|sum| sum.number() <= MAX_SAFE_INTEGER);
    if sum.is_none() && faults.is_empty() {
        faults.push(Fault::field("budgets", Code::out_of_range).limit("0..9007199254740991"));
    }
    let pools = budgets.into_iter().map(|(pool, budget_fen)| Pool {
        pool,
        budget_fen,
        sum_before_pool_fen: None,
        factor: None,
        awarded_fen: None,
        unspent_fen: None,
    });
    NewBudget {
        budget_fen: sum.unwrap_or(Fen::ZERO),
        pools: pools.collect(),
        claim,
    }
}

/// A window is named exactly where the pack has some.
fn claim(
    policy: &Policy,
    year: i32,
    asked: Option<&str>,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let windows = policy.year.claims.iter().map(MonthDay::to_string);
    let windows: Vec<String> = windows.collect();
    let fault = |code| Fault::field("claim", code).limit(windows.join(", "));
    let Some(text) = asked else {
        if !windows.is_empty() {
            faults.push(fault(Code::required));
        }
        return None;
    };
    let day = text.parse::<MonthDay>().ok();
    if day.and_then(|day| policy.year.window(year, day)).is_none() {
        faults.push(fault(Code::unknown_reference).actual(text));
    }
    Some(text.to_owned())
}

fn name(asked: Option<&str>, faults: &mut Vec<Fault>) -> Option<String> {
    let name = asked.map(str::trim).filter(|name| !name.is_empty())?;
    if name.chars().count() > NAME_MAX {
        let fault = Fault::field("name", Code::text_too_long).limit(NAME_MAX);
        faults.push(fault.actual(name.chars().count()));
    }
    Some(name.to_owned())
}

/// 422 `unknown_reference` unless what it replaces is a run of the same kind and year.
fn check_replaced(tx: &mut Conn, kind: RunKind, asked: &Asked) -> Result<(), AppError> {
    let Some(number) = asked.replaces_id else {
        return Ok(());
    };
    let unknown = || {
        let fault = Fault::field("replaces_id", Code::unknown_reference);
        AppError::Refused(vec![fault.actual(number)])
    };
    let id = kind.id(number).map_err(|_| unknown())?;
    let known = rows::get(tx, id).map_err(|error| match error {
        StoreError::NotFound => unknown(),
        other => other.into(),
    })?;
    match known.lifecycle().year == i64::from(asked.year) {
        true => Ok(()),
        false => Err(unknown()),
    }
}

/// Whether an evaluation of this year, with results, is a what-if. It keeps them while the run that is about to stand on it is
/// written.
fn check_evaluation(tx: &mut Conn, id: EvaluationId, year: i64) -> Result<bool, AppError> {
    let unknown = || {
        let fault = Fault::field("evaluation_id", Code::unknown_reference);
        AppError::Refused(vec![fault.actual(id.number())])
    };
    let row = rows::evaluation::get_locked(tx, id).map_err(|error| match error {
        StoreError::NotFound => unknown(),
        other => other.into(),
    })?;
    if row.lifecycle.year != year {
        return Err(unknown());
    }
    refuse_without_results(row.lifecycle.state)?;
    Ok(row.lifecycle.is_scenario)
}
