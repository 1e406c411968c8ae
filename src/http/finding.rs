//! `/findings`: what looks wrong in a year, before any money.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::feed::{Asked, Start};
use super::params::Params;
use super::reason::ReasonBody;
use super::route::{BASE, Route, get, post};
use crate::domain::access::Action;
use crate::domain::calendar::Year;
use crate::domain::finding::{
    FindingEffect, FindingRule, FindingState, ScanState, Severity, sentence,
};
use crate::domain::policy::Grade;
use crate::domain::usage::UsageState;
use crate::domain::{
    Fen, FindingId, FindingScanId, Instant, InstrumentId, Minutes, OrganizationId, UsageRecordId,
};
use crate::error::AppError;
use crate::error::text::Language;
use crate::operations::finding::decide::{self, Statement};
use crate::operations::finding::{self, scan};
use crate::operations::run::Reply;
use crate::store::finding::record::FindingRecord;
use crate::store::finding::scan::Scan;
use crate::store::finding::{Filter, Finding};

pub fn routes() -> Vec<Route> {
    let mut routes = reading();
    routes.extend(saying());
    routes
}

/// What is listed, read and looked for.
fn reading() -> Vec<Route> {
    vec![
        get(
            "/findings",
            Action::FindingList,
            "What looks wrong in a year, newest first, or with updated_since in the order of change",
            list,
        )
        .parameters(&[
            "year",
            "rule",
            "severity",
            "state",
            "organization_id",
            "updated_since",
            "limit",
            "cursor",
        ])
        .words::<FindingRule>("rule")
        .words::<Severity>("severity")
        .words::<FindingState>("state")
        .answers::<Page<FindingShape>>(200),
        get("/findings/{id}", Action::FindingGet, "One finding", get_one)
            .answers::<FindingShape>(200),
        get(
            "/findings/{id}/records",
            Action::FindingRecordList,
            "The records that a finding is about, by id",
            records,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<FindingRecordShape>>(200),
        post(
            "/findings/scan",
            Action::FindingScan,
            "Look for what is wrong in a year; the Location tells how far that is",
            scan,
        )
        .takes::<FindingScanBody>()
        .answers::<FindingScanShape>(202),
        get(
            "/findings/scans/{id}",
            Action::FindingScanGet,
            "How far a scan is, and what came of it",
            get_scan,
        )
        .answers::<FindingScanShape>(200),
    ]
}

/// What is said of one.
fn saying() -> Vec<Route> {
    vec![
        post(
            "/findings/{id}/assign",
            Action::FindingAssign,
            "Show it to its unit, to be explained by a day: without one by the 10th working day",
            assign,
        )
        .takes::<FindingAssignBody>()
        .answers::<FindingShape>(200),
        post(
            "/findings/{id}/explain",
            Action::FindingExplain,
            "Explain a finding that was shown to the unit; once more in place of what was said before",
            say,
        )
        .takes::<FindingTextBody>()
        .answers::<FindingShape>(200),
        post("/findings/{id}/clear", Action::FindingClear, "Say that nothing is wrong", say)
            .takes::<FindingTextBody>()
            .answers::<FindingShape>(200),
        post("/findings/{id}/uphold", Action::FindingUphold, "Say that it stands", uphold)
            .takes::<FindingUpholdBody>()
            .answers::<FindingShape>(200),
        post("/findings/{id}/reopen", Action::FindingReopen, "Look at it again", reopen)
            .takes::<ReasonBody>()
            .answers::<FindingShape>(200),
    ]
}

/// `due_on` is today or later.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FindingAssignBody {
    due_on: Option<NaiveDate>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FindingTextBody {
    text: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FindingUpholdBody {
    text: String,
    effect: FindingEffect,
    /// Of `exclude_records` and `evidence_manual`: some of the records, else all of them. At most 200.
    record_ids: Option<Vec<UsageRecordId>>,
    /// Of `cap_grade`.
    grade: Option<Grade>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FindingScanBody {
    year: i32,
}

/// A look for what is wrong in a year. `found` and `changed` (new, or with other facts) are there when it is done.
#[derive(Serialize, ToSchema)]
struct FindingScanShape {
    id: FindingScanId,
    year: i64,
    status: ScanState,
    /// In percent.
    progress: i64,
    found: Option<i64>,
    changed: Option<i64>,
    failure: Option<String>,
    created_at: Instant,
    updated_at: Instant,
}

impl From<Scan> for FindingScanShape {
    fn from(row: Scan) -> Self {
        Self {
            id: row.id,
            year: row.year,
            status: row.state,
            progress: match row.state {
                ScanState::Running => 0,
                ScanState::Done | ScanState::Failed => 100,
            },
            found: row.found,
            changed: row.changed,
            failure: row.failure,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A record that a finding is about, as it is now. `organization_id` used the instrument.
#[derive(Serialize, ToSchema)]
struct FindingRecordShape {
    usage_record_id: UsageRecordId,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    started_at: Instant,
    ended_at: Instant,
    effective_minutes: Minutes,
    state: UsageState,
    /// The effect of the decision is on this record.
    is_affected: bool,
}

impl From<FindingRecord> for FindingRecordShape {
    fn from(row: FindingRecord) -> Self {
        Self {
            usage_record_id: row.usage_record_id,
            instrument_id: row.instrument_id,
            organization_id: row.organization_id,
            started_at: row.started_at,
            ended_at: row.ended_at,
            effective_minutes: row.effective_minutes(),
            state: row.state,
            is_affected: row.is_affected,
        }
    }
}

/// What looks wrong with one subject: an instrument, or two units.
#[derive(Serialize, ToSchema)]
struct FindingShape {
    id: FindingId,
    year: i64,
    rule: FindingRule,
    severity: Severity,
    organization_id: OrganizationId,
    counterpart_organization_id: Option<OrganizationId>,
    instrument_id: Option<InstrumentId>,
    /// What is the matter and what to do next, in the language of `Accept-Language`.
    sentence: String,
    /// Of records.
    count: i64,
    /// Not everything was looked at: there is too much of it.
    is_cut: bool,
    minutes: Minutes,
    income_fen: Fen,
    /// The first thousand; `records` lists all.
    usage_record_ids: Vec<UsageRecordId>,
    state: FindingState,
    /// By when the unit is to explain it; null: it is not shown to the unit.
    due_on: Option<NaiveDate>,
    /// What the unit says.
    explanation: Option<String>,
    /// Why it was cleared or upheld.
    decision: Option<String>,
    effect: Option<FindingEffect>,
    /// The best grade that the unit may have, of the effect `cap_grade`.
    grade: Option<Grade>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl FindingShape {
    fn of(row: Finding, language: Language) -> Self {
        let said = sentence(row.rule, row.records, row.income_fen, row.is_cut);
        Self {
            id: row.id,
            year: row.year,
            rule: row.rule,
            severity: row.rule.severity(),
            organization_id: row.organization_id,
            counterpart_organization_id: row.counterpart_organization_id,
            instrument_id: row.instrument_id,
            sentence: match language {
                Language::Chinese => said.zh,
                Language::English => said.en,
            },
            count: row.records,
            is_cut: row.is_cut,
            minutes: row.minutes,
            income_fen: row.income_fen,
            usage_record_ids: row.record_ids.into_inner(),
            state: row.state,
            due_on: row.due_on,
            explanation: row.explanation,
            decision: row.decision,
            effect: row.effect,
            grade: row.grade,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn filter(params: &Params, start: &Start, limit: i64) -> Result<Filter, AppError> {
    let years: Vec<Year> = params.all("year")?;
    let (rules, severities): (Vec<FindingRule>, Vec<Severity>) =
        (params.all("rule")?, params.all("severity")?);
    let is_asked = |rule: &FindingRule| {
        (rules.is_empty() || rules.contains(rule)) && severities.contains(&rule.severity())
    };
    let by_weight = FindingRule::ALL.iter().copied().filter(is_asked).collect();
    // A rule of another weight than the one asked for: nothing is both.
    let (rules, limit) = match severities.is_empty() {
        true => (rules, limit),
        false => match Vec::is_empty(&by_weight) {
            true => (rules, 0),
            false => (by_weight, limit),
        },
    };
    Ok(Filter {
        years: years.iter().map(|year| i64::from(year.number())).collect(),
        rules,
        states: params.all("state")?,
        organizations: params.all("organization_id")?,
        assigned_to: None,
        changed_after: start.changed_after(),
        below: start.below(),
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let asked = Asked::of(&context, filter).await;
    let found = finding::list(&context.app, &context.reader(), asked.filter).await?;
    let place = |row: &Finding| (row.updated_at, row.id.number());
    let shape = |row| FindingShape::of(row, context.language);
    context.ok(asked.start.page(found, asked.limit, place, shape)?)
}

async fn get_one(context: RequestContext) -> Answer {
    let row = finding::get(&context.app, &context.reader(), context.id("id")?).await?;
    context.ok_versioned(row.version, FindingShape::of(row, context.language))
}

fn in_chinese(row: &Finding) -> Result<Reply, AppError> {
    let shape = FindingShape::of(row.clone(), Language::Chinese);
    Ok(reply(200, &shape)?.of_version(row.version))
}

fn in_english(row: &Finding) -> Result<Reply, AppError> {
    let shape = FindingShape::of(row.clone(), Language::English);
    Ok(reply(200, &shape)?.of_version(row.version))
}

async fn records(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let found = finding::records(&context.app, &context.reader(), id, context.page()).await?;
    let limit = context.params()?.limit()?;
    let key = |row: &FindingRecord| row.usage_record_id;
    context.ok(Page::cut(found, limit, key, FindingRecordShape::from)?)
}

async fn decide(context: RequestContext, statement: Result<Statement, AppError>) -> Answer {
    let shown: fn(&Finding) -> Result<Reply, AppError> = match context.language {
        Language::Chinese => in_chinese,
        Language::English => in_english,
    };
    let done = decide::decide(&context.run(shown)?, context.id("id")?, statement).await?;
    context.answer(done, shown)
}

fn in_words(text: Option<String>) -> Statement {
    Statement {
        text,
        ..Statement::default()
    }
}

async fn assign(context: RequestContext) -> Answer {
    let sent = context.body_or_default();
    let statement = sent.map(|body: FindingAssignBody| Statement {
        due_on: body.due_on,
        ..Statement::default()
    });
    decide(context, statement).await
}

/// Explains or clears, as the route says.
async fn say(context: RequestContext) -> Answer {
    let sent = context.body();
    let statement = sent.map(|body: FindingTextBody| in_words(Some(body.text)));
    decide(context, statement).await
}

async fn uphold(context: RequestContext) -> Answer {
    let sent = context.body();
    let statement = sent.map(|body: FindingUpholdBody| Statement {
        effect: Some(body.effect),
        record_ids: body.record_ids,
        grade: body.grade,
        ..in_words(Some(body.text))
    });
    decide(context, statement).await
}

async fn reopen(context: RequestContext) -> Answer {
    let sent = context.body_or_default();
    let statement = sent.map(|body: ReasonBody| in_words(body.reason));
    decide(context, statement).await
}

fn begun(scan: &Scan) -> Result<Reply, AppError> {
    let at = format!("{BASE}/findings/scans/{}", scan.id);
    Ok(reply(202, &FindingScanShape::from(scan.clone()))?.at(at))
}

async fn scan(context: RequestContext) -> Answer {
    let year = context.body().map(|body: FindingScanBody| body.year);
    let done = scan::begin(&context.run(begun)?, year).await?;
    context.answer(done, begun)
}

async fn get_scan(context: RequestContext) -> Answer {
    let scan = scan::get(&context.app, &context.reader(), context.id("id")?).await?;
    context.ok(FindingScanShape::from(scan))
}
