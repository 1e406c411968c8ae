//! `/organizations/{id}/asset-ledger`: what a unit's books say it owns.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::route::{Route, get, post};
use super::table_file::{self, TABLES};
use crate::domain::access::Action;
use crate::domain::{AssetId, Fen, Instant};
use crate::error::AppError;
use crate::exchange::asset_ledger as sheet;
use crate::operations::asset_ledger::{self, Asset, ImportedLedger, LedgerTable};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/organizations/{id}/asset-ledger",
            Action::AssetLedgerList,
            "What a unit's asset ledger says it owns",
            list,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<AssetShape>>(200),
        post(
            "/organizations/{id}/asset-ledger/import",
            Action::AssetLedgerImport,
            "Enter every row of a spreadsheet into the asset ledger, or none, by asset number; what the table does not name stays. Duties follow at once",
            import,
        )
        .parameters(&["dry_run"])
        .takes_file(TABLES)
        .heavy()
        .answers::<ImportedLedgerShape>(200)
        .ignores_version(),
    ]
}

/// What was entered, or would be.
#[derive(Serialize, ToSchema)]
struct ImportedLedgerShape {
    dry_run: bool,
    created: usize,
    updated: usize,
    unchanged: usize,
}

/// An asset by the ledger, which may have an entry in the registry or not.
#[derive(Serialize, ToSchema)]
struct AssetShape {
    id: AssetId,
    asset_no: String,
    name: String,
    original_value_fen: Fen,
    accepted_on: NaiveDate,
    disposed_on: Option<NaiveDate>,
    created_at: Instant,
    updated_at: Instant,
}

impl From<Asset> for AssetShape {
    fn from(asset: Asset) -> Self {
        Self {
            id: asset.id,
            asset_no: asset.asset_no.into(),
            name: asset.name,
            original_value_fen: asset.original_value_fen,
            accepted_on: asset.accepted_on,
            disposed_on: asset.disposed_on,
            created_at: asset.created_at,
            updated_at: asset.updated_at,
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let (reader, id) = (context.reader(), context.id("id")?);
    let assets = asset_ledger::list(&context.app, &reader, id, context.page()).await?;
    let limit = context.params()?.limit()?;
    context.ok(Page::cut(
        assets,
        limit,
        |asset: &Asset| asset.id,
        AssetShape::from,
    )?)
}

async fn import(context: RequestContext) -> Answer {
    let (run, id) = (context.run(imported)?, context.id("id")?);
    let done = asset_ledger::import(&run, id, table(&context)).await?;
    context.answer(done, imported)
}

fn imported(done: &ImportedLedger) -> Result<Reply, AppError> {
    let shape = ImportedLedgerShape {
        dry_run: done.is_dry_run,
        created: done.created,
        updated: done.updated,
        unchanged: done.unchanged,
    };
    reply(200, &shape)
}

fn table(context: &RequestContext) -> Result<LedgerTable, AppError> {
    let is_dry_run = context.params()?.one("dry_run")?.unwrap_or(false);
    let (bytes, format) = table_file::sent(context)?;
    Ok(LedgerTable {
        read: Box::new(move || Ok(sheet::read(&bytes, format)?)),
        is_dry_run,
    })
}
