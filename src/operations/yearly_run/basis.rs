//! What a run stands on: its pack with the values it was begun with, the days that it looks at, the frozen facts of them, and the
//! grades of its evaluation.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use crate::app::App;
use crate::domain::evaluation::{Awarded, AwardedTo, Evaluation as Graded, Inputs, Judge};
use crate::domain::policy::{Award as Rule, MonthDay, Policy, Recipient, Values, YearSpan};
use crate::domain::subsidy::{Budgets, projects_taken};
use crate::domain::{AwardId, EventId, Fen, Instant, InstrumentId, ratio};
use crate::error::AppError;
use crate::operations::policy as packs;
use crate::store::yearly_input::Scope;
use crate::store::yearly_run::subsidy::{Award, Pool};
use crate::store::yearly_run::{self as rows, Evaluation, Lifecycle, SubsidyRun, Terms};
use crate::store::{self, Conn};

use super::{evaluation_of, freeze, grades, refuse_without_results};

/// The pack of a run, with the values that the run was begun with.
pub(crate) fn policy_of(conn: &mut Conn, lifecycle: &Lifecycle) -> Result<Policy, AppError> {
    let pack = store::policy::get(conn, lifecycle.policy_id)?;
    packs::open_with(&pack, &values(&lifecycle.terms)?)
}

/// The values of a run's parameters.
pub(crate) fn values(terms: &Terms) -> Result<Values, AppError> {
    let parameters = terms.parameters.iter();
    let value = |(name, text): (&String, &String)| {
        let value = ratio::parse(text).map_err(AppError::internal)?;
        Ok((name.clone(), value))
    };
    parameters.map(value).collect()
}

fn year(lifecycle: &Lifecycle) -> Result<i32, AppError> {
    i32::try_from(lifecycle.year).map_err(AppError::internal)
}

/// The days that an evaluation looks at.
pub(crate) fn days_of_evaluation(policy: &Policy, row: &Evaluation) -> Result<YearSpan, AppError> {
    let year = year(&row.lifecycle)?;
    policy.year.whole(year).map_err(AppError::internal)
}

/// The days that a subsidy run pays for: its year, or its window.
pub(crate) fn days_of_run(policy: &Policy, run: &SubsidyRun) -> Result<YearSpan, AppError> {
    let claim: Option<MonthDay> = run
        .claim
        .as_deref()
        .map(|claim| claim.parse().map_err(AppError::internal))
        .transpose()?;
    let year = year(&run.lifecycle)?;
    policy.year.of(year, claim).map_err(AppError::internal)
}

/// The days of an evaluation whose records were frozen, as they were then.
pub(crate) fn scope_of(conn: &mut Conn, row: &Evaluation) -> Result<Scope, AppError> {
    let policy = policy_of(conn, &row.lifecycle)?;
    let frozen_at = row.frozen_at;
    let frozen_at = frozen_at.ok_or_else(|| AppError::internal("nothing was frozen"))?;
    let days = days_of_evaluation(&policy, row)?;
    let scope = freeze::scope(&days, frozen_at, row.frozen_event_id)?;
    Ok(by_date_of(&policy, scope))
}

/// With income by the date that a policy names.
const fn by_date_of(policy: &Policy, scope: Scope) -> Scope {
    Scope {
        income_by: policy.year.income_by,
        ..scope
    }
}

/// Whether a run cannot take the facts of the evaluation it stands on: other days, finer facts, income by
/// another date, or what earlier runs paid.
pub(super) fn needs_own_facts(
    policy: &Policy,
    run: &SubsidyRun,
    (graded_by, row): (&Policy, &Evaluation),
) -> Result<bool, AppError> {
    let is_finer = !graded_by.grain().suffices(policy.grain());
    let days = (
        days_of_run(policy, run)?,
        days_of_evaluation(graded_by, row)?,
    );
    Ok(is_finer || days.0 != days.1 || policy.asks_awarded_before())
}

/// What a subsidy run is computed from.
#[derive(Debug)]
pub(crate) struct Basis {
    pub policy: Policy,
    pub inputs: Inputs,
    /// Nobody where the pack evaluates nobody.
    pub graded: Graded,
}

impl Basis {
    /// As it is stored.
    pub fn read(conn: &mut Conn, run: &SubsidyRun) -> Result<Self, AppError> {
        let policy = policy_of(conn, &run.lifecycle)?;
        let graded = graded(conn, run)?;
        let own = rows::facts::find(conn, run.id)?;
        let inputs = match (own, run.evaluation_id) {
            (Some(_), _) => {
                let lines = rows::facts::list_inputs(conn, run.id)?;
                Inputs::from_lines(lines).map_err(AppError::internal)?
            }
            (None, Some(_)) => {
                let row = evaluation_of(conn, run)?;
                grades::open(conn, &row)?.1
            }
            (None, None) => {
                refuse_without_results(run.lifecycle.state)?;
                return Err(AppError::internal("a run without facts"));
            }
        };
        Ok(Self {
            policy,
            inputs,
            graded,
        })
    }

    /// The same of a run that this process has just graded: its inputs are the ones kept, if they are there.
    pub(super) fn graded(conn: &mut Conn, app: &App, run: &SubsidyRun) -> Result<Self, AppError> {
        let kept = &app.graded_inputs;
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let known = match run.evaluation_id {
            Some(_) => evaluation_of(conn, run)?.input_digest,
            None => None,
        };
        match kept {
            Some((digest, inputs)) if known.as_ref() == Some(&digest) => Ok(Self {
                policy: policy_of(conn, &run.lifecycle)?,
                inputs,
                graded: graded(conn, run)?,
            }),
            _ => Self::read(conn, run),
        }
    }
}

/// Keeps the inputs that a subsidy run was graded by, until it shares out.
pub(super) fn keep(app: &App, digest: &str, inputs: Inputs) {
    let mut kept = app
        .graded_inputs
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    *kept = Some((digest.to_owned(), inputs));
}

/// The grades that a run pays by.
pub(crate) fn graded(conn: &mut Conn, run: &SubsidyRun) -> Result<Graded, AppError> {
    match run.evaluation_id {
        Some(_) => {
            let row = evaluation_of(conn, run)?;
            grades::read(conn, row.id)
        }
        None => Ok(Graded { units: Vec::new() }),
    }
}

/// The days of a run, as they were at the freeze that it stands on.
pub(crate) fn scope_of_run(conn: &mut Conn, run: &SubsidyRun) -> Result<Scope, AppError> {
    let (frozen_at, event): (Instant, Option<EventId>) = match rows::facts::find(conn, run.id)? {
        Some(own) => (own.frozen_at, own.frozen_event_id),
        None => {
            let row = evaluation_of(conn, run)?;
            return scope_of(conn, &row);
        }
    };
    let policy = policy_of(conn, &run.lifecycle)?;
    let days = days_of_run(&policy, run)?;
    let scope = freeze::scope(&days, frozen_at, event)?;
    Ok(by_date_of(&policy, scope))
}

/// The budgets of a run, by pool.
pub(crate) fn budgets_of(policy: &Policy, run: &SubsidyRun) -> Budgets {
    budgets(policy, &run.pools, run.budget_fen)
}

/// The same of what is known of a run.
pub(super) fn budgets(policy: &Policy, pools: &[Pool], budget_fen: Fen) -> Budgets {
    if pools.is_empty() {
        // A run of before there were several: its only pool, by whatever name.
        return Budgets::from([(policy.pools.first().cloned(), budget_fen)]);
    }
    let pools = pools.iter();
    pools
        .map(|pool| (pool.pool.clone(), pool.budget_fen))
        .collect()
}

/// The instruments, and where a project is paid once the projects, that earlier final runs of the code paid for, by award.
pub(super) fn paid_before(
    conn: &mut Conn,
    run: &SubsidyRun,
) -> Result<BTreeSet<Awarded>, AppError> {
    let mut paid = BTreeSet::new();
    for id in rows::subsidy::list_finals(conn, &run.lifecycle.policy_code)? {
        if id == run.id {
            continue;
        }
        let earlier = rows::subsidy::get(conn, id)?;
        let policy = policy_of(conn, &earlier.lifecycle)?;
        let awards = rows::subsidy::list_awards(conn, id)?;
        let paid_units = awards.iter().filter(|award| award.award_fen.number() > 0);
        let once = policy.awards.iter().any(|award| award.once_per_project);
        let basis = match once {
            true => Some(Basis::read(conn, &earlier)?),
            false => None,
        };
        for award in paid_units {
            let Some(rule) = rule_of(&policy, award) else {
                continue;
            };
            if let Some(basis) = &basis {
                let judge = Judge::new(&basis.inputs, &basis.policy);
                let to =
                    projects_taken(&judge, &basis.graded.grades(), rule, award.organization_id);
                let to = to.into_iter().map(|(unit, project)| Awarded {
                    award_code: rule.code.clone(),
                    to: AwardedTo::Project(unit, project),
                });
                paid.extend(to);
            }
            if award.recipient == Recipient::User {
                continue;
            }
            let code = rule.code.clone();
            for instrument in paid_instruments(conn, award.id)? {
                paid.insert(Awarded {
                    award_code: code.clone(),
                    to: AwardedTo::Instrument(instrument),
                });
            }
        }
    }
    Ok(paid)
}

fn rule_of<'a>(policy: &'a Policy, award: &Award) -> Option<&'a Rule> {
    let mut rules = policy.awards.iter();
    rules.find(|known| known.code == award.award_code || award.award_code.is_empty())
}

/// The instruments of an award that brought something after the last step that they were told apart in.
fn paid_instruments(conn: &mut Conn, award: AwardId) -> Result<BTreeSet<InstrumentId>, AppError> {
    let mut paid = BTreeSet::new();
    for step in rows::subsidy::list_steps(conn, award)? {
        let Some(instrument) = step.instrument_id else {
            continue;
        };
        match step.after_fen == "0" {
            true => paid.remove(&instrument),
            false => paid.insert(instrument),
        };
    }
    Ok(paid)
}
