//! Duties as rows: made from ledger and registry (what of these is read stands in `source`), changed only where they differ,
//! so that lists follow their changes.

mod source;
mod year;

pub use source::{EntryRow, Standing, list_entries, list_exempt, list_standing, list_uses};
pub use year::{find_published, list_counted, list_supervised};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::bulk::insert_all;
use super::drive::hosts_within;
use super::schema::{duty, duty_basis};
use super::{Conn, Result, page};
use crate::domain::access::Reach;
use crate::domain::duty::{DutyDetail, DutyKind, DutyState};
use crate::domain::{DutyId, Instant, InstrumentId, OrganizationId, TypedKey};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = duty)]
pub struct Duty {
    pub id: DutyId,
    pub organization_id: OrganizationId,
    #[diesel(embed)]
    pub facts: Facts,
    /// How far its reminders are.
    pub told: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// What ledger, registry and policy make of it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = duty, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Facts {
    pub kind: DutyKind,
    /// In which an instrument is to be used; 0 for what is due once.
    pub year: i64,
    pub asset_no: TypedKey,
    pub name: String,
    pub instrument_id: Option<InstrumentId>,
    pub due_on: NaiveDate,
    pub met_on: Option<NaiveDate>,
    pub ended_on: Option<NaiveDate>,
    pub state: DutyState,
    pub detail: Option<DutyDetail>,
}

/// Which duty of a unit it is.
pub type Key = (DutyKind, i64, String);

impl Facts {
    pub fn key(&self) -> Key {
        (self.kind, self.year, self.asset_no.folded())
    }
}

#[derive(Insertable)]
#[diesel(table_name = duty, treat_none_as_default_value = false)]
struct NewDuty {
    organization_id: OrganizationId,
    kind: DutyKind,
    year: i64,
    asset_no: TypedKey,
    asset_no_key: String,
    name: String,
    instrument_id: Option<InstrumentId>,
    due_on: NaiveDate,
    met_on: Option<NaiveDate>,
    ended_on: Option<NaiveDate>,
    state: DutyState,
    detail: Option<DutyDetail>,
    told: i64,
    created_at: Instant,
    updated_at: Instant,
}

/// Writes new duties of an organization, each with how far its reminders are.
pub fn insert(
    conn: &mut Conn,
    organization_id: OrganizationId,
    new: Vec<(Facts, i64)>,
    now: Instant,
) -> Result<()> {
    let row = |(facts, told): (Facts, i64)| NewDuty {
        organization_id,
        kind: facts.kind,
        year: facts.year,
        asset_no_key: facts.asset_no.folded(),
        asset_no: facts.asset_no,
        name: facts.name,
        instrument_id: facts.instrument_id,
        due_on: facts.due_on,
        met_on: facts.met_on,
        ended_on: facts.ended_on,
        state: facts.state,
        detail: facts.detail,
        told,
        created_at: now,
        updated_at: now,
    };
    let rows: Vec<NewDuty> = new.into_iter().map(row).collect();
    insert_all!(conn, duty::table, &rows);
    Ok(())
}

/// A duty stands otherwise now.
pub fn update(conn: &mut Conn, id: DutyId, facts: &Facts, told: i64, now: Instant) -> Result<()> {
    diesel::update(duty::table.find(id))
        .set((facts, duty::told.eq(told), duty::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// It was told of; nothing else changed.
pub fn update_told(conn: &mut Conn, id: DutyId, told: i64) -> Result<()> {
    diesel::update(duty::table.find(id))
        .set(duty::told.eq(told))
        .execute(conn)?;
    Ok(())
}

/// The duties of an organization that are due once, and those of these years.
pub fn list_of(conn: &mut Conn, organization: OrganizationId, years: &[i64]) -> Result<Vec<Duty>> {
    let mut years = years.to_vec();
    years.push(0);
    Ok(duty::table
        .filter(duty::organization_id.eq(organization))
        .filter(duty::year.eq_any(years))
        .select(Duty::as_select())
        .order(duty::id)
        .load(conn)?)
}

/// From what the duties of organizations were made last.
pub fn list_bases(conn: &mut Conn) -> Result<Vec<(OrganizationId, String)>> {
    Ok(duty_basis::table
        .select((duty_basis::organization_id, duty_basis::basis))
        .load(conn)?)
}

/// From this they were made.
pub fn replace_basis(conn: &mut Conn, organization: OrganizationId, basis: &str) -> Result<()> {
    let own = duty_basis::table.find(organization);
    let updated = diesel::update(own)
        .set(duty_basis::basis.eq(basis))
        .execute(conn)?;
    if updated == 0 {
        diesel::insert_into(duty_basis::table)
            .values((
                duty_basis::organization_id.eq(organization),
                duty_basis::basis.eq(basis),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Which duties to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub organizations: Vec<OrganizationId>,
    pub kinds: Vec<DutyKind>,
    pub states: Vec<DutyState>,
    pub details: Vec<DutyDetail>,
    /// The first day that is too late.
    pub due_before: Option<NaiveDate>,
    /// In the order of (`updated_at`, `id`), after this place; else newest first.
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// Those the caller reaches.
pub fn list(conn: &mut Conn, reach: &Reach, filter: &Filter) -> Result<Vec<Duty>> {
    let mut query = duty::table.into_boxed();
    if !reach.everything {
        let own = reach.host.map(|host| duty::organization_id.eq(host));
        let supervised = reach
            .region
            .map(|region| duty::organization_id.eq_any(hosts_within!(region)));
        query = match (own, supervised) {
            (Some(own), Some(supervised)) => query.filter(own.or(supervised)),
            (Some(own), None) => query.filter(own),
            (None, Some(supervised)) => query.filter(supervised),
            (None, None) => return Ok(Vec::new()),
        };
    }
    if !filter.organizations.is_empty() {
        query = query.filter(duty::organization_id.eq_any(filter.organizations.clone()));
    }
    if !filter.kinds.is_empty() {
        query = query.filter(duty::kind.eq_any(filter.kinds.clone()));
    }
    if !filter.states.is_empty() {
        query = query.filter(duty::state.eq_any(filter.states.clone()));
    }
    if !filter.details.is_empty() {
        let seen = duty::detail.assume_not_null();
        query = query.filter(seen.eq_any(filter.details.clone()));
    }
    if let Some(day) = filter.due_before {
        query = query.filter(duty::due_on.lt(day));
    }
    let range = page::Range::of(filter.changed_after, filter.below);
    let query = page::in_range!(query, duty, range);
    Ok(query
        .limit(filter.limit)
        .select(Duty::as_select())
        .load(conn)?)
}
