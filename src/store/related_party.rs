//! Related parties: pairs of organizations, read from either side.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::related_party;
use super::{Conn, Result};
use crate::domain::{Instant, OrganizationId, RelatedPartyId};

/// One relation. It says the same of both organizations; the first is the one it was entered for.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = related_party)]
pub struct RelatedParty {
    pub id: RelatedPartyId,
    pub organization_id: OrganizationId,
    pub related_organization_id: OrganizationId,
    pub relation: Option<String>,
    pub since: Instant,
    /// Exclusive; `None`: until further notice.
    pub until: Option<Instant>,
    /// When the administration verified it.
    pub verified_at: Option<Instant>,
    pub created_at: Instant,
}

/// A relation to record.
#[derive(Debug, Clone)]
pub struct NewRelatedParty {
    pub organization_id: OrganizationId,
    pub related_organization_id: OrganizationId,
    pub relation: Option<String>,
    pub since: Instant,
    pub until: Option<Instant>,
    pub verified_at: Option<Instant>,
    pub now: Instant,
}

/// Violates `RelatedParty` when the same pair has an entry that begins at the same moment.
pub fn insert(conn: &mut Conn, new: &NewRelatedParty) -> Result<RelatedPartyId> {
    Ok(diesel::insert_into(related_party::table)
        .values((
            related_party::organization_id.eq(new.organization_id),
            related_party::related_organization_id.eq(new.related_organization_id),
            related_party::relation.eq(&new.relation),
            related_party::since.eq(new.since),
            related_party::until.eq(new.until),
            related_party::verified_at.eq(new.verified_at),
            related_party::created_at.eq(new.now),
        ))
        .returning(related_party::id)
        .get_result(conn)?)
}

pub fn get(conn: &mut Conn, id: RelatedPartyId) -> Result<RelatedParty> {
    Ok(related_party::table
        .find(id)
        .select(RelatedParty::as_select())
        .get_result(conn)?)
}

/// The relations of an organization from either side, after an id.
pub fn list_of(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<RelatedPartyId>,
    limit: i64,
) -> Result<Vec<RelatedParty>> {
    let either = related_party::organization_id
        .eq(organization)
        .or(related_party::related_organization_id.eq(organization));
    let relations = related_party::table
        .filter(either)
        .select(RelatedParty::as_select())
        .order(related_party::id)
        .limit(limit)
        .into_boxed();
    let relations = match after {
        Some(after) => relations.filter(related_party::id.gt(after)),
        None => relations,
    };
    Ok(relations.load(conn)?)
}

/// The relations between two organizations, entered for either.
pub fn list_between(
    conn: &mut Conn,
    one: OrganizationId,
    other: OrganizationId,
) -> Result<Vec<RelatedParty>> {
    let pair = |first: OrganizationId, second: OrganizationId| {
        related_party::organization_id
            .eq(first)
            .and(related_party::related_organization_id.eq(second))
    };
    Ok(related_party::table
        .filter(pair(one, other).or(pair(other, one)))
        .select(RelatedParty::as_select())
        .order(related_party::since)
        .load(conn)?)
}

/// Sets what the administration found of a declared relation.
pub fn update_verified(conn: &mut Conn, id: RelatedPartyId, found: &NewRelatedParty) -> Result<()> {
    diesel::update(related_party::table.find(id))
        .set((
            related_party::relation.eq(&found.relation),
            related_party::since.eq(found.since),
            related_party::until.eq(found.until),
            related_party::verified_at.eq(found.verified_at),
        ))
        .execute(conn)?;
    Ok(())
}
