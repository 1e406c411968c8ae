//! `/public-notices`: what was published of a year's grades and awards, for everybody, and how to object.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::feed::{Asked, Start};
use super::page;
use super::params::Params;
use super::route::{Route, get};
use crate::domain::access::Action;
use crate::domain::objection::ObjectionState;
use crate::domain::policy::Grade;
use crate::domain::public_notice::NoticeState;
use crate::domain::run::RunKind;
use crate::domain::{Fen, Instant, OrganizationId, PublicNoticeId};
use crate::error::AppError;
use crate::error::text::Language;
use crate::exchange::document::PageFormat;
use crate::exchange::yearly_run::notice;
use crate::operations::public_notice::{self, WholeNotice};
use crate::store::objection::Objection;
use crate::store::public_notice::{Filter, Unit};
use crate::store::yearly_run::subsidy::Pool;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/public-notices",
            Action::PublicNoticeList,
            "Public notices, newest first",
            list,
        )
        .parameters(&["year", "kind", "state", "updated_since", "limit", "cursor"])
        .words::<NoticeState>("state")
        .answers::<Page<PublicNoticeShape>>(200),
        get(
            "/public-notices/{id}",
            Action::PublicNoticeGet,
            "A public notice, with what was decided of objections",
            get_one,
        )
        .parameters(&["format"])
        .words::<PageFormat>("format")
        .proves(&[409])
        .answers::<PublicNoticeShape>(200),
    ]
}

/// What a publication printed, as it stood then. `decisions` are those of one notice alone, without names.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicNoticeShape {
    id: PublicNoticeId,
    kind: RunKind,
    /// The evaluation or subsidy run.
    subject_id: i64,
    year: i64,
    title: String,
    document_no: String,
    notice_from_on: NaiveDate,
    /// The last day on which somebody can object.
    notice_until_on: NaiveDate,
    state: NoticeState,
    remark: Option<String>,
    units: Vec<NoticeUnitShape>,
    pools: Vec<NoticePoolShape>,
    /// In the language of `Accept-Language`.
    how_to_object: &'static str,
    objections: ObjectionCounts,
    decisions: Vec<DecisionShape>,
    created_at: Instant,
    updated_at: Instant,
}

/// A unit as it was called; `total` has 2 decimals.
#[derive(Debug, Serialize, ToSchema)]
struct NoticeUnitShape {
    organization_id: OrganizationId,
    name: String,
    grade: Option<Grade>,
    total: Option<String>,
    place: Option<i64>,
    award_fen: Option<Fen>,
}

/// `sum_before_pool_fen` and `factor` are exact, as `p/q`.
#[derive(Debug, Serialize, ToSchema)]
struct NoticePoolShape {
    /// Null: the only one, which has no name.
    pool: Option<String>,
    budget_fen: Fen,
    sum_before_pool_fen: Option<String>,
    factor: Option<String>,
    awarded_fen: Option<Fen>,
    unspent_fen: Option<Fen>,
}

#[derive(Debug, Serialize, ToSchema)]
struct ObjectionCounts {
    open: usize,
    upheld: usize,
    dismissed: usize,
}

#[derive(Debug, Serialize, ToSchema)]
struct DecisionShape {
    state: ObjectionState,
    text: Option<String>,
    decided_at: Option<Instant>,
}

impl From<Unit> for NoticeUnitShape {
    fn from(unit: Unit) -> Self {
        Self {
            organization_id: unit.organization_id,
            name: unit.name,
            grade: unit.grade,
            total: unit.total,
            place: unit.place,
            award_fen: unit.award_fen,
        }
    }
}

impl From<Pool> for NoticePoolShape {
    fn from(pool: Pool) -> Self {
        Self {
            pool: pool.pool,
            budget_fen: pool.budget_fen,
            sum_before_pool_fen: pool.sum_before_pool_fen,
            factor: pool.factor,
            awarded_fen: pool.awarded_fen,
            unspent_fen: pool.unspent_fen,
        }
    }
}

impl From<Objection> for DecisionShape {
    fn from(objection: Objection) -> Self {
        Self {
            state: objection.state,
            text: objection.decision,
            decided_at: objection.decided_at,
        }
    }
}

fn shape(whole: WholeNotice, language: Language) -> PublicNoticeShape {
    let (notice, decided) = (whole.notice, whole.decided.into_iter());
    let content = notice.content.into_inner();
    PublicNoticeShape {
        id: notice.id,
        kind: notice.kind,
        subject_id: notice.subject_id,
        year: notice.year,
        title: notice.title,
        document_no: notice.document_no,
        notice_from_on: notice.notice_from_on,
        notice_until_on: notice.notice_until_on,
        state: whole.state,
        remark: notice.remark,
        units: content.units.into_iter().map(Into::into).collect(),
        pools: content.pools.into_iter().map(Into::into).collect(),
        how_to_object: notice::how_to_object(language),
        objections: ObjectionCounts {
            open: whole.open,
            upheld: whole.upheld,
            dismissed: whole.dismissed,
        },
        decisions: decided.map(Into::into).collect(),
        created_at: notice.created_at,
        updated_at: notice.updated_at,
    }
}

fn filter(params: &Params, start: &Start, limit: i64) -> Result<Filter, AppError> {
    Ok(Filter {
        years: params.all("year")?,
        kinds: params.all("kind")?,
        states: params.all("state")?,
        changed_after: start.changed_after(),
        below: start.below(),
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let asked = Asked::of(&context, filter).await;
    let found = public_notice::list(&context.app, &context.reader(), asked.filter).await?;
    let place = |row: &WholeNotice| (row.notice.updated_at, row.notice.id.number());
    let shape = |row| shape(row, context.language);
    context.ok(asked.start.page(found, asked.limit, place, shape)?)
}

async fn get_one(context: RequestContext) -> Answer {
    let (id, actor) = (context.id("id")?, context.reader());
    match page::asked(&context)? {
        PageFormat::Json => {
            let whole = public_notice::get(&context.app, &actor, id).await?;
            context.ok(shape(whole, context.language))
        }
        PageFormat::Pdf => {
            let printed = public_notice::print(&context.app, &actor, id).await?;
            let name = format!("public-notice-{id}.pdf");
            page::answer(&context, notice::document(&printed), &name).await
        }
    }
}
