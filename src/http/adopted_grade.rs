//! `/adopted-grades/{year}`: grades that others gave the units of a year, for packs that adopt them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::context::RequestContext;
use super::route::{Route, get, put};
use crate::domain::OrganizationId;
use crate::domain::access::Action;
use crate::domain::policy::Grade;
use crate::error::AppError;
use crate::operations::adopted_grade::{self, AdoptedGrade, AdoptedYear};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/adopted-grades/{year}",
            Action::AdoptedGradeGet,
            "Grades that others gave the units of a year",
            find,
        )
        .answers::<AdoptedGradesShape>(200),
        put(
            "/adopted-grades/{year}",
            Action::AdoptedGradeUpdate,
            "Replace the list of a year; packs that adopt grades take them when facts are frozen",
            replace,
        )
        .takes::<AdoptedGradesBody>()
        .answers::<AdoptedGradesShape>(200)
        .needs_version(),
    ]
}

/// The grade of a unit; `issuer` gave it, by the document of `document_no`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AdoptedGradeEntry {
    organization_id: OrganizationId,
    grade: Grade,
    issuer: String,
    document_no: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AdoptedGradesBody {
    /// All of them: what is not named is adopted no longer.
    items: Vec<AdoptedGradeEntry>,
}

#[derive(Serialize, ToSchema)]
struct AdoptedGradeShape {
    organization_id: OrganizationId,
    grade: Grade,
    issuer: String,
    document_no: String,
}

#[derive(Serialize, ToSchema)]
struct AdoptedGradesShape {
    year: i32,
    items: Vec<AdoptedGradeShape>,
    version: i64,
}

impl From<AdoptedGradeEntry> for AdoptedGrade {
    fn from(entry: AdoptedGradeEntry) -> Self {
        Self {
            organization_id: entry.organization_id,
            grade: entry.grade,
            issuer: entry.issuer,
            document_no: entry.document_no,
        }
    }
}

impl From<AdoptedGrade> for AdoptedGradeShape {
    fn from(item: AdoptedGrade) -> Self {
        Self {
            organization_id: item.organization_id,
            grade: item.grade,
            issuer: item.issuer,
            document_no: item.document_no,
        }
    }
}

impl From<AdoptedYear> for AdoptedGradesShape {
    fn from(known: AdoptedYear) -> Self {
        Self {
            year: known.year.number(),
            items: known.items.into_iter().map(Into::into).collect(),
            version: known.version,
        }
    }
}

async fn find(context: RequestContext) -> Answer {
    let year = context.id("year")?;
    let known = adopted_grade::get(&context.app, &context.reader(), year).await?;
    context.ok_versioned(known.version, AdoptedGradesShape::from(known))
}

async fn replace(context: RequestContext) -> Answer {
    let items = context.body::<AdoptedGradesBody>();
    let items = items.map(|body| body.items.into_iter().map(Into::into).collect());
    let (run, year) = (context.run(shown)?, context.id("year")?);
    context.answer(adopted_grade::update(&run, year, items).await?, shown)
}

fn shown(known: &AdoptedYear) -> Result<Reply, AppError> {
    let shape = AdoptedGradesShape::from(known.clone());
    Ok(reply(200, &shape)?.of_version(known.version))
}
