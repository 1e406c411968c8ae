//! Instruments: the row with its facts (`facts`, `description`) and every version it had (`version`). Which of them a list
//! shows stands in `search`, its pages in `page`.

mod description;
mod draft;
mod facts;
mod page;
mod search;
mod sort;
mod version;

pub use draft::{delete, is_used};
pub use facts::{FACT_COLUMNS, StagedInstrument};
pub use page::{Changed, Sorted, Withdrawn, list, list_all, list_by_ids, list_changed, list_ids};
pub use search::Filter;
pub(in crate::store) use search::is_incomplete;
pub use sort::{Key, Position, Sort, SortField};
pub use version::{Version, VersionDocument, list_versions};

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::bulk::{insert_all, reserve};
use super::schema::{
    instrument, instrument_manager, instrument_version, organization, user_account,
};
use super::{Conn, Result, StoreError, terms};
use crate::domain::access::InstrumentTies;
use crate::domain::account::UserState;
use crate::domain::instrument::{InstrumentFacts, InstrumentState};
use crate::domain::usage::Capacity;
use crate::domain::{EventId, Instant, InstrumentId, OrganizationId, RegionCode, TypedKey, UserId};
use facts::{FactColumns, NewInstrument};
use version::VersionRow;

/// One row, whole. Its facts always name a region.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = instrument)]
pub struct Instrument {
    pub id: InstrumentId,
    pub organization_id: OrganizationId,
    /// What its host declares.
    #[diesel(embed)]
    pub facts: InstrumentFacts,
    #[diesel(embed)]
    pub standing: Standing,
    pub version: i64,
    pub event_id: EventId,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl Instrument {
    /// What it can have been used for.
    pub fn capacity(&self) -> Capacity {
        Capacity {
            channels: self.facts.channels,
            accepted_on: self.facts.accepted_on,
        }
    }
}

/// The state an instrument is in, with the moments it entered the last ones.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    Queryable,
    Selectable,
    Insertable,
    AsChangeset,
    Serialize,
    Deserialize,
)]
#[diesel(table_name = instrument, treat_none_as_null = true)]
pub struct Standing {
    pub state: InstrumentState,
    pub state_reason: Option<String>,
    pub submitted_at: Option<Instant>,
    pub listed_at: Option<Instant>,
    pub suspended_at: Option<Instant>,
    pub retired_on: Option<NaiveDate>,
}

impl Standing {
    /// Where every instrument begins.
    pub fn draft() -> Self {
        Self {
            state: InstrumentState::Draft,
            state_reason: None,
            submitted_at: None,
            listed_at: None,
            suspended_at: None,
            retired_on: None,
        }
    }
}

/// An id for an instrument of [`insert`].
pub fn reserve_id(conn: &mut Conn) -> Result<InstrumentId> {
    let reserved: Vec<InstrumentId> = reserve(conn, "instrument", 1)?;
    reserved.first().copied().ok_or(StoreError::NotFound)
}

/// Inserts a first version. Violates `InstrumentAssetNo` when the host has the number already.
pub fn insert(conn: &mut Conn, first: &Instrument) -> Result<()> {
    insert_all!(conn, instrument::table, &[NewInstrument::of(first)?]);
    insert_all!(conn, instrument_version::table, &[VersionRow::of(first)?]);
    Ok(())
}

/// Writes the version after `present`, whole, made by `event`. Violates `InstrumentAssetNo`; contended when another action
/// wrote that version first.
pub fn update(
    conn: &mut Conn,
    present: &Instrument,
    next: &Version<'_>,
    event: EventId,
) -> Result<Instrument> {
    let as_read = instrument::table
        .find(present.id)
        .filter(instrument::version.eq(present.version));
    let whole = next.after(present, event);
    // An entry from before there were folded numbers may share one; it keeps what it has until it gets another number.
    let number = &whole.facts.asset_no;
    let key = (!number.means(&present.facts.asset_no))
        .then(|| instrument::asset_no_key.eq(number.folded()));
    let updated = diesel::update(as_read)
        .set((
            FactColumns::of(&whole.facts)?,
            key,
            &whole.standing,
            instrument::version.eq(whole.version),
            instrument::event_id.eq(event),
            instrument::updated_at.eq(whole.updated_at),
        ))
        .execute(conn)?;
    if updated != 1 {
        return Err(StoreError::Contended);
    }
    diesel::insert_into(instrument_version::table)
        .values(VersionRow::of(&whole)?)
        .execute(conn)?;
    terms::refresh(conn, whole.id, next.now)?;
    Ok(whole)
}

/// The present versions of these instruments.
pub fn list_present(conn: &mut Conn, ids: &[InstrumentId]) -> Result<Vec<(InstrumentId, i64)>> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(1_000) {
        let versions = instrument::table
            .filter(instrument::id.eq_any(some))
            .select((instrument::id, instrument::version))
            .load::<(InstrumentId, i64)>(conn)?;
        found.extend(versions);
    }
    Ok(found)
}

pub fn get(conn: &mut Conn, id: InstrumentId) -> Result<Instrument> {
    Ok(instrument::table
        .find(id)
        .select(Instrument::as_select())
        .get_result(conn)?)
}

/// The instruments of a host with these numbers, folded.
pub fn list_by_asset_no(
    conn: &mut Conn,
    host: OrganizationId,
    asset_nos: &[String],
) -> Result<Vec<Instrument>> {
    let mut found = Vec::new();
    // No list becomes longer than the databases read.
    for some in asset_nos.chunks(1_000) {
        let rows = instrument::table
            .filter(instrument::organization_id.eq(host))
            .filter(instrument::asset_no_key.eq_any(some))
            .select(Instrument::as_select())
            .load::<Instrument>(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

/// The numbers of a host that begin with zeros.
pub fn list_zero_padded(conn: &mut Conn, host: OrganizationId) -> Result<Vec<TypedKey>> {
    Ok(instrument::table
        .filter(instrument::organization_id.eq(host))
        .filter(instrument::asset_no_key.like("0%"))
        .select(instrument::asset_no)
        .load(conn)?)
}

pub fn find_by_asset_no(
    conn: &mut Conn,
    host: OrganizationId,
    asset_no: &TypedKey,
) -> Result<Option<Instrument>> {
    Ok(instrument::table
        .filter(
            instrument::organization_id
                .eq(host)
                .and(instrument::asset_no_key.eq(asset_no.folded())),
        )
        .select(Instrument::as_select())
        .get_result(conn)
        .optional()?)
}

/// Who is tied to an instrument, as seen by `user` (a visitor manages nothing).
pub fn get_ties(conn: &mut Conn, id: InstrumentId, user: Option<UserId>) -> Result<InstrumentTies> {
    let (host_organization_id, supervising_region, state): (
        OrganizationId,
        RegionCode,
        InstrumentState,
    ) = instrument::table
        .inner_join(organization::table)
        .filter(instrument::id.eq(id))
        .select((
            organization::id,
            organization::supervising_region_code,
            instrument::state,
        ))
        .get_result(conn)?;
    let managed_by_caller = match user {
        Some(user) => {
            let managing = instrument_manager::table.find((id, user));
            diesel::select(diesel::dsl::exists(managing)).get_result(conn)?
        }
        None => false,
    };
    Ok(InstrumentTies {
        host_organization_id,
        supervising_region,
        managed_by_caller,
        is_public: state.is_public(),
    })
}

/// The ids and versions of an organization's instruments.
pub fn list_of(conn: &mut Conn, host: OrganizationId) -> Result<Vec<(InstrumentId, i64)>> {
    Ok(instrument::table
        .filter(instrument::organization_id.eq(host))
        .select((instrument::id, instrument::version))
        .order(instrument::id)
        .load(conn)?)
}

/// The instruments of a host that are not retired, by their ids.
pub fn list_in_service(conn: &mut Conn, host: OrganizationId) -> Result<Vec<InstrumentId>> {
    Ok(instrument::table
        .filter(instrument::organization_id.eq(host))
        .filter(instrument::state.ne(InstrumentState::Retired))
        .select(instrument::id)
        .order(instrument::id)
        .load(conn)?)
}

/// The managers of an instrument.
pub fn list_managers(conn: &mut Conn, id: InstrumentId) -> Result<Vec<UserId>> {
    Ok(instrument_manager::table
        .filter(instrument_manager::instrument_id.eq(id))
        .select(instrument_manager::user_id)
        .order(instrument_manager::user_id)
        .load(conn)?)
}

/// The managers of an instrument who can act: active members of its host.
pub fn list_acting_managers(conn: &mut Conn, id: InstrumentId) -> Result<Vec<UserId>> {
    Ok(instrument_manager::table
        .inner_join(user_account::table)
        .inner_join(instrument::table)
        .filter(instrument_manager::instrument_id.eq(id))
        .filter(user_account::state.eq(UserState::Active))
        .filter(user_account::organization_id.eq(instrument::organization_id.nullable()))
        .select(instrument_manager::user_id)
        .order(instrument_manager::user_id)
        .load(conn)?)
}

/// Takes somebody off all instruments.
pub fn delete_managing(conn: &mut Conn, user: UserId) -> Result<()> {
    diesel::delete(instrument_manager::table.filter(instrument_manager::user_id.eq(user)))
        .execute(conn)?;
    Ok(())
}

/// Makes these people, and nobody else, the managers of an instrument.
pub fn update_managers(conn: &mut Conn, id: InstrumentId, managers: &[UserId]) -> Result<()> {
    let present = instrument_manager::table.filter(instrument_manager::instrument_id.eq(id));
    diesel::delete(present).execute(conn)?;
    for manager in managers {
        diesel::insert_into(instrument_manager::table)
            .values((
                instrument_manager::instrument_id.eq(id),
                instrument_manager::user_id.eq(manager),
            ))
            .execute(conn)?;
    }
    Ok(())
}
