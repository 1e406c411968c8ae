//! `/organizations/{id}/certifications`: what a unit was certified as, and for how long.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::context::RequestContext;
use super::route::{Route, get, post, put};
use super::table_file::{self, TABLES};
use crate::domain::access::Action;
use crate::domain::certification::Certification;
use crate::domain::time::read_optional_date;
use crate::error::AppError;
use crate::exchange::certification as sheet;
use crate::exchange::sheet::Format;
use crate::operations::certification::{self, Certified, ImportTable, Imported};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/organizations/{id}/certifications",
            Action::CertificationList,
            "What an organization is certified as",
            list,
        )
        .answers::<CertificationsShape>(200),
        put(
            "/organizations/{id}/certifications",
            Action::CertificationUpdate,
            "Say what an organization is certified as; is_sme follows by date",
            update,
        )
        .takes::<CertificationsBody>()
        .answers::<CertificationsShape>(200)
        .needs_version(),
        post(
            "/certifications/import",
            Action::CertificationImport,
            "Certify the unit of every row of a spreadsheet, or none; what a unit has besides stays",
            import,
        )
        .parameters(&["dry_run"])
        .takes_file(TABLES)
        .heavy()
        .answers::<ImportedCertificationsShape>(200),
        get(
            "/certifications/import-template",
            Action::CertificationTemplateGet,
            "The empty spreadsheet (XLSX)",
            template,
        )
        .answers_status(200),
    ]
}

/// What was entered, or would be.
#[derive(Serialize, ToSchema)]
struct ImportedCertificationsShape {
    dry_run: bool,
    rows: usize,
    /// Units that are certified otherwise than before.
    changed: usize,
}

/// Both days are included; an absent one is open.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CertificationShape {
    /// `sme`, `tech_sme`, `high_tech`, `network_member` or another word of small letters, digits and `_`.
    certification: String,
    #[serde(default, deserialize_with = "read_optional_date")]
    valid_from_on: Option<NaiveDate>,
    #[serde(default, deserialize_with = "read_optional_date")]
    valid_until_on: Option<NaiveDate>,
    document_no: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CertificationsBody {
    /// All of them: what is not named is so no longer.
    items: Vec<CertificationShape>,
}

#[derive(Serialize, ToSchema)]
struct CertificationsShape {
    items: Vec<CertificationShape>,
    /// The organization's.
    version: i64,
}

impl From<CertificationShape> for Certification {
    fn from(shape: CertificationShape) -> Self {
        Self {
            certification: shape.certification,
            valid_from_on: shape.valid_from_on,
            valid_until_on: shape.valid_until_on,
            document_no: shape.document_no,
        }
    }
}

impl From<Certification> for CertificationShape {
    fn from(one: Certification) -> Self {
        Self {
            certification: one.certification,
            valid_from_on: one.valid_from_on,
            valid_until_on: one.valid_until_on,
            document_no: one.document_no,
        }
    }
}

impl From<Certified> for CertificationsShape {
    fn from(certified: Certified) -> Self {
        let items = certified.items.into_iter();
        Self {
            items: items.map(Into::into).collect(),
            version: certified.version,
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let certified = certification::list(&context.app, &context.reader(), id).await?;
    context.ok_versioned(certified.version, CertificationsShape::from(certified))
}

async fn update(context: RequestContext) -> Answer {
    let items = context.body::<CertificationsBody>();
    let items = items.map(|body| body.items.into_iter().map(Into::into).collect());
    let (run, id) = (context.run(shown)?, context.id("id")?);
    context.answer(certification::update(&run, id, items).await?, shown)
}

fn shown(certified: &Certified) -> Result<Reply, AppError> {
    let shape = CertificationsShape::from(certified.clone());
    Ok(reply(200, &shape)?.of_version(certified.version))
}

async fn import(context: RequestContext) -> Answer {
    let done = certification::import(&context.run(imported)?, table(&context)).await?;
    context.answer(done, imported)
}

fn imported(done: &Imported) -> Result<Reply, AppError> {
    let shape = ImportedCertificationsShape {
        dry_run: done.is_dry_run,
        rows: done.rows,
        changed: done.changed,
    };
    reply(200, &shape)
}

fn table(context: &RequestContext) -> Result<ImportTable, AppError> {
    let is_dry_run = context.params()?.one("dry_run")?.unwrap_or(false);
    let (bytes, format) = table_file::sent(context)?;
    Ok(ImportTable {
        read: Box::new(move || Ok(sheet::read(&bytes, format)?)),
        is_dry_run,
    })
}

async fn template(context: RequestContext) -> Answer {
    certification::may_get_template(&context.reader())?;
    let bytes = sheet::template().map_err(AppError::internal)?;
    context.download(Format::Xlsx.media_type(), "certifications.xlsx", bytes)
}
