//! Organizations: what they declare and how far their verification is.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::organization;
use super::{Conn, Json, Result, StoreError, certification, terms};
use crate::domain::access::OrganizationTies;
use crate::domain::certification::{Certification, SMALL};
use crate::domain::contact::PublicContact;
use crate::domain::organization::{OrganizationFacts, OrganizationKind, OrganizationState};
use crate::domain::{Instant, OrganizationId, RegionCode, Uscc};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = organization)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    pub kind: OrganizationKind,
    pub uscc: Uscc,
    pub uscc_confirmed: bool,
    pub region_code: RegionCode,
    pub supervising_region_code: RegionCode,
    pub is_host: bool,
    pub is_sme: bool,
    pub state: OrganizationState,
    pub state_reason: Option<String>,
    pub address: Option<String>,
    pub public_contact: Option<Json<PublicContact>>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl Organization {
    /// Who is tied to it.
    pub fn ties(&self) -> OrganizationTies {
        OrganizationTies {
            organization_id: self.id,
            supervising_region: self.supervising_region_code,
            is_public: self.state == OrganizationState::Verified,
        }
    }

    /// What it declares about itself.
    pub fn facts(&self) -> OrganizationFacts {
        OrganizationFacts {
            name: self.name.clone(),
            kind: self.kind,
            uscc: self.uscc.clone(),
            region_code: self.region_code,
            supervising_region_code: self.supervising_region_code,
            is_host: self.is_host,
            address: self.address.clone(),
            public_contact: self.public_contact.clone().map(Json::into_inner),
        }
    }
}

/// A new organization, in its first state.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    pub facts: OrganizationFacts,
    pub uscc_confirmed: bool,
    /// It is certified as such, without end.
    pub is_sme: bool,
    pub state: OrganizationState,
    pub now: Instant,
}

/// Violates `OrganizationUscc` when the code is known.
pub fn insert(conn: &mut Conn, new: &NewOrganization) -> Result<OrganizationId> {
    let facts = &new.facts;
    let contact = facts.public_contact.clone().map(Json::of).transpose()?;
    let id: OrganizationId = diesel::insert_into(organization::table)
        .values((
            organization::name.eq(&facts.name),
            organization::kind.eq(facts.kind),
            organization::uscc.eq(&facts.uscc),
            organization::uscc_confirmed.eq(new.uscc_confirmed),
            organization::region_code.eq(facts.region_code),
            organization::supervising_region_code.eq(facts.supervising_region_code),
            organization::is_host.eq(facts.is_host),
            organization::is_sme.eq(new.is_sme),
            organization::state.eq(new.state),
            organization::address.eq(&facts.address),
            organization::public_contact.eq(contact),
            organization::version.eq(1_i64),
            organization::created_at.eq(new.now),
            organization::updated_at.eq(new.now),
        ))
        .returning(organization::id)
        .get_result(conn)?;
    if new.is_sme {
        let sme = Certification {
            certification: SMALL.to_owned(),
            valid_from_on: None,
            valid_until_on: None,
            document_no: None,
        };
        certification::replace(conn, id, &[sme])?;
    }
    Ok(id)
}

pub fn get(conn: &mut Conn, id: OrganizationId) -> Result<Organization> {
    Ok(organization::table
        .find(id)
        .select(Organization::as_select())
        .get_result(conn)?)
}

/// The organization that was verified under this code; who only says that it has the code is none.
pub fn find_by_uscc(conn: &mut Conn, uscc: &Uscc) -> Result<Option<Organization>> {
    let verified = [OrganizationState::Verified, OrganizationState::Suspended];
    Ok(organization::table
        .filter(
            organization::uscc
                .eq(uscc)
                .and(organization::state.eq_any(verified)),
        )
        .select(Organization::as_select())
        .get_result(conn)
        .optional()?)
}

/// The organizations that were verified under these codes.
pub fn list_by_usccs(conn: &mut Conn, codes: BTreeSet<String>) -> Result<Vec<Organization>> {
    let codes: Vec<String> = codes.into_iter().collect();
    let mut found = Vec::new();
    for some in codes.chunks(500) {
        let verified = [OrganizationState::Verified, OrganizationState::Suspended];
        let known: Vec<Organization> = organization::table
            .filter(
                organization::uscc
                    .eq_any(some)
                    .and(organization::state.eq_any(verified)),
            )
            .select(Organization::as_select())
            .load(conn)?;
        found.extend(known);
    }
    Ok(found)
}

/// The organizations that wait for verification under this code.
pub fn list_pending_by_uscc(conn: &mut Conn, uscc: &Uscc) -> Result<Vec<Organization>> {
    Ok(organization::table
        .filter(
            organization::uscc
                .eq(uscc)
                .and(organization::state.eq(OrganizationState::Pending)),
        )
        .select(Organization::as_select())
        .order(organization::id)
        .load(conn)?)
}

/// Moves an organization to a state, with the reason given; contended when another action wrote the version after `present`
/// first.
pub fn update_state(
    conn: &mut Conn,
    present: &Organization,
    state: OrganizationState,
    reason: Option<&str>,
    now: Instant,
) -> Result<()> {
    let as_read = organization::table
        .find(present.id)
        .filter(organization::version.eq(present.version));
    let updated = diesel::update(as_read)
        .set((
            organization::state.eq(state),
            organization::state_reason.eq(reason),
            organization::version.eq(present.version + 1),
            organization::updated_at.eq(now),
        ))
        .execute(conn)?;
    one(updated)?;
    terms::refresh_host(conn, present.id, now)
}

/// Sets whether it is a small enterprise, as its certifications say; contended when another action wrote the version after
/// `present` first.
pub fn update_is_sme(
    conn: &mut Conn,
    present: &Organization,
    is_sme: bool,
    now: Instant,
) -> Result<()> {
    let as_read = organization::table
        .find(present.id)
        .filter(organization::version.eq(present.version));
    let updated = diesel::update(as_read)
        .set((
            organization::is_sme.eq(is_sme),
            organization::version.eq(present.version + 1),
            organization::updated_at.eq(now),
        ))
        .execute(conn)?;
    one(updated)
}

/// The row as it was read was there to change.
fn one(updated: usize) -> Result<()> {
    match updated {
        1 => Ok(()),
        _ => Err(StoreError::Contended),
    }
}

/// What an organization says of itself after a change, and the state that follows.
#[derive(Debug, Clone)]
pub struct Amendment {
    pub facts: OrganizationFacts,
    pub uscc_confirmed: bool,
    pub state: OrganizationState,
    pub now: Instant,
}

/// Violates `OrganizationUscc` when the code is another's; contended when another action wrote the version after `present`
/// first.
pub fn update_facts(conn: &mut Conn, present: &Organization, new: &Amendment) -> Result<()> {
    let facts = &new.facts;
    let contact = facts.public_contact.clone().map(Json::of).transpose()?;
    let as_read = organization::table
        .find(present.id)
        .filter(organization::version.eq(present.version));
    let updated = diesel::update(as_read)
        .set((
            organization::name.eq(&facts.name),
            organization::kind.eq(facts.kind),
            organization::uscc.eq(&facts.uscc),
            organization::uscc_confirmed.eq(new.uscc_confirmed),
            organization::region_code.eq(facts.region_code),
            organization::supervising_region_code.eq(facts.supervising_region_code),
            organization::is_host.eq(facts.is_host),
            organization::address.eq(&facts.address),
            organization::public_contact.eq(contact),
            organization::state.eq(new.state),
            organization::version.eq(present.version + 1),
            organization::updated_at.eq(new.now),
        ))
        .execute(conn)?;
    one(updated)?;
    terms::refresh_host(conn, present.id, new.now)
}
