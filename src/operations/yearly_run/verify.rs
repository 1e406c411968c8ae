//! Verifying a run: once from its stored inputs, once from the records as they were at the freeze. Both must come out as
//! stored; records changed since are listed, and change nothing.

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::evaluation::{self, Evaluation, Inputs};
use crate::domain::policy::{self as policy_rules, Policy};
use crate::domain::{EventId, OrganizationId, PolicyId, SubsidyRunId, UsageRecordId, subsidy};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::{policy, subject};
use crate::store::yearly_input::{self, Scope};
use crate::store::yearly_run::{self as rows, Evaluation as Row, Lifecycle, SubsidyRun};
use crate::store::{self, Conn};

use super::awards::{digest, kept_digest};
use super::freeze::{self, Known};
use super::grades::{self, Names};
use super::phase::scope_of;
use super::{evaluation_of, expert, refuse_without_results};

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
    /// Of the evaluation, then of the run.
    pub policies: Vec<PolicyCheck>,
    pub stored: Check,
    pub from_inputs: Check,
    pub from_records: Check,
    pub changed_records: Vec<ChangedRecord>,
    /// Organizations have no versions: what the stored inputs say of these was taken as it stands.
    pub changed_organizations: Vec<OrganizationId>,
}

/// Verifies a run that has results, for who may have its results as a whole.
pub async fn verify(app: &App, actor: &Actor, id: SubsidyRunId) -> Result<Verification, AppError> {
    let (calendar, by) = (app.calendar().await?, actor.clone());
    let look = move |conn: &mut Conn| {
        let run: SubsidyRun = subject::load(conn, &by, Action::SubsidyExport, id)?;
        let basis = Basis::read(conn, run)?;
        let (row, inputs) = (&basis.row, &basis.inputs);
        let scope = scope_of(row)?;
        let experts = expert::points(conn, row.id)?;
        let known = Known {
            inputs,
            since: row.lifecycle.created_at,
        };
        let pack = &basis.graded_by;
        let again = freeze::read(conn, &scope, pack, &calendar, experts, Some(known))?;
        let stored = basis.stored(conn)?;
        let from_inputs = basis.check(inputs, &stored)?;
        let from_records = basis.check(&again, &stored)?;
        let policies = vec![
            PolicyCheck::of(conn, &row.lifecycle)?,
            PolicyCheck::of(conn, &basis.run.lifecycle)?,
        ];
        let computed = stored.agrees && from_inputs.agrees && from_records.agrees;
        Ok(Verification {
            verified: computed && policies.iter().all(|policy| policy.agrees),
            policies,
            stored,
            from_inputs,
            from_records,
            changed_records: changed_records(conn, &scope)?,
            changed_organizations: changed_organizations(conn, &scope, inputs)?,
        })
    };
    app.store.read_snapshot(look).await
}

/// What a run was computed from.
struct Basis {
    run: SubsidyRun,
    row: Row,
    graded_by: Policy,
    awarded_by: Policy,
    inputs: Inputs,
}

impl Basis {
    fn read(conn: &mut Conn, run: SubsidyRun) -> Result<Self, AppError> {
        refuse_without_results(run.lifecycle.state)?;
        let row = evaluation_of(conn, &run)?;
        let (graded_by, inputs) = grades::open(conn, &row)?;
        let awarded_by = match run.lifecycle.policy_id == row.lifecycle.policy_id {
            true => graded_by.clone(),
            false => policy::open(&store::policy::get(conn, run.lifecycle.policy_id)?)?,
        };
        Ok(Self {
            run,
            row,
            graded_by,
            awarded_by,
            inputs,
        })
    }

    /// The digests that were stored; they agree when the stored rows still come out as they did.
    fn stored(&self, conn: &mut Conn) -> Result<Check, AppError> {
        let units = rows::evaluation::list_units(conn, self.row.id)?;
        let told = |digest: &Option<String>| digest.clone().unwrap_or_default();
        let mut stored = Check {
            input_digest: self.inputs.digest(),
            evaluation_digest: grades::digest(&units)?,
            result_digest: kept_digest(conn, &self.run)?,
            agrees: true,
        };
        let digests = Check {
            input_digest: told(&self.row.input_digest),
            evaluation_digest: told(&self.row.lifecycle.result_digest),
            result_digest: told(&self.run.lifecycle.result_digest),
            agrees: true,
        };
        stored.agrees = stored == digests;
        Ok(Check {
            agrees: stored.agrees,
            ..digests
        })
    }

    fn check(&self, inputs: &Inputs, stored: &Check) -> Result<Check, AppError> {
        let graded: Evaluation = evaluation::grade(inputs, &self.graded_by);
        let units = grades::rows(self.row.id, &graded, &Names::new())?;
        let budget = self.run.budget_fen;
        let allocation = subsidy::allocate(budget, &graded.grades(), inputs, &self.awarded_by)
            .map_err(AppError::internal)?;
        let check = Check {
            input_digest: inputs.digest(),
            evaluation_digest: grades::digest(&units)?,
            result_digest: digest(&allocation)?,
            agrees: stored.agrees,
        };
        Ok(Check {
            agrees: check == *stored,
            ..check
        })
    }
}

fn changed_records(conn: &mut Conn, scope: &Scope) -> Result<Vec<ChangedRecord>, AppError> {
    let rows = yearly_input::list_changed(conn, scope)?;
    let changed = rows.into_iter().map(|row| ChangedRecord {
        usage_record_id: row.id,
        version: row.version,
        event_id: row.event_id,
    });
    Ok(changed.collect())
}

fn changed_organizations(
    conn: &mut Conn,
    scope: &Scope,
    inputs: &Inputs,
) -> Result<Vec<OrganizationId>, AppError> {
    let hosts = inputs.units().map(|unit| unit.organization_id);
    let users = inputs.using_units().map(|user| user.organization_id);
    let known: std::collections::BTreeSet<_> = hosts.chain(users).collect();
    let members = yearly_input::list_members(conn)?;
    let changed = members
        .into_iter()
        .filter(|member| member.updated_at > scope.frozen_at && known.contains(&member.id));
    Ok(changed.map(|member| member.id).collect())
}
