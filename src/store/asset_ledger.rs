//! Asset ledgers as rows: what each unit's books say it owns, once for each number (`AssetLedgerAssetNo`).

use chrono::NaiveDate;
use diesel::prelude::*;

use super::bulk::insert_all;
use super::schema::asset_ledger;
use super::{Conn, Result};
use crate::domain::{AssetId, Fen, Instant, OrganizationId, TypedKey};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = asset_ledger)]
pub struct Asset {
    pub id: AssetId,
    pub organization_id: OrganizationId,
    pub asset_no: TypedKey,
    pub name: String,
    pub original_value_fen: Fen,
    pub accepted_on: NaiveDate,
    pub disposed_on: Option<NaiveDate>,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// What a ledger says of an asset.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = asset_ledger, treat_none_as_null = true)]
pub struct Facts {
    pub asset_no: TypedKey,
    pub name: String,
    pub original_value_fen: Fen,
    pub accepted_on: NaiveDate,
    pub disposed_on: Option<NaiveDate>,
}

impl Asset {
    pub fn facts(&self) -> Facts {
        Facts {
            asset_no: self.asset_no.clone(),
            name: self.name.clone(),
            original_value_fen: self.original_value_fen,
            accepted_on: self.accepted_on,
            disposed_on: self.disposed_on,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = asset_ledger, treat_none_as_default_value = false)]
struct NewAsset {
    organization_id: OrganizationId,
    asset_no: TypedKey,
    asset_no_key: String,
    name: String,
    original_value_fen: Fen,
    accepted_on: NaiveDate,
    disposed_on: Option<NaiveDate>,
    created_at: Instant,
    updated_at: Instant,
}

/// Enters what a ledger had not.
pub fn insert(
    conn: &mut Conn,
    organization: OrganizationId,
    facts: &[Facts],
    now: Instant,
) -> Result<()> {
    let rows: Vec<NewAsset> = facts
        .iter()
        .map(|facts| NewAsset {
            organization_id: organization,
            asset_no: facts.asset_no.clone(),
            asset_no_key: facts.asset_no.folded(),
            name: facts.name.clone(),
            original_value_fen: facts.original_value_fen,
            accepted_on: facts.accepted_on,
            disposed_on: facts.disposed_on,
            created_at: now,
            updated_at: now,
        })
        .collect();
    insert_all!(conn, asset_ledger::table, &rows);
    Ok(())
}

/// Says otherwise of an asset what the ledger now says.
pub fn update(conn: &mut Conn, id: AssetId, facts: &Facts, now: Instant) -> Result<()> {
    diesel::update(asset_ledger::table.find(id))
        .set((facts, asset_ledger::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// The ledger of an organization, whole.
pub fn list_all(conn: &mut Conn, organization: OrganizationId) -> Result<Vec<Asset>> {
    Ok(asset_ledger::table
        .filter(asset_ledger::organization_id.eq(organization))
        .select(Asset::as_select())
        .order(asset_ledger::id)
        .load(conn)?)
}

/// A page of it, after an id.
pub fn list(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<AssetId>,
    limit: i64,
) -> Result<Vec<Asset>> {
    let rows = asset_ledger::table
        .filter(asset_ledger::organization_id.eq(organization))
        .select(Asset::as_select())
        .order(asset_ledger::id)
        .limit(limit)
        .into_boxed();
    let rows = match after {
        Some(after) => rows.filter(asset_ledger::id.gt(after)),
        None => rows,
    };
    Ok(rows.load(conn)?)
}
