//! Instruments and every version they had. Which of them a list shows stands in `search`, its pages in `page`.

mod page;
mod search;
mod sort;

pub use page::{Changed, Sorted, Withdrawn, list, list_all, list_changed};
pub use search::Filter;
pub use sort::{Key, Position, Sort, SortField};

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::bulk::{insert_all, reserve};
use super::schema::{
    instrument, instrument_manager, instrument_version, organization, user_account,
};
use super::{Conn, Json, Result, StoreError, terms};
use crate::domain::access::InstrumentTies;
use crate::domain::account::UserState;
use crate::domain::contact::PublicContact;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{
    InstrumentDescription, InstrumentFacts, InstrumentState, PurposeType,
};
use crate::domain::{
    CategoryCode, EventId, Fen, Instant, InstrumentId, OrganizationId, RegionCode, UserId,
};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, Serialize, Deserialize)]
#[diesel(table_name = instrument, treat_none_as_default_value = false)]
pub struct Instrument {
    pub id: InstrumentId,
    pub organization_id: OrganizationId,
    pub asset_no: String,
    pub name: String,
    pub state: InstrumentState,
    pub state_reason: Option<String>,
    pub category_code: CategoryCode,
    pub purpose_type: PurposeType,
    pub original_value_fen: Fen,
    pub share_mode: Option<ShareMode>,
    pub model: Option<String>,
    pub manufacturer: Option<String>,
    pub country: Option<String>,
    pub region_code: RegionCode,
    pub location: Option<String>,
    pub public_contact: Option<Json<PublicContact>>,
    pub channels: i64,
    pub acquired_on: Option<NaiveDate>,
    pub accepted_on: Option<NaiveDate>,
    pub enabled_on: Option<NaiveDate>,
    pub description: Json<InstrumentDescription>,
    pub submitted_at: Option<Instant>,
    pub listed_at: Option<Instant>,
    pub suspended_at: Option<Instant>,
    pub retired_on: Option<NaiveDate>,
    pub version: i64,
    pub event_id: EventId,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl Instrument {
    /// What its host declares, as the domain's rules see it.
    pub fn facts(&self) -> InstrumentFacts {
        InstrumentFacts {
            name: self.name.clone(),
            asset_no: self.asset_no.clone(),
            original_value_fen: self.original_value_fen,
            category_code: self.category_code,
            purpose_type: self.purpose_type,
            model: self.model.clone(),
            manufacturer: self.manufacturer.clone(),
            country: self.country.clone(),
            acquired_on: self.acquired_on,
            accepted_on: self.accepted_on,
            enabled_on: self.enabled_on,
            share_mode: self.share_mode,
            region_code: Some(self.region_code),
            location: self.location.clone(),
            public_contact: self.public_contact.as_deref().cloned(),
            channels: self.channels,
            description: self.description.clone().into_inner(),
        }
    }
}

/// The state an instrument is in, with the moments it entered the last ones.
#[derive(Debug, Clone)]
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

    pub fn of(instrument: &Instrument) -> Self {
        Self {
            state: instrument.state,
            state_reason: instrument.state_reason.clone(),
            submitted_at: instrument.submitted_at,
            listed_at: instrument.listed_at,
            suspended_at: instrument.suspended_at,
            retired_on: instrument.retired_on,
        }
    }
}

/// The columns a host's facts and the standing fill; what is `None` becomes NULL.
#[derive(AsChangeset)]
#[diesel(table_name = instrument, treat_none_as_null = true)]
struct Columns<'a> {
    asset_no: &'a str,
    name: &'a str,
    state: InstrumentState,
    state_reason: Option<&'a str>,
    category_code: CategoryCode,
    purpose_type: PurposeType,
    original_value_fen: Fen,
    share_mode: Option<ShareMode>,
    model: Option<&'a str>,
    manufacturer: Option<&'a str>,
    country: Option<&'a str>,
    region_code: RegionCode,
    location: Option<&'a str>,
    public_contact: Option<Json<PublicContact>>,
    channels: i64,
    acquired_on: Option<NaiveDate>,
    accepted_on: Option<NaiveDate>,
    enabled_on: Option<NaiveDate>,
    description: Json<InstrumentDescription>,
    submitted_at: Option<Instant>,
    listed_at: Option<Instant>,
    suspended_at: Option<Instant>,
    retired_on: Option<NaiveDate>,
    version: i64,
    updated_at: Instant,
}

/// A version to write: the facts, where it stands by default, and its state.
#[derive(Debug, Clone)]
pub struct Version<'a> {
    pub facts: &'a InstrumentFacts,
    /// The region when the facts name none.
    pub region: RegionCode,
    pub standing: &'a Standing,
    pub now: Instant,
}

impl<'a> Version<'a> {
    /// The whole row as version 1, made by `event`.
    pub fn first(
        &self,
        id: InstrumentId,
        host: OrganizationId,
        event: EventId,
    ) -> Result<Instrument> {
        let (facts, standing) = (self.facts, self.standing.clone());
        Ok(Instrument {
            id,
            organization_id: host,
            asset_no: facts.asset_no.clone(),
            name: facts.name.clone(),
            state: standing.state,
            state_reason: standing.state_reason,
            category_code: facts.category_code,
            purpose_type: facts.purpose_type,
            original_value_fen: facts.original_value_fen,
            share_mode: facts.share_mode,
            model: facts.model.clone(),
            manufacturer: facts.manufacturer.clone(),
            country: facts.country.clone(),
            region_code: facts.region_code.unwrap_or(self.region),
            location: facts.location.clone(),
            public_contact: facts.public_contact.clone().map(Json::of).transpose()?,
            channels: facts.channels,
            acquired_on: facts.acquired_on,
            accepted_on: facts.accepted_on,
            enabled_on: facts.enabled_on,
            description: Json::of(facts.description.clone())?,
            submitted_at: standing.submitted_at,
            listed_at: standing.listed_at,
            suspended_at: standing.suspended_at,
            retired_on: standing.retired_on,
            version: 1,
            event_id: event,
            created_at: self.now,
            updated_at: self.now,
        })
    }

    /// The whole row as the version after `present`, made by `event`.
    pub fn after(&self, present: &Instrument, event: EventId) -> Result<Instrument> {
        Ok(Instrument {
            version: present.version + 1,
            created_at: present.created_at,
            ..self.first(present.id, present.organization_id, event)?
        })
    }

    fn columns(&self, version: i64) -> Result<Columns<'a>> {
        let (facts, standing) = (self.facts, self.standing);
        Ok(Columns {
            asset_no: &facts.asset_no,
            name: &facts.name,
            state: standing.state,
            state_reason: standing.state_reason.as_deref(),
            category_code: facts.category_code,
            purpose_type: facts.purpose_type,
            original_value_fen: facts.original_value_fen,
            share_mode: facts.share_mode,
            model: facts.model.as_deref(),
            manufacturer: facts.manufacturer.as_deref(),
            country: facts.country.as_deref(),
            region_code: facts.region_code.unwrap_or(self.region),
            location: facts.location.as_deref(),
            public_contact: facts.public_contact.clone().map(Json::of).transpose()?,
            channels: facts.channels,
            acquired_on: facts.acquired_on,
            accepted_on: facts.accepted_on,
            enabled_on: facts.enabled_on,
            description: Json::of(facts.description.clone())?,
            submitted_at: standing.submitted_at,
            listed_at: standing.listed_at,
            suspended_at: standing.suspended_at,
            retired_on: standing.retired_on,
            version,
            updated_at: self.now,
        })
    }
}

/// An id for an instrument of [`insert`].
pub fn reserve_id(conn: &mut Conn) -> Result<InstrumentId> {
    let reserved: Vec<InstrumentId> = reserve(conn, "instrument", 1)?;
    reserved.first().copied().ok_or(StoreError::NotFound)
}

/// Inserts a first version. Violates `InstrumentAssetNo` when the host has the number already.
pub fn insert(conn: &mut Conn, first: &Instrument) -> Result<()> {
    insert_all!(conn, instrument::table, std::slice::from_ref(first));
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
    let updated: Option<Instrument> = diesel::update(as_read)
        .set((
            next.columns(present.version + 1)?,
            instrument::event_id.eq(event),
        ))
        .get_result(conn)
        .optional()?;
    let updated = updated.ok_or(StoreError::Contended)?;
    diesel::insert_into(instrument_version::table)
        .values(VersionRow::of(&updated)?)
        .execute(conn)?;
    terms::refresh(conn, updated.id, next.now)?;
    Ok(updated)
}

#[derive(Insertable)]
#[diesel(table_name = instrument_version, treat_none_as_default_value = false)]
struct VersionRow {
    instrument_id: InstrumentId,
    version: i64,
    content: String,
    valid_from: Instant,
    event_id: EventId,
}

impl VersionRow {
    fn of(whole: &Instrument) -> Result<Self> {
        Ok(Self {
            instrument_id: whole.id,
            version: whole.version,
            content: version_content(whole)?,
            valid_from: whole.updated_at,
            event_id: whole.event_id,
        })
    }
}

/// What `instrument_version` keeps of a version.
pub(super) fn version_content(whole: &Instrument) -> Result<String> {
    Ok(serde_json::to_string(whole)?)
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

/// The instruments of a host with these numbers.
pub fn list_by_asset_no(
    conn: &mut Conn,
    host: OrganizationId,
    asset_nos: &[&str],
) -> Result<Vec<Instrument>> {
    let mut found = Vec::new();
    // No list becomes longer than the databases read.
    for some in asset_nos.chunks(1_000) {
        let rows = instrument::table
            .filter(instrument::organization_id.eq(host))
            .filter(instrument::asset_no.eq_any(some))
            .select(Instrument::as_select())
            .load::<Instrument>(conn)?;
        found.extend(rows);
    }
    Ok(found)
}

pub fn find_by_asset_no(
    conn: &mut Conn,
    host: OrganizationId,
    asset_no: &str,
) -> Result<Option<Instrument>> {
    Ok(instrument::table
        .filter(
            instrument::organization_id
                .eq(host)
                .and(instrument::asset_no.eq(asset_no)),
        )
        .select(Instrument::as_select())
        .get_result(conn)
        .optional()?)
}

/// The versions of an instrument below `before`, newest first.
pub fn list_versions(
    conn: &mut Conn,
    id: InstrumentId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Instrument>> {
    let contents: Vec<Json<Instrument>> = instrument_version::table
        .filter(
            instrument_version::instrument_id
                .eq(id)
                .and(instrument_version::version.lt(before.unwrap_or(i64::MAX))),
        )
        .select(instrument_version::content)
        .order(instrument_version::version.desc())
        .limit(limit)
        .load(conn)?;
    Ok(contents.into_iter().map(Json::into_inner).collect())
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
