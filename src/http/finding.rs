//! `/findings`: what looks wrong in a year, before any money.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::feed::{Asked, Start};
use super::params::Params;
use super::reason::ReasonBody;
use super::route::{Route, get, post};
use crate::domain::access::Action;
use crate::domain::calendar::Year;
use crate::domain::finding::{FindingEffect, FindingRule, FindingState, Severity, sentence};
use crate::domain::{
    Fen, FindingId, Instant, InstrumentId, Minutes, OrganizationId, UsageRecordId,
};
use crate::error::AppError;
use crate::error::text::Language;
use crate::operations::finding::{self, Said};
use crate::operations::run::Reply;
use crate::store::finding::{Filter, Finding};

pub fn routes() -> Vec<Route> {
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
        post("/findings/{id}/clear", Action::FindingClear, "Say that nothing is wrong", clear)
            .takes::<FindingClearBody>()
            .answers::<FindingShape>(200),
        post("/findings/{id}/uphold", Action::FindingUphold, "Say that it stands", uphold)
            .takes::<FindingUpholdBody>()
            .answers::<FindingShape>(200),
        post("/findings/{id}/reopen", Action::FindingReopen, "Look at it again", reopen)
            .takes::<ReasonBody>()
            .answers::<FindingShape>(200),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FindingClearBody {
    text: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FindingUpholdBody {
    text: String,
    effect: FindingEffect,
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
    minutes: Minutes,
    income_fen: Fen,
    /// The first thousand; none where the finding is about two units.
    usage_record_ids: Vec<UsageRecordId>,
    state: FindingState,
    /// Why it was cleared or upheld.
    decision: Option<String>,
    effect: Option<FindingEffect>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl FindingShape {
    fn of(row: Finding, language: Language) -> Self {
        let said = sentence(row.rule, row.records, row.income_fen);
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
            minutes: row.minutes,
            income_fen: row.income_fen,
            usage_record_ids: row.record_ids.into_inner(),
            state: row.state,
            decision: row.decision,
            effect: row.effect,
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

async fn decide(context: RequestContext, said: Result<Said, AppError>) -> Answer {
    let shown: fn(&Finding) -> Result<Reply, AppError> = match context.language {
        Language::Chinese => in_chinese,
        Language::English => in_english,
    };
    let done = finding::decide(&context.run(shown)?, context.id("id")?, said).await?;
    context.answer(done, shown)
}

async fn clear(context: RequestContext) -> Answer {
    let said = context.body().map(|body: FindingClearBody| Said {
        text: Some(body.text),
        effect: None,
    });
    decide(context, said).await
}

async fn uphold(context: RequestContext) -> Answer {
    let said = context.body().map(|body: FindingUpholdBody| Said {
        text: Some(body.text),
        effect: Some(body.effect),
    });
    decide(context, said).await
}

async fn reopen(context: RequestContext) -> Answer {
    let said = context.body_or_default().map(|body: ReasonBody| Said {
        text: body.reason,
        effect: None,
    });
    decide(context, said).await
}
