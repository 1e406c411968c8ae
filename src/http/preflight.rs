//! `/preflight`: what of a year would be lost as things stand, and where to mend it.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::context::RequestContext;
use super::route::{BASE, Route, get};
use crate::domain::access::Action;
use crate::domain::preflight::{Item, Lack, Weight};
use crate::domain::{Fen, Minutes, OrganizationId};
use crate::error::text::{self, Language};
use crate::operations::preflight::{self, Asked};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/preflight",
            Action::PreflightGet,
            "What of a year would be lost as things stand: of the host itself; to the province of any unit or of all",
            live,
        )
        .parameters(&["year", "policy", "organization_id"])
        .requires(&["year"])
        .heavy()
        .answers::<PreflightShape>(200),
        get(
            "/evaluations/{id}/preflight",
            Action::EvaluationPreflight,
            "What the year of a draft would lose by its pack, of all units",
            of_evaluation,
        )
        .heavy()
        .answers::<PreflightShape>(200),
    ]
}

/// By unit; the money of a unit stands under one code only.
#[derive(Serialize, ToSchema)]
struct PreflightShape {
    items: Vec<PreflightItem>,
}

/// What a unit lacks.
#[derive(Serialize, ToSchema)]
struct PreflightItem {
    code: Lack,
    weight: Weight,
    organization_id: OrganizationId,
    organization_name: String,
    /// As many as `list` shows.
    count: i64,
    minutes: Minutes,
    /// What would join the base of an award.
    income_fen: Fen,
    /// The last day on which the first of them counts in time.
    due_on: Option<NaiveDate>,
    /// What is the matter and what to do next, in the language of `Accept-Language`.
    sentence: String,
    /// The path of the list that shows them.
    list: String,
}

impl PreflightItem {
    fn of(item: Item, language: Language) -> Self {
        Self {
            sentence: text::lack(&item, language),
            list: format!("{BASE}{}", item.list),
            code: item.lack,
            weight: item.weight,
            organization_id: item.organization_id,
            organization_name: item.organization_name,
            count: item.count,
            minutes: item.minutes,
            income_fen: item.income,
            due_on: item.due_on,
        }
    }
}

fn shape(items: Vec<Item>, language: Language) -> PreflightShape {
    let items = items.into_iter();
    PreflightShape {
        items: items
            .map(|item| PreflightItem::of(item, language))
            .collect(),
    }
}

async fn live(context: RequestContext) -> Answer {
    let asked = context.params().and_then(|params| {
        Ok(Asked {
            year: params.required("year")?,
            policy: params.one("policy")?,
            organizations: params.all("organization_id")?,
        })
    });
    let items = preflight::live(&context.app, &context.reader(), asked).await?;
    context.ok(shape(items, context.language))
}

async fn of_evaluation(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let items = preflight::of_evaluation(&context.app, &context.reader(), id).await?;
    context.ok(shape(items, context.language))
}
