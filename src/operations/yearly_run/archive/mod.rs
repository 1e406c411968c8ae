//! A published or final run as texts that another machine can prove: packs, frozen facts, points, findings, grades, awards with
//! their steps, the notice and its objections. Facts, grades and awards stand here exactly as they were hashed.

pub mod check;
mod money;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{awards, grades};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::finding::{FindingEffect, FindingRule, FindingState};
use crate::domain::objection::ObjectionState;
use crate::domain::run::{RunId, RunKind, RunState};
use crate::domain::{
    EvaluationId, Fen, FindingId, Instant, InstrumentId, Minutes, ObjectionId, OrganizationId,
    UsageRecordId, UserId,
};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::subject;
use crate::store::public_notice::Content;
use crate::store::yearly_run::subsidy::Pool;
use crate::store::yearly_run::{self as rows, Evaluation, Lifecycle, Run as Row, SubsidyRun};
use crate::store::{self, Conn, finding, objection};

/// By name, in their order: what an archive holds of a run.
pub type Entries = BTreeMap<String, String>;

/// A run and its texts.
#[derive(Debug, Clone)]
pub struct Archive {
    pub id: RunId,
    pub entries: Entries,
}

/// A run as it stands in the archive: what it was made by, and what it came to. Of an evaluation there is no money.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RunFacts {
    kind: RunKind,
    id: i64,
    year: i64,
    policy_code: String,
    policy_version: i64,
    policy_digest: String,
    parameters: BTreeMap<String, String>,
    state: RunState,
    frozen_at: Option<Instant>,
    /// Of `money.jsonl`; none where the run was shown before such money was kept.
    #[serde(default)]
    money_digest: Option<String>,
    /// Of the facts that the run froze itself.
    input_digest: Option<String>,
    result_digest: Option<String>,
    evaluation_id: Option<EvaluationId>,
    claim: Option<String>,
    budget_fen: Option<Fen>,
    pools: Vec<Pool>,
    awarded_fen: Option<Fen>,
    unspent_fen: Option<Fen>,
    created_by: Option<UserId>,
    published_by: Option<UserId>,
    finalized_by: Option<UserId>,
    created_at: Instant,
    published_at: Option<Instant>,
    finalized_at: Option<Instant>,
}

#[derive(Debug, Serialize, Deserialize)]
struct NoticeFacts {
    document_no: String,
    title: String,
    notice_from_on: NaiveDate,
    notice_until_on: NaiveDate,
    remark: Option<String>,
    content: Content,
}

/// Without who objected.
#[derive(Debug, Serialize)]
struct ObjectionFacts {
    id: ObjectionId,
    organization_id: Option<OrganizationId>,
    text: String,
    state: ObjectionState,
    due_on: NaiveDate,
    created_at: Instant,
    decision: Option<String>,
    decided_at: Option<Instant>,
}

#[derive(Debug, Serialize)]
struct PointFacts {
    organization_id: OrganizationId,
    indicator: String,
    points: String,
    entered_at: Instant,
}

#[derive(Debug, Serialize)]
struct FindingFacts {
    id: FindingId,
    rule: FindingRule,
    organization_id: OrganizationId,
    counterpart_organization_id: Option<OrganizationId>,
    instrument_id: Option<InstrumentId>,
    records: i64,
    minutes: Minutes,
    income_fen: Fen,
    record_ids: Vec<UsageRecordId>,
    facts_digest: String,
    state: FindingState,
    decision: Option<String>,
    effect: Option<FindingEffect>,
}

/// The archive of a run, for who may export it; 409 `invalid_state` before it is published.
pub async fn read(app: &App, actor: &Actor, id: RunId) -> Result<Archive, AppError> {
    let by = actor.clone();
    let action = match id {
        RunId::Evaluation(_) => Action::EvaluationArchive,
        RunId::SubsidyRun(_) => Action::SubsidyArchive,
    };
    let read = move |conn: &mut Conn| {
        let run: Row = subject::load(conn, &by, action, id)?;
        let state = run.lifecycle().state;
        if !state.is_published() {
            let allowed = [RunState::Published, RunState::Final].map(RunState::as_str);
            return Err(AppError::conflict(Code::invalid_state)
                .with("state", state.as_str())
                .with("allowed", allowed.to_vec()));
        }
        let mut entries = Entries::new();
        match &run {
            Row::Evaluation(row) => add_evaluation(conn, row, &mut entries)?,
            Row::SubsidyRun(row) => add_run(conn, row, &mut entries)?,
        }
        add_findings(conn, run.lifecycle().year, &mut entries)?;
        Ok(Archive { id, entries })
    };
    app.store.read_snapshot(read).await
}

fn add_run(conn: &mut Conn, run: &SubsidyRun, entries: &mut Entries) -> Result<(), AppError> {
    let own = rows::facts::find(conn, run.id)?;
    let facts = RunFacts {
        money_digest: money::add_of_awards(conn, run, entries)?,
        evaluation_id: run.evaluation_id,
        claim: run.claim.clone(),
        budget_fen: Some(run.budget_fen),
        pools: run.pools.clone().into_inner().into(),
        awarded_fen: run.awarded_fen,
        unspent_fen: run.unspent_fen,
        frozen_at: own.as_ref().map(|own| own.frozen_at),
        input_digest: own.as_ref().and_then(|own| own.input_digest.clone()),
        ..common(conn, RunId::SubsidyRun(run.id), &run.lifecycle, entries)?
    };
    if own.is_some() {
        let lines = rows::facts::list_inputs(conn, run.id)?;
        entries.insert("subsidy_run/facts.txt".to_owned(), lines.join("\n"));
    }
    let results = awards::kept_lines(conn, run)?;
    entries.insert("subsidy_run/results.jsonl".to_owned(), results.join("\n"));
    entries.insert("subsidy_run/run.json".to_owned(), pretty(&facts)?);
    match run.evaluation_id {
        Some(id) => {
            let evaluation = rows::evaluation::get(conn, id)?;
            add_evaluation(conn, &evaluation, entries)
        }
        None => Ok(()),
    }
}

fn add_evaluation(
    conn: &mut Conn,
    row: &Evaluation,
    entries: &mut Entries,
) -> Result<(), AppError> {
    let facts = RunFacts {
        money_digest: money::add_of_units(conn, row.id, entries)?,
        frozen_at: row.frozen_at,
        input_digest: row.input_digest.clone(),
        ..common(conn, RunId::Evaluation(row.id), &row.lifecycle, entries)?
    };
    let lines = rows::evaluation::list_inputs(conn, row.id)?;
    let units = rows::evaluation::list_units(conn, row.id)?;
    let points = rows::evaluation::list_expert_scores(conn, row.id)?.into_iter();
    let points = points.map(|score| PointFacts {
        organization_id: score.organization_id,
        indicator: score.indicator,
        points: score.points,
        entered_at: score.entered_at,
    });
    let texts = [
        ("facts.txt", lines.join("\n")),
        ("grades.jsonl", grades::lines(&units)?.join("\n")),
        ("points.jsonl", json_lines(points)?),
        ("run.json", pretty(&facts)?),
    ];
    for (name, text) in texts {
        entries.insert(format!("evaluation/{name}"), text);
    }
    Ok(())
}

/// What runs of both kinds have: the pack, the notice, the objections, and the facts that are the same.
fn common(
    conn: &mut Conn,
    id: RunId,
    lifecycle: &Lifecycle,
    entries: &mut Entries,
) -> Result<RunFacts, AppError> {
    let (kind, pack) = (id.kind(), store::policy::get(conn, lifecycle.policy_id)?);
    entries.insert(format!("{kind}/policy.toml"), pack.content);
    if let Some(notice) = lifecycle.public_notice_id {
        let objections = objection::list_of_notice(conn, notice)?.into_iter();
        let objections = objections.map(|one| ObjectionFacts {
            id: one.id,
            organization_id: one.organization_id,
            text: one.text,
            state: one.state,
            due_on: one.due_on,
            created_at: one.created_at,
            decision: one.decision,
            decided_at: one.decided_at,
        });
        entries.insert(format!("{kind}/objections.jsonl"), json_lines(objections)?);
        let notice = store::public_notice::get(conn, notice)?;
        let notice = NoticeFacts {
            document_no: notice.document_no,
            title: notice.title,
            notice_from_on: notice.notice_from_on,
            notice_until_on: notice.notice_until_on,
            remark: notice.remark,
            content: notice.content.into_inner(),
        };
        entries.insert(format!("{kind}/notice.json"), pretty(&notice)?);
    }
    Ok(RunFacts {
        kind,
        id: id.number(),
        year: lifecycle.year,
        policy_code: pack.code,
        policy_version: pack.version,
        policy_digest: lifecycle.policy_digest.clone(),
        parameters: lifecycle.terms.parameters.clone(),
        state: lifecycle.state,
        frozen_at: None,
        money_digest: None,
        input_digest: None,
        result_digest: lifecycle.result_digest.clone(),
        evaluation_id: None,
        claim: None,
        budget_fen: None,
        pools: Vec::new(),
        awarded_fen: None,
        unspent_fen: None,
        created_by: lifecycle.created_by,
        published_by: lifecycle.published_by,
        finalized_by: lifecycle.finalized_by,
        created_at: lifecycle.created_at,
        published_at: lifecycle.published_at,
        finalized_at: lifecycle.finalized_at,
    })
}

fn add_findings(conn: &mut Conn, year: i64, entries: &mut Entries) -> Result<(), AppError> {
    let filter = finding::Filter {
        years: vec![year],
        limit: i64::MAX,
        ..finding::Filter::default()
    };
    let mut found = finding::list(conn, &filter)?;
    found.sort_by_key(|finding| finding.id);
    let found = found.into_iter().map(|one| FindingFacts {
        id: one.id,
        rule: one.rule,
        organization_id: one.organization_id,
        counterpart_organization_id: one.counterpart_organization_id,
        instrument_id: one.instrument_id,
        records: one.records,
        minutes: one.minutes,
        income_fen: one.income_fen,
        record_ids: one.record_ids.into_inner(),
        facts_digest: one.facts_digest,
        state: one.state,
        decision: one.decision,
        effect: one.effect,
    });
    entries.insert("findings.jsonl".to_owned(), json_lines(found)?);
    Ok(())
}

fn pretty(value: &impl Serialize) -> Result<String, AppError> {
    Ok(serde_json::to_string_pretty(value)?)
}

fn json_lines(values: impl Iterator<Item = impl Serialize>) -> Result<String, AppError> {
    let lines: Result<Vec<String>, _> = values.map(|value| serde_json::to_string(&value)).collect();
    Ok(lines?.join("\n"))
}
