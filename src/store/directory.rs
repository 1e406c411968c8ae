//! The directory of organizations: filtered pages, the feed of changes, and how many instruments each lists.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::letters::Letters;
use super::organization::Organization;
use super::schema::{instrument, organization};
use super::{Conn, Result};
use crate::domain::access::Reach;
use crate::domain::instrument::InstrumentState;
use crate::domain::organization::{OrganizationKind, OrganizationState};
use crate::domain::{Instant, OrganizationId, RegionCode, Uscc};

/// Which organizations to list. Absent or empty means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Parts of names.
    pub names: Vec<String>,
    pub kinds: Vec<OrganizationKind>,
    pub states: Vec<OrganizationState>,
    /// Seats within any of these regions.
    pub regions: Vec<RegionCode>,
    pub usccs: Vec<Uscc>,
    pub is_host: Option<bool>,
    /// Beside the public ones, those that this reaches.
    pub reach: Reach,
    pub place: Place,
    pub limit: i64,
}

/// Where a page begins, and in which order it goes on.
#[derive(Debug, Clone, Copy, Default)]
pub enum Place {
    #[default]
    Start,
    /// After this id, in the order of ids.
    After(OrganizationId),
    /// In the order of (`updated_at`, `id`), after this change, with those that are no longer public.
    Changed(Instant, i64),
}

type Condition =
    Box<dyn BoxableExpression<organization::table, <Conn as Connection>::Backend, SqlType = Bool>>;

/// One page.
pub fn list(conn: &mut Conn, filter: &Filter) -> Result<Vec<Organization>> {
    let is_feed = matches!(filter.place, Place::Changed(..));
    let letters = Letters::of(conn);
    let mut query = organization::table
        .select(Organization::as_select())
        .limit(filter.limit)
        .into_boxed();
    if !filter.reach.everything {
        query = query.filter(visible(&filter.reach, is_feed));
    }
    let named = |part: &String| named(&letters, part);
    if let Some(names) = filter.names.iter().map(named).reduce(or) {
        query = query.filter(names);
    }
    if !filter.kinds.is_empty() {
        query = query.filter(organization::kind.eq_any(filter.kinds.clone()));
    }
    if !filter.states.is_empty() {
        query = query.filter(organization::state.eq_any(filter.states.clone()));
    }
    if let Some(seats) = filter
        .regions
        .iter()
        .map(|region| seated(*region))
        .reduce(or)
    {
        query = query.filter(seats);
    }
    if !filter.usccs.is_empty() {
        query = query.filter(organization::uscc.eq_any(filter.usccs.clone()));
    }
    if let Some(is_host) = filter.is_host {
        query = query.filter(organization::is_host.eq(is_host));
    }
    let query = match filter.place {
        Place::Start => query,
        Place::After(id) => query.filter(organization::id.gt(id)),
        Place::Changed(at, id) => query.filter(
            organization::updated_at
                .gt(at)
                .or(organization::updated_at.eq(at).and(organization::id.gt(id))),
        ),
    };
    Ok(if is_feed {
        query
            .order((organization::updated_at, organization::id))
            .load(conn)?
    } else {
        query.order(organization::id).load(conn)?
    })
}

/// Names with this part in them, in whatever letters.
fn named(letters: &Letters, part: &str) -> Condition {
    let part = format!("%{}%", literally(&part.to_ascii_lowercase()));
    Box::new(letters.lower("organization.name").like(part).escape('\\'))
}

/// Public rows, in a feed also those that were public once, and what the reach covers.
fn visible(reach: &Reach, is_feed: bool) -> Condition {
    let mut condition: Condition = Box::new(organization::state.eq(OrganizationState::Verified));
    if is_feed {
        // Only verified organizations are ever suspended.
        condition = or(
            condition,
            Box::new(organization::state.eq(OrganizationState::Suspended)),
        );
    }
    for own in [reach.host, reach.unit].into_iter().flatten() {
        condition = or(condition, Box::new(organization::id.eq(own)));
    }
    if let Some(region) = reach.region {
        let within = organization::supervising_region_code.like(format!("{}%", region.prefix()));
        condition = or(condition, Box::new(within));
    }
    condition
}

fn seated(region: RegionCode) -> Condition {
    Box::new(organization::region_code.like(format!("{}%", region.prefix())))
}

fn or(one: Condition, other: Condition) -> Condition {
    Box::new(one.or(other))
}

/// A text in which LIKE finds nothing but itself.
fn literally(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

/// How many instruments each of these hosts lists.
pub fn count_listed(
    conn: &mut Conn,
    hosts: &[OrganizationId],
) -> Result<BTreeMap<OrganizationId, i64>> {
    let counts: Vec<(OrganizationId, i64)> = instrument::table
        .filter(
            instrument::organization_id
                .eq_any(hosts)
                .and(instrument::state.eq(InstrumentState::Listed)),
        )
        .group_by(instrument::organization_id)
        .select((instrument::organization_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(counts.into_iter().collect())
}
