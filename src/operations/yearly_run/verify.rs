//! Verifying a run: once from its stored inputs, once from the records as they were at the freeze. Both must come out as
//! stored; records changed since are listed, and change nothing.

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::calendar::Calendar;
use crate::domain::evaluation::{self, Evaluation, Inputs};
use crate::domain::policy::{self as policy_rules, Policy};
use crate::domain::{EventId, OrganizationId, PolicyId, SubsidyRunId, UsageRecordId, subsidy};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject;
use crate::store::yearly_input::{self, Scope};
use crate::store::yearly_run::{self as rows, Evaluation as Row, Lifecycle, SubsidyRun};
use crate::store::{self, Conn};

use super::awards::{digest, kept_digest};
use super::basis::{budgets_of, policy_of, scope_of, scope_of_run};
use super::freeze::{self, Known};
pub use super::freeze::{ChangedCertification, HeldDays};
use super::grades::{self, Names};
use super::{evaluation_of, expert, explain, refuse_without_results};

/// The digests that are stored, or that came out of one computation. The stored ones agree when the stored rows have them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    pub input_digest: String,
    pub evaluation_digest: String,
    pub result_digest: String,
    pub agrees: bool,
}

/// A usage record whose present version is later than the freeze.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ChangedRecord {
    pub usage_record_id: UsageRecordId,
    pub record_no: Option<String>,
    pub version: i64,
    pub event_id: EventId,
}

/// A policy by which the evaluation was graded or the run shared out: the digest recorded then, and that of its text now.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PolicyCheck {
    pub policy_id: PolicyId,
    pub recorded_digest: String,
    pub digest: String,
    pub agrees: bool,
}

impl PolicyCheck {
    fn of(conn: &mut Conn, lifecycle: &Lifecycle) -> Result<Self, AppError> {
        let pack = store::policy::get(conn, lifecycle.policy_id)?;
        let digest = policy_rules::digest(&pack.content);
        Ok(Self {
            policy_id: pack.id,
            agrees: digest == lifecycle.policy_digest && digest == pack.digest,
            recorded_digest: lifecycle.policy_digest.clone(),
            digest,
        })
    }
}

/// The outcome. A run is verified when both computations agree with what is stored, by policies that say what they said.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verification {
    pub verified: bool,
    /// Of the evaluation where it stands on one, then of the run.
    pub policies: Vec<PolicyCheck>,
    pub stored: Check,
    pub from_inputs: Check,
    pub from_records: Check,
    /// Whether the money that was kept when run and evaluation were shown is what the records say; nothing is kept of what was not.
    pub money_agrees: bool,
    pub changed_records: Vec<ChangedRecord>,
    /// Organizations have no versions: what the stored inputs say of these was taken as it stands.
    pub changed_organizations: Vec<OrganizationId>,
    /// Certifications of using units that are not those that were frozen.
    pub changed_certifications: Vec<ChangedCertification>,
}

/// Verifies a run that has results, for who may have its results as a whole; `tell` is told the percentage that is done.
pub async fn verify(
    app: &App,
    actor: &Actor,
    id: SubsidyRunId,
    tell: impl Fn(u64) + Send + 'static,
) -> Result<Verification, AppError> {
    let (calendar, by) = (app.calendar().await?, actor.clone());
    let look = move |conn: &mut Conn| {
        let run: SubsidyRun = subject::load(conn, &by, Action::SubsidyExport, id)?;
        verification(conn, run, &calendar, &tell)
    };
    app.store.read_snapshot(look).await
}

fn verification(
    conn: &mut Conn,
    run: SubsidyRun,
    calendar: &Calendar,
    tell: &impl Fn(u64),
) -> Result<Verification, AppError> {
    let proof = Proof::read(conn, run)?;
    tell(10);
    let stored = proof.stored(conn)?;
    tell(20);
    let from_inputs = proof.check(&proof.facts, &stored)?;
    tell(35);
    let again = proof.again(conn, calendar)?;
    tell(75);
    let from_records = proof.check(&again, &stored)?;
    tell(90);
    let mut policies = Vec::new();
    if let Some(graded) = &proof.graded {
        policies.push(PolicyCheck::of(conn, &graded.row.lifecycle)?);
    }
    policies.push(PolicyCheck::of(conn, &proof.run.lifecycle)?);
    let computed = stored.agrees && from_inputs.agrees && from_records.agrees;
    let scope = scope_of_run(conn, &proof.run)?;
    let money_agrees = money_agrees(conn, &proof)?;
    Ok(Verification {
        money_agrees,
        verified: computed && money_agrees && policies.iter().all(|policy| policy.agrees),
        policies,
        stored,
        from_inputs,
        from_records,
        changed_records: changed_records(conn, &scope)?,
        changed_organizations: changed_organizations(conn, &scope, proof.facts.paid_by())?,
        changed_certifications: freeze::changed_certifications(conn, proof.facts.paid_by())?,
    })
}

/// Facts of an evaluation and, where a run froze its own, of the run.
struct Facts {
    graded: Option<Inputs>,
    own: Option<Inputs>,
}

impl Facts {
    /// Those that the money was computed from.
    fn paid_by(&self) -> Option<&Inputs> {
        self.own.as_ref().or(self.graded.as_ref())
    }

    /// The digests of both, where there are both.
    fn digest(&self) -> String {
        let all = [&self.graded, &self.own];
        let digests: Vec<String> = all.into_iter().flatten().map(Inputs::digest).collect();
        digests.join("+")
    }
}

/// The evaluation that a run stands on, and its pack.
struct Graded {
    row: Row,
    policy: Policy,
}

/// What a run was computed from.
struct Proof {
    run: SubsidyRun,
    policy: Policy,
    graded: Option<Graded>,
    facts: Facts,
}

impl Proof {
    fn read(conn: &mut Conn, run: SubsidyRun) -> Result<Self, AppError> {
        refuse_without_results(run.lifecycle.state)?;
        let mut facts = Facts {
            graded: None,
            own: None,
        };
        let graded = match run.evaluation_id {
            Some(_) => {
                let row = evaluation_of(conn, &run)?;
                let (policy, inputs) = grades::open(conn, &row)?;
                facts.graded = Some(inputs);
                Some(Graded { row, policy })
            }
            None => None,
        };
        if rows::facts::find(conn, run.id)?.is_some() {
            let lines = rows::facts::list_inputs(conn, run.id)?;
            facts.own = Some(Inputs::from_lines(lines).map_err(AppError::internal)?);
        }
        Ok(Self {
            policy: policy_of(conn, &run.lifecycle)?,
            run,
            graded,
            facts,
        })
    }

    /// The facts, read from the records once more.
    fn again(&self, conn: &mut Conn, calendar: &Calendar) -> Result<Facts, AppError> {
        let mut facts = Facts {
            graded: None,
            own: None,
        };
        if let (Some(Graded { row, policy }), Some(inputs)) = (&self.graded, &self.facts.graded) {
            let (scope, experts) = (scope_of(conn, row)?, expert::points(conn, row.id)?);
            let since = row.lifecycle.created_at;
            let known = Known { inputs, since };
            let again = freeze::read(conn, &scope, policy, calendar, experts, Some(known))?;
            facts.graded = Some(again);
        }
        if let Some(inputs) = &self.facts.own {
            let scope = scope_of_run(conn, &self.run)?;
            let since = self.run.lifecycle.created_at;
            let known = Known { inputs, since };
            let (policy, nobody) = (&self.policy, freeze::ExpertPoints::new());
            let again = freeze::read(conn, &scope, policy, calendar, nobody, Some(known))?;
            // What was paid before is what earlier runs said then.
            facts.own = Some(again.with_awarded(inputs.awarded().clone()));
        }
        Ok(facts)
    }

    /// The digests that were stored; they agree when the stored rows still come out as they did.
    fn stored(&self, conn: &mut Conn) -> Result<Check, AppError> {
        let told = |digest: Option<String>| digest.unwrap_or_default();
        let mut inputs = Vec::new();
        let mut evaluation = (String::new(), String::new());
        if let Some(Graded { row, .. }) = &self.graded {
            inputs.push(told(row.input_digest.clone()));
            let units = rows::evaluation::list_units(conn, row.id)?;
            evaluation = (
                grades::digest(&units)?,
                told(row.lifecycle.result_digest.clone()),
            );
        }
        if let Some(own) = rows::facts::find(conn, self.run.id)? {
            inputs.push(told(own.input_digest));
        }
        let digests = Check {
            input_digest: inputs.join("+"),
            evaluation_digest: evaluation.1,
            result_digest: told(self.run.lifecycle.result_digest.clone()),
            agrees: true,
        };
        let stored = Check {
            input_digest: self.facts.digest(),
            evaluation_digest: evaluation.0,
            result_digest: kept_digest(conn, &self.run)?,
            agrees: true,
        };
        Ok(Check {
            agrees: stored == digests,
            ..digests
        })
    }

    fn check(&self, facts: &Facts, stored: &Check) -> Result<Check, AppError> {
        let mut graded = Evaluation { units: Vec::new() };
        let mut evaluation_digest = String::new();
        if let (Some(Graded { row, policy }), Some(inputs)) = (&self.graded, &facts.graded) {
            graded = evaluation::grade(inputs, policy);
            evaluation_digest = grades::digest(&grades::rows(row.id, &graded, &Names::new())?)?;
        }
        let inputs = facts.paid_by();
        let inputs = inputs.ok_or_else(|| AppError::internal("a run without facts"))?;
        let budgets = budgets_of(&self.policy, &self.run);
        let payout = subsidy::pay(&budgets, &graded.grades(), inputs, &self.policy)
            .map_err(AppError::internal)?;
        let check = Check {
            input_digest: facts.digest(),
            evaluation_digest,
            result_digest: digest(&self.run, &payout)?,
            agrees: stored.agrees,
        };
        Ok(Check {
            agrees: check == *stored,
            ..check
        })
    }
}

fn money_agrees(conn: &mut Conn, proof: &Proof) -> Result<bool, AppError> {
    let kept = rows::money::list_of_awards(conn, proof.run.id)?;
    let of_awards = kept.is_empty() || kept == explain::of_awards(conn, &proof.run)?;
    let Some(Graded { row, .. }) = &proof.graded else {
        return Ok(of_awards);
    };
    let kept = rows::money::list_of_units(conn, row.id)?;
    let of_units = kept.is_empty() || kept == explain::of_units(conn, row)?;
    Ok(of_awards && of_units)
}

fn changed_records(conn: &mut Conn, scope: &Scope) -> Result<Vec<ChangedRecord>, AppError> {
    let rows = yearly_input::list_changed(conn, scope)?;
    let changed = rows.into_iter().map(|row| ChangedRecord {
        usage_record_id: row.id,
        record_no: row.record_no,
        version: row.version,
        event_id: row.event_id,
    });
    Ok(changed.collect())
}

fn changed_organizations(
    conn: &mut Conn,
    scope: &Scope,
    inputs: Option<&Inputs>,
) -> Result<Vec<OrganizationId>, AppError> {
    let hosts = inputs.into_iter().flat_map(Inputs::units);
    let hosts = hosts.map(|unit| unit.organization_id);
    let users = inputs.into_iter().flat_map(Inputs::using_units);
    let users = users.map(|user| user.organization_id);
    let known: std::collections::BTreeSet<_> = hosts.chain(users).collect();
    let members = yearly_input::list_members(conn)?;
    let changed = members
        .into_iter()
        .filter(|member| member.updated_at > scope.frozen_at && known.contains(&member.id));
    Ok(changed.map(|member| member.id).collect())
}
